"""A listing of the account, of any length, of which only the pages that are looked at are fetched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

from sectigo_tui.domain.certificates import ListingFilter, ListingRow
from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.domain.events import AccountChanged
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.gate import Priority
from sectigo_tui.engine.listing_rows import PAGE_SIZE, ListingRows


class Listing:
    """The rows of one filter, by their position.

    Rows can shift between pages while orders come and go: a row's identity is its sslId.

    Args:
        context: The world.
        where: Which orders.

    Attributes:
        where: Which orders.
        total: How many rows there are; None until SCM has said it.
        fetched: The rows fetched so far.
        fetched_at: When the newest page came; None before the first.
        failure: Why the newest request failed; None when it did not.
    """

    def __init__(self, context: Context, where: ListingFilter) -> None:
        self.where = where
        self.total: int | None = None
        self.fetched = ListingRows()
        self.fetched_at: datetime | None = None
        self.failure: ScmFailure | None = None
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
        number = 0
        while self.total is None or number * PAGE_SIZE < self.total:
            async with self._turn:
                if not self.fetched.has_page(number) and not await self._fetch(number):
                    assert self.failure is not None  # noqa: S101 - a fetch without success leaves its failure
                    raise self.failure
            number += 1
            progress(min(number * PAGE_SIZE, self.total or 0), self.total or 0)

    def forget(self) -> None:
        """Forget the pages: they are fetched anew when they are looked at."""
        self.fetched.forget()

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
        context = self._context
        try:
            page = await context.gate.run(
                Priority.LISTING,
                lambda: context.scm.listing(self.where, position=number * PAGE_SIZE, size=PAGE_SIZE),
            )
        except ScmFailure as failure:
            self.failure = failure
            context.book.announce(AccountChanged())
            return False
        self.fetched.put(number, page.rows)
        if page.total is not None:
            self.total = page.total
        elif len(page.rows) < PAGE_SIZE:
            self.total = number * PAGE_SIZE + len(page.rows)
        if self.total is not None:
            self.fetched.resize(self.total)
        self.failure = None
        self.fetched_at = context.clock.now()
        context.book.announce(AccountChanged())
        return True
