"""Polls of an order, and the window of time in which it is polled."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from sectigo_tui.domain.records import Struct, replace


class PollOutcome(StrEnum):
    """The outcome of one poll."""

    PENDING = "pending"
    ISSUED = "issued"
    NOT_READY = "not ready"
    COLLECTED = "collected"
    FINAL = "final"
    RATE_LIMITED = "429"
    SERVER_FAILURE = "server failure"
    UNREACHABLE = "unreachable"
    UNREADABLE = "unreadable"
    CREDENTIALS_REFUSED = "401"
    NOT_FOUND = "404"
    REFUSED = "refused"

    @property
    def is_answer(self) -> bool:
        """Whether SCM told something about the order itself."""
        return self in _ANSWERS


_ANSWERS = frozenset(
    {
        PollOutcome.PENDING,
        PollOutcome.ISSUED,
        PollOutcome.NOT_READY,
        PollOutcome.COLLECTED,
        PollOutcome.FINAL,
    }
)


class PollResult(Struct, frozen=True):
    """One poll of one order.

    Args:
        at: When the answer, or its absence, was known.
        outcome: What it came to.
        detail: SCM's status, or the failure in a few words; untrusted text.
        latency_seconds: How long the call took.
        http_status: The HTTP status, when an answer came.
        code: SCM's own code, when the answer had one.
    """

    at: datetime
    outcome: PollOutcome
    detail: str = ""
    latency_seconds: float | None = None
    http_status: int | None = None
    code: int | None = None


class WaitReason(StrEnum):
    """Why the next poll is when it is."""

    FIRST = "first poll"
    SCHEDULE = "schedule"
    RETRY_AFTER = "Retry-After"
    DEADLINE = "last poll at the deadline"
    ASKED = "asked for by the operator"
    SPREAD = "spread after new credentials"


class WindowEnd(StrEnum):
    """Why a window polls no more."""

    SETTLED = "settled"
    """The order reached a state that needs no more polls."""
    DEADLINE = "deadline passed"
    STOPPED = "stopped"
    """SCM says that it does not know the order, or has rejected several polls in a row; the order stays what it was."""


class PollWindow(Struct, frozen=True):
    """A bounded time of polling one order.

    Args:
        opened_at: The start, from which the deadline counts.
        deadline_seconds: The bound.
        attempts: How many polls were made in it.
        next_poll_at: When the next one is due; None once the window has ended.
        wait_seconds: The wait that ends at `next_poll_at`.
        reason: Why that wait is what it is.
        ended: Why it polls no more; None while it is open.
        rejections: How many polls SCM has rejected since it last told something about the order.
        reopened: How many windows in a row followed another by themselves, this one included.
        begun_at: The start of the first of several windows in a row; None for one that stands alone.
        until_issued: Whether others follow it, by the operator's choice, until the order needs no more polls.
    """

    opened_at: datetime
    deadline_seconds: float
    attempts: int = 0
    next_poll_at: datetime | None = None
    wait_seconds: float = 0.0
    reason: WaitReason = WaitReason.FIRST
    ended: WindowEnd | None = None
    rejections: int = 0
    reopened: int = 0
    begun_at: datetime | None = None
    until_issued: bool = False

    @property
    def deadline_at(self) -> datetime:
        """When the last poll is made."""
        return self.opened_at + timedelta(seconds=self.deadline_seconds)

    @property
    def is_open(self) -> bool:
        """Whether another poll will come."""
        return self.ended is None

    def end(self, why: WindowEnd) -> PollWindow:
        """Return the window as it stands once it polls no more."""
        return replace(self, ended=why, next_poll_at=None, wait_seconds=0.0)
