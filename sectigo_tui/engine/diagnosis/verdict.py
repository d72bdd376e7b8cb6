"""Who an order is waiting for: pure, from evidence to a verdict that says no more than the evidence does."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.status import is_same, meaning_of
from sectigo_tui.engine.diagnosis.evidence.missing import MissingEvidence, missing_evidence_of
from sectigo_tui.engine.diagnosis.evidence.model import DCV_UNUSED_CODE, Evidence, Fact, Part, quoted, status_fact
from sectigo_tui.engine.diagnosis.evidence.validations import (
    DomainState,
    OrganizationState,
    domain_lines,
    organization_line,
)
from sectigo_tui.engine.diagnosis.rules.causes import BlockingCause, Cause, Party
from sectigo_tui.engine.diagnosis.rules.status import status_causes
from sectigo_tui.engine.diagnosis.rules.validation import contract_causes, validation_causes

CELL_WIDTH = 12
"""The widest text for a column, in cells."""


class Strength(StrEnum):
    """How much evidence a verdict has."""

    FULL = "full"
    """All that bears on it is known."""
    PARTIAL = "partial"
    """Some of it is missing; `missing_evidence` lists which."""
    STATUS_ONLY = "status only"
    """Nothing but SCM's status and the local record has been polled."""


class Verdict(Struct, frozen=True, kw_only=True):
    """Who an order is waiting for, and why that is believed.

    Args:
        party: Who must act.
        cause: Why.
        sentence: The same in one sentence.
        cell: The same in at most 12 cells, for a column.
        evidence: What it rests on.
        next_action: What to do.
        changes_when: What would change it.
        primary: The cause behind it.
        others: Further causes that hold at once, the most urgent first.
        missing_evidence: What is not known.
        strength: How much evidence there is.
        at: When it was reached.
    """

    party: Party
    cause: Cause
    sentence: str
    cell: str
    evidence: tuple[Fact, ...]
    next_action: str
    changes_when: str
    primary: BlockingCause
    others: tuple[BlockingCause, ...]
    missing_evidence: tuple[MissingEvidence, ...]
    strength: Strength
    at: datetime


def judge(evidence: Evidence) -> Verdict:
    """Return who an order is waiting for.

    Of several causes the most urgent one is the verdict and the others are listed. A certain cause always comes
    before one that merely could be; with none certain the verdict is `unknown`, whatever could be.

    Args:
        evidence: What is known; parts may be missing.
    """
    blocking_causes = status_causes(evidence)
    is_deep = waits_at_ca(evidence)
    if is_deep:
        blocking_causes += validation_causes(evidence)
        blocking_causes += _rest(evidence, blocking_causes)
        blocking_causes += contract_causes(evidence)
    missing_evidence = missing_evidence_of(evidence, is_deep=is_deep)
    blocking_causes.sort(
        key=lambda blocking_cause: (not blocking_cause.is_certain, blocking_cause.cause.rank, blocking_cause.about)
    )
    if not blocking_causes:
        blocking_causes = [_unknown(evidence, missing_evidence)]
    primary, others = blocking_causes[0], tuple(blocking_causes[1:])
    party = primary.party if primary.is_certain else Party.UNKNOWN
    return Verdict(
        party=party,
        cause=primary.cause,
        sentence=primary.sentence,
        cell=_cell(primary, party, others, evidence, missing_evidence),
        evidence=_evidence(evidence, primary),
        next_action=primary.next_action,
        changes_when=primary.changes_when,
        primary=primary,
        others=others,
        missing_evidence=missing_evidence,
        strength=_strength(evidence, missing_evidence, is_deep=is_deep),
        at=evidence.now,
    )


def waits_at_ca(evidence: Evidence) -> bool:
    """Return whether DCV, CAA and the organization bear on an order: it is pending in SCM, or the CA rejected it."""
    order = evidence.order
    if order is not None and order.state in (OrderState.INTENT, OrderState.UNCONFIRMED):
        return False
    if order is not None and order.state is not OrderState.FAILED and not order.state.is_polled:
        return False
    rejected = is_same(evidence.status, "Rejected")
    return rejected or (bool(evidence.status) and meaning_of(evidence.status).status_class.is_pending)


