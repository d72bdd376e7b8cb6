"""View 4: what happened, newest first, with the failures of this session."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice
from typing import ClassVar

from msgspec import Struct
from textual.content import Content

from sectigo_tui.domain.events import (
    EngineEvent,
    EventKind,
    FailureReported,
    OrderChanged,
    PollingPaused,
    StoreStateChanged,
    TimelineEntry,
)
from sectigo_tui.presentation.filters import words_filter
from sectigo_tui.presentation.format import clock
from sectigo_tui.presentation.rows import OrderRow, local_id, remote_id
from sectigo_tui.presentation.table_columns import Cell, Column
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.errors import ErrorEntry, error_content
from sectigo_tui.ui.keys.key_names import filled
from sectigo_tui.ui.screens.view import WORDS_HINT, View, ViewModel

KEPT = 1_000
RECENT = 100

_NOTHING_YET = (
    "No event is recorded yet.\nChanges of local orders and errors are listed here; "
    "{view.track} on a remote order ({app.pending}, {app.remote}) tracks it."
)


class Event(Struct, frozen=True):
    """One row: an entry of a timeline, or a failure of this session."""

    at: datetime
    order_id: str
    ssl_id: int | None
    kind: str
    summary: str
    code: int | None
    style: str = ""
    error: ErrorEntry | None = None


class EventsView(View):
    """The newest events of all orders."""

    TITLE = "Events"
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column("at", "TIME (UTC)", 11),
        Column("ssl_id", "SSLID", 9, align="right", priority=3),
        Column("common_name", "COMMON NAME", 22, narrow_width=16, share=1, max_width=40, priority=2),
        Column("kind", "KIND", 14, priority=4),
        Column("summary", "WHAT", 30, share=3),
        Column("code", "CODE", 6, align="right", priority=5),
    )
    DEFAULT_SORT = ("", False)
    LISTS_ORDERS = False
    HAS_TERMS = False
    FILTER_HINT = WORDS_HINT

    def __init__(self, model: ViewModel) -> None:
        super().__init__(model)
        self._entries: deque[tuple[int, TimelineEntry]] = deque(maxlen=KEPT)
        self._received = 0
        self._shown: dict[str, Event] = {}

    def on_mount(self) -> None:
        """Read what happened before."""
        for entry in self._model.order_rows.engine.orders.entries(KEPT):
            self._keep(entry)

    @property
    def row(self) -> OrderRow | None:
        """The order that the event under the cursor is about."""
        event = self._shown.get(self.table.cursor_id or "")
        if event is None:
            return None
        order = self._model.order_rows.engine.orders.order(event.order_id)
        if order is not None:
            return self._model.order_rows.row(local_id(order))
        return self._model.order_rows.row(remote_id(event.ssl_id)) if event.ssl_id is not None else None

    def rows(self) -> list[OrderRow]:
        """Return nothing: this view lists events."""
        return []

    def empty_text(self) -> tuple[str, str]:
        """Return what an empty list means."""
        engine = self._model.order_rows.engine
        if engine.rejection is not None:
            return filled(
                self,
                "No event is recorded yet, and polling is paused: SCM rejects the credentials.\n"
                "{app.menu}: rotate them.",
            ), "failed"
        since, failure = engine.health.failing_since, engine.health.failure
        if since is not None:
            why = f" ({printable(failure.reason, limit=200)})" if failure is not None else ""
            offline = f"No event is recorded yet. SCM has not answered since {clock(since)}{why}."
            return f"{offline}\nIt is polled again by the schedule.", "failed"
        return filled(self, _NOTHING_YET), "muted"

    def note(self) -> str:
        """Return how many events the filter shows."""
        return f"{len(self._shown)} shown" if self._query else ""

    def _list(self) -> None:
        is_wanted = words_filter(self._query)
        rows = [*self._of_timelines(), *self._of_failures()]
        rows.sort(key=lambda row: row[1].at, reverse=True)
        self._shown = {row_id: event for row_id, event in rows if is_wanted(self._text(event))}
        self.table.show_empty(*self._empty())
        self.table.update_rows(list(self._shown))

    def _of_timelines(self) -> Iterable[tuple[str, Event]]:
        for number, entry in reversed(self._entries):
            style = "warning" if entry.kind is EventKind.NOT_POLLED else ""
            yield (
                f"e{number}",
                Event(entry.at, entry.order_id, entry.ssl_id, entry.kind, entry.summary, entry.code, style),
            )

    def _of_failures(self) -> Iterable[tuple[str, Event]]:
        for error in self._model.errors.all:
            told = error.explanation
            summary = f"{told.what}: {told.meaning}"
            yield (
                f"f{error.at.timestamp()} {error.order_id} {told.what}",
                Event(
                    error.at,
                    error.order_id,
                    error.ssl_id,
                    error.kind,
                    summary,
                    told.code,
                    error.style,
                    error,
                ),
            )

    def _text(self, event: Event) -> str:
        """Return all that a row shows, for the filter."""
        when = _when(event.at, self._model.now.clock.now())
        return f"{when} {event.ssl_id or ''} {self._name_of(event)} {event.kind} {event.summary} {event.code or ''}"

    def _name_of(self, event: Event) -> str:
        order = self._model.order_rows.engine.orders.order(event.order_id) if event.order_id else None
        return order.common_name if order is not None else ""

    def _cell(self, row_id: str, key: str, _width: int) -> Cell:
        event = self._shown[row_id]
        match key:
            case "at":
                return Cell(_when(event.at, self._model.now.clock.now()), "muted")
            case "ssl_id":
                return Cell(str(event.ssl_id or ""))
            case "common_name":
                return Cell(self._name_of(event))
            case "kind":
                return Cell(event.kind, event.style or "muted")
            case "summary":
                return Cell(event.summary, event.style)
            case _:
                return Cell("" if event.code is None else str(event.code))

    def _note(self, events: Sequence[EngineEvent]) -> None:
        for engine_event in events:
            match engine_event:
                case OrderChanged(_, entry) if entry is not None:
                    self._keep(entry)
                case FailureReported() | PollingPaused() | StoreStateChanged():
                    self._changed_rows.list_changed()
                case _:
                    pass

    def _keep(self, entry: TimelineEntry) -> None:
        """Keep an entry, unless it was read from the store before it was published."""
        if all(entry != known for _, known in islice(reversed(self._entries), RECENT)):
            self._entries.append((self._received, entry))
            self._received += 1
            self._changed_rows.list_changed()

    def detail(self) -> Content:
        """Return what is known of the order that the event is about; of a failure, its four fields first."""
        event = self._shown.get(self.table.cursor_id or "")
        if event is None:
            return Content("Nothing here.")
        if event.error is not None:
            told = error_content(event.error)
            return told if self.row is None else Content("\n\n").join([told, super().detail()])
        return super().detail() if self.row is not None else Content(event.summary)

    def action_sort(self) -> None:
        """Say why there is nothing to choose."""
        self._sort_by("", descending=False)

    def _sort_by(self, key: str, *, descending: bool) -> None:  # noqa: ARG002 - an event has one order
        """Keep the newest first: events are read in the order of time."""
        self.show_message("Events stay in the order of time: {view.filter} filters them.")


def _when(at: datetime, now: datetime) -> str:
    """Return a time of today, or the day and the minute."""
    return f"{at:%H:%M:%S}" if at.date() == now.date() else f"{at:%m-%d %H:%M}"
