"""README and `docs/` say what the program does: its keys, its settings, its commands, its codes."""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator

import pytest
from textual.binding import Binding

import sectigo_tui
import sectigo_tui.ui
from sectigo_tui.cli.parser import make_parser
from sectigo_tui.config.paths import CONFIG_VARIABLE, DATA_DIR_VARIABLE
from sectigo_tui.config.sections import SECTIONS, settings_in
from sectigo_tui.presentation.columns import COLUMNS
from sectigo_tui.presentation.filters import TERMS
from sectigo_tui.presentation.glyphs import state_glyphs
from sectigo_tui.ui.app import VIEWS
from sectigo_tui.ui.keys.active_keys import key_name
from sectigo_tui.ui.workflows.actions import ACTIONS
from support.readme import ROOT, TEXTS, own_arguments, quoted, section, subcommands, table

KEYS = "docs/keys.md"
CONFIGURATION = "docs/configuration.md"
COMMANDS = "docs/commands.md"
SCREENS = "docs/screens.md"
PROSE = [name for name in TEXTS if name == "README.md" or name.startswith("docs/")]

WRONG_SENTENCES = (
    "Whether SCM did it is not known",
    "nothing is done twice",
    "a look is on its way",
    "nobody looked since",
    "at most so long",
)
"""What the project says otherwise: these are no sentences that a person reads at first sight."""


def bindings() -> Iterator[Binding]:
    for module in pkgutil.walk_packages(sectigo_tui.ui.__path__, "sectigo_tui.ui."):
        loaded = importlib.import_module(module.name)
        for _, member in inspect.getmembers(loaded, inspect.isclass):
            if member.__module__ == module.name:
                yield from Binding.make_bindings(vars(member).get("BINDINGS", ()))


def test_the_keys_are_those_that_the_program_binds() -> None:
    bound: dict[str, tuple[set[str], str]] = {}
    for binding in bindings():
        if binding.id and binding.description:
            keys, _ = bound.get(binding.id, (set(), ""))
            bound[binding.id] = keys | set(key_name(binding).split()), binding.tooltip or binding.description
    rows = table(KEYS, "| keys | id | what |")
    assert {quoted(row[1])[0]: (set(quoted(row[0])), row[2]) for row in rows} == bound
    assert len(rows) == len(bound)


def test_the_daily_keys_are_some_of_them() -> None:
    every = {(keys, what) for keys, _, what in table(KEYS, "| keys | id | what |")}
    daily = {(keys, what) for keys, what in table("README.md", "| keys | what |")}
    assert daily - every == set()


def test_the_keys_of_the_action_menu_are_those_of_its_actions() -> None:
    told = [(quoted(key)[0], title) for key, title in table(KEYS, "| key | action |")]
    assert told == [(action.key, action.title) for action in ACTIONS]


@pytest.mark.parametrize("name", SECTIONS)
def test_the_settings_are_those_that_the_program_reads(name: str) -> None:
    settings = settings_in(SECTIONS[name])
    head = "| key | environment | default | what it is |" if name == "sectigo" else "| key | default | what it is |"
    rows = [row for row in table(CONFIGURATION, head) if f"| {row[0]} |" in section(CONFIGURATION, f"### [{name}]")]
    told = {quoted(row[0])[0]: row[1:] for row in rows if quoted(row[0])[0] in settings}
    assert list(told) == list(settings)
    for key, setting in settings.items():
        default = setting.default
        shown = "" if default in (None, {}) else str(default).lower() if isinstance(default, bool) else str(default)
        environment = [quoted(told[key][0])] if name == "sectigo" else []
        assert environment in ([], [list(setting.variables)]), key
        assert "".join(quoted(told[key][-2])) == shown, key


def test_each_variable_of_the_environment_is_one_that_the_program_reads() -> None:
    told = {name for row in table(CONFIGURATION, "| variable | what it is for |") for name in quoted(row[0])}
    assert told >= {CONFIG_VARIABLE, DATA_DIR_VARIABLE}
    read = {name for name in told if any(name in source for source in _sources())}
    assert read == told


def test_each_subcommand_is_told() -> None:
    assert {arguments[0] if arguments else "" for arguments in own_arguments()} >= {*subcommands(), ""}
    listed = {quoted(row[0])[0] for row in table(COMMANDS, "| command | what it does |")}
    assert {line.split()[1] if " " in line else "" for line in listed} == {*subcommands(), ""}


