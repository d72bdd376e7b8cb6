"""Locales that cannot spell a name, streams that are closed, homes that are nobody's: told in a line, nothing lost."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from support.installation import Installation
from support.terminal import PROGRAM

NAME = "日本.example"
SPELLED = r"\u65e5\u672c.example"


@pytest.fixture(params=["iso-8859-1", "ascii", "cp1252"])
def narrow(program: Installation, request: pytest.FixtureRequest) -> Installation:
    """A program whose output's encoding spells Western letters at most."""
    program.environ["PYTHONIOENCODING"] = f"{request.param}:strict"
    return program


def test_a_name_that_the_locale_cannot_spell_is_written_as_numbers_everywhere(narrow: Installation) -> None:
    ssl_id = str(narrow.place("ov-vetting", NAME))
    tracked = narrow.run("track", ssl_id)
    assert (tracked.returncode, SPELLED in tracked.stdout + tracked.stderr) == (0, True)
    listed = narrow.run("orders")
    assert (listed.returncode, SPELLED in listed.stdout) == (0, True)
    assert json.loads(narrow.run("orders", "--json").stdout)[0]["common_name"] == NAME
    assert narrow.run("diagnose", ssl_id).returncode == 0
    assert json.loads(narrow.run("diagnose", ssl_id, "--json").stdout)
    assert SPELLED in narrow.run("handover").stdout


def test_a_table_is_aligned_by_what_is_written(narrow: Installation) -> None:
    narrow.run("track", *(str(narrow.place("ov-vetting", name)) for name in (NAME, "www.acme.example")))
    header, *rows = narrow.run("orders").stdout.splitlines()
    assert {row.index(name) for row, name in zip(rows, (SPELLED, "www."), strict=True)} == {header.index("COMMON NAME")}


def test_watch_goes_on_polling_what_it_cannot_spell(narrow: Installation) -> None:
    with narrow.terminal("watch", columns=160) as terminal:
        terminal.until("this process polls")
        narrow.run("track", str(narrow.place("ov-vetting", NAME)))
        terminal.until(re.escape(SPELLED))
        narrow.forget_requests()
        narrow.run("track", str(narrow.place("ov-vetting", "www.acme.example")))
        terminal.until(lambda: narrow.polls() > 1)
        assert terminal._process.poll() is None


def test_an_argument_that_is_no_text_is_named_in_a_line(program: Installation) -> None:
    ended = subprocess.run(
        [bytes(PROGRAM), b"track", b"\xff\xe4"], env=program.environ, capture_output=True, check=False
    )
    assert ended.returncode == 2
    assert b"Traceback" not in ended.stderr
    assert rb"\udcff" in ended.stderr


@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&-", "2>&-", "<&- >&- 2>&-"])
def test_the_dashboard_without_all_of_its_streams_ends_with_2(program: Installation, closed: str) -> None:
    command = ("/bin/sh", "-c", f'"$0" "$@" {closed}; echo "code $?" >/dev/tty', str(PROGRAM))
    with program.terminal(command=command, columns=80, lines=24) as terminal:
        terminal.until("code 2")
        assert "2>" in closed or terminal.shows("needs a terminal")
        assert b"\x1b[?1049h" not in terminal.received


def test_what_is_printed_with_closed_streams_goes_into_no_file(program: Installation) -> None:
    program.run("track", str(program.place("ov-vetting", "shop.acme.example")))
    before = program.stored()
    closed = program.run(command=("/bin/sh", "-c", f"{PROGRAM} orders <&- >&-"))
    assert (closed.returncode, closed.stderr) == (1, "sectigo-tui: stdout: it is closed\n")
    assert program.stored() == before
    more = str(program.place("ov-vetting", "more.acme.example"))
    assert program.run(command=("/bin/sh", "-c", f"{PROGRAM} track {more} <&- >&- 2>&-")).returncode == 1
    assert [order["common_name"] for order in program.orders()] == ["shop.acme.example", "more.acme.example"]
    assert program.run("audit", "verify").returncode == 0


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_only_prints_is_told_to_be_none(program: Installation, term: str) -> None:
    with program.terminal(columns=80, lines=24, term=term) as terminal:
        terminal.until("needs a terminal", f"TERM is {term}")
        assert terminal.end() == 2
        assert b"\x1b" not in terminal.received


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be somebody else")
@pytest.mark.parametrize("arguments", [(), ("orders",), ("watch",), ("check",)])
def test_a_user_without_a_home_is_told_in_a_line_what_to_give(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ended = subprocess.run(
        ["/bin/sh", "-c", f'cd / && exec {PROGRAM} "$@"', "sh", *arguments],
        env={"PATH": "/usr/bin:/bin", "CERTCTL_SECTIGO_CUSTOMER_URI": "acme"},
        capture_output=True,
        text=True,
        check=False,
        user=12_345,
        stdin=subprocess.DEVNULL,
    )
    if "Permission denied" in ended.stderr:
        pytest.skip("the program is not readable for another user here")
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "HOME is not set, and user id 12345 has no home directory; set HOME, or" in line
