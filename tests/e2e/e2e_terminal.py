"""The installed program in a terminal of its own: what it paints is read from an emulated screen."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte

PROGRAM = Path(sys.executable).with_name("sectigo-tui")
"""The installed program of the environment that runs the tests."""

PATIENCE_SECONDS = 20.0
"""How long a condition may take to come true; generous, for a loaded machine."""

_READ_SECONDS = 0.05

# The leader of a session without a terminal gets the first one that it opens.
_ON_TERMINAL = ("/bin/sh", "-c", 'exec "$@" <>"$0" >&0 2>&0')


class Terminal:
    """A program on a pseudo-terminal, which is its session's controlling one.

    Use it as a context manager: what is left of the program at the end is killed.

    Args:
        command: The program and its arguments.
        environ: Its whole environment, but for `TERM`.
        columns: The terminal's width.
        lines: The terminal's height.
        term: The terminal's kind.
    """

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        columns: int = 120,
        lines: int = 40,
        term: str = "xterm-256color",
    ) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self.received = b""
        self._ours, theirs = os.openpty()
        termios.tcsetwinsize(theirs, (lines, columns))
        self._modes = termios.tcgetattr(theirs)
        self._process = subprocess.Popen(
            [*_ON_TERMINAL, os.ttyname(theirs), *command], env={**environ, "TERM": term}, start_new_session=True
        )
        self._spare = theirs  # keeps the terminal until the program has opened it
        self._is_open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        self._close()

    @property
    def lines(self) -> list[str]:
        """What the screen shows, a text per line."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        """What the screen shows."""
        return "\n".join(self.lines)

    @property
    def is_restored(self) -> bool:
        """Whether the terminal treats what is typed as before the program, and shows lines and cursor as before."""
        is_shown = self.received.rfind(b"\x1b[?25h") > self.received.rfind(b"\x1b[?25l")
        is_main_screen = self.received.rfind(b"\x1b[?1049l") > self.received.rfind(b"\x1b[?1049h")
        return is_shown and is_main_screen and termios.tcgetattr(self._spare) == self._modes

    def line_of(self, text: str) -> str:
        """Return the first line that holds a text, empty when none does."""
        return next((line for line in self.lines if text in line), "")

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self._ours, keys.encode())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program."""
        self._process.send_signal(number)

    def hang_up(self, *, seconds: float = PATIENCE_SECONDS) -> int:
        """Take the terminal away, as a lost SSH connection does, and return the program's exit code.

        Raises:
            subprocess.TimeoutExpired: It did not end in time.
        """
        self._close()
        return self._process.wait(seconds)

    def until(self, condition: str | Callable[[], bool], *, seconds: float = PATIENCE_SECONDS) -> None:
        """Read until the screen holds a text (a regular expression), or until a condition is true.

        Raises:
            AssertionError: It did not come true in time, or the program ended first.
        """
        holds = condition if callable(condition) else self._shows(condition)
        deadline = time.monotonic() + seconds
        while not holds():
            has_ended = self._process.poll() is not None
            self._read()
            if holds():
                return
            if has_ended or time.monotonic() > deadline:
                why = "the program ended" if has_ended else f"{seconds:g} s passed"
                raise AssertionError(f"{why} without {condition!r}; the screen:\n{self.text}")

    def end(self, *, seconds: float = PATIENCE_SECONDS) -> int:
        """Read until the program has ended, and return its exit code; negative for the signal that ended it.

        Raises:
            AssertionError: It did not end in time.
        """
        deadline = time.monotonic() + seconds
        while self._process.poll() is None:
            assert time.monotonic() < deadline, f"it did not end; the screen:\n{self.text}"
            self._read()
        while self._read():
            pass
        return self._process.returncode

    def _shows(self, pattern: str) -> Callable[[], bool]:
        return lambda: re.search(pattern, self.text) is not None

    def _read(self) -> bool:
        if not select.select([self._ours], [], [], _READ_SECONDS)[0]:
            return False
        data = os.read(self._ours, 65_536)
        self.received += data
        self._stream.feed(data)
        return True

    def _close(self) -> None:
        if self._is_open:
            self._is_open = False
            os.close(self._ours)
            os.close(self._spare)
