"""The one line at the top."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.filter import ANSIToTruecolor, LineFilter
from textual.widget import Widget

from sectigo_tui.ui.header import BAR, Segment, fitting
from sectigo_tui.ui.widgets.short_colours import SHORT_COLOURS


class HeaderLine(Widget):
    """One line of segments between bars, as many as fit; painted again only when its text changes."""

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
        self._segments: tuple[Segment, ...] = ()

    def show(self, segments: tuple[Segment, ...]) -> None:
        """Show segments.

        Args:
            segments: All there is to say.
        """
        if segments != self._segments:
            self._segments = segments
            self.refresh()

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Name colours shortly: this line is painted again and again while nothing happens."""
        filters = super().get_line_filters()
        # A theme of the terminal's own colours names them shortly already.
        spells_out = any(isinstance(each, ANSIToTruecolor) for each in filters)
        return (*filters, SHORT_COLOURS) if spells_out else filters

    def render(self) -> Content:
        """Return the line."""
        parts: list[Content | str | tuple[str, str]] = []
        for segment in fitting(self._segments, self.size.width):
            if parts:
                parts.append(" " if segment.is_joined else (BAR, "dim"))
            parts.append((segment.text, segment.style))
        return Content.assemble(*parts)
