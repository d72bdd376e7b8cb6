"""The last net below all widgets: nothing that is painted holds what a terminal would act on.

Widgets clean untrusted text by `sectigo_tui.presentation.text` when they take it, and know then how wide it is. This
filter sees each line after that, and changes only what got through.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from sectigo_tui.presentation.text import fit, printable

_TEXTS_KEPT = 4_096
"""Texts that are not plain ASCII, of which a screen repeats most: borders, shapes, the names in its rows."""


class PrintableFilter(LineFilter):
    """Takes out of painted lines what is no picture, without changing their width."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002 - the filter's shape
        """Return segments that are pictures only.

        Args:
            segments: Segments of a line.
            background: What is behind them.
        """
        for text, style, _ in segments:
            is_plain = text.isascii() and text.isprintable()
            if not (is_plain or _picture(text) == text) or (style is not None and style.link is not None):
                return _caught(segments)
        return segments


def _caught(segments: Sequence[Segment]) -> list[Segment]:
    return [
        # A link's address is written to the terminal as it is, beside its text.
        Segment(_picture(text), style if style is None or style.link is None else style.update_link(None), control)
        for text, style, control in segments
    ]


@lru_cache(maxsize=_TEXTS_KEPT)
def _picture(text: str) -> str:
    shown = printable(text, limit=len(text))
    return text if shown == text else fit(shown, cell_len(text), ellipsis="")


LAST_NET = PrintableFilter()
