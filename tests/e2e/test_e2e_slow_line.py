"""Over a line of 2 kB/s: keys answer, and what cannot be sent in time is left out, not queued."""

from __future__ import annotations

from support.installation import Installation

PAGE_DOWN, PAGE_UP = "\x1b[6~", "\x1b[5~"
BYTES_PER_SECOND = 2_000
HELD_BY_THE_KERNEL = 24_000
"""What a pseudo-terminal takes from a program before anybody has read it."""


def test_a_thin_line_costs_frames_and_no_keys(program: Installation) -> None:
    for number in range(80):
        program.place("ov-vetting", f"host-{number}.acme.example", age_seconds=3600 + number)
    with program.terminal() as terminal:
        terminal.until(r"80 pend")
        terminal.until(r"host-20\.acme\.example")
        terminal.read_slowly(1.0, bytes_per_second=1_000_000)

        # Some 60 repaints of the screen, of 5 kB and more each.
        for _ in range(30):
            terminal.press(PAGE_DOWN)
            terminal.read_slowly(0.05, bytes_per_second=BYTES_PER_SECOND)
            terminal.press(PAGE_UP)
            terminal.read_slowly(0.05, bytes_per_second=BYTES_PER_SECOND)
        terminal.press("2")
        before = len(terminal.received)
        terminal.until(r"view: Local")

        assert len(terminal.received) - before < HELD_BY_THE_KERNEL + 40_000
        terminal.press("q")
        terminal.until(r"view: Pending")
        terminal.press("q")
        assert terminal.end() == 0
