"""Every command that README shows is run as it is shown, and does what README shows it for.

Each runs in a shell, at a terminal where it asks or draws, against a simulated SCM in which order 2100001 is in the
state that the command is for. Two kinds are not run whole: what installs asks a package index, so here pip only reads
what it is told to install, and `.ci/run` runs README's block for tests as it is; and what measures takes minutes, so
here it only tells how it is used.
"""

from __future__ import annotations

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
from pathlib import Path

import pytest

from sectigo_tui.simulator.world import FIRST_ID, World
from support.installation import CANARY, Installation, installed
from support.readme import ROOT, blocks, shown_commands
from support.terminal import PROGRAM, Terminal
from support.writing import csr_pem

SSL_ID = 2_100_001
"""The order of README's examples."""
NAME = "www.acme.example"
NEW_PASSWORD = f"new-{CANARY}"
CTRL_C = "\x03"

CI = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
CI_TAKES_THE_BLOCK = """sed -n '/<!-- test command -->/,/^```$/p' README.md"""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a command of README is run.

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
        """What SCM says of the order of README's examples."""
        return self.world.statuses()[SSL_ID]

    def place(self, life: str) -> None:
        """Let the order of README's examples lead a life since an hour ago."""
        assert self.program.place(life, NAME) == SSL_ID == FIRST_ID

    def track(self) -> None:
        """Let the order be local."""
        assert self.program.run("track", str(SSL_ID)).returncode == 0

    def local(self) -> list[tuple[int | None, str]]:
        """Return sslId and state of each local order."""
        return [(order["ssl_id"], order["state"]) for order in self.program.orders()]

    def run(self, message: str = "") -> str:
        """Run the command, which is to be fine and to say nothing else on stderr, and return what it prints."""
        ended = self.program.run("-c", self.line, command=["/bin/sh"])
        assert (ended.returncode, ended.stderr) == (0, message and f"sectigo-tui: {message}\n")
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
    """Say how to run commands of README, and what must come of it."""

    def keep(function: Recipe) -> Recipe:
        RECIPES.update(dict.fromkeys(lines, function))
        return function

    return keep


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[World, Installation]]:
    world = World(seed=5)
    world.default_lives["OV"] = "instant"
    monkeypatch.chdir(tmp_path)
    with installed(tmp_path, world) as made:
        made.environ["PATH"] = f"{PROGRAM.parent}:/usr/bin:/bin"
        yield world, made


@pytest.mark.parametrize("line", shown_commands())
def test_a_command_that_readme_shows_does_what_it_is_shown_for(line: str, program: tuple[World, Installation]) -> None:
    assert line in RECIPES, "README shows a new command: say below how it is run, and what must come of it"
    RECIPES[line](Scene(line, *program))


def test_no_recipe_is_left_of_a_command_that_readme_no_longer_shows() -> None:
    assert set(RECIPES) - set(shown_commands()) == set()


# What installs, tests and measures


@recipe(
    "python3 -m venv .venv", ".venv/bin/pip install --quiet --editable '.[dev]'", ".venv/bin/pytest --numprocesses auto"
)
def _by_ci(scene: Scene) -> None:
    assert CI_TAKES_THE_BLOCK in CI
    assert 'bash -euo pipefail -c "$test_command"' in CI


