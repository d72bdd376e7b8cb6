"""Notifications of a change: bell, desktop notification, and the operator's own command."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec.structs import replace

from sectigo_tui.domain.errors import InputError
from sectigo_tui.presentation.text import printable
from sectigo_tui.presentation.watchlist import Change

Run = Callable[[Sequence[str], bytes], Awaitable[str]]
"""Runs a command with arguments and stdin; returns the error, empty for none."""

BELL = "\a"
TITLE = "sectigo-tui"
LONGEST_CHARACTERS = 160
"""Multiplexers cut what they pass on at a few hundred bytes, and then nothing of it arrives."""
WAITING_AT_MOST = 100
"""How many changes may wait for a slow command; further ones are dropped."""

_PRINTS_UNKNOWN_SEQUENCES = ("linux", "vt", "dumb", "unknown", "ansi", "cons25")
"""Consoles that would show a notification's letters on the screen."""


def notification(changes: Sequence[Change], environ: Mapping[str, str]) -> str:
    """Return the characters that ring the terminal's bell and, where supported, show a desktop notification.

    Both common forms are sent (OSC 9 and OSC 777): no terminal tells which it understands. tmux and screen are
    asked to pass them on.

    Args:
        changes: What changed; at least one.
        environ: The terminal's environment.
    """
    if environ.get("TERM", "").startswith(_PRINTS_UNKNOWN_SEQUENCES):
        return BELL
    text = notification_text(changes)
    notes = (f"\x1b]9;{TITLE}: {text}\a", f"\x1b]777;notify;{TITLE};{text}\a")
    return BELL + "".join(_passed_on(note, environ) for note in notes)


def notification_text(changes: Sequence[Change]) -> str:
    """Return changes in a line: that of the one order, or how many orders there are and the first of them."""
    first = changes[0]
    own = [change for change in changes if change.row.row_id == first.row.row_id]
    name = printable(first.row.common_name, limit=60, placeholder="?") or "(no name)"
    # One order may have changed several times at once: from where it was to where it is now.
    text = f"{first.row.ssl_id or '-'} {name}: {replace(own[-1], before=first.before).words}"
    count = len({change.row.row_id for change in changes})
    if count > 1:
        text = f"{count} orders changed: {text}, ..."
    # A semicolon ends a field of OSC 777.
    return printable(text.replace(";", ","), limit=LONGEST_CHARACTERS, placeholder="?")


def _passed_on(sequence: str, environ: Mapping[str, str]) -> str:
    if environ.get("TMUX"):
        return "\x1bPtmux;" + sequence.replace("\x1b", "\x1b\x1b") + "\x1b\\"
    if environ.get("STY"):
        return f"\x1bP{sequence}\x1b\\"
    return sequence


def change_json(change: Change, at: datetime) -> str:
    """Return a change as one line of JSON.

    It has the shape of a change that `sectigo-tui watch --json` tells; how it was learned is in the timeline.

    Args:
        change: The change.
        at: When it was noticed.
    """
    row = change.row
    return json.dumps(
        {
            "event": "order",
            "at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "order_id": row.order.id if row.order is not None else None,
            "ssl_id": row.ssl_id,
            "common_name": row.common_name or None,
            "kind": "changed",
            "summary": change.words,
            "from_state": (change.before.state or None) if change.before is not None else None,
            "to_state": change.after.state or None,
            "scm_status": change.after.status or None,
            "http_status": None,
            "scm_code": None,
            "by": None,
        }
    )


class EventCommand:
    """Runs the operator's own command for each change, one after another.

    Args:
        arguments: The command and its arguments; empty for none.
        run: Runs it.
    """

    def __init__(self, arguments: Sequence[str], run: Run) -> None:
        self._arguments = arguments
        self._run = run
        self._turn = asyncio.Lock()
        self._waiting = 0

    @property
    def is_given(self) -> bool:
        """Whether there is a command."""
        return bool(self._arguments)

    async def deliver(self, event: str) -> None:
        """Run the command with an event on its standard input, in turn.

        Args:
            event: One line of JSON.

        Raises:
            InputError: It failed, took too long, or is slower than changes come; nothing else is stopped by that.
        """
        if self._waiting >= WAITING_AT_MOST:
            raise _failed(f"{self._arguments[0]} is slower than changes come: some were not told to it")
        self._waiting += 1
        try:
            async with self._turn:
                error_text = await self._run(self._arguments, f"{event}\n".encode())
        finally:
            self._waiting -= 1
        if error_text:
            raise _failed(error_text)


def _failed(error_text: str) -> InputError:
    return InputError(error_text, "run it by hand with a line of JSON on stdin; ui.on_event of config.toml names it")
