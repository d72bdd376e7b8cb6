"""README says what the program does: its keys, its settings, its commands."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.binding import Binding

import sectigo_tui.ui
from sectigo_tui.cli.parser import make_parser
from sectigo_tui.config.model import SECTION_MODELS
from sectigo_tui.config.names import ENVIRONMENT_NAMES
from sectigo_tui.ui.keys import key_name
from support.installation import installed

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()

OPERATORS_KEYS = ("app", "view", "table", "detail", "diagnose")
"""The parts of the program whose keys README lists; a dialog and the help tell their own."""

RUN_FOR_REAL = ("check", "config", "orders", "track", "diagnose", "handover", "audit", "recover")
"""The subcommands that neither write to SCM, nor ask, nor go on until they are ended."""


def table(after: str) -> list[list[str]]:
    """Return the cells of the first table after a heading, without its head."""
    rows = re.search(r"(?:^\|.*\|\n)+", README.split(f"\n{after}\n")[1], re.MULTILINE)
    assert rows is not None
    return [[cell.strip() for cell in line.strip("|\n").split(" |")] for line in rows[0].splitlines()[2:]]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def bindings() -> Iterator[Binding]:
    for module in pkgutil.walk_packages(sectigo_tui.ui.__path__, "sectigo_tui.ui."):
        loaded = importlib.import_module(module.name)
        for _, member in inspect.getmembers(loaded, inspect.isclass):
            if member.__module__ == module.name:
                yield from Binding.make_bindings(vars(member).get("BINDINGS", ()))


def commands() -> list[list[str]]:
    """Return the arguments of each command of this program that README shows."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()] + re.findall(r"`(sectigo-tui[^`]*)`", README)
    found = []
    for line in lines:
        words = shlex.split(line, comments=True)
        starts = [number for number, word in enumerate(words) if word.rpartition("/")[2] == "sectigo-tui"]
        found += [words[start + 1 :] for start in starts]
    return found


def test_the_keys_are_those_that_the_program_binds() -> None:
    bound: dict[str, set[str]] = {}
    for binding in bindings():
        if binding.id and binding.description and binding.id.partition(".")[0] in OPERATORS_KEYS:
            bound.setdefault(binding.id, set()).update(key_name(binding).split())
    assert {quoted(row[1])[0]: set(quoted(row[0])) for row in table("## Keys")} == bound


@pytest.mark.parametrize("section", SECTION_MODELS)
def test_the_settings_are_those_that_the_program_reads(section: str) -> None:
    fields = SECTION_MODELS[section].model_fields
    told = {quoted(row[0])[0]: row[1:] for row in table(f"### [{section}]")}
    assert list(told) == list(fields)
    for key, field in fields.items():
        default = field.get_default(call_default_factory=True)
        shown = "" if default in (None, {}) else str(default).lower() if isinstance(default, bool) else str(default)
        environment = [quoted(told[key][0])] if section == "sectigo" else []
        assert environment in ([], [list(ENVIRONMENT_NAMES.get(key, ()))]), key
        assert "".join(quoted(told[key][-2])) == shown, key


def test_each_command_is_one_that_the_program_has() -> None:
    assert len(commands()) > 20
    for arguments in commands():
        make_parser().parse_args(arguments)


def test_each_subcommand_is_told() -> None:
    usage = make_parser().format_help().split("subcommands:")[1]
    known = set(re.findall(r"^    (\w+)  ", usage, re.MULTILINE)) | {""}
    assert {arguments[0] if arguments else "" for arguments in commands()} == known


def test_each_command_that_only_reads_does_what_it_is_shown_for(tmp_path: Path) -> None:
    shown = [arguments for arguments in commands() if arguments and arguments[0] in RUN_FOR_REAL]
    assert {arguments[0] for arguments in shown} == set(RUN_FOR_REAL)
    with installed(tmp_path) as program:
        assert program.place("ov-vetting", "www.acme.example") == 2_100_001, "the order of README's examples"
        once = {tuple(arguments): None for arguments in shown}
        ended = {arguments: program.run(*arguments) for arguments in once}
    failed = {arguments: one.stderr for arguments, one in ended.items() if one.returncode}
    assert not failed
    silent = [arguments for arguments, one in ended.items() if not one.stdout + one.stderr]
    assert not silent


def test_the_exit_codes_are_those_of_the_help() -> None:
    told = re.findall(r"^\| (\d) \| ", README, re.MULTILINE)
    assert told
    assert told == re.findall(r"(?<=[:;] )(\d) ", " ".join(make_parser().format_help().split("Exit codes")[1].split()))


DOCUMENTS = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_link_leads_somewhere(document: str) -> None:
    path = ROOT / document
    links = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []
