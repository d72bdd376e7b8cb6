"""The last safe day to order anew, against a plain computation."""

from __future__ import annotations

import statistics
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.clock import Moment
from sectigo_tui.engine.account.renewals import DEFAULT_DAYS, Urgency, renewals
from sectigo_tui.engine.diagnosis.normal import Leg, Sample
from sectigo_tui.engine.diagnosis.stages import Span

NOW = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
TODAY = NOW.date()


def certificate(ssl_id: int, expires: Moment, *, profile_id: int = 502, validation: str = "OV") -> OrderDetails:
    """Return an issued order."""
    return OrderDetails(
        ssl_id=ssl_id,
        status="Issued",
        profile_id=profile_id,
        organization_id=7,
        validation=validation,
        expires=expires,
    )


def samples(seconds: list[float], profile_id: int = 502) -> list[Sample]:
    """Return how long some orders took."""
    return [
        Sample(number, profile_id, 7, {Leg.WHOLE: Span(one, one)}) for number, one in enumerate(seconds, start=1_000)
    ]


def test_the_day_is_the_expiry_less_what_nine_of_ten_orders_take_and_a_margin() -> None:
    random = Random(3)
    taken = [random.lognormvariate(11, 1) for _ in range(40)]
    p90 = statistics.quantiles(taken, n=10, method="inclusive")[8]
    expiries = [NOW + timedelta(days=random.uniform(1, 59)) for _ in range(200)]
    found = renewals([certificate(n, at) for n, at in enumerate(expiries)], samples(taken), NOW)
    assert {one.certificate.ssl_id: one.order_by for one in found} == {
        n: (at - timedelta(seconds=p90) - timedelta(days=7)).date() for n, at in enumerate(expiries)
    }
    assert [one.order_by for one in found] == sorted(one.order_by for one in found)
    assert {(one.n, one.is_default) for one in found} == {(40, False)}


@pytest.mark.parametrize("level", ["DV", "OV", "EV"])
def test_too_few_orders_give_the_stated_default_of_the_level(level: str) -> None:
    (one,) = renewals([certificate(1, TODAY + timedelta(days=50), validation=level)], samples([60.0] * 7), NOW)
    assert (one.n, one.is_default) == (7, True)
    assert one.order_by == TODAY + timedelta(days=50 - 7 - DEFAULT_DAYS[level])


@pytest.mark.parametrize(
    ("days_left", "urgency"), [(7, Urgency.LATE), (8, Urgency.DUE), (15, Urgency.DUE), (16, Urgency.LATER)]
)
def test_a_day_that_has_passed_is_late_and_one_within_a_week_is_due(days_left: int, urgency: Urgency) -> None:
    (one,) = renewals([certificate(1, TODAY + timedelta(days=days_left))], samples([86_400.0] * 9), NOW)
    assert one.urgency is urgency


def test_only_what_is_issued_and_expires_within_the_horizon_is_of_interest() -> None:
    soon = certificate(1, date(2026, 3, 30))
    others = [
        certificate(2, date(2026, 6, 1)),
        certificate(3, date(2026, 2, 1)),
        OrderDetails(ssl_id=4, status="Revoked", expires=date(2026, 3, 30)),
        OrderDetails(ssl_id=5, status="Issued"),
    ]
    assert [one.certificate.ssl_id for one in renewals([soon, *others], [], NOW)] == [1]
