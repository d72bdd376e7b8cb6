"""A listing of the account, of any length, of which only the pages that are looked at are fetched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from sectigo_tui.domain.certificates import ListingFilter, ListingPage, ListingRow
from sectigo_tui.domain.errors import Refused, ScmFailure
from sectigo_tui.domain.events import AccountChanged
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.gate import Priority
from sectigo_tui.engine.listing_rows import PAGE_SIZE, ListingRows

ALTERNATIVES_AT_ONCE = 1_000
"""So many rows are read by alternative name, before all pages are asked for."""


class Listing:
    """The rows of one filter, by their position.

    Rows can shift between pages while orders come and go: a row's identity is its sslId.

    SCM filters by common name or by alternative name, not by both. A listing by name is what it finds by common name,
    with the rows after it that only an alternative name finds.

    Args:
        context: The world.
        where: Which orders.

    Attributes:
        where: Which orders.
        total: How many rows there are; None until SCM has said it.
        fetched: The rows fetched so far.
        fetched_at: When the newest page came; None before the first.
        failure: Why the newest request failed; None when it did not.
        unread: How many rows by alternative name have not been read, and may hold more.
    """

    def __init__(self, context: Context, where: ListingFilter) -> None:
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
        self._wanted: tuple[int, int] | None = None
        self._turn = asyncio.Lock()

    @property
    def loaded(self) -> int:
        """How many rows have been fetched."""
        return self.fetched.loaded

    @property
    def is_complete(self) -> bool:
        """Whether every row has been fetched."""
        return self.total is not None and self.loaded >= self.total

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
        if self.unread:
            async with self._turn:
                if not await self._read_alternatives(at_most=None):
                    self._raise()
        number = 0
        while self.total is None or number * PAGE_SIZE < self.total:
            async with self._turn:
                if not self.fetched.has_page(number) and not await self._fetch(number):
                    self._raise()
            number += 1
            progress(min(number * PAGE_SIZE, self.total or 0), self.total or 0)

    def forget(self) -> None:
        """Forget the pages: they are fetched anew when they are looked at."""
        self.fetched.forget()
        self._alternatives = None
        if self._base_total is not None:
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
            last = min(last, self.total - 1)
        middle = (first + last) / 2 / PAGE_SIZE
        numbers = range(max(0, first) // PAGE_SIZE, max(0, last) // PAGE_SIZE + 1) if last >= first else range(0)
        missing = [number for number in numbers if not self.fetched.has_page(number)]
        return min(missing, key=lambda number: abs(number + 0.5 - middle), default=None)

    async def _fetch(self, number: int) -> bool:
        page = await self._ask(self.where, number)
        if page is None:
            return False
        self.fetched.put(number, page.rows)
        if page.total is not None:
            self._base_total = page.total
        elif len(page.rows) < PAGE_SIZE:
            self._base_total = number * PAGE_SIZE + len(page.rows)
        return await self._complete()

    async def _complete(self) -> bool:
        """Take note of how many rows there are, with those by alternative name at the end; return whether all went."""
        context = self._context
        if self._base_total is not None and self._also is not None:
            if self._alternatives is None:
                return await self._read_alternatives(at_most=ALTERNATIVES_AT_ONCE)
            if self._alternatives and not await self._append(self._base_total, self._alternatives):
                return False
        elif self._base_total is not None:
            self.total = self._base_total
            self.fetched.resize(self._base_total)
        self.failure = None
        self.fetched_at = context.clock.now()
        context.book.announce(AccountChanged())
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
            if len(page.rows) < PAGE_SIZE:
                break
        self.unread = max(0, (total or 0) - number * PAGE_SIZE)
        self._alternatives = [row for row in rows.values() if not self._is_found_by_name(row)]
        if not self._alternatives and self._base_total is not None:
            self.total = self._base_total
            self.fetched.resize(self._base_total)
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
            if not self.fetched.has_page(last) or None in of_page:
                page = await self._ask(self.where, last)
                if page is None:
                    return False
                of_page = list(page.rows[:shared])
            rows = [row for row in of_page if row is not None]
        rows += alternatives
        self.total = last * PAGE_SIZE + len(rows)
        self.fetched.resize(self.total)
        for at in range(0, len(rows), PAGE_SIZE):
            self.fetched.put(last + at // PAGE_SIZE, rows[at : at + PAGE_SIZE])
        return True

    async def _ask(self, where: ListingFilter, number: int, *, may_be_refused: bool = False) -> ListingPage | None:
        """Return a page; None, with the failure kept and announced, where it could not be had."""
        context = self._context
        try:
            return await context.gate.run(
                Priority.LISTING,
                lambda: context.scm.listing(where, position=number * PAGE_SIZE, size=PAGE_SIZE),
            )
        except ScmFailure as failure:
            if may_be_refused and isinstance(failure, Refused):
                # An installation that does not filter by alternative names lists by common names alone.
                return ListingPage((), 0)
            self.failure = failure
            context.book.announce(AccountChanged())
            return None
