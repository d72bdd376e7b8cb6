"""Asks what is to become of a form that is filled in, before it is left."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.widgets import Button, Static

from sectigo_tui.ui.dialogs.dialog import CANCEL, Choice, Dialog
from sectigo_tui.ui.dialogs.form import words

KEEP, DISCARD = "keep", "discard"


class Leaving(Dialog[str]):
    """Asks whether to go back to the form, to keep a draft of it, or to throw it away.

    Args:
        form: The form's title.
        may_keep: Whether there is anything to keep: what is secret is not.
    """

    def __init__(self, form: str, *, may_keep: bool) -> None:
        super().__init__("Leave the form?")
        self._form = form
        self._may_keep = may_keep

    def body(self) -> ComposeResult:
        """Lay out what is at stake."""
        yield Static(words(f"{self._form}\n\nThe entries are not sent."))
        if self._may_keep:
            yield Static("A draft comes back with the form. It holds no password.", classes="label", markup=False)

    def choices(self) -> Sequence[Choice]:
        """Return the two ways to leave."""
        keep = (Choice(KEEP, "Keep draft"),) if self._may_keep else ()
        return (*keep, Choice(DISCARD, "Discard", is_danger=True))

    def on_mount(self) -> None:
        """Say Back rather than Cancel: the form stays."""
        self.query_one(f"#{CANCEL}", Button).label = "Back"

    def answer(self, choice_id: str) -> None:
        """Answer with what is to become of it."""
        self.dismiss(choice_id)
