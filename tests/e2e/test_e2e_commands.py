"""The installed program in scripts: exit codes, messages on stderr, pipes."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from sectigo_tui import __version__
from support.documented import differences, documented
from support.installation import CANARY, Installation
from support.terminal import PROGRAM

SHELL = ("/bin/sh", "-c")

WITHOUT_EXTRA = """
import sys
sys.modules["uvicorn"] = None
sys.argv = ["sectigo-tui", {command!r}]
from sectigo_tui.__main__ import main
sys.exit(main())
"""


def test_check_shows_every_setting_with_its_source_and_the_account_s_profiles(program: Installation) -> None:
    checked = program.run("check", "--data-dir", str(program.home / "elsewhere"))
    assert (checked.returncode, checked.stderr) == (0, "")
    rows = {line.split("  ")[0]: line for line in checked.stdout.splitlines()}
    assert "********" in rows["password"]
    assert "environment CERTCTL_SECTIGO_PASSWORD" in rows["password"]
    assert "flag --data-dir" in rows["data directory"]
    assert rows["term"].split()[1:] == ["365", "default"]
    assert "Sectigo SSL OV" in checked.stdout
    assert not (program.home / "elsewhere" / "accounts").exists(), "it opens no orders"
    assert (program.home / "elsewhere").stat().st_mode & 0o777 == 0o700


def test_check_tells_scripts_the_settings_and_what_scm_said_of_them(program: Installation) -> None:
    shapes = documented("json.md")
    told = json.loads(program.run("check", "--json").stdout)
    assert differences(told, "check", shapes) == []
    assert told["settings"]["password"]["value"] == "********"
    assert "Sectigo SSL OV" in [profile["name"] for profile in told["profiles"]]
    refused = program.run("check", "--json", changes={"CERTCTL_SECTIGO_PASSWORD": "wrong-" + CANARY})
    told = json.loads(refused.stdout)
    assert differences(told, "check", shapes) == []
    assert (refused.returncode, told["profiles"]) == (3, None)
    assert "HTTP 401" in told["failure"]["what"]
    assert CANARY not in refused.stdout + refused.stderr


def test_check_tells_what_is_missing_a_line_for_each_key(program: Installation) -> None:
    nothing = dict.fromkeys((name for name in program.environ if name.startswith("CERTCTL_")), "")
    checked = program.run("check", changes=nothing)
    assert checked.returncode == 2
    keys = [line.removeprefix("sectigo-tui: ").split(" ")[0] for line in checked.stderr.splitlines()]
    assert keys == ["customer_uri", "login", "password"]
    assert all("config.toml" in line and "CERTCTL_SECTIGO_" in line for line in checked.stderr.splitlines())


def test_check_tells_a_wrong_value_in_one_line(program: Installation) -> None:
    checked = program.run("check", changes={"CERTCTL_SECTIGO_TERM": "a year"})
    assert checked.returncode == 2
    (line,) = checked.stderr.splitlines()
    assert line.startswith("sectigo-tui: term (environment CERTCTL_SECTIGO_TERM): 'a year' is not")


def test_check_tells_that_the_credentials_are_refused(program: Installation) -> None:
    checked = program.run("check", changes={"CERTCTL_SECTIGO_PASSWORD": "wrong-" + CANARY})
    assert checked.returncode == 3
    assert "HTTP 401" in checked.stderr
    assert CANARY not in checked.stdout + checked.stderr
    assert len(program.requests()) == 1


def test_check_tells_that_scm_cannot_be_reached(program: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    checked = program.run("check", changes={"CERTCTL_SECTIGO_BASE_URL": f"http://127.0.0.1:{port}/api"})
    assert checked.returncode == 4
    assert "Traceback" not in checked.stderr


def test_check_names_the_proxy_that_keeps_scm_from_being_reached(program: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = f"127.0.0.1:{listener.getsockname()[1]}"
    changes = {
        "CERTCTL_SECTIGO_BASE_URL": "https://scm.invalid/api",
        "HTTPS_PROXY": f"http://someone:{CANARY}@{proxy}",
        "https_proxy": "",
        "NO_PROXY": "",
        "no_proxy": "",
    }
    checked = program.run("check", changes=changes)
    assert checked.returncode == 4
    assert f"asking SCM through the proxy http://{proxy}" in checked.stdout
    assert CANARY not in checked.stdout + checked.stderr


@pytest.mark.parametrize(("ssl_id", "code"), [("1", 1), ("abc", 2)])
def test_what_cannot_be_tracked_is_told(program: Installation, ssl_id: str, code: int) -> None:
    tracked = program.run("track", ssl_id)
    assert tracked.returncode == code
    assert ssl_id in tracked.stderr
    assert tracked.stdout == ""


def test_one_order_that_cannot_be_tracked_keeps_no_other_from_it(program: Installation) -> None:
    tracked = program.run("track", "1", str(program.place("ov-vetting", "www.acme.example")))
    assert tracked.returncode == 1
    assert "www.acme.example" in tracked.stdout
    assert [order["common_name"] for order in program.orders()] == ["www.acme.example"]


def test_a_script_reads_nothing_but_json(program: Installation) -> None:
    assert json.loads(program.run("orders", "--json").stdout) == []
    empty = program.run("orders")
    assert (empty.returncode, empty.stdout) == (0, "")
    assert "track" in empty.stderr


def test_a_reader_that_has_seen_enough_ends_the_program_quietly(program: Installation) -> None:
    program.run("track", str(program.place("ov-vetting", "www.acme.example")))
    line = program.run(f"{shlex.quote(str(PROGRAM))} orders | head -n 1", command=SHELL)
    assert (line.returncode, line.stderr) == (0, "")
    assert line.stdout.startswith("SSLID")
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody_reads:
        ended = program.run("orders", stdout=nobody_reads)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, "")


def test_output_that_cannot_be_written_is_a_failure(program: Installation) -> None:
    with Path("/dev/full").open("wb") as full:
        ended = program.run("orders", "--json", stdout=full)
    assert (ended.returncode, ended.stderr) == (1, "sectigo-tui: stdout: No space left on device\n")


@pytest.mark.parametrize("command", ["demo", "simulator"])
def test_a_missing_extra_is_answered_with_the_command_that_installs_it(program: Installation, command: str) -> None:
    ended = program.run(command=[sys.executable, "-c", WITHOUT_EXTRA.format(command=command)])
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert "pip install 'sectigo-tui[demo]'" in line


def test_the_simulator_prints_the_lines_that_reach_it(program: Installation) -> None:
    with subprocess.Popen([PROGRAM, "simulator"], env=program.environ, stdout=subprocess.PIPE, text=True) as simulator:
        assert simulator.stdout is not None
        exports = "".join(simulator.stdout.readline() for _ in range(6))
        checked = program.run(f"{exports}{shlex.quote(str(PROGRAM))} check", command=SHELL)
        simulator.terminate()
        assert simulator.wait(timeout=10) == 0
    assert (checked.returncode, checked.stderr) == (0, "")
    assert "credentials accepted" in checked.stdout


def test_the_demo_shows_a_living_account_and_leaves_nothing_behind_even_by_a_signal(program: Installation) -> None:
    with program.terminal("demo") as terminal:
        terminal.until(r"DEMO .*acme.* API OK .*\d+ pending, \d+ need")
        terminal.until(r"00:\d\d ")
        terminal.signal(signal.SIGTERM)
        assert terminal.end() == 128 + signal.SIGTERM
    assert list(program.home.iterdir()) == []
    assert program.requests() == []


def test_nothing_is_asked_of_scm_to_list_local_orders(program: Installation) -> None:
    program.run("orders")
    assert program.requests() == []


def test_the_version_is_told(program: Installation) -> None:
    told = program.run("--version")
    assert (told.returncode, told.stdout, told.stderr) == (0, f"sectigo-tui {__version__}\n", "")
