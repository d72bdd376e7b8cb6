"""The lives an order can lead: named scripts of what happens when, composed from parts.

A life is named `[dv-|ov-|ev-]PART[+PART...]`, such as `dv-instant`, `ev-vetting` or `ov-approval+dcv-missing`. The
prefix, where an order has no profile yet, picks one of that level. `PARTS` lists the parts; besides them there are

- `collect-CODE` and `collect-empty`: issued, but collecting answers 400 with -CODE (`collect-0` with 0), or 200 with
  nothing, for the first two minutes; with `-forever` at the end, for good.
- `refuse-CODE`: the enrollment itself is refused with -CODE.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from sectigo_tui.simulator.account import ValidationLevel

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
        rejection: The code with which the enrollment is refused.
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
