"""How single fields of SCM's JSON are read: any may be missing, null, empty or of another type than documented.

A field that an answer is useless without is refused; every other odd value becomes an empty one.
"""

from __future__ import annotations

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

from sectigo_tui.domain.clock import Moment
from sectigo_tui.scm.dates import moment

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


class ErrorBody(Wire):
    """The body of an error answer. Source: SCM manual 25.5."""

    code: Whole = None
    description: Text = ""


ERROR: TypeAdapter[ErrorBody] = TypeAdapter(ErrorBody)
