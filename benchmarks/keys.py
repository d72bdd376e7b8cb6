"""From a key to its settled paint, in a list of 100,000 rows under running countdowns."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from functools import partial

from benchmarks.figures import Figure, compared, in_pairs
from benchmarks.programs import table
from benchmarks.terminal import TRUE_COLOUR, in_terminal

KEYS = {"down": (b"\x1b[B", b"\x1b[B"), "page down": (b"\x1b[6~", b"\x1b[5~")}
"""What is pressed going forth, and back before the shorter of the tables ends."""
_TURN_AFTER = 20


def measure(*, quick: bool) -> Iterator[Figure]:
    """Measure down and page down, at the 95th percentile."""
    count, pairs = (10, 1) if quick else (200, 3)
    for name, keys in KEYS.items():
        yield compared(
            f"{name}, key to settled paint, p95, {table.ROWS:,} rows, 30 countdowns",
            "ms",
            in_pairs(partial(p95_of, "cells", keys, count), partial(p95_of, "datatable", keys, count), pairs),
            f"DataTable of {table.REFERENCE_ROWS:,} rows",
            ratio_goal=0.5,
        )


def p95_of(kind: str, keys: tuple[bytes, bytes], count: int) -> float:
    """Return the 95th percentile of the milliseconds from a key to its settled paint.

    Args:
        kind: The kind of table.
        keys: The key that goes forth, and the one that goes back.
        count: How many keys.
    """
    with in_terminal(table.command(kind), TRUE_COLOUR, table.SIZE) as terminal:
        terminal.read_until(table.FIRST_NAME)
        terminal.read_until_quiet(0.5)
        times = [terminal.key_seconds(keys[number // _TURN_AFTER % 2]) * 1000 for number in range(count)]
    return statistics.quantiles(times, n=20)[-1]
