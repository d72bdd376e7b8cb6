"""A driver of the terminal that waits for nobody.

Textual hands what it paints to a thread through a queue of 30 writes, and waits when that is full. A terminal that
takes nothing (a stalled SSH connection) would then stop the polling, and no signal would end the program.
"""

from __future__ import annotations

import io
import os
import select
import termios
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from sectigo_tui.ui.terminal.input import TerminalInput

if TYPE_CHECKING:
    from sectigo_tui.ui.terminal.terminal_app import TerminalApp

BACKLOG_BYTES = 16_384
"""How much waits for the terminal before frames are left out: a repaint or two of a usual screen.

The kernel holds some 20 kB more. Over a line of 2 kB/s every kilobyte here is half a second for which the operator
sees the past.
"""

PART_BYTES = 1_024
"""How much is written at once: a quarter of what a pseudo-terminal holds."""

LAST_WORDS_SECONDS = 0.6
"""How long the terminal may take for what puts it back, before what it has not read is thrown away for it."""

LAST_TRY_SECONDS = 1.2
"""How long it may take then; with no more than that to write, only a machine without time for it takes so long."""

INPUT_SECONDS = 0.1
"""How long is waited for what is typed before a lone escape counts as the key."""

INPUT_BYTES = 4_096

ANSWER_SECONDS = 3.0
"""How long a terminal that has answered before may take to say that it reports nothing any more: over a slow line."""
SILENCE_SECONDS = 0.4
"""How long a terminal that never answers must be silent before it counts as having processed that."""
DRAIN_SECONDS = 3.0
"""How long what a terminal reports is waited out at most."""

_ARE_YOU_OK = "\x1b[5n"
_OK = b"\x1b[0n"
_STDERR = 2
_CANCEL = b"\x18"
"""Ends a control sequence of which only a part was written."""


class Outlet(threading.Thread):
    """Writes to a terminal in its own time; what it is given never waits.

    Args:
        descriptor: The terminal.
        on_caught_up: Called from this thread when all is written and something had been left out before.
    """

    def __init__(self, descriptor: int, on_caught_up: Callable[[], None]) -> None:
        super().__init__(daemon=True, name="terminal-outlet")
        self._descriptor = descriptor
        self._on_caught_up = on_caught_up
        # Reentrant: a signal's handler may write while its thread is writing.
        self._changed = threading.Condition(threading.RLock())
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._last_words: list[bytes] | None = None
        self._has_left_out = False
        self._is_ended = False
        self._is_given_up = False

    def write(self, data: bytes, *, is_frame: bool = True) -> None:
        """Have something written; leave it out where too much waits already and it is only a frame."""
        with self._changed:
            if self._last_words is not None:
                self._last_words.append(data)
            elif is_frame and self._waiting_bytes > BACKLOG_BYTES:
                self._has_left_out = True
                return
            self._waiting.append(data)
            self._waiting_bytes += len(data)
            self._changed.notify()

    def begin_last_words(self) -> None:
        """Leave out nothing from here on: it puts the terminal back."""
        with self._changed:
            self._last_words = []

    def finish(self) -> None:
        """Wait until all is written, but not for a terminal that takes nothing."""
        with self._changed:
            self._is_ended = True
            self._changed.notify()
        self.join(LAST_WORDS_SECONDS)
        if not self.is_alive():
            return
        with self._changed:
            self._waiting = deque([_CANCEL, *(self._last_words or [])])
            self._is_given_up = True
        with suppress(termios.error):
            termios.tcflush(self._descriptor, termios.TCOFLUSH)
        self.join(LAST_TRY_SECONDS)

    def run(self) -> None:
        """Write until ended, or until the terminal is gone."""
        with suppress(OSError):
            while (data := self._next()) is not None:
                self._write(data)

    def _next(self) -> bytes | None:
        with self._changed:
            if self._has_left_out and not self._waiting:
                self._has_left_out = False
                self._on_caught_up()
            while not self._waiting and not self._is_ended:
                self._changed.wait()
            return self._waiting.popleft() if self._waiting else None

    def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        was_given_up = self._is_given_up
        while rest and was_given_up is self._is_given_up:
            # In parts: one that was blocked and is thrown away leaves room for what puts the terminal back.
            rest = rest[os.write(self._descriptor, rest[:PART_BYTES]) :]
        with self._changed:
            self._waiting_bytes -= len(data)


