"""Failures, until they are acknowledged."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget


class ErrorPane(Widget):
    """The newest failure in four fields; gone while there is none."""

    DEFAULT_CSS = """
    ErrorPane {
        height: auto;
        max-height: 5;
        border-left: outer $state-failed;
        padding: 0 1;
        display: none;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._content = Content("")

    def show(self, content: Content | None) -> None:
        """Show a failure, or nothing.

        Args:
            content: The failure, ready to read; None when all are acknowledged.
        """
        self.display = content is not None
        if content is not None and content != self._content:
            self._content = content
            self.refresh(layout=True)

    def render(self) -> Content:
        """Return the failure."""
        return self._content
