"""Who polls when several processes share the orders of one host, and processes stop, end or stand still."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

from sectigo_tui.domain.events import LookMade
from sectigo_tui.domain.orders import PollWindow
from sectigo_tui.domain.ports import StoreChanges
from sectigo_tui.engine.supervisor import LEASE_SECONDS, Supervisor
from support.engine_world import World
from support.memory_store import MemoryStore
from support.virtual_time import START, LoopClock, in_virtual_time


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
    first.book.store = SlowDisk(first.clock, first.store.disk, "first")
    clock = StoppableClock()
    stopped = Supervisor(replace(first.context, clock=clock))
    second = World(scm=first.scm, disk=first.store.disk, name="second", deadline_seconds=7200)
    polling = asyncio.create_task(stopped.run())
    async with second.polling():
        await asyncio.sleep(60)
        assert (len(first.all_heard(LookMade)), len(second.all_heard(LookMade))) == (20, 0)
        clock.goes_on.clear()
        await asyncio.sleep(LEASE_SECONDS + 400)
        taken_over = len(second.all_heard(LookMade))
        assert taken_over >= 20
        clock.goes_on.set()
        await asyncio.sleep(600)
        assert len(first.all_heard(LookMade)) == 20
        assert len(second.all_heard(LookMade)) >= taken_over + 20
    polling.cancel()
    with suppress(asyncio.CancelledError):
        await polling
