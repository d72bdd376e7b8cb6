"""Deferred saving of poll bookkeeping and `orders.json`.

Delays here are the disk's affair, so they follow the event loop's time and not the program's clock.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.store.documents import Note
from sectigo_tui.store.local.shared_orders import SharedOrders

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
