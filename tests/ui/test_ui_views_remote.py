"""The account's listing: pages, filter, sort, and what is kept of a hundred thousand rows."""

from __future__ import annotations

import pytest

from sectigo_tui.domain.certificates import ListingFilter
from sectigo_tui.presentation.listing_rows import ROWS_KEPT
from sectigo_tui.simulator.scenarios import make_world
from sectigo_tui.ui.screens.remote import RemoteView, listing_filter
from support.ui_stage import Stage, demo_world, on_stage, staged
from support.virtual_time import LoopClock
from support.writing import Site


async def open_remote(stage: Stage) -> RemoteView:
    await stage.press("3")
    await stage.wait(1)
    assert isinstance(stage.view, RemoteView)
    return stage.view


@on_stage
async def test_the_first_page_is_fetched_and_the_header_says_how_much_is_here() -> None:
    async with staged() as stage:
        await open_remote(stage)
        assert "200 of 380" in stage.header
        assert stage.site.wire.count("GET /ssl/v1$") == 5 + 1


@on_stage
async def test_what_is_scrolled_to_is_fetched() -> None:
    async with staged() as stage:
        await open_remote(stage)
        await stage.press("G")
        await stage.wait(1)
        assert "380 of 380" in stage.header
        assert stage.cursor == "#2100001"


@on_stage
async def test_a_row_that_is_not_here_yet_says_so_and_is_acted_on_by_nobody() -> None:
    world = demo_world()
    async with staged(world) as stage:
        await open_remote(stage)
        world.faults.add("latency", seconds=5)
        await stage.press("G")
        assert "loading row 380" in stage.text
        await stage.press("t", "d")
        assert "No order here." in stage.text
        await stage.press("escape")
        await stage.wait(20)
        assert stage.cursor == "#2100001"


@on_stage
async def test_remote_filter_is_scms_and_waits_for_enter() -> None:
    async with staged() as stage:
        await open_remote(stage)
        await stage.press("/")
        assert "a name, or status:Applied; Enter asks SCM" in stage.text
        asked = stage.site.wire.count("GET /ssl/v1$")
        await stage.press(*"status:applied")
        assert stage.site.wire.count("GET /ssl/v1$") == asked
        await stage.press("enter")
        await stage.wait(1)
        assert stage.site.wire.count("GET /ssl/v1$") == asked + 1
        assert "22 of 22" in stage.header
        await stage.press("escape")
        await stage.wait(1)
        assert "of 380" in stage.header


@on_stage
async def test_a_remote_filter_without_result_is_not_an_empty_account() -> None:
    async with staged() as stage:
        await open_remote(stage)
        await stage.press("/", *"nothing-of-this", "enter")
        await stage.wait(1)
        assert "The account has no such order. Esc clears the filter." in stage.text


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", ListingFilter()),
        ("  www ", ListingFilter(common_name="www")),
        ("status:sa approved", ListingFilter(status="SA Approved")),
        ("STATUS: Applied", ListingFilter(status="Applied")),
        ("status:New One", ListingFilter(status="New One")),
    ],
)
def test_remote_filter_is_understood(text: str, where: ListingFilter) -> None:
    assert listing_filter(text) == where


@on_stage
async def test_sorting_a_part_is_refused_with_the_way_to_do_it() -> None:
    async with staged() as stage:
        await open_remote(stage)
        await stage.press("s")
        assert "L loads all pages first" in stage.footer
        assert "▲" not in stage.lines[1]


@on_stage
async def test_shift_l_fetches_every_page_and_then_it_can_be_sorted() -> None:
    async with staged(size=(120, 24)) as stage:
        view = await open_remote(stage)
        await stage.press("j", "j", "L")
        await stage.wait(2)
        assert "380 of 380" in stage.header
        held = stage.cursor
        await stage.press("s")
        assert " u  unsorted " in stage.text
        await stage.press("l")
        assert "SSLID▲" in stage.lines[1]
        assert stage.cursor == held
        await stage.press("g")
        assert stage.cursor == "#2100001"
        await stage.press("s", "c", "g")
        assert "COMMON NAME▲" in stage.lines[1]
        names = [stage.view.order_row_of(row_id).common_name for row_id in view.table.visible_ids]
        assert names == sorted(names)


@on_stage
async def test_a_page_that_fails_leaves_the_rest_and_is_told() -> None:
    world = demo_world()
    async with staged(world) as stage:
        await open_remote(stage)
        world.faults.add("unavailable")
        await stage.press("L")
        await stage.wait(1)
        assert "200 of 380 INCOMPLETE" in stage.header
        assert "api-canary" in stage.text
        world.faults.clear()
        await stage.press("L")
        await stage.wait(1)
        assert "380 of 380" in stage.header
        assert "INCOMPLETE" not in stage.header


@on_stage
async def test_refreshing_fetches_anew_and_keeps_the_cursor() -> None:
    async with staged() as stage:
        await open_remote(stage)
        await stage.press("j", "j", "j", "R")
        await stage.wait(1)
        assert stage.cursor == "#2100377"
        assert "200 of 380" in stage.header


@on_stage
async def test_marks_survive_pages_that_come_and_go() -> None:
    async with staged() as stage:
        view = await open_remote(stage)
        await stage.press("space", "space", "G")
        await stage.wait(1)
        await stage.press("space", "R")
        await stage.wait(1)
        assert view.table.marks == {"#2100380", "#2100379", "#2100001"}


@on_stage
async def test_rows_that_were_scrolled_past_are_not_kept() -> None:
    world = make_world("empty", clock=LoopClock().now)
    world.add_issued(6_000)
    async with staged(site=Site(world=world)) as stage:
        view = await open_remote(stage)
        assert "200 of 6,000" in stage.header
        for _ in range(12):
            await stage.press("pagedown")
        await stage.press("L")
        await stage.wait(30)
        assert "6,000 of 6,000" in stage.header
        assert len(view._rows) <= len(view.table.visible_ids)
        assert len(view._ids._asked_for) <= ROWS_KEPT


@on_stage
async def test_a_remote_filter_finds_alternative_names_each_order_once() -> None:
    world = demo_world()
    by_alternative = world.add_order(common_name="www.elsewhere.example", names=("needle.acme.example",)).ssl_id
    by_both = world.add_order(common_name="needle.example", names=("www.needle.example",)).ssl_id
    async with staged(world) as stage:
        await open_remote(stage)
        await stage.press("/", *"needle", "enter")
        await stage.wait(1)
        assert "2 of 2" in stage.header
        assert str(by_alternative) in stage.text
        assert str(by_both) in stage.text


@on_stage
async def test_an_order_without_a_common_name_is_shown_by_its_first_alternative_name() -> None:
    world = demo_world()
    world.add_order(common_name="", names=("first.acme.example", "second.acme.example"))
    async with staged(world) as stage:
        await open_remote(stage)
        assert "first.acme.example" in stage.text
