"""The two connections to the database: one for statements, one that listens; lost ones are opened again.

Every failure of the database leaves this module as a `StoreError`; nothing waits for a database that does not answer
for longer than a statement's time.
"""

from __future__ import annotations

import asyncio
import random
import re
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg
from msgspec import Struct
from psycopg import errors, pq, sql
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader

from sectigo_tui.domain.errors import StoreError, StoreOffline
from sectigo_tui.domain.http import is_loopback

STATEMENT_SECONDS = 5.0
"""How long the database may take to answer before the connection counts as lost."""

HELD_SECONDS = 3.0
"""How long a transaction may rest: a process that is stopped in one would keep the others from writing."""

CONNECT_SECONDS = 5
"""How long connecting may take."""

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0

OLDEST_SERVER = 140000
"""PostgreSQL 14."""

_BY_ITSELF = "it is tried again by itself"
_REACH = f"see that the database runs and can be reached; {_BY_ITSELF}"

Row = tuple[Any, ...]
Parameters = Sequence[Any] | Mapping[str, Any]
Run = Callable[..., Awaitable[list[Row]]]
_Result = TypeVar("_Result")
_Connection = psycopg.AsyncConnection[Row]


class _Bytes(Loader):
    """Takes JSON as its bytes: msgspec reads it."""

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


class Texts(tuple[str | None, ...]):
    """A column's values: sent as an array of text in binary, since in its text every quote of JSON would be escaped."""

    __slots__ = ()


class _TextsDumper(Dumper):
    format = pq.Format.BINARY
    oid = psycopg.postgres.types["text"].array_oid

    def dump(self, obj: Texts) -> bytes:
        # Source: array_recv of PostgreSQL: dimensions, whether there are nulls, the type, then size and first index.
        parts = [_ARRAY.pack(1, None in obj, _TEXT, len(obj), 1)]
        for each in obj:
            data = b"" if each is None else each.encode()
            parts += (_LENGTH.pack(-1 if each is None else len(data)), data)
        return b"".join(parts)


_ARRAY = struct.Struct("!iiIii")
_LENGTH = struct.Struct("!i")
_TEXT = psycopg.postgres.types["text"].oid


