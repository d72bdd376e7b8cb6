"""The account's certificates in use, read in few requests and kept for all processes, and the renewal of each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.certificates import (
    Certificate,
    ListingFilter,
    ListingPage,
    OrderDetails,
    ReportDate,
    ReportQuery,
)
from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import NotFound, Refused, ScmFailure
from sectigo_tui.domain.events import AccountChanged, EngineEvent, OrderChanged
from sectigo_tui.domain.explain import is_missing_right
from sectigo_tui.domain.limits import HORIZON_DAYS, PAGE_SIZE, REACH_DAYS
from sectigo_tui.domain.status import StatusClass, classify
from sectigo_tui.engine.account.certificates import ByNames, CertificateInUse, Certificates, Packing
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.account.renewals import Prospects, Renewal, Timing, day_of, longest_usual, renewals_due
from sectigo_tui.engine.account.reports import SPAN_DAYS
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.diagnosis.normal import Sample
from sectigo_tui.engine.requests.limiter import Priority

T = TypeVar("T")

REFRESH_SECONDS = 6 * 3600.0
"""How old what is kept may be before it is read again in the background."""

AGAIN_SECONDS = 15 * 60.0
"""A report costs the CA more than a listing: it is asked for no more often, whoever asks."""

REPORT_REQUESTS = 20
"""What reading the account by reports may cost at a time."""

DETAILS_REQUESTS = 200
"""What reading the account order by order may cost at a time; the next reading goes on where this one ended."""

CERTIFICATES_AT_MOST = 20_000
"""Once so many certificates are read, those that end later are left out."""

_FIRST_SECONDS = (10.0, 30.0)
_LISTED_WITHIN_DAYS = 200
LearnProspects = Callable[[int, Iterable[str]], Awaitable[Prospects]]

_LISTED_SECONDS = 10.0
_NAME = "certificates-in-use"
_FIRST = 200
"""The certificates that end soonest, of which the most urgent renewals are found at once."""


class Source(StrEnum):
    """How the certificates were learned."""

    REPORT = "bulk report"
    EXPIRY = "listing by expiry"
    DETAILS = "details of what is listed"


class InUse(Struct, frozen=True):
    """The account's certificates in use, as they were read last.

    Args:
        certificates: They, those that end soonest first.
        read_at: When they were read; None before that.
        until: Certificates that end later were not read; None where nothing was.
        source: How they were learned.
        to_read: How many more are known to exist, and were not read yet.
        requests: What the newest reading cost.
    """

    certificates: Certificates = Certificates()
    read_at: datetime | None = None
    until: date | None = None
    source: Source = Source.REPORT
    to_read: int = 0
    requests: int = 0


class Renewals:
    """Which certificates are to be renewed until when, from what is kept, brought up to date now and then.

    Args:
        context: What every service works with.
        account: What is known of the account's remote orders.
        samples: Returns how long orders of this account took.
        learn_prospects: Learns what may hold renewals up within some days, of certificates of some names.

    Attributes:
        in_use: The certificates.
        failure: Why the newest reading failed; None when it did not.
    """

    def __init__(
        self,
        context: Context,
        account: Account,
        *,
        samples: Callable[[], list[Sample]],
        learn_prospects: LearnProspects | None = None,
    ) -> None:
        self.in_use = InUse()
        self.failure: ScmFailure | None = None
        self._context = context
        self._account = account
        self._samples = samples
        self._learn_prospects = learn_prospects
        self._prospects = Prospects()
        self._reading: asyncio.Task[None] | None = None
        self._by_names: ByNames | None = None
        self._planning: asyncio.Task[None] | None = None
        self._found: list[Renewal] = []
        self._found_on: date | None = None
        self._is_stale = True
        self._stale_since: datetime | None = None

    @property
    def margin_days(self) -> int:
        """How many days earlier than the latest a renewal is ordered."""
        return self._context.options.renewal_margin_days

    def receive(self, event: EngineEvent) -> None:
        """Take note that an order has changed, by which a certificate may be renewed."""
        if isinstance(event, OrderChanged):
            self._is_stale = True
        elif isinstance(event, AccountChanged):
            # A busy account tells of its orders several times a second; what they renew is not that urgent.
            self._stale_since = self._stale_since or self._context.clock.now()

    def ending(self, names: Iterable[str]) -> CertificateInUse | None:
        """Return the certificate in use for some names; of several the one that ends last, None for none."""
        if self._by_names is None:
            self._by_names = ByNames(self.in_use.certificates)
        return self._by_names.find(names)

    async def due(self, *, within_days: int = HORIZON_DAYS) -> list[Renewal]:
        """Return the certificates that expire within some days, the most urgent first.

        Args:
            within_days: How far ahead.
        """
        today = self._context.clock.now().date()
        if self._must_plan(today):
            if self._planning is None:
                # A caller that gives up, such as a view that lists again, does not have it begin anew.
                self._planning = asyncio.create_task(self._plan(today), name="renewals due")
                self._planning.add_done_callback(self._planned)
            await asyncio.shield(self._planning)
        last = today + timedelta(days=within_days)
        return [one for one in self._found if one.expires <= last]

    def soonest(self) -> list[Renewal]:
        """Return the most urgent of what is due, as many as can be told at once; the first is that of `due`."""
        today = self._context.clock.now().date()
        known, left_out = self.in_use.certificates.first(_FIRST)
        samples, last = self._samples(), today + timedelta(days=HORIZON_DAYS)
        found = self._due(_each_once(known, self._pending()), samples, today)
        if left_out is not None:
            end = day_of(left_out) or date.min
            bound = end - timedelta(days=longest_usual(samples) + self.margin_days)
            # Of those that are settled none is urgent: they come last.
            found = [one for one in found if one.order_by < bound and one.timing is not Timing.RENEWED]
        return [one for one in found if one.expires <= last]

    def _must_plan(self, today: date) -> bool:
        since, now = self._stale_since, self._context.clock.now()
        is_old = since is not None and seconds_between(since, now) >= _LISTED_SECONDS
        return self._is_stale or is_old or self._found_on != today

    async def _plan(self, today: date) -> None:
        self._is_stale, self._stale_since, self._found_on = False, None, today
        certificates, pending, samples = self.in_use.certificates, self._pending(), self._samples()
        # Five thousand certificates take a tenth of a second, in which the screen goes on.
        self._found = await asyncio.to_thread(lambda: self._due(_each_once(certificates, pending), samples, today))

    def _planned(self, _planning: asyncio.Task[None]) -> None:
        self._planning = None

    def _due(self, known: Iterable[Certificate], samples: list[Sample], today: date) -> list[Renewal]:
        local = self._context.repository.store.orders()
        return renewals_due(
            known, local, samples, self._prospects, today, horizon_days=REACH_DAYS, margin_days=self.margin_days
        )

    async def learn(self) -> None:
        """Learn what may hold renewals up; answers are shared with all processes."""
        if self._learn_prospects is None:
            return
        last = self._context.clock.now().date() + timedelta(days=HORIZON_DAYS)
        self._prospects = await self._learn_prospects(HORIZON_DAYS, _names_until(last, self.in_use))
        self._is_stale = True
        self._context.repository.publish(AccountChanged())

    async def load(self) -> None:
        """Take what a process of this account has kept, unless this one knows it already."""
        kept = await self._context.repository.store.fetched(_NAME, InUse)
        known_at = self.in_use.read_at
        if kept is not None and kept.read_at is not None and (known_at is None or kept.read_at > known_at):
            self._take(kept)

    async def refresh(self, *, oldest_seconds: float = AGAIN_SECONDS) -> bool:
        """Read the certificates in use, unless what is kept is young; callers at the same time share one reading.

        Args:
            oldest_seconds: How old what is kept may be.

        Returns:
            Whether they were read now.

        Raises:
            ScmFailure: They could not be read; those known before are kept.
            StoreError: They could not be kept.
        """
        await self.load()
        read_at, now = self.in_use.read_at, self._context.clock.now()
        is_whole = not self.in_use.to_read
        if read_at is not None and is_whole and seconds_between(read_at, now) < oldest_seconds:
            return False
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="certificates in use")
            self._reading.add_done_callback(self._end)
        await asyncio.shield(self._reading)
        return True

    async def run(self) -> None:
        """Keep what is known young, until cancelled; while another process polls, that one reads it."""
        context = self._context
        await self.load()
        # The screen's own requests go first, and of processes that start together one finds what another has kept.
        await context.clock.sleep(context.random.uniform(*_FIRST_SECONDS))
        while True:
            if context.repository.store.poller():
                await self.load()
            else:
                with suppress(ScmFailure):  # published as an exchange; what is known stays, and it is read later
                    await self.refresh(oldest_seconds=REFRESH_SECONDS)
            await self.learn()
            await context.clock.sleep(AGAIN_SECONDS)

    def _end(self, _reading: asyncio.Task[None]) -> None:
        self._reading = None

    async def _read(self) -> None:
        today, self.failure = self._context.clock.now().date(), None
        try:
            try:
                found = await self._by_report(today)
            except ScmFailure as failure:
                if not is_missing_right(failure):
                    raise
                found = await self._by_listing(today)
        except ScmFailure as failure:
            self.failure = failure
            raise
        self._take(found)
        await self._context.repository.store.keep_fetched(_NAME, found)

    def _take(self, found: InUse) -> None:
        self.in_use, self._by_names = found, None
        self._is_stale = True
        self._context.repository.publish(AccountChanged())

    async def _by_report(self, today: date) -> InUse:
        """Read the certificates that end soonest first: where SCM can tell only so much, those are what counts."""
        packing = Packing()

        def take(row: OrderDetails) -> None:
            if _is_issued(row):
                packing.add(Certificate.of(row))

        requests, until = 0, today
        for ahead in range(0, REACH_DAYS, SPAN_DAYS):
            first = today + timedelta(days=ahead)
            query = ReportQuery(ReportDate.EXPIRES, first, first + timedelta(days=SPAN_DAYS - 1))
            try:
                left = REPORT_REQUESTS - requests
                report = await self._account.reports.read(query, take=take, requests_at_most=left)
            except ScmFailure as failure:
                if not ahead or is_missing_right(failure):
                    raise
                # What was told of the days before is worth keeping: those are the certificates that end soonest.
                self.failure = failure
                break
            requests += report.requests
            if report.first > first or requests >= REPORT_REQUESTS:
                break
            until = query.last
            if len(packing) >= CERTIFICATES_AT_MOST:
                break
        now = self._context.clock.now()
        return InUse(packing.certificates(), now, until, Source.REPORT, requests=requests)

    async def _by_listing(self, today: date) -> InUse:
        """Read what SCM lists as issued, order by order, within a budget; what was read before is not read again."""
        budget = _Budget(self._context, DETAILS_REQUESTS)
        where, source = ListingFilter(status="Issued"), Source.DETAILS
        total = await self._count(budget, where)
        narrowed = replace(where, expires_in_days=_LISTED_WITHIN_DAYS)
        try:
            ending = await self._count(budget, narrowed)
        except (NotFound, Refused):
            ending = total
        # A filter that SCM ignores looks like success: it is believed where it leaves something out.
        if ending < total:
            where, total, source = narrowed, ending, Source.EXPIRY
        listed = await self._list(budget, where, total)
        known = {one.ssl_id: one for one in self.in_use.certificates if one.ssl_id in listed}
        missing = sorted(listed - set(known))
        for ssl_id in missing:
            if not budget.left:
                break
            try:
                known[ssl_id] = Certificate.of(await budget.ask(partial(self._context.scm.details, ssl_id)))
            except NotFound:
                continue
        kept = [one for one in known.values() if (end := day_of(one.expires)) is None or end >= today]
        kept = sorted(kept, key=_end_of)[:CERTIFICATES_AT_MOST]
        until = today + timedelta(days=_LISTED_WITHIN_DAYS if source is Source.EXPIRY else REACH_DAYS)
        unread = max(0, total - len(listed)) + len(listed - set(known))
        packing = Packing()
        for one in kept:
            packing.add(one)
        return InUse(
            packing.certificates(),
            self._context.clock.now(),
            until,
            source,
            to_read=unread,
            requests=budget.spent,
        )

    async def _count(self, budget: _Budget, where: ListingFilter) -> int:
        return await self._account.spellings.ask(where, budget.count)

    async def _list(self, budget: _Budget, where: ListingFilter, total: int) -> set[int]:
        """Return the sslIds of a listing; half of the budget is left for their details."""
        listed: set[int] = set()
        for position in range(0, total, PAGE_SIZE):
            if budget.left <= DETAILS_REQUESTS // 2:
                break
            page = await self._account.spellings.ask(where, partial(budget.page, position=position))
            listed |= {row.ssl_id for row in page.rows}
        return listed

    def _pending(self) -> Sequence[Certificate]:
        found = []
        for ssl_id, listed in self._account.pending().items():
            known, row = self._account.known(ssl_id), listed.row
            if known is not None:
                found.append(Certificate.of(replace(known.details, status=self._account.status_of(ssl_id))))
            else:
                found.append(
                    Certificate(
                        ssl_id=ssl_id,
                        status=listed.status,
                        common_name=row.common_name,
                        subject_alternative_names=row.subject_alternative_names,
                    )
                )
        return found


class _Budget:
    """So many requests, and no more."""

    def __init__(self, context: Context, requests: int) -> None:
        self._context = context
        self.spent = 0
        self._at_most = requests

    @property
    def left(self) -> int:
        return max(0, self._at_most - self.spent)

    async def ask(self, call: Callable[[], Awaitable[T]]) -> T:
        self.spent += 1
        return await self._context.limiter.run(Priority.LISTING, call, side="listing")

    async def count(self, where: ListingFilter) -> int:
        return await self.ask(lambda: self._context.scm.count(where))

    async def page(self, where: ListingFilter, position: int) -> ListingPage:
        return await self.ask(lambda: self._context.scm.listing(where, position=position, size=PAGE_SIZE))


def _end_of(certificate: Certificate) -> tuple[date, int]:
    return day_of(certificate.expires) or date.max, certificate.ssl_id


def _is_issued(certificate: Certificate) -> bool:
    return classify(certificate.status) is StatusClass.ISSUED


def _each_once(in_use: Iterable[Certificate], pending: Iterable[Certificate]) -> Iterator[Certificate]:
    """Yield the certificates in use, and the pending orders that are not issued by now."""
    issued = set()
    for one in in_use:
        issued.add(one.ssl_id)
        yield one
    yield from (one for one in pending if one.ssl_id not in issued)


def _names_until(last: date, in_use: InUse) -> Iterator[str]:
    """Yield the names of the certificates that end by a day."""
    for one in in_use.certificates:
        if (day_of(one.expires) or date.max) <= last:
            yield from (one.common_name, *one.subject_alternative_names)
