"""Recovery of orders whose answer was lost: search until found, or until the operator decides."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from sectigo_tui.domain.certificates import OrderDetails, ReportDate, ReportQuery
from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import CredentialsRefused, InputError, RateLimited, ScmFailure
from sectigo_tui.domain.events import EventKind, FailureReported, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, PendingEnroll
from sectigo_tui.engine.account.reports import REPORT_EVERY_SECONDS, Reports
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.orders.entries import change_entry, in_words
from sectigo_tui.engine.orders.lookup import marked, order_tag_of, search, tagged_order, tagged_orders, untagged
from sectigo_tui.engine.orders.order_locks import OrderLocks
from sectigo_tui.engine.orders.pending_writes import Retries
from sectigo_tui.engine.orders.place import Placed, Placing

SEARCHES = 6
"""After this many searches by the poll schedule (some eight minutes) the operator is asked."""

PATIENCE = timedelta(minutes=5)
"""An intent of another process that is older than this, longer than any request lasts, is abandoned."""


REPORTED_AT_MOST = timedelta(days=30)
"""An order that was lost longer ago is searched for by its name alone."""


class Recovery:
    """Finds orders whose answer from SCM was lost, and lets the operator decide about those not found.

    Only `order_again` sends an order, and only at the operator's request.

    Args:
        context: What every service works with.
        order_locks: The sole right to write to an order.
        placing: Sends intents, and settles what was found.
        reports: The account's bulk reports, in which an order is found by its tag without looking at each of its name.
    """

    def __init__(
        self, context: Context, order_locks: OrderLocks, placing: Placing, reports: Reports | None = None
    ) -> None:
        self._reports = reports
        self._reported_at: datetime | None = None
        self._tagged: dict[str, list[int]] = {}
        self._context = context
        self._order_locks = order_locks
        self._placing = placing
        self._retries = Retries(context)
        self._due: dict[str, datetime] = {}

    def undecided(self) -> list[Order]:
        """Return the orders that were not found, about which the operator is to be asked."""
        return [order for order in self._context.repository.store.orders() if self.is_undecided(order)]

    def is_undecided(self, order: Order) -> bool:
        """Return whether an order was not found, so that it can be ordered again or given up."""
        pending_enroll = order.pending_enroll
        return (
            order.state is OrderState.UNCONFIRMED
            and (pending_enroll is None or not pending_enroll.is_searched_for)
            and not self._order_locks.is_busy(order.id)
        )

    def begin(self) -> None:
        """Search at once for every unconfirmed order: the program has started, or took over from another process.

        An intent whose process has ended may have been sent.
        """
        now = self._context.clock.now()
        for order in self._context.repository.store.orders():
            if order.state in (OrderState.INTENT, OrderState.UNCONFIRMED):
                self._due[order.id] = now

    def due_at(self, order: Order) -> datetime | None:
        """Return when an order is to be searched for; None when it is not."""
        if order.state not in (OrderState.INTENT, OrderState.UNCONFIRMED):
            return None
        pending_enroll = order.pending_enroll
        asked_at = pending_enroll.asked_at if pending_enroll else order.created_at
        if order.state is OrderState.INTENT:
            patience = timedelta() if self._placing.has_sent(order.id) else PATIENCE
            return self._due.get(order.id, asked_at + patience)
        return self._due.get(order.id, pending_enroll.next_search_at if pending_enroll else order.created_at)

    def note(self, order: Order) -> None:
        """Take note of an order as it is now: what was remembered of one that is settled is forgotten."""
        if order.state not in (OrderState.INTENT, OrderState.UNCONFIRMED):
            self._due.pop(order.id, None)
            self._retries.forget(order.id)

    async def attempt(self, order_id: str) -> None:
        """Search for an order once, and store the outcome. The caller holds the order lock.

        Raises:
            StoreError: It could not be written down; the order is searched for again later.
        """
        next_at = self._due[order_id] = self._retries.next_at(order_id)
        order = await self._context.repository.change(order_id, self._presumed_sent)
        if order is None or order.state is not OrderState.UNCONFIRMED:
            return
        try:
            found = await self._search(order)
        except ScmFailure as failure:
            await self._search_failed(order, failure)
            return
        self._due.pop(order_id, None)
        await self._conclude(order, found, next_at)

    async def order_again(self, order_id: str) -> Placed:
        """Place an order again that was not found, at the operator's request.

        SCM is searched a last time first, and what is found is taken instead.

        Args:
            order_id: The order, undecided.

        Returns:
            What came of it.

        Raises:
            InputError: The order is not undecided, or may have been found.
            ScmFailure: SCM could not be searched, rejected the order, or certainly did not get it; the order stays
                unconfirmed.
            StoreError: It could not be written down.
        """
        self._context.check_writable("ordering")
        return await self._order_locks.run(order_id, lambda: self._again(order_id))

    async def give_up(self, order_id: str) -> Order:
        """End the search for an order: it is not at SCM, as far as the operator knows.

        Args:
            order_id: The order, undecided.

        Returns:
            The order, failed.

        Raises:
            InputError: The order is not undecided.
            StoreError: It could not be written down.
        """

        async def write() -> Order:
            order = await self._context.repository.change(order_id, self._given_up)
            return self._known(order, order_id)

        return await self._order_locks.run(order_id, write)

    async def _again(self, order_id: str) -> Placed:
        context = self._context
        order = self._known(context.repository.store.order(order_id), order_id)
        self._check_undecided(order)
        found = await self._search(order)
        if len(found) == 1:
            return Placed(await self._keep_found(order, found[0]))
        if found:
            raise InputError(_ambiguous(found), "track the right one, and give this one up")
        order = self._known(await context.repository.change(order_id, self._as_intent), order_id)
        if order.state is not OrderState.INTENT:
            raise InputError(f"order {order_id} is {order.state}", "another process was faster")
        return await self._placing.send(order)

    async def _search(self, order: Order) -> tuple[OrderDetails, ...]:
        return await search(self._context, order, self._by_tag if self._reports is not None else None)

    async def _by_tag(self, order: Order) -> OrderDetails | None:
        """Return an order by its tag in a report; None where that does not tell it."""
        assert self._reports is not None  # noqa: S101 - it is called with reports alone
        await self._read_tags(self._reports)
        known = order.pending_enroll.known_ssl_ids if order.pending_enroll else ()
        tagged = [ssl_id for ssl_id in self._tagged.get(order.id, ()) if ssl_id not in known]
        return await tagged_order(self._context, order.id, tagged)

    async def _read_tags(self, reports: Reports) -> None:
        """Read the order tags of what was ordered since the oldest order that is searched for."""
        now = self._context.clock.now()
        if self._reported_at is not None and seconds_between(self._reported_at, now) < REPORT_EVERY_SECONDS:
            return
        self._reported_at = now
        lost = [order for order in self._context.repository.store.orders() if self.due_at(order) is not None]
        since = min((order.created_at for order in lost), default=now).date() - timedelta(days=1)
        query = ReportQuery(ReportDate.REQUESTED, max(since, now.date() - REPORTED_AT_MOST), now.date())
        try:
            report = await reports.read(query)
        except ScmFailure:
            # It was published as an exchange; the listing finds the order all the same, only with more requests.
            return
        self._tagged = {}
        for row in report.rows:
            for order_id in tagged_orders(row.comments):
                self._tagged.setdefault(order_id, []).append(row.ssl_id)

    def _as_intent(self, order: Order) -> tuple[Order, TimelineEntry] | None:
        self._check_undecided(order)
        now = self._context.clock.now()
        before = order.pending_enroll or PendingEnroll(order.created_at)
        attempt = before.attempt + 1
        request, order_tag = before.request, order.order_tag
        if request is not None:
            order_tag = order_tag_of(order.id, attempt)
            request = replace(request, comments=marked(untagged(request.comments), order_tag))
        pending_enroll = PendingEnroll(now, request, before.known_ssl_ids, attempt=attempt)
        after = replace(order.to(OrderState.INTENT, now), pending_enroll=pending_enroll, order_tag=order_tag)
        return after, change_entry(now, order, after, f"order again, attempt {attempt}", kind=EventKind.WRITE_ASKED)

    def _given_up(self, order: Order) -> tuple[Order, TimelineEntry]:
        self._check_undecided(order)
        now, summary = self._context.clock.now(), "given up: not found at SCM"
        after = replace(order.to(OrderState.FAILED, now), pending_enroll=None, rejection=summary)
        return after, change_entry(now, order, after, summary, kind=EventKind.CHANGED)

    def _presumed_sent(self, order: Order) -> tuple[Order, TimelineEntry] | None:
        if order.state is not OrderState.INTENT:
            return None
        now = self._context.clock.now()
        error = "the program ended before SCM's answer was written down"
        pending_enroll = replace(
            order.pending_enroll or PendingEnroll(order.created_at), next_search_at=now, error=error
        )
        after = replace(order.to(OrderState.UNCONFIRMED, now), pending_enroll=pending_enroll)
        return after, change_entry(now, order, after, f"outcome unknown: {error}", kind=EventKind.CHANGED)

    async def _search_failed(self, order: Order, failure: ScmFailure) -> None:
        if isinstance(failure, CredentialsRefused) and self._context.limiter.rejection is not None:
            # Paused until the credentials are new; this is no answer to the search.
            self._due[order.id] = self._context.clock.now()
            return
        wait = failure.retry_after_seconds
        if isinstance(failure, RateLimited) or wait is not None:
            self._due[order.id] = self._retries.next_at(order.id, retry_after_seconds=wait)
        error = f"the search failed: {in_words(failure)}"

        def change(order: Order) -> tuple[Order, TimelineEntry] | None:
            pending_enroll = order.pending_enroll
            if order.state is not OrderState.UNCONFIRMED or pending_enroll is None or pending_enroll.error == error:
                return None
            after = replace(order, pending_enroll=replace(pending_enroll, error=error))
            return after, change_entry(
                self._context.clock.now(), order, after, error, kind=EventKind.NOTE, failure=failure
            )

        await self._context.repository.change(order.id, change)

    async def _conclude(self, order: Order, found: tuple[OrderDetails, ...], next_at: datetime) -> None:
        if len(found) == 1:
            await self._keep_found(order, found[0])
            return
        after = await self._context.repository.change(order.id, lambda order: self._not_found(order, found, next_at))
        pending_enroll = after.pending_enroll if after else None
        was_searched_for = order.pending_enroll is not None and order.pending_enroll.is_searched_for
        if was_searched_for and pending_enroll is not None and not pending_enroll.is_searched_for:
            question = InputError(pending_enroll.error, "order it again, or give it up")
            now = self._context.clock.now()
            self._context.repository.publish(FailureReported(now, "an order was not found", question, order.id))

    async def _keep_found(self, order: Order, details: OrderDetails) -> Order:
        return await self._placing.settle(order.id, details.ssl_id, "found at SCM", details)

    def _not_found(
        self, order: Order, found: tuple[OrderDetails, ...], next_at: datetime
    ) -> tuple[Order, TimelineEntry] | None:
        if order.state is not OrderState.UNCONFIRMED:
            return None
        before = order.pending_enroll or PendingEnroll(order.created_at)
        searches = before.searches + 1
        error = _ambiguous(found) if found else f"not found at SCM ({searches} searches)"
        is_over = bool(found) or searches >= SEARCHES
        pending_enroll = replace(
            before,
            searches=searches,
            next_search_at=None if is_over else next_at,
            error=error,
        )
        after = replace(order, pending_enroll=pending_enroll)
        return after, change_entry(self._context.clock.now(), order, after, error, kind=EventKind.NOTE)

    def _check_undecided(self, order: Order) -> None:
        if order.state is not OrderState.UNCONFIRMED:
            raise InputError(f"order {order.ssl_id or order.id} is {order.state}", "there is nothing to decide")
        if order.pending_enroll is not None and order.pending_enroll.is_searched_for:
            raise InputError(f"order {order.id} is still being searched for", "wait until the search has ended")

    def _known(self, order: Order | None, order_id: str) -> Order:
        if order is None:
            raise InputError(f"there is no local order {order_id}", "refresh the list")
        return order


def _ambiguous(found: tuple[OrderDetails, ...]) -> str:
    ids = ", ".join(str(details.ssl_id) for details in found)
    return f"more than one order at SCM could be it: sslId {ids}"
