"""What a write came to, and the timeline entry that is recorded of it."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from sectigo_tui.domain.errors import (
    CredentialsRefused,
    NotFound,
    RateLimited,
    Refused,
    RefusedAlone,
    ScmFailure,
    StoreError,
)
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.explain import INTERNAL_CODES
from sectigo_tui.domain.orders import Order
from sectigo_tui.engine.context import Context

_TOLD_CHARACTERS = 300


class WriteOutcome(Enum):
    """What became of a write that failed."""

    UNTOUCHED = "certainly not taken by SCM"
    REFUSED = "refused in SCM's own words"
    UNKNOWN = "may have been done"


def write_outcome_of(failure: ScmFailure) -> WriteOutcome:
    """Return what became of a write.

    Only what is certain is told as certain: a rejection counts when it carries SCM's own code, for a gateway's page
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


async def record(
    context: Context,
    kind: EventKind,
    summary: str,
    *,
    order_id: str = "",
    ssl_id: int | None = None,
    failure: ScmFailure | None = None,
    http_status: int | None = None,
    may_fail: bool = False,
) -> None:
    """Make an entry durable.

    Args:
        context: What every service works with.
        kind: What it is about.
        summary: One line for a person; holds no secret.
        order_id: The local order; empty for what concerns another, or the account.
        ssl_id: The order at SCM, where it is about one.
        failure: How a write failed.
        http_status: The status by which it is known, where it did not fail.
        may_fail: What it tells is done and cannot be undone: a disk that fails is published, not raised.

    Raises:
        StoreError: It could not be written.
    """
    entry = TimelineEntry(
        at=context.clock.now(),
        order_id=order_id,
        kind=kind,
        summary=summary,
        http_status=failure.http_status if failure else http_status,
        code=failure.code if failure else None,
        ssl_id=ssl_id,
    )
    try:
        await context.repository.store.record(context.repository.signed(entry))
    except StoreError as error:
        context.repository.report_store_error(error)
        if not may_fail:
            raise


def change_entry(
    at: datetime,
    before: Order,
    after: Order,
    summary: str,
    *,
    kind: EventKind = EventKind.WRITE_ANSWERED,
    failure: ScmFailure | None = None,
    http_status: int | None = None,
) -> TimelineEntry:
    """Return the timeline's entry for what an order has become, by SCM's answer to a write if nothing else is said.

    Args:
        at: When.
        before: The order as it was.
        after: The order as it is.
        summary: One line for a person; holds no secret.
        kind: What it is about.
        failure: How a call failed.
        http_status: The status by which it is known, where it did not fail.
    """
    changed = before.state is not after.state
    return TimelineEntry(
        at=at,
        order_id=after.id,
        kind=kind,
        summary=summary,
        from_state=before.state if changed else None,
        to_state=after.state if changed else None,
        scm_status=after.scm_status,
        http_status=failure.http_status if failure else http_status,
        code=failure.code if failure else None,
        ssl_id=after.ssl_id,
    )
