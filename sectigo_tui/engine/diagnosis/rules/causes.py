"""What holds an order up: each cause that the evidence shows, with who must act. Pure."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from sectigo_tui.engine.diagnosis.evidence.model import Fact


class Party(StrEnum):
    """Whose move it is."""

    YOU = "you"
    APPROVER = "an SCM approver"
    DNS_OWNER = "the DNS owner"
    ORGANIZATION_CONTACT = "the organization contact"
    CA = "the CA"
    NOBODY_YET = "nobody yet"
    """It goes on by itself, and nobody can hurry it."""
    NOBODY = "nobody"
    """Nothing is left to wait for."""
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Why an order is not a certificate; listed in the order in which they are named when several hold.

    First what ends the order or keeps it from the CA, then what somebody can mend, the quickest first, and last what
    only takes time.
    """

    DECLINED = "declined"
    REJECTED = "rejected"
    INVALID = "invalid"
    ENROLL_REFUSED = "enroll refused"
    ENROLL_UNCONFIRMED = "enroll unconfirmed"
    EV_ANCHOR = "EV anchor mismatch"
    EV_OTHER_APPROVER = "another approver needed"
    APPROVAL = "waits for approval"
    SECOND_APPROVAL = "waits for the second approval"
    COLLECT_REFUSED = "collect refused"
    COLLECT_STOPPED = "issued, polling ended"
    NONE_LEFT = "no certificates left"
    DOMAIN_SUSPENDED = "domain suspended"
    DELEGATION_REQUESTED = "delegation waits for approval"
    DOMAIN_NOT_STARTED = "DCV not started"
    DOMAIN_NOT_SUBMITTED = "DCV awaiting submission"
    DOMAIN_REJECTED = "DCV rejected"
    DOMAIN_EXPIRED = "DCV expired"
    DOMAIN_NOT_VALIDATED = "DCV not done"
    CAA = "CAA forbids Sectigo"
    ORGANIZATION_FAILED = "organization validation failed"
    ORGANIZATION_EXPIRED = "organization validation expired"
    ORGANIZATION_MISSING = "organization not validated"
    ORGANIZATION_PENDING = "organization validation pending"
    DCV_ERROR = "DCV error"
    DOMAIN_PUBLISHED = "DCV record published, not taken over"
    DOMAIN_CONTRADICTORY = "DCV contradictory"
    NOT_FETCHED = "not looked up"
    UNKNOWN_STATUS = "unknown status"
    COLLECT_NOT_READY = "issued, not retrievable yet"
    VETTING = "vetting at Sectigo"
    NOT_TAKEN = "not taken by the CA yet"
    CREATING = "being created"
    COLLECTING = "issued, to be collected"
    SENDING = "being sent"
    REVOKING = "being revoked"
    SETTLED = "settled"

    @property
    def rank(self) -> int:
        """Its place in the order in which causes are named, 0 first."""
        return _RANKS[self]


_RANKS = {cause: rank for rank, cause in enumerate(Cause)}


class BlockingCause(Struct, frozen=True, kw_only=True):
    """One cause that the evidence shows.

    Args:
        cause: Which.
        party: Who must act on it.
        sentence: What it is, for a person.
        next_action: What to do.
        changes_when: What would change this.
        about: What orders with the same cause share, such as `organization 1002`; empty for nothing.
        about_name: The same for a person; untrusted text, already quoted.
        facts: What it rests on.
        is_certain: Whether the evidence says so; if not, it is no more than the best explanation.
    """

    cause: Cause
    party: Party
    sentence: str
    next_action: str
    changes_when: str
    about: str = ""
    about_name: str = ""
    facts: tuple[Fact, ...] = ()
    is_certain: bool = True
