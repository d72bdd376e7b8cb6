"""What the live table costs in a real terminal: bytes at rest, key to paint, first paint.

Run `python benchmarks/table.py`; `--quick` takes few samples and is for seeing that it runs at all.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import pty
import select
import signal
import statistics
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from textual.app import App, ComposeResult
from textual.widgets import DataTable, Static

from sectigo_tui.ui import theme
from sectigo_tui.ui.format import countdown, deadline_bar
from sectigo_tui.ui.widgets.live_table import LiveTable
from sectigo_tui.ui.widgets.live_table_columns import Column
from sectigo_tui.ui.widgets.live_table_paint import Cell

ROWS, REFERENCE_ROWS = 100_000, 1_000
WIDTH, HEIGHT = 120, 32
"""A header line, a title line and thirty rows."""
DOWN, UP, PAGE_DOWN, PAGE_UP = b"\x1b[B", b"\x1b[A", b"\x1b[6~", b"\x1b[5~"
REFERENCES = ("datatable", "updates")
"""Textual's own table: still, and with its thirty countdowns updated each second."""
TRUE_COLOUR = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
SIXTEEN_COLOURS = {"TERM": "xterm", "COLORTERM": ""}
COLUMNS = (
    Column("next", "NEXT", 5, align="right", ticking=True),
    Column("deadline", "DEADLINE", 24, narrow_width=11, ticking=True),
    Column("state", "STATE", 5),
    Column("id", "SSLID", 8, align="right"),
    Column("name", "COMMON NAME", 16, share=2),
    Column("profile", "PROFILE", 16),
    Column("outcome", "LAST OUTCOME", 12, share=1),
)
_SETTLED_SECONDS = 0.03


@dataclass
class Terminal:
    """A program in a terminal that is read at once, as a fast emulator would."""

    descriptor: int
    process_id: int
    started: float

    def read_until_quiet(self, quiet_seconds: float, limit_seconds: float = 20.0) -> tuple[float, int]:
        """Return when the last byte before a pause came, and how many bytes there were."""
        last, size = time.perf_counter(), 0
        end = last + limit_seconds
        while time.perf_counter() < end and self._has_output(quiet_seconds if size else 1.0):
            size += len(os.read(self.descriptor, 1 << 16))
            last = time.perf_counter()
        return last, size

    def read_until(self, wanted: bytes, limit_seconds: float = 60.0) -> float:
        """Return when a text came."""
        seen = b""
        end = time.perf_counter() + limit_seconds
        while wanted not in seen and time.perf_counter() < end and self._has_output(limit_seconds):
            seen = seen[-200:] + os.read(self.descriptor, 1 << 16)
        return time.perf_counter()

    def read_for(self, seconds: float) -> int:
        """Return how many bytes came in a time."""
        size, end = 0, time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if self._has_output(left):
                size += len(os.read(self.descriptor, 1 << 16))
        return size

    def cpu_seconds(self) -> float:
        """Return the processor time the program has used."""
        with open(f"/proc/{self.process_id}/stat") as stat:  # noqa: PTH123 - no file, a kernel's answer
            fields = stat.read().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _has_output(self, seconds: float) -> bool:
        return bool(select.select([self.descriptor], [], [], seconds)[0])


@contextmanager
def running(table: str, environ: Mapping[str, str]) -> Iterator[Terminal]:
    """Run this file's application with one kind of table in a terminal of its own."""
    started = time.perf_counter()
    process_id, descriptor = pty.fork()
    if process_id == 0:
        os.execve(sys.executable, [sys.executable, __file__, "--show", table], {**os.environ, **environ})
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", HEIGHT, WIDTH, 0, 0))
    try:
        yield Terminal(descriptor, process_id, started)
    finally:
        os.kill(process_id, signal.SIGKILL)
        os.waitpid(process_id, 0)
        os.close(descriptor)


