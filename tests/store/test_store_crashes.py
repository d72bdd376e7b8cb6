"""Whatever a crash, a full disk or a hand leaves behind: never a blank start, never a lost order."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from msgspec.structs import replace

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.orders import Order
from sectigo_tui.store.documents import Actor
from sectigo_tui.store.local.journal_store import JournalStore
from sectigo_tui.store.local.lines import Draft, Position
from support.stored_orders import an_entry, an_order, left_behind, looked_at, opened, stores_let_go  # noqa: F401 - stores_let_go is a fixture that acts by itself

CHILD = Path(__file__).parent.parent / "support" / "store_child.py"


async def a_store_with(directory: Path, count: int) -> tuple[JournalStore, list[Order]]:
    store = opened(directory)
    return store, [await store.put(an_order(number), an_entry(an_order(number))) for number in range(count)]


def the_only(directory: Path, pattern: str) -> Path:
    (found,) = directory.glob(pattern)
    return found


async def test_the_last_journal_write_cut_at_any_byte_costs_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    store, orders = await a_store_with(tmp_path / "data", 2)
    journal = tmp_path / "data" / "journal.jsonl"
    acknowledged = journal.stat().st_size
    short = replace(an_order(9), csr_pem="", details=None, window=None)
    await store.put(short, an_entry(short))
    whole = journal.read_bytes()
    image = left_behind(tmp_path / "data", tmp_path / "image")
    for size in range(acknowledged, len(whole)):
        copy = left_behind(image, tmp_path / "copy")
        (copy / "journal.jsonl").write_bytes(whole[:size])
        after = opened(copy)
        assert after.orders() == orders, size
        if size > acknowledged:
            assert the_only(copy, "journal.jsonl.torn-*").read_bytes() == whole[acknowledged:size]
            assert len(after.damage) == 1
        if size % 50:
            after.let_go()
            continue
        stored = await after.put(short, an_entry(short))
        again = opened(left_behind(copy, tmp_path / "again"))
        assert again.orders() == [*orders, stored]
        assert again.damage == ()
        for each in (after, again):
            each.let_go()


@pytest.mark.parametrize("has_copy", [True, False], ids=["with its last good copy", "without"])
async def test_orders_json_cut_at_any_byte_is_set_aside_and_no_order_is_lost(tmp_path: Path, has_copy: bool) -> None:
    store, orders = await a_store_with(tmp_path / "data", 1)
    await store.close()
    store = opened(tmp_path / "data")
    orders = [await store.put(replace(orders[0], order_tag="the last write"), an_entry(orders[0]))]
    await store.close()
    whole = (tmp_path / "data" / "orders.json").read_bytes()
    assert (tmp_path / "data" / "orders.json.bak").exists()
    for size in range(0, len(whole), 1 if has_copy else 9):
        copy = left_behind(tmp_path / "data", tmp_path / "copy")
        (copy / "orders.json").write_bytes(whole[:size])
        if not has_copy:
            (copy / "orders.json.bak").unlink()
        again = opened(copy)
        assert again.orders() == orders, size
        assert [reason.where for reason in again.damage] == [str(the_only(copy, "orders.json.damaged-*"))]
        assert the_only(copy, "orders.json.damaged-*").read_bytes() == whole[:size]
        again.let_go()


async def test_orders_json_changed_by_hand_is_set_aside_rather_than_believed(tmp_path: Path) -> None:
    store, orders = await a_store_with(tmp_path, 3)
    await store.close()
    path = tmp_path / "orders.json"
    path.write_bytes(path.read_bytes().replace(b"host1.example.com", b"h0st1.example.com"))
    again = opened(tmp_path)
    assert again.orders() == orders
    assert len(again.damage) == 1
    await again.close()
    assert opened(tmp_path).damage == ()


async def test_both_copies_damaged_are_set_aside_and_the_journal_rebuilds_the_orders(tmp_path: Path) -> None:
    store, _ = await a_store_with(tmp_path, 2)
    await store.close()
    store = opened(tmp_path)
    await store.put(an_order(5), an_entry(an_order(5)))
    await store.close()
    for name in ("orders.json", "orders.json.bak"):
        (tmp_path / name).write_bytes(b"{}")
    again = opened(tmp_path)
    assert [order.id for order in again.orders()] == ["order-0000", "order-0001", "order-0005"]
    assert len(again.damage) == 2


async def test_a_line_damaged_in_the_middle_is_named_and_every_other_is_used(tmp_path: Path) -> None:
    _, orders = await a_store_with(tmp_path / "data", 3)
    copy = left_behind(tmp_path / "data", tmp_path / "copy")
    lines = (copy / "journal.jsonl").read_bytes().splitlines(keepends=True)
    lines[1] = lines[1].replace(b"host1", b"hostX")
    (copy / "journal.jsonl").write_bytes(b"".join(lines))
    again = opened(copy)
    assert again.orders() == [orders[0], orders[2]]
    assert [reason.what for reason in again.damage] == ["line 2 of the journal is not what was written"]
    assert (copy / "journal.jsonl").read_bytes() == b"".join(lines)
    assert (await again.put(replace(orders[0], order_tag="goes on"), an_entry(orders[0]))).revision == 2


async def test_a_line_removed_from_the_middle_is_named(tmp_path: Path) -> None:
    await a_store_with(tmp_path / "data", 3)
    copy = left_behind(tmp_path / "data", tmp_path / "copy")
    lines = (copy / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (copy / "journal.jsonl").write_bytes(lines[0] + lines[2])
    assert [reason.what for reason in opened(copy).damage] == [
        "line 2 of the journal does not follow the line before it"
    ]


@pytest.mark.parametrize("kept", [0, 1, 2], ids="{} lines left".format)
async def test_a_journal_cut_by_hand_loses_no_order_and_goes_on(tmp_path: Path, kept: int) -> None:
    store, orders = await a_store_with(tmp_path, 3)
    await store.close()
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:kept]))
    again = opened(tmp_path)
    assert again.orders() == orders
    assert len(again.damage) == 1
    changed = await again.put(replace(orders[2], order_tag="goes on"), an_entry(orders[2], "after the cut"))
    assert [entry.summary for entry in again.timeline(orders[2].id)][-1:] == ["after the cut"]
    await again.close()
    assert opened(tmp_path).order(orders[2].id) == changed


async def test_a_journal_edited_or_removed_while_in_use_loses_no_order(tmp_path: Path) -> None:
    store, orders = await a_store_with(tmp_path, 3)
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"host0.example.com", b"a-much-longer-host0.example.com"))
    changed = await store.put(replace(orders[1], order_tag="goes on"), an_entry(orders[1], "after the edit"))
    assert changed.revision == 2
    assert [entry.summary for entry in store.timeline(orders[1].id)] == ["placed", "after the edit"]

    journal.unlink()
    changed = await store.put(replace(changed, order_tag="again"), an_entry(orders[1], "after the removal"))
    await store.close()
    assert len(store.damage) == 3
    assert opened(tmp_path).orders() == [orders[0], changed, orders[2]]


async def test_files_of_a_newer_program_are_refused_and_stay_as_they_are(tmp_path: Path) -> None:
    store, _ = await a_store_with(tmp_path, 1)
    await store.close()
    path = tmp_path / "orders.json"
    newer = path.read_bytes().replace(b'"schema":1', b'"schema":9')
    path.write_bytes(newer)
    with pytest.raises(StoreError, match=r"newer sectigo-tui \(schema 9; this one knows up to 1\)"):
        opened(tmp_path)
    assert path.read_bytes() == newer


async def test_a_newer_program_beside_this_one_is_noticed_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, orders = await a_store_with(tmp_path, 1)
    monkeypatch.setattr("sectigo_tui.store.local.lines.SCHEMA_VERSION", 2)
    newer = await opened(tmp_path).put(replace(orders[0], order_tag="by the newer one"), an_entry(orders[0]))
    monkeypatch.undo()
    journal = (tmp_path / "journal.jsonl").read_bytes()
    with pytest.raises(StoreError, match="newer sectigo-tui"):
        await store.put(replace(orders[0], order_tag="by the older one"), an_entry(orders[0]))
    assert (tmp_path / "journal.jsonl").read_bytes() == journal
    assert newer.revision == 2


async def test_an_older_program_does_not_replace_what_a_newer_one_saved_meanwhile(tmp_path: Path) -> None:
    store, orders = await a_store_with(tmp_path, 1)
    await store.save()
    path = tmp_path / "orders.json"
    newer = path.read_bytes().replace(b'"schema":1', b'"schema":9')
    path.write_bytes(newer)
    await store.put(replace(orders[0], order_tag="goes on"), an_entry(orders[0]))
    with pytest.raises(StoreError, match="newer sectigo-tui"):
        await store.save()
    assert path.read_bytes() == newer


async def test_a_poll_that_both_orders_json_and_the_bookkeeping_hold_counts_once(tmp_path: Path) -> None:
    store, orders = await a_store_with(tmp_path / "data", 1)
    after, poll = looked_at(orders[0])
    store.note(after, poll)
    await store.save()
    await store.flush()
    assert opened(left_behind(tmp_path / "data", tmp_path / "copy")).polls(after.id) == [poll]


async def test_a_power_failure_in_the_bookkeeping_costs_polls_only(tmp_path: Path) -> None:
    store, orders = await a_store_with(tmp_path / "data", 1)
    stored = orders[0]
    for times in (1, 2):
        stored, poll = looked_at(stored, times)
        store.note(stored, poll)
    await store.flush()
    image = left_behind(tmp_path / "data", tmp_path / "image")
    polls = the_only(image, "polls-*.jsonl").read_bytes()
    first = polls.index(b"\n") + 1
    for size in range(first, len(polls)):
        copy = left_behind(image, tmp_path / "copy")
        the_only(copy, "polls-*.jsonl").write_bytes(polls[:size])
        again = opened(copy)
        assert len(again.polls(stored.id)) == (2 if size == len(polls) - 1 else 1), size
        if size % 50:
            again.let_go()
            continue
        again.note(*looked_at(stored, 4))
        await again.close()
        again = opened(copy)
        assert again.polls(stored.id)[-1] == looked_at(stored, 4)[1]
        again.let_go()


async def test_a_crash_between_writing_and_renaming_leaves_the_file_before(tmp_path: Path) -> None:
    store, orders = await a_store_with(tmp_path, 2)
    await store.close()
    for name in (".orders.json.abcd123_", ".orders.json.bak.abcd123_"):
        (tmp_path / name).touch(0o600)
        (tmp_path / name).write_bytes(b'{"store":{')
    (tmp_path / "lock").write_bytes(b"left behind")
    again = opened(tmp_path)
    assert again.orders() == orders
    assert again.damage == ()
    await again.put(an_order(3), an_entry(an_order(3)))
    await again.close()
    assert len(opened(tmp_path).orders()) == 3


async def test_a_file_system_without_links_keeps_a_copy_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr("os.link", refuse)
    store, orders = await a_store_with(tmp_path, 1)
    await store.close()
    first = (tmp_path / "orders.json").read_bytes()
    store = opened(tmp_path)
    changed = await store.put(replace(orders[0], order_tag="second"), an_entry(orders[0]))
    await store.close()
    assert (tmp_path / "orders.json.bak").read_bytes() == first
    (tmp_path / "orders.json").unlink()
    assert opened(tmp_path).orders() == [changed]


def test_a_line_of_the_journal_says_who_wrote_it_and_what_the_order_was_then() -> None:
    draft = Draft(Position(), Actor(user="alice", pid=4711, tty="pts/3", ssh="192.0.2.7"))
    draft.add(an_entry(an_order()), an_order(), None)
    line = orjson.loads(draft.data)
    assert line["by"] == {"user": "alice", "pid": 4711, "tty": "pts/3", "ssh": "192.0.2.7"}
    assert line["order"]["common_name"] == "host1.example.com"
    assert line["prev"] == "0" * 64


def test_killed_at_any_moment_no_acknowledged_change_or_poll_is_lost(tmp_path: Path) -> None:
    dice = random.Random(6)
    acknowledged: set[str] = set()
    polls: dict[str, int] = {}
    for life in range(8):
        with subprocess.Popen(
            [sys.executable, str(CHILD), "write", str(tmp_path), str(life)], stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout is not None
            for _ in range(dice.randrange(5, 120)):
                word, order_id, *rest = child.stdout.readline().split()
                if word == "put":
                    acknowledged.add(order_id)
                else:
                    polls[order_id] = int(rest[0])
            child.kill()
            for line in child.stdout:
                if line.endswith("\n") and line.startswith("put"):
                    acknowledged.add(line.split()[1])
        assert child.returncode == -signal.SIGKILL
    store = opened(tmp_path)
    known = {order.id: order for order in store.orders()}
    assert acknowledged <= set(known)
    for order_id, times in polls.items():
        window = known[order_id].window
        assert window is not None
        assert window.attempts >= times
    assert all("torn" in reason.where for reason in store.damage)


def said(store: JournalStore) -> str:
    return "\n".join(f"{reason.what}; {reason.remedy}" for reason in store.damage)


async def test_a_journal_whose_tail_was_cut_is_no_comfort_for_an_order_placed_last(tmp_path: Path) -> None:
    store, _ = await a_store_with(tmp_path / "data", 3)
    await store.save()
    await store.put(an_order(9), an_entry(an_order(9)))
    copy = left_behind(tmp_path / "data", tmp_path / "copy")
    journal = copy / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:2]))
    again = opened(copy)
    assert len(again.orders()) == 3
    assert "no order is lost" not in said(again)
    assert "an order placed or changed last may be missing: look for it in Remote" in said(again)
    assert "sectigo-tui recover" in said(again)


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"{}\n"], ids=["emptied", "zeros", "rubbish"])
async def test_all_files_destroyed_is_said_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    store, orders = await a_store_with(tmp_path, 2)
    await store.close()
    store = opened(tmp_path)
    await store.put(replace(orders[0], order_tag="x"), an_entry(orders[0]))
    await store.close()
    for name in ("orders.json", "orders.json.bak", "journal.jsonl", "polls-000001.jsonl"):
        (tmp_path / name).write_bytes(content)
    again = opened(tmp_path)
    assert again.orders() == []
    assert "orders are missing: neither orders.json, nor its copy, nor the journal could be read" in said(again)
    assert "look in Remote" in said(again)
    assert "nothing to do" not in said(again)


async def test_orders_rebuilt_from_half_a_journal_are_not_told_as_all(tmp_path: Path) -> None:
    store, orders = await a_store_with(tmp_path, 3)
    await store.close()
    for name in ("orders.json", "orders.json.bak"):
        (tmp_path / name).unlink(missing_ok=True)
    journal = tmp_path / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[1:]))
    (tmp_path / "certificates").mkdir(mode=0o700)
    (tmp_path / "certificates" / "1000.pem").write_bytes(b"pem")
    again = opened(tmp_path)
    assert again.orders() == orders[1:]
    assert "orders may be missing: 2 could be read" in said(again)


def test_a_new_directory_misses_nothing(tmp_path: Path) -> None:
    opened(tmp_path).let_go()
    assert opened(tmp_path).damage == ()
