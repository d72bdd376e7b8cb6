"""Copying from a terminal that may be far away: through tmux where it runs, else by asking the terminal (OSC 52)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping

from sectigo_tui.presentation.notifications import Run

LOAD_AND_SEND = ("tmux", "load-buffer", "-w", "-")
"""Fills tmux's paste buffer, and has tmux pass it on to the terminal it runs in."""
LOAD = ("tmux", "load-buffer", "-")
"""The same for a tmux that cannot pass it on (before 3.2)."""


SCREEN_CHARACTERS = 200
"""How much GNU screen passes on at once: its oldest versions take 256 characters."""


class Clipboard:
    """Copies text, and keeps what was copied last: no terminal confirms that it has taken a text.

    Args:
        environ: The terminal's environment.
        run: Runs a command.
        ask_terminal: Asks the terminal to take a text (OSC 52).

    Attributes:
        last: What was copied last; empty before that.
        is_in_screen: Whether GNU screen is asked to pass the request on, which it may not, and does not tell.
    """

    def __init__(self, environ: Mapping[str, str], run: Run, ask_terminal: Callable[[str], None]) -> None:
        self.last = ""
        self._run = run
        self._ask_terminal = ask_terminal
        self._is_in_tmux = bool(environ.get("TMUX"))
        self.is_in_screen = bool(environ.get("STY")) and not self._is_in_tmux

    async def copy(self, text: str) -> bool:
        """Copy a text.

        tmux drops what a program in it asks of the terminal, so it is asked first; a terminal that ignores the
        request shows nothing of it.

        Args:
            text: What to copy.

        Returns:
            Whether somebody confirmed it: tmux has it in its paste buffer.
        """
        content = text.encode(errors="replace")
        self.last = text = content.decode()
        if self._is_in_tmux and not await self._run(LOAD_AND_SEND, content):
            return True
        self._ask_terminal(text)
        return self._is_in_tmux and not await self._run(LOAD, content)


def request(text: str, environ: Mapping[str, str]) -> str:
    """Return what asks a terminal to take a text (OSC 52), wrapped for GNU screen where that is between."""
    asked = f"\x1b]52;c;{b64encode(text.encode(errors='replace')).decode()}\a"
    if not environ.get("STY") or environ.get("TMUX"):
        return asked
    # screen passes on what stands in a DCS, and cuts a long one: the parts arrive as one.
    parts = (asked[start : start + SCREEN_CHARACTERS] for start in range(0, len(asked), SCREEN_CHARACTERS))
    return "".join(f"\x1bP{part}\x1b\\" for part in parts)
