"""Says what is being waited for."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.widgets import Static

from sectigo_tui.ui.dialogs.dialog import Choice, Dialog
from sectigo_tui.ui.dialogs.form import words
from sectigo_tui.ui.keys.typed_ahead import Interim


class Waiting(Dialog[bool], Interim):
    """Stands until what it waits for has ended; Esc stops waiting only where that is harmless.

    Args:
        text: What is being waited for; untrusted text inside it is shown as text.
        can_stop: Whether the operator may stop it: a question to SCM can be dropped, a write cannot be unsent.
    """

    def __init__(self, text: str, *, can_stop: bool) -> None:
        super().__init__("Please wait")
        self._text = text
        self._can_stop = can_stop

    def body(self) -> ComposeResult:
        """Lay out the text."""
        yield Static(words(self._text))
        if not self._can_stop:
            yield Static("This was sent and cannot be taken back: its answer is waited for.", classes="label")

    def choices(self) -> Sequence[Choice]:
        """Return no button besides Cancel."""
        return ()

    def on_mount(self) -> None:
        """Take Cancel away from what cannot be stopped."""
        self.query_one("#cancel").disabled = not self._can_stop

    def action_cancel(self) -> None:
        """Stop waiting, where that is harmless."""
        if self._can_stop:
            self.dismiss(True)
