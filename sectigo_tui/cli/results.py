"""The outcome of a subcommand for an order: a word, an exit code, a line."""

from __future__ import annotations

from sectigo_tui.cli.exit_codes import FAILED, FINE, REFUSED, UNKNOWN, WAITING
from sectigo_tui.domain.orders import Order
from sectigo_tui.presentation.json import Ending

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
