"""Text for stdout and stderr, with nothing in it that a terminal would act on."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from sectigo_tui.domain.explain import explain
from sectigo_tui.domain.ports import StoreDamage
from sectigo_tui.presentation.text import printable

LONGEST_LINE = 4_000


def show_message(text: str) -> None:
    """Write lines to stdout."""
    sys.stdout.write("".join(f"{printable(line, limit=LONGEST_LINE)}\n" for line in text.split("\n")))


def complain(text: str) -> None:
    """Write a message to stderr, under the program's name."""
    lines = [printable(line, limit=LONGEST_LINE) for line in text.split("\n")]
    sys.stderr.write("".join(f"{'' if number else 'sectigo-tui: '}{line}\n" for number, line in enumerate(lines)))


def complain_of(reason: StoreDamage) -> None:
    """Write to stderr what was found damaged in the data directory."""
    complain(f"{reason.where}: {reason.what}; {reason.remedy}")


def failure_text(failure: Exception) -> str:
    """Return a failure as two lines: what happened, and what to do next."""
    return explain(failure, is_once=True).text(lead="\n  next: ")


def table(rows: Iterable[Sequence[str]]) -> str:
    """Return rows as aligned columns; the last column is as long as it is."""
    cells = [[_spelled(printable(cell, limit=LONGEST_LINE)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def _spelled(text: str) -> str:
    """Return a text as stdout's encoding writes it, whose width counts."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
