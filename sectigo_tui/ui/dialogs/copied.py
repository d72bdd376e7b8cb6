"""Shows what was copied, for terminals whose clipboard cannot be reached: to be selected by hand."""

from __future__ import annotations

from textual.content import Content

from sectigo_tui.ui.dialogs.confirm import Notice
from sectigo_tui.ui.text import printable

LONG_LINE = 4_000


class Copied(Notice):
    """Shows a text from edge to edge: what is selected holds nothing but the text.

    Args:
        text: What was copied; untrusted.
    """

    DEFAULT_CSS = """
    Copied {
        & > #dialog {
            width: 100%;
            max-width: 100%;
            padding: 0;
            border: none;
            border-top: solid $primary;
            border-title-color: $table-header;
        }
    }
    """

    def __init__(self, text: str) -> None:
        lines = [printable(line, limit=LONG_LINE) for line in text.splitlines()]
        super().__init__("Copied: select it here" if lines else "Nothing was copied yet", Content("\n".join(lines)))
