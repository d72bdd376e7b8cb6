"""The themes by name, and which of them a terminal begins with; their colours are in `colours`.

The command line names the themes too, so nothing of Textual is loaded here.
"""

from __future__ import annotations

from collections.abc import Mapping

CELL_STYLES = ("pending", "waiting", "done", "failed", "warning", "muted", "strong")
"""What a cell can be: in progress, somebody must act, became a certificate, will not, look here, less, more."""

DARK = "sectigo-dark"
LIGHT = "sectigo-light"
SAFE = "sectigo-safe"
SIXTEEN = "sectigo-16"
MONO = "sectigo-mono"

PREFERENCES = {"dark": DARK, "light": LIGHT, "safe": SAFE, "16": SIXTEEN, "mono": MONO}
"""Themes by the names that an operator chooses them by."""
_PLAIN_TERMINALS = ("vt", "dumb", "unknown", "ansi-m", "xterm-mono", "screen-m")
_TERMINALS_OF_MANY_COLOURS = ("256color", "direct", "kitty", "truecolor", "ghostty", "alacritty", "foot", "wezterm")


def choose_theme(environ: Mapping[str, str], preference: str = "auto") -> str:
    """Choose the theme for a terminal.

    Args:
        environ: The process's environment: NO_COLOR, TERM and COLORTERM are read.
        preference: "dark", "light", "safe" (for colour-blind eyes), "16", "mono", or "auto".

    Returns:
        The name of the preferred theme; with "auto", no colour under NO_COLOR or on a terminal without any, sixteen on
        one which does not say that it has more, dark otherwise.
    """
    return PREFERENCES.get(preference) or _by_terminal(environ)


def ansi_color_of(theme: str) -> bool | None:
    """Return what `App.__init__` must be given for a theme.

    Textual picks its NO_COLOR filter there and then, and the one for other themes paints the terminal's own colours
    black on black.
    """
    return True if theme in {SIXTEEN, MONO} else None


def _by_terminal(environ: Mapping[str, str]) -> str:
    terminal = environ.get("TERM", "").lower()
    if "NO_COLOR" in environ or terminal.startswith(_PLAIN_TERMINALS):
        return MONO
    if environ.get("COLORTERM", "").lower() in {"truecolor", "24bit"}:
        return DARK
    return DARK if any(name in terminal for name in _TERMINALS_OF_MANY_COLOURS) else SIXTEEN
