"""The order of the rows: by any column, steady while facts are still coming in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, time

from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.orders import Order
from sectigo_tui.presentation.columns import RowContext, cell, is_slow, outage_end
from sectigo_tui.presentation.rows import OrderRow

BOOKKEEPING = frozenset({"next", "deadline", "attempts", "last"})
"""Columns whose order changes by polling alone, without a change of any order."""

GREATEST_FIRST = frozenset({"age", "attempts"})
"""Columns that are sorted downwards when they are chosen: the worst first."""

URGENCY = "urgency"
"""Sorts by what is worst first: the certificate in use ends, then slow beside its profile's orders, then the age."""

_FAR_FUTURE = datetime.max.replace(tzinfo=UTC)

Key = tuple[object, ...]


def in_order(order_rows: Iterable[OrderRow], key: str, now: RowContext, *, descending: bool) -> list[OrderRow]:
    """Return rows as a column sorts them; equal ones by sslId.

    Args:
        order_rows: The rows.
        key: The column's key; empty leaves them as they are.
        now: The time.
        descending: Whether the greatest comes first.
    """
    listed = list(order_rows)
    if not key:
        return listed
    if key == "age":
        # The greatest age is the earliest request.
        return [
            order_row
            for _, _, order_row in sorted(_by_request(listed), reverse=not descending, key=lambda row: row[:2])
        ]
    if key == URGENCY:
        oldest_first = in_order(listed, "age", now, descending=True)
        if now.diagnoser() is None:
            # Nothing is known yet but their age.
            return oldest_first
        return sorted(oldest_first, key=lambda one: _urgency(one, now))
    by = _SORTS[key]
    return sorted(listed, key=lambda one: (*by(one, now), one.ssl_id or 0, one.row_id), reverse=descending)


def _urgency(order_row: OrderRow, now: RowContext) -> Key:
    return _outage_end(order_row, now), not is_slow(order_row, now)


def _by_request(order_rows: list[OrderRow]) -> list[tuple[datetime, int, OrderRow]]:
    """Return rows with when they were requested, from the oldest sslId on.

    SCM's listing tells no dates, and sslIds grow with time: an order whose details have not come yet stands
    where its sslId puts it, so that it is not last by ignorance, and stays there when its age becomes known.
    """
    latest = datetime.min.replace(tzinfo=UTC)
    rows: list[tuple[datetime, int, OrderRow]] = []
    for order_row in sorted(order_rows, key=lambda one: one.ssl_id or _NO_ID):
        requested = order_row.requested
        if requested is not None:
            latest = _start_of(requested)
        rows.append((latest, order_row.ssl_id or _NO_ID, order_row))
    return rows


_NO_ID = 1 << 62
"""An order without an sslId is the newest there is."""


def _start_of(moment: Moment) -> datetime:
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time(), UTC)


def _due(order: Order | None) -> datetime:
    window = order.window if order is not None else None
    return window.next_poll_at if window is not None and window.next_poll_at is not None else _FAR_FUTURE


def _deadline_at(order: Order | None) -> datetime:
    window = order.window if order is not None else None
    return window.deadline_at if window is not None and window.is_open and not window.until_issued else _FAR_FUTURE


def _outage_end(order_row: OrderRow, now: RowContext) -> datetime:
    end = outage_end(order_row, now)
    return _start_of(end) if end is not None else _FAR_FUTURE


_SORTS: dict[str, Callable[[OrderRow, RowContext], Key]] = {
    "state": lambda order_row, now: (cell(order_row, "state", 5, now).text,),
    "next": lambda order_row, _now: (_due(order_row.order),),
    "deadline": lambda order_row, _now: (_deadline_at(order_row.order),),
    "blocked": lambda order_row, now: (cell(order_row, "blocked", 12, now).text or "~",),
    "in_use": lambda order_row, now: (_outage_end(order_row, now),),
    "ssl_id": lambda order_row, _now: (order_row.ssl_id or _NO_ID,),
    "common_name": lambda order_row, _now: (order_row.common_name.casefold(),),
    "validation": lambda order_row, _now: (order_row.validation,),
    "profile": lambda order_row, _now: (order_row.profile.casefold(),),
    "owner": lambda order_row, _now: (not order_row.is_yours, order_row.owner.casefold() or "~"),
    "attempts": lambda order_row, _now: (
        order_row.order.window.attempts if order_row.order and order_row.order.window else -1,
    ),
    "last": lambda order_row, now: (cell(order_row, "last", 0, now).text,),
}
