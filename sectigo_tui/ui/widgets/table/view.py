"""What of a table is on the screen: its rows, its cursor and its marks, painted again where they change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from sectigo_tui.presentation.glyphs import UNICODE, Glyphs
from sectigo_tui.presentation.table_columns import Column, PlacedColumn
from sectigo_tui.ui.widgets.table import messages, style
from sectigo_tui.ui.widgets.table.paint import Cell
from sectigo_tui.ui.widgets.table.rows import RowIds, TableRows
from sectigo_tui.ui.widgets.table.strips import HEADER_LINES, CellProvider, FlagProvider, RowStrips, no_flag


class TableView(ScrollView):
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
    COMPONENT_CLASSES: ClassVar[set[str]] = set(style.COMPONENT_CLASSES)
    DEFAULT_CSS = style.CSS

    Highlighted = messages.Highlighted
    Selected = messages.Selected
    MarksChanged = messages.MarksChanged
    RangeNeeded = messages.RangeNeeded
    VisibleChanged = messages.VisibleChanged
    HeaderSelected = messages.HeaderSelected

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
        self._poll()
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
        self._poll()
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
        self._poll()
        self.move_to_index(self.cursor_index)
        self.refresh()

    def on_focus(self) -> None:
        """Show that keys act on this table's cursor."""
        self._repaint_lines((self.cursor_index,))

    def on_blur(self) -> None:
        """Show that keys act elsewhere."""
        self._repaint_lines((self.cursor_index,))

    def _prepare(self) -> None:
        self._prepared_for = (self.size, self.scrollable_content_region)
        self._strips.prepare(self.size.width, self.scrollable_content_region.width, style.styles_of(self))

    def _poll(self) -> None:
        """See which rows are in sight now."""
        lines = max(1, self.scrollable_content_region.height - HEADER_LINES)
        self._rows.poll(self.scroll_offset.y, lines)
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
