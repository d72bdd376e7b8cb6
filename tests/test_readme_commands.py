"""Every command that README and `docs/` show is run as it is shown, and does what it is shown for.

Each runs in a shell, at a terminal where it asks or draws, against a simulated SCM in which order 2100001 is in the
state that the command is for. Three kinds are not run whole: what installs asks a package index, so here pip only reads
what it is told to install, and `.ci/run` runs README's block for tests as it is; what measures takes minutes, so here
it only tells how it is used; and no service manager runs under a test, so its commands are held to the unit's name.
"""

from __future__ import annotations

import asyncio
import atexit
import dataclasses
import json
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.simulator.account import Domain
from sectigo_tui.simulator.world import FIRST_ID, World
from sectigo_tui.store.local.journal_store import JournalStore
from support.installation import CANARY, Installation, switched
from support.postgres import Server, binaries, execute, running_server
from support.readme import ROOT, TEXTS, blocks, shown_commands
from support.receiver import receiver
from support.terminal import PROGRAM, Terminal
from support.writing import csr_pem

SSL_ID = 2_100_001
"""The order of the examples."""
LOCAL_ID = "0a1b2c3d4e5f"
"""The local id of the examples; each order has another."""
NAME = "www.acme.example"
COMMANDS = "docs/commands.md"
NEW_PASSWORD = f"new-{CANARY}"
CTRL_C = "\x03"

CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
CI_TAKES_THE_BLOCK = """sed -n '/<!-- test command -->/,/^```$/p' README.md"""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a command of a document is run.

    Args:
        line: The command.
        world: The account at SCM.
        program: The program and its home directory, which is where the shell is.
    """

    line: str
    world: World
    program: Installation

    @property
    def home(self) -> Path:
        """The home directory."""
        return self.program.home

    @property
    def status(self) -> str:
        """What SCM says of the order of the examples."""
        return self.world.statuses()[SSL_ID]

    def place(self, life: str) -> None:
        """Let the order of the examples lead a life since an hour ago."""
        assert self.program.place(life, NAME) == SSL_ID == FIRST_ID

    def track(self) -> None:
        """Let the order be local."""
        assert self.program.run("track", str(SSL_ID)).returncode == 0

    def local(self) -> list[tuple[int | None, str]]:
        """Return sslId and state of each local order."""
        return [(order["ssl_id"], order["state"]) for order in self.program.orders()]

    def run(self, message: str = "", *, code: int = 0) -> str:
        """Run the command, which is to end well and to say nothing else on stderr, and return what it prints."""
        ended = self.program.run("-c", self.line, command=["/bin/sh"])
        assert (ended.returncode, ended.stderr) == (code, message and f"sectigo-tui: {message}\n")
        return ended.stdout

    @contextmanager
    def at_terminal(self, line: str = "") -> Iterator[Terminal]:
        """Run the command, or another, at a terminal; it is to end well by itself after the block."""
        with Terminal(["/bin/sh", "-c", f"exec {line or self.line}"], self.program.environ) as terminal:
            yield terminal
            assert terminal.end() == 0, terminal.text
            assert CANARY not in terminal.received.decode()


Recipe = Callable[[Scene], None]
RECIPES: dict[str, Recipe] = {}


def recipe(*lines: str) -> Callable[[Recipe], Recipe]:
    """Say how to run commands of the documents, and what must come of it."""

    def keep(function: Recipe) -> Recipe:
        RECIPES.update(dict.fromkeys(lines, function))
        return function

    return keep


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, Installation]]:
    world = World(seed=5)
    world.default_lives["OV"] = "instant"
    monkeypatch.chdir(tmp_path)
    with switched(tmp_path, world) as made:
        made.environ["PATH"] = f"{PROGRAM.parent}:/usr/bin:/bin"
        yield world, made


@pytest.mark.parametrize("line", shown_commands())
def test_a_command_that_is_shown_does_what_it_is_shown_for(line: str, program: tuple[World, Installation]) -> None:
    assert line in RECIPES, "a new command is shown: say below how it is run, and what must come of it"
    RECIPES[line](Scene(line, *program))


def test_no_recipe_is_left_of_a_command_that_is_no_longer_shown() -> None:
    assert set(RECIPES) - set(shown_commands()) == set()


# What installs, tests and measures


@recipe(
    "python3 -m venv .venv",
    ".venv/bin/pip install --quiet --editable '.[dev]'",
    ".venv/bin/pytest --numprocesses auto --dist worksteal -m ''",
)
def _by_ci(scene: Scene) -> None:
    assert CI_TAKES_THE_BLOCK in CI
    assert 'bash -euo pipefail -c "$test_command"' in CI


@recipe(
    ".venv/bin/pip install --quiet '.[demo]'",
    "pipx install .",
    "pipx install '.[metrics,notify]'",
    "pipx install '.[postgres]'",
    "uv tool install .",
    "python3 -m pip install .",
)
def _installing(scene: Scene) -> None:
    what = scene.line.rpartition(" ")[2].strip("'")
    offline = ("--dry-run", "--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    read = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", *offline, what],
        capture_output=True,
        check=False,
        cwd=ROOT,
        text=True,
    )
    # An extra that there is not would be a warning.
    assert (read.returncode, read.stderr) == (0, "")


@recipe("python -m benchmarks", "python -m benchmarks starting", "python -m benchmarks.resilience")
def _measuring(scene: Scene) -> None:
    program, *axes = scene.line.removeprefix("python -m ").split()
    told = subprocess.run(
        ["/bin/sh", "-c", f"{scene.line} --help"],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env=scene.program.environ,
        text=True,
    )
    assert told.stdout.startswith(f"usage: python -m {program} ")
    assert all(axis in told.stdout for axis in axes)


@recipe(
    "systemctl --user enable --now sectigo-tui.service",
    "loginctl enable-linger",
    "journalctl --user -u sectigo-tui.service -f",
)
def _service(scene: Scene) -> None:
    units = set(re.findall(r"\S+\.service", scene.line))
    assert units <= set(re.findall(r"~/\.config/systemd/user/(\S+\.service)", TEXTS[COMMANDS]))


# What needs no order


@recipe(
    "mkdir -p ~/.config/systemd/user",
    "sectigo-tui config systemd > ~/.config/systemd/user/sectigo-tui.service",
    "sectigo-tui config systemd",
    "sectigo-tui config systemd --system",
)
def _config_systemd(scene: Scene) -> None:
    (scene.home / ".config" / "systemd" / "user").mkdir(parents=True)
    scene.run()


@recipe("sectigo-tui config init")
def _config_init(scene: Scene) -> None:
    scene.run("written; take the # off what you need, then: sectigo-tui check")
    made = scene.home / ".config" / "sectigo-tui" / "config.toml"
    assert "customer_uri" in made.read_text()
    assert stat.S_IMODE(made.stat().st_mode) == 0o600


@recipe("sectigo-tui config path")
def _config_path(scene: Scene) -> None:
    assert str(scene.home / ".config" / "sectigo-tui" / "config.toml") in scene.run()


@recipe("sectigo-tui config show")
def _config_show(scene: Scene) -> None:
    shown = scene.run()
    assert "environment CERTCTL_SECTIGO_LOGIN" in shown
    assert CANARY not in shown


@recipe("sectigo-tui check", "sectigo-tui check --insist")
def _check(scene: Scene) -> None:
    shown = scene.run()
    assert "credentials accepted" in shown
    assert "Sectigo SSL OV" in shown
    assert "********" in shown
    assert CANARY not in shown


@recipe("sectigo-tui check --json")
def _check_json(scene: Scene) -> None:
    document = json.loads(scene.run())
    assert "Sectigo SSL OV" in [profile["name"] for profile in document["profiles"]]


@recipe("sectigo-tui check --debug-log sectigo.log")
def _check_logged(scene: Scene) -> None:
    scene.run()
    log = scene.home / "sectigo.log"
    assert "/ssl/v1/types" in log.read_text()
    assert CANARY not in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@recipe("sectigo-tui --help")
def _help(scene: Scene) -> None:
    assert all(f"    {name} " in scene.run() for name in ("enroll", "watch", "simulator"))


@recipe("sectigo-tui --version")
def _version(scene: Scene) -> None:
    assert re.fullmatch(r"sectigo-tui \d+\.\d+\.\d+\S*\n", scene.run())


@recipe("df -h ~/.local/share/sectigo-tui")
def _room(scene: Scene) -> None:
    scene.place("ov-vetting")
    scene.track()
    assert len(scene.run().splitlines()) == 2


@recipe("tar -C ~ -cpf - .config/sectigo-tui .local/share/sectigo-tui | ssh new-host tar -xpf -")
def _moving(scene: Scene) -> None:
    scene.place("ov-vetting")
    scene.track()
    assert scene.program.run("config", "init").returncode == 0
    here = scene.local()
    other, ssh = scene.home / "other", scene.home / "bin" / "ssh"
    other.mkdir()
    ssh.parent.mkdir()
    ssh.write_text('#!/bin/sh\nshift\ncd "$OTHER_HOME" || exit\nexec "$@"\n')
    ssh.chmod(0o700)
    scene.program.environ.update(OTHER_HOME=str(other), PATH=f"{ssh.parent}:{scene.program.environ['PATH']}")
    scene.run()
    assert _modes(other) == _modes(scene.home / ".config") | _modes(scene.home / ".local")
    scene.program.environ["HOME"] = str(other)
    assert scene.local() == here


def _modes(directory: Path) -> set[tuple[str, int]]:
    """Return the name and mode of each file below a directory."""
    return {(path.name, stat.S_IMODE(path.stat().st_mode)) for path in directory.rglob("*") if path.is_file()}


@recipe("sectigo-tui demo")
def _demo(scene: Scene) -> None:
    with scene.at_terminal() as terminal:
        terminal.until(r"DEMO .*acme.* API OK .*\d+ pend")
        terminal.press("q")
    assert scene.program.requests() == []


@recipe("sectigo-tui simulator --port 8089")
def _simulator(scene: Scene) -> None:
    # The port that is shown may be somebody's here.
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with scene.at_terminal(scene.line.replace("8089", str(port))) as simulator:
        simulator.until(rf"BASE_URL=http://127\.0\.0\.1:{port}/api")
        exports = "\n".join(line for line in simulator.lines if line.startswith("export "))
        checked = scene.program.run("-c", f"{exports}\nsectigo-tui check", command=["/bin/sh"])
        assert checked.returncode == 0, checked.stderr
        simulator.press(CTRL_C)
    assert scene.program.requests() == []


# What only reads


@recipe("sectigo-tui")
def _dashboard(scene: Scene) -> None:
    scene.place("ov-vetting")
    with scene.at_terminal() as terminal:
        terminal.until(str(SSL_ID), "APL", NAME)
        terminal.press("q")


@recipe("sectigo-tui --read-only")
def _read_only(scene: Scene) -> None:
    scene.place("ov-approval")
    with scene.at_terminal() as terminal:
        terminal.until(r"\[R\]")
        terminal.until(str(SSL_ID), NAME)
        terminal.press("a")
        terminal.until("Approve", "read-only")
        terminal.press("\x1b")
        terminal.until(lambda: not terminal.shows("Approve"))
        terminal.press("q")
    assert scene.status == "Requested"


@recipe("sectigo-tui orders")
def _orders_as_text(scene: Scene) -> None:
    scene.place("ov-vetting")
    scene.track()
    scene.program.forget_requests()
    title, order = scene.run().splitlines()
    assert NAME not in title
    assert order.split()[0] == str(SSL_ID)
    assert NAME in order
    assert scene.program.requests() == []


@recipe("sectigo-tui orders --json")
def _orders(scene: Scene) -> None:
    scene.place("ov-vetting")
    scene.track()
    scene.program.forget_requests()
    (order,) = json.loads(scene.run())
    assert (order["ssl_id"], order["state"], order["scm_status"]) == (SSL_ID, "pending", "Applied")
    assert scene.program.requests() == []


@recipe("sectigo-tui orders --pending --filter 'on:approver val:ov'")
def _orders_pending(scene: Scene) -> None:
    scene.place("ov-approval")
    title, order = scene.run().splitlines()
    assert NAME not in title
    assert order.split()[:2] == [str(SSL_ID), "remote"]
    assert "an SCM approver" in order


@recipe("sectigo-tui diagnose")
def _diagnose_none(scene: Scene) -> None:
    wanted = "no order is named; name sslIds or local ids, or choose pending orders with --filter TERMS"
    assert scene.run(wanted, code=2) == ""
    assert scene.program.requests() == []


@recipe("sectigo-tui diagnose 2100001 2100002")
def _diagnose_several(scene: Scene) -> None:
    scene.place("ov-approval")
    scene.program.place("ov-vetting", NAME)
    first, second = scene.run().split("\n\n")
    assert str(SSL_ID) in first
    assert str(SSL_ID + 1) in second


@recipe("sectigo-tui diagnose 2100001", "sectigo-tui diagnose 2100001 --history")
def _diagnose(scene: Scene) -> None:
    scene.place("ov-approval")
    told = scene.run()
    assert NAME in told
    assert "approver" in told


@recipe("sectigo-tui diagnose 2100001 --markdown")
def _pack(scene: Scene) -> None:
    scene.place("ov-approval")
    told = scene.run()
    assert told.startswith("# ")
    assert str(SSL_ID) in told


@recipe("sectigo-tui diagnose 2100001 --json")
def _diagnose_json(scene: Scene) -> None:
    scene.place("ov-approval")
    assert json.loads(scene.run())["verdict"]["blocked_on"] == "an SCM approver"


@recipe("sectigo-tui message 2100001")
def _message(scene: Scene) -> None:
    scene.place("ov-approval")
    told = scene.run()
    assert told.startswith(f"Approval needed: certificate for {NAME}\n")
    assert f"sslId {SSL_ID}" in told


@recipe("sectigo-tui message 2100001 --to sectigo --output to-sectigo.txt")
def _message_in_file(scene: Scene) -> None:
    scene.place("ov-approval")
    ended = scene.program.run("-c", scene.line, command=["/bin/sh"])
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr.startswith("sectigo-tui: the message to Sectigo support is ready: Order ")
    path = scene.home / "to-sectigo.txt"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "## Stages (UTC)" in path.read_text()


@recipe("sectigo-tui message 2100001 --json")
def _message_json(scene: Scene) -> None:
    scene.place("ov-approval")
    assert json.loads(scene.run())["to"] == "approver"


@recipe("sectigo-tui adopt --certctl --list")
def _left_behind(scene: Scene) -> None:
    scene.place("ov-approval")
    scene.world.orders[SSL_ID].comments = "Issued by certctl"
    assert f"{SSL_ID}  Requested" in scene.run()
    assert scene.local() == []


@recipe("sectigo-tui adopt --certctl")
def _adopt_once_confirmed(scene: Scene) -> None:
    scene.place("ov-approval")
    scene.world.orders[SSL_ID].comments = "Issued by certctl"
    with scene.at_terminal() as terminal:
        terminal.until(rf"{SSL_ID} +Requested .+{NAME}")
        terminal.until(r"1 order becomes local, and is polled and collected\.")
        terminal.until(r"Type 'adopt' to go on:")
        assert scene.local() == []
        terminal.press("adopt\n")
    assert scene.local() == [(SSL_ID, "pending")]


@recipe("sectigo-tui adopt --certctl --yes")
def _adopt(scene: Scene) -> None:
    scene.place("ov-approval")
    scene.world.orders[SSL_ID].comments = "Issued by certctl"
    assert NAME in scene.run()
    assert scene.local() == [(SSL_ID, "pending")]


@recipe("sectigo-tui handover", "sectigo-tui handover > handover.md")
def _handover(scene: Scene) -> None:
    scene.place("ov-approval")
    told = scene.run() or (scene.home / "handover.md").read_text()
    assert told.startswith("# ")
    assert f"{SSL_ID}" in told


@recipe("sectigo-tui handover --json")
def _handover_json(scene: Scene) -> None:
    scene.place("ov-approval")
    told = json.loads(scene.run())
    assert [order["ssl_id"] for group in told["groups"] for order in group["orders"]] == [SSL_ID]


@recipe("sectigo-tui validations")
def _validations(scene: Scene) -> None:
    now = scene.world.now()
    validated, expires = now - timedelta(days=189), now + timedelta(days=9)
    scene.world.account.register(Domain("acme.example", validated=validated, expires=expires))
    head, *rows = scene.run().splitlines()
    assert head.split() == ["ENDS", "LEFT", "WHAT", "SCM", "SAYS", "PENDING", "CERTIFICATES"]
    ends = [row.split()[0] for row in rows]
    assert ends == sorted(ends)
    (ours,) = (row for row in rows if "domain acme.example" in row)
    # What ended already stands before it; of what has not, it is the soonest.
    assert {row.split()[1] for row in rows[: rows.index(ours)]} == {"ended"}


@recipe("sectigo-tui validations --within 90 --json")
def _validations_json(scene: Scene) -> None:
    scene.place("ov-vetting")
    told = json.loads(scene.run())
    assert told["within_days"] == 90
    assert {row["kind"] for row in told["validations"]} == {"organization"}


def _expiring(scene: Scene) -> None:
    issued = scene.world.now() - timedelta(days=192)
    # Nothing is issued before its domain is valid, nor, above DV, before its organization is.
    scene.world.account.register(Domain("acme.example", validated=issued, expires=issued + timedelta(days=198)))
    scene.world.add_order(life="dv-instant", common_name="soon.acme.example", requested=issued, term_days=199)


@recipe("sectigo-tui renewals")
def _renewals(scene: Scene) -> None:
    _expiring(scene)
    head, first, *_ = scene.run(code=8).splitlines()
    assert head.startswith("ORDER BY")
    assert "late" in first
    assert "soon.acme.example" in first


@recipe("sectigo-tui renewals --filter 'late|due val:dv'")
def _renewals_filtered(scene: Scene) -> None:
    _expiring(scene)
    assert "soon.acme.example" in scene.run(code=8)


@recipe("sectigo-tui renewals --late --json")
def _renewals_json(scene: Scene) -> None:
    _expiring(scene)
    told = json.loads(scene.run(code=8))
    assert [one["common_name"] for one in told["renewals"]] == ["soon.acme.example"]
    assert told["renewals"][0]["timing"] == "late"


@recipe("sectigo-tui renewals --calendar")
def _renewals_calendar(scene: Scene) -> None:
    _expiring(scene)
    lines = scene.run(code=8).splitlines()
    assert lines[0].split() == ["week", "of", "terms", "of", "199", "terms", "of", "100", "terms", "of", "47"]
    assert lines[1].split()[1] == "1"


@recipe("sectigo-tui audit", "sectigo-tui audit --since 1d", "sectigo-tui audit --since 7d")
def _audit(scene: Scene) -> None:
    scene.place("ov-vetting")
    scene.track()
    lines = scene.run().splitlines()
    assert lines
    assert all(str(SSL_ID) in line for line in lines)


@recipe("sectigo-tui audit verify")
def _audit_verify(scene: Scene) -> None:
    scene.place("ov-vetting")
    scene.track()
    assert scene.run().startswith("intact: ")
    (journal,) = scene.home.rglob("journal.jsonl")
    journal.write_bytes(journal.read_bytes().replace(NAME.encode(), b"xxx.acme.example"))
    ended = scene.program.run("-c", scene.line, command=["/bin/sh"])
    assert ended.returncode == 1
    assert "is NOT intact" in ended.stderr


# A team's database


@cache
def _team_server() -> Server:
    """Return a server on which `docs/team.md` was followed up to the schema."""
    running = running_server()
    server = running.__enter__()
    atexit.register(running.__exit__, None, None, None)
    with TemporaryDirectory() as directory:
        (Path(directory) / "team.sql").write_text(blocks("docs/team.md", "sql")[0])
        (line,) = (line for line in blocks("docs/team.md", "sh")[0].splitlines())
        environ = {"PATH": f"{binaries()}:/usr/bin:/bin"}
        line = _at(server, line).replace("psql", "psql -X -q -v ON_ERROR_STOP=1")
        subprocess.run(["/bin/sh", "-c", line], check=True, cwd=directory, env=environ)
    return server


def _at(server: Server, text: str) -> str:
    return text.replace("db.example.com", f"127.0.0.1:{server.port}")


def _team(scene: Scene) -> Scene:
    """Return the scene with its command and configuration for a database that is as new as after `team.sql`."""
    server = _team_server()
    execute(server.url(), "drop database sectigo with (force)")
    execute(server.url(), "create database sectigo owner sectigo_tui_owner")
    scene.program.environ["PATH"] = f"{binaries()}:{scene.program.environ['PATH']}"
    config = scene.home / ".config" / "sectigo-tui" / "config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(_at(server, blocks("docs/team.md", "toml")[0]))
    return dataclasses.replace(scene, line=_at(server, scene.line))


@recipe("psql postgresql://postgres@db.example.com/postgres -f team.sql")
def _team_roles(scene: Scene) -> None:
    made = "select rolname from pg_roles where rolname ~ '^(sectigo|anna|ben)' order by 1"
    roles = [f"sectigo_tui_{what}" for what in ("owner", "reader", "writer")]
    assert [name for (name,) in execute(_team_server().url(), made)] == ["anna", "ben", *roles]


@recipe("sectigo-tui store status")
def _store_status(scene: Scene) -> None:
    shown = _team(scene).run()
    assert re.search(r"role +sectigo_tui_owner, owner", shown)
    assert re.search(r"schema +1 of 1", shown)


@recipe("sectigo-tui store copy --to postgresql://anna@db.example.com/sectigo")
def _store_copy(scene: Scene) -> None:
    scene.place("ov-vetting")
    scene.track()
    team = _team(scene)
    assert scene.program.run("store", "status").returncode == 0
    config = scene.home / ".config" / "sectigo-tui" / "config.toml"
    text = config.read_text()
    config.unlink()
    assert team.run().startswith("copied and verified: 1 orders")
    for login in ("anna", "ben"):
        config.write_text(text.replace("sectigo_tui_owner", login))
        assert scene.local() == [(SSL_ID, "pending")]
    refused = scene.program.run("remove", str(SSL_ID), "--yes")
    assert refused.returncode != 0


@recipe("sectigo-tui store copy --to /srv/sectigo-tui")
def _store_copy_back(scene: Scene) -> None:
    team = _team(scene)
    scene.place("ov-vetting")
    scene.track()
    target = scene.home / "srv"
    moved = dataclasses.replace(team, line=team.line.replace("/srv/sectigo-tui", str(target)))
    assert moved.run().startswith("copied and verified: 1 orders")
    scene.program.environ.update(SECTIGO_TUI_DATA_DIR=str(target))
    (scene.home / ".config" / "sectigo-tui" / "config.toml").unlink()
    assert scene.local() == [(SSL_ID, "pending")]


@recipe("sectigo-tui store prune")
def _store_prune(scene: Scene) -> None:
    scene.place("ov-vetting")
    scene.track()
    assert scene.run() == "0 timeline entries removed, older than 400 days\n"
    assert _team(scene).run() == "0 timeline entries removed, older than 400 days\n"


@recipe("pg_dump --format=custom --file=sectigo.dump postgresql://sectigo_tui_owner@db.example.com/sectigo")
def _team_backup(scene: Scene) -> None:
    team = _team(scene)
    scene.place("ov-vetting")
    scene.track()
    team.run()
    server = _team_server()
    execute(server.url(), "drop database sectigo with (force)")
    execute(server.url(), "create database sectigo owner sectigo_tui_owner")
    url = server.url("sectigo", "sectigo_tui_owner")
    dataclasses.replace(team, line=f"pg_restore --dbname={url} sectigo.dump").run()
    assert scene.local() == [(SSL_ID, "pending")]
    assert scene.program.run("audit", "verify").returncode == 0


@recipe("docker compose up --detach --wait")
def _team_tried_out(scene: Scene) -> None:
    # No container is started here: what the file says is held to the address that is shown for it.
    (compose,) = blocks("docs/team.md", "yaml")
    assert '"127.0.0.1:5432:5432"' in compose
    assert re.search(r"image: postgres:1[4-9]\n", compose)
    assert "postgresql://postgres@127.0.0.1/postgres" in TEXTS["docs/team.md"]


# What polls


@recipe("sectigo-tui track 2100001")
def _track(scene: Scene) -> None:
    scene.place("ov-vetting")
    assert scene.run() == f"{SSL_ID}  pending  Applied  {NAME}\n"
    assert scene.local() == [(SSL_ID, "pending")]


@recipe("sectigo-tui track 2100001 --wait=3600")
def _track_until_collected(scene: Scene) -> None:
    scene.place("ov-instant")
    ended = scene.program.run("-c", scene.line, command=["/bin/sh"])
    assert (ended.returncode, ended.stdout) == (0, f"{SSL_ID}  collected  Issued  {NAME}\n"), ended.stderr
    assert scene.local() == [(SSL_ID, "collected")]


@recipe("sectigo-tui watch --json")
def _watch_json(scene: Scene) -> None:
    scene.place("ov-instant")
    scene.track()
    with scene.at_terminal() as watch:
        watch.until(lambda: b'"to_state": "collected"' in watch.received)
        watch.press(CTRL_C)


@recipe("sectigo-tui watch")
def _watch(scene: Scene) -> None:
    scene.place("ov-instant")
    scene.track()
    with scene.at_terminal() as watch:
        watch.until(rf"{SSL_ID}  {NAME}  .* -> collected")
        watch.press(CTRL_C)
    assert scene.local() == [(SSL_ID, "collected")]
    (bundle,) = (path for path in scene.home.rglob("certificates/*") if path.is_file())
    assert b"BEGIN CERTIFICATE" in bundle.read_bytes()


@recipe(
    "sectigo-tui watch --metrics-listen 127.0.0.1:9808",
    "sectigo-tui watch --metrics-file /var/lib/node_exporter/textfile/sectigo-tui.prom",
)
def _watch_with_metrics(scene: Scene) -> None:
    file = scene.home / "sectigo-tui.prom"
    line = re.sub(r"127\.0\.0\.1:9808", "127.0.0.1:0", re.sub(r"/var/\S+", str(file), scene.line))
    with scene.at_terminal(line) as watch:
        watch.until(r"metrics at http://127\.0\.0\.1:\d+/metrics" if "listen" in line else file.exists)
        watch.press(CTRL_C)


@recipe("sectigo-tui notify test")
def _notify_test(scene: Scene) -> None:
    with receiver() as told:
        config = scene.home / ".config" / "sectigo-tui" / "config.toml"
        config.parent.mkdir(parents=True)
        config.write_text(f'[notify]\nurls_command = ["echo", "{told.address}"]\n')
        assert scene.run() == "json://...  sent\n"
        assert len(told.received) == 1


def test_the_service_polls_and_ends_well_when_it_is_stopped(program: tuple[World, Installation]) -> None:
    scene = Scene("", *program)
    scene.place("ov-instant")
    scene.track()
    unit = scene.program.run("config", "systemd").stdout
    (line,) = re.findall(r"^ExecStart=(.+)$", unit, re.MULTILINE)
    assert line == f"{PROGRAM} watch --json"
    with scene.at_terminal(line) as service:
        service.until('"event": "poll"')
        service.signal(signal.SIGTERM)
    assert scene.local() == [(SSL_ID, "collected")]


# What writes


@recipe("sectigo-tui enroll --csr www.csr --term 199 --wait")
def _enroll(scene: Scene) -> None:
    (scene.home / "www.csr").write_bytes(csr_pem(NAME))
    with scene.at_terminal() as terminal:
        terminal.until(r"Type 'order' to go on:")
        assert scene.world.enrolled == []
        terminal.press("order\n")
        terminal.until(rf"{SSL_ID}  collected  Issued  {NAME}")
    assert scene.world.enrolled == [SSL_ID]
    assert scene.local() == [(SSL_ID, "collected")]


@recipe("sectigo-tui enroll --make-key EC:P-256 --cn www.acme.example --term 199 --yes")
def _enroll_with_key(scene: Scene) -> None:
    ended = scene.program.run("-c", scene.line, command=["/bin/sh"])
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith(f"{SSL_ID}  submitted  ")
    (key,) = scene.home.rglob("keys/*.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert scene.world.enrolled == [SSL_ID]


@recipe("sectigo-tui renew 2100001 --wait", "sectigo-tui renew 2100001 --csr www.csr --wait")
def _renew_and_wait(scene: Scene) -> None:
    (scene.home / "www.csr").write_bytes(csr_pem(NAME))
    scene.program.place("ov-instant", NAME, age_seconds=190 * 86_400)
    with scene.at_terminal() as terminal:
        terminal.until("key", "a new one" if "--csr" in scene.line else "the same")
        terminal.until(r"Type 'order' to go on:")
        terminal.press("order\n")
        terminal.until(rf"{SSL_ID + 1}  collected  Issued  {NAME}")
    assert scene.local() == [(SSL_ID + 1, "collected")]


@recipe("sectigo-tui renew 2100001")
def _renew(scene: Scene) -> None:
    scene.program.place("ov-instant", NAME, age_seconds=190 * 86_400)
    with scene.at_terminal() as terminal:
        terminal.until(rf"renews +sslId {SSL_ID}, Issued")
        terminal.until(r"Type 'order' to go on:")
        terminal.press("order\n")
        terminal.until(rf"{SSL_ID + 1}  submitted  ")
    assert scene.world.enrolled == [SSL_ID + 1]
    assert scene.local() == [(SSL_ID + 1, "submitted")]


@recipe("sectigo-tui recover", "sectigo-tui recover --wait=600")
def _recover(scene: Scene) -> None:
    scene.program.add_fault("latency", path="/ssl/v1/enroll", seconds=8, done=True)
    enroll = ["enroll", "--make-key=EC:P-256", f"--cn={NAME}", "--term=199", "--yes"]
    with subprocess.Popen([PROGRAM, *enroll], env=scene.program.environ, stdin=subprocess.DEVNULL) as killed:
        while not scene.world.enrolled and killed.poll() is None:
            pass
        killed.kill()
    assert scene.local() == [(None, "intent")]
    ended = scene.program.run("-c", scene.line, command=["/bin/sh"])
    state, polls = ("collected", 1) if "--wait" in scene.line else ("submitted", 0)
    assert (ended.returncode, ended.stdout) == (0, f"{SSL_ID}  {state}  Issued  {NAME}\n"), ended.stderr
    told = ended.stderr.splitlines()
    assert [line.split()[1:] for line in told] == [f"{SSL_ID} {NAME} collected polled no more".split()] * polls
    assert scene.world.enrolled == [SSL_ID], "ordered once"


def undecided(scene: Scene) -> str:
    """Leave an order whose sending was cut off, and that no search has found; return its local id."""
    scene.program.add_fault("drop", path="/ssl/v1/enroll")
    enroll = ["enroll", "--make-key=EC:P-256", f"--cn={NAME}", "--term=199", "--yes"]
    with subprocess.Popen([PROGRAM, *enroll], env=scene.program.environ, stdin=subprocess.DEVNULL) as killed:
        while not scene.program.requests("/ssl/v1/enroll") and killed.poll() is None:
            pass
        killed.kill()
    scene.program.control.delete("/faults").raise_for_status()
    (journal,) = scene.home.rglob("journal.jsonl")
    return asyncio.run(_searched_for_in_vain(journal.parent))


async def _searched_for_in_vain(directory: Path) -> str:
    clock = SystemClock()
    store = JournalStore.open(directory, clock)
    (order,) = store.orders()
    assert order.pending_enroll is not None
    pending_enroll = replace(order.pending_enroll, searches=6, next_search_at=None)
    entry = TimelineEntry(at=clock.now(), order_id=order.id, kind=EventKind.CHANGED, summary="not found at SCM")
    await store.put(replace(order, state=OrderState.UNCONFIRMED, pending_enroll=pending_enroll), entry)
    await store.close()
    return order.id


@recipe(f"sectigo-tui recover --order-again {LOCAL_ID}")
def _order_again(scene: Scene) -> None:
    line = scene.line.replace(LOCAL_ID, undecided(scene))
    with scene.at_terminal(line) as terminal:
        terminal.until(r"Type 'order' to go on:")
        assert scene.world.enrolled == []
        terminal.press("order\n")
        terminal.until(rf"{SSL_ID}  submitted  ")
    assert scene.world.enrolled == [SSL_ID]


@recipe(f"sectigo-tui recover --give-up {LOCAL_ID}")
def _give_up(scene: Scene) -> None:
    local_id = undecided(scene)
    given_up = dataclasses.replace(scene, line=scene.line.replace(LOCAL_ID, local_id))
    assert given_up.run().startswith(f"{local_id}  failed  ")
    assert scene.local() == [(None, "failed")]
    assert scene.world.enrolled == []


@recipe('sectigo-tui approve 2100001 --message "CHG-1"')
def _approve(scene: Scene) -> None:
    scene.place("ov-approval")
    assert scene.status == "Requested"
    assert scene.run() == f"{SSL_ID}  approved\n"
    assert scene.status == "Approved"


@recipe('sectigo-tui decline 2100001 --message "CHG-1"')
def _decline(scene: Scene) -> None:
    scene.place("ov-approval")
    assert scene.run() == f"{SSL_ID}  declined\n"
    assert scene.status == "Declined"


@recipe("sectigo-tui collect 2100001 --directory certs")
def _collect(scene: Scene) -> None:
    scene.place("ov-instant")
    paths = [Path(line) for line in scene.run().splitlines()]
    assert {path.resolve() for path in paths} == set((scene.home / "certs").iterdir())
    assert [path.read_bytes().count(b"BEGIN CERTIFICATE") for path in paths] == [1, 2, 3]


@recipe("sectigo-tui collect 2100002 --directory certs")
def _collect_renewed(scene: Scene) -> None:
    scene.program.place("ov-instant", NAME)
    scene.program.place("ov-instant", NAME)
    paths = [Path(line) for line in scene.run().splitlines()]
    assert {path.resolve() for path in paths} == set((scene.home / "certs").iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o644}


@recipe('sectigo-tui revoke 2100001 --reason-code 4 --reason "replaced" --confirm www.acme.example')
def _revoke_confirmed(scene: Scene) -> None:
    scene.place("ov-instant")
    assert str(SSL_ID) in scene.run(f"sslId {SSL_ID}: revoked, and confirmed by SCM")
    assert scene.status == "Revoked"


@recipe('sectigo-tui revoke 2100001 --reason-code 1 --reason "key lost"')
def _revoke(scene: Scene) -> None:
    scene.place("ov-instant")
    with scene.at_terminal() as terminal:
        terminal.until(r"reason +1 keyCompromise: key lost")
        terminal.until(r"Type the common name to revoke it for good:")
        assert scene.status == "Issued"
        terminal.press(f"{NAME}\n")
        terminal.until(rf"sslId {SSL_ID}: revoked, and confirmed by SCM")
    assert scene.status == "Revoked"
    assert scene.local() == [(SSL_ID, "revoked")]


def keep_credentials(scene: Scene, more: str = "") -> Path:
    """Let login and password come from the program's own file, which is returned, and not from the environment."""
    del scene.program.environ["CERTCTL_SECTIGO_PASSWORD"]
    login = scene.program.environ.pop("CERTCTL_SECTIGO_LOGIN")
    kept = scene.home / ".config" / "sectigo-tui" / "credentials.toml"
    kept.parent.mkdir(parents=True, mode=0o700)
    kept.touch(mode=0o600)
    kept.write_text(f'[sectigo]\nlogin = "{login}"\npassword = "{CANARY}"\n{more.format(login=login)}')
    return kept


