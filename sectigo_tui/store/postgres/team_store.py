"""The team store: orders in memory as the database has them, every change there before it is shown.

What is read comes from memory. A notice brings each change of other processes with what changed; whatever a notice did
not bring (it was too long, or the connection was lost meanwhile) is asked for. Every change of an account has a number,
so that nothing is missed.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

import msgspec
import psycopg
from msgspec import Struct
from msgspec.structs import replace
from psycopg import errors

from sectigo_tui.collector import collector_paused
from sectigo_tui.domain.credentials import TeamLogin
from sectigo_tui.domain.errors import DuplicateOrder, InputError, RevisionConflict, StoreError
from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollResult
from sectigo_tui.domain.ports import StoreChanges, StoreDamage
from sectigo_tui.durable import make_private_directory, replace_file
from sectigo_tui.store.documents import (
    SCHEMA_VERSION,
    UNREADABLE,
    Actor,
    Note,
    actor_from,
    dumps,
    entry_from,
    loads,
    note_from,
    order_in,
    packed_poll,
    record_in,
    sparse,
)
from sectigo_tui.store.local.lease import this_process
from sectigo_tui.store.orders_in_memory import POLLS_KEPT, OrdersInMemory, with_latest
from sectigo_tui.store.postgres.link import Link, Run, Target, Texts, one
from sectigo_tui.store.postgres.schema import bring_up_to_date

F = TypeVar("F")

NOTES_WITHIN_SECONDS = 0.5
"""How long a poll's outcome may wait for others, to be written together."""

PATIENCE_SECONDS = 4.0
"""How long a change waits for a database that was lost while it was written."""

STANDBY_SECONDS = 5.0
"""How often a standby is asked for what changed: it can tell nobody by itself."""

ENTRIES_HELD = 100_000
"""How many of the newest timeline entries are held in memory."""

_ENTRIES_AT_ONCE = 5_000
_NOTES_KEPT = 50_000
_RENEW_AFTER_SHARE = 1 / 3
_HEARD_SHARE = 0.4
_UNSAFE_IN_NAMES = re.compile(r"[^0-9A-Za-z-]")

PUT = (
    "select outcome, other, at_change, at_seq from sectigo_tui.put(%s, %s, %s, %s::bigint[], %s, %s::boolean[], "
    "%s::bigint[], %s::bigint[], %s, %s, %s, %s, %s::timestamptz[], %s)"
)

_NEWS = """
select 'entry', order_id, seq, null::json, body, 0 from sectigo_tui.entries
    where account = %(account)s and seq > %(seq)s
union all
select 'order', id, 0, document, null, version from sectigo_tui.orders
    where account = %(account)s and change > %(change)s
union all
select 'poll', order_id, 0, note, array_to_json(polls), 0 from sectigo_tui.polls
    where account = %(account)s and change > %(change)s
union all
select 'head', '', seq, null, null, change from sectigo_tui.accounts where id = %(account)s
order by 3
"""


_NOW = """
select a.change, p.holder, p.since, extract(epoch from p.expires - clock_timestamp()),
    exists (select from sectigo_tui.logins where account = a.id)
from sectigo_tui.accounts a
left join sectigo_tui.pollers p on p.account = a.id and p.expires > clock_timestamp() and p.token <> %s
where a.id = %s
"""


class _Change(Struct, frozen=True):
    """What is to be made durable: the entry, and the order as it is to be, with the revision it was read with."""

    entry: TimelineEntry
    order: Order | None


class _Ready(Struct, frozen=True):
    """A change as the database takes it."""

    change: _Change
    order: Order | None
    document: str | None
    body: str


_Outcome = Order | StoreError | InputError | None


def _report_nothing(_: StoreError | None) -> None:
    return


