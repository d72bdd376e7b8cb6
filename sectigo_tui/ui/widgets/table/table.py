"""A table of any number of rows, that costs what is seen of it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType

from sectigo_tui.ui.widgets.table.rows import find_row
from sectigo_tui.ui.widgets.table.strips import HEADER_LINES
from sectigo_tui.ui.widgets.table.view import TableView


class LiveTable(TableView, can_focus=True):
    """A table as `TableView` shows it, under keys and mouse."""

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
