"""Durations, dates and counts as an operator reads them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sectigo_tui.presentation.format import (
    AGE_WIDTH,
    COUNTDOWN_WIDTH,
    DEADLINE_SHORT_WIDTH,
    DEADLINE_WIDTH,
    LATENCY_WIDTH,
    Urgency,
    age,
    clock,
    count,
    countdown,
    deadline_bar,
    format_when,
    human_duration,
    latency,
    next_word,
    urgency,
)

MINUTE, HOUR, DAY = 60, 3600, 86_400


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1.5, "0s"),
        (-5, "?"),
        (float("nan"), "?"),
        (0.9, "0s"),
        (119, "119s"),
        (2 * MINUTE, "2m00s"),
        (9 * MINUTE + 5, "9m05s"),
        (10 * MINUTE, "10m"),
        (179 * MINUTE, "179m"),
        (3 * HOUR + 7 * MINUTE, "3h07m"),
        (8 * HOUR, "8h"),
        (47 * HOUR, "47h"),
        (2 * DAY + 4 * HOUR, "2d04h"),
        (8 * DAY, "8d"),
        (729 * DAY, "729d"),
        (2 * 365 * DAY + 41 * DAY, "2y041d"),
        (9 * 365 * DAY, "9y"),
    ],
)
def test_ages_read_as_in_kubernetes(seconds: float, shown: str) -> None:
    assert human_duration(seconds) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "--:--"),
        (float("inf"), "--:--"),
        (-3, "00:00"),
        (0, "00:00"),
        (0.2, "00:01"),
        (42, "00:42"),
        (12 * MINUTE + 5, "12:05"),
        (HOUR - 0.5, "1h00m"),
        (3 * HOUR + 7 * MINUTE, "3h07m"),
        (12 * HOUR + 7 * MINUTE, "12h07"),
        (2 * DAY + 4 * HOUR, "2d04h"),
        (12 * DAY + 4 * HOUR, "12d04"),
        (123 * DAY, " 123d"),
    ],
)
def test_time_left_is_five_cells(seconds: float | None, shown: str) -> None:
    assert countdown(seconds) == shown


@pytest.mark.parametrize(
    ("remaining", "window", "shown", "short", "ascii_"),
    [
        (600, 600, "──────────── 10:00", "────────", "--------"),
        (243, 600, "━━━━━━━───── 04:00", "━━━━╸───", "####----"),
        (150, 600, "━━━━━━━━━──! 02:30", "━━━━━━─!", "######-!"),
        (60, 600, "━━━━━━━━━━!! 01:00", "━━━━━━!!", "######!!"),
        (0.3, 600, "━━━━━━━━━━!! 00:01", "━━━━━━!!", "######!!"),
        (0, 600, "━━━━━━━━━━!! 00:00", "━━━━━━!!", "######!!"),
        (-9, 600, "━━━━━━━━━━!! 00:00", "━━━━━━!!", "######!!"),
        (3 * HOUR + 8 * MINUTE, 4 * HOUR, "━━╸───────── 3h05m", "━╸──────", "#-------"),
        (929, 600, "──────────── 15:00", "────────", "--------"),
        (5, 0, "━━━━━━━━━━!! 00:05", "━━━━━━!!", "######!!"),
    ],
)
def test_a_deadline_is_a_bar_that_ends_in_a_mark_and_has_the_time_left_beside_it(
    remaining: float, window: float, shown: str, short: str, ascii_: str
) -> None:
    assert deadline_bar(remaining, window) == shown
    assert deadline_bar(remaining, window, width=DEADLINE_SHORT_WIDTH) == short
    assert deadline_bar(remaining, window, width=DEADLINE_SHORT_WIDTH, is_ascii=True) == ascii_


@given(st.floats(0.01, 30 * DAY), st.floats(1, 30 * DAY), st.integers(8, 40), st.booleans())
def test_a_deadline_never_shows_more_time_than_there_is_nor_too_little_to_act_on(
    remaining: float, window: float, width: int, is_ascii: bool
) -> None:
    shown = deadline_bar(remaining, window, width=width, is_ascii=is_ascii)
    assert len(shown) == width
    if width >= DEADLINE_WIDTH and remaining < HOUR - 1:
        minutes, seconds = shown[-5:].split(":")
        assert remaining - (5 if remaining < 10 * MINUTE else 30) <= int(minutes) * 60 + int(seconds) <= remaining + 1


@pytest.mark.parametrize(
    ("remaining", "near"),
    [(151, Urgency.CALM), (150, Urgency.SOON), (61, Urgency.SOON), (60, Urgency.LAST), (0, Urgency.PASSED)],
)
def test_a_window_grows_urgent_at_three_quarters_and_at_its_last_tenth(remaining: float, near: Urgency) -> None:
    assert urgency(remaining, 600) is near


@given(st.floats(-10, 1e12), st.booleans())
def test_widths_never_change(seconds: float, is_stale: bool) -> None:
    assert len(countdown(seconds)) == COUNTDOWN_WIDTH
    assert len(latency(seconds)) >= LATENCY_WIDTH
    assert len(age(min(seconds, 1e9), is_stale=is_stale)) == AGE_WIDTH


def test_a_stale_age_says_so_and_an_unknown_one_is_no_number() -> None:
    assert age(9 * MINUTE + 5, is_stale=True) == " ~9m05s"
    assert age(9 * MINUTE + 5) == "  9m05s"
    assert age(None) == "      -"


def test_a_young_age_may_move_in_steps() -> None:
    assert age(5, step_seconds=10) == "     5s"
    assert age(47, step_seconds=10) == "    40s"
    assert age(11 * MINUTE + 7, step_seconds=10) == "    11m"


def test_words_stand_where_a_countdown_would() -> None:
    assert [next_word(word) for word in ("poll", "429", "unknown")] == [" poll", "  429", "unkno"]


def test_a_day_is_never_given_an_hour() -> None:
    assert format_when(date(2026, 3, 12)) == "2026-03-12"
    assert format_when(None) == "-"


def test_a_moment_is_shown_in_utc() -> None:
    moment = datetime(2026, 3, 12, 1, 30, tzinfo=timezone(timedelta(hours=-5)))
    assert format_when(moment) == "2026-03-12 06:30Z"
    assert clock(moment) == "06:30Z"
    assert clock(datetime(2026, 3, 12, 3, 12, tzinfo=UTC)) == "03:12Z"


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        clock(datetime(2026, 3, 12))  # noqa: DTZ001 - the very thing that is refused


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (None, "    -"),
        (0.142, "142ms"),
        (0.0004, "  0ms"),
        (0.9996, "1.00s"),
        (12.44, "12.4s"),
        (99.97, " 100s"),
        (1020, "  17m"),
    ],
)
def test_latency_is_five_cells(seconds: float | None, shown: str) -> None:
    assert latency(seconds) == shown


@pytest.mark.parametrize(
    ("number", "shown"),
    [(7, "    7"), (9999, " 9999"), (12_399, "12.3k"), (100_000, " 100k"), (1_299_999, " 1.2M")],
)
def test_counts_are_five_cells(number: int, shown: str) -> None:
    assert count(number) == shown
