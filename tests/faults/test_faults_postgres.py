"""The team store while its database is killed, stopped, cut off or full."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Self

import psycopg
import pytest
from msgspec.structs import replace

from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.errors import StoreError
from sectigo_tui.store.postgres import link, team_store
from sectigo_tui.store.postgres.team_store import TeamStore
from support.postgres import Databases, Server, execute, running_server
from support.stored_orders import an_entry, an_order, looked_at

Open = Callable[..., Awaitable[TeamStore]]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server({"synchronous_commit": "on", "wal_level": "replica", "max_wal_senders": "4"}) as running:
        yield running


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


async def test_a_database_that_lost_what_was_shown_as_done_is_not_used_until_somebody_has_looked(
    url: str, open_store: Open
) -> None:
    store = await open_store()
    kept = await store.put(an_order(), an_entry(an_order()))
    lost = await store.put(an_order(2), an_entry(an_order(2)))
    # As a standby does that takes over without the primary's last change.
    execute(
        url,
        "begin; set local sectigo_tui.pruning = 'on'; delete from sectigo_tui.entries where seq = 2; "
        f"delete from sectigo_tui.orders where id = '{lost.id}'; "
        "update sectigo_tui.accounts set change = 1, seq = 1, hash = (select hash from sectigo_tui.entries); commit",
    )
    cut(url, store)
    await until(lambda: "lacks the last changes" in str(store.link.lost))
    with pytest.raises(StoreError, match=r"after a failover.*look in SCM.*start the program again"):
        await store.put(kept, an_entry(kept))
    assert store.order(lost.id) == lost
    assert [order.id for order in (await open_store()).orders()] == [kept.id]


async def test_a_standby_is_read_and_says_so_and_what_it_is_sent_is_shown(
    server: Server, url: str, open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(team_store, "STANDBY_SECONDS", 0.0)
    store = await open_store()
    stored = await store.put(an_order(), an_entry(an_order()))
    directory = server.directory.with_name("standby")
    directory.mkdir()
    if os.geteuid() == 0:
        shutil.chown(directory, "nobody", "nogroup")
    standby = Server(directory, server.settings)
    try:
        await asyncio.to_thread(standby.make_standby_of, server)
        await asyncio.to_thread(standby.start)
        reader = await open_store(psycopg.conninfo.make_conninfo(url, port=standby.port))
        assert reader.order(stored.id) == stored
        assert "is a standby" in str(reader.read_only)
        assert await reader.lease(["a"], 15) == frozenset()
        with pytest.raises(StoreError, match="name the primary server"):
            await reader.put(stored, an_entry(stored))
        changed = await store.put(replace(stored, order_tag="told"), an_entry(stored, "told"))
        async with asyncio.timeout(20):
            while not (changes := await reader.changes()).orders:  # noqa: ASYNC110 - it is another server that comes to it
                await asyncio.sleep(0.02)
        assert changes.orders == (changed,)
        assert [entry.summary for entry in changes.entries] == ["told"]
        await reader.let_go()
    finally:
        if standby.process is not None:
            await asyncio.to_thread(standby.kill)


async def test_a_process_that_is_stopped_while_it_checks_keeps_the_others_from_writing_only_shortly(
    open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "HELD_SECONDS", 0.1)
    stopped, other = await open_store(), await open_store()

    async def check_for_long() -> None:
        async with stopped.link.exclusive() as run:
            await run("select sectigo_tui.lock_account(%s)", (stopped.account,))
            assert (await other.put(an_order(), an_entry(an_order()))).revision == 1

    with pytest.raises(StoreError):
        await check_for_long()
    await until(lambda: stopped.link.lost is None)
    assert (await stopped.put(an_order(2), an_entry(an_order(2)))).revision == 1


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


class Proxy:
    """A network between a client and the server that slows down, or drops its connections."""

    def __init__(self, port: int) -> None:
        self.delay_seconds = 0.0
        self._to = port
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Break every connection at once."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._to)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, back}
        for source, target in ((reader, back), (there, writer)):
            task = asyncio.create_task(self._pass_on(source, target))
            self._tasks.add(task)

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await source.read(1 << 16):
                if self.delay_seconds:
                    await asyncio.sleep(self.delay_seconds)
                target.write(data)
        target.close()


async def test_a_network_that_is_cut_or_slow_costs_no_change_and_makes_none_twice(
    server: Server, url: str, open_store: Open
) -> None:
    async with Proxy(server.port) as proxy:
        store = await open_store(psycopg.conninfo.make_conninfo(url, port=proxy.port))
        for number in range(12):
            putting = asyncio.ensure_future(store.put(an_order(number), an_entry(an_order(number))))
            if number % 3 == 1:
                await asyncio.sleep(0)
                proxy.cut()
            proxy.delay_seconds = 0.02 if number % 3 == 2 else 0.0
            assert (await putting).revision == 1
        proxy.delay_seconds = 2.0
        with pytest.raises(StoreError, match=r"no answer within 0\.5 s"):
            await store.put(an_order(99), an_entry(an_order(99)))
        proxy.delay_seconds = 0.0
        await until(lambda: store.link.lost is None)
        await store.close()
    again = await open_store()
    await again.until_history_is_read()
    kept = {order.id for order in again.orders()}
    assert {an_order(number).id for number in range(12)} <= kept
    assert len(again.entries(1000)) == len(kept)


@pytest.fixture
def tiny_disk(server: Server) -> Iterator[Callable[[str], object]]:
    """A tablespace `tiny` on a disk of its own; gives what makes it larger."""
    disk = server.directory / "tiny"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=755", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        space = disk / "space"
        space.mkdir(mode=0o700)
        shutil.chown(space, "nobody", "nogroup")
        execute(server.url(), f"create tablespace tiny location '{space}'")
        yield lambda size: subprocess.run(["mount", "-o", f"remount,size={size}", str(disk)], check=True)
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


async def test_a_full_disk_of_the_database_is_told_and_what_is_known_stays(
    server: Server, own_databases: Databases, open_store: Open, tiny_disk: Callable[[str], object]
) -> None:
    url = own_databases.new()
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    execute(server.url(), f"alter database {name} set tablespace tiny")
    store = await open_store(url)
    stored = await store.put(an_order(), an_entry(an_order()))
    error: StoreError | None = None
    for number in range(2, 200):
        large = replace(an_order(number), csr_pem=os.urandom(100_000).hex())
        try:
            await store.put(large, an_entry(large))
        except StoreError as failure:
            error = failure
            break
    assert "the database's disk is full" in str(error)
    assert "free space there" in str(error)
    assert store.link.lost is None
    assert store.order(stored.id) == stored

    tiny_disk("64m")
    changed = await store.put(replace(stored, order_tag="there is room again"), an_entry(stored))
    assert (await open_store(url)).order(stored.id) == changed
    await store.let_go()
    # The server must not miss it when it is started again.
    execute(server.url(), f"drop database {name} with (force)")
    execute(server.url(), "drop tablespace tiny")


async def test_a_host_whose_clock_is_an_hour_off_goes_by_the_databases(
    url: str, open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Late:
            return cls.fromtimestamp(time.time() - 3600, tz)

    monkeypatch.setattr(team_store, "datetime", Late)
    store = await open_store()
    assert 3590 < store.clock_ahead_seconds < 3610
    clock = SystemClock()
    clock.ahead_seconds = store.clock_ahead_seconds
    assert 3590 < clock.now().timestamp() - time.time() < 3610
    # The right to poll knows no host's clock.
    assert await store.lease(["a"], 15) == {"a"}
    assert await (await open_store()).lease(["a"], 15) == frozenset()
