"""Orders at SCM of a name or with an order tag: to find one whose answer was lost, and before another is billed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct

from sectigo_tui.domain.certificates import ListingFilter, ListingRow, OrderDetails
from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.errors import InputError, NotFound, Refused, ScmFailure, Unreadable
from sectigo_tui.domain.limits import COMMENTS_AT_MOST, PAGE_SIZE
from sectigo_tui.domain.names import name_key, name_keys
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.status import StatusClass, classify
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.requests.limiter import Priority

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
        context: What every service works with.
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
        ask = partial(context.scm.listing, where, position=position, size=PAGE_SIZE)
        page = await context.limiter.run(priority, ask)
        rows |= {row.ssl_id: row for row in page.rows}
        position, total, unusable = position + page.received, page.total, unusable + len(page.unusable)
        is_end = page.received < PAGE_SIZE
        if is_end:
            break
    # A header that says less than the rows that came says nothing: behind a full page there may be more.
    unread = max((total or 0) - position, 0 if is_end or (total is not None and total >= position) else 1)
    left_out = unread + unusable
    if not left_out and total is not None and len(rows) < total:
        raise Unreadable("listing", f"{len(rows)} different rows came of {total}", http_status=200)
    return rows, left_out


ByTag = Callable[[Order], Awaitable[OrderDetails | None]]
"""Returns an order by its tag in a report; None where that does not tell it."""

WORTH_A_REPORT = 4
"""So many orders of one name are worth a report; fewer are asked for one by one."""


async def search(context: Context, order: Order, by_tag: ByTag | None = None) -> tuple[OrderDetails, ...]:
    """Search for an order at SCM: by its name, and by its tag in a report where many have the name, or none.

    Args:
        context: What every service works with.
        order: The order, unconfirmed.
        by_tag: Finds it in a report; None where there is none. A renewal may have no tag, and is not asked about.

    Returns:
        The orders that it may be: one is it, several are for the operator to tell apart. None is SCM's word only for
        now: an order may show up later.

    Raises:
        ScmFailure: SCM did not tell all that was needed.
    """
    tell = by_tag if order.renews_ssl_id is None else None
    named = _unknown(order, await orders_named(context, order.common_name, nameless_too=False))
    if tell is not None and len(named) >= WORTH_A_REPORT and (told := await tell(order)) is not None:
        return (told,)
    found = await _among(context, order, named)
    if not found:
        nameless, _ = await _nameless(context, order.common_name, None)
        found = await _among(context, order, _unknown(order, Named(tuple(nameless.values()))))
    if not found and tell is not None and (told := await tell(order)) is not None:
        return (told,)
    if order.renews_ssl_id is None and found:
        # A renewal of it would carry a copy of its order tag: the oldest is the order itself.
        found = [min(found, key=lambda details: details.ssl_id)]
    return tuple(found)


async def tagged_order(context: Context, order_id: str, ssl_ids: Iterable[int]) -> OrderDetails | None:
    """Return which of some orders at SCM is a local one, by its tag in the comments that SCM tells now.

    Args:
        context: What every service works with.
        order_id: The local order.
        ssl_ids: The orders in which a report found the tag: a renewal has a copy of it, so the oldest counts.

    Raises:
        ScmFailure: SCM did not tell one of them.
    """
    for ssl_id in sorted(ssl_ids):
        with suppress(NotFound):  # that a report's ids are sslIds is assumed
            details = await context.details(ssl_id)
            if order_id in tagged_orders(details.comments):
                return details
    return None


def _unknown(order: Order, named: Named) -> list[ListingRow]:
    """Return the rows that were not there before the order was sent."""
    known = order.pending_enroll.known_ssl_ids if order.pending_enroll else ()
    return [row for row in named.rows if row.ssl_id not in known]


async def _among(context: Context, order: Order, rows: Sequence[ListingRow]) -> list[OrderDetails]:
    """Return which of some orders an order may be."""
    renewed = await context.details(order.renews_ssl_id) if order.renews_ssl_id and rows else None
    candidates = [await context.details(row.ssl_id) for row in rows]
    return [details for details in candidates if _is_it(context, order, details, renewed)]


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


FAR_FROM_EXPIRY = timedelta(days=30)
"""An issued certificate with more time than this left is worth a question before another is ordered."""

LISTED = 1000
"""So many rows of the listing by name are read."""

EXAMINED_AT_MOST = 20
"""How many of the account's orders of the same name are examined, the highest sslIds first."""


class Duplicates(Struct, frozen=True):
    """Orders of the same name that are pending, or issued and far from expiry.

    Args:
        local: Local orders that SCM did not list and that are still open.
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
        context: What every service works with.
        names: The names it may go by: its common name, or all its names where it has none.
        is_nameless: Whether it has no common name.

    Returns:
        What was found; a failure of SCM is in it, not raised.
    """
    store, keys = context.repository.store, name_keys(names)
    known = frozenset(order.id for order in store.orders())
    waiting = [order for order in store.orders() if order.is_waiting]
    local = tuple(order for order in waiting if _is_named(order, keys, is_nameless=is_nameless))
    try:
        named = await asyncio.gather(
            *(orders_named(context, name, at_most=LISTED, any_alternative=is_nameless) for name in names)
        )
        ssl_ids = sorted({row.ssl_id for each in named for row in each.rows}, reverse=True)
        details = await asyncio.gather(
            *(context.details(ssl_id, Priority.SIGHT) for ssl_id in ssl_ids[:EXAMINED_AT_MOST])
        )
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


def check_none_ordered_since(
    names: Iterable[str], known: frozenset[str], *, is_nameless: bool = False
) -> Callable[[list[Order]], None]:
    """Return what keeps an order from being written once another of its name was placed since the lookup.

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
            if is_new and order.state is not OrderState.FAILED and _is_named(order, keys, is_nameless=is_nameless):
                raise OrderedMeanwhile(order)

    return check


def _is_named(order: Order, keys: frozenset[str], *, is_nameless: bool) -> bool:
    """Return whether a local order goes by one of some names; beside one without a common name, any of its names."""
    names = [order.common_name]
    if is_nameless and order.details is not None:
        names += order.details.subject_alternative_names
    if is_nameless and order.pending_enroll is not None and order.pending_enroll.request is not None:
        names += order.pending_enroll.request.subject_alternative_names
    return not keys.isdisjoint(name_keys(names))


def _left_out(named: Named, *, is_nameless: bool) -> int:
    return max(named.left_out, named.left_out_nameless) if is_nameless else named.left_out


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
