"""Orders of the same common name, looked up before another is billed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.status import StatusClass, classify
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.gate import Priority
from sectigo_tui.engine.searching import orders_named

FAR_FROM_EXPIRY = timedelta(days=30)
"""An issued certificate with more time than this left is worth a question before another is ordered."""

LISTED = 1000
"""So many rows of the listing by name are read."""

LOOKED_AT = 20
"""Of the account's orders of one common name, so many are looked at, the highest sslIds first."""


@dataclass(frozen=True, slots=True)
class Duplicates:
    """Orders of the same common name that are pending, or issued and far from expiry.

    Args:
        local: Those of this program that have no sslId yet.
        remote: Those of the account, the highest sslId first.
        not_looked_at: How many more rows may be of the name.
        failure: Why the look-up is incomplete; None when it is not.
    """

    local: tuple[Order, ...] = ()
    remote: tuple[OrderDetails, ...] = ()
    not_looked_at: int = 0
    failure: ScmFailure | None = None

    @property
    def is_clear(self) -> bool:
        """Whether there is certainly none."""
        return not (self.local or self.remote or self.not_looked_at or self.failure)


async def find_duplicates(context: Context, common_name: str) -> Duplicates:
    """Look for orders that may be the one about to be placed.

    Args:
        context: The world.
        common_name: Its common name.

    Returns:
        What was found; a failure of SCM is in it, not raised.
    """
    local = tuple(
        order
        for order in context.book.store.orders()
        if order.ssl_id is None and order.is_waiting and order.common_name.casefold() == common_name.casefold()
    )
    try:
        named = await orders_named(context, common_name, at_most=LISTED)
        details = await asyncio.gather(*(_details(context, row.ssl_id) for row in named.rows[:LOOKED_AT]))
    except ScmFailure as failure:
        return Duplicates(local, failure=failure)
    now = context.clock.now()
    remote = tuple(each for each in details if _counts(each, now))
    return Duplicates(local, remote, max(0, len(named.rows) - LOOKED_AT) + named.left_out)


async def _details(context: Context, ssl_id: int) -> OrderDetails:
    return await context.gate.run(Priority.SIGHT, lambda: context.scm.details(ssl_id))


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
