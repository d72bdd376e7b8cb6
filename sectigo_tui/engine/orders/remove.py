"""Taking finished orders off the list; their timelines are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from msgspec.structs import replace

from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.orders.batch import Outcome, each
from sectigo_tui.engine.orders.order_locks import OrderLocks


def is_removable(order: Order) -> bool:
    """Return whether nothing is left to come of an order by itself."""
    return order.state.is_final or order.state is OrderState.COLLECTED


class Removing:
    """Removes orders from the local list.

    Args:
        context: The world.
        order_locks: Keeps writes to one order apart.
    """

    def __init__(self, context: Context, order_locks: OrderLocks) -> None:
        self._context = context
        self._order_locks = order_locks

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
