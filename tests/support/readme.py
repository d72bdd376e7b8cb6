"""README and `docs/` as the tests read them: their texts, their tables, and every command that they show."""

from __future__ import annotations

import argparse
import io
import re
import shlex
from contextlib import redirect_stderr
from pathlib import Path

from sectigo_tui.cli.parser import make_parser

ROOT = Path(__file__).parents[2]

TEXTS = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))
}
"""Every document by its path in the checkout."""

COMMANDS_IN = ["README.md", *(name for name in TEXTS if name.startswith("docs/") and not name.endswith("json.md"))]
"""The documents whose commands are run as they are shown: README, and all of `docs/` but the shapes of JSON."""

PROGRAM_NAME = "sectigo-tui"

_BLOCK = re.compile(r"^(?P<margin> *)```(?P<kind>\w*)\n(?P<text>.*?)^(?P=margin)```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"(?:^|\s+)# .*$")
_IS_RUN = re.compile(r"(?:\.venv/bin/\S|sectigo-tui$|(?:sectigo-tui|pip|pipx|uv|python3? -m) )")
"""What a text between backticks begins with that is to be typed at a shell."""
_PLACEHOLDER = re.compile(r"(?<!\S)[A-Z]{2,}(?!\S)")
"""What stands for a value in an option that is only explained, such as `--debug-log FILE`."""


def blocks(document: str, kind: str) -> list[str]:
    """Return the text of each block of a kind, such as `sh`, in a document."""
    return [block["text"] for block in _BLOCK.finditer(TEXTS[document]) if block["kind"] == kind]


def table(document: str, head: str) -> list[list[str]]:
    """Return the cells of all rows of a document's tables with a head, such as `| keys | what |`.

    Raises:
        AssertionError: There is no such table.
    """
    found = re.findall(rf"^ *{re.escape(head)}\n *\|[-|]+\|\n((?: *\|.*\|\n)+)", TEXTS[document], re.MULTILINE)
    assert found, f"{document} has no table {head}"
    return [
        [cell.strip() for cell in line.strip().strip("|").split(" |")] for rows in found for line in rows.splitlines()
    ]


def section(document: str, heading: str) -> str:
    """Return what stands below a heading such as `## Keys`, up to the next one of its level or above."""
    level = len(heading.partition(" ")[0])
    after = f"{TEXTS[document]}\n".split(f"\n{heading}\n")[1]
    return re.split(rf"^#{{1,{level}}} ", after, maxsplit=1, flags=re.MULTILINE)[0]


def quoted(cell: str) -> list[str]:
    """Return what stands between backticks."""
    return re.findall(r"`([^`]+)`", cell)


def shown_commands() -> list[str]:
    """Return each command line that the documents show, once, in its order.

    These are the lines of shell blocks, cut at `&&`, and what stands between backticks and begins with a program; where
    the program's own name is left out, as in `config show`, it is put in front. The program is named as if it were
    installed.
    """
    return list(dict.fromkeys(line for document in COMMANDS_IN for line in _commands_of(document)))


def own_arguments() -> list[list[str]]:
    """Return the arguments of each command of this program that the documents show."""
    split = [shlex.split(line) for line in shown_commands()]
    return [words[1:] for words in split if words[0] == PROGRAM_NAME]


def subcommands() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each subcommand by its name."""
    parser = make_parser()
    (commands,) = (each for each in parser._actions if isinstance(each, argparse._SubParsersAction))
    return dict(commands.choices)


def _commands_of(document: str) -> list[str]:
    lines = [_COMMENT.sub("", line) for block in blocks(document, "sh") for line in block.splitlines()]
    spans = re.findall(r"`([^`\n]+)`", _BLOCK.sub("", TEXTS[document]))
    found = [part for line in lines for part in line.split(" && ")]
    found += [span for span in spans if _IS_RUN.match(span) and not _PLACEHOLDER.search(span)]
    found += [f"{PROGRAM_NAME} {span}" for span in spans if _is_subcommand(span)]
    named = [line.strip().removeprefix(".venv/bin/") if PROGRAM_NAME in line else line.strip() for line in found]
    return [line for line in named if line]


def _is_subcommand(span: str) -> bool:
    if not re.match(r"[a-z]", span) or span.startswith(PROGRAM_NAME) or _PLACEHOLDER.search(span):
        return False
    with redirect_stderr(io.StringIO()):
        try:
            make_parser().parse_args(shlex.split(span))
        except (SystemExit, ValueError):
            return False
    return True
