"""The watchlist: orders that changed since they were last seen, watched orders, and acknowledged ones.

Plain values over the orders, so that notifications and marks can be tested without a screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import Struct, field

from sectigo_tui.domain.events import AccountChanged, EngineEvent, OrderChanged
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.domain.polling import WindowEnd
from sectigo_tui.domain.status import StatusClass, classify
from sectigo_tui.presentation.glyphs import order_glyph, status_glyph
from sectigo_tui.presentation.rows import OrderRow, OrderRows, local_id, remote_id

CHANGED, ACKNOWLEDGED, WATCHED = "+", ".", "w"
"""What stands in front of a row: it changed since it was seen; it is quiet until it changes; it is watched."""

KEPT_SECONDS = 600.0
"""How long a watched order that is pending no more stays in the list of pending ones."""

_NEEDS_SOMEBODY = {WindowEnd.STOPPED: "polling stopped", WindowEnd.DEADLINE: "deadline passed"}


class OrderSnapshot(NamedTuple):
    """An order's state, as a row shows it.

    Args:
        code: The code of its state, such as `APL`.
        ended: Why it is no longer polled though it is pending; empty where it is polled, or need not be.
        state: The state of a local order; empty for a remote one.
        status: SCM's status as it came; empty where that is unknown.
    """

    code: str
    ended: str = ""
    state: str = ""
    status: str = ""

    def __str__(self) -> str:
        return f"{self.code}, {self.ended}" if self.ended else self.code

    def differs_from(self, before: OrderSnapshot) -> bool:
        """Return whether the operator is notified of the difference: resumed polling is none."""
        return self.code != before.code or (self.ended not in ("", before.ended))


class Change(Struct, frozen=True):
    """A change of an order's state.

    Args:
        row: The order as it is now.
        before: Its state before; None for a new order.
        after: Its state now.
    """

    row: OrderRow
    before: OrderSnapshot | None
    after: OrderSnapshot

    @property
    def words(self) -> str:
        """The change in words, such as `APL -> ISS`."""
        return f"{self.before or 'new'} -> {self.after}"

    @property
    def is_end(self) -> bool:
        """Whether the order was pending and no longer is, so that it leaves the list."""
        return self.before is not None and _was_open(self.before) and not self.row.is_open


def snapshot_of(row: OrderRow) -> OrderSnapshot | None:
    """Return an order's state; None where nothing is known of it."""
    order = row.order
    if order is None:
        return OrderSnapshot(status_glyph(row.status).code, status=row.status) if row.status else None
    ended = order.window.ended if order.window is not None and order.state.is_polled else None
    why = _NEEDS_SOMEBODY.get(ended, "") if ended is not None else ""
    return OrderSnapshot(order_glyph(order.state, row.status).code, why, order.state, row.status)


