"""Orders of the same name, looked up before another is billed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.errors import InputError, ScmFailure
from sectigo_tui.domain.names import name_keys
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.status import StatusClass, classify
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.orders.search import Named, orders_named
from sectigo_tui.engine.requests.limiter import Priority

FAR_FROM_EXPIRY = timedelta(days=30)
"""An issued certificate with more time than this left is worth a question before another is ordered."""

LISTED = 1000
"""So many rows of the listing by name are read."""

EXAMINED_AT_MOST = 20
"""How many of the account's orders of the same name are examined, the highest sslIds first."""


class Duplicates(Struct, frozen=True):
    """Orders of the same name that are pending, or issued and far from expiry.

    Args:
        local: Those of this program that SCM did not tell of, not a certificate yet.
        remote: Those of the account, the highest sslId first.
        not_examined: How many more rows may be of the name.
        failure: Why the lookup is incomplete; None when it is not.
        known: The ids of all local orders that were examined: what is not among them was ordered later.
    """

    local: tuple[Order, ...] = ()
    remote: tuple[OrderDetails, ...] = ()
    not_examined: int = 0
    failure: ScmFailure | None = None
    known: frozenset[str] = frozenset()

    @property
    def is_clear(self) -> bool:
        """Whether there is certainly none."""
        return not (self.local or self.remote or self.not_examined or self.failure)


class OrderedMeanwhile(InputError):
    """An order of the same name was placed since the lookup of duplicates, and nothing was sent.

    Args:
        order: That order.
    """

    def __init__(self, order: Order) -> None:
        number = f"sslId {order.ssl_id}" if order.ssl_id is not None else f"order {order.id}"
        super().__init__(
            f"{number} of the same name, {order.common_name}, was placed in the meantime and is {order.state}",
            "check it, and order again if another is wanted all the same",
        )
        self.order = order


async def find_duplicates(context: Context, names: Sequence[str], *, is_nameless: bool = False) -> Duplicates:
    """Look for orders that may be the one about to be placed.

    Args:
        context: The world.
        names: The names it may go by: its common name, or all its names where it has none.
        is_nameless: Whether it has no common name.

    Returns:
        What was found; a failure of SCM is in it, not raised.
    """
    store, keys = context.repository.store, name_keys(names)
    known = frozenset(order.id for order in store.orders())
    waiting = [order for order in store.orders() if order.is_waiting]
    local = tuple(order for order in waiting if _goes_by(order, keys, is_nameless=is_nameless))
    try:
        named = await asyncio.gather(
            *(orders_named(context, name, at_most=LISTED, any_alternative=is_nameless) for name in names)
        )
        ssl_ids = sorted({row.ssl_id for each in named for row in each.rows}, reverse=True)
        details = await asyncio.gather(*(_details(context, ssl_id) for ssl_id in ssl_ids[:EXAMINED_AT_MOST]))
    except ScmFailure as failure:
        return Duplicates(local, failure=failure, known=known)
    now = context.clock.now()
    remote = tuple(each for each in details if _counts(each, now))
    told = {each.ssl_id for each in details}
    left_out = max((_left_out(each, is_nameless=is_nameless) for each in named), default=0)
    return Duplicates(
        tuple(order for order in local if order.ssl_id not in told),
        remote,
        max(0, len(ssl_ids) - EXAMINED_AT_MOST) + left_out,
        known=known,
    )


def refuse_ordered_meanwhile(
    names: Iterable[str], known: frozenset[str], *, is_nameless: bool = False
) -> Callable[[list[Order]], None]:
    """Return what refuses to write an order down once another of its name was placed since the lookup.

    Two processes that search at the same time both find nothing; the store calls this under its lock, so that the
    second one to write finds what the first one wrote.

    Args:
        names: The names that the new order may go by.
        known: The ids of the local orders that the lookup knew.
        is_nameless: Whether the new order has no common name.

    Returns:
        Takes all local orders, and raises `OrderedMeanwhile`.
    """
    keys = name_keys(names)

    def check(orders: list[Order]) -> None:
        for order in orders:
            is_new = order.id not in known and order.origin is not Origin.TRACKED
            if is_new and order.state is not OrderState.FAILED and _goes_by(order, keys, is_nameless=is_nameless):
                raise OrderedMeanwhile(order)

    return check


def _goes_by(order: Order, keys: frozenset[str], *, is_nameless: bool) -> bool:
    """Return whether a local order goes by one of some names; beside one without a common name, any of its names."""
    names = [order.common_name]
    if is_nameless and order.details is not None:
        names += order.details.subject_alternative_names
    if is_nameless and order.pending_enroll is not None and order.pending_enroll.request is not None:
        names += order.pending_enroll.request.subject_alternative_names
    return not keys.isdisjoint(name_keys(names))


def _left_out(named: Named, *, is_nameless: bool) -> int:
    return max(named.left_out, named.left_out_nameless) if is_nameless else named.left_out


async def _details(context: Context, ssl_id: int) -> OrderDetails:
    return await context.limiter.run(Priority.SIGHT, lambda: context.scm.details(ssl_id))


def _counts(details: OrderDetails, now: datetime) -> bool:
    match classify(details.status):
        case StatusClass.PENDING:
            return True
        case StatusClass.ISSUED:
            return details.expires is None or _is_after(details.expires, now + FAR_FROM_EXPIRY)
        case _:
            return False


def _is_after(moment: Moment, then: datetime) -> bool:
    return moment > then if isinstance(moment, datetime) else moment > then.date()
