"""One poll of one order: the calls it makes, what their answers mean, and when the next poll is due."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import datetime
from random import Random
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.certificates import CertificateFacts, OrderDetails
from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import (
    CredentialsRefused,
    CutBundle,
    InputError,
    NotFound,
    NotReady,
    OtherNames,
    RateLimited,
    Refused,
    RefusedAlone,
    ScmFailure,
    ServerFailure,
    StoreError,
    Unreachable,
    Unreadable,
)
from sectigo_tui.domain.events import EventKind, FailureReported, PollFinished, PollStarted, TimelineEntry
from sectigo_tui.domain.explain import INTERNAL_CODES, NEVER_COLLECTABLE_CODES, UNKNOWN_ORDER_CODES
from sectigo_tui.domain.orders import Order, OrderState, state_for
from sectigo_tui.domain.polling import PollOutcome, PollResult, WindowEnd
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.polling import schedule
from sectigo_tui.engine.requests.limiter import Priority

T = TypeVar("T")

_OUTCOME_OF_FAILURE: tuple[tuple[type[ScmFailure], PollOutcome], ...] = (
    (Unreachable, PollOutcome.UNREACHABLE),
    (Unreadable, PollOutcome.UNREADABLE),
    (ServerFailure, PollOutcome.SERVER_FAILURE),
    (RateLimited, PollOutcome.RATE_LIMITED),
    (CredentialsRefused, PollOutcome.CREDENTIALS_REFUSED),
    (NotFound, PollOutcome.NOT_FOUND),
    (NotReady, PollOutcome.NOT_READY),
    (Refused, PollOutcome.REFUSED),
)

NOT_POLLED_SECONDS = 120.0
"""Before a poll that is this late, the timeline records since when the order was not polled."""

REJECTIONS_AT_MOST = 4
"""Polling of an order stops after this many rejections in a row, more than a minute of the schedule."""

_SAYS_UNKNOWN = re.compile(
    r"\bnot found|\bnot exist|n't exist|\bno such\b|\bunknown (?:ssl|order|certificate|id)|\bwrong (?:ssl|id)",
    re.IGNORECASE,
)


class PollAnswer(Struct, frozen=True):
    """The answer to one poll.

    Args:
        poll: Its outcome, for the record.
        details: SCM's answer about the order, when the poll asked for it.
        state: The state that the answer calls for; None when it has none.
        bundle: The collected certificate with its chain; empty when it was not collected.
        certificate: The leaf's facts, when it was collected.
        failure: What went wrong, when something did.
        aside: A bundle that is not used, kept for inspection.
    """

    poll: PollResult
    details: OrderDetails | None = None
    state: OrderState | None = None
    bundle: bytes = b""
    certificate: CertificateFacts | None = None
    failure: ScmFailure | None = None
    aside: bytes = b""


def outcome_of(failure: ScmFailure) -> PollOutcome:
    """Return the outcome that a failure counts as."""
    return next(outcome for kind, outcome in _OUTCOME_OF_FAILURE if isinstance(failure, kind))


class Poller:
    """Polls one order, and writes down what that means.

    A poll may fail and polling may stop, but the order fails only when SCM says so.

    Args:
        context: What every service works with.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def poll(self, order_id: str, missed_at: datetime | None = None) -> None:
        """Make one poll and write down what it means. Raises nothing but cancellation.

        Args:
            order_id: The order.
            missed_at: When a poll was due that a pause has put off; None when none was.
        """
        try:
            order = self._context.repository.store.order(order_id)
            if order is not None and order.state.is_polled and order.window is not None and order.window.is_open:
                await self._note_not_polled(order, missed_at or order.window.next_poll_at)
                await self._poll_order(order)
        except StoreError:
            # The repository has published it: the disk's answer concerns every order.
            self._read_again(order_id)

    async def _poll_order(self, order: Order) -> None:
        self._context.repository.publish(PollStarted(order.id))
        poll_answer = await self.ask(order)
        try:
            await self._write_down(order.id, poll_answer)
        except StoreError:
            failure = poll_answer.failure
            self._read_again(order.id, failure.retry_after_seconds if failure is not None else None)
        finally:
            self._context.repository.publish(PollFinished(order.id, poll_answer.poll))

    async def _write_down(self, order_id: str, poll_answer: PollAnswer) -> None:
        if isinstance(poll_answer.failure, CredentialsRefused) and not poll_answer.failure.sent:
            return
        context, now, path = self._context, self._context.clock.now(), ""
        if poll_answer.bundle:
            path = await context.repository.save_certificate(order_id, poll_answer.bundle)
        if poll_answer.aside:
            await context.repository.save_certificate(order_id, poll_answer.aside, aside=True)

        def change(order: Order) -> tuple[Order, TimelineEntry | None] | None:
            if not order.state.is_polled:
                return None
            validation = (poll_answer.details.validation if poll_answer.details else "") or order.validation
            outcome = apply(order, poll_answer, now, context.random, reopen=context.options.reopens(validation))
            return replace(outcome.order, certificate_path=path or order.certificate_path), outcome.entry

        order = await context.repository.change(order_id, change, poll=poll_answer.poll)
        stopped = order is not None and order.window is not None and order.window.ended is WindowEnd.STOPPED
        if stopped and poll_answer.failure is not None:
            context.repository.publish(FailureReported(now, "polling stopped", poll_answer.failure, order_id))

    async def _note_not_polled(self, order: Order, due: datetime | None) -> None:
        now = self._context.clock.now()
        if due is None:
            return
        late = seconds_between(due, now)
        if late > NOT_POLLED_SECONDS:
            entry = TimelineEntry(
                at=now,
                order_id=order.id,
                kind=EventKind.NOT_POLLED,
                summary=f"not polled since {due:%Y-%m-%d %H:%MZ}, {late / 60:.0f} min",
                ssl_id=order.ssl_id,
            )
            await self._context.repository.record(order, entry)

    def _read_again(self, order_id: str, retry_after_seconds: float | None = None) -> None:
        context = self._context
        order = context.repository.store.order(order_id)
        if order is not None and order.window is not None and order.window.is_open:
            now = context.clock.now()
            window = schedule.repeated(order.window, now, context.random, retry_after_seconds=retry_after_seconds)
            context.repository.note(replace(order, window=window))

    async def ask(self, order: Order) -> PollAnswer:
        """Ask SCM for an order that has an sslId, and collect it when it is issued.

        Args:
            order: The order; an issued one is collected without asking for its details first.

        Returns:
            What came of it. Failures of the call are in it, not raised.
        """
        if order.ssl_id is None:
            raise ValueError(f"order {order.id} has no sslId to poll")
        started = self._context.clock.monotonic()
        due = order.window.next_poll_at.timestamp() if order.window and order.window.next_poll_at else 0.0
        details = None
        try:
            if order.state is not OrderState.ISSUED:
                details = await self._ask(due, lambda: self._context.scm.details(order.ssl_id or 0))
                if state_for(details.status) is not OrderState.ISSUED:
                    return self._from_details(details, started)
            return await self._collect(order, details, due, started)
        except ScmFailure as failure:
            state = state_for(details.status) if details else None
            return PollAnswer(self._failed(failure, started), details, state, failure=failure)

    async def _ask(self, due: float, call: Callable[[], Awaitable[T]]) -> T:
        return await self._context.limiter.run(Priority.POLL, call, due=due)

    async def _collect(self, order: Order, details: OrderDetails | None, due: float, started: float) -> PollAnswer:
        ssl_id = order.ssl_id or 0
        bundle = b""
        try:
            bundle = await self._ask(due, lambda: self._context.scm.collect(ssl_id))
            certificate = await asyncio.to_thread(self._context.read_certificate, bundle, order.csr_pem)
            if not order.csr_pem:
                certificate.check_names(details.common_name if details else order.common_name)
        except NotReady:
            raise
        except CutBundle as cut:
            raise NotReady("collect", cut.reason, http_status=200) from cut
        except OtherNames as others:
            failure = Unreadable("collect", f"{others.reason}; {others.remedy}", http_status=200)
            poll = self._failed(failure, started)
            return PollAnswer(poll, details, OrderState.ISSUED, failure=failure, aside=bundle)
        except (Refused, NotFound) as rejection:
            # Not "too early": the order may have become something else since it was issued.
            details = await self._ask(due, lambda: self._context.scm.details(ssl_id))
            if state_for(details.status) is not OrderState.ISSUED:
                return self._from_details(details, started)
            return PollAnswer(self._failed(rejection, started), details, OrderState.ISSUED, failure=rejection)
        except InputError as unreadable:
            failure = Unreadable("collect", unreadable.reason, http_status=200)
            return PollAnswer(self._failed(failure, started), details, OrderState.ISSUED, failure=failure)
        poll = PollResult(
            self._context.clock.now(),
            PollOutcome.COLLECTED,
            f"collected; {certificate.warning}" if certificate.warning else "collected",
            self._context.clock.monotonic() - started,
            http_status=200,
        )
        return PollAnswer(poll, details, OrderState.COLLECTED, bundle, certificate)

    def _from_details(self, details: OrderDetails, started: float) -> PollAnswer:
        state = state_for(details.status)
        outcome = PollOutcome.PENDING if state is OrderState.PENDING else PollOutcome.FINAL
        latency = self._context.clock.monotonic() - started
        return PollAnswer(
            PollResult(self._context.clock.now(), outcome, details.status, latency, http_status=200), details, state
        )

    def _failed(self, failure: ScmFailure, started: float) -> PollResult:
        return PollResult(
            self._context.clock.now(),
            outcome_of(failure),
            failure.description or failure.reason,
            self._context.clock.monotonic() - started,
            failure.http_status,
            failure.code,
        )


