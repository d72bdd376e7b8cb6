"""Short dialogs: a notice, a question, a line of text, a long text, and what is being waited for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from sectigo_tui.domain.limits import MESSAGE_AT_MOST
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.dialog import CONFIRM, TITLE_CHARACTERS, Choice, Dialog
from sectigo_tui.ui.dialogs.form import Facts, Row, text_field, words
from sectigo_tui.ui.keys.key_names import filled
from sectigo_tui.ui.keys.typed_ahead import Interim
from sectigo_tui.ui.widgets.detail_pane import DetailPane


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
            yield Static("This was sent and cannot be cancelled. Waiting for the answer.", classes="label")

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
        hint: What stands in the empty field; how long the text may be when empty.
        error_text: What was wrong with an earlier try.
    """

    def __init__(
        self,
        title: str,
        content: Content | str,
        *,
        label: str,
        button: str,
        value: str = "",
        hint: str = "",
        longest: int = MESSAGE_AT_MOST,
        is_danger: bool = False,
        error_text: str = "",
    ) -> None:
        super().__init__(title)
        self._content = content
        self._label = label
        self._choice = Choice(CONFIRM, button, is_danger)
        self._value = value
        self._longest = longest
        self._hint = hint or f"1 to {longest} characters"
        self._error = error_text
        self.was_filled = bool(error_text)

    def body(self) -> ComposeResult:
        """Lay out what it is about, and the field."""
        yield Static(words(self._content))
        yield Row(self._label, text_field("text", self._value, hint=self._hint))

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


class Reading(Notice):
    """A text that was copied, and where it is kept.

    Args:
        title: What it is.
        note: What became of it, such as where it is kept.
        text: The text, in lines; untrusted.
    """

    TAKES_EARLY_KEYS = True
    KEYS = "{detail.down} {detail.up} scroll, {dialog.cancel} closes"
    """What its title says of the keys."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q,enter", "cancel", "Close", show=False, id="reading.close"),
    ]
    DEFAULT_CSS = """
    Reading {
        & > #dialog { width: 100%; max-width: 100%; height: 100%; max-height: 100%; padding: 0; border: none;
                      border-top: solid $primary; border-title-color: $table-header; }
        #dialog-body { height: 1fr; }
        #reading { display: block; height: 1fr; border: none; padding: 0; }
        #reading-note { color: $state-muted; }
        &.-low #reading-note { max-height: 1; }
    }
    """

    def __init__(self, title: str, note: Content | str, text: str) -> None:
        super().__init__(title, note)
        self._text = text

    def body(self) -> ComposeResult:
        """Lay out what became of it, and the text."""
        yield Static(words(self._content), id="reading-note")
        yield DetailPane(id="reading")

    def first_focus(self) -> Widget:
        """Return the text: keys scroll it."""
        return self.query_one("#reading")

    def on_mount(self) -> None:
        """Show the text, and how to scroll and leave it."""
        keys = filled(self, self.KEYS)
        self.query_one("#dialog").border_title = Content(f"{printable(self._title, limit=TITLE_CHARACTERS)} ({keys})")
        self.query_one("#reading", DetailPane).show(words(self._text))
