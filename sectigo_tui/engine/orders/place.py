"""Placing an order: billed, not idempotent, so written down before it is sent and never sent again by itself."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.errors import DoneUnsaved, DuplicateOrder, ScmFailure, StoreError, Unreadable
from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, PendingEnroll
from sectigo_tui.domain.polling import PollOutcome, PollResult
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.orders.entries import WriteOutcome, change_entry, in_words, write_outcome_of
from sectigo_tui.engine.orders.order_locks import OrderLocks
from sectigo_tui.engine.polling import schedule
from sectigo_tui.engine.requests.limiter import Priority


class Placed(Struct, frozen=True):
    """What came of placing an order.

    Args:
        order: The order: submitted, or unconfirmed when the answer was lost.
        lost: How the answer was lost; None when it came. The order is then searched for by itself.
    """

    order: Order
    lost: ScmFailure | None = None


class Placing:
    """Sends orders that are written down as intents, and writes down what came of it.

    Args:
        context: What every service works with.
        order_locks: The sole right to write to an order.
    """

    def __init__(self, context: Context, order_locks: OrderLocks) -> None:
        self._context = context
        self._order_locks = order_locks
        self._sent: set[str] = set()

    def has_sent(self, order_id: str) -> bool:
        """Return whether this process has sent an order, so that nobody else is sending it."""
        return order_id in self._sent

    async def place(
        self, order: Order, asked: TimelineEntry, *, check: Callable[[list[Order]], None] | None = None
    ) -> Placed:
        """Write a new order down as an intent, then send it once.

        Args:
            order: The intent, not in the store yet.
            asked: The entry for its timeline.
            check: Rejects it by an `InputError` for other local orders, those of other processes included; nothing
                comes between this and the intent on disk.

        Returns:
            What came of it; a lost answer is not a failure of this call.

        Raises:
            InputError: `check` rejected it, and nothing was sent.
            ScmFailure: SCM rejected it, or it certainly was not sent; the order is failed, or withdrawn.
            StoreError: The intent could not be written, and nothing was sent; or SCM's rejection could not.
            DoneUnsaved: SCM took it, which could not be written: the order is searched for once the disk works again.
        """

        async def write() -> Placed:
            return await self.send(await self._context.repository.add(order, asked, check=check))

        return await self._order_locks.run(order.id, write)

    async def send(self, order: Order) -> Placed:
        """Send an intent that is on disk, once; the caller holds the order lock. Raises as `place` does."""
        context = self._context
        self._sent.add(order.id)
        try:
            ssl_id = await context.limiter.run(Priority.WRITE, lambda: self._call(order))
        except ScmFailure as failure:
            return await self._not_answered(order, failure)
        if self._is_anothers(order, ssl_id):
            return await self._misled(order, ssl_id)
        how = "SCM took the order"
        try:
            return Placed(await self._settle(order.id, ssl_id, how, None))
        except DuplicateOrder:
            return await self._misled(order, ssl_id)
        except StoreError as error:
            done = self._submitted(order, ssl_id, how, None)
            if done is None:
                raise
            raise DoneUnsaved(done[0], error) from error

    async def settle(self, order_id: str, ssl_id: int, how: str, details: OrderDetails | None = None) -> Order:
        """Write down the sslId that an order got, and poll it from now on.

        Args:
            order_id: The order, an intent or unconfirmed.
            ssl_id: Its sslId.
            how: How it was learned, for the timeline.
            details: SCM's details, where they were asked for.

        Returns:
            The order; the local one that has the sslId already, if somebody tracked it meanwhile.

        Raises:
            StoreError: It could not be written.
        """
        other = self._context.repository.store.by_ssl_id(ssl_id)
        if other is not None and other.id != order_id:
            return await self._merge(order_id, other, how)
        try:
            return await self._settle(order_id, ssl_id, how, details)
        except DuplicateOrder as duplicate:
            other = self._context.repository.store.order(duplicate.order_id)
            if other is None:
                raise
            return await self._merge(order_id, other, how)

    async def _settle(self, order_id: str, ssl_id: int, how: str, details: OrderDetails | None) -> Order:
        order = await self._context.repository.change(
            order_id, lambda order: self._submitted(order, ssl_id, how, details)
        )
        if order is None:
            raise LookupError(f"order {order_id} is not in the store")
        return order

    def _is_anothers(self, order: Order, ssl_id: int) -> bool:
        """Return whether an answered sslId cannot be the new order's: it was there before, or is another's here."""
        known = order.pending_enroll.known_ssl_ids if order.pending_enroll else ()
        other = self._context.repository.store.by_ssl_id(ssl_id)
        return ssl_id in known or ssl_id == order.renews_ssl_id or (other is not None and other.id != order.id)

    async def _misled(self, order: Order, ssl_id: int) -> Placed:
        """Keep an order unconfirmed that was answered with another's sslId: its own is searched for."""
        failure = Unreadable(
            "renew" if order.renews_ssl_id is not None else "enroll",
            f"SCM answered with sslId {ssl_id}, which is another order's",
            http_status=200,
        )
        lost = await self._context.repository.change(order.id, lambda order: self._unconfirmed(order, failure, True))
        return Placed(lost or order, failure)

    async def _call(self, order: Order) -> int:
        if order.pending_enroll is not None and order.pending_enroll.request is not None:
            return await self._context.scm.enroll(order.pending_enroll.request)
        if order.renews_ssl_id is None:
            raise LookupError(f"order {order.id} has nothing to send")
        return await self._context.scm.renew(order.renews_ssl_id, order.csr_pem)

    def _submitted(
        self, order: Order, ssl_id: int, how: str, details: OrderDetails | None
    ) -> tuple[Order, TimelineEntry] | None:
        if order.ssl_id is not None:
            return None
        now = self._context.clock.now()
        # Given up, and found at SCM all the same: what is billed is never hidden.
        state = OrderState.PENDING if order.state is OrderState.FAILED else OrderState.SUBMITTED
        after = replace(
            order.to(state, now),
            ssl_id=ssl_id,
            pending_enroll=None,
            rejection="",
            removed=False,
            window=schedule.open_window(now, self._context.options.deadline_seconds),
        )
        if details is not None:
            poll = PollResult(now, PollOutcome.PENDING, details.status, http_status=200)
            after = replace(after.learn(details), last_poll=poll, last_answer_at=now)
        return after, change_entry(now, order, after, f"{how}, sslId {ssl_id}", http_status=200)

    async def _not_answered(self, order: Order, failure: ScmFailure) -> Placed:
        write_outcome = write_outcome_of(failure)
        is_first = order.pending_enroll is None or order.pending_enroll.attempt == 1
        if write_outcome is WriteOutcome.UNKNOWN:
            lost = await self._context.repository.change(
                order.id, lambda order: self._unconfirmed(order, failure, True)
            )
            return Placed(lost or order, failure)
        if not is_first:
            # What was sent before may still come to light: the order goes back to where it was.
            await self._context.repository.change(order.id, lambda order: self._unconfirmed(order, failure, False))
        else:
            await self._context.repository.change(order.id, lambda order: self._failed(order, failure, write_outcome))
        raise failure

    def _unconfirmed(self, order: Order, failure: ScmFailure, is_searched: bool) -> tuple[Order, TimelineEntry] | None:
        if order.state is not OrderState.INTENT:
            return None
        now = self._context.clock.now()
        pending_enroll = replace(
            order.pending_enroll or PendingEnroll(order.created_at),
            next_search_at=now if is_searched else None,
            error=in_words(failure),
        )
        after = replace(order.to(OrderState.UNCONFIRMED, now), pending_enroll=pending_enroll)
        word = "outcome unknown" if is_searched else "not ordered again"
        return after, change_entry(now, order, after, f"{word}: {in_words(failure)}", failure=failure)

    def _failed(
        self, order: Order, failure: ScmFailure, write_outcome: WriteOutcome
    ) -> tuple[Order, TimelineEntry] | None:
        if order.state not in (OrderState.INTENT, OrderState.UNCONFIRMED):
            return None
        now, is_refused = self._context.clock.now(), write_outcome is WriteOutcome.REFUSED
        after = replace(
            order.to(OrderState.FAILED, now),
            pending_enroll=None,
            rejection=in_words(failure),
            removed=not is_refused,
        )
        word = "refused" if is_refused else "withdrawn, not ordered"
        return after, change_entry(now, order, after, f"{word}: {in_words(failure)}", failure=failure)

    async def _merge(self, order_id: str, other: Order, how: str) -> Order:
        store, now = self._context.repository.store, self._context.clock.now()
        mine = store.order(order_id)
        if mine is None:
            return other

        def take_over(order: Order) -> tuple[Order, TimelineEntry] | None:
            if order.order_tag or (order.csr_pem and order.key_path):
                return None
            after = replace(
                order,
                origin=mine.origin,
                order_tag=mine.order_tag,
                csr_pem=order.csr_pem or mine.csr_pem,
                key_path=order.key_path or mine.key_path,
                renews_ssl_id=order.renews_ssl_id or mine.renews_ssl_id,
            )
            return after, change_entry(now, order, after, f"{how}: it is what order {order_id} asked for")

        def withdraw(order: Order) -> tuple[Order, TimelineEntry] | None:
            if order.removed:
                return None
            summary = f"{how}: it is local order {other.id}, sslId {other.ssl_id}"
            after = replace(order.to(OrderState.FAILED, now), pending_enroll=None, rejection=summary, removed=True)
            return after, change_entry(now, order, after, summary)

        taken = await self._context.repository.change(other.id, take_over)
        await self._context.repository.change(order_id, withdraw)
        return taken or other
