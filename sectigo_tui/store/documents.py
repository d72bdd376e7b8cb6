"""Orders, timeline entries and looks as stored documents, and back.

Writing is orjson's own dataclass support, and reading is built from the fields' types, so a field added to the domain
is stored without a line here: a document from before has its default. A document that lacks a field without one, or
holds a word no enum knows, is damaged and never half read. Types are not validated a second time, since every
document lies under a checksum; that, and compiled code that sets slot after slot, makes opening a store of 10,000
orders cost less than twice their bare parsing, where pydantic is an import that the first paint waits for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from sys import intern
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import orjson

from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollOutcome, PollResult, PollWindow
from sectigo_tui.domain.values import dataclass

Document = dict[str, Any]
"""A parsed JSON object; it does not leave this package."""

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)
"""What reading a document that is not one of ours raises."""

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Note:
    """Poll bookkeeping of one order: what a poll changes without changing the order.

    Args:
        order_id: The order.
        revision: The order's revision when the poll was made.
        window: Its poll window after the poll.
        last_look: Its newest poll.
        last_answer_at: Its newest poll that told something.
        look: The poll to add to its history.
    """

    order_id: str
    revision: int
    window: PollWindow | None
    last_poll: PollResult | None
    last_answer_at: datetime | None
    poll: PollResult | None


@dataclass(frozen=True, slots=True)
class Actor:
    """Who wrote a line.

    Args:
        user: The operating system's user name.
        pid: The process.
        tty: Its terminal, such as `pts/3`; empty without one.
        ssh: The address the operator's SSH session came from; empty without one.
    """

    user: str
    pid: int
    tty: str
    ssh: str


def dumps(value: object) -> bytes:
    """Return a value as JSON; what no JSON can hold (lone surrogates) becomes a replacement character.

    Args:
        value: Dataclasses, dictionaries, lists, scalars.

    Raises:
        ValueError: A number is beyond 64 bits.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        pass
    try:
        return orjson.dumps(_encodable(value))
    except orjson.JSONEncodeError as error:
        raise ValueError(str(error)) from error


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _encodable(each) for key, each in value.items()}
    if isinstance(value, tuple | list):
        return [_encodable(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        changed = {each.name: _encodable(getattr(value, each.name)) for each in fields(value)}
        return replace(value, **changed)
    return value


def sparse(value: Any) -> Document:
    """Return a dataclass as a document without the fields that have their defaults, which reading fills in again."""
    document: Document = {}
    for each in fields(value):
        held = getattr(value, each.name)
        if held is not each.default and held != each.default:
            document[each.name] = sparse(held) if is_dataclass(held) else held
    return document


def _reader(made: type[_Made]) -> Callable[[Document], _Made]:
    """Return what makes an instance of its document; it is put together for the first one."""
    prepared: Callable[[Document], _Made] | None = None

    def read(document: Document) -> _Made:
        nonlocal prepared
        if prepared is None:
            prepared = _compiled_reader(made)
        return prepared(document)

    return read


def _compiled_reader(made: type[_Made]) -> Callable[[Document], _Made]:
    """Return code that fills slot after slot: what a loop over the fields would take, and `__init__`, is spared.

    Slots of a frozen class can only be set by a call for each. So they are set, by plain assignments in half the time,
    while the instance is of a class of the same slots that is not frozen; then it becomes one of the frozen class.
    """
    hints = get_type_hints(made)
    names = [each.name for each in fields(made)]  # type: ignore[arg-type]  # only dataclasses are read
    blank = type(made.__name__, (), {"__slots__": names})
    known: dict[str, Any] = {"made": made, "blank": blank, "defaults": _defaults(made)}
    lines = [f"if len(document) < {len(names)}: document = {{**defaults, **document}}", "instance = blank()"]
    for name in names:
        value = f"document[{name!r}]"
        if (convert := _conversion(name, hints[name])) is not None:
            known[f"convert_{name}"] = convert
            lines.append(f"value = {value}")
            value = f"None if value is None else convert_{name}(value)"
        lines.append(f"instance.{name} = {value}")
    body = "\n ".join([*lines, "instance.__class__ = made", "return instance"])
    exec(f"def read(document):\n {body}", known)  # noqa: S102 - of field names only, as dataclasses do it
    read: Callable[[Document], _Made] = known["read"]
    return read


def _defaults(made: type) -> Document:
    defaults = {each.name: each.default for each in fields(made) if each.default is not MISSING}
    for name, value in defaults.items():
        if isinstance(value, StrEnum):
            defaults[name] = value.value
    return defaults


def _conversion(name: str, hint: Any) -> Callable[[Any], object] | None:
    inside = set(get_args(hint)) - {NoneType} if get_origin(hint) in {Union, UnionType} else {hint}
    if inside == {datetime, date}:
        return _moment
    (kind,) = inside
    if kind in _AS_THEY_COME:
        return intern if name in _OFTEN_THE_SAME else None
    if kind is datetime:
        return datetime.fromisoformat
    if get_origin(kind) is tuple:
        return _tuple_of(_conversion(name, get_args(kind)[0]))
    if issubclass(kind, StrEnum):
        return {each.value: each for each in kind}.__getitem__
    return _reader(kind)


def _tuple_of(convert: Callable[[Any], object] | None) -> Callable[[list[Any]], tuple[object, ...]]:
    return tuple if convert is None else lambda values: tuple(map(convert, values))


def _moment(text: str) -> Moment:
    return datetime.fromisoformat(text) if len(text) > len("2026-03-04") else date.fromisoformat(text)


_AS_THEY_COME = frozenset({str, int, float, bool})

_OFTEN_THE_SAME = frozenset(
    {
        "status",
        "profile_name",
        "validation",
        "owner",
        "requester",
        "requested_via",
        "key_type",
        "key",
        "issuer",
        "user",
        "tty",
    }
)
"""Texts of which many orders have the same one: kept once."""

order_from = _reader(Order)
"""Make an order of its document, which is used up."""

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


def unpacked_poll(row: list[Any]) -> PollResult:
    """Make a poll of its array."""
    at, outcome, *rest = row
    return PollResult(_EPOCH + at * _MICROSECOND, PollOutcome(outcome), *rest)
