"""One process's copy of the store: read at opening, kept in step with every other process through the files.

Nothing here knows asyncio. After opening, one thread calls the methods; the `OrderBook` may be read from any other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from sectigo_tui.collector import collector_paused
from sectigo_tui.domain.errors import InputError, StoreError
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.ports import StoreChanges, StoreDamage
from sectigo_tui.durable import remove_leftovers
from sectigo_tui.store.documents import Actor, Note
from sectigo_tui.store.local.files import FileLock, NoLock, make_directory, narrowed, why_read_only
from sectigo_tui.store.local.journal import MAY_BE_MISSING, Journal
from sectigo_tui.store.local.lease import this_process
from sectigo_tui.store.local.lines import Draft, Line, Position
from sectigo_tui.store.local.poll_log import PollLog
from sectigo_tui.store.local.snapshot import Header, OrdersFile
from sectigo_tui.store.orders_in_memory import OrdersInMemory, Staged, poll_alone

RETENTION_DAYS = 400
"""How long a closed part of the journal is kept where nothing else is said: longer than any certificate is valid."""

_ENTRIES_KEPT_FOR_CHANGES = 10_000


class Change(Struct, frozen=True):
    """What is to be made durable.

    Args:
        entry: What happened.
        order: The order as it is to be, with the revision it was read with; None where no order changes.
        check: Rejects the change by an `InputError`, for what every process has made of the orders by then.
    """

    entry: TimelineEntry
    order: Order | None
    check: Callable[[list[Order]], None] | None = None


class SharedOrders:
    """The files of one directory and the orders read from them.

    Where they can only be read, they are, without a lock, and every write fails with the reason.

    Args:
        directory: Where they are; it exists and is private.
        by: Who writes.
        retention_days: How long a closed part of the journal is kept.
    """

    def __init__(self, directory: Path, by: Actor, retention_days: int = RETENTION_DAYS) -> None:
        self._directory = directory
        self.repository = OrdersInMemory(str(directory))
        self.damage: list[StoreDamage] = []
        self.damage += narrowed(directory)
        self.read_only: StoreError | None = None
        self.lock, self._saving = self._locks()
        is_read_only = self.read_only is not None
        self.journal = Journal(directory / "journal.jsonl", by, self.damage.append, is_read_only=is_read_only)
        self._polls = PollLog(directory, is_read_only=is_read_only)
        self._orders_file = OrdersFile(directory, self.damage.append, is_read_only=is_read_only)
        self._retention = timedelta(days=retention_days)
        self._removed = Position()
        self._opened = False
        self._known_seq = 0
        self._changed: dict[str, None] = {}
        self._entries: deque[TimelineEntry] = deque(maxlen=_ENTRIES_KEPT_FOR_CHANGES)

    def _locks(self) -> tuple[FileLock, FileLock]:
        try:
            return FileLock(self._directory / "lock"), FileLock(self._directory / "orders.lock")
        except StoreError as error:
            self.read_only = why_read_only(error)
            if self.read_only is None:
                raise
            return NoLock(), NoLock()

    def check_writable(self) -> None:
        """Reject what would be written where the files can only be read.

        Raises:
            StoreError: They can.
        """
        if self.read_only is not None:
            raise self.read_only

    def open(self) -> None:
        """Read `orders.json`, then what the journal and the bookkeeping have that it lacks.

        Raises:
            StoreError: The disk failed, or a newer program wrote a file.
        """
        had_files = self._had_files()
        header = self._load_orders_file()
        is_rebuilt = header.journal.seq == 0
        self.journal.resume(header.journal)
        self._polls.resume(header.polls)
        self._known_seq = header.journal.seq
        with self.lock:
            self._remove_unfinished()
            self._catch_up()
        self._opened = True
        if is_rebuilt and had_files:
            self._report_what_may_be_missing()

    def commit(self, changes: Sequence[Change]) -> list[Order | StoreError | InputError | None]:
        """Make changes durable with one wait for the disk.

        Args:
            changes: The changes, in order; each is judged by itself.

        Returns:
            For each the order as stored, None where no order changed, or why it was rejected.

        Raises:
            StoreError: The disk failed: none of them was made.
        """
        self.check_writable()
        with self.lock:
            self._catch_up()
            draft = self.journal.draft()
            staged = Staged()
            outcomes = [self._stage(change, draft, staged) for change in changes]
            self.journal.append(draft)
            self._known_seq = draft.after.seq
            for order_id, offset in staged.lines.items():
                self.repository.learn_line(order_id, offset)
            return [self.repository.learn_order(made) if isinstance(made, Order) else made for made in outcomes]

    def append_entries(self, by: Actor, entries: Sequence[TimelineEntry]) -> None:
        """Make entries durable that change no order, as their writer's; the caller holds the lock.

        Raises:
            StoreError: The disk failed: none of them was made.
        """
        self.check_writable()
        self._catch_up()
        self.journal.begin_next_if_large()
        draft = self.journal.draft(by)
        lines: dict[str, int] = {}
        for entry in entries:
            before = lines.get(entry.order_id, self.repository.newest_line(entry.order_id))
            offset = draft.add(entry, None, before)
            if entry.order_id:
                lines[entry.order_id] = offset
        self.journal.append(draft)
        self._known_seq = draft.after.seq
        for order_id, offset in lines.items():
            self.repository.learn_line(order_id, offset)

    def append_notes(self, notes: Sequence[Note]) -> None:
        """Hand poll bookkeeping to the operating system.

        Raises:
            StoreError: The disk failed.
        """
        self.check_writable()
        with self.lock:
            self._catch_up_polls()
            self._polls.append(notes)

    def changes(self) -> StoreChanges:
        """Return what others did since the last call.

        Raises:
            StoreError: The disk failed.
        """
        if self.journal.is_behind() or self._polls.is_behind():
            with self.lock:
                self._catch_up()
        orders = tuple(order for each in self._changed if (order := self.repository.order(each)) is not None)
        entries = tuple(self._entries)
        self._changed.clear()
        self._entries.clear()
        return StoreChanges(orders, entries)

    def begin_save(self, now: datetime) -> Header | None:
        """Take the right to replace `orders.json`, and return up to where the orders in memory hold the files.

        Files that are large by then are followed by new ones, and what of the journal is over its time is said in it.

        Args:
            now: The time of day.

        Returns:
            None when another process is replacing it now; otherwise `end_save` must follow.

        Raises:
            StoreError: The disk failed.
        """
        self.check_writable()
        if not self._saving.try_acquire():
            return None
        try:
            with self.lock:
                self._catch_up()
                self._polls.begin_next_if_large(len(self.repository))
                self.journal.begin_next_if_large()
                self._let_old_lines_go(now)
                return Header(journal=self.journal.position, polls=self._polls.position)
        except StoreError:
            self._saving.release()
            raise

    def save(self, header: Header, *, always: bool = False) -> None:
        """Replace `orders.json`, between `begin_save` and `end_save`; may run in another thread.

        Args:
            header: What `begin_save` returned.
            always: Whether to write even if another process has saved the same, to learn whether the disk works.

        Raises:
            StoreError: The disk failed, or a newer program wrote the file.
        """
        if always or self._orders_file.header() != header:
            self._orders_file.save(header, self.repository.stored())
        self.journal.segments.compress()

    def end_save(self) -> None:
        """Give back the right to replace `orders.json`, and remove what is in it and over its time elsewhere."""
        try:
            self._polls.remove_before(self._orders_file.oldest_generation())
            self._remove_old_segments()
        finally:
            self._saving.release()

    def lines_removed(self) -> int:
        """Return how many lines of the journal were removed after their time, by its oldest line's number."""
        return self.journal.first_number() - 1

    def close(self) -> None:
        """Let go of every file."""
        self.journal.close()
        self._polls.close()
        self._saving.close()
        self.lock.close()

    def _stage(self, change: Change, draft: Draft, staged: Staged) -> Order | StoreError | InputError | None:
        order_id = change.entry.order_id
        before = staged.lines.get(order_id, self.repository.newest_line(order_id))
        try:
            if change.check is not None:
                change.check(list(({order.id: order for order in self.repository.orders()} | staged.orders).values()))
            made = None if change.order is None else self.repository.next_revision(change.order, staged)
            # A window opens and ends far more often than anything else changes, and a whole order is its CSR too.
            poll = None if made is None else poll_alone(self.repository.known(made.id, staged), made)
            offset = draft.add(change.entry, None if poll is not None else made, before, poll=poll)
        except (StoreError, InputError) as rejection:
            return rejection
        except ValueError as error:
            return StoreError(str(self.journal.path), f"cannot write this: {error}", "report what SCM sent")
        if made is not None:
            staged.add(made)
        if order_id:
            staged.lines[order_id] = offset
        return made

    def _had_files(self) -> bool:
        """Return whether this directory has been used: nothing is missing from a new one."""
        patterns = ("orders.json*", "journal-*", "journal.jsonl.*", "certificates/*")
        if any(True for pattern in patterns for _ in self._directory.glob(pattern)):
            return True
        return any(found.stat().st_size for found in self._directory.glob("polls-*"))

    def _report_what_may_be_missing(self) -> None:
        """Report where the orders were read from the journal alone, and it does not hold all of them."""
        if self.journal.is_whole:
            return
        count = len(self.repository.orders())
        self.damage.append(
            StoreDamage(
                what=f"orders may be missing: {count} could be read, from what is left of the journal"
                if count
                else "orders are missing: neither orders.json, nor its copy, nor the journal could be read",
                where=str(self._directory),
                remedy="restore the directory from a backup; else look in Remote for orders that are waiting or were "
                "issued, one may have been placed here and lost its answer, and track them",
            )
        )

    def _remove_unfinished(self) -> None:
        """Remove what a process that was killed had begun to write, unless another is writing now."""
        if not self._saving.try_acquire():
            return
        try:
            for directory in (self._directory, self._directory / "certificates"):
                remove_leftovers(directory)
        finally:
            self._saving.release()

    def _let_old_lines_go(self, now: datetime) -> None:
        """Record in the journal that its oldest segments have passed their retention, so that they may be removed.

        A segment is kept for longer where it may hold the newest copy of an order that can still become something.
        """
        live = (order.state_since for order in self.repository.orders() if is_live(order, now))
        old, after = self.journal.removable(min(now - self._retention, *live, now))
        if not old or after.seq <= self._removed.seq:
            return
        summary = f"lines up to number {after.seq} of the journal are removed, after {self._retention.days} days"
        draft = self.journal.draft()
        draft.add(TimelineEntry(at=now, order_id="", kind=EventKind.NOTE, summary=summary), None, None, removed=after)
        self.journal.append(draft)
        self._known_seq = draft.after.seq
        self._removed = after

    def _remove_old_segments(self) -> None:
        # Both copies of `orders.json` hold what was in them, and the journal says that they go.
        may_go = min(self._removed.offset, self._orders_file.oldest_journal_offset())
        if gone := self.journal.closed_before(may_go):
            self.journal.segments.remove(gone)

    def _load_orders_file(self) -> Header:
        header, stored_orders = self._orders_file.load()
        self.repository.learn_stored(stored_orders, with_lines=not self._opened)
        return header

    def _catch_up(self) -> None:
        if (self.journal.is_behind() or not self._opened) and not self.journal.catch_up(self._learn_line):
            # This process was stopped for so long that others removed lines unread; what they held is saved.
            if self._opened:
                self._load_orders_file()
            else:
                self.damage.append(_reaches_not_back(self.journal.path))
        self._catch_up_polls()

    def _catch_up_polls(self) -> None:
        if (self._polls.is_behind() or not self._opened) and not self._polls.catch_up(self._learn_note):
            # This process was stopped for so long that others removed files unread; what they held is saved.
            self._load_orders_file()

    def _learn_line(self, line: Line) -> None:
        if line.entry.order_id:
            self.repository.learn_line(line.entry.order_id, line.offset)
        if line.order is not None:
            self.repository.learn_order(line.order)
        if line.poll is not None:
            self.repository.learn_poll(line.poll)
        if line.after.seq <= self._known_seq:
            return
        self._known_seq = line.after.seq
        if self._opened:
            self._entries.append(line.entry)
            if line.order is not None or line.poll is not None:
                self._changed[line.entry.order_id] = None

    def _learn_note(self, note: Note) -> None:
        if self.repository.learn_note(note) and self._opened:
            self._changed[note.order_id] = None


