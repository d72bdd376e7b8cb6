"""Lists what several orders wait for together, to see the orders of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from sectigo_tui.engine.diagnosis.common_causes import CommonCause
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.dialog import Choice, Dialog
from sectigo_tui.ui.keys.key_names import filled


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
