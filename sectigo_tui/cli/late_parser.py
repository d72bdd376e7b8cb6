"""A subcommand's parser that costs nothing until something is asked of it: of thirty, a run needs one or none."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from typing import Any

_COLUMNS_ELSEWHERE = 80
_STDOUT = 1

Fill = Callable[[argparse.ArgumentParser], None]
"""Adds a subcommand's arguments to its parser."""


class LateParser(argparse.ArgumentParser):
    """A parser that is put together when it is first used.

    Args:
        fill: Adds its arguments.
        handler: The function that runs the subcommand, kept in the namespace.
        common: The parser whose arguments it has too.
        given: What any parser is made with.
    """

    def __init__(self, *, fill: Fill, handler: str, common: argparse.ArgumentParser, **given: Any) -> None:
        self._late = (fill, handler, {"parents": [common], **given})

    def __getattr__(self, name: str) -> Any:
        # Reached when an attribute is missing: before `__init__` of a parser has run, that is every one.
        late = self.__dict__.pop("_late", None)
        if late is None:
            raise AttributeError(name)
        fill, handler, given = late
        super().__init__(**given)
        self.set_defaults(handler=handler)
        fill(self)
        return getattr(self, name)


class Formatter(argparse.HelpFormatter):
    """argparse's own, which for each argument would load what packs archives, to ask it how wide the terminal is.

    Args:
        prog: The program's name.
    """

    def __init__(self, prog: str) -> None:
        super().__init__(prog, width=_columns() - 2)


def _columns() -> int:
    """Return the terminal's width as the standard library tells it."""
    told = os.environ.get("COLUMNS", "")
    if told.isdecimal() and int(told) > 0:
        return int(told)
    try:
        return os.get_terminal_size(_STDOUT).columns or _COLUMNS_ELSEWHERE
    except OSError:
        return _COLUMNS_ELSEWHERE
