"""Borders and scroll bars as the terminal's font allows."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.app import App
from textual.scrollbar import ScrollBar, ScrollBarRender

from sectigo_tui.presentation.glyphs import ASCII, Glyphs

ASCII_CLASS = "-ascii"
"""Stands on the application: the style sheet draws other borders below it."""


class PlainScrollBar(ScrollBarRender):
    """A scroll bar of whole cells, drawn by colour alone."""

    VERTICAL_BARS: ClassVar[list[str]] = [" "] * 8
    HORIZONTAL_BARS: ClassVar[list[str]] = [" "] * 8


def use_shapes(app: App[Any], glyphs: Glyphs) -> None:
    """Draw borders and scroll bars as the terminal's font allows.

    Args:
        app: The application, before it runs.
        glyphs: The shapes of this terminal.
    """
    app.set_class(glyphs is ASCII, ASCII_CLASS)
    ScrollBar.renderer = PlainScrollBar if glyphs is ASCII else ScrollBarRender
