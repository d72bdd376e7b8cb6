"""The orders of a directory, read once: without an event loop, for programs that show them and end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sectigo_tui.collector import collector_paused
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.ports import StoreDamage
from sectigo_tui.store.local.files import make_directory
from sectigo_tui.store.local.lease import this_process
from sectigo_tui.store.local.shared_orders import SharedOrders


def read_orders(directory: Path, report: Callable[[StoreDamage], None]) -> list[Order]:
    """Return all orders that are not removed; what is damaged is set aside, as when the store is opened.

    Args:
        directory: The account's directory, made if need be.
        report: Takes what is damaged; whoever opens the directory next finds it no more.

    Raises:
        StoreError: The directory belongs to somebody else, cannot be read or written, or was written by a newer
            version of this program; nothing was changed.
    """
    return [order for order in _read(directory, report) if not order.removed]


def read_all_orders(directory: Path, report: Callable[[StoreDamage], None]) -> list[Order]:
    """Return all orders, also those that are removed; else as `read_orders`."""
    return _read(directory, report)


def _read(directory: Path, report: Callable[[StoreDamage], None]) -> list[Order]:
    make_directory(directory)
    shared_orders = SharedOrders(directory, this_process())
    try:
        with collector_paused():
            shared_orders.open()
        for reason in shared_orders.damage:
            report(reason)
        return [each.order for each in shared_orders.repository.stored()]
    finally:
        shared_orders.close()
