"""What the screen shows while orders live and things go wrong."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.events import EventKind, OrderChanged, StoreStateChanged, TimelineEntry
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.polling import WindowEnd
from sectigo_tui.simulator import listing
from sectigo_tui.simulator.scenarios import make_world
from sectigo_tui.simulator.world import Dialect, World
from sectigo_tui.ui.outside import Outside
from sectigo_tui.ui.screens.view import View
from support.stored_orders import an_order, waiting_order
from support.ui_stage import demo_world, on_stage, staged, tracked_by_demo
from support.virtual_time import LoopClock
from support.writing import Site


def quiet_world() -> World:
    """Return an account in which nothing has ever been ordered."""
    return make_world("empty", clock=LoopClock().now)


@on_stage
async def test_countdown_bar_and_age_move_by_themselves() -> None:
    async with staged(track=[2100342]) as stage:
        await stage.wait(60)
        first = stage.cells(2100342)
        await stage.wait(40)
        second = stage.cells(2100342)
        assert first[0] != second[0]
        assert first[1] != second[1]


@on_stage
async def test_polls_countdowns_and_refreshes_never_move_the_cursor() -> None:
    world = demo_world()
    async with staged(world, track=tracked_by_demo(world)) as stage:
        await stage.press(*"jjjjjjj", "space", "k")
        held = stage.cursor
        for _ in range(20):
            await stage.wait(15)
            assert stage.cursor == held
            assert held is not None
            assert stage.row(held[1:])


@on_stage
async def test_no_keypress_is_dropped_while_orders_are_polled() -> None:
    world = demo_world()
    async with staged(world, size=(80, 40), track=tracked_by_demo(world)) as stage:
        for _ in range(6):
            for _ in range(5):
                stage.post("j")
            await stage.wait(0.3)
        assert stage.view.table.cursor_index == 30


@on_stage
async def test_an_order_that_becomes_a_certificate_leaves_pending_and_stays_in_local() -> None:
    async with staged(track=[2100380]) as stage:
        await stage.press("G")
        assert stage.cursor == "#2100380"
        await stage.wait(120)
        assert "2100380" not in stage.text
        await stage.press("2")
        assert "COL ✓" in stage.row(2100380)
        await stage.press("d")
        assert "Certificate" in stage.text


@on_stage
async def test_cursor_goes_to_a_neighbour_when_its_order_leaves() -> None:
    async with staged(track=[2100380]) as stage:
        await stage.press("G")
        await stage.wait(120)
        assert stage.cursor in stage.view.table.visible_ids


@on_stage
async def test_cursor_stays_on_an_order_whose_ssl_id_becomes_known() -> None:
    async with staged() as stage:
        store, now = stage.site.store, stage.site.clock.now()
        placed = replace(
            an_order(1), id="placed", ssl_id=None, state=OrderState.UNCONFIRMED, common_name="new.acme.example"
        )
        store.plant(placed)
        news = TimelineEntry(at=now, order_id="placed", kind=EventKind.CREATED, summary="placed")
        stage.site.engine.event_source(OrderChanged(placed, news))
        await stage.wait(1)
        assert stage.view.table.move_to_id("placed")
        found = replace(placed, ssl_id=2_200_000, state=OrderState.SUBMITTED)
        store.plant(found)
        stage.site.engine.event_source(OrderChanged(found, news))
        await stage.wait(1)
        assert stage.cursor == "#2200000"
        assert stage.row(2_200_000)


@on_stage
async def test_sorting_by_next_poll_follows_the_polling() -> None:
    world = demo_world()
    async with staged(world, size=(120, 40), track=tracked_by_demo(world)) as stage:
        await stage.press("s", "n")
        assert "NEXT▲" in stage.lines[1]
        for _ in range(5):
            await stage.wait(7)
            waits = [line[1:].split()[0] for line in stage.lines[2:19]]
            counted = [wait for wait in waits if ":" in wait]
            assert counted == sorted(counted)


@on_stage
async def test_what_happens_below_a_dialog_is_shown_behind_it() -> None:
    async with staged(size=(120, 60), track=[2100342]) as stage:
        await stage.press("?")
        await stage.wait(20)
        assert "updated 20s ago" in stage.header


@on_stage
async def test_an_empty_account_is_told_as_good_news() -> None:
    async with staged(quiet_world()) as stage:
        assert "No order is pending" in stage.text
        assert "0 pending" in stage.header
        await stage.press("2")
        assert "No local order yet." in stage.text
        await stage.press("3")
        await stage.wait(1)
        assert "The account has no orders that this login may see." in stage.text
        await stage.press("4")
        assert "No event is recorded yet." in stage.text


@on_stage
async def test_a_filter_that_matches_nothing_is_told_in_every_view_and_not_as_an_empty_account() -> None:
    async with staged(demo_world(), size=(100, 30), track=[2100342]) as stage:
        for view in "12345":
            await stage.press(view)
            await stage.wait(1)
            if view == "3":
                await stage.press("L")
                await stage.wait(20)
            await stage.press("/", *"qqqqq", "enter" if view != "3" else "down")
            await stage.wait(1)
            assert "Nothing matches 'qqqqq'. Esc clears the filter." in stage.text, (view, stage.text)
            assert "has no order" not in stage.text


@on_stage
async def test_an_empty_list_of_events_does_not_say_that_all_is_well_while_offline() -> None:
    world = quiet_world()
    world.faults.add("unavailable")
    async with staged(world, settle_seconds=5.0) as stage:
        await stage.press("4")
        assert "SCM has not answered since 03:00Z (HTTP 503" in stage.text
        await stage.press("/", "z", "enter")
        assert "Nothing matches 'z'" in stage.text
        assert "SCM has not answered since" in stage.text


@on_stage
async def test_a_filter_over_an_account_that_could_not_be_listed_says_both() -> None:
    world = quiet_world()
    world.faults.add("unavailable")
    async with staged(world, settle_seconds=5.0) as stage:
        await stage.press("/", "z", "enter")
        assert "Nothing matches 'z'" in stage.text
        assert "Could not load the account's orders" in stage.text


@on_stage
async def test_an_empty_list_in_read_only_mode_offers_no_enrolling() -> None:
    async with staged(site=Site(world=quiet_world(), read_only=True)) as stage:
        assert "enroll places" not in stage.text
        await stage.press("2")
        assert "enroll places" not in stage.text
        assert "started with --read-only" in stage.text


@on_stage
async def test_the_budget_of_orders_whose_windows_have_ended_says_how_to_go_on() -> None:
    order = an_order(1)
    assert order.window is not None
    ended = replace(order, window=replace(order.window, next_poll_at=None, ended=WindowEnd.DEADLINE))
    async with staged(quiet_world()) as stage:
        stage.site.store.plant(ended)
        stage.site.engine.event_source(OrderChanged(ended))
        await stage.press("5")
        assert "polling of every pending local order has ended" in stage.text
        assert "r on an order (1) polls it again." in stage.text


@on_stage
async def test_ctrl_c_names_the_key_that_quits() -> None:
    async with staged(quiet_world(), outside=Outside(keys={"app.back": "b"})) as stage:
        await stage.press("ctrl+c")
        assert stage.footer == "b goes back, and quits from Pending."
        await stage.press("?", "ctrl+c")
        await stage.wait()
        assert "ctrl+q" not in stage.text
        await stage.press("escape", "b")
        assert stage.app._exit


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("unavailable", "HTTP 503"),
        ("html", "Could not load the account's orders"),
        ("drop", "Could not load the account's orders"),
        ("wrong-json", "Could not load the account's orders"),
        ("torn", "Could not load the account's orders"),
    ],
)
@on_stage
async def test_empty_because_a_fetch_failed_never_looks_like_empty(fault: str, told: str) -> None:
    world = demo_world()
    world.faults.add(fault)
    async with staged(world) as stage:
        assert told in stage.text
        assert "R tries again." in stage.text
        assert "No order is pending" not in stage.text
        assert "OFFLINE since 03:00Z" in stage.header
        assert "NOT LOADED" in stage.header
        assert "0+? pend" in stage.header
        await stage.press("3")
        await stage.wait(1)
        assert "Could not list the account" in stage.text
        world.faults.clear()
        await stage.press("R")
        await stage.wait(2)
        assert "380" in stage.header
        await stage.press("1", "R")
        await stage.wait(2)
        assert "API OK" in stage.header
        assert "33 pend" in stage.header


@on_stage
async def test_a_filter_does_not_hide_that_nothing_could_be_loaded() -> None:
    world = demo_world()
    world.faults.add("unavailable")
    async with staged(world) as stage:
        await stage.press("/", *"acme")
        assert "Could not load the account's orders" in stage.text


@on_stage
async def test_while_the_account_is_asked_the_view_says_so() -> None:
    world = demo_world()
    world.faults.add("latency", seconds=5)
    async with staged(world) as stage:
        assert "Asking SCM for pending orders ..." in stage.text
        assert "loading" in stage.header
        assert "API ..." in stage.header
        await stage.press("3")
        assert "Asking SCM for the account's orders ..." in stage.text


@on_stage
async def test_remote_is_asked_again_when_its_view_is_opened_again() -> None:
    world = demo_world()
    world.faults.add("unavailable")
    async with staged(world) as stage:
        await stage.press("3")
        await stage.wait(1)
        assert "Could not list the account" in stage.text
        world.faults.clear()
        await stage.press("1", "3")
        await stage.wait(1)
        assert "api-canary" in stage.text


@on_stage
async def test_staleness_is_never_hidden() -> None:
    world = demo_world()
    async with staged(world, size=(120, 40), track=[2100342], refresh_seconds=30) as stage:
        await stage.wait(5)
        assert "~" not in stage.row(2100347)
        world.faults.add("unavailable")
        await stage.wait(90)
        assert "OFFLINE since 03:00Z HTTP 503" in stage.header
        assert "STALE 90s" in stage.header
        assert "~3d" in stage.row(2100347)
        assert "~4d" in stage.row(2100342)
        world.faults.clear()
        await stage.wait(120)
        assert "OFFLINE" not in stage.header
        assert "STALE" not in stage.header
        assert "~" not in stage.row(2100347)


@on_stage
async def test_a_failed_poll_is_kept_in_the_row_and_in_the_detail() -> None:
    world = demo_world()
    async with staged(world, size=(160, 40), track=[2100342]) as stage:
        world.faults.add("unavailable", path="2100342")
        await stage.wait(10)
        assert "503" in stage.row(2100342)
        await stage.press("d")
        assert "HTTP 503" in stage.text
        assert "APL ◐" in stage.row(2100342)


@on_stage
async def test_a_rate_limit_says_429_and_until_when() -> None:
    world = demo_world()
    async with staged(world, track=[2100342]) as stage:
        world.faults.add("rate-limit", retry_after="120")
        await stage.wait(10)
        assert "API 429 until 03:02Z" in stage.header
        assert stage.cells(2100342)[0] == "429"


@on_stage
async def test_a_401_pauses_everything_and_says_what_to_do() -> None:
    world = demo_world()
    async with staged(world, track=[2100342, 2100348]) as stage:
        world.faults.add("unauthorized")
        await stage.wait(10)
        await stage.press("escape")
        await stage.wait(1)
        assert "AUTH rejected: rotate" in stage.header
        for ssl_id in (2100342, 2100348):
            assert stage.cells(ssl_id)[0] == "auth"
        assert "polling is paused (SCM code -16)" in stage.text
        assert "Next: Rotate the credentials." in stage.text
        sent = len(stage.site.wire.sent)
        await stage.wait(300)
        assert len(stage.site.wire.sent) == sent


@on_stage
async def test_a_disk_that_fails_is_told_until_it_works_again() -> None:
    async with staged() as stage:
        error = StoreError("orders.journal", "no space left on device", "make room")
        stage.site.engine.event_source(StoreStateChanged(stage.site.clock.now(), error))
        await stage.wait(30)
        assert "saving fails" in stage.text
        assert "no space left on device." in stage.text
        stage.site.engine.event_source(StoreStateChanged(stage.site.clock.now(), None))
        await stage.wait(1)
        assert "no space left" not in stage.text


@on_stage
async def test_a_window_that_ended_holds_and_r_opens_a_new_one() -> None:
    async with staged(track=[2100342]) as stage:
        await stage.wait(615)
        row = stage.row(2100342)
        assert stage.cells(2100342)[0] == "hold"
        assert "past: " in row
        assert "~4d" in row
        await stage.press("r")
        await stage.wait(2)
        assert ":" in stage.cells(2100342)[0]


@on_stage
async def test_a_poller_elsewhere_is_named() -> None:
    world = demo_world()
    async with staged(world, size=(120, 40), track=[2100342]) as stage:
        stage.site.disk.leases["order"] = ("alice@jump1 (4711)", float("inf"))
        await stage.wait(2)
        assert "polled by alice@jump1 (4711)" in stage.header


@on_stage
async def test_bookkeeping_of_a_thousand_polled_orders_lists_nothing_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(quiet_world()) as stage:
        for number in range(1, 1_001):
            stage.site.store.plant(waiting_order(number))
        await stage.press("R")
        await stage.wait(2)
        assert "1000 pend" in stage.header
        lists: list[View] = []
        plain = View._list

        def counted(view: View) -> None:
            lists.append(view)
            plain(view)

        monkeypatch.setattr(View, "_list", counted)
        for number in range(1, 1_001):
            order = stage.site.store.by_ssl_id(1_000 + number)
            assert order is not None
            stage.site.engine.event_source(OrderChanged(order))
            if number % 50 == 0:
                await stage.wait(0.2)
        assert not lists


@on_stage
async def test_facts_that_could_not_be_asked_for_come_when_scm_answers_again() -> None:
    world = demo_world()
    world.faults.add("unavailable", path=r"/ssl/v1/\d+$", count=1)
    async with staged(world) as stage:
        assert stage.cells(2100356)[0] == "-"
        await stage.wait(70)
        assert stage.cells(2100356)[0] == "19h"


@on_stage
async def test_an_order_that_scm_does_not_show_hides_no_facts_of_the_others() -> None:
    world = demo_world()
    world.faults.add("error", path="2100356", status=404, code=-4, description="gone")
    async with staged(world) as stage:
        assert stage.cells(2100356)[0] == "19h"  # the report tells it
        assert stage.cells(2100357)[0] == "14h"
        assert stage.cells(2100348)[0].startswith("2d")


@on_stage
async def test_pending_loads_whole_where_scm_spells_the_filter_with_a_blank() -> None:
    world = make_world("demo", clock=LoopClock().now, dialect=Dialect(status_filter="spaced"))
    async with staged(world) as stage:
        assert "NOT LOADED" not in stage.header
        assert "33 pend" in stage.header
        await stage.press("4")
        assert "-1601" not in stage.text


@on_stage
async def test_a_status_that_scm_refuses_is_named_with_its_reason_and_the_others_are_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = {name: status for name, status in listing._KNOWN["joined"].items() if status != "SAApproved"}
    monkeypatch.setitem(listing._KNOWN, "joined", taken)
    async with staged(size=(200, 24)) as stage:
        assert "SA Approved NOT LOADED HTTP 400: \"Field 'status' has invalid value.\"" in stage.header
        assert "32+? pend" in stage.header
        assert stage.view.table.cursor_id is not None
        await stage.press("4")
        assert "listing orders with status SA Approved: HTTP 400" in stage.text
        assert "-1601" in stage.text


@on_stage
async def test_an_order_that_comes_to_stand_above_is_seen_or_told() -> None:
    world = demo_world()
    async with staged(world, size=(80, 24)) as stage:
        await stage.press("s", "a", "S", "g")  # the newest first
        first = stage.cursor
        world.add_order(life="ov-approval", common_name="seen.acme.example")
        await stage.press("R")
        await stage.wait(2)
        assert "seen.acme.example" in stage.lines[2]
        assert stage.cursor == first
        assert stage.lines[3].startswith(">")
        await stage.press("G")
        last = stage.cursor
        told = world.add_order(life="ov-approval", common_name="told.acme.example")
        await stage.press("R")
        await stage.wait(2)
        assert stage.cursor == last
        assert "told.acme.example" not in stage.text
        assert "1 new above" in stage.header
        await stage.press("g")
        await stage.wait(1)
        assert stage.cursor == f"#{told.ssl_id}"
        assert "new above" not in stage.header
        await stage.press("G", "S")
        await stage.wait(1)
        assert "new above" not in stage.header, "it is the operator who turned the list round"
