"""Lines of a table as strips, kept and painted with as few changes of style as can be: each one costs bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from functools import lru_cache

from msgspec import Struct
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip

from sectigo_tui.presentation.glyphs import Glyphs
from sectigo_tui.presentation.table_columns import GUTTER_CELLS, Cell, Column, PlacedColumn, place_columns
from sectigo_tui.presentation.text import fit, printable
from sectigo_tui.ui.widgets.table.rows import RowIds, TableRows

_CUBE_LEVELS = tuple(enumerate((0, 95, 135, 175, 215, 255)))
_PALETTE = {
    ColorTriplet(red, green, blue): 16 + 36 * r + 6 * g + b
    for r, red in _CUBE_LEVELS
    for g, green in _CUBE_LEVELS
    for b, blue in _CUBE_LEVELS
} | {ColorTriplet(*(8 + 10 * step,) * 3): 232 + step for step in range(24)}
"""Colours that have the same number in every terminal of 256 colours."""


class RowState(Enum):
    """How a whole row is shown; the value is its component style."""

    PLAIN = "row"
    CURSOR = "cursor"
    CURSOR_BLURRED = "cursor-blurred"


class PaintedRow(Struct, frozen=True):
    """A row as it is on the screen.

    Args:
        cells: What each placed column shows.
        state: How the row is shown.
        is_marked: Whether the row is marked.
        flag: The shape in front of it otherwise.
        strip: The line.
    """

    cells: tuple[Cell, ...]
    state: RowState
    is_marked: bool
    flag: str
    strip: Strip


class Painter:
    """Paints lines for one width, one set of columns and one theme.

    Args:
        columns: The columns shown.
        width: Cells of a line.
        styles: Rich styles by name: those of the cells, and `row`, `cursor`, `cursor-blurred`, `header`,
            `marked`. None is the terminal's own.
        glyphs: Shapes of cursor, marks and sort direction.
    """

    def __init__(
        self,
        columns: Sequence[PlacedColumn],
        width: int,
        styles: Mapping[str, Style | None],
        glyphs: Glyphs,
    ) -> None:
        self._columns = columns
        self._width = width
        self._styles = styles
        self._glyphs = glyphs

    def row(self, cells: tuple[Cell, ...], state: RowState, *, is_marked: bool, flag: str = " ") -> PaintedRow:
        """Paint a row.

        Args:
            cells: One for each placed column.
            state: How the row is shown. Under the cursor cells keep their colours, before its background.
            is_marked: Whether it is marked.
            flag: The shape in front of it when it has neither cursor nor mark; one cell.

        Returns:
            The painted row.
        """
        is_plain = state is RowState.PLAIN
        base = self._styles["marked" if is_plain and is_marked else state.value]
        glyphs = self._glyphs
        gutter = glyphs.mark if is_marked else flag if is_plain else glyphs.cursor
        line = _Line(base, gutter)
        for placed, cell in zip(self._columns, cells, strict=True):
            text = fit(printable(cell.text), placed.width, align=placed.column.align, ellipsis=glyphs.ellipsis)
            line.add(placed.x, text, placed.width, self._style_of(cell, state, base))
        return PaintedRow(cells, state, is_marked, flag, line.strip(self._width))

    def _style_of(self, cell: Cell, state: RowState, base: Style | None) -> Style | None:
        """Return a cell's style; under the cursor it has its colour, and all else that the cursor has."""
        if not cell.style:
            return base
        style = self._styles[cell.style]
        if state is RowState.PLAIN:
            return style
        return base if style is None or base is None else _over(base, style)

    def header(self, sort_key: str = "", *, descending: bool = False) -> Strip:
        """Paint the titles.

        Args:
            sort_key: The column the rows are sorted by.
            descending: Whether they are sorted downwards.

        Returns:
            The line.
        """
        style = self._styles["header"]
        direction = self._glyphs.descending if descending else self._glyphs.ascending
        line = _Line(style, " ")
        for placed in self._columns:
            column = placed.column
            is_sorted = column.key == sort_key
            title = fit(column.title, min(len(column.title), placed.width - is_sorted), ellipsis="")
            text = fit(title + direction * is_sorted, placed.width, align=column.align)
            line.add(placed.x, text, placed.width, style)
        return line.strip(self._width)

    def note(self, note: Cell) -> Strip:
        """Paint a line that is no row.

        Args:
            note: What it says; untrusted text.

        Returns:
            The line.
        """
        base = self._styles[RowState.PLAIN.value]
        line = _Line(base, " ")
        width = max(0, self._width - GUTTER_CELLS)
        text = fit(printable(note.text), width, ellipsis=self._glyphs.ellipsis)
        line.add(GUTTER_CELLS, text, width, self._styles[note.style] if note.style else base)
        return line.strip(self._width)


