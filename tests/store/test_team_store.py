"""The team store: what only a database can promise."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import psycopg
import pytest
from msgspec.structs import replace

from sectigo_tui.domain.errors import InputError, StoreError
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.store.postgres import link, schema
from sectigo_tui.store.postgres.team_store import TeamStore
from support.postgres import Databases, execute, heard
from support.stored_orders import an_entry, an_order, looked_at

Open = Callable[..., Awaitable[TeamStore]]


@pytest.fixture
def url(databases: Databases) -> str:
    return databases.new()


@pytest.fixture
async def open_store(url: str, tmp_path: Path) -> AsyncIterator[Open]:
    stores: list[TeamStore] = []

    async def open_another(at: str = url) -> TeamStore:
        store = await TeamStore.open(at, "https://scm.test/api", "acme", tmp_path / str(len(stores)))
        stores.append(store)
        return store

    yield open_another
    for store in stores:
        await store.let_go()


def an_intent(number: int, name: str = "host.example.com") -> Order:
    return replace(an_order(number), state=OrderState.INTENT, ssl_id=None, details=None, window=None, common_name=name)


def test_the_schema_that_the_program_knows_is_the_newest_file() -> None:
    assert max(schema.migrations()) == schema.NEWEST
    assert list(schema.migrations()) == list(range(1, schema.NEWEST + 1))


async def test_many_that_open_an_empty_database_at_once_make_one_schema(databases: Databases, open_store: Open) -> None:
    empty = databases.empty()
    stores = await asyncio.gather(*(open_store(empty) for _ in range(4)))
    assert {store.account for store in stores} == {1}
    assert execute(empty, "select version from sectigo_tui.schema_versions") == [(schema.NEWEST,)]


async def test_a_newer_schema_is_refused_and_not_touched(url: str, open_store: Open) -> None:
    execute(url, "insert into sectigo_tui.schema_versions (version) values (99)")
    with pytest.raises(StoreError, match=r"schema 99; this one knows up to 1.*nothing was changed"):
        await open_store()
    assert execute(url, "select count(*) from sectigo_tui.accounts") == [(0,)]


@pytest.mark.parametrize("statement", ["update {} set at = now()", "delete from {}", "truncate {}"])
async def test_the_timeline_is_only_added_to_even_by_its_owner(url: str, open_store: Open, statement: str) -> None:
    store = await open_store()
    await store.put(an_order(), an_entry(an_order()))
    with pytest.raises(psycopg.Error, match="only added to"):
        execute(url, statement.format("sectigo_tui.entries"))


async def test_two_hosts_never_place_an_order_of_one_name_at_the_same_time(open_store: Open) -> None:
    here, there = await open_store(), await open_store()
    outcomes = await asyncio.gather(
        here.put(an_intent(1), an_entry(an_intent(1))),
        there.put(an_intent(2, "HOST.example.com"), an_entry(an_intent(2))),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["InputError", "Order"]
    refused = next(outcome for outcome in outcomes if isinstance(outcome, InputError))
    assert "being placed just now" in refused.reason
    assert len((await open_store()).orders()) == 1


async def test_two_hosts_never_renew_one_order_at_the_same_time(open_store: Open) -> None:
    here, there = await open_store(), await open_store()
    first = replace(an_intent(1, "one.example.com"), renews_ssl_id=7, origin=Origin.RENEWED)
    second = replace(an_intent(2, "two.example.com"), renews_ssl_id=7, origin=Origin.RENEWED)
    lost = replace(await here.put(first, an_entry(first)), state=OrderState.UNCONFIRMED)
    await here.put(lost, an_entry(lost))
    with pytest.raises(InputError, match="being placed just now"):
        await there.put(second, an_entry(second))
    assert await there.put(replace(second, renews_ssl_id=8), an_entry(second))


async def test_what_one_host_may_not_write_spoils_nothing_that_is_written_with_it(open_store: Open) -> None:
    store = await open_store()
    outcomes = await asyncio.gather(
        store.put(an_order(9), an_entry(an_order(9))),
        store.put(an_intent(1), an_entry(an_intent(1))),
        store.put(an_intent(2), an_entry(an_intent(2))),
        store.put(replace(an_order(3), ssl_id=2**63 + 1), an_entry(an_order(3))),
        store.put(an_order(4), an_entry(an_order(4))),
        return_exceptions=True,
    )
    assert [type(outcome).__name__ for outcome in outcomes] == ["Order", "Order", "InputError", "StoreError", "Order"]
    assert {order.id for order in (await open_store()).orders()} == {"order-0009", "order-0001", "order-0004"}


async def test_accounts_of_one_database_are_kept_apart(url: str, open_store: Open, tmp_path: Path) -> None:
    store = await open_store()
    other = await TeamStore.open(url, "https://scm.test/api", "umbrella", tmp_path / "other")
    await store.put(an_order(), an_entry(an_order()))
    await other.put(an_order(), an_entry(an_order()))
    assert await store.lease(["a"], 15) == await other.lease(["a"], 15) == {"a"}
    assert len(store.orders()) == len(other.orders()) == 1
    await other.close()


async def test_who_only_reads_sees_everything_and_is_told_what_a_write_needs(
    databases: Databases, url: str, open_store: Open
) -> None:
    store = await open_store()
    stored = await store.put(an_order(), an_entry(an_order()))
    with roles(url):
        reader = await open_store(as_role(url, "sectigo_tui_reader"))
        assert reader.orders() == [stored]
        assert "may only read" in str(reader.read_only)
        with pytest.raises(StoreError, match=r"may only read.*sectigo_tui_writer"):
            await reader.put(stored, an_entry(stored))
        assert await reader.lease(["a"], 15) == frozenset()
        await store.put(an_order(2), an_entry(an_order(2)))
        await heard(reader)
        assert [order.id for order in (await reader.changes()).orders] == ["order-0002"]
        await reader.close()


async def test_a_writer_writes_by_the_functions_alone(url: str, open_store: Open) -> None:
    with roles(url):
        at = as_role(url, "sectigo_tui_writer")
        writer = await open_store(at)
        stored, poll = looked_at(await writer.put(an_order(), an_entry(an_order())))
        writer.note(stored, poll)
        await writer.flush()
        assert await writer.lease(["a"], 15) == {"a"}
        await writer.save_certificate(stored.id, b"pem")
        for table in ("orders", "entries", "polls", "accounts", "pollers", "logins", "certificates"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                execute(at, f"delete from sectigo_tui.{table}")
        await writer.close()


class roles:  # noqa: N801 - used as a statement
    """The documented roles, in one server that other tests use too."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __enter__(self) -> None:
        for name in ("sectigo_tui_reader", "sectigo_tui_writer"):
            execute(
                self.url,
                f"do $$ begin create role {name} login; exception when duplicate_object then null; end $$",
            )
        execute(self.url, f"set search_path = sectigo_tui; {schema.grants()}")

    def __exit__(self, *_: object) -> None:
        for name in ("sectigo_tui_reader", "sectigo_tui_writer"):
            execute(self.url, f"drop owned by {name}")


