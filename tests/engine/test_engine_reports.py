"""Bulk reports: spans that fit, and what is remembered of a login that may not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sectigo_tui.domain.certificates import OrderDetails, ReportDate, ReportQuery
from sectigo_tui.domain.errors import Refused, Unreachable
from sectigo_tui.engine.account.reports import Reports
from support.engine_world import World
from support.fake_scm import unreachable
from support.memory_store import Disk
from support.virtual_time import START, in_virtual_time

TODAY = START.date()
QUARTER = ReportQuery(ReportDate.ISSUED, TODAY - timedelta(days=89), TODAY)


def issued(ssl_id: int, days_ago: float) -> OrderDetails:
    """Return an order that was issued some days ago."""
    at = datetime.combine(TODAY, datetime.min.time(), UTC) - timedelta(days=days_ago)
    return OrderDetails(ssl_id=ssl_id, status="Issued", requested=at - timedelta(hours=1), issued=at)


def asked(world: World) -> int:
    """Return how many reports SCM was asked for."""
    return sum(one.call == "report" for one in world.scm.asked)


@in_virtual_time
async def test_a_quarter_is_read_in_three_spans_that_leave_no_day_out() -> None:
    world = World()
    world.scm.reported = tuple(issued(number, days_ago=number) for number in range(120))
    report = await Reports(world.context).read(QUARTER)
    assert sorted(row.ssl_id for row in report.rows) == list(range(90))
    assert (report.requests, asked(world), report.failure) == (3, 3, None)


@in_virtual_time
async def test_spans_become_shorter_until_scm_can_answer_and_the_next_process_begins_with_what_fits() -> None:
    disk = Disk()
    first, second = World(disk=disk), World(disk=disk)
    for world in (first, second):
        world.scm.reported = tuple(issued(number, days_ago=number / 10) for number in range(880))
        world.scm.report_rows = 200
    report = await Reports(first.context).read(QUARTER)
    assert len(report.rows) == 880
    assert report.requests == 7
    again = await Reports(second.context).read(QUARTER)
    assert len(again.rows) == 880
    assert again.requests == 7


@in_virtual_time
async def test_what_too_many_requests_would_tell_is_left_out_and_said_so() -> None:
    world = World()
    world.scm.reported = tuple(issued(number, days_ago=number / 100) for number in range(9_000))
    world.scm.report_rows = 400
    report = await Reports(world.context).read(QUARTER)
    assert report.requests == asked(world) == 10
    assert QUARTER.first < report.first < TODAY
    days_told = (TODAY - report.first).days
    newest = {number for number in range(9_000) if number / 100 < days_told}
    assert newest <= {row.ssl_id for row in report.rows}


@in_virtual_time
async def test_a_login_that_may_not_is_asked_about_once_an_hour_by_all_processes_together() -> None:
    disk = Disk()
    worlds = [World(disk=disk, name=f"process {number}") for number in range(3)]
    for minute in range(0, 180, 15):
        for world in worlds:
            with pytest.raises(Refused) as refused:
                await Reports(world.context).read(QUARTER)
            assert refused.value.code == -3
        await worlds[0].pass_time(900)
        assert sum(map(asked, worlds)) == minute // 60 + 1


@in_virtual_time
async def test_a_right_that_was_given_is_used_within_the_hour_and_at_once_by_another_login() -> None:
    world = World()
    reports = Reports(world.context)
    with pytest.raises(Refused):
        await reports.read(QUARTER)
    world.scm.reported = (issued(1, 1),)
    with pytest.raises(Refused):
        await reports.read(QUARTER)
    reports.may_again()
    assert len((await reports.read(QUARTER)).rows) == 1


@in_virtual_time
async def test_a_network_that_is_gone_costs_one_request() -> None:
    world = World()
    world.scm.reported = ()
    world.scm.outages.append((0, 1e9, unreachable()))
    with pytest.raises(Unreachable):
        await Reports(world.context).read(QUARTER)
    assert asked(world) == 1
