"""How an SCM installation spells a status where a listing is filtered by it: learned from what it takes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec.structs import replace

from sectigo_tui.domain.certificates import ListingFilter
from sectigo_tui.domain.errors import Refused
from sectigo_tui.domain.status import filter_spellings

T = TypeVar("T")

INVALID_VALUE_CODES = frozenset({-1601, -1603})
"""What answers a filter whose value SCM does not know. Source: SCM manual 25.5."""


class StatusSpellings:
    """Tries the spellings of a status one after the other, and remembers the one that is taken."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}
        self._all_refused: set[str] = set()

    def spelled(self, where: ListingFilter) -> ListingFilter:
        """Return a filter as it is asked for next."""
        if not where.status:
            return where
        spellings = filter_spellings(where.status)
        return replace(where, status=spellings[self._next.get(where.status, 0) % len(spellings)])

    async def ask(self, where: ListingFilter, ask: Callable[[ListingFilter], Awaitable[T]]) -> T:
        """Ask by a filter in the spelling that this installation takes.

        Once all were rejected, each later call tries one, the next in turn: a listing costs no more than it must.

        Args:
            where: The filter, its status by any name.
            ask: Asks SCM.

        Returns:
            What was answered.

        Raises:
            ScmFailure: What was raised; the rejection of the first spelling, where every one is rejected.
        """
        if not where.status:
            return await ask(where)
        status, first_rejection = where.status, None
        attempts = 1 if status in self._all_refused else len(filter_spellings(status))
        for _ in range(attempts):
            try:
                answer = await ask(self.spelled(where))
            except Refused as rejection:
                if rejection.code not in INVALID_VALUE_CODES:
                    raise
                first_rejection = first_rejection or rejection
                self._next[status] = self._next.get(status, 0) + 1
            else:
                self._all_refused.discard(status)
                return answer
        self._all_refused.add(status)
        assert first_rejection is not None  # noqa: S101 - every try has ended in a rejection
        raise first_rejection
