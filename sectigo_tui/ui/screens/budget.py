"""View 5: what is polled next and why then, and what the requests came to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from sectigo_tui.engine.diagnosis.budget import DueLook, PollBudget, Tally, poll_budget
from sectigo_tui.ui import format as fmt
from sectigo_tui.ui.board import Subject, remote_id
from sectigo_tui.ui.screens.view import View
from sectigo_tui.ui.text import printable
from sectigo_tui.ui.view_model import ViewModel
from sectigo_tui.ui.widgets.live_table_columns import Column
from sectigo_tui.ui.widgets.live_table_paint import Cell


class BudgetView(View):
    """The next looks, nearest first, under what polling has cost."""

    TITLE = "Budget"
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column("next", "NEXT", fmt.COUNTDOWN_WIDTH, ticking=True),
        Column("ssl_id", "SSLID", 9, align="right", priority=2),
        Column("common_name", "COMMON NAME", 24, narrow_width=16, share=1, max_width=44, priority=3),
        Column("looks", "TRIES", 5, align="right", priority=4),
        Column("why", "WHY THEN", 26, share=3),
    )
    DEFAULT_SORT = ("", False)
    LISTS_ORDERS = False

    def __init__(self, model: ViewModel) -> None:
        super().__init__(model)
        self._due: dict[str, DueLook] = {}

    def compose(self) -> ComposeResult:
        """Put what polling has cost above the list."""
        parts = list(super().compose())
        yield parts[0]
        yield Static(id="tally", markup=False)
        yield from parts[1:]

    def subjects(self) -> list[Subject]:
        """Return nothing: this view lists looks."""
        return []

    def empty_text(self) -> tuple[str, str]:
        """Return what an empty list means."""
        return "No look is due: no local order is polled.\nt on a remote order (1, 3) tracks it.", "muted"

    def note(self) -> str:
        """Return how many looks are listed."""
        return f"{len(self._due)} due"

    def _list(self) -> None:
        engine = self._model.board.engine
        budget = poll_budget(engine.context, engine.supervisor, engine.health)
        words = self._query.casefold().split()
        self._due = {
            (remote_id(look.ssl_id) if look.ssl_id is not None else look.order_id): look
            for look in budget.due
            if all(word in f"{look.ssl_id} {look.common_name} {look.why}".casefold() for word in words)
        }
        self.query_one("#tally", Static).update(budget_content(budget))
        self.table.show_empty(*self._empty())
        self.table.update_rows(list(self._due))

    def _tick(self) -> None:
        if self.is_current and not self._is_frozen:
            self.reload()
        else:
            super()._tick()

    def _cell(self, row_id: str, key: str, _width: int) -> Cell:
        look = self._due[row_id]
        match key:
            case "next":
                left = (look.due_at - self._model.now.clock.now()) / timedelta(seconds=1)
                is_now = look.is_looking or left <= 0
                return Cell(fmt.next_word("poll") if is_now else fmt.countdown(left), "strong" if is_now else "")
            case "ssl_id":
                return Cell(str(look.ssl_id or "-"))
            case "common_name":
                return Cell(look.common_name)
            case "looks":
                return Cell(str(look.looks))
            case _:
                return Cell(look.why)

    def _sort_by(self, key: str, *, descending: bool) -> None:  # noqa: ARG002 - a budget has one order
        """Keep the nearest first."""
        self.say("The nearest look stays first: / filters them.")


def budget_content(budget: PollBudget) -> Content:
    """Return what polling has cost, in a few lines."""
    lines = [
        _tally("last minute", budget.minute),
        _tally("last hour", budget.hour),
        Content(
            f"in flight    {budget.in_flight} of {budget.limit}; {budget.due_in_total} orders polled, "
            f"{len(budget.unpolled)} pending but not polled any more"
        ),
    ]
    if budget.retry_after_until is not None:
        text = f"Retry-After  SCM asked not to be asked until {budget.retry_after_until:%H:%M:%S}Z"
        lines.append(Content.styled(text, "$state-warning"))
    if budget.refused:
        lines.append(Content.styled(f"held back    {printable(budget.refused)}", "$state-failed"))
    if budget.poller:
        lines.append(Content(f"polled by    {printable(budget.poller)}"))
    return Content("\n").join(lines)


def _tally(label: str, tally: Tally) -> Content:
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in tally.by_outcome.items()) or "none"
    latency = ""
    if tally.p50_seconds is not None:
        parts = (tally.p50_seconds, tally.p90_seconds, tally.slowest_seconds)
        latency = "; p50 {}, p90 {}, slowest {}".format(*(fmt.latency(part).strip() for part in parts))
    return Content(f"{label:<12} {tally.requests} requests: {outcomes}{latency}")
