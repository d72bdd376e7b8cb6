"""Why an order is not a certificate: opens at once, and fills in as answers come."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from sectigo_tui.domain.errors import SectigoTuiError
from sectigo_tui.domain.events import EngineEvent, FailureReported
from sectigo_tui.engine.diagnosis.common_causes import CommonCause
from sectigo_tui.engine.diagnosis.diagnoser import DIAGNOSE_MAX_AGE_SECONDS, Diagnoser
from sectigo_tui.engine.diagnosis.evidence.known import Target
from sectigo_tui.engine.diagnosis.evidence.model import Part
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.presentation.columns import ends_soon
from sectigo_tui.presentation.rows import ChangedRows, OrderRow, Tally, listing_key, tally
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.content.diagnosis import diagnosis_content, records_to_publish
from sectigo_tui.ui.content.header import header_segments
from sectigo_tui.ui.keys.key_names import filled, key_names_of
from sectigo_tui.ui.screens.view import ViewModel
from sectigo_tui.ui.terminal.dismiss import dismiss_once
from sectigo_tui.ui.widgets.detail_pane import DetailPane
from sectigo_tui.ui.widgets.error_pane import ErrorPane
from sectigo_tui.ui.widgets.header_line import HeaderLine
from sectigo_tui.ui.widgets.key_line import KeyLine, hints_of
from sectigo_tui.ui.workflows.common_causes import shared_causes

Escalate = Callable[[Diagnosis], Awaitable[None]]

TICK_SECONDS = 1.0

_HINTS = (
    ("diagnose.copy", "copy record", 1),
    ("diagnose.recheck", "DCV recheck", 3),
    ("diagnose.sync", "DCV sync", 6),
    ("diagnose.escalate", "escalation pack", 2),
    ("diagnose.history", "history", 4),
    ("diagnose.again", "ask again", 5),
    ("app.menu", "Actions", 1),
    ("app.help", "Help", 0),
    ("diagnose.leave", "Back", 0),
)
_IN_HISTORY = (("diagnose.leave", "stop asking for history", 0),)


class Diagnose(Screen[None]):
    """The diagnosis of one order.

    Args:
        model: What every screen is given.
        row: The order.
        diagnoser: Gathers and concludes.
        escalate: Hands an escalation pack to the operator.
    """

    DEFAULT_CSS = """
    Diagnose {
        #diagnosis { height: 1fr; border-top: none; }
        #progress { height: auto; color: $state-muted; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back", id="diagnose.leave", tooltip="Stop asking for history; back to the list"),
        Binding("c", "copy_records", "Copy record", id="diagnose.copy", tooltip="Copy the DNS records to publish"),
        Binding("R", "recheck", "DCV recheck", id="diagnose.recheck", tooltip="Ask the CA to check the domains again"),
        Binding("S", "sync", "DCV sync", id="diagnose.sync", tooltip="Have SCM ask the CA how the domains stand"),
        Binding("E", "escalate", "Escalation pack", id="diagnose.escalate", tooltip="Facts for the CA's support"),
        Binding("h", "history", "History", id="diagnose.history", tooltip="Ask SCM how long issued orders took"),
        Binding("r", "again", "Ask again", id="diagnose.again", tooltip="Ask SCM for everything again"),
        Binding("x", "acknowledge", "Ack", show=False, id="diagnose.acknowledge", tooltip="Dismiss the error"),
    ]

    def __init__(self, model: ViewModel, row: OrderRow, diagnoser: Diagnoser, escalate: Escalate) -> None:
        super().__init__()
        self._model = model
        self._row_id = row.row_id
        self._changed_rows = ChangedRows(model.order_rows)
        self._listing_key = listing_key(row)
        self._diagnoser = diagnoser
        self._escalate = escalate
        self._diagnosis = diagnoser.known(self._target)
        self._causes: Sequence[CommonCause] = ()
        self._is_asking = False
        self._tally = self._count()
        self._history: Worker[None] | None = None

    @property
    def row(self) -> OrderRow:
        """The order, as it is known now."""
        return self._model.order_rows.row(self._row_id)

    @property
    def _target(self) -> Target:
        return self.row.target or 0

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close, once."""
        return dismiss_once(self, result, super().dismiss)

    def compose(self) -> ComposeResult:
        """Lay out the screen."""
        yield HeaderLine(id="header")
        pane = DetailPane(id="diagnosis")
        pane.display = True
        yield pane
        progress = Static(id="progress", markup=False)
        progress.display = False
        yield progress
        yield ErrorPane(id="errors")
        yield KeyLine(id="keys")

    def on_mount(self) -> None:
        """Show what is known, then ask for the rest."""
        self.query_one(DetailPane).focus()
        self.query_one(KeyLine).show(hints_of(key_names_of(self), _HINTS))
        self._model.changed_rows.subscribe(self, self._receive, immediate=True)
        self.set_interval(TICK_SECONDS, self._tick)
        self._show_header()
        self._gather()

    def _receive(self, events: Sequence[EngineEvent]) -> None:
        self._changed_rows.receive(events)

    def _tick(self) -> None:
        """Update the header, and the diagnosis after an event about the order."""
        is_list, row_ids = self._changed_rows.take()
        if is_list:
            self._tally = self._count()
        self._show_header()
        self._row_id = self._model.order_rows.row_id_now(self._row_id)
        now = listing_key(self.row)
        if (is_list or self._row_id in row_ids) and now != self._listing_key:
            self._listing_key = now
            self._gather()
        elif self._row_id in row_ids and not self._is_asking:
            self._show(self._diagnoser.known(self._target))

    def _count(self) -> Tally:
        return tally(
            self._model.order_rows.pending(),
            self._model.watchlist.is_acknowledged,
            lambda row: ends_soon(row, self._model.now),
        )

    def _show_header(self) -> None:
        segments = header_segments(
            self._model.order_rows.engine,
            self._model.surroundings,
            self._tally,
            is_frozen=False,
            note="",
            refresh_seconds=self._model.now.refresh_seconds,
        )
        self.query_one(HeaderLine).show(segments)
        self.query_one(ErrorPane).show(self._model.errors.open)

    def _gather(self, max_age_seconds: float = DIAGNOSE_MAX_AGE_SECONDS) -> None:
        self._is_asking = True
        self.run_worker(self._ask(max_age_seconds), group="gather", exclusive=True, exit_on_error=False)

    async def _ask(self, max_age_seconds: float) -> None:
        def on_part(_part: Part, diagnosis: Diagnosis) -> None:
            self._show(diagnosis)

        diagnosis = await self._diagnoser.gather(self._target, on_part, max_age_seconds=max_age_seconds)
        self._is_asking = False
        self._find_causes()
        self._show(diagnosis)

    def _find_causes(self) -> None:
        """Find what this order waits for together with others; over a long list, so not with every answer."""
        targets = [row.target for row in self._model.order_rows.pending() if row.target is not None]
        ref = self._diagnosis.ref
        self._causes = [cause for cause in shared_causes(self._diagnoser, targets) if ref in cause.orders]

    def _show(self, diagnosis: Diagnosis) -> None:
        self._diagnosis = diagnosis
        pane = self.query_one(DetailPane)
        pane.show(
            diagnosis_content(
                diagnosis,
                self._causes,
                self._model.now.glyphs,
                is_asking=self._is_asking,
                width=pane.text_width,
                keys=key_names_of(self),
            )
        )

    @on(DetailPane.WidthChanged)
    def _on_width_changed(self, message: Message) -> None:
        message.stop()
        self._show(self._diagnosis)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Say when asking broke off, rather than wait for ever for what does not come."""
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self._is_asking = False
            self._report("diagnose (a defect of this program)", event.worker.error)
            self._show(self._diagnosis)

    def action_leave(self) -> None:
        """Stop asking for history, else go back to the list."""
        if self._history is not None and self._history.is_running:
            self._history.cancel()
        else:
            self.dismiss()

    def action_again(self) -> None:
        """Ask for everything again."""
        self._gather(0.0)

    def action_acknowledge(self) -> None:
        """Take the newest failure off the screen."""
        self._model.errors.acknowledge()
        self.query_one(ErrorPane).show(self._model.errors.open)

    def action_copy_records(self) -> None:
        """Copy what the domains' owners are to publish."""
        records = records_to_publish(self._diagnosis.domains)
        if records:
            self.app.copy_to_clipboard(records)
            count = len(records.splitlines())
            self.notify(f"Copied {count} records." if count > 1 else f"Copied: {printable(records)}", markup=False)
        else:
            self.query_one(KeyLine).show_message("SCM lists no record to publish.")

    def action_recheck(self) -> None:
        """Ask the CA to check the domains again."""
        self._have_ca_asked("DCV recheck", self._diagnoser.recheck, "The CA was asked to check the domains again.")

    def action_sync(self) -> None:
        """Have SCM ask the CA how the domains stand."""
        self._have_ca_asked("DCV sync", self._diagnoser.sync, "SCM has asked the CA how the domains stand.")

    def _have_ca_asked(self, what: str, ask: Callable[[int], Awaitable[Diagnosis]], done: str) -> None:
        ssl_id = self.row.ssl_id
        engine = self._model.order_rows.engine
        if engine.is_read_only:
            arms = filled(self, "{app.arm} arms writes.") if engine.options.may_arm else "Start without --read-only."
            self.query_one(KeyLine).show_message(f"Read-only: a {what} has the CA do something. {arms}")
        elif ssl_id is None:
            self.query_one(KeyLine).show_message("There is no sslId yet, so there is nothing to check.")
        else:
            self._model.perform(what, self._asked_ca(ask(ssl_id), done))

    async def _asked_ca(self, asked: Awaitable[Diagnosis], done: str) -> None:
        diagnosis = await asked
        self.notify(done, markup=False)
        if self.is_running:
            self._show(diagnosis)

    def action_escalate(self) -> None:
        """Hand the escalation pack over."""
        self._model.perform("escalation pack", self._hand_over(self._diagnosis))

    async def _hand_over(self, diagnosis: Diagnosis) -> None:
        await self._escalate(diagnosis)

    def action_history(self) -> None:
        """Ask SCM for the dates of issued orders."""
        self._history = self.run_worker(self._learn(), group="history", exclusive=True, exit_on_error=False)

    async def _learn(self) -> None:
        self._show_progress("History: asking which orders are issued ...")
        try:
            await self._diagnoser.samples.learn_remote(
                lambda done, total: self._show_progress(f"History: {done} of {total} issued orders asked for"),
                organization_id=self._diagnosis.evidence.organization_id,
            )
        except SectigoTuiError as failure:
            self._report("history", failure)
        finally:
            if self.is_running:
                self._show_progress("")
                self._show(self._diagnoser.known(self._target))

    def _show_progress(self, words: str) -> None:
        self.query_one("#progress", Static).update(words)
        self.query_one("#progress").display = bool(words)
        self.query_one(KeyLine).show(hints_of(key_names_of(self), _IN_HISTORY if words else _HINTS))

    def _report(self, what: str, failure: BaseException) -> None:
        error = failure if isinstance(failure, Exception) else RuntimeError(str(failure))
        self._model.order_rows.engine.event_source(FailureReported(self._model.now.clock.now(), what, error))
