"""The diagnosis and the poll budget as they look, at a fixed size, time and seed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from syrupy.assertion import SnapshotAssertion

from sectigo_tui.simulator.world import World
from support.ui_stage import demo_world, on_stage, staged, tracked_by_demo
from support.virtual_time import LoopClock

SIZES = [(80, 24), (120, 40)]


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
@pytest.mark.parametrize(
    ("name", "ssl_id", "keys"),
    [
        ("two-causes", 2100347, ["D"]),
        ("vetting-with-history", 2100342, ["D", "h"]),
        ("causes", 2100342, ["C"]),
        ("budget", 2100342, ["5"]),
    ],
)
@on_stage
async def test_view(name: str, ssl_id: int, keys: list[str], size: tuple[int, int], screen: SnapshotAssertion) -> None:
    world = demo_world()
    async with staged(world, size=size, track=tracked_by_demo(world), settle_seconds=40) as stage:
        stage.view.table.move_to_id(f"#{ssl_id}")
        await stage.press(*keys)
        await stage.wait(5)
        stage.check_frame()
        assert stage.svg() == screen, f"{name}\n{stage.text}"


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "120x40"])
@on_stage
async def test_diagnosis_whose_calls_failed(size: tuple[int, int], screen: SnapshotAssertion) -> None:
    world = demo_world()
    world.faults.add("unavailable", path="/dcv$")
    world.faults.add("error", path="validations", status=403, code=-3, description="You are not authorized.")
    async with staged(world, size=size, settle_seconds=40) as stage:
        stage.view.table.move_to_id("#2100342")
        await stage.press("D")
        await stage.wait(5)
        stage.check_frame()
        assert stage.svg() == screen, stage.text


@pytest.mark.parametrize(
    "life",
    [
        "ov-dcv-not-started",
        "ov-dcv-not-submitted",
        "ov-dcv-rejected",
        "ov-domain-suspended",
        "ov-delegation-requested",
        "ev-none-left",
    ],
)
@on_stage
async def test_cause(life: str, screen: SnapshotAssertion) -> None:
    world = World(seed=7, clock=LoopClock().now)
    since = world.start - timedelta(hours=5)
    ssl_id = world.add_order(life=life, common_name="www.acme.example", requested=since).ssl_id
    async with staged(world, settle_seconds=3) as stage:
        stage.view.table.move_to_id(f"#{ssl_id}")
        await stage.press("D")
        await stage.wait(4)
        stage.check_frame()
        assert stage.svg() == screen, f"{life}\n{stage.text}"
