"""The whole poll engine over doubles, in virtual time: what a story needs to be told in a few lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import TypeVar

from sectigo_tui.domain.certificates import CertificateFacts
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.events import EngineEvent, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.polling import PollResult, PollWindow
from sectigo_tui.engine.context import Context, EngineOptions
from sectigo_tui.engine.polling import schedule
from sectigo_tui.engine.polling.scheduler import Scheduler
from sectigo_tui.engine.repository import OrderRepository
from sectigo_tui.engine.requests.limiter import RequestLimiter
from support.fake_scm import FakeScm, Reply, Script
from support.memory_store import Disk, MemoryStore
from support.virtual_time import START, LoopClock

A = TypeVar("A")


def read_leaf(bundle: bytes, csr_pem: str) -> CertificateFacts:
    """Read what stands for a certificate in these stories; a bundle of `?` has no leaf."""
    if bundle == b"?":
        raise InputError("no leaf can be told", "look at the bundle")
    return CertificateFacts(
        subject="",
        issuer="CN=ca",
        subject_alternative_names=(),
        serial_number="0A",
        not_before=START,
        not_after=START,
        key="RSA 2048",
        sha256="",
        sha1="",
    )


class World:
    """One process of the program, without a screen; made on the loop in which its story runs.

    Args:
        scm: SCM; one of its own when None.
        disk: The disk, where the story has more processes than this one.
        name: The process.
        deadline_seconds: The bound of a poll window.
        reopen: Whether a window whose deadline passes is followed by a new one.
        proven: Whether SCM has accepted the credentials before.
        limit: How many requests may be in flight.
        seed: For all that is random.
        clock: The time; a new clock of the loop by default.
    """

    def __init__(
        self,
        *,
        scm: FakeScm | None = None,
        disk: Disk | None = None,
        name: str = "this process",
        deadline_seconds: float = 600.0,
        reopen: bool = False,
        proven: bool = True,
        limit: int = 4,
        seed: int = 0,
        clock: LoopClock | None = None,
    ) -> None:
        self.clock = clock or LoopClock()
        self.received: list[EngineEvent] = []
        self.scm = scm or FakeScm(self.clock)
        self.store = MemoryStore(self.clock, disk, name)
        self.limiter = RequestLimiter(limit)
        if proven:
            self.limiter.unlock()
        self.repository = OrderRepository(self.store, self.clock, self._publish)
        self.context = Context(
            client=lambda: self.scm,
            limiter=self.limiter,
            repository=self.repository,
            clock=self.clock,
            random=Random(seed),
            read_certificate=read_leaf,
            options=EngineOptions(deadline_seconds=deadline_seconds, reopen=reopen),
        )
        self.scheduler = Scheduler(self.context)

    def _publish(self, event: EngineEvent) -> None:
        self.received.append(event)
        self.scheduler.receive(event)

    def place(
        self,
        ssl_id: int,
        *replies: Reply | tuple[float, Reply],
        collect: Script | None = None,
        state: OrderState = OrderState.SUBMITTED,
        window: PollWindow | None = None,
    ) -> str:
        """Put an order on the disk, to be polled from now on, and give it its life at SCM; return its local id."""
        first, *later = replies or ("Applied",)
        assert not isinstance(first, tuple)
        self.scm.live(ssl_id, first, *(reply for reply in later if isinstance(reply, tuple)), collect=collect)
        now = self.clock.now()
        order = Order(
            id=f"order-{ssl_id}",
            state=state,
            state_since=now,
            created_at=now,
            origin=Origin.TRACKED,
            ssl_id=ssl_id,
            window=window or schedule.open_window(now, self.context.options.deadline_seconds),
        )
        self.store.plant(order)
        return order.id

    def order(self, ssl_id: int) -> Order:
        """Return an order as it stands."""
        order = self.store.order(f"order-{ssl_id}")
        assert order is not None
        return order

    def window(self, ssl_id: int) -> PollWindow:
        """Return an order's window as it stands."""
        window = self.order(ssl_id).window
        assert window is not None
        return window

    def poll(self, ssl_id: int) -> PollResult:
        """Return the newest poll of an order."""
        poll = self.order(ssl_id).last_poll
        assert poll is not None
        return poll

    def timeline(self, ssl_id: int) -> Sequence[TimelineEntry]:
        """Return an order's timeline."""
        return self.store.timeline(f"order-{ssl_id}")

    def all_heard(self, kind: type[A]) -> list[A]:
        """Return the events of a kind."""
        return [event for event in self.received if isinstance(event, kind)]

    async def pass_time(self, seconds: float) -> None:
        """Let time pass."""
        await self.clock.sleep(seconds)

    @asynccontextmanager
    async def polling(self) -> AsyncIterator[None]:
        """Poll while the block lasts; what breaks the supervisor breaks the test."""
        running = asyncio.create_task(self.scheduler.run())
        try:
            yield
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def poll_for(self, seconds: float) -> None:
        """Poll for a time."""
        async with self.polling():
            await self.pass_time(seconds)
