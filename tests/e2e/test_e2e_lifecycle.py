"""How the installed dashboard ends, and how it goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from e2e_site import CANARY, Site, simulated_site
from e2e_terminal import PROGRAM, Terminal

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


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with simulated_site(tmp_path) as made:
        yield made


def kill(terminal: Terminal) -> None:
    terminal.signal(signal.SIGKILL)
    assert terminal.end() == -signal.SIGKILL


def leave(terminal: Terminal) -> None:
    terminal.press("q")
    assert terminal.end() == 0


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize("end", [kill, leave])
def test_a_poll_window_goes_on_where_it_was_after_a_restart(site: Site, end: Callable[[Terminal], None]) -> None:
    names = [f"host-{number}.acme.example" for number in range(8)]
    site.run("track", *(str(site.place("ov-vetting", name)) for name in names))
    with site.terminal() as terminal:
        # The second look of each comes 4 to 6 seconds after the first, the third 12 to 18 seconds later.
        for name in names:
            terminal.until(rf"APL . 00:1\d .*{name} .*Applied +2 ")
        end(terminal)
    before = {order["ssl_id"]: order["window"] for order in site.orders()}
    assert {window["looks"] for window in before.values()} == {2}
    site.forget_requests()
    with site.terminal() as terminal:
        terminal.until(r"upd \d")
        for name in names:
            terminal.until(rf"APL . 00:(0[1-9]|1\d) .*{name} .*Applied +2 ")
        assert site.looks() == 0
        assert {order["ssl_id"]: order["window"] for order in site.orders()} == before


def test_after_a_kill_each_look_is_made_when_it_was_due_and_not_sooner(site: Site) -> None:
    site.run("track", *(str(site.place("ov-vetting", f"host-{number}.acme.example")) for number in range(8)))
    with site.terminal() as terminal:
        terminal.until(r"00:0\d .*host-7")
        kill(terminal)
    due = {order["ssl_id"]: moment(order["window"]["next_look_at"]) for order in site.orders()}
    site.forget_requests()
    with site.terminal() as terminal:
        terminal.until(lambda: site.looks() == len(due))
    made = {int(one["path"].rpartition("/")[2]): moment(one["at"]) for one in site.requests(r"^/api/ssl/v1/\d+$")}
    assert made.keys() == due.keys()
    assert all(made[ssl_id] >= due[ssl_id] for ssl_id in due)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_dashboard_and_leaves_the_terminal_as_it_was(site: Site, number: signal.Signals) -> None:
    with site.terminal() as terminal:
        terminal.until(r"No order is pending")
        assert not terminal.is_restored
        terminal.signal(number)
        assert terminal.end(seconds=PROMPT_SECONDS) == 128 + number
        assert terminal.is_restored


def test_a_lost_connection_ends_the_dashboard(site: Site) -> None:
    site.run("track", str(site.place("ov-vetting", "www.acme.example")))
    with site.terminal() as terminal:
        terminal.until(r"00:0\d .*www\.acme\.example")
        before = site.orders()
        assert terminal.hang_up(seconds=PROMPT_SECONDS) == 128 + signal.SIGHUP
    assert [order["state"] for order in before] == [order["state"] for order in site.orders()] == ["pending"]


def test_a_terminal_that_is_lost_without_a_signal_ends_the_dashboard_too(site: Site) -> None:
    ours, theirs = os.openpty()
    # It is no session's controlling terminal, so that nobody is told when it goes.
    process = subprocess.Popen(
        [PROGRAM], env={**site.environ, "TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    while b"No order is pending" not in seen:
        seen += os.read(ours, 65_536)
    os.close(ours)
    assert process.wait(timeout=PROMPT_SECONDS) == 128 + signal.SIGHUP


def test_without_a_terminal_the_dashboard_says_what_scripts_use(site: Site) -> None:
    ended = site.run()
    assert ended.returncode == 2
    assert ended.stderr.splitlines() == [
        "sectigo-tui: the dashboard needs a terminal; in scripts use sectigo-tui orders --json"
    ]


def test_a_crash_tells_where_and_shows_no_value_of_a_variable(site: Site) -> None:
    site.place("ov-vetting", "www.acme.example")
    with site.terminal(command=[sys.executable, "-c", CRASHING]) as terminal:
        terminal.until(r"www\.acme\.example")
        terminal.press("d")
        assert terminal.end() == 1
        assert terminal.is_restored
        assert "RuntimeError: a defect that knows" in terminal.text
        assert CANARY not in terminal.received.decode()
        assert "locals" not in terminal.text


def test_the_password_is_neither_shown_nor_stored(site: Site) -> None:
    site.run("track", str(site.place("ov-instant", "www.acme.example")))
    site.run("track", str(site.place("ov-vetting", "slow.acme.example")))
    site.add_fault("unauthorized", after=12)
    shown = site.run("check").stdout
    with site.terminal() as terminal:
        terminal.until(r"COL|Applied")
        for key, text in (("d", "sslId"), ("3", "of 2"), ("4", "WHAT"), ("?", "Program")):
            terminal.press(key)
            terminal.until(text)
        terminal.press("R")
        terminal.press("q")
        kill(terminal)
        shown += terminal.received.decode(errors="replace")
    stored = site.stored()
    assert b"www.acme.example" in stored
    assert CANARY not in shown
    assert CANARY.encode() not in stored
    assert "********" in shown
