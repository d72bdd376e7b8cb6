"""A table of any number of rows, that costs what is seen of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.color import Color
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from sectigo_tui.presentation.glyphs import UNICODE, Glyphs
from sectigo_tui.presentation.table_columns import Cell, Column, PlacedColumn
from sectigo_tui.presentation.themes import CELL_STYLES
from sectigo_tui.ui.theme import variable_of
from sectigo_tui.ui.widgets.table.paint import (
    HEADER_LINES,
    CellProvider,
    FlagProvider,
    RowStrips,
    no_flag,
    terminal_style,
)
from sectigo_tui.ui.widgets.table.rows import RowIds, TableRows, find_row

_PARTS = (*CELL_STYLES, "header", "row", "cursor", "cursor-blurred", "marked")

CSS = """
LiveTable {
    height: 1fr;
    background: $background;
    color: $foreground;
    overflow-x: hidden;
    overflow-y: auto;
    scrollbar-gutter: stable;
    scrollbar-size-vertical: 1;
}
"""


def styles_of(table: Widget) -> dict[str, Style | None]:
    """Return the styles of a table's cells and rows by name, as its painter wants them.

    They are put together from the theme's variables: with a component class for each, Textual applies the style sheet
    a dozen times more whenever it does for the table, a twelfth of the time until the first paint.

    Args:
        table: A mounted widget.
    """
    variables, own = table.app.theme_variables, table.rich_style
    return {part: terminal_style(own + _style_of(variable_of(part), variables)) for part in _PARTS}


def _style_of(variable: str, variables: Mapping[str, str]) -> Style:
    colors = [variables.get(name, "") for name in (variable, f"{variable}-background")]
    text, background = (Color.parse(name).rich_color if name not in _AS_AROUND else None for name in colors)
    return Style(color=text, bgcolor=background) + Style.parse(variables.get(f"{variable}-text-style", "none"))


_AS_AROUND = ("", "auto", "transparent")
"""Colours that are those of the table itself."""


class TableMessage(Message):
    """A message of a table.

    Args:
        table: The table.
    """

    newest_only: ClassVar[bool] = False
    """Whether a newer one of the same kind makes it pointless, as while a key repeats."""

    def __init__(self, table: Widget) -> None:
        super().__init__()
        self.table = table

    @property
    def control(self) -> Widget:
        """The table."""
        return self.table

    def can_replace(self, message: Message) -> bool:
        """Tell whether an older message need not be handled any more."""
        return self.newest_only and isinstance(message, type(self)) and message.table is self.table


class Highlighted(TableMessage, namespace="live_table"):
    """The cursor stands on another row.

    Args:
        table: The table.
        row_id: The row's id; None when there is no row, or it is not loaded yet.
    """

    newest_only: ClassVar[bool] = True

    def __init__(self, table: Widget, row_id: str | None) -> None:
        super().__init__(table)
        self.row_id = row_id


class Selected(TableMessage, namespace="live_table"):
    """A row was opened, by Enter or a double click.

    Args:
        table: The table.
        row_id: The row's id.
    """

    def __init__(self, table: Widget, row_id: str) -> None:
        super().__init__(table)
        self.row_id = row_id


class MarksChanged(TableMessage, namespace="live_table"):
    """Rows were marked or unmarked, or marked rows are gone.

    Args:
        table: The table.
        marks: The ids of all marked rows.
    """

    newest_only: ClassVar[bool] = True

    def __init__(self, table: Widget, marks: frozenset[str]) -> None:
        super().__init__(table)
        self.marks = marks


class RangeNeeded(TableMessage, namespace="live_table"):
    """Rows are on the screen which are not loaded yet.

    Args:
        table: The table.
        first: The index of the first of them.
        last: The index of the last of them.
    """

    newest_only: ClassVar[bool] = True

    def __init__(self, table: Widget, first: int, last: int) -> None:
        super().__init__(table)
        self.first = first
        self.last = last


class VisibleChanged(TableMessage, namespace="live_table"):
    """Other rows are on the screen.

    Args:
        table: The table.
        ids: The ids of those that are loaded, from top to bottom.
    """

    newest_only: ClassVar[bool] = True

    def __init__(self, table: Widget, ids: tuple[str, ...]) -> None:
        super().__init__(table)
        self.ids = ids


class HeaderSelected(TableMessage, namespace="live_table"):
    """A column's title was clicked.

    Args:
        table: The table.
        column_key: The column's key.
    """

    def __init__(self, table: Widget, column_key: str) -> None:
        super().__init__(table)
        self.column_key = column_key


class LiveTable(ScrollView, can_focus=True):
    """Rows that come, go, change and count down under a cursor that stays where it is.

    Cursor and marks hold a row's id, never its index. Only visible rows are asked for, painted and kept, and
    only lines, or ticking cells, whose text changed are painted again.

    Args:
        columns: From left to right; ticking ones first.
        cell: Says what each cell shows.
        glyphs: Shapes of cursor, marks and sort direction.
        flag: Says what stands in front of each row.
        name: The name of the widget.
        id: The id of the widget.
        classes: The CSS classes of the widget.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = CSS

    Highlighted = Highlighted
    Selected = Selected
    MarksChanged = MarksChanged
    RangeNeeded = RangeNeeded
    VisibleChanged = VisibleChanged
    HeaderSelected = HeaderSelected

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

    def __init__(
        self,
        columns: Sequence[Column],
        cell: CellProvider,
        *,
        glyphs: Glyphs = UNICODE,
        flag: FlagProvider = no_flag,
        name: str | None = None,
        id: str | None = None,  # noqa: A002 - Textual's own name for it
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._rows = TableRows()
        self._strips = RowStrips(self._rows, columns, cell, glyphs, flag)
        self._published: tuple[str | None, frozenset[str], tuple[str, ...]] = (None, frozenset(), ())
        self._prepared_for: tuple[Size, Region] | None = None
        self.hovered: tuple[str, str | None] = ("", None)
        """The key of the column under the mouse, empty for none, and the row there; None over the titles."""

    @property
    def row_count(self) -> int:
        """How many rows there are, loaded or not."""
        return len(self._rows.ids)

    @property
    def cursor_id(self) -> str | None:
        """The id of the row under the cursor; None when there is none, or it is not loaded yet."""
        return self._rows.cursor_id if self._rows.ids else None

    @property
    def cursor_index(self) -> int:
        """Where the cursor is, counted from 0."""
        return self._rows.cursor_index

    @property
    def marks(self) -> frozenset[str]:
        """The ids of the marked rows."""
        return self._rows.marks

    @property
    def visible_ids(self) -> tuple[str, ...]:
        """The ids of the rows on the screen that are loaded, from top to bottom."""
        return self._rows.visible_ids

    @property
    def ids_above(self) -> Sequence[str | None]:
        """The ids of the rows above those on the screen, from top to bottom."""
        return self._rows.ids[: self._rows.first]

    @property
    def loaded_ids(self) -> tuple[str, ...]:
        """The ids of all rows that are loaded, from top to bottom."""
        return tuple(row_id for row_id in self._rows.ids if row_id is not None)

    @property
    def columns(self) -> tuple[Column, ...]:
        """All columns, from left to right, whether they fit or not."""
        return self._strips.columns

    @property
    def placed_columns(self) -> tuple[PlacedColumn, ...]:
        """The columns that fit, and where they are."""
        return self._strips.placed

    def show_columns(self, columns: Sequence[Column]) -> None:
        """Show other columns.

        Args:
            columns: From left to right.
        """
        self._strips.columns = tuple(columns)
        self._strips.forget()
        self.refresh()

    def fold(self, keys: Iterable[str]) -> None:
        """Leave out columns in which nothing stands, and show those again that were left out before.

        Args:
            keys: The columns' keys.
        """
        folded = frozenset(keys)
        if folded != self._strips.folded:
            self._strips.folded = folded
            self._strips.forget()
            self.refresh()

    @property
    def folded(self) -> frozenset[str]:
        """The keys of the columns that are left out, since nothing stands in them."""
        return self._strips.folded

    def update_rows(self, ids: RowIds) -> None:
        """Replace the rows.

        The cursor stays on its row and on its line of the screen. When its row is gone it goes to the row that
        was nearest. Marks of rows that are gone are dropped, unless some rows are not loaded. A line is painted
        again only if it changed.

        Args:
            ids: All rows from top to bottom; None for one that is not loaded yet. It may be the sequence given
                before, changed in place.
        """
        rows = self._rows
        seen, first, cursor, marks = rows.window, rows.first, rows.cursor_index, rows.marks
        size_before = self.virtual_size
        top = rows.replace(ids)
        self.virtual_size = Size(0, len(ids) + HEADER_LINES)
        self.scroll_to(y=top, animate=False, force=True)
        self._visible_changed()
        if self.virtual_size != size_before or rows.first != first:
            self._strips.forget_rows()
            self.refresh()
        else:
            if rows.cursor_index != cursor:
                self._repaint_lines((cursor, rows.cursor_index))
            self._repaint_marks(marks)
            self._repaint_lines(self._strips.changed(seen))
        self._publish()

    def refresh_rows(self, row_ids: Iterable[str]) -> None:
        """Paint rows again whose cells may have changed; those not on the screen cost nothing.

        Args:
            row_ids: Their ids.
        """
        self._repaint_lines(self._strips.changed(self._rows.window, row_ids))

    def tick(self) -> None:
        """Paint the ticking cells whose text changed; the owner calls it as often as they may."""
        regions = self._strips.tick()
        if regions:
            self.refresh(*regions)

    def show_empty(self, text: str, style: str = "muted") -> None:
        """Say what is shown when there are no rows; "none" must never look like "could not load".

        Args:
            text: Untrusted text, a line of the table for each of its lines.
            style: A name of `CELL_STYLES`.
        """
        self._strips.empty = tuple(Cell(line, style) for line in text.split("\n"))
        if not self.row_count:
            self.refresh()

    def show_sort(self, column_key: str, *, descending: bool = False) -> None:
        """Say in the header what the rows are sorted by; the owner sorts them.

        Args:
            column_key: The column; "" for none.
            descending: Whether they are sorted downwards.
        """
        self._strips.sort = (column_key, descending)
        self.refresh(Region(0, 0, self.size.width, HEADER_LINES))

    def move_to_index(self, index: int, *, first: int | None = None) -> None:
        """Put the cursor on a row by its place.

        Args:
            index: Counted from 0; the nearest row there is.
            first: The row to show at the top, as far as the cursor stays in sight.
        """
        rows = self._rows
        before, first_before = rows.cursor_index, rows.first
        top = rows.place_cursor(index, first_before if first is None else first)
        self.scroll_to(y=top, animate=False, force=True)
        if rows.first == first_before and rows.cursor_index != before:
            self._repaint_lines((before, rows.cursor_index))
        self._publish()

    def move_to_id(self, row_id: str) -> bool:
        """Put the cursor on a row.

        Args:
            row_id: The row.

        Returns:
            Whether it is there.
        """
        index = find_row(self._rows.ids, row_id, self.cursor_index)
        if index is not None:
            self.move_to_index(index)
        return index is not None

    def unmark(self, row_ids: Iterable[str]) -> None:
        """Take the marks of some rows away."""
        self._set_marks(self.marks.difference(row_ids))

    def clear_marks(self) -> None:
        """Unmark all rows."""
        self._set_marks(frozenset())

    def render_line(self, y: int) -> Strip:
        """Paint a line of the table.

        Args:
            y: Lines below its top.

        Returns:
            The line.
        """
        if not self._strips.is_ready:
            self._prepare()
        return self._strips.line(y, has_focus=self.has_focus)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Paint lines of the table.

        The strips kept for the rows go to the screen as they are, with what they have cached of themselves, so
        a scroll costs the row that came in. The table has no border, padding or opacity in return.

        Args:
            crop: The part to paint.

        Returns:
            A strip for each of its lines.
        """
        filters = self.get_line_filters()
        strips = [self.render_line(y) for y in crop.line_range]
        if filters:
            _, background = self.background_colors
            for each in filters:
                strips = [strip.apply_filter(each, background) for strip in strips]
        if crop.column_span == (0, self.size.width):
            return strips
        return [strip.crop(*crop.column_span) for strip in strips]

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Leave out Textual's filter that spells each colour out: the painter's are exact, and shorter."""
        return [each for each in super().get_line_filters() if not isinstance(each, ANSIToTruecolor)]

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Take note of the rows that came into sight."""
        super().watch_scroll_y(old_value, new_value)
        self._visible_changed()
        self._publish()

    def notify_style_update(self) -> None:
        """Forget what was painted in another style."""
        super().notify_style_update()
        self._strips.forget()
        self.refresh()

    def on_resize(self) -> None:
        """Place the columns anew and keep the cursor in sight."""
        # Textual paints before it tells the first size: what is painted for that size already stays.
        if not self._strips.is_ready or self._prepared_for != (self.size, self.scrollable_content_region):
            self._strips.forget()
            self._prepare()
        self._visible_changed()
        self.move_to_index(self.cursor_index)
        self.refresh()

    def on_focus(self) -> None:
        """Show that keys act on this table's cursor."""
        self._repaint_lines((self.cursor_index,))

    def on_blur(self) -> None:
        """Show that keys act elsewhere."""
        self._repaint_lines((self.cursor_index,))

    def on_click(self, event: events.Click) -> None:
        """Put the cursor where the mouse is, open a row by a double click, tell which title was clicked."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        event.stop()
        if offset.y < HEADER_LINES:
            for placed in self._strips.placed:
                if placed.x <= offset.x < placed.end:
                    self.post_message(self.HeaderSelected(self, placed.column.key))
            return
        index = self._rows.first + offset.y - HEADER_LINES
        if index < self.row_count:
            self.move_to_index(index)
            if event.chain == 2:
                self.action_select()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Take note of what the mouse is over: help tells about that."""
        offset = event.get_content_offset(self)
        line = offset.y - HEADER_LINES if offset is not None else -1
        window = self._rows.window
        row_id = window[line] if 0 <= line < len(window) else None
        x = offset.x if offset is not None and (row_id is not None or line < 0) else -1
        key = next((placed.column.key for placed in self._strips.placed if placed.x <= x < placed.end), "")
        self.hovered = (key, row_id)

    def on_leave(self) -> None:
        """Take note that the mouse is elsewhere."""
        self.hovered = ("", None)

    def action_move(self, rows: int) -> None:
        """Move the cursor by rows."""
        self.move_to_index(self.cursor_index + rows)

    def action_page(self, pages: int) -> None:
        """Move the cursor and the rows by pages; the cursor stays on its line of the screen."""
        rows = pages * max(1, self._rows.lines)
        self.move_to_index(self.cursor_index + rows, first=self._rows.first + rows)

    def action_top(self) -> None:
        """Move the cursor to the first row."""
        self.move_to_index(0)

    def action_bottom(self) -> None:
        """Move the cursor to the last row."""
        self.move_to_index(self.row_count - 1)

    def action_select(self) -> None:
        """Open the row under the cursor."""
        if self.cursor_id is not None:
            self.post_message(self.Selected(self, self.cursor_id))

    def action_mark(self) -> None:
        """Mark the row under the cursor, or unmark it, and go on to the next."""
        if self.cursor_id is not None:
            self._set_marks(self.marks ^ {self.cursor_id})
            self.action_move(1)

    def _prepare(self) -> None:
        self._prepared_for = (self.size, self.scrollable_content_region)
        self._strips.prepare(self.size.width, self.scrollable_content_region.width, styles_of(self))

    def _visible_changed(self) -> None:
        """See which rows are in sight now."""
        lines = max(1, self.scrollable_content_region.height - HEADER_LINES)
        self._rows.scroll_to(self.scroll_offset.y, lines)
        self._strips.keep_visible()

    def _publish(self) -> None:
        """Tell the owner what is different from what it was told."""
        cursor, marks, visible = self._published
        self._published = (self.cursor_id, self.marks, self.visible_ids)
        if self.cursor_id != cursor:
            self.post_message(self.Highlighted(self, self.cursor_id))
        if self.marks != marks:
            self.post_message(self.MarksChanged(self, self.marks))
        if self.visible_ids != visible:
            self.post_message(self.VisibleChanged(self, self.visible_ids))
        if (missing := self._rows.missing) is not None:
            self.post_message(self.RangeNeeded(self, *missing))

    def _repaint_lines(self, indexes: Iterable[int]) -> None:
        width = self.size.width
        lines = {index - self._rows.first for index in indexes}
        regions = [Region(0, line + HEADER_LINES, width, 1) for line in lines if 0 <= line < self._rows.lines]
        if regions:
            self.refresh(*regions)

    def _set_marks(self, marks: frozenset[str]) -> None:
        before = self.marks
        self._rows.marks = marks
        self._repaint_marks(before)
        self._publish()

    def _repaint_marks(self, before: frozenset[str]) -> None:
        changed = before ^ self.marks
        window = enumerate(self._rows.window, self._rows.first)
        self._repaint_lines([index for index, row_id in window if row_id in changed])
