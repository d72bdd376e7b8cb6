"""What SCM's status and the local record say about why an order is not a certificate."""

from __future__ import annotations

from collections.abc import Callable

from sectigo_tui.domain.codes import meaning_of_code
from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import LookOutcome, Order, OrderState
from sectigo_tui.domain.status import StatusClass, is_same, meaning_of
from sectigo_tui.engine.diagnosis.evidence import Evidence, Fact, moment_text, quoted
from sectigo_tui.engine.diagnosis.findings import Cause, Finding, Party

_DOMAIN_CODES = frozenset({-107, -737, -1137})
_ORGANIZATION_CODE = -843
_ANCHOR_CODE = -181
_OTHER_APPROVER_CODE = -1140


def status_findings(evidence: Evidence) -> list[Finding]:
    """Return the causes that the status and the local record show; none for one that lies deeper (Applied)."""
    order = evidence.order
    if order is not None and order.state in _LOCAL:
        return [_LOCAL[order.state](evidence, order)]
    if order is not None and order.state is OrderState.FAILED and order.ssl_id is None:
        return [_refused_enroll(evidence, order)]
    meaning = meaning_of(evidence.status)
    if not meaning.status_class.is_pending:
        return [_ended(evidence)]
    told = [_by_status[meaning.name](evidence)] if meaning.name in _by_status else []
    return told + _told_by_codes(evidence)


def status_fact(evidence: Evidence) -> Fact:
    """Return the status as a fact."""
    if not evidence.status:
        return Fact("SCM has not told a status yet", "local record", None)
    source = evidence.details.source
    if evidence.details.value is None or evidence.details.at != evidence.status_at:
        source = "SCM listing"
    return Fact(f"status {quoted(evidence.status)}", source, evidence.status_at)


def codes_in_force(evidence: Evidence) -> dict[int, TimelineEntry]:
    """Return SCM's codes since the status last changed, each with the newest entry that has it."""
    found: dict[int, TimelineEntry] = {}
    for entry in reversed(evidence.timeline):
        if entry.scm_status and evidence.status and not is_same(entry.scm_status, evidence.status):
            break
        if entry.code is not None:
            found.setdefault(entry.code, entry)
    return found


def _local(entry: TimelineEntry) -> Fact:
    code = f", code {entry.code}" if entry.code is not None else ""
    return Fact(f"{quoted(entry.summary)}{code}", "local record", entry.at)


def _sending(_evidence: Evidence, order: Order) -> Finding:
    return Finding(
        cause=Cause.SENDING,
        party=Party.NOBODY_YET,
        sentence="The enroll is written down and on its way to SCM.",
        next_action="Wait for its answer.",
        changes_when="SCM answers the enroll, or the answer is lost.",
        facts=(Fact("the order was written down before sending", "local record", order.state_since),),
    )


def _unconfirmed(_evidence: Evidence, order: Order) -> Finding:
    placement = order.placement
    search_at = placement.next_search_at if placement is not None else None
    again = f" SCM is searched for it at {moment_text(search_at)}." if search_at is not None else ""
    trouble = quoted(placement.trouble) if placement is not None else ""
    return Finding(
        cause=Cause.ENROLL_UNCONFIRMED,
        party=Party.NOBODY_YET if search_at is not None else Party.YOU,
        sentence=f"The enroll's answer was lost: SCM may have the order, billed, or may not.{again}",
        next_action="Wait for the search." if search_at is not None else "Search SCM for it, and say what it is.",
        changes_when="The order is found at SCM, or is known not to be there.",
        facts=(Fact(trouble or "no answer to the enroll", "local record", order.state_since),),
    )


