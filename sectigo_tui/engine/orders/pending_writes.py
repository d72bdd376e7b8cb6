"""Retry and settle pending writes, across restarts."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import OrderBusy, StoreError
from sectigo_tui.domain.events import EngineEvent, FailureReported, OrderChanged, PollingResumed
from sectigo_tui.domain.orders import Order
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.orders.order_locks import OrderLocks
from sectigo_tui.engine.polling.schedule import DEFAULT_DEADLINE_SECONDS, JITTER, scheduled_wait_seconds
from sectigo_tui.engine.polling.scheduler import rest


class Retries:
    """Counts the attempts for each order, and tells when the next one is due.

    It forgets at the end of the process: a start begins with the shortest wait again.

    Args:
        context: What every service works with.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._attempts: dict[str, int] = {}

    def next_at(self, order_id: str, *, retry_after_seconds: float | None = None) -> datetime:
        """Count an attempt, and return when the next one is due.

        Args:
            order_id: The order.
            retry_after_seconds: What SCM asked for; the wait is at least that, but, as for a poll, no longer than a
                poll window: a certificate whose key has leaked cannot wait a day.
        """
        attempts = self._attempts[order_id] = self._attempts.get(order_id, 0) + 1
        scheduled = scheduled_wait_seconds(attempts)
        wait = self._context.random.uniform(scheduled * (1 - JITTER), scheduled * (1 + JITTER))
        asked = min(retry_after_seconds or 0.0, DEFAULT_DEADLINE_SECONDS)
        return self._context.clock.now() + timedelta(seconds=max(wait, asked))

    def forget(self, order_id: str) -> None:
        """Begin anew with an order."""
        self._attempts.pop(order_id, None)


LEASE_SECONDS = 15.0
ROUND_SECONDS = 5.0
"""How often the lease is renewed, or asked for after another process has ended."""
BATCH_SECONDS = 0.25


class PendingWrite(Protocol):
    """One kind of pending write; each order has at most one."""

    def begin(self) -> None:
        """Take note that this process does it from now on: the program has started, or took over from another."""
        ...

    def due_at(self, order: Order) -> datetime | None:
        """Return when it is due for an order; None when there is nothing to do."""
        ...

    def note(self, order: Order) -> None:
        """Take note of an order as it is now: what was remembered of one that is settled is forgotten."""
        ...

    async def attempt(self, order_id: str) -> None:
        """Do it once; the caller holds the order lock. Raises `StoreError` when the disk fails."""
        ...


