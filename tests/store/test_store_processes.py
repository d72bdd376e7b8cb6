"""Several processes on one directory: changes merge, everybody sees them, and one polls."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from msgspec.structs import replace

from sectigo_tui.domain.errors import DuplicateOrder, InputError, RevisionConflict
from sectigo_tui.domain.orders import Order
from sectigo_tui.store.local import poll_log as polls
from support.stored_orders import HandClock, an_entry, an_order, looked_at, opened, stores_let_go  # noqa: F401 - stores_let_go is a fixture that acts by itself

CHILD = Path(__file__).parent.parent / "support" / "store_child.py"


def a_child(*arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, str(CHILD), *map(str, arguments)], stdout=subprocess.PIPE, text=True)


async def test_each_process_learns_what_another_did_once(tmp_path: Path) -> None:
    one, two = opened(tmp_path), opened(tmp_path)
    stored = await one.put(an_order(), an_entry(an_order()))
    seen = await two.changes()
    assert (seen.orders, seen.entries) == ((stored,), (an_entry(an_order()),))
    assert two.orders() == [stored]
    assert (await two.changes()).orders == ()
    assert (await one.changes()).orders == ()
    assert (await opened(tmp_path).changes()).entries == ()

    after, poll = looked_at(stored)
    one.note(after, poll)
    await one.flush()
    seen = await two.changes()
    assert (seen.orders, seen.entries) == ((after,), ())
    assert two.polls(stored.id) == [poll]

    gone = await two.put(replace(after, removed=True), an_entry(after, "removed"))
    assert (await one.changes()).orders == (gone,)


async def test_what_a_process_met_while_writing_is_still_told_by_changes(tmp_path: Path) -> None:
    one, two = opened(tmp_path), opened(tmp_path)
    stored = await one.put(an_order(1), an_entry(an_order(1)))
    await two.put(an_order(2), an_entry(an_order(2)))
    assert (await two.changes()).orders == (stored,)


async def test_a_change_from_an_old_reading_and_a_second_adoption_are_refused_across_processes(tmp_path: Path) -> None:
    one, two = opened(tmp_path), opened(tmp_path)
    stored = await one.put(an_order(), an_entry(an_order()))
    await two.changes()
    theirs = await one.put(replace(stored, order_tag="first"), an_entry(stored))
    with pytest.raises(RevisionConflict):
        await two.put(replace(stored, order_tag="second"), an_entry(stored))
    assert two.order(stored.id) == theirs
    with pytest.raises(DuplicateOrder):
        await two.put(replace(an_order(2), ssl_id=stored.ssl_id), an_entry(an_order(2)))


async def test_a_note_and_a_change_by_different_processes_are_both_kept(tmp_path: Path) -> None:
    poller, operator = opened(tmp_path), opened(tmp_path)
    stored = await poller.put(an_order(), an_entry(an_order()))
    await operator.changes()
    put = await operator.put(replace(stored, order_tag="by the operator"), an_entry(stored))
    after, poll = looked_at(stored, 2)
    poller.note(after, poll)
    await poller.flush()
    await poller.changes()
    await operator.changes()
    expected = replace(put, window=after.window, last_poll=poll, last_answer_at=after.last_answer_at)
    for store in (poller, operator, opened(tmp_path)):
        assert store.orders() == [expected]
    await poller.close()
    assert opened(tmp_path).orders() == [expected]


async def test_a_poll_from_before_a_window_was_opened_anew_does_not_bring_the_old_one_back(tmp_path: Path) -> None:
    poller, operator = opened(tmp_path), opened(tmp_path)
    stored = await poller.put(an_order(), an_entry(an_order()))
    await operator.changes()
    assert stored.window is not None
    fresh = replace(stored.window, opened_at=HandClock().now().replace(hour=9))
    put = await operator.put(replace(stored, window=fresh), an_entry(stored, "window opened"))
    late, poll = looked_at(stored, 3)
    poller.note(late, poll)
    await poller.flush()
    await poller.changes()
    await operator.changes()
    for store in (poller, operator, opened(tmp_path)):
        assert store.orders() == [put]
        assert store.polls(stored.id) == [poll]


async def test_bookkeeping_goes_on_in_a_new_file_and_whoever_slept_through_it_misses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polls, "LARGEST_FILE_BYTES", 500)
    sleeper, reader = opened(tmp_path), opened(tmp_path)
    writer = opened(tmp_path)
    stored = await writer.put(an_order(), an_entry(an_order()))
    for times in range(1, 10):
        stored, poll = looked_at(stored, times)
        writer.note(stored, poll)
        await writer.flush()
        await writer.save()
        await reader.changes()
    assert not (tmp_path / "polls-000001.jsonl").exists()
    await sleeper.changes()
    for store in (reader, sleeper, opened(tmp_path)):
        assert store.orders() == [stored]
        assert len(store.polls(stored.id)) == 9


async def test_only_one_process_polls_until_it_gives_the_right_back(tmp_path: Path) -> None:
    clock = HandClock()
    one, two = opened(tmp_path, clock), opened(tmp_path, clock)
    assert await one.lease(["a", "b"], 30) == {"a", "b"}
    assert await two.lease(["a", "b", "c"], 30) == frozenset()
    assert two.poller().startswith(f"pid {os.getpid()}")
    assert one.poller() == ""
    await one.release()
    assert await two.lease(["a"], 30) == {"a"}
    await two.close()
    assert await one.lease(["a"], 30) == {"a"}


async def test_renewing_costs_a_write_only_once_a_third_of_the_time_has_gone(tmp_path: Path) -> None:
    clock = HandClock()
    store = opened(tmp_path, clock)

    def expires() -> str:
        return str(orjson.loads((tmp_path / "leases.json").read_bytes())["expires"])

    await store.lease(["a"], 30)
    first = expires()
    clock.seconds = 9
    await store.lease(["a"], 30)
    assert expires() == first
    clock.seconds = 11
    assert await store.lease(["a"], 30) == {"a"}
    assert expires() > first


async def test_a_holder_that_stood_still_loses_the_right_and_notices_it(tmp_path: Path) -> None:
    stopped, other = HandClock(), HandClock()
    one, two = opened(tmp_path, stopped), opened(tmp_path, other)
    assert await one.lease(["a"], 30)
    other.seconds = 31
    assert await two.lease(["a"], 30) == {"a"}
    stopped.seconds = 32
    assert await one.lease(["a"], 30) == frozenset()
    assert one.poller().startswith("pid ")


async def test_the_right_of_a_killed_process_is_taken_over_at_once(tmp_path: Path) -> None:
    with a_child("poll", tmp_path) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "lease\n"
        store = opened(tmp_path)
        assert await store.lease(["order-0001"], 30) == frozenset()
        assert store.poller() == f"pid {child.pid}"
        child.send_signal(signal.SIGKILL)
        await asyncio.to_thread(os.waitid, os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert store.poller() == ""
        assert await store.lease(["order-0001"], 30) == {"order-0001"}


async def test_a_lease_file_that_makes_no_sense_keeps_nobody_from_polling(tmp_path: Path) -> None:
    store = opened(tmp_path)
    (tmp_path / "leases.json").write_bytes(b'{"token": 3}')
    assert await store.lease(["a"], 30) == {"a"}


async def test_processes_that_write_at_the_same_time_lose_no_change_and_share_no_ssl_id(tmp_path: Path) -> None:
    store = opened(tmp_path)
    shared = replace(an_order(9_000), id="shared", term_days=0)
    await store.put(shared, an_entry(shared))
    children = [a_child("share", tmp_path, f"child{number}", 40) for number in range(4)]
    taken = 0
    for child in children:
        out, _ = await asyncio.to_thread(child.communicate, timeout=60)
        taken += int(out.split()[1])
    seen = await store.changes()
    assert taken == 40
    assert len(store.orders()) == 41
    assert len({order.ssl_id for order in store.orders()}) == 41
    ours = store.order("shared")
    assert ours is not None
    assert (ours.term_days, ours.revision) == (4 * 40, 4 * 40 + 1)
    assert len(store.timeline("shared")) == 4 * 40 + 1
    assert len(seen.entries) == 4 * 40 + 40
    assert sorted(opened(tmp_path).orders(), key=str) == sorted(store.orders(), key=str)


async def test_what_another_process_wrote_first_can_refuse_a_write(tmp_path: Path) -> None:
    one, two = opened(tmp_path), opened(tmp_path)

    def alone(orders: list[Order]) -> None:
        if orders:
            raise InputError("somebody was faster", "look again")

    await one.put(an_order(1), an_entry(an_order(1)), check=alone)
    together = [two.put(an_order(number), an_entry(an_order(number)), check=alone) for number in (2, 3)]
    refused = await asyncio.gather(*together, return_exceptions=True)
    assert [type(each) for each in refused] == [InputError, InputError]
    assert [order.id for order in opened(tmp_path).orders()] == [an_order(1).id]


async def test_of_two_writes_of_one_process_the_first_can_refuse_the_second(tmp_path: Path) -> None:
    store = opened(tmp_path)

    def alone(orders: list[Order]) -> None:
        if orders:
            raise InputError("somebody was faster", "look again")

    together = [store.put(an_order(number), an_entry(an_order(number)), check=alone) for number in (1, 2)]
    kept = await asyncio.gather(*together, return_exceptions=True)
    assert [type(each) for each in kept] == [Order, InputError]
