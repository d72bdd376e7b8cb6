"""The store that the program uses: orders in memory, every change durable before it is shown, shared by processes.

Poll bookkeeping and `orders.json` are saved a little later. Delays here are the disk's affair, so they follow the event
loop's time and not the program's clock.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from sectigo_tui.collector import collector_paused
from sectigo_tui.domain.clock import Clock
from sectigo_tui.domain.errors import InputError, StoreError
from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollResult
from sectigo_tui.domain.ports import F, StoreChanges, StoreDamage
from sectigo_tui.durable import replace_file
from sectigo_tui.store.documents import UNREADABLE, Note, dumps, record_in
from sectigo_tui.store.local.files import disk_failures, make_directory, private_directory
from sectigo_tui.store.local.lease import Lease, this_process
from sectigo_tui.store.local.shared_orders import RETENTION_DAYS, Change, SharedOrders

NOTES_WITHIN_SECONDS = 0.1
"""How long a poll's outcome may wait for others, to be written together."""

SAVE_AFTER_SECONDS = 2.0
"""How long after a change of an order `orders.json` follows at the earliest."""

SAVE_POLLS_AFTER_SECONDS = 60.0
"""How long after a poll that changed no order `orders.json` follows at the earliest."""

_PAUSE_PER_SAVING = 50.0
_PAUSE_PER_SAVING_POLLS = 200.0
_FIRST_RETRY_SECONDS = 1.0
_LONGEST_RETRY_SECONDS = 30.0
_NOTES_KEPT = 50_000


class Errors:
    """The present saving errors: reported when one begins, changes or ends.

    Args:
        report: Takes the failure, or None once saving works again.
    """

    def __init__(self, report: Callable[[StoreError | None], None]) -> None:
        self.report = report
        self._errors: dict[str, StoreError] = {}
        self._reported = ""

    def failed(self, what: str, error: StoreError) -> None:
        """Remember that something cannot be saved."""
        self._errors[what] = error
        self._print()

    def note(self, what: str, error: StoreError | None) -> None:
        """Remember whether something cannot be saved now."""
        if error is None:
            self.worked(what)
        else:
            self.failed(what, error)

    def worked(self, *what: str) -> None:
        """Clear the errors of some files."""
        for each in what:
            self._errors.pop(each, None)
        self._print()

    def _print(self) -> None:
        error = next(iter(self._errors.values()), None)
        words = str(error or "")
        if words != self._reported:
            self._reported = words
            self.report(error)


class PendingWrite:
    """A deferred write: done some time after it was asked for, once for all callers, and retried until it succeeds.

    Args:
        work: The work; it is tried again whenever something is raised out of it.
        failed: Takes each failure.
    """

    def __init__(self, work: Callable[[], Awaitable[None]], failed: Callable[[StoreError], None]) -> None:
        self._work = work
        self._failed = failed
        self._retry_seconds = _FIRST_RETRY_SECONDS
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def within(self, seconds: float) -> None:
        """Do the work after `seconds` at the latest; must be called on the event loop."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        if self._timer is not None and self._timer.when() <= due:
            return
        self.cancel()
        self._timer = loop.call_at(due, self._begin)

    async def stop(self) -> None:
        """Plan nothing any more, and wait for what is being done."""
        self.cancel()
        if self._task is not None:
            await self._task
        self.cancel()

    def cancel(self) -> None:
        """Plan nothing any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        self._timer = None
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._attempt())
        else:
            self.within(_FIRST_RETRY_SECONDS)

    async def _attempt(self) -> None:
        try:
            await self._work()
        except Exception as error:  # noqa: BLE001 - the boundary of a job: an exception is reported like a failure, and saving goes on
            self._failed(error if isinstance(error, StoreError) else _as_failure(error))
            self.within(self._retry_seconds)
            self._retry_seconds = min(self._retry_seconds * 2, _LONGEST_RETRY_SECONDS)
        else:
            self._retry_seconds = _FIRST_RETRY_SECONDS
        finally:
            self._task = None


