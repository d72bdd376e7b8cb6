"""Orders, timeline entries and looks as stored documents, and back.

Writing is orjson's own dataclass support, so a field added to the domain is stored without a line here. Reading is
built from the same fields: a document that lacks one, or holds a word no enum knows, is damaged and never half read.
Types are not validated a second time, since every document lies under a checksum; that, and setting slots without
`__init__`, makes opening a store of 10,000 orders cost less than twice their bare parsing, where pydantic needs
more and is an import that the first paint would wait for.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from itertools import repeat
from operator import call, itemgetter
from sys import intern
from typing import Any, TypeVar

import orjson

from sectigo_tui.domain.certificates import CertificateFacts, OrderDetails
from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import (
    Look,
    LookOutcome,
    Order,
    OrderState,
    Origin,
    PollWindow,
    Revocation,
    WaitReason,
    WindowEnd,
)

Document = dict[str, Any]
"""A parsed JSON object; it does not leave this package."""

UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)
"""What reading a document that is not one of ours raises."""

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Note:
    """Poll bookkeeping of one order: what a look changes without changing the order.

    Args:
        order_id: The order.
        revision: The order's revision when the look was made.
        window: Its poll window after the look.
        last_look: Its newest look.
        last_answer_at: Its newest look that told something.
        look: The look to add to its history.
    """

    order_id: str
    revision: int
    window: PollWindow | None
    last_look: Look | None
    last_answer_at: datetime | None
    look: Look | None


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


def _reader(made: type[_Made], **conversions: Callable[[Any], object]) -> Callable[[Document], _Made]:
    names = [each.name for each in fields(made)]  # type: ignore[arg-type]  # every type read here is a dataclass
    pick = itemgetter(*names)
    setters = tuple(getattr(made, name).__set__ for name in names)
    converted = tuple(conversions.items())

    def read(document: Document) -> _Made:
        for name, convert in converted:
            if (value := document[name]) is not None:
                document[name] = convert(value)
        instance: _Made = object.__new__(made)
        # One C loop over the slots: a frozen dataclass's own __init__ takes three times as long.
        deque(map(call, setters, repeat(instance), pick(document)), maxlen=0)
        return instance

    return read


def _moment(text: str) -> Moment:
    return datetime.fromisoformat(text) if len(text) > 10 else date.fromisoformat(text)


def _pairs(rows: list[list[str]]) -> tuple[tuple[str, ...], ...]:
    return tuple(map(tuple, rows))


def _word(words: type[StrEnum]) -> Callable[[str], StrEnum]:
    return {each.value: each for each in words}.__getitem__


_time = datetime.fromisoformat

look_from = _reader(Look, at=_time, outcome=_word(LookOutcome), detail=intern)
"""Make a look of its document, which is used up."""

window_from = _reader(PollWindow, opened_at=_time, next_look_at=_time, reason=_word(WaitReason), ended=_word(WindowEnd))
"""Make a poll window of its document, which is used up."""

_details_from = _reader(
    OrderDetails,
    status=intern,
    subject_alternative_names=tuple,
    profile_name=intern,
    validation=intern,
    owner=intern,
    requester=intern,
    requested_via=intern,
    requested=_moment,
    approved=_moment,
    issued=_moment,
    declined=_moment,
    expires=_moment,
    revoked=_moment,
    replaced=_moment,
    key_type=intern,
    issuer=intern,
    custom_fields=_pairs,
)

_certificate_from = _reader(CertificateFacts, subject_alternative_names=tuple, not_before=_time, not_after=_time)

_revocation_from = _reader(Revocation, asked_at=_time, confirmed_at=_time, next_attempt_at=_time)

order_from = _reader(
    Order,
    state=_word(OrderState),
    state_since=_time,
    created_at=_time,
    origin=_word(Origin),
    profile_name=intern,
    validation=intern,
    details=_details_from,
    window=window_from,
    last_look=look_from,
    last_answer_at=_time,
    certificate=_certificate_from,
    revocation=_revocation_from,
)
"""Make an order of its document, which is used up; further keys in it are left alone."""

entry_from = _reader(
    TimelineEntry, at=_time, kind=_word(EventKind), from_state=_word(OrderState), to_state=_word(OrderState)
)
"""Make a timeline entry of its document, which is used up."""

note_from = _reader(Note, window=window_from, last_look=look_from, last_answer_at=_time, look=look_from)
"""Make a note of its document, which is used up."""

actor_from = _reader(Actor)
"""Make an actor of its document."""


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST_DETAIL = 200


def packed_look(look: Look) -> bytes:
    """Return a look as a short JSON array, of which tens of thousands stay in memory."""
    return dumps(
        (
            (look.at - _EPOCH) // _MICROSECOND,
            look.outcome,
            look.detail[:_LONGEST_DETAIL],
            look.latency_seconds,
            look.http_status,
            look.code,
        )
    )


def unpacked_look(row: list[Any]) -> Look:
    """Make a look of its array."""
    at, outcome, *rest = row
    return Look(_EPOCH + at * _MICROSECOND, LookOutcome(outcome), *rest)
