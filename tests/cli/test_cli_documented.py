"""What scripts rely on is in the documents: each `--json`, each shape, each exit code."""

from __future__ import annotations

import argparse
import re

import pytest

from sectigo_tui.cli import exit_codes, outcomes
from sectigo_tui.cli.parser import make_parser
from sectigo_tui.presentation.json import Ending
from support.documented import DOCS, differences, documented

TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(DOCS.glob("*json.md"))}
PLAIN = {"string", "integer", "number", "boolean", "null"}


def with_json() -> list[str]:
    """Return the subcommands that have `--json`."""
    (commands,) = (each for each in make_parser()._actions if isinstance(each, argparse._SubParsersAction))
    return [name for name, parser in commands.choices.items() if "--json" in parser.format_help()]


@pytest.mark.parametrize("command", with_json())
def test_each_subcommand_with_json_is_documented(command: str) -> None:
    assert any(re.search(rf"`(?:sectigo-tui )?{command}[ `]", text) for text in TEXTS.values())


def test_the_help_of_each_names_a_document_that_is_there() -> None:
    (commands,) = (each for each in make_parser()._actions if isinstance(each, argparse._SubParsersAction))
    named = {
        name: re.search(r"docs/([\w-]+\.md)", " ".join(commands.choices[name].format_help().split()))
        for name in with_json()
    }
    assert [name for name, found in named.items() if found is None or found[1] not in TEXTS] == []


@pytest.mark.parametrize("document", TEXTS)
def test_each_type_is_one_that_is_documented(document: str) -> None:
    shapes = documented(document, "orders-json.md", "diagnose-json.md")
    kinds = {kind for fields in shapes.values() for types in fields.values() for kind in types.split(" or ")}
    bare = {re.sub(r"^(?:array of |object of )+", "", kind) for kind in kinds}
    assert bare - PLAIN - shapes.keys() == set()


def test_a_missing_a_further_and_a_wrong_field_are_differences() -> None:
    shapes = {"pause": {"event": "string", "at": "string"}}
    assert differences({"event": "paused", "at": "now"}, "pause", shapes) == []
    assert differences({"event": "paused"}, "pause", shapes)
    assert differences({"event": "paused", "at": "now", "who": "you"}, "pause", shapes)
    assert differences({"event": "paused", "at": 7}, "pause", shapes)


def test_the_exit_codes_are_those_that_subcommands_end_with() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d) \| ", (DOCS / "commands.md").read_text(), re.MULTILINE)}
    known = {value for name, value in vars(exit_codes).items() if name.isupper() and isinstance(value, int)}
    assert told == known
    assert {outcomes.code_of_ending(ending) for ending in Ending} <= told


def test_each_outcome_of_an_order_is_told() -> None:
    placed = TEXTS["json.md"].partition("## Placed order")[2] + TEXTS["json.md"].partition("## Order outcome")[2]
    assert [ending.value for ending in Ending if f"`{ending.value}`" not in placed] == []
