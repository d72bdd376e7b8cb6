"""An order as the simulator keeps it: what was asked for and done to it, its life, and how far it has come by a time.

Its life is a named script of what happens when, composed from parts. A life is named
`[dv-|ov-|ev-]PART[+PART...]`, such as `dv-instant`, `ev-vetting` or `ov-approval+dcv-missing`. The prefix, where an
order has no profile yet, picks one of that level. `PARTS` lists the parts; besides them there are

- `collect-CODE` and `collect-empty`: issued, but collecting answers 400 with -CODE (`collect-0` with 0), or 200 with
  nothing, for the first two minutes; with `-forever` at the end, for good.
- `refuse-CODE`: the enrollment itself is rejected with -CODE.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Literal

from sectigo_tui.simulator.account import Profile, ValidationLevel

FOREVER = None
"""A wait that ends only by what somebody does, or never."""

_COLLECT_LAG_SECONDS = 120.0
_COLLECT = re.compile(r"collect-(?P<answer>\d{1,4}|empty)(?P<forever>-forever)?")
_REFUSE = re.compile(r"refuse-(?P<code>\d{1,4})")


@dataclass(frozen=True, slots=True)
class Life:
    """What happens to an order. All waits are seconds of simulated time; None is `FOREVER`.

    Args:
        name: As it was asked for.
        created_seconds: From the request to its place in SCM's queue (Init).
        approval_seconds: A wait per stage of approval; an API call may end each earlier.
        taken_seconds: From the last approval until the CA has it (Approved).
        vetting_seconds: The CA's own work (Applied); domains and organization must be valid as well.
        end: How it ends.
        dcv: The state of control over the domain at the request.
        domain: Whether the domain may be used at the request.
        is_contract_used_up: Whether the contract has no certificate of its level left.
        organization: The state of the organization's validation, where the life picks the organization.
        collect_lag_seconds: From issuance until the certificate can be collected.
        collect_code: What collecting answers until then; None is 200 with an empty body.
        gated: Whether the CA waits for domains and organization to be valid.
        rejection: The code with which the enrollment is rejected.
    """

    name: str = "straight"
    created_seconds: float | None = 0.0
    approval_seconds: tuple[float | None, ...] = ()
    taken_seconds: float | None = 30.0
    vetting_seconds: float | None = 690.0
    end: Literal["Issued", "Rejected", "Declined", "Invalid"] = "Issued"
    dcv: Literal["valid", "missing", "expired", "slow", "not-started", "not-submitted", "rejected"] = "valid"
    domain: Literal["active", "suspended", "requested"] = "active"
    is_contract_used_up: bool = False
    organization: Literal["valid", "pending", "failed", "expired"] = "valid"
    collect_lag_seconds: float | None = 0.0
    collect_code: int | None = 0
    gated: bool = True
    rejection: int | None = None


_STRAIGHT: Mapping[ValidationLevel, Life] = {
    "DV": Life(taken_seconds=5.0, vetting_seconds=15.0),
    "OV": Life(taken_seconds=30.0, vetting_seconds=690.0),
    "EV": Life(taken_seconds=30.0, vetting_seconds=1170.0),
}

_PARTS: Mapping[str, tuple[str, Callable[[Life], Life]]] = {
    "straight": ("issued in 20 s (DV), 12 min (OV) or 20 min (EV)", lambda life: life),
    "instant": ("issued at once", lambda life: replace(life, taken_seconds=0.0, vetting_seconds=0.0)),
    "quick": ("issued in 45 s", lambda life: replace(life, taken_seconds=5.0, vetting_seconds=40.0)),
    "init": ("never leaves Init", lambda life: replace(life, created_seconds=FOREVER)),
    "approval": ("Requested until approved", lambda life: replace(life, approval_seconds=(FOREVER,))),
    "approver-acts": ("approved after 2 min", lambda life: replace(life, approval_seconds=(120.0,))),
    "two-approvals": ("two stages of approval", lambda life: replace(life, approval_seconds=(FOREVER, FOREVER))),
    "sa-approved": ("the second of two waits", lambda life: replace(life, approval_seconds=(0.0, FOREVER))),
    "not-taken": ("never leaves Approved", lambda life: replace(life, taken_seconds=FOREVER)),
    "vetting": ("36 hours at the CA", lambda life: replace(life, vetting_seconds=129_600.0)),
    "dcv-missing": ("control was never shown", lambda life: replace(life, dcv="missing")),
    "dcv-expired": ("control was shown too long ago", lambda life: replace(life, dcv="expired")),
    "dcv-slow": ("control is shown after 2 min", lambda life: replace(life, dcv="slow")),
    "dcv-not-started": ("nobody has asked the CA to check the domain", lambda life: replace(life, dcv="not-started")),
    "dcv-not-submitted": ("the DCV order awaits submission", lambda life: replace(life, dcv="not-submitted")),
    "dcv-rejected": ("the CA rejected the DCV order", lambda life: replace(life, dcv="rejected")),
    "domain-suspended": ("the domain is suspended in SCM", lambda life: replace(life, domain="suspended")),
    "delegation-requested": ("its delegation waits for approval", lambda life: replace(life, domain="requested")),
    "none-left": (
        "never leaves Approved: the contract has no certificate left",
        lambda life: replace(life, taken_seconds=FOREVER, is_contract_used_up=True),
    ),
    "org-pending": ("organization in validation", lambda life: replace(life, organization="pending")),
    "org-failed": ("organization not validated", lambda life: replace(life, organization="failed")),
    "org-expired": ("organization's validation over", lambda life: replace(life, organization="expired")),
    "rejected": ("the CA rejects after 1 min", lambda life: replace(life, end="Rejected", vetting_seconds=60.0)),
    "declined": (
        "an administrator declines after 1 min",
        lambda life: replace(life, end="Declined", approval_seconds=(60.0,)),
    ),
    "invalid": ("SCM refuses the data", lambda life: replace(life, end="Invalid")),
}

PARTS: Mapping[str, str] = MappingProxyType({name: text for name, (text, _) in _PARTS.items()})
"""The parts of which lives are made, each with what it does."""


def level_of(name: str) -> ValidationLevel | None:
    """Return the level which a life's name asks for, if it does."""
    levels: Mapping[str, ValidationLevel] = {"dv-": "DV", "ov-": "OV", "ev-": "EV"}
    return levels.get(name[:3])


