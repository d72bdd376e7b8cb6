"""A simulated account and local orders for the program to run with."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sectigo_tui.config.paths import find_paths
from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.polling import PollOutcome, PollResult, PollWindow
from sectigo_tui.store.local.journal_store import JournalStore

FIRST_SSL_ID = 9_000_001
"""Beyond what the simulated account has: local orders are not asked for while a benchmark runs."""

_CSR = "-----BEGIN CERTIFICATE REQUEST-----\n" + "MIICXTCCAUUCAQAwGDEWMBQGA1UEAwwN\n" * 14 + "-----END-----\n"


@dataclass(frozen=True, slots=True)
class Scene:
    """What the program is started with.

    Args:
        environ: Its configuration.
        directory: Its data directory.
        base_url: Where the simulated account is.
    """

    environ: Mapping[str, str]
    directory: Path
    base_url: str

    @property
    def store_directory(self) -> Path:
        """Where the account's orders are."""
        return find_paths(self.environ).account_dir(self.base_url, self.environ["CERTCTL_SECTIGO_CUSTOMER_URI"])


@contextmanager
def scene(base_url: str = "http://127.0.0.1:9/api", *, refresh_seconds: int = 86_400) -> Iterator[Scene]:
    """Make a configuration in a directory that is gone afterwards.

    Args:
        base_url: Where the account is; nobody is there when not given.
        refresh_seconds: The time between two listings of the account.
    """
    with tempfile.TemporaryDirectory(prefix="sectigo-tui-benchmark-") as name:
        directory = Path(name)
        config = directory / "config.toml"
        config.touch(mode=0o600)
        config.write_text(f"[ui]\nremote_refresh_seconds = {refresh_seconds}\n")
        environ = {
            "SECTIGO_TUI_CONFIG": str(config),
            "SECTIGO_TUI_DATA_DIR": str(directory / "data"),
            "CERTCTL_SECTIGO_CUSTOMER_URI": "acme",
            "CERTCTL_SECTIGO_LOGIN": "certctl-api",
            "CERTCTL_SECTIGO_PASSWORD": "Simulated-1-Secret",
            "CERTCTL_SECTIGO_ORG_ID": "1001",
            "CERTCTL_SECTIGO_CERT_TYPE": "502",
            "CERTCTL_SECTIGO_BASE_URL": base_url,
        }
        yield Scene(environ, directory, base_url)


@contextmanager
def simulated_account(issued: int, *, pending: int = 0) -> Iterator[str]:
    """Serve an account in a process of its own, and yield its base URL."""
    command = [sys.executable, "-m", __name__, str(issued), str(pending)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def fill_store(directory: Path, count: int, *, next_look_seconds: float, deadline_seconds: float) -> None:
    """Write pending orders as the program would have.

    Args:
        directory: The account's directory.
        count: How many orders.
        next_look_seconds: The first one's wait from now; each further one waits up to 60 s longer.
        deadline_seconds: Their window.
    """
    now = datetime.now(UTC)
    orders = [pending_order(number, now, next_look_seconds, deadline_seconds) for number in range(count)]
    asyncio.run(put_orders(directory, orders))


async def put_orders(directory: Path, orders: Sequence[Order]) -> None:
    """Write orders as the program would have, each with an entry of its timeline."""
    store = JournalStore.open(directory, SystemClock())
    entries = [
        TimelineEntry(
            at=order.created_at, order_id=order.id, kind=EventKind.CHANGED, summary="tracked", ssl_id=order.ssl_id
        )
        for order in orders
    ]
    await asyncio.gather(*(store.put(order, entry) for order, entry in zip(orders, entries, strict=True)))
    await store.close()
    # So many at once fill the journal's first segment; in a store that is in use the open one is not empty.
    store = JournalStore.open(directory, SystemClock())
    await store.record(TimelineEntry(at=datetime.now(UTC), order_id="", kind=EventKind.NOTE, summary="filled"))
    await store.close()


def pending_order(number: int, now: datetime, next_look_seconds: float, deadline_seconds: float) -> Order:
    """Return an order as it stands between two polls."""
    ssl_id = FIRST_SSL_ID + number
    name = f"host{number}.example.com"
    poll = PollResult(now - timedelta(seconds=20), PollOutcome.PENDING, "Applied", 0.123, 200)
    return Order(
        id=f"order-{number:06d}",
        state=OrderState.PENDING,
        state_since=now,
        created_at=now - timedelta(hours=30, seconds=number),
        origin=Origin.TRACKED,
        ssl_id=ssl_id,
        common_name=name,
        profile_id=502,
        profile_name="OV Multi-Domain",
        validation="OV",
        csr_pem=_CSR,
        details=OrderDetails(
            ssl_id=ssl_id,
            status="Applied",
            common_name=name,
            subject_alternative_names=(name, f"www.{name}"),
            profile_name="OV Multi-Domain",
            validation="OV",
            order_number=str(88_000_000 + number),
            requester="certctl-api",
            requested=now - timedelta(hours=30, seconds=number),
        ),
        window=PollWindow(
            opened_at=now - timedelta(seconds=30),
            deadline_seconds=deadline_seconds,
            attempts=3,
            next_poll_at=now + timedelta(seconds=next_look_seconds + number % 60),
            wait_seconds=next_look_seconds + number % 60,
        ),
        last_poll=poll,
        last_answer_at=poll.at,
    )


def main() -> None:
    """Serve an account until stdin ends."""
    from sectigo_tui.simulator.server import served
    from sectigo_tui.simulator.world import World

    parser = argparse.ArgumentParser()
    parser.add_argument("issued", type=int)
    parser.add_argument("pending", type=int)
    options = parser.parse_args()
    with served(World.seeded(issued=options.issued, pending=options.pending)) as base_url:
        print(base_url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
