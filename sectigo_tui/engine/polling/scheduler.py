"""Polls the orders that are due: one heap of due times, one limit, one lease."""

from __future__ import annotations

import asyncio
import heapq
from datetime import datetime
from functools import partial

from msgspec.structs import replace

from sectigo_tui.domain.clock import Clock, seconds_between
from sectigo_tui.domain.errors import InputError, ScmFailure, StoreError
from sectigo_tui.domain.events import (
    EngineEvent,
    EventKind,
    FailureReported,
    OrderChanged,
    PollFinished,
    PollingPaused,
    PollingResumed,
    TimelineEntry,
)
from sectigo_tui.domain.orders import Order
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.jobs import keep_running
from sectigo_tui.engine.polling import schedule
from sectigo_tui.engine.polling.poll import Poller


async def rest(clock: Clock, seconds: float, wake: asyncio.Event) -> None:
    """Wait until some time has passed, or an event is set.

    Args:
        clock: The time.
        seconds: How long at most.
        wake: Ends the wait.
    """
    sleeping = asyncio.ensure_future(clock.sleep(seconds))
    woken = asyncio.ensure_future(wake.wait())
    try:
        await asyncio.wait((sleeping, woken), return_when=asyncio.FIRST_COMPLETED)
        if sleeping.done():
            # A sleep that fails must not turn into no sleep at all.
            sleeping.result()
    finally:
        sleeping.cancel()
        woken.cancel()


BATCH_SECONDS = 0.25
"""Workers due within this time wake together: one timer serves them all."""

LEASE_SECONDS = 15.0
LEASE_RENEWAL_SECONDS = 5.0
CHANGES_SECONDS = 1.0
"""How often changes by other processes are read."""


