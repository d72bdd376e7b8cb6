"""A local order: its states, which change is legal, and what is known of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sectigo_tui.domain.certificates import CertificateFacts, EnrollRequest, OrderDetails
from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.polling import PollResult, PollWindow
from sectigo_tui.domain.records import Struct, replace
from sectigo_tui.domain.status import StatusClass, classify


class OrderState(StrEnum):
    """The state of a local order; SCM's own status is kept beside it."""

    INTENT = "intent"
    """Written down before the enroll is sent."""
    UNCONFIRMED = "unconfirmed"
    """The enroll may have reached SCM, the answer was lost: searched for, never resubmitted automatically."""
    SUBMITTED = "submitted"
    """The sslId is known; no poll has been made."""
    PENDING = "pending"
    ISSUED = "issued"
    """Issued at SCM, not collected yet."""
    COLLECTED = "collected"
    FAILED = "failed"
    """SCM said rejected, declined, invalid or not enrolled; or rejected the enroll itself."""
    EXPIRED = "expired"
    REPLACED = "replaced"
    REVOKING = "revoking"
    """The revocation is recorded here; SCM has not confirmed it yet."""
    REVOKED = "revoked"

    @property
    def is_polled(self) -> bool:
        """Whether polls are made for an order in this state."""
        return self in _POLLED

    @property
    def is_final(self) -> bool:
        """Whether nothing can change here without the operator."""
        return self in _FINAL

    @property
    def is_open(self) -> bool:
        """Whether an order in it still wants something: a certificate, a search, or a revocation's confirmation."""
        return self in _OPEN

    @property
    def is_unconfirmed(self) -> bool:
        """Whether it is not known yet if SCM has the order."""
        return self in (OrderState.INTENT, OrderState.UNCONFIRMED)


_POLLED = frozenset({OrderState.SUBMITTED, OrderState.PENDING, OrderState.ISSUED})
_OPEN = _POLLED | {OrderState.INTENT, OrderState.UNCONFIRMED, OrderState.REVOKING}
_FINAL = frozenset({OrderState.FAILED, OrderState.EXPIRED, OrderState.REPLACED, OrderState.REVOKED})

_PAST_STATUS: dict[OrderState, tuple[StatusClass, ...]] = {
    OrderState.ISSUED: (StatusClass.PENDING,),
    OrderState.COLLECTED: (StatusClass.PENDING,),
    OrderState.FAILED: (StatusClass.PENDING, StatusClass.ISSUED),
    OrderState.EXPIRED: (StatusClass.PENDING, StatusClass.ISSUED),
    OrderState.REPLACED: (StatusClass.PENDING, StatusClass.ISSUED),
    OrderState.REVOKED: (StatusClass.PENDING, StatusClass.ISSUED),
}
"""What SCM told before an order came into a state here: a revocation is known before the next details tell it."""

_S = OrderState
_AFTER_POLL = frozenset({_S.PENDING, _S.ISSUED, _S.COLLECTED, _S.FAILED, _S.EXPIRED, _S.REPLACED, _S.REVOKED})
_LEGAL: dict[OrderState, frozenset[OrderState]] = {
    _S.INTENT: frozenset({_S.SUBMITTED, _S.UNCONFIRMED, _S.FAILED}),
    _S.UNCONFIRMED: frozenset({_S.SUBMITTED, _S.FAILED, _S.INTENT}),
    _S.SUBMITTED: _AFTER_POLL | {_S.REVOKING},
    _S.PENDING: _AFTER_POLL - {_S.PENDING} | {_S.REVOKING},
    _S.ISSUED: frozenset({_S.PENDING, _S.COLLECTED, _S.FAILED, _S.EXPIRED, _S.REPLACED, _S.REVOKING, _S.REVOKED}),
    _S.COLLECTED: frozenset({_S.PENDING, _S.EXPIRED, _S.REPLACED, _S.REVOKING, _S.REVOKED}),
    _S.FAILED: frozenset({_S.PENDING, _S.ISSUED}),
    _S.EXPIRED: frozenset({_S.REVOKED}),
    _S.REPLACED: frozenset({_S.REVOKING, _S.REVOKED}),
    _S.REVOKING: _AFTER_POLL | {_S.SUBMITTED},
    _S.REVOKED: frozenset(),
}


class IllegalChangeError(ValueError):
    """A change of state that no order can make: an error of the caller, never of the input."""


class Origin(StrEnum):
    """How an order became local."""

    ENROLLED = "enrolled"
    TRACKED = "tracked"
    RENEWED = "renewed"


class Revocation(Struct, frozen=True):
    """A revocation as it was asked for here.

    Args:
        reason_code: RFC 5280: 0, 1, 3, 4 or 5.
        reason: The operator's words, 1 to 512 characters.
        asked_at: When it was recorded here.
        confirmed_at: When SCM confirmed it; None until then.
        attempts: How often SCM was told.
        next_attempt_at: When the revocation is sent again; None when that is not due.
        error: What the last attempt came to, for a person.
        before: The state that the order goes back to when SCM rejects.
        is_unknown: Whether an attempt's answer was lost, so that SCM may have revoked already.
    """

    reason_code: int
    reason: str
    asked_at: datetime
    confirmed_at: datetime | None = None
    attempts: int = 0
    next_attempt_at: datetime | None = None
    error: str = ""
    before: OrderState | None = None
    is_unknown: bool = False


