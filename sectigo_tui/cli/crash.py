"""Crash reports: where an exception happened, without the value of any variable.

A defect on the screen's thread ends the program; one in a thread, a destructor or a forgotten task does not, and would
be printed over the screen. Either is written to a file of its own, and told once the terminal is the operator's again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import logging
    import threading

MASK = "********"
REPORTS_AT_MOST = 5
"""How many reports one process writes: an exception in every second must not fill the disk."""

_SHORTEST_SECRET = 5
_SECRET_VARIABLES = ("PASSWORD", "SECRET", "TOKEN", "API_KEY")


_in_charge: list[CrashReports] = []
"""The reports of the running program: global, like the interpreter's own hooks."""


def keep_crash(defect: BaseException, where: str) -> None:
    """Write a report of an exception that a boundary has caught, so that the program goes on.

    Args:
        defect: What was raised.
        where: What it broke, for a person.
    """
    if _in_charge:
        _in_charge[-1].keep(defect, where)


class CrashReports:
    """Writes crash reports, each to a file that only its owner can read.

    Args:
        directory: Returns where the files go, asked when there is one.
        arguments: The program's arguments.

    Attributes:
        messages: Messages for the operator, a line each.
    """

    def __init__(self, directory: Callable[[], Path], arguments: Sequence[str]) -> None:
        self.messages: list[str] = []
        self._directory = directory
        self._arguments = arguments
        self._count = 0
        self._kept: set[tuple[str, str, int]] = set()

    def keep(self, defect: BaseException, where: str) -> None:
        """Write a report of an exception.

        Args:
            defect: What was raised.
            where: What it broke, such as `thread textual-output`.
        """
        import traceback

        same = _place_of(defect)
        if same in self._kept or self._count >= REPORTS_AT_MOST:
            return
        self._kept.add(same)
        self._count += 1
        secrets = _known_secrets()
        what = _masked("".join(traceback.format_exception_only(defect)).strip(), secrets)
        trace = "".join(traceback.TracebackException.from_exception(defect, capture_locals=False).format())
        text = f"{self._heading(where)}\n{trace}"
        self.messages.append(f"a defect of this program, {where}: {what.splitlines()[-1]}")
        self.messages.append(self._write(_masked(text, secrets)))

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Report, while the block lasts, exceptions that no caller would see: from threads, destructors and tasks."""
        import threading

        before = threading.excepthook, sys.unraisablehook
        threading.excepthook, sys.unraisablehook = self._in_thread, self._unraisable
        quiet = self._watched_tasks() if "asyncio" in sys.modules else None
        _in_charge.append(self)
        try:
            yield
        finally:
            _in_charge.remove(self)
            threading.excepthook, sys.unraisablehook = before
            if quiet is not None:
                quiet[0].removeHandler(quiet[1])
                quiet[0].propagate = True

    def _watched_tasks(self) -> tuple[logging.Logger, logging.Handler]:
        # asyncio tells of a task's defect that nobody asked for by logging it, on stderr unless somebody listens.
        import logging

        reports = self

        class Handler(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                error = record.exc_info[1] if record.exc_info else None
                if error is not None:
                    reports.keep(error, "a task")

        logger, handler = logging.getLogger("asyncio"), Handler(logging.ERROR)
        logger.addHandler(handler)
        logger.propagate = False
        return logger, handler

    def _in_thread(self, raised: threading.ExceptHookArgs) -> None:
        if raised.exc_value is not None and not isinstance(raised.exc_value, SystemExit):
            self.keep(raised.exc_value, f"thread {raised.thread.name if raised.thread else '?'}")

    def _unraisable(self, raised: sys.UnraisableHookArgs) -> None:
        if raised.exc_value is not None:
            self.keep(raised.exc_value, "cleaning up")

    def _heading(self, where: str) -> str:
        import platform
        import shlex

        from sectigo_tui import __version__

        return "\n".join(
            (
                f"sectigo-tui {__version__}: a defect, {where}",
                f"at         {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
                f"python     {platform.python_version()} on {platform.platform(terse=True)}",
                f"arguments  {shlex.join(self._arguments)}",
                "",
            )
        )

    def _write(self, text: str) -> str:
        from sectigo_tui.durable import create_file

        name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}-{self._count}.txt"
        path = self._directory() / name
        try:
            create_file(path, text.encode("utf-8", "backslashreplace"))
        except OSError as error:
            return f"no report of it could be written to {path}: {error.strerror}"
        return f"where it happened is in {path}, without the value of any variable; attach it to a bug report"


def _place_of(defect: BaseException) -> tuple[str, str, int]:
    """Return a key of an exception: one that recurs with every restart of a job is reported once."""
    traced = defect.__traceback__
    while traced is not None and traced.tb_next is not None:
        traced = traced.tb_next
    name = type(defect).__name__
    return (name, traced.tb_frame.f_code.co_filename, traced.tb_lineno) if traced is not None else (name, "", 0)


def _masked(text: str, secrets: Sequence[str]) -> str:
    # An exception's message may quote what could not be used: a header, an input.
    for secret in secrets:
        for written in {secret, repr(secret)[1:-1], ascii(secret)[1:-1]}:
            text = text.replace(written, MASK)
    return text


def _known_secrets() -> list[str]:
    """Return every secret that this process holds, the longest first."""
    import gc

    found = {
        value for name, value in os.environ.items() if any(part in name.upper() for part in _SECRET_VARIABLES) and value
    }
    if "sectigo_tui.domain.ports" in sys.modules:
        from sectigo_tui.domain.ports import SecretText

        gc.unfreeze()
        # By type(), which unlike isinstance() runs no code of a proxy's.
        found |= {held.reveal() for held in gc.get_objects() if type(held) is SecretText}
    return sorted((secret for secret in found if len(secret) >= _SHORTEST_SECRET), key=len, reverse=True)