@recipe("sectigo-tui rotate")
def _rotate(scene: Scene) -> None:
    kept = keep_credentials(scene)
    scene.world.account.credentials.password = NEW_PASSWORD
    assert scene.program.run("check").returncode == 3
    with scene.at_terminal() as terminal:
        terminal.until(r"New password of ")
        terminal.press(f"{NEW_PASSWORD}\n")
        terminal.until(r"SCM accepts login ")
    assert NEW_PASSWORD in kept.read_text()
    assert scene.program.run("check").returncode == 0


@recipe("sectigo-tui rotate --password-file new-password")
def _rotate_from_file(scene: Scene) -> None:
    kept = keep_credentials(scene)
    scene.world.account.credentials.password = NEW_PASSWORD
    given = scene.home / "new-password"
    given.touch(mode=0o600)
    given.write_text(f"{NEW_PASSWORD}\n")
    ended = scene.program.run("-c", scene.line, command=["/bin/sh"])
    assert ended.returncode == 0, ended.stderr
    assert NEW_PASSWORD in kept.read_text()
    assert NEW_PASSWORD not in ended.stdout + ended.stderr


@recipe("sectigo-tui rotate --at-sectigo")
def _rotate_at_sectigo(scene: Scene) -> None:
    kept = keep_credentials(scene)
    ended = scene.program.run("-c", scene.line, command=["/bin/sh"])
    assert ended.returncode == 0, ended.stderr
    made = scene.world.account.credentials.password
    assert made != CANARY
    assert made in kept.read_text()
    assert made not in ended.stdout + ended.stderr