class PendingEnroll(Struct, frozen=True):
    """A pending enroll: the request, kept until the sslId is known, to find the order when the answer is lost.

    Args:
        asked_at: When it was written here, before it was sent.
        request: What is sent; None for a renewal.
        known_ssl_ids: The orders of its common name from before it was sent: it is none of them.
        searches: How often SCM was searched for it since its answer was lost.
        next_search_at: When it is searched for again; None when that is not due.
        attempt: 1, and one more each time the operator orders it again.
        error: How the answer was lost, or what the last search came to, for a person.
    """

    asked_at: datetime
    request: EnrollRequest | None = None
    known_ssl_ids: tuple[int, ...] = ()
    searches: int = 0
    next_search_at: datetime | None = None
    attempt: int = 1
    error: str = ""

    @property
    def is_searched_for(self) -> bool:
        """Whether another search is scheduled."""
        return self.next_search_at is not None


class OrderNote(Struct, frozen=True):
    """What an operator wrote about an order; untrusted text.

    Args:
        at: When.
        by: Who wrote it, in words.
        text: One line.
    """

    at: datetime
    by: str
    text: str


class Order(Struct, frozen=True, kw_only=True):
    """A local order: placed or tracked here, and what was last known of it.

    Args:
        id: Local and stable, from before the sslId is known.
        state: Where it stands.
        state_since: Since when.
        created_at: When it became local.
        origin: How it became local.
        ssl_id: SCM's id; None until SCM has told it.
        common_name: As asked for, or as SCM tells it; untrusted text.
        profile_id: The certificate profile (SCM's `certType`).
        profile_name: Its name, where known.
        validation: `DV`, `OV`, `EV`, or empty where unknown.
        term_days: The validity asked for.
        organization_id: The organization or department.
        order_tag: What this program wrote into `comments` to find a lost order again.
        csr_pem: The CSR sent, to find the leaf and to order again.
        key_path: The private key made here; empty where there is none.
        renews_ssl_id: The order that this one renews.
        details: SCM's last answer about it.
        window: Its poll window; None before the first.
        last_poll: The newest poll, whatever it came to.
        last_answer_at: The newest poll that told something about the order.
        certificate: The collected certificate's facts.
        certificate_path: Where the collected bundle lies; empty until collected.
        revocation: The revocation asked for here.
        pending_enroll: How it is placed; None once its sslId is known, or SCM has rejected it.
        rejection: SCM's words when it rejected the enroll, or the CA the order.
        revision: Grows by one with every change in the store.
        removed: Taken off the list by the operator; the timeline is kept.
        owner: Who attends to it, by name; empty for nobody.
        note: The newest note; all of them are in the timeline.
    """

    id: str
    state: OrderState
    state_since: datetime
    created_at: datetime
    origin: Origin
    ssl_id: int | None = None
    common_name: str = ""
    profile_id: int | None = None
    profile_name: str = ""
    validation: str = ""
    term_days: int | None = None
    organization_id: int | None = None
    order_tag: str = ""
    csr_pem: str = ""
    key_path: str = ""
    renews_ssl_id: int | None = None
    details: OrderDetails | None = None
    window: PollWindow | None = None
    last_poll: PollResult | None = None
    last_answer_at: datetime | None = None
    certificate: CertificateFacts | None = None
    certificate_path: str = ""
    revocation: Revocation | None = None
    pending_enroll: PendingEnroll | None = None
    rejection: str = ""
    revision: int = 0
    removed: bool = False
    owner: str = ""
    note: OrderNote | None = None

    @property
    def scm_status(self) -> str:
        """SCM's own status as it came; empty before the first answer."""
        return self.details.status if self.details else ""

    @property
    def requested(self) -> Moment:
        """When it was requested: SCM's word, else when it became local."""
        return (self.details.requested if self.details else None) or self.created_at

    @property
    def is_waiting(self) -> bool:
        """Whether it is still pending, and may become a certificate."""
        return self.state.is_polled or self.state in (OrderState.INTENT, OrderState.UNCONFIRMED)

    @property
    def status_text(self) -> str:
        """SCM's status for a person: marked as past where the state here is newer and says otherwise."""
        status = self.scm_status
        is_past = bool(status) and classify(status) in _PAST_STATUS.get(self.state, ())
        return f"was {status}" if is_past else status

    def to(self, state: OrderState, at: datetime) -> Order:
        """Return the order in another state.

        Args:
            state: The state to be in.
            at: Since when.

        Returns:
            The changed order; the same one when it is in that state already.

        Raises:
            IllegalChangeError: No order makes this change.
        """
        if state is self.state:
            return self
        if state not in _LEGAL[self.state]:
            raise IllegalChangeError(f"order {self.id}: {self.state} -> {state}")
        return replace(self, state=state, state_since=at)

    def learn(self, details: OrderDetails) -> Order:
        """Return the order with SCM's newest answer; facts known before are not lost to empty fields."""
        return replace(
            self,
            details=details,
            ssl_id=self.ssl_id or details.ssl_id,
            common_name=details.common_name or self.common_name,
            profile_id=details.profile_id or self.profile_id,
            profile_name=details.profile_name or self.profile_name,
            validation=details.validation or self.validation,
            term_days=details.term_days or self.term_days,
            organization_id=details.organization_id or self.organization_id,
        )


_STATE_OF_CLASS = {
    StatusClass.PENDING: OrderState.PENDING,
    StatusClass.ISSUED: OrderState.ISSUED,
    StatusClass.FAILED: OrderState.FAILED,
    StatusClass.REVOKED: OrderState.REVOKED,
    StatusClass.EXPIRED: OrderState.EXPIRED,
    StatusClass.REPLACED: OrderState.REPLACED,
    StatusClass.UNMANAGED: OrderState.FAILED,
}


def state_for(status: str) -> OrderState:
    """Return the local state that SCM's status calls for; an unknown status is pending."""
    return _STATE_OF_CLASS[classify(status)]
