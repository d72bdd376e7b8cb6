"""README as the tests read it: its text, and every command that it shows."""

from __future__ import annotations

import io
import re
import shlex
from contextlib import redirect_stderr
from pathlib import Path

from sectigo_tui.cli.parser import make_parser

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")

PROGRAM_NAME = "sectigo-tui"

_BLOCK = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"\s+# .*$")
_IS_RUN = re.compile(r"(?:\.venv/bin/\S|sectigo-tui$|(?:sectigo-tui|pip|pipx|uv|python3? -m) )")
"""What a text between backticks begins with that is to be typed at a shell."""


def blocks(kind: str) -> list[str]:
    """Return the text of each block of a kind, such as `sh`."""
    return [block["text"] for block in _BLOCK.finditer(README) if block["kind"] == kind]


def shown_commands() -> list[str]:
    """Return each command line that README shows, once, in its order.

    These are the lines of its shell blocks, cut at `&&`, and what stands between backticks and begins with a program;
    where the program's own name is left out, as in `config show`, it is put in front. The program is named as if it
    were installed.
    """
    lines = [_COMMENT.sub("", line) for block in blocks("sh") for line in block.splitlines()]
    spans = re.findall(r"`([^`\n]+)`", _BLOCK.sub("", README))
    found = [part for line in lines for part in line.split(" && ")]
    found += [span for span in spans if _IS_RUN.match(span)]
    found += [f"{PROGRAM_NAME} {span}" for span in spans if _is_subcommand(span)]
    named = [line.strip().removeprefix(".venv/bin/") if PROGRAM_NAME in line else line.strip() for line in found]
    return list(dict.fromkeys(line for line in named if line))


def own_arguments() -> list[list[str]]:
    """Return the arguments of each command of this program that README shows."""
    split = [shlex.split(line) for line in shown_commands()]
    return [words[1:] for words in split if words[0] == PROGRAM_NAME]


def _is_subcommand(span: str) -> bool:
    if not re.match(r"[a-z]", span) or span.startswith(PROGRAM_NAME):
        return False
    with redirect_stderr(io.StringIO()):
        try:
            make_parser().parse_args(shlex.split(span))
        except (SystemExit, ValueError):
            return False
    return True
