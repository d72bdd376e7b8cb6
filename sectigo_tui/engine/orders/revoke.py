"""Revoking: recorded here first, then sent to SCM until SCM's own word settles it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.errors import CredentialsRefused, DoneUnsaved, InputError, RefusedAlone, ScmFailure, StoreError
from sectigo_tui.domain.events import EventKind, FailureReported, TimelineEntry
from sectigo_tui.domain.limits import REASON_AT_MOST, REASONS
from sectigo_tui.domain.orders import Order, OrderState, Revocation, state_for
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.orders.entries import WriteOutcome, change_entry, in_words, write_outcome_of
from sectigo_tui.engine.orders.order_locks import OrderLocks
from sectigo_tui.engine.orders.pending_writes import Retries
from sectigo_tui.engine.orders.track import Tracking
from sectigo_tui.engine.requests.limiter import Priority

_UNSEEN_LETTERS = frozenset(
    chr(code)
    for first, last in ((0x115F, 0x11FF), (0x3164, 0x3164), (0xD7B0, 0xD7FB), (0xFFA0, 0xFFA0))
    for code in range(first, last + 1)
)
"""Hangul fillers, vowels and finals: letters by their category, and on the screen nothing, or over what is before."""


class ConfirmBy(Enum):
    """What is typed."""

    COMMON_NAME = "common name"
    SSL_ID = "sslId"


def confirm_by(common_name: str) -> ConfirmBy:
    """Return what confirms an order of a common name: the name, or its sslId where the name cannot be seen whole.

    A name counts as seen when every character of it shows: no space, control, bidi or zero-width character, no
    combining mark, no filler.
    """
    if common_name and all(map(_shows, common_name)):
        return ConfirmBy.COMMON_NAME
    return ConfirmBy.SSL_ID


def check_typed(typed: str, common_name: str, ssl_id: int) -> None:
    """Reject what is not exactly what confirms, character by character as it was typed.

    Args:
        typed: What the operator typed.
        common_name: The order's common name; untrusted.
        ssl_id: The order.

    Raises:
        InputError: It is not exactly that.
    """
    by = confirm_by(common_name)
    if typed != (common_name if by is ConfirmBy.COMMON_NAME else str(ssl_id)):
        raise InputError(f"what was typed is not the {by.value}", f"type the {by.value} exactly as it is shown")


def _shows(character: str) -> bool:
    if character.isascii():
        return "!" <= character <= "~"
    return unicodedata.category(character)[0] in "LN" and character not in _UNSEEN_LETTERS


ALREADY_REVOKED = -159
"""Source: SCM manual 25.5."""

ONLY_ISSUED = -102
"""Also answered for a certificate that is revoked already. Source: observed in production clients."""


class Revoker:
    """Sends revocations to SCM and stores its answers; a `PendingWrite` for those not settled yet.

    Args:
        context: What every service works with.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._retries = Retries(context)
        self._due: dict[str, datetime] = {}

    def begin(self) -> None:
        """Send every pending revocation at once: the program has started, or took over from another process."""
        now = self._context.clock.now()
        for order in self._context.repository.store.orders():
            if order.state is OrderState.REVOKING:
                self._due[order.id] = now

    def due_at(self, order: Order) -> datetime | None:
        """Return when an order's revocation is sent again; None when nothing is pending."""
        if order.state is not OrderState.REVOKING:
            return None
        if self._context.is_read_only:
            # Sending is a write: it waits for a process that may write.
            return None
        recorded = order.revocation.next_attempt_at if order.revocation else None
        return self._due.get(order.id, recorded or order.state_since)

    def note(self, order: Order) -> None:
        """Take note of an order as it is now: what was remembered of one that is settled is forgotten."""
        if order.state is not OrderState.REVOKING:
            self._due.pop(order.id, None)
            self._retries.forget(order.id)

    async def attempt(self, order_id: str) -> None:
        """Send the revocation once more; a rejection is published. The caller holds the order lock.

        Raises:
            StoreError: The answer could not be written down; SCM is asked again later.
        """
        rejection = await self.send(order_id)
        if rejection is not None:
            now = self._context.clock.now()
            self._context.repository.publish(FailureReported(now, "SCM refused the revocation", rejection, order_id))

    async def send(self, order_id: str) -> ScmFailure | None:
        """Send a recorded revocation once, unless an earlier attempt with a lost answer has revoked it already.

        Args:
            order_id: The order, revoking.

        Returns:
            SCM's rejection, when the order is what it was before; None when it is revoked, or to be sent again.

        Raises:
            StoreError: The answer could not be written down; SCM is asked again later.
            DoneUnsaved: The same, and the answer was that it is revoked.
        """
        next_at = self._due[order_id] = self._retries.next_at(order_id)
        order = self._context.repository.store.order(order_id)
        if order is None or order.state is not OrderState.REVOKING or order.revocation is None or order.ssl_id is None:
            return None
        ssl_id, revocation = order.ssl_id, order.revocation
        if revocation.attempts and await self._verify(order_id, ssl_id, next_at):
            return None
        try:
            await self._context.limiter.run(
                Priority.WRITE,
                lambda: self._context.scm.revoke(ssl_id, revocation.reason_code, revocation.reason),
            )
        except ScmFailure as failure:
            return await self._judge(order_id, ssl_id, failure, next_at)
        await self._revoked(order_id, "SCM has revoked it")
        return None

    async def _verify(self, order_id: str, ssl_id: int, next_at: datetime) -> bool:
        """Check whether an earlier attempt has revoked it; return whether nothing is to be sent now."""
        try:
            details = await self._context.details(ssl_id)
        except ScmFailure as failure:
            if write_outcome_of(failure) is WriteOutcome.REFUSED:
                return False
            await self._postpone(order_id, failure, next_at, was_told=False)
            return True
        if state_for(details.status) is not OrderState.REVOKED:
            return False
        await self._revoked(order_id, "SCM says revoked", details)
        return True

    async def _judge(self, order_id: str, ssl_id: int, failure: ScmFailure, next_at: datetime) -> ScmFailure | None:
        if write_outcome_of(failure) is not WriteOutcome.REFUSED and not isinstance(failure, RefusedAlone):
            await self._postpone(order_id, failure, next_at, was_told=failure.sent)
            if write_outcome_of(failure) is WriteOutcome.UNKNOWN:
                await self._verify(order_id, ssl_id, next_at)
            return None
        if failure.code == ALREADY_REVOKED:
            await self._revoked(order_id, f"SCM says revoked already ({failure.code})")
            return None
        details = None
        try:
            details = await self._context.details(ssl_id)
        except ScmFailure:
            if failure.code == ONLY_ISSUED:
                # It may mean that it is revoked: only its details can tell.
                await self._postpone(order_id, failure, next_at, was_told=True)
                return None
        if details is not None and state_for(details.status) is OrderState.REVOKED:
            await self._revoked(order_id, f"SCM says revoked ({failure.code})", details)
            return None
        await self._back(order_id, failure, details)
        return failure

    async def _revoked(self, order_id: str, how: str, details: OrderDetails | None = None) -> None:
        def change(order: Order) -> tuple[Order, TimelineEntry] | None:
            if order.state is not OrderState.REVOKING or order.revocation is None:
                return None
            now = self._context.clock.now()
            revocation = replace(
                order.revocation,
                confirmed_at=now,
                attempts=order.revocation.attempts + 1,
                next_attempt_at=None,
                error="",
                is_unknown=False,
            )
            after = replace(order.to(OrderState.REVOKED, now), revocation=revocation)
            after = after.learn(details) if details else after
            return after, change_entry(now, order, after, how, http_status=200 if details else None)

        try:
            await self._context.repository.change(order_id, change)
        except StoreError as error:
            known = self._context.repository.store.order(order_id)
            done = change(known) if known is not None else None
            if done is None:
                raise
            raise DoneUnsaved(done[0], error) from error

    async def _back(self, order_id: str, failure: ScmFailure, details: OrderDetails | None) -> None:
        def change(order: Order) -> tuple[Order, TimelineEntry] | None:
            if order.state is not OrderState.REVOKING:
                return None
            now = self._context.clock.now()
            after = order.to(_state_after_rejection(order.revocation, details), now)
            after = replace(after, revocation=None)
            after = after.learn(details) if details else after
            return after, change_entry(
                now, order, after, f"not revoked, SCM refused: {in_words(failure)}", failure=failure
            )

        await self._context.repository.change(order_id, change)

    async def _postpone(self, order_id: str, failure: ScmFailure, next_at: datetime, *, was_told: bool) -> None:
        if failure.retry_after_seconds is not None:
            next_at = self._retries.next_at(order_id, retry_after_seconds=failure.retry_after_seconds)
        if isinstance(failure, CredentialsRefused) and self._context.limiter.rejection is not None:
            # Paused until the credentials are new, and then sent at once.
            next_at = self._context.clock.now()
        self._due[order_id] = next_at
        is_lost = was_told and write_outcome_of(failure) is WriteOutcome.UNKNOWN
        error_words = f"UNKNOWN, verifying: {in_words(failure)}" if is_lost else f"not told yet: {in_words(failure)}"

        def change(order: Order) -> tuple[Order, TimelineEntry] | None:
            before = order.revocation
            if order.state is not OrderState.REVOKING or before is None:
                return None
            if not was_told and (before.error == error_words or before.is_unknown):
                return None
            revocation = replace(
                before,
                attempts=before.attempts + was_told,
                next_attempt_at=next_at,
                error=error_words,
                is_unknown=before.is_unknown or is_lost,
            )
            after = replace(order, revocation=revocation)
            return after, change_entry(self._context.clock.now(), order, after, error_words, failure=failure)

        await self._context.repository.change(order_id, change)