class _Line:
    """Segments of a line in the making; neighbours of one style are one segment."""

    def __init__(self, base: Style | None, gutter: str) -> None:
        self._base = base
        self._segments: list[Segment] = []
        self._pending = gutter
        self._pending_style = base
        self._end = len(gutter)

    def add(self, x: int, text: str, width: int, style: Style | None) -> None:
        self._append(" " * (x - self._end), self._base)
        self._append(text, style)
        self._end = x + width

    def strip(self, width: int) -> Strip:
        self._append(" " * (width - self._end), self._base)
        if self._pending:
            self._segments.append(Segment(self._pending, self._pending_style))
        return Strip(self._segments, width)

    def _append(self, text: str, style: Style | None) -> None:
        if style == self._pending_style:
            self._pending += text
        elif text:
            self._segments.append(Segment(self._pending, self._pending_style))
            self._pending, self._pending_style = text, style


@lru_cache(maxsize=256)
def _over(base: Style, style: Style) -> Style:
    """Return a style before the background of another: what the two say together."""
    return Style(
        color=style.color or base.color,
        bgcolor=base.bgcolor,
        bold=base.bold or style.bold,
        dim=style.dim,
        italic=style.italic,
        underline=base.underline or style.underline,
        reverse=base.reverse,
    )


def changed_span(placed: PlacedColumn, before: Cell, after: Cell) -> tuple[int, int] | None:
    """Tell which part of a line a cell's change touches.

    Args:
        placed: Where the cell is.
        before: What it shows.
        after: What it will show.

    Returns:
        The first cell of the line to paint and the one after the last, or None when nothing changed.
    """
    if before == after:
        return None
    old, new = before.text, after.text
    if before.style != after.style or len(old) != len(new) or not (old + new).isascii():
        return placed.x, placed.end
    same_at_the_end = next((count for count in range(len(new)) if old[-1 - count] != new[-1 - count]), 0)
    padding = max(0, placed.width - len(new)) if placed.column.align == "left" else 0
    return placed.x, max(placed.x + 1, placed.end - padding - same_at_the_end)


def terminal_style(style: Style) -> Style | None:
    """Return a style in the fewest bytes that say the same.

    Colours the terminal has by itself are not named, and those of the palette of 256 that have a number there
    are named by it, which halves an escape sequence.

    Args:
        style: A resolved style.

    Returns:
        The same state, or None when nothing is left to say.
    """
    said = Style(
        color=_short(style.color),
        bgcolor=_short(style.bgcolor),
        bold=style.bold or None,
        dim=style.dim or None,
        italic=style.italic or None,
        underline=style.underline or None,
        reverse=style.reverse or None,
    )
    return said or None


def _short(color: Color | None) -> Color | None:
    if color is None or color.is_default:
        return None
    number = _PALETTE.get(color.triplet) if color.triplet is not None else None
    return color if number is None else Color.from_ansi(number)


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
        self.folded: frozenset[str] = frozenset()
        """The keys of those that are left out while nothing stands in them; `forget` after giving others."""
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
        self.placed = place_columns([column for column in self.columns if column.key not in self.folded], room)
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
        state = RowState.PLAIN
        if index == rows.cursor_index:
            state = RowState.CURSOR if has_focus else RowState.CURSOR_BLURRED
        row_id = rows.ids[index]
        if row_id is None:
            return painter.row(self._loading_cells(index), state, is_marked=False).strip
        return self._row(painter, row_id, state).strip

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
                    tuple(cells), painted.state, is_marked=painted.is_marked, flag=painted.flag
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

    def _row(self, painter: Painter, row_id: str, state: RowState) -> PaintedRow:
        is_marked, flag = row_id in self._rows.marks, self._flag(row_id)
        painted = self._painted.get(row_id)
        if painted is None or (painted.state, painted.is_marked, painted.flag) != (state, is_marked, flag):
            cells = self._cells(row_id) if painted is None else painted.cells
            painted = self._painted[row_id] = painter.row(cells, state, is_marked=is_marked, flag=flag)
        return painted

    def _cells(self, row_id: str) -> tuple[Cell, ...]:
        return tuple(self._cell(row_id, placed.column.key, placed.width) for placed in self.placed)

    def _loading_cells(self, index: int) -> tuple[Cell, ...]:
        widest = max(self.placed, key=lambda placed: placed.width, default=None)
        text = f"loading row {index + 1:,} {self._glyphs.ellipsis}"
        return tuple(Cell(text, "muted") if placed is widest else Cell("") for placed in self.placed)
