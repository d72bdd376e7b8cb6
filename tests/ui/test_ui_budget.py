"""The poll budget: what is due next and why then, and what polling has cost."""

from __future__ import annotations

from datetime import timedelta
from unittest import mock

from sectigo_tui.ui.screens import budget as budget_module
from support.ui_stage import Stage, demo_world, on_stage, staged, tracked_by_demo
from support.writing import new_world


async def opened(stage: Stage) -> None:
    await stage.press("5")
    await stage.wait(1)


@on_stage
async def test_the_nearest_poll_stands_first_with_the_reason_of_its_wait() -> None:
    world = new_world()
    first, second = (world.add_order(life="ov-vetting", common_name=f"n{n}.acme.example").ssl_id for n in range(2))
    async with staged(world, track=[first], settle_seconds=40) as stage:
        await stage.site.engine.track(second)
        await opened(stage)
        assert "2 due" in stage.header
        assert stage.row(first).endswith("45 s +-20% after poll 3")
        assert stage.row(second).endswith("5 s +-20% after poll 1")
        assert stage.text.index(str(second)) < stage.text.index(str(first))
        await stage.wait(60)
        assert stage.row(first).endswith("120 s +-20% after poll 4")


@on_stage
async def test_the_countdown_ticks_and_the_tally_is_counted_every_five_seconds() -> None:
    world = demo_world()
    async with staged(world, track=tracked_by_demo(world), settle_seconds=30) as stage:
        await opened(stage)
        counted = mock.Mock(wraps=budget_module.budget_content)
        with mock.patch.object(budget_module, "budget_content", counted):
            before = stage.lines[8]
            assert before.startswith(">00:")
            await stage.wait(20)
            assert stage.lines[8] != before
        assert 3 <= counted.call_count <= 5


@on_stage
async def test_what_polling_cost_is_told_by_outcome() -> None:
    world = new_world()
    ssl_id = world.add_order(life="ov-vetting", common_name="www.acme.example").ssl_id
    async with staged(world, track=[ssl_id], settle_seconds=30) as stage:
        world.faults.add("unavailable", path=rf"/ssl/v1/{ssl_id}$", count=1)
        await stage.wait(60)
        await opened(stage)
        told = " ".join(stage.text.split())
        assert ", server failure: 1; p50 " in told
        assert "in flight 0 of 4; polled: 1" in told


@on_stage
async def test_what_scm_asks_for_is_told() -> None:
    world = new_world()
    ssl_id = world.add_order(life="ov-vetting", common_name="www.acme.example").ssl_id
    async with staged(world, track=[ssl_id], settle_seconds=30, refresh_seconds=3600) as stage:
        world.faults.add("rate-limit", path=rf"/ssl/v1/{ssl_id}$", retry_after="300", count=1)
        await stage.press("5")
        await stage.wait(60)
        assert "Retry-After   rate limited until " in stage.text
        assert stage.row(ssl_id).endswith("SCM asked for 300 s")
        assert "1 request; 429: 1; p50" in stage.text


@on_stage
async def test_what_is_polled_no_more_is_counted_and_nothing_due_says_so() -> None:
    world = new_world()
    ssl_id = world.add_order(
        life="ov-vetting", common_name="www.acme.example", requested=world.start - timedelta(hours=5)
    ).ssl_id
    async with staged(world, track=[ssl_id]) as stage:
        await stage.wait(700)
        await opened(stage)
        assert "polled: 0; pending, but polled no more: 1" in stage.text
        assert "No poll is due" in stage.text


@on_stage
async def test_the_list_is_filtered_and_says_of_how_many() -> None:
    world = demo_world()
    async with staged(world, track=tracked_by_demo(world), settle_seconds=30) as stage:
        await opened(stage)
        await stage.press("/", *"fleet")
        assert "1 of 17 due" in stage.header
        await stage.press("enter", "s")
        assert stage.footer == "The nearest poll stays first: / filters them."
