"""`sectigo-tui watch`: polls without a screen, tells each event once, ends when it is told to, takes over."""

from __future__ import annotations

import asyncio
import io
import json
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
import tomli_w
from cli_site import CANARY, Site, mode, of_shape

from sectigo_tui.cli import watching
from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.ports import StoreChanges
from sectigo_tui.engine.polling import scheduler
from sectigo_tui.engine.polling.scheduler import Scheduler
from sectigo_tui.store.local.journal_store import JournalStore
from support.terminal import PROGRAM

NAME = "www.acme.example"
PROMPT_SECONDS = 2.0
PATIENCE_SECONDS = 20.0

SHAPE_OF = {
    "started": "start",
    "poller": "poller",
    "order": "change",
    "poll": "poll event",
    "failure": "failure event",
    "store": "store event",
    "paused": "pause",
    "resumed": "resumption",
    "ended": "end",
}
"""The section of the document by the event."""

Event = dict[str, Any]
Driver = Callable[["Events"], None]


def ordered(site: Site, *, life: str = "vetting") -> int:
    """Place an order, whose first poll is due at once."""
    ended = site.order(NAME, life=life)
    assert ended.code == 0, ended.err
    return site.world.enrolled[-1]


class Events:
    """What a watch tells, as it comes."""

    def __init__(self) -> None:
        self.seen: list[Event] = []
        self._coming: queue.SimpleQueue[str] = queue.SimpleQueue()

    def feed(self, line: str) -> None:
        self._coming.put(line)

    def until(self, kind: str, **facts: object) -> Event:
        """Wait for an event of a kind with these facts, and return it."""
        while True:
            try:
                event: Event = json.loads(self._coming.get(timeout=PATIENCE_SECONDS))
            except queue.Empty:
                raise AssertionError(f"no {kind} {facts} came after {self.seen}") from None
            self.seen.append(of_shape(event, SHAPE_OF[event["event"]]))
            if event["event"] == kind and all(event[name] == value for name, value in facts.items()):
                return event


class Stdout(io.TextIOBase):
    """A stdout whose lines are events."""

    def __init__(self, events: Events) -> None:
        self._events = events
        self._line = ""

    def write(self, text: str, /) -> int:
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._events.feed(line)
        return len(text)


def watched(
    site: Site, drive: Driver, *, end: signal.Signals = signal.SIGTERM, arguments: Sequence[str] = ()
) -> tuple[int, Events]:
    """Run a watch in this process, drive the world from a thread meanwhile, and end the watch by a signal."""
    events, failures = Events(), list[BaseException]()

    def driving() -> None:
        try:
            events.until("poller")
            drive(events)
        except BaseException as failure:  # noqa: BLE001 - raised again in the test's own thread
            failures.append(failure)
        finally:
            os.kill(os.getpid(), end)

    driver = threading.Thread(target=driving)
    site.monkeypatch.setattr("sys.stdout", Stdout(events))
    driver.start()
    code = site.run("watch", "--json", *arguments).code
    driver.join()
    if failures:
        raise failures[0]
    return code, events


def test_an_order_is_told_from_its_first_poll_to_its_certificate(site: Site) -> None:
    ssl_id = ordered(site, life="quick")

    def drive(events: Events) -> None:
        assert events.until("poll", ssl_id=ssl_id)["outcome"] == "pending"
        site.world.advance(120)
        change = events.until("order", ssl_id=ssl_id, to_state="collected")
        assert (change["common_name"], change["from_state"], change["http_status"]) == (NAME, "pending", 200)

    code, events = watched(site, drive)
    assert code == 0
    assert [events.seen[0][key] for key in ("event", "customer_uri", "read_only")] == ["started", "acme", False]
    assert events.until("ended")["signal"] == "SIGTERM"


def test_no_listing_of_the_account_is_asked_for(site: Site) -> None:
    ssl_id = ordered(site)
    site.world.traffic.clear()

    def drive(events: Events) -> None:
        events.until("poll")

    watched(site, drive, end=signal.SIGINT)
    assert {request.path for request in site.world.traffic.requests} == {f"/api/ssl/v1/{ssl_id}"}


