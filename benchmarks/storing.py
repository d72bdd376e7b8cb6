"""The local orders on disk: opening them, and making a change durable."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import orjson

from benchmarks.figures import Figure, compared, in_pairs
from benchmarks.scene import fill_store, pending_order
from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.store.local.journal_store import JournalStore


def measure(*, quick: bool) -> Iterator[Figure]:
    """Measure opening 10,000 orders and the 95th percentile of a change."""
    count, pairs, changes = (100, 1, 20) if quick else (10_000, 7, 400)
    with tempfile.TemporaryDirectory(prefix="sectigo-tui-benchmark-") as name:
        directory = Path(name) / "store"
        fill_store(directory, count, next_look_seconds=900, deadline_seconds=3_600)
        yield compared(
            f"store: open {count:,} orders",
            "ms",
            in_pairs(lambda: _open_ms(directory), lambda: _parse_ms(directory / "orders.json"), pairs),
            "orjson parses the same bytes",
            ratio_goal=0.8,
        )
        yield compared(
            f"store of {count:,}: a change made durable, p95",
            "ms",
            in_pairs(
                lambda: asyncio.run(_change_p95_ms(directory, changes)),
                lambda: _append_p95_ms(Path(name) / "reference", changes),
                pairs,
            ),
            "append the same bytes, fsync",
            ratio_goal=2.5,
        )


def _open_ms(directory: Path) -> float:
    started = time.perf_counter()
    store = JournalStore.open(directory, SystemClock())
    taken = time.perf_counter() - started
    asyncio.run(store.close())
    return taken * 1000


def _parse_ms(path: Path) -> float:
    content = path.read_bytes()
    started = time.perf_counter()
    orjson.loads(content)
    return (time.perf_counter() - started) * 1000


async def _change_p95_ms(directory: Path, count: int) -> float:
    store = JournalStore.open(directory, SystemClock())
    order = store.orders()[0]
    times = []
    for number in range(count):
        entry = TimelineEntry(
            at=datetime.now(UTC),
            order_id=order.id,
            kind=EventKind.NOTE,
            summary=f"change {number}",
            ssl_id=order.ssl_id,
        )
        started = time.perf_counter()
        order = await store.put(order, entry)
        times.append((time.perf_counter() - started) * 1000)
    await store.close()
    return p95(times)


def _append_p95_ms(path: Path, count: int) -> float:
    line = msgspec.json.encode(pending_order(1, datetime.now(UTC), 900, 3_600)) + b"\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    times = []
    for _ in range(count):
        started = time.perf_counter()
        os.write(descriptor, line)
        os.fsync(descriptor)
        times.append((time.perf_counter() - started) * 1000)
    os.close(descriptor)
    return p95(times)


def p95(times: list[float]) -> float:
    """Return the 95th percentile."""
    return statistics.quantiles(times, n=20)[-1]
