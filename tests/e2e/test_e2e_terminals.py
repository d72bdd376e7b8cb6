"""The installed dashboard in terminals of every kind, and its first run."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from support.installation import Installation
from support.terminal import PROGRAM, Terminal

KINDS = ("xterm-256color", "xterm-16color", "screen-256color", "tmux-256color", "linux", "vt220")


@pytest.mark.parametrize("kind", KINDS)
def test_a_terminal_of_each_kind_shows_the_orders_and_is_left_as_it_was(program: Installation, kind: str) -> None:
    program.place("ov-vetting", "shop.acme.example", age_seconds=7200)
    with program.terminal(columns=80, lines=24, term=kind) as terminal:
        terminal.until(r"APL", r"shop\.acme\.example")
        terminal.press("d")
        terminal.until(r"SCM status +Applied")
        terminal.press("q")
        terminal.until(lambda: not terminal.shows("SCM status"))
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.is_restored


@pytest.mark.parametrize(
    ("changes", "forbidden"),
    [
        ({"NO_COLOR": "1"}, rb"\x1b\[[0-9;]*(?:3[1-7]|4[1-7]|38;|48;)[0-9;]*m"),
        ({"LC_ALL": "C", "LANG": "C"}, "[◐○●─│┌▁]".encode()),
    ],
    ids=["NO_COLOR", "not UTF-8"],
)
def test_what_a_terminal_cannot_show_is_not_sent(
    program: Installation, changes: dict[str, str], forbidden: bytes
) -> None:
    program.place("ov-vetting", "shop.acme.example", age_seconds=7200)
    program.environ.update(changes)
    with program.terminal(columns=80, lines=24) as terminal:
        terminal.until(r"APL", r"shop\.acme\.example")
        terminal.press("?")
        terminal.until(r"Esc")
        found = re.search(forbidden, terminal.received)
        assert found is None or not found[0].strip(), found


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux here")
def test_it_works_in_tmux(program: Installation, tmp_path: Path) -> None:
    program.place("ov-vetting", "shop.acme.example", age_seconds=7200)
    command = ["tmux", "-u", "-f", "/dev/null", "-S", str(tmp_path / "socket"), "new-session", str(PROGRAM)]
    try:
        with program.terminal(command=command, columns=80, lines=24) as terminal:
            terminal.until(r"APL", r"shop\.acme\.example")
            terminal.press("q")
            assert terminal.end() == 0
    finally:
        subprocess.run(["tmux", "-S", str(tmp_path / "socket"), "kill-server"], check=False, capture_output=True)


def test_the_first_run_asks_tries_and_keeps_the_account(program: Installation, tmp_path: Path) -> None:
    home = tmp_path / "fresh"
    home.mkdir()
    environ = {name: value for name, value in program.environ.items() if not name.startswith("CERTCTL_")}
    environ["HOME"] = str(home)
    answers = {name: program.environ[f"CERTCTL_SECTIGO_{name}"] for name in ("CUSTOMER_URI", "LOGIN", "PASSWORD")}
    base_url = program.environ["CERTCTL_SECTIGO_BASE_URL"]
    with Terminal([str(PROGRAM)], environ, columns=80, lines=24) as terminal:
        terminal.until(r"which SCM account")
        # An Enter that came before the form was painted is not taken, and said.
        terminal.press_until("\r", lambda: "Needed: Customer URI, API login, API password" in terminal.text)
        for text in (answers["CUSTOMER_URI"], answers["LOGIN"], "wrong"):
            terminal.press(text)
            terminal.press("\t")
        terminal.press(base_url)
        terminal.press("\r")
        terminal.until(r"-16")
        terminal.until(r"Next: Correct what is wrong")
        assert not list(home.rglob("*.toml"))
        # The focus is where the fault is.
        terminal.press(answers["PASSWORD"])
        terminal.press_until("\r", lambda: "API OK" in terminal.text or "No order is pending" in terminal.text)
        terminal.press("q")
        assert terminal.end() == 0
        assert answers["PASSWORD"].encode() not in terminal.received
    files = {path.name: path for path in home.rglob("*.toml")}
    assert set(files) == {"config.toml", "credentials.toml"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files.values())
    assert answers["PASSWORD"] not in files["config.toml"].read_text()


def test_bytes_of_every_kind_end_nothing_and_what_is_typed_after_them_works(program: Installation) -> None:
    program.place("ov-vetting", "shop.acme.example", age_seconds=7200)
    with program.terminal(columns=80, lines=24) as terminal:
        terminal.until(r"shop\.acme\.example")
        for data in (
            b"\xe4",
            b"\x1b[M \xc3\xa1",
            b"\x1b[M \xfe\xff",
            b"\x1b[97:65;2u",
            b"\x1b[1114112u",
            b"\x1b[?62;4c",
        ):
            terminal.press_bytes(data)
        terminal.press("?")
        terminal.until(r"Esc")
        terminal.press("\x1b")
        terminal.until(lambda: not terminal.shows("Esc"))
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.is_restored


def test_a_defect_of_what_reads_the_keyboard_is_written_down_and_is_no_success(program: Installation) -> None:
    script = (
        "import sys; from sectigo_tui.ui.terminal import input as keyboard; from sectigo_tui.__main__ import main\n"
        "def defect(self, data): raise RuntimeError('planted')\n"
        "keyboard.TerminalInput.feed = defect; sys.exit(main())"
    )
    with program.terminal(command=(sys.executable, "-c", script)) as terminal:
        terminal.until(r"No order is pending|API OK")
        terminal.press("j")
        assert terminal.end() == 1
        assert terminal.is_restored
        assert terminal.shows("a defect of this program", "planted")
    (report,) = program.home.rglob("crashes/*.txt")
    assert "driver.py" in report.read_text()
