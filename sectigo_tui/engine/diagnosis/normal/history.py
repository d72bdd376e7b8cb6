"""How long this account's orders took, one sample for each that was issued. Pure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from sectigo_tui.domain.certificates import ListingFilter, OrderDetails
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.domain.ports import OrderStore
from sectigo_tui.engine.account.listing import PAGE_SIZE
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.diagnosis.evidence.model import Answer, AnswerState, Evidence
from sectigo_tui.engine.diagnosis.spans import Span
from sectigo_tui.engine.diagnosis.stages import Stage, StageName, time_line
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
    """

    ssl_id: int | None
    profile_id: int | None
    organization_id: int | None
    legs: Mapping[Leg, Span]


def sample_of(evidence: Evidence) -> Sample | None:
    """Return how long an order took; None for one that was not issued."""
    stages = {stage.name: stage for stage in time_line(evidence)}
    if stages[StageName.ISSUED].reached is None:
        return None
    legs = {leg: span for leg, (start, end) in ENDS.items() if (span := _leg(stages.get(start), stages.get(end)))}
    order, details = evidence.order, evidence.details.value
    profile = (details.profile_id if details else None) or (order.profile_id if order else None)
    return Sample(evidence.ssl_id, profile, evidence.organization_id, legs) if legs else None


def remote_sample(details: OrderDetails, at: datetime) -> Sample | None:
    """Return a sample of a remote order from the dates that SCM tells, which may be days."""
    answer = Answer(f"SCM details {details.ssl_id}", AnswerState.KNOWN, details, at)
    return sample_of(Evidence(now=at, status=details.status, status_at=at, ssl_id=details.ssl_id, details=answer))


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


def _leg(start: Stage | None, end: Stage | None) -> Span | None:
    """Return how long a leg took; None unless both its ends were told or seen, for a mere bound is no measure."""
    if start is None or end is None or start.reached is None or end.reached is None:
        return None
    return Span.between(start.reached, end.reached) if start.source and end.source else None


LOCAL_HISTORY_ORDERS = 500
"""How many issued local orders the figures rest on, the newest."""

HISTORY_ORDERS = 60
"""How many issued remote orders are fetched for the account's history, at one request each."""

_READ_AT_ONCE = 20

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


class Samples:
    """How long orders of this account took, as far as that was learned.

    Args:
        context: The world.
        account: What is known of the account's remote orders.
    """

    def __init__(self, context: Context, account: Account) -> None:
        self._context = context
        self._account = account
        self._local: dict[str, tuple[int, Sample | None]] = {}
        self._remote: dict[int, Sample] = {}

    def all(self) -> list[Sample]:
        """Return the samples, each order once."""
        local = [sample for _, sample in self._local.values() if sample is not None]
        return merged(local, self._remote.values())

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
            if number % _READ_AT_ONCE == 0:
                await asyncio.sleep(0)  # each timeline is read from the disk: keys are handled in between
        return bool(missing)

    async def learn_remote(
        self, progress: Callable[[int, int], None], *, organization_id: int | None = None, orders: int = HISTORY_ORDERS
    ) -> int:
        """Fetch issued remote orders; only when the operator asks, for it costs requests.

        The listing is not sorted and names no dates: the newest sslIds of its first and last page are polled.

        Args:
            progress: Called with how many orders are fetched, and how many there are.
            organization_id: Only orders of this organization or department.
            orders: How many, at one request each.

        Returns:
            How many have told their times.

        Raises:
            ScmFailure: A listing could not be read, or details could not be; those read so far are kept.
        """
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
            progress(number, len(newest))
        return len(self._remote)

    async def _page(self, where: ListingFilter, position: int) -> tuple[int, ...]:
        page = await self._account.spellings.ask(
            where,
            lambda spelled: self._context.limiter.run(
                Priority.LISTING, lambda: self._context.scm.listing(spelled, position=position, size=PAGE_SIZE)
            ),
        )
        return tuple(row.ssl_id for row in page.rows)
