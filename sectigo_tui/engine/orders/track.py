"""Adopting orders of the account: a remote order becomes local, and is polled."""

from __future__ import annotations

from random import Random

from msgspec.structs import replace

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.errors import DuplicateOrder
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, Origin, state_for
from sectigo_tui.domain.polling import PollOutcome, PollResult
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.polling import schedule
from sectigo_tui.engine.requests.limiter import Priority

_OUTCOMES = {OrderState.PENDING: PollOutcome.PENDING, OrderState.ISSUED: PollOutcome.ISSUED}


def new_order_id(random: Random) -> str:
    """Return an id for a local order: 12 hexadecimal digits."""
    return f"{random.getrandbits(48):012x}"


class Tracking:
    """Makes remote orders local.

    Args:
        context: The world.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def track(self, ssl_id: int) -> Order:
        """Adopt one order of the account; the request that asks for it counts as its first poll.

        Args:
            ssl_id: The order.

        Returns:
            The local order, polled when it is pending or not collected; the one there is when it is local already.

        Raises:
            ScmFailure: SCM did not tell it.
            StoreError: It could not be written.
        """
        known = self._context.repository.store.by_ssl_id(ssl_id)
        if known is not None:
            return known
        started = self._context.clock.monotonic()
        details = await self._context.limiter.run(Priority.WRITE, lambda: self._context.scm.details(ssl_id))
        order = self._local(details, self._context.clock.monotonic() - started)
        entry = TimelineEntry(
            at=order.created_at,
            order_id=order.id,
            kind=EventKind.CREATED,
            summary=f"tracked, SCM status {details.status}",
            to_state=order.state,
            scm_status=details.status,
            http_status=200,
            ssl_id=ssl_id,
        )
        try:
            return await self._context.repository.add(order, entry)
        except DuplicateOrder as duplicate:
            known = self._context.repository.store.order(duplicate.order_id)
            if known is None:
                raise
            return known

    def _local(self, details: OrderDetails, latency_seconds: float) -> Order:
        now, state = self._context.clock.now(), state_for(details.status)
        order = Order(
            id=new_order_id(self._context.random),
            state=state,
            state_since=now,
            created_at=now,
            origin=Origin.TRACKED,
            ssl_id=details.ssl_id,
            last_poll=PollResult(now, _OUTCOMES.get(state, PollOutcome.FINAL), details.status, latency_seconds, 200),
            last_answer_at=now,
        ).learn(details)
        if state.is_polled:
            window = schedule.open_window(now, self._context.options.deadline_seconds)
            if state is OrderState.PENDING:
                window = schedule.after_poll(window, now, self._context.random)
            order = replace(order, window=window)
        return order
