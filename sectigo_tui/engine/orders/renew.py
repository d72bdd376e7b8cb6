"""Renewing: a new order from an old one, under the same rule that nothing is ordered twice.

A renewal carries no comments, so it has no order tag of its own. A lost one is found by comparison with the list of the
orders of its common name from just before it was sent; so only one renewal of a name may be under way at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from msgspec import Struct

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.names import name_key
from sectigo_tui.domain.orders import Order, OrderState, Origin, PendingEnroll, state_for
from sectigo_tui.domain.pki import CertificateTools, CsrFacts
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.orders.batch import Outcome, each
from sectigo_tui.engine.orders.lookup import Duplicates, check_none_ordered_since, find_duplicates, orders_named
from sectigo_tui.engine.orders.place import Placed, Placing


class RenewOffer(Struct, frozen=True):
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
        context: What every service works with.
        placing: Sends orders.
        tools: Checks CSRs.
    """

    def __init__(self, context: Context, placing: Placing, tools: CertificateTools) -> None:
        self._context = context
        self._placing = placing
        self._tools = tools

    async def offer(self, ssl_id: int) -> RenewOffer:
        """Return what is known of an order before it is renewed.

        Args:
            ssl_id: The order.

        Raises:
            ScmFailure: SCM did not tell it.
        """
        old = await self._context.details(ssl_id)
        found = await find_duplicates(self._context, [old.common_name] if old.common_name else [])
        others = tuple(details for details in found.remote if details.ssl_id != ssl_id)
        local = tuple(order for order in found.local if order.ssl_id != ssl_id)
        duplicates = Duplicates(local, others, found.not_examined, found.failure, found.known)
        return RenewOffer(old, duplicates, self._under_way(ssl_id))

    async def renew(
        self, ssl_id: int, csr: CsrFacts | None = None, *, key_path: str = "", since: Duplicates | None = None
    ) -> Placed:
        """Order again what an order was: written down before it is sent, sent once, never again by itself.

        Args:
            ssl_id: The order to be renewed.
            csr: A new CSR; None to have SCM use the old one.
            key_path: The private key made here for the new CSR; empty where there is none.
            since: The duplicates that were looked up: an order of the same name placed since then rejects this one.
                None to order whatever else was ordered.

        Returns:
            The new order: submitted and polled, or unconfirmed when SCM's answer was lost; it is then searched for.

        Raises:
            InputError: It cannot be renewed, a renewal is under way, an order of the same name was placed in the
                meantime, or the program is read-only; nothing was sent.
            ScmFailure: SCM did not tell what is needed, or rejected; nothing was ordered.
            StoreError: It could not be written down, as for an enroll.
        """
        self._context.check_writable("renewing")
        if csr is not None:
            await asyncio.to_thread(self._tools.check_csr, csr, {})
        old = await self._context.details(ssl_id)
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
        meanwhile = check_none_ordered_since([old.common_name], since.known) if since is not None else None

        def check(orders: list[Order]) -> None:
            _check_alone(old, orders, since.known if since is not None else None)
            if meanwhile is not None:
                meanwhile(orders)

        return await self._placing.place(order, entry, check=check)

    async def renew_all(
        self, ssl_ids: Iterable[int], progress: Callable[[Outcome[int, Placed]], None] = lambda _outcome: None
    ) -> tuple[Outcome[int, Placed], ...]:
        """Renew several orders with their old CSRs, one after another, each once.

        One beside which another order of its name may be the renewal already is left out: it is renewed on its own.

        Args:
            ssl_ids: The orders to be renewed.
            progress: Told each outcome when it is there.

        Raises:
            InputError: The program is read-only; nothing was sent.
        """
        self._context.check_writable("renewing")
        return await each(ssl_ids, self._renew_alone, progress)

    async def _renew_alone(self, ssl_id: int) -> Placed:
        offer = await self.offer(ssl_id)
        duplicates = offer.duplicates
        if not duplicates.is_clear:
            others = [order.ssl_id or order.id for order in duplicates.local]
            others += [details.ssl_id for details in duplicates.remote]
            why = f"there is another order of its name: {', '.join(map(str, others))}" if others else ""
            raise InputError(
                f"sslId {ssl_id}: {why or 'not all orders of its name could be examined'}; nothing was ordered",
                "renew it on its own, once they are examined",
            )
        return await self.renew(ssl_id, since=duplicates)

    def _intent(self, old: OrderDetails, known: tuple[int, ...], csr: CsrFacts | None, key_path: str) -> Order:
        now = self._context.clock.now()
        return Order(
            id=self._context.new_order_id(),
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
            pending_enroll=PendingEnroll(now, known_ssl_ids=known),
        )

    def _under_way(self, ssl_id: int) -> tuple[Order, ...]:
        return tuple(order for order in self._context.repository.store.orders() if _renews(order, ssl_id))


def _renews(order: Order, ssl_id: int) -> bool:
    """Return whether an order is a renewal of another that is under way."""
    return order.renews_ssl_id == ssl_id and (order.is_waiting or order.state is OrderState.ISSUED)


def _check_alone(old: OrderDetails, orders: list[Order], known: frozenset[str] | None) -> None:
    """Reject a renewal beside another of the same order or, while that is unconfirmed, of the same name.

    Args:
        old: The order to be renewed.
        orders: All local orders, of every process.
        known: The local orders that were examined before; a renewal that is not among them counts whatever became
            of it, unless SCM rejected it. None where none was examined.
    """
    for order in orders:
        is_new = known is not None and order.id not in known and order.state is not OrderState.FAILED
        if _renews(order, old.ssl_id) or (order.renews_ssl_id == old.ssl_id and is_new):
            raise InputError(f"sslId {old.ssl_id} is being renewed already", "wait until that renewal is settled")
        if (
            order.state in (OrderState.INTENT, OrderState.UNCONFIRMED)
            and order.origin is Origin.RENEWED
            and name_key(order.common_name) == name_key(old.common_name)
        ):
            raise InputError(
                f"another renewal of {old.common_name} is {order.state}", "settle it first: they could be mixed up"
            )
