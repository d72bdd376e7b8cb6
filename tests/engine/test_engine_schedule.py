"""Properties of the schedule that hold for any window, any random source and any answer."""

from __future__ import annotations

import pickle
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.polling import PollWindow, WaitReason, WindowEnd
from sectigo_tui.engine.polling import schedule
from support.virtual_time import START

MICROSECOND = 1e-6

deadlines = st.floats(1, 24 * 3600)
seeds = st.randoms(use_true_random=False)
latencies = st.lists(st.floats(0, 90), min_size=1, max_size=8)
retry_afters = st.one_of(st.none(), st.floats(0, 7200))


def is_jittered(wait: float, scheduled: float) -> bool:
    return scheduled * (1 - schedule.JITTER) <= wait <= scheduled * (1 + schedule.JITTER)


@st.composite
def open_windows(draw: st.DrawFn) -> tuple[PollWindow, datetime]:
    """A window as any history of polls may have left it, and a time at which its next poll has ended."""
    window = schedule.open_window(START, draw(deadlines))
    random, now = Random(draw(st.integers())), START
    for _ in range(draw(st.integers(0, 8))):
        assert window.next_poll_at is not None
        now = window.next_poll_at + timedelta(seconds=draw(st.floats(0, 60)))
        following = schedule.after_poll(window, now, random, retry_after_seconds=draw(retry_afters))
        if not following.is_open:
            break
        window = following
    assert window.next_poll_at is not None
    return window, window.next_poll_at + timedelta(seconds=draw(st.floats(0, 60)))


@pytest.mark.parametrize("absent", [0.0, -1.0])
def test_no_deadline_means_600_seconds(absent: float) -> None:
    assert schedule.open_window(START, absent).deadline_seconds == 600


@given(deadlines)
def test_the_first_poll_is_due_at_once(deadline: float) -> None:
    window = schedule.open_window(START, deadline)
    assert (window.next_poll_at, window.reason) == (START, WaitReason.FIRST)


@given(deadlines, seeds, latencies)
def test_waits_follow_the_schedule_each_with_its_own_jitter_until_a_last_poll_at_the_deadline(
    deadline: float, random: Random, latencies: list[float]
) -> None:
    window, now, polls = schedule.open_window(START, deadline), START, 0
    while window.next_poll_at is not None:
        assert window.next_poll_at <= window.deadline_at
        was_last = window.next_poll_at == window.deadline_at
        now = max(now, window.next_poll_at) + timedelta(seconds=latencies[polls % len(latencies)])
        window = schedule.after_poll(window, now, random)
        polls += 1
        assert window.attempts == polls
        assert window.is_open or was_last or now >= window.deadline_at
        assert not (was_last and window.is_open)
        if window.reason is WaitReason.SCHEDULE and window.is_open:
            scheduled = schedule.SCHEDULE_SECONDS[min(polls, 5) - 1]
            assert is_jittered(window.wait_seconds, scheduled)
        elif window.is_open:
            assert (window.reason, window.next_poll_at) == (WaitReason.DEADLINE, window.deadline_at)
            assert window.wait_seconds <= longest_with_jitter(polls)
    assert window.ended is WindowEnd.DEADLINE


def longest_with_jitter(polls: int) -> float:
    return schedule.SCHEDULE_SECONDS[min(polls, 5) - 1] * (1 + schedule.JITTER)


@given(st.integers())
def test_jitter_is_drawn_anew_for_every_wait(seed: int) -> None:
    random = Random(seed)
    window = replace(schedule.open_window(START, 1e9), attempts=10)
    drawn = {schedule.after_poll(window, START, random).wait_seconds for _ in range(20)}
    assert len(drawn) == 20


@given(open_windows(), seeds, st.floats(0, 1e6))
def test_retry_after_is_the_least_wait_and_the_deadline_the_longest(
    at: tuple[PollWindow, datetime], random: Random, asked: float
) -> None:
    window, now = at
    after = schedule.after_poll(window, now, random, retry_after_seconds=asked)
    if after.next_poll_at is None:
        assert now >= window.deadline_at
        return
    waited = seconds_between(now, after.next_poll_at)
    assert after.next_poll_at <= window.deadline_at
    assert waited >= asked - MICROSECOND or after.next_poll_at == window.deadline_at
    assert after.wait_seconds == pytest.approx(waited, abs=MICROSECOND)


@given(open_windows(), st.integers())
def test_a_window_goes_on_after_a_restart_as_if_nothing_had_been(at: tuple[PollWindow, datetime], seed: int) -> None:
    window, now = at
    restarted = pickle.loads(pickle.dumps(window))
    assert restarted.next_poll_at == window.next_poll_at
    assert schedule.after_poll(restarted, now, Random(seed)) == schedule.after_poll(window, now, Random(seed))


