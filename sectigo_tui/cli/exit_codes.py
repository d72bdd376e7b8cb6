"""What the program's exit codes mean."""

from __future__ import annotations

import signal

from sectigo_tui.domain.errors import (
    ConfigError,
    CredentialsRefused,
    InputError,
    NoRoom,
    SectigoTuiError,
    ServerFailure,
    Unreachable,
    Unreadable,
)

FINE = 0
FAILED = 1
"""SCM rejected the call, or the disk failed."""
USAGE = 2
"""The configuration or the arguments are wrong."""
REFUSED = 3
"""SCM rejected the credentials."""
UNREACHABLE = 4
"""SCM could not be reached, or answered as if it were something else."""
UNKNOWN = 5
"""Outcome unknown. The write is not repeated, and the program finds the outcome."""
DUPLICATE = 6
"""Not ordered, since orders of the same name exist and another was not asked for."""
WAITING = 7
"""It is still pending, and nothing has failed."""
LATE = 8
"""The last safe day to order a renewal has passed."""


def exit_code(error: SectigoTuiError) -> int:
    """Return the exit code that a failure ends a subcommand with."""
    match error:
        case NoRoom():
            return FAILED
        case ConfigError() | InputError():
            return USAGE
        case CredentialsRefused():
            return REFUSED
        case Unreachable() | Unreadable() | ServerFailure():
            return UNREACHABLE
        case _:
            return FAILED


def ended_by(number: signal.Signals) -> int:
    """Return the exit code that tells, as shells do, which signal ended the program."""
    return 128 + number