class Consequence(Struct, frozen=True):
    """What a poll changes: the order as it is now, and its new timeline entry, if any."""

    order: Order
    entry: TimelineEntry | None = None


def apply(order: Order, poll_answer: PollAnswer, now: datetime, random: Random, *, reopen: bool = False) -> Consequence:
    """Apply a poll's answer to an order, which may have changed while the poll was in flight.

    Args:
        order: The order as it stands now, with an open window.
        poll_answer: The answer to the poll.
        now: The time.
        random: Where the next wait's jitter comes from.
        reopen: Whether a window whose deadline passes is followed by a new one.

    Returns:
        The order with its new window, and the timeline's entry: for a change of state, the end of polling, or an
        outcome that differs from the previous poll's.
    """
    poll, before = poll_answer.poll, order
    order = replace(order, last_poll=poll)
    if poll_answer.details is not None:
        order = order.learn(poll_answer.details)
    if poll_answer.details is not None or poll.outcome.is_answer:
        order = replace(order, last_answer_at=poll.at)
    if poll_answer.state is not None:
        order = order.to(poll_answer.state, poll.at)
    if poll_answer.certificate is not None:
        order = replace(order, certificate=poll_answer.certificate)
    order = _with_next_window(order, poll_answer, now, random, reopen=reopen)
    return Consequence(order, _entry(before, order, poll_answer))


