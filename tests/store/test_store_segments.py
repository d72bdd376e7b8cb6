"""The journal in parts: closed, compressed, kept for their time, and read and proven as if they were one."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.store.local.audit import records, verify
from sectigo_tui.store.local.journal_store import JournalStore
from support.stored_orders import (
    HandClock,
    an_entry,
    an_order,
    files_no_larger_than,
    left_behind,
    looked_at,
    opened,
    stores_let_go,  # noqa: F401 - a fixture that acts by itself
)
from support.virtual_time import START

DAY = 86_400.0


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few lines be a large segment."""
    monkeypatch.setattr("sectigo_tui.store.local.journal.LARGEST_SEGMENT_BYTES", 3000)


async def a_store_in_parts(directory: Path, clock: HandClock | None = None) -> tuple[JournalStore, list[Order]]:
    """Return a store with 12 orders and a journal of at least three closed segments."""
    store = opened(directory, clock)
    orders = []
    for number in range(12):
        orders.append(await store.put(an_order(number), an_entry(an_order(number), f"entry {number}")))
        await store.save()
    assert len(closed(directory)) >= 3
    return store, orders


def closed(directory: Path) -> list[str]:
    """Return the names of the closed segments."""
    return sorted(path.name for path in directory.glob("journal-*"))


async def test_closed_segments_are_compressed_and_all_is_read_as_from_one_file(tmp_path: Path) -> None:
    store, orders = await a_store_in_parts(tmp_path)
    assert all(name.endswith(".jsonl.gz") for name in closed(tmp_path))
    last = await store.put(replace(orders[0], order_tag="x"), an_entry(orders[0], "the last"))
    again = opened(left_behind(tmp_path, tmp_path.parent / "copy"))
    for each in (store, again):
        assert [entry.summary for entry in each.timeline(orders[0].id)] == ["entry 0", "the last"]
        assert [entry.summary for entry in each.entries(100)] == [*(f"entry {n}" for n in range(12)), "the last"]
        assert [entry.summary for entry in each.entries(4)] == ["entry 9", "entry 10", "entry 11", "the last"]
        assert {order.id: order for order in each.orders()} == {order.id: order for order in [*orders[1:], last]}
    assert again.damage == ()


async def test_without_orders_json_the_segments_rebuild_every_order(tmp_path: Path) -> None:
    store, orders = await a_store_in_parts(tmp_path)
    await store.close()
    for name in ("orders.json", "orders.json.bak"):
        (tmp_path / name).unlink()
    again = opened(tmp_path)
    assert again.orders() == orders
    assert again.damage == ()


async def test_segments_that_another_process_closed_are_followed(tmp_path: Path) -> None:
    reader = opened(tmp_path)
    store, orders = await a_store_in_parts(tmp_path)
    assert {order.id for order in (await reader.changes()).orders} == {order.id for order in orders}
    assert reader.orders() == orders
    await reader.put(replace(orders[3], order_tag="from the reader"), an_entry(orders[3], "from the reader"))
    await store.changes()
    assert [entry.summary for entry in store.timeline(orders[3].id)] == ["entry 3", "from the reader"]
    assert store.damage == reader.damage == ()
    assert verify(tmp_path).is_intact


async def test_an_untouched_journal_in_parts_is_proven(tmp_path: Path) -> None:
    store, _ = await a_store_in_parts(tmp_path)
    await store.close()
    report = verify(tmp_path)
    assert report.is_intact
    assert (report.lines, report.last.seq, report.removed) == (12, 12, 0)
    assert [record.entry.summary for record in records(tmp_path)] == [f"entry {number}" for number in range(12)]


