"""Whatever happens to the terminal, the installed dashboard goes on or ends at once, and puts it back as it was."""

from __future__ import annotations

import os
import re
import signal
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from support.installation import Installation, switched
from support.terminal import PATIENCE_SECONDS, Terminal

PROMPT_SECONDS = 10.0
"""An end takes less than 2 s of an idle machine; this one may be busy with other tests."""

CALM = 0.5
"""The share of a CPU that is no spinning yet; at rest it is 0.005."""

ESC = "\x1b[27u"
"""Escape as terminals with the keyboard protocol send it: with what is typed at once after it, it is no other key."""

_STAY_ON = {7, 25}
"""Modes that are on in a shell: line wrap and the cursor."""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Installation]:
    with switched(tmp_path) as made:
        made.run("track", *(str(made.place("ov-vetting", f"host-{number}.acme.example")) for number in range(3)))
        yield made


def pid(terminal: Terminal) -> int:
    return terminal._process.pid


def fields(terminal: Terminal) -> list[str]:
    return Path(f"/proc/{pid(terminal)}/stat").read_text().rpartition(")")[2].split()


def cpu_share(terminal: Terminal, *, seconds: float = 1.0) -> float:
    """Return which part of a CPU the program takes while it is left alone, its output being read."""
    clock = os.sysconf("SC_CLK_TCK")

    def used() -> float:
        return (int(fields(terminal)[11]) + int(fields(terminal)[12])) / clock

    before, started = used(), time.monotonic()
    while time.monotonic() < started + seconds:
        terminal._read()
    return (used() - before) / (time.monotonic() - started)


