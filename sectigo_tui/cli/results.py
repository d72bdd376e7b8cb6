"""What became of an order that a subcommand was about: a word, an exit code, a line, a JSON object."""

from __future__ import annotations

from sectigo_tui.cli.exit_codes import FAILED, FINE, REFUSED, UNKNOWN, WAITING, exit_code
from sectigo_tui.cli.output import complain, failure_text
from sectigo_tui.domain.errors import NotReady, ScmFailure, SectigoTuiError
from sectigo_tui.domain.orders import Order
from sectigo_tui.engine.orders.entries import WriteOutcome, write_outcome_of
from sectigo_tui.presentation.json import Ending, Json, failure_json

_CODES = {
    Ending.ORDERED: FINE,
    Ending.CERTIFICATE: FINE,
    Ending.REVOKED: FINE,
    Ending.PENDING: WAITING,
    Ending.ENDED: FAILED,
    Ending.STOPPED: FAILED,
    Ending.UNCONFIRMED: UNKNOWN,
    Ending.REVOKING: UNKNOWN,
    Ending.CREDENTIALS_REJECTED: REFUSED,
}


def code_of_ending(ending: Ending) -> int:
    """Return the exit code that a subcommand ends with."""
    return _CODES[ending]


def order_line(order: Order) -> str:
    """Return an order as one line: sslId (or local id), state, SCM's status, common name."""
    return f"{order.ssl_id or order.id}  {order.state}  {order.status_text or '-'}  {order.common_name or '-'}"


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
