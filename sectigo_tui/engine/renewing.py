"""Renewing: a new order from an old one, under the same rule that nothing is ordered twice.

A renewal carries no comments, so it has no marker of its own. What finds a lost one again is the list of the orders of
its common name from just before it was sent; so only one renewal of a name may be under way at a time.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, Origin, Placement, state_for
from sectigo_tui.domain.pki import CertificateTools, CsrFacts
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.duplicates import Duplicates, find_duplicates
from sectigo_tui.engine.gate import Priority
from sectigo_tui.engine.placing import Placed, Placing
from sectigo_tui.engine.searching import orders_named
from sectigo_tui.engine.tracking import new_order_id


@dataclass(frozen=True, slots=True)
class RenewOffer:
    """What a renewal is about.

    Args:
        old: The order to be renewed, as SCM tells it now.
        duplicates: Other orders of its common name that may be what is wanted.
        renewals: Local renewals of it that are not certificates yet.
    """

    old: OrderDetails
    duplicates: Duplicates
    renewals: tuple[Order, ...] = ()


class Renewing:
    """Renews orders.

    Args:
        context: The world.
        placing: Sends orders.
        tools: Checks CSRs.
    """

    def __init__(self, context: Context, placing: Placing, tools: CertificateTools) -> None:
        self._context = context
        self._placing = placing
        self._tools = tools
        self._names_under_way: set[str] = set()

    async def offer(self, ssl_id: int) -> RenewOffer:
        """Return what is known of an order before it is renewed.

        Args:
            ssl_id: The order.

        Raises:
            ScmFailure: SCM did not tell it.
        """
        old = await self._details(ssl_id)
        found = await find_duplicates(self._context, old.common_name)
        others = tuple(details for details in found.remote if details.ssl_id != ssl_id)
        duplicates = Duplicates(found.local, others, found.not_looked_at, found.failure)
        return RenewOffer(old, duplicates, self._under_way(ssl_id))

    async def renew(self, ssl_id: int, csr: CsrFacts | None = None, *, key_path: str = "") -> Placed:
        """Order again what an order was: written down before it is sent, sent once, never again by itself.

        Args:
            ssl_id: The order to be renewed.
            csr: A new CSR; None to have SCM use the old one.
            key_path: The private key made here for the new CSR; empty where there is none.

        Returns:
            The new order: submitted and polled, or unconfirmed when SCM's answer was lost; it is then searched for.

        Raises:
            InputError: It cannot be renewed, a renewal is under way, or the program is read-only; nothing was sent.
            ScmFailure: SCM did not tell what is needed, or refused; nothing was ordered.
            StoreError: It could not be written down, as for an enroll.
        """
        self._context.check_writable("renewing")
        if csr is not None:
            await asyncio.to_thread(self._tools.check_csr, csr, {})
        old = await self._details(ssl_id)
        if state_for(old.status) not in (OrderState.ISSUED, OrderState.EXPIRED):
            raise InputError(f"sslId {ssl_id} is {old.status}", "only an issued or expired certificate can be renewed")
        if not old.common_name:
            raise InputError(
                f"sslId {ssl_id} has no common name", "renew it in SCM: a lost answer could not be settled"
            )
        known = (await orders_named(self._context, old.common_name)).ssl_ids
        order = self._intent(old, known, csr, key_path)
        entry = TimelineEntry(
            at=order.created_at,
            order_id=order.id,
            kind=EventKind.WRITE_ASKED,
            summary=f"renew sslId {ssl_id}, {old.common_name}, with {'a new' if csr else 'the same'} CSR",
            to_state=order.state,
        )
        self._check_alone(old)
        # Until the intent is in the store, only this tells another renewal that was asked for at the same time.
        name = old.common_name.casefold()
        self._names_under_way.add(name)
        try:
            return await self._placing.place(order, entry)
        finally:
            self._names_under_way.discard(name)

    def _intent(self, old: OrderDetails, known: tuple[int, ...], csr: CsrFacts | None, key_path: str) -> Order:
        now = self._context.clock.now()
        return Order(
            id=new_order_id(self._context.random),
            state=OrderState.INTENT,
            state_since=now,
            created_at=now,
            origin=Origin.RENEWED,
            common_name=old.common_name,
            profile_id=old.profile_id,
            profile_name=old.profile_name,
            validation=old.validation,
            term_days=old.term_days,
            organization_id=old.organization_id,
            csr_pem=csr.pem if csr else "",
            key_path=key_path,
            renews_ssl_id=old.ssl_id,
            placement=Placement(now, known_ssl_ids=known),
        )

    def _check_alone(self, old: OrderDetails) -> None:
        if self._under_way(old.ssl_id) or old.common_name.casefold() in self._names_under_way:
            raise InputError(f"sslId {old.ssl_id} is being renewed already", "wait until that renewal is settled")
        for order in self._context.book.store.orders():
            if (
                order.state in (OrderState.INTENT, OrderState.UNCONFIRMED)
                and order.origin is Origin.RENEWED
                and order.common_name.casefold() == old.common_name.casefold()
            ):
                raise InputError(
                    f"another renewal of {old.common_name} is {order.state}", "settle it first: they could be mixed up"
                )

    def _under_way(self, ssl_id: int) -> tuple[Order, ...]:
        return tuple(
            order
            for order in self._context.book.store.orders()
            if order.renews_ssl_id == ssl_id and (order.is_waiting or order.state is OrderState.ISSUED)
        )

    async def _details(self, ssl_id: int) -> OrderDetails:
        return await self._context.gate.run(Priority.WRITE, lambda: self._context.scm.details(ssl_id))
