"""A diagnosis: the verdict with all that belongs beside it, as one plain value. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sectigo_tui.engine.diagnosis.causes import OrderRef
from sectigo_tui.engine.diagnosis.domains import DomainLine, domain_lines
from sectigo_tui.engine.diagnosis.evidence import Evidence
from sectigo_tui.engine.diagnosis.history import Sample
from sectigo_tui.engine.diagnosis.normal import Comparison, WaitProposal, compare, propose_wait
from sectigo_tui.engine.diagnosis.organizations import OrganizationLine, organization_line
from sectigo_tui.engine.diagnosis.outage import OutageClock
from sectigo_tui.engine.diagnosis.stages import Stage, Unwatched, time_line, unwatched
from sectigo_tui.engine.diagnosis.verdict import Verdict, judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """What is known and concluded about one order at one time.

    Args:
        evidence: What is known.
        verdict: Who it waits for.
        stages: Its time line.
        unwatched: When nobody looked.
        domains: How each domain stands.
        organization: How the organization stands; None where it does not count or is not known.
        normal: Its times beside the account's own.
        proposal: A better `poll_max_wait_seconds` for its profile; None without history.
        outage: When the certificate ends that it takes the place of; None for a new one.
    """

    evidence: Evidence
    verdict: Verdict
    stages: tuple[Stage, ...]
    unwatched: tuple[Unwatched, ...]
    domains: tuple[DomainLine, ...]
    organization: OrganizationLine | None
    normal: tuple[Comparison, ...]
    proposal: WaitProposal | None
    outage: OutageClock | None

    @property
    def ref(self) -> OrderRef:
        """The order: its sslId, or its local id while it has none."""
        order = self.evidence.order
        return self.evidence.ssl_id or (order.id if order is not None else "")


def conclude(
    evidence: Evidence, samples: Sequence[Sample], outage: OutageClock | None, deadline_seconds: float
) -> Diagnosis:
    """Return what evidence comes to.

    Args:
        evidence: What is known.
        samples: How long this account's orders took.
        outage: When the certificate ends that the order takes the place of.
        deadline_seconds: The bound of a poll window in force.
    """
    stages = time_line(evidence)
    details, order = evidence.details.value, evidence.order
    profile_id = (details.profile_id if details else None) or (order.profile_id if order else None)
    return Diagnosis(
        evidence=evidence,
        verdict=judge(evidence),
        stages=stages,
        unwatched=unwatched(evidence),
        domains=domain_lines(evidence),
        organization=organization_line(evidence),
        normal=compare(stages, samples, profile_id, evidence.organization_id, evidence.now),
        proposal=propose_wait(samples, profile_id, deadline_seconds),
        outage=outage,
    )
