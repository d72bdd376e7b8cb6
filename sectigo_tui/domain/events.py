"""Timeline entries of an order, and the events that the engine publishes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sectigo_tui.domain.errors import ScmFailure, StoreError
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.domain.polling import PollResult
from sectigo_tui.domain.records import Struct


class EventKind(StrEnum):
    """What a timeline entry is about."""

    CREATED = "created"
    CHANGED = "changed"
    WINDOW_OPENED = "window opened"
    WINDOW_ENDED = "window ended"
    WRITE_ASKED = "write asked"
    WRITE_ANSWERED = "write answered"
    NOT_POLLED = "not polled"
    NOTE = "note"
    OPERATOR_NOTE = "operator note"
    OWNER = "owner"
    REMOVED = "removed"


NAME_AT_MOST = 64
"""Characters of an operator's name."""


class Operator(Struct, frozen=True):
    """Who acts at this terminal.

    Args:
        name: By which an owner is known: the user name, unless the operator has told another.
        user: The operating system's user name.
        host: The machine.
        ssh: The address of the SSH client; empty without one.
    """

    name: str = ""
    user: str = ""
    host: str = ""
    ssh: str = ""

    @property
    def text(self) -> str:
        """Who acts, in words, such as `anna@jump1 from 192.0.2.7`."""
        place = f"{self.user}{f'@{self.host}' if self.host else ''}{f' from {self.ssh}' if self.ssh else ''}"
        return place if self.name in ("", self.user) else f"{self.name} ({place})"


class TimelineEntry(Struct, frozen=True, kw_only=True):
    """One thing that happened to an order, and how it was learned.

    Args:
        at: When.
        order_id: To which local order; empty for what concerns the account.
        kind: What it is about.
        summary: One line for a person; untrusted text inside it is shown as text.
        from_state: The state before, when it changed.
        to_state: The state after, when it changed.
        scm_status: SCM's status as it came.
        http_status: The HTTP status by which it was learned.
        code: SCM's own code by which it was learned.
        ssl_id: The sslId, where known.
        by: Who did it, where an operator did.
    """

    at: datetime
    order_id: str
    kind: EventKind
    summary: str
    from_state: OrderState | None = None
    to_state: OrderState | None = None
    scm_status: str = ""
    http_status: int | None = None
    code: int | None = None
    ssl_id: int | None = None
    by: Operator | None = None


NOTE_PREFIX = "note: "
"""What the summary of an operator's note begins with."""

BY_OPERATORS = frozenset(
    {EventKind.CREATED, EventKind.WRITE_ASKED, EventKind.OPERATOR_NOTE, EventKind.OWNER, EventKind.REMOVED}
)
"""What only an operator does: entries of these kinds name who did it."""


def note_in(entry: TimelineEntry) -> str:
    """Return the text of an operator's note."""
    return entry.summary.removeprefix(NOTE_PREFIX)


class OrderChanged(Struct, frozen=True):
    """A local order is new or not what it was. `entry` is None for bookkeeping (a poll that changed nothing)."""

    order: Order
    entry: TimelineEntry | None = None


class PollStarted(Struct, frozen=True):
    """A poll of an order has started."""

    order_id: str


class PollFinished(Struct, frozen=True):
    """A poll ended, with any outcome."""

    order_id: str
    poll: PollResult


class Exchange(Struct, frozen=True):
    """One request to SCM, ended.

    Args:
        at: When it ended.
        call: The call by name.
        latency_seconds: How long it took.
        http_status: The status, when an answer came.
        failure: What went wrong, when something did.
    """

    at: datetime
    call: str
    latency_seconds: float
    http_status: int | None = None
    failure: ScmFailure | None = None


class PollingPaused(Struct, frozen=True):
    """SCM rejected the credentials: nothing is sent until they are rotated."""

    at: datetime
    waiting: int
    failure: ScmFailure


class PollingResumed(Struct, frozen=True):
    """New credentials were accepted; `resumed` workers go on, spread over some seconds."""

    at: datetime
    resumed: int


class FailureReported(Struct, frozen=True):
    """Something failed that the operator must read; it stays until acknowledged."""

    at: datetime
    what: str
    failure: Exception
    order_id: str = ""


class StoreStateChanged(Struct, frozen=True):
    """Saving fails (or, with None, works again)."""

    at: datetime
    error: StoreError | None


class AccountChanged(Struct, frozen=True):
    """Something new is known of the account's remote orders. `ssl_id` is None when it concerns a whole listing."""

    ssl_id: int | None = None


EngineEvent = (
    OrderChanged
    | PollStarted
    | PollFinished
    | Exchange
    | PollingPaused
    | PollingResumed
    | FailureReported
    | StoreStateChanged
    | AccountChanged
)
"""Every event that the engine publishes. Immutable: a screen may keep it."""
