"""The effect of events on a list: which rows changed, or that the list itself did."""

from __future__ import annotations

from collections.abc import Sequence

from sectigo_tui.domain.events import AccountChanged, EngineEvent, OrderChanged, PollFinished, PollStarted
from sectigo_tui.presentation.rows import OrderRow, OrderRows, local_id, remote_id


class ChangedRows:
    """Gathers events until the list is shown again.

    A poll that changed nothing touches one row: with a thousand polled orders, a list is not made anew for each.

    Args:
        order_rows: Finds the orders.
    """

    def __init__(self, order_rows: OrderRows) -> None:
        self._order_rows = order_rows
        self._rows: set[str] = set()
        self._is_list = False

    def receive(self, events: Sequence[EngineEvent]) -> None:
        """Take note of what was published."""
        for event in events:
            match event:
                case OrderChanged(order, entry):
                    self._rows.add(local_id(order))
                    self._is_list = self._is_list or entry is not None
                case PollStarted(order_id) | PollFinished(order_id):
                    self._rows.add(self._order_rows.row_id_now(order_id))
                case AccountChanged(ssl_id) if ssl_id is not None:
                    self._rows.add(remote_id(ssl_id))
                case AccountChanged():
                    self._is_list = True
                case _:
                    pass

    def list_changed(self) -> None:
        """Take note that the list must be made anew."""
        self._is_list = True

    def take(self) -> tuple[bool, frozenset[str]]:
        """Return whether the list must be rebuilt, and which rows changed; then reset both."""
        taken = (self._is_list, frozenset(self._rows))
        self._is_list = False
        self._rows.clear()
        return taken


def listing_key(row: OrderRow) -> tuple[object, ...]:
    """Return what decides whether a row is listed, and where; bookkeeping of its polling is no part of it."""
    order = row.order
    return (
        row.status,
        order.state if order is not None else None,
        order.window.ended if order is not None and order.window is not None else None,
        row.ssl_id,
        row.requested,
        row.common_name,
        row.profile,
        row.validation,
        row.owner,
    )