def bytes_at_rest(table: str, environ: Mapping[str, str], seconds: float) -> tuple[float, float]:
    """Return bytes per second and per cent of a core while nothing but time goes by."""
    with running(table, environ) as terminal:
        terminal.read_until(b"host1")
        terminal.read_for(2.0)
        used = terminal.cpu_seconds()
        size = terminal.read_for(seconds)
        return size / seconds, (terminal.cpu_seconds() - used) / seconds * 100


def keys_to_paint(table: str, keys: tuple[bytes, bytes], count: int) -> tuple[float, float]:
    """Return median and 95th percentile of the milliseconds from a key to its settled paint.

    The keys go forth, scrolling, and back before the shorter of the tables ends.
    """
    with running(table, TRUE_COLOUR) as terminal:
        terminal.read_until(b"host1")
        terminal.read_until_quiet(0.5)
        times = []
        for number in range(count):
            sent = time.perf_counter()
            os.write(terminal.descriptor, keys[number // 20 % 2] if keys[0] == PAGE_DOWN else keys[0])
            last, _size = terminal.read_until_quiet(_SETTLED_SECONDS)
            times.append((last - sent) * 1000)
        return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def first_paint(table: str, repeats: int) -> float:
    """Return the median seconds from exec to the first row on the screen."""
    times = []
    for _ in range(repeats):
        with running(table, TRUE_COLOUR) as terminal:
            times.append(terminal.read_until(b"host1") - terminal.started)
    return statistics.median(times)


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
        table: "cells", "hours", "whole" or "still" for the live table; "updates" or "datatable" for Textual's.
    """

    def __init__(self, table: str) -> None:
        choice = theme.choose_theme(os.environ)
        super().__init__(ansi_color=choice.ansi_color)
        for each in theme.THEMES:
            self.register_theme(each)
        self.theme = choice.name
        self.cell = cells_of_orders(wait_seconds=4 * 3600.0 if table == "hours" else 590.0)
        self.live = LiveTable(COLUMNS, self.cell)
        self.reference = DataTable[str](cursor_type="row")
        self.shown = self.reference if table in REFERENCES else self.live
        self.every_second = {
            "cells": self.live.tick,
            "hours": self.live.tick,
            "whole": self.live.notify_style_update,
            "updates": self.update_reference,
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
        """Update the cells of Textual's table that count down."""
        for row_id in map(str, range(100, 130)):
            for column in COLUMNS[:2]:
                text = self.cell(row_id, column.key, column.width).text
                self.reference.update_cell(row_id, column.key, text)


def main() -> None:
    """Measure, and print a line for each axis."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few samples")
    parser.add_argument("--show", help="run the application itself with this kind of table")
    arguments = parser.parse_args()
    if arguments.show:
        Bench(arguments.show).run()
        return
    seconds, keys, repeats = (2.0, 10, 1) if arguments.quick else (20.0, 200, 5)
    for name, environ in (("true colour", TRUE_COLOUR), ("16 colours", SIXTEEN_COLOURS)):
        for table in ("updates", "whole", "cells", "hours", "still"):
            rate, cpu = bytes_at_rest(table, environ, seconds)
            print(f"30 countdowns, {name:11} {table:7} {rate:8,.0f} B/s {cpu:5.2f} % of a core")
    for name, pair in (("down", (DOWN, UP)), ("page down", (PAGE_DOWN, PAGE_UP))):
        for table, rows in (("cells", ROWS), ("datatable", REFERENCE_ROWS)):
            median, p95 = keys_to_paint(table, pair, keys)
            print(f"{name:9} {table:9} of {rows:7,} rows: p50 {median:5.1f} ms, p95 {p95:5.1f} ms")
    for table, rows in (("cells", ROWS), ("datatable", REFERENCE_ROWS)):
        print(f"first row {table:9} of {rows:7,} rows: {first_paint(table, repeats):.3f} s")


if __name__ == "__main__":
    main()
