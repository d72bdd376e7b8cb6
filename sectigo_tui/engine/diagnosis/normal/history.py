"""How long this account's orders took, one sample for each that was issued. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.ports import OrderStore
from sectigo_tui.engine.diagnosis.evidence.model import Answer, AnswerState, Evidence
from sectigo_tui.engine.diagnosis.spans import Span
from sectigo_tui.engine.diagnosis.stages import Stage, StageName, time_line


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
