"""Writes in a read-only profile: armed for a limited time, then locked again by themselves."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.errors import ReadOnly
from sectigo_tui.engine.context import EngineOptions
from support.engine_world import World
from support.virtual_time import in_virtual_time


@in_virtual_time
async def test_armed_writes_are_locked_again_when_the_time_is_up() -> None:
    world = World()
    context = replace(world.context, options=EngineOptions(read_only=True, may_arm=True))
    with pytest.raises(ReadOnly):
        context.check_writable("revoking")
    context.arming.arm(context.clock.now(), 300)
    context.check_writable("revoking")
    await context.clock.sleep(299)
    assert not context.is_read_only
    await context.clock.sleep(1)
    assert context.is_read_only
    with pytest.raises(ReadOnly):
        context.check_writable("revoking")


@in_virtual_time
async def test_the_operator_can_lock_writes_before_that() -> None:
    world = World()
    context = replace(world.context, options=EngineOptions(read_only=True, may_arm=True))
    context.arming.arm(context.clock.now(), 300)
    context.arming.lock()
    assert context.is_read_only
