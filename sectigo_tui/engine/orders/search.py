"""The order tag, and finding an order at SCM by it when its answer was lost."""

from __future__ import annotations

import re
from functools import partial

from msgspec import Struct

from sectigo_tui.domain.certificates import ListingFilter, ListingRow, OrderDetails
from sectigo_tui.domain.errors import InputError, Refused, Unreadable
from sectigo_tui.domain.names import name_key, name_keys
from sectigo_tui.domain.orders import Order, Origin
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.requests.limiter import Priority

COMMENTS_AT_MOST = 1024
"""Source: SCM manual 25.5."""

_ORDER_TAG = re.compile(r"\[sectigo-tui:([0-9a-f]{12})(?:\.(\d{1,4}))?\]")


def order_tag_of(order_id: str, attempt: int) -> str:
    """Return an order's tag; every time it is ordered again it gets another."""
    return f"[sectigo-tui:{order_id}]" if attempt == 1 else f"[sectigo-tui:{order_id}.{attempt}]"


def marked(comments: str, order_tag: str) -> str:
    """Return the operator's comments with an order tag.

    Raises:
        InputError: They are too long together.
    """
    room = COMMENTS_AT_MOST - len(order_tag) - 1
    if len(comments) > room:
        raise InputError(f"the comments have {len(comments)} characters", f"use at most {room}")
    return f"{comments} {order_tag}" if comments else order_tag


def untagged(comments: str) -> str:
    """Return comments without any order tag."""
    return _ORDER_TAG.sub("", comments).strip()


def tagged_orders(comments: str) -> frozenset[str]:
    """Return the local ids of the orders whose order tags are in some comments."""
    return frozenset(found[1] for found in _ORDER_TAG.finditer(comments))


_PAGE_SIZE = 200


class Named(Struct, frozen=True):
    """The account's orders that go by one name.

    Args:
        rows: They, the highest sslIds first.
        left_out: How many rows by common name were not read, and may hold more.
        left_out_nameless: How many rows by alternative name were not read, and may hold more.
    """

    rows: tuple[ListingRow, ...]
    left_out: int = 0
    left_out_nameless: int = 0

    @property
    def ssl_ids(self) -> tuple[int, ...]:
        """Their sslIds, in order."""
        return tuple(sorted(row.ssl_id for row in self.rows))


async def orders_named(
    context: Context,
    common_name: str,
    *,
    at_most: int | None = None,
    nameless_too: bool = True,
    any_alternative: bool = False,
) -> Named:
    """Return the account's orders of a common name, and those without one that have it as alternative name.

    SCM may find names by a part of them: then all of a domain's hosts are read to find the orders of the domain
    itself. Those of longer names are left out here; a name that is spelled otherwise (an IDN) is not.

    Args:
        context: The world.
        common_name: The name.
        at_most: How many rows of each kind are read; None for all, however many pages that takes.
        nameless_too: Whether orders without a common name are asked for.
        any_alternative: Whether orders that have another common name count, too, if an alternative name is this one.

    Raises:
        ScmFailure: They were not told, or rows shifted between pages so that one may be missing.
    """
    by_name, left_out = await _rows(context, ListingFilter(common_name=common_name), at_most)
    wanted = common_name.casefold()
    rows = {ssl_id: row for ssl_id, row in by_name.items() if _may_be_name(row.common_name.casefold(), wanted)}
    left_out_nameless = 0
    if nameless_too:
        nameless, left_out_nameless = await _nameless(context, common_name, at_most, any_alternative=any_alternative)
        rows |= nameless
    newest_first = tuple(sorted(rows.values(), key=lambda row: row.ssl_id, reverse=True))
    return Named(newest_first, left_out, left_out_nameless)


async def _nameless(
    context: Context, name: str, at_most: int | None, *, any_alternative: bool = False
) -> tuple[dict[int, ListingRow], int]:
    """Return the rows that go by an alternative name, by sslId, and how many were not read."""
    try:
        rows, left_out = await _rows(context, ListingFilter(alternative_name=name), at_most)
    except Refused:
        # An installation that does not filter by alternative names finds orders by common names alone.
        return {}, 0
    key = name_key(name)
    found = {ssl_id: row for ssl_id, row in rows.items() if _goes_by(row, key, any_alternative=any_alternative)}
    return found, left_out


