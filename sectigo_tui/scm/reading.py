"""From a body to a wire model, once, or to what is wrong with it."""

from __future__ import annotations

import json
from typing import TypeVar

from msgspec import Struct
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from sectigo_tui.domain.excerpts import describe_body, one_line

_MENDABLE_BYTES = 1_000_000
_NO_JSON = "json_invalid"

T = TypeVar("T")


class NotTheApi(Struct, frozen=True):
    """A body that cannot be what was asked for; `problem` says why, in one line."""

    reason: str


def read_json(adapter: TypeAdapter[T], body: bytes) -> T | NotTheApi:
    """Return what a body holds.

    Args:
        adapter: What it must hold.
        body: JSON in UTF-8, at most 10 MB.

    Returns:
        The wire model, or what is wrong.
    """
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        rejection = error
    mended = _mended(body) if _first(rejection)["type"] == _NO_JSON else b""
    if not mended:
        return NotTheApi(_what_is_wrong(rejection, body))
    try:
        return adapter.validate_json(mended)
    except ValidationError as error:
        return NotTheApi(_what_is_wrong(error, mended))


def _mended(body: bytes) -> bytes:
    """Return JSON whose text holds half a surrogate pair, or bytes that are no UTF-8, with these replaced.

    A requester's comment must not make an order unreadable for good. Empty when that is not what ails it.
    """
    if len(body) > _MENDABLE_BYTES:
        return b""
    try:
        value = json.loads(body.decode("utf-8-sig", "replace"))
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return b""


def _first(rejection: ValidationError) -> ErrorDetails:
    return rejection.errors(include_url=False, include_input=False, include_context=False)[0]


def _what_is_wrong(rejection: ValidationError, body: bytes) -> str:
    first = _first(rejection)
    if first["type"] == _NO_JSON or not first["loc"]:
        return f"answered with {describe_body(body)}"
    where = one_line(".".join(str(part) for part in first["loc"]))
    what = "is missing" if first["type"] == "missing" else one_line(first["msg"].removeprefix("Value error, "))
    return f"answered without what is needed: {where} {what}"
