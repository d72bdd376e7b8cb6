"""Lists of orders in one kind of table: the program's own, or Textual's for comparison."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

from textual.app import App, ComposeResult
from textual.widgets import DataTable, Static

from sectigo_tui.presentation.format import countdown, deadline_bar
from sectigo_tui.presentation.table_columns import Cell, Column
from sectigo_tui.presentation.themes import ansi_color_of, choose_theme
from sectigo_tui.ui.theme import THEMES
from sectigo_tui.ui.widgets.table.table import LiveTable

ROWS, REFERENCE_ROWS = 100_000, 1_000
SIZE = (120, 32)
"""The terminal's columns and lines: a title, the table's titles and thirty rows."""
FIRST_NAME = b"host1"
REFERENCES = ("datatable", "whole")
"""Textual's own table: still, and painted again as a whole each second for its thirty countdowns."""
COLUMNS = (
    Column("next", "NEXT", 5, align="right", ticking=True),
    Column("deadline", "DEADLINE", 24, narrow_width=11, ticking=True),
    Column("state", "STATE", 5),
    Column("id", "SSLID", 8, align="right"),
    Column("name", "COMMON NAME", 16, share=2),
    Column("profile", "PROFILE", 16),
    Column("outcome", "LAST OUTCOME", 12, share=1),
)


def command(kind: str) -> tuple[str, str]:
    """Return Python's arguments that show one kind of table."""
    return (__file__, kind)


def cells_of_orders(wait_seconds: float) -> Callable[[str, str, int], Cell]:
    """Return what cells of orders show that all wait for about as long."""
    started = time.monotonic()
    others = {
        "state": Cell("APL ◐", "waiting"),
        "profile": Cell("OV Multi-Domain", "muted"),
        "outcome": Cell("not ready: code 0"),
    }

    def cell(row_id: str, key: str, width: int) -> Cell:
        left = wait_seconds - (int(row_id) * 7 % 300) - (time.monotonic() - started)
        match key:
            case "next":
                return Cell(countdown(left))
            case "deadline":
                return Cell(deadline_bar(left + 5, wait_seconds + 10, width=width))
            case "id":
                return Cell(row_id)
            case "name":
                return Cell(f"host{row_id}.example.com")
        return others[key]

    return cell


class Bench(App[None]):
    """One table, and the rhythm it is measured in.

    Args:
        table: "cells", "hours" or "still" for the live table; "whole" or "datatable" for Textual's.
    """

    def __init__(self, table: str) -> None:
        choice = choose_theme(os.environ)
        super().__init__(ansi_color=ansi_color_of(choice))
        for each in THEMES:
            self.register_theme(each)
        self.theme = choice
        self.cell = cells_of_orders(wait_seconds=4 * 3600.0 if table == "hours" else 590.0)
        self.live = LiveTable(COLUMNS, self.cell)
        self.reference = DataTable[str](cursor_type="row")
        self.shown = self.reference if table in REFERENCES else self.live
        self.every_second = {
            "cells": self.live.tick,
            "hours": self.live.tick,
            "whole": self.update_reference,
        }.get(table)

    def compose(self) -> ComposeResult:
        """Show a line and the table."""
        yield Static("title")
        yield self.shown

    def on_mount(self) -> None:
        """Fill the table and start its rhythm."""
        self.animation_level = "none"
        if self.shown is self.live:
            self.live.update_rows([str(number) for number in range(100, 100 + ROWS)])
        else:
            self.fill_reference()
        self.shown.focus()
        if self.every_second is not None:
            self.set_interval(1, self.every_second)

    def fill_reference(self) -> None:
        """Give Textual's table its rows."""
        for column in COLUMNS:
            self.reference.add_column(column.title, key=column.key, width=column.width)
        for row_id in map(str, range(100, 100 + REFERENCE_ROWS)):
            texts = (self.cell(row_id, column.key, column.width).text for column in COLUMNS)
            self.reference.add_row(*texts, key=row_id)

    def update_reference(self) -> None:
        """Update the cells of Textual's table that count down, and paint all of it."""
        for row_id in map(str, range(100, 130)):
            for column in COLUMNS[:2]:
                text = self.cell(row_id, column.key, column.width).text
                self.reference.update_cell(row_id, column.key, text)
        self.reference.refresh()


if __name__ == "__main__":
    Bench(sys.argv[1]).run()
