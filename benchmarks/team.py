"""The team store on a PostgreSQL of this machine: a change, opening, the first paint, and queries at rest."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.figures import Figure, compared, in_pairs
from benchmarks.scene import Scene, fill_store, pending_order, scene, simulated_account
from benchmarks.starting import first_paint
from benchmarks.storing import p95
from benchmarks.terminal import CHECKOUT, PROGRAM, TRUE_COLOUR, in_terminal
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.simulator.server import served
from sectigo_tui.simulator.world import World
from sectigo_tui.store.postgres.team_store import TeamStore

sys.path.append(str(CHECKOUT / "tests"))

from support.postgres import Databases, Server, execute, running_server

ACCOUNT = ("https://scm.test/api", "acme")
SETTINGS = {"fsync": "on", "synchronous_commit": "on", "shared_buffers": "64MB", "full_page_writes": "on"}


def measure(*, quick: bool) -> Iterator[Figure]:
    """Measure a change, opening 10,000 orders, the first paint of 1,000, and the queries of 10 dashboards at rest."""
    count, pairs, changes = (100, 1, 20) if quick else (10_000, 7, 400)
    with running_server(SETTINGS) as server:
        databases = Databases(server.url())
        databases.prepare()
        url = databases.address()
        asyncio.run(_fill(url, ACCOUNT, count))
        yield compared(
            f"team store of {count:,}: a change made durable, p95",
            "ms",
            in_pairs(
                lambda: asyncio.run(_change_p95_ms(url, changes)),
                lambda: asyncio.run(_insert_p95_ms(url, changes)),
                pairs,
            ),
            "psycopg inserts and commits the same bytes",
            ratio_goal=1.5,
        )
        yield compared(
            f"team store: open {count:,} orders",
            "ms",
            in_pairs(lambda: asyncio.run(_open_ms(url)), lambda: asyncio.run(_fetch_ms(url)), pairs),
            "psycopg fetches the same rows",
            ratio_goal=2,
        )
        yield from _dashboards(server, databases.address(), quick=quick)
        if not quick:
            yield _requests_of_six(databases.address(), seconds=240, orders=300)


def _dashboards(server: Server, url: str, *, quick: bool) -> Iterator[Figure]:
    orders, pairs = (20, 1) if quick else (1_000, 15)
    with simulated_account(100) as base_url, scene(base_url) as local, scene(base_url) as shared:
        fill_store(local.store_directory, orders, next_look_seconds=900, deadline_seconds=3_600)
        config = Path(shared.environ["SECTIGO_TUI_CONFIG"])
        config.write_text(f'{config.read_text()}\n[store]\nurl = "{url}"\n')
        asyncio.run(_fill(url, (base_url, shared.environ["CERTCTL_SECTIGO_CUSTOMER_URI"]), orders))
        yield compared(
            f"first paint with the team store, {orders:,} orders",
            "s",
            in_pairs(
                lambda: first_paint(PROGRAM, shared.environ, b".example.com"),
                lambda: first_paint(PROGRAM, local.environ, b".example.com"),
                pairs,
            ),
            "the same with the local store",
            ratio_goal=1.2,
        )
        dashboards, seconds = (2, 5) if quick else (10, 60)
        asked = _queries_a_second(server, shared.environ, dashboards, seconds)
        yield Figure(f"{dashboards} dashboards, {orders:,} pending orders at rest: queries", asked, "a second", goal=5)


def _requests_of_six(url: str, *, seconds: float, orders: int) -> Figure:
    """Return all requests of six processes on three hosts, killed now and then, beside those of one nobody kills."""
    chance = random.Random(7)
    kills = 0
    with ExitStack() as stack:
        worlds = [World(seed=7), World(seed=7)]
        addresses = [stack.enter_context(served(world)) for world in worlds]
        places = [stack.enter_context(scene(addresses[0])) for _ in range(3)]
        for place in places:
            config = Path(place.environ["SECTIGO_TUI_CONFIG"])
            config.write_text(f'{config.read_text()}\n[store]\nurl = "{url}"\n')
        alone = stack.enter_context(scene(addresses[1]))
        for world, place in zip(worlds, (places[0], alone), strict=True):
            numbers = [
                str(world.add_order(common_name=f"c{n}.example.com", life="vetting").ssl_id) for n in range(orders)
            ]
            subprocess.run([sys.executable, *PROGRAM, "track", *numbers], env=_environ(place), **QUIET, check=True)
            world.traffic.requests.clear()
        one = subprocess.Popen([sys.executable, *PROGRAM, "watch"], env=_environ(alone), **QUIET)
        six = [
            subprocess.Popen([sys.executable, *PROGRAM, "watch"], env=_environ(places[number % 3]), **QUIET)
            for number in range(6)
        ]
        try:
            end = time.monotonic() + seconds
            while (left := end - time.monotonic()) > 0:
                time.sleep(min(left, chance.uniform(8, 16)))
                number = chance.randrange(6)
                six[number].kill()
                six[number].wait()
                six[number] = subprocess.Popen(
                    [sys.executable, *PROGRAM, "watch"], env=_environ(places[number % 3]), **QUIET
                )
                kills += 1
        finally:
            for process in (one, *six):
                process.kill()
                process.wait()
    sent = [len(world.traffic.requests) for world in worlds]
    ratio = sent[0] / max(1, sent[1])
    return Figure(
        f"requests of 6 processes on 3 hosts, {kills} kills, {orders} orders, {seconds:.0f} s",
        float(sent[0]),
        "",
        "one process, not killed",
        float(sent[1]),
        ratio,
        ratio_goal=1.02,
    )


QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": CHECKOUT}


def _environ(place: Scene) -> dict[str, str]:
    return {**os.environ, **place.environ}


def _queries_a_second(server: Server, environ: object, dashboards: int, seconds: float) -> float:
    with ExitStack() as terminals:
        for _ in range(dashboards):
            terminal = terminals.enter_context(in_terminal(PROGRAM, {**TRUE_COLOUR, **environ}))  # type: ignore[dict-item]
            terminal.read_until(b".example.com")
        time.sleep(2 + dashboards)
        execute(server.url(), "alter system set log_min_duration_statement = 0")
        execute(server.url(), "select pg_reload_conf()")
        time.sleep(1)
        log = server.log
        start = log.stat().st_size
        time.sleep(seconds)
        with log.open("rb") as file:
            file.seek(start)
            lines = file.read().splitlines()
        execute(server.url(), "alter system reset log_min_duration_statement")
        execute(server.url(), "select pg_reload_conf()")
    # With parameters a query is parsed, bound and executed, each with a line of its own.
    return sum(1 for line in lines if b" ms  statement: " in line or b" ms  execute " in line) / seconds


async def _fill(url: str, account: tuple[str, str], count: int) -> None:
    now = datetime.now(UTC)
    store = await TeamStore.open(url, *account, Path("/nonexistent"), listens=False)
    for start in range(0, count, 500):
        orders = [pending_order(number, now, 900, 3_600) for number in range(start, min(start + 500, count))]
        await store.put_all([(order, _entry(order.id, "tracked")) for order in orders])
    await store.let_go()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")


def _entry(order_id: str, summary: str) -> TimelineEntry:
    return TimelineEntry(at=datetime.now(UTC), order_id=order_id, kind=EventKind.CHANGED, summary=summary)


async def _change_p95_ms(url: str, count: int) -> float:
    store = await TeamStore.open(url, *ACCOUNT, Path("/nonexistent"))
    await store.until_history_is_read()
    order = store.orders()[0]
    times = []
    for number in range(count):
        entry = _entry(order.id, f"change {number}")
        started = time.perf_counter()
        order = await store.put(order, entry)
        times.append((time.perf_counter() - started) * 1000)
    await store.close()
    return p95(times)


async def _insert_p95_ms(url: str, count: int) -> float:
    (document, body), *_ = execute(
        url,
        "select o.document::text, e.body::text from sectigo_tui.orders o join sectigo_tui.entries e "
        "on e.account = o.account and e.order_id = o.id limit 1",
    )
    times = []
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await connection.execute("create table if not exists plain (id bigserial primary key, a json, b json)")
        await connection.commit()
        for _ in range(count):
            started = time.perf_counter()
            await connection.execute("insert into plain (a, b) values (%s, %s)", (document, body))
            await connection.commit()
            times.append((time.perf_counter() - started) * 1000)
    return p95(times)


async def _open_ms(url: str) -> float:
    started = time.perf_counter()
    store = await TeamStore.open(url, *ACCOUNT, Path("/nonexistent"))
    taken = time.perf_counter() - started
    await store.let_go()
    return taken * 1000


async def _fetch_ms(url: str) -> float:
    started = time.perf_counter()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        for rows in ("id, version, document::text from sectigo_tui.orders", "* from sectigo_tui.accounts"):
            cursor = await connection.execute(f"select {rows}".encode())
            await cursor.fetchall()
    return (time.perf_counter() - started) * 1000
