"""A disk that refuses: the operator is told, nothing in memory is lost, and saving goes on when it can."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.durable import leftovers
from sectigo_tui.store.local.journal_store import JournalStore
from sectigo_tui.store.local.poll_log import PollLog
from support.stored_orders import (
    HandClock,
    an_entry,
    an_order,
    files_no_larger_than,
    left_behind,
    looked_at,
    opened,
)
from support.virtual_time import in_virtual_time


def test_a_full_disk_at_any_byte_refuses_the_change_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    async def story() -> None:
        store = opened(tmp_path)
        stored = await store.put(an_order(1), an_entry(an_order(1)))
        before = (tmp_path / "journal.jsonl").read_bytes()
        for room in (0, 1, 17, 500, 2000):
            with files_no_larger_than(len(before) + room), pytest.raises(StoreError, match=r"cannot write.*ulimit -f"):
                await store.put(replace(stored, csr_pem="M" * 5000), an_entry(stored, "too large"))
            assert (tmp_path / "journal.jsonl").read_bytes() == before
            assert store.orders() == [stored]
        after = await store.put(replace(stored, order_tag="room again"), an_entry(stored))
        assert after.revision == 2
        await store.close()
        assert opened(tmp_path).orders() == [after]

    asyncio.run(story())


@in_virtual_time
async def test_saving_that_fails_is_said_until_it_works_again_and_no_poll_is_lost(tmp_path: Path) -> None:
    said: list[StoreError | None] = []
    store = JournalStore.open(tmp_path, HandClock(), said.append)
    stored = await store.put(an_order(), an_entry(an_order()))
    await asyncio.sleep(10)
    with files_no_larger_than(10):
        after, poll = looked_at(stored)
        store.note(after, poll)
        await asyncio.sleep(300)
        assert store.orders() == [after]
        assert len(said) == 1
        assert "polls-" in str(said[0])
    await asyncio.sleep(60)
    assert said[1:] == [None]
    assert opened(left_behind(tmp_path, tmp_path.parent / "copy")).polls(stored.id) == [poll]
    await store.close()


@in_virtual_time
async def test_a_defect_in_saving_is_said_and_no_poll_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[StoreError | None] = []
    store = JournalStore.open(tmp_path, HandClock(), said.append)
    stored = await store.put(an_order(), an_entry(an_order()))
    after, poll = looked_at(stored)

    def broken(*_: object) -> None:
        raise KeyError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr(PollLog, "append", broken)
        store.note(after, poll)
        await asyncio.sleep(5)
        assert "saving broke: KeyError('a defect')" in str(said[0])
    await asyncio.sleep(60)
    assert said[-1] is None
    assert opened(left_behind(tmp_path, tmp_path.parent / "copy")).polls(stored.id) == [poll]
    await store.close()


@in_virtual_time
async def test_a_change_that_failed_is_followed_by_a_trial_that_says_when_the_disk_works_again(tmp_path: Path) -> None:
    said: list[StoreError | None] = []
    store = JournalStore.open(tmp_path, HandClock())
    store.report_errors_to(said.append)
    await store.put(an_order(1), an_entry(an_order(1)))
    await asyncio.sleep(100)
    with files_no_larger_than(10):
        with pytest.raises(StoreError):
            await store.put(an_order(2), an_entry(an_order(2)))
        await asyncio.sleep(100)
        assert [error is None for error in said] == [False]
    await asyncio.sleep(60)
    assert said[-1] is None
    await store.close()


@in_virtual_time
async def test_orders_json_that_cannot_be_replaced_stays_whole_and_is_tried_again(tmp_path: Path) -> None:
    said: list[StoreError | None] = []
    store = JournalStore.open(tmp_path, HandClock(), said.append)
    stored = await store.put(an_order(), an_entry(an_order()))
    await asyncio.sleep(10)
    before = (tmp_path / "orders.json").read_bytes()
    journal_size = (tmp_path / "journal.jsonl").stat().st_size
    stored = await store.put(replace(stored, csr_pem="", order_tag="x"), an_entry(stored))
    with files_no_larger_than(journal_size // 4):
        await asyncio.sleep(10)
        assert (tmp_path / "orders.json").read_bytes() == before
        assert "orders.json" in str(said[0])
    await asyncio.sleep(60)
    assert said[-1] is None
    assert (tmp_path / "orders.json").read_bytes() != before
    assert leftovers(tmp_path) == []
    await store.close()


async def test_closing_on_a_full_disk_says_so_and_lets_go_of_every_file(tmp_path: Path) -> None:
    store = opened(tmp_path)
    stored = await store.put(an_order(), an_entry(an_order()))
    store.note(*looked_at(stored))
    with files_no_larger_than(10), pytest.raises(StoreError, match="cannot write"):
        await store.close()
    with pytest.raises(RuntimeError, match="after shutdown"):
        await store.changes()
    assert opened(tmp_path).orders() == [stored]


async def test_a_directory_that_is_a_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"")
    with pytest.raises(StoreError, match=r"data: cannot make the directory: File exists"):
        opened(tmp_path / "data")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written_is_named_with_what_to_do(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match=r"Permission denied.*--data-dir"):
        opened(tmp_path)
    tmp_path.chmod(0o700)