async def _rows(context: Context, where: ListingFilter, at_most: int | None) -> tuple[dict[int, ListingRow], int]:
    """Return a listing's rows by sslId, and how many were not read."""
    priority = Priority.LISTING if at_most is None else Priority.WRITE
    rows: dict[int, ListingRow] = {}
    position, total, unusable, is_end = 0, None, 0, False
    while at_most is None or position < at_most:
        ask = partial(context.scm.listing, where, position=position, size=_PAGE_SIZE)
        page = await context.limiter.run(priority, ask)
        rows |= {row.ssl_id: row for row in page.rows}
        position, total, unusable = position + page.received, page.total, unusable + len(page.unusable)
        is_end = page.received < _PAGE_SIZE
        if is_end:
            break
    # A header that says less than the rows that came says nothing: behind a full page there may be more.
    unread = max((total or 0) - position, 0 if is_end or (total is not None and total >= position) else 1)
    left_out = unread + unusable
    if not left_out and total is not None and len(rows) < total:
        raise Unreadable("listing", f"{len(rows)} different rows came of {total}", http_status=200)
    return rows, left_out


async def search(context: Context, order: Order) -> tuple[OrderDetails, ...]:
    """Search for an order at SCM.

    Args:
        context: The world.
        order: The order, unconfirmed.

    Returns:
        The orders that it may be: one is it, several are for the operator to tell apart. None is SCM's word only for
        now: an order may show up later.

    Raises:
        ScmFailure: SCM did not tell all that was needed.
    """
    found = await _among(context, order, await orders_named(context, order.common_name, nameless_too=False))
    if not found:
        nameless, _ = await _nameless(context, order.common_name, None)
        found = await _among(context, order, Named(tuple(nameless.values())))
    if order.renews_ssl_id is None and found:
        # A renewal of it would carry a copy of its order tag: the oldest is the order itself.
        found = [min(found, key=lambda details: details.ssl_id)]
    return tuple(found)


async def _among(context: Context, order: Order, named: Named) -> list[OrderDetails]:
    """Return which of some orders an order may be."""
    known = order.pending_enroll.known_ssl_ids if order.pending_enroll else ()
    rows = [row for row in named.rows if row.ssl_id not in known]
    renewed = await _details(context, order.renews_ssl_id) if order.renews_ssl_id and rows else None
    candidates = [await _details(context, row.ssl_id) for row in rows]
    return [details for details in candidates if _is_it(context, order, details, renewed)]


async def _details(context: Context, ssl_id: int) -> OrderDetails:
    return await context.limiter.run(Priority.WRITE, lambda: context.scm.details(ssl_id))


def _is_it(context: Context, order: Order, details: OrderDetails, renewed: OrderDetails | None) -> bool:
    marks = tagged_orders(details.comments)
    if renewed is None:
        return order.id in marks
    local = context.repository.store.by_ssl_id(details.ssl_id)
    is_anothers = (
        local is not None
        and local.id != order.id
        and local.origin is not Origin.TRACKED
        and local.renews_ssl_id != order.renews_ssl_id
    )
    return (
        not is_anothers
        and details.ssl_id != renewed.ssl_id
        and marks <= tagged_orders(renewed.comments)
        and _may_be_same(details.profile_id, renewed.profile_id)
        and _may_be_same(details.organization_id, renewed.organization_id)
    )


def _may_be_name(name: str, wanted: str) -> bool:
    return name == wanted or wanted not in name


def _goes_by(row: ListingRow, key: str, *, any_alternative: bool) -> bool:
    """Return whether a row goes by a name: its common name is it, or it has none and an alternative name is it."""
    if row.is_nameless or any_alternative:
        return key in name_keys(row.subject_alternative_names)
    return name_key(row.common_name) == key


def _may_be_same(one: int | None, other: int | None) -> bool:
    return one is None or other is None or one == other
