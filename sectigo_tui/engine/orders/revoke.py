"""Revoking: recorded here first, then told to SCM until SCM has said what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, Revocation
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.orders.confirmation import ConfirmBy, check_typed, confirm_by
from sectigo_tui.engine.orders.order_locks import OrderLocks
from sectigo_tui.engine.orders.revocation_sender import Revoker
from sectigo_tui.engine.orders.track import Tracking
from sectigo_tui.engine.requests.limiter import Priority

REASONS: Mapping[int, str] = {
    0: "unspecified",
    1: "keyCompromise",
    3: "affiliationChanged",
    4: "superseded",
    5: "cessationOfOperation",
}
"""The reason codes that SCM takes, by their names. Source: SCM manual 25.5; RFC 5280 5.3.1."""

REASON_AT_MOST = 512
"""Source: SCM manual 25.5."""

PATIENCE = timedelta(minutes=5)
"""Longer than any request can last."""

_OVER: Mapping[OrderState, str] = {
    OrderState.REVOKED: "it is revoked already",
    OrderState.REVOKING: "it is being revoked already",
    OrderState.EXPIRED: "it has expired",
    OrderState.FAILED: "it never became a certificate",
    OrderState.INTENT: "it is not at SCM yet",
    OrderState.UNCONFIRMED: "whether it is at SCM is not known",
}


class RevokeOffer(Struct, frozen=True):
    """A certificate as it is shown before it is revoked.

    Args:
        details: SCM's details, asked for now.
        confirm_by: What the operator types to confirm.
        serial_tail: The end of its serial number.
        refusal: Why it cannot be revoked; empty when it can.
    """

    details: OrderDetails
    confirm_by: ConfirmBy
    serial_tail: str
    rejection: str = ""


class Revoking:
    """Revokes certificates.

    Args:
        context: The world.
        claims: Keeps writes to one order apart.
        tracking: Makes orders of the account local.
        revoker: Tells SCM.
        watch: Polls an order from now on.
    """

    def __init__(
        self,
        context: Context,
        order_locks: OrderLocks,
        tracking: Tracking,
        revoker: Revoker,
        watch: Callable[[Order], None],
    ) -> None:
        self._context = context
        self._order_locks = order_locks
        self._tracking = tracking
        self._revoker = revoker
        self._watch = watch

    async def offer(self, ssl_id: int) -> RevokeOffer:
        """Return what is shown of a certificate before it is revoked.

        Args:
            ssl_id: Its order, local or not.

        Raises:
            ScmFailure: SCM did not tell it.
        """
        details = await self._context.limiter.run(Priority.WRITE, lambda: self._context.scm.details(ssl_id))
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
            The order: revoked, confirmed by SCM; or still revoking, when SCM's answer was lost or held back
            (`revocation.trouble` says why), and then SCM is told again by itself until it has answered.

        Raises:
            InputError: Something is wrong with what was given, it cannot be revoked, or the program is read-only;
                nothing was sent.
            ScmFailure: SCM refused, and the order is what it was; or SCM did not tell an order that is not local.
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
        order = await self._tracking.track(ssl_id)
        self._watch(order)
        return order

    async def _record_and_send(self, order_id: str, reason_code: int, reason: str) -> Order:
        def record(order: Order) -> tuple[Order, TimelineEntry]:
            why_not = _OVER.get(order.state, "")
            if why_not:
                raise InputError(f"sslId {order.ssl_id} cannot be revoked: {why_not}", "look at its timeline")
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
            raise InputError(f"there is no local order {order_id}", "look at the list again")
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