def _with_next_window(order: Order, poll_answer: PollAnswer, now: datetime, random: Random, *, reopen: bool) -> Order:
    window = order.window
    if window is None or not window.is_open:
        return order
    if not order.state.is_polled:
        return replace(order, window=schedule.settled(window, WindowEnd.SETTLED))
    failure = poll_answer.failure
    if isinstance(failure, CredentialsRefused):
        # The login was rejected, not the poll: it stays due, and is made with the next credentials.
        return order
    window = replace(window, rejections=_rejections(window.rejections, failure))
    if window.rejections >= REJECTIONS_AT_MOST or (failure is not None and is_final(failure)):
        return replace(order, window=schedule.settled(window, WindowEnd.STOPPED))
    retry_after = failure.retry_after_seconds if failure is not None else None
    window = schedule.after_poll(window, now, random, retry_after_seconds=retry_after)
    if (reopen or window.until_issued) and window.ended is WindowEnd.DEADLINE:
        window = schedule.reopened(window, now, random, retry_after_seconds=retry_after)
    return replace(order, window=window)


def is_final(failure: ScmFailure) -> bool:
    """Return whether SCM's own code says that asking for an order again cannot help.

    Anything else may be one odd answer: of a gateway, of an SCM that is being restarted, of a right that is missing
    for a minute.
    """
    if not isinstance(failure, (NotFound, Refused)) or isinstance(failure, NotReady):
        return False
    if isinstance(failure, RefusedAlone) or failure.code in UNKNOWN_ORDER_CODES:
        # A login that is rejected is never tried again by itself, were it for one call only.
        return True
    if failure.call == "collect" and failure.code in NEVER_COLLECTABLE_CODES:
        return True
    is_specific = failure.code is not None and failure.code not in INTERNAL_CODES
    return isinstance(failure, NotFound) and is_specific and bool(_SAYS_UNKNOWN.search(failure.description))


