"""One bad password must not become many bad logins: accounts lock."""

from __future__ import annotations

import pytest

from sectigo_tui.domain.certificates import ListingFilter
from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import CredentialsRefused
from sectigo_tui.domain.events import EventKind, FailureReported, PollingPaused, PollingResumed
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.polling import PollOutcome, WindowEnd
from sectigo_tui.engine.requests.limiter import Priority
from support.engine_world import World
from support.fake_scm import BAD, GOOD, unreachable
from support.virtual_time import START, in_virtual_time

WORKERS = 200


async def world_of_200_that_is_locked_out_after_a_minute() -> World:
    world = World()
    for ssl_id in range(WORKERS):
        world.place(ssl_id)
    await world.poll_for(60)
    world.scm.valid_password = "expired"
    world.scm.asked.clear()
    return world


@in_virtual_time
async def test_a_401_among_200_workers_stops_them_all_until_the_credentials_are_new() -> None:
    world = await world_of_200_that_is_locked_out_after_a_minute()
    async with world.polling():
        await world.pass_time(3 * 3600)
        (paused,) = world.all_heard(PollingPaused)
        assert len(world.scm.asked) <= world.limiter.limit
        assert all(asked.at <= seconds_between(START, paused.at) for asked in world.scm.asked)
        assert paused.waiting == WORKERS
        assert {world.order(ssl_id).state for ssl_id in range(WORKERS)} == {OrderState.PENDING}

        world.scm.valid_password = "right"
        world.scm.asked.clear()
        start = world.clock.monotonic()
        assert world.scheduler.resume() == WORKERS
        await world.pass_time(15)
        (resumed,) = world.all_heard(PollingResumed)
        assert resumed.resumed == WORKERS
    per_second = [sum(1 for asked in world.scm.asked if int(asked.at - start) == second) for second in range(11)]
    assert {asked.about for asked in world.scm.asked} == set(range(WORKERS))
    assert max(per_second) <= 2 * WORKERS / 10 + world.limiter.limit
    missing_evidence = [
        entry for ssl_id in range(WORKERS) for entry in world.timeline(ssl_id) if entry.kind is EventKind.NOT_POLLED
    ]
    assert len(missing_evidence) == WORKERS
    assert all("since 2026-03-02 03:0" in missing_part.summary for missing_part in missing_evidence)
    # The windows' deadlines passed during the pause, which was not the orders' fault.
    assert all(world.window(ssl_id).is_open for ssl_id in range(WORKERS))


@in_virtual_time
async def test_a_refused_login_at_the_deadline_does_not_end_the_window() -> None:
    world = World(deadline_seconds=60)
    world.place(7)
    async with world.polling():
        await world.pass_time(59)
        world.scm.valid_password = "expired"
        await world.pass_time(3600)
        assert world.poll(7).outcome is PollOutcome.CREDENTIALS_REFUSED
        assert world.window(7).is_open
        world.scm.valid_password = "right"
        assert world.scheduler.resume() == 1
        await world.pass_time(3600)
    assert world.poll(7).outcome is PollOutcome.PENDING
    assert world.window(7).ended is WindowEnd.DEADLINE


@in_virtual_time
async def test_requests_that_wait_for_their_turn_are_not_sent() -> None:
    world = World(proven=False)
    world.scm.use_credentials(BAD)
    for ssl_id in range(20):
        world.place(ssl_id)
    async with world.polling():
        await world.pass_time(600)
        with pytest.raises(CredentialsRefused) as held_back:
            await world.limiter.run(Priority.SIGHT, lambda: world.scm.details(1))
    assert not held_back.value.sent
    assert len(world.scm.asked) == 1
    assert not world.all_heard(FailureReported)


@in_virtual_time
async def test_unproven_credentials_are_tried_by_one_request_at_a_time_until_one_succeeds() -> None:
    world = World(proven=False)
    world.scm.default_latency_seconds = 2
    world.scm.outages.append((0.0, 30.0, unreachable()))
    for ssl_id in range(20):
        world.place(ssl_id)
    async with world.polling():
        await world.pass_time(30)
        assert world.scm.most_in_flight == 1
        await world.pass_time(30)
        assert world.scm.most_in_flight == world.limiter.limit


@in_virtual_time
async def test_a_late_401_of_the_old_credentials_does_not_lock_the_new_ones_out() -> None:
    world = World()
    world.scm.use_credentials(BAD)
    world.scm.latency_seconds["details"] = 30
    world.place(7)
    async with world.polling():
        await world.pass_time(10)
        world.scm.use_credentials(GOOD)
        world.scheduler.resume()
        await world.pass_time(25)
        assert world.poll(7).outcome is PollOutcome.CREDENTIALS_REFUSED
        assert world.limiter.rejection is None
        assert not world.all_heard(PollingPaused)
        await world.pass_time(28)
    assert world.poll(7).outcome is PollOutcome.PENDING
    assert [asked.password for asked in world.scm.asked] == ["wrong", "right"]


@in_virtual_time
async def test_new_credentials_that_are_refused_as_well_lock_again() -> None:
    world = await world_of_200_that_is_locked_out_after_a_minute()
    async with world.polling():
        await world.pass_time(600)
        world.scm.asked.clear()
        world.scheduler.resume()
        await world.pass_time(600)
    assert len(world.scm.asked) <= world.limiter.limit
    assert len(world.all_heard(PollingPaused)) == 2


@in_virtual_time
async def test_a_listing_that_is_refused_pauses_the_polling_too() -> None:
    world = World()
    world.place(7)
    async with world.polling():
        await world.pass_time(1)
        world.scm.valid_password = "expired"
        with pytest.raises(CredentialsRefused):
            await world.limiter.run(Priority.LISTING, lambda: world.scm.listing(ListingFilter(), position=0, size=200))
        await world.pass_time(600)
        assert len(world.all_heard(PollingPaused)) == 1
    assert len(world.scm.times(7)) == 1
