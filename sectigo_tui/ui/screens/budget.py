"""View 5: what is polled next and why then, and what the requests came to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from sectigo_tui.domain.events import EngineEvent, OrderChanged, PollFinished, PollStarted
from sectigo_tui.engine.polling.budget import ANSWERED, DuePoll, EvidenceBudget, PollBudget, Tally
from sectigo_tui.presentation.filters import words_filter
from sectigo_tui.presentation.format import COUNTDOWN_WIDTH, countdown, latency, next_word
from sectigo_tui.presentation.pictures import pending_by_day
from sectigo_tui.presentation.rows import OrderRow, remote_id
from sectigo_tui.presentation.table_columns import Cell, Column
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.content.lines import Fact, labelled
from sectigo_tui.ui.content.pictures import pending_lines
from sectigo_tui.ui.keys.key_names import filled
from sectigo_tui.ui.screens.view import WORDS_HINT, View, ViewModel
from sectigo_tui.ui.widgets.header_line import HeaderLine

COUNT_SECONDS = 60.0
ENTRIES_READ = 5_000
"""How many of the newest entries of all timelines say what was pending day by day."""
TALLY_SECONDS = 5.0
"""How often the tally of requests is updated: it covers an hour, and nobody reads it faster."""
_NONE_DUE = (
    "No poll is due: no local order is polled.\n{view.track} on a remote order ({app.pending}, {app.remote}) tracks it."
)

_ALL_PASSED = (
    "No poll is due: polling of every pending local order has ended.\n"
    "{view.poll} on an order ({app.pending}) polls it again."
)


class BudgetView(View):
    """The next polls, nearest first, under what polling has cost."""

    DEFAULT_CSS = "BudgetView #tally { height: auto; padding: 0 1; background: $surface; }"
    TITLE = "Budget"
    COLUMNS: ClassVar[Sequence[Column]] = (
        Column("next", "NEXT", COUNTDOWN_WIDTH, ticking=True),
        Column("ssl_id", "SSLID", 9, align="right", priority=2),
        Column("common_name", "COMMON NAME", 24, narrow_width=16, share=1, max_width=44, priority=3),
        Column("attempts", "TRIES", 5, align="right", priority=4),
        Column("why", "WHY THEN", 30, share=3, max_width=60),
    )
    DEFAULT_SORT = ("", False)
    LISTS_ORDERS = False
    HAS_TERMS = False
    FILTER_HINT = WORDS_HINT

    def __init__(self, model: ViewModel) -> None:
        super().__init__(model)
        self._due: dict[str, DuePoll] = {}
        self._due_in_total = 0
        self._is_any_unpolled = False
        self._tallied_at: datetime | None = None
        self._counted_at: datetime | None = None
        self._counted: Mapping[str, Sequence[int | None]] = {}

    def compose(self) -> ComposeResult:
        """Put what polling has cost above the list."""
        for widget in super().compose():
            yield widget
            if isinstance(widget, HeaderLine):
                yield Static(id="tally", markup=False)

    def rows(self) -> list[OrderRow]:
        """Return nothing: this view lists polls."""
        return []

    def empty_text(self) -> tuple[str, str]:
        """Return what an empty list means."""
        return filled(self, _ALL_PASSED if self._is_any_unpolled else _NONE_DUE), "muted"

    def note(self) -> str:
        """Return how many polls are listed, and of how many."""
        listed = len(self._due)
        return f"{listed} due" if listed == self._due_in_total else f"{listed} of {self._due_in_total} due"

    def _list(self) -> None:
        engine = self._model.order_rows.engine
        budget = engine.poll_budget()
        is_wanted = words_filter(self._query)
        self._due = {
            (remote_id(poll.ssl_id) if poll.ssl_id is not None else poll.order_id): poll
            for poll in budget.due
            if is_wanted(f"{poll.ssl_id} {poll.common_name} {poll.polls} {poll.why}")
        }
        self._due_in_total = budget.due_in_total
        self._is_any_unpolled = bool(budget.unpolled)
        self._show_tally(budget)
        self.table.show_empty(*self._empty())
        self.table.update_rows(list(self._due))

    def _note(self, events: Sequence[EngineEvent]) -> None:
        """Take note that the polls are due in another order; they are listed anew with the next tick."""
        self._is_out_of_order = self._is_out_of_order or any(
            isinstance(one, PollStarted | PollFinished | OrderChanged) for one in events
        )

    def _tick(self) -> None:
        super()._tick()
        if self.is_current and not self._is_frozen and self._is_tally_old():
            engine = self._model.order_rows.engine
            self._show_tally(engine.poll_budget(rows=0))

    def _is_tally_old(self) -> bool:
        now = self._model.now.clock.now()
        return self._tallied_at is None or now - self._tallied_at >= timedelta(seconds=TALLY_SECONDS)

    def _show_tally(self, budget: PollBudget) -> None:
        if self._is_tally_old():
            self._tallied_at = budget.at
            drawn = pending_lines(self._pending_by_day(), self._model.now.glyphs)
            self.query_one("#tally", Static).update(budget_content(budget, self.size.width - 2, drawn))

    def _pending_by_day(self) -> Mapping[str, Sequence[int | None]]:
        """Return what was pending day by day; timelines are read again when a minute has passed."""
        now = self._model.now.clock.now()
        if self._counted_at is None or now - self._counted_at >= timedelta(seconds=COUNT_SECONDS):
            self._counted_at = now
            entries = self._model.order_rows.engine.orders.entries(ENTRIES_READ)
            self._counted = pending_by_day(entries, now, is_all=len(entries) < ENTRIES_READ)
        return self._counted

    def _cell(self, row_id: str, key: str, _width: int) -> Cell:
        poll = self._due[row_id]
        match key:
            case "next":
                left = (poll.due_at - self._model.now.clock.now()) / timedelta(seconds=1)
                is_now = poll.is_polling or left <= 0
                return Cell(next_word("poll") if is_now else countdown(left), "strong" if is_now else "")
            case "ssl_id":
                return Cell(str(poll.ssl_id or "-"))
            case "common_name":
                return Cell(poll.common_name)
            case "attempts":
                return Cell(str(poll.polls))
            case _:
                return Cell(poll.why)

    def action_sort(self) -> None:
        """Say why there is nothing to choose."""
        self._sort_by("", descending=False)

    def _sort_by(self, key: str, *, descending: bool) -> None:  # noqa: ARG002 - a budget has one order
        """Keep the nearest first."""
        self.show_message("The nearest poll stays first: {view.filter} filters them.")


def budget_content(budget: PollBudget, width: int, drawn: Iterable[Fact] = ()) -> Content:
    """Return what polling has cost, in a few lines.

    Args:
        budget: The poll budget.
        width: The cells of a line.
        drawn: Lines that are drawn, which stand below.
    """
    no_more = f"; pending, but polled no more: {len(budget.unpolled)}" if budget.unpolled else ""
    facts: list[tuple[str, str | Content]] = [
        ("last minute", _tally(budget.minute)),
        ("last hour", _tally(budget.hour)),
        ("in flight", f"{budget.in_flight} of {budget.limit}; polled: {budget.due_in_total}{no_more}"),
    ]
    if budget.evidence is not None:
        facts.append(("evidence", _evidence(budget.evidence)))
    if budget.retry_after_until is not None:
        text = f"rate limited until {budget.retry_after_until:%H:%M:%S}Z"
        facts.append(("Retry-After", Content.styled(text, "$state-warning bold")))
    if budget.refused:
        facts.append(("paused", Content.styled(printable(budget.refused), "$state-failed bold")))
    if budget.poller:
        facts.append(("polled by", printable(budget.poller)))
    return labelled((*facts, *drawn), width)


def _evidence(evidence: EvidenceBudget) -> str:
    sent = f"{evidence.requests} of {evidence.limit} requests a minute"
    kept = f"orders kept fresh: {evidence.wanted}" if evidence.wanted is not None else "kept fresh by who polls"
    return f"{sent}; {kept}"


def _tally(tally: Tally) -> Content:
    parts: list[str | tuple[str, str]] = [f"{tally.requests} request{'' if tally.requests == 1 else 's'}"]
    for number, (outcome, count) in enumerate(tally.by_outcome.items()):
        is_fine = outcome == ANSWERED
        parts += [", " if number else "; ", (f"{outcome}: {count}", "" if is_fine else "$state-warning")]
    if tally.p50_seconds is not None:
        latencies = (tally.p50_seconds, tally.p90_seconds, tally.slowest_seconds)
        parts.append("; p50 {}, p90 {}, slowest {}".format(*(latency(part).strip() for part in latencies)))
    return Content.assemble(*parts)
