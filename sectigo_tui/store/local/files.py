"""Files that only their owner reads, and failures of the disk that an operator can act on."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sectigo_tui import durable
from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.ports import StoreDamage

_GROUP_AND_OTHERS = 0o077
_WRITABLE = 0o022
_REMEDIES = {
    errno.ENOSPC: "free space on its file system",
    errno.EDQUOT: "free space in your quota",
    errno.EFBIG: "raise the limit of file sizes (ulimit -f)",
    errno.EROFS: "make its file system writable, or choose another directory with --data-dir",
    errno.EACCES: "make it readable and writable for you, or choose another directory with --data-dir",
    errno.EPERM: "make it readable and writable for you, or choose another directory with --data-dir",
    errno.EIO: "check the disk (dmesg names it)",
}

sync_data = getattr(os, "fdatasync", os.fsync)
"""Wait until a file's content is on the disk; macOS has no `fdatasync`."""


@contextmanager
def disk_failures(path: Path, doing: str) -> Iterator[None]:
    """Turn an `OSError` inside the block into a `StoreError`.

    Args:
        path: The file concerned.
        doing: What is tried, such as `write`.

    Raises:
        StoreError: The disk failed.
    """
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "check the disk, then do it again")
        raise StoreError(str(path), f"cannot {doing}: {error.strerror or error}", remedy) from error


def private_directory(path: Path) -> None:
    """Make a directory that only its owner can enter; one of ours with a wider mode is narrowed.

    Raises:
        StoreError: It belongs to somebody else, or cannot be made.
    """
    make_directory(path)
    _narrow(path, 0o700)


def make_directory(path: Path) -> None:
    """Make a directory that only its owner can enter; `narrowed` says what is wrong with one that is there.

    Raises:
        StoreError: It cannot be made.
    """
    with disk_failures(path, "make the directory"):
        durable.make_private_directory(path)


def narrowed(directory: Path) -> list[StoreDamage]:
    """Narrow what in a directory of ours is open to the group or others, itself included, and return what was.

    Raises:
        StoreError: Something in it belongs to somebody else.
    """
    damage = []
    with disk_failures(directory, "read"):
        found = [directory, *sorted(directory.iterdir())]
    for path in found:
        # What is being written, or was when a process was killed, gets its mode or is removed.
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            continue
        try:
            wide = _narrow(path, 0o700 if path.is_dir() else 0o600)
        except StoreError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                # Another process has put it in place meanwhile.
                continue
            raise
        if wide is not None:
            damage.append(
                StoreDamage(
                    what=f"{path.name} was open to the group or others, mode {wide:04o}"
                    + (", and still is" if stat.S_IMODE(path.stat().st_mode) & _GROUP_AND_OTHERS else ""),
                    where=str(path),
                    remedy="see who may have read or changed it; `sectigo-tui audit verify` proves the journal"
                    if wide & _WRITABLE
                    else "see who may have read it",
                )
            )
    return damage


def _narrow(path: Path, mode: int) -> int | None:
    """Remove the rights of the group and others; return the mode before, or None where they had none."""
    with disk_failures(path, "make private"):
        found = path.stat()
        if found.st_uid != os.geteuid():
            raise _belongs_to_another(path, found.st_uid)
        if not found.st_mode & _GROUP_AND_OTHERS:
            return None
        try:
            path.chmod(mode)
        except OSError as error:
            if error.errno != errno.EROFS:
                raise
        return stat.S_IMODE(found.st_mode)


def open_private(path: Path, flags: int) -> int:
    """Open a file, made if need be, that only its owner can read; one of ours with a wider mode is narrowed.

    Args:
        path: The file.
        flags: As for `os.open`; `O_CREAT` is added.

    Returns:
        The descriptor.

    Raises:
        StoreError: It belongs to somebody else, or cannot be opened.
    """
    with disk_failures(path, "open"):
        descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)
        found = os.fstat(descriptor)
        if found.st_uid != os.geteuid():
            os.close(descriptor)
            raise _belongs_to_another(path, found.st_uid)
        if found.st_mode & 0o777 != 0o600:
            os.fchmod(descriptor, 0o600)
        return descriptor


def _belongs_to_another(path: Path, owner: int) -> StoreError:
    return StoreError(
        str(path),
        f"belongs to user id {owner}, and you are {os.geteuid()}",
        "run as its owner, or choose another directory with --data-dir",
    )


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte; a disk that fills up in the middle is an `OSError`, not a short count."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def aside_name(path: Path, why: str) -> Path:
    """Return a free name beside a file for what is wrong with it, such as `orders.json.damaged-20260304T050607Z`.

    The time is when the file was last written.
    """
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    stamp = f"{path.name}.{why}-{written:%Y%m%dT%H%M%SZ}"
    free = path.with_name(stamp)
    number = 1
    while free.exists():
        number += 1
        free = path.with_name(f"{stamp}-{number}")
    return free


class FileLock(durable.FileLock):
    """The store's lock: opened at once, for its owner alone, with failures that an operator can act on.

    Args:
        path: The lock's file; its content means nothing.
        patience_seconds: How long to wait for another process.

    Raises:
        StoreError: It belongs to somebody else, or cannot be opened.
    """

    def __init__(self, path: Path, patience_seconds: float = 10.0) -> None:
        super().__init__(path)
        self._patience_seconds = patience_seconds
        self._descriptor = open_private(path, os.O_RDWR)

    def try_acquire(self) -> bool:
        """Take the lock if it is free, and return whether it was taken."""
        with disk_failures(self.path, "lock"):
            return super().try_acquire()

    def __enter__(self) -> None:
        """Take the lock, waiting for another process.

        Raises:
            StoreError: The other process did not give it back in time; it may be stopped (ctrl-z).
        """
        if not self.acquire(self._patience_seconds):
            raise StoreError(
                str(self.path),
                f"another process has held the lock for {self._patience_seconds:.0f} s",
                "look for a stopped sectigo-tui (fg, or kill it); the lock frees itself when that ends",
            )

    def __exit__(self, *_: object) -> None:
        """Give the lock back."""
        self.release()


_CANNOT_WRITE = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def why_read_only(error: StoreError) -> StoreError | None:
    """Return the failure of every write where a place can only be read; None where a failure is of another kind."""
    cause = error.__cause__
    return error if isinstance(cause, OSError) and cause.errno in _CANNOT_WRITE else None


def open_readable(path: Path) -> int:
    """Open a file for reading alone; what is not there is empty.

    Raises:
        StoreError: It cannot be read.
    """
    with disk_failures(path, "open"):
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


class NoLock(FileLock):
    """What stands for a lock where nothing can be written, and so nobody here writes."""

    def __init__(self) -> None:
        """Hold nothing."""

    def try_acquire(self) -> bool:
        """Return that it was not taken: whoever asks would write."""
        return False

    def release(self) -> None:
        """Give nothing back."""

    def __enter__(self) -> None:
        """Let the caller read."""

    def close(self) -> None:
        """Let go of nothing."""
