"""The one way to change an order: durable first, announced after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sectigo_tui.domain.clock import Clock
from sectigo_tui.domain.errors import DuplicateOrder, RevisionConflict, StoreError
from sectigo_tui.domain.events import Announcement, OrderChanged, StoreTrouble, TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import Look
from sectigo_tui.domain.ports import Announce, OrderStore

T = TypeVar("T")

Change = Callable[[Order], tuple[Order, TimelineEntry | None] | None]
"""Takes an order as it stands and returns it changed, with what happened.

Without an entry the change is poll bookkeeping (window, last look and last answer) alone; None when there is nothing
to change.
"""


class OrderBook:
    """Local orders, as the engine changes them and as everybody hears of it.

    Args:
        store: Where they are kept.
        clock: The time.
        announce: Hears of every change, after it is durable.
    """

    def __init__(self, store: OrderStore, clock: Clock, announce: Announce) -> None:
        self.store = store
        self._clock = clock
        self._announce = announce
        self._troubles: dict[str, StoreError] = {}
        self._told = ""

    @property
    def failing(self) -> StoreError | None:
        """What is the matter with the store, the oldest first; None while it works."""
        return next(iter(self._troubles.values()), None)

    def announce(self, announcement: Announcement) -> None:
        """Tell everybody."""
        self._announce(announcement)

    async def add(
        self, order: Order, entry: TimelineEntry, *, check: Callable[[list[Order]], None] | None = None
    ) -> Order:
        """Make a new order durable, then announce it.

        Args:
            order: The order.
            entry: What happened.
            check: Refuses it by an `InputError` for what other processes have ordered; nothing comes in between.

        Raises:
            DuplicateOrder: Its sslId is a local order already.
            InputError: `check` refused it.
            StoreError: It could not be written; nothing is announced.
        """
        return await self._put(order, entry, check)

    async def change(self, order_id: str, change: Change, *, look: Look | None = None) -> Order | None:
        """Change an order as it stands, again if somebody else changed it first.

        Args:
            order_id: The order.
            change: What to do with it; called again with the newer order after a conflict.
            look: The look that led to it, for the order's poll history.

        Returns:
            The order as it is now; None when there is no such order.

        Raises:
            StoreError: The change could not be written; the order is as it was.
        """
        while (order := self.store.order(order_id)) is not None:
            changed = change(order)
            if changed is None:
                return order
            after, entry = changed
            if entry is None:
                self.note(after, look)
                return after
            try:
                stored = await self._put(after, entry)
            except RevisionConflict:
                continue
            if look is not None:
                self.store.note(stored, look)
            return stored
        return None

    def note(self, order: Order, look: Look | None = None) -> None:
        """Remember poll bookkeeping, and announce it."""
        self.store.note(order, look)
        self._announce(OrderChanged(order))

    async def record(self, order: Order, entry: TimelineEntry) -> None:
        """Make an entry durable that does not change the order, then announce it.

        Raises:
            StoreError: It could not be written; nothing is announced.
        """
        await self._write(self.store.record(entry))
        self._announce(OrderChanged(order, entry))

    async def save_certificate(self, order_id: str, pem: bytes, *, aside: bool = False) -> str:
        """Keep a collected bundle and return its path; one that is not used is kept aside.

        Raises:
            StoreError: It could not be written.
        """
        return await self._write(self.store.save_certificate(order_id, pem, aside=aside), "certificates")

    def trouble(self, error: StoreError | None, concern: str = "writing") -> None:
        """Announce that the store fails, and when all of it works again.

        Of several things that fail the oldest is told, each once, however many calls meet it.

        Args:
            error: What failed; None when it works.
            concern: What the store was asked for: reading that works does not mean that writing does.
        """
        if error is not None:
            self._troubles[concern] = error
        else:
            self._troubles.pop(concern, None)
        words = str(self.failing or "")
        if words != self._told:
            self._told = words
            self._announce(StoreTrouble(self._clock.now(), self.failing))

    def hear_store(self, error: StoreError | None) -> None:
        """Take what the store says of all that it saves: what fails; None once a trial has shown that it works."""
        self.trouble(error, "saving")
        if error is None:
            self.trouble(None)

    async def _put(
        self, order: Order, entry: TimelineEntry, check: Callable[[list[Order]], None] | None = None
    ) -> Order:
        stored = await self._write(self.store.put(order, entry, check=check))
        self._announce(OrderChanged(stored, entry))
        return stored

    async def _write(self, writing: Awaitable[T], concern: str = "writing") -> T:
        try:
            written = await writing
        except (RevisionConflict, DuplicateOrder):
            raise
        except StoreError as error:
            self.trouble(error, concern)
            raise
        self.trouble(None, concern)
        return written
