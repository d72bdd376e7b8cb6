"""Outage clock, common causes and poll budget."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.certificates import CertificateFacts, OrderDetails
from sectigo_tui.domain.events import Exchange
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.polling import PollWindow, WaitReason, WindowEnd
from sectigo_tui.engine.diagnosis.common_causes import common_causes
from sectigo_tui.engine.diagnosis.result import OutageClock, outage_clock
from sectigo_tui.engine.diagnosis.rules.causes import Cause, Party
from sectigo_tui.engine.diagnosis.verdict import judge
from sectigo_tui.engine.polling import schedule
from sectigo_tui.engine.polling.budget import PollBudget, poll_budget, tally, why
from sectigo_tui.engine.requests.health import ApiHealth
from support.engine_world import World
from support.evidence import NOW, valid_evidence, with_caa, with_domain, with_organization
from support.fake_scm import credentials_refused, rate_limited, server_failure, unreachable
from support.virtual_time import in_virtual_time


def facts() -> CertificateFacts:
    return CertificateFacts(
        subject="CN=old",
        issuer="CN=ca",
        subject_alternative_names=(),
        serial_number="0A",
        not_before=NOW - timedelta(days=190),
        not_after=NOW + timedelta(hours=9),
        key="",
        sha256="",
        sha1="",
    )


def order(ssl_id: int, state: OrderState = OrderState.PENDING, **fields: object) -> Order:
    made = Order(
        id=f"order-{ssl_id}", state=state, state_since=NOW, created_at=NOW, origin=Origin.RENEWED, ssl_id=ssl_id
    )
    return replace(made, **fields)


def clock_of(
    renewing: Order | None,
    details: OrderDetails | None = None,
    *,
    local: Order | None = None,
    remote: OrderDetails | None = None,
) -> OutageClock | None:
    return outage_clock(renewing, details, lambda _id: local, lambda _id: remote)


def test_a_renewal_must_be_done_by_the_end_of_the_certificate_it_renews() -> None:
    found = clock_of(order(2, renews_ssl_id=1), local=order(1, OrderState.COLLECTED, certificate=facts()))
    assert found is not None
    assert (found.ssl_id, found.expires, found.source) == (1, NOW + timedelta(hours=9), "the collected certificate")
    assert found.left(NOW).text == "9h00m"
    assert not found.has_ended(NOW)


def test_the_end_of_a_remote_certificate_is_a_day_and_stays_one() -> None:
    remote = OrderDetails(ssl_id=1, status="Issued", common_name="old", expires=date(2026, 3, 12))
    found = clock_of(order(2, renews_ssl_id=1), remote=remote)
    assert found is not None
    assert found.left(NOW).text == "1-2 d"
    assert found.earliest.isoformat() == "2026-03-12T00:00:00+00:00"
    assert not found.has_ended(NOW + timedelta(days=2))
    assert found.has_ended(NOW + timedelta(days=3))


def test_a_replacement_must_be_done_by_the_end_of_its_own_certificate() -> None:
    found = clock_of(order(1, certificate=facts()))
    assert found is not None
    assert found.expires == NOW + timedelta(hours=9)
    remote = OrderDetails(ssl_id=1, status="Applied", replaced=date(2026, 3, 9), expires=date(2026, 3, 20))
    replaced = clock_of(None, remote)
    assert replaced is not None
    assert replaced.expires == date(2026, 3, 20)


@pytest.mark.parametrize(
    ("renewing", "details"),
    [
        (order(1), None),
        (order(2, renews_ssl_id=1), None),
        (None, OrderDetails(ssl_id=1, status="Applied")),
        (order(1, OrderState.COLLECTED, certificate=facts()), None),
    ],
)
def test_nothing_is_guessed_where_nobody_tells_what_an_order_takes_the_place_of(
    renewing: Order | None, details: OrderDetails | None
) -> None:
    assert clock_of(renewing, details) is None


def test_orders_with_a_common_cause_are_one_line_the_largest_first() -> None:
    organization, domain = with_organization("PENDING"), with_domain()
    verdicts = [(number, judge(organization(valid_evidence()))) for number in range(1, 10)]
    verdicts += [(10, judge(domain(organization(valid_evidence())))), (11, judge(valid_evidence("Requested")))]
    verdicts += [(12, judge(valid_evidence("Issued")))]
    groups = common_causes(verdicts)
    assert [group.text for group in groups] == [
        "10 orders, organization Acme Logistics: waiting for its OV validation",
        "1 order, waits for approval",
        "1 order, domain acme.example: DCV not done",
    ]
    assert groups[0].waiting_only_for_this == tuple(range(1, 10))
    assert groups[0].party is Party.ORGANIZATION_CONTACT
    primary = common_causes(verdicts, primary_only=True)
    assert [len(group.orders) for group in primary] == [9, 1, 1]


def test_different_organizations_or_zones_do_not_share_a_cause() -> None:
    evidence = with_organization("PENDING")(valid_evidence())
    known = evidence.organization.value
    assert known is not None
    other = replace(evidence, organization=replace(evidence.organization, value=replace(known, holder_id=7)))
    groups = common_causes(
        [(1, judge(evidence)), (2, judge(other)), (3, judge(with_caa("x.example")(valid_evidence())))]
    )
    assert [(group.cause, len(group.orders)) for group in groups] == [
        (Cause.CAA, 1),
        (Cause.ORGANIZATION_PENDING, 1),
        (Cause.ORGANIZATION_PENDING, 1),
    ]


def test_requests_are_counted_by_outcome_and_latency_only_of_answers() -> None:
    health = ApiHealth()
    for number in range(1, 11):
        health.note(Exchange(NOW, "details", 0.1 * number, 200))
    health.note(Exchange(NOW, "details", 0.5, 429, rate_limited(30)))
    health.note(Exchange(NOW, "collect", 9.0, 503, server_failure()))
    health.note(Exchange(NOW, "dcv", 60.0, None, unreachable()))
    counted = tally(health.recent(NOW), 60.0)
    assert counted.requests == 13
    assert counted.by_outcome == {"answered": 10, "429": 1, "server failure": 1, "unreachable": 1}
    assert counted.slowest_seconds == 9.0
    assert counted.p50_seconds == pytest.approx(0.55)
    assert tally([], 60.0).p90_seconds is None


@pytest.mark.parametrize(
    ("window", "words"),
    [
        (schedule.open_window(NOW, 600), "first poll, at once"),
        (PollWindow(NOW, 600, 3, NOW, 44.0, WaitReason.SCHEDULE), "45 s +-20% after poll 3"),
        (PollWindow(NOW, 600, 3, NOW, 120.0, WaitReason.RETRY_AFTER), "SCM asked for 120 s"),
        (PollWindow(NOW, 600, 3, NOW, 9.0, WaitReason.DEADLINE), "last, at the deadline of 600 s"),
        (
            PollWindow(NOW, 600, 3, NOW + timedelta(seconds=3), 3.0, WaitReason.ASKED),
            "asked for, 5 s after the last",
        ),
        (PollWindow(NOW, 600, 3, NOW, 3.0, WaitReason.SPREAD), "spread out after new credentials"),
    ],
)
def test_every_wait_has_its_reason_in_words(window: PollWindow, words: str) -> None:
    assert why(window, NOW - timedelta(seconds=2)) == words


def budget_of(world: World, health: ApiHealth) -> PollBudget:
    return poll_budget(world.context, world.scheduler, health)


@in_virtual_time
async def test_the_budget_lists_the_due_polls_nearest_first_and_the_orders_polled_no_more() -> None:
    world, health = World(), ApiHealth()
    for ssl_id in (1, 2, 3):
        world.place(ssl_id)
    later = schedule.after_poll(world.window(2), world.clock.now(), Random(0))
    world.store.plant(replace(world.order(2), window=later))
    ended = replace(world.order(3), window=world.window(3).end(WindowEnd.DEADLINE))
    world.store.plant(ended)
    budget = budget_of(world, health)
    assert [due.ssl_id for due in budget.due] == [1, 2]
    assert budget.due[1].why.startswith("5 s +-20% after poll 1")
    assert [(order.ssl_id, str(order.ended)) for order in budget.unpolled] == [(3, "deadline passed")]
    assert (budget.in_flight, budget.limit, budget.refused) == (0, 4, "")


@in_virtual_time
async def test_the_budget_tells_retry_after_only_while_it_is_in_force_and_a_refusal_while_it_holds() -> None:
    world, health = World(), ApiHealth()
    health.note(Exchange(world.clock.now(), "details", 0.1, 429, rate_limited(30)))
    assert budget_of(world, health).retry_after_until == world.clock.now() + timedelta(seconds=30)
    await world.pass_time(31)
    assert budget_of(world, health).retry_after_until is None
    assert budget_of(world, health).minute.by_outcome == {"429": 1}
    await world.pass_time(60)
    assert (budget_of(world, health).minute.requests, budget_of(world, health).hour.requests) == (0, 1)
    world.limiter.rejection = credentials_refused()
    assert budget_of(world, health).refused == "Unknown user"
