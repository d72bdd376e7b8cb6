"""Polling for longer: for as long as the operator chooses, and by the validation level."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.events import EventKind, Operator
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.polling import WaitReason, WindowEnd
from sectigo_tui.engine.polling.budget import why
from sectigo_tui.engine.polling.schedule import JITTER, SPACED_SECONDS
from support.engine_world import World
from support.virtual_time import START, in_virtual_time

pytestmark = pytest.mark.usefixtures("alone")

HOUR, DAY = 3_600.0, 86_400.0
ANNA = Operator("anna", "anna", "jump1", "192.0.2.7")


def waits(times: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(times)]


def details(ssl_id: int, validation: str) -> OrderDetails:
    return OrderDetails(ssl_id=ssl_id, status="Applied", validation=validation)


@in_virtual_time
async def test_until_issued_is_every_five_minutes_on_the_first_day_and_every_thirty_beyond() -> None:
    world = World()
    world.repository.operator = ANNA
    order_id = world.place(7, "Applied", (3 * DAY, "Issued"))
    await world.poll_for(700)
    assert world.window(7).ended is WindowEnd.DEADLINE
    asked = len(world.scm.times(7))
    await world.scheduler.poll_for(order_id, None)
    await world.poll_for(3 * DAY + HOUR)
    times = world.scm.times(7)[asked:]
    first_day = [wait for wait, at in zip(waits(times), times, strict=False) if at < 700 + DAY - 400]
    beyond = [wait for wait, at in zip(waits(times), times, strict=False) if 700 + DAY + 400 < at < 2.9 * DAY]
    assert max(first_day) <= 300 * (1 + JITTER) + 1
    assert min(first_day) >= 5
    assert max(beyond) <= SPACED_SECONDS * (1 + JITTER) + 1
    assert DAY / SPACED_SECONDS * 0.7 < len([at for at in times if DAY * 1.5 < at <= DAY * 2.5]) < 60
    assert world.order(7).state is OrderState.COLLECTED
    opened = [entry for entry in world.timeline(7) if entry.kind is EventKind.WINDOW_OPENED]
    assert [(entry.summary, entry.by) for entry in opened] == [
        ("polling until it is issued, as the operator chose", ANNA),
        ("deadline passed, polling goes on: Applied", None),
    ]


@pytest.mark.parametrize("seconds", [600.0, DAY])
@in_virtual_time
async def test_another_deadline_counts_from_when_it_was_chosen_and_costs_no_extra_polls(seconds: float) -> None:
    world = World()
    order_id = world.place(7)
    async with world.polling():
        await world.pass_time(400)
        before = world.window(7)
        after = await world.scheduler.poll_for(order_id, seconds)
        assert after.window is not None
        assert after.window.deadline_at == START + timedelta(seconds=400 + seconds)
        assert (after.window.attempts, after.window.next_poll_at) == (before.attempts, before.next_poll_at)
        await world.pass_time(seconds - 400)
        assert world.window(7).is_open
        await world.pass_time(900)
    assert world.window(7).ended is WindowEnd.DEADLINE


@in_virtual_time
async def test_a_last_poll_that_was_due_at_the_old_deadline_is_not_the_last_one_then() -> None:
    world = World()
    order_id = world.place(7)
    async with world.polling():
        await world.pass_time(590)
        assert world.window(7).reason is WaitReason.DEADLINE
        await world.scheduler.poll_for(order_id, DAY)
        await world.pass_time(60)
    assert world.window(7).is_open
    assert world.window(7).next_poll_at is not None


@in_virtual_time
async def test_an_order_that_has_ended_is_not_polled_for_longer() -> None:
    world = World()
    order_id = world.place(7, "Rejected")
    await world.poll_for(5)
    with pytest.raises(InputError, match="only pending orders are polled"):
        await world.scheduler.poll_for(order_id, None)


@in_virtual_time
async def test_windows_follow_each_other_for_the_levels_that_say_so_alone() -> None:
    world = World()
    levels = {"OV": True, "EV": True, "DV": False}
    world.context = replace(world.context, options=replace(world.context.options, reopen_by_level=levels))
    world.scheduler._poller._context = world.context
    for ssl_id, validation in ((1, "DV"), (2, "OV"), (3, "EV"), (4, "")):
        world.place(ssl_id, details(ssl_id, validation))
    await world.poll_for(2 * HOUR)
    assert [world.window(ssl_id).is_open for ssl_id in (1, 2, 3, 4)] == [False, True, True, False]


@in_virtual_time
async def test_a_setting_that_reopens_is_spaced_out_beyond_the_first_day_too() -> None:
    world = World(reopen=True)
    world.place(7)
    await world.poll_for(2 * DAY)
    times = world.scm.times(7)
    assert 200 < len([at for at in times if at < DAY]) < 400
    late = [at for at in times if at > DAY + HOUR]
    assert len(late) < 60
    window = world.window(7)
    assert why(window, None).startswith("1800 s +-20%") or window.reason is WaitReason.DEADLINE
