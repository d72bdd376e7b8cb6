"""Orders as JSON, in the shapes that `docs/orders-json.md` promises."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec

from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.orders import Order, Revocation
from sectigo_tui.domain.polling import PollResult, PollWindow

_TO_THE_SECOND = len("2026-03-12T03:12:00")

Json = str | int | float | bool | list["Json"] | dict[str, "Json"] | None

_Written = Callable[[Moment | None], Any]
"""What stands for a time or a day in a shape."""


def order_json(order: Order) -> dict[str, Json]:
    """Return a local order; unknown facts are null, a time is UTC to the second, a day stays a day."""
    return _order(order, moment_json)


def order_line(order: Order) -> bytes:
    """Return a local order as `order_json` has it, in one line of JSON."""
    return msgspec.json.encode(_order(order, moment_json))


def moment_json(moment: Moment | None) -> str | None:
    """Return `2026-03-12T03:12:00Z` for a time, `2026-03-12` for a day, None for what is not known."""
    if isinstance(moment, datetime):
        # A tenth of what strftime takes, and an order has a dozen of them; times from the store are UTC already.
        utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
        return f"{utc.isoformat()[:_TO_THE_SECOND]}Z"
    return moment.isoformat() if moment is not None else None


def _order(order: Order, written: _Written) -> dict[str, Json]:
    details = order.details
    names = details.subject_alternative_names if details else ()
    return {
        "id": order.id,
        "ssl_id": order.ssl_id,
        "state": order.state,
        "state_since": written(order.state_since),
        "scm_status": order.scm_status or None,
        "common_name": order.common_name or None,
        "subject_alternative_names": list(names),
        "profile_id": order.profile_id,
        "profile_name": order.profile_name or None,
        "validation": order.validation or None,
        "term_days": order.term_days,
        "organization_id": order.organization_id,
        "origin": order.origin,
        "created_at": written(order.created_at),
        "requested": written(details.requested if details else None),
        "approved": written(details.approved if details else None),
        "issued": written(details.issued if details else None),
        "expires": written(details.expires if details else None),
        "order_number": (details.order_number if details else "") or None,
        "backend_cert_id": (details.backend_cert_id if details else "") or None,
        "serial_number": (details.serial_number if details else "") or None,
        "renews_ssl_id": order.renews_ssl_id,
        "window": _window(order.window, written),
        "last_poll": _poll(order.last_poll, written),
        "last_answer_at": written(order.last_answer_at),
        "certificate_path": order.certificate_path or None,
        "key_path": order.key_path or None,
        "revocation": _revocation(order.revocation, written),
        "refusal": order.rejection or None,
    }


def _window(window: PollWindow | None, written: _Written) -> dict[str, Json] | None:
    if window is None:
        return None
    return {
        "opened_at": written(window.opened_at),
        "deadline_at": written(window.deadline_at),
        "looks": window.attempts,
        "next_poll_at": written(window.next_poll_at),
        "reason": window.reason if window.is_open else None,
        "ended": window.ended,
    }


def _poll(poll: PollResult | None, written: _Written) -> dict[str, Json] | None:
    if poll is None:
        return None
    return {
        "at": written(poll.at),
        "outcome": poll.outcome,
        "detail": poll.detail or None,
        "http_status": poll.http_status,
        "scm_code": poll.code,
        "latency_seconds": poll.latency_seconds,
    }


def _revocation(revocation: Revocation | None, written: _Written) -> dict[str, Json] | None:
    if revocation is None:
        return None
    return {
        "reason_code": revocation.reason_code,
        "reason": revocation.reason,
        "asked_at": written(revocation.asked_at),
        "confirmed_at": written(revocation.confirmed_at),
    }
