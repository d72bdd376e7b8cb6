"""All orders in memory, as every process that shares the directory comes to see them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from threading import Lock

from msgspec import Struct, field
from msgspec.structs import replace

from sectigo_tui.domain.errors import DuplicateOrder, RevisionConflict
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollResult
from sectigo_tui.store.documents import Note, dumps, loads, packed_poll, unpacked_poll

POLLS_KEPT = 40
"""How many polls of each order are kept."""

_TRIM_ABOVE_BYTES = POLLS_KEPT * 64


class StoredOrder(Struct, frozen=True):
    """All that is kept of one order.

    Args:
        order: The order.
        newest_line: Where its newest line in the journal starts, in bytes.
        polls: Its newest polls, packed, with commas between.
    """

    order: Order
    newest_line: int | None
    polls: bytes


class Staged(Struct, frozen=True):
    """Changes that are about to become durable together.

    Args:
        orders: The orders as they will be, by id.
        by_ssl_id: Their ids, by sslId.
        lines: Where their newest lines in the journal will start, by id.
    """

    orders: dict[str, Order] = field(default_factory=dict)
    by_ssl_id: dict[int, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    def add(self, order: Order) -> None:
        """Take an order as it will be."""
        self.orders[order.id] = order
        if order.ssl_id is not None and not order.removed:
            self.by_ssl_id[order.ssl_id] = order.id


def latest_bookkeeping(known: Order, coming: Order | Note) -> Order | Note:
    """Return whichever of two knows better when the order is polled next.

    A window only goes forward, except that a change of the order may open another; and a change is made by somebody
    who has seen the change before, but perhaps not the poller's latest poll.
    """
    old, new = known.window, coming.window
    if old is None:
        return coming
    if new is None:
        return known
    if new.opened_at == old.opened_at and new.is_open == old.is_open:
        return known if new.attempts < old.attempts else coming
    return known if coming.revision < known.revision else coming


def poll_alone(known: Order | None, coming: Order) -> Note | None:
    """Return what a change makes of an order's window, where it changes nothing else of it; None where it does.

    Args:
        known: The order as it stands; None for a new one.
        coming: The order as it is to be.
    """
    if known is None:
        return None
    poll = Note(coming.id, coming.revision, coming.window, coming.last_poll, coming.last_answer_at, None)
    window_alone = replace(
        known,
        revision=coming.revision,
        window=coming.window,
        last_poll=coming.last_poll,
        last_answer_at=coming.last_answer_at,
    )
    return poll if window_alone == coming else None


def with_latest(known: Order | None, order: Order) -> Order:
    """Return an order as it is to be, with the poller's latest bookkeeping where that is newer.

    Args:
        known: The order as it stands; None for a new one.
        order: The order as it is to be.
    """
    if known is None or known is order:
        return order
    latest = latest_bookkeeping(known, order)
    if latest is order:
        return order
    return replace(order, window=latest.window, last_poll=latest.last_poll, last_answer_at=latest.last_answer_at)


class OrdersInMemory:
    """Every order, by id and by sslId, with its polls. Methods may be called from any thread.

    Args:
        path: The directory, for what is reported.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = Lock()
        self._orders: dict[str, Order] = {}
        self._by_ssl_id: dict[int, str] = {}
        self._newest_lines: dict[str, int] = {}
        self._polls: dict[str, bytes] = {}

    def __len__(self) -> int:
        return len(self._orders)

    def orders(self) -> list[Order]:
        """Return all orders that are not removed."""
        with self._lock:
            return [order for order in self._orders.values() if not order.removed]

    def order(self, order_id: str) -> Order | None:
        """Return one order, removed or not."""
        return self._orders.get(order_id)

    def by_ssl_id(self, ssl_id: int) -> Order | None:
        """Return the order, not removed, that has this sslId."""
        with self._lock:
            order_id = self._by_ssl_id.get(ssl_id)
            return None if order_id is None else self._orders[order_id]

    def newest_line(self, order_id: str) -> int | None:
        """Return where the order's newest line in the journal starts."""
        return self._newest_lines.get(order_id)

    def polls(self, order_id: str) -> list[PollResult]:
        """Return the order's newest polls, oldest first."""
        return [unpacked_poll(row) for row in _unpacked(self._polls.get(order_id, b""))[-POLLS_KEPT:]]

    def stored(self) -> Iterator[StoredOrder]:
        """Return all that is kept, as it is at the time of the call."""
        with self._lock:
            orders = list(self._orders.values())
            lines = self._newest_lines.copy()
            polls = self._polls.copy()
        return (StoredOrder(order, lines.get(order.id), polls.get(order.id, b"")) for order in orders)

    def next_revision(self, order: Order, staged: Staged) -> Order:
        """Return an order as the next change makes it.

        Args:
            order: The order as it is to be, with the revision it was read with.
            staged: The changes that become durable together with this one.

        Raises:
            RevisionConflict: Somebody else changed it since it was read.
            DuplicateOrder: Another order, not removed, has its sslId.
        """
        known = self.known(order.id, staged)
        if order.revision != (known.revision if known else 0):
            raise RevisionConflict(
                self._path, f"order {order.id} was changed by another process first", "check it, then repeat"
            )
        if order.ssl_id is not None and not order.removed:
            with self._lock:
                other = staged.by_ssl_id.get(order.ssl_id) or self._by_ssl_id.get(order.ssl_id)
            if other is not None and other != order.id:
                raise DuplicateOrder(self._path, other, order.ssl_id)
        return replace(with_latest(known, order), revision=order.revision + 1)

    def known(self, order_id: str, staged: Staged) -> Order | None:
        """Return an order as it stands, with what is about to become durable."""
        return staged.orders.get(order_id) or self._orders.get(order_id)

    def learn_order(self, order: Order) -> Order:
        """Take an order's change, from here, from others or from disk, unless a later one is known.

        Returns:
            The order as it stands then.
        """
        with self._lock:
            return self._learn(order)

    def learn_stored(self, stored_orders: Iterable[StoredOrder], *, with_lines: bool) -> None:
        """Take what was kept of orders, unless later changes are known.

        Args:
            stored_orders: What was kept.
            with_lines: Whether their newest lines are taken too.
        """
        with self._lock:
            for stored in stored_orders:
                order_id = self._learn(stored.order).id
                if stored.polls:
                    self._polls[order_id] = stored.polls
                if with_lines and stored.newest_line is not None:
                    self._newest_lines[order_id] = stored.newest_line

    def _learn(self, order: Order) -> Order:
        known = self._orders.get(order.id)
        if known is not None:
            if known.revision > order.revision:
                return known
            order = with_latest(known, order)
            if known.ssl_id is not None and self._by_ssl_id.get(known.ssl_id) == known.id:
                del self._by_ssl_id[known.ssl_id]
        self._orders[order.id] = order
        if order.ssl_id is not None and not order.removed:
            self._by_ssl_id[order.ssl_id] = order.id
        return order

    def learn_line(self, order_id: str, offset: int) -> None:
        """Take where an order's newest line in the journal starts."""
        self._newest_lines[order_id] = offset

    def learn_note(self, note: Note) -> bool:
        """Take poll bookkeeping, unless later one is known, and return whether its order is known."""
        with self._lock:
            known = self._orders.get(note.order_id)
            if known is None:
                return False
            if latest_bookkeeping(known, note) is note:
                self._orders[known.id] = replace(
                    known, window=note.window, last_poll=note.last_poll, last_answer_at=note.last_answer_at
                )
            if note.poll is not None:
                self._add_poll(known.id, packed_poll(note.poll))
            return True

    def learn_poll(self, poll: Note) -> None:
        """Take a change of an order's window alone, unless a later change is known."""
        with self._lock:
            known = self._orders.get(poll.order_id)
            if known is None or known.revision >= poll.revision:
                return
            latest = latest_bookkeeping(known, poll)
            self._orders[known.id] = replace(
                known,
                revision=poll.revision,
                window=latest.window,
                last_poll=latest.last_poll,
                last_answer_at=latest.last_answer_at,
            )

    def learn_polls(self, order_id: str, rows: bytes) -> None:
        """Take an order's polls as `StoredOrder` has them."""
        if rows:
            self._polls[order_id] = rows

    def _add_poll(self, order_id: str, row: bytes) -> None:
        rows = self._polls.get(order_id, b"")
        if row in rows:
            return
        if len(rows) > _TRIM_ABOVE_BYTES:
            rows = dumps(_unpacked(rows)[-POLLS_KEPT + 1 :])[1:-1]
        self._polls[order_id] = rows + b"," + row if rows else row


def _unpacked(rows: bytes) -> list[list[object]]:
    unpacked: list[list[object]] = loads(b"[" + rows + b"]")
    return unpacked
