"""An order store in memory: one `Disk`, and a `MemoryStore` for each process that shares it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.clock import Clock
from sectigo_tui.domain.errors import DuplicateOrder, RevisionConflict, StoreError
from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollResult
from sectigo_tui.domain.ports import F, StoreChanges, StoreDamage

POLLS_KEPT = 50


@dataclass(slots=True)
class Disk:
    """What survives the end of a process, and what processes share.

    Args:
        orders: Every order, by id.
        entries: Every timeline entry, oldest first.
        looks: The poll history, by order.
        certificates: The collected bundles, by order.
        fetched: What was fetched from SCM and kept, by name.
        leases: Who may poll an order, and until when (monotonic seconds).
        writes: Every write: who made it, the order, and the entry.
    """

    orders: dict[str, Order] = field(default_factory=dict)
    entries: list[TimelineEntry] = field(default_factory=list)
    polls: dict[str, list[PollResult]] = field(default_factory=dict)
    certificates: dict[str, bytes] = field(default_factory=dict)
    fetched: dict[str, Struct] = field(default_factory=dict)
    leases: dict[str, tuple[str, float]] = field(default_factory=dict)
    writes: list[tuple[str, str, TimelineEntry | None]] = field(default_factory=list)


class MemoryStore:
    """A store as one process has it.

    Args:
        clock: For the leases.
        disk: What it shares with others; its own when None.
        name: The process.

    Attributes:
        failing: While set, every write fails with these words.
        closed: Whether it was closed.
    """

    def __init__(self, clock: Clock, disk: Disk | None = None, name: str = "this process") -> None:
        self.changed_elsewhere: asyncio.Event | None = None
        self.disk = disk if disk is not None else Disk()
        self.failing = ""
        self.closed = False
        self._clock = clock
        self._name = name
        self._known = dict(self.disk.orders)
        self._seen_writes = len(self.disk.writes)
        self.planted_damage: list[StoreDamage] = []

    def plant(self, order: Order) -> None:
        """Have an order on the disk as if it had always been there."""
        self.disk.orders[order.id] = self._known[order.id] = order

    @property
    def damage(self) -> tuple[StoreDamage, ...]:
        return tuple(self.planted_damage)

    @property
    def read_only(self) -> StoreError | None:
        return None

    def orders(self) -> list[Order]:
        return [order for order in self._known.values() if not order.removed]

    def order(self, order_id: str) -> Order | None:
        return self._known.get(order_id)

    def by_ssl_id(self, ssl_id: int) -> Order | None:
        return next((order for order in self.orders() if order.ssl_id == ssl_id), None)

    async def put(
        self, order: Order, entry: TimelineEntry, *, check: Callable[[list[Order]], None] | None = None
    ) -> Order:
        self._check_disk()
        if check is not None:
            check([each for each in self.disk.orders.values() if not each.removed])
        there = self.disk.orders.get(order.id)
        if there is not None and there.revision != order.revision:
            self._known[order.id] = there
            raise RevisionConflict(
                "memory", f"order {order.id} was changed by another process", "check it, then repeat"
            )
        if there is None and order.ssl_id is not None:
            for other in self.disk.orders.values():
                if other.ssl_id == order.ssl_id and not other.removed:
                    self._known[other.id] = other
                    raise DuplicateOrder("memory", other.id, order.ssl_id)
        stored = replace(order, revision=order.revision + 1)
        self.disk.entries.append(entry)
        self._write(stored, entry)
        return stored

    def note(self, order: Order, poll: PollResult | None = None) -> None:
        there = self.disk.orders[order.id]
        self._write(
            replace(there, window=order.window, last_poll=order.last_poll, last_answer_at=order.last_answer_at), None
        )
        if poll is not None:
            self.disk.polls.setdefault(order.id, []).append(poll)
            del self.disk.polls[order.id][:-POLLS_KEPT]

    def polls(self, order_id: str) -> Sequence[PollResult]:
        return tuple(self.disk.polls.get(order_id, ()))

    def timeline(self, order_id: str) -> Sequence[TimelineEntry]:
        return [entry for entry in self.disk.entries if entry.order_id == order_id]

    def entries(self, limit: int) -> Sequence[TimelineEntry]:
        return self.disk.entries[-limit:]

    async def record(self, entry: TimelineEntry) -> None:
        self._check_disk()
        self.disk.entries.append(entry)
        self.disk.writes.append((self._name, "", entry))

    async def until_history_is_read(self) -> None:
        """Return at once: the files are at hand."""

    async def changes(self) -> StoreChanges:
        self._check_disk()
        news = [write for write in self.disk.writes[self._seen_writes :] if write[0] != self._name]
        self._seen_writes = len(self.disk.writes)
        changed = {order_id: self.disk.orders[order_id] for _, order_id, _ in news if order_id}
        self._known.update(changed)
        return StoreChanges(tuple(changed.values()), tuple(entry for _, _, entry in news if entry is not None))

    async def lease(self, order_ids: Iterable[str], seconds: float) -> frozenset[str]:
        self._check_disk()
        now, mine = self._clock.monotonic(), set()
        for order_id in order_ids:
            owner, until = self.disk.leases.get(order_id, (self._name, now))
            if owner == self._name or until <= now:
                self.disk.leases[order_id] = (self._name, now + seconds)
                mine.add(order_id)
        return frozenset(mine)

    async def release(self) -> None:
        self._check_disk()
        for order_id in [order_id for order_id, (owner, _) in self.disk.leases.items() if owner == self._name]:
            del self.disk.leases[order_id]

    def poller(self) -> str:
        return next((owner for owner, _ in self.disk.leases.values() if owner != self._name), "")

    async def save_certificate(self, order_id: str, pem: bytes, *, aside: bool = False) -> str:
        self._check_disk()
        name = f"{order_id}.refused" if aside else order_id
        self.disk.certificates[name] = pem
        return f"certificates/{name}.pem"

    async def fetched(self, name: str, kind: type[F]) -> F | None:
        found = self.disk.fetched.get(name)
        return found if isinstance(found, kind) else None

    async def keep_fetched(self, name: str, record: Struct) -> None:
        self._check_disk()
        self.disk.fetched[name] = record

    async def certificate_file(self, order: Order) -> str:
        """Return where an order's collected bundle lies."""
        return order.certificate_path

    async def close(self) -> None:
        self.closed = True

    def _write(self, order: Order, entry: TimelineEntry | None) -> None:
        self.disk.orders[order.id] = self._known[order.id] = order
        self.disk.writes.append((self._name, order.id, entry))

    def _check_disk(self) -> None:
        if self.failing:
            raise StoreError("memory", self.failing, "make room")
