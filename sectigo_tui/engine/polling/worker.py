"""The poll worker of one pending order."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import CredentialsRefused, StoreError
from sectigo_tui.domain.events import EventKind, FailureReported, PollFinished, PollStarted, TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollWindow, WindowEnd
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.polling import schedule as policy
from sectigo_tui.engine.polling.poll import PollAnswer, Poller, apply

NOT_POLLED_SECONDS = 120.0
"""A poll that is this late is preceded by a note that nothing was polled in between."""


class PollWorker:
    """Looks at one order whenever the supervisor calls, and decides when it wants to be called next.

    A poll may fail and polling may stop, but the order fails only when SCM says so.

    Args:
        order_id: Its order.
        context: The world.
        looker: Makes the polls.

    Attributes:
        looking: Whether polling; set by whoever starts it.
        queued_for: The due time (POSIX) for which the supervisor has it queued; None while it has not.
        missed_at: When a poll was due that a pause has put off; None when none was.
        breaks: How many polls in a row have broken by a defect.
    """

    __slots__ = ("_context", "_looker", "breaks", "in_flight", "missed_at", "order_id", "queued_for")

    def __init__(self, order_id: str, context: Context, looker: Poller) -> None:
        self.order_id = order_id
        self.in_flight = False
        self.queued_for: float | None = None
        self.missed_at: datetime | None = None
        self.breaks = 0
        self._context = context
        self._looker = looker

    async def poll(self) -> None:
        """Make one poll and write down what it means. Raises nothing but cancellation."""
        try:
            order = self._context.repository.store.order(self.order_id)
            if order is not None and order.state.is_polled and order.window is not None and order.window.is_open:
                await self._note_not_polled(order, order.window)
                await self._poll_order(order)
        except StoreError:
            # The book has published it: the disk's answer concerns every order.
            self._read_again()
        finally:
            self.in_flight = False

    async def _poll_order(self, order: Order) -> None:
        self._context.repository.publish(PollStarted(self.order_id))
        poll_answer = await self._looker.poll(order)
        try:
            await self._write_down(poll_answer)
        except StoreError:
            failure = poll_answer.failure
            self._read_again(failure.retry_after_seconds if failure is not None else None)
        finally:
            self.in_flight = False
            self._context.repository.publish(PollFinished(self.order_id, poll_answer.poll))

    async def _write_down(self, poll_answer: PollAnswer) -> None:
        if isinstance(poll_answer.failure, CredentialsRefused) and not poll_answer.failure.sent:
            return
        context, now, path = self._context, self._context.clock.now(), ""
        if poll_answer.bundle:
            path = await context.repository.save_certificate(self.order_id, poll_answer.bundle)
        if poll_answer.aside:
            await context.repository.save_certificate(self.order_id, poll_answer.aside, aside=True)

        def change(order: Order) -> tuple[Order, TimelineEntry | None] | None:
            if not order.state.is_polled:
                return None
            outcome = apply(order, poll_answer, now, context.random, rearm=context.options.rearm)
            return replace(outcome.order, certificate_path=path or order.certificate_path), outcome.entry

        order = await context.repository.change(self.order_id, change, poll=poll_answer.poll)
        stopped = order is not None and order.window is not None and order.window.ended is WindowEnd.STOPPED
        if stopped and poll_answer.failure is not None:
            context.repository.publish(FailureReported(now, "polling stopped", poll_answer.failure, self.order_id))

    async def _note_not_polled(self, order: Order, window: PollWindow) -> None:
        now, due = self._context.clock.now(), self.missed_at or window.next_poll_at
        self.missed_at = None
        if due is None:
            return
        late = seconds_between(due, now)
        if late > NOT_POLLED_SECONDS:
            entry = TimelineEntry(
                at=now,
                order_id=order.id,
                kind=EventKind.NOT_POLLED,
                summary=f"not polled since {due:%Y-%m-%d %H:%MZ}, {late / 60:.0f} min",
                ssl_id=order.ssl_id,
            )
            await self._context.repository.record(order, entry)

    def _read_again(self, retry_after_seconds: float | None = None) -> None:
        context = self._context
        order = context.repository.store.order(self.order_id)
        if order is not None and order.window is not None and order.window.is_open:
            now = context.clock.now()
            window = policy.repeated(order.window, now, context.random, retry_after_seconds=retry_after_seconds)
            context.repository.note(replace(order, window=window))
