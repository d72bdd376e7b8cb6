"""Durations, countdowns, dates and counts as text whose width never changes.

All functions are pure: time comes in as seconds, never from a clock.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import IntEnum
from math import ceil, floor, isfinite

COUNTDOWN_WIDTH = 5
AGE_WIDTH = 7
DEADLINE_WIDTH = 24
"""Cells of `[######----] 60% 04:01!!`."""
DEADLINE_SHORT_WIDTH = 11
"""Cells of `60% 04:01!!`."""
LATENCY_WIDTH = 5
COUNT_WIDTH = 5

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_YEAR = 365 * _DAY

_BAR_CELLS = 10
_DEADLINE_STEPS = ((_HOUR, 5 * _MINUTE), (10 * _MINUTE, 30), (_MINUTE, 5))
"""Seconds beyond which a deadline moves in steps of so many."""
_SOON_SPENT = 0.80
_LAST_SPENT = 0.95


def human_duration(seconds: float) -> str:
    """Return a duration as Kubernetes shows ages, its second unit zero-padded.

    Args:
        seconds: The duration; a slightly negative one (another clock) is 0.

    Returns:
        `5s`, `119s`, `9m05s`, `42m`, `3h07m`, `30h`, `2d04h`, `40d`, `2y041d` or `9y`; `?` when the duration
        is more than a second below zero or no number.

    Source: Kubernetes apimachinery `duration.HumanDuration`.
    """
    if not isfinite(seconds) or seconds <= -2:
        return "?"
    total = max(0, int(seconds))
    minutes, hours, days, years = total // _MINUTE, total // _HOUR, total // _DAY, total // _YEAR
    steps = (
        (total < 2 * _MINUTE, f"{total}s"),
        (minutes < 10, f"{minutes}m{total % _MINUTE:02d}s"),
        (hours < 3, f"{minutes}m"),
        (hours < 8, f"{hours}h{minutes % 60:02d}m"),
        (hours < 48, f"{hours}h"),
        (days < 8, f"{days}d{hours % 24:02d}h"),
        (years < 2, f"{days}d"),
        (years < 8, f"{years}y{days % 365:03d}d"),
    )
    return next((text for holds, text in steps if holds), f"{years}y")


def age(seconds: float | None, *, is_stale: bool = False, step_seconds: int = 1) -> str:
    """Return an age in a fixed width, marked when it is not known to be current.

    Args:
        seconds: The age; None when it is not known.
        is_stale: Whether it was not polled for longer than agreed: the age is preceded by `~`.
        step_seconds: The age is rounded down to a multiple of this below ten minutes, so that young rows need
            no repaint each second.

    Returns:
        Text of `AGE_WIDTH` cells, right-aligned.
    """
    if seconds is None:
        return "-".rjust(AGE_WIDTH)
    if step_seconds < seconds < 10 * _MINUTE:
        seconds -= seconds % step_seconds
    return f"{'~' if is_stale else ''}{human_duration(seconds)}".rjust(AGE_WIDTH)


def countdown(seconds: float | None) -> str:
    """Return the time left in five cells.

    Args:
        seconds: What is left; negative is 0, None or no finite number is unknown.

    Returns:
        `00:42`, `12:05`, `3h07m`, `12h07`, `2d04h`, `12d04`, ` 123d` or `--:--`. A started second counts as a
        whole one: `00:00` means now.
    """
    if seconds is None or not isfinite(seconds):
        return "--:--"
    total = max(0, ceil(seconds))
    minutes, hours, days = total // _MINUTE, total // _HOUR, total // _DAY
    steps = (
        (hours < 1, f"{minutes:02d}:{total % _MINUTE:02d}"),
        (hours < 10, f"{hours}h{minutes % 60:02d}m"),
        (days < 1, f"{hours}h{minutes % 60:02d}"),
        (days < 10, f"{days}d{hours % 24:02d}h"),
        (days < 100, f"{days}d{hours % 24:02d}"),
    )
    return next((text for holds, text in steps if holds), f"{min(days, 9999)}d".rjust(COUNTDOWN_WIDTH))


def next_word(word: str) -> str:
    """Return a word that stands where a countdown would, such as `poll`, `hold`, `429` or `auth`.

    Args:
        word: At most five characters; longer ones are cut.

    Returns:
        Text as wide as a countdown, right-aligned.
    """
    return word[:COUNTDOWN_WIDTH].rjust(COUNTDOWN_WIDTH)


class Urgency(IntEnum):
    """How near a deadline is."""

    CALM = 0
    SOON = 1
    """Four fifths of the window are spent: `!`."""
    LAST = 2
    """Nineteen twentieths are spent: `!!`."""
    PASSED = 3


def urgency(remaining_seconds: float, window_seconds: float) -> Urgency:
    """Tell how near a deadline is.

    Args:
        remaining_seconds: What is left of the window.
        window_seconds: The whole window.

    Returns:
        The urgency; a window without length has passed.
    """
    if remaining_seconds <= 0 or window_seconds <= 0:
        return Urgency.PASSED
    spent = 1 - remaining_seconds / window_seconds
    if spent >= _LAST_SPENT:
        return Urgency.LAST
    return Urgency.SOON if spent >= _SOON_SPENT else Urgency.CALM


def deadline_bar(remaining_seconds: float, window_seconds: float, *, width: int = DEADLINE_WIDTH) -> str:
    """Return how much of a window is spent, as a bar that always carries its text.

    Beyond its last minute the bar moves every five seconds, beyond ten minutes every half minute, and beyond an
    hour every five minutes, rounded down: it never shows more time than there is, and a screen of bars costs a
    fraction of the repaints.

    Args:
        remaining_seconds: What is left of the window.
        window_seconds: The whole window.
        width: Cells there are; below `DEADLINE_WIDTH` the bar itself is left out.

    Returns:
        `[######----] 60% 04:00  `, ending in `!` or `!!` as the deadline nears, or `[##########] passed   !!`;
        short `60% 04:00  ` and `passed   !!`.
    """
    remaining = max(0, ceil(remaining_seconds))
    step = next((step for beyond, step in _DEADLINE_STEPS if remaining > beyond), 1)
    remaining -= remaining % step
    near = urgency(remaining, window_seconds)
    if near is Urgency.PASSED:
        spent, words = 1.0, f"{'passed':<9}"
    else:
        spent = max(0.0, 1 - remaining / window_seconds)
        words = f"{min(99, floor(spent * 100)):2d}% {countdown(remaining)}"
    text = words + ("", "!", "!!", "!!")[near].ljust(2)
    if width < DEADLINE_WIDTH:
        return text
    filled = floor(spent * _BAR_CELLS)
    return f"[{'#' * filled}{'-' * (_BAR_CELLS - filled)}] {text}"


def clock(moment: datetime) -> str:
    """Return a time of day in UTC, as `03:12Z`.

    Args:
        moment: An aware date-time.

    Returns:
        Six cells.

    Raises:
        ValueError: When the date-time has no zone.
    """
    return f"{_utc(moment):%H:%M}Z"


def format_when(when: date | datetime | None) -> str:
    """Return a day or a moment, and never an hour that nobody gave.

    Args:
        when: A day, an aware date-time, or None when it is not known.

    Returns:
        `2026-03-12`, `2026-03-12 03:12Z`, or `-`.

    Raises:
        ValueError: When a date-time has no zone.
    """
    if when is None:
        return "-"
    if isinstance(when, datetime):
        return f"{_utc(when):%Y-%m-%d %H:%M}Z"
    return when.isoformat()


def latency(seconds: float | None) -> str:
    """Return how long a call took.

    Args:
        seconds: The time; None when no call was made.

    Returns:
        Five cells, right-aligned: `142ms`, `1.24s`, `12.4s`, ` 124s`, `  17m`, or `    -`.
    """
    if seconds is None or not isfinite(seconds):
        return "-".rjust(LATENCY_WIDTH)
    steps = (
        (seconds < 0.9995, f"{max(0.0, seconds) * 1000:.0f}ms"),
        (seconds < 9.995, f"{seconds:.2f}s"),
        (seconds < 99.95, f"{seconds:.1f}s"),
        (seconds < 1000, f"{seconds:.0f}s"),
    )
    return next((text for holds, text in steps if holds), f"{seconds / _MINUTE:.0f}m").rjust(LATENCY_WIDTH)


def count(number: int) -> str:
    """Return a count in five cells, rounded down when it is large.

    Args:
        number: The count.

    Returns:
        `    7`, ` 9999`, `12.3k`, ` 100k`, ` 1.2M`.
    """
    if abs(number) < 10_000:
        text = str(number)
    elif abs(number) < 100_000:
        text = f"{number // 100 / 10:.1f}k"
    elif abs(number) < 1_000_000:
        text = f"{number // 1000}k"
    else:
        text = f"{number // 100_000 / 10:.1f}M"
    return text.rjust(COUNT_WIDTH)


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        msg = f"a date-time without a zone has no hour to show: {moment!r}"
        raise ValueError(msg)
    return moment.astimezone(UTC)
