"""View 7: until when each certificate's renewal is to be ordered, and what would hold it up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import ClassVar

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content

from sectigo_tui.domain.certificates import ListingRow
from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.domain.events import EngineEvent
from sectigo_tui.domain.limits import HORIZON_DAYS, REACH_DAYS
from sectigo_tui.engine.account.renewals import Renewal, Timing
from sectigo_tui.presentation import renewals as shown
from sectigo_tui.presentation.rows import OrderRow, remote_id
from sectigo_tui.presentation.table_columns import Cell, Column
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.content.lines import labelled
from sectigo_tui.ui.keys.key_names import filled
from sectigo_tui.ui.screens.view import WIDEST_CELLS, View, ViewModel


class RenewalsView(View):
    """Certificates that expire soon, the one whose renewal is most urgent first."""

    TITLE = "Renewals"
    WANTS_VERDICTS = True
    LISTS_ORDERS = False
    FILTER_KIND = "renewals"
    TERMS = shown.TERMS
    FILTER_HINT = "filter: words and terms, as late|due val:ov by<14d holds; !not"
    COLUMNS: ClassVar[Sequence[Column]] = shown.COLUMNS
    DEFAULT_SORT = ("order_by", False)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("K", "calendar", "Calendar", id="view.calendar", tooltip="Orders to place in each of the coming weeks"),
    ]

    def __init__(self, model: ViewModel) -> None:
        super().__init__(model)
        self._renewals: dict[str, Renewal] = {}
        self._all: list[Renewal] = []
        self._shown_as: tuple[object, ...] = ()
        self._is_partial = False

    @property
    def _today(self) -> date:
        return self._model.now.clock.now().date()

    def rows(self) -> list[OrderRow]:
        """Return nothing: this view lists certificates."""
        return []

    def on_screen_resume(self) -> None:
        """List again, and read the certificates at once where no run has read them: somebody waits for them."""
        self.reload()
        self._read_first()

    @work(group="read renewals", exclusive=True, exit_on_error=False)
    async def _read_first(self) -> None:
        if self.is_asking():
            await self._model.order_rows.engine.renewals.load()
        if self.is_asking():
            self.action_refresh()

    def order_row_of(self, row_id: str) -> OrderRow:
        """Return what is known of a certificate's order now."""
        renewal = self._renewals.get(row_id)
        if renewal is None:
            return self._model.order_rows.row(row_id)
        certificate = renewal.certificate
        names = certificate.subject_alternative_names
        return self._model.order_rows.row(row_id, ListingRow(certificate.ssl_id, certificate.common_name, names))

    def empty_text(self) -> tuple[str, str]:
        """Return what an empty list means: no certificate is due only when the account has been read."""
        renewals = self._model.order_rows.engine.renewals
        if renewals.failure is not None and renewals.in_use.read_at is None:
            reason = printable(renewals.failure.reason, limit=200)
            again = filled(self, "{view.refresh} tries again.")
            return f"Could not read the certificates in use: {reason}\n{again}", "failed"
        if renewals.in_use.read_at is None:
            return "Asking SCM for the certificates in use ...", "muted"
        if self._all and self._query.strip():
            return self.nothing_matches(self._query), "muted"
        return f"No certificate expires within {HORIZON_DAYS} days.", "done"

    def recommended(self, row_ids: Sequence[str]) -> tuple[str, str]:
        """Return that certificates are to be renewed whose renewal is late or due."""
        chosen = [self._renewals[row_id] for row_id in row_ids if row_id in self._renewals]
        if not chosen or any(one.timing not in (Timing.LATE, Timing.DUE) for one in chosen):
            return "", ""
        first = min(one.order_by for one in chosen)
        late = any(one.timing is Timing.LATE for one in chosen)
        return "renew", f"{'late: it was to be ordered' if late else 'due: order it'} by {first}"

    def is_asking(self) -> bool:
        """Return whether the certificates have not been read yet."""
        return self._model.order_rows.engine.renewals.in_use.read_at is None

    def note(self) -> str:
        """Return how many are late and due, and what was not read."""
        if self._is_partial:
            return "listing"
        late = sum(one.timing is Timing.LATE for one in self._all)
        due = sum(one.timing is Timing.DUE for one in self._all)
        in_use = self._model.order_rows.engine.renewals.in_use
        parts = [f"{late} late" if late else "", f"{due} due" if due else ""]
        if in_use.to_read:
            parts.append(f"{in_use.to_read:,} not read yet")
        if len(self._renewals) != len(self._all):
            parts.append(f"{len(self._renewals)} shown")
        return ", ".join(filter(None, parts))

    def detail(self) -> Content:
        """Return what is known of the certificate under the cursor, its renewal first."""
        row_id = self.table.cursor_id
        renewal = self._renewals.get(row_id) if row_id is not None else None
        if renewal is None:
            return super().detail()
        facts = [(label, printable(text, limit=400)) for label, text in shown.detail_lines(renewal, self._today)]
        return Content("\n\n").join((labelled(facts, self.pane.text_width), super().detail()))

    def _list(self) -> None:
        self.table.show_empty(*self._empty())
        self._find()

    @work(group="renewals", exclusive=True, exit_on_error=False)
    async def _find(self) -> None:
        """List what is due; of thousands of certificates that takes a moment, in which the screen goes on."""
        renewals = self._model.order_rows.engine.renewals
        if renewals.in_use.read_at is None:
            # What an earlier run has kept is shown at once, before SCM has accepted anything.
            await renewals.load()
        if not self._shown_as and not self._query and (self._sort, self._is_descending) == self.DEFAULT_SORT:
            self._all, self._is_partial = renewals.soonest(), True
            self._arrange()
            # They are painted before the whole plan takes the processor.
            painted = asyncio.Event()
            self.call_after_refresh(painted.set)
            await painted.wait()
        found = await renewals.due()
        self._is_partial = False
        shown_as = (self._query, self._sort, self._is_descending, self._today, self.is_asking())
        if found != self._all or shown_as != self._shown_as:
            self._all, self._shown_as = found, shown_as
            self._arrange()

    def _arrange(self) -> None:
        wanted = shown.RenewalFilter(self._query, self._today)
        chosen = [one for one in self._all if wanted.test(one)]
        if self._sort in shown.SORTS:
            by = shown.SORTS[self._sort]
            chosen.sort(key=lambda one: (*by(one), one.certificate.ssl_id), reverse=self._is_descending)
        self._renewals = {remote_id(one.certificate.ssl_id): one for one in chosen}
        self._rows = {row_id: self._rows[row_id] for row_id in self._renewals if row_id in self._rows}
        self.table.show_empty(*self._empty())
        self.fold()
        self.table.update_rows(list(self._renewals))
        self._show_header()
        self.show_detail()

    def filter_error(self) -> str:
        """Return what is wrong with the filter; empty where nothing is."""
        return shown.RenewalFilter(self._query, self._today).error_text

    def _term_values(self) -> Mapping[str, Iterable[str]]:
        return {"profile:": {word for one in self._all for word in one.certificate.profile_name.casefold().split()}}

    def fold(self) -> None:
        """Leave out the columns that are empty for every certificate."""
        keys = [column.key for column in self.COLUMNS if column.folds]
        self.table.fold(
            key for key in keys if not any(self.cell_text(row_id, key).strip() for row_id in self._renewals)
        )

    def shows(self, row_id: str) -> bool:
        """Return whether a row is listed."""
        return row_id in self._renewals

    def cell_text(self, row_id: str, key: str) -> str:
        """Return what a cell of a row says, however narrow the screen is."""
        return self._cell(row_id, key, WIDEST_CELLS).text

    def _cell(self, row_id: str, key: str, width: int) -> Cell:  # noqa: ARG002 - a cell is cut where it is painted
        return shown.renewal_cell(self._renewals[row_id], key, self._today, self._blocked_on)

    def _blocked_on(self, ssl_id: int) -> str:
        diagnoser = self._model.now.diagnoser()
        return diagnoser.cheap(ssl_id).cell if diagnoser is not None else ""

    def _note(self, events: Sequence[EngineEvent]) -> None:
        """Take note that the list may have changed; it is made anew with the next tick."""
        super()._note(events)
        self._is_out_of_order = True

    def action_refresh(self) -> None:
        """Read the certificates in use again; what was read within a quarter of an hour is not."""
        self._model.perform("read the certificates in use", self._refresh())

    async def _refresh(self) -> None:
        renewals = self._model.order_rows.engine.renewals
        try:
            was_read = await renewals.refresh()
        except ScmFailure:
            self.reload()
            raise
        await renewals.learn()
        if not was_read:
            self.show_message("Read within a quarter of an hour: a report costs the CA too much to ask sooner.")
        self.reload()

    def action_calendar(self) -> None:
        """Show how many orders are to be placed in each of the coming weeks."""
        self._show_calendar()

    @work(group="renewals calendar", exclusive=True, exit_on_error=False)
    async def _show_calendar(self) -> None:
        from sectigo_tui.ui.dialogs.confirm import Reading

        renewals = self._model.order_rows.engine.renewals
        found = await renewals.due(within_days=REACH_DAYS)
        lines = shown.calendar_lines(found, self._today, margin_days=renewals.margin_days, glyph=self._bar_glyph())
        note = "Orders to place, if every new certificate had a term of so many days."
        self.app.push_screen(Reading("Calendar of renewals", note, "\n".join(lines)))

    def _bar_glyph(self) -> str:
        from sectigo_tui.presentation.glyphs import ASCII

        return "#" if self._model.now.glyphs is ASCII else "▆"
