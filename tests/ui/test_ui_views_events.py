"""What happened: the list of events."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.events import EventKind, OrderChanged, TimelineEntry
from support.stored_orders import an_order
from support.ui_stage import Stage, demo_world, on_stage, staged
from support.virtual_time import START


def notify(stage: Stage, summary: str, **changes: object) -> None:
    order = stage.site.orders[0]
    entry = TimelineEntry(
        at=stage.site.clock.now(), order_id=order.id, kind=EventKind.NOTE, summary=summary, ssl_id=order.ssl_id
    )
    stage.site.engine.event_source(OrderChanged(order, replace(entry, **changes)))


@on_stage
async def test_newest_event_comes_first_with_its_order() -> None:
    async with staged(track=[2100342]) as stage:
        await stage.press("4")
        notify(stage, "something new")
        await stage.wait(1)
        assert "something new" in stage.lines[2]
        assert "2100342 online-banking" in stage.lines[2]
        assert "tracked, SCM status Applied" in stage.lines[3]


@on_stage
async def test_cursor_stays_on_its_event_when_new_ones_come() -> None:
    async with staged(track=[2100342, 2100348]) as stage:
        await stage.press("4", "j")
        held = stage.cursor
        for number in range(30):
            notify(stage, f"event {number}")
            await stage.wait(0.3)
        assert stage.cursor == held


@on_stage
async def test_enter_shows_the_order_that_an_event_is_about() -> None:
    async with staged(track=[2100342]) as stage:
        await stage.press("4", "enter")
        assert "online-banking.acme.example  sslId 2100342" in stage.text
        assert "Blocked on" in stage.text


@on_stage
async def test_an_event_published_before_the_view_was_opened_is_listed_once() -> None:
    async with staged(track=[2100342]) as stage:
        await stage.press("4", "1", "4")
        assert stage.text.count("tracked, SCM status Applied") == 1


@pytest.mark.parametrize(("query", "shown"), [("tracked", 1), ("!tracked", 2), ("2100342 second", 1), ("banking", 3)])
@on_stage
async def test_events_are_filtered(query: str, shown: int) -> None:
    async with staged(track=[2100342]) as stage:
        await stage.press("4")
        notify(stage, "first")
        notify(stage, "second", at=START)
        await stage.wait(1)
        await stage.press("/", *query)
        assert f"| {shown} shown" in stage.header


@on_stage
async def test_events_of_another_day_say_which() -> None:
    async with staged(track=[2100342]) as stage:
        await stage.press("4")
        notify(stage, "long ago", at=START.replace(month=2, day=27))
        await stage.wait(1)
        (line,) = [line for line in stage.lines if "long ago" in line]
        assert "02-27 03:00" in line


@on_stage
async def test_s_says_why_events_are_not_sorted() -> None:
    async with staged(track=[2100342]) as stage:
        await stage.press("4", "s")
        assert "Events stay in the order of time" in stage.footer


@on_stage
async def test_an_event_of_an_order_that_is_not_local_shows_what_is_known() -> None:
    async with staged(track=[2100342]) as stage:
        await stage.press("4")
        notify(stage, "account event", order_id="", ssl_id=None)
        await stage.wait(1)
        await stage.press("g", "enter")
        assert "account event" in stage.lines[-3] + stage.text


@on_stage
async def test_events_from_before_the_start_are_listed() -> None:
    world = demo_world()
    async with staged(world) as stage:
        order = an_order(1)
        stage.site.store.plant(order)
        entry = TimelineEntry(at=START, order_id=order.id, kind=EventKind.NOT_POLLED, summary="not polled for 3 days")
        stage.site.disk.entries.append(entry)
        await stage.press("4")
        assert "not polled for 3 days" in stage.text
