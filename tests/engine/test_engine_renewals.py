"""The last safe day to order a renewal, against a plain computation, and what would hold the renewal up."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from sectigo_tui.domain.account import CertificateProfile
from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.validation import DomainValidation, OrganizationValidation
from sectigo_tui.engine.account.renewals import (
    DEFAULT_DAYS,
    HoldUpKind,
    Prospects,
    Renewal,
    Timing,
    orders_per_week,
    renewals_due,
)
from sectigo_tui.engine.diagnosis.normal import Leg, Sample
from sectigo_tui.engine.diagnosis.stages import Span

TODAY = date(2026, 11, 27)
DAY = 86_400.0


def certificate(ssl_id: int = 1, *, days: int = 30, **facts: object) -> OrderDetails:
    known: dict[str, object] = {
        "status": "Issued",
        "common_name": f"host{ssl_id}.example.com",
        "organization_id": 1002,
        "profile_id": 502,
        "validation": "OV",
        "expires": TODAY + timedelta(days=days),
        "issued": TODAY - timedelta(days=150),
    }
    return OrderDetails(ssl_id=ssl_id, **{**known, **facts})  # type: ignore[arg-type]


def took(days: Sequence[float], *, profile_id: int = 502) -> list[Sample]:
    return [
        Sample(number, profile_id, 1002, {Leg.WHOLE: Span(one * DAY, one * DAY)}) for number, one in enumerate(days)
    ]


def due(*certificates: OrderDetails, samples: Sequence[Sample] = (), **given: object) -> list[Renewal]:
    prospects = given.pop("prospects", Prospects())
    local = given.pop("local", ())
    return renewals_due(certificates, local, samples, prospects, TODAY, **given)  # type: ignore[arg-type]


@given(st.lists(st.floats(0.01, 40), min_size=8, max_size=60), st.integers(0, 60), st.integers(0, 20))
def test_it_is_ordered_p90_and_a_margin_before_it_expires(durations: list[float], days: int, margin: int) -> None:
    (found,) = due(certificate(days=days), samples=took(durations), margin_days=margin)
    p90 = statistics.quantiles(durations, n=10, method="inclusive")[8]
    assert found.order_by == TODAY + timedelta(days=days - max(1, ceil(round(p90, 6))) - margin)
    assert (found.usual.n, found.usual.is_default) == (len(durations), False)


def test_too_few_orders_of_its_own_stand_back_behind_a_default_and_are_told() -> None:
    for level, days in DEFAULT_DAYS.items():
        (found,) = due(certificate(validation=level), samples=took([2.0] * 7))
        assert found.usual.text == f"{days}d default, n=7"
        assert found.order_by == TODAY + timedelta(days=30 - days - 7)


def test_past_the_last_safe_day_it_is_late_and_within_a_week_due() -> None:
    found = due(*(certificate(days, days=days) for days in (10, 11, 18, 19)))
    timings = {one.expires: one.timing for one in found}
    assert list(timings.values()) == [Timing.LATE, Timing.DUE, Timing.DUE, Timing.AHEAD]
    assert [one.days_left(TODAY) for one in found] == [-1, 0, 7, 8]


def test_a_day_stays_a_day_and_a_time_counts_as_its_day_in_utc() -> None:
    at = datetime(2026, 12, 27, 23, 59, tzinfo=UTC)
    by_day, by_time = due(certificate(1, expires=date(2026, 12, 27)), certificate(2, expires=at))
    assert by_day.order_by == by_time.order_by == date(2026, 12, 16)


def test_only_what_is_in_use_and_ends_within_the_horizon_is_listed() -> None:
    found = due(
        certificate(1, days=60),
        certificate(2, days=61),
        certificate(3, days=-1),
        certificate(4, status="Revoked"),
        certificate(5, expires=None),
    )
    assert [one.certificate.ssl_id for one in found] == [1]


def later(**facts: object) -> OrderDetails:
    return certificate(2, **{"common_name": "HOST1.example.com.", "days": 200, "issued": TODAY, **facts})  # type: ignore[arg-type]


def test_a_later_certificate_of_the_same_names_has_renewed_it() -> None:
    (found,) = due(certificate(), later())
    assert found.timing is Timing.RENEWED
    assert found.successor is not None
    assert (found.successor.ssl_id, found.successor.is_issued) == (2, True)


def test_a_pending_order_of_the_same_names_is_its_renewal_under_way() -> None:
    pending = later(status="Applied", expires=None, issued=None, requested=TODAY)
    (found,) = due(certificate(), pending)
    assert (found.timing, found.successor and found.successor.status) == (Timing.ORDERED, "Applied")


def test_other_names_an_earlier_end_and_a_failed_order_renew_nothing() -> None:
    for other in (
        later(subject_alternative_names=("other.example.com",)),
        later(days=29),
        later(status="Rejected"),
        later(status="Requested", expires=None, requested=TODAY - timedelta(days=200)),
    ):
        assert due(certificate(), other)[0].successor is None


def test_a_renewal_placed_here_counts_whatever_its_names_and_so_does_the_word_of_scm() -> None:
    at = datetime(2026, 11, 27, tzinfo=UTC)
    order = Order(
        id="o1",
        state=OrderState.PENDING,
        state_since=at,
        created_at=at,
        origin=Origin.RENEWED,
        ssl_id=9,
        renews_ssl_id=1,
    )
    (here,) = due(certificate(), local=[order])
    assert (here.timing, here.successor and here.successor.ssl_id) == (Timing.ORDERED, 9)
    (told,) = due(certificate(renewed=True))
    assert told.timing is Timing.RENEWED


def held(found: OrderDetails, prospects: Prospects) -> list[tuple[str, str]]:
    (renewal,) = due(found, prospects=prospects)
    return [(one.kind, one.about) for one in renewal.holds_up]


def domain(name: str, expires: Moment) -> Prospects:
    return Prospects(domains=[DomainValidation(domain=name, status="VALIDATED", expires=expires)])


def test_a_domain_whose_validation_ends_before_the_certificate_is_there_holds_it_up() -> None:
    # To be ordered on day 19, and there on day 23.
    for name in ("example.com", "*.example.com"):
        assert held(certificate(), domain(name, TODAY + timedelta(days=22)))[0][0] == HoldUpKind.DOMAIN
    assert held(certificate(), domain("example.com", TODAY + timedelta(days=23))) == []
    assert held(certificate(), domain("ample.com", TODAY)) == []


def test_an_organization_whose_validation_ends_holds_up_all_but_dv() -> None:
    def ends(days: int) -> Prospects:
        validation = OrganizationValidation(id=1, level="OV", status="VALIDATED", expires=TODAY + timedelta(days=days))
        return Prospects(organizations={1002: [validation]})

    assert held(certificate(), ends(5)) == [(HoldUpKind.ORGANIZATION, "organization 1002")]
    assert held(certificate(), ends(300)) == []
    assert held(certificate(validation="DV"), ends(5)) == []


def test_a_term_that_the_profile_no_longer_offers_and_a_name_not_delegated_hold_it_up() -> None:
    profile = CertificateProfile(502, "OV SSL", terms_days=(90, 199))
    assert held(certificate(term_days=365), Prospects(profiles=[profile])) == [(HoldUpKind.TERM, "OV SSL")]
    assert held(certificate(term_days=199), Prospects(profiles=[profile])) == []
    prospects = Prospects(undelegated={"example.com": "suspended"})
    assert held(certificate(), prospects) == [(HoldUpKind.DELEGATION, "example.com")]


def test_nothing_holds_up_what_is_ordered_already() -> None:
    (found,) = due(
        certificate(),
        later(status="Applied", expires=None, issued=None, requested=TODAY),
        prospects=domain("example.com", TODAY),
    )
    assert found.holds_up == ()


def test_shorter_terms_ask_for_more_orders_a_week() -> None:
    found = due(*(certificate(number, days=20 + number) for number in range(10)))
    for term in (199, 100, 47):
        plain = [0] * 26
        for one in found:
            day = (one.order_by - TODAY).days
            while day < 26 * 7:
                plain[day // 7] += 1
                day += term - 7
        assert orders_per_week(found, term, TODAY, margin_days=7) == plain


def test_a_certificate_that_is_renewed_is_ordered_next_before_the_new_one_ends() -> None:
    (found,) = due(certificate(), later(days=100))
    weeks = orders_per_week([found], 199, TODAY, margin_days=7)
    assert [week for week, count in enumerate(weeks) if count] == [(100 - 4 - 7) // 7]