class Watchlist(Struct):
    """Tracks the state of every order, and which changes the operator is notified of.

    Args:
        order_rows: Finds the orders.
        noted: Called when what is watched or acknowledged changes, so that it is saved.

    Attributes:
        watched: The row ids of watched orders.
        watches_all: Whether every order is watched.
        acknowledged: The row ids of orders that are quiet until they change.
        changed: The row ids of orders that changed since they were seen.
        known: The last state of each order, by row id.
        is_counted: Whether all pending orders were known: then another one is new.
        kept: Until when each watched order that is pending no more stays in the list, by row id.
    """

    order_rows: OrderRows
    noted: Callable[[], None] = lambda: None
    watched: set[str] = field(default_factory=set)
    watches_all: bool = False
    acknowledged: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    known: dict[str, OrderSnapshot] = field(default_factory=dict)
    is_counted: bool = False
    kept: dict[str, datetime] = field(default_factory=dict)
    _lost: set[int] = field(default_factory=set)

    def begin(self) -> list[Change]:
        """Return how watched local orders have changed since the last run, and mark those that have."""
        return self._watched(change for row in self.order_rows.local() for change in self._learn(row))

    def receive(self, events: Sequence[EngineEvent]) -> list[Change]:
        """Return the changes of watched orders that were published, and mark the changed rows.

        Args:
            events: What the engine published, oldest first.
        """
        changes: list[Change] = []
        for event in events:
            match event:
                case OrderChanged(order, entry) if entry is not None:
                    changes += self._of_local(order)
                case AccountChanged(ssl_id) if ssl_id is not None:
                    changes += self._of_rows([ssl_id])
                case AccountChanged():
                    changes += self._of_rows(self.order_rows.engine.account.pending())
                case _:
                    pass
        self.is_counted = self.is_counted or self.order_rows.engine.account.refreshed_at is not None
        return self._watched(changes)

    def lost(self) -> list[int]:
        """Return the sslIds of watched remote orders that have left the list of pending ones since the last call.

        Their new state is not in the list; it has to be fetched.
        """
        account, store = self.order_rows.engine.account, self.order_rows.engine.orders
        if account.refreshed_at is None:
            return []
        wanted = self.known if self.watches_all else self.watched
        gone = {
            int(row_id[1:])
            for row_id in wanted
            if row_id.startswith("#")
            and int(row_id[1:]) not in account.pending()
            and self._was_pending(row_id)
            and store.by_ssl_id(int(row_id[1:])) is None
        }
        new, self._lost = gone - self._lost, gone
        return sorted(new)

    def not_found(self, ssl_id: int) -> None:
        """Mark a lost order as still lost: SCM did not return it."""
        self._lost.discard(ssl_id)

    def is_watched(self, row_id: str) -> bool:
        """Return whether the operator is told when an order changes."""
        return self.watches_all or row_id in self.watched

    def is_acknowledged(self, row_id: str) -> bool:
        """Return whether an order is quiet until it changes."""
        return row_id in self.acknowledged

    def flag(self, row_id: str) -> str:
        """Return the mark in front of a row, one character; a space for none."""
        if row_id in self.changed:
            return CHANGED
        if row_id in self.acknowledged:
            return ACKNOWLEDGED
        return WATCHED if row_id in self.watched else " "

    def see(self, row_id: str) -> None:
        """Mark a row as seen."""
        if row_id in self.changed:
            self.changed.discard(row_id)
            self.noted()

    def see_all(self) -> None:
        """Mark every row as seen."""
        self.changed.clear()
        self.noted()

    def watch(self, row_ids: Iterable[str]) -> bool:
        """Watch orders, or unwatch them if all are watched; return whether they are watched now."""
        chosen = set(row_ids)
        is_watched = not chosen <= self.watched
        self.watched = self.watched | chosen if is_watched else self.watched - chosen
        self.noted()
        return is_watched

    def watch_all(self) -> bool:
        """Watch every order, or stop doing so; return whether they are watched now."""
        self.watches_all = not self.watches_all
        self.noted()
        return self.watches_all

    def acknowledge(self, row_ids: Iterable[str]) -> bool:
        """Acknowledge orders until they change, or undo that if all are acknowledged.

        Returns:
            Whether they are quiet now.
        """
        chosen = set(row_ids)
        is_quiet = not chosen <= self.acknowledged
        self.acknowledged = self.acknowledged | chosen if is_quiet else self.acknowledged - chosen
        self.changed -= self.acknowledged
        self.noted()
        return is_quiet

    def still_kept(self) -> list[str]:
        """Return the row ids of watched orders that are pending no more and stay in the list, the newest last."""
        now = self.order_rows.engine.clock.now()
        self.kept = {row_id: until for row_id, until in self.kept.items() if until > now}
        return list(self.kept)

    def summary(self) -> str:
        """Return the header's summary of what is watched."""
        return "watch all" if self.watches_all else f"watch {len(self.watched)}" if self.watched else ""

    def _watched(self, changes: Iterable[Change]) -> list[Change]:
        watched = [change for change in changes if self.is_watched(change.row.row_id)]
        until = self.order_rows.engine.clock.now() + timedelta(seconds=KEPT_SECONDS)
        self.kept.update((change.row.row_id, until) for change in watched if change.is_end)
        return watched

    def _of_local(self, order: Order) -> list[Change]:
        row_id = local_id(order)
        if row_id != order.id and order.id in self.known:
            self._rename(order.id, row_id)
        return self._learn(self.order_rows.row(row_id))

    def _of_rows(self, ssl_ids: Iterable[int]) -> list[Change]:
        """Return the changes of remote orders; local ones publish theirs themselves."""
        store, account = self.order_rows.engine.orders, self.order_rows.engine.account
        changes: list[Change] = []
        for ssl_id in ssl_ids:
            row_id = remote_id(ssl_id)
            known = self.known.get(row_id)
            # Of a listing of thousands only a few rows have changed: the others are skipped.
            is_same = known is not None and not known.state and known.status == account.status_of(ssl_id)
            if not is_same and store.by_ssl_id(ssl_id) is None:
                changes += self._learn(self.order_rows.row(row_id))
        return changes

    def _learn(self, row: OrderRow) -> list[Change]:
        after = snapshot_of(row)
        if after is None:
            return []
        row_id = row.row_id
        before = self.known.get(row_id)
        self.known[row_id] = after
        if before is None:
            # Neither the first listing nor an order placed here is a change to notify of.
            if not self.is_counted or row.order is not None or not row.is_open:
                return []
        elif not after.differs_from(before):
            return []
        self.changed.add(row_id)
        self.acknowledged.discard(row_id)
        self.noted()
        return [Change(row, before, after)]

    def _rename(self, before: str, after: str) -> None:
        """Move a row to its new id, once its order has an sslId."""
        self.known[after] = self.known.pop(before)
        for ids in (self.watched, self.acknowledged, self.changed):
            if before in ids:
                ids.remove(before)
                ids.add(after)

    def _was_pending(self, row_id: str) -> bool:
        before = self.known.get(row_id)
        return before is None or classify(before.status) is StatusClass.PENDING


def _was_open(before: OrderSnapshot) -> bool:
    if before.state:
        return OrderState(before.state).is_open
    return classify(before.status) is StatusClass.PENDING
