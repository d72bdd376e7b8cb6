"""Shows what is about to be done, or what was, and asks for one confirmation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from sectigo_tui.ui.dialogs.dialog import CONFIRM, Choice, Dialog
from sectigo_tui.ui.dialogs.form import Facts, words


class Confirm(Dialog[bool]):
    """Asks for a confirmation; Cancel has the focus.

    Args:
        title: What it is about.
        content: What is to be confirmed; untrusted text inside a plain one is shown as text.
        label: What the confirming button says.
        is_danger: Whether it cannot be undone.
        facts: What it is about, as labels and untrusted values, above the content.
    """

    def __init__(
        self,
        title: str,
        content: Content | str,
        label: str,
        *,
        is_danger: bool = False,
        facts: Iterable[tuple[str, str]] = (),
    ) -> None:
        super().__init__(title)
        self._facts = tuple(facts)
        self._content = content
        self._choice = Choice(CONFIRM, label, is_danger)

    def body(self) -> ComposeResult:
        """Lay out what is to be confirmed."""
        if self._facts:
            yield Facts(self._facts)
            yield Static("")
        yield Static(words(self._content))

    def choices(self) -> Sequence[Choice]:
        """Return the confirming button."""
        return (self._choice,)

    def answer(self, choice_id: str) -> None:
        """Answer that it is confirmed."""
        self.dismiss(choice_id == CONFIRM)


class Notice(Dialog[bool]):
    """Shows what came of something, until it is closed.

    Args:
        title: What it is about.
        content: What came of it; untrusted text inside a plain one is shown as text.
    """

    def __init__(self, title: str, content: Content | str) -> None:
        super().__init__(title)
        self._content = content

    def body(self) -> ComposeResult:
        """Lay out what came of it."""
        yield Static(words(self._content))

    def choices(self) -> Sequence[Choice]:
        """Return no button: Cancel closes."""
        return ()

    def on_mount(self) -> None:
        """Say Close rather than Cancel: there is nothing left to cancel."""
        from textual.widgets import Button

        self.query_one("#cancel", Button).label = "Close"
