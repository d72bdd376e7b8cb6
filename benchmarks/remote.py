"""The account in view 3: its first rows, and the memory of all of them."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure, compared, in_pairs
from benchmarks.scene import scene, simulated_account
from benchmarks.starting import HELLO
from benchmarks.terminal import PROGRAM, TRUE_COLOUR, Terminal, in_terminal

_ROW = b".acme.example"


def measure(*, quick: bool) -> Iterator[Figure]:
    """Measure the first rows of 100,000 against 100, and the memory once all are loaded."""
    pairs, many = (1, 1_000) if quick else (7, 100_000)
    with simulated_account(many) as large, simulated_account(100) as small:
        yield compared(
            f"first paint of Remote, an account of {many:,}",
            "s",
            in_pairs(lambda: first_rows(large), lambda: first_rows(small), pairs),
            "the same with 100",
            ratio_goal=1.1,
        )
        yield compared(
            f"memory, {many:,} remote rows loaded",
            "MB",
            in_pairs(lambda: memory_loaded(large, many), memory_of_hello, 1),
            "bare Textual hello world",
            ratio_goal=2.6,
        )


def first_rows(base_url: str) -> float:
    """Return the seconds from the key that opens Remote to its first row, the dashboard being settled."""
    with scene(base_url) as place, in_terminal(PROGRAM, {**TRUE_COLOUR, **place.environ}) as terminal:
        return _open_remote(terminal)


def memory_loaded(base_url: str, rows: int) -> float:
    """Return the megabytes in use once every row has been fetched."""
    with scene(base_url) as place, in_terminal(PROGRAM, {**TRUE_COLOUR, **place.environ}) as terminal:
        _open_remote(terminal)
        terminal.press(b"L")
        terminal.read_until(f"{rows:,} of {rows:,}".encode(), limit_seconds=300)
        terminal.read_until_quiet(1.5)
        return terminal.rss_megabytes()


def memory_of_hello() -> float:
    """Return the megabytes of the least that Textual can show."""
    with in_terminal(HELLO) as terminal:
        terminal.read_until(b"Hello")
        terminal.read_until_quiet(0.5)
        return terminal.rss_megabytes()


def _open_remote(terminal: Terminal) -> float:
    terminal.read_until(b"No order is pending")
    terminal.read_until_quiet(0.5)
    pressed = terminal.press(b"3")
    return terminal.read_until(_ROW) - pressed
