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
_AGAIN_SECONDS = 1.0

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

    def shows(self, *patterns: str) -> bool:
        """Return whether one line of the screen has matches of all of some regular expressions."""
        return any(all(re.search(pattern, line) for pattern in patterns) for line in self.lines)

    def press(self, keys: str) -> None:
        """Type."""
        self.press_bytes(keys.encode())

    def press_bytes(self, data: bytes) -> None:
        """Type what need not be UTF-8."""
        os.write(self._ours, data)

    def press_until(self, keys: str, condition: Callable[[], bool]) -> None:
        """Type, and again each second, as an operator does who sees nothing happen.

        Raises:
            AssertionError: The condition did not come true in time.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"{keys!r} did nothing; the screen:\n{self.text}"
            self.press(keys)
            pause = time.monotonic() + _AGAIN_SECONDS
            while not condition() and time.monotonic() < pause:
                self._read()

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

    def until(self, *patterns: str | Callable[[], bool]) -> None:
        """Read until one line of the screen has matches of all of some regular expressions, or a condition is true.

        Raises:
            AssertionError: It did not come true in time, or the program ended first.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self._holds(patterns):
            has_ended = self._process.poll() is not None
            self._read()
            if self._holds(patterns):
                return
            if has_ended or time.monotonic() > deadline:
                why = "the program ended" if has_ended else f"{PATIENCE_SECONDS:g} s passed"
                raise AssertionError(f"{why} without {patterns!r}; the screen:\n{self.text}")

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

    def read_slowly(self, seconds: float, *, bytes_per_second: int) -> None:
        """Take what is painted no faster than a thin line carries it."""
        started = time.monotonic()
        taken = 0
        while (passed := time.monotonic() - started) < seconds:
            room = int(passed * bytes_per_second) - taken
            if room > 0 and select.select([self._ours], [], [], _READ_SECONDS)[0]:
                data = os.read(self._ours, min(room, 512))
                taken += len(data)
                self.received += data
                self._stream.feed(data)
            else:
                time.sleep(_READ_SECONDS / 5)

    def _holds(self, patterns: Sequence[str | Callable[[], bool]]) -> bool:
        texts = [pattern for pattern in patterns if isinstance(pattern, str)]
        return all(pattern() for pattern in patterns if callable(pattern)) and (not texts or self.shows(*texts))

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
