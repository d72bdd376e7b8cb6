"""The worlds that demo and benchmarks start from."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest
from simulated import Clock, client_of

from sectigo_tui.simulator.scenarios import SCENARIOS, make_world

PENDING = {"Init", "Requested", "SAApproved", "Approved", "Applied"}


@pytest.mark.parametrize("name", ["demo", "empty"])
async def test_a_scenario_is_the_same_in_every_run(name: str) -> None:
    pages = [(await client_of(make_world(name, clock=Clock())).get("/ssl/v1?size=200")).json() for _ in range(2)]
    assert pages[0] == pages[1]


def test_the_demo_has_orders_stuck_for_every_reason_and_several_for_the_same() -> None:
    world = make_world("demo", clock=Clock())
    statuses = Counter(world.statuses().values())
    assert statuses.keys() >= PENDING | {"Issued", "Rejected", "Declined", "Invalid"}
    assert 25 <= sum(statuses[one] for one in PENDING) <= 40
    waiting = [order for order in world.orders.values() if order.organization_id in {1002, 1103}]
    assert len(waiting) >= 6
    dcv = Counter(world.domain(order.common_name).status(world.start) for order in world.orders.values())
    assert dcv["NOT_VALIDATED"] >= 3
    assert dcv["EXPIRED"] >= 3


def test_the_demo_moves_in_its_first_minutes_and_most_of_it_stays_stuck() -> None:
    world = make_world("demo", clock=Clock())
    seen = [world.statuses()]
    for _ in range(5):
        world.advance(60)
        seen.append(world.statuses())
    became = [Counter(now[one] for one in now if now[one] != before[one]) for before, now in pairwise(seen)]
    assert sum(one["Issued"] for one in became) >= 6
    assert sum(one["Rejected"] for one in became) == 1
    world.advance(86_400)
    assert sum(status in PENDING for status in world.statuses().values()) >= 20


def test_ids_grow_with_time() -> None:
    world = make_world("demo", clock=Clock())
    own = [order for order in world.orders.values() if order.life.gated and "banking" not in order.common_name]
    assert [one.requested for one in own] == sorted(one.requested for one in own)
    assert min(one.requested for one in own) > world.start - timedelta(days=30)


def test_the_large_scenario_has_a_hundred_thousand_certificates() -> None:
    world = make_world("large", clock=Clock())
    assert sum(block.count for block in world.blocks) >= 100_000
    assert len(world.orders) < 60


def test_every_scenario_says_what_it_shows() -> None:
    assert set(SCENARIOS) == {"causes", "demo", "empty", "large"}
    with pytest.raises(ValueError, match="demo, causes, empty, large"):
        make_world("nonsense")
