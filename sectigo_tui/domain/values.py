"""`dataclass`, as the standard library has it, with methods that are made when they are first called.

The standard library writes and compiles six methods for a frozen dataclass while its module is imported, half a
millisecond for each class, and this program has some eighty of them before its first paint. Here equality, hash and
representation are closures, and `__init__` is compiled for a class's first instance. Everything else is the standard
library's: `fields`, `replace`, `asdict`, matching, slots, and whatever knows dataclasses by their fields.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

__all__ = ["dataclass", "lazy_dataclass"]

T = TypeVar("T")

_NOT_GIVEN = object()


def lazy_dataclass(
    cls: type[T] | None = None, /, *, frozen: bool = False, slots: bool = False, kw_only: bool = False
) -> type[T] | Callable[[type[T]], type[T]]:
    """Make a class a dataclass; the arguments are those of `dataclasses.dataclass`.

    Args:
        cls: The class, when used without parentheses.
        frozen: Whether its instances never change; needs `slots`.
        slots: Whether they have slots.
        kw_only: Whether fields are only given by name.
    """

    def decorate(plain: type[T]) -> type[T]:
        made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(plain)
        for name, method in _methods(made, frozen=frozen).items():
            if plain.__dict__.get(name) is None:
                setattr(made, name, method)
        return made

    return decorate if cls is None else decorate(cls)


if TYPE_CHECKING:
    from dataclasses import dataclass
else:
    dataclass = lazy_dataclass


def _methods(made: type, *, frozen: bool) -> dict[str, Any]:
    names = [field.name for field in dataclasses.fields(made) if field.compare]
    values: Callable[[Any], object] = attrgetter(*names) if names else lambda _: ()

    def init(self: Any, *given: Any, **named: Any) -> None:
        compiled = _compiled_init(made, frozen=frozen)
        made.__init__ = compiled  # type: ignore[misc]  # from its first instance on
        compiled(self, *given, **named)

    def equals(self: Any, other: Any) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def hashed(self: Any) -> int:
        return hash(values(self))

    methods: dict[str, Any] = {"__init__": init, "__repr__": _shown, "__eq__": equals, "__hash__": None}
    if frozen:
        methods |= {
            "__hash__": hashed,
            "__setattr__": _refuse_to_set,
            "__delattr__": _refuse_to_delete,
            "__setstate__": _restore,
        }
    return methods


def _compiled_init(made: type, *, frozen: bool) -> Callable[..., None]:
    """Return an `__init__` that sets every field, through its slot where nothing else may."""
    known: dict[str, Any] = {"_not_given": _NOT_GIVEN}
    parameters, lines = ["self"], ["pass"]
    for field in sorted(dataclasses.fields(made), key=lambda field: field.kw_only is True):
        name = field.name
        if field.kw_only and "*" not in parameters:
            parameters.append("*")
        if field.default_factory is not MISSING:
            known[f"_make_{name}"] = field.default_factory
            parameters.append(f"{name}=_not_given")
            lines.append(f"if {name} is _not_given: {name} = _make_{name}()")
        elif field.default is not MISSING:
            known[f"_default_{name}"] = field.default
            parameters.append(f"{name}=_default_{name}")
        else:
            parameters.append(name)
        if frozen:
            known[f"_set_{name}"] = getattr(made, name).__set__
            lines.append(f"_set_{name}(self, {name})")
        else:
            lines.append(f"self.{name} = {name}")
    if hasattr(made, "__post_init__"):
        lines.append("self.__post_init__()")
    source = f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines)
    exec(source, known)  # noqa: S102 - of field names only, as the standard library does it
    compiled: Callable[..., None] = known["__init__"]
    compiled.__qualname__ = f"{made.__qualname__}.__init__"
    return compiled


def _shown(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _refuse_to_set(_: object, name: str, __: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _restore(self: object, state: tuple[None, dict[str, object]]) -> None:
    for name, value in state[1].items():
        object.__setattr__(self, name, value)
