"""An account of 100,000 orders costs what is polled: counted in requests, over a line with a long round trip."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from sectigo_tui.simulator.scenarios import make_world
from sectigo_tui.simulator.world import World
from sectigo_tui.ui.screens.remote import RemoteView
from support.ui_stage import Stage, on_stage, staged
from support.virtual_time import LoopClock
from support.writing import Site

ROUND_TRIP_SECONDS = 0.3


def large_account() -> World:
    world = make_world("empty", clock=LoopClock().now)
    world.sleep = LoopClock().sleep
    world.add_issued(100_000)
    return world


async def open_remote(stage: Stage) -> RemoteView:
    """Open Remote once the pending orders are listed, over a line whose every answer takes a round trip."""
    await stage.wait(5)
    stage.world.faults.add("latency", seconds=ROUND_TRIP_SECONDS)
    await stage.press("3")
    assert isinstance(stage.view, RemoteView)
    return stage.view


def listings(stage: Stage) -> list[int]:
    """Return the positions that listings were asked for, but for those of pending orders."""
    asked = [dict(parse_qsl(request.query)) for request in stage.world.traffic.matching("GET", r"/ssl/v1$")]
    return [int(query["position"]) for query in asked if "status" not in query]


@on_stage
async def test_the_first_rows_take_one_round_trip() -> None:
    async with staged(site=Site(world=large_account())) as stage:
        view = await open_remote(stage)
        await stage.wait(ROUND_TRIP_SECONDS + 0.2)

        assert listings(stage) == [0]
        assert "2200000" in stage.lines[2]
        assert view.table.row_count == view.table.virtual_size.height - 1 == 100_000


@on_stage
async def test_going_far_down_costs_the_page_that_is_seen() -> None:
    async with staged(site=Site(world=large_account())) as stage:
        view = await open_remote(stage)
        await stage.wait(1)
        view.table.move_to_index(90_020)
        await stage.wait(1)

        assert listings(stage) == [0, 90_000]
        assert view.table.cursor_id is not None
        assert "400 of 100,000" in stage.header


@on_stage
async def test_keys_answer_while_pages_are_on_their_way() -> None:
    async with staged(site=Site(world=large_account())) as stage:
        view = await open_remote(stage)
        await stage.wait(1)
        for _ in range(40):
            await stage.press("pagedown")

        assert view.table.cursor_index > 600
        assert "loading row" in stage.text
        # What was scrolled past meanwhile is not fetched: one page was on its way, and the last one is seen.
        await stage.wait(2)
        assert len(listings(stage)) <= 5
        assert "loading row" not in stage.text


@on_stage
async def test_all_pages_are_fetched_only_when_asked_for_and_until_told_to_stop() -> None:
    async with staged(site=Site(world=large_account())) as stage:
        await open_remote(stage)
        await stage.wait(5)
        assert listings(stage) == [0]

        await stage.press("L")
        await stage.wait(3)
        progress = re.search(r"([\d,]+) of 100,000 loading", stage.header)
        assert progress is not None
        assert 600 < int(progress[1].replace(",", "")) < 6_000

        await stage.press("L")
        asked = len(listings(stage))
        await stage.wait(3)
        assert len(listings(stage)) <= asked + 1
        assert "loading" not in stage.header
