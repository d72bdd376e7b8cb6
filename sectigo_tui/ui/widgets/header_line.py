"""The one line at the top."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget


class HeaderLine(Widget):
    """One line of segments between bars; painted again only when its text changes."""

    DEFAULT_CSS = """
    HeaderLine {
        height: 1;
        background: $panel;
        color: $table-header;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._segments: tuple[tuple[str, str], ...] = ()

    def show(self, segments: tuple[tuple[str, str], ...]) -> None:
        """Show segments.

        Args:
            segments: Pairs of text (printable) and style: a theme variable such as `$state-failed`, or empty.
        """
        if segments != self._segments:
            self._segments = segments
            self.refresh()

    def render(self) -> Content:
        """Return the line."""
        parts: list[Content | str | tuple[str, str]] = []
        for text, style in self._segments:
            if parts:
                parts.append((" | ", "dim"))
            parts.append((text, style))
        return Content.assemble(*parts)
