"""What the program costs while nothing but time goes by: bytes on the line, and a share of a core."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.figures import Figure, compared, medians
from benchmarks.programs import table
from benchmarks.scene import fill_store, scene, simulated_account
from benchmarks.terminal import PROGRAM, SIXTEEN_COLOURS, TRUE_COLOUR, in_terminal

_WHOLE = (str(Path(__file__).parent / "programs" / "whole.py"),)
_SIZE = (120, 33)
"""Header, titles, thirty rows and the keys."""
SETTLE_SECONDS = 32.0
"""After this the evidence for all rows in sight has come, and the header's age moves in its long steps."""


def measure(*, quick: bool) -> Iterator[Figure]:
    """Measure bytes per second with true colour and 16 colours, and beyond an hour; CPU with 1,000 orders."""
    seconds, runs, orders = (2.5, 1, 40) if quick else (15.0, 3, 1_000)
    settle = 1.0 if quick else SETTLE_SECONDS
    with simulated_account(100) as base_url, scene(base_url) as near, scene(base_url) as far:
        fill_store(near.store_directory, orders, next_look_seconds=600, deadline_seconds=1_800)
        fill_store(far.store_directory, orders, next_look_seconds=4 * 3_600, deadline_seconds=86_400)
        cpu: list[float] = []
        for name, colours, goal in (("true colour", TRUE_COLOUR, 1_700), ("16 colours", SIXTEEN_COLOURS, 700)):
            against_itself, against_other = [], []
            for _ in range(runs):
                rate, busy = rest(PROGRAM, {**colours, **near.environ}, b"host", seconds, settle)
                whole, _busy = rest(_WHOLE, {**colours, **near.environ}, b"host", seconds, settle)
                other, _busy = rest(table.command("whole"), colours, table.FIRST_NAME, seconds, settle)
                against_itself.append((rate, whole))
                against_other.append((rate, other))
                cpu.append(busy)
            axis = f"bytes per second, 30 visible countdowns, {name}"
            itself = "the same program refreshing the whole table"
            yield compared(axis, "B/s", medians(against_itself), itself, ratio_goal=0.1, goal=goal)
            yield compared(axis, "B/s", medians(against_other), "DataTable, all refreshed", ratio_goal=0.1)
        rates = [rest(PROGRAM, {**TRUE_COLOUR, **far.environ}, b"host", seconds * 2, settle)[0] for _ in range(runs)]
        yield Figure("bytes per second, waits beyond an hour", statistics.median(rates), "B/s", goal=50)
        yield Figure(
            f"CPU at rest, {orders:,} pending orders, 30 visible", statistics.median(cpu), "% of a core", goal=1.0
        )


def rest(
    arguments: Sequence[str],
    environ: Mapping[str, str],
    wanted: bytes,
    seconds: float,
    settle_seconds: float,
) -> tuple[float, float]:
    """Return bytes per second and per cent of a core of a program left alone.

    Args:
        arguments: What follows the interpreter.
        environ: The program's variables.
        wanted: What it shows once it is there.
        seconds: How long it is watched.
        settle_seconds: How long it is left alone before that.
    """
    with in_terminal(arguments, environ, _SIZE) as terminal:
        terminal.read_until(wanted)
        terminal.read_for(settle_seconds)
        return terminal.at_rest(seconds)
