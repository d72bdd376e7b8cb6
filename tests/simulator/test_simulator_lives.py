"""An order's life is a function of time alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from simulated import Clock, new_world

from sectigo_tui.simulator.orders import PARTS, named_life
from sectigo_tui.simulator.world import World

MINUTE, HOUR, DAY = 60, 3600, 86_400


@pytest.fixture
def world() -> World:
    return new_world()


@pytest.mark.parametrize(
    ("life", "stages"),
    [
        ("dv-straight", [(0, "Approved"), (5, "Applied"), (20, "Issued"), (200 * DAY, "Expired")]),
        ("ov-straight", [(0, "Approved"), (30, "Applied"), (12 * MINUTE, "Issued")]),
        ("ev-straight", [(0, "Approved"), (30, "Applied"), (20 * MINUTE, "Issued")]),
        ("ov-instant", [(0, "Issued")]),
        ("ov-init", [(0, "Init"), (9 * DAY, "Init")]),
        ("ov-approval", [(0, "Requested"), (9 * DAY, "Requested")]),
        ("ov-sa-approved", [(0, "SAApproved"), (9 * DAY, "SAApproved")]),
        ("ov-quick+approver-acts", [(0, "Requested"), (120, "Approved"), (125, "Applied"), (165, "Issued")]),
        ("ov-not-taken", [(0, "Approved"), (9 * DAY, "Approved")]),
        ("ev-vetting", [(HOUR, "Applied"), (35 * HOUR, "Applied"), (37 * HOUR, "Issued")]),
        ("dv-dcv-missing", [(HOUR, "Applied"), (30 * DAY, "Applied")]),
        ("ov-dcv-expired", [(HOUR, "Applied"), (30 * DAY, "Applied")]),
        ("dv-dcv-slow", [(20, "Applied"), (119, "Applied"), (120, "Issued")]),
        ("ov-org-pending", [(HOUR, "Applied"), (30 * DAY, "Applied")]),
        ("ev-org-failed", [(HOUR, "Applied"), (30 * DAY, "Applied")]),
        ("ov-org-expired", [(HOUR, "Applied"), (30 * DAY, "Applied")]),
        ("ov-rejected", [(60, "Applied"), (90, "Rejected")]),
        ("ov-declined", [(0, "Requested"), (60, "Declined")]),
        ("ov-invalid", [(0, "Invalid")]),
        ("ev-collect-0-forever", [(21 * MINUTE, "Issued")]),
    ],
)
def test_an_order_has_the_status_of_its_life_at_each_moment(
    world: World, life: str, stages: list[tuple[int, str]]
) -> None:
    order = world.add_order(life=life, common_name="host.acme.example")
    seen = [(at, world.course(order, world.start + timedelta(seconds=at)).status) for at, _ in stages]
    assert seen == stages


def test_an_order_of_yesterday_is_as_far_as_its_life_takes_a_day(world: World) -> None:
    order = world.add_order(life="ov-straight", common_name="a.acme.example", requested=world.start - timedelta(days=1))
    course = world.course(order)
    assert course.status == "Issued"
    assert course.issued == world.start - timedelta(days=1) + timedelta(minutes=12)


def test_an_approval_through_the_api_ends_a_wait_early_but_not_before_it_was_given(world: World) -> None:
    order = world.add_order(life="ov-quick+two-approvals", common_name="a.acme.example")
    order.approvals[0] = world.start + timedelta(seconds=10)
    later = [world.course(order, world.start + timedelta(seconds=at)).status for at in (9, 10, 500)]
    assert later == ["Requested", "SAApproved", "SAApproved"]


def test_a_declined_life_is_saved_by_an_approval_in_time(world: World) -> None:
    order = world.add_order(life="ov-declined", common_name="a.acme.example")
    order.approvals[0] = world.start + timedelta(seconds=30)
    assert world.course(order, world.start + timedelta(hours=1)).status == "Issued"


def test_every_cause_must_be_gone_before_the_ca_issues(world: World) -> None:
    order = world.add_order(life="ov-quick+dcv-missing+org-pending", common_name="both.acme.example")
    world.advance(HOUR)
    world.validate_domain("both.acme.example")
    assert world.course(order).status == "Applied"
    world.advance(HOUR)
    world.validate_organization(order.organization_id)
    assert world.course(order).status == "Issued"
    assert world.course(order).issued == world.start + timedelta(hours=2)


def test_a_dv_order_does_not_wait_for_the_organization(world: World) -> None:
    order = world.add_order(life="dv-quick", common_name="a.acme.example", organization_id=1003)
    world.advance(HOUR)
    assert world.course(order).status == "Issued"


def test_a_department_waits_for_its_organization(world: World) -> None:
    order = world.add_order(life="ov-quick", common_name="a.acme.example", organization_id=1103)
    world.advance(HOUR)
    assert world.course(order).status == "Applied"
    world.validate_organization(1103)
    assert world.course(order).status == "Issued"


@pytest.mark.parametrize("life", ["nonsense", "ov-", "ov-approval+nonsense", "collect-", "refuse-x"])
def test_a_life_nobody_wrote_is_refused(life: str) -> None:
    with pytest.raises(KeyError):
        named_life(life)


def test_each_part_can_be_joined_with_each_other() -> None:
    for one in PARTS:
        for other in PARTS:
            assert named_life(f"ov-{one}+{other}").name == f"ov-{one}+{other}"


def test_speed_makes_simulated_time_run_faster_than_the_clock() -> None:
    clock = Clock()
    world = World(clock=clock, speed=60)
    order = world.add_order(life="ov-straight", common_name="a.acme.example")
    clock.pass_(11)
    assert world.course(order).status == "Applied"
    clock.pass_(1)
    assert world.course(order).status == "Issued"
