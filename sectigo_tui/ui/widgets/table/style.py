"""How a table looks: the names of its parts, and their styles."""

from __future__ import annotations

from rich.style import Style
from textual.widget import Widget

from sectigo_tui.ui.theme.choice import CELL_STYLES
from sectigo_tui.ui.widgets.table.paint import terminal_style

_PARTS = (*CELL_STYLES, "header", "row", "cursor", "cursor-blurred", "marked")

COMPONENT_CLASSES = frozenset(f"live-table--{part}" for part in _PARTS)

CSS = """
TableView {
    height: 1fr;
    background: $background;
    color: $foreground;
    overflow-x: hidden;
    overflow-y: auto;
    scrollbar-gutter: stable;
    scrollbar-size-vertical: 1;

    & > .live-table--header {
        color: $table-header;
        background: $table-header-background;
        text-style: $table-header-text-style;
    }
    & > .live-table--cursor {
        color: $table-cursor;
        background: $table-cursor-background;
        text-style: $table-cursor-text-style;
    }
    & > .live-table--cursor-blurred {
        color: $table-cursor-blurred;
        background: $table-cursor-blurred-background;
        text-style: $table-cursor-blurred-text-style;
    }
    & > .live-table--marked { color: $table-marked; text-style: $table-marked-text-style; }
    & > .live-table--pending { color: $state-pending; text-style: $state-pending-text-style; }
    & > .live-table--waiting { color: $state-waiting; text-style: $state-waiting-text-style; }
    & > .live-table--done { color: $state-done; text-style: $state-done-text-style; }
    & > .live-table--failed { color: $state-failed; text-style: $state-failed-text-style; }
    & > .live-table--warning { color: $state-warning; text-style: $state-warning-text-style; }
    & > .live-table--muted { color: $state-muted; text-style: $state-muted-text-style; }
    & > .live-table--strong { color: $state-strong; text-style: $state-strong-text-style; }
}
"""


def styles_of(table: Widget) -> dict[str, Style | None]:
    """Return the styles of a table's cells and rows by name, as its painter wants them.

    Args:
        table: A mounted widget with these component classes.
    """
    return {part: terminal_style(table.get_component_rich_style(f"live-table--{part}")) for part in _PARTS}
