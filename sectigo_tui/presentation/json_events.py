"""What `sectigo-tui watch` tells, as JSON lines in the shapes of `docs/json.md`, or as lines for a person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sectigo_tui.domain.events import (
    EngineEvent,
    FailureReported,
    OrderChanged,
    PollFinished,
    StoreStateChanged,
    TimelineEntry,
)
from sectigo_tui.domain.explain import explain
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollResult, PollWindow
from sectigo_tui.presentation.json import Json, moment_json
from sectigo_tui.presentation.json_writes import failure_json

Event = dict[str, Json]
OrderById = Callable[[str], Order | None]


def event_of(engine_event: EngineEvent, order_by_id: OrderById) -> Event | None:
    """Return what an event is told as; None for what is only for a screen.

    Args:
        event: What the engine has published.
        order_by_id: Returns a local order.
    """
    match engine_event:
        case OrderChanged(order, entry) if entry is not None:
            return event("order", entry.at) | about(order, entry.order_id) | entry_json(entry)
        case PollFinished(order_id, poll):
            known = order_by_id(order_id)
            return event("look", poll.at) | about(known, order_id) | _poll_fields(poll, known.window if known else None)
        case FailureReported(at, what, failure, order_id):
            return (
                event("failure", at)
                | about(order_by_id(order_id), order_id)
                | {"during": what, **failure_field(failure)}
            )
        case StoreStateChanged(at, error):
            return event("store", at) | {"is_saving": error is None, "problem": str(error) if error else None}
        case _:
            return None


def event(kind: str, at: datetime) -> Event:
    """Return the fields that every event has."""
    return {"event": kind, "at": moment_json(at)}


def about(order: Order | None, order_id: str) -> Event:
    """Return the fields that tell which order an event is about; null for none."""
    return {
        "order_id": order_id or None,
        "ssl_id": order.ssl_id if order is not None else None,
        "common_name": (order.common_name or None) if order is not None else None,
    }


def entry_json(entry: TimelineEntry) -> Event:
    """Return what an entry of the timeline tells."""
    return {
        "kind": entry.kind,
        "summary": entry.summary,
        "from_state": entry.from_state,
        "to_state": entry.to_state,
        "scm_status": entry.scm_status or None,
        "http_status": entry.http_status,
        "scm_code": entry.code,
    }


def entry_line(entry: TimelineEntry) -> str:
    """Return what an entry of the timeline tells in one line, the change of state first."""
    change = f"{entry.from_state or 'new'} -> {entry.to_state}" if entry.to_state is not None else ""
    return entry.summary if entry.summary.startswith(change) else f"{change}: {entry.summary}"


def failure_field(failure: Exception) -> Event:
    """Return the field that tells of a failure."""
    return {"failure": failure_json(failure, is_once=False)}


def line_of(engine_event: EngineEvent, order_by_id: OrderById) -> str:
    """Return an event in one line for a person, without its time; empty for what is not worth one: a poll."""
    match engine_event:
        case OrderChanged(order, entry) if entry is not None:
            return f"{_name(order, entry.order_id)}  {entry_line(entry)}"
        case FailureReported(_, what, failure, order_id):
            name = f"{_name(order_by_id(order_id), order_id)}  " if order_id else ""
            said = explain(failure)
            return f"{name}FAILURE, {what}: {said.what}: {said.meaning} {said.next_step}"
        case StoreStateChanged(_, error):
            return (
                f"SAVING FAILS: {error}; nothing in memory is lost, and saving is tried again"
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
