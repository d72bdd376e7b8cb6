"""A listing of the account, of any length, of which only the pages that are read are fetched."""

from __future__ import annotations

import asyncio
import json
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from sectigo_tui.domain.certificates import ListingFilter, ListingPage, ListingRow
from sectigo_tui.domain.errors import Refused, ScmFailure, Unreadable
from sectigo_tui.domain.events import AccountChanged
from sectigo_tui.domain.limits import PAGE_SIZE
from sectigo_tui.engine.account.spellings import StatusSpellings
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.requests.limiter import Priority

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
        rest = [
            (["" if name == common else name for name in row.subject_alternative_names], row.serial_number)
            for row, common in zip(rows, names, strict=True)
        ]
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
        return tuple(
            ListingRow(ssl_id, common, tuple(name or common for name in names), serial)
            for ssl_id, common, (names, serial) in rows
        )

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


ALTERNATIVES_AT_ONCE = 1_000
"""So many rows are read by alternative name, before all pages are asked for."""


class Listing:
    """The rows of one filter, by their position.

    Rows can shift between pages while orders come and go: a row's identity is its sslId.

    SCM filters by common name or by alternative name, not by both. A listing by name is what it finds by common name,
    with the rows after it that only an alternative name finds.

    Args:
        context: What every service works with.
        where: Which orders.
        spellings: How this installation spells statuses; shared by all listings of the account.

    Attributes:
        where: Which orders.
        total: How many rows there are, as far as it is known; None before the first page.
        fetched: The rows fetched so far.
        fetched_at: When the newest page came; None before the first.
        failure: Why the newest request failed; None when it did not.
        unread: How many rows by alternative name have not been read, and may hold more.
    """

    def __init__(self, context: Context, where: ListingFilter, spellings: StatusSpellings | None = None) -> None:
        self.where = where
        self.total: int | None = None
        self.fetched = ListingRows()
        self.fetched_at: datetime | None = None
        self.failure: ScmFailure | None = None
        self.unread = 0
        self._also = replace(where, common_name="", alternative_name=where.common_name) if where.common_name else None
        self._alternatives: list[ListingRow] | None = None
        self._base_total: int | None = None
        self._context = context
        self._spellings = spellings or StatusSpellings()
        self._unusable: dict[int, tuple[str, ...]] = {}
        self._is_end_known = False
        self._filled_page: int | None = None  # where rows by alternative name follow without a hole
        self._wanted: tuple[int, int] | None = None
        self._turn = asyncio.Lock()

    @property
    def loaded(self) -> int:
        """How many rows have been fetched."""
        return self.fetched.loaded

    @property
    def is_complete(self) -> bool:
        """Whether every row has been fetched."""
        return self._is_end_known and self.total is not None and self.loaded + len(self.unusable) >= self.total

    @property
    def unusable(self) -> tuple[str, ...]:
        """What is wrong with each fetched row that cannot be used; such a row is counted, and not shown."""
        return tuple(odd for number in sorted(self._unusable) for odd in self._unusable[number])

    def positions(self) -> Sequence[int]:
        """Return the positions at which a row is, or may be once it is fetched."""
        total = self.total or 0
        if not self._unusable:
            return range(total)
        odd: set[int] = set()
        for number, unusable in self._unusable.items():
            if number == self._filled_page:
                continue
            end = number * PAGE_SIZE + self.fetched.size_of(number) + len(unusable)
            odd.update(range(end - len(unusable), end))
        return array("l", (position for position in range(total) if position not in odd))

    def row_at(self, position: int) -> ListingRow | None:
        """Return the row at a zero-based position; None while it has not been fetched."""
        return self.fetched.at(position)

    def position_of(self, ssl_id: int) -> int | None:
        """Return where an order stands among the rows fetched so far; None when it is not among them."""
        return self.fetched.position_of(ssl_id)

    def rows(self) -> list[ListingRow]:
        """Return the rows fetched so far, in order, each sslId once."""
        seen: dict[int, ListingRow] = {}
        for row in self.fetched:
            seen.setdefault(row.ssl_id, row)
        return list(seen.values())

    async def need(self, first: int, last: int) -> None:
        """Fetch what is missing of some positions, one page at a time, nearest to their middle first.

        A newer call takes over from one under way: what was scrolled past is not fetched.

        Args:
            first: The first position.
            last: The last position, inclusive.

        A failure is stored in `failure` and published; the next call repeats the request.
        """
        self._wanted = wanted = (first, last)
        async with self._turn:
            while self._wanted == wanted and (number := self._nearest_missing()) is not None:
                if not await self._fetch(number):
                    return

    async def load_all(self, progress: Callable[[int, int], None]) -> None:
        """Fetch every page, one at a time; cancel the task to stop, what was fetched stays.

        Args:
            progress: Told the rows fetched and the total, after each page.

        Raises:
            ScmFailure: A page could not be fetched.
        """
        if self.unread:
            async with self._turn:
                if not await self._read_alternatives(at_most=None):
                    self._raise()
        number = 0
        while not self._is_end_known or number * PAGE_SIZE < (self.total or 0):
            async with self._turn:
                if not self.fetched.has_page(number) and not await self._fetch(number):
                    self._raise()
            number += 1
            progress(min(number * PAGE_SIZE, self.total or 0), self.total or 0)

    def forget(self) -> None:
        """Forget the pages: they are fetched anew when they are read."""
        self.fetched.forget()
        self._unusable.clear()
        self._alternatives = self._filled_page = None
        if self._base_total is not None and self._also is not None:
            # Of none there is no page to be fetched anew: how many there are is asked again.
            self.total = self._base_total or None
            self.fetched.resize(self._base_total)

    def _raise(self) -> None:
        assert self.failure is not None  # noqa: S101 - a fetch without success leaves its failure
        raise self.failure

    def _nearest_missing(self) -> int | None:
        if self._wanted is None:
            return None
        first, last = self._wanted
        if self.total is not None:
            # Where the end is not known, the page behind the last row is asked for with it.
            is_at_end = last >= self.total - 1 and not self._is_end_known
            last = self.total if is_at_end else min(last, self.total - 1)
        middle = (first + last) / 2 / PAGE_SIZE
        numbers = range(max(0, first) // PAGE_SIZE, max(0, last) // PAGE_SIZE + 1) if last >= first else range(0)
        missing = [number for number in numbers if not self.fetched.has_page(number)]
        return min(missing, key=lambda number: abs(number + 0.5 - middle), default=None)

    async def _fetch(self, number: int) -> bool:
        page = await self._ask(self.where, number)
        if page is None:
            return False
        self._take(number, page)
        return await self._complete()

    async def _complete(self) -> bool:
        """Take note of how many rows there are, with those by alternative name at the end; return whether all went."""
        context = self._context
        if self._base_total is not None:
            if self._also is not None and self._is_end_known and self._alternatives is None:
                return await self._read_alternatives(at_most=ALTERNATIVES_AT_ONCE)
            if self._alternatives and self._is_end_known:
                if not await self._append(self._base_total, self._alternatives):
                    return False
            else:
                self.total = self._base_total
                self.fetched.resize(self._base_total)
        self.failure = None
        self.fetched_at = context.clock.now()
        context.repository.publish(AccountChanged())
        return True

    async def _read_alternatives(self, *, at_most: int | None) -> bool:
        """Read the rows that only an alternative name finds; return whether that went."""
        assert self._also is not None  # noqa: S101 - only a listing by name has them
        rows: dict[int, ListingRow] = {}
        number, total = 0, None
        while at_most is None or number * PAGE_SIZE < at_most:
            page = await self._ask(self._also, number, may_be_refused=True)
            if page is None:
                return False
            rows |= {row.ssl_id: row for row in page.rows}
            number, total = number + 1, page.total
            if page.received < PAGE_SIZE:
                break
        self.unread = max(0, (total or 0) - number * PAGE_SIZE)
        self._alternatives = [row for row in rows.values() if not self._is_found_by_name(row)]
        return await self._complete()

    def _is_found_by_name(self, row: ListingRow) -> bool:
        """Return whether a row is among those found by common name, fetched or not."""
        position = self.fetched.position_of(row.ssl_id)
        if position is not None and position < (self._base_total or 0):
            return True
        is_all_here = self._base_total is not None and self.fetched.loaded >= self._base_total
        has_it = not row.is_nameless and self.where.common_name.casefold() in row.common_name.casefold()
        return has_it and not is_all_here

    async def _append(self, base_total: int, alternatives: list[ListingRow]) -> bool:
        """Put rows after those found by common name; return whether the page that both share could be had."""
        last, shared = divmod(base_total, PAGE_SIZE)
        rows: list[ListingRow] = []
        if shared:
            of_page = [self.fetched.at(last * PAGE_SIZE + at) for at in range(shared)]
            if not self.fetched.has_page(last) or of_page.count(None) > len(self._unusable.get(last, ())):
                page = await self._ask(self.where, last)
                if page is None:
                    return False
                of_page = list(page.rows[:shared])
            rows = [row for row in of_page if row is not None]
        rows += alternatives
        self._filled_page = last
        self.total = last * PAGE_SIZE + len(rows)
        self.fetched.resize(self.total)
        for at in range(0, len(rows), PAGE_SIZE):
            self.fetched.put(last + at // PAGE_SIZE, rows[at : at + PAGE_SIZE])
        return True

    async def _ask(self, where: ListingFilter, number: int, *, may_be_refused: bool = False) -> ListingPage | None:
        """Return a page; None, with the failure kept and published, where it could not be had."""
        context = self._context

        def ask(wanted: ListingFilter) -> Awaitable[ListingPage]:
            return context.limiter.run(
                Priority.LISTING, lambda: context.scm.listing(wanted, position=number * PAGE_SIZE, size=PAGE_SIZE)
            )

        try:
            page = await self._spellings.ask(where, ask)
            if page.total and not page.received and number == 0:
                raise Unreadable(
                    "listing", f"HTTP 200: X-Total-Count says {page.total}, and no row came", http_status=200
                )
        except ScmFailure as failure:
            if may_be_refused and isinstance(failure, Refused):
                # An installation that does not filter by alternative names lists by common names alone.
                return ListingPage((), 0)
            self.failure = failure
            context.repository.publish(AccountChanged())
            return None
        return page

    def _take(self, number: int, page: ListingPage) -> None:
        """Take a page; where its rows and its header disagree on how many there are, the rows count."""
        self.fetched.put(number, page.rows)
        self._unusable.pop(number, None)
        if page.unusable:
            self._unusable[number] = page.unusable
        end = number * PAGE_SIZE + page.received
        if not page.received and number:
            self._end_at(self._end_before(number, page.total))
        elif page.total is not None and page.total >= end:
            self._end_at(page.total)
        elif page.received < PAGE_SIZE:
            self._end_at(end)
        else:
            # A full page, and no header that fits it: only the next page tells whether there is more.
            self._is_end_known = False
            self._base_total = max(self._base_total or 0, end)

    def _end_before(self, number: int, told: int | None) -> int:
        """Return where the rows end, when a page has none."""
        before = number - 1
        if self.fetched.has_page(before):
            return before * PAGE_SIZE + self.fetched.size_of(before) + len(self._unusable.get(before, ()))
        first = number * PAGE_SIZE
        return first if told is None else min(first, told)

    def _end_at(self, total: int) -> None:
        self._base_total, self._is_end_known = total, True
        self._unusable = {number: odd for number, odd in self._unusable.items() if number * PAGE_SIZE < total}
