"""Who attends to an order: its owner, and notes for whoever comes next; nothing of it is sent to SCM."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec.structs import replace

from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.events import NAME_AT_MOST, NOTE_PREFIX, EventKind, TimelineEntry
from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.limits import MESSAGE_AT_MOST
from sectigo_tui.domain.orders import Order, OrderNote
from sectigo_tui.engine.context import Context


class People:
    """Writes notes on local orders, and says who owns them.

    Args:
        context: What every service works with.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    @property
    def you(self) -> str:
        """The name by which the operator here owns orders."""
        return self._context.repository.operator.name

    def owners(self) -> tuple[str, ...]:
        """Return everybody who owns a local order, by name."""
        names = {order.owner for order in self._context.repository.store.orders() if order.owner}
        return tuple(sorted(names, key=str.casefold))

    async def note(self, order_id: str, text: str) -> Order:
        """Write a note on an order.

        Args:
            order_id: The local order.
            text: What to write, at most 512 characters; it becomes one line.

        Raises:
            InputError: There is no such order, or nothing is written.
            StoreError: It could not be written.
        """
        line = one_line(text, MESSAGE_AT_MOST)
        if not line:
            raise InputError("the note is empty", "write what the next person should know")
        by = self._context.repository.operator.text

        def noted(order: Order, at: datetime) -> tuple[Order, TimelineEntry]:
            entry = _entry(order, at, EventKind.OPERATOR_NOTE, f"{NOTE_PREFIX}{line}")
            return replace(order, note=OrderNote(at, by, line)), entry

        return await self._change(order_id, noted)

    async def give(self, order_id: str, owner: str, *, instead_of: str | None = None) -> Order:
        """Take an order, give it to somebody, or let it go.

        Args:
            order_id: The local order.
            owner: The new owner, at most 64 characters; empty for nobody.
            instead_of: Who owned it when the operator decided; None where that does not matter.

        Raises:
            InputError: There is no such order, or somebody else has taken it meanwhile.
            StoreError: It could not be written.
        """
        name = one_line(owner, NAME_AT_MOST)

        def given(order: Order, at: datetime) -> tuple[Order, TimelineEntry] | None:
            if order.owner == name:
                return None
            if instead_of is not None and order.owner != instead_of:
                is_now = f"belongs to {order.owner} now" if order.owner else "belongs to nobody now"
                raise InputError(f"order {order.ssl_id or order.id} {is_now}", "look again, then decide")
            summary = f"owner {order.owner or 'nobody'} -> {name or 'nobody'}"
            return replace(order, owner=name), _entry(order, at, EventKind.OWNER, summary)

        return await self._change(order_id, given)

    async def _change(
        self, order_id: str, change: Callable[[Order, datetime], tuple[Order, TimelineEntry] | None]
    ) -> Order:
        now = self._context.clock.now()
        order = await self._context.repository.change(order_id, lambda order: change(order, now))
        if order is None:
            raise InputError(f"there is no local order {order_id}", "track it first")
        return order


def _entry(order: Order, at: datetime, kind: EventKind, summary: str) -> TimelineEntry:
    return TimelineEntry(at=at, order_id=order.id, kind=kind, summary=summary, ssl_id=order.ssl_id)
