"""The rows of a live table: which there are, which are in sight, where the cursor is, which are marked."""

from __future__ import annotations

from collections.abc import Sequence

RowIds = Sequence[str | None]
"""Rows from top to bottom, each as its id; None for a row that is not loaded yet."""


class TableRows:
    """Rows under a cursor and marks that hold ids, seen through a window.

    The window remembers the ids it showed: the sequence itself may have been changed in place by its owner.
    """

    def __init__(self) -> None:
        self.ids: RowIds = ()
        self.cursor_index = 0
        self.cursor_id: str | None = None
        self.marks: frozenset[str] = frozenset()
        self.first = 0
        self.lines = 0
        self.window: tuple[str | None, ...] = ()

    @property
    def visible_ids(self) -> tuple[str, ...]:
        """The ids of the rows in sight that are loaded."""
        return tuple(row_id for row_id in self.window if row_id is not None)

    @property
    def missing(self) -> tuple[int, int] | None:
        """The indexes of the first and the last row in sight that is not loaded."""
        indexes = [index for index, row_id in enumerate(self.window, self.first) if row_id is None]
        return (indexes[0], indexes[-1]) if indexes else None

    def scroll_to(self, first: int, lines: int) -> None:
        """Move the window.

        Args:
            first: The index of the row at its top.
            lines: How many rows it shows.
        """
        self.first, self.lines = first, lines
        self.window = tuple(self.ids[first : first + lines])

    def place_cursor(self, index: int, first: int) -> int:
        """Put the cursor on a row.

        Args:
            index: The row; the nearest there is.
            first: The row wanted at the top of the window.

        Returns:
            The row to show at the top, so that the cursor is in sight.
        """
        if not self.ids:
            return 0
        self.cursor_index = max(0, min(index, len(self.ids) - 1))
        self.cursor_id = self.ids[self.cursor_index]
        return min(max(first, self.cursor_index - self.lines + 1), self.cursor_index)

    def replace(self, ids: RowIds) -> int:
        """Replace the rows; cursor and marks follow theirs.

        Without any row the cursor remembers its own, finds it when it comes back, and stands at the top otherwise.

        Args:
            ids: The new rows.

        Returns:
            The row to show at the top: the first one while that is in sight with the cursor, for what comes above it
            must be seen; else such that the cursor, or else the topmost row, keeps its line.
        """
        self.ids = ids
        if self.marks and None not in ids:
            self.marks = self.marks.intersection(ids)
        line = self.cursor_index - self.first
        was_in_sight = 0 <= line < len(self.window)
        if ids:
            self.cursor_index = self._cursor_after(line if was_in_sight else None)
            self.cursor_id = ids[self.cursor_index]
        else:
            self.cursor_index = 0
        if was_in_sight and not self.first and self.cursor_index < self.lines:
            return 0
        if was_in_sight or not self.window:
            return max(0, self.cursor_index - line)
        top = find_row(ids, self.window[0], self.first)
        return self.first if top is None else top

    def _cursor_after(self, line: int | None) -> int:
        here = min(self.cursor_index, len(self.ids) - 1)
        index = find_row(self.ids, self.cursor_id, here)
        if index is None and line is not None and self.cursor_id is not None and self.ids[here] is not None:
            index = nearest_survivor(self.ids, self.window, line)
        return here if index is None else index


def find_row(ids: RowIds, row_id: str | None, hint: int) -> int | None:
    """Return where a row is.

    Args:
        ids: The rows.
        row_id: The row looked for.
        hint: Where it was; tried first.

    Returns:
        Its index, or None when it is not there.
    """
    if row_id is None:
        return None
    if 0 <= hint < len(ids) and ids[hint] == row_id:
        return hint
    try:
        return ids.index(row_id)
    except ValueError:
        return None


def nearest_survivor(ids: RowIds, seen: RowIds, position: int) -> int | None:
    """Return the row that stood nearest to one that is gone, the one below before the one above.

    Args:
        ids: The rows as they are now.
        seen: The rows that were in sight before.
        position: Where among `seen` the lost row stood.

    Returns:
        The index of the nearest row that is still there, or None.
    """
    present = {row_id for row_id in ids if row_id is not None}
    for distance in range(1, len(seen)):
        for neighbour in (position + distance, position - distance):
            if 0 <= neighbour < len(seen) and seen[neighbour] in present:
                return ids.index(seen[neighbour])
    return None
