"""Orders to store, and ways to look at and to damage what a store left on the disk."""

from __future__ import annotations

import resource
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.polling import PollOutcome, PollResult, PollWindow
from sectigo_tui.store.local.journal_store import JournalStore
from support.virtual_time import START


class HandClock:
    """A clock that somebody moves by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        """Return the time of day."""
        return START + timedelta(seconds=self.seconds)

    def wall(self) -> datetime:
        """Return the same: nobody sets this clock."""
        return self.now()

    def monotonic(self) -> float:
        """Return the seconds moved."""
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        """Move the clock."""
        self.seconds += seconds


def an_order(number: int = 1) -> Order:
    """Return a pending order that no store has seen."""
    return Order(
        id=f"order-{number:04d}",
        state=OrderState.PENDING,
        state_since=START,
        created_at=START,
        origin=Origin.ENROLLED,
        ssl_id=1000 + number,
        common_name=f"host{number}.example.com",
        csr_pem="-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n",
        details=OrderDetails(ssl_id=1000 + number, status="Applied", requested=START.date()),
        window=PollWindow(opened_at=START, deadline_seconds=600.0, next_poll_at=START),
    )


def waiting_order(number: int) -> Order:
    """Return a pending order that is not polled while the test lasts, so that only the test says what changes."""
    order = an_order(number)
    assert order.window is not None
    due = order.created_at + timedelta(seconds=240)
    return replace(order, window=replace(order.window, attempts=4, next_poll_at=due, wait_seconds=240.0))


def an_entry(order: Order, summary: str = "placed") -> TimelineEntry:
    """Return an entry about an order."""
    return TimelineEntry(
        at=START, order_id=order.id, kind=EventKind.CHANGED, summary=summary, to_state=order.state, ssl_id=order.ssl_id
    )


def looked_at(order: Order, times: int = 1) -> tuple[Order, PollResult]:
    """Return an order after another poll that changed nothing, and that poll."""
    assert order.window is not None
    at = START + timedelta(seconds=10 * times)
    poll = PollResult(at, PollOutcome.PENDING, "Applied", latency_seconds=0.125, http_status=200)
    window = replace(order.window, attempts=times, next_poll_at=at + timedelta(seconds=45), wait_seconds=45.0)
    return replace(order, window=window, last_poll=poll, last_answer_at=at), poll


_OPENED: list[JournalStore] = []


def opened(directory: Path, clock: HandClock | None = None) -> JournalStore:
    """Open the store of a directory as another process would."""
    store = JournalStore.open(directory, clock or HandClock())
    _OPENED.append(store)
    return store


@pytest.fixture(autouse=True)
def stores_let_go() -> Iterator[None]:
    """Let go of the files of every store that a test left open, as the end of its process would."""
    yield
    while _OPENED:
        _OPENED.pop().let_go()


def left_behind(directory: Path, to: Path) -> Path:
    """Copy a store's files while it is open: what is there if its process dies now."""
    if to.exists():
        shutil.rmtree(to)
    shutil.copytree(directory, to)
    return to


@contextmanager
def files_no_larger_than(size: int) -> Iterator[None]:
    """Make every write beyond a file's first `size` bytes fail with EFBIG, a real error of the kernel's.

    Python ignores the signal that comes with it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
