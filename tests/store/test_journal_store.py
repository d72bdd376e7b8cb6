"""One process: what is put is there, at once and after a restart."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace
from tinydb import TinyDB, where

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.ports import OrderStore
from sectigo_tui.store.local.journal_store import JournalStore
from sectigo_tui.store.orders_in_memory import POLLS_KEPT
from support.stored_orders import an_entry, an_order, left_behind, looked_at, opened, stores_let_go  # noqa: F401 - stores_let_go is a fixture that acts by itself
from support.virtual_time import START, in_virtual_time


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[JournalStore]:
    store = opened(tmp_path / "data")
    yield store
    await store.close()


def test_it_is_what_the_engine_asks_for(tmp_path: Path) -> None:
    fulfilled: OrderStore = opened(tmp_path)
    assert fulfilled.orders() == []


async def test_a_change_is_there_at_once_and_after_the_process_has_died(store: JournalStore, tmp_path: Path) -> None:
    stored = await store.put(an_order(), an_entry(an_order()))
    assert stored == replace(an_order(), revision=1)
    assert store.orders() == [stored]
    assert store.by_ssl_id(1001) == stored

    after_death = opened(left_behind(tmp_path / "data", tmp_path / "copy"))
    assert after_death.orders() == [stored]
    assert after_death.damage == ()


async def test_a_closed_store_opens_from_tinydb_alone(store: JournalStore, tmp_path: Path) -> None:
    stored = await store.put(an_order(), an_entry(an_order()))
    await store.close()
    (tmp_path / "data" / "journal.jsonl").write_bytes(b"")
    again = opened(tmp_path / "data")
    assert again.orders() == [stored]
    assert [reason.what for reason in again.damage] == [
        "the journal was cut, changed or replaced by something else than this program"
    ]


async def test_any_tinydb_reads_the_orders(store: JournalStore, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        await store.put(an_order(number), an_entry(an_order(number)))
    await store.put(replace(an_order(4), state=OrderState.COLLECTED), an_entry(an_order(4)))
    await store.close()
    with TinyDB(tmp_path / "data" / "orders.json", access_mode="r") as database:
        found = database.table("orders").search(where("order").state == "pending")
    assert [document["order"]["common_name"] for document in found] == [
        f"host{number}.example.com" for number in (1, 2, 3)
    ]


async def test_closing_waits_for_changes_on_their_way_and_refuses_later_ones(tmp_path: Path) -> None:
    store = opened(tmp_path)
    await store.put(an_order(0), an_entry(an_order(0)))
    putting = [asyncio.ensure_future(store.put(an_order(n), an_entry(an_order(n)))) for n in range(1, 20)]
    await asyncio.sleep(0)
    await store.close()
    assert [order.revision for order in await asyncio.gather(*putting)] == [1] * 19
    with pytest.raises(StoreError, match="closed"):
        await store.put(an_order(20), an_entry(an_order(20)))
    store.note(*looked_at(an_order(1)))
    await store.close()
    assert len(opened(tmp_path).orders()) == 20


async def test_a_timeline_is_read_back_in_order_among_those_of_others(store: JournalStore, tmp_path: Path) -> None:
    orders = [await store.put(an_order(number), an_entry(an_order(number))) for number in range(3)]
    for turn in range(5):
        orders = [await store.put(order, an_entry(order, f"turn {turn}")) for order in orders]
        await store.record(an_entry(orders[1], f"told {turn}"))
    account = TimelineEntry(at=START, order_id="", kind=EventKind.NOTE, summary="credentials rotated")
    await store.record(account)

    told = [each for turn in range(5) for each in (f"turn {turn}", f"told {turn}")]
    again = opened(left_behind(tmp_path / "data", tmp_path / "copy"))
    for each in (store, again):
        assert [entry.summary for entry in each.timeline(orders[1].id)] == ["placed", *told]
        assert each.timeline("unknown") == []
        assert each.entries(1) == [account]
        assert [entry.summary for entry in each.entries(3)] == ["turn 4", "told 4", "credentials rotated"]
        assert len(each.entries(1000)) == 3 + 5 * 4 + 1


async def test_newest_entries_are_found_across_many_blocks_of_the_journal(store: JournalStore) -> None:
    order = replace(an_order(), csr_pem="M" * 30_000)
    for turn in range(12):
        order = await store.put(order, an_entry(order, f"turn {turn}"))
    assert [entry.summary for entry in store.entries(9)] == [f"turn {turn}" for turn in range(3, 12)]


async def test_a_poll_survives_the_death_of_the_process_without_a_new_revision(
    store: JournalStore, tmp_path: Path
) -> None:
    stored = await store.put(an_order(), an_entry(an_order()))
    after, poll = looked_at(stored, 1)
    store.note(after, poll)
    assert store.orders() == [after]
    await store.flush()

    again = opened(left_behind(tmp_path / "data", tmp_path / "copy"))
    assert again.orders() == [after]
    assert again.polls(stored.id) == [poll]


@in_virtual_time
async def test_polls_are_handed_to_the_system_without_being_asked(tmp_path: Path) -> None:
    store = opened(tmp_path / "data")
    after, poll = looked_at(await store.put(an_order(), an_entry(an_order())), 1)
    store.note(after, poll)
    await asyncio.sleep(1)
    assert opened(left_behind(tmp_path / "data", tmp_path / "copy")).polls(after.id) == [poll]
    await store.close()


@in_virtual_time
async def test_orders_json_follows_a_change_within_seconds_and_a_mere_poll_within_minutes(tmp_path: Path) -> None:
    store = opened(tmp_path)
    stored = await store.put(an_order(), an_entry(an_order()))
    await asyncio.sleep(5)
    after_change = (tmp_path / "orders.json").read_bytes()
    assert b"host1.example.com" in after_change

    after, poll = looked_at(stored, 1)
    store.note(after, poll)
    await asyncio.sleep(5)
    assert (tmp_path / "orders.json").read_bytes() == after_change
    await asyncio.sleep(120)
    assert (tmp_path / "orders.json").read_bytes() != after_change
    await store.close()


async def test_the_newest_polls_of_each_order_are_kept(store: JournalStore, tmp_path: Path) -> None:
    stored = await store.put(an_order(), an_entry(an_order()))
    for times in range(1, 3 * POLLS_KEPT):
        stored, poll = looked_at(stored, times)
        store.note(stored, poll)
    await store.close()
    for each in (store, opened(tmp_path / "data")):
        assert len(each.polls(stored.id)) == POLLS_KEPT
        assert each.polls(stored.id)[-1] == stored.last_poll


async def test_a_collected_certificate_is_kept_and_so_is_the_one_before(store: JournalStore, tmp_path: Path) -> None:
    stored = await store.put(an_order(), an_entry(an_order()))
    for pem in (b"first", b"first", b"second"):
        path = await store.save_certificate(stored.id, pem)
    assert path == str(tmp_path / "data" / "certificates" / "1001.pem")
    await store.save_certificate("../../etc/passwd", b"odd")
    assert {path.name: path.read_bytes() for path in (tmp_path / "data" / "certificates").iterdir()} == {
        "1001.pem": b"second",
        "1001.previous.pem": b"first",
        "______etc_passwd.pem": b"odd",
    }


async def test_nobody_else_can_read_any_file_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = opened(tmp_path / "data")
        stored, poll = looked_at(await store.put(an_order(), an_entry(an_order())), 1)
        store.note(stored, poll)
        await store.lease([stored.id], 30)
        await store.save_certificate(stored.id, b"pem")
        lease_mode = (tmp_path / "data" / "leases.json").stat().st_mode & 0o777
        await store.close()
    finally:
        os.umask(before)
    found = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "data").rglob("*")}
    assert lease_mode == 0o600
    assert found.pop("certificates") == 0o700
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert set(found.values()) == {0o600}


async def test_a_directory_and_files_of_ours_that_others_can_read_are_narrowed(tmp_path: Path) -> None:
    await opened(tmp_path / "data").close()
    (tmp_path / "data").chmod(0o755)
    (tmp_path / "data" / "journal.jsonl").chmod(0o644)
    opened(tmp_path / "data")
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "data" / "journal.jsonl").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 12345, 12345)
    with pytest.raises(StoreError, match=r"belongs to user id 12345.*--data-dir"):
        opened(tmp_path / "theirs")


class Found(Struct, frozen=True):
    """What a test keeps as if it were fetched."""

    at: datetime
    days: dict[str, int]


async def test_what_was_fetched_is_kept_for_every_process_and_is_the_owners_alone(tmp_path: Path) -> None:
    first, second = opened(tmp_path / "data"), opened(tmp_path / "data")
    assert await second.fetched("history", Found) is None
    await first.keep_fetched("history", Found(START, {"a": 1}))
    assert await second.fetched("history", Found) == Found(START, {"a": 1})
    path = tmp_path / "data" / "fetched" / "history.json"
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    for store in (first, second):
        await store.close()


async def test_what_was_fetched_and_cannot_be_read_is_fetched_again(store: JournalStore, tmp_path: Path) -> None:
    await store.keep_fetched("history", Found(START, {}))
    (tmp_path / "data" / "fetched" / "history.json").write_bytes(b'{"at": "whenever"}')
    assert await store.fetched("history", Found) is None


async def test_a_disk_that_keeps_nothing_of_what_was_fetched_is_reported_and_stops_nobody(tmp_path: Path) -> None:
    reported: list[StoreError | None] = []
    store = opened(tmp_path / "data")
    store.report_errors_to(reported.append)
    (tmp_path / "data" / "fetched").write_bytes(b"in the way")
    await store.keep_fetched("history", Found(START, {}))
    assert await store.fetched("history", Found) is None
    assert reported
    (tmp_path / "data" / "fetched").unlink()
    await store.keep_fetched("history", Found(START, {}))
    assert reported[-1] is None
    await store.close()