def until_calm(terminal: Terminal) -> None:
    """Wait until the program has nothing to do; fail when it spins."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while cpu_share(terminal) > CALM:
        assert time.monotonic() < deadline, "it spins"


def until_stopped(terminal: Terminal) -> None:
    terminal.until(lambda: fields(terminal)[0] == "T")
    while terminal._read():
        pass


def resize(terminal: Terminal, columns: int, lines: int) -> None:
    termios.tcsetwinsize(terminal._spare, (lines, columns))
    terminal._screen.resize(lines, columns)


def modes_left_on(received: bytes) -> set[int]:
    """Return the private modes that were set at the end, and 0 where the keyboard protocol was not taken back."""
    last = {int(mode): switch for mode, switch in re.findall(rb"\x1b\[\?(\d+)([hl])", received)}
    pushed = received.count(b"\x1b[>") - received.count(b"\x1b[<u")
    return {mode for mode, switch in last.items() if switch == b"h"} - _STAY_ON | ({0} if pushed > 0 else set())


def check_restored(terminal: Terminal) -> None:
    assert modes_left_on(terminal.received) == set()
    assert terminal.is_restored


def check_all_is_saved(program: Installation) -> None:
    assert [order["state"] for order in program.orders()] == ["pending"] * 3
    assert program.run("audit", "verify").returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTSTP, signal.SIGSTOP])
def test_a_stopped_dashboard_goes_on_and_puts_the_terminal_back_at_its_end(
    program: Installation, number: signal.Signals
) -> None:
    with program.terminal() as terminal:
        terminal.until("host-2")
        for _ in range(2):
            terminal.signal(number)
            until_stopped(terminal)
            if number is signal.SIGTSTP:
                check_restored(terminal)
            # What a shell does when it has the terminal back.
            termios.tcsetattr(terminal._spare, termios.TCSANOW, terminal._modes)
            terminal._screen.reset()
            terminal.signal(signal.SIGCONT)
            terminal.until(r"3 pend")
            terminal.until("host-2")
        terminal.press("4")
        terminal.until("WHAT")
        until_calm(terminal)
        terminal.press("1q")
        assert terminal.end() == 0
        check_restored(terminal)
    check_all_is_saved(program)


def test_a_storm_of_resizes_is_survived_and_the_last_size_is_painted(program: Installation) -> None:
    random = Random(4)
    with program.terminal() as terminal:
        terminal.until("host-2")
        for _ in range(150):
            resize(terminal, random.choice((1, 2, 20, 80, 300)), random.choice((1, 2, 5, 24, 90)))
            terminal.press(random.choice(("j", "k", "d", "\x1b", "")))
            terminal._read()
        resize(terminal, 100, 30)
        terminal.press_until("1", lambda: terminal.shows("3 pend") and terminal.shows("host-2"))
        until_calm(terminal)
        assert terminal._process.poll() is None
        terminal.signal(signal.SIGTERM)
        assert terminal.end(seconds=PROMPT_SECONDS) == 128 + signal.SIGTERM
        check_restored(terminal)
    check_all_is_saved(program)


@pytest.mark.parametrize(("columns", "lines"), [(20, 5), (1, 1)])
def test_a_tiny_terminal_is_used_as_far_as_it_goes(program: Installation, columns: int, lines: int) -> None:
    with program.terminal(columns=columns, lines=lines) as terminal:
        terminal.until(lambda: b"\x1b[?1049h" in terminal.received)
        for key in ("j", "d", "a", ESC, "?", ESC, "2", "3", "4", "5", "1"):
            terminal.press(key)
            terminal._read()
        until_calm(terminal)
        resize(terminal, 80, 24)
        terminal.until("host-2")
        terminal.signal(signal.SIGTERM)
        assert terminal.end(seconds=PROMPT_SECONDS) == 128 + signal.SIGTERM
        check_restored(terminal)


def leave_unread(terminal: Terminal) -> None:
    """Let the terminal take nothing any more, as over an SSH connection that stalls, and fill what holds on to it."""
    for _ in range(60):
        terminal.press("2341")
    pause = time.monotonic() + 2
    while time.monotonic() < pause:
        time.sleep(0.05)


def test_polling_goes_on_while_the_terminal_takes_nothing_and_the_screen_is_whole_after(program: Installation) -> None:
    with program.terminal(columns=200, lines=60) as terminal:
        terminal.until("host-2")
        leave_unread(terminal)
        program.forget_requests()
        deadline = time.monotonic() + 2 * PATIENCE_SECONDS
        while program.polls() < 1:
            assert time.monotonic() < deadline, "no poll was made"
            time.sleep(0.1)
        terminal.until("host-2")
        terminal.until(r"3 pend")
        until_calm(terminal)
        terminal.press("1q")
        assert terminal.end() == 0
        check_restored(terminal)


def hang_up(terminal: Terminal) -> int:
    return terminal.hang_up(seconds=PROMPT_SECONDS)


def terminate(terminal: Terminal) -> int:
    terminal.signal(signal.SIGTERM)
    return terminal.end(seconds=PROMPT_SECONDS)


def terminate_unread(terminal: Terminal) -> int:
    terminal.signal(signal.SIGTERM)
    return terminal._process.wait(PROMPT_SECONDS)


def nothing_open(terminal: Terminal, program: Installation) -> None:
    del terminal, program


def menu_open(terminal: Terminal, program: Installation) -> None:
    del program
    terminal.press("a")
    terminal.until("Actions:")


def answer_late(terminal: Terminal, program: Installation) -> None:
    program.add_fault("latency", seconds=30)
    terminal.press("R")


def unread(terminal: Terminal, program: Installation) -> None:
    del program
    leave_unread(terminal)


@pytest.mark.parametrize("end", [hang_up, terminate])
@pytest.mark.parametrize("while_", [nothing_open, menu_open, answer_late, unread])
def test_it_ends_at_once_whatever_it_is_at_and_all_is_saved(
    program: Installation, while_: Callable[[Terminal, Installation], None], end: Callable[[Terminal], int]
) -> None:
    with program.terminal() as terminal:
        terminal.until("host-2")
        while_(terminal, program)
        number = signal.SIGHUP if end is hang_up else signal.SIGTERM
        left = terminate_unread if end is terminate and while_ is unread else end
        assert left(terminal) == 128 + number
        if end is terminate and while_ is not unread:
            # A terminal that takes nothing cannot be put back for sure.
            while terminal._read():
                pass
            check_restored(terminal)
    program.control.delete("/faults")
    check_all_is_saved(program)
