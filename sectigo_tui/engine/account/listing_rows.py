"""The rows of a listing in little memory: a hundred thousand of them cost less than the program itself."""

from __future__ import annotations

import json
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from sectigo_tui.domain.certificates import ListingRow

PAGE_SIZE = 200
"""Rows a page: as many as SCM gives. Source: SCM manual 25.5."""

PAGES_UNPACKED = 48
"""How many pages are held as rows: a screen of rows from as many pages, since a sorted list mixes them."""

_BETWEEN_NAMES = "\0"
_NO_ID = -1


class ListingRows:
    """Rows by position, page by page; those not fetched are missing.

    Ids and common names, by which rows are found, sorted and filtered, are at hand; the rest is compressed.

    Attributes:
        loaded: How many rows have been fetched.
    """

    def __init__(self) -> None:
        self._ids = array("q")
        self._names: dict[int, str] = {}
        self._rest: dict[int, bytes] = {}
        self._sizes: dict[int, int] = {}
        self._unpacked: OrderedDict[int, tuple[ListingRow, ...]] = OrderedDict()
        self.loaded = 0

    def __len__(self) -> int:
        """How many positions there are, fetched or not."""
        return len(self._ids)

    def has_page(self, number: int) -> bool:
        """Return whether a page has been fetched."""
        return number in self._sizes

    def size_of(self, number: int) -> int:
        """Return how many rows a page has; 0 for one that was not fetched."""
        return self._sizes.get(number, 0)

    def resize(self, total: int) -> None:
        """Take note of how many rows there are; rows beyond are dropped."""
        if total < len(self._ids):
            for number in [number for number, size in self._sizes.items() if number * PAGE_SIZE + size > total]:
                self._drop(number)
            del self._ids[total:]
        else:
            self._ids.extend([_NO_ID] * (total - len(self._ids)))

    def put(self, number: int, rows: Sequence[ListingRow]) -> None:
        """Take a page, in place of one that may have been there."""
        self._drop(number)
        first = number * PAGE_SIZE
        self.resize(max(len(self._ids), first + len(rows)))
        self._ids[first : first + len(rows)] = array("q", [row.ssl_id for row in rows])
        names = [row.common_name.replace(_BETWEEN_NAMES, "\N{REPLACEMENT CHARACTER}") for row in rows]
        self._names[number] = _BETWEEN_NAMES.join(names)
        rest = [(row.subject_alternative_names, row.serial_number) for row in rows]
        self._rest[number] = zlib.compress(json.dumps(rest).encode(), 1)
        self._sizes[number] = len(rows)
        self.loaded += len(rows)

    def forget(self) -> None:
        """Drop all rows; how many there are stays known."""
        self._ids = array("q", [_NO_ID]) * len(self._ids)
        self._names.clear()
        self._rest.clear()
        self._sizes.clear()
        self._unpacked.clear()
        self.loaded = 0

    def id_at(self, position: int) -> int | None:
        """Return the sslId at a position; None where none was fetched."""
        if not 0 <= position < len(self._ids):
            return None
        ssl_id = self._ids[position]
        return ssl_id if ssl_id != _NO_ID else None

    def at(self, position: int) -> ListingRow | None:
        """Return the row at a position; None where none was fetched."""
        if self.id_at(position) is None:
            return None
        return self._page(position // PAGE_SIZE)[position % PAGE_SIZE]

    def position_of(self, ssl_id: int) -> int | None:
        """Return where an order stands; None when it was not fetched."""
        try:
            return self._ids.index(ssl_id) if ssl_id != _NO_ID else None
        except (ValueError, OverflowError):
            return None

    def pages(self) -> Iterator[tuple[int, Sequence[int], Sequence[str]]]:
        """Yield each page that was fetched: its first position, its sslIds, and its common names, casefolded."""
        for number in sorted(self._sizes):
            # Folded as one text and then split: a call for each name would take as long as sorting them.
            folded = self._names[number].casefold().split(_BETWEEN_NAMES) if self._sizes[number] else ()
            yield number * PAGE_SIZE, self._ids_of(number), folded

    def __iter__(self) -> Iterator[ListingRow]:
        """Yield the rows that were fetched, in their order."""
        for number in sorted(self._sizes):
            yield from self._unpack(number)

    def _page(self, number: int) -> tuple[ListingRow, ...]:
        rows = self._unpacked.get(number)
        if rows is None:
            rows = self._unpacked[number] = self._unpack(number)
            while len(self._unpacked) > PAGES_UNPACKED:
                self._unpacked.popitem(last=False)
        else:
            self._unpacked.move_to_end(number)
        return rows

    def _unpack(self, number: int) -> tuple[ListingRow, ...]:
        rest: list[tuple[list[str], str]] = json.loads(zlib.decompress(self._rest[number]))
        rows = zip(self._ids_of(number), self._names_of(number), rest, strict=True)
        return tuple(ListingRow(ssl_id, name, tuple(names), serial) for ssl_id, name, (names, serial) in rows)

    def _names_of(self, number: int) -> Sequence[str]:
        return self._names[number].split(_BETWEEN_NAMES) if self._sizes[number] else ()

    def _ids_of(self, number: int) -> Sequence[int]:
        first = number * PAGE_SIZE
        return self._ids[first : first + self._sizes[number]]

    def _drop(self, number: int) -> None:
        size = self._sizes.pop(number, 0)
        self._names.pop(number, None)
        self._rest.pop(number, None)
        self._unpacked.pop(number, None)
        first = number * PAGE_SIZE
        self._ids[first : first + size] = array("q", [_NO_ID]) * size
        self.loaded -= size
