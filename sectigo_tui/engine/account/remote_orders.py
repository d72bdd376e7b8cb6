"""What is known of the account's remote orders: which are pending, and details of those that were fetched."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.certificates import ListingFilter, ListingRow, OrderDetails, ReportDate, ReportQuery
from sectigo_tui.domain.clock import moment_from, seconds_between
from sectigo_tui.domain.errors import NotFound, RateLimited, Refused, ScmFailure, UnusableRows
from sectigo_tui.domain.events import AccountChanged, EngineEvent, FailureReported, OrderChanged
from sectigo_tui.domain.status import PENDING_STATUSES, is_same
from sectigo_tui.engine.account.listing import Listing
from sectigo_tui.engine.account.reports import REPORT_EVERY_SECONDS, Reports
from sectigo_tui.engine.account.spellings import StatusSpellings
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.requests.limiter import Priority
from sectigo_tui.engine.requests.shared_answers import KeptAnswer, SharedAnswers

NAMED = 5
"""Of the rows of a status that cannot be used, so many are named."""

DETAILS_KEPT = 2_000
_DETAILS = "details/"
DETAILS_FRESH_SECONDS = 60.0

RECENT_DAYS = 30
"""Orders requested in so many days are read at once, by a report."""

RECENT_ROWS = 1_500
"""Of an account that orders more in that time, the newest: all of them fit beside what was asked for by itself."""

WORTH_A_REPORT = 3
"""So many orders whose details are wanted are worth a report; fewer are asked for one by one."""

REPORT_WAIT_SECONDS = 10.0
"""So long rows in sight wait for a report before they are asked for one by one."""

_RECENT = "recent-orders"


class KnownOrder(Struct, frozen=True):
    """Details of an order, and when SCM told them.

    Args:
        details: They.
        at: When.
        is_partial: Whether a report alone has told them, which lacks what only the call for one order tells.
    """

    details: OrderDetails
    at: datetime
    is_partial: bool = False


class RecentOrders(Struct, frozen=True):
    """What a report told of the orders requested lately, kept for all processes.

    Args:
        at: When.
        rows: The orders, the newest first.
    """

    at: datetime
    rows: tuple[OrderDetails, ...] = ()


class Listed(Struct, frozen=True):
    """An order that the query for a pending status found: the status, its row, and when that was."""

    status: str
    row: ListingRow
    at: datetime


class PendingQuery(Struct, frozen=True):
    """One query for the orders of one pending status.

    Args:
        rows: Its rows, from the newest query that succeeded.
        at: When that was; None when none has.
        failure: Why the newest query failed; None when it did not.
        unusable: What is wrong with each row that was left out.
    """

    rows: tuple[ListingRow, ...] = ()
    at: datetime | None = None
    failure: ScmFailure | None = None
    unusable: tuple[str, ...] = ()


class Account:
    """The orders of the whole SCM account, as far as they have been asked for.

    A listing's rows tell no status, so the pending orders are found by one query for each pending status.

    Args:
        context: What every service works with.

    Attributes:
        queries: The newest query of each pending status.
        spellings: How this installation spells statuses.
        reports: Its bulk reports.
        shared: What this and other processes were told about orders, domains and organizations.
    """

    def __init__(self, context: Context) -> None:
        self.queries: dict[str, PendingQuery] = {status: PendingQuery() for status in PENDING_STATUSES}
        self.spellings = StatusSpellings()
        self.reports = Reports(context)
        self.shared = SharedAnswers(context.clock, context.repository.store)
        self.shared.on_read = self._take_answers
        self._context = context
        self._reported: dict[str, str] = {}
        self._listed: dict[int, Listed] = {}
        self._known: OrderedDict[int, KnownOrder] = OrderedDict()
        self._asking: dict[int, asyncio.Task[OrderDetails]] = {}
        self._recent_at: datetime | None = None
        self._learning_recent: asyncio.Task[None] | None = None
        self._are_sslids: bool | None = None

    @property
    def refreshed_at(self) -> datetime | None:
        """When the pending orders that are shown were last listed: the oldest query's time; None before that.

        A status that has never been listed, since its query fails, is not among them: see `not_loaded`.
        """
        if any(query.at is None and query.failure is None for query in self.queries.values()):
            return None
        return min((query.at for query in self.queries.values() if query.at is not None), default=None)

    @property
    def failure(self) -> ScmFailure | None:
        """Why the newest refresh is incomplete; None when it is not."""
        return next((query.failure for query in self.queries.values() if query.failure), None)

    @property
    def not_loaded(self) -> Mapping[str, ScmFailure]:
        """Return why orders of a pending status have never been listed, by status."""
        return {status: query.failure for status, query in self.queries.items() if query.failure and query.at is None}

    @property
    def unusable(self) -> tuple[str, ...]:
        """What is wrong with each row of the pending orders that was left out."""
        return tuple(odd for query in self.queries.values() for odd in query.unusable)

    def pending(self) -> Mapping[int, Listed]:
        """Return the orders that a query for a pending status found, by sslId."""
        return self._listed

    def status_of(self, ssl_id: int) -> str:
        """Return what is known of an order's status, by whichever is newer, details or listing; empty for nothing."""
        known = self._known.get(ssl_id)
        listed = self._listed.get(ssl_id)
        if listed is not None and (known is None or known.at < listed.at):
            return listed.status
        return known.details.status if known is not None else ""

    def known(self, ssl_id: int) -> KnownOrder | None:
        """Return an order's details as they were last told; None when they were not."""
        return self._known.get(ssl_id)

    def receive(self, event: EngineEvent) -> None:
        """Take note of the details that a change of a local order brings."""
        if isinstance(event, OrderChanged) and event.order.details and event.order.last_answer_at:
            self.learned(event.order.details, event.order.last_answer_at)

    def learned(self, details: OrderDetails, at: datetime, *, is_reported: bool = False) -> None:
        """Take note of details that somebody else has asked for, unless newer ones are known.

        Args:
            details: They.
            at: When SCM told them.
            is_reported: Whether a report did: what it lacks stays as it was told before.
        """
        known = self._known.get(details.ssl_id)
        if known is not None and known.at > at:
            return
        is_partial = is_reported and (known is None or known.is_partial)
        if is_reported and known is not None:
            details = _completed(details, known.details)
        self._known[details.ssl_id] = KnownOrder(details, at, is_partial)
        self._known.move_to_end(details.ssl_id)
        while len(self._known) > DETAILS_KEPT:
            self._known.popitem(last=False)

    def listing(self, where: ListingFilter) -> Listing:
        """Return a listing of which nothing has been fetched yet."""
        return Listing(self._context, where, self.spellings)

    async def refresh_pending(self) -> None:
        """Ask for the orders of every pending status; a failure is kept beside what was known before.

        One that fails costs its own status alone. Once SCM asks for a pause nothing more is asked for.
        """
        for status in PENDING_STATUSES:
            listing = self.listing(ListingFilter(status=status))
            try:
                await listing.load_all(lambda _loaded, _total: None)
            except ScmFailure as failure:
                before = self.queries[status]
                self.queries[status] = PendingQuery(before.rows, before.at, failure, before.unusable)
            else:
                now = self._context.clock.now()
                self.queries[status] = PendingQuery(tuple(listing.rows()), now, unusable=listing.unusable)
            self._index()
            self._context.repository.publish(AccountChanged())
            failed = self.queries[status].failure
            if isinstance(failed, RateLimited) or (failed is not None and failed.retry_after_seconds is not None):
                return
        self._print()

    async def details(self, ssl_id: int, *, fresh_seconds: float = DETAILS_FRESH_SECONDS) -> OrderDetails:
        """Return an order's details for the screen, asking SCM unless they are fresh.

        Args:
            ssl_id: The order.
            fresh_seconds: How old an answer may be.

        Returns:
            Its details; callers at the same time share one request.

        Raises:
            ScmFailure: SCM did not tell them.
        """
        known = self._known.get(ssl_id)
        now = self._context.clock.now()
        if known is not None and not known.is_partial and seconds_between(known.at, now) <= fresh_seconds:
            return known.details
        return await self._shared(ssl_id, fresh_seconds)

    async def read_again(self, ssl_id: int) -> OrderDetails:
        """Return an order's details as SCM tells them from now on: an answer that is under way may be out of date.

        Args:
            ssl_id: The order, to which something was written.

        Raises:
            ScmFailure: SCM did not tell them.
        """
        under_way = self._asking.get(ssl_id)
        if under_way is not None:
            await asyncio.wait({under_way})
        return await self._shared(ssl_id, 0.0)

    async def sight(self, ssl_ids: Iterable[int]) -> None:
        """Fetch the details of the visible rows, by a report or one by one, where they are unknown or out of date.

        Args:
            ssl_ids: The orders, the most wanted first.

        Raises:
            ScmFailure: SCM did not tell one of them; the rest is not asked for.
        """
        wanted = list(ssl_ids)
        await self.learn_for(wanted)
        for ssl_id in filter(self._is_wanted, wanted):
            await self.details(ssl_id)

    async def learn_for(self, ssl_ids: Iterable[int]) -> None:
        """Learn orders by a report where so many of them are unknown or out of date that it is worth one.

        Args:
            ssl_ids: The orders in sight.
        """
        if sum(map(self._is_wanted, ssl_ids)) >= WORTH_A_REPORT:
            with suppress(TimeoutError):  # it goes on, and what it tells is taken when it comes
                async with asyncio.timeout(REPORT_WAIT_SECONDS):
                    await self.learn_recent()

    async def learn_recent(self) -> None:
        """Take what a report tells of the orders requested lately; one is read every 15 minutes at most.

        Where the login may not, or SCM cannot tell it now, nothing is learned: each order is asked for by itself.
        Callers at the same time share one report.
        """
        if self._learning_recent is None:
            self._learning_recent = asyncio.create_task(self._learn_recent(), name="the report of recent orders")
            self._learning_recent.add_done_callback(self._recent_learned)
        await asyncio.shield(self._learning_recent)

    def _recent_learned(self, _ended: asyncio.Task[None]) -> None:
        self._learning_recent = None

    async def _learn_recent(self) -> None:
        context, now = self._context, self._context.clock.now()
        if self._recent_at is not None and seconds_between(self._recent_at, now) < REPORT_EVERY_SECONDS:
            return
        recent = await context.repository.store.fetched(_RECENT, RecentOrders)
        if recent is None or seconds_between(recent.at, now) >= REPORT_EVERY_SECONDS:
            self._recent_at = now
            first = now.date() - timedelta(days=RECENT_DAYS)
            query = ReportQuery(ReportDate.REQUESTED, first, now.date())
            found: dict[int, OrderDetails] = {}

            def take(row: OrderDetails) -> None:
                nonlocal found
                found[row.ssl_id] = row
                if len(found) >= RECENT_ROWS * 6 // 5:
                    found = {one.ssl_id: one for one in _newest(found)}

            try:
                await self.reports.read(query, take=take, rows_at_most=RECENT_ROWS)
            except ScmFailure:
                # It was published as an exchange; the orders are asked for one by one, as ever.
                return
            recent = RecentOrders(now, tuple(_newest(found)))
            await context.repository.store.keep_fetched(_RECENT, recent)
        self._recent_at = recent.at
        if not await self.has_sslids(recent.rows):
            return
        for row in recent.rows:
            self.learned(row, recent.at, is_reported=True)
        context.repository.publish(AccountChanged())

    async def has_sslids(self, rows: Sequence[OrderDetails]) -> bool:
        """Return whether a report's ids are sslIds, which the vendor does not say: compared once with one's details."""
        if self._are_sslids is None and rows:
            known = {row.ssl_id: self._known.get(row.ssl_id) for row in rows}
            row = next((row for row in rows if (it := known[row.ssl_id]) is not None and not it.is_partial), rows[0])
            try:
                details = await self.details(row.ssl_id, fresh_seconds=float("inf"))
            except NotFound:
                self._are_sslids = False
            except ScmFailure:
                return False
            else:
                self._are_sslids = _is_same_order(row, details)
        return bool(self._are_sslids)

    def _is_wanted(self, ssl_id: int) -> bool:
        """Return whether an order's details are unknown, or older than another status that a listing told."""
        known, listed = self._known.get(ssl_id), self._listed.get(ssl_id)
        return known is None or (listed is not None and not is_same(listed.status, known.details.status))

    def _print(self) -> None:
        """Report, each once until it changes, the queries that fail while others do not, and rows left out."""
        is_outage = all(query.failure is not None for query in self.queries.values())
        for status, query in self.queries.items():
            if query.failure is not None:
                if not is_outage or type(query.failure) in (NotFound, Refused):
                    self._report(status, query.failure)
                continue
            if query.unusable:
                odd = f"{len(query.unusable)} unusable: {'; '.join(query.unusable[:NAMED])}"
                more = len(query.unusable) - NAMED
                words = f"{odd}; and {more} more" if more > 0 else odd
                self._report(status, UnusableRows("listing", words, http_status=200))
            else:
                self._reported.pop(status, None)

    def _report(self, status: str, failure: ScmFailure) -> None:
        if self._reported.get(status) != failure.reason:
            self._reported[status] = failure.reason
            now = self._context.clock.now()
            self._context.repository.publish(FailureReported(now, f"listing orders with status {status}", failure))

    async def _shared(self, ssl_id: int, fresh_seconds: float) -> OrderDetails:
        asking = self._asking.get(ssl_id)
        if asking is None:
            asking = asyncio.create_task(self._ask(ssl_id, fresh_seconds), name=f"details {ssl_id}")
            self._asking[ssl_id] = asking
            asking.add_done_callback(lambda _ended: self._asking.pop(ssl_id, None))
        return await asyncio.shield(asking)

    def _index(self) -> None:
        self._listed = {
            row.ssl_id: Listed(status, row, query.at)
            for status, query in self.queries.items()
            if query.at is not None
            for row in query.rows
        }

    async def _ask(self, ssl_id: int, fresh_seconds: float) -> OrderDetails:
        """Ask for details, unless another process is asking, or has asked since."""
        context, key = self._context, f"{_DETAILS}{ssl_id}"

        def is_fresh(kept: KeptAnswer) -> bool:
            return kept.at is not None and seconds_between(kept.at, context.clock.now()) <= fresh_seconds

        if fresh_seconds > 0 and await self.shared.turn(key, is_fresh) is not None:
            known = self._known.get(ssl_id)
            if known is not None:
                return known.details
        try:
            details = await context.details(ssl_id, Priority.SIGHT)
        except BaseException:
            await asyncio.shield(self.shared.release(key))
            raise
        now = context.clock.now()
        self.learned(details, now)
        value = msgspec.json.encode(details).decode()
        await self.shared.keep(KeptAnswer(key=key, source=f"SCM details {ssl_id}", value=value, at=now))
        context.repository.publish(AccountChanged(ssl_id))
        return details

    def _take_answers(self, answers: Sequence[KeptAnswer]) -> None:
        """Take the details that other processes were told, and say of which orders something new is known."""
        about_orders: set[int] = set()
        for answer in answers:
            kind, _, about = answer.key.partition("/")
            ssl_id = about.partition("/")[0]
            if answer.key.startswith(_DETAILS) and answer.value and answer.at is not None:
                try:
                    details = msgspec.json.decode(answer.value, type=OrderDetails, dec_hook=moment_from)
                except (msgspec.MsgspecError, ValueError):
                    continue  # kept by another version of this program: it is asked for again
                self.learned(details, answer.at)
            if kind in ("details", "dcv") and ssl_id.isdecimal():
                about_orders.add(int(ssl_id))
        for changed in about_orders:
            order = self._context.repository.store.by_ssl_id(changed)
            self._context.repository.publish(AccountChanged(changed) if order is None else OrderChanged(order))
        if any(not answer.key.startswith((_DETAILS, "dcv/")) for answer in answers):
            self._context.repository.publish(AccountChanged())


def _newest(found: Mapping[int, OrderDetails]) -> Sequence[OrderDetails]:
    return sorted(found.values(), key=lambda row: row.ssl_id, reverse=True)[:RECENT_ROWS]


def _completed(details: OrderDetails, before: OrderDetails) -> OrderDetails:
    """Return details with the facts that they lack as they were told before."""
    told = {name: getattr(before, name) for name in details.__struct_fields__ if not getattr(details, name)}
    return replace(details, **told)


def _is_same_order(row: OrderDetails, details: OrderDetails) -> bool:
    """Return whether a report's row and the details of its id tell of one order."""
    if row.common_name.casefold() != details.common_name.casefold():
        return False
    pairs = ((row.serial_number, details.serial_number), (row.order_number, details.order_number))
    return all(one.casefold() == other.casefold() for one, other in pairs if one and other)
