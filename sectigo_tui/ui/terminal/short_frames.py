"""A frame in fewer bytes that paint the same.

Textual spells out the style of each answer of text, takes it back behind it, and says of each line where it is. Here
a style stays until another one is wanted, of which then only the difference is named, and the line below is simply
the next one.
"""

from __future__ import annotations

import re
from functools import lru_cache

_TOKEN = re.compile(
    r"\x1b\[(?P<style>[\d;]*)m"
    r"|\n?\x1b\[(?P<line>\d+);(?P<column>\d+)H"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?P<other>[\s\S])"
)
_STYLE = re.compile(
    r"(?P<flags>(?:[1-9](?:;|$))*)"
    r"(?:(?P<ink>3[0-79]|9[0-7]|38;5;\d+|38;2;\d+;\d+;\d+)(?:;|$))?"
    r"(?P<paper>4[0-79]|10[0-7]|48;5;\d+|48;2;\d+;\d+;\d+)?"
)
"""A style as it is written, but not what several of them on top of each other come to."""
_PLAIN = ""


def shortened(frame: str, columns: int, lines: int) -> str:
    """Return what has the same effect on a terminal that writes without any style at first.

    What is neither style nor text, nor a move to a place, is passed on as it is, after all that came before it.

    Args:
        frame: Text and control sequences.
        columns: The cells of one of the terminal's lines.
        lines: Its lines.
    """
    parts: list[str] = []
    shown = wanted = _PLAIN
    line = reach = 0  # the cursor's line while no text can have wrapped, 0 where one can; the cells up to the cursor
    for token in _TOKEN.finditer(frame):
        kind, said = token.lastgroup, token[0]
        if kind == "style":
            wanted = _on_top(wanted, token["style"])
            continue
        if kind == "column":
            to_line, to_column = int(token["line"]), int(token["column"])
            if 0 < line < lines:
                said = "\r\n" if (to_line, to_column) == (line + 1, 1) else said.removeprefix("\n")
            line, reach = (to_line if to_line <= lines else 0), max(0, to_column - 1)
        else:
            parts.append(_change(shown, wanted))
            shown = wanted
            # How wide a terminal paints what is not ASCII is for it to say, but no character takes three cells.
            reach += len(said) if said.isascii() else 2 * len(said)
            if kind == "other" or reach > columns:
                line = 0
        parts.append(said)
    parts.append(_change(shown, wanted))
    return "".join(parts)


def _on_top(style: str, said: str) -> str:
    if said in ("", "0"):
        return _PLAIN
    return f"{style};{said}" if style else said


@lru_cache(maxsize=4_096)
def _change(shown: str, wanted: str) -> str:
    """Return what turns one style into another."""
    if shown == wanted:
        return ""
    whole = f"\x1b[0;{wanted}m" if shown and wanted else f"\x1b[{wanted or '0'}m"
    before, after = _STYLE.fullmatch(shown), _STYLE.fullmatch(wanted)
    if before is None or after is None:
        return whole
    had, flags = (set(filter(None, style["flags"].split(";"))) for style in (before, after))
    if not had <= flags:
        return whole
    said = sorted(flags - had)
    for part, none in (("ink", "39"), ("paper", "49")):
        if (before[part] or none) != (after[part] or none):
            said.append(after[part] or none)
    return min(whole, f"\x1b[{';'.join(said)}m" if said else "", key=len)
