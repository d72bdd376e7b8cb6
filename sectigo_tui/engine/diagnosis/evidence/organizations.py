"""How the organization of an order stands: pure, from the validations that count for it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from sectigo_tui.domain.validation import OrganizationValidation
from sectigo_tui.engine.diagnosis.evidence.model import Evidence, Fact, has_passed, moment_text, quoted


class OrganizationState(StrEnum):
    """Whether an organization is validated for an order's level."""

    VALID = "valid"
    PENDING = "pending"
    FAILED = "failed"
    EXPIRED = "expired"
    MISSING = "missing"
    """It has no validation of this level."""
    UNKNOWN = "unknown"


class OrganizationLine(Struct, frozen=True, kw_only=True):
    """The organization of an order.

    Args:
        id: Whose validation counts: the organization, or a department's parent.
        name: Its name, or its id where that is all that is known; untrusted text.
        level: The level that counts: OV or EV.
        is_certain: Whether SCM told that the order is of this level.
        standing: Whether it is validated.
        validation: The validation that this rests on.
        facts: What this rests on.
    """

    id: int
    name: str
    level: str
    is_certain: bool
    order_state: OrganizationState
    validation: OrganizationValidation | None = None
    facts: tuple[Fact, ...] = ()


def organization_line(evidence: Evidence) -> OrganizationLine | None:
    """Return how the organization of an order stands.

    A department uses its parent's validations. Source: SCM manual 25.5. That an EV validation would serve an OV order
    is not documented, and not assumed.

    Args:
        evidence: What is known.

    Returns:
        None while its validations are not known, and for DV, where they do not count.
    """
    scm_words = evidence.organization.value
    if scm_words is None or not evidence.needs_organization:
        return None
    level = evidence.level or "OV"
    name = quoted(scm_words.holder_name) or f"organization {scm_words.holder_id}"
    candidates = [one for one in scm_words.validations if one.level.strip().casefold() == level.casefold()]
    standings = [(_organization_state(one, evidence.now), one) for one in candidates]
    order_state, validation = min(
        standings, key=lambda pair: _PREFERENCE.index(pair[0]), default=(OrganizationState.MISSING, None)
    )
    return OrganizationLine(
        id=scm_words.holder_id,
        name=name,
        level=level,
        is_certain=bool(evidence.level),
        order_state=order_state,
        validation=validation,
        facts=(Fact(_statement(name, level, validation), evidence.organization.source, evidence.organization.at),),
    )


_PREFERENCE = (
    OrganizationState.VALID,
    OrganizationState.PENDING,
    OrganizationState.UNKNOWN,
    OrganizationState.FAILED,
    OrganizationState.EXPIRED,
)
"""Of several validations of one level, the one that lets the order go furthest counts."""

_STANDINGS = {
    "validated": OrganizationState.VALID,
    "pending": OrganizationState.PENDING,
    "failed": OrganizationState.FAILED,
    "expired": OrganizationState.EXPIRED,
}


def _organization_state(validation: OrganizationValidation, now: datetime) -> OrganizationState:
    order_state = _STANDINGS.get(validation.status.strip().casefold(), OrganizationState.UNKNOWN)
    if order_state is OrganizationState.VALID and validation.expires and has_passed(validation.expires, now):
        return OrganizationState.EXPIRED
    return order_state


def _statement(name: str, level: str, validation: OrganizationValidation | None) -> str:
    if validation is None:
        return f"{name} has no {level} validation"
    parts = [f"{level} validation of {name}: {quoted(validation.status)}"]
    if validation.submitted:
        parts.append(f"submitted {moment_text(validation.submitted)}")
    if validation.expires:
        parts.append(f"expires {moment_text(validation.expires)}")
    if validation.background_status:
        parts.append(f"in the background {quoted(validation.background_status)}")
    if validation.tracking_id:
        parts.append(f"tracking id {quoted(validation.tracking_id)}")
    if validation.last_message:
        parts.append(f"the CA's last message: {quoted(validation.last_message)}")
    return ", ".join(parts)
