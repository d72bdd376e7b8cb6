"""The one line at the top."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import zip_longest

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.content import Content
from textual.filter import ANSIToTruecolor, LineFilter
from textual.geometry import Region
from textual.widget import Widget

from sectigo_tui.ui.content.header import BAR, HeaderPart, fitting
from sectigo_tui.ui.widgets.table.paint import terminal_style


class ShortColours(LineFilter):
    """Names a colour by its number in the palette of 256 where it has one: half the bytes of its three components."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - the filter's shape
        """Return segments that look the same.

        Args:
            segments: Segments of a line.
            background: What is behind them.
        """
        return [Segment(text, None if style is None else _short(style), control) for text, style, control in segments]


@lru_cache(maxsize=256)
def _short(style: Style) -> Style | None:
    return terminal_style(style)


SHORT_COLOURS = ShortColours()


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
                parts.append(segment.joint if segment.is_joined else (BAR, "dim"))
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
