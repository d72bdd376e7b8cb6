"""`sectigo-tui audit`: who did what and when, and whether the journal is intact."""

from __future__ import annotations

import getpass
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cli_site import Site

NAME = "www.acme.example"


def journal(site: Site) -> Path:
    (path,) = site.files("journal.jsonl")
    return path


def test_every_write_is_told_with_who_asked_and_what_scm_answered(site: Site) -> None:
    site.monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50022 192.0.2.1 22")
    site.order(NAME)
    asked, answered = site.make("audit", "--json").lines("entry")
    assert (asked["kind"], asked["to_state"]) == ("write asked", "intent")
    assert (answered["kind"], answered["ssl_id"], answered["http_status"]) == (
        "write answered",
        site.world.enrolled[0],
        200,
    )
    for entry in (asked, answered):
        assert (entry["user"], entry["pid"], entry["ssh"]) == (getpass.getuser(), os.getpid(), "192.0.2.7")
    lines = site.make("audit").out.splitlines()
    assert f"{getpass.getuser()}@{socket.gethostname()} from 192.0.2.7 pid {os.getpid()}" in lines[0]
    assert lines[1].endswith(f"SCM took the order, sslId {site.world.enrolled[0]} (HTTP 200)")


def test_what_was_refused_is_in_the_record_too(site: Site) -> None:
    site.order(NAME, life="refuse-843")
    assert site.make("audit", "--json").lines("entry")[-1]["scm_code"] == -843


@pytest.mark.parametrize(
    ("ago", "told"), [("1h", 2), ("2w", 2), ("0s", 0), ("yesterday", 2), ("tomorrow", 0), ("tomorrow, naive", 0)]
)
def test_since_is_a_duration_or_a_time(site: Site, ago: str, told: int) -> None:
    site.order(NAME)
    now = datetime.now(UTC)
    times = {
        "yesterday": (now - timedelta(days=1)).isoformat(),
        "tomorrow": (now + timedelta(days=1)).isoformat(),
        "tomorrow, naive": (now + timedelta(days=1)).date().isoformat(),
    }
    assert len(site.make("audit", "--since", times.get(ago, ago), "--json").out.splitlines()) == told


def test_a_time_that_is_none_is_refused(site: Site) -> None:
    ended = site.run("audit", "--since", "last week")
    assert (ended.code, ended.out) == (2, "")
    assert "12h" in ended.err


def test_an_untouched_record_is_proven(site: Site) -> None:
    site.order(NAME)
    told = site.make("audit", "verify", "--json").document("proof")
    assert (told["is_intact"], told["lines"], told["last"]["seq"], told["faults"]) == (True, 2, 2, [])
    assert site.make("audit", "verify").out == f"intact: 2 lines; number 2 is {told['last']['hash']}\n"


@pytest.mark.parametrize("json_flag", [(), ("--json",)])
def test_a_word_changed_in_the_record_is_found(site: Site, json_flag: tuple[str, ...]) -> None:
    site.order(NAME)
    path = journal(site)
    path.write_bytes(path.read_bytes().replace(b"enroll www", b"enroll ftp", 1))
    ended = site.run("audit", "verify", *json_flag)
    assert ended.code == 1
    assert f"{path} is NOT intact" in ended.err
    if json_flag:
        assert ended.document("proof")["faults"][0]["line"] == 1
    else:
        assert ended.out.startswith("journal.jsonl: line 1 is not what was written")


def test_nothing_is_sent_and_nothing_is_needed_to_be_there(site: Site) -> None:
    assert site.make("audit").out == ""
    assert site.make("audit", "verify", "--json").document("proof")["lines"] == 0
    assert list(site.world.traffic.requests) == []
