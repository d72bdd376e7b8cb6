from __future__ import annotations

import asyncio
import threading

import pytest

from support.virtual_time import START, LoopClock, in_virtual_time, run_virtual


@in_virtual_time
async def test_hours_of_sleep_cost_nothing_and_end_in_order() -> None:
    clock, woken = LoopClock(), []

    async def sleep(hours: float) -> None:
        await clock.sleep(hours * 3600)
        woken.append(hours)

    await asyncio.gather(sleep(30), sleep(2), sleep(0))
    assert woken == [0, 2, 30]
    assert (clock.now() - START).total_seconds() == 30 * 3600


@in_virtual_time
async def test_no_time_passes_while_a_thread_works() -> None:
    loop, received = asyncio.get_running_loop(), threading.Event()
    hour = loop.call_later(3600, received.clear)

    def work() -> bool:
        loop.call_soon_threadsafe(received.set)
        return received.wait(10)

    assert await asyncio.to_thread(work)
    assert loop.time() == 0.0
    hour.cancel()


def test_a_story_in_which_everybody_waits_fails_instead_of_hanging() -> None:
    async def story() -> None:
        await asyncio.Event().wait()

    with pytest.raises(TimeoutError):
        run_virtual(story(), limit_seconds=10)
