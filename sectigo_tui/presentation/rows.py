"""The rows of the views: local and remote orders, filtered as the operator chose, and which rows an event changes.

Plain values and functions over the engine; no widget, so that everything shown can be tested without a screen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from sectigo_tui.domain.certificates import ListingRow, OrderDetails
from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.events import AccountChanged, EngineEvent, OrderChanged, PollFinished, PollStarted
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.polling import WindowEnd
from sectigo_tui.domain.status import StatusClass, classify, waits_for_approval
from sectigo_tui.engine.engine import Engine

if TYPE_CHECKING:
    from sectigo_tui.engine.diagnosis.evidence.known import Target


class OrderRow(Struct, frozen=True):
    """One row: an order that is local, remote, or both.

    Args:
        row_id: What the cursor holds.
        order: The local order; None for one that is only remote.
        row: Its row in a listing, where it was seen in one.
        status: What is known of SCM's status; empty where nothing is.
        details: SCM's newest answer, where one was given.
        known_at: When the newest of this became known; None when nothing is.
        you: The operator's name, by which orders are owned.
    """

    row_id: str
    order: Order | None = None
    row: ListingRow | None = None
    status: str = ""
    details: OrderDetails | None = None
    known_at: datetime | None = None
    you: str = ""

    @property
    def owner(self) -> str:
        """Who attends to it, by name; empty for nobody."""
        return self.order.owner if self.order is not None else ""

    @property
    def is_yours(self) -> bool:
        """Whether the operator here owns it."""
        return bool(self.owner) and self.owner.casefold() == self.you.casefold()

    @property
    def ssl_id(self) -> int | None:
        """SCM's id, where known."""
        if self.order is not None:
            return self.order.ssl_id
        if self.row is not None:
            return self.row.ssl_id
        return self.details.ssl_id if self.details is not None else None

    @property
    def target(self) -> Target | None:
        """The target of a diagnosis: the local order, else the sslId; None for neither."""
        return self.order if self.order is not None else self.ssl_id

    @property
    def is_open(self) -> bool:
        """Whether it is still open: a certificate, a search or a revocation is outstanding."""
        if self.order is not None:
            return is_open(self.order)
        return bool(self.status) and classify(self.status) is StatusClass.PENDING

    @property
    def common_name(self) -> str:
        """The common name; untrusted text."""
        if self.order is not None and self.order.common_name:
            return self.order.common_name
        if self.details is not None and self.details.common_name:
            return self.details.common_name
        return self.row.common_name if self.row is not None else ""

    @property
    def profile(self) -> str:
        """The profile's name; untrusted text."""
        name = self.details.profile_name if self.details is not None else ""
        return name or (self.order.profile_name if self.order is not None else "")

    @property
    def validation(self) -> str:
        """`DV`, `OV`, `EV`, or empty where unknown."""
        kind = self.details.validation if self.details is not None else ""
        return kind or (self.order.validation if self.order is not None else "")

    @property
    def requested(self) -> Moment | None:
        """When it was requested, where known: to the second where that was done here, for SCM tells days."""
        if self.order is not None:
            return self.order.requested if self.order.origin is Origin.TRACKED else self.order.created_at
        return self.details.requested if self.details is not None else None

    @property
    def requester(self) -> str:
        """Who requested it; untrusted text."""
        return self.details.requester if self.details is not None else ""


def local_id(order: Order) -> str:
    """Return the row id of a local order: by sslId as soon as that is known, so that tracking keeps the cursor."""
    return f"#{order.ssl_id}" if order.ssl_id is not None else order.id


def remote_id(ssl_id: int) -> str:
    """Return the row id of an order known by its sslId."""
    return f"#{ssl_id}"


