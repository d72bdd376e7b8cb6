"""What is not known about an order, or no longer up to date. Pure."""

from __future__ import annotations

from msgspec import Struct

from sectigo_tui.engine.diagnosis.evidence.model import Answer, AnswerState, Evidence, Part, moment_text, quoted
from sectigo_tui.engine.diagnosis.evidence.validations import DomainState, domain_lines, is_domain


class MissingEvidence(Struct, frozen=True):
    """Something that is not known, or no longer up to date.

    Args:
        part: Of which part.
        what: What is missing and why, for a person.
        weakens: Whether the verdict could be another one with it.
        error: Why a call failed, the same for what failed in the same way; empty where none did.
    """

    part: Part
    what: str
    weakens: bool = True
    error: str = ""


def missing_evidence_of(evidence: Evidence, *, is_deep: bool) -> tuple[MissingEvidence, ...]:
    """Return what is not known about an order.

    Args:
        evidence: What is known.
        is_deep: Whether DCV, CAA and the organization bear on it.
    """
    missing_evidence = [_missing_polls(evidence), _missing_answer(Part.DETAILS, evidence.details)]
    if is_deep:
        if not evidence.is_dcv_unused:
            missing_evidence.append(_missing_answer(Part.DCV, evidence.dcv))
            missing_evidence += [_missing_answer(Part.DOMAINS, answer) for answer in evidence.domains.values()]
            missing_evidence += _missing_domains(evidence)
        if evidence.needs_organization or not evidence.level:
            missing_evidence.append(_missing_answer(Part.ORGANIZATION, evidence.organization))
        missing_evidence += [
            _not_known(Part.DELEGATIONS, answer)
            for answer in (evidence.domain_names, *evidence.account_domains.values())
        ]
        missing_evidence.append(_not_known(Part.CONTRACT, evidence.usage))
        missing_evidence += [_missing_answer(Part.DNS, answer) for answer in evidence.caa.values()]
        missing_evidence += [_missing_answer(Part.DNS, answer) for answer in evidence.records.values()]
        if not evidence.dns_is_on:
            missing_evidence.append(MissingEvidence(Part.DNS, "CAA not checked: DNS lookups are off", weakens=False))
        elif unread := sum(is_domain(name) and name not in evidence.caa for name in evidence.names):
            missing_evidence.append(
                MissingEvidence(Part.DNS, f"CAA of {unread} more names not looked up", weakens=False)
            )
        if evidence.unchecked_names:
            missing_evidence.append(
                MissingEvidence(Part.DOMAINS, f"{evidence.unchecked_names} more names were not looked up")
            )
    return tuple(dict.fromkeys(missing_part for missing_part in missing_evidence if missing_part is not None))


def _missing_polls(evidence: Evidence) -> MissingEvidence | None:
    window = evidence.order.window if evidence.order else None
    if window is None or window.is_open or evidence.order is None or not evidence.order.state.is_polled:
        return None
    since = f" since {moment_text(evidence.order.last_poll.at)}" if evidence.order.last_poll else ""
    return MissingEvidence(Part.LOCAL, f"polling ended ({window.ended}): not polled{since}", weakens=False)


def _missing_answer(part: Part, answer: Answer[object]) -> MissingEvidence | None:
    older = f", the answer of {moment_text(answer.at)} is used" if answer.value is not None and answer.at else ""
    match answer.state:
        case AnswerState.FAILED:
            what = f"{part} failed to load ({answer.source}: {quoted(answer.error)}){older}"
            return MissingEvidence(part, what, error=answer.error)
        case AnswerState.ASKING if answer.value is None:
            return MissingEvidence(part, f"{part} being looked up")
        case AnswerState.NOT_ASKED if answer.value is None:
            return MissingEvidence(part, f"{part} not looked up yet")
        case _:
            return None


def _not_known(part: Part, answer: Answer[object]) -> MissingEvidence | None:
    """Return that a part is not known which many logins may not ask for: that is no sign of anything."""
    if not answer.is_failed:
        return None
    if answer.is_not_allowed:
        return MissingEvidence(part, f"{part} not known: this login may not ask ({answer.source})", weakens=False)
    older = f", the answer of {moment_text(answer.at)} is used" if answer.value is not None and answer.at else ""
    what = f"{part} failed to load ({answer.source}: {quoted(answer.error)}){older}"
    return MissingEvidence(part, what, weakens=False, error=answer.error)


def _missing_domains(evidence: Evidence) -> list[MissingEvidence]:
    if evidence.dcv.value is None and not evidence.dcv.is_failed:
        return []  # which domains there are is not known yet
    lines = [line for line in domain_lines(evidence) if line.order_state is DomainState.UNKNOWN]
    odd = [line for line in lines if line.scm_words]
    unasked = [quoted(line.domain) for line in lines if not line.scm_words and line.domain not in evidence.domains]
    missing_evidence = [
        MissingEvidence(
            Part.DOMAINS, f"DCV of {quoted(line.domain)} is {quoted(line.scm_words)}, which this program does not know"
        )
        for line in odd
    ]
    if unasked:
        more = f" and {len(unasked) - 3} more" if len(unasked) > 3 else ""
        missing_evidence.append(
            MissingEvidence(Part.DOMAINS, f"DCV of {', '.join(unasked[:3])}{more} is not looked up yet")
        )
    return missing_evidence
