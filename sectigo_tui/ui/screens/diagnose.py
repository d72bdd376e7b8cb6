"""Why an order is not a certificate: opens at once, and fills in as answers come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Static

from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser
from sectigo_tui.engine.diagnosis.evidence import Part
from sectigo_tui.engine.diagnosis.knowledge import Target
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.diagnosis import diagnosis_content, records_to_publish
from sectigo_tui.ui.header import Segment
from sectigo_tui.ui.text import printable
from sectigo_tui.ui.view_model import ViewModel
from sectigo_tui.ui.widgets.detail_pane import DetailPane
from sectigo_tui.ui.widgets.header_line import HeaderLine
from sectigo_tui.ui.widgets.key_line import KeyHint, KeyLine

Escalate = Callable[[Diagnosis], Awaitable[None]]

_HINTS = (
    KeyHint("c", "copy record", 1, "c"),
    KeyHint("R", "DCV recheck", 2, "R"),
    KeyHint("E", "escalation pack", 1, "E"),
    KeyHint("h", "history", 3, "h"),
    KeyHint("g", "look again", 4, "g"),
    KeyHint("Esc", "Back", 0, "escape"),
    KeyHint("?", "Help", 0, "question_mark"),
)


class Diagnose(Screen[None]):
    """The diagnosis of one order.

    Args:
        model: What every screen is given.
        subject: The order.
        diagnoser: Gathers and concludes.
        escalate: Hands an escalation pack to the operator.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="diagnose.leave", tooltip="Back to the list"),
        Binding("c", "copy_records", "Copy record", id="diagnose.copy", tooltip="Copy the DNS records to publish"),
        Binding("R", "recheck", "DCV recheck", id="diagnose.recheck", tooltip="Ask the CA to check the domains again"),
        Binding("E", "escalate", "Escalation pack", id="diagnose.escalate", tooltip="Facts for the CA's support"),
        Binding("h", "history", "History", id="diagnose.history", tooltip="Ask SCM how long issued orders took"),
        Binding("g", "again", "Look again", id="diagnose.again", tooltip="Ask SCM for everything again"),
    ]

    def __init__(self, model: ViewModel, subject: Subject, diagnoser: Diagnoser, escalate: Escalate) -> None:
        super().__init__()
        self._model = model
        self._subject = subject
        self._diagnoser = diagnoser
        self._escalate = escalate
        self._diagnosis: Diagnosis | None = None
        self._is_asking = False

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield HeaderLine(id="header")
        pane = DetailPane(id="diagnosis")
        pane.display = True
        yield pane
        yield Static(id="progress", markup=False)
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Show what is known, then ask for the rest."""
        self.query_one(DetailPane).focus()
        self.query_one(KeyLine).show(_HINTS)
        name = printable(self._subject.common_name, limit=60)
        self.query_one(HeaderLine).show(
            (Segment(f"Diagnose {name}", "bold"), Segment(f"sslId {self._subject.ssl_id or '-'}"))
        )
        self._show(self._diagnoser.known(self._target))
        self._gather()

    @property
    def _target(self) -> Target:
        order = self._model.board.order(self._subject.row_id)
        return order if order is not None else self._subject.ssl_id or 0

    def _gather(self, max_age_seconds: float = 60.0) -> None:
        self._is_asking = True
        self.run_worker(self._ask(max_age_seconds), group="gather", exclusive=True, exit_on_error=False)

    async def _ask(self, max_age_seconds: float) -> None:
        def on_part(_part: Part, diagnosis: Diagnosis) -> None:
            self._show(diagnosis)

        diagnosis = await self._diagnoser.gather(self._target, on_part, max_age_seconds=max_age_seconds)
        self._is_asking = False
        self._show(diagnosis)

    def _show(self, diagnosis: Diagnosis) -> None:
        self._diagnosis = diagnosis
        pending = [subject.order or subject.ssl_id or 0 for subject in self._model.board.pending()]
        causes = [cause for cause in self._diagnoser.common_causes(pending) if diagnosis.ref in cause.orders]
        content = diagnosis_content(diagnosis, causes, self._model.now.glyphs, is_asking=self._is_asking)
        self.query_one(DetailPane).show(content)

    def action_leave(self) -> None:
        """Go back to the list."""
        self.dismiss()

    def action_again(self) -> None:
        """Ask for everything again."""
        self._gather(0.0)

    def action_copy_records(self) -> None:
        """Copy what the domains' owners are to publish."""
        records = records_to_publish(self._diagnosis.domains) if self._diagnosis is not None else ""
        if records:
            self.app.copy_to_clipboard(records)
            self.notify(f"Copied: {records}", markup=False)
        else:
            self.query_one(KeyLine).say("SCM tells no record to publish.")

    def action_recheck(self) -> None:
        """Ask the CA to look at the domains again."""
        if self._subject.ssl_id is not None:
            self._model.perform("DCV recheck", self._recheck(self._subject.ssl_id))

    async def _recheck(self, ssl_id: int) -> None:
        self._show(await self._diagnoser.recheck(ssl_id))
        self.notify("The CA was asked to check the domains again.", markup=False)

    def action_escalate(self) -> None:
        """Hand the escalation pack over."""
        if self._diagnosis is not None:
            self._model.perform("escalation pack", self._hand_over(self._diagnosis))

    async def _hand_over(self, diagnosis: Diagnosis) -> None:
        await self._escalate(diagnosis)

    def action_history(self) -> None:
        """Ask SCM for the dates of issued orders."""
        self._model.perform("history", self._learn())

    async def _learn(self) -> None:
        progress = self.query_one("#progress", Static)
        diagnosis = self._diagnosis
        organization_id = diagnosis.evidence.organization_id if diagnosis is not None else None
        try:
            await self._diagnoser.learn_history(
                lambda done, total: progress.update(f"history: {done} of {total} issued orders"),
                organization_id=organization_id,
            )
        finally:
            progress.update("")
        self._show(self._diagnoser.known(self._target))
