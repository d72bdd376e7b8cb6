"""Who polls when several processes share the orders of one host, and processes stop, end or stand still."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from pathlib import Path

from msgspec.structs import replace

from sectigo_tui.domain.events import EngineEvent, OrderChanged, PollFinished, TimelineEntry
from sectigo_tui.domain.polling import PollWindow
from sectigo_tui.domain.ports import StoreChanges
from sectigo_tui.engine.polling.scheduler import LEASE_SECONDS, Scheduler
from sectigo_tui.store.local.journal_store import JournalStore
from support.engine_world import World
from support.memory_store import MemoryStore
from support.ui_stage import on_stage, staged
from support.virtual_time import START, LoopClock, in_virtual_time
from support.writing import Site, new_world


class StoppableClock(LoopClock):
    """The clock of a process that can be stopped: nothing in it goes on until it is let go."""

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def sleep(self, seconds: float) -> None:
        """Wait, and then until the process is let go."""
        await super().sleep(seconds)
        await self.goes_on.wait()


class SlowDisk(MemoryStore):
    """A disk that takes its time to tell what others did."""

    async def changes(self) -> StoreChanges:
        await asyncio.sleep(0.05)
        return await super().changes()


@in_virtual_time
async def test_a_process_that_was_stopped_asks_who_polls_before_it_polls_again() -> None:
    first = World(name="first", deadline_seconds=7200)
    for ssl_id in range(20):
        first.place(ssl_id, window=PollWindow(START, 7200, 4, START, 120))
    first.repository.store = SlowDisk(first.clock, first.store.disk, "first")
    clock = StoppableClock()
    stopped = Scheduler(replace(first.context, clock=clock))
    second = World(scm=first.scm, disk=first.store.disk, name="second", deadline_seconds=7200)
    polling = asyncio.create_task(stopped.run())
    async with second.polling():
        await asyncio.sleep(60)
        assert (len(first.all_heard(PollFinished)), len(second.all_heard(PollFinished))) == (20, 0)
        clock.goes_on.clear()
        await asyncio.sleep(LEASE_SECONDS + 400)
        taken_over = len(second.all_heard(PollFinished))
        assert taken_over >= 20
        clock.goes_on.set()
        await asyncio.sleep(600)
        assert len(first.all_heard(PollFinished)) == 20
        assert len(second.all_heard(PollFinished)) >= taken_over + 20
    polling.cancel()
    with suppress(asyncio.CancelledError):
        await polling


@on_stage
async def test_every_dashboard_shows_what_the_polling_process_learns_within_two_seconds_and_who_polls(
    tmp_path: Path,
) -> None:
    world = new_world()
    ssl_ids = [world.add_order(life="ov-quick", common_name=f"h{number}.acme.example").ssl_id for number in range(20)]
    one, two = Site(world=world, name="one"), Site(world=world, name="two")
    for site in (one, two):
        site.context.repository.store = JournalStore.open(tmp_path, site.clock)
    at = {site: told_at(site) for site in (one, two)}
    polling = asyncio.create_task(one.engine.scheduler.run())
    for ssl_id in ssl_ids:
        await one.engine.track(ssl_id)
    async with staged(site=two, size=(120, 24)) as stage:
        assert f"polled by pid {os.getpid()}" in stage.header
        await stage.press("2")
        await stage.wait(180)
        assert "COL" in stage.row(ssl_ids[0]) or "ISS" in stage.row(ssl_ids[0])
        assert not two.all_heard(PollFinished)
    told = at[one].keys() & at[two].keys()
    assert len(told) >= 2 * len(ssl_ids)
    assert max(at[two][entry] - at[one][entry] for entry in told) <= 2.0
    polling.cancel()
    with suppress(asyncio.CancelledError):
        await polling
    for site in (one, two):
        await site.context.repository.store.close()


def told_at(site: Site) -> dict[TimelineEntry, float]:
    """Return when a process has published each entry; it fills while time passes."""
    told: dict[TimelineEntry, float] = {}

    def receive(event: EngineEvent) -> None:
        if isinstance(event, OrderChanged) and event.entry is not None:
            told.setdefault(event.entry, site.clock.monotonic())

    site.engine.event_source.subscribe(receive)
    return told
