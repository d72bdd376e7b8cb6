"""Asking a secret manager for the password: without a shell, within a time limit, and without a trace.

Where the program is in the foreground of a terminal that no screen has taken, the command is a foreground job of its
own there, as a shell starts one: it may ask for a PIN. Elsewhere it has a session of its own, and cannot reach the
terminal.
"""

from __future__ import annotations

import atexit
import os
import selectors
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field

from sectigo_tui.domain.errors import PasswordCommandFailed
from sectigo_tui.domain.ports import SecretText

TIMEOUT_SECONDS = 30.0
END_SECONDS = 0.5
"""How long a command may take to end once it has printed its first line, or was asked to end."""
LINE_BYTES = 64 * 1024
"""The longest line that is accepted, and how much of its error output is kept."""

_READ_BYTES = 4_096
_LOOK_SECONDS = 0.05
_COMPLAINT_CHARACTERS = 160


@dataclass(frozen=True, slots=True)
class PasswordCommand:
    """A command line whose first line of output is the password.

    Args:
        arguments: The program and its arguments.
        source: Where the command was configured, for errors.
        environ: The environment it runs in.
        timeout_seconds: How long it may take; a secret manager may ask the operator something on the terminal.
        key: The setting that names it.

    Attributes:
        output: Its output, once there is one: the command is then not run again.
    """

    arguments: tuple[str, ...] = field(repr=False)
    source: str
    environ: Mapping[str, str] = field(repr=False)
    timeout_seconds: float = TIMEOUT_SECONDS
    key: str = "password_command"
    output: list[SecretText] = field(default_factory=list, repr=False, compare=False)

    def run(self, *, may_prompt: bool = False) -> SecretText:
        """Return the password, asking for it the first time; blocks, so call it from a thread when a screen is up.

        Args:
            may_prompt: Whether no screen has the terminal, so that the command may ask the operator something there.

        Raises:
            PasswordCommandFailed: It cannot be run, takes too long, fails, or prints nothing that can be a password.
        """
        if not self.output:
            self.output.append(self._ask(may_prompt=may_prompt))
        return self.output[0]

    def _ask(self, *, may_prompt: bool) -> SecretText:
        try:
            with (
                _foreground(is_wanted=may_prompt) as give_terminal,
                _notice(self.key, self.timeout_seconds, is_wanted=give_terminal is not None),
            ):
                run = _Run(self.arguments, self.environ, give_terminal)
                run.until_answered(self.timeout_seconds)
        except (OSError, ValueError) as error:
            reason = f"cannot be run: {getattr(error, 'strerror', None) or error}"
            raise self._error(reason, may_pass=False) from None
        if run.code == -signal.SIGINT and give_terminal is not None:
            # ctrl-c reached the command alone, which had the terminal: it is meant for this program too.
            os.kill(os.getpid(), signal.SIGINT)
        return self._password(run)

    def _password(self, run: _Run) -> SecretText:
        first_line = bytes(run.line).removesuffix(b"\r")
        if run.code:
            ended = f"ended with exit code {run.code}" if run.code > 0 else f"was ended by signal {-run.code}"
            raise self._error(f"{ended}{_complaint(bytes(run.complaints), first_line)}")
        if run.is_too_long:
            raise self._error(f"printed more than {LINE_BYTES // 1024} kB on its first line", may_pass=False)
        if not run.is_answered:
            raise self._error(f"did not answer within {self.timeout_seconds:g} s")
        try:
            password = first_line.decode()
        except UnicodeDecodeError:
            raise self._error("printed something that is not UTF-8", may_pass=False) from None
        if not password:
            raise self._error("printed nothing on its first line")
        if not password.isprintable():
            raise self._error("printed control characters on its first line", may_pass=False)
        if password != password.strip():
            raise self._error("printed a blank at the start or the end of its first line", may_pass=False)
        return SecretText(password)

    def _error(self, reason: str, *, may_pass: bool = True) -> PasswordCommandFailed:
        # The arguments are not shown: some secret managers take a token there.
        reason = f"{self.arguments[0]} {reason}"
        return PasswordCommandFailed(source=self.source, reason=reason, may_pass=may_pass, key=self.key)


