"""Verify that a team's timeline is intact, list what was done, remove what is over its time, and tell of the database.

Each entry's hash covers the one before it, its number and its body; the body has the SHA-256 of the order's document
after it. So an order that was changed without an entry shows too. What is removed after its time is told by an entry.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import psycopg
from msgspec import Raw, Struct

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.store.documents import (
    SCHEMA_VERSION,
    UNREADABLE,
    Actor,
    actor_from,
    dumps,
    entry_from,
    loads,
    order_in,
    sparse,
)
from sectigo_tui.store.local.audit import AuditFault, AuditRecord, AuditReport
from sectigo_tui.store.local.lease import this_process
from sectigo_tui.store.local.lines import Position
from sectigo_tui.store.local.shared_orders import is_live
from sectigo_tui.store.postgres.link import Target, connect, failure_of, one, refuse_transaction_pooler
from sectigo_tui.store.postgres.schema import NEWEST, bring_up_to_date, version_of

FAULTS_NAMED = 100
_AT_ONCE = 2_000
_GENESIS = bytes(32)

_Connection = psycopg.AsyncConnection[Any]


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[_Connection]:
    target = Target(url)
    connection = await connect(target)
    try:
        await refuse_transaction_pooler(target, connection)
        yield connection
    except psycopg.Error as error:
        raise failure_of(error, target.name) from error
    finally:
        await connection.close()


async def _account(connection: _Connection, base_url: str, customer_uri: str) -> int:
    cursor = await connection.execute(
        "select id from sectigo_tui.accounts where base_url = %s and customer_uri = %s", (base_url, customer_uri)
    )
    row = await cursor.fetchone()
    return int(row[0]) if row else 0


async def _entries(connection: _Connection, account: int, after: int = 0) -> AsyncIterator[tuple[Any, ...]]:
    """Return entries, oldest first, a part at a time: number, order, hash before, hash, body."""
    while True:
        cursor = await connection.execute(
            "select seq, order_id, prev, hash, body from sectigo_tui.entries where account = %s and seq > %s "
            "order by seq limit %s",
            (account, after, _AT_ONCE),
        )
        rows = await cursor.fetchall()
        for row in rows:
            yield row
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1][0]


async def records(
    url: str, base_url: str, customer_uri: str, since: datetime | None = None
) -> AsyncIterator[AuditRecord]:
    """Return what was done, oldest first, leaving out entries that cannot be read.

    Args:
        url: The database.
        base_url: The API's address.
        customer_uri: The customer URI.
        since: Leave out what happened before.

    Raises:
        StoreError: The database failed.
    """
    async with _connected(url) as connection:
        async for seq, _, _, digest, body in _entries(connection, await _account(connection, base_url, customer_uri)):
            try:
                document = loads(body)
                entry, by = entry_from(document["entry"]), actor_from(document["by"])
            except UNREADABLE:
                continue
            if since is None or entry.at >= since:
                yield AuditRecord(seq, bytes(digest).hex(), by, entry)


async def verify(url: str, base_url: str, customer_uri: str) -> AuditReport:
    """Verify that a team's timeline is intact, and that each order is what its newest entry says.

    Args:
        url: The database.
        base_url: The API's address.
        customer_uri: The customer URI.

    Raises:
        StoreError: The database failed.
    """
    async with _connected(url) as connection, connection.transaction():
        # One view of it all, while others go on writing.
        await connection.execute("set transaction isolation level repeatable read, read only")
        account = await _account(connection, base_url, customer_uri)
        proof = _Proof()
        async for row in _entries(connection, account):
            proof.take(*row)
        if account:
            head = await one(connection, "select seq, hash from sectigo_tui.accounts where id = %s", (account,))
            cursor = await connection.execute(
                "select id, document from sectigo_tui.orders where account = %s", (account,)
            )
            proof.end(int(head[0]), bytes(head[1]))
            async for order_id, document in cursor:
                proof.order(order_id, document)
        return proof.report()


class _Proof:
    """How far a timeline is verified."""

    def __init__(self) -> None:
        self._faults: list[AuditFault] = []
        self._first: tuple[int, bytes] | None = None
        self._removed: set[tuple[int, str]] = set()
        self._seq = 0
        self._hash = _GENESIS
        self._count = 0
        self._orders: dict[str, tuple[int, str]] = {}

    def take(self, seq: int, order_id: str, prev: bytes, digest: bytes, body: bytes) -> None:
        self._count += 1
        if self._first is None:
            self._first = seq, bytes(prev)
            self._seq, self._hash = seq - 1, bytes(prev)
        if bytes(prev) != self._hash:
            self._fault(seq, "does not follow the entry before it: entries were changed, removed or moved")
        elif seq != self._seq + 1:
            self._fault(seq, f"follows number {self._seq}: entries were removed")
        if sha256(bytes(prev) + f"{seq} ".encode() + body).digest() != bytes(digest):
            self._fault(seq, "is not what was written")
        self._seq, self._hash = seq, bytes(digest)
        try:
            document = loads(body)
            if document.get("order"):
                self._orders[order_id] = seq, document["order"]
            if document.get("removed"):
                self._removed.add((document["removed"]["seq"], document["removed"]["hash"]))
            if document["entry"]["order_id"] != order_id:
                self._fault(seq, "is kept as another order's")
        except UNREADABLE:
            self._fault(seq, "cannot be read")

    def end(self, seq: int, digest: bytes) -> None:
        if (seq, digest) != (self._seq, self._hash):
            self._fault(seq, f"is the newest by the account's own word, and the timeline ends with number {self._seq}")
        if self._first is not None and self._first[0] > 1:
            before = self._first[0] - 1
            if (before, self._first[1].hex()) not in self._removed:
                self._fault(self._first[0], "is the oldest: entries before it were removed, and not after their time")

    def order(self, order_id: str, document: bytes) -> None:
        seq, digest = self._orders.get(order_id, (0, ""))
        if digest and sha256(document).hexdigest() != digest:
            self._fault(seq, f"says of order {order_id} something else than the database: it was changed without one")

    def report(self) -> AuditReport:
        removed = self._first[0] - 1 if self._first is not None else 0
        return AuditReport(self._count, Position(0, self._seq, self._hash.hex()), tuple(self._faults), removed)

    def _fault(self, seq: int, reason: str) -> None:
        if len(self._faults) < FAULTS_NAMED:
            self._faults.append(AuditFault(seq, reason, "entries"))


class TableSize(Struct, frozen=True):
    """A table of the schema: its name, its rows as far as the server has counted them, its bytes with indexes."""

    name: str
    rows: int
    size_bytes: int


class TeamStatus(Struct, frozen=True):
    """What a database tells of itself.

    Args:
        name: The database for a person.
        server: The server's version.
        schema: The schema's version.
        newest: The schema that this program knows.
        is_standby: Whether it is a standby.
        role: As whom this login acts.
        rights: `owner`, `writer`, `reader` or `none`.
        is_encrypted: Whether the connection is TLS.
        orders: How many orders the account has.
        entries: How many timeline entries.
        tables: The tables.
        poller: Who polls; None for nobody.
        poller_since: Since when.
        expires_seconds: For how long its right lasts unless it is renewed.
        sessions: How many sessions of this program the server has.
        lag_seconds: How far a standby is behind; None where it is none.
        clock_ahead_seconds: How far the database's clock is ahead of this host's.
        answer_seconds: How long a statement took.
    """

    name: str
    server: str
    schema: int
    newest: int
    is_standby: bool
    role: str
    rights: str
    is_encrypted: bool
    orders: int
    entries: int
    tables: tuple[TableSize, ...]
    poller: Actor | None
    poller_since: datetime | None
    expires_seconds: float
    sessions: int
    lag_seconds: float | None
    clock_ahead_seconds: float
    answer_seconds: float


async def status(url: str, base_url: str, customer_uri: str, now: datetime, seconds: Any) -> TeamStatus:
    """Return what a database tells of itself; the schema is made or brought up to date where this login may.

    Args:
        url: The database.
        base_url: The API's address.
        customer_uri: The customer URI.
        now: The time of day.
        seconds: Returns seconds since some start.

    Raises:
        StoreError: The database cannot be used.
    """
    async with _connected(url) as connection:
        name = Target(url).name
        try:
            await bring_up_to_date(connection, name)
        except StoreError:
            if await version_of(connection) == 0:
                raise
        asked_at = seconds()
        at, replica, role, encrypted, lag, sessions = await one(
            connection,
            "select clock_timestamp(), pg_is_in_recovery(), current_user, "
            "coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false), "
            "case when pg_is_in_recovery() then extract(epoch from now() - pg_last_xact_replay_timestamp()) end, "
            "(select count(*) from pg_stat_activity where application_name = 'sectigo-tui' "
            "and datname = current_database())",
        )
        took = seconds() - asked_at
        rights = await one(
            connection,
            "select case when pg_has_role(nspowner, 'usage') then 'owner' "
            "when has_function_privilege('sectigo_tui.lock_account(integer)', 'execute') then 'writer' "
            "when has_table_privilege('sectigo_tui.orders', 'select') then 'reader' else 'none' end "
            "from pg_namespace where nspname = 'sectigo_tui'",
        )
        cursor = await connection.execute(
            "select relname, greatest(n_live_tup, 0), pg_total_relation_size(relid) from pg_stat_user_tables "
            "where schemaname = 'sectigo_tui' order by 3 desc"
        )
        tables = tuple(TableSize(str(a), int(b), int(c)) for a, b, c in await cursor.fetchall())
        account = await _account(connection, base_url, customer_uri)
        (orders,) = await one(connection, "select count(*) from sectigo_tui.orders where account = %s", (account,))
        (entries,) = await one(connection, "select count(*) from sectigo_tui.entries where account = %s", (account,))
        cursor = await connection.execute(
            "select holder, since, extract(epoch from expires - clock_timestamp()) from sectigo_tui.pollers "
            "where account = %s and expires > clock_timestamp()",
            (account,),
        )
        poller = await cursor.fetchone()
        return TeamStatus(
            name=name,
            server=str(connection.info.parameter_status("server_version") or "").split(" ")[0],
            schema=await version_of(connection),
            newest=NEWEST,
            is_standby=bool(replica),
            role=str(role),
            rights=str(rights[0]),
            is_encrypted=bool(encrypted),
            orders=int(orders),
            entries=int(entries),
            tables=tables,
            poller=actor_from(loads(poller[0])) if poller else None,
            poller_since=poller[1] if poller else None,
            expires_seconds=float(poller[2]) if poller else 0.0,
            sessions=int(sessions),
            lag_seconds=None if lag is None else float(lag),
            clock_ahead_seconds=(at - now).total_seconds(),
            answer_seconds=took,
        )


async def prune(url: str, base_url: str, customer_uri: str, retention_days: int, now: datetime) -> int:
    """Remove timeline entries that are over their time, and say so in the timeline; return how many.

    Nothing is removed that is newer than the state of an order that can still become something.

    Args:
        url: The database; the login must own the schema.
        base_url: The API's address.
        customer_uri: The customer URI.
        retention_days: How long entries are kept.
        now: The time of day.

    Raises:
        StoreError: The database failed, or the login does not own the schema.
    """
    async with _connected(url) as connection:
        await bring_up_to_date(connection, Target(url).name)
        account = await _account(connection, base_url, customer_uri)
        async with connection.transaction():
            await connection.execute("set local sectigo_tui.pruning = 'on'")
            cursor = await connection.execute(
                "select seq, hash, change from sectigo_tui.accounts where id = %s for update", (account,)
            )
            head = await cursor.fetchone()
            if head is None:
                return 0
            before = await _may_go_before(connection, account, now - timedelta(days=retention_days), now)
            # A prefix of the chain goes, whatever the hosts' clocks told.
            (last,) = await one(
                connection,
                "select coalesce((select min(seq) from sectigo_tui.entries where account = %s and at >= %s), %s + 1)"
                " - 1",
                (account, before, head[0]),
            )
            cursor = await connection.execute(
                "select hash from sectigo_tui.entries where account = %s and seq = %s", (account, last)
            )
            proof = await cursor.fetchone()
            if proof is None:
                return 0
            cursor = await connection.execute(
                "delete from sectigo_tui.entries where account = %s and seq <= %s", (account, last)
            )
            removed = cursor.rowcount
            summary = f"entries up to number {last} are removed, after {retention_days} days"
            entry = TimelineEntry(at=now, order_id="", kind=EventKind.NOTE, summary=summary)
            body = dumps(
                {
                    "v": SCHEMA_VERSION,
                    "by": this_process(),
                    "entry": sparse(entry),
                    "order": None,
                    "removed": {"seq": last, "hash": bytes(proof[0]).hex()},
                }
            ).decode()
            await connection.execute(
                "select sectigo_tui.put(%s, '', array[null]::text[], array[null]::bigint[], array[null]::text[], "
                "array[null]::boolean[], array[null]::bigint[], array[null]::bigint[], array[null]::text[], %s, "
                "array[null]::text[], array['']::text[], array[%s]::timestamptz[], array[%s]::text[])",
                (account, SCHEMA_VERSION, now, body),
            )
            return removed


async def _may_go_before(connection: _Connection, account: int, before: datetime, now: datetime) -> datetime:
    cursor = await connection.execute("select document, version from sectigo_tui.orders where account = %s", (account,))
    async for document, version in cursor:
        order = order_in(Raw(document), version)
        if is_live(order, now):
            before = min(before, order.state_since)
    return before
