"""Choosing what several orders wait for together, to see the orders of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from sectigo_tui.engine.diagnosis.common_causes import CommonCause
from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser
from sectigo_tui.engine.diagnosis.evidence.known import Target
from sectigo_tui.engine.diagnosis.rules.causes import Cause
from sectigo_tui.engine.diagnosis.verdict import Strength
from sectigo_tui.presentation.rows import OrderRows
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.dialog import Choice, Dialog
from sectigo_tui.ui.keys.key_names import filled
from sectigo_tui.ui.workflows.workflow import Workflow


class Causes(Dialog[CommonCause]):
    """Lists causes; Enter answers with the one under the cursor.

    Args:
        causes: The causes, the one of most orders first.
        not_fetched: How many orders are not counted, since what they wait for was not looked up.
    """

    TAKES_EARLY_KEYS = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "highlight(1)", "Down", show=False, id="causes.next"),
        Binding("k", "highlight(-1)", "Up", show=False, id="causes.previous"),
    ]

    def __init__(self, causes: Sequence[CommonCause], not_fetched: int) -> None:
        super().__init__("Common causes")
        self._causes = causes
        self._not_fetched = not_fetched

    def body(self) -> ComposeResult:
        """Lay out the list."""
        if self._causes:
            yield Static("Enter lists the orders of a cause", classes="label", markup=False)
            yield OptionList(
                *(Option(_fetched_text(cause)) for cause in self._causes), id="causes", markup=False, compact=True
            )
        else:
            yield Static("No two orders are known to wait for the same thing.", markup=False)
        if self._not_fetched:
            all_of_them = filled(self, "Visible rows are looked up; {app.handover} looks up all.")
            text = f"Not looked up yet, and not counted: {self._not_fetched}. {all_of_them}"
            yield Static(text, classes="label", markup=False)

    def choices(self) -> Sequence[Choice]:
        """Return no button: the list is the choice."""
        return ()

    def first_focus(self) -> Widget:
        """Return the list."""
        return self.query_one("#causes") if self._causes else super().first_focus()

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Answer with the cause chosen."""
        message.stop()
        self.dismiss(self._causes[message.option_index])

    def action_highlight(self, places: int) -> None:
        """Move the cursor."""
        for found in self.query("#causes").results(OptionList):
            if places > 0:
                found.action_cursor_down()
            else:
                found.action_cursor_up()


def _fetched_text(cause: CommonCause) -> Content:
    others = len(cause.orders) - len(cause.waiting_only_for_this)
    also = f" {others} of them {'waits' if others == 1 else 'wait'} for something else too." if others else ""
    return Content.assemble(
        (printable(cause.text), "bold"),
        f"\n-> {cause.party}: {printable(cause.blocking_cause.next_action)}{also}",
    )


_NO_CAUSE = frozenset({Cause.NOT_FETCHED, Cause.UNKNOWN_STATUS, Cause.SETTLED})
"""Causes that say what is not known: orders do not share that."""


def shared_causes(diagnoser: Diagnoser, targets: Iterable[Target]) -> list[CommonCause]:
    """Return the causes that at least two orders share by what is known, the one of most orders first.

    Args:
        diagnoser: Says who orders wait for.
        targets: The orders.
    """
    causes = diagnoser.common_causes(targets)
    return [cause for cause in causes if len(cause.orders) > 1 and cause.cause not in _NO_CAUSE]


def filter_of(cause: CommonCause) -> str:
    """Return the filter that lists the orders of a cause."""
    return "|".join(map(str, cause.orders))


async def choose_cause(workflow: Workflow, order_rows: OrderRows) -> str:
    """Let the operator choose one of the causes that pending orders share.

    Args:
        workflow: What every workflow works with.
        order_rows: Finds the orders.

    Returns:
        The filter that lists the orders of the cause; empty when none was chosen.
    """
    diagnoser = workflow.engine.diagnoser
    targets = [row.target for row in order_rows.pending() if row.target is not None]
    unknown = sum(diagnoser.cheap(target).strength is Strength.STATUS_ONLY for target in targets)
    chosen = await workflow.ask(Causes(shared_causes(diagnoser, targets), unknown))
    return filter_of(chosen) if chosen is not None else ""
