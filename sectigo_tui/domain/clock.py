"""Time as a dependency: nothing else in this program reads a clock or sleeps."""

from __future__ import annotations

import time
from abc import ABC
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    Moment = datetime | date
else:

    class Moment(ABC):  # noqa: B024 - a name for two types, of which msgspec reads no union
        """Stands for both at run time."""

    Moment.register(date)
"""A point in time (aware, UTC), or a day where the source gave no time: a day never becomes a false hour."""


def moment_from(kind: type, value: Any) -> Any:
    """Read a point in time, or a day where no time was known, out of stored JSON: msgspec's `dec_hook`.

    Args:
        kind: What is wanted.
        value: Its text.

    Raises:
        NotImplementedError: Something else is wanted.
        ValueError: The text is neither.
    """
    if kind is not Moment:  # type: ignore[comparison-overlap]  # a class of its own at run time
        raise NotImplementedError(kind)
    return datetime.fromisoformat(value) if len(value) > len("2026-03-04") else date.fromisoformat(value)


class Clock(Protocol):
    """What the program knows of time."""

    def now(self) -> datetime:
        """Return the time of day: aware, UTC, and never earlier than a value returned before."""
        ...

    def wall(self) -> datetime:
        """Return the time of day as the machine has it now, which may be set: to be shown, never to count with."""
        ...

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start; only differences mean something."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for at least `seconds`; zero or less yields once to other tasks."""
        ...


class SystemClock:
    """The machine's clock, made steady.

    The wall clock of a host can be set, forward and back, while it runs. So the time of day counts the seconds that
    have passed, those of a suspend among them: after a suspend deadlines have passed, and a clock that is set ends no
    window and lets no countdown grow. Where the wall clock stays ahead or behind, this one follows it by running
    a little faster or slower, so that it never runs backwards.
    """

    slew = 0.001
    """How much faster or slower it runs at most: a window of ten minutes is not a second shorter or longer by it."""

    def __init__(self) -> None:
        self._passed = _seconds_since_boot()
        self._steady = time.time()
        self.ahead_seconds = 0.0
        """By how much the clock that a team goes by is ahead of this host's."""

    def now(self) -> datetime:
        """Return the time of day: aware, UTC, never running backwards."""
        passed = _seconds_since_boot()
        elapsed, self._passed = max(0.0, passed - self._passed), passed
        away = time.time() - (self._steady + elapsed)
        most = elapsed * self.slew
        self._steady += elapsed + min(max(away, -most), most)
        return datetime.fromtimestamp(self._steady + self.ahead_seconds, UTC)

    def wall(self) -> datetime:
        """Return the time of day as the machine has it, for a person who compares it with other clocks."""
        return datetime.fromtimestamp(time.time(), UTC)

    def monotonic(self) -> float:
        """Return the monotonic clock's seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the running event loop."""
        import asyncio

        await asyncio.sleep(max(0.0, seconds))


def _seconds_since_boot() -> float:
    """Return seconds that go on during a suspend: Linux has a clock of its own for that, elsewhere monotonic does."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


def seconds_between(earlier: datetime, later: datetime) -> float:
    """Return the seconds from one time to another, negative when `later` is the earlier one."""
    return (later - earlier) / timedelta(seconds=1)
