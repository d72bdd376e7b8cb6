"""View 1: every order that is still pending. View 2: the orders placed or tracked here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sectigo_tui.domain.events import EngineEvent
from sectigo_tui.presentation.columns import cell
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.sorting import URGENCY
from sectigo_tui.presentation.table_columns import Cell
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.keys.key_names import filled
from sectigo_tui.ui.screens.view import View, ViewModel

if TYPE_CHECKING:
    from sectigo_tui.ui.dialogs.menu import MenuItem

_NONE_PENDING = "No order is pending: every order is a certificate, or has ended.\n{app.remote} lists the account; "


class PendingView(View):
    """What the on-call operator opens first."""

    TITLE = "Pending"
    WANTS_VERDICTS = True
    IS_TOP = True
    DEFAULT_SORT = (URGENCY, False)

    def __init__(self, model: ViewModel) -> None:
        super().__init__(model)
        self._kept: list[str] = []
        """Watched orders that are pending no more, as they are listed now."""
        self._just_listed: list[OrderRow] | None = None

    def rows(self) -> list[OrderRow]:
        """Return all pending orders, and watched ones that were pending until just now."""
        order_rows = self._model.order_rows
        pending = self._just_listed = order_rows.pending()
        known = {row.row_id for row in pending}
        self._kept = self._model.watchlist.still_kept()
        return pending + [order_rows.row(row_id) for row_id in self._kept if row_id not in known]

    def pending(self) -> list[OrderRow]:
        """Return all pending orders; those that were listed just now are not put together again."""
        listed, self._just_listed = self._just_listed, None
        return super().pending() if listed is None else listed

    def _cell(self, row_id: str, key: str, width: int) -> Cell:
        shown = super()._cell(row_id, key, width)
        if row_id not in self._kept or (row := self._rows[row_id]).is_open:
            return shown
        return Cell(shown.text, cell(row, "state", width, self._model.now).style)

    def _note(self, events: Sequence[EngineEvent]) -> None:
        super()._note(events)
        if self._model.watchlist.still_kept() != self._kept:
            self._changed_rows.list_changed()

    def _tick(self) -> None:
        super()._tick()
        if self.is_current and not self._is_frozen and self._model.watchlist.still_kept() != self._kept:
            self.reload()

    def sort_items(self) -> Sequence[MenuItem]:
        """Return the columns to sort by, and what is most urgent before them."""
        from sectigo_tui.ui.dialogs.menu import MenuItem

        note = "the certificate in use ends soonest, then slow orders, then the oldest"
        return (MenuItem(URGENCY, "u", self._sort_title(URGENCY, "URGENCY"), note=note), *super().sort_items())

    def empty_text(self) -> tuple[str, str]:
        """Return what an empty list means: none are pending only when SCM has said so."""
        account = self._model.order_rows.engine.account
        if account.failure is not None:
            failed = [status for status, query in account.queries.items() if query.failure is not None]
            which = f" with status {', '.join(failed)}" if len(failed) < len(account.queries) else ""
            error_text = printable(account.failure.reason, limit=200)
            again = filled(self, "{view.refresh} tries again.")
            return f"Could not load the account's orders{which}: {error_text}\n{again}", "failed"
        if account.refreshed_at is None:
            return "Asking SCM for pending orders ...", "muted"
        if account.unusable:
            rows = printable("; ".join(account.unusable), limit=500)
            return f"{len(account.unusable)} pending orders cannot be shown: {rows}", "failed"
        return f"{filled(self, _NONE_PENDING)}{self.enrolls()}.", "done"

    def is_asking(self) -> bool:
        """Return whether the account has not been listed yet."""
        return self._model.order_rows.engine.account.refreshed_at is None


_NONE_YET = "No local order yet.\n{view.track} on a remote order ({app.pending}, {app.remote}) tracks it; "


class LocalView(View):
    """All local orders."""

    TITLE = "Local"
    WANTS_VERDICTS = True

    def rows(self) -> list[OrderRow]:
        """Return all local orders."""
        return self._model.order_rows.local()

    def empty_text(self) -> tuple[str, str]:
        """Return how orders come to be local."""
        return f"{filled(self, _NONE_YET)}{self.enrolls()}.", "muted"
