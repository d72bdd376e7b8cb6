"""Which orders are local: a remote one is taken on and polled, a finished one taken off; its timeline is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from msgspec.structs import replace

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.errors import DuplicateOrder, InputError
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, Origin, state_for
from sectigo_tui.domain.polling import PollOutcome, PollResult
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.orders.batch import Outcome, each
from sectigo_tui.engine.orders.order_locks import OrderLocks
from sectigo_tui.engine.polling import schedule

_OUTCOMES = {OrderState.PENDING: PollOutcome.PENDING, OrderState.ISSUED: PollOutcome.ISSUED}


def is_removable(order: Order) -> bool:
    """Return whether nothing is left to come of an order by itself."""
    return order.state.is_final or order.state is OrderState.COLLECTED


class Tracking:
    """Takes remote orders on, and finished ones off.

    Args:
        context: What every service works with.
        order_locks: Keeps writes to one order apart.
    """

    def __init__(self, context: Context, order_locks: OrderLocks) -> None:
        self._context = context
        self._order_locks = order_locks

    async def track(self, ssl_id: int) -> Order:
        """Take one order of the account on; the request that asks for it counts as its first poll.

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
        details = await self._context.details(ssl_id)
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

    async def remove(self, order_id: str) -> Order:
        """Take a finished order off the list.

        Args:
            order_id: The local order.

        Returns:
            The order, removed.

        Raises:
            InputError: There is none, or it is not finished.
            StoreError: It could not be written.
        """
        return await self._order_locks.run(order_id, partial(self._remove, order_id))

    async def remove_all(
        self,
        order_ids: Iterable[str],
        progress: Callable[[Outcome[str, Order]], None] = lambda _outcome: None,
    ) -> tuple[Outcome[str, Order], ...]:
        """Take several finished orders off the list; failures are in the outcomes."""
        return await each(order_ids, self.remove, progress)

    def _local(self, details: OrderDetails, latency_seconds: float) -> Order:
        now, state = self._context.clock.now(), state_for(details.status)
        order = Order(
            id=self._context.new_order_id(),
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

    async def _remove(self, order_id: str) -> Order:
        order = await self._context.repository.change(order_id, self._removed)
        if order is None:
            raise InputError(f"there is no local order {order_id}", "refresh the list")
        return order

    def _removed(self, order: Order) -> tuple[Order, TimelineEntry] | None:
        if order.removed:
            return None
        if not is_removable(order):
            raise InputError(f"order {order.ssl_id or order.id} is {order.state}", "only finished orders are removed")
        entry = TimelineEntry(
            at=self._context.clock.now(),
            order_id=order.id,
            kind=EventKind.REMOVED,
            summary=f"removed from the list, {order.state}",
            ssl_id=order.ssl_id,
        )
        return replace(order, removed=True), entry
