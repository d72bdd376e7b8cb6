"""Asks for a few words that SCM keeps: with an approval, or with a refusal."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from sectigo_tui.ui.dialogs.dialog import CONFIRM, Choice, Dialog
from sectigo_tui.ui.dialogs.form import Row, text_field, words


class AskText(Dialog[str]):
    """Shows what it is about, and asks for one line of text.

    Args:
        title: What it is about.
        content: What is to be confirmed; untrusted text inside a plain one is shown as text.
        label: What the text is.
        button: What the confirming button says.
        value: What is filled in at first.
        longest: The most characters it may have.
        is_danger: Whether what follows cannot be undone.
        problem: What was wrong with an earlier try.
    """

    def __init__(
        self,
        title: str,
        content: Content | str,
        *,
        label: str,
        button: str,
        value: str = "",
        longest: int = 512,
        is_danger: bool = False,
        error_text: str = "",
    ) -> None:
        super().__init__(title)
        self._content = content
        self._label = label
        self._choice = Choice(CONFIRM, button, is_danger)
        self._value = value
        self._longest = longest
        self._error = error_text
        self.was_filled = bool(error_text)

    def body(self) -> ComposeResult:
        """Lay out what it is about, and the field."""
        yield Static(words(self._content))
        yield Row(self._label, text_field("text", self._value, hint=f"1 to {self._longest} characters"))

    def choices(self) -> Sequence[Choice]:
        """Return the confirming button."""
        return (self._choice,)

    def first_focus(self) -> Widget:
        """Return the field: it confirms nothing."""
        return self.query_one("#text")

    def draft_key(self) -> str:
        """Return what a draft is kept by: words about some orders are not for others."""
        return f"{super().draft_key()} {words(self._content).plain}"

    def on_mount(self) -> None:
        """Say what was wrong before."""
        if self._error:
            self.complain(self._error)

    def answer(self, choice_id: str) -> None:
        """Answer with the text, once there is any."""
        del choice_id
        text = self.query_one("#text", Input).value.strip()
        if 1 <= len(text) <= self._longest:
            self.dismiss(text)
        else:
            self.complain(f"Write 1 to {self._longest} characters.", at="text")
