"""The account's own times from its reports: equal to a plain computation, few requests, shared and kept."""

from __future__ import annotations

import asyncio
import statistics
from contextlib import suppress
from datetime import timedelta
from random import Random

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.certificates import ListingRow, OrderDetails
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.diagnosis import normal
from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser
from sectigo_tui.engine.diagnosis.normal import Leg, Pace, Samples, figure
from support.engine_world import World
from support.memory_store import Disk
from support.virtual_time import START, in_virtual_time

PROFILES, ORGANIZATIONS = (501, 502, 505), (1001, 1002, 1003)


def account_of(count: int, *, days: float = 90.0) -> tuple[OrderDetails, ...]:
    """Return issued orders of many profiles and organizations, evenly over some days, the newest first."""
    random = Random(5)
    rows = []
    for number in range(count):
        issued = START - timedelta(days=days) * (number + 0.5) / count
        asked = issued - timedelta(seconds=random.lognormvariate(9, 2))
        rows.append(
            OrderDetails(
                ssl_id=10_000 - number,
                status=random.choice(("Issued", "Issued", "Issued", "Revoked", "Expired")),
                profile_id=random.choice(PROFILES),
                organization_id=random.choice(ORGANIZATIONS),
                requested=asked,
                approved=asked + (issued - asked) / 3,
                issued=issued,
            )
        )
    return tuple(rows)


def reports(world: World) -> int:
    """Return how many reports SCM was asked for."""
    return sum(one.call == "report" for one in world.scm.asked)


def samples_of(world: World) -> Samples:
    return Samples(world.context, Account(world.context))


@in_virtual_time
async def test_figures_of_two_thousand_orders_are_those_of_a_plain_computation_in_at_most_ten_requests() -> None:
    world = World()
    world.scm.reported = rows = account_of(2_000)
    world.scm.report_rows = 400
    samples = samples_of(world)
    assert await samples.learn_reported()
    assert len(world.scm.asked) == reports(world) <= 10
    assert len(samples.all()) == 2_000
    for profile in PROFILES:
        for organization in ORGANIZATIONS:
            found = figure(samples.all(), Leg.WHOLE, profile, organization)
            seconds = [
                (row.issued - row.requested).total_seconds()
                for row in rows
                if (row.profile_id, row.organization_id) == (profile, organization)
                and row.issued is not None
                and row.requested is not None
            ]
            assert found is not None
            assert found.n == len(seconds)
            deciles = statistics.quantiles(seconds, n=10, method="inclusive")
            assert abs(found.p90.at_least_seconds - deciles[8]) < 1e-3
            assert abs(found.p50.at_most_seconds - statistics.median(seconds)) < 1e-3
            assert found.p50.uncertainty_seconds == found.p90.uncertainty_seconds == 0.0


@in_virtual_time
async def test_another_process_finds_the_history_kept_and_reads_only_new_days_when_it_is_old() -> None:
    disk = Disk()
    first, second = World(disk=disk), World(disk=disk)
    first.scm.reported = second.scm.reported = account_of(300)
    await samples_of(first).learn_reported()
    late = samples_of(second)
    assert await late.learn_kept()
    assert len(late.all()) == 300
    assert await late.learn_reported() is False
    assert reports(second) == 0
    await second.pass_time(7 * 3600)
    fresh = OrderDetails(
        ssl_id=20_000,
        status="Issued",
        profile_id=502,
        requested=second.clock.now() - timedelta(hours=2),
        issued=second.clock.now() - timedelta(hours=1),
    )
    second.scm.reported = (fresh, *second.scm.reported)
    assert await late.learn_reported()
    assert [one.about for one in second.scm.asked] == ["issued 2026-02-28 2026-03-03"]
    assert len(late.all()) == 301


@in_virtual_time
async def test_orders_issued_more_than_ninety_days_ago_leave_the_figures() -> None:
    world = World()
    world.scm.reported = account_of(900)
    samples = samples_of(world)
    await samples.learn_reported()
    await world.pass_time(5 * 86_400.0)
    await samples.learn_reported()
    assert 840 <= len(samples.all()) <= 860


