"""Orders, events and results as JSON, in the shapes that the documents promise."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.events import (
    EngineEvent,
    FailureReported,
    OrderChanged,
    PollFinished,
    StoreStateChanged,
    TimelineEntry,
)
from sectigo_tui.domain.explain import explain
from sectigo_tui.domain.orders import Order, OrderNote, Revocation
from sectigo_tui.domain.polling import PollResult, PollWindow

if TYPE_CHECKING:
    from sectigo_tui.engine.diagnosis.ending import EndingValidation, EndingValidations
    from sectigo_tui.engine.diagnosis.message import Message
    from sectigo_tui.engine.diagnosis.result import Diagnosis
    from sectigo_tui.engine.orders.lookup import Duplicates

_TO_THE_SECOND = len("2026-03-12T03:12:00")
_ENCODE = msgspec.json.Encoder().encode

Json = str | int | float | bool | list["Json"] | dict[str, "Json"] | None

_Written = Callable[[Moment | None], Any]
"""Converts a time or a day to its JSON form."""


class Ending(StrEnum):
    """The state in which a subcommand leaves an order."""

    ORDERED = "ordered"
    """SCM accepted the order; the command did not wait."""
    CERTIFICATE = "certificate"
    REVOKED = "revoked"
    PENDING = "pending"
    """The wait ended, and the order is still pending."""
    ENDED = "ended"
    """It will never be a certificate, or no longer is one."""
    STOPPED = "stopped"
    """SCM rejects the poll, so polling has stopped; the order is unchanged."""
    UNCONFIRMED = "unconfirmed"
    """Outcome unknown: SCM's answer was lost."""
    REVOKING = "revoking"
    """The revocation is not confirmed by SCM, or not sent yet."""
    CREDENTIALS_REJECTED = "credentials rejected"
    """Paused: SCM rejects the credentials."""


def order_json(order: Order) -> dict[str, Json]:
    """Return a local order; unknown facts are null, a time is UTC to the second, a day stays a day."""
    return _order(order, moment_json)


def order_line(order: Order) -> bytes:
    """Return a local order as `order_json` has it, in one line of JSON."""
    return _ENCODE(_order(order, _to_the_second))


def _to_the_second(moment: Moment | None) -> Moment | msgspec.Raw | None:
    """Return what msgspec writes as `moment_json` would, in a tenth of the time: an order has a dozen of them."""
    if isinstance(moment, datetime):
        utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
        return msgspec.Raw(_ENCODE(utc)[: 1 + _TO_THE_SECOND] + b'Z"')
    return moment


def moment_json(moment: Moment | None) -> str | None:
    """Return `2026-03-12T03:12:00Z` for a time, `2026-03-12` for a day, None for what is not known."""
    if isinstance(moment, datetime):
        return f"{moment.astimezone(UTC).isoformat()[:_TO_THE_SECOND]}Z"
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
        "rejection": order.rejection or None,
        "owner": order.owner or None,
        "note": _note(order.note, written),
    }


def _note(note: OrderNote | None, written: _Written) -> dict[str, Json] | None:
    return {"at": written(note.at), "by": note.by or None, "text": note.text} if note is not None else None


