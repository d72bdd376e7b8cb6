"""Dataclasses of this program are those of the standard library, whatever is asked of them."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from sectigo_tui.domain.values import lazy_dataclass

Decorate = Callable[..., Any]


def classes(dataclass: Decorate) -> Any:
    @dataclass(frozen=True, slots=True)
    class Point:
        """A place."""

        x: int
        y: int = 2
        name: str = dataclasses.field(default="", repr=False)
        tags: list[str] = dataclasses.field(default_factory=list, compare=False)

    return Point


def named(dataclass: Decorate) -> Any:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Named:
        """A name, and how often."""

        name: str = "nobody"
        count: int

    return Named


def password_change(dataclass: Decorate) -> Any:
    @dataclass
    class PasswordChange:
        """A count that goes on."""

        count: int = 0

        def __post_init__(self) -> None:
            self.count *= 10

    return PasswordChange


BOTH = pytest.mark.parametrize("dataclass", [dataclasses.dataclass, lazy_dataclass], ids=["library", "ours"])


@BOTH
def test_what_equals_what_and_how_it_is_shown(dataclass: Decorate) -> None:
    point = classes(dataclass)
    assert point(1) == point(1, 2, "", ["not compared"])
    assert point(1) != point(1, 3)
    assert point(1) != (1, 2, "")
    assert len({point(1), point(1), point(y=1, x=1)}) == 2
    assert repr(point(1, name="hidden")).endswith("Point(x=1, y=2, tags=[])")


@BOTH
def test_each_instance_has_a_list_of_its_own(dataclass: Decorate) -> None:
    point = classes(dataclass)
    first, second = point(1), point(1)
    first.tags.append("first")
    assert (first.tags, second.tags) == (["first"], [])


@BOTH
def test_a_frozen_one_is_neither_changed_nor_given_more(dataclass: Decorate) -> None:
    instance = classes(dataclass)(1)
    for name in ("x", "more"):
        with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
            setattr(instance, name, 5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        del instance.x
    assert not hasattr(instance, "__dict__")


@BOTH
def test_the_library_and_json_know_its_fields(dataclass: Decorate) -> None:
    point = classes(dataclass)
    moved = dataclasses.replace(point(1, tags=["a"]), x=7)
    assert dataclasses.asdict(moved) == {"x": 7, "y": 2, "name": "", "tags": ["a"]}
    assert orjson.dumps(moved) == json.dumps(dataclasses.asdict(moved), separators=(",", ":")).encode()
    match moved:
        case point(x, y):
            assert (x, y) == (7, 2)


@BOTH
def test_a_copy_is_as_frozen_as_the_first(dataclass: Decorate) -> None:
    first = classes(dataclass)(1, tags=["a"])
    second = copy.deepcopy(first)
    assert second == first
    assert second.tags == ["a"]
    with pytest.raises(dataclasses.FrozenInstanceError):
        second.x = 2


@BOTH
@pytest.mark.parametrize("wrong", [lambda made: made(), lambda made: made(1, 2), lambda made: made(name=1)])
def test_arguments_that_are_missing_too_many_or_unknown_are_refused(
    dataclass: Decorate, wrong: Callable[[Any], object]
) -> None:
    with pytest.raises(TypeError, match="__init__"):
        wrong(named(dataclass))


@BOTH
def test_fields_given_by_name_may_follow_ones_with_a_default(dataclass: Decorate) -> None:
    made = named(dataclass)(count=3)
    assert (made.name, made.count) == ("nobody", 3)


@BOTH
def test_one_that_is_not_frozen_is_set_up_further_changes_and_is_no_key(dataclass: Decorate) -> None:
    made = password_change(dataclass)()
    made.count += 1
    assert made.count == 1
    assert type(made)(2).count == 20
    assert made != type(made)(2)
    with pytest.raises(TypeError, match="unhashable"):
        hash(made)


@BOTH
def test_a_method_of_the_class_itself_stays(dataclass: Decorate) -> None:
    @dataclass(frozen=True, slots=True)
    class Secret:
        """A word that is not shown."""

        word: str

        def __repr__(self) -> str:
            return "Secret(...)"

    assert repr(Secret("open sesame")) == "Secret(...)"
