"""The question before an order is placed again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from sectigo_tui.ui.dialogs.dialog import CONFIRM, Choice, Dialog
from sectigo_tui.ui.dialogs.form import Facts, Row, text_field


class Renew(Dialog[str]):
    """Shows the old order, and asks for a new CSR; answered with the CSR's file, empty for the old CSR.

    Args:
        facts: The old order, as labels and untrusted values.
        duplicates: Orders that may be the same, ready to read.
        path: The file of an earlier try.
        error_text: What was wrong with it.
    """

    def __init__(
        self, facts: Iterable[tuple[str, str]], duplicates: Content, *, path: str = "", error_text: str = ""
    ) -> None:
        super().__init__("Renew: order it again, billed")
        self._facts = tuple(facts)
        self._duplicates = duplicates
        self._path = path
        self._error = error_text
        self.was_filled = bool(path)

    def body(self) -> ComposeResult:
        """Lay out the old order, and the field."""
        yield Facts(self._facts)
        yield Static(Content("\n").join((Content(""), self._duplicates)))
        yield Row("New CSR file", text_field("csr-path", self._path, hint="empty: the same CSR and key again"))

    def choices(self) -> Sequence[Choice]:
        """Return the button that orders."""
        return (Choice(CONFIRM, "Order it, billed", by_enter=False),)

    def draft_key(self) -> str:
        """Return what a draft is kept by: it is about one order."""
        return f"{super().draft_key()} {self._facts}"

    def first_focus(self) -> Widget:
        """Return the field where the file was wrong; it orders nothing by Enter."""
        return self.query_one("#csr-path") if self._error and self._path else super().first_focus()

    def on_mount(self) -> None:
        """Say what was wrong before."""
        if self._error:
            self.complain(self._error)

    def answer(self, choice_id: str) -> None:
        """Answer with the file."""
        del choice_id
        self.dismiss(self.query_one("#csr-path", Input).value.strip())
