"""Columns of a live table, and which of them fit at what width."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from sectigo_tui.presentation.text import Align

GUTTER_CELLS = 1
"""In front of the first column: the cursor's and the marks' shape."""
_GAP_CELLS = 1
_BEFORE_ALL = 1 << 30


class Cell(NamedTuple):
    """What one cell shows.

    Args:
        text: Untrusted text; it is made printable, cut and padded when it is painted.
        style: A name of `sectigo_tui.presentation.themes.CELL_STYLES`, or "" for the row's own.
    """

    text: str
    style: str = ""


class Column(Struct, frozen=True):
    """A column of a table.

    Args:
        key: What the owner calls it.
        title: What its header says; the owner's text.
        width: Cells, or the least of them for a flexible column.
        narrow_width: Cells it takes where there is no room; 0 when it has one width.
        narrow_priority: When it becomes narrow: before the columns of this priority, and the lower ones, are
            dropped; 0 for before any.
        share: Its part of what the other columns leave; 0 for a column of fixed width.
        max_width: The most a flexible column grows to; 0 for no bound.
        priority: Who goes first when the table is too narrow: the highest number. 0 stays always.
        align: Where a text stands that is shorter than its column.
        folds: Whether it is left out while it is empty for every row.
        meaning: What it shows, in a sentence.
        ticking: Whether its text changes by time alone. Columns that tick belong to the left: painting a cell
            costs all that stands left of it in its row.
    """

    key: str
    title: str
    width: int
    narrow_width: int = 0
    narrow_priority: int = 0
    share: int = 0
    max_width: int = 0
    priority: int = 0
    align: Align = "left"
    folds: bool = False
    meaning: str = ""
    ticking: bool = False


def letters_of(columns: Sequence[Column]) -> dict[str, str]:
    """Return a letter for each column, by its key: the first of its title that no column before it has.

    Args:
        columns: All columns of a table, so that a letter stays what it is when some are not shown.
    """
    letters: dict[str, str] = {}
    for column in columns:
        free = (letter for letter in column.title.casefold() if letter.isalpha() and letter not in letters.values())
        letters[column.key] = next(free, "")
    return letters


class PlacedColumn(Struct, frozen=True):
    """A column where it is shown.

    Args:
        column: The column.
        x: Its first cell in the table's line.
        width: Its cells.
    """

    column: Column
    x: int
    width: int

    @property
    def end(self) -> int:
        """The first cell after it."""
        return self.x + self.width


def place_columns(columns: Sequence[Column], width: int) -> tuple[PlacedColumn, ...]:
    """Choose the columns that fit, and place them.

    Columns become narrow, and the least important ones go, in the order of their priorities, until the rest fits;
    what is left over is shared between the flexible ones. Columns that must stay are cut at the right edge.

    Args:
        columns: All columns, from left to right.
        width: Cells of a line.

    Returns:
        What is shown, from left to right.
    """
    room = width - GUTTER_CELLS
    kept = list(columns)
    widths = {column.key: column.width for column in columns}
    for _, is_drop, column in sorted(_measures(columns), key=lambda measure: (-measure[0], measure[1])):
        if _needed(kept, widths) <= room:
            break
        if is_drop:
            kept.remove(column)
        else:
            widths[column.key] = column.narrow_width
    _share_out(kept, widths, room - _needed(kept, widths))
    return tuple(_placed(kept, widths, width))


def _measures(columns: Sequence[Column]) -> Iterator[tuple[int, bool, Column]]:
    """Return what can be done for room: the priority, whether the column goes (or becomes narrow), and the column."""
    for column in columns:
        if column.narrow_width:
            yield column.narrow_priority or _BEFORE_ALL, False, column
        if column.priority:
            yield column.priority, True, column


def _needed(columns: Sequence[Column], widths: dict[str, int]) -> int:
    return sum(widths[column.key] for column in columns) + _GAP_CELLS * (len(columns) - 1)


def _share_out(columns: Sequence[Column], widths: dict[str, int], spare: int) -> None:
    # The greatest share first: what cannot be divided is its own.
    growing = sorted((column for column in columns if column.share), key=lambda column: -column.share)
    while spare > 0 and growing:
        shares = sum(column.share for column in growing)
        for column in growing:
            wanted = -(-spare * column.share // shares)
            bound = column.max_width or wanted + widths[column.key]
            grown = min(wanted, bound - widths[column.key], spare)
            widths[column.key] += grown
            spare -= grown
            shares -= column.share
        growing = [column for column in growing if column.max_width and widths[column.key] < column.max_width]


def _placed(columns: Sequence[Column], widths: dict[str, int], width: int) -> list[PlacedColumn]:
    placed: list[PlacedColumn] = []
    x = GUTTER_CELLS
    for column in columns:
        shown = min(widths[column.key], width - x)
        if shown <= 0:
            break
        placed.append(PlacedColumn(column, x, shown))
        x += shown + _GAP_CELLS
    return placed
