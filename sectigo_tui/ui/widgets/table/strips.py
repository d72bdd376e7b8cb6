"""The lines of a live table that are kept: one strip for each row in sight, and which of them have changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from sectigo_tui.presentation.glyphs import Glyphs
from sectigo_tui.presentation.table_columns import Column, PlacedColumn, place_columns
from sectigo_tui.ui.widgets.table.paint import Cell, PaintedRow, Painter, RowState, changed_span
from sectigo_tui.ui.widgets.table.rows import RowIds, TableRows

CellProvider = Callable[[str, str, int], Cell]
"""Says what a cell shows, from a row's id, a column's key and the cells there are; called for visible rows."""

FlagProvider = Callable[[str], str]
"""Returns the shape in front of a row that has neither cursor nor mark, one cell; called for visible rows."""

HEADER_LINES = 1


def no_flag(_row_id: str) -> str:
    """Let nothing stand in front of a row."""
    return " "


class RowStrips:
    """Strips of the rows in sight, painted when they are first asked for.

    Args:
        rows: The rows, their cursor and marks.
        columns: All columns, from left to right.
        cell: Says what each cell shows.
        glyphs: Shapes of cursor, marks and sort direction.
        flag: Says what stands in front of each row.
    """

    def __init__(
        self,
        rows: TableRows,
        columns: Sequence[Column],
        cell: CellProvider,
        glyphs: Glyphs,
        flag: FlagProvider = no_flag,
    ) -> None:
        self.sort: tuple[str, bool] = ("", False)
        """The key of the column the rows are sorted by, and whether downwards."""
        self.empty: tuple[Cell, ...] = ()
        """What stands where rows would, a line each, when there are none."""
        self.placed: tuple[PlacedColumn, ...] = ()
        self.columns: tuple[Column, ...] = tuple(columns)
        """All columns, from left to right; `forget` after giving others."""
        self._rows = rows
        self._cell = cell
        self._flag = flag
        self._glyphs = glyphs
        self._painter: Painter | None = None
        self._painted: dict[str, PaintedRow] = {}

    @property
    def is_ready(self) -> bool:
        """Whether lines can be painted: width and styles are known."""
        return self._painter is not None

    def prepare(self, width: int, room: int, styles: Mapping[str, Style | None]) -> None:
        """Place the columns and begin to paint in given styles.

        Args:
            width: Cells of a line.
            room: Cells of it that columns may take.
            styles: Styles by name, as `Painter` wants them.
        """
        self.placed = place_columns(self.columns, room)
        self._painter = Painter(self.placed, width, styles, self._glyphs)

    def forget(self) -> None:
        """Forget every line, width and style."""
        self._painter = None
        self._painted.clear()

    def forget_rows(self) -> None:
        """Forget what the rows show."""
        self._painted.clear()

    def keep_visible(self) -> None:
        """Forget the rows that are out of sight: time goes by for them unseen."""
        painted = self._painted
        self._painted = {row_id: painted[row_id] for row_id in self._rows.visible_ids if row_id in painted}

    def line(self, y: int, *, has_focus: bool) -> Strip:
        """Return a line of the table.

        Args:
            y: Lines below its top.
            has_focus: Whether keys act on the cursor.

        Returns:
            The line; empty while nothing is prepared.
        """
        painter, rows = self._painter, self._rows
        if painter is None:
            return Strip([])
        if y < HEADER_LINES:
            key, descending = self.sort
            return painter.header(key, descending=descending)
        line = y - HEADER_LINES
        index = rows.first + line
        if index >= len(rows.ids):
            is_said = not rows.ids and line < len(self.empty)
            return painter.note(self.empty[line] if is_said else Cell(""))
        poll = RowState.PLAIN
        if index == rows.cursor_index:
            poll = RowState.CURSOR if has_focus else RowState.CURSOR_BLURRED
        row_id = rows.ids[index]
        if row_id is None:
            return painter.row(self._loading_cells(index), poll, is_marked=False).strip
        return self._row(painter, row_id, poll).strip

    def tick(self) -> list[Region]:
        """Ask the ticking cells anew.

        Returns:
            What to paint again, one region for a row: each costs the row's line anew, from its left edge on.
        """
        ticking = [(slot, placed) for slot, placed in enumerate(self.placed) if placed.column.ticking]
        regions = []
        for y, row_id in enumerate(self._rows.window, HEADER_LINES):
            painted = self._painted.get(row_id) if row_id is not None else None
            if row_id is None or painted is None or self._painter is None:
                continue
            cells = list(painted.cells)
            spans = []
            for slot, placed in ticking:
                cell = self._cell(row_id, placed.column.key, placed.width)
                if (span := changed_span(placed, cells[slot], cell)) is not None:
                    cells[slot] = cell
                    spans.append(span)
            if spans:
                self._painted[row_id] = self._painter.row(
                    tuple(cells), painted.poll, is_marked=painted.is_marked, flag=painted.flag
                )
                x, end = spans[0][0], spans[-1][1]
                regions.append(Region(x, y, end - x, 1))
        return regions

    def changed(self, seen: RowIds, wanted: Iterable[str] | None = None) -> list[int]:
        """Ask rows in sight anew.

        Args:
            seen: The rows that stood on the lines before.
            wanted: The ids to ask for; None for all.

        Returns:
            The indexes of the rows that stand where another did, or show something else.
        """
        asked = None if wanted is None else set(wanted)
        changed = []
        for line, row_id in enumerate(self._rows.window):
            is_changed = line >= len(seen) or seen[line] != row_id
            is_asked = row_id is not None and (asked is None or row_id in asked)
            if row_id is not None and is_asked and self._is_other(row_id):
                del self._painted[row_id]
                is_changed = True
            if is_changed:
                changed.append(self._rows.first + line)
        return changed

    def _is_other(self, row_id: str) -> bool:
        """Return whether a painted row shows something else now."""
        painted = self._painted.get(row_id)
        if painted is None:
            return False
        return self._flag(row_id) != painted.flag or self._cells(row_id) != painted.cells

    def _row(self, painter: Painter, row_id: str, poll: RowState) -> PaintedRow:
        is_marked, flag = row_id in self._rows.marks, self._flag(row_id)
        painted = self._painted.get(row_id)
        if painted is None or (painted.poll, painted.is_marked, painted.flag) != (poll, is_marked, flag):
            cells = self._cells(row_id) if painted is None else painted.cells
            painted = self._painted[row_id] = painter.row(cells, poll, is_marked=is_marked, flag=flag)
        return painted

    def _cells(self, row_id: str) -> tuple[Cell, ...]:
        return tuple(self._cell(row_id, placed.column.key, placed.width) for placed in self.placed)

    def _loading_cells(self, index: int) -> tuple[Cell, ...]:
        widest = max(self.placed, key=lambda placed: placed.width, default=None)
        text = f"loading row {index + 1:,} {self._glyphs.ellipsis}"
        return tuple(Cell(text, "muted") if placed is widest else Cell("") for placed in self.placed)