def _refused_enroll(evidence: Evidence, order: Order) -> Finding:
    entry = next((entry for entry in reversed(evidence.timeline) if entry.code is not None), None)
    code = entry.code if entry is not None else None
    meaning = meaning_of_code(code) if code is not None else None
    cause, party = Cause.ENROLL_REFUSED, Party.YOU
    if code in _DOMAIN_CODES:
        cause, party = Cause.DOMAIN_NOT_VALIDATED, Party.DNS_OWNER
    elif code == _ORGANIZATION_CODE:
        cause, party = Cause.ORGANIZATION_MISSING, Party.ORGANIZATION_CONTACT
    elif code == _ANCHOR_CODE:
        cause = Cause.EV_ANCHOR
    told = f" SCM's words: {quoted(order.refusal)}" if order.refusal else ""
    named = f" ({code})" if code is not None else ""
    fact = _local(entry) if entry is not None else Fact("the enroll was refused", "local record", order.state_since)
    return Finding(
        cause=cause,
        party=party,
        sentence=f"SCM refused the enroll{named}: {meaning.meaning if meaning else 'see its words.'}{told}",
        next_action=f"{meaning.next_step if meaning else 'Correct the cause.'} Then order again: this order is over.",
        changes_when="Nothing changes this order any more; a new one has to be placed.",
        subject=f"organization {order.organization_id}" if cause is Cause.ORGANIZATION_MISSING else "",
        facts=(fact,),
    )


def _issued_locally(evidence: Evidence, order: Order) -> Finding:
    look, window = order.last_look, order.window
    fact = status_fact(evidence)
    if window is not None and not window.is_open:
        refused = look is not None and look.outcome is LookOutcome.REFUSED
        meaning = meaning_of_code(look.code) if refused and look is not None and look.code is not None else None
        why = f"polling ended ({window.ended})"
        if look is not None and look.detail:
            fact = Fact(f"last look: {look.outcome}, {quoted(look.detail)}, code {look.code}", "SCM collect", look.at)
        return Finding(
            cause=Cause.COLLECT_REFUSED if refused else Cause.COLLECT_STOPPED,
            party=Party.YOU,
            sentence=f"Issued but not collected: {why}.{f' {meaning.meaning}' if meaning else ''}",
            next_action=meaning.next_step
            if meaning
            else "Poll it again: the certificate is collected when it is ready.",
            changes_when="Collecting succeeds.",
            facts=(fact,),
        )
    if look is not None and look.outcome is LookOutcome.NOT_READY:
        words = f"collect: {quoted(look.detail) or 'not ready'}, code {look.code}"
        return Finding(
            cause=Cause.COLLECT_NOT_READY,
            party=Party.CA,
            sentence="Issued, and Sectigo does not hand the certificate out yet.",
            next_action="Nothing: it is asked for again by the schedule.",
            changes_when="Collecting succeeds.",
            facts=(fact, Fact(words, "SCM collect", look.at)),
        )
    return Finding(
        cause=Cause.COLLECTING,
        party=Party.NOBODY_YET,
        sentence="Issued; it is collected at the next look.",
        next_action="Nothing.",
        changes_when="Collecting succeeds.",
        facts=(fact,),
    )


def _settled_locally(_evidence: Evidence, order: Order) -> Finding:
    return Finding(
        cause=Cause.SETTLED,
        party=Party.NOBODY,
        sentence=f"Nothing is left to wait for: the order is {order.state}.",
        next_action="Nothing.",
        changes_when="Somebody renews, replaces or revokes it.",
        facts=(Fact(f"state {order.state}", "local record", order.state_since),),
    )


def _revoking(_evidence: Evidence, order: Order) -> Finding:
    revocation = order.revocation
    trouble = quoted(revocation.trouble) if revocation is not None else ""
    again = revocation.next_attempt_at if revocation is not None else None
    return Finding(
        cause=Cause.REVOKING,
        party=Party.NOBODY_YET if again is not None or not trouble else Party.YOU,
        sentence=f"Its revocation is recorded here; SCM has not confirmed it.{f' {trouble}' if trouble else ''}",
        next_action=f"Nothing: SCM is told again at {moment_text(again)}." if again is not None else "Look at SCM.",
        changes_when="SCM confirms the revocation.",
        facts=(Fact("revocation asked for", "local record", order.state_since),),
    )