def named_life(name: str, level: ValidationLevel = "OV") -> Life:
    """Return the life of a name.

    Args:
        name: As described above.
        level: The level of the order's profile, on which the ordinary waits depend.

    Raises:
        KeyError: There is no such life.
    """
    made = _STRAIGHT[level_of(name) or level]
    for part in (name[3:] if level_of(name) else name).split("+"):
        made = _with_part(made, part)
    return replace(made, name=name)


def _with_part(made: Life, part: str) -> Life:
    collect, refuse = _COLLECT.fullmatch(part), _REFUSE.fullmatch(part)
    if collect:
        answer = collect["answer"]
        return replace(
            made,
            collect_lag_seconds=FOREVER if collect["forever"] else _COLLECT_LAG_SECONDS,
            collect_code=None if answer == "empty" else -int(answer),
        )
    if refuse:
        return replace(made, rejection=-int(refuse["code"]))
    return _PARTS[part][1](made)


@dataclass(slots=True)
class Order:
    """An order for a certificate.

    Its status is not kept: it follows from its life and the time (see `course`).

    Args:
        ssl_id: Identity.
        common_name: The name of the certificate.
        names: All its names, the common one included.
        profile: What was ordered.
        organization_id: For whom; an organization's or a department's.
        life: What happens to it.
        requested: When it was ordered.
        term_days: Validity.
        csr: As sent; None for one the simulator made up.
        requester: Login or e-mail of who ordered.
        requested_via: How.
        renew_id: The renewal handle of the enrollment's answer.
        external_requester: E-mail addresses, comma-separated.
        comments: Free text.
        custom_fields: Names and values.
        dcv_mode: How control over the domains is to be shown.
        dcv_email: Where a mail about it goes.
        script_start: The moment from which the life counts, if not the request.
        approvals: When an API call approved, by stage.
        approver: Who approved or declined.
        declined: When an API call declined.
        revoked: When it was.
        revocation_code: With which reason.
        replaced: When a replacement was last asked for.
        renewed: When it was renewed.
        downloaded: When its certificate was collected first.
    """

    ssl_id: int
    common_name: str
    names: tuple[str, ...]
    profile: Profile
    organization_id: int
    life: Life
    requested: datetime
    term_days: int = 199
    csr: str | None = None
    requester: str = "certctl-api"
    requested_via: str = "REST API"
    renew_id: str = ""
    external_requester: str = ""
    comments: str = ""
    custom_fields: tuple[tuple[str, str], ...] = ()
    dcv_mode: str = "CNAME"
    dcv_email: str = ""
    script_start: datetime | None = None
    approvals: dict[int, datetime] = field(default_factory=dict)
    approver: str = "Dana Approver"
    declined: datetime | None = None
    revoked: datetime | None = None
    revocation_code: int | None = None
    replaced: datetime | None = None
    renewed: datetime | None = None
    downloaded: datetime | None = None

    @property
    def order_number(self) -> int:
        """The number under which the CA knows it."""
        return 2_200_000_000 + self.ssl_id


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
