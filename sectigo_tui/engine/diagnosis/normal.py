"""Is this normal? How long this account's own orders took, and whether an order is within that. Pure."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from enum import StrEnum
from math import ceil, floor

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.certificates import ListingFilter, OrderDetails, ReportDate, ReportQuery
from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import CredentialsRefused, RateLimited, ScmFailure
from sectigo_tui.domain.limits import PAGE_SIZE
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.domain.ports import OrderStore
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.account.reports import REPORT_EVERY_SECONDS, REQUESTS_AT_MOST
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.diagnosis.evidence.model import Answer, AnswerState, Evidence
from sectigo_tui.engine.diagnosis.stages import Span, Stage, StageName, StageState, When, time_line
from sectigo_tui.engine.polling import schedule
from sectigo_tui.engine.requests.limiter import Priority


class Leg(StrEnum):
    """A part of the way that has a duration."""

    APPROVAL = "requested to approved"
    HANDOVER = "approved to applied"
    VETTING = "applied to issued"
    AT_CA = "approved to issued"
    COLLECTING = "issued to collected"
    WHOLE = "requested to issued"


ENDS: Mapping[Leg, tuple[StageName, StageName]] = {
    Leg.APPROVAL: (StageName.REQUESTED, StageName.APPROVED),
    Leg.HANDOVER: (StageName.APPROVED, StageName.APPLIED),
    Leg.VETTING: (StageName.APPLIED, StageName.ISSUED),
    Leg.AT_CA: (StageName.APPROVED, StageName.ISSUED),
    Leg.COLLECTING: (StageName.ISSUED, StageName.COLLECTED),
    Leg.WHOLE: (StageName.REQUESTED, StageName.ISSUED),
}
"""Between which stages each leg lies."""


class Sample(Struct, frozen=True):
    """How long one issued order took.

    Args:
        ssl_id: The order.
        profile_id: Its certificate profile.
        organization_id: Its organization or department.
        legs: How long each leg took, where that is known.
        issued: The day of issuance by a report; None where the sample is not from one.
    """

    ssl_id: int | None
    profile_id: int | None
    organization_id: int | None
    legs: Mapping[Leg, Span]
    issued: date | None = None


def sample_of(evidence: Evidence) -> Sample | None:
    """Return how long an order took; None for one that was not issued."""
    stages = {stage.name: stage for stage in time_line(evidence)}
    if stages[StageName.ISSUED].reached is None:
        return None
    legs = {leg: span for leg, (start, end) in ENDS.items() if (span := _leg(stages.get(start), stages.get(end)))}
    return Sample(evidence.ssl_id, evidence.profile_id, evidence.organization_id, legs) if legs else None


def remote_sample(details: OrderDetails, at: datetime) -> Sample | None:
    """Return a sample of a remote order from the dates that SCM tells, which may be days."""
    answer = Answer(f"SCM details {details.ssl_id}", AnswerState.KNOWN, details, at)
    return sample_of(Evidence(now=at, status=details.status, status_at=at, ssl_id=details.ssl_id, details=answer))


def reported_sample(row: OrderDetails, at: datetime) -> Sample | None:
    """Return a sample of an order in a report; None for one that was not issued, or whose certificate was replaced.

    A replacement is issued anew under the old request: what lies between the two is no order's time.
    """
    if row.issued is None or row.replaced is not None:
        return None
    # What became of the certificate since (revoked, expired) says nothing of how long its order took.
    sample = remote_sample(replace(row, status="Issued"), at)
    issued = row.issued.date() if isinstance(row.issued, datetime) else row.issued
    return replace(sample, issued=issued) if sample is not None else None


def merged(local: Iterable[Sample], remote: Iterable[Sample]) -> list[Sample]:
    """Return samples with each order once; what was seen here is more exact than days."""
    found = {sample.ssl_id: sample for sample in remote}
    found.update((sample.ssl_id, sample) for sample in local)
    return list(found.values())


def local_evidence(store: OrderStore, order: Order, now: datetime) -> Evidence:
    """Return what the local record alone knows of an order."""
    source = f"SCM details {order.ssl_id}"
    details: Answer[OrderDetails] = Answer(source)
    if order.details is not None:
        details = Answer(source, AnswerState.KNOWN, order.details, order.last_answer_at)
    return Evidence(
        now=now,
        status=order.scm_status,
        status_at=order.last_answer_at,
        ssl_id=order.ssl_id,
        order=order,
        timeline=tuple(store.timeline(order.id)),
        polls=tuple(store.polls(order.id)),
        details=details,
    )


def _keep_newest(samples: dict[int | None, Sample]) -> None:
    """Where there are many, drop those that hardly change a figure: of each profile and organization, old ones."""
    if len(samples) <= HISTORY_SAMPLES:
        return
    kept: Counter[tuple[int | None, int | None]] = Counter()
    for sample in sorted(samples.values(), key=lambda one: one.issued or date.min, reverse=True):
        key = sample.profile_id, sample.organization_id
        kept[key] += 1
        if kept[key] > SAMPLES_OF_EACH:
            del samples[sample.ssl_id]


def _leg(start: Stage | None, end: Stage | None) -> Span | None:
    """Return how long a leg took; None unless both its ends were told or seen, for a mere bound is no measure."""
    if start is None or end is None or start.reached is None or end.reached is None:
        return None
    return Span.between(start.reached, end.reached) if start.source and end.source else None


LOCAL_HISTORY_ORDERS = 500
"""How many issued local orders the figures rest on, the newest."""

HISTORY_ORDERS = 60
"""How many issued remote orders are fetched for the account's history where there is no report, at one request each."""

