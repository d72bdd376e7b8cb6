"""What the engine asks of a store, asked of every store: one directory, and one database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.errors import DuplicateOrder, InputError, RevisionConflict, StoreError
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import WindowEnd
from sectigo_tui.domain.ports import OrderStore
from sectigo_tui.store.local.journal_store import JournalStore
from sectigo_tui.store.orders_in_memory import POLLS_KEPT
from sectigo_tui.store.postgres.team_store import TeamStore
from support.postgres import Databases, heard
from support.stored_orders import HandClock, an_entry, an_order, looked_at
from support.virtual_time import START

Open = Callable[[], Awaitable[OrderStore]]
"""Opens the same orders as another process would; the ones that are open stay so, as if their process had died."""


@pytest.fixture(params=["local", "postgres"])
async def open_another(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Open]:
    stores: list[JournalStore | TeamStore] = []
    url = ""
    if request.param == "postgres":
        databases: Databases = request.getfixturevalue("databases")
        url = databases.new()

    async def open_store() -> OrderStore:
        store: JournalStore | TeamStore
        if url:
            store = await TeamStore.open(url, "https://scm.test/api", "acme", tmp_path / str(len(stores)))
            await store.until_history_is_read()
        else:
            store = JournalStore.open(tmp_path / "data", HandClock())
        stores.append(store)
        return store

    yield open_store
    for store in stores:
        if isinstance(store, TeamStore):
            await store.let_go()
        else:
            store.let_go()


@pytest.fixture
async def store(open_another: Open) -> OrderStore:
    return await open_another()


async def flushed(store: OrderStore) -> None:
    assert isinstance(store, JournalStore | TeamStore)
    await store.flush()


async def news_of(store: OrderStore) -> tuple[set[str], list[str]]:
    """Return the orders and entries that others have changed, once the store has heard of them."""
    if isinstance(store, TeamStore):
        await heard(store)
    changes = await store.changes()
    return {order.id for order in changes.orders}, [entry.summary for entry in changes.entries]


async def test_a_change_is_there_at_once_and_after_the_process_has_died(store: OrderStore, open_another: Open) -> None:
    stored = await store.put(an_order(), an_entry(an_order()))
    assert stored == replace(an_order(), revision=1)
    assert store.orders() == [stored]
    assert store.by_ssl_id(1001) == stored

    after_death = await open_another()
    assert after_death.orders() == [stored]
    assert after_death.damage == ()


async def test_a_change_made_from_an_old_reading_is_refused(store: OrderStore) -> None:
    first = await store.put(an_order(), an_entry(an_order()))
    second = await store.put(replace(first, order_tag="second"), an_entry(first))
    with pytest.raises(RevisionConflict):
        await store.put(replace(first, order_tag="lost"), an_entry(first))
    assert store.order(first.id) == second
    assert len(store.timeline(first.id)) == 2


async def test_an_ssl_id_belongs_to_one_order_until_that_is_removed(store: OrderStore) -> None:
    first = await store.put(an_order(1), an_entry(an_order(1)))
    twin = replace(an_order(2), ssl_id=first.ssl_id)
    with pytest.raises(DuplicateOrder) as refused:
        await store.put(twin, an_entry(twin))
    assert refused.value.order_id == first.id

    gone = await store.put(replace(first, removed=True), an_entry(first, "removed"))
    assert store.orders() == []
    assert store.order(first.id) == gone
    adopted = await store.put(twin, an_entry(twin))
    assert first.ssl_id is not None
    assert store.by_ssl_id(first.ssl_id) == adopted


async def test_changes_put_at_the_same_time_are_judged_in_their_order(store: OrderStore) -> None:
    same = [replace(an_order(number), ssl_id=7) for number in (1, 2, 3)]
    outcomes = await asyncio.gather(*(store.put(order, an_entry(order)) for order in same), return_exceptions=True)
    assert [type(outcome).__name__ for outcome in outcomes] == ["Order", "DuplicateOrder", "DuplicateOrder"]
    await asyncio.gather(*(store.put(an_order(number), an_entry(an_order(number))) for number in range(10, 60)))
    assert len(store.orders()) == 51


async def test_a_put_that_nobody_waits_for_any_more_is_done_all_the_same(store: OrderStore) -> None:
    putting = asyncio.ensure_future(store.put(an_order(), an_entry(an_order())))
    await asyncio.sleep(0)
    putting.cancel()
    await asyncio.gather(putting, return_exceptions=True)
    await store.put(an_order(2), an_entry(an_order(2)))
    assert len(store.orders()) == 2


async def test_what_no_json_holds_is_refused_alone(store: OrderStore) -> None:
    monstrous = replace(an_order(1), ssl_id=2**70)
    outcomes = await asyncio.gather(
        store.put(monstrous, an_entry(an_order(1))),
        store.put(an_order(2), an_entry(an_order(2))),
        return_exceptions=True,
    )
    assert isinstance(outcomes[0], StoreError)
    assert [order.id for order in store.orders()] == ["order-0002"]


async def test_a_put_from_an_older_poll_does_not_set_the_schedule_back(store: OrderStore) -> None:
    stored = await store.put(an_order(), an_entry(an_order()))
    ahead, poll = looked_at(stored, 4)
    store.note(ahead, poll)
    put = await store.put(replace(stored, order_tag="changed meanwhile"), an_entry(stored))
    assert (put.window, put.last_poll, put.order_tag) == (ahead.window, ahead.last_poll, "changed meanwhile")


async def test_a_new_window_replaces_the_old_one_even_at_the_same_moment(store: OrderStore) -> None:
    stored, poll = looked_at(await store.put(an_order(), an_entry(an_order())), 3)
    store.note(stored, poll)
    fresh = replace(stored, window=an_order().window)
    assert stored.window is not None
    assert fresh.window is not None
    ended = await store.put(replace(stored, window=replace(stored.window, ended=WindowEnd.STOPPED)), an_entry(stored))
    again = await store.put(replace(ended, window=fresh.window), an_entry(stored))
    assert again.window == fresh.window


async def test_a_check_sees_what_every_process_has_ordered_and_refuses_before_anything_is_written(
    store: OrderStore, open_another: Open
) -> None:
    other = await open_another()
    await other.put(an_order(1), an_entry(an_order(1)))
    seen: list[str] = []

    def refuse(orders: list[Order]) -> None:
        seen.extend(order.id for order in orders)
        raise InputError("it was ordered already", "use that one")

    with pytest.raises(InputError, match="ordered already"):
        await store.put(an_order(2), an_entry(an_order(2)), check=refuse)
    assert seen == ["order-0001"]
    await store.put(an_order(2), an_entry(an_order(2)), check=lambda orders: None)
    assert {order.id for order in (await open_another()).orders()} == {"order-0001", "order-0002"}


async def test_of_two_processes_that_change_an_order_at_once_one_is_told_the_others_version(
    store: OrderStore, open_another: Open
) -> None:
    first = await store.put(an_order(), an_entry(an_order()))
    other = await open_another()
    outcomes = await asyncio.gather(
        store.put(replace(first, order_tag="here"), an_entry(first, "here")),
        other.put(replace(first, order_tag="there"), an_entry(first, "there")),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Order", "RevisionConflict"]
    winner = next(outcome for outcome in outcomes if isinstance(outcome, Order))
    await store.changes()
    await other.changes()
    loser = other if isinstance(outcomes[1], RevisionConflict) else store
    assert loser.order(first.id) == winner
    again = await loser.put(replace(winner, order_tag="then"), an_entry(first, "then"))
    assert again.revision == 3


async def test_changes_of_another_process_are_told_once_with_their_entries(
    store: OrderStore, open_another: Open
) -> None:
    other = await open_another()
    stored = await other.put(an_order(), an_entry(an_order()))
    await other.record(an_entry(stored, "told"))
    heard, told = set[str](), list[str]()
    while len(told) < 2:
        orders, entries = await news_of(store)
        heard |= orders
        told += entries
    assert (heard, told) == ({stored.id}, ["placed", "told"])
    assert (await store.changes()).entries == ()
    assert store.order(stored.id) == stored
    assert [entry.summary for entry in store.timeline(stored.id)] == ["placed", "told"]


async def test_what_is_too_large_for_a_notice_arrives_all_the_same(store: OrderStore, open_another: Open) -> None:
    other = await open_another()
    large = replace(an_order(), csr_pem="M" * 20_000)
    stored = await other.put(large, an_entry(large))
    assert await news_of(store) == ({stored.id}, ["placed"])
    assert store.order(stored.id) == stored


async def test_a_timeline_is_read_back_in_order_among_those_of_others(store: OrderStore, open_another: Open) -> None:
    orders = [await store.put(an_order(number), an_entry(an_order(number))) for number in range(3)]
    for turn in range(5):
        orders = [await store.put(order, an_entry(order, f"turn {turn}")) for order in orders]
        await store.record(an_entry(orders[1], f"told {turn}"))
    account = TimelineEntry(at=START, order_id="", kind=EventKind.NOTE, summary="credentials rotated")
    await store.record(account)

    told = [each for turn in range(5) for each in (f"turn {turn}", f"told {turn}")]
    for each in (store, await open_another()):
        assert [entry.summary for entry in each.timeline(orders[1].id)] == ["placed", *told]
        assert each.timeline("unknown") == []
        assert each.entries(1) == [account]
        assert [entry.summary for entry in each.entries(3)] == ["turn 4", "told 4", "credentials rotated"]
        assert len(each.entries(1000)) == 3 + 5 * 4 + 1


async def test_a_poll_survives_the_death_of_the_process_without_a_new_revision(
    store: OrderStore, open_another: Open
) -> None:
    stored = await store.put(an_order(), an_entry(an_order()))
    after, poll = looked_at(stored, 1)
    store.note(after, poll)
    assert store.orders() == [after]
    await flushed(store)

    again = await open_another()
    assert again.orders() == [after]
    assert again.polls(stored.id) == [poll]


async def test_polls_of_another_process_are_shown(store: OrderStore, open_another: Open) -> None:
    other = await open_another()
    stored = await other.put(an_order(), an_entry(an_order()))
    await news_of(store)
    after, poll = looked_at(stored, 1)
    other.note(after, poll)
    await flushed(other)
    assert await news_of(store) == ({stored.id}, [])
    assert (store.order(stored.id), store.polls(stored.id)) == (after, [poll])


async def test_the_newest_polls_of_each_order_are_kept(store: OrderStore, open_another: Open) -> None:
    stored = await store.put(an_order(), an_entry(an_order()))
    for times in range(1, 3 * POLLS_KEPT):
        stored, poll = looked_at(stored, times)
        store.note(stored, poll)
    await store.close()
    for each in (store, await open_another()):
        assert len(each.polls(stored.id)) == POLLS_KEPT
        assert each.polls(stored.id)[-1] == stored.last_poll


async def test_one_process_polls_and_the_others_know_which(store: OrderStore, open_another: Open) -> None:
    other = await open_another()
    assert await store.lease(["a", "b"], 15) == {"a", "b"}
    await other.changes()
    assert await other.lease(["a", "b"], 15) == frozenset()
    assert "pid" in other.poller()
    assert store.poller() == ""
    await store.release()
    async with asyncio.timeout(10):
        while (leased := await other.lease(["a"], 15)) != {"a"}:
            assert leased == frozenset()
            if isinstance(other, TeamStore):
                await heard(other)


async def test_words_that_databases_cannot_compare_are_kept_as_they_came(store: OrderStore, open_another: Open) -> None:
    odd = replace(an_order(), common_name="nul\0 and \U0001f600", rejection="\x1b[31m \\ ' \" %s {}")
    stored = await store.put(odd, an_entry(odd, "summary with \0 in it"))
    again = await open_another()
    assert again.order(odd.id) == stored
    assert [entry.summary for entry in again.timeline(odd.id)] == ["summary with \0 in it"]


async def test_a_collected_bundle_is_kept_as_a_file_and_so_is_the_one_before(store: OrderStore) -> None:
    stored = await store.put(an_order(), an_entry(an_order()))
    for pem in (b"first", b"first", b"second"):
        path = Path(await store.save_certificate(stored.id, pem))
    await store.save_certificate("../../etc/passwd", b"odd")
    assert {found.name: found.read_bytes() for found in path.parent.iterdir()} == {
        "1001.pem": b"second",
        "1001.previous.pem": b"first",
        "______etc_passwd.pem": b"odd",
    }


async def test_closing_waits_for_changes_on_their_way_and_refuses_later_ones(
    store: OrderStore, open_another: Open
) -> None:
    await store.put(an_order(0), an_entry(an_order(0)))
    putting = [asyncio.ensure_future(store.put(an_order(n), an_entry(an_order(n)))) for n in range(1, 20)]
    await asyncio.sleep(0)
    await store.close()
    assert [order.revision for order in await asyncio.gather(*putting)] == [1] * 19
    with pytest.raises(StoreError, match="closed"):
        await store.put(an_order(20), an_entry(an_order(20)))
    store.note(*looked_at(an_order(1)))
    await store.close()
    assert len((await open_another()).orders()) == 20


class Kept(Struct):
    number: int


async def test_what_one_process_fetched_is_there_for_every_other_and_so_is_what_takes_its_place(
    store: OrderStore, open_another: Open
) -> None:
    other = await open_another()
    assert await store.fetched("a-listing", Kept) is None
    for number in (1, 2):
        await other.keep_fetched("a-listing", Kept(number))
        if isinstance(store, TeamStore):
            await heard(store)
        assert await store.fetched("a-listing", Kept) == await other.fetched("a-listing", Kept) == Kept(number)
