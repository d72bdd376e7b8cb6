"""The engine over the store that is shipped: what a story in memory cannot tell."""

from __future__ import annotations

from pathlib import Path

import pytest

from sectigo_tui.domain.events import EventKind, StoreStateChanged
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.engine.orders.order_locks import OrderLocks
from sectigo_tui.engine.orders.track import Tracking
from sectigo_tui.engine.polling.scheduler import BATCH_SECONDS
from sectigo_tui.store.local.journal_store import JournalStore
from support.engine_world import World
from support.fake_scm import BUNDLE, rate_limited
from support.virtual_time import in_virtual_time


def opened(world: World, directory: Path) -> JournalStore:
    store = JournalStore.open(directory, world.clock)
    world.repository.store = store
    return store


def content(path: str) -> bytes:
    return Path(path).read_bytes()


@in_virtual_time
async def test_an_order_goes_on_from_disk_in_the_middle_of_its_window(tmp_path: Path) -> None:
    world = World()
    store = opened(world, tmp_path)
    world.scm.live(7, "Applied", (20.0, rate_limited(60.0)), (70.0, "Issued"))
    local = await Tracking(world.context, OrderLocks(world.context)).track(7)
    await world.poll_for(40)
    before, polls = store.order(local.id), store.polls(local.id)
    await store.close()

    again = World(scm=world.scm)
    store = opened(again, tmp_path)
    after = store.order(local.id)
    assert before is not None
    assert before.window is not None
    assert before.window.next_poll_at is not None
    assert after == before
    assert store.polls(local.id) == polls
    due = (before.window.next_poll_at - local.created_at).total_seconds() + 0.2
    await again.poll_for(200)
    assert world.scm.times(7)[-2:] == pytest.approx([due, due + 0.2], abs=BATCH_SECONDS)
    collected = store.order(local.id)
    assert collected is not None
    assert collected.state is OrderState.COLLECTED
    assert content(collected.certificate_path) == BUNDLE
    kinds = [entry.kind for entry in store.timeline(local.id)]
    assert kinds == [EventKind.CREATED, EventKind.NOTE, EventKind.CHANGED]
    assert not again.all_heard(StoreStateChanged)
    await store.close()
