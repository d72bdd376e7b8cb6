from __future__ import annotations

import pytest

from sectigo_tui.domain.errors import NotFound, Unreachable
from sectigo_tui.domain.events import EventKind, OrderChanged
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.polling import PollOutcome
from sectigo_tui.engine.orders.order_locks import OrderLocks
from sectigo_tui.engine.orders.track import Tracking
from sectigo_tui.engine.polling.schedule import JITTER
from support.engine_world import World
from support.fake_scm import unreachable
from support.virtual_time import START, in_virtual_time


@in_virtual_time
async def test_a_tracked_order_is_local_and_the_asking_counts_as_its_first_poll() -> None:
    world = World()
    world.scm.live(7, "Applied")
    order = await Tracking(world.context, OrderLocks(world.context)).track(7)
    assert (order.state, order.ssl_id, order.scm_status) == (OrderState.PENDING, 7, "Applied")
    assert order.window is not None
    assert order.window.attempts == 1
    assert 5 * (1 - JITTER) <= order.window.wait_seconds <= 5 * (1 + JITTER)
    assert world.all_heard(OrderChanged)[0].order == order
    assert [entry.kind for entry in world.store.timeline(order.id)] == [EventKind.CREATED]
    await world.poll_for(600)
    assert len(world.scm.times(7)) > 3


@in_virtual_time
async def test_an_issued_order_is_collected_once_it_is_tracked() -> None:
    world = World()
    world.scm.live(7, "Issued")
    order = await Tracking(world.context, OrderLocks(world.context)).track(7)
    await world.poll_for(1)
    after = world.store.order(order.id)
    assert after is not None
    assert after.state is OrderState.COLLECTED
    assert [asked.call for asked in world.scm.asked] == ["details", "collect"]


@in_virtual_time
async def test_an_order_that_failed_long_ago_is_local_and_not_polled() -> None:
    world = World()
    world.scm.live(7, "Rejected")
    order = await Tracking(world.context, OrderLocks(world.context)).track(7)
    assert (order.state, order.window) == (OrderState.FAILED, None)
    assert order.last_poll is not None
    assert order.last_poll.outcome is PollOutcome.FINAL
    await world.poll_for(600)
    assert len(world.scm.asked) == 1


@in_virtual_time
async def test_an_order_is_tracked_once_whichever_process_was_first() -> None:
    world = World()
    world.scm.live(7, "Applied")
    other = World(scm=world.scm, disk=world.store.disk, name="other", seed=1)
    first = await Tracking(world.context, OrderLocks(world.context)).track(7)
    assert await Tracking(other.context, OrderLocks(other.context)).track(7) == first
    assert await Tracking(world.context, OrderLocks(world.context)).track(7) == first
    assert len(world.scm.asked) == 2
    assert len(world.store.disk.orders) == 1
    assert other.received == []


@in_virtual_time
async def test_nothing_is_local_when_scm_does_not_tell_the_order() -> None:
    world = World()
    with pytest.raises(NotFound):
        await Tracking(world.context, OrderLocks(world.context)).track(7)
    world.scm.outages.append((0, 60, unreachable()))
    with pytest.raises(Unreachable):
        await Tracking(world.context, OrderLocks(world.context)).track(7)
    assert world.store.orders() == []
    assert world.clock.now() > START
