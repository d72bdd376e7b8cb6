"""Clocks that jump: a host asleep, a clock set back, a program that starts on a clock behind the one before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from unittest import mock

import pytest
from msgspec.structs import replace

from sectigo_tui.domain import clock
from sectigo_tui.domain.clock import SystemClock, seconds_between
from sectigo_tui.domain.events import EventKind
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.polling import WindowEnd
from sectigo_tui.engine.polling.scheduler import LEASE_RENEWAL_SECONDS, Scheduler
from support.engine_world import World
from support.virtual_time import START, in_virtual_time

HOUR = 3600.0


class Machine:
    """The clocks of a machine: one that may be set, one that does not, and one that stands still while it sleeps."""

    CLOCK_BOOTTIME = 7
    CLOCK_MONOTONIC = 1

    def __init__(self) -> None:
        self.set_by = 0.0
        self.slept = 0.0

    def time(self) -> float:
        """Return the wall clock's seconds."""
        return START.timestamp() + self.clock_gettime(self.CLOCK_BOOTTIME) + self.set_by

    def clock_gettime(self, which: int) -> float:
        """Return the seconds since the boot, those of sleep among them."""
        assert which == self.CLOCK_BOOTTIME
        return self.monotonic() + self.slept

    def monotonic(self) -> float:
        """Return the seconds that the machine was awake."""
        return asyncio.get_running_loop().time()


@pytest.fixture
def machine() -> Iterator[Machine]:
    made = Machine()
    with mock.patch.object(clock, "time", made):
        yield made


def supervisor_of(world: World) -> Scheduler:
    """Return a process on the machine's own clocks."""
    return Scheduler(replace(world.context, clock=SystemClock()))


async def ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])


@in_virtual_time
async def test_after_a_sleep_what_is_overdue_is_polled_within_seconds_and_the_gap_is_told(machine: Machine) -> None:
    world = World()
    world.place(7, "Applied", (350.0, "Issued"))
    world.place(8)
    running = asyncio.create_task(supervisor_of(world).run())
    await asyncio.sleep(300)
    polls = len(world.scm.times(8))
    machine.slept += HOUR
    await asyncio.sleep(LEASE_RENEWAL_SECONDS + 1)
    assert len(world.scm.times(8)) == polls + 1
    assert world.window(8).ended is WindowEnd.DEADLINE
    assert EventKind.NOT_POLLED in [entry.kind for entry in world.timeline(8)]
    assert (world.order(7).state, world.window(7).ended) == (OrderState.PENDING, WindowEnd.DEADLINE)
    await ended(running)


@in_virtual_time
async def test_a_clock_set_back_changes_no_wait_and_no_countdown_grows(machine: Machine) -> None:
    world = World()
    world.place(7)
    steady = SystemClock()
    running = asyncio.create_task(supervisor_of(world).run())
    await asyncio.sleep(100)
    before = steady.now()
    machine.set_by -= HOUR
    assert steady.now() >= before
    for _ in range(5):
        window = world.window(7)
        assert window.next_poll_at is not None
        assert seconds_between(steady.now(), window.next_poll_at) <= window.wait_seconds
        await asyncio.sleep(90)
    await asyncio.sleep(100)
    assert world.scm.times(7)[-1] == pytest.approx(600, abs=1)
    assert world.window(7).ended is WindowEnd.DEADLINE
    await ended(running)


@in_virtual_time
async def test_a_clock_stepped_forward_and_back_ends_no_window_and_leaves_no_time_ahead(machine: Machine) -> None:
    world = World()
    world.place(7)
    steady = SystemClock()
    running = asyncio.create_task(supervisor_of(world).run())
    await asyncio.sleep(100)
    machine.set_by += 2 * HOUR
    await asyncio.sleep(60)
    assert seconds_between(steady.now(), steady.wall()) > 1.9 * HOUR, "what is shown is the machine's time at once"
    assert world.window(7).is_open
    machine.set_by -= 2 * HOUR
    await asyncio.sleep(200)
    assert world.window(7).is_open
    assert abs(seconds_between(steady.now(), steady.wall())) < 2
    await asyncio.sleep(300)
    assert world.scm.times(7)[-1] == pytest.approx(600, abs=5)
    assert world.window(7).ended is WindowEnd.DEADLINE
    await ended(running)


@pytest.mark.parametrize("set_by", [-5.0, 5.0])
@in_virtual_time
async def test_a_clock_that_stays_set_is_followed_slowly_and_never_backwards(set_by: float, machine: Machine) -> None:
    steady = SystemClock()
    await asyncio.sleep(10)
    machine.set_by += set_by
    before = steady.now()
    for _ in range(2000):
        await asyncio.sleep(7)
        assert 0 < seconds_between(before, steady.now()) <= 7 * 1.001 + 0.001
        before = steady.now()
    assert abs(seconds_between(before, steady.wall())) < 0.01


@in_virtual_time
async def test_a_start_on_a_clock_that_was_set_back_waits_no_longer_than_was_settled(machine: Machine) -> None:
    world = World()
    world.place(7)
    running = asyncio.create_task(supervisor_of(world).run())
    await asyncio.sleep(100)
    await ended(running)
    wait = world.window(7).wait_seconds
    machine.set_by -= HOUR
    polls = len(world.scm.times(7))
    again = World(scm=world.scm, disk=world.store.disk, name="after the restart")
    running = asyncio.create_task(supervisor_of(again).run())
    await asyncio.sleep(wait + 1)
    assert len(world.scm.times(7)) == polls + 1
    await asyncio.sleep(HOUR)
    assert len(world.scm.times(7)) >= polls + 8
    await ended(running)
