"""What the local record and SCM's status say about why an order is not a certificate."""

from __future__ import annotations

from collections.abc import Callable

from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.explain import meaning_of_code
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.domain.polling import PollOutcome
from sectigo_tui.domain.status import StatusClass, is_same, meaning_of
from sectigo_tui.engine.diagnosis.evidence.model import Evidence, Fact, entry_fact, moment_text, quoted, status_fact
from sectigo_tui.engine.diagnosis.rules.causes import BlockingCause, Cause, Party

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

    Of an order that is only remote nobody records when its status changed: what was rejected under a status that was
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


ANCHOR_CODE = -181
_DOMAIN_CODES = frozenset({-107, -737, -1137})
_ORGANIZATION_CODE = -843
_SUSPENDED_CODE = -715
"""Its text in SCM manual 25.5: the domain is inactive."""
_DELEGATION_CODE = -741
"""Its text in SCM manual 25.5: a request for the domain has not been approved."""


def local_causes(evidence: Evidence) -> BlockingCause | None:
    """Return the cause that the local record shows; None where SCM's status decides."""
    order = evidence.order
    if order is None:
        return None
    if order.state in _BY_STATE:
        return _BY_STATE[order.state](evidence, order)
    if order.state is OrderState.FAILED and order.ssl_id is None:
        return _refused_enroll(evidence, order)
    if order.state.is_polled and evidence.status_class is StatusClass.ISSUED:
        return _issued_locally(evidence, order)
    return None


def _sending(_evidence: Evidence, order: Order) -> BlockingCause:
    return BlockingCause(
        cause=Cause.SENDING,
        party=Party.NOBODY_YET,
        sentence="The enroll is written down and on its way to SCM.",
        next_action="Wait for its answer.",
        changes_when="SCM answers the enroll, or the answer is lost.",
        facts=(Fact("the order was written down before sending", "local record", order.state_since),),
    )


def _unconfirmed(_evidence: Evidence, order: Order) -> BlockingCause:
    pending_enroll = order.pending_enroll
    search_at = pending_enroll.next_search_at if pending_enroll is not None else None
    again = f" SCM is searched for it at {moment_text(search_at)}." if search_at is not None else ""
    error = quoted(pending_enroll.error) if pending_enroll is not None else ""
    return BlockingCause(
        cause=Cause.ENROLL_UNCONFIRMED,
        party=Party.NOBODY_YET if search_at is not None else Party.YOU,
        sentence=f"The enroll's answer was lost: SCM may have the order, billed, or may not.{again}",
        next_action="Wait for the search." if search_at is not None else "Search SCM for it, and say what it is.",
        changes_when="The order is found at SCM, or is known not to be there.",
        facts=(Fact(error or "no answer to the enroll", "local record", order.state_since),),
    )


def _refused_enroll(evidence: Evidence, order: Order) -> BlockingCause:
    entry = next((entry for entry in reversed(evidence.timeline) if entry.code is not None), None)
    code = entry.code if entry is not None else None
    meaning = meaning_of_code(code) if code is not None else None
    cause, party = Cause.ENROLL_REFUSED, Party.YOU
    if code in _DOMAIN_CODES:
        cause, party = Cause.DOMAIN_NOT_VALIDATED, Party.DNS_OWNER
    elif code == _ORGANIZATION_CODE:
        cause, party = Cause.ORGANIZATION_MISSING, Party.ORGANIZATION_CONTACT
    elif code == _SUSPENDED_CODE:
        cause = Cause.DOMAIN_SUSPENDED
    elif code == _DELEGATION_CODE:
        cause, party = Cause.DELEGATION_REQUESTED, Party.APPROVER
    elif code == ANCHOR_CODE:
        cause = Cause.EV_ANCHOR
    scm_words = f" SCM's words: {quoted(order.rejection)}" if order.rejection else ""
    named = f" ({code})" if code is not None else ""
    fact = entry_fact(entry) if entry is not None else Fact("the enroll was refused", "local record", order.state_since)
    return BlockingCause(
        cause=cause,
        party=party,
        sentence=f"SCM refused the enroll{named}: {meaning.meaning if meaning else 'see its words.'}{scm_words}",
        next_action=f"{meaning.next_step if meaning else 'Correct the cause.'} Then order again: this order is over.",
        changes_when="Nothing changes this order any more; a new one has to be placed.",
        about=f"organization {order.organization_id}" if cause is Cause.ORGANIZATION_MISSING else "",
        facts=(fact,),
    )


