"""Approving and declining orders that wait in SCM for an administrator."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from msgspec import Struct

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.errors import InputError, ScmFailure
from sectigo_tui.domain.events import EventKind
from sectigo_tui.domain.limits import MESSAGE_AT_MOST
from sectigo_tui.domain.status import is_same, waits_for_approval
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.orders.batch import Outcome, each
from sectigo_tui.engine.orders.entries import WriteOutcome, in_words, record, write_outcome_of
from sectigo_tui.engine.requests.limiter import Priority


class Decision(Struct, frozen=True):
    """What SCM did with an order.

    Args:
        ssl_id: The order.
        order_id: The local order, to be polled now; empty where it is not local.
        shown: SCM's details, where the answer itself was lost and they had to tell.
    """

    ssl_id: int
    order_id: str = ""
    shown: OrderDetails | None = None


class Approving:
    """Approves and declines.

    Args:
        context: What every service works with.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def approve(self, ssl_id: int, message: str) -> Decision:
        """Approve an order; whoever requested an EV order may not (-1140).

        Args:
            ssl_id: The order, local or not.
            message: 1 to 512 characters, kept by SCM.

        Returns:
            What SCM did.

        Raises:
            InputError: The message cannot be used, or the program is read-only; nothing was sent.
            ScmFailure: SCM rejected; or its answer was lost, and its details do not tell that it was done.
            StoreError: The request could not be recorded; nothing was sent.
        """
        return await self._decide("approve", ssl_id, message, self._context.scm.approve)

    async def decline(self, ssl_id: int, message: str) -> Decision:
        """Decline an order, which ends it. As `approve`."""
        return await self._decide("decline", ssl_id, message, self._context.scm.decline)

    async def approve_all(
        self,
        ssl_ids: Iterable[int],
        message: str,
        progress: Callable[[Outcome[int, Decision]], None] = lambda _outcome: None,
    ) -> tuple[Outcome[int, Decision], ...]:
        """Approve several orders, one after another; failures are in the outcomes."""
        return await each(ssl_ids, lambda ssl_id: self.approve(ssl_id, message), progress)

    async def _decide(
        self, word: str, ssl_id: int, message: str, call: Callable[[int, str], Awaitable[None]]
    ) -> Decision:
        self._context.check_writable(f"{word[:-1]}ing")
        if not len(message.strip()) >= 1 or len(message) > MESSAGE_AT_MOST:
            raise InputError(f"the message has {len(message.strip())} characters", f"write 1 to {MESSAGE_AT_MOST}")
        local = self._context.repository.store.by_ssl_id(ssl_id)
        order_id = local.id if local else ""
        await record(self._context, EventKind.WRITE_ASKED, f"{word}: {message}", order_id=order_id, ssl_id=ssl_id)
        before = local.scm_status if local else ""
        shown = None
        try:
            await self._context.limiter.run(Priority.WRITE, lambda: call(ssl_id, message))
        except ScmFailure as failure:
            shown = await self._recorded(ssl_id, before, failure)
            words = f"{word}: seen as done, its answer was lost" if shown else f"{word} failed: {in_words(failure)}"
            await record(
                self._context,
                EventKind.WRITE_ANSWERED,
                words,
                order_id=order_id,
                ssl_id=ssl_id,
                failure=failure,
                may_fail=True,
            )
            if shown is None:
                raise
        else:
            await record(
                self._context,
                EventKind.WRITE_ANSWERED,
                f"{word}: done",
                order_id=order_id,
                ssl_id=ssl_id,
                http_status=204,
                may_fail=True,
            )
        return Decision(ssl_id, order_id, shown)

    async def _recorded(self, ssl_id: int, before: str, failure: ScmFailure) -> OrderDetails | None:
        if write_outcome_of(failure) is not WriteOutcome.UNKNOWN:
            return None
        try:
            details = await self._context.details(ssl_id)
        except ScmFailure:
            return None
        still_waits = waits_for_approval(details.status)
        return None if still_waits and (not before or is_same(details.status, before)) else details