class TeamStore:
    """Orders and timelines of one SCM account in a PostgreSQL database, for processes on any number of hosts.

    Fulfils `sectigo_tui.domain.ports.OrderStore`; must be used on the event loop it was opened on.

    Args:
        target: The database.
        directory: Where collected bundles are kept on this host too.
        on_error: Takes why the database cannot be used, and None once it can again.
    """

    def __init__(
        self, target: Target, directory: Path, on_error: Callable[[StoreError | None], None] = _report_nothing
    ) -> None:
        self._changed_elsewhere = asyncio.Event()
        self.changed_elsewhere: asyncio.Event | None = self._changed_elsewhere
        self.repository = OrdersInMemory(target.name)
        self.clock_ahead_seconds = 0.0
        self._directory = directory
        self._on_error = on_error
        self._name = target.name
        self._link = Link(target, on_notice=self._receive, on_state=self._receive_state, on_back=self._come_back)
        self._account = 0
        self._token = token_hex(8)
        self._me = this_process()
        self._damage: list[StoreDamage] = []
        self._read_only: StoreError | None = None
        self._is_standby = False
        self._asked_at = float("-inf")

        self._change = 0
        self._seq = 0
        self._early: dict[int, _Notice] = {}
        self._must_ask = False
        self._changed: dict[str, None] = {}
        self._entries: dict[int, TimelineEntry] = {}

        self._lines: dict[int, tuple[str, bytes]] = {}
        self._lines_of: dict[str, list[int]] = {}
        self._newest_first: list[int] | None = None
        self._history: asyncio.Task[None] | None = None

        self._waiting: list[tuple[_Change, asyncio.Future[Order | None]]] = []
        self._committing: asyncio.Task[None] | None = None
        self._notes: list[Note] = []
        self._noting: asyncio.Task[None] | None = None
        self._notes_failed = False

        self._lease_until = 0.0
        self._holder: Actor | None = None
        self._holder_since: datetime | None = None
        self._holder_until = 0.0
        self._holder_answered_at = float("-inf")
        self._logins: dict[str, TeamLogin] = {}
        self._asks_logins = False
        self._fetched: dict[str, bytes] = {}
        self._is_closed = False

    @classmethod
    async def open(
        cls,
        url: str,
        base_url: str,
        customer_uri: str,
        directory: Path,
        on_error: Callable[[StoreError | None], None] = _report_nothing,
        *,
        listens: bool = True,
    ) -> TeamStore:
        """Connect, bring the schema up to date where this login may, and read the orders.

        Args:
            url: `postgresql://...`.
            base_url: The API's address.
            customer_uri: The customer URI.
            directory: Where collected bundles are kept on this host too.
            on_error: Takes why the database cannot be used, and None once it can again.
            listens: Whether it follows what others do; not needed where the orders are read once.

        Raises:
            StoreError: The database cannot be used; nothing was changed.
        """
        store = cls(Target(url), directory, on_error)
        await store._link.open(lambda connection: store._prepare(connection, base_url, customer_uri))
        try:
            await store._read_all(listens=listens)
        except BaseException:
            await store._link.close()
            raise
        if listens:
            store._history = asyncio.create_task(store._read_history())
        return store

    @property
    def damage(self) -> tuple[StoreDamage, ...]:
        """What was found wrong with what is in the database, and worked around."""
        return tuple(self._damage)

    @property
    def read_only(self) -> StoreError | None:
        """Why nothing can be written; None where it can."""
        return self._read_only

    @property
    def name(self) -> str:
        """The database for a person, without a password."""
        return self._name

    @property
    def account(self) -> int:
        """The account's number in the database; 0 where there is none and none can be made."""
        return self._account

    @property
    def link(self) -> Link:
        """The connections."""
        return self._link

    def report_errors_to(self, on_error: Callable[[StoreError | None], None]) -> None:
        """Replace what takes why the database cannot be used; told at once where it is so."""
        self._on_error = on_error
        if self._link.lost is not None:
            on_error(self._link.lost)

    def orders(self) -> list[Order]:
        """Return all orders that are not removed, as this process knows them."""
        return self.repository.orders()

    def all_orders(self) -> list[Order]:
        """Return all orders, also those that are removed."""
        return [each.order for each in self.repository.stored()]

    def order(self, order_id: str) -> Order | None:
        """Return one order, removed or not."""
        return self.repository.order(order_id)

    def by_ssl_id(self, ssl_id: int) -> Order | None:
        """Return the order, not removed, that has this sslId."""
        return self.repository.by_ssl_id(ssl_id)

    def polls(self, order_id: str) -> Sequence[PollResult]:
        """Return the order's newest polls, oldest first."""
        return self.repository.polls(order_id)

    def timeline(self, order_id: str) -> Sequence[TimelineEntry]:
        """Return the order's timeline as far as it is held in memory, oldest first."""
        return [self._entry(seq) for seq in sorted(self._lines_of.get(order_id, ()))]

    def entries(self, limit: int) -> Sequence[TimelineEntry]:
        """Return the newest `limit` entries of all orders that are held in memory, oldest first."""
        if self._newest_first is None:
            self._newest_first = sorted(self._lines, reverse=True)
        return [self._entry(seq) for seq in self._newest_first[: max(0, limit)][::-1]]

    async def until_history_is_read(self) -> None:
        """Wait until the timeline is in memory, which opening does not wait for."""
        if self._history is not None:
            await asyncio.shield(self._history)

    def poller(self) -> str:
        """Return who polls now, where and since when; empty when it is this process, or nobody."""
        if self._holder is None or asyncio.get_running_loop().time() >= self._holder_until:
            return ""
        by = self._holder
        place = f" on tty {by.tty}" if by.tty else ""
        host = f" of {by.host}" if by.host != self._me.host else ""
        since = f" since {self._holder_since:%H:%MZ}" if self._holder_since is not None else ""
        return f"{by.user}, pid {by.pid}{place}{host}{since}"

    def forget_holder(self) -> None:
        """Ask the database again who polls, when the right to poll is asked for next."""
        self._holder = None

    def is_poller(self) -> bool:
        """Return whether this process has the right to poll."""
        return self._lease_until > asyncio.get_running_loop().time()

    def check_writable(self) -> None:
        """Reject what would be written where nothing can be.

        Raises:
            StoreError: Nothing can.
        """
        if self._read_only is not None:
            raise self._read_only

    async def put(
        self, order: Order, entry: TimelineEntry, *, check: Callable[[list[Order]], None] | None = None
    ) -> Order:
        """Make an order's change and its timeline entry durable together; only then return.

        Raises:
            RevisionConflict: Somebody else changed it first; `order()` has their version.
            DuplicateOrder: Its sslId is that of another order.
            InputError: `check` refused it, or another host is placing the same just now.
            StoreError: The database failed, and nothing has changed as far as is known.
        """
        change = _Change(entry, order)
        made = await (self._committed(change) if check is None else self._checked(change, check))
        return made or order

    async def record(self, entry: TimelineEntry) -> None:
        """Make an entry durable that changes no order.

        Raises:
            StoreError: The database failed.
        """
        await self._committed(_Change(entry, None))

    async def record_all(self, entries: Sequence[TimelineEntry], by: Actor) -> None:
        """Make many entries durable at once, as their writer's.

        Raises:
            StoreError: The database failed, and none of them was made.
        """
        self.check_writable()
        ready = [self._ready(_Change(entry, None), by) for entry in entries]
        await self._link.run(PUT, self._parameters([_checked_ready(each) for each in ready]), seconds=60)

    async def put_all(self, orders: Sequence[tuple[Order, TimelineEntry]]) -> None:
        """Make many changes durable at once.

        Raises:
            StoreError: The database failed, or one of them is refused; none was made.
            InputError: One of them is refused, and none was made.
        """
        self.check_writable()
        ready = [_checked_ready(self._ready(_Change(entry, order))) for order, entry in orders]
        async with self._link.exclusive(seconds=60) as run:
            rows = await run(PUT, self._parameters(ready))
            for each, row in zip(ready, rows, strict=True):
                if isinstance(made := self._learn(each, row), StoreError | InputError):
                    raise made

    def note(self, order: Order, poll: PollResult | None = None) -> None:
        """Remember poll bookkeeping (window, last poll, last answer) soon."""
        note = Note(order.id, order.revision, order.window, order.last_poll, order.last_answer_at, poll)
        if self.repository.learn_note(note) and not self._is_closed:
            self._notes.append(note)
            # The newest note of an order holds all but its polls: what is dropped costs history alone.
            del self._notes[:-_NOTES_KEPT]
            self._note_soon()

    async def flush(self) -> None:
        """Write all bookkeeping now.

        Raises:
            StoreError: The database failed; nothing is forgotten.
        """
        notes, self._notes = self._notes, []
        if not notes:
            return
        try:
            self.check_writable()
            await self._link.run(
                "select sectigo_tui.note_polls(%s, %s, %s, %s::bigint[], %s, %s, %s)",
                (
                    self._account,
                    self._token,
                    Texts(note.order_id for note in notes),
                    Texts(str(note.revision) for note in notes),
                    Texts(_text(sparse(note)) for note in notes),
                    Texts(None if note.poll is None else packed_poll(note.poll).decode() for note in notes),
                    POLLS_KEPT,
                ),
            )
        except BaseException:
            self._notes = notes + self._notes
            raise

    async def changes(self) -> StoreChanges:
        """Return what other processes did since the last call, and know it from now on.

        Raises:
            StoreError: The database is lost.
        """
        if self._link.lost is not None:
            raise self._link.lost
        now = asyncio.get_running_loop().time()
        if self._is_standby and now - self._asked_at >= STANDBY_SECONDS:
            self._asked_at = now
            await self._catch_up(self._link.run)
        if self._asks_logins:
            self._asks_logins = False
            await self._read_logins(self._link.run)
        if self._must_ask or self._early:
            await self._ask(self._link.run)
        orders = tuple(order for each in self._changed if (order := self.repository.order(each)) is not None)
        entries = tuple(entry for _, entry in sorted(self._entries.items()))
        self._changed.clear()
        self._entries.clear()
        return StoreChanges(orders, entries)

    async def lease(self, order_ids: Iterable[str], seconds: float) -> frozenset[str]:
        """Take, or renew, the sole right to poll the account: all of the orders or none.

        Args:
            order_ids: The orders.
            seconds: How long the right lasts by the database's clock unless it is renewed.

        Returns:
            All of them if this process polls, else none; none while the database is lost, since nothing that a poll
            brings could be kept.
        """
        now = asyncio.get_running_loop().time()
        if self._link.lost is not None or self._read_only is not None:
            self._lease_until = 0.0
            return frozenset()
        is_fresh = self._lease_until - now > seconds * (1 - _RENEW_AFTER_SHARE)
        # Whoever polls tells it with every renewal; after a silence, and at first, the database is asked.
        is_anothers = self._holder is not None and now - self._holder_answered_at < seconds * _HEARD_SHARE
        if not is_fresh and not is_anothers:
            try:
                await self._take_lease(self._link.run, seconds)
            except StoreError:
                self._lease_until = 0.0
                if self._link.lost is None:
                    raise
        return frozenset(order_ids) if self.is_poller() else frozenset()

    async def release(self) -> None:
        """Give back the right to poll.

        Raises:
            StoreError: The database failed; the right ends by itself.
        """
        if not self._lease_until:
            return
        self._lease_until = 0.0
        await self._link.run("select sectigo_tui.release_lease(%s, %s)", (self._account, self._token))

    async def save_certificate(self, order_id: str, pem: bytes, *, aside: bool = False) -> str:
        """Keep a collected bundle in the database, and as a file on this host; return the file's path.

        Raises:
            StoreError: The database or the disk failed.
        """
        self.check_writable()
        order = self.order(order_id)
        name = str(order.ssl_id) if order and order.ssl_id is not None else _UNSAFE_IN_NAMES.sub("_", order_id)
        name = f"{name}{'.refused' if aside else ''}.pem"
        await self._link.run(
            "select sectigo_tui.save_certificate(%s, %s, %s, %s)", (self._account, order_id, name, pem)
        )
        return str(await asyncio.to_thread(self._keep_file, name, pem))

    async def certificate_file(self, order: Order) -> str:
        """Return where on this host an order's collected bundle lies; it is written there from the database.

        Raises:
            StoreError: The database or the disk failed.
        """
        name = Path(order.certificate_path).name
        path = self._directory / "certificates" / name
        if not path.exists():
            rows = await self._link.run(
                "select pem from sectigo_tui.certificates where account = %s and name = %s", (self._account, name)
            )
            if rows:
                return str(await asyncio.to_thread(self._keep_file, name, bytes(rows[0][0])))
        return str(path)

    async def fetched(self, name: str, kind: type[F]) -> F | None:
        """Return what a process fetched from SCM and kept last; None where nothing readable is."""
        if name not in self._fetched:
            try:
                rows = await self._link.run(
                    "select record from sectigo_tui.fetched where account = %s and name = %s", (self._account, name)
                )
            except StoreError:
                return None
            # Whoever keeps another tells it; before that nobody asks again.
            self._fetched[name] = bytes(rows[0][0]) if rows else b""
        try:
            return record_in(self._fetched[name], kind)
        except UNREADABLE:
            return None

    async def keep_fetched(self, name: str, record: Struct) -> None:
        """Keep what was fetched from SCM, for all processes; where it cannot be, it is fetched again."""
        if self._read_only is not None:
            return
        self._fetched.pop(name, None)
        with suppress(StoreError):
            text = _text(record)
            await self._link.run(
                "select sectigo_tui.keep_fetched(%s, %s, %s, %s)", (self._account, self._token, name, text)
            )
            self._fetched[name] = text.encode()

    async def close(self) -> None:
        """Write what is left, give back the right to poll and close the connections.

        Raises:
            StoreError: The database failed; the connections are closed all the same.
        """
        if self._is_closed:
            return
        try:
            while self._committing is not None:
                await asyncio.shield(self._committing)
            if self._noting is not None:
                self._noting.cancel()
                with suppress(asyncio.CancelledError):
                    await self._noting
            if self._link.lost is None:
                if self._read_only is None:
                    await self.flush()
                await self.release()
        finally:
            await self.let_go()

    async def let_go(self) -> None:
        """Close the connections and write nothing more."""
        self._is_closed = True
        for task in (self._history, self._noting):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
        await self._link.close()

    # How the team stands with a login.

    def login(self, login: str) -> TeamLogin:
        """Return how the team stands with a login, as far as is known here."""
        return self._logins.get(login, TeamLogin(login))

    async def reject_login(self, login: str, generation: int, code: int | None) -> None:
        """Tell every host that SCM rejected this login's password of a generation.

        Raises:
            StoreError: The database failed.
        """
        self.check_writable()
        await self._link.run(
            "select sectigo_tui.reject_login(%s, %s, %s, %s, %s, %s)",
            (self._account, self._token, login, generation, _text(self._me), code),
        )
        await self._read_logins(self._link.run)

    async def rotate_login(self, login: str) -> int:
        """Tell every host that this login works again with a new password, and return its generation.

        Raises:
            StoreError: The database failed.
        """
        self.check_writable()
        rows = await self._link.run(
            "select sectigo_tui.rotate_login(%s, %s, %s, %s)", (self._account, self._token, login, _text(self._me))
        )
        await self._read_logins(self._link.run)
        return int(rows[0][0])

    # Opening and catching up.

    async def _prepare(self, connection: psycopg.AsyncConnection[Any], base_url: str, customer_uri: str) -> None:
        await bring_up_to_date(connection, self._name)
        (database_now, self._is_standby, is_read_only, may_write, account) = await one(
            connection,
            "select clock_timestamp(), pg_is_in_recovery(), current_setting('transaction_read_only') = 'on', "
            "has_function_privilege('sectigo_tui.lock_account(integer)', 'execute'), "
            "(select id from sectigo_tui.accounts where base_url = %s and customer_uri = %s)",
            (base_url, customer_uri),
        )
        self.clock_ahead_seconds = (database_now - datetime.now(UTC)).total_seconds()
        if self._is_standby:
            why = "is a standby, which nothing can be written to"
            self._read_only = StoreError(self._name, why, "name the primary server")
        elif is_read_only:
            why = "this login's sessions are read-only (default_transaction_read_only)"
            self._read_only = StoreError(self._name, why, "switch that off for it, or log in as somebody else")
        elif not may_write:
            remedy = "log in with a role that has sectigo_tui_writer (docs/team.md)"
            self._read_only = StoreError(self._name, "this login may only read", remedy)
        elif account is None:
            (account,) = await one(connection, "select sectigo_tui.account_of(%s, %s)", (base_url, customer_uri))
        self._account = account or 0

    async def _read_all(self, *, listens: bool) -> None:
        # A connection takes its time: the orders are read meanwhile, and what changed in between is asked for.
        listening = asyncio.ensure_future(self._listen(listens=listens))
        try:
            with collector_paused():
                async with self._link.exclusive(seconds=60, is_transaction=False) as run:
                    await self._ask(run, is_first=True)
                    await listening
                    await self._catch_up(run)
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self, *, listens: bool) -> None:
        # A standby cannot be listened to: it is asked now and then.
        if listens and self._account and not self._is_standby:
            await self._link.listen(f"sectigo_tui_{self._account}")

    async def _ask(self, run: Run, *, is_first: bool = False) -> None:
        """Read what changed since the last change that is known here."""
        self._must_ask = False
        if is_first:
            statement, seq = _ALL, 0
        else:
            statement, seq = _NEWS, self._seq
        rows = await run(statement, {"account": self._account, "change": self._change, "seq": seq})
        for kind, order_id, seq, document, more, number in rows:
            match kind:
                case "order":
                    self._learn_order(order_id, document, number, is_news=not is_first)
                case "entry":
                    self._learn_entry(seq, order_id, more, is_news=not is_first)
                case "poll":
                    self._learn_polls(order_id, document, more, is_news=not is_first)
                case _:
                    self._change, self._seq = max(self._change, number), max(self._seq, seq)
        self._early = {change: notice for change, notice in self._early.items() if change > self._change}
        self._take_what_follows()

    async def _read_history(self) -> None:
        """Read the timeline and the polls, the newest first, a part at a time."""
        before = self._seq + 1
        held = 0
        while not self._is_closed and held < ENTRIES_HELD:
            try:
                rows = await self._link.run(
                    "select seq, order_id, body from sectigo_tui.entries where account = %s and seq < %s "
                    "order by seq desc limit %s",
                    (self._account, before, _ENTRIES_AT_ONCE),
                    seconds=30,
                )
            except StoreError:
                await self._link.back.wait()
                continue
            for seq, order_id, body in rows:
                self._learn_entry(seq, order_id, body, is_news=False)
            held += len(rows)
            if len(rows) < _ENTRIES_AT_ONCE:
                return
            before = rows[-1][0]

    async def _catch_up(self, run: Run) -> None:
        """Read who polls, how the logins stand, and what changed since the orders were read."""
        for newest, holder, since, seconds, logins in await run(_NOW, (self._token, self._account)):
            self._holder = None
            if holder is not None:
                self._know_holder(holder, since, float(seconds))
            self._asks_logins = self._asks_logins or logins
            if newest > self._change:
                await self._ask(run)
        if self._asks_logins:
            self._asks_logins = False
            await self._read_logins(run)

    async def _read_logins(self, run: Run) -> None:
        rows = await run(
            "select login, generation, rejected_at, rejected_by, rejected_code, rotated_at, rotated_by "
            "from sectigo_tui.logins where account = %s",
            (self._account,),
        )
        self._logins = {
            login: TeamLogin(login, generation, rejected_at, _who(rejected_by), code, rotated_at, _who(rotated_by))
            for login, generation, rejected_at, rejected_by, code, rotated_at, rotated_by in rows
        }

    async def _come_back(self, run: Run) -> None:
        await self._check_history(run)
        self._fetched.clear()
        self._logins = {}
        await self._catch_up(run)
        (row,) = await run("select clock_timestamp()")
        self.clock_ahead_seconds = (row[0] - datetime.now(UTC)).total_seconds()
        self._changed_elsewhere.set()

    async def _check_history(self, run: Run) -> None:
        """Reject a database that does not have the newest entry that is known here.

        Raises:
            StoreError: It does not: what was shown as done is gone there, and an order may have been placed by it.
        """
        _, known = self._lines.get(self._seq, ("", b""))
        rows = await run(
            "select body from sectigo_tui.entries where account = %s and seq = %s", (self._account, self._seq)
        )
        if known and [bytes(body) for (body,) in rows] != [known]:
            raise StoreError(
                self._name,
                "lacks the last changes that are known here, as after a failover or from a backup",
                "look in SCM for what was ordered last, then start the program again",
            )

    def _receive_state(self, error: StoreError | None) -> None:
        if error is not None:
            self._lease_until = 0.0
        elif self._notes:
            self._note_soon()
        self._changed_elsewhere.set()
        self._on_error(error)

    # Notices.

    def _receive(self, payload: str) -> None:
        self._changed_elsewhere.set()
        try:
            notice = _NOTICE.decode(payload)
        except msgspec.MsgspecError:
            # Somebody else uses the channel: whatever it was, the database tells what stands.
            self._must_ask = True
            return
        if notice.lease is not None:
            self._receive_lease(notice.sender, notice.lease)
        elif notice.fetched:
            if notice.sender != self._token:
                self._fetched.pop(notice.fetched, None)
        elif notice.logins:
            self._asks_logins = True
        elif notice.change > self._change:
            self._early[notice.change] = notice
            self._take_what_follows()

    def _take_what_follows(self) -> None:
        while (following := self._early.get(self._change + 1)) is not None:
            if following.ask:
                self._must_ask = True
                return
            del self._early[following.change]
            self._change = following.change
            self._take(following, is_news=following.sender != self._token)

    def _take(self, notice: _Notice, *, is_news: bool) -> None:
        # What is known here already is this process's own, with its order.
        if notice.seq and notice.seq not in self._lines:
            order_id = ""
            if (document := bytes(notice.order)) != b"null":
                order_id = _ID.decode(document).id
                self._learn_order(order_id, document, notice.version, is_news=is_news)
            self._learn_entry(notice.seq, order_id, bytes(notice.body), is_news=is_news)
        self._seq = max(self._seq, notice.seq)
        for document in notice.notes if is_news else ():
            with suppress(*UNREADABLE):
                note = note_from(loads(document))
                if self.repository.learn_note(note):
                    self._changed[note.order_id] = None

    def _receive_lease(self, sender: str, lease: _Lease) -> None:
        if sender == self._token:
            return
        if not lease.seconds:
            self._holder = None
            return
        self._know_holder(bytes(lease.holder), lease.since, lease.seconds)
        self._holder_answered_at = asyncio.get_running_loop().time()
        # Whoever tells that it polls now does so by the database's word.
        self._lease_until = 0.0

    def _know_holder(self, holder: bytes, since: datetime | None, seconds: float) -> None:
        self._holder = _holder(holder)
        self._holder_since = since
        self._holder_until = asyncio.get_running_loop().time() + seconds

    def _learn_order(self, order_id: str, document: bytes, version: int, *, is_news: bool) -> None:
        try:
            order = order_in(msgspec.Raw(document), version)
        except UNREADABLE as error:
            what = f"order {order_id} is not what was written: {error}"
            self._damage.append(StoreDamage(what, self._name, "restore it from a backup; every other order is used"))
            return
        known = self.repository.order(order_id)
        self.repository.learn_order(order)
        if is_news and (known is None or known.revision < order.revision):
            self._changed[order_id] = None

    def _learn_entry(self, seq: int, order_id: str, body: bytes, *, is_news: bool) -> None:
        if seq in self._lines:
            return
        if not order_id:
            with suppress(*UNREADABLE):
                order_id = loads(body)["entry"]["order_id"]
        self._lines[seq] = order_id, body
        self._newest_first = None
        if order_id:
            self._lines_of.setdefault(order_id, []).append(seq)
        if is_news:
            self._entries[seq] = self._entry(seq)

    def _learn_polls(self, order_id: str, note: bytes, polls: bytes, *, is_news: bool) -> None:
        with suppress(*UNREADABLE):
            if polls is not None:
                self.repository.learn_polls(order_id, bytes(polls)[1:-1])
            if self.repository.learn_note(replace(note_from(loads(note)), poll=None)) and is_news:
                self._changed[order_id] = None

    def _entry(self, seq: int) -> TimelineEntry:
        return entry_from(loads(self._lines[seq][1])["entry"])

    # Writing.

    async def _committed(self, change: _Change) -> Order | None:
        self._check_open()
        future: asyncio.Future[Order | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, future))
        if self._committing is None:
            self._committing = asyncio.create_task(self._commit_all())
        return await asyncio.shield(future)

    async def _commit_all(self) -> None:
        # Changes that arrive while the database is waited for become durable together, with the next statement.
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    outcomes = await self._commit([change for change, _ in batch])
                except (StoreError, InputError) as error:
                    outcomes = [error] * len(batch)
                except Exception as defect:  # noqa: BLE001 - the boundary of a job: raised to each who waits
                    outcomes = [_as_failure(self._name, defect)] * len(batch)
                for (_, future), outcome in zip(batch, outcomes, strict=True):
                    _settle(future, outcome)
        finally:
            self._committing = None

    async def _commit(self, changes: Sequence[_Change]) -> list[_Outcome]:
        self.check_writable()
        prepared: list[_Ready | StoreError] = [self._ready(change) for change in changes]
        ready = [each for each in prepared if isinstance(each, _Ready)]
        made = iter(await self._written(ready) if ready else [])
        return [next(made) if isinstance(each, _Ready) else each for each in prepared]

    async def _written(self, ready: list[_Ready]) -> list[_Outcome]:
        try:
            rows = await self._link.run(PUT, self._parameters(ready))
        except StoreError as error:
            if isinstance(error.__cause__, errors.UniqueViolation | errors.DataError | errors.StatementTooComplex):
                if len(ready) == 1:
                    return [self._refused(ready[0], error)]
                # One of them made the database refuse all: each is judged by itself.
                return [outcome for each in ready for outcome in await self._written([each])]
            if self._link.lost is None:
                raise
            return await self._written_after_loss(ready, error)
        return [self._learn(each, row) for each, row in zip(ready, rows, strict=True)]

    async def _written_after_loss(self, ready: list[_Ready], error: StoreError) -> list[_Outcome]:
        """Find out what became of changes whose answer was lost, and make those that were not made."""
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._link.back.wait()
        except TimeoutError:
            raise error from None
        outcomes: list[_Outcome] = []
        for each in ready:
            if self._is_made(each):
                outcomes.append(None if each.order is None else self.repository.order(each.order.id))
            else:
                outcomes += [self._learn(each, row) for row in await self._link.run(PUT, self._parameters([each]))]
        return outcomes

    def _is_made(self, ready: _Ready) -> bool:
        # Everything that was committed has been read again by now.
        body = ready.body.encode()
        return any(self._lines[seq][1] == body for seq in sorted(self._lines)[-1000:])

    async def _checked(self, change: _Change, check: Callable[[list[Order]], None]) -> Order | None:
        self._check_open()
        self.check_writable()

        async def write() -> Order | None:
            async with self._link.exclusive() as run:
                await run("select sectigo_tui.lock_account(%s)", (self._account,))
                await self._ask(run)
                check(self.repository.orders())
                ready = self._ready(change)
                if isinstance(ready, StoreError):
                    raise ready
                try:
                    rows = await run(PUT, self._parameters([ready]))
                except StoreError as error:
                    raise self._refused(ready, error) from error
            made = self._learn(ready, rows[0])
            if isinstance(made, StoreError | InputError):
                raise made
            return made

        # Carried to its end also when nobody waits any more.
        return await asyncio.shield(asyncio.ensure_future(write()))

    def _ready(self, change: _Change, by: Actor | None = None) -> _Ready | StoreError:
        order = change.order
        if order is not None:
            order = replace(with_latest(self.repository.order(order.id), order), revision=order.revision + 1)
        try:
            document = None if order is None else _text(order)
            body = {
                "v": SCHEMA_VERSION,
                "by": by or self._me,
                "entry": sparse(change.entry),
                "order": None if document is None else sha256(document.encode()).hexdigest(),
            }
            return _Ready(change, order, document, _text(body))
        except ValueError as error:
            return StoreError(self._name, f"cannot write this: {error}", "report what SCM sent")

    def _parameters(self, ready: list[_Ready]) -> Sequence[Any]:
        def column(of: Callable[[Order], str | None]) -> Texts:
            return Texts(None if each.order is None else of(each.order) for each in ready)

        return (
            self._account,
            self._token,
            column(lambda order: order.id),
            column(lambda order: str(order.revision - 1)),
            column(lambda order: str(order.state)),
            column(lambda order: str(order.removed)),
            column(lambda order: _number(order.ssl_id)),
            column(lambda order: _number(order.renews_ssl_id)),
            column(lambda order: _printable(order.common_name)),
            SCHEMA_VERSION,
            Texts(each.document for each in ready),
            Texts(each.change.entry.order_id for each in ready),
            Texts(each.change.entry.at.isoformat() for each in ready),
            Texts(each.body for each in ready),
        )

    def _learn(self, ready: _Ready, row: tuple[Any, ...]) -> _Outcome:
        outcome, other, _, seq = row
        order = ready.order
        if outcome == "done":
            self._learn_entry(seq, ready.change.entry.order_id, ready.body.encode(), is_news=False)
            return None if order is None else self.repository.learn_order(order)
        assert order is not None  # noqa: S101 - only an order's change is refused so
        if outcome == "duplicate":
            self._must_ask = True
            return DuplicateOrder(self._name, other, order.ssl_id or 0)
        if other is not None:
            self._learn_order(order.id, other.encode(), SCHEMA_VERSION, is_news=True)
        return RevisionConflict(
            self._name, f"order {order.id} was changed by another process first", "check it, then repeat"
        )

    def _refused(self, ready: _Ready, error: StoreError) -> StoreError | InputError:
        if isinstance(error.__cause__, errors.UniqueViolation) and ready.order is not None:
            name = ready.order.common_name or f"sslId {ready.order.renews_ssl_id}"
            return InputError(
                f"another order of {name} is being placed just now, perhaps on another host",
                "wait until that is settled, then look whether yours is still needed",
            )
        return error

    def _check_open(self) -> None:
        if self._is_closed:
            raise StoreError(self._name, "the store is closed", "start the program again")

    def _note_soon(self) -> None:
        if self._noting is None or self._noting.done():
            with suppress(RuntimeError):
                self._noting = asyncio.get_running_loop().create_task(self._write_notes())

    async def _write_notes(self) -> None:
        await asyncio.sleep(NOTES_WITHIN_SECONDS)
        try:
            await self.flush()
        except StoreError as error:
            if self._link.lost is None:
                self._notes_failed = True
                self._on_error(error)
        else:
            if self._notes_failed:
                self._notes_failed = False
                self._on_error(None)

    async def _take_lease(self, run: Run, seconds: float) -> None:
        asked_at = asyncio.get_running_loop().time()
        rows = await run(
            "select is_ours, holder_now::json, since_now, seconds_left from sectigo_tui.take_lease(%s, %s, %s, %s, %s)",
            (self._account, self._token, self._link.session, _text(self._me), seconds),
        )
        is_ours, holder, since, left = rows[0]
        if is_ours:
            # Counted from before it was asked for: it never ends here later than there.
            self._lease_until = asked_at + seconds
            self._holder = None
        else:
            self._lease_until = 0.0
            self._know_holder(holder, since, float(left))
            self._holder_answered_at = asked_at

    def _keep_file(self, name: str, pem: bytes) -> Path:
        path = self._directory / "certificates" / name
        try:
            make_private_directory(path.parent)
            if not path.exists() or path.read_bytes() != pem:
                replace_file(path, pem, keep=path.with_suffix(".previous.pem"))
        except OSError as error:
            raise StoreError(
                str(path), f"cannot write: {error.strerror or error}", "the bundle is in the database all the same"
            ) from error
        return path