def _rejections(before: int, failure: ScmFailure | None) -> int:
    """Return how many polls in a row were rejected; an outage in between neither counts nor resets."""
    if failure is None or isinstance(failure, NotReady):
        return 0
    return before + 1 if isinstance(failure, Refused) else before


def _entry(before: Order, after: Order, poll_answer: PollAnswer) -> TimelineEntry | None:
    poll = poll_answer.poll
    ended = after.window is not None and after.window.ended is not None
    # Only the first new window in a row gets an entry: the later ones are bookkeeping, and endless.
    windows_before = before.window.reopened if before.window is not None else 0
    reopened = after.window is not None and windows_before == 0 < after.window.reopened
    if after.state is not before.state:
        kind, summary = EventKind.CHANGED, f"{before.state} -> {after.state}"
        if poll.detail:
            summary = f"{summary}: {poll.detail}"
    elif ended and after.window is not None:
        kind = EventKind.WINDOW_ENDED
        summary = f"polling ended, {after.window.ended}: {poll.detail}"
    elif reopened:
        kind, summary = EventKind.WINDOW_OPENED, f"deadline passed, polling goes on: {poll.detail}"
    elif after.scm_status != before.scm_status:
        kind, summary = EventKind.CHANGED, f"SCM status {before.scm_status or '-'} -> {after.scm_status}"
    elif before.last_poll is None or before.last_poll.outcome is not poll.outcome:
        kind, summary = EventKind.NOTE, f"poll: {poll.outcome}, {poll.detail}"
    elif facts := _changed_facts(before.details, after.details):
        kind, summary = EventKind.NOTE, f"SCM tells anew: {facts}"
    else:
        return None
    return TimelineEntry(
        at=poll.at,
        order_id=after.id,
        kind=kind,
        summary=summary,
        from_state=before.state if after.state is not before.state else None,
        to_state=after.state if after.state is not before.state else None,
        scm_status=after.scm_status,
        http_status=poll.http_status,
        code=poll.code,
        ssl_id=after.ssl_id,
    )


def _changed_facts(before: OrderDetails | None, after: OrderDetails | None) -> str:
    if before is None or after is None:
        return ""
    # msgspec's `fields` works every type out anew, which took a sixth of a poll's time.
    names = [name for name in after.__struct_fields__ if getattr(before, name) != getattr(after, name)]
    return ", ".join(names).replace("_", " ")
