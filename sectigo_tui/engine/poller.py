"""The poll worker of one pending order."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import CredentialsRefused, StoreError
from sectigo_tui.domain.events import EventKind, FailureReported, LookMade, LookStarted, TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollWindow, WindowEnd
from sectigo_tui.engine import policy
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.looking import Looker, Sighting, apply

GAP_SECONDS = 120.0
"""A look that is this late is preceded by a note that nobody looked in between."""


class PollWorker:
    """Looks at one order whenever the supervisor calls, and decides when it wants to be called next.

    A look may fail and polling may stop, but the order fails only when SCM says so.

    Args:
        order_id: Its order.
        context: The world.
        looker: Makes the looks.

    Attributes:
        looking: Whether a look is on its way; set by whoever starts it.
        queued_for: The due time (POSIX) for which the supervisor has it queued; None while it has not.
        missed_at: When a look was due that a pause has put off; None when none was.
        breaks: How many looks in a row have broken by a defect.
    """

    __slots__ = ("_context", "_looker", "breaks", "looking", "missed_at", "order_id", "queued_for")

    def __init__(self, order_id: str, context: Context, looker: Looker) -> None:
        self.order_id = order_id
        self.looking = False
        self.queued_for: float | None = None
        self.missed_at: datetime | None = None
        self.breaks = 0
        self._context = context
        self._looker = looker

    async def look(self) -> None:
        """Make one look and write down what it means. Raises nothing but cancellation."""
        try:
            order = self._context.book.store.order(self.order_id)
            if order is not None and order.state.is_polled and order.window is not None and order.window.is_open:
                await self._note_gap(order, order.window)
                await self._look_at(order)
        except StoreError:
            # The book has announced it: the disk's answer concerns every order.
            self._look_again()
        finally:
            self.looking = False

    async def _look_at(self, order: Order) -> None:
        self._context.book.announce(LookStarted(self.order_id))
        sighting = await self._looker.look(order)
        try:
            await self._write_down(sighting)
        except StoreError:
            failure = sighting.failure
            self._look_again(failure.retry_after_seconds if failure is not None else None)
        finally:
            self.looking = False
            self._context.book.announce(LookMade(self.order_id, sighting.look))

    async def _write_down(self, sighting: Sighting) -> None:
        if isinstance(sighting.failure, CredentialsRefused) and not sighting.failure.sent:
            return
        context, now, path = self._context, self._context.clock.now(), ""
        if sighting.bundle:
            path = await context.book.save_certificate(self.order_id, sighting.bundle)
        if sighting.aside:
            await context.book.save_certificate(self.order_id, sighting.aside, aside=True)

        def change(order: Order) -> tuple[Order, TimelineEntry | None] | None:
            if not order.state.is_polled:
                return None
            outcome = apply(order, sighting, now, context.random, rearm=context.policy.rearm)
            return replace(outcome.order, certificate_path=path or order.certificate_path), outcome.entry

        order = await context.book.change(self.order_id, change, look=sighting.look)
        stopped = order is not None and order.window is not None and order.window.ended is WindowEnd.STOPPED
        if stopped and sighting.failure is not None:
            context.book.announce(FailureReported(now, "polling stopped", sighting.failure, self.order_id))

    async def _note_gap(self, order: Order, window: PollWindow) -> None:
        now, due = self._context.clock.now(), self.missed_at or window.next_look_at
        self.missed_at = None
        if due is None:
            return
        late = seconds_between(due, now)
        if late > GAP_SECONDS:
            entry = TimelineEntry(
                at=now,
                order_id=order.id,
                kind=EventKind.GAP,
                summary=f"nobody looked since {due:%Y-%m-%d %H:%MZ}, {late / 60:.0f} min",
                ssl_id=order.ssl_id,
            )
            await self._context.book.record(order, entry)

    def _look_again(self, retry_after_seconds: float | None = None) -> None:
        context = self._context
        order = context.book.store.order(self.order_id)
        if order is not None and order.window is not None and order.window.is_open:
            now = context.clock.now()
            window = policy.repeated(order.window, now, context.random, retry_after_seconds=retry_after_seconds)
            context.book.note(replace(order, window=window))
