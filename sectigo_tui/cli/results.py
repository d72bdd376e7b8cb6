"""What became of an order that a subcommand was about: a word, an exit code, a line."""

from __future__ import annotations

from enum import StrEnum

from sectigo_tui.cli.exit_codes import FAILED, FINE, REFUSED, UNKNOWN, WAITING
from sectigo_tui.domain.orders import Order


class Ending(StrEnum):
    """How a subcommand leaves an order."""

    ORDERED = "ordered"
    """SCM took it; it was not waited for."""
    CERTIFICATE = "certificate"
    REVOKED = "revoked"
    PENDING = "pending"
    """Waited for in vain: it is still on its way."""
    ENDED = "ended"
    """It will never be a certificate, or is one no more."""
    STOPPED = "stopped"
    """SCM refuses it, so polling has stopped; the order is what it was."""
    UNCONFIRMED = "unconfirmed"
    """Whether SCM took it is not known."""
    REVOKING = "revoking"
    """Whether SCM has revoked it is not known, or it could not be told yet."""
    CREDENTIALS_REJECTED = "held back"
    """SCM refuses the credentials: nothing is sent until they are rotated."""

    @property
    def exit_code(self) -> int:
        """The exit code that a subcommand ends with."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
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


def order_line(order: Order) -> str:
    """Return an order as one line: sslId (or local id), state, SCM's status, common name."""
    return f"{order.ssl_id or order.id}  {order.state}  {order.status_text or '-'}  {order.common_name or '-'}"
