from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sectigo_tui.engine.diagnosis.stages import Span, When

AT = datetime(2026, 3, 3, 10, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "end", "text"),
    [
        (date(2026, 3, 1), date(2026, 3, 4), "2-3 d"),
        (date(2026, 3, 1), date(2026, 3, 2), "<2 d"),
        (date(2026, 3, 1), date(2026, 3, 1), "<1 d"),
        (date(2026, 3, 1), AT, "1-2 d"),
        (AT, date(2026, 3, 3), "<1 d"),
        (AT, AT + timedelta(seconds=42), "42s"),
        (AT, AT + timedelta(minutes=12, seconds=5), "12m05s"),
        (AT, AT + timedelta(hours=2, minutes=5), "2h05m"),
        (AT, AT + timedelta(days=3, hours=4), "3d04h"),
    ],
)
def test_a_duration_is_told_as_exactly_as_its_ends_are_known(
    start: date | datetime, end: date | datetime, text: str
) -> None:
    assert Span.between(When.of(start), When.of(end)).text == text


@pytest.mark.parametrize(
    ("least", "most", "text"),
    [
        (12 * 60, 17 * 60 + 1, "12-17 m"),
        (0, 5 * 60, "<5 m"),
        (7 * 60, 8 * 60, "7 m"),
        (7_200, 10_801, "2-3 h"),
        (172_800, 259_201, "2-3 d"),
    ],
)
def test_an_uncertainty_of_minutes_or_hours_gives_a_range(least: float, most: float, text: str) -> None:
    assert Span(least, most).text == text


@given(
    st.floats(0, 300 * 86_400.0),
    st.timedeltas(timedelta(0), timedelta(days=40)),
)
def test_days_always_bound_the_time_that_really_passed(start_seconds: float, passed: timedelta) -> None:
    began = AT + timedelta(seconds=start_seconds)
    ended = began + passed
    span = Span.between(When.of(began.date()), When.of(ended.date()))
    assert span.at_least_seconds <= passed.total_seconds() <= span.at_most_seconds
    assert span.text.endswith(" d")


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (When.of(date(2026, 3, 3)), "2026-03-03"),
        (When.of(AT), "2026-03-03 10:05Z"),
        (When(AT, AT + timedelta(minutes=5)), "2026-03-03 10:05-10:10Z"),
        (When(datetime(2026, 3, 3, tzinfo=UTC), AT), "2026-03-03, by 10:05Z"),
        (When(AT, datetime(2026, 3, 4, tzinfo=UTC)), "2026-03-03, after 10:05Z"),
        (When(AT, AT + timedelta(days=1)), "2026-03-03 10:05Z to 2026-03-04 10:05Z"),
        (When(datetime(2026, 3, 1, tzinfo=UTC), AT), "2026-03-01 to 2026-03-03 10:05Z"),
        (When(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 4, tzinfo=UTC)), "2026-03-01 to 2026-03-03"),
    ],
)
def test_the_ends_of_a_day_are_never_shown_as_hours(when: When, text: str) -> None:
    assert when.text == text


def test_ends_the_wrong_way_round_take_no_time() -> None:
    assert Span.between(When.of(AT), When.of(AT - timedelta(hours=1))) == Span(0.0, 0.0)