def repacked(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Change what is in a compressed segment."""
    path.write_bytes(gzip.compress(change(gzip.decompress(path.read_bytes()))))


@pytest.mark.parametrize("tampering", ["a word", "a line", "a file", "the oldest file", "the tail"])
async def test_tampering_with_a_closed_segment_is_found(tmp_path: Path, tampering: str) -> None:
    store, _ = await a_store_in_parts(tmp_path)
    await store.close()
    oldest, second = (tmp_path / name for name in closed(tmp_path)[:2])
    match tampering:
        case "a word":
            repacked(second, lambda lines: lines.replace(b"host", b"h0st", 1))
        case "a line":
            repacked(second, lambda lines: lines[lines.index(b"\n") + 1 :])
        case "a file":
            second.unlink()
        case "the oldest file":
            oldest.unlink()
        case _:
            second.write_bytes(second.read_bytes()[:-300])
    report = verify(tmp_path)
    assert not report.is_intact
    assert report.faults[0].file in closed(tmp_path)


@pytest.mark.parametrize("left", ["both files", "the plain file and half of the compressed one"])
async def test_a_kill_between_compressing_and_removing_is_made_good(tmp_path: Path, left: str) -> None:
    store, orders = await a_store_in_parts(tmp_path)
    first = tmp_path / closed(tmp_path)[0]
    plain = first.with_suffix("")
    plain.write_bytes(gzip.decompress(first.read_bytes()))
    if left != "both files":
        first.rename(first.with_name(first.name + ".new"))
    await store.close()
    again = opened(tmp_path)
    assert again.orders() == orders
    assert verify(tmp_path).is_intact
    await again.save()
    assert not plain.exists()
    assert verify(tmp_path).is_intact


async def test_a_kill_right_after_a_segment_was_closed_costs_nothing(tmp_path: Path) -> None:
    store, orders = await a_store_in_parts(tmp_path)
    await store.close()
    (tmp_path / "journal.jsonl").rename(tmp_path / "journal-000099.jsonl")
    again = opened(tmp_path)
    assert again.orders() == orders
    changed = await again.put(replace(orders[0], order_tag="goes on"), an_entry(orders[0]))
    await again.close()
    assert opened(tmp_path).order(orders[0].id) == changed
    assert again.damage == ()
    assert verify(tmp_path).is_intact


async def test_a_full_disk_while_compressing_loses_nothing_and_is_made_good_later(tmp_path: Path) -> None:
    store, orders = await a_store_in_parts(tmp_path)
    first = tmp_path / closed(tmp_path)[0]
    plain = first.with_suffix("")
    plain.write_bytes(gzip.decompress(first.read_bytes()))
    first.unlink()
    with files_no_larger_than(100), pytest.raises(StoreError):
        await store.save()
    assert opened(left_behind(tmp_path, tmp_path.parent / "copy")).orders() == orders
    await store.save()
    assert first.exists()
    assert not plain.exists()
    assert verify(tmp_path).is_intact


async def settled(store: JournalStore, orders: list[Order], clock: HandClock) -> list[Order]:
    """End all orders but the newest, and save."""
    ended = []
    for order in orders[:-1]:
        after = replace(order, state=OrderState.EXPIRED, state_since=clock.now())
        ended.append(await store.put(after, replace(an_entry(after, "ended"), at=clock.now())))
    await store.save()
    return ended


async def test_segments_are_removed_after_their_time_and_the_proof_survives(tmp_path: Path) -> None:
    clock = HandClock()
    store, orders = await a_store_in_parts(tmp_path, clock)
    live = replace(orders[-1], order_tag="asked again", state_since=START + timedelta(days=300))
    clock.seconds = 300 * DAY
    ended = await settled(store, orders, clock)
    live = await store.put(live, replace(an_entry(live, "again"), at=clock.now()))
    oldest = closed(tmp_path)[0]
    clock.seconds = 399 * DAY
    await store.save()
    assert closed(tmp_path)[0] == oldest
    clock.seconds = 401 * DAY
    await store.save()
    await store.save()
    assert oldest not in closed(tmp_path)
    report = verify(tmp_path)
    assert report.is_intact
    assert report.removed >= 10
    assert any(f"lines up to number {report.removed}" in record.entry.summary for record in records(tmp_path))
    again = opened(left_behind(tmp_path, tmp_path.parent / "copy"))
    assert again.orders() == [*ended, live]
    assert [entry.summary for entry in again.timeline(orders[0].id)] == ["ended"]
    assert again.damage == ()
    await store.close()
    assert opened(tmp_path).orders() == [*ended, live]


async def test_a_segment_that_a_pending_order_was_last_written_in_is_kept_beyond_its_time(tmp_path: Path) -> None:
    clock = HandClock()
    store, orders = await a_store_in_parts(tmp_path, clock)
    before = closed(tmp_path)
    clock.seconds = 4000 * DAY
    await store.save()
    assert closed(tmp_path) == before
    await store.close()
    for name in ("orders.json", "orders.json.bak"):
        (tmp_path / name).unlink()
    assert opened(tmp_path).orders() == orders


async def test_removing_older_lines_by_hand_is_no_retention(tmp_path: Path) -> None:
    clock = HandClock()
    store, orders = await a_store_in_parts(tmp_path, clock)
    clock.seconds = 300 * DAY
    await settled(store, [*orders, orders[-1]], clock)
    clock.seconds = 401 * DAY
    await store.save()
    await store.save()
    assert verify(tmp_path).is_intact
    (tmp_path / closed(tmp_path)[0]).unlink()
    report = verify(tmp_path)
    assert "not after their time" in report.faults[0].reason


async def test_a_process_that_slept_through_a_removal_knows_every_order(tmp_path: Path) -> None:
    clock = HandClock()
    sleeper = opened(tmp_path, clock)
    store, orders = await a_store_in_parts(tmp_path, clock)
    clock.seconds = 300 * DAY
    ended = await settled(store, [*orders, orders[-1]], clock)
    clock.seconds = 401 * DAY
    await store.save()
    await store.save()
    await sleeper.changes()
    assert sleeper.orders() == ended
    assert sleeper.damage == ()


async def test_a_window_that_opens_or_ends_is_written_without_the_order_and_survives_a_kill(tmp_path: Path) -> None:
    store = opened(tmp_path)
    stored = await store.put(an_order(), an_entry(an_order()))
    whole = (tmp_path / "journal.jsonl").stat().st_size
    assert stored.window is not None
    later = replace(stored.window, opened_at=START + timedelta(hours=1), next_poll_at=START + timedelta(hours=2))
    again = await store.put(replace(stored, window=later), an_entry(stored, "window opened"))
    lines = (tmp_path / "journal.jsonl").read_bytes()
    assert lines.count(b"CERTIFICATE REQUEST") == 2
    assert len(lines) - whole < 800
    assert again.revision == 2
    killed = opened(left_behind(tmp_path, tmp_path.parent / "copy"))
    assert killed.orders() == [again]
    assert [entry.summary for entry in killed.timeline(stored.id)] == ["placed", "window opened"]
    reader = opened(tmp_path)
    changed = await store.put(replace(again, window=replace(later, attempts=1)), an_entry(stored, "window ended"))
    assert (await reader.changes()).orders == (changed,)
    assert (await reader.put(replace(changed, order_tag="x"), an_entry(stored))).revision == 4


async def test_the_newest_window_wins_over_an_older_poll_that_came_late(tmp_path: Path) -> None:
    store = opened(tmp_path)
    stored = await store.put(an_order(), an_entry(an_order()))
    assert stored.window is not None
    late, poll = looked_at(stored, 3)
    store.note(late, poll)
    await store.flush()
    fresh = replace(stored.window, opened_at=START + timedelta(hours=1))
    put = await store.put(replace(stored, window=fresh), an_entry(stored, "window opened"))
    assert opened(left_behind(tmp_path, tmp_path.parent / "copy")).orders() == [put]
