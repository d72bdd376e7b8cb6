"""Five processes on one data directory, killed at random: one polls, none twice, and nothing is lost."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import signal
import subprocess
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random

from resilience_child import Job, SharedClock

from sectigo_tui.config.credentials import write_credentials
from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, Origin, state_for
from sectigo_tui.domain.polling import WindowEnd
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.engine.polling import schedule
from sectigo_tui.simulator.orders import named_life
from sectigo_tui.simulator.server import served
from sectigo_tui.simulator.world import World
from sectigo_tui.store.local.journal_store import JournalStore
from sectigo_tui.wiring.settings import settings_of
from support.account_store import open_store
from support.virtual_time import run_virtual
from support.writing import Site

Record = Callable[[str, object], None]

CHILD = Path(__file__).parent / "resilience_child.py"
PROCESSES = 5
ORDERS = 300
KILLS = 8
SEED = 20_260_302
STEP_SECONDS = 0.1
"""So much time passes at once, at the most every hundredth of a real second."""

LATE_SECONDS = 6.0
"""No more time passes while a poll is so late: a slow machine takes longer, and sees the same."""

PATIENCE_SECONDS = 120.0
SPREAD_SECONDS = 30.0
"""The orders are not all placed at once."""

DEADLINE_SECONDS = 130.0
"""Five looks fit in, whatever the jitter: after 0, 5, 20 and 65 s, and at the deadline."""

POLLS = r"^/api/ssl/v1/(\d+|collect/\d+)$"
LIVES = (
    named_life("ov-vetting"),
    named_life("ov-quick"),
    dataclasses.replace(named_life("ov-rejected"), vetting_seconds=80.0),
)
"""Pending for good; issued after 45 s, and after any third look; rejected after 110 s, and after any fourth."""


class Crew:
    """The processes, of which some are killed and replaced.

    Args:
        job: What each is started with.

    Attributes:
        deaths: When each process was killed, by its id.
    """

    def __init__(self, job: Job) -> None:
        self.deaths: dict[int, float] = {}
        self._job = job
        self._clock = SharedClock(Path(job.time))
        self._alive: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def pids(self) -> list[int]:
        """Return who is alive."""
        return list(self._alive)

    def start(self) -> None:
        """Start one more."""
        child = subprocess.Popen([sys.executable, str(CHILD), json.dumps(asdict(self._job))])
        self._alive[child.pid] = child

    def kill(self, pid: int) -> None:
        """Kill one without a warning."""
        child = self._alive.pop(pid)
        assert child.poll() is None, f"process {pid} ended by itself with {child.returncode}"
        child.send_signal(signal.SIGKILL)
        child.wait()
        self.deaths[pid] = self._clock.monotonic()

    def end(self) -> None:
        """End all."""
        for child in self._alive.values():
            child.kill()
            child.wait()


async def test_five_processes_killed_at_random_ask_scm_as_one_would_and_lose_no_order(
    tmp_path: Path, record_property: Record
) -> None:
    chance = Random(SEED)
    expected = await asyncio.to_thread(polls_of_one_process)
    clock = SharedClock(tmp_path / "time")
    world = World(clock=clock.now, seed=SEED)
    with served(world) as base_url:
        job = Job(str(tmp_path / "config.toml"), str(tmp_path / "data"), str(tmp_path / "log"), str(tmp_path / "time"))
        configure(job, world, base_url)
        crew = Crew(job)
        try:
            async with a_reader(job, clock) as reader:
                for _ in range(PROCESSES):
                    crew.start()
                await until(lambda: all(f"{pid} started" in log_of(job) for pid in crew.pids))
                await place(world, reader)
                passing = asyncio.create_task(let_time_pass(clock, reader))
                thresholds = sorted(chance.randrange(30, expected - 100) for _ in range(KILLS))
                for number, threshold in enumerate(thresholds):
                    await until_asked(world, threshold)
                    await reader.changes()
                    poller = reader.poller()
                    pid = chance.choice(crew.pids)
                    if number % 2 == 0 and poller:
                        pid = int(poller.split()[1])
                    crew.kill(pid)
                    crew.start()
                await passing
                lost = ORDERS - len(reader.orders())
                check_orders(world, reader)
        finally:
            crew.end()
    polls = world.traffic.count(path=POLLS)
    check_pollers(job, crew)
    again = asked_again(world)
    assert again <= 6 * KILLS
    assert abs(polls - expected) <= 0.02 * expected, f"{polls} polls, and one process makes {expected}"
    record_property("kills_survived", KILLS)
    record_property("orders_lost", lost)
    record_property("polls_per_one_process", polls / expected)


def configure(job: Job, world: World, base_url: str) -> None:
    account = world.account.credentials
    Path(job.config).write_text(
        f'[sectigo]\ncustomer_uri = "{account.customer_uri}"\nbase_url = "{base_url}"\n'
        f"poll_max_wait_seconds = {DEADLINE_SECONDS:.0f}\n"
    )
    credentials = Path(job.config).with_name("credentials.toml")
    write_credentials(credentials, None, login=account.login, password=SecretText(account.password))


@asynccontextmanager
async def a_reader(job: Job, clock: SharedClock) -> AsyncIterator[JournalStore]:
    """Open the directory as a dashboard would that does not poll."""
    settings = settings_of(config=Path(job.config), data_dir=Path(job.data_dir), environ={})
    store = open_store(settings, clock)
    try:
        yield store
    finally:
        store.let_go()


def local_orders(world: World, begin: datetime) -> list[Order]:
    """Place orders at SCM that are local too, one after another."""
    orders = []
    for number in range(ORDERS):
        at = begin + timedelta(seconds=SPREAD_SECONDS * number / ORDERS)
        there = world.add_order(life=LIVES[number % len(LIVES)], common_name=f"h{number}.acme.example", requested=at)
        window = schedule.open_window(at, DEADLINE_SECONDS)
        orders.append(
            Order(
                id=f"order-{there.ssl_id}",
                state=OrderState.SUBMITTED,
                state_since=at,
                created_at=at,
                origin=Origin.TRACKED,
                ssl_id=there.ssl_id,
                window=window,
            )
        )
    return orders


async def place(world: World, store: JournalStore) -> None:
    orders = local_orders(world, world.now() + timedelta(seconds=1))
    entries = [
        TimelineEntry(at=order.created_at, order_id=order.id, kind=EventKind.CREATED, summary="tracked")
        for order in orders
    ]
    await asyncio.gather(*(store.put(order, entry) for order, entry in zip(orders, entries, strict=True)))


def polls_of_one_process() -> int:
    """Return how many polls one process makes for the same orders."""

    async def story() -> int:
        site = Site()
        for order in local_orders(site.world, site.clock.now()):
            site.store.plant(order)
        running = asyncio.create_task(site.engine.scheduler.run())
        await asyncio.sleep(SPREAD_SECONDS + DEADLINE_SECONDS + 60)
        running.cancel()
        await asyncio.wait([running])
        assert all(not order.window.is_open for order in site.orders if order.window)
        return site.wire.count(r"/ssl/v1/(\d+|collect/\d+)$")

    return run_virtual(story())


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - no event here tells what other processes do
            await asyncio.sleep(0.02)


async def until_asked(world: World, times: int) -> None:
    """Wait until SCM was asked so often."""
    await until(lambda: world.traffic.total >= times)


async def let_time_pass(clock: SharedClock, reader: JournalStore) -> None:
    """Let time pass until no order is polled any more, as fast as the processes can follow."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while windows := [order.window for order in reader.orders() if order.window and order.window.is_open]:
            due = min(window.next_poll_at for window in windows if window.next_poll_at)
            for _ in range(5):
                if seconds_between(due, clock.now()) < LATE_SECONDS:
                    clock.advance(STEP_SECONDS)
                await asyncio.sleep(0.01)
            await reader.changes()


