"""The rows of a listing as a table sees them: by position, as far as they are fetched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, overload

from sectigo_tui.domain.certificates import ListingRow
from sectigo_tui.engine.listing import Listing
from sectigo_tui.ui.board import remote_id

ROWS_KEPT = 2_000


class ListedIds(Sequence[str | None]):
    """The row ids of a listing; None where a row has not been fetched.

    It holds no row of its own but those it was asked for lately: a page that comes in costs nothing here.

    Args:
        listing: The listing.
        sort: One of `SORTS`; sorting needs all of its rows.
        descending: Whether the greatest comes first.
    """

    SORTS: ClassVar[tuple[str, ...]] = ("", "ssl_id", "common_name")
    """As SCM lists, or by what a row tells."""

    def __init__(self, listing: Listing, sort: str = "", *, descending: bool = False) -> None:
        self._listing = listing
        self._asked_for: dict[str, ListingRow] = {}
        self._positions: Sequence[int] = range(listing.total or 0)
        if sort:
            self._positions = sorted(self._positions, key=lambda at: self._key(at, sort), reverse=descending)

    def row(self, row_id: str) -> ListingRow | None:
        """Return the row of an id; None when it is not among those fetched."""
        known = self._asked_for.get(row_id)
        if known is None and (position := self._listing.position_of(int(row_id[1:]))) is not None:
            return self._listing.row_at(position)
        return known

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, index: int) -> str | None: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str | None]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str | None] | None:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        row = self._listing.row_at(self._positions[index])
        if row is None:
            return None
        row_id = remote_id(row.ssl_id)
        if len(self._asked_for) >= ROWS_KEPT:
            self._asked_for.clear()
        self._asked_for[row_id] = row
        return row_id

    def __contains__(self, row_id: object) -> bool:
        """Tell whether a row is there; None is, while rows have not been fetched."""
        return not self._listing.is_complete if row_id is None else self._place(row_id) is not None

    def index(self, row_id: object, start: int = 0, stop: int | None = None) -> int:
        """Return where a fetched row is; raise ValueError when it is not there."""
        place = self._place(row_id)
        if place is None or place < start or (stop is not None and place >= stop):
            raise ValueError(row_id)
        return place

    def _place(self, row_id: object) -> int | None:
        if not (isinstance(row_id, str) and row_id.startswith("#")):
            return None
        position = self._listing.position_of(int(row_id[1:]))
        return None if position is None or position >= len(self) else self._positions.index(position)

    def _key(self, position: int, sort: str) -> tuple[object, ...]:
        row = self._listing.row_at(position)
        ssl_id = row.ssl_id if row is not None else 0
        return (row.common_name.casefold() if row is not None and sort == "common_name" else "", ssl_id)
