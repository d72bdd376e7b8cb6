"""The tasks of a night on call, at the installed dashboard in a real terminal, with the keys that each takes."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable

from support.installation import Installation
from support.terminal import Terminal

DAY_SECONDS = 86_400.0


class Operator:
    """Presses keys, and counts them.

    Args:
        terminal: The terminal.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self.keys = 0

    def press(self, key: str, *wanted: str | Callable[[], bool]) -> None:
        """Press one key, and wait until all that is wanted is on a line of the screen, or holds."""
        self.keys += 1
        self._terminal.press(key)
        self._terminal.until(*wanted)

    def took(self) -> int:
        """Return how many keys were pressed since the last task."""
        keys, self.keys = self.keys, 0
        return keys


def copied(terminal: Terminal) -> str:
    """Return what was sent to the clipboard last."""
    return b64decode(re.findall(rb"\x1b\]52;[^;]*;([A-Za-z0-9+/=]+)", terminal.received)[-1]).decode()


def test_the_tasks_of_a_night_take_few_keys(program: Installation) -> None:
    program.place("ov-dcv-missing", "worst.acme.example", age_seconds=9 * DAY_SECONDS)
    waiting = [program.place("ov-approval", f"n{n}.acme.example", age_seconds=(8 - n) * DAY_SECONDS) for n in range(3)]
    program.place("ov-approval", "last.acme.example", age_seconds=4.5 * DAY_SECONDS)
    program.place("ev-vetting", "wanted.acme.example", age_seconds=1.25 * DAY_SECONDS)
    program.place("ov-vetting", "not-ev.acme.example", age_seconds=1.25 * DAY_SECONDS)
    program.place("ev-vetting", "young.acme.example", age_seconds=3600.0)
    with program.terminal(columns=80, lines=24) as terminal:
        operator = Operator(terminal)
        terminal.until(r"^>.* DNS owner .*worst\.acme")

        # The worst order stands first, under the cursor: its verdict, and its record in the clipboard.
        operator.press("D", r"Blocked on +THE DNS OWNER")
        operator.press("c", r"Copied:")
        assert "CNAME" in copied(terminal)
        assert operator.took() <= 3
        terminal.press("\x1b")
        terminal.until(r"^>.*worst\.acme")

        # Three orders are approved together.
        terminal.press("j")
        terminal.until(r"^>.*n0\.acme")
        for count in (1, 2, 3):
            operator.press(" ", rf"^{count} marked:")
        operator.press("a", r" p  Approve")
        operator.press("p", r"Approve 3 orders\?")
        operator.press("o", r"Message +o")
        operator.press("k", r"Message +ok")
        operator.press("\r", r"Approved: ")
        assert operator.took() < 10
        assert len(program.requests("/approve/")) == 3
        assert all(any(str(ssl_id) in one["path"] for one in program.requests("/approve/")) for ssl_id in waiting)

        # One message to the approver of the order that is left.
        terminal.press_until("j", lambda: terminal.shows(r"^>.* approver .*last\.acme"))
        operator.press("m", r"last\.acme|approv")
        terminal.until(r"Copy")
        operator.press("c", lambda: "last.acme.example" in copied(terminal))
        assert operator.took() == 2

        # One filter finds what the CA has had for more than a day.
        terminal.press("/")
        terminal.until(r"^Enter keep")
        terminal.press("val:ev on:ca age>1d\r")
        terminal.until(r"1 shown")
        terminal.until(r" CA .*wanted\.acme")
        assert not terminal.shows(r"young\.acme|not-ev\.acme|n0\.acme")
