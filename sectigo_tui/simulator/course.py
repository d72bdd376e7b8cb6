"""How far an order has come: a pure function of its life, what was done to it, what it waits for, and the time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sectigo_tui.simulator.lives import Life
from sectigo_tui.simulator.orders import Order

Gate = Callable[[datetime], datetime | None]
"""Given a moment, the first one not before it at which something is valid; None for never."""


@dataclass(frozen=True, slots=True)
class Course:
    """The stages an order has been through by a moment; what it has not reached yet is None.

    Args:
        status: As SCM names it.
        approved: When the last approval was given.
        applied: When the CA got it.
        issued: When it was issued.
        expires: When the certificate ends.
        declined: When an administrator declined.
        stage: How many approvals were given.
        collectable: Whether the certificate can be collected.
    """

    status: str
    approved: datetime | None = None
    applied: datetime | None = None
    issued: datetime | None = None
    expires: datetime | None = None
    declined: datetime | None = None
    stage: int = 0
    collectable: bool = False


def course(  # noqa: PLR0911 - one return per stage reads as the list of stages
    order: Order, gates: Sequence[Gate], at: datetime
) -> Course:
    """Return how far an order has come.

    Args:
        order: The order.
        gates: What must be valid for the CA to issue.
        at: The moment.
    """
    life = order.life
    queued = _after(order.script_start or order.requested, life.created_seconds)
    if queued is None or at < queued:
        return Course("Init")
    if life.end == "Invalid":
        return Course("Invalid")
    stage, approved, declined = _approvals(order, queued, at)
    if declined is not None:
        return Course("Declined", declined=declined, stage=stage)
    if approved is None:
        return Course("SAApproved" if stage else "Requested", stage=stage)
    applied = _after(approved, life.taken_seconds)
    if applied is None or at < applied:
        return Course("Approved", approved=approved, stage=stage)
    if life.end == "Rejected":
        rejected = _after(applied, life.vetting_seconds)
        status = "Applied" if rejected is None or at < rejected else "Rejected"
        return Course(status, approved=approved, applied=applied, stage=stage)
    issued = _issuance(life, applied, gates)
    if issued is None or at < issued:
        return Course("Applied", approved=approved, applied=applied, stage=stage)
    expires = issued + timedelta(days=order.term_days)
    collectable = _after(issued, life.collect_lag_seconds)
    return Course(
        _final_status(order, expires, at),
        approved=approved,
        applied=applied,
        issued=issued,
        expires=expires,
        stage=stage,
        collectable=collectable is not None and at >= collectable,
    )


def _approvals(order: Order, queued: datetime, at: datetime) -> tuple[int, datetime | None, datetime | None]:
    """Return the stages done, when the last one was if all are, and when it was declined."""
    if order.declined is not None and at >= order.declined:
        return len(order.approvals), None, order.declined
    moment = queued
    for stage, seconds in enumerate(order.life.approval_seconds):
        given, scripted = order.approvals.get(stage), _after(moment, seconds)
        done = min((one for one in (given, scripted) if one is not None), default=None)
        if done is None or at < done:
            return stage, None, None
        if order.life.end == "Declined" and given is None:
            return stage, None, done
        moment = done
    return len(order.life.approval_seconds), moment, None


def _issuance(life: Life, applied: datetime, gates: Sequence[Gate]) -> datetime | None:
    moment = _after(applied, life.vetting_seconds)
    for limiter in gates:
        if moment is None:
            return None
        moment = limiter(moment)
    return moment


def _final_status(order: Order, expires: datetime, at: datetime) -> str:
    if order.revoked is not None:
        return "Revoked"
    return "Expired" if at >= expires else "Issued"


def _after(moment: datetime, seconds: float | None) -> datetime | None:
    return None if seconds is None else moment + timedelta(seconds=seconds)
