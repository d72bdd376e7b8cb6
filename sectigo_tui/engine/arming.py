"""Writes in a read-only profile: locked, and armed by the operator for a limited time."""

from __future__ import annotations

from datetime import datetime, timedelta

ARMED_SECONDS = 300.0


class Arming:
    """Until when writes are armed.

    Attributes:
        until: Until when; None while they are not.
    """

    __slots__ = ("until",)

    def __init__(self) -> None:
        self.until: datetime | None = None

    def arm(self, now: datetime, seconds: float = ARMED_SECONDS) -> None:
        """Arm writes for some time, counted from now."""
        self.until = now + timedelta(seconds=seconds)

    def lock(self) -> None:
        """Lock them at once."""
        self.until = None

    def is_armed(self, now: datetime) -> bool:
        """Return whether writes are armed; once the time is up they are locked without anybody's doing."""
        return self.until is not None and now < self.until
