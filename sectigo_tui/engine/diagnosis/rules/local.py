"""What the local record alone says about why an order is not a certificate."""

from __future__ import annotations

from collections.abc import Callable

from sectigo_tui.domain.explain import meaning_of_code
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.domain.polling import PollOutcome
from sectigo_tui.domain.status import StatusClass
from sectigo_tui.engine.diagnosis.evidence.model import Evidence, Fact, entry_fact, moment_text, quoted, status_fact
from sectigo_tui.engine.diagnosis.rules.causes import BlockingCause, Cause, Party

ANCHOR_CODE = -181
_DOMAIN_CODES = frozenset({-107, -737, -1137})
_ORGANIZATION_CODE = -843


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
