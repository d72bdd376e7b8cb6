"""The last safe day to order each certificate anew, from the account's own issuance times. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum

from msgspec import Struct

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.status import StatusClass, classify
from sectigo_tui.engine.diagnosis.normal import Leg, Sample, figure
from sectigo_tui.engine.diagnosis.stages import When

HORIZON_DAYS = 60
"""Certificates that expire later than this are not of interest yet."""

MARGIN_DAYS = 7
"""What is added to the time that orders take."""

DUE_DAYS = 7
"""So many days before its last safe day an order is due."""

DEFAULT_DAYS: Mapping[str, int] = {"DV": 1, "OV": 7, "EV": 21}
"""How long an order of each level may take where the account has too few: days, weekends among them.

Source: public figures, all weak: OV up to 2 business days and as long again for manual review, EV 10 or more."""

_UNKNOWN_LEVEL_DAYS = max(DEFAULT_DAYS.values())


class Urgency(StrEnum):
    """How an order's last safe day compares with today."""

    LATE = "late"
    DUE = "due"
    LATER = "later"


class Renewal(Struct, frozen=True):
    """A certificate and the last safe day to order it anew.

    Args:
        certificate: What SCM tells of its order.
        order_by: The day; a day stays a day, whatever the expiry's hour.
        urgency: How that compares with today.
        usually_seconds: How long 9 of 10 orders of its profile and organization take, or the default.
        n: How many of its orders are known.
        is_default: Whether these are too few, so that the default of its level counts.
    """

    certificate: OrderDetails
    order_by: date
    urgency: Urgency
    usually_seconds: float
    n: int
    is_default: bool


def renewals(
    certificates: Iterable[OrderDetails],
    samples: Sequence[Sample],
    now: datetime,
    *,
    horizon_days: int = HORIZON_DAYS,
    margin_days: int = MARGIN_DAYS,
) -> list[Renewal]:
    """Return the issued certificates that expire within a horizon, the one to order first at the top. Pure.

    Args:
        certificates: Orders of the account, of any status.
        samples: How long its orders took.
        now: The time.
        horizon_days: How far ahead to look.
        margin_days: What is added to the time that orders take.
    """
    found = []
    usual: dict[tuple[int | None, int | None, str], tuple[float, int, bool]] = {}
    for one in certificates:
        if one.expires is None or classify(one.status) is not StatusClass.ISSUED:
            continue
        ends = When.of(one.expires)
        if ends.latest < now or ends.earliest > now + timedelta(days=horizon_days):
            continue
        key = one.profile_id, one.organization_id, one.validation
        if key not in usual:
            usual[key] = _usually(samples, *key)
        seconds, n, is_default = usual[key]
        order_by = (ends.earliest - timedelta(days=margin_days, seconds=seconds)).date()
        found.append(Renewal(one, order_by, _urgency(order_by, now.date()), seconds, n, is_default))
    return sorted(found, key=lambda one: (one.order_by, one.certificate.common_name, one.certificate.ssl_id))


def _usually(
    samples: Sequence[Sample], profile_id: int | None, organization_id: int | None, level: str
) -> tuple[float, int, bool]:
    """Return how long 9 of 10 orders take, how many are known, and whether a default stands for too few."""
    known = figure(samples, Leg.WHOLE, profile_id, organization_id)
    if known is not None and not known.is_weak:
        return known.p90.at_most_seconds, known.n, False
    n = known.n if known is not None else 0
    return DEFAULT_DAYS.get(level, _UNKNOWN_LEVEL_DAYS) * 86_400.0, n, True


def _urgency(order_by: date, today: date) -> Urgency:
    if today > order_by:
        return Urgency.LATE
    return Urgency.DUE if (order_by - today).days <= DUE_DAYS else Urgency.LATER
