"""What is stored comes back as it was, or not at all."""

from __future__ import annotations

import types
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import fields, replace

from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollResult
from sectigo_tui.store.documents import (
    UNREADABLE,
    dumps,
    entry_from,
    migrated,
    order_from,
    packed_poll,
    unpacked_poll,
)
from support.stored_orders import an_order

SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(max_size=20),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    date: st.dates(),
    types.NoneType: st.none(),
    Moment: st.one_of(st.datetimes(timezones=st.just(UTC)), st.dates()),
}


def any_of(hint: Any) -> st.SearchStrategy[Any]:
    """Return a strategy for whatever a domain dataclass's field may hold."""
    if hint in SCALARS:
        return SCALARS[hint]
    if get_origin(hint) in {Union, types.UnionType}:
        return st.one_of(*(any_of(each) for each in get_args(hint)))
    if get_origin(hint) is tuple:
        first, *rest = get_args(hint)
        if rest == [...]:
            return st.lists(any_of(first), max_size=3).map(tuple)
        return st.tuples(*(any_of(each) for each in (first, *rest)))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    assert isinstance(hint, type), hint
    assert issubclass(hint, Struct), hint
    hints = get_type_hints(hint)
    return st.builds(hint, **{each.name: any_of(hints[each.name]) for each in fields(hint)})


@given(any_of(Order))
def test_any_order_comes_back_as_it_was(order: Order) -> None:
    assert order_from(orjson.loads(dumps(order))) == order


@given(any_of(TimelineEntry))
def test_any_timeline_entry_comes_back_as_it_was(entry: TimelineEntry) -> None:
    assert entry_from(orjson.loads(dumps(entry))) == entry


@given(any_of(PollResult))
def test_any_poll_comes_back_as_it_was(poll: PollResult) -> None:
    assert unpacked_poll(orjson.loads(packed_poll(poll))) == poll


def test_a_day_without_a_time_stays_a_day() -> None:
    stored = order_from(orjson.loads(dumps(an_order())))
    assert stored.details is not None
    assert type(stored.details.requested) is date


def test_half_a_surrogate_from_scm_does_not_keep_a_paid_order_from_being_stored() -> None:
    order = replace(an_order(), common_name="torn \ud83d name")
    assert order_from(orjson.loads(dumps(order))).common_name == "torn ? name"


def test_a_number_no_json_holds_is_refused_rather_than_rounded() -> None:
    with pytest.raises(ValueError, match="64-bit"):
        dumps(replace(an_order(), ssl_id=2**70))


@pytest.mark.parametrize("key", ["id", "state", "state_since", "created_at", "origin"])
def test_a_document_that_lacks_what_every_order_has_is_damaged_and_never_half_read(key: str) -> None:
    document = orjson.loads(dumps(an_order()))
    del document[key]
    with pytest.raises(UNREADABLE):
        order_from(document)


def test_a_document_from_before_a_field_was_added_has_its_default() -> None:
    document = orjson.loads(dumps(an_order()))
    del document["removed"], document["window"]["reason"], document["details"]["custom_fields"]
    assert order_from(document) == an_order()


def test_a_word_that_this_program_does_not_know_is_damage() -> None:
    document = orjson.loads(dumps(an_order())) | {"state": "teleported"}
    with pytest.raises(UNREADABLE):
        order_from(document)


def test_an_older_document_is_brought_up_to_date_step_by_step() -> None:
    steps = {
        1: lambda document: document | {"priority": document["rank"]},
        2: lambda document: document | {"priority": document["priority"] + 1},
    }
    assert migrated({"rank": 4}, 1, steps=steps, newest=3)["priority"] == 5
    assert migrated({"priority": 4}, 3, steps=steps, newest=3) == {"priority": 4}
