"""The screen's appearance: themes, colours, borders and scroll bars."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import App
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.theme import Theme

from sectigo_tui.presentation.glyphs import ASCII, Glyphs
from sectigo_tui.presentation.themes import CELL_STYLES, DARK, LIGHT, MONO, SAFE, SIXTEEN

_TEXT_STYLES = {
    "pending": "none",
    "waiting": "bold",
    "done": "none",
    "failed": "bold",
    "warning": "bold",
    "muted": "none",
    "strong": "bold",
    "cursor": "none",
    "cursor-blurred": "none",
    "header": "bold",
    "marked": "bold",
}


def _variables(colors: Mapping[str, str], styles: Mapping[str, str] | None = None) -> dict[str, str]:
    named = {variable_of(name): color for name, color in colors.items()}
    chosen = {**_TEXT_STYLES, **(styles or {})}
    return {**named, **{f"{variable_of(name)}-text-style": style for name, style in chosen.items()}}


def variable_of(name: str) -> str:
    """Return the theme's variable for the colour of a kind of cell, or of a part of the table."""
    return f"state-{name}" if name in CELL_STYLES else f"table-{name}"


VARIABLE_DEFAULTS = _variables(
    dict.fromkeys((*CELL_STYLES, "marked"), "auto")
    | {
        "header": "auto",
        "header-background": "transparent",
        "cursor": "auto",
        "cursor-background": "transparent",
        "cursor-blurred": "auto",
        "cursor-blurred-background": "transparent",
    },
    {"cursor": "reverse", "cursor-blurred": "underline", "failed": "bold", "muted": "dim"},
)
"""Readable values of every variable, for a theme of somebody else's.

An app returns them from `get_theme_variable_defaults`.
"""

# Every colour of the three is one of the terminal palette of 256: the table names it by its number, which is half
# as many bytes.
_INK, _PAPER = "#080808", "#eeeeee"

_DARK_TABLE = {
    "pending": "#d0d0d0",
    "waiting": "#ffaf5f",
    "done": "#5fd787",
    "failed": "#ff5f5f",
    "warning": "#ffd75f",
    "muted": "#8a8a8a",
    "strong": "#ffffff",
    "marked": "#ffd75f",
    "header": "#87afd7",
    "header-background": "#1c1c1c",
    "cursor": "#ffffff",
    "cursor-background": "#000087",
    "cursor-blurred": "#d0d0d0",
    "cursor-blurred-background": "#262626",
}

_DARK = Theme(
    name=DARK,
    primary="#5fafff",
    secondary="#5f87af",
    accent="#ffaf5f",
    warning="#ffd75f",
    error="#ff5f5f",
    success="#5fd787",
    foreground="#d0d0d0",
    background=_INK,
    surface="#121212",
    panel="#1c1c1c",
    dark=True,
    variables=_variables(_DARK_TABLE),
)

_LIGHT = Theme(
    name=LIGHT,
    primary="#005faf",
    secondary="#005f87",
    accent="#5f00af",
    warning="#5f5f00",
    error="#af0000",
    success="#005f00",
    foreground=_INK,
    background=_PAPER,
    surface="#e4e4e4",
    panel="#dadada",
    dark=False,
    variables=_variables(
        {
            "pending": _INK,
            "waiting": "#5f00af",
            "done": "#005f00",
            "failed": "#af0000",
            "warning": "#5f5f00",
            "muted": "#585858",
            "strong": "#000000",
            "marked": "#5f5f00",
            "header": "#005f87",
            "header-background": "#dadada",
            "cursor": "#000000",
            "cursor-background": "#afd7ff",
            "cursor-blurred": _INK,
            "cursor-blurred-background": "#d0d0d0",
        }
    ),
)

# After the palette of Okabe and Ito, whose hues stay apart under every common colour blindness.
_SAFE = Theme(
    name=SAFE,
    primary="#5fafff",
    secondary="#0087d7",
    accent="#ffaf00",
    warning="#ffff5f",
    error="#d75f00",
    success="#5fafff",
    foreground="#d0d0d0",
    background=_INK,
    surface="#121212",
    panel="#1c1c1c",
    dark=True,
    variables=_variables(
        _DARK_TABLE
        | {"waiting": "#ffaf00", "done": "#5fafff", "failed": "#d75f00", "warning": "#ffff5f", "marked": "#ffff5f"}
        | {"cursor-blurred-background": "#1c1c1c"},
        {"failed": "bold underline"},
    ),
)