class Target(Struct, frozen=True):
    """The database to connect to.

    Args:
        url: `postgresql://...`; may hold a password, so it is never shown.
    """

    url: str

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What libpq is told: TLS is verified in full unless the host is this one, or the URL says otherwise.

        Raises:
            StoreError: It is no URL that libpq knows.
        """
        try:
            given = psycopg.conninfo.conninfo_to_dict(self.url)
        except psycopg.ProgrammingError as error:
            raise StoreError(
                "[store] url", f"is no PostgreSQL URL: {_one_line(error)}", 'write e.g. "postgresql://db.example/scm"'
            ) from None
        host = str(given.get("host") or "")
        is_near = all(not each or each.startswith(("/", "@")) or is_loopback(each) for each in host.split(","))
        defaults: dict[str, Any] = {
            "connect_timeout": CONNECT_SECONDS,
            "keepalives_idle": 5,
            "keepalives_interval": 3,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
            "application_name": "sectigo-tui",
            "client_encoding": "UTF8",
        }
        if not is_near:
            defaults |= {"sslmode": "verify-full", "sslrootcert": "system"}
            if given.get("sslmode", "verify-full") != "verify-full" or "sslrootcert" in given:
                del defaults["sslrootcert"]
        return {**defaults, **given}

    @property
    def name(self) -> str:
        """The database for a person: where it is and as whom, without a password."""
        try:
            given = self.parameters
        except StoreError:
            return "[store] url"
        user = f"{given['user']}@" if given.get("user") else ""
        port = f":{given['port']}" if given.get("port") else ""
        return f"postgresql://{user}{given.get('host') or 'localhost'}{port}/{given.get('dbname') or ''}"


def _one_line(error: BaseException) -> str:
    said = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    return " ".join((said or str(error)).split()) or type(error).__name__


def failure_of(error: BaseException, name: str) -> StoreError:
    """Return what the operator reads of a failure of the database.

    Args:
        error: What psycopg raised.
        name: The database for a person.
    """
    said = _CONNECTING.sub("", _one_line(error))
    for kinds, words, reason, remedy in _FAILURES:
        if isinstance(error, kinds) and (not words or words.search(said)):
            return StoreError(name, f"{reason}: {said}" if reason else said, remedy)
    return StoreError(name, said, "see the server's log, then do it again")


_CONNECTING = re.compile(r"^connection failed: connection to server (?:at|on) .*? failed: (?:FATAL: )?")
"""What libpq puts before the reason: the database is named already."""

_TRUST = "name your own CA in its address, ?sslrootcert=/path/to/ca.pem (docs/team.md)"

_FAILURES: tuple[tuple[tuple[type[BaseException], ...], re.Pattern[str] | None, str, str], ...] = (
    ((errors.DiskFull,), None, "the database's disk is full", "free space there; then do it again"),
    (
        (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction),
        None,
        "this login lacks the right",
        "log in with a role that has sectigo_tui_writer (docs/team.md)",
    ),
    (
        (errors.UndefinedTable, errors.UndefinedFunction, errors.InvalidSchemaName),
        None,
        "the schema is missing or old",
        "run `sectigo-tui store status` once as the schema's owner (docs/team.md)",
    ),
    ((errors.DataError,), None, "the database cannot hold this", "report what SCM sent"),
    # What fails before there is a session has no code, only words: libpq's, and the server's in its language.
    (
        (psycopg.OperationalError,),
        re.compile("certificate verify failed"),
        "its certificate is of no CA that is trusted, or not valid now",
        f"renew it, or {_TRUST}",
    ),
    ((psycopg.OperationalError,), re.compile("root certificate file"), "", _TRUST),
    (
        (psycopg.OperationalError,),
        re.compile("does not match host name"),
        "",
        "name the host as its certificate does, or have a certificate made for this name",
    ),
    (
        (psycopg.OperationalError,),
        re.compile("does not support SSL"),
        "",
        "switch TLS on there (ssl = on); only a network that you trust needs none: ?sslmode=disable",
    ),
    (
        (psycopg.OperationalError,),
        re.compile(r"authentication failed|no password supplied|role .* does not exist|fe_sendauth"),
        "the database rejects the login",
        "see PGPASSFILE, or what url_command prints",
    ),
    (
        (psycopg.OperationalError,),
        re.compile("pg_hba.conf"),
        "the database does not admit this login from here",
        "have a line for it added to the server's pg_hba.conf",
    ),
    (
        (psycopg.OperationalError,),
        re.compile(r"database .* does not exist"),
        "",
        "create it, or name another in [store] url (docs/team.md)",
    ),
    (
        (psycopg.OperationalError,),
        re.compile(r"too many (?:clients|connections)|connection slots|no more connections|query_wait_timeout"),
        "it takes no more connections",
        f"raise its limit: each process has two; {_BY_ITSELF}",
    ),
    ((psycopg.OperationalError,), None, "", _REACH),
)


def is_lost(error: BaseException) -> bool:
    """Return whether a failure is that of the connection or the whole server, and not of one statement."""
    return isinstance(error, psycopg.OperationalError) and not isinstance(
        error, errors.DiskFull | errors.QueryCanceled | errors.LockNotAvailable | errors.OutOfMemory
    )


async def connect(target: Target) -> _Connection:
    """Open one connection.

    Raises:
        StoreError: The database cannot be reached, rejects the login, or is too old.
    """
    parameters = target.parameters
    try:
        async with asyncio.timeout(CONNECT_SECONDS + 1):
            connection = await psycopg.AsyncConnection.connect(**parameters, autocommit=True)
    except TimeoutError as error:
        raise StoreError(
            target.name, f"no answer within {CONNECT_SECONDS} s", "see that the database runs and can be reached"
        ) from error
    except psycopg.Error as error:
        raise failure_of(error, target.name) from error
    connection.adapters.register_loader("json", _Bytes)
    connection.adapters.register_dumper(Texts, _TextsDumper)
    if connection.info.server_version < OLDEST_SERVER:
        version = connection.info.server_version // 10_000
        await connection.close()
        raise StoreError(target.name, f"is PostgreSQL {version}", "PostgreSQL 14 or newer is needed")
    return connection


async def refuse_transaction_pooler(target: Target, connection: _Connection) -> None:
    """Reject a pooler that gives each transaction another session: locks and notices would be lost.

    Raises:
        StoreError: It is one.
    """
    # A session of ours rests for long; what the server does about that is for those that were forgotten.
    process, *_ = await one(connection, "select pg_backend_pid(), set_config('idle_session_timeout', '0', false)")
    if process == connection.info.backend_pid:
        return
    # A pooler answered for the server. Whether a session stays ours shows in whether another can get it meanwhile.
    other = await connect(target)
    try:
        async with other.transaction():
            (others,) = await one(other, "select pg_backend_pid()")
            (again,) = await one(connection, "select pg_backend_pid()")
        is_shared = others == process or again != process
    except psycopg.OperationalError as error:
        if "statement pooling" not in str(error):
            raise
        is_shared = True
    finally:
        await other.close()
    if is_shared:
        raise StoreError(
            target.name,
            "is behind a pooler that shares sessions between transactions (pgbouncer): the poller's lock and the "
            "notices of changes cannot work there",
            "name the server itself, or a pool with pool_mode = session",
        )


async def one(connection: _Connection, statement: str, parameters: Parameters = ()) -> Row:
    """Return a statement's only row."""
    cursor = await connection.execute(statement.encode(), parameters)
    row = await cursor.fetchone()
    assert row is not None  # noqa: S101 - a defect of the statement
    return row


