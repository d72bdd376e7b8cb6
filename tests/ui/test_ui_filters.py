"""What the filter finds: words in any cell, terms, and what has to be looked up before it can be said."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.certificates import ListingRow, OrderDetails
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollOutcome, PollResult, PollWindow, WindowEnd
from sectigo_tui.engine.diagnosis.normal import remote_sample
from sectigo_tui.presentation.columns import COLUMNS, cell
from sectigo_tui.presentation.filters import TERMS, Filter, common_start, completed, term_hint, words_filter
from sectigo_tui.presentation.rows import OrderRow
from support.stored_orders import an_order
from support.ui_pieces import Pieces
from support.virtual_time import START

DETAILS = OrderDetails(
    ssl_id=7,
    status="Applied",
    validation="OV",
    profile_name="OV Multi-Domain",
    requester="Ann@Example.com",
    order_number="O-99",
    comments="CHG-1",
    subject_alternative_names=("api.example.com",),
    requested=date(2026, 2, 27),
    replaced=START,
    expires=date(2026, 3, 6),
)
REMOTE = OrderRow("#7", row=ListingRow(7, "www.example.com"), status="Applied", details=DETAILS)
"""Requested three days before `START`; the certificate that it replaces ends four days after."""

LISTED = OrderRow("#8", row=ListingRow(8, "shop.example.com"), status="Applied")
"""Nothing is known of it but its row."""


def waiting(**changes: object) -> OrderRow:
    window = PollWindow(START, 600.0, attempts=3, next_poll_at=START + timedelta(seconds=42), wait_seconds=45.0)
    order: Order = replace(an_order(1), window=replace(window, **changes), created_at=START - timedelta(hours=5))
    order = replace(order, last_poll=PollResult(START, PollOutcome.REFUSED, "no rights", http_status=400, code=-226))
    return OrderRow("#1001", order, None, order.scm_status, order.details, START)


def answer(query: str, row: OrderRow = REMOTE) -> bool | None:
    return Filter(query).test(row, Pieces().now())


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", True),
        ("   ", True),
        ("www applied", True),
        ("WWW", True),
        ("ann@example", True),
        ("o-99", True),
        ("chg-1", True),
        ("api.ex", True),
        ("remote", True),
        ("7", True),
        ("missing", False),
        ("www missing", False),
        ("www !missing", True),
        ("www !applied", False),
        ("!www", False),
        ("!missing", True),
        ("!missing www", True),
        ("! www missing", True),
        ("!", True),
        ("missing|www", True),
        ("missing|other", False),
        ("!missing|www", False),
        ('"ov multi" www', True),
        ('"multi ov"', False),
        ('!"multi ov"', True),
        ('"ov mul', True),
        ('profile:"v multi"', True),
        ('profile:"multi v"|"ov m"', True),
    ],
)
def test_words_are_found_in_what_is_known_of_an_order(query: str, *, found: bool) -> None:
    assert answer(query) is found


@pytest.mark.parametrize("row", [REMOTE, LISTED, waiting(), waiting(ended=WindowEnd.STOPPED, next_poll_at=None)])
def test_whatever_a_cell_shows_is_found(row: OrderRow) -> None:
    now = Pieces().now()
    shown = [text for column in COLUMNS if (text := cell(row, column.key, 200, now).text.strip()) not in ("", "-")]
    assert shown
    for text in shown:
        assert Filter(text).test(row, now) is True, text


def test_a_number_is_not_found_within_a_time_that_ticks() -> None:
    row = waiting()
    assert answer("42", row) is False
    assert answer("00:42", row) is True
    assert answer("5h", row) is True


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("val:ov", True),
        ("val:ev", False),
        ("val:ev|ov", True),
        ("val:ev|slow|www", False),
        ("val:ev|name:www", True),
        ("!val:ev", True),
        ("state:apl", True),
        ("state:applied", True),
        ("state:req", False),
        ("age>2d", True),
        ("age>=3d", True),
        ("age>3d", False),
        ("age<1w", True),
        ("age<2d12h", False),
        ("left<7d", False),
        ("age>1d !val:ev", True),
        ("name:api", True),
        ("name:applied", False),
        ("id:7", True),
        ("id:o-99", True),
        ("profile:multi", True),
        ("by:ann", True),
        ("by:bob", False),
        ("attempts>1", False),
        ("local", False),
        ("remote", True),
        ("! remote val:ev", True),
        ("val:", True),
        ("age>", True),
        ("https://x", False),
    ],
)
def test_terms(query: str, *, found: bool) -> None:
    assert answer(query) is found


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("attempts>2", True),
        ("attempts=3", True),
        ("attempts<3", False),
        ("deadline<15m", True),
        ("deadline<5m", False),
        ("local", True),
        ("state:pending", True),
        ("age>4h age<6h", True),
        ("left<7d", False),
    ],
)
def test_terms_of_a_local_order(query: str, *, found: bool) -> None:
    assert answer(query, waiting()) is found


@pytest.mark.parametrize(
    ("status", "query", "found"),
    [
        ("Requested", "on:approver", True),
        ("Requested", "on:ca", False),
        ("Requested", "on:ca|approver", True),
        ("Requested", "!on:approver", False),
        ("Applied", "on:unknown", True),
        ("Applied", "on:ca", None),
        ("Applied", "!on:ca", None),
        ("Applied", "on:ca val:dv", False),
        ("Applied", "on:ca|name:www", True),
    ],
)
def test_who_an_order_waits_for_is_looked_up_before_it_is_denied(
    status: str, query: str, *, found: bool | None
) -> None:
    details = OrderDetails(ssl_id=1001, status=status, validation="OV")
    order = replace(an_order(1), details=details, common_name="www.example.com", last_answer_at=START)
    pieces = Pieces()
    pieces.store.plant(order)
    assert Filter(query).test(OrderRow("#1001", order, None, status, details, START), pieces.now()) is found


@pytest.mark.parametrize("query", ["val:ev", "age>1d", "left<7d", "by:ann", "profile:multi", "slow", "!val:ev"])
def test_what_a_listing_does_not_tell_is_neither_found_nor_denied(query: str) -> None:
    assert answer(query, LISTED) is None
    assert answer(f"name:nothing {query}", LISTED) is False


@pytest.mark.parametrize(
    ("query", "error_text"),
    [
        ("age>soon", "age> takes a time such as 30m, 12h or 7d."),
        ("left<7", "left< takes a time such as 30m, 12h or 7d."),
        ("attempts>x", "attempts> takes a number."),
        ("on:foo", "on: takes you, approver, dns, org, ca, nobody or unknown."),
        ("on:dns|xy", "on: takes you, approver, dns, org, ca, nobody or unknown."),
        ("on:organization|d age>1d www", ""),
        ("age>", ""),
    ],
)
def test_a_term_that_cannot_be_read_says_what_it_takes(query: str, error_text: str) -> None:
    assert Filter(query).error_text == error_text
    assert not error_text or not answer(query)


def test_every_term_finds_what_its_example_says_and_has_a_hint() -> None:
    for term in TERMS:
        assert not Filter(term.example).error_text
        assert term.example.startswith(term.written.rstrip("<>:"))
        assert term_hint(f"www {term.example}") == f"{term.example}: {term.meaning}"


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("www o", ["www on:", "www owner:"]),
        ("on:d", ["on:dns"]),
        ("!on:", [f"!on:{value}" for value in TERMS[0].values]),
        ("val:dv|val:e", ["val:dv|val:ev"]),
        ("s", ["state:", "slow", "stale"]),
        ("profile:", ["profile:multi", "profile:wildcard"]),
        ("slow", []),
        ("zzz", []),
    ],
)
def test_the_last_word_is_completed(query: str, wanted: list[str]) -> None:
    assert completed(query, values={"profile:": {"wildcard", "multi"}}) == wanted


def test_what_completions_have_in_common_is_typed_first() -> None:
    assert common_start(completed("s")) == "s"
    assert common_start(completed("st")) == "sta"
    assert common_start([]) == ""


def test_a_list_without_terms_takes_the_same_words() -> None:
    assert words_filter("bad|good !ugly")("A good thing")
    assert not words_filter("bad|good !ugly")("a good, ugly thing")
    assert words_filter("! good")("a bad thing")
    assert words_filter("")("anything")


@pytest.mark.parametrize(
    ("query", "found"), [("left<7d", True), ("left<3d", False), ("left>3d", True), ("ends", False)]
)
def test_left_is_what_is_left_of_the_certificate_that_an_order_takes_the_place_of(query: str, *, found: bool) -> None:
    pieces = Pieces()
    in_use = replace(an_order(9), details=replace(DETAILS, ssl_id=1009, expires=date(2026, 3, 6)))
    pieces.store.plant(in_use)
    order = replace(an_order(1), renews_ssl_id=in_use.ssl_id)
    pieces.store.plant(order)
    row = OrderRow("#1001", order, None, order.scm_status, order.details, START)
    assert Filter(query).test(row, pieces.now()) is found


@pytest.mark.parametrize(("hours", "found"), [(5, True), (1, False)])
def test_an_order_is_slow_beyond_what_nine_of_ten_of_its_profile_took(hours: int, *, found: bool) -> None:
    pieces = Pieces()
    details = OrderDetails(
        ssl_id=50,
        status="Issued",
        profile_id=501,
        requested=START - timedelta(hours=9),
        issued=START - timedelta(hours=7),
    )
    sample = remote_sample(details, START)
    assert sample is not None
    pieces.engine.diagnoser.samples._remote.update({number: replace(sample, ssl_id=number) for number in range(10)})
    order = replace(an_order(1), profile_id=501, created_at=START - timedelta(hours=hours))
    row = OrderRow("#1001", order, None, order.scm_status, order.details, START)
    assert Filter("slow").wants_samples
    assert Filter("slow").test(row, pieces.now()) is found
