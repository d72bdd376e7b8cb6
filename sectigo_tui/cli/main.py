"""Runs a subcommand and turns its failure into a message and an exit code."""

from __future__ import annotations

import os
import signal
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from sectigo_tui.cli.crash import CrashReports
from sectigo_tui.cli.exit_codes import FAILED, ended_by, exit_code
from sectigo_tui.cli.parser import DASHBOARD, make_parser, module_of
from sectigo_tui.cli.streams import ClosedStream
from sectigo_tui.collector import loading
from sectigo_tui.domain.errors import SectigoTuiError


def run(arguments: Sequence[str]) -> int:
    """Run what the arguments ask for.

    Args:
        arguments: What follows the program's name.

    Returns:
        The exit code; see `exit_codes`.
    """
    options = Namespace(subcommand=DASHBOARD)
    reports = CrashReports(lambda: _crash_directory(options), arguments)
    try:
        with loading():
            make_parser().parse_args(arguments, options)
            module = module_of(options.subcommand)
        with reports.watching():
            code: int = module.run(options)
    except SectigoTuiError as error:
        _complain(error)
        code = exit_code(error)
    except KeyboardInterrupt:
        code = ended_by(signal.SIGINT)
    except BrokenPipeError:
        code = ended_by(signal.SIGPIPE)
    except Exception as defect:  # noqa: BLE001 - the outermost boundary: reported without values
        reports.keep(defect, options.subcommand)
        code = FAILED
    _print(reports)
    return _flushed(code)


def _crash_directory(options: Namespace) -> Path:
    from sectigo_tui.config.paths import find_paths

    given = vars(options)
    try:
        return find_paths(os.environ, config=os.devnull, data_dir=given.get("data_dir")).data_dir / "crashes"
    except SectigoTuiError:
        # There is no data directory, which is another matter than the defect.
        return Path.cwd()


def _print(reports: CrashReports) -> None:
    if reports.messages:
        from sectigo_tui.cli.terminal import complain

        # The terminal may be gone; the reports are on disk.
        with suppress(OSError):
            complain("\n".join(reports.messages))


def _complain(error: SectigoTuiError) -> None:
    from sectigo_tui.cli.terminal import complain, failure_text
    from sectigo_tui.domain.errors import ScmFailure

    complain(failure_text(error) if isinstance(error, ScmFailure) else str(error))


def _flushed(code: int) -> int:
    """Write what is still buffered, and return the exit code that this makes of one."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of a pipe has seen enough, as `head` does.
        code = ended_by(signal.SIGPIPE)
        _discard(sys.stdout)
    except OSError as error:
        sys.stderr.write(f"sectigo-tui: stdout: {error.strerror}\n")
        code = code or FAILED
        _discard(sys.stdout)
    try:
        sys.stderr.flush()
    except OSError:
        # The terminal is gone: there is nowhere to write to.
        _discard(sys.stderr)
    return code


def _discard(stream: TextIO) -> None:
    """Redirect a broken stream, so that the interpreter's exit does not fail on it."""
    if isinstance(stream, ClosedStream):
        return
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - no file
        os.dup2(nowhere.fileno(), stream.fileno())
