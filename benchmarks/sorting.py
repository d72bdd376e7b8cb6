"""Sorting and narrowing 100,000 fetched rows, and how long the screen stands still meanwhile."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, cast

from benchmarks.figures import Figure, compared, in_pairs
from sectigo_tui.domain.certificates import ListingFilter, ListingRow
from sectigo_tui.domain.limits import PAGE_SIZE
from sectigo_tui.engine.account.listing import Listing
from sectigo_tui.presentation.listing_rows import arranged
from sectigo_tui.simulator.world import World

if TYPE_CHECKING:
    from sectigo_tui.engine.context import Context

WORD = "shop"


def measure(*, quick: bool) -> Iterator[Figure]:
    """Measure sort and filter against plain Python over the same rows."""
    count, pairs = (2_000, 1) if quick else (100_000, 15)
    rows = rows_of_account(count)
    listing = listing_of(rows)
    freezes: list[float] = []
    for name, sort, query, reference, plain in (
        ("sort", "common_name", "", "sorted()", lambda: sorted(rows, key=attrgetter("common_name"))),
        ("filter", "", WORD, "a list comprehension", lambda: [row for row in rows if WORD in row.common_name]),
    ):
        yield compared(
            f"{name} {count:,} fetched rows by common name",
            "ms",
            in_pairs(
                lambda sort=sort, query=query: _arrange_ms(listing, sort, query, freezes),  # type: ignore[misc]
                lambda plain=plain: _milliseconds(plain),  # type: ignore[misc]
                pairs,
            ),
            reference,
            ratio_goal=3,
        )
    yield Figure(f"longest freeze of the screen meanwhile, {count:,} rows", statistics.median(freezes), "ms", goal=50)


def rows_of_account(count: int) -> list[ListingRow]:
    """Return rows as SCM lists those of a simulated account."""
    (block,) = World.seeded(issued=count).blocks
    return [ListingRow(row.ssl_id, row.common_name, row.names) for row in map(block.row, reversed(block.ids))]


def listing_of(rows: list[ListingRow]) -> Listing:
    """Return a listing of which every page has been fetched."""
    listing = Listing(cast("Context", None), ListingFilter())
    listing.total = len(rows)
    for first in range(0, len(rows), PAGE_SIZE):
        listing.fetched.put(first // PAGE_SIZE, rows[first : first + PAGE_SIZE])
    return listing


def _arrange_ms(listing: Listing, sort: str, query: str, freezes: list[float]) -> float:
    return asyncio.run(_arrange(listing, sort, query, freezes))


async def _arrange(listing: Listing, sort: str, query: str, freezes: list[float]) -> float:
    turns = [time.perf_counter()]

    async def take_turns() -> None:
        while True:
            turns.append(time.perf_counter())
            await asyncio.sleep(0)

    others = asyncio.create_task(take_turns())
    started = time.perf_counter()
    await arranged(listing, sort, query=query)
    ended = time.perf_counter()
    others.cancel()
    turns.append(ended)
    if sort:
        freezes.append(max(after - before for before, after in pairwise(turns)) * 1000)
    return (ended - started) * 1000


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000
