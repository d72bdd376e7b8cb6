"""How the installed dashboard ends, and how it goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime

import pytest

from support.installation import CANARY, Installation
from support.terminal import PROGRAM, Terminal

PROMPT_SECONDS = 5.0

CRASHING = """
import os, sys
from sectigo_tui.ui.screens.view import View

def broken(self):
    password = os.environ["CERTCTL_SECTIGO_PASSWORD"]
    raise RuntimeError(f"a defect that knows {len(password)} characters")

View.action_detail = broken
from sectigo_tui.__main__ import main
sys.exit(main())
"""


def kill(terminal: Terminal) -> None:
    terminal.signal(signal.SIGKILL)
    assert terminal.end() == -signal.SIGKILL


def leave(terminal: Terminal) -> None:
    terminal.press("q")
    assert terminal.end() == 0


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("end", [kill, leave])
def test_a_poll_window_goes_on_where_it_was_after_a_restart(
    program: Installation, end: Callable[[Terminal], None]
) -> None:
    names = [f"host-{number}.acme.example" for number in range(8)]
    program.run("track", *(str(program.place("ov-vetting", name)) for name in names))
    # The second look of each, 4 to 6 seconds after the first, is told to wait for half a minute.
    program.add_fault("rate-limit", retry_after="30", path=r"/ssl/v1/\d+$")
    with program.terminal() as terminal:
        for name in names:
            terminal.until(" 429 ", name, r" 2\b")
        end(terminal)
    before = {order["ssl_id"]: order["window"] for order in program.orders()}
    assert {(window["attempts"], window["reason"]) for window in before.values()} == {(2, "Retry-After")}
    program.forget_requests()
    with program.terminal() as terminal:
        terminal.until(r"updated \d")
        for name in names:
            terminal.until(" 429 ", r"0[89]:\d\d", name, r" 2\b")
        assert program.polls() == 0
        assert {order["ssl_id"]: order["window"] for order in program.orders()} == before


def test_after_a_kill_each_poll_is_made_when_it_was_due_and_not_sooner(program: Installation) -> None:
    program.run("track", *(str(program.place("ov-vetting", f"host-{number}.acme.example")) for number in range(8)))
    with program.terminal() as terminal:
        terminal.until(r"00:\d\d", "host-7")
        kill(terminal)
    due = {order["ssl_id"]: moment(order["window"]["next_poll_at"]) for order in program.orders()}
    program.forget_requests()
    with program.terminal() as terminal:
        terminal.until(lambda: program.polls() == len(due))
    made = {int(one["path"].rpartition("/")[2]): moment(one["at"]) for one in program.requests(r"^/api/ssl/v1/\d+$")}
    assert made.keys() == due.keys()
    assert all(made[ssl_id] >= due[ssl_id] for ssl_id in due)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_dashboard_and_leaves_the_terminal_as_it_was(
    program: Installation, number: signal.Signals
) -> None:
    with program.terminal() as terminal:
        terminal.until(r"No order is pending")
        assert not terminal.is_restored
        terminal.signal(number)
        assert terminal.end(seconds=PROMPT_SECONDS) == 128 + number
        assert terminal.is_restored


def test_a_lost_connection_ends_the_dashboard(program: Installation) -> None:
    program.run("track", str(program.place("ov-vetting", "www.acme.example")))
    with program.terminal() as terminal:
        terminal.until(r"00:\d\d", "www.acme.example")
        before = program.orders()
        assert terminal.hang_up(seconds=PROMPT_SECONDS) == 128 + signal.SIGHUP
    assert [order["state"] for order in before] == [order["state"] for order in program.orders()] == ["pending"]


def test_a_terminal_that_is_lost_without_a_signal_ends_the_dashboard_too(program: Installation) -> None:
    ours, theirs = os.openpty()
    # It is no session's controlling terminal, so that nobody is told when it goes.
    process = subprocess.Popen(
        [PROGRAM], env={**program.environ, "TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    while b"No order is pending" not in seen:
        seen += os.read(ours, 65_536)
    os.close(ours)
    assert process.wait(timeout=PROMPT_SECONDS) == 128 + signal.SIGHUP


def test_without_a_terminal_the_dashboard_says_what_scripts_use(program: Installation) -> None:
    ended = program.run()
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "sectigo-tui: the dashboard needs a terminal; in scripts use sectigo-tui orders --json"
    ]


def test_a_crash_tells_where_and_shows_no_value_of_a_variable(program: Installation) -> None:
    program.place("ov-vetting", "www.acme.example")
    with program.terminal(command=[sys.executable, "-c", CRASHING]) as terminal:
        terminal.until(r"www\.acme\.example")
        terminal.press("d")
        assert terminal.end() == 1
        assert terminal.is_restored
        assert "RuntimeError: a defect that knows" in terminal.text
        assert CANARY not in terminal.received.decode()
        assert "locals" not in terminal.text


def children() -> str:
    """Return what everybody on this machine can see of the processes that this one has started."""
    listed = subprocess.run(["ps", "-ww", "-eo", "ppid,args"], check=True, capture_output=True, text=True).stdout
    return "\n".join(line for line in listed.splitlines() if line.split()[0] == str(os.getpid()))


def test_the_password_is_neither_shown_nor_stored_nor_in_the_list_of_processes(program: Installation) -> None:
    instant, slow = program.place("ov-instant", "www.acme.example"), program.place("ov-vetting", "slow.acme.example")
    shown = program.run("track", str(instant), str(slow)).stdout + program.run("check").stdout
    with program.terminal() as terminal:
        terminal.until(r"1 pend")
        for key, text in (("d", "SCM status"), ("3", "of 2"), ("4", "WHAT"), ("?", "Esc closes")):
            terminal.press(key)
            terminal.until(text)
        terminal.press_until("\x1b", lambda: not terminal.shows("Esc closes"))
        program.add_fault("unauthorized")
        terminal.press("R")
        terminal.until("AUTH rejected")
        terminal.until("Rotate the credentials")
        processes = children()
        assert "sectigo" in processes
        shown += processes
        kill(terminal)
        shown += terminal.received.decode(errors="replace")
    stored = program.stored()
    assert b"www.acme.example" in stored
    assert CANARY not in shown
    assert CANARY.encode() not in stored
    assert "********" in shown
