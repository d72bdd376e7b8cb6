"""When to poll: pure functions from a window, a time and a random source to the next window.

An order is polled at once, then after 5 s, 15 s, 45 s, 2 min and 5 min, 5 min, ... each wait with its own jitter, and
a last time at the deadline. Where windows follow each other, the waits are 30 minutes beyond the first day.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from msgspec.structs import replace

from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.polling import PollWindow, WaitReason, WindowEnd

SCHEDULE_SECONDS = (5.0, 15.0, 45.0, 120.0, 300.0)
"""The waits after the first poll, the second, ...; the last one repeats."""

JITTER = 0.2
"""Every wait is drawn from its nominal length, give or take this share of it."""

DEFAULT_DEADLINE_SECONDS = 600.0
DAY_SECONDS = 86_400.0
SPACED_SECONDS = 1_800.0
"""The longest wait beyond the first day of windows in a row."""
RESUME_SPREAD_SECONDS = 10.0
"""Workers that were paused together start again spread over this time."""


def scheduled_wait_seconds(attempts: int) -> float:
    """Return the wait after poll number `attempts` (1 for the first), before jitter."""
    return SCHEDULE_SECONDS[min(attempts, len(SCHEDULE_SECONDS)) - 1]


def scheduled_in(window: PollWindow, attempts: int, now: datetime) -> float:
    """Return the wait after a window's poll number `attempts`, which ended at a time, before jitter."""
    scheduled = scheduled_wait_seconds(attempts)
    is_long = scheduled == SCHEDULE_SECONDS[-1] and window.begun_at is not None
    return SPACED_SECONDS if is_long and _is_past_first_day(window, now) else scheduled


def _is_past_first_day(window: PollWindow, now: datetime) -> bool:
    return window.begun_at is not None and seconds_between(window.begun_at, now) >= DAY_SECONDS


def open_window(now: datetime, deadline_seconds: float, *, first_wait_seconds: float = 0.0) -> PollWindow:
    """Start polling: the first poll is due at once.

    Args:
        now: The start, from which the deadline counts.
        deadline_seconds: The bound; zero or less means the default of 600.
        first_wait_seconds: How long the first poll waits nevertheless, so that no order is asked for too often.

    Returns:
        The new window.
    """
    deadline_seconds = deadline_seconds if deadline_seconds > 0 else DEFAULT_DEADLINE_SECONDS
    wait = min(max(0.0, first_wait_seconds), deadline_seconds)
    return PollWindow(
        opened_at=now,
        deadline_seconds=deadline_seconds,
        next_poll_at=now + timedelta(seconds=wait),
        wait_seconds=wait,
    )


def after_poll(
    window: PollWindow, now: datetime, random: Random, *, retry_after_seconds: float | None = None
) -> PollWindow:
    """Return the window after a poll that left the order pending.

    Args:
        window: The window of the poll.
        now: When the poll ended.
        random: Where the jitter comes from.
        retry_after_seconds: What SCM asked for; the wait is at least that, but not past the deadline.

    Returns:
        The window with the next poll, at the latest at the deadline; ended when the deadline has been reached.
    """
    attempts = window.attempts + 1
    remaining = seconds_between(now, window.deadline_at)
    if remaining <= 0:
        return replace(window, attempts=attempts).end(WindowEnd.DEADLINE)
    wait, reason = _jittered(scheduled_in(window, attempts, now), random), WaitReason.SCHEDULE
    if retry_after_seconds is not None and retry_after_seconds > wait:
        wait, reason = retry_after_seconds, WaitReason.RETRY_AFTER
    if wait >= remaining:
        return replace(
            window,
            attempts=attempts,
            next_poll_at=window.deadline_at,
            wait_seconds=remaining,
            reason=WaitReason.DEADLINE,
        )
    return replace(
        window, attempts=attempts, next_poll_at=now + timedelta(seconds=wait), wait_seconds=wait, reason=reason
    )


def settled(window: PollWindow, why: WindowEnd) -> PollWindow:
    """Return the window after the poll that ended it."""
    return replace(window, attempts=window.attempts + 1).end(why)


def repeated(
    window: PollWindow, now: datetime, random: Random, *, retry_after_seconds: float | None = None
) -> PollWindow:
    """Return the window after a poll that could not be stored, so that it is repeated.

    Args:
        window: The window of the poll.
        now: When the store failed.
        random: Where the jitter comes from.
        retry_after_seconds: What SCM asked for; the wait is at least that, but not past the deadline.

    Returns:
        The window, still open: this poll comes after the schedule's next wait, even past the deadline.
    """
    attempts = window.attempts + 1
    wait, reason = _jittered(scheduled_in(window, attempts, now), random), WaitReason.SCHEDULE
    asked = min(retry_after_seconds or 0.0, seconds_between(now, window.deadline_at))
    if asked > wait:
        wait, reason = asked, WaitReason.RETRY_AFTER
    due = now + timedelta(seconds=wait)
    return replace(window, attempts=attempts, next_poll_at=due, wait_seconds=wait, reason=reason)


