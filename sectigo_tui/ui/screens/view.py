"""What all views share: a list that follows the engine, and what can be done with the order under its cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct
from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.content import Content
from textual.message import Message
from textual.screen import Screen
from textual.signal import Signal
from textual.widgets import Input
from textual.worker import Worker

from sectigo_tui.domain.errors import NotFound, Refused, ScmFailure
from sectigo_tui.domain.events import EngineEvent, TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.presentation.columns import COLUMNS, RowContext, cell, ends_soon
from sectigo_tui.presentation.filters import TERMS, Filter, Term, common_start, completed, term_hint
from sectigo_tui.presentation.rows import ChangedRows, OrderRow, OrderRows, Tally, listing_key, tally
from sectigo_tui.presentation.sorting import BOOKKEEPING, GREATEST_FIRST, in_order
from sectigo_tui.presentation.table_columns import Cell, Column, letters_of
from sectigo_tui.presentation.text import printable
from sectigo_tui.presentation.watchlist import Watchlist
from sectigo_tui.ui.content.detail import detail_content, detail_text
from sectigo_tui.ui.content.header import Surroundings, header_segments
from sectigo_tui.ui.engine_runner import Perform
from sectigo_tui.ui.errors import Errors
from sectigo_tui.ui.keys.active_keys import active_keys
from sectigo_tui.ui.keys.key_names import filled, key_names_of
from sectigo_tui.ui.layout import Layout
from sectigo_tui.ui.widgets.detail_pane import DetailPane
from sectigo_tui.ui.widgets.error_pane import ErrorPane
from sectigo_tui.ui.widgets.header_line import HeaderLine
from sectigo_tui.ui.widgets.key_line import IN_FILTER, IN_MARKS, IN_PANE, KeyHint, KeyLine, footer_hints, hints_of
from sectigo_tui.ui.widgets.table.table import (
    HeaderSelected,
    Highlighted,
    LiveTable,
    MarksChanged,
    Selected,
    VisibleChanged,
)

if TYPE_CHECKING:
    from sectigo_tui.presentation.meanings import Meaning
    from sectigo_tui.ui.dialogs.list_layout import FilterAnswer
    from sectigo_tui.ui.dialogs.menu import MenuItem

TICK_SECONDS = 1.0
GATHER_SECONDS = 0.1
"""Changes within this time are shown together."""
SIGHT_SECONDS = 0.2
"""How long rows are in sight before anything is asked about them: those that are scrolled past cost no request."""
WIDE_COLUMNS = 160
"""From this width on the detail pane stands beside the list."""
SHORT_LINES = 16
"""Below this height an error takes one line."""
WIDEST_CELLS = 1_000
WORDS_HINT = "filter: words; !word leaves out, one|other finds either"
LOOKED_UP_AT_MOST = 200
"""Of how many orders a filter asks what it rests on: each may cost some requests."""


class ViewModel(Struct, frozen=True):
    """What every screen is given.

    Args:
        order_rows: Finds what is shown.
        now: The time and what else the cells depend on.
        changed_rows: Published with what the engine published since the last time, oldest first.
        surroundings: The settled facts of this run.
        errors: The failures of this session.
        perform: Runs what a key asks for, and reports its failure.
        layout: How the screen is arranged.
        watchlist: What deserves a poll.
    """

    order_rows: OrderRows
    now: RowContext
    changed_rows: Signal[Sequence[EngineEvent]]
    surroundings: Surroundings
    errors: Errors
    perform: Perform
    layout: Layout
    watchlist: Watchlist


class Body(Container):
    """A view's list and detail pane, and with them the layout of all that is in a view.

    It stands here, not with the application or its screens, since what is said there is read three times at the start.
    """

    BLANK = True
    SCOPED_CSS = False
    DEFAULT_CSS = """
    #body { height: 1fr; }
    #table { height: 1fr; }
    #detail { height: 1.4fr; }
    .-wide #body { layout: horizontal; }
    .-wide #table { height: 100%; width: 1fr; }
    .-wide #detail { height: 100%; width: 76; border-top: none; border-left: solid $table-header; }
    .-wide #detail:focus { border-left: heavy $accent; }
    .-short #errors { max-height: 1; }
    #filter { height: 1; border: none; padding: 0 1; }
    .-ascii {
        #detail, #detail:focus { border-top: ascii $table-header; }
        #errors { border-left: ascii $state-failed; }
        #errors.-done { border-left: ascii $state-done; }
        .-wide #detail, .-wide #detail:focus { border-top: none; border-left: ascii $table-header; }
    }
    """


class View(Screen[None]):
    """A list of orders that follows the engine, under a header line, and what opens beside it.

    It is arranged as it was left. Which orders it lists is a subclass's to say.

    Args:
        model: What it shows.
    """

    BLANK = True
    """There is nothing between its widgets to be painted line by line, so that this is not done."""
    FILTER_HINT = "filter: words and terms, as on:dns val:ev age>1d slow; !not, one|other"
    HAS_TERMS = True
    TERMS: ClassVar[Sequence[Term]] = TERMS
    """Whether its filter takes terms."""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE_COLUMNS, "-wide")]  # noqa: RUF012 - declared so by Textual
    VERTICAL_BREAKPOINTS = [(0, "-short"), (SHORT_LINES, "-tall")]  # noqa: RUF012 - declared so by Textual

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("d", "detail", "Detail", id="view.detail", tooltip="Show or hide what is known of this order"),
        Binding("l", "timeline", "Timeline", show=False, id="view.timeline", tooltip="Show this order's timeline"),
        # With priority, so that what is typed at once after it lands in the field, not in the list.
        Binding(
            "slash", "filter", "Filter", key_display="/", priority=True, id="view.filter", tooltip="Filter the list"
        ),
        Binding("escape", "unwind", "Undo one", show=False, id="view.unwind", tooltip="Close what was opened last"),
        # With priority, so that what is typed at once after it stands behind the completed term.
        Binding(
            "tab",
            "complete",
            "Complete",
            show=False,
            priority=True,
            id="view.complete",
            tooltip="In the filter: complete a term",
        ),
        Binding("down", "to_list", show=False, id="view.to_list"),
        Binding("r", "poll", "Poll", id="view.poll", tooltip="Poll this order, or the marked ones, now"),
        Binding("R", "refresh", "Refresh", id="view.refresh", tooltip="List the account's orders again"),
        Binding("t", "track", "Track", id="view.track", tooltip="Make remote orders local, and poll them"),
        Binding("c", "copy", "Copy", show=False, id="view.copy", tooltip="Copy this order's facts"),
        Binding("x", "acknowledge", "Ack", show=False, id="view.acknowledge", tooltip="Dismiss the latest error"),
        Binding("X", "acknowledge_all", "Ack all", show=False, id="view.acknowledge_all", tooltip="Dismiss all errors"),
        Binding("w", "watch", "Watch", show=False, id="view.watch", tooltip="Bell and notification when this changes"),
        Binding("W", "watch_all", "Watch all", show=False, id="view.watch_all", tooltip="The same for every order"),
        Binding("z", "quiet", "Quiet", show=False, id="view.quiet", tooltip="Acknowledge this order until it changes"),
        Binding(
            "u",
            "clear_changed",
            "Clear changed",
            show=False,
            id="view.clear_changed",
            tooltip="Remove the + of all changed rows",
        ),
        Binding("o", "columns", "Columns", show=False, id="view.columns", tooltip="Choose and order the columns"),
        Binding("F", "filters", "Filters", show=False, id="view.filters", tooltip="Save, choose or delete a filter"),
        Binding("s", "sort", "Sort", show=False, id="view.sort", tooltip="Sort by a column, chosen by its letter"),
        Binding("S", "reverse", "Reverse", show=False, id="view.reverse", tooltip="Sort the other way"),
        Binding("p", "freeze", "Freeze", show=False, id="view.freeze", tooltip="Freeze the list, or let it go on"),
    ]

    IS_TOP = False
    """Whether going back from here quits."""
    WANTS_VERDICTS = False
    """Whether evidence of who orders wait for is fetched for the rows in sight."""
    LISTS_ORDERS = True
    """Whether each row is an order."""
    FILTER_KIND = "words"
    """Filters of one kind can be used in every view of that kind."""
    DEFAULT_SORT: ClassVar[tuple[str, bool]] = ("age", True)
    COLUMNS: ClassVar[Sequence[Column]] = COLUMNS

    def __init__(self, model: ViewModel) -> None:
        super().__init__()
        self._model = model
        self._timeline: tuple[tuple[str, int], Sequence[TimelineEntry]] = (("", 0), ())
        self._under_cursor: str | None = None
        self._changed_rows = ChangedRows(model.order_rows)
        self._rows: dict[str, OrderRow] = {}
        self._query = ""
        self._filter = Filter("")
        self._unknown: tuple[str, ...] = ()
        """The rows of which the filter cannot say yet whether they are wanted."""
        self._fetched: set[str] = set()
        """Those that were looked up for the filter in force, found or not."""
        self._completions: list[str] = []
        self._new_above: frozenset[str | None] = frozenset()
        """Rows that came to stand above those in sight, and were not in sight since."""
        self._arranged_by: tuple[str, str, bool] | None = None
        self._cursor_before = model.layout.of(str(self.TITLE)).cursor
        self._sort, self._is_descending = self.remembered_sort()
        self._is_frozen = False
        self._is_gathering = False
        self._is_listed = False
        self._is_out_of_order = False
        self._is_unseen = False
        self._poll_answer: Worker[None] | None = None
        self._tally = Tally()

    def compose(self) -> ComposeResult:
        """Lay out the view."""
        # Textual sets these once the size has been told, and then styles everything a second time.
        width, height = self.app.size
        size_classes = ("-wide" if width >= WIDE_COLUMNS else "-narrow", "-tall" if height >= SHORT_LINES else "-short")
        self.set_class(True, *size_classes, update=False)
        yield HeaderLine(id="header")
        with Body(id="body"):
            yield LiveTable(self.COLUMNS, self._cell, glyphs=self._model.now.glyphs, flag=self.flag, id="table")
            yield DetailPane(id="detail")
        yield Input(placeholder=self.FILTER_HINT, id="filter", compact=True, select_on_focus=False)
        yield ErrorPane(id="errors")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Arrange the list as it was left and start to follow the engine; the resumption that follows lists it."""
        self.table.show_sort(self._sort, descending=self._is_descending)
        self._model.changed_rows.subscribe(self, self._receive, immediate=True)
        self.set_interval(TICK_SECONDS, self._tick)
        kept = self._model.layout.of(str(self.TITLE))
        self.table.show_columns(kept.of_columns(self.COLUMNS))
        if kept.query:
            self.use_filter(kept.query)
        self.filter_field.display = bool(self.filter_field.value)
        self.table.focus()
        self.bindings_updated_signal.subscribe(self, lambda _screen: self.show_keys())
        self.show_keys()

    def on_screen_resume(self) -> None:
        """Show what happened while another view was shown."""
        self.reload()

    @property
    def table(self) -> LiveTable:
        """The list."""
        return self.query_one("#table", LiveTable)

    @property
    def pane(self) -> DetailPane:
        """The detail pane."""
        return self.query_one("#detail", DetailPane)

    @property
    def filter_field(self) -> Input:
        """The field in which a filter is typed."""
        return self.query_one("#filter", Input)

    @property
    def row(self) -> OrderRow | None:
        """The order under the cursor."""
        row_id = self.table.cursor_id
        return self.order_row_of(row_id) if row_id is not None else None

    def order_row_of(self, row_id: str) -> OrderRow:
        """Return what is known of a row now."""
        return self._model.order_rows.row(row_id)

    def rows(self) -> list[OrderRow]:
        """Return what this view lists, before filter and sort."""
        raise NotImplementedError

    def pending(self) -> list[OrderRow]:
        """Return all pending orders, which the header counts."""
        return self._model.order_rows.pending()

    def empty_text(self) -> tuple[str, str]:
        """Return what is said when there is nothing to list, and its style."""
        raise NotImplementedError

    def note(self) -> str:
        """Return what the header says of this list: how much of it the filter shows."""
        parts = []
        if self._filter:
            left = len(self._unknown)
            parts.append(f"{len(self._rows)} shown" + (f", {left} not looked up" if left else ""))
        if self._new_above:
            self._new_above &= frozenset(self.table.ids_above)
        if self._new_above:
            parts.append(f"{len(self._new_above)} new above")
        return ", ".join(parts)

    def nothing_matches(self, query: str) -> str:
        """Return that a filter finds nothing, and how it is cleared."""
        clears = filled(self, "{view.unwind} clears the filter.")
        why = f"\n{self.filter_error()}" if self.filter_error() else ""
        return f"Nothing matches {printable(query.strip(), limit=60)!r}. {clears}{why}"

    def meanings(self) -> Sequence[Meaning]:
        """Return what the column under the mouse, and what stands there, means; else what the chosen row shows."""
        from sectigo_tui.presentation.meanings import Meaning, meanings_of

        if not self.LISTS_ORDERS:
            return ()
        key, row_id = self.table.hovered
        if key:
            column = next(column for column in self.COLUMNS if column.key == key)
            told = [Meaning(column.title, "", column.meaning)]
            row = self.order_row_of(row_id) if row_id is not None else self.row
            return [*told, *meanings_of(row, self._model.now, [key])] if row is not None else told
        return meanings_of(self.row, self._model.now) if self.row is not None else ()

    def is_asking(self) -> bool:
        """Return whether what is to be listed is not known yet."""
        return False

    def recommended(self, row_ids: Sequence[str]) -> tuple[str, str]:  # noqa: ARG002 - a view that lists orders has none
        """Return the action, by its id, that this list recommends for rows that wait for nobody, and why."""
        return "", ""

    def enrolls(self) -> str:
        """Return how an order is placed from here; in read-only mode, what has to be done first."""
        engine = self._model.order_rows.engine
        if not engine.is_read_only:
            return filled(self, "{app.menu}: enroll places a new one")
        return (
            filled(self, "read-only: {app.arm} arms writes") if engine.options.may_arm else "started with --read-only"
        )

    def back_title(self) -> str:
        """Return what going back does here, in a word."""
        return "Quit" if self.IS_TOP and not self.has_open() else "Back"

    def shows(self, row_id: str) -> bool:
        """Return whether a row is listed."""
        return row_id in self._rows

    def has_open(self) -> bool:
        """Return whether something is open that going back closes."""
        return self.pane.display

    def flag(self, row_id: str) -> str:
        """Return the shape in front of a row, one cell."""
        return self._model.watchlist.flag(row_id)

    def cell_text(self, row_id: str, key: str) -> str:
        """Return what a cell of a row says, however narrow the screen is."""
        return self._cell(row_id, key, WIDEST_CELLS).text

    def reload(self) -> None:
        """List again, with filter and sort; the cursor stays on its order."""
        self._changed_rows.take()
        self._is_out_of_order = False
        if not self._is_frozen:
            self._list()
        self._tally = tally(
            self.pending(), self._model.watchlist.is_acknowledged, lambda row: ends_soon(row, self._model.now)
        )
        self._show_header()
        self.show_detail()
        self._show_errors()
        is_asking = self._poll_answer is not None and self._poll_answer.is_running
        if self._is_unseen and not is_asking and self._model.order_rows.engine.health.failing_since is None:
            self._see(self.table.visible_ids)

    def _list(self) -> None:
        now = self._model.now
        answers = [(row, self._filter.test(row, now)) for row in self.rows()]
        chosen = [row for row, is_wanted in answers if is_wanted]
        self._unknown = tuple(row.row_id for row, is_wanted in answers if is_wanted is None)
        chosen = in_order(chosen, self._sort, self._model.now, descending=self._is_descending)
        before, was_listed = self._rows.keys(), self._is_listed
        self._rows = {row.row_id: row for row in chosen}
        self.table.show_empty(*self._empty())
        held, is_untouched = self.table.cursor_id, self._is_untouched()
        self.fold()
        self.table.update_rows(list(self._rows))
        arranged_by = (self._query, self._sort, self._is_descending)
        if arranged_by != self._arranged_by:
            self._arranged_by, self._new_above = arranged_by, frozenset()
        elif was_listed:
            self._new_above |= frozenset(self.table.ids_above) & (self._rows.keys() - before)
        if is_untouched:
            self.to_first_row()
        elif held is not None and held not in self._rows:
            self.table.move_to_id(self._model.order_rows.row_id_now(held))
        account = self._model.order_rows.engine.account
        self._is_listed = account.refreshed_at is not None or account.failure is not None

    def to_first_row(self) -> None:
        """Put the cursor where it was when the program ended, as soon as that order is listed; else at the top."""
        if not (self._cursor_before and self.table.move_to_id(self._cursor_before)):
            self.table.move_to_index(0)

    def fold(self) -> None:
        """Leave out the columns that are empty for every row."""
        if self._rows:
            keys = [column.key for column in self.COLUMNS if column.folds]
            self.table.fold(key for key in keys if all(self._is_blank(row, key) for row in self._rows.values()))

    def _unfold(self, row_ids: Iterable[str]) -> None:
        """Show columns again in which rows have something now."""
        rows = [self._rows[row_id] for row_id in row_ids]
        if any(not self._is_blank(row, key) for row in rows for key in self.table.folded):
            self.fold()

    def _is_blank(self, row: OrderRow, key: str) -> bool:
        return is_blank(cell(row, key, WIDEST_CELLS, self._model.now))

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
            self._unfold(changed)
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

    def show_message(self, words: str) -> None:
        """Say in the key line why a key did nothing.

        Args:
            words: Printable text; a key is named by its action, as in `{view.track} tracks it`.
        """
        self.query_one("#keys", KeyLine).show_message(filled(self, words))

    def show_keys(self) -> None:
        """Show the keys of where the focus is."""
        if not self.is_running or not self.query("#keys"):
            return
        if self.filter_field.has_focus:
            hints: Sequence[KeyHint] = (
                KeyHint("Enter", "keep", 0, "enter"),
                *hints_of(key_names_of(self), IN_FILTER),
                *self._term_hints(),
            )
        elif self.pane.has_focus:
            hints = hints_of(key_names_of(self), IN_PANE)
        elif self.table.marks:
            count = KeyHint("", f"{len(self.table.marks)} marked:", 0)
            hints = (count, *hints_of(key_names_of(self), IN_MARKS))
        else:
            hints = footer_hints(active_keys(self.active_bindings), str(self.TITLE), self.back_title())
        self.query_one("#keys", KeyLine).show(hints)

    def _term_hints(self) -> Sequence[KeyHint]:
        """Return what the filter may go on with, or what is wrong with it."""
        if not self.HAS_TERMS:
            return (KeyHint("", self.FILTER_HINT, 3),)
        if error_text := self.filter_error():
            return (KeyHint("", error_text, 0),)
        return hints_of(key_names_of(self), (("view.complete", term_hint(self.filter_field.value, self.TERMS), 0),))

    def filter_error(self) -> str:
        """Return what is wrong with the filter; empty where nothing is."""
        return self._filter.error_text

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
        polls = self._model.order_rows.engine.orders.polls(row.order.id) if row.order is not None else ()
        return detail_content(
            row, timeline, self._model.now, self.pane.text_width, keys=key_names_of(self), polls=polls
        )

    def _timeline_of(self, order: Order | None) -> Sequence[TimelineEntry]:
        """Return an order's timeline; it is read from the disk only when the order has changed."""
        if order is None:
            return ()
        key = (order.id, order.revision)
        if self._timeline[0] != key:
            self._timeline = (key, self._model.order_rows.engine.orders.timeline(order.id))
        return self._timeline[1]

    def _show_errors(self) -> None:
        self.query_one("#errors", ErrorPane).show(self._model.errors.open)

    def apply_filter(self, text: str) -> None:
        """Show only what matches what was typed."""
        self._query, self._filter = text, Filter(text)
        self._fetched.clear()
        self._model.layout.filtered_by(str(self.TITLE), text.strip())
        self.reload()
        if self._unknown or self._filter.wants_samples:
            self._see(self.table.visible_ids)

    def use_filter(self, query: str) -> None:
        """Put a filter in force, as if it had been typed."""
        self.filter_field.value = query
        self.filter_field.display = bool(query)
        self.apply_filter(query)

    def _clear_filter(self) -> None:
        self.filter_field.value = ""
        self.action_to_list()

    def remembered_sort(self) -> tuple[str, bool]:
        """Return the column to sort by, and whether downwards."""
        kept = self._model.layout.of(str(self.TITLE))
        is_known = kept.sort == "" or kept.sort in {self.DEFAULT_SORT[0], *(column.key for column in self.COLUMNS)}
        return (kept.sort, kept.is_descending) if kept.sort is not None and is_known else self.DEFAULT_SORT

    def _sort_by(self, key: str, *, descending: bool) -> None:
        self._sort, self._is_descending = key, descending
        self._model.layout.sorted_by(str(self.TITLE), key, descending=descending)
        self.table.show_sort(key, descending=descending)
        self.reload()

    @on(Highlighted)
    @on(DetailPane.WidthChanged)
    def _on_detail_changed(self, message: Message) -> None:
        message.stop()
        self.show_detail()

    @on(Highlighted)
    def _on_cursor_moved(self, message: Highlighted) -> None:
        """Take a row as seen when the operator comes to it, and not when the row that he was on has gone."""
        left, self._under_cursor = self._under_cursor, message.row_id
        if message.row_id is not None and self.LISTS_ORDERS and not self._is_untouched():
            self._model.layout.cursor_on(str(self.TITLE), message.row_id)
        if message.row_id is not None and left is not None and self.shows(left):
            self._model.watchlist.see(message.row_id)

    @on(MarksChanged)
    def _on_marks_changed(self, message: MarksChanged) -> None:
        message.stop()
        self.show_keys()

    @on(HeaderSelected)
    def _on_header_selected(self, message: HeaderSelected) -> None:
        message.stop()
        self._choose_sort(message.column_key)

    @on(VisibleChanged)
    def _on_visible_changed(self, message: VisibleChanged) -> None:
        message.stop()
        self._see(message.ids)

    @on(Selected)
    def _on_selected(self, message: Selected) -> None:
        message.stop()
        if self.pane.display:
            self.pane.focus()
        else:
            self.action_detail()

    @on(Input.Changed, "#filter")
    def _on_filter_changed(self, message: Input.Changed) -> None:
        message.stop()
        self.apply_filter(message.value)
        self.show_keys()

    @on(Input.Submitted, "#filter")
    def _on_filter_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self.action_to_list()

    def _see(self, row_ids: Sequence[str]) -> None:
        self._is_unseen = False
        chosen = [self.table.cursor_id] if self.table.cursor_id is not None else []
        self._poll_answer = self._sight(list(dict.fromkeys((*chosen, *row_ids))))

    def _wants_details(self, row_id: str) -> bool:
        return row_id.startswith("#") and self._model.order_rows.order(row_id) is None

    @work(group="sight", exclusive=True, exit_on_error=False)
    async def _sight(self, row_ids: Sequence[str]) -> None:
        """Ask for what is not known of the chosen row, those in sight, and those of which the filter cannot say."""
        await asyncio.sleep(SIGHT_SECONDS)
        try:
            await self._ask_details(row_ids)
            await self._ask_verdicts(row_ids)
            await self._fetch_verdicts()
        except ScmFailure:
            # The exchange itself was published: the header tells it, and the rows stay as they are known for now.
            self._is_unseen = True
            self._show_header()

    @work(group="learn", exclusive=True, exit_on_error=False)
    async def _learn(self) -> None:
        """Learn how long this account's own orders took: the detail pane shows where an order stands among them."""
        diagnoser = self._model.now.diagnoser()
        if diagnoser is not None and await diagnoser.samples.learn_local():
            self.show_detail()

    async def _ask_details(self, row_ids: Iterable[str]) -> None:
        account = self._model.order_rows.engine.account
        wanted = [int(row_id[1:]) for row_id in filter(self._wants_details, row_ids)]
        await account.learn_for(wanted)
        for ssl_id in wanted:
            with suppress(NotFound, Refused):
                await account.sight([ssl_id])

    async def _ask_verdicts(self, row_ids: Iterable[str]) -> None:
        diagnoser = self._model.now.diagnoser()
        if not self.WANTS_VERDICTS or diagnoser is None:
            return
        rows = [row for row in map(self.order_row_of, row_ids) if row.is_open]
        targets = {row.row_id: row.target for row in rows if row.target is not None}
        coming = iter(targets)

        def show(_target: object, _verdict: object) -> None:
            # They come one after the other. A row is painted for its own verdict, not for everybody's.
            row_id = next(coming)
            if not self._is_frozen and self.shows(row_id):
                self._unfold([row_id])
                self.table.refresh_rows([row_id])

        await diagnoser.watch(list(targets.values()), show)

    async def _fetch_verdicts(self) -> None:
        """Ask for what decides whether the filter wants a row, a row at a time: each is listed as soon as it is."""
        diagnoser = self._model.now.diagnoser()
        if diagnoser is None:
            return
        if self._filter.wants_samples and any(
            (await diagnoser.samples.learn_local(), await diagnoser.samples.learn_kept())
        ):
            self.reload()
        left = LOOKED_UP_AT_MOST - len(self._fetched)
        for row_id in [row_id for row_id in self._unknown if row_id not in self._fetched][:left]:
            self._fetched.add(row_id)
            await self._ask_details([row_id])
            if self._filter.test(self.order_row_of(row_id), self._model.now) is None:
                await self._ask_verdicts([row_id])
            self.reload()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave a slash that is typed into a field to the field."""
        if action == "filter" and isinstance(self.focused, Input):
            return False
        return super().check_action(action, parameters)

    def action_to_list(self) -> None:
        """Put the focus on the list; a filter in force stays in sight."""
        self.table.focus()
        self.filter_field.display = bool(self.filter_field.value)

    def action_detail(self) -> None:
        """Show or hide what is known of the order under the cursor."""
        self.pane.display = not self.pane.display
        if self.pane.display:
            self.pane.scroll_home(animate=False)
            self.show_detail()
            self._learn()
        else:
            self.table.focus()
        self.show_keys()

    def action_timeline(self) -> None:
        """Show the timeline of the order under the cursor, the newest entries in sight."""
        self.pane.display = True
        self.show_detail()
        self.pane.focus()
        self.call_after_refresh(self.pane.scroll_end, animate=False)

    def action_filter(self) -> None:
        """Let the operator type a filter."""
        self.filter_field.display = True
        self.set_focus(self.filter_field)

    def action_unwind(self) -> None:
        """Undo one thing: the filter's field, the focus on the pane, the pane, the marks, the filter."""
        if self.filter_field.has_focus:
            self._clear_filter()
        elif self.pane.has_focus:
            self.table.focus()
        elif self.pane.display:
            self.action_detail()
        elif self.table.marks:
            self.table.clear_marks()
        elif self.filter_field.value:
            self._clear_filter()
        else:
            self.close_other()

    def close_other(self) -> None:
        """Let a frozen list go on."""
        if self._is_frozen:
            self.action_freeze()

    def action_complete(self) -> None:
        """Complete what is typed into the filter; again for the next that fits. Elsewhere go to what is next."""
        field = self.filter_field
        if not (self.HAS_TERMS and field.has_focus):
            self.focus_next()
            return
        found = self._completions
        if field.value not in found:
            found = self._completions = completed(field.value, values=self._term_values(), terms=self.TERMS)
            common = common_start(found)
            if len(found) > 1 and len(common) > len(field.value):
                found = [common]
        if found:
            at = found.index(field.value) + 1 if field.value in found else 0
            field.value = found[at % len(found)]
            field.cursor_position = len(field.value)

    def _term_values(self) -> Mapping[str, Iterable[str]]:
        rows = self.rows()
        profiles = {word for row in rows for word in row.profile.casefold().split()}
        return {"profile:": profiles, "by:": {row.requester.casefold() for row in rows if row.requester}}

    def action_sort(self) -> None:
        """Let the operator choose by a letter what is sorted by, a column for which there is no room too."""
        from sectigo_tui.ui.dialogs.menu import Menu

        self.app.push_screen(Menu(f"Sort {self.TITLE} by", self.sort_items()), self._sort_chosen)

    def sort_items(self) -> Sequence[MenuItem]:
        """Return the columns to sort by, each with its letter and what it shows."""
        from sectigo_tui.ui.dialogs.menu import MenuItem

        letters = letters_of(self.COLUMNS)
        return [
            MenuItem(column.key, letters[column.key], self._sort_title(column.key, column.title), note=note)
            for column in self.table.columns
            for note in [filled(self, column.meaning)]
        ]

    def _sort_title(self, key: str, title: str) -> str:
        """Return a column's title with the direction in force; the same letter again turns it."""
        glyphs = self._model.now.glyphs
        return (
            f"{title} {glyphs.descending if self._is_descending else glyphs.ascending}" if key == self._sort else title
        )

    def _sort_chosen(self, key: str | None) -> None:
        if key is None:
            return
        self._choose_sort(key)
        column = next((column for column in self.table.columns if column.key == key), None)
        is_placed = any(placed.column.key == key for placed in self.table.placed_columns)
        if column is not None and self._sort == key and not is_placed:
            why = "is empty for every row" if key in self.table.folded else "does not fit this screen"
            self.show_message(f"Sorted by {column.title}, which {why}.")

    def _choose_sort(self, key: str) -> None:
        """Sort by a column, the other way where it is sorted by that already."""
        self._sort_by(key, descending=not self._is_descending if key == self._sort else key in GREATEST_FIRST)

    def action_reverse(self) -> None:
        """Sort the other way round."""
        self._sort_by(self._sort, descending=not self._is_descending)

    def action_freeze(self) -> None:
        """Freeze the list, or let it go on."""
        self._is_frozen = not self._is_frozen
        self.reload()

    def action_columns(self) -> None:
        """Let the operator choose and order the columns."""
        from sectigo_tui.ui.dialogs.list_layout import Columns

        self.app.push_screen(Columns(str(self.TITLE), self.COLUMNS, self.table.columns), self._show_columns)

    def _show_columns(self, keys: Sequence[str] | None) -> None:
        if keys is None:
            return
        by_key = {column.key: column for column in self.COLUMNS}
        self.table.show_columns([by_key[key] for key in keys])
        self._model.layout.shows(str(self.TITLE), keys, [key for key in by_key if key not in keys])
        self.reload()

    def action_filters(self) -> None:
        """Let the operator use, save or delete a filter."""
        from sectigo_tui.ui.dialogs.list_layout import SavedFilters

        saved = self._model.layout.filters.get(self.FILTER_KIND, {})
        self.app.push_screen(SavedFilters(saved, self.filter_field.value.strip()), self._do_with_filter)

    def _do_with_filter(self, answer: FilterAnswer | None) -> None:
        from sectigo_tui.ui.dialogs.list_layout import Verb

        if answer is None:
            return
        layout, name = self._model.layout, answer.name
        match answer.verb:
            case Verb.USE:
                self.use_filter(layout.filters[self.FILTER_KIND][name])
            case Verb.SAVE:
                layout.save_filter(self.FILTER_KIND, name, self.filter_field.value.strip())
                uses = filled(self, "{view.filters} uses it.")
                self.notify(f"Saved the filter as {printable(name)}: {uses}", markup=False)
            case Verb.DELETE:
                layout.delete_filter(self.FILTER_KIND, name)
                self.action_filters()

    def action_poll(self) -> None:
        """Poll the marked orders, or the one under the cursor, now or as soon as the schedule's spacing allows."""
        marked = [self.order_row_of(row_id) for row_id in sorted(self.table.marks)]
        chosen = marked or ([self.row] if self.row is not None else [])
        polled = [row.order for row in chosen if row.order is not None and row.order.state.is_polled]
        for order in polled:
            self._model.perform("poll now", self._model.order_rows.engine.scheduler.open_window(order.id))
        words = _not_polled(chosen, len(polled))
        if words:
            self.show_message(words)

    def action_refresh(self) -> None:
        """List the account's pending orders again."""
        self._model.perform("list the account", self._model.order_rows.engine.account.refresh_pending())

    def action_track(self) -> None:
        """Make the marked remote orders local, or the one under the cursor."""
        marked = [self.order_row_of(row_id) for row_id in self.table.marks]
        chosen = marked or ([self.row] if self.row is not None else [])
        remote = sorted(one.ssl_id for one in chosen if one.order is None and one.ssl_id is not None)
        if not remote:
            self.show_message(
                "There is nothing to track: what is chosen is local already." if chosen else "No order here."
            )
        for ssl_id in remote:
            self._model.perform(f"track sslId {ssl_id}", self._track(ssl_id))
        self.unmark(one.row_id for one in marked if one.ssl_id not in remote)

    async def _track(self, ssl_id: int) -> None:
        marked = [row_id for row_id in self.table.marks if self.order_row_of(row_id).ssl_id == ssl_id]
        await self._model.order_rows.engine.track(ssl_id)
        self.unmark(marked)

    def unmark(self, row_ids: Iterable[str]) -> None:
        """Take the marks of rows away for which it was done; what failed stays marked, to be tried again."""
        self.table.unmark(list(row_ids))

    def action_copy(self) -> None:
        """Copy the facts of the order under the cursor."""
        row = self.row
        if row is None:
            self.show_message("There is no order here to copy.")
            return
        self.app.copy_to_clipboard(detail_text(row, self._timeline_of(row.order), self._model.now))
        self.notify(f"Copied the facts of {printable(row.common_name, limit=40)}.", markup=False)

    def action_watch(self) -> None:
        """Watch the marked orders or the one under the cursor, or no longer."""
        row_ids = self._chosen()
        if row_ids:
            told = "Watched: bell and notification when {} changes." if self._model.watchlist.watch(row_ids) else ""
            self._message_for(row_ids, told or "No longer watched: {}.")

    def action_watch_all(self) -> None:
        """Watch every order, or no longer."""
        is_on = self._model.watchlist.watch_all()
        self.show_message(
            "Every order is watched: bell and notification on any change." if is_on else "No longer watching all."
        )
        self.reload()

    def action_quiet(self) -> None:
        """Acknowledge the marked orders or the one under the cursor until they change, or take that back."""
        row_ids = self._chosen()
        if row_ids:
            told = "Acknowledged until it changes: {}." if self._model.watchlist.acknowledge(row_ids) else ""
            self._message_for(row_ids, told or "No longer acknowledged: {}.")

    def action_clear_changed(self) -> None:
        """Take all changed rows as seen."""
        self._model.watchlist.see_all()
        self.reload()

    def _chosen(self) -> list[str]:
        """Return the marked orders, or the one under the cursor."""
        marked = [self.order_row_of(row_id) for row_id in sorted(self.table.marks)]
        chosen = marked or ([self.row] if self.row is not None else [])
        row_ids = [row.row_id for row in chosen if row.target is not None]
        if not row_ids:
            self.show_message("There is no order here.")
        return row_ids

    def _message_for(self, row_ids: Sequence[str], words: str) -> None:
        self.show_message(words.format(row_ids[0].lstrip("#") if len(row_ids) == 1 else f"{len(row_ids)} orders"))
        self.unmark(row_ids)
        self.reload()

    def action_acknowledge(self) -> None:
        """Take the newest failure off the screen."""
        self._model.errors.acknowledge()
        self._show_errors()

    def action_acknowledge_all(self) -> None:
        """Take all failures off the screen."""
        self._model.errors.acknowledge_all()
        self._show_errors()


def is_blank(shown: Cell) -> bool:
    """Return whether a cell says nothing."""
    return shown.text.strip() in ("", "-")


def _not_polled(chosen: Sequence[OrderRow], polled: int) -> str:
    """Return why orders that were chosen are not polled; empty when all are.

    Args:
        chosen: The orders.
        polled: How many of them are polled.
    """
    remote = sum(row.order is None for row in chosen)
    if len(chosen) > 1:
        ended = len(chosen) - remote - polled
        why = [f"{remote} remote ({{view.track}} tracks them)"] if remote else []
        why += [f"{ended} not pending"] if ended else []
        begun = f"{polled} marked orders are polled now" if polled else "No marked order is polled"
        return f"{begun}, not {' and '.join(why)}." if why else f"{begun}."
    if not chosen:
        return "There is no order here to poll."
    if remote:
        return "This order is remote: {view.track} tracks it, then it is polled."
    order = chosen[0].order
    return "" if polled or order is None else f"This order is {order.state}: only pending orders are polled."
