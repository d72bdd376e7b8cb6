"""Time as a dependency: nothing else in this program reads a clock or sleeps."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

Moment = datetime | date
"""A point in time (aware, UTC), or a day where the source gave no time: a day never becomes a false hour."""


class Clock(Protocol):
    """What the program knows of time."""

    def now(self) -> datetime:
        """Return the time of day: aware, UTC, and never earlier than a value returned before."""
        ...

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start; only differences mean something."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for at least `seconds`; zero or less yields once to other tasks."""
        ...


class SystemClock:
    """The machine's clock, made steady.

    The wall clock of a host can be set back, and a suspended host's monotonic clock stands still. So the time
    of day follows the monotonic clock, and jumps forward only when the wall clock is ahead by more than
    `jump_seconds`: after a suspend deadlines have passed, after a set-back no countdown grows.
    """

    jump_seconds = 2.0

    def __init__(self) -> None:
        self._anchor_wall = time.time()
        self._anchor_monotonic = time.monotonic()

    def now(self) -> datetime:
        """Return the time of day: aware, UTC, never running backwards."""
        monotonic = time.monotonic()
        steady = self._anchor_wall + (monotonic - self._anchor_monotonic)
        wall = time.time()
        if wall > steady + self.jump_seconds:
            self._anchor_wall, self._anchor_monotonic = wall, monotonic
            steady = wall
        return datetime.fromtimestamp(steady, UTC)

    def monotonic(self) -> float:
        """Return the monotonic clock's seconds."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Wait on the running event loop."""
        import asyncio

        await asyncio.sleep(max(0.0, seconds))


def seconds_between(earlier: datetime, later: datetime) -> float:
    """Return the seconds from one time to another, negative when `later` is the earlier one."""
    return (later - earlier) / timedelta(seconds=1)