_LOCAL: dict[OrderState, Callable[[Evidence, Order], Finding]] = {
    OrderState.INTENT: _sending,
    OrderState.UNCONFIRMED: _unconfirmed,
    OrderState.ISSUED: _issued_locally,
    OrderState.COLLECTED: _settled_locally,
    OrderState.EXPIRED: _settled_locally,
    OrderState.REPLACED: _settled_locally,
    OrderState.REVOKING: _revoking,
    OrderState.REVOKED: _settled_locally,
}


def _approval(evidence: Evidence) -> Finding:
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
        return Finding(
            cause=Cause.EV_OTHER_APPROVER,
            party=Party.APPROVER,
            sentence="Waits for approval, and who requested it may not approve it (-1140).",
            next_action=f"Have an administrator other than {requester or 'the requester'} approve it.",
            changes_when="Another administrator approves or declines it.",
            facts=(*facts, _local(entry)),
        )
    advice = f" For EV it must be another one than {requester or 'the requester'}." if evidence.level == "EV" else ""
    return Finding(
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


def _creating(evidence: Evidence) -> Finding:
    return Finding(
        cause=Cause.CREATING,
        party=Party.NOBODY_YET,
        sentence="SCM is creating it, or an external validation is under way.",
        next_action="Wait; tell Sectigo support if it stays for an hour.",
        changes_when="Its status leaves Init.",
        facts=(status_fact(evidence),),
    )


def _not_taken(evidence: Evidence) -> Finding:
    return Finding(
        cause=Cause.NOT_TAKEN,
        party=Party.NOBODY_YET,
        sentence="Approved in SCM, and the CA has not taken it yet.",
        next_action="Wait; escalate to Sectigo support if it stays.",
        changes_when="Its status becomes Applied.",
        facts=(status_fact(evidence),),
    )


_by_status: dict[str, Callable[[Evidence], Finding]] = {
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


def _ended(evidence: Evidence) -> Finding:
    meaning = meaning_of(evidence.status)
    if meaning.name in _ENDED:
        cause, sentence, action = _ENDED[meaning.name]
        refusal = quoted(evidence.order.refusal) if evidence.order and evidence.order.refusal else ""
        return Finding(
            cause=cause,
            party=Party.YOU,
            sentence=f"{sentence}{f' Its words: {refusal}' if refusal else ''}",
            next_action=action,
            changes_when="Nothing changes this order any more; a new one has to be placed.",
            facts=(status_fact(evidence),),
        )
    is_issued = meaning.status_class is StatusClass.ISSUED
    return Finding(
        cause=Cause.SETTLED,
        party=Party.NOBODY,
        sentence=f"Nothing is left to wait for: it is {meaning.meaning if is_issued else meaning.name.casefold()}.",
        next_action="Collect it, if you want it." if is_issued else "Nothing.",
        changes_when="Somebody renews, replaces or revokes it.",
        facts=(status_fact(evidence),),
    )


def _told_by_codes(evidence: Evidence) -> list[Finding]:
    codes = codes_in_force(evidence)
    log = evidence.dcv.value
    facts = [_local(codes[_ANCHOR_CODE])] if _ANCHOR_CODE in codes else []
    if log is not None and log.error_code == _ANCHOR_CODE:
        words = f"DCV log error {log.error_code}: {quoted(log.error_description)}"
        facts.append(Fact(words, evidence.dcv.source, evidence.dcv.at))
    if not facts:
        return []
    return [
        Finding(
            cause=Cause.EV_ANCHOR,
            party=Party.YOU,
            sentence="The order does not match the account's EV anchor certificate (-181).",
            next_action="Ask Sectigo support to correct the anchor.",
            changes_when="Sectigo corrects the anchor, and the order is placed or approved again.",
            facts=tuple(facts),
        )
    ]
