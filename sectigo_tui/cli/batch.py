"""One action for several orders: a line or a JSON object for each, and one exit code for all."""

from __future__ import annotations

from sectigo_tui.cli.exit_codes import FINE, UNKNOWN, WAITING, exit_code
from sectigo_tui.cli.output import complain, failure_text
from sectigo_tui.domain.errors import NotReady, ScmFailure, SectigoTuiError
from sectigo_tui.engine.orders.entries import WriteOutcome, write_outcome_of
from sectigo_tui.presentation.json import Json, failure_json


def code_of(failure: SectigoTuiError | None, *, is_write: bool) -> int:
    """Return the exit code of one order's outcome.

    Args:
        failure: Why it failed; None when it did not.
        is_write: Whether something may have been done at SCM although it failed.
    """
    match failure:
        case None:
            return FINE
        case NotReady():
            return WAITING
        case ScmFailure() if is_write and write_outcome_of(failure) is WriteOutcome.UNKNOWN:
            return UNKNOWN
        case _:
            return exit_code(failure)


def complain_of(target: object, failure: SectigoTuiError) -> None:
    """Report why an action failed for one order."""
    complain(f"{target}: {failure_text(failure)}")


def outcome_json(target: Json, failure: SectigoTuiError | None, *, is_write: bool) -> dict[str, Json]:
    """Return the JSON fields that every outcome has; subcommands add to them."""
    word = {FINE: "done", UNKNOWN: "unknown", WAITING: "not ready"}.get(code_of(failure, is_write=is_write), "failed")
    return {"target": target, "outcome": word, "failure": failure_json(failure)}