def prune(directory: Path, retention_days: int, now: datetime) -> int:
    """Remove closed parts of the journal that are over their time, and return how many lines that were.

    Args:
        directory: The account's directory.
        retention_days: How long a closed part is kept.
        now: The time of day.

    Raises:
        StoreError: The disk failed, or another process is saving just now.
    """
    make_directory(directory)
    shared = SharedOrders(directory, this_process(), retention_days)
    try:
        with collector_paused():
            shared.open()
        before = shared.lines_removed()
        # The second time `orders.json` and its copy both hold what goes.
        for _ in range(2):
            header = shared.begin_save(now)
            if header is None:
                raise StoreError(str(directory), "another process is saving", "do it again in a moment")
            try:
                shared.save(header, always=True)
            finally:
                shared.end_save()
        return shared.lines_removed() - before
    finally:
        shared.close()


def is_live(order: Order, now: datetime) -> bool:
    """Return whether an order may change, or is a certificate that is still valid."""
    if order.state.is_final:
        return False
    return order.certificate is None or order.certificate.not_after > now


def _reaches_not_back(journal: Path) -> StoreDamage:
    return StoreDamage(
        what="orders.json is older than the oldest line that the journal still has",
        where=str(journal),
        remedy=f"restore the newest orders.json that you have; {MAY_BE_MISSING}",
    )


def read_orders(directory: Path, report: Callable[[StoreDamage], None]) -> list[Order]:
    """Return all orders that are not removed; what is damaged is set aside, as when the store is opened.

    Args:
        directory: The account's directory, made if need be.
        report: Takes what is damaged; whoever opens the directory next finds it no more.

    Raises:
        StoreError: The directory belongs to somebody else, cannot be read or written, or was written by a newer
            version of this program; nothing was changed.
    """
    return [order for order in _read(directory, report) if not order.removed]


def read_all_orders(directory: Path, report: Callable[[StoreDamage], None]) -> list[Order]:
    """Return all orders, also those that are removed; else as `read_orders`."""
    return _read(directory, report)


def _read(directory: Path, report: Callable[[StoreDamage], None]) -> list[Order]:
    make_directory(directory)
    shared_orders = SharedOrders(directory, this_process())
    try:
        with collector_paused():
            shared_orders.open()
        for reason in shared_orders.damage:
            report(reason)
        return [each.order for each in shared_orders.repository.stored()]
    finally:
        shared_orders.close()
