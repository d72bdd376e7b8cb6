"""Shows a long text from edge to edge, to scroll through and to select from."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.confirm import Notice
from sectigo_tui.ui.dialogs.dialog import TITLE_CHARACTERS
from sectigo_tui.ui.dialogs.form import words
from sectigo_tui.ui.keys.key_names import filled
from sectigo_tui.ui.widgets.detail_pane import DetailPane


class Reading(Notice):
    """A text that was copied, and where it is kept.

    Args:
        title: What it is.
        note: What became of it, such as where it is kept.
        text: The text, in lines; untrusted.
    """

    TAKES_EARLY_KEYS = True
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
        keys = filled(self, "{detail.down} {detail.up} scroll, {dialog.cancel} closes")
        self.query_one("#dialog").border_title = Content(f"{printable(self._title, limit=TITLE_CHARACTERS)} ({keys})")
        self.query_one("#reading", DetailPane).show(words(self._text))
