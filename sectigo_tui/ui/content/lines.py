"""Lines of labelled text, a long one wrapped beside its label."""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len
from textual.content import Content

from sectigo_tui.presentation.text import printable

LABEL_CELLS = 14
TIME_CELLS = 21
"""The label of a line that begins with a date and a time."""
TOKEN_INDENT = 4
"""Cells before a line of a token that has no room beside its label."""
LEAST_WRAP_CELLS = 20
"""Below this room for a text its lines are not wrapped beside their labels."""

LONG_TEXT = 2_000
"""So much of a text that others wrote is shown."""

Fact = tuple[str, str | Content]


def labelled(facts: Iterable[Fact], width: int, *, label_cells: int = LABEL_CELLS) -> Content:
    """Return facts a line each, a long one wrapped beside its label; those without a text are left out.

    Args:
        facts: Pairs of label and printable text.
        width: The cells of a line; 0 for no bound.
        label_cells: The cells of a label.
    """
    lines: list[Content] = []
    for label, text in facts:
        if not text:
            continue
        content = text if isinstance(text, Content) else Content(text)
        room = width - label_cells
        longest = max(map(cell_len, content.plain.split()), default=0)
        if room < longest and room >= LEAST_WRAP_CELLS:
            # A long token, as the target of a CNAME, is copied from here: it has lines of its own, and stays whole.
            lines.append(Content.styled(label.rstrip(), "$state-muted"))
            indent = min(TOKEN_INDENT, max(0, width - longest))
            lines += [Content.assemble(" " * indent, line.rstrip()) for line in content.wrap(width - indent)]
            continue
        first, *more = content.wrap(room) if room >= LEAST_WRAP_CELLS else [content]
        lines.append(Content.assemble((label.ljust(label_cells), "$state-muted"), first.rstrip()))
        lines += [Content.assemble(" " * label_cells, line.rstrip()) for line in more]
    return Content("\n").join(lines)


def titled(title: str, content: Content) -> Content:
    """Return content under a title; nothing where there is no content."""
    return Content.assemble((f"{title}\n", "bold"), content) if content.plain else content


def untrusted(text: str) -> str:
    """Return untrusted text as it is shown on a line that wraps."""
    return printable(text, limit=LONG_TEXT)