@recipe("sectigo-tui rotate --settle")
def _rotate_settled(scene: Scene) -> None:
    pending = f'[sectigo.pending]\nlogin = "{{login}}"\npassword = "{NEW_PASSWORD}"\nmade_at = 2026-05-05T03:12:00Z\n'
    kept = keep_credentials(scene, pending)
    scene.world.account.credentials.password = NEW_PASSWORD
    ended = scene.program.run("-c", scene.line, command=["/bin/sh"])
    assert ended.returncode == 0, ended.stderr
    assert "pending password works" in ended.stderr
    assert NEW_PASSWORD in kept.read_text()
    assert CANARY not in kept.read_text().replace(NEW_PASSWORD, "")
    assert scene.program.run("check").returncode == 0


@recipe('sectigo-tui note 2100001 --text "CA called, back at 9"')
def _note(scene: Scene) -> None:
    scene.place("ov-vetting")
    assert "noted: CA called, back at 9" in scene.run()
    assert scene.local() == [(SSL_ID, "pending")]
    assert "CA called, back at 9" in scene.program.run("audit").stdout


@recipe("sectigo-tui owner 2100001")
@recipe("sectigo-tui owner 2100001 --to bob")
@recipe("sectigo-tui owner 2100001 --none")
def _owner(scene: Scene) -> None:
    scene.place("ov-vetting")
    scene.program.run("owner", str(SSL_ID), "--to", "alice")
    assert "before that alice" in scene.run()
    owner = json.loads(scene.program.run("orders", "--json").stdout)[0]["owner"]
    assert owner == ("bob" if "bob" in scene.line else None) if "--" in scene.line else owner not in (None, "alice")


@recipe("sectigo-tui remove 2100001")
def _remove(scene: Scene) -> None:
    scene.place("ov-declined")
    scene.track()
    assert scene.local() == [(SSL_ID, "failed")]
    assert str(SSL_ID) in scene.run()
    assert scene.local() == []
    assert str(SSL_ID) in scene.program.run("audit").stdout