@in_virtual_time
async def test_a_replaced_certificate_says_nothing_of_how_long_an_order_takes() -> None:
    world = World()
    replaced = OrderDetails(
        ssl_id=1,
        status="Issued",
        profile_id=502,
        requested=START - timedelta(days=60),
        issued=START - timedelta(days=1),
        replaced=START - timedelta(days=2),
    )
    world.scm.reported = (replaced,)
    samples = samples_of(world)
    await samples.learn_reported()
    assert samples.all() == []


@in_virtual_time
async def test_what_one_reading_could_not_reach_is_read_by_the_next_one() -> None:
    world = World()
    world.scm.reported = account_of(4_000)
    world.scm.report_rows = 350
    samples = samples_of(world)
    await samples.learn_reported()
    assert samples.history is not None
    assert reports(world) == 10
    first, known = samples.history.first, len(samples.all())
    assert known < 4_000
    await world.pass_time(7 * 3600)
    await samples.learn_reported()
    assert samples.history.first < first
    assert len(samples.all()) > known


@in_virtual_time
async def test_losing_the_right_changes_no_figure_and_costs_one_refused_request_an_hour() -> None:
    world = World()
    world.scm.reported = account_of(300)
    diagnoser = Diagnoser(world.context, Account(world.context))
    waiting = OrderDetails(
        ssl_id=7, status="Applied", profile_id=502, organization_id=1001, requested=START - timedelta(days=20)
    )
    world.scm.live(7, waiting)
    running = asyncio.create_task(diagnoser.samples.run())
    await world.pass_time(60)
    before = await diagnoser.diagnose(7)
    world.scm.reported = None
    asked = reports(world)
    await world.pass_time(24 * 3600)
    after = await diagnoser.diagnose(7)
    assert 1 <= reports(world) - asked <= 24
    assert (after.verdict.cause, after.verdict.sentence) == (before.verdict.cause, before.verdict.sentence)
    assert [one.figure for one in after.normal] == [one.figure for one in before.normal]
    assert any(one.pace is Pace.SLOW for one in after.normal)
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


@in_virtual_time
async def test_while_another_process_polls_it_reads_the_history_and_this_one_takes_what_it_keeps() -> None:
    disk = Disk()
    poller, other = World(disk=disk, name="the poller"), World(disk=disk, name="another")
    poller.scm.reported = other.scm.reported = account_of(50)
    await poller.store.lease(["order-1"], 1e9)
    samples = [samples_of(world) for world in (poller, other)]
    running = [asyncio.create_task(one.run()) for one in samples]
    await poller.pass_time(2_000)
    assert [reports(poller), reports(other)] == [3, 0]
    assert [len(one.all()) for one in samples] == [50, 50]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


@in_virtual_time
async def test_asked_for_by_the_operator_it_comes_from_the_report_and_else_order_by_order() -> None:
    with_report, without = World(), World()
    with_report.scm.reported = account_of(100)
    progress: list[tuple[int, int]] = []
    assert await samples_of(with_report).learn_remote(lambda done, total: progress.append((done, total))) == 100
    assert {one.call for one in with_report.scm.asked} == {"report"}

    without.scm.rows = {"Issued": [ListingRow(7, "www7.example.com")]}
    without.scm.live(7, replace(account_of(1)[0], ssl_id=7, status="Issued"))
    assert await samples_of(without).learn_remote(lambda done, total: progress.append((done, total))) == 1
    assert progress == [(1, 1)]
    assert [one.call for one in without.scm.asked].count("report") == 1


@in_virtual_time
async def test_of_an_account_with_many_orders_the_newest_of_each_profile_and_organization_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(normal, "HISTORY_SAMPLES", 300)
    monkeypatch.setattr(normal, "SAMPLES_OF_EACH", 40)
    world = World()
    world.scm.reported = orders = account_of(2_000)
    samples = samples_of(world)
    await samples.learn_reported()
    kept = {one.ssl_id for one in samples.all()}
    groups: dict[object, list[OrderDetails]] = {}
    for order in orders:
        groups.setdefault((order.profile_id, order.organization_id), []).append(order)
    assert len(kept) <= 40 * len(groups)
    for group in groups.values():
        newest = sorted(group, key=lambda one: str(one.issued), reverse=True)[:20]
        assert {one.ssl_id for one in newest} <= kept
