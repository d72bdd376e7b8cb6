"""The one limit that all requests share, closed while credentials are rejected."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Awaitable, Callable
from enum import IntEnum
from itertools import count
from typing import TypeVar

from sectigo_tui.domain.credentials import VITAL_CALLS
from sectigo_tui.domain.errors import CredentialsRefused, NotFound, RateLimited, Refused, RefusedAlone, ScmFailure
from sectigo_tui.domain.ports import Credentials

T = TypeVar("T")


class Priority(IntEnum):
    """Who goes first when requests wait."""

    WRITE = 0
    POLL = 1
    SIGHT = 2
    """Details of the orders on screen."""
    LISTING = 3


class RequestLimiter:
    """Lets at most `limit` requests be in flight, the most urgent first.

    Reading for the screen never takes the last place, so a poll does not wait behind a listing. Until the
    credentials have been accepted once, requests go one at a time; after SCM has rejected them, none goes
    until `unlock`: with many workers, one bad password would be as many bad logins, and the account would lock.

    Where a call that is not vital gets a 401 with credentials that were accepted before, one vital call tells
    whether they are rejected, or this call alone. A side query rejected alone is not sent again. None is sent while a
    Retry-After lasts, whatever call was answered with it.

    Args:
        limit: How many requests may be in flight.
        is_open: Whether requests may go at once; otherwise they wait for `open`.

    Attributes:
        rejection: SCM's rejection of the credentials, while requests are paused.
        rejected_candidate: Other credentials that SCM has rejected since it last accepted any; None for none.
        on_rejection: Called when the pause begins.
        on_switched_off: Called with the rejection of a side query that is not sent any more.
        verify: Makes a vital call; None where every 401 counts as a rejection of the credentials.
    """

    def __init__(self, limit: int, *, is_open: bool = True) -> None:
        self.limit = limit
        self.rejection: CredentialsRefused | None = None
        self.rejected_candidate: Credentials | None = None
        self.on_rejection: Callable[[], None] = lambda: None
        self.on_switched_off: Callable[[RefusedAlone], None] = lambda _rejection: None
        self.verify: Callable[[], Awaitable[object]] | None = None
        self._is_open = is_open
        self._accepted = asyncio.Event()
        self._verifying = asyncio.Lock()
        self._switched_off: dict[str, RefusedAlone] = {}
        self._generation = 0
        self._in_flight = 0
        self._background = 0
        self._turns = count()
        self._wait_until = float("-inf")
        self._waiting: list[tuple[int, float, int, asyncio.Future[None]]] = []

    @property
    def in_flight(self) -> int:
        """How many requests are under way."""
        return self._in_flight

    async def until_accepted(self) -> None:
        """Wait until SCM has accepted the credentials: a side query must not be their first use."""
        await self._accepted.wait()

    def has_place(self, priority: Priority) -> bool:
        """Return whether a request of this priority would be sent at once."""
        if not self._is_open or self._in_flight >= (self.limit if self._accepted.is_set() else 1):
            return False
        return priority <= Priority.POLL or self._background < max(1, self.limit - 1)

    async def run(self, priority: Priority, call: Callable[[], Awaitable[T]], *, due: float = 0.0, side: str = "") -> T:
        """Make one request when its turn comes.

        Args:
            priority: Who it is for.
            call: Makes the request.
            due: Orders requests of one priority: the smallest goes first.
            side: The call by name, where it is a side query: one that can be done without.

        Returns:
            What the call returned.

        Raises:
            CredentialsRefused: SCM rejected the credentials now, or earlier (`sent` is False then).
            RefusedAlone: SCM rejected this call, now or earlier, and accepts the credentials elsewhere.
            RateLimited: SCM limits the rate, or has done so for so long that a side query waits (`sent` is False).
            ScmFailure: What the call raised.
        """
        if side in self._switched_off:
            raise self._switched_off[side].with_traceback(None)
        if side:
            self._check_wait(side)
        await self._enter(priority, due)
        generation = self._generation
        try:
            result = await call()
        except CredentialsRefused as rejection:
            if generation == self._generation and self.rejection is None:
                await self._judge(rejection, generation, side)
            raise
        except (NotFound, Refused):
            self._accepted.set()
            raise
        except ScmFailure as failure:
            if failure.retry_after_seconds is not None:
                self._wait_until = asyncio.get_running_loop().time() + failure.retry_after_seconds
            raise
        else:
            self._accepted.set()
            return result
        finally:
            self._leave(priority)

    def _check_wait(self, side: str) -> None:
        """Reject a side query that would be sent sooner than SCM asked for: it can be done without until then."""
        left = self._wait_until - asyncio.get_running_loop().time()
        if left > 0:
            words = f"not sent: SCM asked to wait {left:.0f} s longer"
            raise RateLimited(side, words, retry_after_seconds=left, sent=False)

    def open(self) -> None:
        """Let requests go: the credentials to send them with are known."""
        self._is_open = True
        self._wake()

    @property
    def is_accepted(self) -> bool:
        """Whether SCM has accepted the credentials since they were replaced, or since the start."""
        return self._accepted.is_set()

    def lock(self, rejection: CredentialsRefused) -> None:
        """Let no request go, for a reason that was learned elsewhere; it takes the place of an earlier one."""
        if self.rejection is None or self.rejection.reason != rejection.reason:
            self._lock(rejection)

    def unlock(self) -> None:
        """Let requests go again: the credentials were replaced by ones that SCM has accepted."""
        self._generation += 1
        self._accepted.set()
        self._switched_off.clear()
        self.rejection = self.rejected_candidate = None
        self._wake()

    async def _judge(self, rejection: CredentialsRefused, generation: int, side: str) -> None:
        """Pause if the credentials are rejected; raise `RefusedAlone` if only this call is."""
        is_sure = rejection.call in VITAL_CALLS or not rejection.sent or not self._accepted.is_set()
        if self.verify is None or is_sure:
            self._lock(rejection)
            return
        async with self._verifying:
            if self.rejection is not None or generation != self._generation:
                return
            try:
                await self.verify()
            except (NotFound, Refused):
                pass  # behind the login all the same
            except CredentialsRefused:
                if generation == self._generation:
                    self._lock(rejection)
                return
            except ScmFailure:
                # Not known: whatever is sent next goes alone, and tells it.
                self._accepted.clear()
                return
        alone = RefusedAlone(
            rejection.call,
            rejection.reason,
            http_status=rejection.http_status,
            code=rejection.code,
            description=rejection.description,
        )
        if side and side not in self._switched_off:
            self._switched_off[side] = alone
            self.on_switched_off(alone)
        raise alone from rejection

    def _lock(self, rejection: CredentialsRefused) -> None:
        self.rejection = rejection
        self._accepted.clear()
        self.on_rejection()
        waiting, self._waiting = self._waiting, []
        for *_, turn in waiting:
            if not turn.done():
                turn.set_exception(self._rejected())

    def _rejected(self) -> ScmFailure:
        assert self.rejection is not None  # noqa: S101 - states for mypy what both callers have just checked
        return CredentialsRefused(
            self.rejection.call,
            "not sent: paused until the credentials are rotated",
            code=self.rejection.code,
            sent=False,
        )

    async def _enter(self, priority: Priority, due: float) -> None:
        if self.rejection is not None:
            raise self._rejected()
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
            if self.rejection is not None:
                # Its turn had come just before the rejection: sending it now would be one more bad login.
                self._leave(priority)
                raise self._rejected()
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


async def alone(limiter: RequestLimiter, call: Callable[[], Awaitable[T]]) -> T:
    """Make a call that no other request may overlap, such as a password change.

    Args:
        limiter: The limit that all requests share; requests under way end first, and new ones wait.
        call: What is done; a `CredentialsRefused` that it raises pauses all requests, as any request's does.

    Returns:
        What the call returned.

    Raises:
        CredentialsRefused: SCM rejected the credentials before the call was made (`sent` is False then).
        ScmFailure: What the call raised.
    """
    all_held, released = asyncio.Event(), asyncio.Event()
    holding = 0

    async def hold() -> None:
        nonlocal holding
        holding += 1
        if holding == limiter.limit - 1:
            all_held.set()
        await released.wait()

    async def take_all_places() -> T:
        if limiter.in_flight == 1 and not limiter.has_place(Priority.WRITE):
            return await call()
        holders = [asyncio.create_task(limiter.run(Priority.WRITE, hold)) for _ in range(limiter.limit - 1)]
        waiting = asyncio.create_task(all_held.wait())
        try:
            await asyncio.wait((waiting, *holders), return_when=asyncio.FIRST_COMPLETED)
            for holder in holders:
                if holder.done():
                    holder.result()
            return await call()
        finally:
            released.set()
            waiting.cancel()
            await asyncio.gather(*holders, return_exceptions=True)

    return await limiter.run(Priority.WRITE, take_all_places)
