"""What 10,000 pending workers cost at rest, above the same program with none."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

from benchmarks.at_rest import SETTLE_SECONDS
from benchmarks.figures import Figure
from benchmarks.scene import Scene, fill_store, scene, simulated_account
from benchmarks.terminal import PROGRAM, TRUE_COLOUR, in_terminal


def measure(*, quick: bool) -> Iterator[Figure]:
    """Measure memory and CPU of many orders against none, run by run."""
    count, settle, seconds, runs = (50, 1.0, 1.0, 1) if quick else (10_000, SETTLE_SECONDS, 20.0, 3)
    with simulated_account(100) as base_url, scene(base_url) as busy, scene(base_url) as idle:
        fill_store(busy.store_directory, count, next_look_seconds=900, deadline_seconds=3_600)
        pairs = [
            (_at_rest(busy, settle, seconds, b"host"), _at_rest(idle, settle, seconds, b"No order"))
            for _ in range(runs)
        ]
    axis = f"{count:,} pending workers at rest, above the same program with none"
    yield Figure(f"{axis}: memory", statistics.median(many[0] - none[0] for many, none in pairs), "MB", goal=60)
    yield Figure(f"{axis}: CPU", statistics.median(many[1] - none[1] for many, none in pairs), "% of a core", goal=2)


def _at_rest(place: Scene, settle_seconds: float, seconds: float, wanted: bytes) -> tuple[float, float]:
    with in_terminal(PROGRAM, {**TRUE_COLOUR, **place.environ}) as terminal:
        terminal.read_until(wanted)
        terminal.read_for(settle_seconds)
        _bytes, busy = terminal.at_rest(seconds)
        return terminal.rss_megabytes(), busy