@pytest.mark.parametrize("name", subcommands())
def test_the_options_of_each_subcommand_are_told(name: str) -> None:
    rows = re.findall(r"^\| (`-.*?) \| ", section(COMMANDS, f"## {name}"), re.MULTILINE)
    assert {option for row in rows for option in quoted(row)} == _options(subcommands()[name]) - _common_options()


def test_the_options_of_every_command_are_told() -> None:
    rows = re.findall(r"^\| (`-.*?) \| ", TEXTS[COMMANDS].split("\n## ")[0], re.MULTILINE)
    assert {option for row in rows for option in quoted(row)} == _common_options()


def test_the_exit_codes_are_those_of_the_help() -> None:
    told = re.findall(r"^\| (\d) \| ", section(COMMANDS, "## Exit codes"), re.MULTILINE)
    assert told
    assert told == re.findall(r"(?<=[:;] )(\d) ", " ".join(make_parser().format_help().split("Exit codes")[1].split()))


def test_the_codes_and_shapes_of_the_states_are_those_of_the_list() -> None:
    told = [[quoted(cell)[0] for cell in row[:3]] for row in table(SCREENS, "| code | shape | ASCII | what it is |")]
    assert told == [[shape.code, shape.unicode, shape.ascii] for shape in state_glyphs()]


def test_the_columns_and_views_are_those_that_there_are() -> None:
    assert [quoted(row[0])[0] for row in table(SCREENS, "| column | what it shows |")] == [
        column.title for column in COLUMNS
    ]
    assert [row[1].casefold() for row in table(SCREENS, "| key | view | what it lists |")] == list(VIEWS)


def test_the_terms_of_the_filter_are_those_that_there_are() -> None:
    rows = table("docs/keys.md", "| term | finds orders |")
    assert [(quoted(row[0])[0], row[1]) for row in rows] == [(term.example, term.meaning) for term in TERMS]


def test_each_word_of_the_header_is_one_that_the_program_shows() -> None:
    rows = [*table(SCREENS, "| shown | meaning |"), *table(SCREENS, "| in NEXT | meaning |")]
    rows += table("docs/playbooks.md", "| the header shows | then |")
    # What follows the words is a figure, which is another one each time.
    found = [
        re.match(r"\[?(?:[A-Za-z]+|429)(?: (?:[A-Za-z]+|429))*(?![\w:])", text)
        for row in rows
        for text in quoted(row[0])
    ]
    words = {match[0] for match in found if match is not None}
    sources = _sources()
    assert len(words) > 10
    shown = {each for each in words if any(re.search(rf"(?<!\w){re.escape(each)}(?!\w)", source) for source in sources)}
    assert shown == words


@pytest.mark.parametrize("document", PROSE)
def test_a_document_has_none_of_the_sentences_that_nobody_understands(document: str) -> None:
    assert [sentence for sentence in WRONG_SENTENCES if sentence.casefold() in TEXTS[document].casefold()] == []


@pytest.mark.parametrize("document", TEXTS)
def test_each_link_leads_somewhere(document: str) -> None:
    path = ROOT / document
    broken = []
    for place, _, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(#([^)]+))?\)", TEXTS[document]):
        target = (path.parent / place).resolve() if place else path
        if not target.exists() or (anchor and anchor not in _anchors(target.relative_to(ROOT).as_posix())):
            broken.append(f"{place}#{anchor}")
    assert broken == []


def test_each_document_is_reached_from_readme() -> None:
    linked = set(re.findall(r"\]\((docs/[\w-]+\.md)\)", TEXTS["README.md"]))
    assert linked == {name for name in TEXTS if name.startswith("docs/")}


def _anchors(document: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", TEXTS[document], re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _options(parser: argparse.ArgumentParser) -> set[str]:
    told = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    return told - {"--help", "--version"}


def _common_options() -> set[str]:
    return set.intersection(*map(_options, subcommands().values()))


def _sources() -> list[str]:
    """Return the text of each module of the program."""
    (directory,) = sectigo_tui.__path__
    return [path.read_text(encoding="utf-8") for path in (ROOT / directory).rglob("*.py")]
