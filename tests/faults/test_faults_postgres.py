"""The team store while its database is killed, stopped, cut off or full."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.store.postgres import link, team_store
from sectigo_tui.store.postgres.team_store import TeamStore
from support.postgres import Databases, Server, execute, running_server
from support.stored_orders import an_entry, an_order, looked_at

Open = Callable[..., Awaitable[TeamStore]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server({"synchronous_commit": "on"}) as running:
        yield running


@pytest.fixture(scope="module")
def own_databases(server: Server) -> Databases:
    made = Databases(server.url())
    made.prepare()
    return made


@pytest.fixture
def url(own_databases: Databases) -> str:
    return own_databases.new()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "STATEMENT_SECONDS", 0.5)
    monkeypatch.setattr(link, "CONNECT_SECONDS", 1)
    monkeypatch.setattr(link, "FIRST_PAUSE_SECONDS", 0.05)
    monkeypatch.setattr(link, "LONGEST_PAUSE_SECONDS", 0.2)
    monkeypatch.setattr(team_store, "PATIENCE_SECONDS", 1.0)


@pytest.fixture
async def open_store(url: str, tmp_path: Path) -> AsyncIterator[Open]:
    stores: list[TeamStore] = []

    async def open_another(at: str = url, **options: object) -> TeamStore:
        directory = tmp_path / str(len(stores))
        store = await TeamStore.open(at, "https://scm.test/api", "acme", directory, **options)  # type: ignore[arg-type]
        stores.append(store)
        return store

    yield open_another
    for store in stores:
        await store.let_go()


async def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - it is another process that comes to hold it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("how", ["killed", "stopped"])
async def test_what_is_known_stays_shown_and_writes_are_refused_until_the_database_is_back(
    server: Server, open_store: Open, how: str
) -> None:
    told: list[StoreError | None] = []
    store = await open_store(on_error=told.append)
    stored = await store.put(an_order(), an_entry(an_order()))
    assert await store.lease(["a"], 15) == {"a"}

    server.kill() if how == "killed" else server.signal(signal.SIGSTOP)
    # Who asks first learns it, within the time that a statement may take.
    with pytest.raises(StoreError):
        await store.put(an_order(2), an_entry(an_order(2)))
    with pytest.raises(StoreError, match=r"lost since \d\d:\d\dZ.*nothing is ordered, changed or polled"):
        await store.put(an_order(3), an_entry(an_order(3)))
    assert store.orders() == [stored]
    assert await store.lease(["a"], 15) == frozenset()
    after, poll = looked_at(stored)
    store.note(after, poll)
    assert "lost since" in str(told[-1])

    server.start() if how == "killed" else server.signal(signal.SIGCONT)
    await until(lambda: store.link.lost is None)
    assert told[-1] is None
    await until(lambda: bool(execute_count(store, "polls")))
    assert await store.lease(["a"], 15) == {"a"}
    again = await open_store()
    assert again.order(stored.id) == after
    # A put whose answer was lost may have been made, but never twice.
    assert len(again.orders()) <= 2
    assert (await store.put(an_order(4), an_entry(an_order(4)))).revision == 1


def execute_count(store: TeamStore, table: str) -> object:
    return execute(store.link.target.url, f"select count(*) from sectigo_tui.{table}")[0][0]


async def test_what_others_did_while_the_connection_was_lost_is_asked_for(url: str, open_store: Open) -> None:
    store, other = await open_store(), await open_store()
    stored = await other.put(an_order(), an_entry(an_order()))
    await until(lambda: store.order(stored.id) is not None)
    cut(url, store)
    changed = await other.put(replace(stored, order_tag="meanwhile"), an_entry(stored, "meanwhile"))
    await until(lambda: store.order(stored.id) == changed)
    await until(lambda: store.link.lost is None)
    changes = await store.changes()
    assert [entry.summary for entry in changes.entries][-1] == "meanwhile"


def cut(url: str, store: TeamStore) -> None:
    """End a store's two sessions, as a network that drops its connections does."""
    execute(
        url,
        "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() "
        f"and pid <> pg_backend_pid() and (pid = {store.link.session} or pid = {store.link.listening})",
    )


async def test_changes_whose_answers_were_lost_are_made_once(url: str, open_store: Open) -> None:
    store = await open_store()
    for turn in range(6):
        orders = [an_order(10 * turn + number) for number in range(5)]
        putting = [asyncio.ensure_future(store.put(order, an_entry(order))) for order in orders]
        putting.append(asyncio.ensure_future(store.record(an_entry(orders[0], f"turn {turn}"))))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        await asyncio.to_thread(cut, url, store)
        outcomes = await asyncio.gather(*putting, return_exceptions=True)
        assert not [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
        await until(lambda: store.link.lost is None)
    again = await open_store()
    await again.until_history_is_read()
    assert len(again.orders()) == 30
    assert {order.revision for order in again.orders()} == {1}
    assert len(again.entries(1000)) == 36


async def test_a_server_that_is_killed_over_and_over_loses_nothing_that_was_shown_as_done(
    server: Server, open_store: Open
) -> None:
    store = await open_store()
    done: list[str] = []
    number = 0
    for _ in range(3):
        killing = asyncio.create_task(asyncio.to_thread(server.kill))
        while not killing.done():
            number += 1
            order = an_order(number)
            try:
                done.append((await store.put(order, an_entry(order))).id)
            except StoreError:
                break
        await killing
        await asyncio.to_thread(server.start)
        await until(lambda: store.link.lost is None)
    again = await open_store()
    await again.until_history_is_read()
    kept = {order.id for order in again.orders()}
    assert set(done) <= kept
    assert len(again.entries(10_000)) == len(kept)
