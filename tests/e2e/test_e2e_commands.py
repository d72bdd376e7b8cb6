"""The installed program in scripts: exit codes, messages on stderr, pipes."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e_site import CANARY, Site, simulated_site
from e2e_terminal import PROGRAM

from sectigo_tui import __version__

SHELL = ("/bin/sh", "-c")

WITHOUT_EXTRA = """
import sys
sys.modules["uvicorn"] = None
sys.argv = ["sectigo-tui", {command!r}]
from sectigo_tui.__main__ import main
sys.exit(main())
"""


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with simulated_site(tmp_path) as made:
        yield made


def test_check_shows_every_setting_with_its_source_and_the_account_s_profiles(site: Site) -> None:
    checked = site.run("check", "--data-dir", str(site.home / "elsewhere"))
    assert (checked.returncode, checked.stderr) == (0, "")
    rows = {line.split("  ")[0]: line for line in checked.stdout.splitlines()}
    assert "********" in rows["password"]
    assert "environment CERTCTL_SECTIGO_PASSWORD" in rows["password"]
    assert "flag --data-dir" in rows["data directory"]
    assert rows["term"].split()[1:] == ["365", "default"]
    assert "Sectigo SSL OV" in checked.stdout
    assert not (site.home / "elsewhere").exists()


def test_check_tells_what_is_missing_a_line_for_each_key(site: Site) -> None:
    nothing = dict.fromkeys((name for name in site.environ if name.startswith("CERTCTL_")), "")
    checked = site.run("check", changes=nothing)
    assert checked.returncode == 2
    keys = [line.removeprefix("sectigo-tui: ").split(" ")[0] for line in checked.stderr.splitlines()]
    assert keys == ["customer_uri", "login", "password"]
    assert all("config.toml" in line and "CERTCTL_SECTIGO_" in line for line in checked.stderr.splitlines())


def test_check_tells_a_wrong_value_in_one_line(site: Site) -> None:
    checked = site.run("check", changes={"CERTCTL_SECTIGO_TERM": "a year"})
    assert checked.returncode == 2
    (line,) = checked.stderr.splitlines()
    assert line.startswith("sectigo-tui: term (environment CERTCTL_SECTIGO_TERM): 'a year' is not")


def test_check_tells_that_the_credentials_are_refused(site: Site) -> None:
    checked = site.run("check", changes={"CERTCTL_SECTIGO_PASSWORD": "wrong-" + CANARY})
    assert checked.returncode == 3
    assert "HTTP 401" in checked.stderr
    assert CANARY not in checked.stdout + checked.stderr
    assert len(site.requests()) == 1


def test_check_tells_that_scm_cannot_be_reached(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    checked = site.run("check", changes={"CERTCTL_SECTIGO_BASE_URL": f"http://127.0.0.1:{port}/api"})
    assert checked.returncode == 4
    assert "Traceback" not in checked.stderr


@pytest.mark.parametrize(("ssl_id", "code"), [("1", 1), ("abc", 2)])
def test_what_cannot_be_tracked_is_told(site: Site, ssl_id: str, code: int) -> None:
    tracked = site.run("track", ssl_id)
    assert tracked.returncode == code
    assert ssl_id in tracked.stderr
    assert tracked.stdout == ""


def test_one_order_that_cannot_be_tracked_keeps_no_other_from_it(site: Site) -> None:
    tracked = site.run("track", "1", str(site.place("ov-vetting", "www.acme.example")))
    assert tracked.returncode == 1
    assert "www.acme.example" in tracked.stdout
    assert [order["common_name"] for order in site.orders()] == ["www.acme.example"]


def test_a_script_reads_nothing_but_json(site: Site) -> None:
    assert json.loads(site.run("orders", "--json").stdout) == []
    empty = site.run("orders")
    assert (empty.returncode, empty.stdout) == (0, "")
    assert "track" in empty.stderr


def test_a_reader_that_has_seen_enough_ends_the_program_quietly(site: Site) -> None:
    site.run("track", str(site.place("ov-vetting", "www.acme.example")))
    line = site.run(f"{shlex.quote(str(PROGRAM))} orders | head -n 1", command=SHELL)
    assert (line.returncode, line.stderr) == (0, "")
    assert line.stdout.startswith("SSLID")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody_reads:
        ended = site.run("orders", stdout=nobody_reads)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, "")


def test_output_that_cannot_be_written_is_a_failure(site: Site) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = site.run("orders", "--json", stdout=full)
    assert (ended.returncode, ended.stderr) == (1, "sectigo-tui: stdout: No space left on device\n")


@pytest.mark.parametrize("command", ["demo", "simulator"])
def test_a_missing_extra_is_answered_with_the_command_that_installs_it(site: Site, command: str) -> None:
    ended = site.run(command=[sys.executable, "-c", WITHOUT_EXTRA.format(command=command)])
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "pip install 'sectigo-tui[demo]'" in line


def test_the_simulator_prints_the_lines_that_reach_it(site: Site) -> None:
    with subprocess.Popen([PROGRAM, "simulator"], env=site.environ, stdout=subprocess.PIPE, text=True) as simulator:
        assert simulator.stdout is not None
        exports = "".join(simulator.stdout.readline() for _ in range(6))
        checked = site.run(f"{exports}{shlex.quote(str(PROGRAM))} check", command=SHELL)
        simulator.terminate()
        assert simulator.wait(timeout=10) == 0
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "credentials accepted" in checked.stdout


def test_the_demo_shows_a_living_account_and_leaves_nothing_behind(site: Site) -> None:
    with site.terminal("demo") as terminal:
        terminal.until(r"DEMO .*acme.* API OK .*\d+ pend \d+ act")
        terminal.until(r"00:0\d ")
        terminal.press("q")
        assert terminal.end() == 0
    assert list(site.home.iterdir()) == []
    assert site.requests() == []


def test_nothing_is_asked_of_scm_to_list_local_orders(site: Site) -> None:
    site.run("orders")
    assert site.requests() == []


def test_the_version_is_told(site: Site) -> None:
    told = site.run("--version")
    assert (told.returncode, told.stdout, told.stderr) == (0, f"sectigo-tui {__version__}\n", "")
