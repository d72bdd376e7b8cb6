"""Poll bookkeeping's files: every poll's outcome, handed to the operating system but not waited for.

What is handed over survives the end of the process, however it ends; a power failure may cost the newest polls, after
which an order is polled a little earlier than it was due.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from sectigo_tui.store.documents import UNREADABLE, Note, dumps, loads, note_from
from sectigo_tui.store.local.files import disk_failures, open_private, open_readable, write_all

LARGEST_FILE_BYTES = 4 * 1024 * 1024
BYTES_FOR_EACH_ORDER = 8 * 1024
SMALLEST_FILE_BYTES = 64 * 1024
"""A file that is large, or has this much for each order and is not small, is followed by a new one, once `orders.json`
is about to hold what is in it."""


class PollLogPosition(Struct, frozen=True):
    """A place in the bookkeeping.

    Args:
        generation: The file's number.
        offset: Bytes from its start.
    """

    generation: int = 1
    offset: int = 0


class PollLog:
    """The newest of the bookkeeping files; `resume` opens it. Whoever calls a method holds the store's lock.

    Args:
        directory: Where the files are.
        is_read_only: Whether nothing of them is changed.
    """

    def __init__(self, directory: Path, *, is_read_only: bool = False) -> None:
        self._directory = directory
        self._is_read_only = is_read_only
        self.position = PollLogPosition()
        self._descriptor = -1
        self._next_path = ""

    def resume(self, position: PollLogPosition) -> None:
        """Go on from a place that was known before.

        A file that is gone was removed because a newer `orders.json` holds what was in it.
        """
        self.close()
        path = self._path(position.generation)
        if self._is_read_only:
            self._descriptor = open_readable(path)
        else:
            self._descriptor = open_private(path, os.O_RDWR | os.O_APPEND)
        self._next_path = str(self._path(position.generation + 1))
        self.position = position

    def is_behind(self) -> bool:
        """Return whether others wrote what this process has not read."""
        with disk_failures(self._directory, "read"):
            return os.fstat(self._descriptor).st_size != self.position.offset or os.access(self._next_path, os.F_OK)

    def catch_up(self, learn: Callable[[Note], None]) -> bool:
        """Read what others wrote.

        Args:
            learn: Takes each note, in order.

        Returns:
            Whether all of it could be read; False when files were removed unread, and `orders.json` holds more.
        """
        self._read_rest(learn)
        complete = True
        while (following := self._next_file()) is not None:
            complete = complete and following == self.position.generation + 1
            self.resume(PollLogPosition(following, 0))
            self._read_rest(learn)
        return complete

    def append(self, notes: Sequence[Note]) -> None:
        """Hand notes to the operating system.

        Raises:
            StoreError: The disk failed; what was written in part is taken back, or skipped by whoever reads it.
        """
        with disk_failures(self._path(self.position.generation), "write"):
            data = b"".join(dumps(note) + b"\n" for note in notes)
            try:
                write_all(self._descriptor, data)
            except OSError:
                os.ftruncate(self._descriptor, self.position.offset)
                raise
        self.position = PollLogPosition(self.position.generation, self.position.offset + len(data))

    def begin_next_if_large(self, orders: int) -> None:
        """Begin a new file when this one is large: the caller is about to save all that was read of it.

        Args:
            orders: How many orders there are.
        """
        largest = min(LARGEST_FILE_BYTES, max(SMALLEST_FILE_BYTES, orders * BYTES_FOR_EACH_ORDER))
        if self.position.offset >= largest:
            self.resume(PollLogPosition(self.position.generation + 1, 0))

    def remove_before(self, generation: int) -> None:
        """Remove the files before one, which every copy of `orders.json` now holds."""
        with disk_failures(self._directory, "remove old files"):
            for number in self._generations():
                if number < generation:
                    self._path(number).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _next_file(self) -> int | None:
        if self._path(self.position.generation + 1).exists():
            return self.position.generation + 1
        later = [number for number in self._generations() if number > self.position.generation]
        return min(later, default=None)

    def _generations(self) -> list[int]:
        names = (path.stem.removeprefix("polls-") for path in self._directory.glob("polls-*.jsonl"))
        return sorted(int(name) for name in names if name.isdecimal())

    def _path(self, generation: int) -> Path:
        return self._directory / f"polls-{generation:06d}.jsonl"

    def _read_rest(self, learn: Callable[[Note], None]) -> None:
        path = self._path(self.position.generation)
        with disk_failures(path, "read"):
            size = os.fstat(self._descriptor).st_size
            start = self.position.offset if size >= self.position.offset else 0
            data = os.pread(self._descriptor, size - start, start)
            if self._is_read_only:
                data = data[: data.rfind(b"\n") + 1]
            elif data and not data.endswith(b"\n"):
                # A write was cut short; what comes next must start a line of its own.
                write_all(self._descriptor, b"\n")
                data += b"\n"
        for line in data.splitlines():
            if (note := _read(line)) is not None:
                learn(note)
        self.position = PollLogPosition(self.position.generation, start + len(data))


def _read(line: bytes) -> Note | None:
    try:
        return note_from(loads(line))
    except UNREADABLE:
        return None
