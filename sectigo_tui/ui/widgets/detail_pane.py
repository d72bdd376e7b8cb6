"""A pane of text that scrolls, for what is known of one row."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static


class DetailPane(VerticalScroll, can_focus=True):
    """Shows content; hidden until it is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "scroll_down", "Down", show=False, id="detail.down"),
        Binding("k", "scroll_up", "Up", show=False, id="detail.up"),
        Binding("g", "scroll_home", "Top", show=False, id="detail.top"),
        Binding("G", "scroll_end", "Bottom", show=False, id="detail.bottom"),
    ]

    DEFAULT_CSS = """
    DetailPane {
        display: none;
        height: 1fr;
        border-top: solid $panel;
        padding: 0 1;
        scrollbar-size-vertical: 1;
    }
    DetailPane:focus { border-top: solid $primary; }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._shown = Content("")

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        yield Static(id="detail-text", markup=False)

    def show(self, content: Content) -> None:
        """Show content; the scroll position stays.

        Args:
            content: What to show, ready to read.
        """
        if content != self._shown:
            self._shown = content
            self.query_one("#detail-text", Static).update(content)
