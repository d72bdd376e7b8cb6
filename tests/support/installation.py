"""A simulated SCM on a loopback port, a home directory, and the installed program between the two."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

from sectigo_tui.simulator.server import environment_lines, served
from sectigo_tui.simulator.world import World
from support.terminal import PROGRAM, Terminal

CANARY = "canary-7Hk2Qp9w"
"""The account's password: no byte of it may be shown or stored by the program."""

_DETAILS = r"^/api/ssl/v1/\d+$"


@dataclass(frozen=True, slots=True)
class Installation:
    """Where the program runs.

    Args:
        home: Its home directory, with its configuration and data.
        environ: Its environment, which names the account.
        control: Steers the simulator, beside its API.
    """

    home: Path
    environ: dict[str, str]
    control: httpx.Client

    def terminal(self, *arguments: str, command: Sequence[str] = (str(PROGRAM),), **more: Any) -> Terminal:
        """Start the program on a terminal."""
        return Terminal([*command, *arguments], self.environ, **more)

    def run(
        self,
        *arguments: str,
        command: Sequence[str] = (str(PROGRAM),),
        stdout: int | IO[bytes] = subprocess.PIPE,
        changes: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run the program without a terminal, to its end.

        Args:
            arguments: Its arguments.
            command: What is run instead of the installed program.
            stdout: Where its output goes; it is kept unless given.
            changes: Other variables for its environment; an empty one is taken away.
        """
        environ = {name: value for name, value in {**self.environ, **(changes or {})}.items() if value}
        return subprocess.run(
            [*command, *arguments],
            check=False,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )

    def orders(self) -> list[dict[str, Any]]:
        """Return what `orders --json` says, asked of a process of its own."""
        ended = self.run("orders", "--json")
        assert ended.returncode == 0, ended.stderr
        orders: list[dict[str, Any]] = json.loads(ended.stdout)
        return orders

    def place(self, life: str, common_name: str, *, age_seconds: float = 3600.0) -> int:
        """Let somebody order a certificate at SCM, and return its sslId."""
        order = {"life": life, "commonName": common_name, "ageSeconds": age_seconds}
        return int(self.control.post("/orders", json=order).raise_for_status().json()["sslId"])

    def advance(self, seconds: float) -> None:
        """Let time pass at SCM alone."""
        self.control.post("/time", json={"advance": seconds}).raise_for_status()

    def add_fault(self, kind: str, **settings: object) -> None:
        """Let requests go wrong."""
        self.control.post("/faults", json={"kind": kind, **settings}).raise_for_status()

    def polls(self) -> int:
        """Return how often SCM was asked for an order's details since `forget_requests`."""
        return len(self.requests(_DETAILS))

    def requests(self, path: str = "") -> list[dict[str, Any]]:
        """Return the requests since `forget_requests` whose path has a match of a regular expression."""
        found: list[dict[str, Any]] = self.control.get("/requests", params={"path": path}).json()["requests"]
        return found

    def forget_requests(self) -> None:
        """Let the simulator's log of requests begin anew."""
        self.control.delete("/requests").raise_for_status()

    def stored(self) -> bytes:
        """Return all that is on disk."""
        return b"".join(path.read_bytes() for path in sorted(self.home.rglob("*")) if path.is_file())


@contextmanager
def switched(home: Path, world: World | None = None) -> Iterator[Installation]:
    """Serve a world for a test, with a home directory for the program.

    Args:
        home: An empty directory.
        world: The world; one without orders when not given.
    """
    world = world or World(seed=5)
    world.account.credentials.password = CANARY
    with served(world) as base_url, httpx.Client(base_url=base_url.replace("/api", "/_sim")) as control:
        exported = (line.removeprefix("export ").split("=", 1) for line in environment_lines(world, base_url))
        environ = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **dict(exported)}
        yield Installation(home, {name: value.strip("'") for name, value in environ.items()}, control)
