"""Faults on demand: what a network, a gateway or an overloaded service does to a request.

`KINDS` is the whole vocabulary. The same words are used in process (`world.faults.add("lost", path="enroll")`), on
the command line (`Fault.parse("lost path=enroll count=1")`) and by `POST /_sim/faults` as JSON.
"""

import random
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Self

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "latency": "the answer comes `seconds` later; the request is done before the wait, or after it",
        "unauthorized": "401 with SCM's -16",
        "rate-limit": "429, with Retry-After as `retry_after`, if that is given",
        "unavailable": "503 with an HTML page, and Retry-After, if `retry_after` is given",
        "error": "`status` with the JSON error `code` and `description`",
        "html": "200 with an HTML page",
        "empty": "200 with nothing",
        "not-json": "200 with JSON cut in the middle",
        "wrong-json": "200 with valid JSON of a wrong shape",
        "huge": "200 with `size` bytes",
        "redirect": "302 to `location`",
        "torn": "half of the body that Content-Length promises, then the connection is closed",
        "drop": "the connection is closed before anything was done",
        "lost": "the request is done, then the connection is closed without an answer",
    }
)
"""What each kind does."""

_DONE_ALWAYS = frozenset({"torn", "lost"})
_DONE_NEVER = frozenset({"drop"})


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault and the requests that meet it.

    Args:
        kind: One of `KINDS`.
        method: Only requests of this method; all if empty.
        path: Only requests in whose path this regular expression is found.
        count: How many requests meet it; None for all.
        after: How many matching requests are spared first.
        probability: The chance of each matching request to meet it.
        done: The request is done although its answer says otherwise; what `torn` and `lost` always do.
        seconds: For `latency`.
        retry_after: For `rate-limit`, `unavailable` and `error`: seconds, or an HTTP date.
        status: For `error`.
        code: For `error`.
        description: For `error`.
        location: For `redirect`.
        size: For `huge`.
    """

    kind: str
    method: str = ""
    path: str = ""
    count: int | None = None
    after: int = 0
    probability: float = 1.0
    done: bool = False
    seconds: float = 1.0
    retry_after: str = ""
    status: int = 400
    code: int = -2
    description: str = "Internal error. Please contact Support for details."
    location: str = "http://127.0.0.1:9/elsewhere"
    size: int = 11_000_000

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault is called {self.kind!r}; there are {', '.join(KINDS)}")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ValueError(f"{self.path!r} is no regular expression: {error}") from None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a fault from one line.

        Args:
            text: The kind and then `name=value` for what differs from the default, such as
                `rate-limit path=^/api/ssl retry_after=30 count=5`.

        Raises:
            ValueError: It is not understood.
        """
        kind, *settings = shlex.split(text) or [""]
        return cls.from_mapping({"kind": kind, **dict(_pair(setting) for setting in settings)})

    @classmethod
    def from_mapping(cls, values: Mapping[str, object]) -> Self:
        """Read a fault from names and values, the values as themselves or as text.

        Raises:
            ValueError: A name or a value is not understood.
        """
        readers: Mapping[str, Callable[[str], object]] = {
            "count": int,
            "after": int,
            "probability": float,
            "done": _truth,
            "seconds": float,
            "status": int,
            "code": int,
            "size": int,
        }
        known = {one.name for one in fields(cls)}
        unknown = values.keys() - known
        if unknown or "kind" not in values:
            raise ValueError(f"a fault has {', '.join(sorted(known))}, not {', '.join(sorted(unknown)) or 'nothing'}")
        made = {name: readers.get(name, str)(str(value)) for name, value in values.items() if value is not None}
        return cls(**made)  # type: ignore[arg-type] # each value was read as its own field's type

    @property
    def applies(self) -> bool:
        """Whether the request is done before its answer goes wrong."""
        return self.kind in _DONE_ALWAYS or (self.done and self.kind not in _DONE_NEVER)


class Faults:
    """The faults in force, in the order in which they were added.

    Args:
        chance: Decides where a probability does.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._active: list[_Active] = []

    def add(self, fault: str | Fault, **settings: object) -> Fault:
        """Put a fault in force.

        Args:
            fault: The fault, or the name of its kind with `settings` for its fields.
            settings: Fields of `Fault`.

        Raises:
            ValueError: There is no such fault.
        """
        made = fault if isinstance(fault, Fault) else Fault.from_mapping({"kind": fault, **settings})
        self._active.append(_Active(made, made.after, made.count))
        return made

    def clear(self) -> None:
        """Let everything work again."""
        self._active.clear()

    def listed(self) -> list[Fault]:
        """Return what is in force, with what is left of each."""
        return [replace(one.fault, after=one.spared, count=one.left) for one in self._active]

    def meet(self, method: str, path: str) -> list[Fault]:
        """Return the faults which a request meets: every latency, and the first other one; each is used up by it."""
        met: list[Fault] = []
        for active in self._active:
            ends = active.fault.kind != "latency"
            if ends and any(one.kind != "latency" for one in met):
                continue
            if active.matches(method, path) and active.strikes(self._chance):
                met.append(active.fault)
        self._active = [one for one in self._active if one.left != 0]
        return met


@dataclass(slots=True)
class _Active:
    fault: Fault
    spared: int
    left: int | None

    def matches(self, method: str, path: str) -> bool:
        return (not self.fault.method or self.fault.method == method) and bool(re.search(self.fault.path, path))

    def strikes(self, chance: random.Random) -> bool:
        if self.left == 0:
            return False
        if self.spared:
            self.spared -= 1
            return False
        if self.fault.probability < 1 and chance.random() >= self.fault.probability:
            return False
        if self.left is not None:
            self.left -= 1
        return True


def _pair(setting: str) -> tuple[str, str]:
    name, separator, value = setting.partition("=")
    if not separator:
        raise ValueError(f"{setting!r} is not NAME=VALUE")
    return name, value


def _truth(text: str) -> bool:
    return text.lower() in {"1", "true", "yes"}