@given(open_windows(), st.floats(0, 3600), st.one_of(st.none(), st.floats(0, 600)))
def test_the_operator_may_hurry_a_poll_but_not_below_five_seconds_after_the_last(
    at: tuple[PollWindow, datetime], later: float, since_last_look: float | None
) -> None:
    window, _ = at
    assert window.next_poll_at is not None
    now = window.opened_at + timedelta(seconds=later)
    last = None if since_last_look is None else now - timedelta(seconds=since_last_look)
    asked = schedule.asked_now(window, now, last)
    assert asked.next_poll_at is not None
    assert asked.next_poll_at <= window.next_poll_at
    if asked != window:
        assert asked.reason is WaitReason.ASKED
        assert asked.next_poll_at == window.deadline_at or asked.next_poll_at >= now
        if last is not None and asked.next_poll_at != window.deadline_at:
            assert seconds_between(last, asked.next_poll_at) >= 5
        assert asked.wait_seconds <= 5


@given(open_windows(), st.floats(0, 3600))
def test_the_operator_does_not_hurry_a_wait_that_scm_asked_for(at: tuple[PollWindow, datetime], later: float) -> None:
    window = replace(at[0], reason=WaitReason.RETRY_AFTER)
    assert schedule.asked_now(window, window.opened_at + timedelta(seconds=later), None) == window


@given(open_windows(), st.floats(0, 10 * 24 * 3600), seeds)
def test_after_a_pause_the_next_poll_comes_within_ten_seconds_or_when_it_was_due_anyway(
    at: tuple[PollWindow, datetime], pause: float, random: Random
) -> None:
    window, before = at
    now = before + timedelta(seconds=pause)
    resumed = schedule.after_pause(window, now, random)
    assert resumed.is_open
    assert resumed.next_poll_at is not None
    assert now <= resumed.next_poll_at <= resumed.deadline_at
    if resumed.next_poll_at != window.next_poll_at:
        assert seconds_between(now, resumed.next_poll_at) <= schedule.RESUME_SPREAD_SECONDS
        assert resumed.reason is WaitReason.SPREAD
    if window.deadline_at > now:
        assert resumed.deadline_at == window.deadline_at


def test_two_hundred_paused_workers_spread_over_the_ten_seconds() -> None:
    window, random = schedule.open_window(START, 600), Random(1)
    now = START + timedelta(seconds=60)
    due = [schedule.after_pause(window, now, random).next_poll_at for _ in range(200)]
    per_second = [sum(1 for at in due if at and int(seconds_between(now, at)) == second) for second in range(10)]
    assert sum(per_second) == 200
    assert min(per_second) >= 8


@given(open_windows(), seeds, retry_afters)
def test_a_new_window_after_a_deadline_counts_the_attempts_on_and_keeps_the_longest_wait(
    at: tuple[PollWindow, datetime], random: Random, retry_after: float | None
) -> None:
    window, now = at
    ended = replace(window, attempts=window.attempts + 1).end(WindowEnd.DEADLINE)
    reopened = schedule.reopened(ended, now, random, retry_after_seconds=retry_after)
    assert reopened.is_open
    assert reopened.next_poll_at is not None
    is_past_first_day = seconds_between(window.opened_at, now) >= 86_400
    shortest = 86_400 if is_past_first_day else 5
    assert (reopened.opened_at, reopened.deadline_seconds) == (now, max(shortest, window.deadline_seconds))
    assert reopened.begun_at == window.opened_at
    assert reopened.attempts >= ended.attempts
    wait = seconds_between(now, reopened.next_poll_at)
    assert wait >= 5 - MICROSECOND
    assert (
        reopened.next_poll_at == reopened.deadline_at
        or is_jittered(wait, 1_800 if is_past_first_day else 300)
        or (retry_after is not None and wait == pytest.approx(retry_after, abs=MICROSECOND))
    )
    assert retry_after is None or wait >= retry_after - MICROSECOND or reopened.next_poll_at == reopened.deadline_at


@given(open_windows(), seeds)
def test_a_poll_that_could_not_be_written_down_is_made_again_even_at_the_deadline(
    at: tuple[PollWindow, datetime], random: Random
) -> None:
    window, now = at
    again = schedule.repeated(window, now, random)
    assert again.is_open
    assert is_jittered(again.wait_seconds, schedule.scheduled_wait_seconds(window.attempts + 1))