def _rest(evidence: Evidence, blocking_causes: list[BlockingCause]) -> list[BlockingCause]:
    """Return what is left to say of an order at the CA for which nothing else was found."""
    meaning = meaning_of(evidence.status)
    if blocking_causes or not meaning.status_class.is_pending:
        return []
    if meaning.responsible == "unknown":
        return [
            BlockingCause(
                cause=Cause.UNKNOWN_STATUS,
                party=Party.UNKNOWN,
                sentence=f"SCM says {quoted(evidence.status)}, a status that this program does not know.",
                next_action="Look at the order in SCM's own pages.",
                changes_when="Its status changes.",
                facts=(status_fact(evidence),),
                is_certain=False,
            )
        ]
    if not _is_all_valid(evidence):
        return []
    facts = [fact for line in domain_lines(evidence) for fact in line.facts]
    organization = organization_line(evidence)
    facts += organization.facts if organization else ()
    valid = "Organization and domains are valid" if organization else "Its domains are valid"
    if evidence.is_dcv_unused:
        valid = f"{'The organization is valid, and ' if organization else ''}DCV is not used for this customer"
        words = f"DCV is not used for this customer ({DCV_UNUSED_CODE})"
        facts.append(Fact(words, evidence.dcv.source, evidence.dcv.failed_at or evidence.dcv.at))
    review = "callback or manual review" if organization else "manual review"
    caveat = ", unless CAA forbids it, which could not be looked up" if _caa_failed(evidence) else ""
    return [
        BlockingCause(
            cause=Cause.VETTING,
            party=Party.CA,
            sentence=f"{valid}: vetting at Sectigo ({review}), not visible in the API{caveat}.",
            next_action="Wait; past the usual time, send the escalation pack to Sectigo support.",
            changes_when="Its status becomes Issued or Rejected, or a validation expires.",
            facts=(status_fact(evidence), *facts),
        )
    ]


def _is_all_valid(evidence: Evidence) -> bool:
    """Return whether all that bears on an order at the CA is known, and valid."""
    lines, organization = domain_lines(evidence), organization_line(evidence)
    is_settled = evidence.is_dcv_unused or (bool(lines) and not evidence.unchecked_names)
    if not is_settled or any(line.order_state is not DomainState.VALID for line in lines):
        return False
    if organization is None:
        return evidence.level == "DV"
    return organization.order_state is OrganizationState.VALID and organization.is_certain


def _unknown(evidence: Evidence, missing_evidence: tuple[MissingEvidence, ...]) -> BlockingCause:
    if not evidence.status:
        missing = ["SCM has not told its status"]
    else:
        missing = [missing_part.what for missing_part in missing_evidence if missing_part.weakens] or [
            "the evidence does not settle it"
        ]
    known = [fact for line in domain_lines(evidence) for fact in line.facts]
    organization = organization_line(evidence)
    known += organization.facts if organization else ()
    where = "At the CA; what it waits for" if evidence.status else "What it waits for"
    return BlockingCause(
        cause=Cause.NOT_FETCHED,
        party=Party.UNKNOWN,
        sentence=f"{where} is not known: {'; '.join(missing)}.",
        next_action="Look it up again." if known else "Diagnose it: its DCV and organization are looked up then.",
        changes_when="The missing evidence is there.",
        facts=(status_fact(evidence), *known),
        is_certain=False,
    )


def _caa_failed(evidence: Evidence) -> bool:
    return any(answer.is_failed for answer in evidence.caa.values())


def _strength(evidence: Evidence, missing_evidence: tuple[MissingEvidence, ...], *, is_deep: bool) -> Strength:
    asked = (evidence.dcv, evidence.organization, *evidence.domains.values())
    if is_deep and all(answer.value is None and not answer.is_failed for answer in asked):
        return Strength.STATUS_ONLY
    return Strength.PARTIAL if any(missing_part.weakens for missing_part in missing_evidence) else Strength.FULL


def _evidence(evidence: Evidence, primary: BlockingCause) -> tuple[Fact, ...]:
    status = status_fact(evidence)
    return primary.facts if status in primary.facts else (status, *primary.facts)


_CELLS = {
    Party.YOU: "you",
    Party.APPROVER: "approver",
    Party.DNS_OWNER: "DNS owner",
    Party.ORGANIZATION_CONTACT: "org contact",
    Party.CA: "CA",
    Party.NOBODY_YET: "nobody yet",
    Party.NOBODY: "-",
    Party.UNKNOWN: "unknown",
}
_SHORT_CELLS = {Party.ORGANIZATION_CONTACT: "contact", Party.NOBODY_YET: "nobody"}


def _cell(
    primary: BlockingCause,
    party: Party,
    others: tuple[BlockingCause, ...],
    evidence: Evidence,
    missing_evidence: tuple[MissingEvidence, ...],
) -> str:
    if party is Party.UNKNOWN:
        return _unknown_cell(primary, evidence, missing_evidence)
    more = len({blocking_cause.cause for blocking_cause in others if blocking_cause.is_certain} - {primary.cause})
    if not more:
        return _CELLS[party]
    counted = f"{_CELLS[party]} +{more}"
    return counted if len(counted) <= CELL_WIDTH else f"{_SHORT_CELLS.get(party, _CELLS[party])} +{more}"


def _unknown_cell(primary: BlockingCause, evidence: Evidence, missing_evidence: tuple[MissingEvidence, ...]) -> str:
    if not is_same(evidence.status, "Applied"):
        return _CELLS[Party.UNKNOWN]
    if primary.cause is not Cause.NOT_FETCHED:
        return "DNS?" if primary.about.startswith("domain") else "org?" if primary.about else "unknown"
    missing = {missing_part.part for missing_part in missing_evidence if missing_part.weakens}
    return "CA or org?" if missing == {Part.ORGANIZATION} else "CA or DNS?"