def _checked_ready(ready: _Ready | StoreError) -> _Ready:
    if isinstance(ready, StoreError):
        raise ready
    return ready


class _Lease(Struct):
    """A notice's word of who polls."""

    holder: msgspec.Raw = msgspec.Raw(b"null")
    since: datetime | None = None
    seconds: float = 0.0


class _Notice(Struct):
    """What a notice tells: a change, or who polls, or that a login was rejected or rotated."""

    sender: str = ""
    change: int = 0
    ask: bool = False
    seq: int = 0
    version: int = 0
    order: msgspec.Raw = msgspec.Raw(b"null")
    body: msgspec.Raw = msgspec.Raw(b"null")
    notes: list[msgspec.Raw] = []
    lease: _Lease | None = None
    logins: bool = False
    fetched: str = ""


class _Id(Struct):
    id: str


_NOTICE = msgspec.json.Decoder(_Notice)
_ID = msgspec.json.Decoder(_Id)

_ALL = """
select 'order', id, 0::bigint as seq, document, null::json, version::bigint from sectigo_tui.orders
    where account = %(account)s
union all
select 'poll', order_id, 1, note, array_to_json(polls), 0 from sectigo_tui.polls where account = %(account)s
union all
select 'head', '', seq, null, null, change from sectigo_tui.accounts where id = %(account)s
"""


def _text(value: object) -> str:
    return dumps(value).decode()


def _number(value: int | None) -> str | None:
    return None if value is None else str(value)


def _printable(text: str) -> str:
    """Return a text that the database can compare: it holds no NUL, and no half of a character."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _holder(document: bytes | None) -> Actor | None:
    if document is None:
        return None
    try:
        return actor_from(loads(bytes(document)))
    except UNREADABLE:
        return None


def _who(document: bytes | None) -> str:
    by = _holder(document)
    return "" if by is None else f"{by.user} of {by.host}" + (f" from {by.ssh}" if by.ssh else "")


def _as_failure(name: str, defect: Exception) -> StoreError:
    failure = StoreError(name, f"saving broke: {defect!r}", "report it")
    failure.__cause__ = defect
    return failure


def _settle(future: asyncio.Future[Order | None], outcome: _Outcome) -> None:
    if future.done():
        return
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
        # Nobody may wait for it any more.
        future.exception()
    else:
        future.set_result(outcome)