class TerminalDriver(LinuxDriver):
    """Textual's driver, which goes on while the terminal stalls, and restores it also after a stop from outside."""

    def __init__(
        self, app: TerminalApp[object], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        self._app: TerminalApp[object]
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._terminal = self._file.fileno() if self._file else _STDERR
        # Textual's own thread writes nothing any more; what it flushes at its end is not to fail with the terminal.
        self._file = io.TextIOWrapper(io.BytesIO())
        self._outlet: Outlet | None = None
        self._is_on = False
        self._source = TerminalInput(debug=debug)

    def write(self, data: str) -> None:
        """Have something written to the terminal."""
        if self._outlet is not None:
            # What rings is not painted again by the next frame.
            self._outlet.write(data.encode("utf-8", "replace"), is_frame=not data.startswith("\a"))

    def start_application_mode(self) -> None:
        """Take the terminal over."""
        if self._is_on:
            # Continued after a SIGSTOP, which no program can see coming: whoever had the terminal since has put its
            # own modes there, and these are to be found again at the end.
            self.suspend_application_mode()
            self._must_signal_resume = True
        self._source = TerminalInput(debug=self._debug)
        self._outlet = Outlet(self._terminal, self._repaint_soon)
        self._outlet.start()
        self._is_on = True
        super().start_application_mode()  # type: ignore[no-untyped-call] # Textual has no types there

    def stop_application_mode(self) -> None:
        """Put the terminal back as it was; nothing that it still reports reaches whoever has it next."""
        if self._outlet is not None:
            self._outlet.begin_last_words()
        if self._is_on:
            self._end_reports()
        super().stop_application_mode()
        self._is_on = False

    def _end_reports(self) -> None:
        """Switch the terminal's reports off, and discard those in flight until it has processed that."""
        self._disable_mouse_support()
        self._disable_bracketed_paste()
        self._disable_in_band_window_resize()
        self.write("\x1b[?1004l")
        self.write(_ARE_YOU_OK)
        self.exit_event.set()
        if self._key_thread is not None:
            self._key_thread.join()
        self.exit_event.clear()
        drain(self.fileno, patience_seconds=ANSWER_SECONDS if self._source.has_answered else SILENCE_SECONDS)

    def _run_input_thread(self) -> None:
        """Read what is typed; an error there ends the application, which would be deaf."""
        try:
            self.run_input_thread()
        except BaseException as defect:  # noqa: BLE001 - the boundary of the thread: the application ends with it
            self._app.call_later(self._app.fail, defect)

    def run_input_thread(self) -> None:
        """Read what is typed until told to end, whatever bytes it is."""
        source = self._source
        while not self.exit_event.is_set():
            if select.select([self.fileno], [], [], INPUT_SECONDS)[0]:
                for message in source.feed(self._read_input()):
                    self.process_message(message)
            for message in source.tick():
                self.process_message(message)

    def _read_input(self) -> bytes:
        try:
            data = os.read(self.fileno, INPUT_BYTES)
        except BlockingIOError:
            # Whoever shares the terminal has made it so.
            return b""
        except OSError:
            data = b""
        if not data:
            # It is gone; the application learns that by itself, and ends.
            self.exit_event.wait(INPUT_SECONDS)
        return data

    def process_message(self, message: Message) -> None:
        """Hand a message on, unless it is a report that was not asked for."""
        is_unasked = (isinstance(message, events.MouseEvent) and not self._mouse) or (
            isinstance(message, events.Resize) and not self._in_band_window_resize
        )
        if not is_unasked:
            super().process_message(message)

    def close(self) -> None:
        """Wait until the terminal is put back, though not for one that takes nothing."""
        super().close()
        if self._outlet is not None:
            self._outlet.finish()

    def _repaint_soon(self) -> None:
        self._loop.call_soon_threadsafe(self._repaint)

    def _repaint(self) -> None:
        self._app.repaint_all()


def drain(descriptor: int, *, patience_seconds: float) -> None:
    """Take what comes from a terminal and drop it, until it has answered that it is well, or is silent.

    Args:
        descriptor: The terminal.
        patience_seconds: How long nothing may come before that counts as silence.
    """
    deadline = time.monotonic() + DRAIN_SECONDS
    taken = b""
    while _OK not in taken and (left := deadline - time.monotonic()) > 0:
        if not select.select([descriptor], [], [], min(left, patience_seconds))[0]:
            return
        try:
            data = os.read(descriptor, INPUT_BYTES)
        except OSError:
            return
        if not data:
            return
        taken = taken[-len(_OK) :] + data
