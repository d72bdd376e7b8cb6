"""Makes the man page and the shell completions when a wheel is built, from the arguments that the program takes."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PROGRAM = "sectigo-tui"
COMPLETIONS = {
    "bash": f"share/bash-completion/completions/{PROGRAM}",
    "zsh": f"share/zsh/site-functions/_{PROGRAM}",
    "fish": f"share/fish/vendor_completions.d/{PROGRAM}.fish",
}
MAN_PAGE = f"share/man/man1/{PROGRAM}.1"


class GeneratedDocs(BuildHookInterface):  # type: ignore[type-arg] # generic over a configuration that it does not read
    """Adds generated files to the wheel; an editable install has none."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the files beside the build, and name where the wheel installs each.

        Args:
            version: `standard` or `editable`.
            build_data: What the wheel is made of; `shared_data` is added to.
        """
        if version == "editable":
            return
        self._scratch = tempfile.TemporaryDirectory()
        for place, text in generated(Path(self.root)).items():
            path = Path(self._scratch.name, Path(place).name)
            path.write_text(text, encoding="utf-8")
            build_data["shared_data"][str(path)] = place

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatch's
        """Remove what was written."""
        if version != "editable":
            self._scratch.cleanup()


def generated(root: Path) -> dict[str, str]:
    """Return the text of each generated file by where it is installed, below the environment.

    Args:
        root: The checkout; its package is imported.
    """
    import shtab
    from argparse_manpage.manpage import Manpage  # type: ignore[import-untyped] # brings none

    sys.path.insert(0, str(root))
    try:
        from sectigo_tui import __version__
        from sectigo_tui.cli.parser import make_parser
    finally:
        sys.path.remove(str(root))
    parser: Any = make_parser()
    paths = {"FILE": shtab.FILE, "DIR": shtab.DIRECTORY}
    for action in _actions(parser):
        if action.metavar in paths:
            action.complete = paths[action.metavar]
    texts = {place: shtab.complete(parser, shell) for shell, place in COMPLETIONS.items()}
    for subcommand in _subcommands(parser):
        # Wrapped by man, which knows how wide it is read.
        subcommand.usage = " ".join(subcommand.format_usage().split()[1:])
    parser.man_short_description = "watch Sectigo certificate orders become certificates"
    page = Manpage(parser, {"version": __version__, "manual_title": "Sectigo certificate orders"})
    return {**texts, MAN_PAGE: str(page)}


def _subcommands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:  # noqa: SLF001 - argparse tells them nowhere else
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the same
            yield from action.choices.values()


def _actions(parser: argparse.ArgumentParser) -> Iterator[Any]:
    for each in (parser, *_subcommands(parser)):
        yield from each._actions  # noqa: SLF001 - the same
