"""What each cell says, and which columns stay."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.certificates import ListingRow, OrderDetails
from sectigo_tui.domain.orders import Order, OrderState, Origin, PendingEnroll, Revocation
from sectigo_tui.domain.polling import PollOutcome, PollResult, PollWindow, WaitReason, WindowEnd
from sectigo_tui.presentation.columns import COLUMNS, cell, is_stale, poll_text
from sectigo_tui.presentation.format import DEADLINE_SHORT_WIDTH, DEADLINE_WIDTH
from sectigo_tui.presentation.glyphs import ASCII
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.table_columns import place_columns
from sectigo_tui.ui.keys.key_names import KeyNames
from sectigo_tui.ui.screens.events import EventsView
from support.stored_orders import an_order
from support.ui_pieces import Pieces
from support.virtual_time import START


def of(order: Order) -> OrderRow:
    return OrderRow("#1001", order, None, order.scm_status, order.details, order.last_answer_at)


def window(**changes: object) -> PollWindow:
    opened = PollWindow(START, 600.0, attempts=3, next_poll_at=START + timedelta(seconds=42), wait_seconds=45.0)
    return replace(opened, **changes)


def polled(**changes: object) -> Order:
    return replace(an_order(1), window=window(**changes), last_answer_at=START)


def revoked_again(seconds: int) -> Revocation:
    return Revocation(4, "superseded", START, next_attempt_at=START + timedelta(seconds=seconds))


def searched_again(seconds: int) -> PendingEnroll:
    return PendingEnroll(START, next_search_at=START + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (polled(), "00:42"),
        (polled(next_poll_at=START), " poll"),
        (polled(reason=WaitReason.RETRY_AFTER), "  429"),
        (polled(ended=WindowEnd.DEADLINE, next_poll_at=None), " hold"),
        (polled(ended=WindowEnd.STOPPED, next_poll_at=None), " hold"),
        (replace(polled(), state=OrderState.COLLECTED), "    -"),
        (replace(polled(), window=None), "    -"),
        (replace(polled(), state=OrderState.REVOKING, revocation=revoked_again(15)), "00:15"),
        (replace(polled(), state=OrderState.REVOKING, revocation=revoked_again(-1)), "00:00"),
        (replace(an_order(1), state=OrderState.UNCONFIRMED, pending_enroll=searched_again(90)), "01:30"),
    ],
)
def test_next_says_when_or_in_a_word_why_not(order: Order, text: str) -> None:
    assert cell(of(order), "next", 5, Pieces().now()).text == text


def test_next_says_poll_while_a_poll_is_on_its_way() -> None:
    assert cell(of(polled()), "next", 5, Pieces().now(is_polling=lambda _id: True)).text == " poll"


def test_next_says_auth_while_the_credentials_are_refused() -> None:
    assert cell(of(polled()), "next", 5, Pieces().now(is_paused=True)).text == " auth"


def test_a_remote_order_has_no_next_poll() -> None:
    assert cell(OrderRow("#7", status="Applied"), "next", 5, Pieces().now()).text == "    -"


@pytest.mark.parametrize(
    ("seconds", "width", "text", "style"),
    [
        (0, 18, "──────────── 10:00", ""),
        (0, 8, "────────", ""),
        (361, 24, "━━━━━━━━━━╸─────── 03:55", ""),
        (460, 18, "━━━━━━━━━──! 02:20", "warning"),
        (590, 8, "━━━━━━!!", "failed"),
    ],
)
def test_the_deadline_bar_changes_colour_and_end_mark(seconds: int, width: int, text: str, style: str) -> None:
    pieces = Pieces()
    pieces.clock.seconds = seconds
    shown = cell(of(polled()), "deadline", width, pieces.now())
    assert (shown.text, shown.style) == (text, style)
    assert cell(of(polled()), "deadline", width, pieces.now(glyphs=ASCII)).text.isascii()


def test_a_stopped_row_names_the_key_that_the_operator_has_given_to_polling() -> None:
    now = replace(Pieces().now(), hint=KeyNames({"view.poll": "f5"}).fill)
    stopped = of(polled(ended=WindowEnd.STOPPED, next_poll_at=None))
    assert cell(stopped, "deadline", DEADLINE_WIDTH, now).text == "stopped: f5 goes on"
    assert cell(stopped, "deadline", DEADLINE_SHORT_WIDTH, now).text == "stop: f5"


@pytest.mark.parametrize(
    ("ended", "wide", "narrow"),
    [
        (WindowEnd.DEADLINE, "passed: i goes on", "past: i"),
        (WindowEnd.STOPPED, "stopped: r goes on", "stop: r"),
        (WindowEnd.SETTLED, "", ""),
    ],
)
def test_an_ended_window_says_how_it_ended_and_which_key_goes_on(ended: WindowEnd, wide: str, narrow: str) -> None:
    order = polled(ended=ended, next_poll_at=None)
    order = replace(order, state=OrderState.COLLECTED) if ended is WindowEnd.SETTLED else order
    assert cell(of(order), "deadline", DEADLINE_WIDTH, Pieces().now()).text == wide
    assert cell(of(order), "deadline", DEADLINE_SHORT_WIDTH, Pieces().now()).text == narrow


@pytest.mark.parametrize(
    ("requested", "text"),
    [
        (START - timedelta(seconds=59), "    50s"),
        (START - timedelta(days=3, hours=2), "  3d02h"),
        (date(2026, 3, 2), "    <1d"),
        (date(2026, 3, 3), "    <1d"),
        (date(2026, 2, 27), "     3d"),
        (None, "      -"),
    ],
)
def test_age_never_pretends_to_know_an_hour(requested: date | datetime | None, text: str) -> None:
    known = OrderRow("#7", details=OrderDetails(ssl_id=7, status="Applied", requested=requested))
    assert cell(known, "age", 7, Pieces().now()).text == text


def test_age_of_an_order_placed_here_is_known_to_the_second() -> None:
    pieces = Pieces()
    pieces.clock.seconds = 45
    assert cell(of(polled()), "age", 7, pieces.now()).text == "    40s"
    tracked = replace(polled(), origin=Origin.TRACKED)
    assert cell(of(tracked), "age", 7, pieces.now()).text == "    <1d"


@pytest.mark.parametrize(
    ("order", "seconds", "stale"),
    [
        (polled(), 90, False),
        (polled(), 91, True),
        (replace(polled(), last_poll=PollResult(START, PollOutcome.UNREACHABLE)), 1, True),
        (replace(polled(), last_poll=PollResult(START, PollOutcome.PENDING)), 1, False),
        (polled(ended=WindowEnd.DEADLINE), 1, True),
        (replace(polled(), state=OrderState.COLLECTED), 10_000, False),
        (replace(polled(), last_answer_at=None), 10_000, False),
    ],
)
def test_a_local_row_is_stale_past_twice_its_wait_or_when_it_could_not_be_asked_for(
    order: Order, seconds: int, *, stale: bool
) -> None:
    pieces = Pieces()
    pieces.clock.seconds = seconds
    assert is_stale(of(order), pieces.now()) is stale


@pytest.mark.parametrize(("seconds", "mark"), [(120, " "), (121, "~")])
def test_a_remote_row_is_stale_past_twice_the_refresh(seconds: int, mark: str) -> None:
    pieces = Pieces()
    pieces.clock.seconds = seconds
    details = OrderDetails(ssl_id=7, status="Applied", requested=date(2026, 2, 27))
    assert cell(OrderRow("#7", details=details, known_at=START), "age", 7, pieces.now()).text == f"    {mark}3d"


@pytest.mark.parametrize(
    ("poll", "text"),
    [
        (PollResult(START, PollOutcome.PENDING, "Applied"), "Applied"),
        (PollResult(START, PollOutcome.NOT_READY, code=0), "not ready (0)"),
        (PollResult(START, PollOutcome.NOT_READY), "not ready"),
        (PollResult(START, PollOutcome.COLLECTED), "collected"),
        (PollResult(START, PollOutcome.REFUSED, "no rights", http_status=400, code=-226), "refused -226: no rights"),
        (PollResult(START, PollOutcome.REFUSED, "gone", http_status=410), "refused 410: gone"),
        (PollResult(START, PollOutcome.SERVER_FAILURE, "HTTP 503", http_status=503), "503 HTTP 503"),
        (PollResult(START, PollOutcome.RATE_LIMITED, "wait 30 s"), "429: wait 30 s"),
        (PollResult(START, PollOutcome.UNREACHABLE), "unreachable"),
    ],
)
def test_the_last_outcome_in_a_few_words(poll: PollResult, text: str) -> None:
    assert poll_text(poll) == text


def test_a_remote_order_of_unknown_state_does_not_look_like_any_state() -> None:
    assert cell(OrderRow("#7", row=ListingRow(7, "x")), "state", 5, Pieces().now()).text == "..."


def test_state_in_ascii() -> None:
    assert cell(of(polled()), "state", 5, Pieces().now(glyphs=ASCII)).text == "APL c"


@pytest.mark.parametrize("width", range(20, 201))
def test_state_next_and_age_are_never_dropped(width: int) -> None:
    kept = [placed.column.key for placed in place_columns(COLUMNS, width)]
    assert {"state", "next", "age"} <= set(kept)


@pytest.mark.parametrize(
    ("width", "wanted"),
    [
        (79, {"next", "deadline", "age", "state", "blocked", "common_name"}),
        (
            119,
            {"next", "deadline", "age", "state", "blocked", "ssl_id", "common_name", "validation", "last", "attempts"},
        ),
        (199, {column.key for column in COLUMNS}),
    ],
)
def test_columns_of_usual_terminals(width: int, wanted: set[str]) -> None:
    placed = place_columns(COLUMNS, width)
    assert {one.column.key for one in placed} == wanted
    assert max(one.end for one in placed) <= width
    (name,) = [one for one in placed if one.column.key == "common_name"]
    assert name.width >= 34


@pytest.mark.parametrize(("width", "cells"), [(79, 8), (99, 10), (109, 18), (199, 22)])
def test_a_wider_terminal_lengthens_the_deadline_and_has_the_time_left_from_110_columns(width: int, cells: int) -> None:
    (deadline,) = [one for one in place_columns(COLUMNS, width) if one.column.key == "deadline"]
    assert deadline.width == cells


def test_a_wide_terminal_says_the_state_in_words() -> None:
    (state,) = [one for one in place_columns(COLUMNS, 199) if one.column.key == "state"]
    assert cell(of(replace(polled(), state=OrderState.COLLECTED)), "state", state.width, Pieces().now()).text == (
        "COL ✓ collected"
    )


@pytest.mark.parametrize("width", [79, 119, 199])
def test_an_event_has_room_for_its_words(width: int) -> None:
    (what,) = [one for one in place_columns(EventsView.COLUMNS, width) if one.column.key == "summary"]
    assert what.width >= 30
