"""Orders, timeline entries and polls as stored documents, and back.

A field added to the domain is stored without a line here: a document from before has its default. A document that lacks
a field without one, or holds a value of another type or a word that no enum knows, is damaged and never half read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import fields, replace

from sectigo_tui.domain.clock import moment_from as _moment
from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollOutcome, PollResult, PollWindow

SCHEMA_VERSION = 1
"""What this program writes. It grows with every change of a stored document, an added field included."""

MIGRATIONS: Mapping[int, Callable[[Document], Document]] = {}
"""From a version to the next: takes an order's document and returns it with the next version's fields."""


def migrated(
    document: Document,
    version: int,
    *,
    steps: Mapping[int, Callable[[Document], Document]] = MIGRATIONS,
    newest: int = SCHEMA_VERSION,
) -> Document:
    """Return an order's document as the newest version has it.

    Args:
        document: The document, used up.
        version: The version it was written by, at most `newest`.
        steps: From each older version to the next.
        newest: The version wanted.

    Raises:
        KeyError: No step leads on from a version.
    """
    for older in range(version, newest):
        document = steps[older](document)
    return document


def too_new(path: str, version: int) -> StoreError:
    """Return the failure to report for a file that a newer program wrote: nothing of it is changed."""
    return StoreError(
        path,
        f"written by a newer sectigo-tui (schema {version}; this one knows up to {SCHEMA_VERSION})",
        "install that version again; nothing was changed",
    )


Document = dict[str, Any]
"""A parsed JSON object; it does not leave this package."""

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError, msgspec.MsgspecError)
"""What reading a document that is not one of ours raises."""

_Made = TypeVar("_Made")


class Note(Struct, frozen=True):
    """Poll bookkeeping of one order: what a poll changes without changing the order.

    Args:
        order_id: The order.
        revision: The order's revision when the poll was made.
        window: Its poll window after the poll.
        last_poll: Its newest poll.
        last_answer_at: Its newest poll that told something.
        poll: The poll to add to its history.
    """

    order_id: str
    revision: int
    window: PollWindow | None
    last_poll: PollResult | None
    last_answer_at: datetime | None
    poll: PollResult | None


class Actor(Struct, frozen=True, omit_defaults=True):
    """Who wrote a line.

    Args:
        user: The operating system's user name.
        pid: The process.
        tty: Its terminal, such as `pts/3`; empty without one.
        ssh: The address the operator's SSH session came from; empty without one.
        host: The machine; empty where a line from before does not tell it.
    """

    user: str
    pid: int
    tty: str
    ssh: str
    host: str = ""


def dumps(value: object) -> bytes:
    """Return a value as JSON; what no JSON can hold (lone surrogates) becomes a replacement character.

    Args:
        value: Records, dictionaries, lists, scalars.

    Raises:
        ValueError: A number is beyond 64 bits.
    """
    try:
        data = _ENCODE(value)
    except UnicodeEncodeError:
        data = _ENCODE(_encodable(value))
    if _MANY_DIGITS in data.translate(_DIGITS_AS_ZEROS):
        _check_numbers(value)
    return data


def loads(data: bytes | msgspec.Raw) -> Any:
    """Return what JSON holds; `UNREADABLE` tells what it raises for what is none."""
    return _DECODE(data)


_MANY_DIGITS = b"0" * len(str(2**63))
_DIGITS_AS_ZEROS = bytes.maketrans(b"123456789", b"0" * 9)


def _check_numbers(value: Any) -> None:
    """Reject a number that other readers of JSON would round.

    Raises:
        ValueError: It is beyond 64 bits.
    """
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        raise ValueError("a number exceeds the 64-bit range")
    parts: Iterable[Any] = ()
    if isinstance(value, dict):
        parts = value.values()
    elif isinstance(value, Struct):
        parts = [getattr(value, each.name) for each in fields(value)]
    elif isinstance(value, tuple | list):
        parts = value
    for part in parts:
        _check_numbers(part)


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _encodable(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_encodable(each) for each in value]
    if isinstance(value, Struct):
        return replace(value, **{each.name: _encodable(getattr(value, each.name)) for each in fields(value)})
    return value


def sparse(value: Struct) -> Document:
    """Return a record as a document without the fields that have their defaults, which reading fills in again."""
    document: Document = {}
    for name, default in _defaults(type(value)):
        held = getattr(value, name)
        if held is not default and held != default:
            document[name] = sparse(held) if isinstance(held, Struct) else held
    return document


@cache
def _defaults(kind: type[Struct]) -> tuple[tuple[str, Any], ...]:
    # msgspec resolves the annotations of a class whenever it is asked for its fields.
    return tuple((each.name, each.default) for each in fields(kind))


def _reader(made: type[_Made]) -> Callable[[Document], _Made]:
    """Return what makes an instance of its document."""
    return lambda document: msgspec.convert(document, made, dec_hook=_moment)


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder().decode

order_from = _reader(Order)
"""Make an order of its document, which is used up."""

_ORDER = msgspec.json.Decoder(Order, dec_hook=_moment)


def order_in(data: msgspec.Raw, version: int) -> Order:
    """Make an order of its JSON.

    Args:
        data: The JSON.
        version: The version it was written by, at most the newest.
    """
    return _ORDER.decode(data) if version == SCHEMA_VERSION else order_from(migrated(loads(data), version))


def record_in(data: bytes, kind: type[_Made]) -> _Made:
    """Make a record of its JSON; `UNREADABLE` tells what it raises for what is none of the kind."""
    return msgspec.json.decode(data, type=kind, dec_hook=_moment)


entry_from = _reader(TimelineEntry)
"""Make a timeline entry of its document, which is used up."""

note_from = _reader(Note)
"""Make a note of its document, which is used up."""

actor_from = _reader(Actor)
"""Make an actor of its document, which is used up."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST_DETAIL = 200


def packed_poll(poll: PollResult) -> bytes:
    """Return a poll as a short JSON array, of which tens of thousands stay in memory."""
    return dumps(
        (
            (poll.at - _EPOCH) // _MICROSECOND,
            poll.outcome,
            poll.detail[:_LONGEST_DETAIL],
            poll.latency_seconds,
            poll.http_status,
            poll.code,
        )
    )


def unpacked_polls(rows: bytes) -> list[PollResult]:
    """Make polls of their arrays, with commas between."""
    return [unpacked_poll(row) for row in loads(b"[" + rows + b"]")]


def unpacked_poll(row: list[Any]) -> PollResult:
    """Make a poll of its array."""
    at, outcome, *rest = row
    return PollResult(_EPOCH + at * _MICROSECOND, PollOutcome(outcome), *rest)
