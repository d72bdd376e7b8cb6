"""What the program costs while nothing but time goes by: bytes on the line, and a share of a core."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence

from benchmarks.figures import Figure, compared, medians
from benchmarks.programs import table
from benchmarks.scene import fill_store, scene, simulated_account
from benchmarks.terminal import PROGRAM, SIXTEEN_COLOURS, TRUE_COLOUR, in_terminal

_SETTLE_SECONDS = 4.0
"""After this the pending orders are listed, and nothing is asked any more."""


def measure(*, quick: bool) -> Iterator[Figure]:
    """Measure bytes per second with true colour and 16 colours, and beyond an hour; CPU with 1,000 orders."""
    seconds, runs = (1.0, 1) if quick else (20.0, 3)
    orders = 40 if quick else 1_000
    with simulated_account(100) as base_url, scene(base_url) as near, scene(base_url) as far:
        fill_store(near.store_directory, orders, next_look_seconds=600, deadline_seconds=1_800)
        fill_store(far.store_directory, orders, next_look_seconds=4 * 3_600, deadline_seconds=86_400)
        cpu: list[float] = []
        for name, colours, goal in (("true colour", TRUE_COLOUR, 1_700), ("16 colours", SIXTEEN_COLOURS, 700)):
            taken = []
            for _ in range(runs):
                rate, busy = rest(PROGRAM, {**colours, **near.environ}, b"host", seconds)
                whole, _busy = rest(table.command("whole"), colours, table.FIRST_NAME, seconds)
                taken.append((rate, whole))
                cpu.append(busy)
            yield compared(
                f"bytes per second, 30 visible countdowns, {name}",
                "B/s",
                medians(taken),
                "refreshing the whole table",
                ratio_goal=0.1,
                goal=goal,
            )
        rates = [rest(PROGRAM, {**TRUE_COLOUR, **far.environ}, b"host", seconds)[0] for _ in range(runs)]
        yield Figure("bytes per second, waits beyond an hour", statistics.median(rates), "B/s", goal=50)
        yield Figure(
            f"CPU at rest, {orders:,} pending orders, 30 visible", statistics.median(cpu), "% of a core", goal=1.0
        )


def rest(
    arguments: Sequence[str], environ: Mapping[str, str], wanted: bytes, seconds: float, visible_lines: int = 33
) -> tuple[float, float]:
    """Return bytes per second and per cent of a core of a program left alone."""
    with in_terminal(arguments, environ, (120, visible_lines)) as terminal:
        terminal.read_until(wanted)
        terminal.read_for(_SETTLE_SECONDS)
        return terminal.at_rest(seconds)
