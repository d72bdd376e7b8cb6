"""How single fields of SCM's JSON are read: any may be missing, null, empty or of another type than documented.

A field that an answer is useless without is rejected; every other odd value becomes an empty one.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainValidator,
    TypeAdapter,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic.alias_generators import to_camel

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


MAX_TEXT_CHARACTERS = 4_096
"""The longest text that is kept: requesters may write anything, and rows are kept by the thousand."""

MAX_ITEMS = 10_000
"""The most names, custom fields and the like that one record keeps."""

_MAX_INTEGER = 2**63 - 1


def text(value: object) -> str:
    """Return a text or number as text, cut to `MAX_TEXT_CHARACTERS`; empty for anything else."""
    if isinstance(value, str):
        return value[:MAX_TEXT_CHARACTERS]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)[:MAX_TEXT_CHARACTERS] if abs(value) <= _MAX_INTEGER else ""
    return ""


def whole(value: object) -> int | None:
    """Return a whole number of 64 bits, also from text; None for anything else."""
    if isinstance(value, str):
        digits = value.strip()
        if len(digits) > 20 or not digits.removeprefix("-").isdecimal() or not digits.isascii():
            return None
        value = int(digits)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value // 1:
        return None
    return int(value) if abs(value) <= _MAX_INTEGER else None


def identity(value: object) -> int:
    """Return an id: a whole number above 0.

    Raises:
        ValueError: It is none.
    """
    number = whole(value)
    if number is None or number <= 0:
        raise ValueError("is no id")
    return number


def needed_text(value: object) -> str:
    """Return a text that is not empty.

    Raises:
        ValueError: It is.
    """
    found = text(value).strip()
    if not found:
        raise ValueError("is empty")
    return found


def flag(value: object) -> bool:
    """Return whether a value says yes."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def names(value: object) -> tuple[str, ...]:
    """Return names from a list or from comma-separated text."""
    if isinstance(value, str):
        value = value.split(",", MAX_ITEMS)
    if not isinstance(value, list):
        return ()
    found = (text(name).strip() for name in value[:MAX_ITEMS])
    return tuple(name for name in found if name)


def records(value: object) -> list[Any]:
    """Return the objects in a list, or the one object that stands where a list is documented."""
    if isinstance(value, dict):
        return [value]
    return [item for item in value[:MAX_ITEMS] if isinstance(item, dict)] if isinstance(value, list) else []


def record(value: object) -> object:
    """Return an object as it is; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def usable(value: object, read: ValidatorFunctionWrapHandler) -> list[Any]:
    """Return the items of a list that can be used: one odd item must not hide the others.

    Raises:
        ValueError: There are items, and none can be used.
    """
    found: list[Any] = read(value)
    if value and not found:
        raise ValueError("holds nothing that can be used")
    return found


Usable = WrapValidator(usable)
Text = Annotated[str, PlainValidator(text)]
NeededText = Annotated[str, PlainValidator(needed_text)]
Whole = Annotated[int | None, PlainValidator(whole)]
Id = Annotated[int, PlainValidator(identity)]
Flag = Annotated[bool, PlainValidator(flag)]
When = Annotated[Moment | None, PlainValidator(moment)]
Names = Annotated[tuple[str, ...], PlainValidator(names)]
Records = BeforeValidator(records)
Record = BeforeValidator(record)


LATER = ConfigDict(defer_build=True)
"""Has a schema built when first used, which keeps it out of the program's start."""


class Wire(BaseModel):
    """An object of the API: names in camelCase, unknown fields ignored."""

    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, **LATER)


def words_in(value: object) -> str:
    """Return what an error's `items` or `details` say as one text, whatever their shape, which is not documented."""
    return _words(value, 0)


def _words(value: object, depth: int) -> str:
    if isinstance(value, dict) and depth < _WORDS_DEPTH:
        told = ((text(name), _words(one, depth + 1)) for name, one in list(value.items())[:MAX_ERROR_ITEMS])
        return ", ".join(f"{name}: {words}" for name, words in told if words)
    if isinstance(value, list) and depth < _WORDS_DEPTH:
        return "; ".join(filter(None, (_words(one, depth + 1) for one in value[:MAX_ERROR_ITEMS])))
    return text(value).strip()


MAX_ERROR_ITEMS = 20
"""Of what an error's body adds to its description, so many items are told."""

_WORDS_DEPTH = 3


class ErrorBody(Wire):
    """The body of an error answer. Source: SCM manual 25.5."""

    code: Whole = None
    description: Text = ""
    details: Annotated[str, PlainValidator(words_in)] = ""
    items: Annotated[str, PlainValidator(words_in)] = ""

    @property
    def words(self) -> str:
        """SCM's own words: the description, then what `details` and `items` add to it."""
        added = [more for more in (self.details, self.items) if more and more not in self.description]
        return " ".join(filter(None, (self.description, *(f"[{more}]" for more in dict.fromkeys(added)))))


ERROR: TypeAdapter[ErrorBody] = TypeAdapter(ErrorBody)
