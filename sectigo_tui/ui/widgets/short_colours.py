"""Colours of a finished line, named as shortly as the terminal allows."""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from sectigo_tui.ui.widgets.table.paint import terminal_style


class ShortColours(LineFilter):
    """Names a colour by its number in the palette of 256 where it has one: half the bytes of its three components."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - the filter's shape
        """Return segments that poll the same.

        Args:
            segments: Segments of a line.
            background: What is behind them.
        """
        return [Segment(text, None if style is None else _short(style), control) for text, style, control in segments]


@lru_cache(maxsize=256)
def _short(style: Style) -> Style | None:
    return terminal_style(style)


SHORT_COLOURS = ShortColours()