def _window(window: PollWindow | None, written: _Written) -> dict[str, Json] | None:
    if window is None:
        return None
    return {
        "opened_at": written(window.opened_at),
        "deadline_at": written(window.deadline_at),
        "attempts": window.attempts,
        "next_poll_at": written(window.next_poll_at),
        "reason": window.reason if window.is_open else None,
        "ended": window.ended,
        "until_issued": window.until_issued,
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


def validations_json(found: EndingValidations) -> dict[str, Json]:
    """Return the validations that end soon, with what will need them."""
    return {
        "at": moment_json(found.at),
        "as_of": moment_json(found.as_of),
        "within_days": found.within_days,
        "is_dcv_used": found.is_dcv_used,
        "missing": list(found.missing),
        "validations": [_validation(row) for row in found.rows],
    }


def _validation(row: EndingValidation) -> dict[str, Json]:
    return {
        "kind": str(row.kind),
        "name": row.name,
        "organization_id": row.organization_id,
        "level": row.level or None,
        "status": row.status or None,
        "renewal": row.renewal or None,
        "method": row.method or None,
        "expires": moment_json(row.expires),
        "has_ended": row.has_ended,
        "pending_orders": [
            {"ssl_id": order.ssl_id, "id": order.order_id or None, "common_name": order.common_name or None}
            for order in row.pending
        ],
        "certificates": row.certificates,
        "are_more_certificates": row.are_more,
        "examples": list(row.examples),
    }


def print_json(document: Json) -> None:
    """Write one JSON document to stdout; what is not ASCII in it is escaped."""
    import json

    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")


def print_json_line(document: Json) -> None:
    """Write one JSON document to stdout as a line."""
    import json

    sys.stdout.write(f"{json.dumps(document)}\n")


def failure_json(failure: Exception | None, *, is_once: bool = True) -> dict[str, Json] | None:
    """Return a failure in the four fields that the operator reads.

    Args:
        failure: The failure; None for none.
        is_once: Whether the command ends with it, so that nothing more is done by itself.
    """
    if failure is None:
        return None

    told = explain(failure, is_once=is_once)
    return {"what": told.what, "scm_code": told.code, "meaning": told.meaning, "next_step": told.next_step}


def placed_json(
    ending: Ending | None, order: Order | None, duplicates: Duplicates | None, lost: Exception | None = None
) -> dict[str, Json]:
    """Return the outcome of ordering or renewing.

    Args:
        ending: How the order was left; None when it was not placed because of duplicates.
        order: The order.
        duplicates: The orders of the same name; None when they were not looked up.
        lost: How SCM's answer was lost.
    """
    return {
        "outcome": ending.value if ending is not None else "duplicates",
        "order": order_json(order) if order is not None else None,
        "lost_answer": failure_json(lost),
        "duplicates": duplicates_json(duplicates) if duplicates is not None else None,
    }


def duplicates_json(duplicates: Duplicates) -> dict[str, Json]:
    """Return the orders of the same name."""
    return {
        "local": [order_json(order) for order in duplicates.local],
        "remote": [details_json(details) for details in duplicates.remote],
        "not_examined": duplicates.not_examined,
        "failure": failure_json(duplicates.failure),
    }


def details_json(details: OrderDetails) -> dict[str, Json]:
    """Return SCM's details of an order, local or not."""
    return {
        "ssl_id": details.ssl_id,
        "scm_status": details.status,
        "common_name": details.common_name or None,
        "profile_id": details.profile_id,
        "organization_id": details.organization_id,
        "requested": moment_json(details.requested),
        "expires": moment_json(details.expires),
        "order_number": details.order_number or None,
    }


def message_json(diagnosis: Diagnosis, message: Message, at: datetime) -> dict[str, Json]:
    """Return a message to whoever blocks an order, as an event.

    Args:
        diagnosis: The order's diagnosis.
        message: The message.
        at: When it was made.
    """
    evidence = diagnosis.evidence
    return {
        "event": "message",
        "at": moment_json(at),
        "order_id": evidence.order.id if evidence.order is not None else None,
        "ssl_id": evidence.ssl_id,
        "common_name": evidence.common_name or None,
        "to": message.recipient,
        "subject": message.subject,
        "text": message.text,
        "needed_by": message.needed_by,
    }


def left_behind_json(
    details: OrderDetails, order: Order | None = None, failure: Exception | None = None
) -> dict[str, Json]:
    """Return an order that certctl left behind, and what became of it.

    Args:
        details: SCM's answer about it.
        order: The local order; None where it is not local.
        failure: Why it did not become local.
    """
    return {
        **details_json(details),
        "requester": details.requester or None,
        "order": order_json(order) if order is not None else None,
        "failure": failure_json(failure),
    }


Event = dict[str, Json]
OrderById = Callable[[str], Order | None]


def event_of(engine_event: EngineEvent, order_by_id: OrderById) -> Event | None:
    """Return an event as JSON; None for one that is only for a screen.

    Args:
        engine_event: What the engine has published.
        order_by_id: Returns a local order.
    """
    match engine_event:
        case OrderChanged(order, entry) if entry is not None:
            return event("order", entry.at) | about(order, entry.order_id) | entry_json(entry)
        case PollFinished(order_id, poll):
            known = order_by_id(order_id)
            return event("poll", poll.at) | about(known, order_id) | _poll_fields(poll, known.window if known else None)
        case FailureReported(at, what, failure, order_id):
            return (
                event("failure", at)
                | about(order_by_id(order_id), order_id)
                | {"during": what, **failure_field(failure)}
            )
        case StoreStateChanged(at, error):
            return event("store", at) | {"is_saving": error is None, "error": str(error) if error else None}
        case _:
            return None


def event(kind: str, at: datetime) -> Event:
    """Return the fields that every event has."""
    return {"event": kind, "at": moment_json(at)}


def about(order: Order | None, order_id: str) -> Event:
    """Return the fields that name an event's order; null for none."""
    return {
        "order_id": order_id or None,
        "ssl_id": order.ssl_id if order is not None else None,
        "common_name": (order.common_name or None) if order is not None else None,
    }


def entry_json(entry: TimelineEntry) -> Event:
    """Return a timeline entry's fields."""
    return {
        "kind": entry.kind,
        "summary": entry.summary,
        "from_state": entry.from_state,
        "to_state": entry.to_state,
        "scm_status": entry.scm_status or None,
        "http_status": entry.http_status,
        "scm_code": entry.code,
        "by": entry.by.text if entry.by is not None else None,
    }


def entry_line(entry: TimelineEntry) -> str:
    """Return a timeline entry in one line, the change of state first."""
    change = f"{entry.from_state or 'new'} -> {entry.to_state}" if entry.to_state is not None else ""
    return entry.summary if entry.summary.startswith(change) else f"{change}: {entry.summary}"


def failure_field(failure: Exception) -> Event:
    """Return the field with a failure."""
    return {"failure": failure_json(failure, is_once=False)}


def line_of(engine_event: EngineEvent, order_by_id: OrderById) -> str:
    """Return an event in one line for a person, without its time; empty for an event without a line, such as a poll."""
    match engine_event:
        case OrderChanged(order, entry) if entry is not None:
            return f"{_name(order, entry.order_id)}  {entry_line(entry)}"
        case FailureReported(_, what, failure, order_id):
            name = f"{_name(order_by_id(order_id), order_id)}  " if order_id else ""
            said = explain(failure)
            return f"{name}FAILURE, {what}: {said.what}: {said.meaning} {said.next_step}"
        case StoreStateChanged(_, error):
            return (
                f"SAVING FAILS: {error}; nothing is lost while this process runs, and saving is retried"
                if error
                else "saving works again"
            )
        case _:
            return ""


def _name(order: Order | None, order_id: str) -> str:
    if order is None:
        return order_id or "account"
    return f"{order.ssl_id or order_id}  {order.common_name or '-'}"


def _poll_fields(poll: PollResult, window: PollWindow | None) -> Event:
    return {
        "outcome": poll.outcome,
        "detail": poll.detail or None,
        "http_status": poll.http_status,
        "scm_code": poll.code,
        "latency_seconds": poll.latency_seconds,
        "next_poll_at": moment_json(window.next_poll_at) if window is not None else None,
        "window_ended": window.ended if window is not None else None,
    }
