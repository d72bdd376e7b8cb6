"""The one limit that all requests share, and the lock that a refused login puts on all of them."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from enum import IntEnum
from itertools import count
from typing import TypeVar

from sectigo_tui.domain.errors import CredentialsRefused, NotFound, Refused, ScmFailure

T = TypeVar("T")


class Priority(IntEnum):
    """Who goes first when requests wait."""

    WRITE = 0
    POLL = 1
    SIGHT = 2
    """Details of what the operator looks at."""
    LISTING = 3


class RequestGate:
    """Lets at most `limit` requests be in flight, the most urgent first.

    Reading for the screen never takes the last place, so a poll does not wait behind a listing. Until the
    credentials have been accepted once, requests go one at a time; after SCM has refused them, none goes
    until `unlock`: with many workers, one bad password would be as many bad logins, and the account would lock.

    Args:
        limit: How many requests may be in flight.
        is_open: Whether requests may go at once; otherwise they wait for `open`.

    Attributes:
        refusal: SCM's refusal of the credentials, while it holds everything back.
        on_refusal: Called when that begins.
    """

    def __init__(self, limit: int, *, is_open: bool = True) -> None:
        self.limit = limit
        self.refusal: CredentialsRefused | None = None
        self.on_refusal: Callable[[], None] = lambda: None
        self._is_open = is_open
        self._proven = False
        self._generation = 0
        self._in_flight = 0
        self._background = 0
        self._turns = count()
        self._waiting: list[tuple[int, float, int, asyncio.Future[None]]] = []

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return self._in_flight

    def has_place(self, priority: Priority) -> bool:
        """Return whether a request of this priority would be sent at once."""
        if not self._is_open or self._in_flight >= (self.limit if self._proven else 1):
            return False
        return priority <= Priority.POLL or self._background < max(1, self.limit - 1)

    async def run(self, priority: Priority, call: Callable[[], Awaitable[T]], *, due: float = 0.0) -> T:
        """Make one request when its turn comes.

        Args:
            priority: Who it is for.
            call: Makes the request.
            due: Orders requests of one priority: the smallest goes first.

        Returns:
            What the call returned.

        Raises:
            CredentialsRefused: SCM refused the credentials now, or earlier (`sent` is False then).
            ScmFailure: What the call raised.
        """
        await self._enter(priority, due)
        generation = self._generation
        try:
            result = await call()
        except CredentialsRefused as refusal:
            if generation == self._generation and self.refusal is None:
                self._lock(refusal)
            raise
        except (NotFound, Refused):
            self._proven = True
            raise
        else:
            self._proven = True
            return result
        finally:
            self._leave(priority)

    def open(self) -> None:
        """Let requests go: the credentials to send them with are known."""
        self._is_open = True
        self._wake()

    def unlock(self) -> None:
        """Let requests go again: the credentials were replaced by ones that SCM has accepted."""
        self._generation += 1
        self._proven = True
        self.refusal = None
        self._wake()

    def _lock(self, refusal: CredentialsRefused) -> None:
        self.refusal = refusal
        self.on_refusal()
        waiting, self._waiting = self._waiting, []
        for *_, turn in waiting:
            if not turn.done():
                turn.set_exception(self._held_back())

    def _held_back(self) -> ScmFailure:
        assert self.refusal is not None  # noqa: S101 - states for mypy what both callers have just checked
        return CredentialsRefused(
            self.refusal.call, "held back until the credentials are rotated", code=self.refusal.code, sent=False
        )

    async def _enter(self, priority: Priority, due: float) -> None:
        if self.refusal is not None:
            raise self._held_back()
        if self._waiting or not self.has_place(priority):
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (priority, due, next(self._turns), turn))
            self._wake()
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled() and turn.exception() is None:
                    self._leave(priority)
                raise
            if self.refusal is not None:
                # Its turn had come just before the refusal: sending it now would be one more bad login.
                self._leave(priority)
                raise self._held_back()
        else:
            self._take(priority)

    def _take(self, priority: int) -> None:
        self._in_flight += 1
        self._background += priority > Priority.POLL

    def _leave(self, priority: int) -> None:
        self._in_flight -= 1
        self._background -= priority > Priority.POLL
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self.has_place(Priority(self._waiting[0][0])):
            priority, _, _, turn = heapq.heappop(self._waiting)
            if not turn.done():
                self._take(priority)
                turn.set_result(None)
