"""Untrusted text made safe to show on one line of a terminal.

Names, comments and error texts come from whoever placed an order. Nothing of them may act as a control
sequence, hide, reorder what stands beside it, or take more cells than it was given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal
from unicodedata import category

from rich.cells import cell_len, get_character_cell_size

PLACEHOLDER = "\N{REPLACEMENT CHARACTER}"
"""Stands for each character that is not shown."""

DEFAULT_LIMIT_CHARACTERS = 512
"""How much of a text is examined: more than the widest line shows, little enough to cost nothing."""

LONGEST_LINE_CHARACTERS = 4_000
"""How much of each line is examined where a text has several, which are wrapped rather than cut."""

NAMES_CHARACTERS = 440
"""How much of a line names take, before the rest is counted: what is shown of a line, less the count."""

_MAX_COMBINING = 3
"""Marks kept on one letter: enough for the scripts that stack them, too few to paint over the next line."""

_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mc"})
"""Spacing marks (Mc) can be seen, but terminals give them a cell of their own where Rich counts none."""
_COMBINING_CATEGORIES = frozenset({"Mn", "Me"})
_UNSEEN_CHARACTERS = frozenset(
    chr(code)
    for first, last in (
        (0x034F, 0x034F),  # combining grapheme joiner
        (0x115F, 0x11FF),  # Hangul fillers, which paint nothing; vowels and finals, which paint over what is before
        (0x17B4, 0x17B5),  # Khmer inherent vowels
        (0x180B, 0x180F),  # Mongolian variation selectors
        (0x2800, 0x2800),  # blank Braille pattern
        (0x3164, 0x3164),  # Hangul filler
        (0xD7B0, 0xD7FB),  # more Hangul vowels and finals
        (0xFE00, 0xFE0F),  # variation selectors: they change a width without being seen
        (0xFFA0, 0xFFA0),  # halfwidth Hangul filler
        (0xE0100, 0xE01EF),
        (0x1F1E6, 0x1F1FF),  # regional indicators: terminals do not agree how wide a pair of them is
        (0x1F3FB, 0x1F3FF),  # skin tones: nor these, after an emoji
    )
    for code in range(first, last + 1)
)

Align = Literal["left", "right"]


def printable(text: str, *, limit: int = DEFAULT_LIMIT_CHARACTERS, placeholder: str = PLACEHOLDER) -> str:
    """Return a text as it can be shown on one line.

    Control, format, bidirectional, zero-width, private and unassigned characters, lone surrogates, line ends, and
    what terminals do not agree on the width of, become the placeholder, every kind of space a plain one, and
    combining marks are bounded.

    Args:
        text: Untrusted text of any length.
        limit: Characters examined; what lies beyond is cut before anything else is done.
        placeholder: What stands for a character that is not shown.

    Returns:
        Text without anything a terminal could act on; it ends in an ellipsis when it was cut.
    """
    cut_off = len(text) > limit
    if cut_off:
        text = text[:limit]
    if not (text.isascii() and text.isprintable()):
        text = _clean(text, placeholder)
    return f"{text}…" if cut_off else text


def counted(names: Sequence[str], *, limit: int = NAMES_CHARACTERS) -> str:
    """Return names for one line: as many as there is room for, and how many more there are.

    Args:
        names: Untrusted names.
        limit: Characters that the names may take; one is always shown.
    """
    shown: list[str] = []
    for name in names:
        text = printable(name, limit=256)
        if shown and len(", ".join((*shown, text))) > limit:
            break
        shown.append(text)
    left = len(names) - len(shown)
    return ", ".join(shown) + (f", and {left:,} more ({len(names):,} in all)" if left else "")


def printable_lines(text: str, *, limit: int = LONGEST_LINE_CHARACTERS) -> str:
    """Return a text of several lines, each as `printable` has it; only plain line feeds end a line.

    Args:
        text: Untrusted text.
        limit: Characters examined of each line.
    """
    return "\n".join(printable(line, limit=limit) for line in text.split("\n"))


def may_be_spoofed(text: str) -> bool:
    """Tell whether a text holds what an operator cannot see and so could not type or compare.

    Args:
        text: Untrusted text.

    Returns:
        True when it has invisible or bidirectional characters, unusual spaces, or heaps of combining marks.
    """
    return not (text.isascii() and text.isprintable()) and _clean(text, PLACEHOLDER) != text


def fit(text: str, width: int, *, align: Align = "left", ellipsis: str = "…") -> str:
    """Cut or pad a text to a number of cells.

    Args:
        text: Printable text.
        width: Cells to fill.
        align: Where the text stands when it is shorter.
        ellipsis: Shown at the end of a text that was cut.

    Returns:
        Text of exactly `width` cells.
    """
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        text = _cut(text, width, ellipsis)
        length = cell_len(text)
    padding = " " * (width - length)
    return padding + text if align == "right" else text + padding


def _clean(text: str, placeholder: str) -> str:
    shown: list[str] = []
    marks = _MAX_COMBINING  # a mark needs a letter before it, or it would land on the neighbouring column
    for character in text:
        if " " <= character <= "~":
            shown.append(character)
            marks = 0
            continue
        kind = category(character)
        if kind in _UNSEEN_CATEGORIES or character in _UNSEEN_CHARACTERS:
            shown.append(placeholder)
            marks = _MAX_COMBINING
        elif kind in _COMBINING_CATEGORIES:
            if marks < _MAX_COMBINING:
                shown.append(character)
                marks += 1
            elif not shown or shown[-1] != placeholder:
                shown.append(placeholder)
        else:
            shown.append(" " if kind == "Zs" else character)
            marks = 0
    return "".join(shown)


def _cut(text: str, width: int, ellipsis: str) -> str:
    if width <= len(ellipsis):
        ellipsis = ellipsis[: max(0, width)]
    room = width - len(ellipsis)
    if text.isascii():
        return text[:room] + ellipsis
    kept: list[str] = []
    for character in text:
        room -= get_character_cell_size(character)
        if room < 0:
            break
        kept.append(character)
    return "".join(kept) + ellipsis
