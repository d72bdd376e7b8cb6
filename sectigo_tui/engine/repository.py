"""The one way to change an order: durable first, published after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec.structs import replace

from sectigo_tui.domain.clock import Clock
from sectigo_tui.domain.errors import DuplicateOrder, RevisionConflict, StoreError
from sectigo_tui.domain.events import (
    BY_OPERATORS,
    EngineEvent,
    Operator,
    OrderChanged,
    StoreStateChanged,
    TimelineEntry,
)
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollResult
from sectigo_tui.domain.ports import OrderStore, Publish

T = TypeVar("T")

Change = Callable[[Order], tuple[Order, TimelineEntry | None] | None]
"""Takes an order as it stands and returns it changed, with what happened.

Without an entry the change is poll bookkeeping (window, last poll and last answer) alone; None when there is nothing
to change.
"""


class OrderRepository:
    """The local orders: every change is made durable, then published.

    Args:
        store: Where they are kept.
        clock: The time.
        publish: Called with every change, after it is durable.
        operator: Who acts here: entries of what an operator does name who did it.
    """

    def __init__(self, store: OrderStore, clock: Clock, publish: Publish, operator: Operator | None = None) -> None:
        self.store = store
        self.operator = operator or Operator()
        self._clock = clock
        self._publish = publish
        self._errors: dict[str, StoreError] = {}
        self._last_error = ""

    @property
    def failing(self) -> StoreError | None:
        """The oldest error of the store; None while it works."""
        return next(iter(self._errors.values()), None)

    def publish(self, event: EngineEvent) -> None:
        """Publish an event to every subscriber."""
        self._publish(event)

    async def add(
        self, order: Order, entry: TimelineEntry, *, check: Callable[[list[Order]], None] | None = None
    ) -> Order:
        """Make a new order durable, then publish it.

        Args:
            order: The order.
            entry: What happened.
            check: Rejects it by an `InputError` for what other processes have ordered; nothing comes in between.

        Raises:
            DuplicateOrder: Its sslId is a local order already.
            InputError: `check` rejected it.
            StoreError: It could not be written; nothing is published.
        """
        return await self._put(order, entry, check)

    async def change(self, order_id: str, change: Change, *, poll: PollResult | None = None) -> Order | None:
        """Change an order in its present state, and retry if another process changed it first.

        Args:
            order_id: The order.
            change: What to do with it; called again with the newer order after a conflict.
            poll: The poll that led to it, for the order's poll history.

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
                self.note(after, poll)
                return after
            try:
                stored = await self._put(after, entry)
            except RevisionConflict:
                continue
            if poll is not None:
                self.store.note(stored, poll)
            return stored
        return None

    def note(self, order: Order, poll: PollResult | None = None) -> None:
        """Remember poll bookkeeping, and publish it."""
        self.store.note(order, poll)
        self._publish(OrderChanged(order))

    async def record(self, order: Order, entry: TimelineEntry) -> None:
        """Make an entry durable that does not change the order, then publish it.

        Raises:
            StoreError: It could not be written; nothing is published.
        """
        entry = self.signed(entry)
        await self._write(self.store.record(entry))
        self._publish(OrderChanged(order, entry))

    def signed(self, entry: TimelineEntry) -> TimelineEntry:
        """Return an entry that names who did it, where an operator did."""
        is_named = entry.by is not None or entry.kind not in BY_OPERATORS or not self.operator.user
        return entry if is_named else replace(entry, by=self.operator)

    async def save_certificate(self, order_id: str, pem: bytes, *, aside: bool = False) -> str:
        """Keep a collected bundle and return its path; one that is not used is kept aside.

        Raises:
            StoreError: It could not be written.
        """
        return await self._write(self.store.save_certificate(order_id, pem, aside=aside), "certificates")

    def report_store_error(self, error: StoreError | None, concern: str = "writing") -> None:
        """Publish that the store fails, and when all of it works again.

        Of several things that fail the oldest is told, each once, however many calls meet it.

        Args:
            error: What failed; None when it works.
            concern: What the store was asked for: reading that works does not mean that writing does.
        """
        if error is not None:
            self._errors[concern] = error
        else:
            self._errors.pop(concern, None)
        words = str(self.failing or "")
        if words != self._last_error:
            self._last_error = words
            self._publish(StoreStateChanged(self._clock.now(), self.failing))

    def receive_store_state(self, error: StoreError | None) -> None:
        """Take the store's report: the saving error, or None once a write has succeeded again."""
        self.report_store_error(error, "saving")
        if error is None:
            self.report_store_error(None)

    async def _put(
        self, order: Order, entry: TimelineEntry, check: Callable[[list[Order]], None] | None = None
    ) -> Order:
        entry = self.signed(entry)
        stored = await self._write(self.store.put(order, entry, check=check))
        self._publish(OrderChanged(stored, entry))
        return stored

    async def _write(self, writing: Awaitable[T], concern: str = "writing") -> T:
        try:
            written = await writing
        except (RevisionConflict, DuplicateOrder):
            raise
        except StoreError as error:
            self.report_store_error(error, concern)
            raise
        self.report_store_error(None, concern)
        return written
