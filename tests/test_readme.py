"""README says what the program does: its keys, its settings, its commands."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

import pytest
from textual.binding import Binding

import sectigo_tui.ui
from sectigo_tui.cli.parser import make_parser
from sectigo_tui.config.model import SECTION_MODELS
from sectigo_tui.config.names import ENVIRONMENT_NAMES
from sectigo_tui.ui.keys import key_name
from support.readme import README, ROOT, own_arguments

OPERATORS_KEYS = ("app", "view", "table", "detail", "diagnose")
"""The parts of the program whose keys README lists; a dialog and the help tell their own."""


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


def test_each_subcommand_is_told() -> None:
    usage = make_parser().format_help().split("subcommands:")[1]
    known = set(re.findall(r"^    (\w+)  ", usage, re.MULTILINE)) | {""}
    assert {arguments[0] if arguments else "" for arguments in own_arguments()} == known


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
