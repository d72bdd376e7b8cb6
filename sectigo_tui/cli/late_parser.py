"""A subcommand's parser that costs nothing until something is asked of it: of thirty, a run needs one or none."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

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