class OrderRows:
    """Finds the orders behind rows.

    Args:
        engine: Where they come from.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def engine(self) -> Engine:
        """The engine behind it."""
        return self._engine

    def row(self, row_id: str, row: ListingRow | None = None) -> OrderRow:
        """Return the row of an id.

        Args:
            row_id: The row.
            row: Its row in a listing, for one that is listed elsewhere than among the pending orders.
        """
        order = self.order(row_id)
        if order is not None:
            return self._local(order, row_id, row)
        if not row_id.startswith("#"):
            return OrderRow(row_id)
        ssl_id = int(row_id[1:])
        account = self._engine.account
        known, listed = account.known(ssl_id), account.pending().get(ssl_id)
        times = [known.at for known in (known, listed) if known is not None]
        return OrderRow(
            row_id,
            None,
            row or (listed.row if listed is not None else None),
            account.status_of(ssl_id),
            known.details if known is not None else None,
            max(times, default=None),
        )

    def _local(self, order: Order, row_id: str, row: ListingRow | None = None) -> OrderRow:
        details, ssl_id = order.details, order.ssl_id
        if ssl_id is not None:
            account = self._engine.account
            known, listed = account.known(ssl_id), account.pending().get(ssl_id)
            if known is not None and (details is None or not _newer(order, known.at)):
                details = known.details
            if row is None and listed is not None:
                row = listed.row
        you = self._engine.operator.name
        return OrderRow(row_id, order, row, order.scm_status, details, order.last_answer_at, you)

    def row_id_now(self, row_id: str) -> str:
        """Return a row's present id: an order placed here gets its sslId as id once that is known."""
        order = self.order(row_id)
        return local_id(order) if order is not None else row_id

    def order(self, row_id: str) -> Order | None:
        """Return the local order of a row; None when there is none."""
        store = self._engine.orders
        return store.by_ssl_id(int(row_id[1:])) if row_id.startswith("#") else store.order(row_id)

    def local(self) -> list[OrderRow]:
        """Return all local orders."""
        return [self._local(order, local_id(order)) for order in self._engine.orders.orders()]

    def pending(self) -> list[OrderRow]:
        """Return all pending orders: the local ones, and the other ones of the account."""
        orders = self._engine.orders.orders()
        local = {order.ssl_id for order in orders}
        pending = [self._local(order, local_id(order)) for order in orders if is_open(order)]
        remote = [self.row(remote_id(ssl_id)) for ssl_id in self._engine.account.pending() if ssl_id not in local]
        return pending + [order_row for order_row in remote if classify(order_row.status) is StatusClass.PENDING]


class Tally(NamedTuple):
    """How many orders are pending.

    Args:
        pending: All of them.
        needing_you: Those that somebody on this side must act on.
        unpolled: The others whose polling window has ended: nothing is wrong with them, but they are not polled.
    """

    pending: int = 0
    needing_you: int = 0
    unpolled: int = 0


def tally(
    pending: Iterable[OrderRow],
    is_acknowledged: Callable[[str], bool] = lambda _row_id: False,
    ends_soon: Callable[[OrderRow], bool] = lambda _row: False,
) -> Tally:
    """Count pending orders that were found already.

    Args:
        pending: The orders.
        is_acknowledged: Tells by a row's id whether somebody has taken note that it must be acted on.
        ends_soon: Tells whether the certificate in use ends soon, which an order takes the place of.
    """
    count = needing_you = unpolled = 0
    for order_row in pending:
        count += 1
        if is_acknowledged(order_row.row_id):
            continue
        if needs_you(order_row) or ends_soon(order_row):
            needing_you += 1
        elif is_unpolled(order_row):
            unpolled += 1
    return Tally(count, needing_you, unpolled)


def is_open(order: Order) -> bool:
    """Return whether a local order is still open: a certificate, a search or a revocation is outstanding."""
    return order.state.is_open


def needs_you(order_row: OrderRow) -> bool:
    """Return whether somebody on this side must act: an approver, or the operator."""
    order = order_row.order
    if order is not None:
        if order.state in (OrderState.UNCONFIRMED, OrderState.REVOKING):
            return True
        if order.window is not None and order.window.ended is WindowEnd.STOPPED and order.state.is_polled:
            return True
    return waits_for_approval(order_row.status)


def is_unpolled(order_row: OrderRow) -> bool:
    """Return whether an order is no longer polled, since its polling window has ended."""
    order = order_row.order
    if order is None or order.window is None:
        return False
    return order.state.is_polled and order.window.ended is WindowEnd.DEADLINE


def _newer(order: Order, at: datetime) -> bool:
    return order.last_answer_at is not None and order.last_answer_at >= at


def owner_matches(order_row: OrderRow, wanted: str) -> bool:
    """Return whether an order's owner is the one that a filter asks for.

    Args:
        order_row: The order.
        wanted: A name or a part of one, ignoring case; `me` for the operator here, `none` for nobody, empty for all.
    """
    if wanted == "me":
        return order_row.is_yours
    return not order_row.owner if wanted == "none" else wanted.casefold() in order_row.owner.casefold()


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