def reopened(
    window: PollWindow, now: datetime, random: Random, *, retry_after_seconds: float | None = None
) -> PollWindow:
    """Return the new window that follows one whose deadline passed; it continues with the longest wait.

    It lasts as long as the one before, but no shorter than the schedule's shortest wait: a deadline of a second would
    have the order polled every second, without end. Beyond the first day it lasts a day at least, for the waits are
    longer then.

    Args:
        window: The window that ended.
        now: The new start.
        random: Where the jitter comes from.
        retry_after_seconds: What SCM asked for in the poll at the deadline.

    Returns:
        The new window; its attempts count on.
    """
    begun = replace(window, begun_at=window.begun_at or window.opened_at)
    shortest = DAY_SECONDS if _is_past_first_day(begun, now) else SCHEDULE_SECONDS[0]
    started = replace(
        begun,
        opened_at=now,
        deadline_seconds=max(window.deadline_seconds, shortest),
        ended=None,
        attempts=max(window.attempts, len(SCHEDULE_SECONDS)) - 1,
        reopened=window.reopened + 1,
    )
    return after_poll(started, now, random, retry_after_seconds=retry_after_seconds)


def lasting(
    window: PollWindow | None, now: datetime, deadline_seconds: float | None, last_poll_at: datetime | None
) -> PollWindow:
    """Return the window with another deadline, as the operator chose: a new one where it has ended.

    Args:
        window: The window so far; None where there was none.
        now: When that was chosen, from which the deadline counts.
        deadline_seconds: The bound; None for no end before the order needs no more polls.
        last_poll_at: The newest poll; None when there was none.

    Returns:
        An open window, which goes on with the waits that it had: no order is asked for more often by that.
    """
    seconds = DAY_SECONDS if deadline_seconds is None else deadline_seconds
    chosen = replace(
        open_window(now, seconds, first_wait_seconds=seconds_between(now, spaced(now, last_poll_at))),
        attempts=window.attempts if window is not None else 0,
        begun_at=now if deadline_seconds is None else None,
        until_issued=deadline_seconds is None,
    )
    if window is None or not window.is_open or window.next_poll_at is None:
        return chosen
    due = min(window.next_poll_at, chosen.deadline_at)
    reason = WaitReason.SCHEDULE if window.reason is WaitReason.DEADLINE else window.reason
    return replace(chosen, next_poll_at=due, wait_seconds=max(0.0, seconds_between(now, due)), reason=reason)


def asked_now(window: PollWindow, now: datetime, last_poll_at: datetime | None) -> PollWindow:
    """Return the window with its next poll as soon as allowed: 5 s after the last.

    Args:
        window: An open window.
        now: When the operator asked.
        last_poll_at: The newest poll; None when there was none.

    Returns:
        The window; unchanged when its next poll is sooner anyway, or when SCM asked for this wait.
    """
    if window.reason is WaitReason.RETRY_AFTER:
        return window
    earliest = min(spaced(now, last_poll_at), window.deadline_at)
    if window.next_poll_at is not None and window.next_poll_at <= earliest:
        return window
    wait = max(0.0, seconds_between(now, earliest))
    return replace(window, next_poll_at=earliest, wait_seconds=wait, reason=WaitReason.ASKED)


def spaced(now: datetime, last_poll_at: datetime | None) -> datetime:
    """Return the earliest time for a poll outside the schedule: now, but at least 5 s after the last one."""
    if last_poll_at is None:
        return now
    return max(now, last_poll_at + timedelta(seconds=SCHEDULE_SECONDS[0]))


def after_pause(window: PollWindow, now: datetime, random: Random) -> PollWindow:
    """Return the window of a worker that resumes after polling was paused.

    An overdue poll is made within the next seconds, at random, so that the workers do not all start at once. A
    window whose deadline passed meanwhile is opened anew: the pause was not the order's fault.

    Args:
        window: The open window as it stood when the pause began.
        now: The end of the pause.
        random: Where the spread comes from.

    Returns:
        The window to go on with.
    """
    wait = random.uniform(0.0, RESUME_SPREAD_SECONDS)
    due = now + timedelta(seconds=wait)
    if window.deadline_at <= now:
        window = replace(window, opened_at=now)
    if window.next_poll_at is not None and window.next_poll_at > due:
        return window
    due = min(due, window.deadline_at)
    return replace(window, next_poll_at=due, wait_seconds=max(0.0, seconds_between(now, due)), reason=WaitReason.SPREAD)


def after_set_back(window: PollWindow, now: datetime) -> PollWindow:
    """Return the window of an order taken over, corrected where the clock was set back since it was written.

    Args:
        window: The open window.
        now: The time, by this clock.

    Returns:
        The window with a next poll that is no further away than the wait that was scheduled, however far ahead the
        other clock is.
    """
    due = now + timedelta(seconds=window.wait_seconds)
    if window.next_poll_at is None or window.next_poll_at <= due:
        return window
    return replace(window, next_poll_at=due)


def _jittered(scheduled_seconds: float, random: Random) -> float:
    return random.uniform(scheduled_seconds * (1 - JITTER), scheduled_seconds * (1 + JITTER))
