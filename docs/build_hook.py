"""Makes the man page and the shell completions when a wheel is built, from the arguments that the program takes."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
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
    common = {option for action in parser._actions for option in action.option_strings}  # noqa: SLF001 - told nowhere else
    for subcommand in _subcommands(parser):
        _tell_common_settings_once(subcommand, common)
        # Wrapped by man, which knows how wide it is read.
        subcommand.usage = " ".join(subcommand.format_usage().split()[1:])
    parser.man_short_description = "watch Sectigo certificate orders become certificates"
    parser.epilog = None  # the exit codes have a section of their own
    page = Manpage(parser, {"version": __version__, "manual_title": "Sectigo certificate orders"})
    for heading, content in _sections(root).items():
        page.add_section(heading, "=", content)
    return {**texts, MAN_PAGE: str(page)}


def _tell_common_settings_once(subcommand: Any, common: set[str]) -> None:
    """Leave out of a subcommand's part of the man page what the page tells of all of them."""
    subcommand.epilog = None
    for group in (subcommand, *subcommand._action_groups):  # noqa: SLF001 - told nowhere else
        # Not changed in place: an action is shared with the parser of the whole program.
        name = "_actions" if group is subcommand else "_group_actions"
        setattr(group, name, [each for each in getattr(group, name) if common.isdisjoint(each.option_strings)])
    subcommand._action_groups = [  # noqa: SLF001 - the same
        group
        for group in subcommand._action_groups  # noqa: SLF001 - the same
        if group._group_actions or group.title not in ("settings", "screen")  # noqa: SLF001 - the same
    ]


def _sections(root: Path) -> dict[str, str]:
    """Return the sections that the documents make: keys, files, environment, exit status and examples."""
    commands = (root / "docs" / "commands.md").read_text(encoding="utf-8")
    configuration = (root / "docs" / "configuration.md").read_text(encoding="utf-8")
    keys = (root / "README.md").read_text(encoding="utf-8")
    settings = [
        (row[1], f"{row[3]} (`{row[0]}`)")
        for row in _rows(configuration, "| key | environment | default | what it is |")
        if row[1]
    ]
    return {
        "keys": _list(_rows(keys, "| keys | what |")),
        "files": _list((row[0], f"{row[1]} ({row[2]})") for row in _rows(configuration, "| place | what | mode |")),
        "environment": _list([*settings, *_rows(configuration, "| variable | what it is for |")]),
        "exit status": _list(_rows(commands, "| exit code | meaning |")),
        "examples": _list(row for row in _rows(commands, "| command | what it does |") if " " in row[0]),
    }


def _rows(document: str, head: str) -> list[tuple[str, ...]]:
    """Return the cells of a document's table."""
    (table,) = re.findall(rf"^{re.escape(head)}\n\|[-|]+\|\n((?:\|.*\|\n)+)", document, re.MULTILINE)
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in table.splitlines()]


def _list(rows: Iterable[Sequence[str]]) -> str:
    """Return pairs as a list of terms with what each is."""
    return "\n".join(f".TP\n{_roff(term, is_term=True)}\n{_roff(text)}" for term, text, *_ in rows)


def _roff(markdown: str, *, is_term: bool = False) -> str:
    """Return a line of Markdown as man writes it: code is bold, a link is its text."""
    text = re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", markdown)
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    text = re.sub(r"`([^`]*)`", r"\\fB\1\\fR", text)
    return f"\\fB{text}\\fR" if is_term and "\\fB" not in text else text.removeprefix(".")


def _subcommands(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:  # noqa: SLF001 - argparse tells them nowhere else
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - the same
            yield from action.choices.values()


def _actions(parser: argparse.ArgumentParser) -> Iterator[Any]:
    for each in (parser, *_subcommands(parser)):
        yield from each._actions  # noqa: SLF001 - the same