class PendingWrites:
    """Runs pending writes when they are due, in the one process of a host that holds the lease.

    Args:
        context: What every service works with.
        order_locks: Keeps writes to one order apart.
        pending_writes: What there is to do.
    """

    def __init__(self, context: Context, order_locks: OrderLocks, pending_writes: Sequence[PendingWrite]) -> None:
        self._context = context
        self._order_locks = order_locks
        self._pending_writes = tuple(pending_writes)
        self._wake = asyncio.Event()
        self._has_begun = False
        self._broken: dict[str, datetime] = {}
        self._retries = Retries(context)
        self._attempts: set[asyncio.Task[None]] = set()

    def receive(self, event: EngineEvent) -> None:
        """Take note of what the engine publishes, so that what became due is done at once."""
        match event:
            case OrderChanged(order):
                for pending_write in self._pending_writes:
                    pending_write.note(order)
                if self._plan(order) is not None:
                    self._wake.set()
            case PollingResumed():
                self._wake.set()
            case _:
                pass

    async def run(self) -> None:
        """Do what is due until cancelled; an interrupted write is pending again at the next start."""
        try:
            while True:
                self._wake.clear()
                await rest(self._context.clock, await self._round(), self._wake)
        finally:
            attempts = tuple(self._attempts)
            for attempt in attempts:
                attempt.cancel()
            await asyncio.gather(*attempts, return_exceptions=True)

    async def until_settled(self, order_id: str) -> Order | None:
        """Run one order's pending writes without `run`, for a command that waits for the outcome.

        Args:
            order_id: The order.

        Returns:
            The order, once it has no pending write or the credentials are rejected; None when there is no such order.

        Raises:
            StoreError: The disk failed.
        """
        while (order := self._context.repository.store.order(order_id)) is not None:
            if self._plan(order) is None or self._context.limiter.rejection is not None:
                return order
            if not await self._granted([order_id]):
                await self._context.clock.sleep(1.0)
                await self._context.repository.store.changes()
                continue
            # Planned again: with a lease just taken over, a pending write is due at once.
            plan = self._plan(order)
            if plan is None:
                continue
            due, pending_write = plan
            wait = seconds_between(self._context.clock.now(), due)
            if wait > 0:
                await self._context.clock.sleep(min(wait, ROUND_SECONDS))
            else:
                await self._order_locks.run(order_id, partial(pending_write.attempt, order_id))
        return None

    async def _round(self) -> float:
        """Start what is due, and return for how many seconds nothing will be."""
        if self._context.limiter.rejection is not None:
            return ROUND_SECONDS
        plans: dict[str, tuple[datetime, PendingWrite]] = {}
        for order in self._context.repository.store.orders():
            plan = self._plan(order)
            if plan is not None:
                plans[order.id] = plan
        if not plans:
            # Later orders belong to live processes; only earlier ones may have lost theirs.
            self._has_begun = True
            return ROUND_SECONDS
        next_wait = ROUND_SECONDS
        for order_id in await self._granted(plans):
            present = self._context.repository.store.order(order_id)
            plan = self._plan(present) if present else None
            if plan is None or self._order_locks.is_busy(order_id):
                continue
            due, pending_write = plan
            wait = seconds_between(self._context.clock.now(), max(due, self._broken.get(order_id, due)))
            if wait <= 0:
                self._start(pending_write, order_id)
            else:
                next_wait = min(next_wait, wait)
        return max(next_wait, BATCH_SECONDS)

    def _plan(self, order: Order) -> tuple[datetime, PendingWrite] | None:
        for pending_write in self._pending_writes:
            due = pending_write.due_at(order)
            if due is not None:
                return due, pending_write
        return None

    async def _granted(self, order_ids: Iterable[str]) -> frozenset[str]:
        try:
            granted = await self._context.repository.store.lease(order_ids, LEASE_SECONDS)
        except StoreError as error:
            self._context.repository.report_store_error(error, "leases")
            return frozenset()
        if granted and not self._has_begun:
            for pending_write in self._pending_writes:
                pending_write.begin()
        self._has_begun = bool(granted)
        return granted

    def _start(self, pending_write: PendingWrite, order_id: str) -> None:
        attempt = asyncio.create_task(self._attempt(pending_write, order_id), name=f"pending write {order_id}")
        self._attempts.add(attempt)
        attempt.add_done_callback(self._ended)

    async def _attempt(self, pending_write: PendingWrite, order_id: str) -> None:
        try:
            await self._order_locks.run(order_id, partial(pending_write.attempt, order_id))
        except OrderBusy:
            pass
        except StoreError as error:
            self._context.repository.report_store_error(error)
        except Exception as defect:  # noqa: BLE001 - the boundary of a pending write: a defect delays its own order alone
            now, again_at = self._context.clock.now(), self._retries.next_at(order_id)
            self._broken[order_id] = again_at
            what = f"a pending write failed unexpectedly; it is tried again in {seconds_between(now, again_at):.0f} s"
            self._context.repository.publish(FailureReported(now, what, defect, order_id))
        else:
            self._broken.pop(order_id, None)
            self._retries.forget(order_id)

    def _ended(self, attempt: asyncio.Task[None]) -> None:
        self._attempts.discard(attempt)
        self._wake.set()
