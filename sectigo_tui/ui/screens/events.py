"""View 4: what happened, newest first, with the failures of this session."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import ClassVar

from textual.content import Content

from sectigo_tui.domain.events import Announcement, EventKind, FailureReported, OrderChanged, TimelineEntry
from sectigo_tui.ui.board import Subject, local_id, remote_id
from sectigo_tui.ui.screens.view import View
from sectigo_tui.ui.text import printable
from sectigo_tui.ui.view_model import ViewModel, explained
from sectigo_tui.ui.widgets.live_table_columns import Column
from sectigo_tui.ui.widgets.live_table_paint import Cell

KEPT = 1_000


class EventsView(View):
    """The newest timeline entries of all orders."""

    TITLE = "Events"
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column("at", "TIME (UTC)", 20, narrow_width=8),
        Column("ssl_id", "SSLID", 9, align="right", priority=2),
        Column("kind", "KIND", 14, priority=1),
        Column("summary", "WHAT", 20, share=1),
        Column("code", "CODE", 6, align="right", priority=3),
    )
    DEFAULT_SORT = ("", False)

    def __init__(self, model: ViewModel) -> None:
        super().__init__(model)
        entries = model.board.engine.context.book.store.entries(KEPT)
        self._entries: deque[tuple[int, TimelineEntry]] = deque(enumerate(entries), maxlen=KEPT)
        self._heard = len(self._entries)
        self._by_id: dict[str, TimelineEntry] = {}

    @property
    def subject(self) -> Subject | None:
        """The order that the event under the cursor is about."""
        entry = self._by_id.get(self.table.cursor_id or "")
        if entry is None:
            return None
        order = self._model.board.engine.context.book.store.order(entry.order_id)
        if order is not None:
            return self._model.board.subject(local_id(order))
        return self._model.board.subject(remote_id(entry.ssl_id)) if entry.ssl_id is not None else None

    def subjects(self) -> list[Subject]:
        """Return nothing: this view lists events."""
        return []

    def empty_text(self) -> tuple[str, str]:
        """Return what an empty list means."""
        return "Nothing has happened yet.", "muted"

    def _list(self) -> None:
        words = self._query.casefold().split()
        shown = {
            f"e{number}": entry
            for number, entry in reversed(self._entries)
            if all(word in f"{entry.ssl_id} {entry.kind} {entry.summary}".casefold() for word in words)
        }
        self._by_id = shown
        self.table.show_empty(*self._empty())
        self.table.update_rows(list(shown))

    def _cell(self, row_id: str, key: str, width: int) -> Cell:
        entry = self._by_id[row_id]
        match key:
            case "at":
                return Cell(f"{entry.at:%H:%M:%S}" if width < 20 else f"{entry.at:%Y-%m-%d %H:%M:%S}", "muted")
            case "ssl_id":
                return Cell(str(entry.ssl_id or ""))
            case "kind":
                return Cell(entry.kind, "warning" if entry.kind is EventKind.GAP else "muted")
            case "summary":
                return Cell(entry.summary)
            case _:
                return Cell("" if entry.code is None else str(entry.code))

    def _hear(self, announcements: Sequence[Announcement]) -> None:
        for announcement in announcements:
            match announcement:
                case OrderChanged(_, entry) if entry is not None:
                    self._keep(entry)
                case FailureReported(at, what, failure, order_id):
                    told = explained(failure, what)
                    summary = f"{told.what}: {told.meaning}"
                    self._keep(TimelineEntry(at=at, order_id=order_id, kind=EventKind.NOTE, summary=summary))
                case _:
                    pass
        super()._hear(announcements)

    def _keep(self, entry: TimelineEntry) -> None:
        self._entries.append((self._heard, entry))
        self._heard += 1
        self._is_stale = True

    def _show_detail(self) -> None:
        entry = self._by_id.get(self.table.cursor_id or "")
        super()._show_detail()
        if entry is not None and self.subject is None:
            self._pane.show(Content(printable(entry.summary, limit=4_000)))

    def _sort_by(self, key: str, *, descending: bool) -> None:
        """Keep the newest first: events are read in the order of time."""