HISTORY_DAYS = 90
"""The account's history reaches so far back."""

HISTORY_ROWS = 20_000
"""Of an account that orders more in that time, the newest orders are read."""

HISTORY_SAMPLES = 5_000
"""So many orders count, each at 600 bytes; of more, of each profile and organization the newest."""

SAMPLES_OF_EACH = 100
"""These are so many: more of them would hardly change a figure."""

HISTORY_SECONDS = 6 * 3600.0
"""How old the kept history may be before the newest days are read."""

_KEPT_READ_SECONDS = 60.0
_FIRST_SECONDS = (5.0, 20.0)
_OVERLAP = timedelta(days=2)
_READ_AT_ONCE = 20
_HISTORY = "history"

_ISSUED = frozenset(
    {
        OrderState.ISSUED,
        OrderState.COLLECTED,
        OrderState.EXPIRED,
        OrderState.REPLACED,
        OrderState.REVOKING,
        OrderState.REVOKED,
    }
)


class History(Struct, frozen=True):
    """How long the account's orders took that were issued lately, kept for all processes.

    Args:
        at: When SCM told the newest of it.
        first: The day of issuance from which on it was read.
        samples: One for each order; of many, those of each profile and organization that were issued last.
        is_full: Whether older days were left out because there were enough orders.
    """

    at: datetime
    first: date
    samples: tuple[Sample, ...]
    is_full: bool = False