def as_role(url: str, role: str) -> str:
    return psycopg.conninfo.make_conninfo(url, user=role)


async def test_a_crashed_pollers_right_is_free_at_once_and_a_hung_ones_when_it_expires(open_store: Open) -> None:
    crashed, hung, next_one = await open_store(), await open_store(), await open_store()
    assert await crashed.lease(["a"], 3600) == {"a"}
    assert await hung.lease(["a"], 0.2) == frozenset()
    await crashed.let_go()
    hung.forget_holder()
    while not await hung.lease(["a"], 0.3):
        hung.forget_holder()
        await asyncio.sleep(0.02)
    next_one.forget_holder()
    assert await next_one.lease(["a"], 15) == frozenset()
    while not await next_one.lease(["a"], 15):
        next_one.forget_holder()
        await asyncio.sleep(0.02)
    assert not hung.is_poller()
    assert await hung.lease(["a"], 15) == frozenset()


async def test_a_bundle_collected_on_one_host_can_be_read_on_every_other(open_store: Open) -> None:
    here, there = await open_store(), await open_store()
    stored = await here.put(an_order(), an_entry(an_order()))
    path = await here.save_certificate(stored.id, b"a bundle")
    other = await there.certificate_file(replace(stored, certificate_path=path))
    assert other != path
    assert read_private(Path(other)) == b"a bundle"


def read_private(path: Path) -> bytes:
    assert path.stat().st_mode & 0o777 == 0o600
    return path.read_bytes()


async def test_a_rejected_login_and_its_rotation_are_told_to_every_host_and_the_secret_to_none(
    url: str, open_store: Open
) -> None:
    here, there = await open_store(), await open_store()
    await here.reject_login("api", 0, -16)
    await heard(there)
    await there.changes()
    rejected = there.login("api")
    assert (rejected.rejected_code, rejected.rejected_at is not None) == (-16, True)
    assert f" of {os.uname().nodename}" in rejected.rejected_by

    assert await there.rotate_login("api") == 1
    await heard(here)
    await here.changes()
    rotated = here.login("api")
    assert (rotated.generation, rotated.rejected_at) == (1, None)
    # Whoever was slow does not stop those that have the new password.
    await here.reject_login("api", 0, -16)
    assert here.login("api").rejected_at is None


async def test_a_database_behind_a_transaction_pooler_is_refused_and_behind_a_session_pooler_is_not(
    url: str, open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []

    async def sessions(connection: object, statement: str, parameters: object = ()) -> tuple[int]:
        return (told.pop(0),)

    monkeypatch.setattr(link, "one", sessions)
    # Ours is given to another meanwhile; or, where the pooler is busy, we are given another.
    for told[:] in ([4711, 4711, 4712], [4711, 4712, 4713]):
        with pytest.raises(StoreError, match=r"pgbouncer.*pool_mode = session"):
            await open_store()
    told[:] = [4711, 4712, 4711]
    assert (await open_store()).account


def test_beyond_loopback_the_server_is_verified_unless_the_address_says_otherwise() -> None:
    def mode(url: str) -> tuple[object, object]:
        parameters = link.Target(url).parameters
        return parameters.get("sslmode"), parameters.get("sslrootcert")

    assert mode("postgresql://db.example.com/scm") == ("verify-full", "system")
    assert mode("postgresql://10.0.0.1,127.0.0.1/scm") == ("verify-full", "system")
    assert mode("postgresql://db.example.com/scm?sslrootcert=/ca.pem") == ("verify-full", "/ca.pem")
    assert mode("postgresql://db.example.com/scm?sslmode=require") == ("require", None)
    assert mode("postgresql://127.0.0.1/scm") == mode("postgresql:///scm?host=/run/pg") == (None, None)
    assert "hunter2" not in link.Target("postgresql://a:hunter2@db.example.com/scm").name
