"""The project's words: no private language in names, and none of the riddles that a person would read."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import sectigo_tui

PACKAGE = Path(sectigo_tui.__file__).parent
ROOT = PACKAGE.parent

NOT_IN_NAMES = frozenset(
    {
        "adopt",
        "alarm",
        "announce",
        "announced",
        "announcement",
        "announcements",
        "announcer",
        "attention",
        "board",
        "book",
        "chain",
        "changing",
        "chore",
        "chores",
        "claim",
        "claims",
        "defect",
        "defects",
        "doubt",
        "doubtful",
        "doubts",
        "essence",
        "fate",
        "fates",
        "finding",
        "findings",
        "flow",
        "flows",
        "following",
        "followup",
        "gap",
        "gaps",
        "gate",
        "hear",
        "heard",
        "held",
        "host",
        "house",
        "install",
        "installed",
        "installer",
        "installing",
        "look",
        "looked",
        "looking",
        "looks",
        "marker",
        "markers",
        "memory",
        "news",
        "nominal",
        "now",
        "offering",
        "opening",
        "openings",
        "piece",
        "pieces",
        "placement",
        "placements",
        "policy",
        "problem",
        "problems",
        "proving",
        "rearm",
        "rearmed",
        "refusal",
        "refusals",
        "replica",
        "said",
        "say",
        "sealed",
        "seen",
        "shelf",
        "shelves",
        "sighting",
        "sightings",
        "standing",
        "standstill",
        "subject",
        "subjects",
        "supervisor",
        "tell",
        "tells",
        "told",
        "tries",
        "trouble",
        "troubles",
        "uses",
    }
)
"""Words that the field does not use for what they would mean here."""

IN_THEIR_USUAL_SENSE = {
    "adopt": {"adopt"},  # the subcommand
    "chain": {"chain_pem", "full_chain_pem", "focus_chain"},  # of certificates; and Textual's own name
    "host": {"host", "_host", "_host_names"},  # a machine's name
    "now": {"now", "caught_now", "row_id_now", "save_now", "asked_now", "_now"},  # the time
    "subject": {"subject", "_subject", "subject_alternative_names"},  # of a certificate (X.509)
    "uses": {"_uses_mouse"},
    "memory": {"orders_in_memory", "OrdersInMemory"},
}

NOT_IN_DOCSTRINGS = re.compile(
    r"\b(hears?|announces?|flows?|adopts?|adopting|refus(e|es|al|als)|doubt|doubtful|chores?|essence|sightings?)\b",
    re.IGNORECASE,
)
"""Words that a docstring has no use for, whatever it says."""

NOT_ON_SCREEN = (
    "nothing is done twice",
    "a look is on its way",
    "nobody looked",
    "at most so long",
    "Take the newest failure away",
    "Take all failures away",
    "is not a certificate yet",
)
"""Sentences that make a person stop and wonder."""

READ_BY_PEOPLE = [
    *sorted(PACKAGE.rglob("*.py")),
    *sorted((ROOT / "docs").glob("*.md")),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "config.example.toml")),
]


def words_of(name: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def names_in(path: Path) -> Iterator[str]:
    yield path.stem
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.ClassDef):
            yield node.name
            for part in node.body:
                if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                    yield part.target.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def test_no_module_class_function_or_field_is_named_in_a_private_language() -> None:
    found = {
        f"{path.relative_to(PACKAGE)}: {name}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for name in names_in(path)
        for word in words_of(name) & NOT_IN_NAMES
        if name not in IN_THEIR_USUAL_SENSE.get(word, ())
    }
    assert sorted(found) == []


def docstrings_in(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield re.sub(r"`[^`]*`", "", node.value.value)


def test_docstrings_are_written_in_the_words_of_the_glossary() -> None:
    assert [
        f"{path.relative_to(PACKAGE)}: {found[0]} in {text.splitlines()[0]}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for text in docstrings_in(path)
        if (found := NOT_IN_DOCSTRINGS.search(text)) is not None
    ] == []


@pytest.mark.parametrize("sentence", NOT_ON_SCREEN)
def test_no_text_says_it_in_a_riddle(sentence: str) -> None:
    assert [
        str(path.relative_to(ROOT))
        for path in READ_BY_PEOPLE
        if sentence.casefold() in re.sub(r"\s+", " ", path.read_text(encoding="utf-8")).casefold()
    ] == []
