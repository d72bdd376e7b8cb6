"""Text for the person at the terminal, with nothing in it that a terminal would act on, and questions to them.

Questions are asked on stderr and answered on stdin; never when there is no terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sectigo_tui.domain.errors import InputError

if TYPE_CHECKING:
    from sectigo_tui.domain.ports import SecretText, StoreDamage

LONGEST_LINE = 4_000


def show_message(text: str) -> None:
    """Write lines to stdout."""
    from sectigo_tui.presentation.text import printable

    sys.stdout.write("".join(f"{printable(line, limit=LONGEST_LINE)}\n" for line in text.split("\n")))


def complain(text: str) -> None:
    """Write a message to stderr, under the program's name."""
    from sectigo_tui.presentation.text import printable

    lines = [printable(line, limit=LONGEST_LINE) for line in text.split("\n")]
    sys.stderr.write("".join(f"{'' if number else 'sectigo-tui: '}{line}\n" for number, line in enumerate(lines)))


def complain_of(reason: StoreDamage) -> None:
    """Write to stderr what was found damaged in the data directory."""
    complain(f"{reason.where}: {reason.what}; {reason.remedy}")


def failure_text(failure: Exception) -> str:
    """Return a failure as two lines: what happened, and what to do next."""
    from sectigo_tui.domain.explain import explain

    return explain(failure, is_once=True).text(lead="\n  next: ")


def table(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as aligned columns; the last column is as long as it is."""
    from sectigo_tui.presentation.text import printable

    cells = [[_spelled(printable(cell, limit=LONGEST_LINE)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def _spelled(text: str) -> str:
    """Return a text as stdout's encoding writes it, whose width counts."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


SECRET_BYTES_AT_MOST = 4096


def check_can_ask(instead: str) -> None:
    """Raise where a question is needed and there is no terminal.

    Args:
        instead: What to give so that nothing is asked, such as `--yes`.

    Raises:
        InputError: There is no terminal.
    """
    if not sys.stdin.isatty():
        raise InputError("there is no terminal to ask at", f"give {instead}")


async def typed(question: str) -> str:
    """Ask for a line, and return it without its line end; empty at the end of input.

    Args:
        question: One line, with nothing untrusted in it.
    """
    import asyncio  # not where a command only prints

    sys.stderr.write(f"{question} ")
    sys.stderr.flush()
    # A reader, not a thread: ctrl-c must end the program, and a thread that reads cannot be ended.
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(sys.stdin.fileno(), ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sys.stdin.fileno())
    return sys.stdin.readline().rstrip("\r\n")


async def confirm(summary: str, word: str) -> None:
    """Show what is about to be done, and ask for a word that confirms it.

    Args:
        summary: Lines for a person; untrusted text inside is shown as text.
        word: The word.

    Raises:
        InputError: Something else was typed.
    """
    complain(summary)
    if await typed(f"Type {word!r} to go on:") != word:
        raise InputError(f"what was typed is not {word!r}", "nothing was done")


def secret_from(path: str, what: str) -> SecretText:
    """Return a secret from the first line of a file.

    Args:
        path: The file; `-` is stdin.
        what: The secret, for messages.

    Raises:
        InputError: It cannot be read, or the line is empty.
    """
    from sectigo_tui.domain.ports import SecretText

    try:
        if path == "-":
            data = sys.stdin.buffer.readline(SECRET_BYTES_AT_MOST)
        else:
            with Path(path).expanduser().open("rb") as file:
                data = file.readline(SECRET_BYTES_AT_MOST)
        text = data.decode("utf-8-sig").rstrip("\r\n")
    except OSError as error:
        raise InputError(f"the {what}'s file {path}: {error.strerror}", "name a file that you can read") from error
    except UnicodeDecodeError:
        reason = f"the {what} is not UTF-8"
        raise InputError(reason, "write it again") from None  # the decoder's error keeps the secret
    if not text:
        raise InputError(f"the {what} is empty", "write it on the first line")
    return SecretText(text)


def secret_typed(question: str) -> SecretText | None:
    """Ask for a secret without echo; None when nothing is typed. Not to be called on an event loop."""
    import getpass

    from sectigo_tui.domain.ports import SecretText

    try:
        text = getpass.getpass(f"{question} ")
    except EOFError:
        return None
    except UnicodeDecodeError:
        raise InputError("what was typed is not UTF-8", "type it on a terminal that writes UTF-8") from None
    return SecretText(text) if text else None
