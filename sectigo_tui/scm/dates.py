"""Points in time as SCM writes them."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

from sectigo_tui.domain.clock import Moment, seconds_between

LONGEST_RETRY_AFTER_SECONDS = 86_400.0
"""What asks for longer is taken for this: a wait without measure would be one without end."""

_LONGEST = 40
_US_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})", re.ASCII)
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_ISO_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?) ?(Z|[+-]\d{2}:?\d{2})?",
    re.ASCII | re.IGNORECASE,
)


def moment(value: object) -> Moment | None:
    """Return a date or a time as it was meant: a day stays a day.

    A time without a zone is taken as UTC. Source: `MM/DD/YYYY` SCM manual 25.5 and observed, ISO date-times OpenAPI
    25.9, `YYYY-MM-DD` and `YYYY-MM-DD HH:mm:ss` SCM manual 25.5 for DCV; UTC is assumed.

    Args:
        value: What stood in the answer.

    Returns:
        A `date`, an aware UTC `datetime`, or None for what is neither: one odd date does not spoil an answer.
    """
    if not isinstance(value, str) or len(value) > _LONGEST:
        return None
    text = value.strip()
    try:
        if us_day := _US_DAY.fullmatch(text):
            month, day, year = us_day.groups()
            return date(int(year), int(month), int(day))
        if _ISO_DAY.fullmatch(text):
            return date.fromisoformat(text)
        if iso_time := _ISO_TIME.fullmatch(text):
            iso_day, clock, zone = iso_time.groups()
            time = datetime.fromisoformat(f"{iso_day}T{clock}{(zone or 'Z').upper()}")
            return time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None


def retry_after_seconds(value: str, now: datetime) -> float | None:
    """Return how long an answer asks to wait.

    Args:
        value: The header `Retry-After`: seconds, or an HTTP date.
        now: The time of day.

    Returns:
        Seconds, never negative, a day at the most; None for what cannot be understood.
    """
    text = value.strip()
    try:
        seconds: float | None = float(text)
    except ValueError:
        seconds = _seconds_until(text, now)
    if seconds is None or not math.isfinite(seconds) or seconds < 0:
        return None
    return min(seconds, LONGEST_RETRY_AFTER_SECONDS)


def _seconds_until(http_date: str, now: datetime) -> float | None:
    if len(http_date) > _LONGEST:
        return None
    try:
        due = parsedate_to_datetime(http_date)
        aware = due if due.tzinfo else due.replace(tzinfo=UTC)
        return max(0.0, seconds_between(now, aware))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
