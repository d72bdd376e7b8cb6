"""Writes to orders: one at a time for each order, and each carried to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sectigo_tui.domain.errors import OrderBusy, SectigoTuiError
from sectigo_tui.domain.events import FailureReported
from sectigo_tui.engine.context import Context

T = TypeVar("T")


class OrderLocks:
    """Runs writes, at most one at a time for each order.

    A write runs in a task of its own: whoever asked may stop waiting (a closed dialog), and what SCM answered is
    written down all the same. A lock is of this process only. That two processes never send one intent rests on
    the store: an intent is sent by the process whose change to the order made it one.

    Args:
        context: What every service works with.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._writes: dict[str, asyncio.Task[None]] = {}

    def is_busy(self, order_id: str) -> bool:
        """Return whether this process is writing to an order."""
        return order_id in self._writes

    async def run(self, order_id: str, write: Callable[[], Awaitable[T]]) -> T:
        """Carry out a write as a whole.

        Args:
            order_id: The order, which need not be in the store yet.
            write: Asks SCM and writes the answer down; a failure that nobody waits for any more has been written
                down by it too.

        Returns:
            What `write` returned; its failures are raised.

        Raises:
            OrderBusy: Something is being written to the order; nothing was done.
        """
        if self.is_busy(order_id):
            raise OrderBusy(f"order {order_id} is being written to already", "wait for the answer")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._carry_out(order_id, write, done), name=f"write {order_id}")
        self._writes[order_id] = task
        task.add_done_callback(lambda ended: self._ended(ended, order_id, done))
        return await done

    async def _carry_out(self, order_id: str, write: Callable[[], Awaitable[T]], done: asyncio.Future[T]) -> None:
        try:
            result = await write()
        except Exception as failure:  # noqa: BLE001 - the boundary of a write: raised to the caller, or published
            del self._writes[order_id]
            if not done.done():
                done.set_exception(failure)
            elif not isinstance(failure, SectigoTuiError):
                now = self._context.clock.now()
                self._context.repository.publish(FailureReported(now, "a write broke", failure, order_id))
        else:
            del self._writes[order_id]
            if not done.done():
                done.set_result(result)

    def _ended(self, task: asyncio.Task[None], order_id: str, done: asyncio.Future[T]) -> None:
        if task.cancelled():
            # The loop is ending, and with it whoever waits.
            del self._writes[order_id]
            done.cancel()