# Sixteen colours stand on a background nobody knows: no bright ones, no black, no white, and the terminal's own
# colours for everything else, which also cost no bytes.
_OWN = "ansi_default"
_OWN_TABLE = {
    **dict.fromkeys((*CELL_STYLES, "marked", "header", "cursor", "cursor-blurred"), _OWN),
    "header-background": _OWN,
    "cursor-background": _OWN,
    "cursor-blurred-background": _OWN,
}
_REVERSED = {
    "ansi-background": _OWN,
    "ansi-foreground": _OWN,
    "block-cursor-foreground": _OWN,
    "block-cursor-background": _OWN,
    "block-cursor-text-style": "reverse",
    "block-cursor-blurred-foreground": _OWN,
    "block-cursor-blurred-background": _OWN,
    "block-cursor-blurred-text-style": "underline",
    "input-cursor-background": _OWN,
    "input-cursor-foreground": _OWN,
    "input-cursor-text-style": "reverse",
    "input-selection-background": _OWN,
    "input-selection-foreground": _OWN,
    "screen-selection-background": _OWN,
    "screen-selection-foreground": _OWN,
    "button-focus-text-style": "bold reverse",
    "scrollbar-background": _OWN,
    "scrollbar-background-hover": _OWN,
    "scrollbar-background-active": _OWN,
    "scrollbar-corner-color": _OWN,
}
_OWN_TEXT_STYLES = {"cursor": "reverse", "cursor-blurred": "underline", "header": "bold underline"}

_SIXTEEN = Theme(
    name=SIXTEEN,
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_cyan",
    warning="ansi_magenta",
    error="ansi_red",
    success="ansi_green",
    accent="ansi_magenta",
    foreground=_OWN,
    background=_OWN,
    surface=_OWN,
    panel=_OWN,
    boost=_OWN,
    variables=_variables(
        {
            **_OWN_TABLE,
            "waiting": "ansi_magenta",
            "done": "ansi_green",
            "failed": "ansi_red",
            "warning": "ansi_magenta",
            "marked": "ansi_cyan",
        },
        _OWN_TEXT_STYLES,
    )
    | _REVERSED,
)

_MONO = Theme(
    name=MONO,
    ansi=True,
    primary=_OWN,
    secondary=_OWN,
    warning=_OWN,
    error=_OWN,
    success=_OWN,
    accent=_OWN,
    foreground=_OWN,
    background=_OWN,
    surface=_OWN,
    panel=_OWN,
    boost=_OWN,
    variables=_variables(_OWN_TABLE, {**_OWN_TEXT_STYLES, "failed": "bold underline"})
    | _REVERSED
    | {
        "border": _OWN,
        "border-blurred": _OWN,
        "scrollbar": _OWN,
        "scrollbar-hover": _OWN,
        "scrollbar-active": _OWN,
        "footer-key-foreground": _OWN,
        "link-color": _OWN,
        "link-color-hover": _OWN,
        "link-background-hover": _OWN,
        "link-style-hover": "bold reverse",
    },
)

THEMES = (_DARK, _LIGHT, _SAFE, _SIXTEEN, _MONO)


ASCII_CLASS = "-ascii"
"""Stands on the application: the style sheet draws other borders below it."""


class PlainScrollBar(ScrollBarRender):
    """A scroll bar of whole cells, drawn by colour alone."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


def use_shapes(app: App[Any], glyphs: Glyphs) -> None:
    """Draw borders and scroll bars as the terminal's font allows.

    Args:
        app: The application, before it runs.
        glyphs: The shapes of this terminal.
    """
    app.set_class(glyphs is ASCII, ASCII_CLASS)
    ScrollBar.renderer = PlainScrollBar if glyphs is ASCII else ScrollBarRender
