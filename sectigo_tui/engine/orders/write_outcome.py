"""What a failed write came to at SCM: whether it may have been done is all that matters."""

from __future__ import annotations

from enum import Enum

from sectigo_tui.domain.codes import INTERNAL_CODES
from sectigo_tui.domain.errors import CredentialsRefused, NotFound, RateLimited, Refused, RefusedAlone, ScmFailure
from sectigo_tui.domain.excerpts import one_line

_TOLD_CHARACTERS = 300


class WriteOutcome(Enum):
    """What became of a write that failed."""

    UNTOUCHED = "certainly not taken by SCM"
    REFUSED = "refused in SCM's own words"
    UNKNOWN = "may have been done"


def write_outcome_of(failure: ScmFailure) -> WriteOutcome:
    """Return what became of a write.

    Only what is certain is told as certain: a refusal counts when it carries SCM's own code, for a gateway's page
    says nothing of what SCM behind it has done.

    Args:
        failure: How the write failed.
    """
    if not failure.sent or isinstance(failure, (CredentialsRefused, RateLimited, RefusedAlone)):
        return WriteOutcome.UNTOUCHED
    if isinstance(failure, (Refused, NotFound)) and failure.code is not None and failure.code not in INTERNAL_CODES:
        return WriteOutcome.REFUSED
    return WriteOutcome.UNKNOWN


def in_words(failure: ScmFailure) -> str:
    """Return a failure in one line for the record: SCM's code and words where it told some."""
    words = one_line(failure.description or failure.reason, _TOLD_CHARACTERS)
    return words if failure.code is None else f"{failure.code}: {words}"
