"""The program while its disk fails: nothing known is forgotten, polling goes on, and the screen keeps saying so."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from shutil import rmtree

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.events import EventKind, PollFinished, StoreStateChanged, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.engine.orders.order_locks import OrderLocks
from sectigo_tui.engine.orders.track import Tracking
from sectigo_tui.store.local.journal_store import JournalStore
from support.engine_world import World as EngineWorld
from support.stored_orders import HandClock, files_no_larger_than
from support.ui_stage import Stage, on_stage, staged
from support.virtual_time import in_virtual_time
from support.writing import Site, new_world, ready


def on_disk(site: Site, directory: Path) -> JournalStore:
    """Give a program the store that is shipped."""
    store = JournalStore.open(directory, site.clock)
    site.context.repository.store = store
    store.report_errors_to(site.context.repository.receive_store_state)
    return store


def told(site: Site) -> list[StoreError | None]:
    return [received.error for received in site.all_heard(StoreStateChanged)]


def says_not_saved(stage: Stage) -> bool:
    """Return whether the header says that saving fails."""
    return "NOT SAVED" in stage.header


@on_stage
async def test_the_screen_says_that_saving_fails_until_all_of_it_works_again_even_once_acknowledged(
    tmp_path: Path,
) -> None:
    site = Site(world=new_world())
    store = on_disk(site, tmp_path)
    ssl_id = site.world.add_order(life="ov-quick", common_name="www.acme.example").ssl_id
    async with staged(site=site, track=[ssl_id]) as stage:
        await stage.wait(10)
        assert not says_not_saved(stage)
        assert "saving fails" not in stage.text
        sent = len(site.wire.sent)
        with files_no_larger_than(10):
            await stage.wait(60)
            assert says_not_saved(stage)
            assert "saving fails" in stage.text
            assert "ulimit" in stage.text
            assert site.wire.count(f"GET /ssl/v1/{ssl_id}") >= 4
            assert len(site.wire.sent) > sent
            await stage.press("x")
            await stage.wait(200)
            assert says_not_saved(stage)
            known = store.by_ssl_id(ssl_id)
            assert known is not None
            assert known.state is OrderState.PENDING
        await stage.wait(400)
        assert not says_not_saved(stage)
        assert "saving fails" not in stage.text
        known = store.by_ssl_id(ssl_id)
        assert known is not None
        assert known.state is OrderState.COLLECTED
    await store.close()


@in_virtual_time
async def test_a_journal_that_works_again_is_not_told_as_the_end_while_orders_json_still_fails(tmp_path: Path) -> None:
    site = Site(world=new_world())
    store = on_disk(site, tmp_path)
    placed = await site.engine.enrolling.enroll(ready())
    await asyncio.sleep(10)
    with files_no_larger_than(10):
        with suppress(StoreError):
            await site.engine.enrolling.enroll(ready("b.acme.example"))
        await asyncio.sleep(5)
    grown = (tmp_path / "journal.jsonl").stat().st_size
    in_the_way = tmp_path / "orders.json.bak"
    in_the_way.unlink(missing_ok=True)
    (in_the_way / "not empty").mkdir(parents=True)
    await site.context.repository.change(
        placed.order.id, lambda order: (replace(order, order_tag="x"), _note(site, order))
    )
    await asyncio.sleep(120)
    assert (tmp_path / "journal.jsonl").stat().st_size > grown
    assert site.context.repository.failing is not None
    assert "orders.json" in str(site.context.repository.failing)
    assert None not in told(site)
    rmtree(in_the_way)
    await asyncio.sleep(60)
    assert told(site)[-1] is None
    assert site.context.repository.failing is None
    await store.close()


@contextmanager
def full_disk(directory: Path) -> Iterator[None]:
    """Put a file system of its own under a directory, with what is in it, and fill it to the last byte."""
    kept = {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}
    room = sum(4_096 * (1 + len(content) // 4_096) for content in kept.values()) + 4_096
    mount = ["mount", "-t", "tmpfs", "-o", f"size={room},mode=700", "tmpfs", str(directory)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a file system")
    try:
        for name, content in kept.items():
            (directory / name).write_bytes(content)
        with suppress(OSError), (directory / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 4_096)
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(directory)], check=True)


@on_stage
async def test_a_dashboard_that_is_started_on_a_full_disk_polls_and_keeps_saying_that_it_cannot_save(
    tmp_path: Path,
) -> None:
    first = Site(world=new_world())
    store = on_disk(first, tmp_path)
    placed = await first.engine.enrolling.enroll(ready(comments="[sim:vetting]"))
    await store.close()
    with full_disk(tmp_path):
        site = Site(world=first.world)
        store = on_disk(site, tmp_path)
        async with staged(site=site, size=(120, 24)) as stage:
            await stage.press("2")
            assert str(placed.order.ssl_id) in stage.text
            for _ in range(5):
                await stage.wait(60)
                assert says_not_saved(stage)
            assert "No space left on device" in stage.text
            assert site.wire.count(f"GET /ssl/v1/{placed.order.ssl_id}$") >= 4
            (tmp_path / "filler").unlink()
            await stage.wait(90)
            assert not says_not_saved(stage)
            assert (tmp_path / "leases.json").exists()
        await store.close()


@in_virtual_time
async def test_of_two_processes_that_cannot_save_one_polls_and_the_other_once_that_one_has_ended(
    tmp_path: Path,
) -> None:
    clock = HandClock()
    with files_no_larger_than(0):
        one, two = JournalStore.open(tmp_path, clock), JournalStore.open(tmp_path, clock)
        assert await one.lease(["a"], 15) == {"a"}
        assert await two.lease(["a"], 15) == frozenset()
        assert two.poller() == "another process, which cannot save"
        clock.seconds = 40
        assert await two.lease(["a"], 15) == frozenset()
        assert await one.lease(["a"], 15) == {"a"}
        await one.close()
        assert await two.lease(["a"], 15) == {"a"}
        assert two.poller() == ""
    clock.seconds = 80
    assert await two.lease(["a"], 15) == {"a"}
    three = JournalStore.open(tmp_path, clock)
    assert await three.lease(["a"], 15) == frozenset()
    assert three.poller().startswith("pid ")
    await two.close()
    assert await three.lease(["a"], 15) == {"a"}
    await three.close()


def _note(site: Site, order: Order) -> TimelineEntry:
    return TimelineEntry(at=site.clock.now(), order_id=order.id, kind=EventKind.NOTE, summary="seen")


@in_virtual_time
async def test_polls_go_on_by_the_schedule_while_nothing_can_be_written(tmp_path: Path) -> None:
    world = EngineWorld()
    store = JournalStore.open(tmp_path, world.clock)
    world.repository.store = store
    world.scm.live(7, "Applied", (30.0, "Approved"))
    await Tracking(world.context, OrderLocks(world.context)).track(7)
    async with world.polling():
        await world.pass_time(1)
        with files_no_larger_than(10):
            await world.pass_time(500)
            times = world.scm.times(7)
            assert len(times) >= 6
            assert len(world.all_heard(PollFinished)) == len(times) - 1
            known = store.by_ssl_id(7)
            assert known is not None
            assert known.scm_status == "Applied"
        await world.pass_time(400)
    known = store.by_ssl_id(7)
    assert known is not None
    assert known.scm_status == "Approved"
    await store.close()


@on_stage
async def test_what_was_found_damaged_at_opening_is_shown_and_no_order_is_missing(tmp_path: Path) -> None:
    site = Site(world=new_world())
    store = on_disk(site, tmp_path)
    placed = await site.engine.enrolling.enroll(ready(comments="[sim:vetting]"))
    await store.close()
    (tmp_path / "orders.json").write_bytes(b'{"_default": {')
    again = Site(world=site.world)
    store = on_disk(again, tmp_path)
    async with staged(site=again, size=(120, 24)) as stage:
        assert "reading the local orders" in stage.text
        await stage.press("2")
        assert str(placed.order.ssl_id) in stage.text
    await store.close()


async def test_a_program_that_cannot_open_its_orders_says_so_and_starts_nothing(tmp_path: Path) -> None:
    (tmp_path / "journal.jsonl").mkdir()
    with pytest.raises(StoreError, match=r"journal\.jsonl"):
        JournalStore.open(tmp_path, HandClock())
