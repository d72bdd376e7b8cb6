"""The rows of a listing as a table sees them: by position, as far as they are fetched."""

from __future__ import annotations

import asyncio
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import ClassVar, overload

from sectigo_tui.domain.certificates import ListingRow
from sectigo_tui.engine.account.listing import Listing
from sectigo_tui.presentation.rows import remote_id

ROWS_KEPT = 2_000
SLICE_SECONDS = 0.01
"""How long arranging may hold up the screen at a time."""

_ROWS_A_RUN = 10_000


class ListedIds(Sequence[str | None]):
    """The row ids of a listing; None where a row has not been fetched.

    It holds no row: a page that comes in costs nothing here.

    Args:
        listing: The listing.
        positions: Which of its positions, in which order; all as SCM lists them when not given.
    """

    SORTS: ClassVar[tuple[str, ...]] = ("", "ssl_id", "common_name")
    """As SCM lists, or by what a row tells."""

    def __init__(self, listing: Listing, positions: Sequence[int] | None = None) -> None:
        self._listing = listing
        self._asked_for: dict[str, int] = {}
        self._positions: Sequence[int] = listing.positions() if positions is None else positions

    def row(self, row_id: str) -> ListingRow | None:
        """Return the row of an id; None when it is not among those fetched."""
        ssl_id = int(row_id[1:])
        position = self._asked_for.get(row_id)
        if position is None or self._listing.fetched.id_at(position) != ssl_id:
            position = self._listing.position_of(ssl_id)
        return self._listing.row_at(position) if position is not None else None

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, index: int) -> str | None: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[str | None]: ...

    def __getitem__(self, index: int | slice) -> str | Sequence[str | None] | None:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        position = self._positions[index]
        ssl_id = self._listing.fetched.id_at(position)
        if ssl_id is None:
            return None
        row_id = remote_id(ssl_id)
        if len(self._asked_for) >= ROWS_KEPT:
            self._asked_for.clear()
        self._asked_for[row_id] = position
        return row_id

    def __iter__(self) -> Iterator[str | None]:
        id_at = self._listing.fetched.id_at
        return (None if (ssl_id := id_at(position)) is None else remote_id(ssl_id) for position in self._positions)

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
        if position is None:
            return None
        try:
            return self._positions.index(position)
        except ValueError:
            return None


async def arranged(listing: Listing, sort: str = "", *, descending: bool = False, query: str = "") -> ListedIds:
    """Return the fetched rows of a listing, chosen and in order; the screen goes on meanwhile.

    Args:
        listing: The listing.
        sort: One of `ListedIds.SORTS`; equal rows stay as SCM lists them.
        descending: Whether the greatest comes first.
        query: Words that must all be in the common name or the sslId, ignoring case.
    """
    words = query.casefold().split()
    pause = _Pause()
    places: list[int] = []
    keys: list[str | int] = []
    for first, ids, names in listing.fetched.pages():
        of_page: Sequence[str | int] = names if sort == "common_name" else ids
        if words:
            found = _found(words, ids, names)
            places += [first + at for at in found]
            keys += [of_page[at] for at in found]
        else:
            places += range(first, first + len(ids))
            keys += of_page
        await pause()
    if sort:
        order = await _sorted(range(len(keys)), keys, pause)
        places = [places[at] for at in order]
    if descending:
        places.reverse()
    return ListedIds(listing, array("l", places))


def _found(words: Sequence[str], ids: Sequence[int], names: Sequence[str]) -> list[int]:
    """Return which rows of a page have all words."""
    found = list(range(len(ids)))
    for word in words:
        if word.isdecimal():
            found = [at for at in found if word in names[at] or word in str(ids[at])]
        else:
            found = [at for at in found if word in names[at]]
    return found


async def _sorted(places: Sequence[int], keys: Sequence[str | int], pause: _Pause) -> list[int]:
    """Return places by their keys: in runs, which are then merged range by range, with pauses between."""
    key = keys.__getitem__
    runs: list[list[int]] = []
    for start in range(0, len(places), _ROWS_A_RUN):
        runs.append(sorted(places[start : start + _ROWS_A_RUN], key=key))
        await pause()
    merged: list[int] = []
    begins = [0] * len(runs)
    bounds = [keys[runs[0][at * len(runs[0]) // len(runs)]] for at in range(1, len(runs))]
    for bound in [*bounds, None]:
        ends = [len(run) if bound is None else bisect_left(run, bound, key=key) for run in runs]
        piece = [place for run, begin, end in zip(runs, begins, ends, strict=True) for place in run[begin:end]]
        piece.sort(key=key)
        merged += piece
        begins = ends
        await pause()
    return merged


class _Pause:
    """Lets everything else have its turn once a slice of time is used up."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._since = self._loop.time()

    async def __call__(self) -> None:
        if self._loop.time() - self._since >= SLICE_SECONDS:
            await asyncio.sleep(0)
            self._since = self._loop.time()
