"""A listing of the account, of any length, of which only the pages that are looked at are fetched."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from sectigo_tui.domain.certificates import ListingFilter, ListingPage, ListingRow
from sectigo_tui.domain.errors import ScmFailure, Unreadable
from sectigo_tui.domain.events import AccountChanged
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.gate import Priority
from sectigo_tui.engine.listing_rows import PAGE_SIZE, ListingRows
from sectigo_tui.engine.spellings import StatusSpellings


class Listing:
    """The rows of one filter, by their position.

    Rows can shift between pages while orders come and go: a row's identity is its sslId.

    Args:
        context: The world.
        where: Which orders.
        spellings: How this installation spells statuses; shared by all listings of the account.

    Attributes:
        where: Which orders.
        total: How many rows there are, as far as it is known; None before the first page.
        fetched: The rows fetched so far.
        fetched_at: When the newest page came; None before the first.
        failure: Why the newest request failed; None when it did not.
    """

    def __init__(self, context: Context, where: ListingFilter, spellings: StatusSpellings | None = None) -> None:
        self.where = where
        self.total: int | None = None
        self.fetched = ListingRows()
        self.fetched_at: datetime | None = None
        self.failure: ScmFailure | None = None
        self._context = context
        self._spellings = spellings or StatusSpellings()
        self._unusable: dict[int, tuple[str, ...]] = {}
        self._is_end_known = False
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

        A failure is kept in `failure` and announced; the next call tries again.
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
        number = 0
        while not self._is_end_known or number * PAGE_SIZE < (self.total or 0):
            async with self._turn:
                if not self.fetched.has_page(number) and not await self._fetch(number):
                    assert self.failure is not None  # noqa: S101 - a fetch without success leaves its failure
                    raise self.failure
            number += 1
            progress(min(number * PAGE_SIZE, self.total or 0), self.total or 0)

    def forget(self) -> None:
        """Forget the pages: they are fetched anew when they are looked at."""
        self.fetched.forget()
        self._unusable.clear()

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
        context = self._context

        def ask(where: ListingFilter) -> Awaitable[ListingPage]:
            return context.gate.run(
                Priority.LISTING, lambda: context.scm.listing(where, position=number * PAGE_SIZE, size=PAGE_SIZE)
            )

        try:
            page = await self._spellings.ask(self.where, ask)
            if page.total and not page.received and number == 0:
                raise Unreadable(
                    "listing", f"HTTP 200: X-Total-Count says {page.total}, and no row came", http_status=200
                )
        except ScmFailure as failure:
            self.failure = failure
            context.book.announce(AccountChanged())
            return False
        self._take(number, page)
        self.failure = None
        self.fetched_at = context.clock.now()
        context.book.announce(AccountChanged())
        return True

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
            self.total = max(self.total or 0, end)
            self.fetched.resize(self.total)

    def _end_before(self, number: int, told: int | None) -> int:
        """Return where the rows end, when a page has none."""
        before = number - 1
        if self.fetched.has_page(before):
            return before * PAGE_SIZE + self.fetched.size_of(before) + len(self._unusable.get(before, ()))
        first = number * PAGE_SIZE
        return first if told is None else min(first, told)

    def _end_at(self, total: int) -> None:
        self.total, self._is_end_known = total, True
        self.fetched.resize(total)
        self._unusable = {number: odd for number, odd in self._unusable.items() if number * PAGE_SIZE < total}