def _state_after_rejection(revocation: Revocation | None, details: OrderDetails | None) -> OrderState:
    before = revocation.before if revocation and revocation.before else OrderState.COLLECTED
    if details is None:
        return before
    told_state = state_for(details.status)
    is_kept = told_state is OrderState.ISSUED and before in (OrderState.COLLECTED, OrderState.REPLACED)
    return before if is_kept else told_state


PATIENCE = timedelta(minutes=5)
"""Longer than any request can last."""

_OVER: Mapping[OrderState, str] = {
    OrderState.REVOKED: "it is revoked already",
    OrderState.REVOKING: "it is being revoked already",
    OrderState.EXPIRED: "it has expired",
    OrderState.FAILED: "it never became a certificate",
    OrderState.INTENT: "it is not at SCM yet",
    OrderState.UNCONFIRMED: "it is not confirmed at SCM",
}


class RevokeOffer(Struct, frozen=True):
    """A certificate as it is shown before it is revoked.

    Args:
        details: SCM's details, asked for now.
        confirm_by: What the operator types to confirm.
        serial_tail: The end of its serial number.
        rejection: Why it cannot be revoked; empty when it can.
    """

    details: OrderDetails
    confirm_by: ConfirmBy
    serial_tail: str
    rejection: str = ""


class Revoking:
    """Revokes certificates at SCM.

    Args:
        context: What every service works with.
        order_locks: Keeps writes to one order apart.
        tracking: Makes orders of the account local.
        revoker: Tells SCM.
    """

    def __init__(
        self,
        context: Context,
        order_locks: OrderLocks,
        tracking: Tracking,
        revoker: Revoker,
    ) -> None:
        self._context = context
        self._order_locks = order_locks
        self._tracking = tracking
        self._revoker = revoker

    async def offer(self, ssl_id: int) -> RevokeOffer:
        """Return what is shown of a certificate before it is revoked.

        Args:
            ssl_id: Its order, local or not.

        Raises:
            ScmFailure: SCM did not tell it.
        """
        details = await self._context.details(ssl_id)
        local = self._context.repository.store.by_ssl_id(ssl_id)
        rejection = _OVER.get(local.state, "") if local else ""
        return RevokeOffer(details, confirm_by(details.common_name), details.serial_number[-8:], rejection)

    async def revoke(self, ssl_id: int, reason_code: int, reason: str, typed: str) -> Order:
        """Revoke a certificate, for good.

        Args:
            ssl_id: Its order; one that is not local becomes so first.
            reason_code: One of `REASONS`.
            reason: The operator's words, 1 to 512 characters.
            typed: The common name, or the sslId where that confirms, as the operator typed it.

        Returns:
            The order: revoked, confirmed by SCM; or still revoking, when SCM's answer was lost or requests are paused
            (`revocation.error` says why). The revocation is then sent again until SCM has answered.

        Raises:
            InputError: Something is wrong with what was given, it cannot be revoked, or the program is read-only;
                nothing was sent.
            ScmFailure: SCM rejected, and the order is what it was; or SCM did not tell an order that is not local.
            StoreError: It could not be recorded, and nothing was sent; or SCM's answer could not, and then SCM is
                asked again.
        """
        self._context.check_writable("revoking")
        _check_reason(reason_code, reason)
        order = await self._local(ssl_id)
        check_typed(typed, order.common_name, ssl_id)
        return await self._order_locks.run(order.id, partial(self._record_and_send, order.id, reason_code, reason))

    async def _local(self, ssl_id: int) -> Order:
        known = self._context.repository.store.by_ssl_id(ssl_id)
        if known is not None:
            return known
        return await self._tracking.track(ssl_id)

    async def _record_and_send(self, order_id: str, reason_code: int, reason: str) -> Order:
        def record(order: Order) -> tuple[Order, TimelineEntry]:
            why_not = _OVER.get(order.state, "")
            if why_not:
                raise InputError(f"sslId {order.ssl_id} cannot be revoked: {why_not}", "see its timeline")
            now = self._context.clock.now()
            # Another process tells SCM only after any request of this one has ended.
            revocation = Revocation(reason_code, reason, now, next_attempt_at=now + PATIENCE, before=order.state)
            entry = TimelineEntry(
                at=now,
                order_id=order.id,
                kind=EventKind.WRITE_ASKED,
                summary=f"revoke, reason {reason_code} {REASONS[reason_code]}: {reason}",
                from_state=order.state,
                to_state=OrderState.REVOKING,
                ssl_id=order.ssl_id,
            )
            return replace(order.to(OrderState.REVOKING, now), revocation=revocation), entry

        order = await self._context.repository.change(order_id, record)
        if order is None:
            raise InputError(f"there is no local order {order_id}", "refresh the list")
        rejection = await self._revoker.send(order_id)
        if rejection is not None:
            raise rejection
        return self._context.repository.store.order(order_id) or order


def _check_reason(reason_code: int, reason: str) -> None:
    if reason_code not in REASONS:
        known = ", ".join(f"{code} {name}" for code, name in REASONS.items())
        raise InputError(f"{reason_code} is no reason code that SCM takes", f"take one of {known}")
    if not len(reason.strip()) >= 1 or len(reason) > REASON_AT_MOST:
        raise InputError(f"the reason has {len(reason.strip())} characters", f"write 1 to {REASON_AT_MOST}")
