"""A pane of text that scrolls, for what is known of one row."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Static


class DetailPane(VerticalScroll, can_focus=True):
    """Shows content; hidden until it is opened."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "scroll_down", "Down", show=False, id="detail.down", tooltip="Scroll down"),
        Binding("k,up", "scroll_up", "Up", show=False, id="detail.up", tooltip="Scroll up"),
        Binding("space,pagedown", "page_down", "Page down", show=False, id="detail.page_down"),
        Binding("pageup", "page_up", "Page up", show=False, id="detail.page_up"),
        Binding("g,home", "scroll_home", "Top", show=False, id="detail.top", tooltip="To the first line"),
        Binding("G,end", "scroll_end", "Bottom", show=False, id="detail.bottom", tooltip="To the last line"),
    ]

    DEFAULT_CSS = """
    DetailPane {
        display: none;
        border-top: solid $table-header;
        padding: 0 1;
        scrollbar-gutter: stable;
        scrollbar-size-vertical: 1;
    }
    DetailPane:focus { border-top: heavy $accent; }
    """

    class WidthChanged(Message):
        """There is another number of cells in a line."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._shown = Content("")
        self._width = 0

    @property
    def text_width(self) -> int:
        """How many cells a line of the text has; 0 before the first layout."""
        return self._width

    def compose(self) -> ComposeResult:
        """Lay out the text."""
        yield Static(id="detail-text", markup=False)

    def on_resize(self) -> None:
        """Tell the owner, who wraps the text."""
        width = self.scrollable_content_region.width
        if width != self._width:
            self._width = width
            self.post_message(self.WidthChanged())

    def show(self, content: Content) -> None:
        """Show content; the scroll position stays.

        Args:
            content: What to show, ready to read.
        """
        if not content.is_same(self._shown):
            self._shown = content
            self.query_one("#detail-text", Static).update(content)