def _issued_locally(evidence: Evidence, order: Order) -> BlockingCause:
    poll, window = order.last_poll, order.window
    fact = status_fact(evidence)
    if window is not None and not window.is_open:
        refused = poll is not None and poll.outcome is PollOutcome.REFUSED
        meaning = meaning_of_code(poll.code) if refused and poll is not None and poll.code is not None else None
        why = f"polling ended ({window.ended})"
        if poll is not None and poll.detail:
            fact = Fact(f"last poll: {poll.outcome}, {quoted(poll.detail)}, code {poll.code}", "SCM collect", poll.at)
        return BlockingCause(
            cause=Cause.COLLECT_REFUSED if refused else Cause.COLLECT_STOPPED,
            party=Party.YOU,
            sentence=f"Issued but not collected: {why}.{f' {meaning.meaning}' if meaning else ''}",
            next_action=meaning.next_step
            if meaning
            else "Poll it again: the certificate is collected when it is ready.",
            changes_when="Collecting succeeds.",
            facts=(fact,),
        )
    if poll is not None and poll.outcome is PollOutcome.NOT_READY:
        words = f"collect: {quoted(poll.detail) or 'not ready'}, code {poll.code}"
        return BlockingCause(
            cause=Cause.COLLECT_NOT_READY,
            party=Party.CA,
            sentence="Issued, and Sectigo does not hand the certificate out yet.",
            next_action="Nothing: it is asked for again by the schedule.",
            changes_when="Collecting succeeds.",
            facts=(fact, Fact(words, "SCM collect", poll.at)),
        )
    return BlockingCause(
        cause=Cause.COLLECTING,
        party=Party.NOBODY_YET,
        sentence="Issued; it is collected at the next poll.",
        next_action="Nothing.",
        changes_when="Collecting succeeds.",
        facts=(fact,),
    )


def _settled_locally(_evidence: Evidence, order: Order) -> BlockingCause:
    return BlockingCause(
        cause=Cause.SETTLED,
        party=Party.NOBODY,
        sentence=f"Nothing is left to wait for: the order is {order.state}.",
        next_action="Nothing.",
        changes_when="Somebody renews, replaces or revokes it."
        if order.state is OrderState.COLLECTED
        else "Nothing changes this order any more.",
        facts=(Fact(f"state {order.state}", "local record", order.state_since),),
    )


def _revoking(_evidence: Evidence, order: Order) -> BlockingCause:
    revocation = order.revocation
    error = quoted(revocation.error) if revocation is not None else ""
    again = revocation.next_attempt_at if revocation is not None else None
    return BlockingCause(
        cause=Cause.REVOKING,
        party=Party.NOBODY_YET if again is not None or not error else Party.YOU,
        sentence=f"Its revocation is recorded here; SCM has not confirmed it.{f' {error}' if error else ''}",
        next_action=f"Nothing: it is sent again at {moment_text(again)}." if again is not None else "Look at SCM.",
        changes_when="SCM confirms the revocation.",
        facts=(Fact("revocation asked for", "local record", order.state_since),),
    )


_BY_STATE: dict[OrderState, Callable[[Evidence, Order], BlockingCause]] = {
    OrderState.INTENT: _sending,
    OrderState.UNCONFIRMED: _unconfirmed,
    OrderState.ISSUED: _issued_locally,
    OrderState.COLLECTED: _settled_locally,
    OrderState.EXPIRED: _settled_locally,
    OrderState.REPLACED: _settled_locally,
    OrderState.REVOKING: _revoking,
    OrderState.REVOKED: _settled_locally,
}
