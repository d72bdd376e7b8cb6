"""A table of any number of rows, that costs what is seen of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from sectigo_tui.ui.glyphs import UNICODE, Glyphs
from sectigo_tui.ui.theme import CELL_STYLES
from sectigo_tui.ui.widgets.live_table_columns import Column, PlacedColumn, place_columns
from sectigo_tui.ui.widgets.live_table_cursor import RowIds, find_row, nearest_survivor
from sectigo_tui.ui.widgets.live_table_paint import Cell, PaintedRow, Painter, RowLook, terminal_style

CellProvider = Callable[[str, str, int], Cell]
"""Says what a cell shows, from a row's id, a column's key and the cells there are; called for visible rows."""

_HEADER_LINES = 1
_ROW_STYLES = ("header", "row", "cursor", "cursor-blurred", "marked")


class LiveTable(ScrollView, can_focus=True):
    """A table whose rows come, go, change and count down under a cursor that stays where it is.

    Cursor and marks hold a row's id, never its index. Only visible rows are asked for, painted and kept, and
    only lines, or ticking cells, whose text changed are painted again.

    Args:
        columns: From left to right; ticking ones first.
        cell: Says what each cell shows.
        glyphs: Shapes of cursor, marks and sort direction.
        name: The name of the widget.
        id: The id of the widget.
        classes: The CSS classes of the widget.
    """

    ALLOW_SELECT = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False, id="table.down", tooltip="Next row"),
        Binding("up,k", "move(-1)", "Up", show=False, id="table.up", tooltip="Previous row"),
        Binding("pagedown", "page(1)", "Page down", show=False, id="table.page_down"),
        Binding("pageup", "page(-1)", "Page up", show=False, id="table.page_up"),
        Binding("home,g", "top", "Top", show=False, id="table.top", tooltip="First row"),
        Binding("end,G", "bottom", "Bottom", show=False, id="table.bottom", tooltip="Last row"),
        Binding("enter", "select", "Open", show=False, id="table.select", tooltip="Open this row"),
        Binding("space", "mark", "Mark", show=False, id="table.mark", tooltip="Mark this row, or unmark it"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"live-table--{name}" for name in (*CELL_STYLES, *_ROW_STYLES)}

    DEFAULT_CSS = """
    LiveTable {
        height: 1fr;
        background: $background;
        color: $foreground;
        overflow-x: hidden;
        overflow-y: auto;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;

        & > .live-table--header {
            color: $table-header;
            background: $table-header-background;
            text-style: $table-header-text-style;
        }
        & > .live-table--cursor {
            color: $table-cursor;
            background: $table-cursor-background;
            text-style: $table-cursor-text-style;
        }
        & > .live-table--cursor-blurred {
            color: $table-cursor-blurred;
            background: $table-cursor-blurred-background;
            text-style: $table-cursor-blurred-text-style;
        }
        & > .live-table--marked { color: $table-marked; text-style: $table-marked-text-style; }
        & > .live-table--pending { color: $state-pending; text-style: $state-pending-text-style; }
        & > .live-table--waiting { color: $state-waiting; text-style: $state-waiting-text-style; }
        & > .live-table--done { color: $state-done; text-style: $state-done-text-style; }
        & > .live-table--failed { color: $state-failed; text-style: $state-failed-text-style; }
        & > .live-table--warning { color: $state-warning; text-style: $state-warning-text-style; }
        & > .live-table--muted { color: $state-muted; text-style: $state-muted-text-style; }
        & > .live-table--strong { color: $state-strong; text-style: $state-strong-text-style; }
    }
    """

    @dataclass
    class Highlighted(Message):
        """The cursor stands on another row.

        Args:
            table: The table.
            row_id: The row's id; None when there is no row, or it is not loaded yet.
        """

        table: LiveTable
        row_id: str | None

        @property
        def control(self) -> LiveTable:
            """The table."""
            return self.table

        def can_replace(self, message: Message) -> bool:
            """Tell whether an older message of this table need not be handled any more."""
            return isinstance(message, LiveTable.Highlighted) and message.table is self.table

    @dataclass
    class Selected(Message):
        """A row was opened, by Enter or a double click.

        Args:
            table: The table.
            row_id: The row's id.
        """

        table: LiveTable
        row_id: str

        @property
        def control(self) -> LiveTable:
            """The table."""
            return self.table

    @dataclass
    class MarksChanged(Message):
        """Rows were marked or unmarked, or marked rows are gone.

        Args:
            table: The table.
            marks: The ids of all marked rows.
        """

        table: LiveTable
        marks: frozenset[str]

        @property
        def control(self) -> LiveTable:
            """The table."""
            return self.table

    @dataclass
    class RangeNeeded(Message):
        """Rows are on the screen which are not loaded yet.

        Args:
            table: The table.
            first: The index of the first of them.
            last: The index of the last of them.
        """

        table: LiveTable
        first: int
        last: int

        @property
        def control(self) -> LiveTable:
            """The table."""
            return self.table

        def can_replace(self, message: Message) -> bool:
            """Tell whether an older message of this table need not be handled any more."""
            return isinstance(message, LiveTable.RangeNeeded) and message.table is self.table

    @dataclass
    class VisibleChanged(Message):
        """Other rows are on the screen.

        Args:
            table: The table.
            ids: The ids of those that are loaded, from top to bottom.
        """

        table: LiveTable
        ids: tuple[str, ...]

        @property
        def control(self) -> LiveTable:
            """The table."""
            return self.table

        def can_replace(self, message: Message) -> bool:
            """Tell whether an older message of this table need not be handled any more."""
            return isinstance(message, LiveTable.VisibleChanged) and message.table is self.table

    @dataclass
    class HeaderSelected(Message):
        """A column's title was clicked.

        Args:
            table: The table.
            column_key: The column's key.
        """

        table: LiveTable
        column_key: str

        @property
        def control(self) -> LiveTable:
            """The table."""
            return self.table

    def __init__(
        self,
        columns: Sequence[Column],
        cell: CellProvider,
        *,
        glyphs: Glyphs = UNICODE,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._columns = tuple(columns)
        self._cell = cell
        self._glyphs = glyphs
        self._ids: RowIds = ()
        self._cursor_index = 0
        self._cursor_id: str | None = None
        self._marks: set[str] = set()
        self._sort_key = ""
        self._is_descending = False
        self._empty: tuple[Cell, ...] = (Cell("Nothing here yet", "muted"),)
        self._lines = 0
        self._placed: tuple[PlacedColumn, ...] = ()
        self._painter: Painter | None = None
        self._header: Strip | None = None
        self._painted: dict[str, PaintedRow] = {}
        self._window: RowIds = ()
        self._window_first = 0

    @property
    def row_count(self) -> int:
        """How many rows there are, loaded or not."""
        return len(self._ids)

    @property
    def cursor_id(self) -> str | None:
        """The id of the row under the cursor; None when there is none, or it is not loaded yet."""
        return self._cursor_id if self._ids else None

    @property
    def cursor_index(self) -> int:
        """Where the cursor is, counted from 0."""
        return self._cursor_index

    @property
    def marks(self) -> frozenset[str]:
        """The ids of the marked rows."""
        return frozenset(self._marks)

    @property
    def visible_ids(self) -> tuple[str, ...]:
        """The ids of the rows on the screen that are loaded, from top to bottom."""
        return tuple(row_id for row_id in self._window if row_id is not None)

    @property
    def placed_columns(self) -> tuple[PlacedColumn, ...]:
        """The columns that fit, and where they are."""
        return self._placed

    def update_rows(self, ids: RowIds) -> None:
        """Replace the rows.

        The cursor stays on its row and on its line of the screen. When its row is gone it goes to the row that
        was nearest. Marks of rows that are gone are dropped, unless some rows are not loaded. A line is painted
        again only if it changed.

        Args:
            ids: All rows from top to bottom; None for one that is not loaded yet. It may be the sequence given
                before, changed in place.
        """
        count_before = len(self._window) if self.virtual_size.height else 0
        total_before = self.virtual_size.height - _HEADER_LINES
        window_before, first_before = self._window, self._window_first
        self._ids = ids
        first = self._follow(window_before, first_before)
        self.virtual_size = Size(0, len(ids) + _HEADER_LINES)
        self.scroll_to(y=first, animate=False, force=True)
        self._note_window()
        self._prune_marks()
        if count_before and len(ids) == total_before and first_before == self._first:
            self._repaint_changed(window_before)
        else:
            self._painted.clear()
            self.refresh()

    def refresh_rows(self, row_ids: Iterable[str]) -> None:
        """Paint rows again whose cells may have changed; those not on the screen cost nothing.

        Args:
            row_ids: Their ids.
        """
        wanted = set(row_ids)
        self._repaint_changed(self._window, wanted)

    def tick(self) -> None:
        """Paint the ticking cells whose text changed; the owner calls it as often as they may."""
        ticking = [(slot, placed) for slot, placed in enumerate(self._placed) if placed.column.ticking]
        painter = self._painter
        if not ticking or painter is None:
            return
        regions: list[Region] = []
        for y, row_id in enumerate(self._window, _HEADER_LINES):
            painted = self._painted.get(row_id) if row_id is not None else None
            if row_id is None or painted is None:
                continue
            cells = list(painted.cells)
            for slot, placed in ticking:
                cell = self._cell(row_id, placed.column.key, placed.width)
                if cell != cells[slot]:
                    cells[slot] = cell
                    regions.append(Region(placed.x, y, placed.width, 1))
            if tuple(cells) != painted.cells:
                self._painted[row_id] = painter.row(tuple(cells), painted.look, is_marked=painted.is_marked)
        if regions:
            self.refresh(*regions)

    def show_empty(self, text: str, style: str = "muted") -> None:
        """Say what is shown when there are no rows; "none" must never look like "could not load".

        Args:
            text: Untrusted text, a line of the table for each of its lines.
            style: A name of `CELL_STYLES`.
        """
        self._empty = tuple(Cell(line, style) for line in text.split("\n"))
        if not self._ids:
            self.refresh()

    def show_sort(self, column_key: str, *, descending: bool = False) -> None:
        """Say in the header what the rows are sorted by; the owner sorts them.

        Args:
            column_key: The column; "" for none.
            descending: Whether they are sorted downwards.
        """
        self._sort_key, self._is_descending = column_key, descending
        self._header = None
        self.refresh(Region(0, 0, self.size.width, _HEADER_LINES))

    def move_to_id(self, row_id: str) -> bool:
        """Put the cursor on a row.

        Args:
            row_id: The row.

        Returns:
            Whether it is there.
        """
        index = find_row(self._ids, row_id, self._cursor_index)
        if index is None:
            return False
        self.move_to_index(index)
        return True

    def move_to_index(self, index: int, *, first: int | None = None) -> None:
        """Put the cursor on a row by its place.

        Args:
            index: Counted from 0; the nearest row there is.
            first: The row to show at the top, as far as the cursor stays in sight.
        """
        if not self._ids:
            return
        before, first_before = self._cursor_index, self._first
        self._set_cursor(max(0, min(index, len(self._ids) - 1)))
        top = first_before if first is None else first
        top = min(max(top, self._cursor_index - self._lines + 1), self._cursor_index)
        self.scroll_to(y=top, animate=False, force=True)
        if self._first == first_before and before != self._cursor_index:
            self._repaint_lines((before, self._cursor_index))

    def clear_marks(self) -> None:
        """Unmark all rows."""
        self._set_marks(set())

    def render_line(self, y: int) -> Strip:
        """Paint a line of the table.

        Args:
            y: Lines below its top.

        Returns:
            The line.
        """
        painter = self._painter or self._prepare()
        if y < _HEADER_LINES:
            if self._header is None:
                self._header = painter.header(self._sort_key, descending=self._is_descending)
            return self._header
        line = y - _HEADER_LINES
        if not self._ids:
            return painter.note(self._empty[line] if line < len(self._empty) else Cell(""))
        index = self._first + line
        if index >= len(self._ids):
            return painter.note(Cell(""))
        return self._row_strip(painter, index)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Take note of the rows that came into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._note_window()

    def notify_style_update(self) -> None:
        """Forget what was painted in another style."""
        super().notify_style_update()
        self._forget()
        self.refresh()

    def on_resize(self) -> None:
        """Place the columns anew and keep the cursor in sight."""
        self._forget()
        self._prepare()
        self._note_window()
        if self._ids:
            self.move_to_index(self._cursor_index)
        self.refresh()

    def on_focus(self) -> None:
        """Show that keys act on this table's cursor."""
        self._repaint_lines((self._cursor_index,))

    def on_blur(self) -> None:
        """Show that keys act elsewhere."""
        self._repaint_lines((self._cursor_index,))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is, open a row by a double click, tell which title was clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        if offset.y < _HEADER_LINES:
            for placed in self._placed:
                if placed.x <= offset.x < placed.end:
                    self.post_message(self.HeaderSelected(self, placed.column.key))
            return
        index = self._first + offset.y - _HEADER_LINES
        if index < len(self._ids):
            self.move_to_index(index)
            if event.chain == 2:
                self.action_select()

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.move_to_index(self._cursor_index + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor and the rows by pages; the cursor stays on its line of the screen."""
        rows = pages * max(1, self._lines)
        self.move_to_index(self._cursor_index + rows, first=self._first + rows)

    def action_top(self) -> None:
        """Move the cursor to the first row."""
        self.move_to_index(0)

    def action_bottom(self) -> None:
        """Move the cursor to the last row."""
        self.move_to_index(len(self._ids) - 1)

    def action_select(self) -> None:
        """Open the row under the cursor."""
        if self.cursor_id is not None:
            self.post_message(self.Selected(self, self.cursor_id))

    def action_mark(self) -> None:
        """Mark the row under the cursor, or unmark it, and go on to the next."""
        if self.cursor_id is not None:
            self._set_marks(self._marks ^ {self.cursor_id})
            self.action_move(1)

    @property
    def _first(self) -> int:
        return self.scroll_offset.y

    def _prepare(self) -> Painter:
        size = self.scrollable_content_region.size
        self._lines = max(1, size.height - _HEADER_LINES)
        self._placed = place_columns(self._columns, size.width)
        styles = {
            name: terminal_style(self.get_component_rich_style(f"live-table--{name}"))
            for name in (*CELL_STYLES, *_ROW_STYLES)
        }
        painter = Painter(self._placed, size.width, styles, self._glyphs)
        if size.width:
            self._painter = painter
        return painter

    def _forget(self) -> None:
        self._painter = None
        self._header = None
        self._painted.clear()

    def _row_strip(self, painter: Painter, index: int) -> Strip:
        row_id = self._ids[index]
        look = RowLook.PLAIN
        if index == self._cursor_index:
            look = RowLook.CURSOR if self.has_focus else RowLook.CURSOR_BLURRED
        if row_id is None:
            return painter.row(self._loading_cells(index), look, is_marked=False).strip
        is_marked = row_id in self._marks
        painted = self._painted.get(row_id)
        if painted is None or painted.look is not look or painted.is_marked != is_marked:
            cells = self._cells(row_id) if painted is None else painted.cells
            painted = self._painted[row_id] = painter.row(cells, look, is_marked=is_marked)
        return painted.strip

    def _cells(self, row_id: str) -> tuple[Cell, ...]:
        return tuple(self._cell(row_id, placed.column.key, placed.width) for placed in self._placed)

    def _loading_cells(self, index: int) -> tuple[Cell, ...]:
        widest = max(self._placed, key=lambda placed: placed.width)
        text = f"loading row {index + 1:,} {self._glyphs.ellipsis}"
        return tuple(Cell(text, "muted") if placed is widest else Cell("") for placed in self._placed)

    def _repaint_changed(self, window_before: RowIds, wanted: set[str] | None = None) -> None:
        """Paint lines again that show another row, or whose row shows something else, and no others."""
        changed: list[int] = []
        for line, row_id in enumerate(self._window):
            painted = self._painted.get(row_id) if row_id is not None else None
            is_other = line >= len(window_before) or window_before[line] != row_id
            is_asked = painted is not None and (wanted is None or row_id in wanted)
            if row_id is not None and is_asked and painted is not None and self._cells(row_id) != painted.cells:
                del self._painted[row_id]
                is_other = True
            if is_other:
                changed.append(self._window_first + line)
        self._repaint_lines(changed)

    def _repaint_lines(self, indexes: Iterable[int]) -> None:
        first, width = self._first, self.size.width
        lines = [index - first for index in indexes]
        regions = [Region(0, line + _HEADER_LINES, width, 1) for line in lines if 0 <= line < self._lines]
        if regions:
            self.refresh(*regions)

    def _follow(self, window_before: RowIds, first_before: int) -> int:
        """Put the cursor where its row went; return the row to show at the top, so that it keeps its line."""
        position = self._cursor_index - first_before
        was_in_sight = 0 <= position < len(window_before)
        index = find_row(self._ids, self._cursor_id, self._cursor_index)
        if index is None and self._cursor_id is not None and was_in_sight:
            index = nearest_survivor(self._ids, window_before, position)
        if self._ids:
            self._set_cursor(min(self._cursor_index if index is None else index, len(self._ids) - 1))
        else:
            self._tell_cursor(self._cursor_id, None)
        if was_in_sight:
            return max(0, self._cursor_index - position)
        top = find_row(self._ids, window_before[0], first_before) if window_before else None
        return first_before if top is None else top

    def _set_cursor(self, index: int) -> None:
        before = self._cursor_id
        self._cursor_index = index
        self._cursor_id = self._ids[index]
        self._tell_cursor(before, self._cursor_id)

    def _tell_cursor(self, before: str | None, now: str | None) -> None:
        if before != now:
            self.post_message(self.Highlighted(self, now))

    def _note_window(self) -> None:
        """Remember which rows are in sight, forget what was painted of others, and tell what is missing."""
        first = self._window_first = self._first
        before = self.visible_ids
        self._window = tuple(self._ids[first : first + self._lines])
        painted = self._painted
        self._painted = {row_id: painted[row_id] for row_id in self.visible_ids if row_id in painted}
        if self.visible_ids != before:
            self.post_message(self.VisibleChanged(self, self.visible_ids))
        missing = [index for index, row_id in enumerate(self._window, first) if row_id is None]
        if missing:
            self.post_message(self.RangeNeeded(self, missing[0], missing[-1]))

    def _prune_marks(self) -> None:
        if self._marks and None not in self._ids:
            self._set_marks(self._marks.intersection(self._ids))

    def _set_marks(self, marks: set[str]) -> None:
        changed = self._marks ^ marks
        if not changed:
            return
        self._marks = marks
        self._repaint_lines(
            [index for index, row_id in enumerate(self._window, self._window_first) if row_id in changed]
        )
        self.post_message(self.MarksChanged(self, self.marks))
