"""The terminal is given back to the shell: suspended and continued, over a slow line, and after each signal."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.installation import Installation, switched
from support.terminal import PROGRAM, Terminal

MOUSE_REPORT = b"\x1b[<35;10;10M"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Installation]:
    with switched(tmp_path) as made:
        made.run("track", str(made.place("ov-vetting", "shop.acme.example")))
        yield made


def test_continuing_paints_all_of_the_screen(program: Installation) -> None:
    with program.terminal(columns=80, lines=24) as terminal:
        terminal.until("shop.acme.example")
        terminal.until("q Quit")
        whole = [bool(line) for line in terminal.lines]
        for _ in range(2):
            terminal._screen.reset()
            terminal.signal(signal.SIGCONT)
            terminal.until(lambda: [bool(line) for line in terminal.lines] == whole)


@pytest.fixture
def shell(program: Installation) -> Iterator[Terminal]:
    """The dashboard as a job of an interactive shell."""
    program.environ["PS1"] = "prompt> "
    bash = shutil.which("bash") or pytest.skip("there is no bash here")
    with program.terminal(command=(bash, "--norc", "--noprofile", "-i"), columns=80, lines=24) as terminal:
        terminal.until("prompt>")
        terminal.press(f"{PROGRAM}\r")
        terminal.until("shop.acme.example")
        yield terminal


def test_ctrl_z_suspends_and_fg_goes_on(shell: Terminal) -> None:
    for _ in range(2):
        shell.press("\x1a")
        shell.until("Stopped")
        shell.press("stty -a; echo still $((40 + 2))\r")
        shell.until("still 42")
        shell.until("isig icanon|icanon")
        assert shell.received.rfind(b"\x1b[?1000l") > shell.received.rfind(b"\x1b[?1000h")
        shell.press("fg\r")
        shell.until("q Quit")
        shell.until("shop.acme.example")
    shell.press("q")
    shell.until("prompt>")
    shell.press("exit\r")


def test_without_a_shell_ctrl_z_stops_nothing_and_says_so(program: Installation) -> None:
    with program.terminal(columns=80, lines=24) as terminal:
        terminal.until("shop.acme.example")
        terminal.press("\x1a")
        terminal.until("Not suspended")
        terminal.press("q")
        assert terminal.end() == 0


@pytest.mark.parametrize("number", [signal.SIGQUIT, signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_ends_it_restores_the_terminal(program: Installation, number: signal.Signals) -> None:
    with program.terminal(columns=80, lines=24) as terminal:
        terminal.until("shop.acme.example")
        terminal.signal(number)
        assert terminal.end() == 128 + number
        assert terminal.is_restored
        assert terminal.received.rfind(b"\x1b[?1000l") > terminal.received.rfind(b"\x1b[?1000h")


@pytest.mark.parametrize("delay_seconds", [0.3, 1.0])
def test_no_report_of_the_mouse_reaches_the_shell_over_a_slow_line(shell: Terminal, delay_seconds: float) -> None:
    """A terminal far away, whose mouse moves until it hears that nobody listens; it answers what it is asked."""
    os.write(shell._ours, b"\x1b[?2026;2$y")
    stop, told = threading.Event(), threading.Event()

    def move() -> None:
        while not stop.wait(0.02):
            os.write(shell._ours, MOUSE_REPORT)

    mouse = threading.Thread(target=move)
    mouse.start()
    os.write(shell._ours, b"q")
    heard_at = None
    began = len(shell.received)
    try:
        deadline = time.monotonic() + 20
        while not told.is_set() and time.monotonic() < deadline:
            if select.select([shell._ours], [], [], 0.02)[0]:
                shell._read()
            if heard_at is None and b"\x1b[?1000l" in shell.received[began:]:
                heard_at = time.monotonic() + delay_seconds
            if heard_at is not None and time.monotonic() >= heard_at:
                stop.set()
                mouse.join()
                os.write(shell._ours, b"\x1b[0n")
                told.set()
    finally:
        stop.set()
        mouse.join()
    shell.until("prompt>")
    shell.press("echo $((40 + 2)) typed\r")
    shell.until("42 typed")
    assert not shell.shows("35;10;10")
    shell.press("exit\r")


@pytest.mark.parametrize(("configured", "is_used"), [("", False), ("[ui]\nmouse = true\n", True)])
def test_the_mouse_is_left_alone_in_gnu_screen_unless_it_is_asked_for(
    program: Installation, configured: str, is_used: bool
) -> None:
    config = program.home / ".config" / "sectigo-tui" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(configured)
    program.environ["STY"] = "1234.pts-0.host"
    with program.terminal(columns=80, lines=24) as terminal:
        terminal.until("shop.acme.example")
        terminal.until("q Quit")
        assert (b"\x1b[?1000h" in terminal.received) is is_used


@pytest.mark.skipif(shutil.which("screen") is None, reason="there is no GNU screen here")
def test_it_works_in_gnu_screen(program: Installation, tmp_path: Path) -> None:
    directory = tmp_path / "screens"
    directory.mkdir(mode=0o700)
    program.environ["SCREENDIR"] = str(directory)
    try:
        with program.terminal(
            command=("screen", "-U", "-c", "/dev/null", str(PROGRAM)), columns=80, lines=24
        ) as terminal:
            terminal.until("shop.acme.example")
            terminal.press("?")
            terminal.until("Esc")
            terminal.press("\x1b")
            terminal.until(lambda: not terminal.shows("Esc"))
            terminal.press("q")
            assert terminal.end() == 0
    finally:
        subprocess.run(["screen", "-wipe"], env=program.environ, check=False, capture_output=True)
