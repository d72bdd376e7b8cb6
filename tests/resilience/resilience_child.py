"""One of several processes that share a data directory: the program as `watch` runs it, on a clock that the test moves.

Takes a job as JSON, and appends lines to its log: `PID started SECONDS`, and `PID ORDER SECONDS` for each poll begun.
"""

from __future__ import annotations

import asyncio
import json
import mmap
import os
import struct
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from sectigo_tui.cli.wait import polling
from sectigo_tui.domain.events import EngineEvent, PollStarted
from sectigo_tui.engine.orders import pending_writes as followup
from sectigo_tui.engine.polling import scheduler
from sectigo_tui.store.local import journal_store
from sectigo_tui.wiring.engine import opened
from sectigo_tui.wiring.settings import settings_of

START = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
TICK_SECONDS = 0.01

LEASE_SECONDS = 600.0
"""Time passes fast here: a process that a busy machine lets wait is not to be taken for dead."""

_SECONDS = struct.Struct("d")


@dataclass(frozen=True, slots=True)
class Job:
    """What a process is started with.

    Args:
        config: The configuration file.
        data_dir: The data directory.
        log: Where looks are logged.
        time: The file that holds the time.
    """

    config: str
    data_dir: str
    log: str
    time: str


class SharedClock:
    """The same time for every process, which the test lets pass; a file holds the seconds since `START`.

    Args:
        path: The file, made if need be.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_SECONDS.pack(0.0))
        with path.open("r+b") as file:
            self._layout_saver = mmap.mmap(file.fileno(), _SECONDS.size)

    def now(self) -> datetime:
        """Return the time of day."""
        return START + timedelta(seconds=self.monotonic())

    def wall(self) -> datetime:
        """Return the same: nobody sets this clock."""
        return self.now()

    def monotonic(self) -> float:
        """Return the seconds since `START`."""
        (seconds,) = _SECONDS.unpack(self._layout_saver[:])
        return float(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass, for all."""
        self._layout_saver[:] = _SECONDS.pack(self.monotonic() + seconds)

    async def sleep(self, seconds: float) -> None:
        """Wait until so much time has passed."""
        due = self.monotonic() + seconds
        while self.monotonic() < due:  # noqa: ASYNC110 - the time is another process's
            await asyncio.sleep(TICK_SECONDS)


async def live(job: Job) -> None:
    """Poll until killed."""
    clock = SharedClock(Path(job.time))
    settings = settings_of(config=Path(job.config), data_dir=Path(job.data_dir), environ={})
    log = os.open(job.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def say(what: str) -> None:
        os.write(log, f"{os.getpid()} {what} {clock.monotonic()}\n".encode())

    def receive(event: EngineEvent) -> None:
        if isinstance(event, PollStarted):
            say(event.order_id)

    async with opened(settings, clock=clock, random=Random(os.getpid())) as engine:
        engine.event_source.subscribe(receive)
        async with polling(engine):
            say("started")
            await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    given = Job(**json.loads(sys.argv[1]))
    scheduler.LEASE_SECONDS = followup.LEASE_SECONDS = LEASE_SECONDS
    journal_store.NOTES_WITHIN_SECONDS = TICK_SECONDS
    asyncio.run(live(given))