def check_orders(world: World, reader: JournalStore) -> None:
    """See that of every order that is known which SCM says."""
    statuses = world.statuses()
    orders = {order.ssl_id: order for order in reader.orders()}
    assert len(orders) == ORDERS
    for ssl_id, order in orders.items():
        assert order.window is not None
        expected = state_for(statuses[ssl_id or 0])
        assert order.state is (OrderState.COLLECTED if expected is OrderState.ISSUED else expected), order
        if order.state is OrderState.PENDING:
            assert order.window.ended is WindowEnd.DEADLINE


def log_of(job: Job) -> str:
    """Return what the processes have logged."""
    log = Path(job.log)
    return log.read_text() if log.exists() else ""


def check_pollers(job: Job, crew: Crew) -> None:
    """See that one process polled at a time, and the next one only after its death."""
    lines = [line.split() for line in log_of(job).splitlines()]
    # In the order of the log: the time that all share stands still while one is killed and the next takes over.
    polls = [(float(at), int(pid)) for pid, what, at in lines if what != "started"]
    pollers = [pid for before, pid in pairwise([0, *(pid for _, pid in polls)]) if before != pid]
    assert len(pollers) == len(set(pollers)), f"{pollers} took turns"
    for before, after in pairwise(pollers):
        first = min(at for at, pid in polls if pid == after)
        assert crew.deaths[before] <= first
    assert len(pollers) > KILLS // 4


def asked_again(world: World) -> int:
    """Return how many polls came sooner after the one before than any wait is: what a killed process had under way."""
    times: dict[str, list[datetime]] = defaultdict(list)
    for request in world.traffic.matching(path=POLLS):
        times[request.path].append(request.at)
    least = timedelta(seconds=4.0)
    return sum(after - before < least for each in times.values() for before, after in pairwise(each))
