"""Finding an order at SCM whose answer was lost.

An order is found by its marker: the listing by common name tells which orders it may be, and each one's details tell
its comments. A renewal has no comments of its own (SCM may copy the old order's, marker included, or not), so it is
found by what it is not: the orders of its common name are listed before it is sent, and what is there afterwards that
was not, of the same profile and organization, requested since, and not another order of this program, is it. When
more than one order could be the renewal, none is taken: the operator decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from sectigo_tui.domain.certificates import ListingFilter, ListingRow, OrderDetails
from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.errors import Unreadable
from sectigo_tui.domain.orders import Order, Origin
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.gate import Priority
from sectigo_tui.engine.markers import marked_orders

_PAGE_SIZE = 200
_TOLERANCE = timedelta(days=1)
"""SCM tells days, and of which time zone is not known."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a search came to.

    Args:
        found: The orders it may be: one is it, several are for the operator to tell apart.
        excluded: Orders that it certainly is not, now or later.
    """

    found: tuple[OrderDetails, ...] = ()
    excluded: tuple[int, ...] = ()


async def rows_named(context: Context, common_name: str) -> tuple[ListingRow, ...]:
    """Return the account's orders of a common name, newest first.

    Args:
        context: The world.
        common_name: The name, as SCM's filter takes it.

    Raises:
        ScmFailure: They were not told, or rows shifted between pages so that one may be missing.
    """
    where = ListingFilter(common_name=common_name)
    rows: dict[int, ListingRow] = {}
    position = 0
    while True:
        ask = partial(context.scm.listing, where, position=position, size=_PAGE_SIZE)
        page = await context.gate.run(Priority.WRITE, ask)
        rows |= {row.ssl_id: row for row in page.rows}
        position += len(page.rows)
        if len(page.rows) < _PAGE_SIZE:
            break
    if page.total is not None and len(rows) < page.total:
        raise Unreadable("listing", f"{len(rows)} different rows came of {page.total}", http_status=200)
    return tuple(rows[ssl_id] for ssl_id in sorted(rows, reverse=True))


async def search(context: Context, order: Order) -> Search:
    """Look for an order at SCM.

    Args:
        context: The world.
        order: The order, unconfirmed.

    Returns:
        What was found. Nothing found is SCM's word only for now: an order may show up later.

    Raises:
        ScmFailure: SCM did not tell all that was needed.
    """
    placement = order.placement
    known = set(placement.known_ssl_ids) if placement else set()
    asked_at = placement.asked_at if placement else order.created_at
    rows = [row for row in await rows_named(context, order.common_name) if row.ssl_id not in known]
    renewed = await _details(context, order.renews_ssl_id) if order.renews_ssl_id and rows else None
    found: list[OrderDetails] = []
    excluded: list[int] = []
    for row in rows:
        details = await _details(context, row.ssl_id)
        if _is_it(context, order, details, renewed):
            found.append(details)
        elif _is_before(details.requested, asked_at):
            excluded.append(row.ssl_id)
    if order.renews_ssl_id is None and found:
        # A renewal of it would carry a copy of its marker: the oldest is the order itself.
        found = [min(found, key=lambda details: details.ssl_id)]
    return Search(tuple(found), tuple(excluded))


async def _details(context: Context, ssl_id: int) -> OrderDetails:
    return await context.gate.run(Priority.WRITE, lambda: context.scm.details(ssl_id))


def _is_it(context: Context, order: Order, details: OrderDetails, renewed: OrderDetails | None) -> bool:
    marks = marked_orders(details.comments)
    if renewed is None:
        return order.id in marks
    local = context.book.store.by_ssl_id(details.ssl_id)
    is_anothers = (
        local is not None
        and local.id != order.id
        and local.origin is not Origin.TRACKED
        and local.renews_ssl_id != order.renews_ssl_id
    )
    asked_at = order.placement.asked_at if order.placement else order.created_at
    return (
        not is_anothers
        and details.ssl_id != renewed.ssl_id
        and marks <= marked_orders(renewed.comments)
        and _may_be_same(details.profile_id, renewed.profile_id)
        and _may_be_same(details.organization_id, renewed.organization_id)
        and not _is_before(details.requested, asked_at)
    )


def _may_be_same(one: int | None, other: int | None) -> bool:
    return one is None or other is None or one == other


def _is_before(requested: Moment | None, asked_at: datetime) -> bool:
    if requested is None:
        return False
    if isinstance(requested, datetime):
        return requested < asked_at - _TOLERANCE
    return requested < (asked_at - _TOLERANCE).date()
