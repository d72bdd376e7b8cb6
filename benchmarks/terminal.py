"""Programs in a terminal that is read at once, as a fast emulator would, or slowly, as over a thin line."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

WIDTH, HEIGHT = 120, 40
TRUE_COLOUR = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
SIXTEEN_COLOURS = {"TERM": "xterm", "COLORTERM": ""}
PROGRAM = ("-m", "sectigo_tui")
CHECKOUT = Path(__file__).parents[1]
_SETTLED_SECONDS = 0.03


class NothingCameError(Exception):
    """A program did not show what was waited for; holds the end of what it showed instead."""


@dataclass
class Terminal:
    """A program in a terminal.

    Args:
        descriptor: The terminal's other end.
        process_id: The program.
        started: When it was started, in `time.perf_counter` seconds.
    """

    descriptor: int
    process_id: int
    started: float

    def press(self, keys: bytes) -> float:
        """Send keys, and return when."""
        pressed = time.perf_counter()
        os.write(self.descriptor, keys)
        return pressed

    def read_until(self, *wanted: bytes, limit_seconds: float = 60.0) -> float:
        """Read until one of some texts came, and return when.

        Raises:
            NothingCameError: None came in time, or the program ended.
        """
        seen = b""
        end = time.perf_counter() + limit_seconds
        while not any(text in seen for text in wanted):
            if not self._has_output(end - time.perf_counter()):
                raise NothingCameError(f"no {wanted} in {seen[-2000:]!r}")
            try:
                seen = seen[-20_000:] + os.read(self.descriptor, 1 << 16)
            except OSError:
                raise NothingCameError(f"ended with {seen[-2000:]!r}") from None
        return time.perf_counter()

    def read_for(self, seconds: float) -> int:
        """Return how many bytes came in a time."""
        size, end = 0, time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if self._has_output(left):
                size += len(os.read(self.descriptor, 1 << 16))
        return size

    def read_until_quiet(self, quiet_seconds: float, limit_seconds: float = 20.0) -> float:
        """Return when the last byte before a pause came; nothing at all is a pause of a second."""
        last, came = time.perf_counter(), False
        end = last + limit_seconds
        while time.perf_counter() < end and self._has_output(quiet_seconds if came else 1.0):
            came = bool(os.read(self.descriptor, 1 << 16))
            last = time.perf_counter()
        return last

    def key_seconds(self, key: bytes) -> float:
        """Press a key and return the seconds until its paint has settled."""
        pressed = self.press(key)
        return self.read_until_quiet(_SETTLED_SECONDS) - pressed

    def cpu_seconds(self) -> float:
        """Return the processor time the program has used."""
        fields = Path(f"/proc/{self.process_id}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_megabytes(self) -> float:
        """Return the memory of the program that is in use now."""
        lines = Path(f"/proc/{self.process_id}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))

    def at_rest(self, seconds: float) -> tuple[float, float]:
        """Return bytes per second and per cent of a core over a time."""
        used = self.cpu_seconds()
        size = self.read_for(seconds)
        return size / seconds, (self.cpu_seconds() - used) / seconds * 100

    def _has_output(self, seconds: float) -> bool:
        return seconds > 0 and bool(select.select([self.descriptor], [], [], seconds)[0])


@contextmanager
def in_terminal(
    arguments: Sequence[str], environ: Mapping[str, str] = TRUE_COLOUR, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> Iterator[Terminal]:
    """Run Python with some arguments in a terminal of its own, and kill it at the end.

    Args:
        arguments: What follows the interpreter.
        environ: Variables over those of this process.
        size: The terminal's columns and lines.
    """
    started = time.perf_counter()
    process_id, descriptor = pty.fork()
    if process_id == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
        os.chdir(CHECKOUT)
        os.execve(sys.executable, [sys.executable, *arguments], {**os.environ, **environ})
    try:
        yield Terminal(descriptor, process_id, started)
    finally:
        os.kill(process_id, signal.SIGKILL)
        os.waitpid(process_id, 0)
        os.close(descriptor)
