"""Many orders, restarts, other processes and a failing disk."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from sectigo_tui.domain.certificates import ListingFilter
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.events import (
    EventKind,
    FailureReported,
    OrderChanged,
    PollFinished,
    StoreStateChanged,
    TimelineEntry,
)
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.domain.polling import PollOutcome, PollWindow, WindowEnd
from sectigo_tui.engine.orders.order_locks import OrderLocks
from sectigo_tui.engine.orders.track import Tracking
from sectigo_tui.engine.polling import schedule
from sectigo_tui.engine.polling.scheduler import BATCH_SECONDS, LEASE_SECONDS
from sectigo_tui.engine.requests.limiter import Priority
from support.engine_world import World
from support.virtual_time import START, VirtualTimeLoop, in_virtual_time


def restarted(world: World, name: str = "after the restart") -> World:
    return World(scm=world.scm, disk=world.store.disk, name=name)


# Restart


@in_virtual_time
async def test_a_restart_in_the_middle_of_a_window_goes_on_where_it_was() -> None:
    world = World()
    world.place(7)
    await world.poll_for(100)
    before, polls = world.window(7), len(world.scm.times(7))
    again = restarted(world)
    assert again.window(7) == before
    assert before.next_poll_at is not None
    due = (before.next_poll_at - START).total_seconds()
    await again.poll_for(due - 100 - 1)
    assert len(world.scm.times(7)) == polls
    await again.poll_for(600)
    assert world.scm.times(7)[polls] == pytest.approx(due, abs=BATCH_SECONDS + 0.01)
    assert world.scm.times(7)[-1] == pytest.approx(600, abs=BATCH_SECONDS + 0.01)
    assert again.window(7).opened_at == before.opened_at


@in_virtual_time
async def test_a_poll_that_is_overdue_at_the_start_is_made_at_once_and_the_gap_is_recorded() -> None:
    world = World(deadline_seconds=7200)
    world.place(7)
    await world.poll_for(100)
    await world.pass_time(3000)
    again = restarted(world)
    await again.poll_for(1)
    assert world.scm.times(7)[-1] == pytest.approx(3100, abs=0.01)
    (missing_part,) = [entry for entry in again.timeline(7) if entry.kind is EventKind.NOT_POLLED]
    assert "min" in missing_part.summary
    assert any(received.entry == missing_part for received in again.all_heard(OrderChanged))


@in_virtual_time
async def test_a_deadline_that_passed_while_nobody_polled_still_gets_its_last_poll() -> None:
    world = World()
    world.place(7, "Applied", (5000.0, "Issued"))
    world.place(8)
    await world.poll_for(100)
    await world.pass_time(9900)
    again = restarted(world)
    asked_before = len(again.scm.times(8))
    await again.poll_for(3600)
    assert again.order(7).state is OrderState.COLLECTED
    assert again.window(8).ended is WindowEnd.DEADLINE
    assert len(again.scm.times(8)) == asked_before + 1


@in_virtual_time
async def test_a_window_that_has_ended_stays_ended_after_a_restart_until_the_operator_opens_a_new_one() -> None:
    world = World()
    world.place(7)
    await world.poll_for(1000)
    again = restarted(world)
    async with again.polling():
        polls = len(again.scm.times(7))
        await again.pass_time(3600)
        assert len(again.scm.times(7)) == polls
        await again.scheduler.open_window("order-7")
        await again.pass_time(1)
        assert len(again.scm.times(7)) == polls + 1
        assert again.timeline(7)[-1].kind is EventKind.WINDOW_OPENED
        assert again.window(7).deadline_seconds == 600


# The operator


@in_virtual_time
async def test_however_often_the_operator_asks_polls_are_five_seconds_apart() -> None:
    world = World()
    world.place(7)
    async with world.polling():
        for _ in range(300):
            await world.scheduler.open_window("order-7")
            await world.pass_time(0.1)
    times = world.scm.times(7)
    assert len(times) >= 5
    assert min(after - before for before, after in pairwise(times)) >= 5 - 1e-6


@in_virtual_time
async def test_asking_while_a_poll_is_on_its_way_does_not_lose_the_order() -> None:
    world = World()
    world.scm.latency_seconds["details"] = 20
    world.place(7)
    async with world.polling():
        await world.pass_time(1)
        assert world.scheduler.is_polling("order-7")
        await world.scheduler.open_window("order-7")
        await world.pass_time(21)
        assert not world.scheduler.is_polling("order-7")
        await world.pass_time(300)
    assert len(world.scm.times(7)) >= 3


@in_virtual_time
async def test_an_order_that_is_not_polled_cannot_be_asked_for() -> None:
    world = World()
    world.place(7, "Rejected")
    await world.poll_for(10)
    with pytest.raises(InputError, match="failed"):
        await world.scheduler.open_window("order-7")
    with pytest.raises(InputError, match="no local order"):
        await world.scheduler.open_window("order-8")


@in_virtual_time
async def test_an_order_that_is_revoked_while_its_poll_is_on_its_way_stays_revoked() -> None:
    world = World()
    world.scm.latency_seconds["details"] = 30
    world.place(7, "Issued")

    def revoke(order: Order) -> tuple[Order, TimelineEntry]:
        entry = TimelineEntry(at=START, order_id=order.id, kind=EventKind.CHANGED, summary="revoking")
        return order.to(OrderState.REVOKING, world.clock.now()), entry

    async with world.polling():
        await world.pass_time(10)
        await world.repository.change("order-7", revoke)
        await world.pass_time(3600)
    assert world.order(7).state is OrderState.REVOKING
    assert world.scheduler.workers == 0
    assert len([asked for asked in world.scm.asked if asked.call == "details"]) == 1


# Turns


@in_virtual_time
async def test_a_poll_does_not_wait_behind_slow_listings() -> None:
    world = World()
    world.scm.latency_seconds["listing"] = 60
    world.place(7)
    listings = [
        asyncio.create_task(
            world.limiter.run(Priority.LISTING, lambda: world.scm.listing(ListingFilter(), position=0, size=200))
        )
        for _ in range(8)
    ]
    await world.poll_for(50)
    assert world.scm.times(7)[0] == pytest.approx(0, abs=0.01)
    assert len(world.scm.times(7)) == 3
    assert world.scm.most_in_flight <= world.limiter.limit
    await asyncio.gather(*listings)


@in_virtual_time
async def test_the_nearest_due_polls_are_made_first_and_never_more_than_the_limit_at_a_time() -> None:
    world = World()
    world.scm.default_latency_seconds = 1.0
    for ssl_id in range(40):
        late = timedelta(seconds=(ssl_id * 7) % 40)
        window = PollWindow(START - timedelta(hours=1), 7200, 3, START - late)
        world.place(ssl_id, window=window)
    await world.poll_for(11)
    asked = [int(asked.about) for asked in world.scm.asked[:40]]
    assert asked == sorted(asked, key=lambda ssl_id: -((ssl_id * 7) % 40))
    assert world.scm.most_in_flight == world.limiter.limit


# Disk


@in_virtual_time
async def test_a_disk_that_fails_leaves_the_order_as_it_was_and_the_poll_is_made_again() -> None:
    world = World()
    world.place(7, "Applied", (500.0, "Issued"))
    async with world.polling():
        await world.pass_time(30)
        world.store.failing = "No space left on device"
        await world.pass_time(3600)
        assert (world.order(7).state, world.order(7).scm_status) == (OrderState.PENDING, "Applied")
        assert world.window(7).is_open
        (error,) = world.all_heard(StoreStateChanged)
        assert "No space left on device" in str(error.error)
        world.store.failing = ""
        await world.pass_time(400)
    assert world.order(7).state is OrderState.COLLECTED
    assert [error.error for error in world.all_heard(StoreStateChanged)] == [error.error, None]
    (report,) = world.all_heard(FailureReported)
    assert "the polling lease could not be renewed; polling goes on" in report.what


# Defects


@in_virtual_time
async def test_a_defect_met_with_one_order_is_reported_and_the_others_are_polled_on() -> None:
    world = World()
    world.place(7, ZeroDivisionError("a defect"))
    world.place(8)
    await world.poll_for(700)
    reports = world.all_heard(FailureReported)
    assert {(type(report.failure), report.order_id) for report in reports} == {(ZeroDivisionError, "order-7")}
    assert 4 <= len(world.scm.times(7)) == len(reports) <= 7
    assert world.window(8).ended is WindowEnd.DEADLINE
    assert world.order(7).state is OrderState.SUBMITTED


# Other processes


@in_virtual_time
async def test_an_order_whose_poll_met_a_defect_becomes_a_certificate_once_that_is_gone() -> None:
    world = World()
    world.place(7, ZeroDivisionError("a defect"), (40.0, "Issued"))
    await world.poll_for(300)
    assert world.order(7).state is OrderState.COLLECTED


@in_virtual_time
async def test_an_order_is_polled_by_one_process_and_shown_by_both() -> None:
    first = World(name="first")
    first.place(7)
    second = restarted(first, "second")
    async with first.polling():
        await first.pass_time(1)
        async with second.polling():
            await second.pass_time(300)
            assert not second.all_heard(PollFinished)
            assert second.store.poller() == "first"
            assert second.window(7) == first.window(7)
            (entry,) = [received.entry for received in second.all_heard(OrderChanged) if received.entry]
            assert entry.to_state is OrderState.PENDING
            assert len(second.all_heard(OrderChanged)) == len(first.all_heard(PollFinished))


@in_virtual_time
async def test_when_the_polling_process_ends_the_other_takes_over_within_seconds() -> None:
    first = World(name="first")
    first.place(7)
    second = restarted(first, "second")
    async with second.polling():
        async with first.polling():
            pass
        await second.pass_time(200)
        assert second.all_heard(PollFinished)


@in_virtual_time
async def test_when_the_polling_process_is_killed_the_other_takes_over_after_the_lease() -> None:
    first = World(name="first")
    first.place(7)
    second = restarted(first, "second")
    await first.store.lease(["order-7"], LEASE_SECONDS)
    async with second.polling():
        await second.pass_time(LEASE_SECONDS - 1)
        assert not first.scm.asked
        await second.pass_time(6)
        assert len(first.scm.asked) == 1


@in_virtual_time
async def test_an_order_that_another_process_adds_is_told_and_polled_when_nobody_else_does() -> None:
    first = World(name="first")
    adder = restarted(first, "adder")
    first.scm.live(9, "Applied")
    async with first.polling():
        await first.pass_time(10)
        order = await Tracking(adder.context, OrderLocks(adder.context)).track(9)
        await first.pass_time(20)
    assert (
        next(received.entry.kind for received in first.all_heard(OrderChanged) if received.entry) is EventKind.CREATED
    )
    assert {poll.order_id for poll in first.all_heard(PollFinished)} == {order.id}


# Scale and end


@in_virtual_time
async def test_ten_thousand_orders_at_rest_need_few_wake_ups() -> None:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    world = World(deadline_seconds=86_400)
    for ssl_id in range(10_000):
        due = START + timedelta(hours=2, seconds=ssl_id)
        world.place(ssl_id, state=OrderState.PENDING, window=PollWindow(START, 86_400, 9, due, 7200 + ssl_id))
    async with world.polling():
        await world.pass_time(10)
        before = loop.wake_ups
        await world.pass_time(600)
        assert (loop.wake_ups - before) / 600 < 5
    assert not world.scm.asked


@in_virtual_time
async def test_quitting_ends_the_polls_under_way_at_once_and_gives_the_leases_back() -> None:
    world = World()
    world.scm.default_latency_seconds = 60
    for ssl_id in range(20):
        world.place(ssl_id)
    async with world.polling():
        await world.pass_time(5)
        assert world.store.disk.leases
    assert world.clock.monotonic() == pytest.approx(5)
    assert not world.store.disk.leases
    assert all(world.window(ssl_id) == schedule.open_window(START, 600) for ssl_id in range(20))


@in_virtual_time
async def test_a_disk_that_fails_at_the_end_does_not_keep_the_program_from_quitting() -> None:
    world = World()
    world.place(7)
    async with world.polling():
        await world.pass_time(1)
        world.store.failing = "Input/output error"
    assert world.all_heard(StoreStateChanged)
    assert world.poll(7).outcome is PollOutcome.PENDING
