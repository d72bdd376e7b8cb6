"""The poll worker of one pending order."""

from __future__ import annotations

from dataclasses import replace

from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import CredentialsRefused, StoreError
from sectigo_tui.domain.events import EventKind, FailureReported, LookMade, LookStarted, TimelineEntry
from sectigo_tui.domain.orders import Order, WindowEnd
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
        looking: Whether a look is on its way.
        queued_for: The due time (POSIX) for which the supervisor has it queued; None while it has not.
    """

    __slots__ = ("_context", "_looker", "looking", "order_id", "queued_for")

    def __init__(self, order_id: str, context: Context, looker: Looker) -> None:
        self.order_id = order_id
        self.looking = False
        self.queued_for: float | None = None
        self._context = context
        self._looker = looker

    async def look(self) -> None:
        """Make one look and write down what it means. Raises nothing but cancellation."""
        order = self._context.book.store.order(self.order_id)
        if order is None or not order.state.is_polled:
            return
        self.looking = True
        self._context.book.announce(LookStarted(self.order_id))
        try:
            await self._note_gap(order)
            sighting = await self._looker.look(order)
            if not (isinstance(sighting.failure, CredentialsRefused) and not sighting.failure.sent):
                await self._write_down(sighting)
        except StoreError as error:
            # The disk's answer concerns every order: the book has announced it, and the look is made again.
            self._postpone(error)
        finally:
            self.looking = False

    async def _write_down(self, sighting: Sighting) -> None:
        context, now = self._context, self._context.clock.now()
        path = await self._keep(sighting)

        def change(order: Order) -> tuple[Order, TimelineEntry | None] | None:
            if not order.state.is_polled:
                return None
            outcome = apply(order, sighting, now, context.random, rearm=context.policy.rearm)
            return replace(outcome.order, certificate_path=path or order.certificate_path), outcome.entry

        order = await context.book.change(self.order_id, change, look=sighting.look)
        context.book.announce(LookMade(self.order_id, sighting.look))
        stopped = order is not None and order.window is not None and order.window.ended is WindowEnd.STOPPED
        if stopped and sighting.failure is not None:
            context.book.announce(FailureReported(now, "polling stopped", sighting.failure, self.order_id))

    async def _keep(self, sighting: Sighting) -> str:
        if not sighting.bundle:
            return ""
        return await self._context.book.store.save_certificate(self.order_id, sighting.bundle)

    async def _note_gap(self, order: Order) -> None:
        now, window = self._context.clock.now(), order.window
        if window is None or window.next_look_at is None or window.looks == 0:
            return
        late = seconds_between(window.next_look_at, now)
        if late > GAP_SECONDS:
            entry = TimelineEntry(
                at=now,
                order_id=order.id,
                kind=EventKind.GAP,
                summary=f"nobody looked since {window.next_look_at:%Y-%m-%d %H:%MZ}, {late / 60:.0f} min",
                ssl_id=order.ssl_id,
            )
            await self._context.book.store.record(entry)

    def _postpone(self, error: StoreError) -> None:
        self._context.book.trouble(error)
        order = self._context.book.store.order(self.order_id)
        if order is not None and order.window is not None and order.window.is_open:
            now = self._context.clock.now()
            self._context.book.note(replace(order, window=policy.after_look(order.window, now, self._context.random)))
