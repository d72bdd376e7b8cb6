"""Files that only their owner reads, that are replaced whole or not at all, and failures an operator can act on."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.ports import StoreDamage
from sectigo_tui.durable import sync_directory

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
        path.mkdir(mode=0o700, parents=True, exist_ok=True)


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
        if path.is_symlink() or path.suffix == ".new" or not (path.is_file() or path.is_dir()):
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
    """Take away what a mode gives to the group and others; return what it was, or None where it gave nothing."""
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


def replace_file(path: Path, chunks: Iterable[bytes], *, durable: bool = True, keep: Path | None = None) -> None:
    """Put new content in place of a file: after a crash at any point, the old or the new one is there, whole.

    Args:
        path: The file.
        chunks: Its new content.
        durable: Whether it must survive a power failure once this returns.
        keep: Where the old one stays as the last good copy.

    Raises:
        StoreError: The disk failed; the old content is still there.
    """
    fresh = path.with_name(path.name + ".new")
    with disk_failures(path, "write"):
        try:
            descriptor = open_private(fresh, os.O_WRONLY | os.O_TRUNC)
            try:
                for chunk in chunks:
                    write_all(descriptor, chunk)
                if durable:
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
            if keep is not None and path.exists():
                _keep_copy(path, keep)
            fresh.replace(path)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise
        if durable:
            sync_directory(path.parent)


def _keep_copy(path: Path, keep: Path) -> None:
    # A second name for the same file, so that there is no moment without `path`.
    link = keep.with_name(keep.name + ".new")
    link.unlink(missing_ok=True)
    try:
        os.link(path, link)
    except PermissionError:
        # A file system without links: for a moment there is the copy alone, which reading falls back on.
        path.replace(keep)
    else:
        link.replace(keep)


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


def remove_unfinished(directory: Path) -> None:
    """Remove what `replace_file` was writing when its process was killed; the caller keeps others from writing now.

    Raises:
        StoreError: The disk failed.
    """
    with disk_failures(directory, "clean up"):
        for path in directory.glob("*.new"):
            if path.is_file() or path.is_symlink():
                path.unlink(missing_ok=True)


class FileLock:
    """The sole right among all processes of a host, given back by the kernel when its holder dies.

    `flock` on a descriptor that stays open: two system calls, where the libraries for it open and close a file and
    look again every 50 ms, which would be most of the time of a durable write.

    Args:
        path: The lock's file; its content means nothing.
        patience_seconds: How long to wait for another process.
    """

    def __init__(self, path: Path, patience_seconds: float = 10.0) -> None:
        self._path = path
        self._patience_seconds = patience_seconds
        self._descriptor = open_private(path, os.O_RDWR)

    def try_acquire(self) -> bool:
        """Take the lock if it is free, and return whether it was taken."""
        with disk_failures(self._path, "lock"):
            try:
                fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    def release(self) -> None:
        """Give the lock back."""
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def __enter__(self) -> None:
        """Take the lock, waiting for another process.

        Raises:
            StoreError: The other process did not give it back in time; it may be stopped (ctrl-z).
        """
        wait_seconds = 0.0005
        deadline = time.monotonic() + self._patience_seconds
        while not self.try_acquire():
            if time.monotonic() > deadline:
                raise StoreError(
                    str(self._path),
                    f"another process has held the lock for {self._patience_seconds:.0f} s",
                    "look for a stopped sectigo-tui (fg, or kill it); the lock frees itself when that ends",
                )
            time.sleep(wait_seconds)
            wait_seconds = min(wait_seconds * 1.5, 0.02)

    def __exit__(self, *_: object) -> None:
        """Give the lock back."""
        self.release()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)


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


class DirectoryLock:
    """The sole right of a directory among all processes of a host, for which nothing has to be written.

    Args:
        path: The directory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    @property
    def is_acquired(self) -> bool:
        """Whether it is held here."""
        return self._descriptor is not None

    def try_acquire(self) -> bool:
        """Take the right if nobody has it, and return whether it is held here now.

        Raises:
            StoreError: The file system cannot lock directories.
        """
        if self._descriptor is not None:
            return True
        with disk_failures(self._path, "lock"):
            descriptor = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                return False
            except OSError:
                os.close(descriptor)
                raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give the right back, if it is held here."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