class Link:
    """Runs statements on one connection, and listens on another.

    Statements go one at a time. Whoever waits for one may stop waiting; it is carried to its end all the same.

    Args:
        target: The database.
        on_notice: Takes each notice's payload.
        on_state: Takes why the database is lost, and None once it is back and `on_back` has run.
        on_back: Runs after every connecting but the first, before anybody else's statement.

    Attributes:
        session: The server's process that runs statements.
        listening: The one that brings notices.
        lost: Why the database is lost; None while it is not.
        back: Set while it is not lost.
    """

    def __init__(
        self,
        target: Target,
        *,
        on_notice: Callable[[str], None],
        on_state: Callable[[StoreError | None], None],
        on_back: Callable[[Run], Awaitable[None]],
    ) -> None:
        self.target = target
        self.channel = ""
        self.session = ""
        self.listening = ""
        self._on_notice = on_notice
        self._on_state = on_state
        self._on_back = on_back
        self._connection: _Connection | None = None
        self._listener: _Connection | None = None
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._listening: asyncio.Task[None] | None = None
        self._reconnecting: asyncio.Task[None] | None = None
        self._is_closed = False
        self.lost: StoreError | None = None
        self._lost_at = datetime.now(UTC)
        self.back = asyncio.Event()

    async def open(self, prepare: Callable[[_Connection], Awaitable[None]] | None = None) -> None:
        """Connect for statements.

        Args:
            prepare: What is done first on the new connection.

        Raises:
            StoreError: It cannot be done.
        """
        self._connection = await connect(self.target)
        self.session = str(self._connection.info.backend_pid)
        try:
            await refuse_transaction_pooler(self.target, self._connection)
            if prepare is not None:
                await prepare(self._connection)
        except psycopg.Error as error:
            await self._drop()
            raise failure_of(error, self.target.name) from error
        except BaseException:
            await self._drop()
            raise
        self.back.set()

    async def listen(self, channel: str) -> None:
        """Listen to notices from now on.

        Raises:
            StoreError: It cannot be done.
        """
        self.channel = channel
        listener = await connect(self.target)
        try:
            await listener.execute(sql.SQL("set idle_session_timeout = 0; listen {}").format(sql.Identifier(channel)))
        except psycopg.Error as error:
            await listener.close()
            raise failure_of(error, self.target.name) from error
        self._listener = listener
        self.listening = str(listener.info.backend_pid)
        self._listening = asyncio.create_task(self._listen(listener))

    async def run(self, statement: str, parameters: Parameters = (), *, seconds: float | None = None) -> list[Row]:
        """Run one statement, committed when this returns.

        Args:
            statement: SQL with `%s` for each parameter.
            parameters: These.
            seconds: How long it may take.

        Raises:
            StoreError: The database is lost, or refused it.
        """
        async with self.exclusive(seconds=seconds, is_transaction=False) as run:
            return await run(statement, parameters)

    @asynccontextmanager
    async def exclusive(self, *, seconds: float | None = None, is_transaction: bool = True) -> AsyncIterator[Run]:
        """Run statements with nobody else's in between, as one transaction; rolled back if the block raises.

        Yields:
            What runs a statement.

        Raises:
            StoreError: The database is lost, or refused a statement.
        """
        seconds = STATEMENT_SECONDS if seconds is None else seconds
        self._check()
        async with self._lock:
            self._check()
            connection = self._connection
            assert connection is not None  # noqa: S101 - checked just now

            async def run(statement: str, parameters: Parameters = ()) -> list[Row]:
                return await self._within(connection, _fetch(connection, statement, parameters), seconds)

            if not is_transaction:
                yield run
                return
            await run(f"begin; set local idle_in_transaction_session_timeout = {round(HELD_SECONDS * 1000)}")
            try:
                yield run
            except BaseException:
                if self._connection is connection:
                    with suppress(StoreError):
                        await run("rollback")
                raise
            await run("commit")

    async def close(self) -> None:
        """Close both connections."""
        self._is_closed = True
        if self._reconnecting is not None:
            self._reconnecting.cancel()
            with suppress(asyncio.CancelledError):
                await self._reconnecting
        await self._drop()
        tasks = [*self._tasks, *([self._listening] if self._listening is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _check(self) -> None:
        if self._connection is None or self.lost is not None:
            raise self.lost or StoreError(self.target.name, "the store is closed", "start the program again")

    async def _within(self, connection: _Connection, work: Awaitable[_Result], seconds: float) -> _Result:
        task: asyncio.Task[_Result] = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # Not awaited directly: a caller who is cancelled must not leave the connection in the middle of a statement.
        try:
            done, _ = await asyncio.wait({task}, timeout=seconds)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=seconds)
            raise
        if not done:
            error = StoreError(
                self.target.name,
                f"no answer within {seconds:g} s",
                _REACH,
            )
            await self._lose(connection, error)
            task.cancel()
            raise error
        try:
            return task.result()
        except psycopg.Error as error:
            if self.lost is not None and connection.closed:
                raise self.lost from error
            failure = failure_of(error, self.target.name)
            if is_lost(error) or connection.closed:
                await self._lose(connection, failure)
            raise failure from error

    async def _listen(self, listener: _Connection) -> None:
        try:
            async for notice in listener.notifies():
                self._on_notice(notice.payload)
        except psycopg.Error as error:
            if not self._is_closed:
                await self._lose(self._connection, failure_of(error, self.target.name))

    async def _lose(self, connection: _Connection | None, error: StoreError) -> None:
        if self._is_closed or connection is not self._connection or self.lost is not None:
            return
        self._lost_at = datetime.now(UTC)
        self.lost = _offline(error, self._lost_at)
        self.back.clear()
        await self._drop()
        self._on_state(self.lost)
        self._reconnecting = asyncio.create_task(self._reconnect())

    async def _drop(self) -> None:
        if self._listening is not None and self._listening is not asyncio.current_task():
            self._listening.cancel()
        for connection in (self._connection, self._listener):
            if connection is not None:
                # Closed at once: a server that is stopped answers no farewell.
                connection.pgconn.finish()
        self._connection = self._listener = None

    async def _reconnect(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            await asyncio.sleep(pause * random.uniform(0.8, 1.2))  # noqa: S311 - spread, not secret
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            try:
                await self._come_back()
            except (StoreError, psycopg.Error, OSError) as error:
                await self._drop()
                failure = error if isinstance(error, StoreError) else failure_of(error, self.target.name)
                self.lost = _offline(failure, self._lost_at)
                continue
            self._on_state(None)
            return

    async def _come_back(self) -> None:
        connection = await connect(self.target)
        self._connection = connection
        self.session = str(connection.info.backend_pid)
        if self.channel:
            await self.listen(self.channel)

        async def run(statement: str, parameters: Parameters = ()) -> list[Row]:
            async with asyncio.timeout(4 * STATEMENT_SECONDS):
                return await _fetch(connection, statement, parameters)

        async with self._lock:
            await self._on_back(run)
            self.lost = None
        self.back.set()


def _offline(error: StoreError, since: datetime) -> StoreError:
    what_helps = "" if error.remedy.endswith(_BY_ITSELF) else f": {error.remedy}"
    return StoreOffline(error.path, f"the database is lost since {since:%H:%MZ}: {error.reason}{what_helps}", since)


async def _fetch(connection: _Connection, statement: str, parameters: Parameters) -> list[Row]:
    cursor = await connection.execute(statement.encode(), parameters or None)
    return await cursor.fetchall() if cursor.description is not None else []
