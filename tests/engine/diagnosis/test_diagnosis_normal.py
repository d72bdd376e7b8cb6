"""Figures are checked against a plain reference: the standard library's quantiles, and counting."""

from __future__ import annotations

import statistics
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.engine.diagnosis.normal import (
    Figure,
    Leg,
    Pace,
    Sample,
    compare,
    figure,
    merged,
    pace,
    poll_times_within,
    propose_wait,
    quantile,
    remote_sample,
)
from sectigo_tui.engine.diagnosis.stages import Span, time_line
from sectigo_tui.engine.polling import schedule
from support.evidence import NOW, valid_evidence

SECONDS = st.floats(0, 10**6, allow_nan=False)


class NoJitter(Random):
    """Draws the middle."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def sample(ssl_id: int, seconds: float, *, profile_id: int = 502, organization_id: int = 1002) -> Sample:
    return Sample(ssl_id, profile_id, organization_id, {Leg.WHOLE: Span(seconds, seconds)})


@given(st.lists(SECONDS, min_size=2, max_size=60))
def test_quantiles_are_those_of_the_standard_library(values: list[float]) -> None:
    deciles = statistics.quantiles(values, n=10, method="inclusive")
    assert quantile(values, 0.9) == pytest.approx(deciles[8])
    assert quantile(values, 0.5) == pytest.approx(statistics.median(values))


@given(st.lists(st.tuples(SECONDS, st.floats(0, 1), st.floats(0, 90_000)), min_size=1, max_size=40))
def test_a_figure_of_days_bounds_the_figure_of_the_true_times(orders: list[tuple[float, float, float]]) -> None:
    samples, true = [], []
    for number, (least, share, doubt) in enumerate(orders):
        samples.append(Sample(number, 502, 1002, {Leg.WHOLE: Span(least, least + doubt)}))
        true.append(least + share * doubt)
    found = figure(samples, Leg.WHOLE, 502, 1002)
    assert found is not None
    assert found.n == len(orders)
    for span, share in ((found.p50, 0.5), (found.p90, 0.9)):
        assert span.at_least_seconds <= quantile(true, share) * (1 + 1e-9) + 1e-6
        assert span.at_most_seconds >= quantile(true, share) * (1 - 1e-9) - 1e-6


@pytest.mark.parametrize(
    ("mine", "all_of_profile", "n", "scope"),
    [
        (8, 20, 8, "profile and organization"),
        (7, 20, 20, "profile"),
        (3, 4, 4, "profile"),
    ],
)
def test_the_narrowest_scope_with_enough_orders_is_used_and_named(
    mine: int, all_of_profile: int, n: int, scope: str
) -> None:
    samples = [sample(number, 60.0, organization_id=1002 if number < mine else 7) for number in range(all_of_profile)]
    samples += [sample(number + 100, 9e9, profile_id=1) for number in range(9)]
    found = figure(samples, Leg.WHOLE, 502, 1002)
    assert found is not None
    assert (found.n, found.scope) == (n, scope)
    assert found.text.endswith(f"(n={n}{', weak' if n < 8 else ''}; {scope})")


def test_no_order_gives_no_figure() -> None:
    assert figure([], Leg.WHOLE, 502, 1002) is None
    assert pace(Span(1, 1), None) is Pace.NO_HISTORY


@pytest.mark.parametrize(
    ("elapsed", "n", "expected"),
    [
        (Span(101, 101), 8, Pace.SLOW),
        (Span(100, 100), 8, Pace.USUAL),
        (Span(101, 101), 7, Pace.WEAK),
        (Span(50, 150), 8, Pace.UNDECIDED),
        (Span(0, 86_400), 30, Pace.UNDECIDED),
    ],
)
def test_slow_is_past_p90_with_enough_orders_and_certain_times(elapsed: Span, n: int, expected: Pace) -> None:
    known = Figure(Leg.WHOLE, "profile", n, Span(50, 50), Span(100, 100))
    assert pace(elapsed, known) is expected


def test_a_remote_order_gives_its_days_as_days() -> None:
    details = OrderDetails(
        ssl_id=1,
        status="Issued",
        profile_id=502,
        organization_id=1002,
        requested=date(2026, 3, 1),
        approved=date(2026, 3, 2),
        issued=date(2026, 3, 5),
    )
    found = remote_sample(details, datetime(2026, 3, 20, tzinfo=UTC))
    assert found is not None
    assert {leg: span.text for leg, span in found.legs.items()} == {
        Leg.APPROVAL: "<2 d",
        Leg.AT_CA: "2-3 d",
        Leg.WHOLE: "3-4 d",
    }


def test_what_was_seen_here_is_preferred_to_scms_days() -> None:
    (kept,) = merged([sample(1, 60.0)], [sample(1, 86_400.0)])
    assert kept.legs[Leg.WHOLE] == Span(60.0, 60.0)


@pytest.mark.parametrize("deadline_seconds", [4.0, 60.0, 600.0, 601.0, 3_600.0, 86_400.0])
def test_the_price_of_a_bound_is_what_the_poll_policy_would_really_send(deadline_seconds: float) -> None:
    window, times = schedule.open_window(NOW, deadline_seconds), []
    while window.next_poll_at is not None:
        times.append((window.next_poll_at - NOW) / timedelta(seconds=1))
        window = schedule.after_poll(window, window.next_poll_at, NoJitter())
    assert poll_times_within(deadline_seconds) == pytest.approx(times)


@given(st.lists(SECONDS, min_size=1, max_size=40))
def test_the_proposed_bound_is_the_least_whole_minutes_that_catch_nine_of_ten(waits: list[float]) -> None:
    proposal = propose_wait([sample(number, wait) for number, wait in enumerate(waits)], 502, 600.0)
    assert proposal is not None
    assert proposal.seconds % 60 == 0
    assert proposal.caught == sum(wait <= proposal.seconds for wait in waits) >= 0.9 * len(waits)
    shorter = proposal.seconds - 60
    assert shorter == 0 or sum(wait <= shorter for wait in waits) < 0.9 * len(waits)
    assert proposal.caught_now == sum(wait <= 600 for wait in waits)


def test_the_requests_on_average_are_counted_poll_by_poll() -> None:
    waits = [0.0, 4.0, 30.0, 100.0, 500.0, 9_000.0]
    proposal = propose_wait([sample(number, wait) for number, wait in enumerate(waits)], 502, 600.0)
    assert proposal is not None
    polls = poll_times_within(proposal.seconds)
    counted = []
    for wait in waits:
        made = 0
        for at in polls:
            made += 1
            if at >= wait:
                break
        counted.append(made)
    assert proposal.polls_on_average == pytest.approx(statistics.fmean(counted))
    assert proposal.polls_at_most == len(polls)
    assert proposal.is_weak


def test_days_count_as_long_as_they_can_be() -> None:
    proposal = propose_wait([Sample(1, 502, 1002, {Leg.WHOLE: Span(0.0, 86_400.0)})], 502, 600.0)
    assert proposal is not None
    assert (proposal.seconds, proposal.is_by_days) == (86_400, True)
    assert propose_wait([], 502, 600.0) is None


def test_an_order_under_way_is_compared_leg_by_leg() -> None:
    stages = time_line(valid_evidence("Requested"))
    samples = [Sample(number, 502, 1002, {Leg.APPROVAL: Span(60, 60)}) for number in range(9)]
    compared = {comparison.leg: comparison for comparison in compare(stages, samples, 502, 1002, NOW)}
    assert compared[Leg.APPROVAL].pace is Pace.SLOW
    assert compared[Leg.APPROVAL].elapsed.text == "2-3 d"
    assert compared[Leg.APPROVAL].is_running
    assert compared[Leg.WHOLE].pace is Pace.NO_HISTORY
    assert Leg.VETTING not in compared