class WriteBehind:
    """Keeps the bookkeeping files and `orders.json` behind the orders in memory, but not far.

    Args:
        shared_orders: The orders in memory and their files.
        files: The thread that alone works on the files.
        errors: What cannot be saved.
        now: Tells the time of day.
    """

    def __init__(
        self, shared_orders: SharedOrders, files: ThreadPoolExecutor, errors: Errors, now: Callable[[], datetime]
    ) -> None:
        self._shared_orders = shared_orders
        self._now = now
        self._files = files
        self._saver = ThreadPoolExecutor(1, thread_name_prefix="store-save")
        self._errors = errors
        self._notes: list[Note] = []
        self._is_behind = False
        self._must_prove = False
        self._last_save_seconds = 0.0
        self._saved_at = 0.0
        self._poll_log_task = PendingWrite(self.flush, partial(errors.failed, "bookkeeping"))
        self._snapshot_task = PendingWrite(self.save, partial(errors.failed, "orders.json"))

    def note(self, note: Note) -> None:
        """Write bookkeeping soon."""
        self._notes.append(note)
        self._is_behind = True
        if len(self._notes) > _NOTES_KEPT:
            # The disk has failed for long. The orders in memory hold all of it, and `orders.json` will.
            del self._notes[: _NOTES_KEPT // 2]
            self._must_prove = True
        if _is_on_loop():
            self._poll_log_task.within(NOTES_WITHIN_SECONDS)
            self._save_within(SAVE_POLLS_AFTER_SECONDS, _PAUSE_PER_SAVING_POLLS)

    def changed(self) -> None:
        """Let `orders.json` follow a change that is in the journal."""
        self._is_behind = True
        self._save_within(SAVE_AFTER_SECONDS, _PAUSE_PER_SAVING)

    def failed(self, error: StoreError) -> None:
        """Report that the journal could not be written, and try it again soon."""
        self._errors.failed("journal", error)
        self._must_prove = True
        self.changed()

    async def flush(self) -> None:
        """Hand all bookkeeping to the operating system.

        Raises:
            StoreError: The disk failed; nothing is forgotten.
        """
        notes, self._notes = self._notes, []
        if not notes:
            return
        try:
            await asyncio.get_running_loop().run_in_executor(self._files, self._shared_orders.append_notes, notes)
        except BaseException:
            self._notes = notes + self._notes
            raise
        self._errors.worked("bookkeeping", "journal")

    async def save(self) -> None:
        """Replace `orders.json` with what is in memory.

        Raises:
            StoreError: The disk failed; the file is the one that was there.
        """
        loop = asyncio.get_running_loop()
        header = await loop.run_in_executor(self._files, self._shared_orders.begin_save, self._now())
        if header is None:
            self._save_within(SAVE_AFTER_SECONDS, _PAUSE_PER_SAVING)
            return
        began = loop.time()
        was_behind, self._is_behind = self._is_behind, False
        must_prove, self._must_prove = self._must_prove, False
        try:
            await loop.run_in_executor(self._saver, partial(self._shared_orders.save, header, always=must_prove))
        except BaseException:
            self._is_behind, self._must_prove = was_behind, True
            raise
        finally:
            await loop.run_in_executor(self._files, self._shared_orders.end_save)
        self._saved_at = loop.time()
        self._last_save_seconds = self._saved_at - began
        self._errors.worked("orders.json", "journal")

    async def close(self) -> None:
        """Write what is left.

        Raises:
            StoreError: The disk failed.
        """
        await self._poll_log_task.stop()
        await self._snapshot_task.stop()
        await self.flush()
        if self._is_behind:
            await self.save()

    def let_go(self) -> None:
        """Plan nothing any more."""
        self._poll_log_task.cancel()
        self._snapshot_task.cancel()
        self._saver.shutdown()

    def _save_within(self, seconds: float, pause_per_saving: float) -> None:
        allowed_at = self._saved_at + self._last_save_seconds * pause_per_saving
        self._snapshot_task.within(max(seconds, allowed_at - asyncio.get_running_loop().time()))


def _as_failure(defect: Exception) -> StoreError:
    failure = StoreError("the local orders", f"saving broke: {defect!r}", "report it")
    failure.__cause__ = defect  # from which a crash report is written
    return failure


def _is_on_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


_Result = TypeVar("_Result")
_Outcome = Order | StoreError | InputError | None
_UNSAFE_IN_NAMES = re.compile(r"[^0-9A-Za-z-]")


def _report_nothing(_: StoreError | None) -> None:
    return


class JournalStore:
    """Orders and timelines of one SCM account in one directory, for any number of processes of one user.

    Fulfils `sectigo_tui.domain.ports.OrderStore`. What is read comes from memory, or for timelines from the
    journal's file; what is written goes through one thread, so the event loop never waits for the disk.

    Args:
        shared_orders: The files, opened.
        lease: The right to poll.
        directory: Where they are.
        clock: Tells the time for leases.
        on_error: Takes a failure to save, and None once saving works again; called on the event loop.
    """

    def __init__(
        self,
        shared_orders: SharedOrders,
        lease: Lease,
        directory: Path,
        clock: Clock,
        on_error: Callable[[StoreError | None], None],
    ) -> None:
        self.changed_elsewhere: asyncio.Event | None = None
        self._shared_orders = shared_orders
        self._lease = lease
        self._directory = directory
        self._clock = clock
        self._files = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._errors = Errors(on_error)
        self._behind = WriteBehind(shared_orders, self._files, self._errors, clock.now)
        self._waiting: list[tuple[Change, asyncio.Future[Order | None]]] = []
        self._is_committing = False
        self._is_closed = False

    @classmethod
    def open(
        cls,
        directory: Path,
        clock: Clock,
        on_error: Callable[[StoreError | None], None] = _report_nothing,
        retention_days: int = RETENTION_DAYS,
    ) -> JournalStore:
        """Read the orders; what is damaged is set aside and named in `damage`.

        Args:
            directory: The account's directory, made if need be.
            clock: Tells the time for leases.
            on_error: Takes a failure to save, and None once saving works again; called on the event loop.
            retention_days: How long a closed part of the journal is kept.

        Raises:
            StoreError: The directory belongs to somebody else, cannot be read or written, or was written by a newer
                version of this program; nothing was changed.
        """
        make_directory(directory)
        by = this_process()
        shared_orders = SharedOrders(directory, by, retention_days)
        try:
            with collector_paused():
                shared_orders.open()
        except BaseException:
            shared_orders.close()
            raise
        return cls(shared_orders, Lease(directory / "leases.json", shared_orders.lock, by), directory, clock, on_error)

    @property
    def damage(self) -> tuple[StoreDamage, ...]:
        """What was found wrong with the files and worked around, at opening and since."""
        return tuple(self._shared_orders.damage)

    @property
    def read_only(self) -> StoreError | None:
        """Why nothing can be written here; None where it can."""
        return self._shared_orders.read_only

    def report_errors_to(self, on_error: Callable[[StoreError | None], None]) -> None:
        """Replace the callback for saving errors: called when saving fails, and when it works again."""
        self._errors.report = on_error

    def orders(self) -> list[Order]:
        """Return all orders that are not removed, as this process knows them."""
        return self._shared_orders.repository.orders()

    def all_orders(self) -> list[Order]:
        """Return all orders, also those that are removed."""
        return [each.order for each in self._shared_orders.repository.stored()]

    def order(self, order_id: str) -> Order | None:
        """Return one order, removed or not."""
        return self._shared_orders.repository.order(order_id)

    def by_ssl_id(self, ssl_id: int) -> Order | None:
        """Return the order, not removed, that has this sslId."""
        return self._shared_orders.repository.by_ssl_id(ssl_id)

    def polls(self, order_id: str) -> Sequence[PollResult]:
        """Return the order's newest polls, at most `POLLS_KEPT`, oldest first."""
        return self._shared_orders.repository.polls(order_id)

    def timeline(self, order_id: str) -> Sequence[TimelineEntry]:
        """Return the order's timeline, oldest first, read from the journal."""
        newest = self._shared_orders.repository.newest_line(order_id)
        return [line.entry for line in self._shared_orders.journal.timeline(newest, order_id)]

    def entries(self, limit: int) -> Sequence[TimelineEntry]:
        """Return the newest `limit` entries of all orders, oldest first, read from the journal."""
        return [line.entry for line in self._shared_orders.journal.newest(limit)]

    async def put(
        self, order: Order, entry: TimelineEntry, *, check: Callable[[list[Order]], None] | None = None
    ) -> Order:
        """Make an order's change and its timeline entry durable together; only then return.

        Args:
            order: The order as it is to be, carrying the revision it was read with (0 for a new one).
            entry: What happened.
            check: Called with all orders, as every process has left them, and under the lock that keeps them so
                until this one is written; rejects by an `InputError`. Called in another thread.

        Returns:
            The order with its new revision, and with the poller's latest bookkeeping if that was newer.

        Raises:
            RevisionConflict: Somebody else changed it first; `order()` has their version.
            DuplicateOrder: Its sslId is that of another order.
            InputError: `check` rejected it.
            StoreError: The disk failed, and nothing has changed.
        """
        return await self._committed(Change(entry, order, check)) or order

    async def record(self, entry: TimelineEntry) -> None:
        """Make an entry durable that changes no order.

        Raises:
            StoreError: The disk failed, and nothing has changed.
        """
        await self._committed(Change(entry, None))

    def note(self, order: Order, poll: PollResult | None = None) -> None:
        """Remember poll bookkeeping (window, last poll, last answer) soon, surviving the end of the process.

        The order's revision stays; what another process put in between is kept, and only `window`, `last_poll` and
        `last_answer_at` are taken.

        Args:
            order: The order with its new window, last poll and the time of its last answer.
            poll: The poll to add to its poll history.
        """
        note = Note(order.id, order.revision, order.window, order.last_poll, order.last_answer_at, poll)
        if self._shared_orders.repository.learn_note(note) and not self._is_closed:
            self._behind.note(note)

    async def flush(self) -> None:
        """Hand all bookkeeping to the operating system now, so that it survives the end of the process.

        Raises:
            StoreError: The disk failed; nothing is forgotten.
        """
        await self._behind.flush()

    async def save(self) -> None:
        """Bring `orders.json` up to date now, which otherwise happens within seconds of a change.

        Raises:
            StoreError: The disk failed; the file is the one that was there.
        """
        await self._behind.save()

    async def until_history_is_read(self) -> None:
        """Return at once: the files are at hand."""

    async def changes(self) -> StoreChanges:
        """Return what other processes did since the last call, and know it from now on.

        Raises:
            StoreError: The disk failed.
        """
        now = self._clock.now()

        def refresh_from_disk() -> StoreChanges:
            self._lease.poll(now)
            return self._shared_orders.changes()

        return await self._in_thread(refresh_from_disk)

    async def lease(self, order_ids: Iterable[str], seconds: float) -> frozenset[str]:
        """Take, or renew, the polling lease: all of the orders or none, as `lease` explains.

        Args:
            order_ids: The orders.
            seconds: How long the right lasts unless it is renewed; writing is saved while two thirds are left.

        Returns:
            All of them if this process polls, else none.

        Raises:
            StoreError: The disk failed, and nothing but writing can tell who polls.
        """
        # Whoever cannot write down what a poll brought makes none.
        self._shared_orders.check_writable()
        now = self._clock.now()
        is_ours = self._lease.is_fresh(now, seconds)
        if not is_ours:
            is_ours = await self._in_thread(partial(self._lease.take, now, seconds))
            self._errors.note("leases", self._lease.unsaved)
        return frozenset(order_ids) if is_ours else frozenset()

    async def release(self) -> None:
        """Give back the right to poll.

        Raises:
            StoreError: The disk failed.
        """
        await self._in_thread(self._lease.give_back)

    def is_poller(self) -> bool:
        """Return whether this process has the right to poll."""
        return self._lease.is_acquired

    def poller(self) -> str:
        """Return who polls now, such as `pid 4711 on tty pts/3`; empty when it is this process, or nobody."""
        return self._lease.other(self._clock.now())

    async def save_certificate(self, order_id: str, pem: bytes, *, aside: bool = False) -> str:
        """Keep a collected bundle as `certificates/<sslId>.pem`, another one before it beside it; return its path.

        Args:
            order_id: The order.
            pem: The bundle.
            aside: Keep it as `certificates/<sslId>.refused.pem`: it is not used.

        Raises:
            StoreError: The disk failed.
        """
        order = self.order(order_id)
        name = str(order.ssl_id) if order and order.ssl_id is not None else _UNSAFE_IN_NAMES.sub("_", order_id)
        path = self._directory / "certificates" / f"{name}{'.refused' if aside else ''}.pem"

        def write() -> None:
            self._shared_orders.check_writable()
            private_directory(path.parent)
            with disk_failures(path, "read"):
                if path.exists() and path.read_bytes() == pem:
                    return
            with self._shared_orders.lock, disk_failures(path, "write"):
                # Whoever cleans up what a kill has left holds it too.
                replace_file(path, pem, keep=path.with_suffix(".previous.pem"))

        await self._in_thread(write)
        return str(path)

    async def certificate_file(self, order: Order) -> str:
        """Return where an order's collected bundle lies."""
        return order.certificate_path

    async def fetched(self, name: str, kind: type[F]) -> F | None:
        """Return what a process fetched from SCM and kept as `fetched/NAME.json`; None where nothing readable is."""
        path = self._directory / "fetched" / f"{name}.json"

        def read() -> F | None:
            with disk_failures(path, "read"):
                try:
                    return record_in(path.read_bytes(), kind)
                except FileNotFoundError:
                    return None
                except UNREADABLE:
                    # Damaged, or of another version: it is fetched again.
                    return None

        return await self._cached(read)

    async def keep_fetched(self, name: str, record: Struct) -> None:
        """Keep what was fetched from SCM, for all processes; a power cut may lose it.

        A failure of the disk is reported like one of saving, and not raised: what is kept here can be fetched again.
        """
        path = self._directory / "fetched" / f"{name}.json"

        def write() -> None:
            if self._shared_orders.read_only is not None:
                return
            private_directory(path.parent)
            with disk_failures(path, "write"):
                replace_file(path, dumps(record), survives_power_cut=False)

        await self._cached(write)

    async def _cached(self, work: Callable[[], _Result]) -> _Result | None:
        try:
            done = await asyncio.to_thread(work)
        except StoreError as error:
            self._errors.failed("fetched", error)
            return None
        self._errors.worked("fetched")
        return done

    async def close(self) -> None:
        """Write what is left, give back the right to poll and let go of every file.

        Raises:
            StoreError: The disk failed; every file was let go of all the same.
        """
        if self._is_closed:
            return
        try:
            while self._is_committing:
                await self._in_thread(int)
            await self._behind.close()
            await self.release()
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Let go of every file and write nothing more, for a process that has only read."""
        if self._is_closed:
            return
        self._is_closed = True
        self._behind.let_go()
        self._files.shutdown()
        self._shared_orders.close()

    async def _committed(self, change: Change) -> Order | None:
        if self._is_closed:
            raise StoreError(str(self._directory), "the store is closed", "start the program again")
        future: asyncio.Future[Order | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, future))
        if not self._is_committing:
            self._begin_commit()
        return await future

    def _begin_commit(self) -> None:
        # Changes that arrive while the disk is waited for become durable together, with the next wait.
        batch, self._waiting = self._waiting, []
        self._is_committing = True
        job = asyncio.get_running_loop().run_in_executor(
            self._files, self._shared_orders.commit, [change for change, _ in batch]
        )
        job.add_done_callback(partial(self._end_commit, [future for _, future in batch]))

    def _end_commit(self, futures: list[asyncio.Future[Order | None]], job: asyncio.Future[list[_Outcome]]) -> None:
        self._is_committing = False
        if self._waiting:
            self._begin_commit()
        failure = job.exception()
        outcomes: Sequence[Order | BaseException | None] = [failure] * len(futures) if failure else job.result()
        for future, outcome in zip(futures, outcomes, strict=True):
            _settle(future, outcome)
        if isinstance(failure, StoreError):
            self._behind.failed(failure)
        elif failure is None:
            self._errors.worked("journal")
            self._behind.changed()

    async def _in_thread(self, work: Callable[[], _Result]) -> _Result:
        return await asyncio.get_running_loop().run_in_executor(self._files, work)


def _settle(future: asyncio.Future[Order | None], outcome: Order | BaseException | None) -> None:
    if future.done():
        return
    if isinstance(outcome, BaseException):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)
