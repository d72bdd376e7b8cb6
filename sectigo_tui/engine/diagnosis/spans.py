"""Times and durations with no more precision than their sources have.

SCM tells many dates as days, and what is seen here happened some time since the poll before. So a time is a range,
and so is what lies between two of them: "2-3 d" rather than an hour that nobody told.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from math import ceil

from msgspec import Struct

from sectigo_tui.domain.clock import Moment, seconds_between

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0


class When(Struct, frozen=True):
    """A time that is known to lie between two.

    Args:
        earliest: The earliest it can have been: aware, UTC.
        latest: The latest.
    """

    earliest: datetime
    latest: datetime

    @classmethod
    def of(cls, moment: Moment) -> When:
        """Return a moment as a range: a day is all of it, in UTC (that SCM means UTC is assumed)."""
        if isinstance(moment, datetime):
            return cls(moment, moment)
        start = datetime.combine(moment, time_of_day(), UTC)
        return cls(start, start + timedelta(days=1))

    @property
    def is_day(self) -> bool:
        """Whether it is one whole day, of which no hour is known."""
        return seconds_between(self.earliest, self.latest) == _DAY and self.earliest.time() == time_of_day()

    @property
    def text(self) -> str:
        """In UTC: a day, a minute, or a range; the ends of a day are never shown as if somebody had told an hour."""
        if self.is_day:
            return f"{self.earliest:%Y-%m-%d}"
        if seconds_between(self.earliest, self.latest) < _MINUTE:
            return f"{self.latest:%Y-%m-%d %H:%MZ}"
        if self.earliest.date() != (self.latest - _INSTANT).date():
            return f"{_end(self.earliest, self.earliest)} to {_end(self.latest, self.latest - _INSTANT)}"
        if self.earliest.time() == time_of_day():
            return f"{self.latest:%Y-%m-%d, by %H:%MZ}"
        if self.latest.time() == time_of_day():
            return f"{self.earliest:%Y-%m-%d, after %H:%MZ}"
        return f"{self.earliest:%Y-%m-%d %H:%M}-{self.latest:%H:%MZ}"


class Span(Struct, frozen=True):
    """A duration that is known to lie between two.

    Args:
        at_least_seconds: The shortest it can be, never negative.
        at_most_seconds: The longest.
    """

    at_least_seconds: float
    at_most_seconds: float

    @classmethod
    def between(cls, start: When, end: When) -> Span:
        """Return how long it is from one time to another; nothing where they may be the other way round."""
        least = max(0.0, seconds_between(start.latest, end.earliest))
        return cls(least, max(least, seconds_between(start.earliest, end.latest)))

    @property
    def uncertainty_seconds(self) -> float:
        """How much is not known."""
        return self.at_most_seconds - self.at_least_seconds

    @property
    def text(self) -> str:
        """In completed units, such as `2h05m`, `12-17 m`, `2-3 d` or `<1 d`."""
        if self.uncertainty_seconds < _MINUTE:
            return _two_units(self.at_least_seconds)
        unit, name = next(
            (unit, name)
            for longest, uncertainty, unit, name in _UNITS
            if self.at_most_seconds < longest and self.uncertainty_seconds < uncertainty
        )
        low, high = int(self.at_least_seconds // unit), max(0, ceil(self.at_most_seconds / unit) - 1)
        if low >= high:
            return f"{low} {name}" if low else f"<1 {name}"
        return f"{low}-{high} {name}" if low else f"<{high + 1} {name}"


_INSTANT = timedelta(microseconds=1)


def _end(at: datetime, day_of: datetime) -> str:
    """Return one end of a range of days: midnight is where a day begins or ends, and no hour that was told."""
    return f"{day_of:%Y-%m-%d}" if at.time() == time_of_day() else f"{at:%Y-%m-%d %H:%MZ}"


_ENDLESS = float("inf")
_UNITS = (
    (2 * _HOUR, _HOUR, _MINUTE, "m"),
    (2 * _DAY, _DAY / 2, _HOUR, "h"),
    (_ENDLESS, _ENDLESS, _DAY, "d"),
)
"""The length and the uncertainty below which a unit is used."""


def _two_units(seconds: float) -> str:
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < _DAY:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86_400}d{whole % 86_400 // 3600:02d}h"
