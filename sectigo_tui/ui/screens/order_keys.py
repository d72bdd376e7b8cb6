"""What can be done from every view with the order under the cursor, without a question asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.content.detail import detail_text
from sectigo_tui.ui.screens.table_screen import TableScreen
from sectigo_tui.ui.view_model import ViewModel
from sectigo_tui.ui.widgets.error_pane import ErrorPane


class OrderKeys(TableScreen):
    """Polls, tracks and copies orders, and acknowledges failures.

    Args:
        model: What is shown.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "poll", "Poll", id="view.poll", tooltip="Poll this order, or the marked ones, now"),
        Binding("R", "refresh", "Refresh", id="view.refresh", tooltip="List the account's orders again"),
        Binding("t", "track", "Track", id="view.track", tooltip="Make remote orders local, and poll them"),
        Binding("c", "copy", "Copy", show=False, id="view.copy", tooltip="Copy this order's facts"),
        Binding("x", "acknowledge", "Ack", show=False, id="view.acknowledge", tooltip="Dismiss the latest error"),
        Binding("X", "acknowledge_all", "Ack all", show=False, id="view.acknowledge_all", tooltip="Dismiss all errors"),
    ]

    def __init__(self, model: ViewModel) -> None:
        super().__init__(model.now.glyphs)
        self._model = model
        self._timeline: tuple[tuple[str, int], Sequence[TimelineEntry]] = (("", 0), ())

    @property
    def row(self) -> OrderRow | None:
        """The order under the cursor."""
        row_id = self.table.cursor_id
        return self.order_row_of(row_id) if row_id is not None else None

    def order_row_of(self, row_id: str) -> OrderRow:
        """Return what is known of a row now."""
        return self._model.order_rows.row(row_id)

    def action_poll(self) -> None:
        """Poll the marked orders, or the one under the cursor, now or as soon as the schedule's spacing allows."""
        marked = [self.order_row_of(row_id) for row_id in sorted(self.table.marks)]
        chosen = marked or ([self.row] if self.row is not None else [])
        polled = [row.order for row in chosen if row.order is not None and row.order.state.is_polled]
        for order in polled:
            self._model.perform("poll now", self._model.order_rows.engine.scheduler.open_window(order.id))
        words = _not_polled(chosen, len(polled))
        if words:
            self.show_message(words)

    def action_refresh(self) -> None:
        """List the account's pending orders again."""
        self._model.perform("list the account", self._model.order_rows.engine.account.refresh_pending())

    def action_track(self) -> None:
        """Make the marked remote orders local, or the one under the cursor."""
        marked = [self.order_row_of(row_id) for row_id in self.table.marks]
        chosen = marked or ([self.row] if self.row is not None else [])
        remote = sorted(one.ssl_id for one in chosen if one.order is None and one.ssl_id is not None)
        if not remote:
            self.show_message(
                "There is nothing to track: what is chosen is local already." if chosen else "No order here."
            )
        for ssl_id in remote:
            self._model.perform(f"track sslId {ssl_id}", self._track(ssl_id))
        self.unmark(one.row_id for one in marked if one.ssl_id not in remote)

    async def _track(self, ssl_id: int) -> None:
        marked = [row_id for row_id in self.table.marks if self.order_row_of(row_id).ssl_id == ssl_id]
        await self._model.order_rows.engine.track(ssl_id)
        self.unmark(marked)

    def unmark(self, row_ids: Iterable[str]) -> None:
        """Take the marks of rows away for which it was done; what failed stays marked, to be tried again."""
        self.table.unmark(list(row_ids))

    def action_copy(self) -> None:
        """Copy the facts of the order under the cursor."""
        row = self.row
        if row is None:
            self.show_message("There is no order here to copy.")
            return
        self.app.copy_to_clipboard(detail_text(row, self._timeline_of(row.order), self._model.now))
        self.notify(f"Copied the facts of {printable(row.common_name, limit=40)}.", markup=False)

    def action_acknowledge(self) -> None:
        """Take the newest failure off the screen."""
        self._model.errors.acknowledge()
        self._show_errors()

    def action_acknowledge_all(self) -> None:
        """Take all failures off the screen."""
        self._model.errors.acknowledge_all()
        self._show_errors()

    def _show_errors(self) -> None:
        self.query_one("#errors", ErrorPane).show(self._model.errors.open)

    def _timeline_of(self, order: Order | None) -> Sequence[TimelineEntry]:
        """Return an order's timeline; it is read from the disk only when the order has changed."""
        if order is None:
            return ()
        key = (order.id, order.revision)
        if self._timeline[0] != key:
            self._timeline = (key, self._model.order_rows.engine.orders.timeline(order.id))
        return self._timeline[1]


def _not_polled(chosen: Sequence[OrderRow], polled: int) -> str:
    """Return why orders that were chosen are not polled; empty when all are.

    Args:
        chosen: The orders.
        polled: How many of them are polled.
    """
    remote = sum(row.order is None for row in chosen)
    if len(chosen) > 1:
        ended = len(chosen) - remote - polled
        why = [f"{remote} remote ({{view.track}} tracks them)"] if remote else []
        why += [f"{ended} not pending"] if ended else []
        begun = f"{polled} marked orders are polled now" if polled else "No marked order is polled"
        return f"{begun}, not {' and '.join(why)}." if why else f"{begun}."
    if not chosen:
        return "There is no order here to poll."
    if remote:
        return "This order is remote: {view.track} tracks it, then it is polled."
    order = chosen[0].order
    return "" if polled or order is None else f"This order is {order.state}: only pending orders are polled."
