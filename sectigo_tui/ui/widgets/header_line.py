"""The one line at the top."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from textual.content import Content
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region
from textual.widget import Widget

from sectigo_tui.ui.content.header import BAR, HeaderPart, fitting
from sectigo_tui.ui.widgets.short_colours import SHORT_COLOURS


class HeaderLine(Widget):
    """One line of segments between bars, as many as fit; painted again only as far as it changes."""

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
        self._segments: tuple[HeaderPart, ...] = ()

    def show(self, segments: tuple[HeaderPart, ...]) -> None:
        """Show segments.

        Args:
            segments: All there is to say.
        """
        before, self._segments = self._segments, segments
        if segments != before:
            width = self.size.width
            end = changed_end(fitting(before, width), fitting(segments, width))
            if end:
                self.refresh(Region(0, 0, min(end, width), 1))

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


def changed_end(before: Sequence[HeaderPart], after: Sequence[HeaderPart]) -> int:
    """Return the cell behind the last one in which two lines differ; 0 where they are the same.

    Args:
        before: The segments of the one.
        after: Those of the other.
    """
    ends = [0, 0]
    changed = 0
    for pair in zip_longest(before, after, fillvalue=HeaderPart("")):
        was_level = ends[0] == ends[1]
        ends = [end + segment.cells for end, segment in zip(ends, pair, strict=True)]
        if pair[0] != pair[1] or not was_level:
            changed = max(ends)
    return changed
