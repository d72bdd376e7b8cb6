"""View 6: the validations of domains and organizations that end soon, and what will need them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content

from sectigo_tui.domain.limits import WITHIN_DAYS
from sectigo_tui.engine.diagnosis.ending import EndingValidation, EndingValidations
from sectigo_tui.presentation import format as fmt
from sectigo_tui.presentation.filters import words_filter
from sectigo_tui.presentation.rows import OrderRow, remote_id
from sectigo_tui.presentation.table_columns import Cell, Column
from sectigo_tui.presentation.text import printable
from sectigo_tui.presentation.validations import certificates_text, left_text, what_text
from sectigo_tui.ui.content.lines import labelled, untrusted
from sectigo_tui.ui.keys.key_names import filled
from sectigo_tui.ui.screens.view import WORDS_HINT, View, ViewModel

WITHIN_CHOICES = (WITHIN_DAYS, 90, 198, 398, 14)
SOON_DAYS = 14
ORDERS_NAMED = 20


class ValidationsView(View):
    """The validations that end within some days, soonest first."""

    TITLE = "Validations"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "within", "Within", id="validations.within", tooltip="Look further ahead, or less far"),
    ]
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column("expires", "ENDS", 10),
        Column("left", "LEFT", 5, align="right", ticking=True),
        Column("what", "WHAT", 30, narrow_width=22, share=3, max_width=60),
        Column("status", "SCM SAYS", 12, share=1, max_width=24, priority=2),
        Column("renewal", "NEXT ONE", 13, share=1, max_width=24, priority=3),
        Column("pending", "PEND", 4, align="right"),
        Column("certificates", "CERTS", 5, align="right"),
    )
    DEFAULT_SORT = ("", False)
    LISTS_ORDERS = False
    HAS_TERMS = False
    FILTER_HINT = WORDS_HINT

    def __init__(self, model: ViewModel) -> None:
        super().__init__(model)
        self._within_days = WITHIN_DAYS
        self._found: EndingValidations | None = None
        self._shown: dict[str, EndingValidation] = {}
        self._is_fetching = False

    def on_screen_resume(self) -> None:
        """Ask for what is not known, or has grown old; what other processes know costs nothing."""
        self._find()

    @property
    def row(self) -> OrderRow | None:
        """The first pending order that needs the validation under the cursor."""
        chosen = self._ending
        first = next((order for order in chosen.pending if order.ssl_id is not None), None) if chosen else None
        return self._model.order_rows.row(remote_id(first.ssl_id)) if first and first.ssl_id is not None else None

    @property
    def _ending(self) -> EndingValidation | None:
        return self._shown.get(self.table.cursor_id or "")

    def rows(self) -> list[OrderRow]:
        """Return nothing: this view lists validations."""
        return []

    def empty_text(self) -> tuple[str, str]:
        """Return what an empty list means: that nothing ends is said only when SCM has told so."""
        found = self._found
        if found is None:
            return "Asking SCM which validations end soon ...", "muted"
        if found.missing:
            again = filled(self, "{view.refresh} tries again.")
            return f"Not known: {printable('; '.join(found.missing), limit=400)}\n{again}", "failed"
        unused = "" if found.is_dcv_used else " SCM validates no domains for this customer."
        further = filled(self, "{validations.within} looks further ahead.")
        return f"No validation ends within {found.within_days} days.{unused}\n{further}", "done"

    def note(self) -> str:
        """Return how far ahead is looked, how old that is, and whether something is missing."""
        found = self._found
        parts = [f"{len(self._shown)} within {self._within_days} d"]
        if self._is_fetching:
            parts.append("asking")
        elif found is not None and found.as_of is not None:
            parts.append(f"as of {found.as_of:%H:%M}Z")
        if found is not None and found.missing:
            parts.append("INCOMPLETE")
        return ", ".join(parts)

    def _list(self) -> None:
        is_wanted = words_filter(self._query)
        rows = self._found.rows if self._found is not None else ()
        self._shown = {row.key: row for row in rows}
        self._shown = {key: row for key, row in self._shown.items() if is_wanted(self._text(key))}
        self.table.show_empty(*self._empty())
        self.table.update_rows(list(self._shown))

    def _text(self, row_id: str) -> str:
        return " ".join(self.cell_text(row_id, column.key) for column in self.COLUMNS)

    def _find(self, max_age_seconds: float | None = None) -> None:
        self._model.perform("listing validations", self._found_within(self._within_days, max_age_seconds))

    async def _found_within(self, within_days: int, max_age_seconds: float | None) -> None:
        diagnoser = self._model.now.diagnoser()
        if diagnoser is None:
            return
        self._is_fetching = True
        self._show_header()
        try:
            found = await diagnoser.ending.find(within_days, max_age_seconds=max_age_seconds)
        finally:
            self._is_fetching = False
        if self.is_running and within_days == self._within_days:
            self._found = found
            self.reload()

    def action_refresh(self) -> None:
        """Ask SCM for everything again."""
        self._find(0.0)

    def action_within(self) -> None:
        """Look further ahead; from the furthest, go back to the nearest."""
        following = (WITHIN_CHOICES.index(self._within_days) + 1) % len(WITHIN_CHOICES)
        self._within_days = WITHIN_CHOICES[following]
        self._found = None
        self.reload()
        self._find()

    def _cell(self, row_id: str, key: str, _width: int) -> Cell:
        row, now = self._shown[row_id], self._model.now.clock.now()
        left = left_text(row, now)
        is_soon = not row.has_ended and int(left.split()[0]) < SOON_DAYS
        style = "failed" if row.has_ended else "warning" if is_soon else ""
        cells = {
            "expires": Cell(fmt.format_when(row.expires)[:10], style),
            "left": Cell(left, style),
            "what": Cell(what_text(row) if row.level else printable(row.name)),
            "status": Cell(printable(row.status)),
            "renewal": Cell(printable(row.renewal), "muted"),
            "pending": Cell(str(len(row.pending)), "strong" if row.pending else "muted"),
            "certificates": Cell(certificates_text(row)),
        }
        return cells[key]

    def detail(self) -> Content:
        """Return what will need the validation under the cursor."""
        chosen = self._ending
        if chosen is None:
            return Content("No validation here.")
        pending = [(str(order.ssl_id or "-"), untrusted(order.common_name)) for order in chosen.pending[:ORDERS_NAMED]]
        more = len(chosen.pending) - ORDERS_NAMED
        if more > 0:
            pending.append(("", f"and {more} more"))
        facts = [
            ("SCM says", untrusted(chosen.status)),
            ("next one", untrusted(chosen.renewal)),
            ("method", untrusted(chosen.method)),
            ("certificates", f"{certificates_text(chosen)} issued will need it"),
            ("such as", untrusted(", ".join(chosen.examples))),
        ]
        blocks = [
            Content.assemble((untrusted(what_text(chosen)), "bold"), f"  ends {fmt.format_when(chosen.expires)}"),
            labelled(facts, self.pane.text_width),
        ]
        if pending:
            blocks += [Content.styled("Pending orders that need it", "bold"), labelled(pending, self.pane.text_width)]
        return Content("\n").join(block for block in blocks if block.plain)

    def action_sort(self) -> None:
        """Say why there is nothing to choose."""
        self._sort_by("", descending=False)

    def _sort_by(self, key: str, *, descending: bool) -> None:  # noqa: ARG002 - a list of ends has one order
        """Keep the soonest first."""
        self.show_message("What ends first stays first: {view.filter} filters them.")
