"""What all views share: a list that follows the engine, and what can be done with the order under its cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.worker import Worker

from sectigo_tui.domain.errors import NotFound, Refused, ScmFailure
from sectigo_tui.domain.events import EngineEvent
from sectigo_tui.presentation.columns import COLUMNS, cell
from sectigo_tui.presentation.rows import OrderRow, Tally, matches, tally
from sectigo_tui.presentation.sorting import BOOKKEEPING, in_order
from sectigo_tui.presentation.table_columns import Cell, Column
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.changed_rows import ChangedRows, listing_key
from sectigo_tui.ui.content.detail import detail_content
from sectigo_tui.ui.content.header import header_segments
from sectigo_tui.ui.keys.key_names import filled, key_names_of
from sectigo_tui.ui.screens.arranged import Arranged
from sectigo_tui.ui.view_model import ViewModel
from sectigo_tui.ui.widgets.detail_pane import DetailPane
from sectigo_tui.ui.widgets.header_line import HeaderLine
from sectigo_tui.ui.widgets.table.table import HeaderSelected, Highlighted, VisibleChanged

TICK_SECONDS = 1.0
GATHER_SECONDS = 0.1
"""Changes within this time are shown together."""
SIGHT_SECONDS = 0.2
"""How long rows are in sight before anything is asked about them: those that are scrolled past cost no request."""


class View(Arranged):
    """A list of orders that follows the engine; which ones is a subclass's to say.

    Args:
        model: What it shows.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "sort", "Sort", show=False, id="view.sort", tooltip="Sort by the next column"),
        Binding("S", "reverse", "Reverse", show=False, id="view.reverse", tooltip="Sort the other way"),
        Binding("p", "freeze", "Freeze", show=False, id="view.freeze", tooltip="Freeze the list, or let it go on"),
    ]

    IS_TOP = False
    """Whether going back from here quits."""
    WANTS_VERDICTS = False
    """Whether evidence of who orders wait for is fetched for the rows in sight."""
    DEFAULT_SORT: ClassVar[tuple[str, bool]] = ("age", True)
    COLUMNS: ClassVar[Sequence[Column]] = COLUMNS

    def __init__(self, model: ViewModel) -> None:
        super().__init__(model)
        self._changed_rows = ChangedRows(model.order_rows)
        self._rows: dict[str, OrderRow] = {}
        self._query = ""
        self._sort, self._is_descending = self.remembered_sort()
        self._is_frozen = False
        self._is_gathering = False
        self._is_listed = False
        self._is_out_of_order = False
        self._is_unseen = False
        self._poll_answer: Worker[None] | None = None
        self._tally = Tally()

    def on_mount(self) -> None:
        """Start to follow the engine; what there is is shown on the resumption that follows."""
        self.table.show_sort(self._sort, descending=self._is_descending)
        self._model.changed_rows.subscribe(self, self._receive, immediate=True)
        self.set_interval(TICK_SECONDS, self._tick)

    def on_screen_resume(self) -> None:
        """Show what happened while another view was shown."""
        self.reload()

    def rows(self) -> list[OrderRow]:
        """Return what this view lists, before filter and sort."""
        raise NotImplementedError

    def empty_text(self) -> tuple[str, str]:
        """Return what is said when there is nothing to list, and its style."""
        raise NotImplementedError

    def note(self) -> str:
        """Return what the header says of this list: how much of it the filter shows."""
        return f"{len(self._rows)} shown" if self._query else ""

    def back_title(self) -> str:
        """Return what going back does here, in a word."""
        return "Quit" if self.IS_TOP and not self.has_open() else "Back"

    def shows(self, row_id: str) -> bool:
        """Return whether a row is listed."""
        return row_id in self._rows

    def reload(self) -> None:
        """List again, with filter and sort; the cursor stays on its order."""
        self._changed_rows.take()
        self._is_out_of_order = False
        if not self._is_frozen:
            self._list()
        self._tally = tally(self._model.order_rows.pending(), self._model.watchlist.is_acknowledged)
        self._show_header()
        self.show_detail()
        self._show_errors()
        is_asking = self._poll_answer is not None and self._poll_answer.is_running
        if self._is_unseen and not is_asking and self._model.order_rows.engine.health.failing_since is None:
            self._see(self.table.visible_ids)

    def _list(self) -> None:
        wanted = matches(self._query)
        chosen = [row for row in self.rows() if wanted(row)]
        chosen = in_order(chosen, self._sort, self._model.now, descending=self._is_descending)
        self._rows = {row.row_id: row for row in chosen}
        self.table.show_empty(*self._empty())
        held, is_untouched = self.table.cursor_id, self._is_untouched()
        self.table.update_rows(list(self._rows))
        if is_untouched:
            self.table.move_to_index(0)
        elif held is not None and held not in self._rows:
            self.table.move_to_id(self._model.order_rows.row_id_now(held))
        account = self._model.order_rows.engine.account
        self._is_listed = account.refreshed_at is not None or account.failure is not None

    def _is_untouched(self) -> bool:
        """Return whether nobody can have chosen a row yet: the first listing, which comes in parts, is not whole."""
        return not (self._is_listed or self.table.cursor_index or self.table.marks or self.has_open())

    def _empty(self) -> tuple[str, str]:
        text, style = self.empty_text()
        if not self._query.strip():
            return text, style
        nothing = self.nothing_matches(self._query)
        # What failed, or is still asked for, may have what the filter finds.
        return (f"{nothing}\n{text}", style) if style == "failed" or self.is_asking() else (nothing, "muted")

    def nothing_matches(self, query: str) -> str:
        """Return that a filter finds nothing, and how it is cleared."""
        clears = filled(self, "{view.unwind} clears the filter.")
        return f"Nothing matches {printable(query.strip(), limit=60)!r}. {clears}"

    def is_asking(self) -> bool:
        """Return whether what is to be listed is not known yet."""
        return False

    def enrolls(self) -> str:
        """Return how an order is placed from here; in read-only mode, what has to be done first."""
        engine = self._model.order_rows.engine
        if not engine.is_read_only:
            return filled(self, "{app.menu}: enroll places a new one")
        return (
            filled(self, "read-only: {app.arm} arms writes") if engine.options.may_arm else "started with --read-only"
        )

    def _cell(self, row_id: str, key: str, width: int) -> Cell:
        row = self._rows.get(row_id)
        if row is None:
            row = self._rows[row_id] = self.order_row_of(row_id)
        shown = cell(row, key, width, self._model.now)
        return Cell(shown.text, "muted") if self._model.watchlist.is_acknowledged(row_id) else shown

    def _receive(self, events: Sequence[EngineEvent]) -> None:
        self._note(events)
        if not self._is_gathering and self.is_current:
            self._is_gathering = True
            self.set_timer(GATHER_SECONDS, self._show_changes)

    def _note(self, events: Sequence[EngineEvent]) -> None:
        self._changed_rows.receive(events)

    def _show_changes(self) -> None:
        self._is_gathering = False
        is_list, row_ids = self._changed_rows.take()
        changed = {row_id: self.order_row_of(row_id) for row_id in row_ids & self._rows.keys()}
        if is_list or any(self._is_elsewhere(self._rows[row_id], new) for row_id, new in changed.items()):
            # What was evidence for one status is none for the next, and it ages: what is still young costs no request.
            self._is_unseen = True
            self.reload()
            return
        if not self._is_frozen:
            self._rows.update(changed)
            self.table.refresh_rows(changed)
            self._is_out_of_order = self._is_out_of_order or self._sort in BOOKKEEPING
        if self.table.cursor_id in row_ids:
            self.show_detail()
        # The header follows with the next tick: at several polls a second it would be half of all that is painted.
        self._show_errors()

    def _is_elsewhere(self, before: OrderRow, now: OrderRow) -> bool:
        """Return whether a changed row may stand at another place of this list, or outside of it."""
        return listing_key(before) != listing_key(now)

    def _tick(self) -> None:
        if not self.is_current:
            return
        if self._is_out_of_order and not self._is_frozen:
            self.reload()
        elif not self._is_frozen:
            self.table.tick()
        self._show_header()

    def _show_header(self) -> None:
        segments = header_segments(
            self._model.order_rows.engine,
            self._model.surroundings,
            self._tally,
            is_frozen=self._is_frozen,
            note=", ".join(filter(None, (self.note(), self._model.watchlist.summary()))),
            refresh_seconds=self._model.now.refresh_seconds,
        )
        self.query_one("#header", HeaderLine).show(segments)

    def show_detail(self) -> None:
        """Bring the detail pane up to date."""
        if self.pane.display:
            self.pane.show(self.detail())

    def detail(self) -> Content:
        """Return what is known of what is under the cursor."""
        row = self.row
        if row is None:
            return Content("No order here.")
        timeline = self._timeline_of(row.order)
        return detail_content(row, timeline, self._model.now, self.pane.text_width, keys=key_names_of(self))

    @on(Highlighted)
    @on(DetailPane.WidthChanged)
    def _on_detail_changed(self, message: Message) -> None:
        message.stop()
        self.show_detail()

    @on(HeaderSelected)
    def _on_header_selected(self, message: HeaderSelected) -> None:
        message.stop()
        descending = not self._is_descending if message.column_key == self._sort else False
        self._sort_by(message.column_key, descending=descending)

    @on(VisibleChanged)
    def _on_visible_changed(self, message: VisibleChanged) -> None:
        message.stop()
        self._see(message.ids)

    def _see(self, row_ids: Sequence[str]) -> None:
        self._is_unseen = False
        chosen = [self.table.cursor_id] if self.table.cursor_id is not None else []
        self._poll_answer = self._sight(list(dict.fromkeys((*chosen, *row_ids))))

    def _wants_details(self, row_id: str) -> bool:
        return row_id.startswith("#") and self._model.order_rows.order(row_id) is None

    @work(group="sight", exclusive=True, exit_on_error=False)
    async def _sight(self, row_ids: Sequence[str]) -> None:
        """Ask for what is not known of the chosen row and those in sight: details first, then who they wait for."""
        await asyncio.sleep(SIGHT_SECONDS)
        try:
            for row_id in filter(self._wants_details, row_ids):
                with suppress(NotFound, Refused):
                    await self._model.order_rows.engine.account.sight([int(row_id[1:])])
        except ScmFailure:
            # The exchange itself was published: the header tells it, and the rows stay as they are known for now.
            self._is_unseen = True
            self._show_header()
            return
        diagnoser = self._model.now.diagnoser()
        if not self.WANTS_VERDICTS or diagnoser is None:
            return
        for row_id in row_ids:
            row = self.order_row_of(row_id)
            if row.is_open and row.target is not None:
                await diagnoser.attend([row.target], lambda _target, _verdict: None)
                self.table.refresh_rows([row_id])

    def apply_filter(self, text: str) -> None:
        """Show only what matches what was typed."""
        self._query = text
        self._model.layout.filtered_by(str(self.TITLE), text.strip())
        self.reload()

    def _sort_by(self, key: str, *, descending: bool) -> None:
        self._sort, self._is_descending = key, descending
        self._model.layout.sorted_by(str(self.TITLE), key, descending=descending)
        self.table.show_sort(key, descending=descending)
        self.reload()

    def close_other(self) -> None:
        """Let a frozen list go on."""
        if self._is_frozen:
            self.action_freeze()

    def action_sort(self) -> None:
        """Sort by the next column, one for which there is no room too: at 80 columns an outage is not in sight."""
        columns = self.table.columns
        keys = [column.key for column in columns]
        column = columns[(keys.index(self._sort) + 1) % len(keys) if self._sort in keys else 0]
        self._sort_by(column.key, descending=False)
        is_placed = any(placed.column.key == column.key for placed in self.table.placed_columns)
        if self._sort == column.key and not is_placed:
            self.show_message(f"Sorted by {column.title}, which does not fit this screen.")

    def action_reverse(self) -> None:
        """Sort the other way round."""
        self._sort_by(self._sort, descending=not self._is_descending)

    def action_freeze(self) -> None:
        """Freeze the list, or let it go on."""
        self._is_frozen = not self._is_frozen
        self.reload()
