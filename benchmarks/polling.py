"""What a poll costs: request, parse, decide, record and paint one row again, against a bare GET of the same answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.figures import Figure, compared, in_pairs
from benchmarks.scene import Scene, put_orders, scene
from benchmarks.terminal import PROGRAM, TRUE_COLOUR, in_terminal
from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.polling import PollOutcome, PollResult, PollWindow
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.scm.client import ScmClient
from sectigo_tui.simulator.server import served
from sectigo_tui.simulator.world import World

_GET = str(Path(__file__).parent / "programs" / "get.py")
_START_SECONDS, _QUICK_START_SECONDS = 45.0, 4.0
"""After this what is shown is known, the connections that the start needed besides have been idle for too long to be
kept, and the program is at rest; then the first poll is due."""


def measure(*, quick: bool) -> Iterator[Figure]:
    """Measure processor time a poll and a GET, both at the same pace and without what the programs cost at rest."""
    polls, every_seconds, pairs = (10, 0.05, 1) if quick else (300, 0.05, 3)
    start_seconds = _QUICK_START_SECONDS if quick else _START_SECONDS
    world = World.seeded(issued=0, pending=polls)
    with served(world) as base_url:
        ssl_ids = sorted(world.statuses())
        yield compared(
            f"processor time of one poll, {polls} orders on the screen and below it",
            "ms",
            in_pairs(
                lambda: _poll_ms(base_url, ssl_ids, every_seconds, start_seconds),
                lambda: _get_ms(base_url, ssl_ids, every_seconds),
                pairs,
            ),
            "bare httpx GET",
            ratio_goal=1.6,
        )


def _poll_ms(base_url: str, ssl_ids: list[int], every_seconds: float, start_seconds: float) -> float:
    with scene(base_url) as place:
        asyncio.run(_fill(place, ssl_ids, every_seconds, start_seconds))
        with in_terminal(PROGRAM, {**TRUE_COLOUR, **place.environ}) as terminal:
            terminal.read_until(b"pending-")
            terminal.read_for(terminal.started + start_seconds - 1 - time.perf_counter())
            used = terminal.cpu_seconds()
            seconds = len(ssl_ids) * every_seconds + 3
            terminal.read_for(seconds)
            used = terminal.cpu_seconds() - used
            _bytes, idle = terminal.at_rest(seconds / 3)
            return (used - idle / 100 * seconds) / len(ssl_ids) * 1000


def _get_ms(base_url: str, ssl_ids: list[int], every_seconds: float) -> float:
    with in_terminal((_GET, base_url, str(every_seconds), *map(str, ssl_ids))) as terminal:
        terminal.read_until(b"ready")
        used = terminal.cpu_seconds()
        terminal.read_until(b"done")
        return (terminal.cpu_seconds() - used) / len(ssl_ids) * 1000


async def _fill(place: Scene, ssl_ids: list[int], every_seconds: float, start_seconds: float) -> None:
    """Store the orders as their third look has left them: the fourth finds nothing new, as nearly all do."""
    account = Credentials("acme", "certctl-api", SecretText("Simulated-1-Secret"))
    client = ScmClient(place.base_url, account, SystemClock())
    told = [await client.details(ssl_id) for ssl_id in ssl_ids]
    await client.aclose()
    now = datetime.now(UTC)
    orders = []
    for number, details in enumerate(told):
        poll = PollResult(now, PollOutcome.PENDING, "Applied", 0.1, 200)
        window = PollWindow(
            opened_at=now,
            deadline_seconds=3_600,
            attempts=3,
            next_poll_at=now + timedelta(seconds=start_seconds + number * every_seconds),
            wait_seconds=45,
        )
        order = Order(
            id=f"order-{number}",
            state=OrderState.PENDING,
            state_since=now,
            created_at=now,
            origin=Origin.TRACKED,
            ssl_id=details.ssl_id,
            window=window,
            last_poll=poll,
            last_answer_at=now,
        )
        orders.append(order.learn(details))
    await put_orders(place.store_directory, orders)