def test_an_order_placed_meanwhile_by_another_process_is_polled(site: Site) -> None:
    def drive(events: Events) -> None:
        placed = subprocess.run(
            [
                PROGRAM,
                "enroll",
                "--make-key=EC:P-256",
                f"--cn={NAME}",
                "--term=199",
                "--comments=[sim:instant]",
                "--yes",
            ],
            capture_output=True,
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        assert placed.returncode == 0, placed.stderr
        events.until("order", common_name=NAME, to_state="collected")

    watched(site, drive)


def test_a_failing_poll_is_told_and_polling_goes_on(site: Site) -> None:
    ordered(site)
    site.world.faults.add("unavailable", count=1)

    def drive(events: Events) -> None:
        failed = events.until("poll", outcome="server failure")
        assert (failed["http_status"], failed["window_ended"]) == (503, None)
        assert failed["next_poll_at"] > failed["at"]

    watched(site, drive)


@pytest.fixture
def with_file(site: Site) -> Path:
    """The file that holds the credentials, as a service has them."""
    site.monkeypatch.setattr(watching, "CREDENTIALS_SECONDS", 0.2)
    login = os.environ["CERTCTL_SECTIGO_LOGIN"]
    file = site.home / ".config" / "sectigo-tui" / "credentials.toml"
    file.parent.mkdir(parents=True, mode=0o700)
    file.touch(mode=0o600)
    file.write_text(tomli_w.dumps({"sectigo": {"login": login, "password": CANARY}}))
    for name in ("LOGIN", "PASSWORD"):
        site.monkeypatch.delenv(f"CERTCTL_SECTIGO_{name}")
    return file


def test_refused_credentials_are_not_sent_again_and_rotated_ones_are_taken_up(site: Site, with_file: Path) -> None:
    ordered(site)
    site.world.account.credentials.password = "another-" + CANARY
    site.world.traffic.clear()

    def drive(events: Events) -> None:
        paused = events.until("paused")
        assert paused["failure"]["next_step"].startswith("Rotate")
        assert len(site.world.traffic.requests) == 1
        # Others may poll meanwhile: their credentials may work.
        assert site.files("leases.json") == []
        with_file.write_text(with_file.read_text().replace(CANARY, "another-" + CANARY))
        events.until("resumed")
        events.until("poll", outcome="pending")

    code, _ = watched(site, drive)
    assert code == 0
    assert len([request for request in site.world.traffic.requests if request.status == 401]) == 1


def test_a_rotation_is_taken_up_when_it_is_kept_not_when_the_next_round_comes(site: Site, with_file: Path) -> None:
    site.monkeypatch.setattr(watching, "CREDENTIALS_SECONDS", 3600.0)
    ordered(site)
    site.world.account.credentials.password = "another-" + CANARY

    def drive(events: Events) -> None:
        events.until("paused")
        replacement = with_file.with_suffix(".new")
        replacement.touch(mode=0o600)
        replacement.write_text(with_file.read_text().replace(CANARY, "another-" + CANARY))
        replacement.replace(with_file)
        events.until("resumed")

    assert watched(site, drive)[0] == 0


def test_a_defect_in_the_background_is_told_written_down_once_and_ends_no_watch(site: Site) -> None:
    async def breaks(_: object) -> None:
        secret = CANARY
        raise ZeroDivisionError(f"a defect near {secret}")

    site.monkeypatch.setattr(Scheduler, "_take_over_changes", breaks)

    def drive(events: Events) -> None:
        for _ in range(2):
            told = events.until("failure")
            assert told["during"].startswith("housekeeping broke; it starts again in ")
        ordered_elsewhere = site.world.add_order(life="vetting", common_name="www.acme.example").ssl_id
        assert ordered_elsewhere

    code, _ = watched(site, drive)
    assert code == 0
    (report,) = site.files("crashes/*.txt")
    assert mode(report) == 0o600
    text = report.read_text()
    assert "ZeroDivisionError" in text
    assert "_take_over_changes" in text or "breaks" in text
    assert CANARY not in text


@pytest.mark.parametrize("failing", ["sleep", "changes"])
def test_an_oserror_in_housekeeping_ends_no_watch(site: Site, failing: str) -> None:
    ordered(site)
    left = [1, 1]

    async def sleep(self: SystemClock, seconds: float) -> None:
        if left and seconds == scheduler.CHANGES_SECONDS:
            left.pop()
            raise OSError(4, "Interrupted system call")
        await asyncio.sleep(seconds)

    async def changes(_: JournalStore) -> StoreChanges:
        raise PermissionError(13, "Permission denied", "journal.jsonl")

    if failing == "sleep":
        site.monkeypatch.setattr(SystemClock, "sleep", sleep)
    else:
        site.monkeypatch.setattr(JournalStore, "changes", changes)

    def drive(events: Events) -> None:
        if failing == "sleep":
            assert events.until("failure")["during"].startswith("housekeeping broke")
        else:
            events.until("store", is_saving=False)
        events.until("poll", outcome="pending")

    assert watched(site, drive)[0] == 0


def test_a_refused_password_from_the_environment_ends_the_watch(site: Site) -> None:
    ordered(site)
    site.world.account.credentials.password = "another"
    ended = site.run("watch")
    assert ended.code == 3
    assert "PAUSED" in ended.out
    assert "environment CERTCTL_SECTIGO_PASSWORD: change it there" in ended.err


@dataclass(frozen=True, slots=True)
class OnCall:
    """The operator's own command, and what it was given."""

    told: Path
    environment: Path

    def events(self) -> list[Event]:
        lines = self.told.read_text().splitlines() if self.told.exists() else []
        return [of_shape(event, SHAPE_OF[event["event"]]) for event in map(json.loads, lines)]


def on_call(site: Site, then: str = "") -> OnCall:
    """Configure a command that keeps what it is given, and then does something else."""
    called = OnCall(site.home / "told", site.home / "environment")
    command = site.home / "notify on call"
    command.write_text(f"#!/bin/sh\nenv > {called.environment}\ncat >> {called.told}\n{then}\n")
    command.chmod(0o700)
    config = site.home / ".config" / "sectigo-tui" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    config.write_text(tomli_w.dumps({"ui": {"on_event": [str(command), "--team=pki; false"]}}))
    return called


def wait_until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline


def test_each_order_that_changes_is_told_to_the_operator_s_command(site: Site) -> None:
    ssl_id = ordered(site, life="quick")
    called = on_call(site)

    def drive(events: Events) -> None:
        events.until("poll", ssl_id=ssl_id)
        site.world.advance(120)
        events.until("order", ssl_id=ssl_id, to_state="collected")
        wait_until(lambda: any(event["to_state"] == "collected" for event in called.events()))

    watched(site, drive)
    assert {(event["event"], event["kind"], event["ssl_id"]) for event in called.events()} == {
        ("order", "changed", ssl_id)
    }
    assert "-> COL" in called.events()[-1]["summary"]
    assert "CERTCTL_" not in called.environment.read_text()


def test_the_operator_s_command_learns_that_polling_has_paused_even_when_the_watch_ends_by_it(site: Site) -> None:
    ordered(site)
    called = on_call(site)
    site.world.account.credentials.password = "another"
    assert site.run("watch").code == 3
    assert [event["event"] for event in called.events()] == ["paused"]


def test_a_command_that_fails_is_told_and_polling_goes_on(site: Site) -> None:
    ssl_id = ordered(site, life="quick")
    on_call(site, "echo no such team >&2; exit 3")

    def drive(events: Events) -> None:
        events.until("poll", ssl_id=ssl_id)
        site.world.advance(120)
        failed = events.until("failure", during="on_event command")
        assert "ended with exit code 3: no such team" in failed["failure"]["what"] + failed["failure"]["meaning"]
        assert "--team" not in json.dumps(failed)
        events.until("order", to_state="collected")

    watched(site, drive)


def test_a_command_that_never_ends_holds_up_neither_polling_nor_the_end(site: Site) -> None:
    ssl_id = ordered(site, life="quick")
    called = on_call(site, f"echo $$ > {site.home}/pid; sleep 600")

    def drive(events: Events) -> None:
        events.until("poll", ssl_id=ssl_id)
        site.world.advance(120)
        events.until("order", ssl_id=ssl_id, to_state="collected")
        wait_until(lambda: called.events() and (site.home / "pid").read_text().strip())

    code, _ = watched(site, drive)
    assert code == 0
    assert not Path(f"/proc/{(site.home / 'pid').read_text().strip()}").exists()


@contextmanager
def running(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], Events]]:
    """Run the installed program, and read the events that it tells."""
    events = Events()

    def read(stream: IO[str]) -> None:
        for line in stream:
            events.feed(line)

    with subprocess.Popen(
        [PROGRAM, *arguments], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        reader = threading.Thread(target=read, args=(process.stdout,))
        reader.start()
        try:
            yield process, events
        finally:
            process.kill()
            process.wait()
            reader.join()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_installed_watch_at_once_even_while_scm_is_slow(site: Site, number: signal.Signals) -> None:
    ordered(site)
    site.world.faults.add("latency", seconds=30.0)
    with running("watch", "--json") as (process, events):
        events.until("poller", is_this_process=True)
        while not site.world.traffic.in_flight:
            assert process.poll() is None
        told = time.monotonic()
        process.send_signal(number)
        assert process.wait(PATIENCE_SECONDS) == 0
        assert time.monotonic() - told < PROMPT_SECONDS
        assert events.until("ended")["signal"] == number.name


def test_a_watch_takes_over_when_the_one_that_polls_is_killed(site: Site) -> None:
    ssl_id = ordered(site)
    with running("watch", "--json") as (first, polling):
        polling.until("poll", ssl_id=ssl_id)
        with running("watch", "--json") as (_, waiting):
            waiting.until("poller", poller=f"pid {first.pid}")
            first.kill()
            waiting.until("poller", is_this_process=True)
            waiting.until("poll", ssl_id=ssl_id)


def test_a_reader_that_is_gone_ends_the_watch_as_it_ends_any_pipe(site: Site) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as nobody_reads:
        ended = subprocess.run(
            [PROGRAM, "watch"], stdout=nobody_reads, stderr=subprocess.PIPE, timeout=PATIENCE_SECONDS, check=False
        )
    assert (ended.returncode, ended.stderr) == (141, b"")
