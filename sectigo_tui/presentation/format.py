"""Durations, countdowns, dates and counts as text whose width never changes.

All functions are pure: time comes in as seconds, never from a clock.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from enum import IntEnum
from math import ceil, floor, isfinite

COUNTDOWN_WIDTH = 5
AGE_WIDTH = 7
DEADLINE_WIDTH = 18
"""Cells of `━━━━━━╸───── 04:01`: from here on the time left stands beside the bar."""
DEADLINE_SHORT_WIDTH = 8
"""Cells of `━━━━╸───`."""
LATENCY_WIDTH = 5
SLOW_ANSWER_SECONDS = 1.0
"""Beyond this a latency is shown as a warning."""
COUNT_WIDTH = 5

_MINUTE = 60
_HOUR = 60 * _MINUTE
_DAY = 24 * _HOUR
_YEAR = 365 * _DAY

_DEADLINE_STEPS = ((_HOUR, 5 * _MINUTE), (10 * _MINUTE, 30), (_MINUTE, 5))
"""Seconds beyond which a deadline moves in steps of so many."""
_SOON_SPENT = 0.75
_LAST_SPENT = 0.90


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
    """Three quarters of the window are spent: `!`."""
    LAST = 2
    """Nine tenths are spent: `!!`."""
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


def deadline_bar(
    remaining_seconds: float, window_seconds: float, *, width: int = DEADLINE_WIDTH, is_ascii: bool = False
) -> str:
    """Return how much of a window is spent, as a bar, with the time left beside it where there is room.

    Beyond its last minute the bar moves every five seconds, beyond ten minutes every half minute, and beyond an
    hour every five minutes, rounded down: it never shows more time than there is, and a screen of bars costs a
    fraction of the repaints.

    Args:
        remaining_seconds: What is left of the window.
        window_seconds: The whole window.
        width: Cells there are; below `DEADLINE_WIDTH` the bar takes all of them.
        is_ascii: Whether it is drawn without line characters.

    Returns:
        `━━━━━━╸───── 04:01`, short `━━━━╸───`, in ASCII `####----`; it ends in `!` or `!!` as the deadline nears.
    """
    remaining = max(0, ceil(remaining_seconds))
    step = next((step for beyond, step in _DEADLINE_STEPS if remaining > beyond), 1)
    remaining -= remaining % step
    near = urgency(remaining, window_seconds)
    spent = 1.0 if near is Urgency.PASSED else max(0.0, 1 - remaining / window_seconds)
    beside = f" {countdown(remaining)}" if width >= DEADLINE_WIDTH else ""
    return scale(spent, width - len(beside), end=("", "!", "!!", "!!")[near], is_ascii=is_ascii) + beside


def scale(share: float, width: int, *, end: str = "", is_ascii: bool = False) -> str:
    """Return a share as a line of which so much is thick; half cells count where the line can show them.

    Args:
        share: Between 0 and 1.
        width: Cells of the line.
        end: What stands over its last cells.
        is_ascii: Whether it is drawn without line characters.
    """
    halves = min(2 * width, max(0, floor(share * 2 * width)))
    thick, half, thin = ("#", "", "-") if is_ascii else ("━", "╸", "─")
    line = thick * (halves // 2) + half * (halves % 2)
    line += thin * (width - len(line))
    return line[: width - len(end)] + end


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
