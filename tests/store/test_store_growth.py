"""What polling adds to the disk: nothing to the journal that grows with time, and a bounded poll log for each order."""

from __future__ import annotations

from pathlib import Path
from random import Random

from msgspec.structs import replace

from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollOutcome, PollResult
from sectigo_tui.engine.polling import schedule
from sectigo_tui.engine.polling.poll import PollAnswer, apply
from sectigo_tui.engine.repository import OrderRepository
from support.stored_orders import (
    HandClock,
    an_entry,
    an_order,
    left_behind,
    opened,
    stores_let_go,  # noqa: F401 - a fixture that acts by itself
)
from support.virtual_time import START

DAY = 86_400.0
CSR = "-----BEGIN CERTIFICATE REQUEST-----\n" + 15 * ("M" * 64 + "\n") + "-----END CERTIFICATE REQUEST-----\n"
KINDS = ("journal", "polls", "orders")


async def polled(directory: Path, *, orders: int, days: int, deadline_seconds: float) -> list[dict[str, int]]:
    """Poll pending orders, opening one window after another; return how large each kind of file is after each day."""
    clock, random, sizes = HandClock(), Random(0), []
    store = opened(directory, clock)
    repository = OrderRepository(store, clock, lambda _: None)
    for number in range(orders):
        window = schedule.open_window(START, deadline_seconds)
        placed = replace(an_order(number), csr_pem=CSR, window=window)
        await repository.add(placed, an_entry(placed))

    for hour in range(days * 24):
        end = (hour + 1) * 3600.0
        for placed in store.orders():
            order = placed
            while (due := due_seconds(order)) < end:
                clock.seconds = due
                order = await looked_at_once(repository, clock, random, order)
        clock.seconds = end
        await store.flush()
        await store.save()
        if (hour + 1) % 24 == 0:
            sizes.append({kind: size_of(directory, kind) for kind in KINDS})
    await store.close()
    return sizes


def size_of(directory: Path, kind: str) -> int:
    """Return how many bytes the files of a kind have."""
    return sum(path.stat().st_size for path in directory.glob(f"{kind}*"))


def due_seconds(order: Order) -> float:
    """Return when an order is polled next, in seconds of the story."""
    assert order.window is not None
    assert order.window.next_poll_at is not None
    return seconds_between(START, order.window.next_poll_at)


async def looked_at_once(repository: OrderRepository, clock: HandClock, random: Random, order: Order) -> Order:
    """Write down a poll that finds an order still pending, as a poll worker does."""
    poll = PollResult(clock.now(), PollOutcome.PENDING, "Applied", latency_seconds=0.25, http_status=200)
    poll_answer = PollAnswer(poll, order.details, order.state)

    def change(known: Order) -> tuple[Order, TimelineEntry | None]:
        consequence = apply(known, poll_answer, clock.now(), random, reopen=True)
        return consequence.order, consequence.entry

    changed = await repository.change(order.id, change, poll=poll)
    assert changed is not None
    return changed


async def test_orders_that_reopen_day_after_day_add_nothing_to_the_journal(tmp_path: Path) -> None:
    first, *_, last = await polled(tmp_path, orders=3, days=3, deadline_seconds=600)
    assert last["journal"] == first["journal"]
    assert last["polls"] < 3 * 64 * 1024
    assert last["orders"] < 3 * 2 * 8192
    again = opened(left_behind(tmp_path, tmp_path.parent / "copy"))
    for order in again.orders():
        assert order.window is not None
        # 144 of ten minutes on the first day; then they are spaced out.
        assert order.window.reopened > 144
        assert [entry.kind for entry in again.timeline(order.id)].count(EventKind.WINDOW_OPENED) == 1
        assert len(again.polls(order.id)) == 40


async def test_a_pending_order_polled_every_five_minutes_adds_nothing_to_the_journal(tmp_path: Path) -> None:
    first, *_, last = await polled(tmp_path, orders=1, days=3, deadline_seconds=30 * DAY)
    assert last["journal"] == first["journal"]
    assert last["polls"] < 3 * 64 * 1024
