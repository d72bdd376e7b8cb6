"""What announcements mean for a list: which rows may look different, or that it is another list."""

from __future__ import annotations

from collections.abc import Sequence

from sectigo_tui.domain.events import AccountChanged, Announcement, LookMade, LookStarted, OrderChanged
from sectigo_tui.ui.board import Board, Subject, local_id, remote_id


class News:
    """Gathers announcements until the list is shown again.

    A look that changed nothing touches one row: with a thousand polled orders, a list is not made anew for each.

    Args:
        board: Finds the orders.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._rows: set[str] = set()
        self._is_list = False

    def hear(self, announcements: Sequence[Announcement]) -> None:
        """Take note of what was announced."""
        for announcement in announcements:
            match announcement:
                case OrderChanged(order, entry):
                    self._rows.add(local_id(order))
                    self._is_list = self._is_list or entry is not None
                case LookStarted(order_id) | LookMade(order_id):
                    self._rows.add(self._board.row_id_now(order_id))
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
        """Return whether the list must be made anew, and which rows may look different; then forget it."""
        taken = (self._is_list, frozenset(self._rows))
        self._is_list = False
        self._rows.clear()
        return taken


def essence(subject: Subject) -> tuple[object, ...]:
    """Return what decides whether a row is listed, and where; bookkeeping of its polling is no part of it."""
    order = subject.order
    return (
        subject.status,
        order.state if order is not None else None,
        order.window.ended if order is not None and order.window is not None else None,
        subject.ssl_id,
        subject.requested,
        subject.common_name,
        subject.profile,
        subject.validation,
    )