class Scheduler:
    """Knows when each order is due and which are polled just now, and polls the due ones, nearest due first.

    What is due follows from what the engine publishes. Only orders whose lease this process holds are polled here;
    the others are shown as another process polls them.

    Args:
        context: What every service works with.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._poller = Poller(context)
        self._due: dict[str, float | None] = {}
        """The orders that are polled, and for when (POSIX) each is queued; None while it is not."""
        self._in_flight: set[str] = set()
        self._missed: dict[str, datetime] = {}
        """When a poll was due that a pause has put off."""
        self._breaks: dict[str, int] = {}
        """How many polls of an order in a row have ended in an unexpected error."""
        self._heap: list[tuple[float, str]] = []
        self._leased: frozenset[str] = frozenset()
        self._lease_asked_at = context.clock.now()
        self._polls: set[asyncio.Task[None]] = set()
        self._paused_by: ScmFailure | None = None
        """The rejection that was published as a pause."""
        self._lease_is_stale = True
        self._is_unrenewed = False
        self._wake = asyncio.Event()

    @property
    def workers(self) -> int:
        """How many orders are polled or wait to be."""
        return len(self._due)

    def is_polling(self, order_id: str) -> bool:
        """Return whether this process is polling an order."""
        return order_id in self._in_flight

    async def run(self) -> None:
        """Poll until cancelled; polls under way are then cancelled too, and the leases given back."""
        for order in self._context.repository.store.orders():
            self._take(order)
        self._context.limiter.on_rejection = self._wake.set
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(keep_running(self._context, "housekeeping", self._maintain))
                group.create_task(keep_running(self._context, "polling", self._serve))
        finally:
            polls = tuple(self._polls)
            for poll in polls:
                poll.cancel()
            await asyncio.gather(*polls, return_exceptions=True)
            await self._give_back()

    def receive(self, event: EngineEvent) -> None:
        """Take note of what the engine publishes: an order that changed may be due at another time, or no more."""
        match event:
            case OrderChanged(order):
                self._take(order)
            case PollFinished(order_id):
                self._in_flight.discard(order_id)
            case _:
                pass

    async def open_window(self, order_id: str, *, at_once: bool = False) -> Order:
        """Poll an order now, but no sooner than 5 s after its last poll; opens a new window if the last has ended.

        Args:
            order_id: The order.
            at_once: Whether to skip that wait, since something was written to the order.

        Returns:
            The order with its open window.

        Raises:
            InputError: The order is not one that is polled.
            StoreError: The new window could not be written.
        """
        now = self._context.clock.now()

        def change(order: Order) -> tuple[Order, TimelineEntry | None] | None:
            if not order.state.is_polled:
                raise InputError(f"order {order.ssl_id or order.id} is {order.state}", "only pending orders are polled")
            last = order.last_poll.at if order.last_poll and not at_once else None
            if order.window is not None and order.window.is_open:
                return replace(order, window=schedule.asked_now(order.window, now, last)), None
            wait = (schedule.spaced(now, last) - now).total_seconds()
            window = schedule.open_window(now, self._context.options.deadline_seconds, first_wait_seconds=wait)
            entry = TimelineEntry(
                at=now,
                order_id=order.id,
                kind=EventKind.WINDOW_OPENED,
                summary=f"polling for {window.deadline_seconds:.0f} s",
                ssl_id=order.ssl_id,
            )
            return replace(order, window=window), entry

        order = await self._context.repository.change(order_id, change)
        if order is None:
            raise InputError(f"there is no local order {order_id}", "track it first")
        return order

    async def poll_for(self, order_id: str, deadline_seconds: float | None) -> Order:
        """Poll an order for as long as the operator says, from now on.

        Args:
            order_id: The order.
            deadline_seconds: For how long; None for until it needs no more polls: every 5 minutes, and beyond the
                first day every 30.

        Returns:
            The order with its open window.

        Raises:
            InputError: The order is not one that is polled.
            StoreError: The new window could not be written.
        """
        now, operator = self._context.clock.now(), self._context.repository.operator

        def change(order: Order) -> tuple[Order, TimelineEntry | None] | None:
            if not order.state.is_polled:
                raise InputError(f"order {order.ssl_id or order.id} is {order.state}", "only pending orders are polled")
            last = order.last_poll.at if order.last_poll else None
            window = schedule.lasting(order.window, now, deadline_seconds, last)
            how_long = "until it is issued" if window.until_issued else f"for {window.deadline_seconds:.0f} s"
            entry = TimelineEntry(
                at=now,
                order_id=order.id,
                kind=EventKind.WINDOW_OPENED,
                summary=f"polling {how_long}, as the operator chose",
                ssl_id=order.ssl_id,
                by=operator if operator.user else None,
            )
            return replace(order, window=window), entry

        order = await self._context.repository.change(order_id, change)
        if order is None:
            raise InputError(f"there is no local order {order_id}", "track it first")
        return order

    def resume(self) -> int:
        """Resume polling after new credentials were accepted, the workers spread over some seconds.

        Returns:
            How many workers resumed.
        """
        self._context.limiter.unlock()
        now, resumed = self._context.clock.now(), 0
        for order_id in self._polled_here():
            order = self._context.repository.store.order(order_id)
            if order is None or order.window is None or not order.window.is_open:
                continue
            resumed += 1
            window = schedule.after_pause(order.window, now, self._context.random)
            if window != order.window:
                if order.window.next_poll_at is not None:
                    self._missed[order_id] = order.window.next_poll_at
                order = replace(order, window=window)
                self._context.repository.note(order)
            self._take(order)
        self._context.repository.publish(PollingResumed(now, resumed))
        self._wake.set()
        return resumed

    def _take(self, order: Order) -> None:
        """Poll an order, poll it at another time, or poll it no more, as it stands now."""
        window = order.window
        if order.removed or not order.state.is_polled or window is None or window.next_poll_at is None:
            self._forget(order.id)
            return
        if order.id not in self._due:
            self._lease_is_stale = True
        due = window.next_poll_at.timestamp()
        if self._due.get(order.id) != due:
            self._queue(order.id, due)
            self._wake.set()

    def _queue(self, order_id: str, due: float) -> None:
        self._due[order_id] = due
        heapq.heappush(self._heap, (due, order_id))

    def _forget(self, order_id: str) -> None:
        for known in (self._due, self._missed, self._breaks):
            known.pop(order_id, None)

    async def _serve(self) -> None:
        while True:
            self._wake.clear()
            if self._lease_is_stale or self._has_stood_still():
                await self._renew()
            self._start_due()
            await rest(self._context.clock, self._next_wait(), self._wake)

    def _start_due(self) -> None:
        if self._context.limiter.rejection is not None:
            self._pause()
            return
        now = self._context.clock.now().timestamp()
        while self._heap and self._heap[0][0] <= now and len(self._polls) < self._context.limiter.limit:
            due, order_id = heapq.heappop(self._heap)
            if self._due.get(order_id) != due:
                continue
            self._due[order_id] = None
            if order_id in self._leased and order_id not in self._in_flight:
                self._start(order_id)

    def _start(self, order_id: str) -> None:
        self._in_flight.add(order_id)
        poll = self._poller.poll(order_id, self._missed.pop(order_id, None))
        task = asyncio.create_task(poll, name=f"poll {order_id}")
        self._polls.add(task)
        task.add_done_callback(partial(self._ended, order_id))

    def _ended(self, order_id: str, task: asyncio.Task[None]) -> None:
        self._polls.discard(task)
        self._in_flight.discard(order_id)
        self._wake.set()
        if task.cancelled():
            return
        if (defect := task.exception()) is not None:
            self._broke(order_id, _as_exception(defect))
            return
        self._breaks.pop(order_id, None)
        order = self._context.repository.store.order(order_id)
        if order is None:
            self._forget(order_id)
        else:
            self._take(order)

    def _broke(self, order_id: str, defect: Exception) -> None:
        """Report an unexpected exception of one order's poll, and schedule the next; other orders are unaffected."""
        breaks = self._breaks[order_id] = self._breaks.get(order_id, 0) + 1
        wait = schedule.scheduled_wait_seconds(breaks)
        now = self._context.clock.now()
        what = f"a poll broke; the order is polled again in {wait:.0f} s"
        self._context.repository.publish(FailureReported(now, what, defect, order_id))
        if order_id in self._due:
            self._queue(order_id, now.timestamp() + wait)

    def _polled_here(self) -> list[str]:
        return [order_id for order_id in self._due if order_id in self._leased]

    def _pause(self) -> None:
        rejection = self._context.limiter.rejection
        if rejection is not None and rejection is not self._paused_by:
            self._paused_by = rejection
            now = self._context.clock.now()
            self._context.repository.publish(PollingPaused(now, len(self._polled_here()), rejection))

    def _next_wait(self) -> float:
        if (
            self._context.limiter.rejection is not None
            or not self._heap
            or len(self._polls) >= self._context.limiter.limit
        ):
            return LEASE_RENEWAL_SECONDS
        wait = self._heap[0][0] - self._context.clock.now().timestamp()
        return min(max(wait, BATCH_SECONDS), LEASE_RENEWAL_SECONDS)

    async def _maintain(self) -> None:
        renew_at = self._context.clock.monotonic() + LEASE_RENEWAL_SECONDS
        while True:
            store = self._context.repository.store
            if store.changed_elsewhere is None:
                await self._context.clock.sleep(CHANGES_SECONDS)
            else:
                await rest(self._context.clock, CHANGES_SECONDS, store.changed_elsewhere)
                store.changed_elsewhere.clear()
            had_poller = bool(store.poller())
            await self._take_over_changes()
            if had_poller and not store.poller():
                # Whoever polled has left: somebody else goes on at once.
                self._lease_is_stale = True
                self._wake.set()
            if self._context.clock.monotonic() >= renew_at:
                renew_at = self._context.clock.monotonic() + LEASE_RENEWAL_SECONDS
                self._lease_is_stale = True
                self._wake.set()

    async def _take_over_changes(self) -> None:
        try:
            changes = await self._context.repository.store.changes()
        except (StoreError, OSError) as error:
            self._context.repository.report_store_error(_as_store_error(error), "changes")
            return
        self._context.repository.report_store_error(None, "changes")
        silent = {order.id: order for order in changes.orders}
        for entry in changes.entries:
            silent.pop(entry.order_id, None)
            known = self._context.repository.store.order(entry.order_id)
            if known is not None:
                self._context.repository.publish(OrderChanged(known, entry))
        for order in silent.values():
            self._context.repository.publish(OrderChanged(order))

    def _has_stood_still(self) -> bool:
        """Return whether this process was suspended for so long that another may hold the lease by now."""
        return seconds_between(self._lease_asked_at, self._context.clock.now()) >= LEASE_SECONDS

    async def _renew(self) -> None:
        self._lease_is_stale, self._lease_asked_at = False, self._context.clock.now()
        try:
            leased = await self._context.repository.store.lease(list(self._due), LEASE_SECONDS)
        except (StoreError, OSError) as error:
            self._report_unrenewed(_as_store_error(error))
            return
        self._is_unrenewed = False
        self._context.repository.report_store_error(None, "leases")
        taken, self._leased = leased - self._leased, leased
        for order_id in taken:
            order = self._context.repository.store.order(order_id)
            if order is not None and order.window is not None:
                window = schedule.after_set_back(order.window, self._context.clock.now())
                if window is not order.window:
                    order = replace(order, window=window)
                    self._context.repository.note(order)
                self._take(order)

    def _report_unrenewed(self, error: StoreError) -> None:
        """Report that the lease could not be renewed; orders polled here are polled on, since they are paid for."""
        self._context.repository.report_store_error(error, "leases")
        if not self._is_unrenewed:
            self._is_unrenewed = True
            does = "polling goes on" if self._leased else "this process does not poll"
            what = f"the polling lease could not be renewed; {does}, and another process may poll too"
            self._context.repository.publish(FailureReported(self._context.clock.now(), what, error))

    async def _give_back(self) -> None:
        try:
            await self._context.repository.store.release()
        except (StoreError, OSError) as error:
            # Leases that are not given back expire by themselves.
            self._context.repository.report_store_error(_as_store_error(error), "leases")


def _as_store_error(error: StoreError | OSError) -> StoreError:
    if isinstance(error, StoreError):
        return error
    return StoreError(error.filename or "the data directory", error.strerror or str(error), "check the file system")


def _as_exception(error: BaseException) -> Exception:
    return error if isinstance(error, Exception) else RuntimeError(repr(error))
