"""The command line in process, between a simulated SCM on a loopback port and a home directory."""

from __future__ import annotations

import io
import json
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sectigo_tui.cli.main import run
from sectigo_tui.simulator.server import environment_lines, served
from sectigo_tui.simulator.traffic import Request
from sectigo_tui.simulator.world import World
from support.documented import differences, documented

CANARY = "canary-9Wx4Tt7m"
"""The account's password: no byte of it may be shown."""

ENROLL = r"/ssl/v1/enroll"
TERM = "--term=199"


SHAPES = documented("json.md", "orders-json.md")


def of_shape(document: Any, kind: str) -> Any:
    """Return a JSON document, which is to be of a documented shape."""
    assert differences(document, kind, SHAPES) == []
    return document


@dataclass(frozen=True, slots=True)
class Ended:
    """A run of the program, ended."""

    code: int
    out: str
    err: str

    def document(self, kind: str) -> Any:
        """Return what came on stdout as JSON, which is to be of the documented shape."""
        return of_shape(json.loads(self.out), kind)

    def lines(self, kind: str) -> list[Any]:
        """Return what came on stdout as JSON lines, which are to be of the documented shape."""
        return [of_shape(json.loads(line), kind) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class Site:
    """Where the program runs.

    Args:
        home: Its home directory.
        world: The account at SCM.
        monkeypatch: Undoes at the end what a test changes.
        capsys: Has what the program writes.
        at_the_end: Closes what was opened.
    """

    home: Path
    world: World
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]
    at_the_end: ExitStack

    def run(self, *arguments: object) -> Ended:
        """Run the program to its end."""
        self.capsys.readouterr()
        try:
            code = run([str(argument) for argument in arguments])
        except SystemExit as exit_:
            code = int(str(exit_.code))
        written = self.capsys.readouterr()
        assert CANARY not in written.out + written.err
        return Ended(code, written.out, written.err)

    def make(self, *arguments: object) -> Ended:
        """Run the program to its end, which is to be fine."""
        ended = self.run(*arguments)
        assert ended.code == 0, ended.err
        return ended

    def order(self, name: str, *arguments: object, life: str = "vetting") -> Ended:
        """Order a certificate for a key made here."""
        return self.run(
            *("enroll", "--make-key=EC:P-256", f"--cn={name}", TERM, f"--comments=[sim:{life}]", "--yes", *arguments)
        )

    def orders(self) -> list[dict[str, Any]]:
        """Return the local orders."""
        found: list[dict[str, Any]] = self.make("orders", "--json").document("array of order")
        return found

    def posts(self, path: str = "") -> list[Request]:
        """Return the writes that SCM was asked for."""
        return self.world.traffic.matching("POST", path)

    def at_the_terminal(self, *typed: str) -> None:
        """Let stdin be a terminal, at which lines are typed."""
        ours, theirs = os.openpty()
        os.write(ours, "".join(f"{line}\n" for line in typed).encode())
        self.at_the_end.callback(os.close, ours)
        self.monkeypatch.setattr("sys.stdin", self.at_the_end.enter_context(os.fdopen(theirs)))

    def on_stdin(self, data: bytes) -> None:
        """Let stdin be a pipe with something in it."""
        self.monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))

    def secrets_typed(self, *secrets: str) -> None:
        """Let secrets be typed at a terminal, without echo."""
        self.at_the_terminal()
        left = list(secrets)
        self.monkeypatch.setattr("getpass.getpass", lambda _question: left.pop(0))

    def files(self, pattern: str) -> list[Path]:
        """Return the files below the home directory."""
        return sorted(path for path in self.home.rglob(pattern) if path.is_file())


def mode(path: Path) -> int:
    """Return a file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


@contextmanager
def cli_site(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], world: World
) -> Iterator[Site]:
    """Serve a world, and let the environment name it.

    Args:
        home: An empty directory.
        monkeypatch: Sets the environment.
        capsys: Captures what is written.
        world: The account.
    """
    world.account.credentials.password = CANARY
    for name in [name for name in os.environ if name.startswith(("CERTCTL_", "SECTIGO_TUI_", "XDG_"))]:
        monkeypatch.delenv(name)
    with served(world) as base_url, ExitStack() as at_the_end:
        for line in environment_lines(world, base_url):
            name, _, value = line.removeprefix("export ").partition("=")
            monkeypatch.setenv(name, value.strip("'"))
        monkeypatch.setenv("HOME", str(home))
        monkeypatch.chdir(home)
        yield Site(home, world, monkeypatch, capsys, at_the_end)
