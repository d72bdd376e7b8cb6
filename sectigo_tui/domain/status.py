"""What SCM's certificate statuses mean for an order, and who must act on each.

Source: SCM manual 25.5 and OpenAPI 25.9 for the names; `Pending` and `Not Enrolled` seen in older clients.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache

from sectigo_tui.domain.records import Struct


class StatusClass(StrEnum):
    """What a status means for an order that wants to become a certificate."""

    PENDING = "pending"
    ISSUED = "issued"
    FAILED = "failed"
    REVOKED = "revoked"
    EXPIRED = "expired"
    REPLACED = "replaced"
    UNMANAGED = "unmanaged"

    @property
    def is_pending(self) -> bool:
        """Whether the order may still become a certificate by itself or by somebody's act."""
        return self is StatusClass.PENDING


class StatusMeaning(Struct, frozen=True):
    """A status in plain words.

    Args:
        name: SCM's own spelling.
        meaning: What has happened.
        responsible: Whose move it is.
        status_class: What it means for the order.
    """

    name: str
    meaning: str
    responsible: str
    status_class: StatusClass


_TABLE = (
    StatusMeaning("Init", "being created, or under external validation", "nobody: wait", StatusClass.PENDING),
    StatusMeaning("Requested", "waits in SCM for approval", "your approver (RAO or MRAO)", StatusClass.PENDING),
    StatusMeaning(
        "SA Approved",
        "one approval stage done, another waits",
        "your approver (RAO or MRAO)",
        StatusClass.PENDING,
    ),
    StatusMeaning(
        "Approved",
        "approved in SCM, not yet taken by the CA",
        "nobody; escalate if it stays",
        StatusClass.PENDING,
    ),
    StatusMeaning(
        "Applied",
        "at the CA: domain control, organization validation or human vetting",
        "DNS owner, organization contact, or Sectigo",
        StatusClass.PENDING,
    ),
    StatusMeaning("Pending", "in progress, as older accounts call it", "nobody: wait", StatusClass.PENDING),
    StatusMeaning("Issued", "issued; collecting may still say not ready", "nobody", StatusClass.ISSUED),
    StatusMeaning("Declined", "an administrator declined it", "the requester", StatusClass.FAILED),
    StatusMeaning("Rejected", "the CA rejected it", "the requester, or support", StatusClass.FAILED),
    StatusMeaning("Invalid", "SCM refused its data", "the requester", StatusClass.FAILED),
    StatusMeaning("Not Enrolled", "never enrolled, as older accounts call it", "the requester", StatusClass.FAILED),
    StatusMeaning("Revoked", "revoked", "nobody", StatusClass.REVOKED),
    StatusMeaning("Expired", "expired", "nobody", StatusClass.EXPIRED),
    StatusMeaning("Replaced", "replaced by another", "nobody", StatusClass.REPLACED),
    StatusMeaning("Unmanaged", "deprecated by SCM", "nobody", StatusClass.UNMANAGED),
)


@lru_cache(maxsize=256)
def _key(status: str) -> str:
    return "".join(character for character in status.casefold() if character not in "_-" and not character.isspace())


_BY_KEY = {_key(meaning.name): meaning for meaning in _TABLE}

PENDING_STATUSES = ("Init", "Requested", "SA Approved", "Approved", "Applied")
"""The pending statuses as a listing filter spells them: an account's pending orders are one query for each."""


def meaning_of(status: str) -> StatusMeaning:
    """Return what a status means; case, spaces, underscores and hyphens do not matter.

    Args:
        status: The status as SCM sent it.

    Returns:
        Its meaning; an unknown status is pending, under its own name.
    """
    known = _BY_KEY.get(_key(status))
    return known or StatusMeaning(status, "a status this program does not know", "unknown", StatusClass.PENDING)


def is_same(status: str, other: str) -> bool:
    """Return whether two spellings name one status; case, spaces, underscores and hyphens do not matter."""
    return _key(status) == _key(other)


@lru_cache(maxsize=256)
def waits_for_approval(status: str) -> bool:
    """Return whether a status says that somebody on this side is to approve the order."""
    return is_same(status, "Requested") or is_same(status, "SA Approved")


@lru_cache(maxsize=64)
def filter_spellings(status: str) -> tuple[str, ...]:
    """Return how a listing's filter may spell a status, the likeliest first.

    Each installation takes one spelling and rejects the others: `SAApproved` by the manual, `SA Approved` by the
    OpenAPI. Source: SCM manual 25.5 and OpenAPI 25.9; other cases and underscores are assumed.
    """
    words = meaning_of(status).name.split()
    joined, spaced, underscored = "".join(words), " ".join(words), "_".join(words)
    spellings = (
        joined,
        spaced,
        underscored.upper(),
        spaced.upper(),
        underscored,
        joined.upper(),
        spaced.lower(),
        joined.lower(),
        underscored.lower(),
    )
    return tuple(dict.fromkeys(spellings))


def classify(status: str) -> StatusClass:
    """Return what a status means for an order; an unknown one is pending."""
    return meaning_of(status).status_class