class Samples:
    """How long orders of this account took, as far as that was learned.

    Args:
        context: What every service works with.
        account: What is known of the account's remote orders.

    Attributes:
        history: The account's history from its reports; None before any process has read one.
    """

    def __init__(self, context: Context, account: Account) -> None:
        self.history: History | None = None
        self._context = context
        self._account = account
        self._local: dict[str, tuple[int, Sample | None]] = {}
        self._remote: dict[int, Sample] = {}
        self._all: list[Sample] | None = None
        self._by_profile: dict[int | None, list[Sample]] = {}
        self._figures: dict[tuple[Leg, int | None, int | None], Figure | None] = {}
        self._kept_read_at: datetime | None = None
        self._refreshing = asyncio.Lock()

    def figure(self, leg: Leg, profile_id: int | None, organization_id: int | None) -> Figure | None:
        """Return what `figure` does of all samples; a list asks for the same again and again, so it is kept."""
        self.all()
        key = (leg, profile_id, organization_id)
        if key not in self._figures:
            self._figures[key] = figure(self.of(profile_id), leg, profile_id, organization_id)
        return self._figures[key]

    def all(self) -> list[Sample]:
        """Return the samples, each order once."""
        if self._all is None:
            reported = self.history.samples if self.history is not None else ()
            local = [sample for _, sample in self._local.values() if sample is not None]
            self._all = merged(local, merged(reported, self._remote.values()))
            self._by_profile, self._figures = {}, {}
        return self._all

    def of(self, profile_id: int | None) -> list[Sample]:
        """Return the samples of one certificate profile, each order once."""
        samples = self.all()
        found = self._by_profile.get(profile_id)
        if found is None:
            found = [sample for sample in samples if sample.profile_id == profile_id]
            self._by_profile[profile_id] = found
        return found

    def _forget_figures(self) -> None:
        self._all = None
        self._by_profile.clear()

    async def learn_local(self) -> bool:
        """Take the samples of the newest issued local orders; timelines that were read before are not read again.

        Returns:
            Whether there were any to take.
        """
        store = self._context.repository.store
        issued = [order for order in store.orders() if order.state in _ISSUED]
        newest = sorted(issued, key=lambda order: order.state_since, reverse=True)[:LOCAL_HISTORY_ORDERS]
        missing = [order for order in newest if self._local.get(order.id, (None,))[0] != order.revision]
        for number, order in enumerate(missing, start=1):
            sample = sample_of(local_evidence(store, order, self._context.clock.now()))
            self._local[order.id] = order.revision, sample
            self._forget_figures()
            if number % _READ_AT_ONCE == 0:
                await asyncio.sleep(0)  # each timeline is read from the disk: keys are handled in between
        return bool(missing)

    async def learn_kept(self) -> bool:
        """Take the account's history as some process has kept it; costs no request.

        Returns:
            Whether it is news.
        """
        now = self._context.clock.now()
        if self._kept_read_at is not None and seconds_between(self._kept_read_at, now) < _KEPT_READ_SECONDS:
            return False
        self._kept_read_at = now
        kept = await self._context.repository.store.fetched(_HISTORY, History)
        if kept is None or (self.history is not None and kept.at <= self.history.at):
            return False
        self.history = kept
        self._forget_figures()
        return True

    async def run(self) -> None:
        """Keep the account's history up to date until cancelled, where the login may read reports.

        While another process polls, that one reads it, and this one takes what it keeps.
        """
        clock = self._context.clock
        await self._context.limiter.until_accepted()
        # The screen's own requests go first, and of processes that start together one finds what another has kept.
        await clock.sleep(self._context.random.uniform(*_FIRST_SECONDS))
        while True:
            if self._context.repository.store.poller():
                await self.learn_kept()
            else:
                with suppress(ScmFailure):  # published as an exchange; what is known stays, and it is read later
                    await self.learn_reported()
            await clock.sleep(REPORT_EVERY_SECONDS)

    async def learn_reported(self, *, max_age_seconds: float = HISTORY_SECONDS) -> bool:
        """Bring the account's history up to date from its report: the last 90 days, of which only new ones are read.

        Args:
            max_age_seconds: How old what is kept may be; no report is read within 15 minutes of the last one.

        Returns:
            Whether it is news.

        Raises:
            ScmFailure: SCM did not tell it.
        """
        async with self._refreshing:
            self._kept_read_at = None
            is_news = await self.learn_kept()
            now, known = self._context.clock.now(), self.history
            age = seconds_between(known.at, now) if known is not None else None
            if age is not None and age < max(max_age_seconds, REPORT_EVERY_SECONDS):
                return is_news
            self.history = await self._read(known, now)
            self._forget_figures()
            await self._context.repository.store.keep_fetched(_HISTORY, self.history)
            return True

    async def learn_remote(
        self, progress: Callable[[int, int], None], *, organization_id: int | None = None, orders: int = HISTORY_ORDERS
    ) -> int:
        """Learn how long the account's orders took because the operator asks: by the report, else order by order.

        Without a report the listing is not sorted and names no dates: the newest sslIds of its first and last page are
        polled.

        Args:
            progress: Called with how many orders are fetched, and how many there are.
            organization_id: Without a report, only orders of this organization or department.
            orders: How many, at one request each, without a report.

        Returns:
            How many have told their times.

        Raises:
            ScmFailure: A listing could not be read, or details could not be; those read so far are kept.
        """
        try:
            await self.learn_reported(max_age_seconds=REPORT_EVERY_SECONDS)
        except (CredentialsRefused, RateLimited):
            raise
        except ScmFailure:
            # Without a report the same is learned order by order.
            return await self._learn_each(progress, organization_id, orders)
        return len(self.history.samples) if self.history is not None else 0

    async def _learn_each(self, progress: Callable[[int, int], None], organization_id: int | None, orders: int) -> int:
        where = ListingFilter(status="Issued", organization_id=organization_id)
        first = await self._page(where, 0)
        counted = self._account.spellings.spelled(where)
        total = await self._context.limiter.run(Priority.LISTING, lambda: self._context.scm.count(counted))
        last = await self._page(where, max(PAGE_SIZE, total - PAGE_SIZE)) if total > PAGE_SIZE else ()
        newest = sorted({*first, *last} - set(self._remote), reverse=True)[:orders]
        for number, ssl_id in enumerate(newest, start=1):
            details = await self._account.details(ssl_id, fresh_seconds=float("inf"))
            sample = remote_sample(details, self._context.clock.now())
            if sample is not None:
                self._remote[ssl_id] = sample
                self._forget_figures()
            progress(number, len(newest))
        return len(self._remote)

    async def _read(self, known: History | None, now: datetime) -> History:
        """Return the history with the days that it lacks: those since it was read, and those before it begins."""
        oldest = now.date() - timedelta(days=HISTORY_DAYS)
        since = max(oldest, known.at.date() - _OVERLAP) if known is not None else oldest
        samples: dict[int | None, Sample] = {}
        told, many = 0, HISTORY_SAMPLES * 6 // 5

        def take(row: OrderDetails) -> None:
            nonlocal told, many
            told += 1
            sample = reported_sample(row, now)
            if sample is not None and sample.issued is not None and sample.issued >= oldest:
                samples[row.ssl_id] = sample
            if len(samples) > many:
                _keep_newest(samples)
                many = max(many, len(samples) + HISTORY_SAMPLES // 5)

        reports = self._account.reports
        query = ReportQuery(ReportDate.ISSUED, since, now.date())
        report = await reports.read(query, take=take, rows_at_most=HISTORY_ROWS)
        first, is_full = report.first, told >= HISTORY_ROWS
        if known is not None and report.first <= since:
            first, is_full = known.first, known.is_full
            for one in known.samples:
                if one.issued is not None and one.issued >= oldest:
                    samples.setdefault(one.ssl_id, one)
            is_cut = known.first > oldest and not known.is_full
            if is_cut and report.requests < REQUESTS_AT_MOST:
                query = ReportQuery(ReportDate.ISSUED, oldest, known.first)
                with suppress(ScmFailure):  # published as an exchange; the newer days are there all the same
                    left = REQUESTS_AT_MOST - report.requests
                    first = (await reports.read(query, take=take, requests_at_most=left)).first
        _keep_newest(samples)
        return History(now, max(first, oldest), tuple(samples.values()), is_full)

    async def _page(self, where: ListingFilter, position: int) -> tuple[int, ...]:
        page = await self._account.spellings.ask(
            where,
            lambda spelled: self._context.limiter.run(
                Priority.LISTING, lambda: self._context.scm.listing(spelled, position=position, size=PAGE_SIZE)
            ),
        )
        return tuple(row.ssl_id for row in page.rows)


ENOUGH_SAMPLES = 8
"""Below this many orders a figure is weak: said, but nothing is called slow by it."""

CAUGHT_SHARE = 0.9
_DAY_DOUBT_SECONDS = 43_200.0


class Pace(StrEnum):
    """How an order's time compares with the account's own."""

    USUAL = "usual"
    SLOW = "slow"
    """Longer than 9 of 10 orders took."""
    UNDECIDED = "cannot tell"
    """The dates are too coarse."""
    WEAK = "weak"
    """Too few orders to say."""
    NO_HISTORY = "no history"


class Figure(Struct, frozen=True):
    """How long a leg took.

    Args:
        leg: Which.
        scope: Of which orders: `profile and organization`, or `profile`.
        n: How many.
        p50: Half of them took no longer.
        p90: Nine of ten took no longer.
    """

    leg: Leg
    scope: str
    n: int
    p50: Span
    p90: Span

    @property
    def is_weak(self) -> bool:
        """Whether it rests on too few orders."""
        return self.n < ENOUGH_SAMPLES

    @property
    def text(self) -> str:
        """For a person, n always shown."""
        weak = ", weak" if self.is_weak else ""
        return f"p50 {self.p50.text}, p90 {self.p90.text} (n={self.n}{weak}; {self.scope})"


class Comparison(Struct, frozen=True):
    """A leg of an order beside the account's figure for it.

    Args:
        leg: Which.
        elapsed: How long it took, or has lasted so far.
        is_running: Whether it still lasts.
        figure: The account's figure; None where no order has one.
        pace: How they compare.
    """

    leg: Leg
    elapsed: Span
    is_running: bool
    figure: Figure | None
    pace: Pace


class WaitProposal(Struct, frozen=True):
    """A `poll_max_wait_seconds` that would have caught 9 of 10 of a profile's orders, and its price.

    Args:
        seconds: The proposal, in whole minutes.
        n: How many orders it rests on.
        caught: How many of them would have been issued by then.
        caught_now: How many are by the bound in force.
        polls_at_most: Requests for one order that is not issued by then.
        polls_on_average: Requests for one of the n orders until it is issued, or the bound is reached.
        is_by_days: Whether some durations are known as days only; the longest they can be counts.
    """

    seconds: int
    n: int
    caught: int
    caught_now: int
    polls_at_most: int
    polls_on_average: float
    is_by_days: bool

    @property
    def is_weak(self) -> bool:
        """Whether it rests on too few orders."""
        return self.n < ENOUGH_SAMPLES


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile by linear interpolation between the two nearest values.

    Args:
        values: At least one, in any order.
        share: Between 0 and 1.
    """
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    low, high = ordered[floor(position)], ordered[ceil(position)]
    return low + (high - low) * (position - floor(position))


def figure(samples: Sequence[Sample], leg: Leg, profile_id: int | None, organization_id: int | None) -> Figure | None:
    """Return the figure for a leg: of the profile and organization if that is enough orders, else of the profile.

    Args:
        samples: The account's samples.
        leg: Which leg.
        profile_id: The certificate profile.
        organization_id: The organization or department.

    Returns:
        The figure, weak or not; None where no order of the profile has this leg.
    """
    profile = [sample for sample in samples if sample.profile_id == profile_id and leg in sample.legs]
    both = [sample for sample in profile if sample.organization_id == organization_id]
    chosen, scope = (both, "profile and organization") if len(both) >= ENOUGH_SAMPLES else (profile, "profile")
    if not chosen:
        return None
    least = [sample.legs[leg].at_least_seconds for sample in chosen]
    most = [sample.legs[leg].at_most_seconds for sample in chosen]
    p50, p90 = (Span(quantile(least, share), quantile(most, share)) for share in (0.5, 0.9))
    return Figure(leg, scope, len(chosen), p50, p90)


def pace(elapsed: Span, known: Figure | None) -> Pace:
    """Return how a duration compares with a figure."""
    if known is None:
        return Pace.NO_HISTORY
    if known.is_weak:
        return Pace.WEAK
    if elapsed.at_least_seconds > known.p90.at_most_seconds:
        return Pace.SLOW
    return Pace.USUAL if elapsed.at_most_seconds <= known.p90.at_least_seconds else Pace.UNDECIDED


def compare(
    stages: Sequence[Stage],
    samples: Sequence[Sample],
    profile_id: int | None,
    organization_id: int | None,
    now: datetime,
) -> tuple[Comparison, ...]:
    """Return each leg that an order has begun, beside the account's figures.

    Args:
        stages: The order's time line.
        samples: The account's samples.
        profile_id: The order's certificate profile.
        organization_id: Its organization or department.
        now: The time.
    """
    found = []
    for leg, (start, end) in ENDS.items():
        elapsed, is_running = _elapsed(stages, start, end, now)
        if elapsed is not None:
            known = figure(samples, leg, profile_id, organization_id)
            found.append(Comparison(leg, elapsed, is_running, known, pace(elapsed, known)))
    return tuple(found)


def poll_times_within(deadline_seconds: float) -> list[float]:
    """Return when the polls of a window are made that settle nothing, in seconds from its start, without jitter."""
    at = [0.0]
    while at[-1] < deadline_seconds:
        at.append(min(at[-1] + schedule.scheduled_wait_seconds(len(at)), deadline_seconds))
    return at


def propose_wait(samples: Sequence[Sample], profile_id: int | None, current_seconds: float) -> WaitProposal | None:
    """Return the `poll_max_wait_seconds` that would have caught 90 % of a profile's orders.

    Args:
        samples: The account's samples.
        profile_id: The certificate profile.
        current_seconds: The bound in force.

    Returns:
        The proposal; None where no order of the profile is known from request to issuance.
    """
    spans = [
        sample.legs[Leg.WHOLE] for sample in samples if sample.profile_id == profile_id and Leg.WHOLE in sample.legs
    ]
    if not spans:
        return None
    waits = sorted(span.at_most_seconds for span in spans)
    enough = waits[ceil(CAUGHT_SHARE * len(waits)) - 1]
    seconds = max(60, ceil(enough / 60) * 60)
    polls = poll_times_within(seconds)
    until_caught = [sum(1 for at in polls if at < wait) + 1 if wait <= seconds else len(polls) for wait in waits]
    return WaitProposal(
        seconds=seconds,
        n=len(waits),
        caught=sum(wait <= seconds for wait in waits),
        caught_now=sum(wait <= current_seconds for wait in waits),
        polls_at_most=len(polls),
        polls_on_average=sum(until_caught) / len(waits),
        is_by_days=any(span.uncertainty_seconds >= _DAY_DOUBT_SECONDS for span in spans),
    )


def _elapsed(stages: Sequence[Stage], start: StageName, end: StageName, now: datetime) -> tuple[Span | None, bool]:
    by_name = {stage.name: stage for stage in stages}
    first, last = by_name.get(start), by_name.get(end)
    if first is None or last is None or first.reached is None or not first.source:
        return None, False
    if last.reached is not None:
        return (Span.between(first.reached, last.reached) if last.source else None), False
    runs = any(stage.state is StageState.CURRENT for stage in stages)
    return (Span.between(first.reached, When.of(now)), True) if runs else (None, False)