@recipe(
    ".venv/bin/pip install --quiet '.[demo]'",
    "pipx install .",
    "pipx install '.[dns]'",
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


@recipe("python -m benchmarks", "python -m benchmarks.resilience")
def _measuring(scene: Scene) -> None:
    told = subprocess.run(
        ["/bin/sh", "-c", f"{scene.line} --help"],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env=scene.program.environ,
        text=True,
    )
    assert told.stdout.startswith(f"usage: {scene.line}")


# What needs no order


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


@recipe("sectigo-tui demo")
def _demo(scene: Scene) -> None:
    with scene.at_terminal() as terminal:
        terminal.until(r"DEMO .*acme.* API OK .*\d+ pend")
        terminal.press("q")
    assert scene.program.requests() == []


@recipe("sectigo-tui simulator --port 8089")
def _simulator(scene: Scene) -> None:
    # README's port may be somebody's here.
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with scene.at_terminal(scene.line.replace("8089", str(port))) as simulator:
        simulator.until(rf"BASE_URL=http://127\.0\.0\.1:{port}/api")
        exports = "\n".join(line for line in simulator.lines if line.startswith("export "))
        checked = scene.program.run("-c", f"{exports}\nsectigo-tui check", command=["/bin/sh"])
        assert checked.returncode == 0, checked.stderr
        simulator.press(CTRL_C)
    assert scene.program.requests() == []


# What only looks


@recipe("sectigo-tui")
def _dashboard(scene: Scene) -> None:
    scene.place("ov-vetting")
    with scene.at_terminal() as terminal:
        terminal.until(str(SSL_ID), "APL", NAME)
        terminal.press("q")


@recipe("sectigo-tui orders --json")
def _orders(scene: Scene) -> None:
    scene.place("ov-vetting")
    scene.track()
    scene.program.forget_requests()
    (order,) = json.loads(scene.run())
    assert (order["ssl_id"], order["state"], order["scm_status"]) == (SSL_ID, "pending", "Applied")
    assert scene.program.requests() == []


@recipe("sectigo-tui diagnose 2100001")
def _diagnose(scene: Scene) -> None:
    scene.place("ov-approval")
    told = scene.run()
    assert NAME in told
    assert "approver" in told


@recipe("sectigo-tui handover")
def _handover(scene: Scene) -> None:
    scene.place("ov-approval")
    told = scene.run()
    assert told.startswith("# ")
    assert f"{SSL_ID}" in told


@recipe("sectigo-tui audit")
def _audit(scene: Scene) -> None:
    scene.place("ov-vetting")
    scene.track()
    assert all(str(SSL_ID) in line for line in scene.run().splitlines())


@recipe("sectigo-tui audit verify")
def _audit_verify(scene: Scene) -> None:
    scene.place("ov-vetting")
    scene.track()
    assert scene.run().startswith("intact: ")
    (journal,) = scene.home.rglob("journal.jsonl")
    journal.write_bytes(journal.read_bytes().replace(NAME.encode(), b"xxx.acme.example"))
    ended = scene.program.run("-c", scene.line, command=["/bin/sh"])
    assert ended.returncode == 1
    assert "is NOT what was written" in ended.stderr


# What polls


@recipe("sectigo-tui track 2100001")
def _track(scene: Scene) -> None:
    scene.place("ov-vetting")
    assert scene.run() == f"{SSL_ID}  pending  Applied  {NAME}\n"
    assert scene.local() == [(SSL_ID, "pending")]


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


def test_the_service_polls_and_ends_well_when_it_is_stopped(program: tuple[World, Installation]) -> None:
    scene = Scene("", *program)
    scene.place("ov-instant")
    scene.track()
    (unit,) = blocks("ini")
    (line,) = re.findall(r"^ExecStart=%h/\.local/bin/(.+)$", unit, re.MULTILINE)
    with scene.at_terminal(line) as service:
        service.until('"event": "look"')
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


@recipe("sectigo-tui recover")
def _recover(scene: Scene) -> None:
    scene.program.add_fault("latency", path="/ssl/v1/enroll", seconds=8, done=True)
    enroll = ["enroll", "--make-key=EC:P-256", f"--cn={NAME}", "--term=199", "--yes"]
    with subprocess.Popen([PROGRAM, *enroll], env=scene.program.environ, stdin=subprocess.DEVNULL) as killed:
        while not scene.world.enrolled and killed.poll() is None:
            pass
        killed.kill()
    assert scene.local() == [(None, "intent")]
    assert scene.run() == f"{SSL_ID}  submitted  Issued  {NAME}\n"
    assert scene.world.enrolled == [SSL_ID], "ordered once"


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


@recipe("sectigo-tui rotate")
def _rotate(scene: Scene) -> None:
    del scene.program.environ["CERTCTL_SECTIGO_PASSWORD"]
    login = scene.program.environ.pop("CERTCTL_SECTIGO_LOGIN")
    kept = scene.home / ".config" / "sectigo-tui" / "credentials.toml"
    kept.parent.mkdir(parents=True, mode=0o700)
    kept.touch(mode=0o600)
    kept.write_text(f'[sectigo]\nlogin = "{login}"\npassword = "{CANARY}"\n')
    scene.world.account.credentials.password = NEW_PASSWORD
    assert scene.program.run("check").returncode == 3
    with scene.at_terminal() as terminal:
        terminal.until(r"New password of ")
        terminal.press(f"{NEW_PASSWORD}\n")
        terminal.until(r"SCM accepts login ")
    assert NEW_PASSWORD in kept.read_text()
    assert scene.program.run("check").returncode == 0


@recipe("sectigo-tui remove 2100001")
def _remove(scene: Scene) -> None:
    scene.place("ov-declined")
    scene.track()
    assert scene.local() == [(SSL_ID, "failed")]
    assert str(SSL_ID) in scene.run()
    assert scene.local() == []
    assert str(SSL_ID) in scene.program.run("audit").stdout
