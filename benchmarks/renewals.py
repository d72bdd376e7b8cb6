"""Renewals in view 7, from the store of an earlier run: the first right row, and what reading the account costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks.figures import Figure, compared, in_pairs
from benchmarks.scene import Scene, scene, simulated_account
from benchmarks.terminal import PROGRAM, TRUE_COLOUR, in_terminal


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """A store in which a run has kept the certificates in use.

    Args:
        place: Where.
        first: What the most urgent row shows.
        requests: What reading the certificates took.
    """

    place: Scene
    first: bytes
    requests: int

    @property
    def environ(self) -> Mapping[str, str]:
        """What the program is started with."""
        return {**TRUE_COLOUR, **self.place.environ}


def measure(*, quick: bool) -> Iterator[Figure]:
    """Measure the first right row of many certificates against few, and the requests of a refresh."""
    # Of 300 about 50 end within the view's horizon: fewer would not fill the screen, which is painting and not reading.
    pairs, many, few = (1, 200, 20) if quick else (9, 5_000, 300)
    with earlier_run(many) as large, earlier_run(few) as small:
        for name, seconds in (("", from_key), (", from the start", from_start)):
            yield compared(
                f"first row of Renewals, {many:,} certificates{name}",
                "s",
                in_pairs(lambda seconds=seconds: seconds(large), lambda seconds=seconds: seconds(small), pairs),  # type: ignore[misc]
                f"the same with {few}, of which {few // 6} are listed",
                ratio_goal=1.1,
            )
        yield Figure(f"reading {many:,} certificates in use", large.requests, "requests", goal=20)


@contextmanager
def earlier_run(certificates: int) -> Iterator[EarlierRun]:
    """Serve an account, and have a run keep its certificates."""
    with simulated_account(certificates) as base_url, scene(base_url) as place:
        command = [sys.executable, *PROGRAM, "renewals", "--json"]
        environ = {**os.environ, **place.environ}
        told = json.loads(subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=False).stdout)
        yield EarlierRun(place, str(told["renewals"][0]["common_name"]).encode(), told["requests"])


def from_key(run: EarlierRun) -> float:
    """Return the seconds from the key that opens Renewals to its first row, the dashboard being settled."""
    with in_terminal(PROGRAM, run.environ) as terminal:
        terminal.read_until(b"No order is pending")
        terminal.read_until_quiet(0.5)
        pressed = terminal.press(b"7")
        return terminal.read_until(run.first) - pressed


def from_start(run: EarlierRun) -> float:
    """Return the seconds from the program's start to the first row of Renewals, its key being typed ahead."""
    with in_terminal(PROGRAM, run.environ) as terminal:
        terminal.press(b"7")
        return terminal.read_until(run.first) - terminal.started
