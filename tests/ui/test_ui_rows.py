"""Which orders are shown, what is known of each, and in which order they stand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.certificates import ListingRow, OrderDetails
from sectigo_tui.domain.events import AccountChanged, EventKind, OrderChanged, PollStarted, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.polling import PollWindow, WindowEnd
from sectigo_tui.engine.account.remote_orders import PendingQuery
from sectigo_tui.presentation.rows import (
    ChangedRows,
    OrderRow,
    OrderRows,
    listing_key,
    local_id,
    needs_you,
    tally,
)
from sectigo_tui.presentation.sorting import in_order
from support.stored_orders import an_order
from support.ui_pieces import Pieces
from support.virtual_time import START


def list_pending(pieces: Pieces, **rows: tuple[int, ...]) -> None:
    """Have the account's pending orders listed, by the status's name."""
    account = pieces.engine.account
    for status, ssl_ids in rows.items():
        listed = tuple(ListingRow(ssl_id, f"remote{ssl_id}.example.com") for ssl_id in ssl_ids)
        account.queries[status] = PendingQuery(listed, pieces.clock.now())
    account._index()


def ids(order_rows: list[OrderRow]) -> list[str]:
    return [order_row.row_id for order_row in order_rows]


def test_pending_holds_local_and_remote_orders_each_once() -> None:
    pieces = Pieces()
    pieces.store.plant(an_order(1))
    list_pending(pieces, Applied=(1001, 2001), Requested=(2002,))
    assert ids(OrderRows(pieces.engine).pending()) == ["#1001", "#2002", "#2001"]


@pytest.mark.parametrize(
    ("state", "listed"),
    [
        (OrderState.INTENT, True),
        (OrderState.UNCONFIRMED, True),
        (OrderState.ISSUED, True),
        (OrderState.REVOKING, True),
        (OrderState.COLLECTED, False),
        (OrderState.FAILED, False),
        (OrderState.REVOKED, False),
    ],
)
def test_pending_is_what_still_wants_something(state: OrderState, *, listed: bool) -> None:
    pieces = Pieces()
    pieces.store.plant(replace(an_order(1), state=state))
    assert bool(OrderRows(pieces.engine).pending()) is listed


def test_a_finished_local_order_is_not_shown_as_remote_by_an_older_listing() -> None:
    pieces = Pieces()
    pieces.store.plant(replace(an_order(1), state=OrderState.COLLECTED))
    list_pending(pieces, Applied=(1001,))
    assert not OrderRows(pieces.engine).pending()


def test_a_remote_order_leaves_when_its_details_say_that_it_is_issued() -> None:
    pieces = Pieces()
    list_pending(pieces, Applied=(2001,))
    pieces.clock.seconds = 5
    pieces.engine.account.learned(OrderDetails(ssl_id=2001, status="Issued"), pieces.clock.now())
    assert not OrderRows(pieces.engine).pending()


def test_an_unknown_status_is_pending_and_shown_as_it_came() -> None:
    pieces = Pieces()
    list_pending(pieces, Applied=(2001,))
    pieces.clock.seconds = 5
    pieces.engine.account.learned(OrderDetails(ssl_id=2001, status="Quantum Review"), pieces.clock.now())
    (order_row,) = OrderRows(pieces.engine).pending()
    assert order_row.status == "Quantum Review"


def test_an_order_placed_here_goes_by_its_ssl_id_once_that_is_known() -> None:
    pieces = Pieces()
    order_rows = OrderRows(pieces.engine)
    placed = replace(an_order(1), ssl_id=None)
    pieces.store.plant(placed)
    assert local_id(placed) == placed.id
    pieces.store.plant(replace(placed, ssl_id=5))
    assert order_rows.row_id_now(placed.id) == "#5"
    assert order_rows.row_id_now("#77") == "#77"


@pytest.mark.parametrize(
    ("order", "acts"),
    [
        (an_order(1), False),
        (replace(an_order(1), state=OrderState.UNCONFIRMED), True),
        (replace(an_order(1), state=OrderState.REVOKING), True),
        (replace(an_order(1), window=PollWindow(START, 600.0).end(WindowEnd.DEADLINE)), False),
        (replace(an_order(1), window=PollWindow(START, 600.0).end(WindowEnd.STOPPED)), True),
        (replace(an_order(1), window=PollWindow(START, 600.0).end(WindowEnd.SETTLED)), False),
    ],
)
def test_who_must_act_on_a_local_order(order: Order, *, acts: bool) -> None:
    assert needs_you(OrderRow("#1", order, status=order.scm_status)) is acts


@pytest.mark.parametrize(("status", "acts"), [("Requested", 1), ("SAApproved", 1), ("sa approved", 1), ("Applied", 0)])
def test_an_approver_must_act_on_what_waits_for_approval(status: str, acts: int) -> None:
    assert tally([OrderRow("#1", status=status)]) == (1, acts, 0)


def test_an_order_whose_window_has_passed_is_counted_apart_from_those_to_act_on() -> None:
    passed = replace(an_order(1), window=PollWindow(START, 600.0).end(WindowEnd.DEADLINE))
    order_rows = [OrderRow("#1", passed, status="Applied"), OrderRow("#2", passed, status="Requested"), OrderRow("#3")]
    assert tally(order_rows) == (3, 1, 1)
    assert tally(order_rows, lambda _row_id: True) == (3, 0, 0)


def by_age(*order_rows: OrderRow, descending: bool = True) -> list[str]:
    return ids(in_order(order_rows, "age", Pieces().now(), descending=descending))


def aged(ssl_id: int, requested: date | None) -> OrderRow:
    details = OrderDetails(ssl_id=ssl_id, status="Applied", requested=requested) if requested else None
    return OrderRow(f"#{ssl_id}", row=ListingRow(ssl_id, "x"), status="Applied", details=details)


def test_an_order_of_unknown_age_stands_where_its_number_puts_it() -> None:
    day = date(2026, 3, 1)
    known = [aged(10, day - timedelta(days=9)), aged(30, day - timedelta(days=1))]
    assert by_age(*known, aged(20, None), aged(5, None), aged(40, None)) == ["#5", "#10", "#20", "#30", "#40"]


def test_an_order_does_not_move_when_its_age_becomes_known() -> None:
    day = date(2026, 3, 1)
    before = by_age(aged(10, day), aged(20, None), aged(30, day + timedelta(days=1)))
    assert by_age(aged(10, day), aged(20, day), aged(30, day + timedelta(days=1))) == before


def test_ages_are_sorted_upwards_too() -> None:
    day = date(2026, 3, 1)
    assert by_age(aged(10, day), aged(30, day + timedelta(days=1)), aged(20, None), descending=False) == [
        "#30",
        "#20",
        "#10",
    ]


@pytest.mark.parametrize(
    "key",
    ["state", "next", "deadline", "ssl_id", "common_name", "validation", "profile", "attempts", "last", "age", ""],
)
def test_every_column_sorts_whatever_is_known(key: str) -> None:
    local = an_order(1)
    order_rows = [
        OrderRow("#1001", local, status="Applied", details=local.details),
        OrderRow("new", replace(local, ssl_id=None, window=None, details=None, origin=Origin.TRACKED)),
        OrderRow("#9"),
        aged(20, None),
        aged(10, date(2026, 3, 1)),
    ]
    upwards = ids(in_order(order_rows, key, Pieces().now(), descending=False))
    downwards = ids(in_order(list(reversed(order_rows)), key, Pieces().now(), descending=True))
    assert sorted(upwards) == sorted(order_row.row_id for order_row in order_rows)
    assert downwards == list(reversed(upwards))


def test_bookkeeping_touches_rows_and_a_change_touches_the_list() -> None:
    pieces = Pieces()
    order = an_order(1)
    pieces.store.plant(order)
    news = ChangedRows(OrderRows(pieces.engine))
    news.receive([OrderChanged(order), PollStarted(order.id), AccountChanged(55)])
    assert news.take() == (False, frozenset({"#1001", "#55"}))
    entry = TimelineEntry(at=START, order_id=order.id, kind=EventKind.CHANGED, summary="x")
    news.receive([OrderChanged(order, entry)])
    assert news.take() == (True, frozenset({"#1001"}))
    news.receive([AccountChanged()])
    assert news.take()[0]
    assert news.take() == (False, frozenset())


def test_a_poll_that_changed_nothing_is_no_reason_to_list_anew() -> None:
    order = an_order(1)
    before = OrderRow("#1001", order, status="Applied", details=order.details)
    assert order.window is not None
    looked = replace(order, window=replace(order.window, attempts=9, next_poll_at=START + timedelta(seconds=99)))
    assert listing_key(replace(before, order=looked)) == listing_key(before)
    ended = replace(order, window=order.window.end(WindowEnd.DEADLINE))
    assert listing_key(replace(before, order=ended)) != listing_key(before)
    assert listing_key(replace(before, status="Issued")) != listing_key(before)