class _Run:
    """The command while it runs, in a process group of its own.

    Args:
        arguments: The program and its arguments.
        environ: Its environment.
        give_terminal: Gives a process group the terminal; None for a session without one.
    """

    def __init__(
        self, arguments: tuple[str, ...], environ: Mapping[str, str], give_terminal: Callable[[int], None] | None
    ) -> None:
        self.code = 0
        self.line = bytearray()
        self.complaints = bytearray()
        self._is_line_whole = False
        self._shows_prompts = give_terminal is not None
        self._shown = 0
        self._process = subprocess.Popen(  # noqa: S603 - the operator's own command, and no shell
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            start_new_session=give_terminal is None,
            process_group=None if give_terminal is None else 0,
        )
        if give_terminal is not None:
            give_terminal(self._process.pid)
            # It may have been stopped for reading before the terminal was its own.
            self._signal(signal.SIGCONT)

    @property
    def is_answered(self) -> bool:
        """Whether the first line is all there."""
        return self._is_line_whole

    @property
    def is_too_long(self) -> bool:
        """Whether it has printed more than a line may have."""
        return len(self.line) > LINE_BYTES

    def until_answered(self, timeout_seconds: float) -> None:
        """Read until it has printed its first line and ended, or has had its time; what is left of it is ended."""
        atexit.register(self._end)
        try:
            with selectors.DefaultSelector() as selector, ExitStack() as pipes:
                for pipe, take in (
                    (self._process.stdout, self._take_output),
                    (self._process.stderr, self._take_complaint),
                ):
                    if pipe is not None:
                        selector.register(pipes.enter_context(pipe), selectors.EVENT_READ, take)
                self._read_until(selector, time.monotonic() + timeout_seconds)
        finally:
            if self._process.returncode is None or self.code or not self.is_answered:
                self._end()
            atexit.unregister(self._end)

    def _read_until(self, selector: selectors.BaseSelector, deadline: float) -> None:
        must_end = False
        while not self.is_too_long and time.monotonic() < deadline:
            self._read(selector)
            self.code = self._process.poll() or 0
            if self._process.returncode is not None and (self.code or self.is_answered):
                return
            if self.is_answered and not must_end:
                must_end, deadline = True, min(deadline, time.monotonic() + END_SECONDS)

    def _read(self, selector: selectors.BaseSelector) -> None:
        ready = selector.select(_LOOK_SECONDS)
        for key, _ in ready:
            data = os.read(key.fd, _READ_BYTES)
            key.data(data)
            if not data:
                selector.unregister(key.fileobj)
        if not ready and self._shows_prompts:
            self._show_prompt()

    def _take_output(self, data: bytes) -> None:
        if self._is_line_whole:
            return
        line, end, _ = data.partition(b"\n")
        self.line += line
        self._is_line_whole = bool(end) or not data

    def _take_complaint(self, data: bytes) -> None:
        self.complaints += data[: LINE_BYTES - len(self.complaints)]

    def _show_prompt(self) -> None:
        """Show the line that it has begun on stderr and waits behind, as `read -p` does."""
        begun = self.complaints[max(self._shown, self.complaints.rfind(b"\n") + 1) :]
        self._shown = len(self.complaints)
        if begun:
            _write("".join(filter(str.isprintable, begun.decode(errors="replace"))))

    def _end(self) -> None:
        """End its whole process group."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        self._signal(signal.SIGKILL)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)

    def _signal(self, number: signal.Signals) -> None:
        # Another user's, as of sudo, cannot be ended from here.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, number)


@contextmanager
def _foreground(*, is_wanted: bool) -> Iterator[Callable[[int], None] | None]:
    """Yield what gives a process group the terminal, and take it back at the end; None where it cannot be given."""
    terminal = _own_terminal() if is_wanted else None
    if terminal is None:
        yield None
        return
    modes = termios.tcgetattr(terminal)
    try:
        yield lambda group: _give(terminal, group)
    finally:
        _give(terminal, os.getpgrp())
        # One that was ended at its prompt has left the echo off.
        with suppress(termios.error):
            termios.tcsetattr(terminal, termios.TCSADRAIN, modes)
        os.close(terminal)


def _own_terminal() -> int | None:
    """Return a descriptor of the terminal in whose foreground this process is; None where it is in none's."""
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
    with suppress(OSError):
        if os.tcgetpgrp(terminal) == os.getpgrp():
            return terminal
    os.close(terminal)
    return None


def _give(terminal: int, group: int) -> None:
    # Who is not in the foreground is stopped for this, unless it blocks the signal.
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        with suppress(OSError):
            os.tcsetpgrp(terminal, group)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)


@contextmanager
def _notice(key: str, timeout_seconds: float, *, is_wanted: bool) -> Iterator[None]:
    """Show on the terminal, while the block lasts, that the command is still running."""
    if not is_wanted:
        yield
        return
    notice = f"waiting for {key}, at most {timeout_seconds:g} s: "
    _write(notice)
    try:
        yield
    finally:
        _write(f"\r{' ' * len(notice)}\r")


def _write(text: str) -> None:
    if sys.stderr is not None and sys.stderr.isatty():
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()


def _complaint(stderr: bytes, secret: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    if not lines or (secret and secret in stderr):
        return ""
    printable = "".join(character for character in lines[0] if character.isprintable())
    return f": {printable[:_COMPLAINT_CHARACTERS]}"
