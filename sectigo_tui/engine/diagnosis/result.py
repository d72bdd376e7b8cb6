"""A diagnosis: the verdict with all that belongs beside it, as one plain value. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.orders import Order
from sectigo_tui.engine.diagnosis.common_causes import OrderRef
from sectigo_tui.engine.diagnosis.evidence.model import Evidence, has_passed
from sectigo_tui.engine.diagnosis.evidence.validations import (
    DomainLine,
    OrganizationLine,
    domain_lines,
    organization_line,
)
from sectigo_tui.engine.diagnosis.normal import Comparison, Pace, Sample, WaitProposal, compare, propose_wait
from sectigo_tui.engine.diagnosis.rules.causes import Cause
from sectigo_tui.engine.diagnosis.stages import NotPolled, Span, Stage, When, time_line, unwatched
from sectigo_tui.engine.diagnosis.verdict import Verdict, judge


class OutageClock(Struct, frozen=True):
    """The end of the certificate in use, by which the order must be a certificate.

    Args:
        ssl_id: The order of the certificate in use.
        common_name: Its name; untrusted text.
        expires: When it ends.
        source: Who tells that.
        at: When it was told; None where it was read from the certificate itself.
    """

    ssl_id: int | None
    common_name: str
    expires: Moment
    source: str
    at: datetime | None = None

    @property
    def earliest(self) -> datetime:
        """The earliest it can end, to sort by."""
        return When.of(self.expires).earliest

    def has_ended(self, now: datetime) -> bool:
        """Return whether it is over for certain."""
        return has_passed(self.expires, now)

    def left(self, now: datetime) -> Span:
        """Return how long it still lasts."""
        return Span.between(When.of(now), When.of(self.expires))


def outage_clock(
    order: Order | None,
    details: OrderDetails | None,
    local: Callable[[int], Order | None],
    remote: Callable[[int], OrderDetails | None],
) -> OutageClock | None:
    """Return when the certificate ends that an order renews or replaces, from what is known already.

    Args:
        order: The local order, if it is one.
        details: What SCM tells of it, where that is known.
        local: Finds a local order by sslId.
        remote: Finds the details of an order by sslId.

    Returns:
        None for a new certificate, and where nobody tells what it takes the place of.
    """
    if order is not None and order.renews_ssl_id is not None:
        return _renewed(order.renews_ssl_id, local(order.renews_ssl_id), remote(order.renews_ssl_id))
    if order is not None and order.certificate is not None and order.state.is_polled:
        return OutageClock(order.ssl_id, order.common_name, order.certificate.not_after, "the collected certificate")
    if details is not None and details.replaced is not None and details.expires is not None and not details.issued:
        return OutageClock(details.ssl_id, details.common_name, details.expires, f"SCM details {details.ssl_id}")
    return None


def _renewed(ssl_id: int, order: Order | None, details: OrderDetails | None) -> OutageClock | None:
    if order is not None and order.certificate is not None:
        return OutageClock(ssl_id, order.common_name, order.certificate.not_after, "the collected certificate")
    scm_words = details or (order.details if order else None)
    if scm_words is None or scm_words.expires is None:
        return None
    at = order.last_answer_at if order is not None and details is None else None
    return OutageClock(ssl_id, scm_words.common_name, scm_words.expires, f"SCM details {ssl_id}", at)


_WAITED_FOR = frozenset({Cause.VETTING, Cause.CREATING, Cause.NOT_TAKEN, Cause.COLLECT_NOT_READY})
"""Nobody on this side can do anything about these but wait, or escalate."""
_ESCALATE = "end the escalation pack to Sectigo support."


class Diagnosis(Struct, frozen=True, kw_only=True):
    """What is known and concluded about one order at one time.

    Args:
        evidence: What is known.
        verdict: Who it waits for.
        stages: Its time line.
        unwatched: When the order was not polled.
        domains: How each domain stands.
        organization: How the organization stands; None where it does not count or is not known.
        normal: Its times beside the account's own.
        proposal: A better `poll_max_wait_seconds` for its profile; None without history.
        outage: When the certificate ends that it takes the place of; None for a new one.
        history_at: When the account's report was read on which its figures rest; None where they rest on none.
    """

    evidence: Evidence
    verdict: Verdict
    stages: tuple[Stage, ...]
    unwatched: tuple[NotPolled, ...]
    domains: tuple[DomainLine, ...]
    organization: OrganizationLine | None
    normal: tuple[Comparison, ...]
    proposal: WaitProposal | None
    outage: OutageClock | None
    history_at: datetime | None = None

    @property
    def ref(self) -> OrderRef:
        """The order: its sslId, or its local id while it has none."""
        order = self.evidence.order
        return self.evidence.ssl_id or (order.id if order is not None else "")


def conclude(
    evidence: Evidence,
    samples: Sequence[Sample],
    outage: OutageClock | None,
    deadline_seconds: float,
    history_at: datetime | None = None,
) -> Diagnosis:
    """Return what evidence comes to.

    Args:
        evidence: What is known.
        samples: How long this account's orders of its profile took.
        outage: When the certificate ends that the order takes the place of.
        deadline_seconds: The bound of a poll window in force.
        history_at: When the account's report was read; None where none was.
    """
    stages = time_line(evidence)
    profile_id = evidence.profile_id
    normal = compare(stages, samples, profile_id, evidence.organization_id, evidence.now)
    return Diagnosis(
        evidence=evidence,
        verdict=_in_time(judge(evidence), normal),
        stages=stages,
        unwatched=unwatched(evidence),
        domains=domain_lines(evidence),
        organization=organization_line(evidence),
        normal=normal,
        proposal=propose_wait(samples, profile_id, deadline_seconds),
        outage=outage,
        history_at=history_at,
    )


def _in_time(verdict: Verdict, normal: Sequence[Comparison]) -> Verdict:
    """Return a verdict whose advice agrees with the order's pace: who is told "slow" is not told to wait."""
    running = [one for one in normal if one.is_running]
    if verdict.cause not in _WAITED_FOR or not running:
        return verdict
    slow = next((one for one in running if one.pace is Pace.SLOW), None)
    if slow is not None:
        longer = f"{slow.leg} takes longer than for 9 of 10 orders"
        return replace(verdict, next_action=f"Do not wait any longer: {longer}. S{_ESCALATE}")
    if any(one.pace is Pace.USUAL for one in running) and verdict.cause is not Cause.COLLECT_NOT_READY:
        return replace(verdict, next_action=f"Wait: so far it takes no longer than usual. Past that, s{_ESCALATE}")
    return verdict
