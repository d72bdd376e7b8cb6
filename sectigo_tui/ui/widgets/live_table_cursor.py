"""Where a row went when the rows of a table were replaced."""

from __future__ import annotations

from collections.abc import Sequence

RowIds = Sequence[str | None]
"""The rows of a table from top to bottom, each as its id; None for a row that is not loaded yet."""


def find_row(ids: RowIds, row_id: str | None, hint: int) -> int | None:
    """Return where a row is.

    Args:
        ids: The rows.
        row_id: The row looked for.
        hint: Where it was; looked at first.

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
        seen: The rows that were on the screen before.
        position: Where among `seen` the lost row stood.

    Returns:
        The index of the nearest row that is still there, or None.
    """
    present = {row_id for row_id in ids if row_id is not None}
    for distance in range(1, len(seen)):
        for neighbour in (position + distance, position - distance):
            if 0 <= neighbour < len(seen) and seen[neighbour] in present:
                return find_row(ids, seen[neighbour], neighbour)
    return None
