"""The program itself, but with a table that is painted again as a whole each second."""

from __future__ import annotations

import sys

from sectigo_tui.cli.main import run
from sectigo_tui.ui.widgets.table.table import LiveTable


def paint_all(table: LiveTable) -> None:
    """Paint all of a table again, as it is now."""
    table.refresh_rows(table.visible_ids)
    table.refresh()


if __name__ == "__main__":
    LiveTable.tick = paint_all  # type: ignore[assignment, method-assign]  # this is the program that it is compared with
    sys.exit(run(sys.argv[1:]))
