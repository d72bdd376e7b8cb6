"""What all tests share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from cli_site import Site
    from syrupy.assertion import SnapshotAssertion

    from support.installation import Installation
    from support.postgres import Databases, Server

# The same examples in every run: a failure is found again by running the test again.
settings.register_profile("repeatable", derandomize=True, deadline=None, database=None)
settings.register_profile("few", settings.get_profile("repeatable"), max_examples=15)
settings.load_profile(os.environ.get("SECTIGO_TUI_TEST_EXAMPLES", "repeatable"))

# A shell starts what is in its background with ctrl-c ignored, and each program of a test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

LONGEST = (
    "test_screenshots.py",
    "test_security_hostile_screens.py",
    "test_resilience_processes.py",
    "test_faults_kill.py",
)
"""The modules of the longest tests: begun last, one of them would keep one core busy and the others waiting."""

SLOW_FOLDERS = {"e2e", "faults", "resilience", "security", "ui"}
SLOW_MODULES = {
    "test_cli_headless.py",
    "test_cli_hostile.py",
    "test_cli_metrics.py",
    "test_cli_notify.py",
    "test_cli_watch.py",
    "test_cli_writes.py",
    "test_engine_side_queries.py",
    "test_readme_commands.py",
    "test_scm_fuzz.py",
    "test_screenshots.py",
    "test_store_crashes.py",
}
"""What starts programs or a whole screen, or tries very much: marked slow, and run only where they are asked for."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what is slow before tests are chosen, and begin with the longest; the others stay in their order."""
    for item in items:
        if item.path.parent.name in SLOW_FOLDERS or item.path.name in SLOW_MODULES:
            item.add_marker(pytest.mark.slow)
    items.sort(key=lambda item: item.path.name not in LONGEST)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Have half as many workers again as there are cores: many tests wait for another process."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """Databases on one PostgreSQL of this run, or on the one that SECTIGO_TUI_TEST_POSTGRES_URL names."""
    from support.postgres import Databases, running_server

    if url := os.environ.get("SECTIGO_TUI_TEST_POSTGRES_URL"):
        made = Databases(url)
        made.prepare()
        yield made
        made.drop()
        return
    with running_server() as server:
        made = Databases(server.url())
        made.prepare()
        yield made


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look for what other processes did once a minute: in a story of hours that has none, it is most of the work."""
    from sectigo_tui.engine.polling import scheduler

    monkeypatch.setattr(scheduler, "CHANGES_SECONDS", 60.0)
    monkeypatch.setattr(scheduler, "LEASE_RENEWAL_SECONDS", 300.0)
    monkeypatch.setattr(scheduler, "LEASE_SECONDS", 900.0)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Site]:
    """The command line, run in this process before an account of its own."""
    from cli_site import cli_site

    from sectigo_tui.simulator.world import World

    with cli_site(tmp_path, monkeypatch, capsys, World(seed=5)) as made:
        yield made


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Installation]:
    """The installed program, before an account of its own."""
    from support.installation import switched

    with switched(tmp_path) as made:
        yield made


@pytest.fixture
def screen(snapshot: SnapshotAssertion, monkeypatch: pytest.MonkeyPatch) -> SnapshotAssertion:
    """Return what a picture is compared with, whatever terminal the tests run in."""
    from support.ui_snapshots import Screens

    for name in ("NO_COLOR", "TEXTUAL_THEME", "COLORTERM", "TERM_PROGRAM", "TMUX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    return snapshot.use_extension(Screens)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A PostgreSQL of this module alone, which may be killed, and loses nothing that it has said is durable."""
    from support.postgres import running_server

    with running_server({"synchronous_commit": "on"}) as running:
        yield running


@pytest.fixture(scope="module")
def own_databases(server: Server) -> Databases:
    """Databases on that server."""
    from support.postgres import Databases

    made = Databases(server.url())
    made.prepare()
    return made
