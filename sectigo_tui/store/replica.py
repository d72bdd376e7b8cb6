"""One process's copy of the store: read at opening, kept in step with every other process through the files.

Nothing here knows asyncio. After opening, one thread calls the methods; the `OrderBook` may be read from any other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from sectigo_tui.domain.errors import InputError, StoreError
from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.ports import StoreChanges, StoreProblem
from sectigo_tui.domain.values import dataclass
from sectigo_tui.store.book import OrderBook, Shelved, Staged
from sectigo_tui.store.chain import Draft, Line
from sectigo_tui.store.documents import Actor, Note
from sectigo_tui.store.files import FileLock
from sectigo_tui.store.journal import Journal
from sectigo_tui.store.looks import LooksLog
from sectigo_tui.store.orders_file import Header, OrdersFile

_ENTRIES_KEPT_FOR_CHANGES = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be made durable.

    Args:
        entry: What happened.
        order: The order as it is to be, with the revision it was read with; None where no order changes.
        check: Refuses the change by an `InputError`, for what every process has made of the orders by then.
    """

    entry: TimelineEntry
    order: Order | None
    check: Callable[[list[Order]], None] | None = None


class Replica:
    """The files of one directory and the orders read from them.

    Args:
        directory: Where they are; it exists and is private.
        by: Who writes.
    """

    def __init__(self, directory: Path, by: Actor) -> None:
        self.book = OrderBook(str(directory))
        self.problems: list[StoreProblem] = []
        self.lock = FileLock(directory / "lock")
        self.journal = Journal(directory / "journal.jsonl", by, self.problems.append)
        self._looks = LooksLog(directory)
        self._orders_file = OrdersFile(directory, self.problems.append)
        self._saving = FileLock(directory / "orders.lock")
        self._opened = False
        self._known_seq = 0
        self._changed: dict[str, None] = {}
        self._entries: deque[TimelineEntry] = deque(maxlen=_ENTRIES_KEPT_FOR_CHANGES)

    def open(self) -> None:
        """Read `orders.json`, then what the journal and the bookkeeping have that it lacks.

        Raises:
            StoreError: The disk failed, or a newer program wrote a file.
        """
        header = self._load_orders_file()
        self.journal.resume(header.journal)
        self._looks.resume(header.looks)
        self._known_seq = header.journal.seq
        with self.lock:
            self._catch_up()
        self._opened = True

    def commit(self, changes: Sequence[Change]) -> list[Order | StoreError | InputError | None]:
        """Make changes durable with one wait for the disk.

        Args:
            changes: The changes, in order; each is judged by itself.

        Returns:
            For each the order as stored, None where no order changed, or why it was refused.

        Raises:
            StoreError: The disk failed: none of them was made.
        """
        with self.lock:
            self._catch_up()
            draft = self.journal.draft()
            staged = Staged()
            outcomes = [self._stage(change, draft, staged) for change in changes]
            self.journal.append(draft)
            self._known_seq = draft.after.seq
            for order_id, offset in staged.lines.items():
                self.book.learn_line(order_id, offset)
            return [self.book.learn_order(made) if isinstance(made, Order) else made for made in outcomes]

    def append_notes(self, notes: Sequence[Note]) -> None:
        """Hand poll bookkeeping to the operating system.

        Raises:
            StoreError: The disk failed.
        """
        with self.lock:
            self._catch_up_looks()
            self._looks.append(notes)

    def changes(self) -> StoreChanges:
        """Return what others did since the last call.

        Raises:
            StoreError: The disk failed.
        """
        if self.journal.is_behind() or self._looks.is_behind():
            with self.lock:
                self._catch_up()
        orders = tuple(order for each in self._changed if (order := self.book.order(each)) is not None)
        entries = tuple(self._entries)
        self._changed.clear()
        self._entries.clear()
        return StoreChanges(orders, entries)

    def begin_save(self) -> Header | None:
        """Take the right to replace `orders.json`, and return up to where the book holds the files.

        Returns:
            None when another process is replacing it now; otherwise `end_save` must follow.

        Raises:
            StoreError: The disk failed.
        """
        if not self._saving.try_acquire():
            return None
        try:
            with self.lock:
                self._catch_up()
                self._looks.begin_next_if_large()
                return Header(journal=self.journal.position, looks=self._looks.position)
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
            self._orders_file.save(header, self.book.shelved())

    def end_save(self) -> None:
        """Give back the right to replace `orders.json`, and remove the bookkeeping that is in it."""
        try:
            self._looks.remove_before(self._orders_file.oldest_generation())
        finally:
            self._saving.release()

    def close(self) -> None:
        """Let go of every file."""
        self.journal.close()
        self._looks.close()
        self._saving.close()
        self.lock.close()

    def _stage(self, change: Change, draft: Draft, staged: Staged) -> Order | StoreError | InputError | None:
        order_id = change.entry.order_id
        before = staged.lines.get(order_id, self.book.newest_line(order_id))
        try:
            if change.check is not None:
                change.check(list(({order.id: order for order in self.book.orders()} | staged.orders).values()))
            made = None if change.order is None else self.book.next_revision(change.order, staged)
            offset = draft.add(change.entry, made, before)
        except (StoreError, InputError) as refusal:
            return refusal
        except ValueError as error:
            return StoreError(str(self.journal.path), f"cannot write this: {error}", "report what SCM sent")
        if made is not None:
            staged.add(made)
        if order_id:
            staged.lines[order_id] = offset
        return made

    def _load_orders_file(self) -> Header:
        def shelve(each: Shelved) -> None:
            self.book.learn_order(each.order)
            self.book.learn_looks(each.order.id, each.looks)
            if each.newest_line is not None and not self._opened:
                self.book.learn_line(each.order.id, each.newest_line)

        return self._orders_file.load(shelve)

    def _catch_up(self) -> None:
        if self.journal.is_behind() or not self._opened:
            self.journal.catch_up(self._learn_line)
        self._catch_up_looks()

    def _catch_up_looks(self) -> None:
        if (self._looks.is_behind() or not self._opened) and not self._looks.catch_up(self._learn_note):
            # This process was stopped for so long that others removed files unread; what they held is saved.
            self._load_orders_file()

    def _learn_line(self, line: Line) -> None:
        if line.entry.order_id:
            self.book.learn_line(line.entry.order_id, line.offset)
        if line.order is not None:
            self.book.learn_order(line.order)
        if line.after.seq <= self._known_seq:
            return
        self._known_seq = line.after.seq
        if self._opened:
            self._entries.append(line.entry)
            if line.order is not None:
                self._changed[line.order.id] = None

    def _learn_note(self, note: Note) -> None:
        if self.book.learn_note(note) and self._opened:
            self._changed[note.order_id] = None
