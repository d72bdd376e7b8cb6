"""What SCM's status says about why an order is not a certificate."""

from __future__ import annotations

from collections.abc import Callable

from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.status import StatusClass, is_same, meaning_of
from sectigo_tui.engine.diagnosis.evidence.model import Evidence, Fact, entry_fact, moment_text, quoted, status_fact
from sectigo_tui.engine.diagnosis.rules.causes import BlockingCause, Cause, Party
from sectigo_tui.engine.diagnosis.rules.local import ANCHOR_CODE, local_causes

_OTHER_APPROVER_CODE = -1140


def status_causes(evidence: Evidence) -> list[BlockingCause]:
    """Return the causes that the status and the local record show; none for one that lies deeper (Applied)."""
    here = local_causes(evidence)
    if here is not None:
        return [here]
    meaning = meaning_of(evidence.status)
    if not meaning.status_class.is_pending:
        return [_ended(evidence)]
    scm_words = [_BY_STATUS[meaning.name](evidence)] if meaning.name in _BY_STATUS else []
    return scm_words + _by_codes(evidence)


def codes_in_force(evidence: Evidence) -> dict[int, TimelineEntry]:
    """Return SCM's codes since the status last changed, each with the newest entry that has it.

    Of an order that is only remote nobody records when its status changed: what was refused under a status that was
    not recorded counts no more once the order is at the CA.
    """
    found: dict[int, TimelineEntry] = {}
    is_undated_over = evidence.order is None and is_same(evidence.status, "Applied")
    for entry in reversed(evidence.timeline):
        if entry.scm_status and evidence.status and not is_same(entry.scm_status, evidence.status):
            break
        if entry.code is not None and (entry.scm_status or not is_undated_over):
            found.setdefault(entry.code, entry)
    return found


def _approval(evidence: Evidence) -> BlockingCause:
    details = evidence.details.value
    second = is_same(evidence.status, "SA Approved")
    entry = codes_in_force(evidence).get(_OTHER_APPROVER_CODE)
    requester = quoted(details.requester) if details else ""
    facts = [status_fact(evidence)]
    if details is not None and details.requested:
        by = f" by {requester}" if requester else ""
        words = f"requested {moment_text(details.requested)}{by}, approved: {_when_approved(evidence)}"
        facts.append(Fact(words, evidence.details.source, evidence.details.at))
    if entry is not None:
        return BlockingCause(
            cause=Cause.EV_OTHER_APPROVER,
            party=Party.APPROVER,
            sentence="Waits for approval, and who requested it may not approve it (-1140).",
            next_action=f"Have an administrator other than {requester or 'the requester'} approve it.",
            changes_when="Another administrator approves or declines it.",
            facts=(*facts, entry_fact(entry)),
        )
    advice = f" For EV it must be another one than {requester or 'the requester'}." if evidence.level == "EV" else ""
    return BlockingCause(
        cause=Cause.SECOND_APPROVAL if second else Cause.APPROVAL,
        party=Party.APPROVER,
        sentence="One approval is given, another is needed in SCM." if second else "Waits in SCM for approval.",
        next_action=f"Have an administrator (RAO or MRAO) approve it.{advice}",
        changes_when="An administrator approves or declines it.",
        facts=tuple(facts),
    )


def _when_approved(evidence: Evidence) -> str:
    details = evidence.details.value
    return moment_text(details.approved) if details and details.approved else "not yet"


def _creating(evidence: Evidence) -> BlockingCause:
    return BlockingCause(
        cause=Cause.CREATING,
        party=Party.NOBODY_YET,
        sentence="SCM is creating it, or an external validation is under way.",
        next_action="Wait; tell Sectigo support if it stays for an hour.",
        changes_when="Its status leaves Init.",
        facts=(status_fact(evidence),),
    )


def _not_taken(evidence: Evidence) -> BlockingCause:
    return BlockingCause(
        cause=Cause.NOT_TAKEN,
        party=Party.NOBODY_YET,
        sentence="Approved in SCM, and the CA has not taken it yet.",
        next_action="Wait; escalate to Sectigo support if it stays.",
        changes_when="Its status becomes Applied.",
        facts=(status_fact(evidence),),
    )


_BY_STATUS: dict[str, Callable[[Evidence], BlockingCause]] = {
    "Init": _creating,
    "Pending": _creating,
    "Requested": _approval,
    "SA Approved": _approval,
    "Approved": _not_taken,
}

_ENDED = {
    "Declined": (Cause.DECLINED, "An administrator declined it.", "Ask why, then order again."),
    "Rejected": (Cause.REJECTED, "The CA rejected it.", "Quote its order number to Sectigo support, then order again."),
    "Invalid": (Cause.INVALID, "SCM refused its data.", "Correct the data, then order again."),
    "Not Enrolled": (Cause.INVALID, "It was never enrolled.", "Order again."),
}


def _ended(evidence: Evidence) -> BlockingCause:
    meaning = meaning_of(evidence.status)
    if meaning.name in _ENDED:
        cause, sentence, action = _ENDED[meaning.name]
        rejection = quoted(evidence.order.rejection) if evidence.order and evidence.order.rejection else ""
        return BlockingCause(
            cause=cause,
            party=Party.YOU,
            sentence=f"{sentence}{f' Its words: {rejection}' if rejection else ''}",
            next_action=action,
            changes_when="Nothing changes this order any more; a new one has to be placed.",
            facts=(status_fact(evidence),),
        )
    is_issued = meaning.status_class is StatusClass.ISSUED
    return BlockingCause(
        cause=Cause.SETTLED,
        party=Party.NOBODY,
        sentence=f"Nothing is left to wait for: it is {meaning.meaning if is_issued else meaning.name.casefold()}.",
        next_action="Collect it, if you want it." if is_issued else "Nothing.",
        changes_when="Somebody renews, replaces or revokes it."
        if is_issued
        else "Nothing changes this order any more.",
        facts=(status_fact(evidence),),
    )


def _by_codes(evidence: Evidence) -> list[BlockingCause]:
    codes = codes_in_force(evidence)
    log = evidence.dcv.value
    facts = [entry_fact(codes[ANCHOR_CODE])] if ANCHOR_CODE in codes else []
    if log is not None and log.error_code == ANCHOR_CODE:
        words = f"DCV log error {log.error_code}: {quoted(log.error_description)}"
        facts.append(Fact(words, evidence.dcv.source, evidence.dcv.at))
    if not facts:
        return []
    return [
        BlockingCause(
            cause=Cause.EV_ANCHOR,
            party=Party.YOU,
            sentence="The order does not match the account's EV anchor certificate (-181).",
            next_action="Ask Sectigo support to correct the anchor.",
            changes_when="Sectigo corrects the anchor, and the order is placed or approved again.",
            facts=tuple(facts),
        )
    ]
