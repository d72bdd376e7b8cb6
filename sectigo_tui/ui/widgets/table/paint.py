"""Lines of a live table as strips, with as few changes of style as can be: each one costs bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import NamedTuple

from msgspec import Struct
from rich.color import Color
from rich.color_triplet import ColorTriplet
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from sectigo_tui.presentation.glyphs import Glyphs
from sectigo_tui.presentation.table_columns import GUTTER_CELLS, PlacedColumn
from sectigo_tui.presentation.text import fit, printable

_CUBE_LEVELS = tuple(enumerate((0, 95, 135, 175, 215, 255)))
_PALETTE = {
    ColorTriplet(red, green, blue): 16 + 36 * r + 6 * g + b
    for r, red in _CUBE_LEVELS
    for g, green in _CUBE_LEVELS
    for b, blue in _CUBE_LEVELS
} | {ColorTriplet(*(8 + 10 * step,) * 3): 232 + step for step in range(24)}
"""Colours that have the same number in every terminal of 256 colours."""


class Cell(NamedTuple):
    """What one cell shows.

    Args:
        text: Untrusted text; it is made printable, cut and padded when it is painted.
        style: A name of `sectigo_tui.ui.theme.choice.CELL_STYLES`, or "" for the row's own.
    """

    text: str
    style: str = ""


class RowState(Enum):
    """How a whole row is shown; the value is its component style."""

    PLAIN = "row"
    CURSOR = "cursor"
    CURSOR_BLURRED = "cursor-blurred"


class PaintedRow(Struct, frozen=True):
    """A row as it is on the screen.

    Args:
        cells: What each placed column shows.
        look: How the row is shown.
        is_marked: Whether the row is marked.
        flag: The shape in front of it otherwise.
        strip: The line.
    """

    cells: tuple[Cell, ...]
    poll: RowState
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

    def row(self, cells: tuple[Cell, ...], poll: RowState, *, is_marked: bool, flag: str = " ") -> PaintedRow:
        """Paint a row.

        Args:
            cells: One for each placed column.
            look: How the row is shown. The cursor has one style for all its cells: contrast before colour.
            is_marked: Whether it is marked.
            flag: The shape in front of it when it has neither cursor nor mark; one cell.

        Returns:
            The painted row.
        """
        is_plain = poll is RowState.PLAIN
        base = self._styles["marked" if is_plain and is_marked else poll.value]
        glyphs = self._glyphs
        gutter = glyphs.mark if is_marked else flag if is_plain else glyphs.cursor
        line = _Line(base, gutter)
        for placed, cell in zip(self._columns, cells, strict=True):
            text = fit(printable(cell.text), placed.width, align=placed.column.align, ellipsis=glyphs.ellipsis)
            line.add(placed.x, text, placed.width, self._styles[cell.style] if is_plain and cell.style else base)
        return PaintedRow(cells, poll, is_marked, flag, line.strip(self._width))

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
        The same poll, or None when nothing is left to say.
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
