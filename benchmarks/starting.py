"""Start-up: the dashboard's first paint, and the subcommands that scripts call."""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from benchmarks.figures import Figure, compared, in_pairs
from benchmarks.scene import fill_store, scene, simulated_account
from benchmarks.terminal import CHECKOUT, PROGRAM, TRUE_COLOUR, in_terminal

HELLO = (str(Path(__file__).parent / "programs" / "hello.py"),)


def measure(*, quick: bool) -> Iterator[Figure]:
    """Measure the first paint of 1,000 local orders, `--version` and `orders --json`."""
    pairs = 1 if quick else 15
    orders = 20 if quick else 1_000
    # Whoever installs the program has its byte code; a checkout may have an older one, or be told to write none.
    compileall.compile_dir(CHECKOUT / "sectigo_tui", quiet=1)
    with simulated_account(100) as base_url, scene(base_url) as place:
        fill_store(place.store_directory, orders, next_look_seconds=300, deadline_seconds=600)
        yield compared(
            f"first paint of the dashboard, {orders:,} local orders",
            "s",
            in_pairs(
                lambda: first_paint(PROGRAM, place.environ, b".example.com"),
                lambda: first_paint(HELLO, {}, b"Hello"),
                pairs,
            ),
            "bare Textual hello world",
            ratio_goal=1.45,
        )
        for name, arguments, goal in (
            ("sectigo-tui --version", ("--version",), 1.4),
            (f"sectigo-tui orders --json, {orders:,} orders", ("orders", "--json"), 5.0),
        ):
            yield compared(
                name,
                "s",
                in_pairs(
                    partial(run_time, (*PROGRAM, *arguments), place.environ),
                    partial(run_time, ("-c", "pass"), {}),
                    pairs,
                ),
                "python -c pass",
                ratio_goal=goal,
            )


def first_paint(arguments: Sequence[str], environ: Mapping[str, str], wanted: bytes) -> float:
    """Return the seconds from exec to a text on the screen."""
    with in_terminal(arguments, {**TRUE_COLOUR, **environ}) as terminal:
        return terminal.read_until(wanted) - terminal.started


def run_time(arguments: Sequence[str], environ: Mapping[str, str]) -> float:
    """Return the seconds that Python takes for some arguments, from exec to exit."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environ},
        cwd=CHECKOUT,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - started
