"""Files that are whole or absent whatever is killed when, and locks: the standard library alone, for any layer."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def replace_file(
    path: Path,
    content: bytes | Iterable[bytes],
    *,
    mode: int = 0o600,
    survives_power_cut: bool = True,
    keep: Path | None = None,
) -> None:
    """Put a file's new content in place as a whole, or leave the file as it was.

    A reader, and a start after a power cut, finds either the old content or the new. A symbolic link stays
    one: the file it names is replaced.

    Args:
        path: The file; its directory is made (0700) when missing.
        content: All of its content, at once or in parts.
        mode: Its permissions, whatever the umask.
        survives_power_cut: Whether the new content is waited for until it is on the disk.
        keep: Where the old file stays as the last good copy; `path` is then replaced itself if it is a link. Whoever
            calls `remove_leftovers` meanwhile may make this fail.

    Raises:
        OSError: It cannot be written; the old content is intact.
    """
    target = path.resolve() if keep is None else path
    with _written_beside(target, content, mode, is_synced=survives_power_cut) as temporary:
        if keep is not None and path.exists():
            _keep_copy(path, keep, temporary.suffix)
        temporary.replace(target)


def _keep_copy(path: Path, keep: Path, ending: str) -> None:
    # A second name for the same file, so that there is no moment without `path`.
    link = keep.with_name(f".{keep.name}{ending}")
    try:
        os.link(path, link)
    except PermissionError:
        # A file system without links: for a moment there is the copy alone.
        path.replace(keep)
        return
    try:
        link.replace(keep)
    except OSError:
        link.unlink(missing_ok=True)
        raise


def create_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Create a file that must not exist, as a whole.

    Args:
        path: The file; its directory is made (0700) when missing.
        content: All of its content.
        mode: Its permissions, whatever the umask.

    Raises:
        FileExistsError: Something has this name, even a dangling link; it is untouched.
        OSError: It cannot be written.
    """
    if _created_unnamed(path, content, mode):
        return
    with _written_beside(path, content, mode) as temporary:
        # Unlike a rename, a link never takes a name that is in use.
        os.link(temporary, path)


def _created_unnamed(path: Path, content: bytes, mode: int) -> bool:
    """Create a file that has no name until it is whole, so that a kill leaves nothing; False where that cannot be."""
    make_private_directory(path.parent)
    unnamed = getattr(os, "O_TMPFILE", 0)
    if not unnamed or not _DESCRIPTORS.is_dir():
        return False
    try:
        descriptor = os.open(path.parent, unnamed | os.O_WRONLY | os.O_CLOEXEC, mode)
    except OSError as error:
        if error.errno in _NO_UNNAMED_FILES:
            return False
        raise
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            # Only with a directory's descriptor does Python follow the link to the file that has no name.
            os.link(_DESCRIPTORS / str(file.fileno()), path, src_dir_fd=directory, follow_symlinks=True)
            os.fsync(directory)
        except OSError as error:
            if error.errno in _NO_UNNAMED_FILES:
                return False
            raise
        finally:
            os.close(directory)
    return True


_DESCRIPTORS = Path("/proc/self/fd")
_NO_UNNAMED_FILES = frozenset(
    {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.EPERM, errno.EXDEV, errno.ENOSYS}
)


def make_private_directory(directory: Path) -> None:
    """Make a directory that only its owner can enter (0700), and its parents by the umask; one that is there stays.

    Raises:
        OSError: It cannot be made, or is no directory.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def sync_directory(directory: Path) -> None:
    """Make names that were created or renamed in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(directory: Path, *names: str) -> list[Path]:
    """Remove what a process that was killed while it wrote left beside files: copies of what may be secret.

    What another process is writing now is not touched: it holds a lock on it.

    Args:
        directory: Where they are.
        names: Of which files; of any where none is named.

    Returns:
        Those that could not be removed.
    """
    stubborn = []
    for path in leftovers(directory, *names):
        try:
            _remove_unless_written(path)
        except FileNotFoundError:
            continue
        except OSError:
            # Named by whoever asks: nothing can be done about it here, on a read-only file system for one.
            stubborn.append(path)
    return stubborn


def leftovers(directory: Path, *names: str) -> list[Path]:
    """Return the temporary files that writing files of a directory has left or is writing now.

    Args:
        directory: Where they are.
        names: Of which files; of any where none is named.
    """
    try:
        entries = sorted(path.name for path in directory.iterdir())
    except OSError:
        return []
    found = []
    for entry in entries:
        name, _, ending = entry.removeprefix(".").rpartition(".")
        is_temporary = (
            entry.startswith(".") and name and len(ending) == _RANDOM_CHARACTERS and _RANDOM.issuperset(ending)
        )
        # A hidden copy with a date is somebody's own.
        if is_temporary and not ending.isdecimal() and (not names or name in names):
            path = directory / entry
            if path.is_file() and not path.is_symlink() and path.stat().st_uid == os.geteuid():
                found.append(path)
    return found


def _remove_unless_written(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    except BlockingIOError:
        return
    finally:
        os.close(descriptor)


_RANDOM = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")
_RANDOM_CHARACTERS = 8
"""How `tempfile` makes its names."""


@contextmanager
def _written_beside(
    target: Path, content: bytes | Iterable[bytes], mode: int, *, is_synced: bool = True
) -> Iterator[Path]:
    make_private_directory(target.parent)
    descriptor, temporary = _locked_temporary(target)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.writelines((content,) if isinstance(content, bytes) else content)
            file.flush()
            if is_synced:
                os.fsync(file.fileno())
            # Locked for as long as it has this name: whoever cleans up leaves it alone.
            yield temporary
        if is_synced:
            sync_directory(target.parent)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def _locked_temporary(target: Path) -> tuple[int, Path]:
    import tempfile  # milliseconds, which whoever only reads does not wait for

    while True:
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if os.fstat(descriptor).st_nlink:
                return descriptor, Path(name)
        except OSError:
            # A file system without locks: nobody can take it for a leftover there either.
            return descriptor, Path(name)
        # Cleaned up between being made and being locked.
        os.close(descriptor)


class FileLock:
    """The sole right among all processes of a host, given back by the kernel when its holder dies.

    `flock` on a descriptor that stays open: two system calls, where the libraries for it open and close a file and
    look again every 50 ms, which would be most of the time of a durable write.

    Args:
        path: The lock's file, made when missing, whose content means nothing; or a directory, for which nothing has
            to be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None
        self.is_acquired = False
        """Whether it is held here."""

    def open(self) -> int:
        """Open the file, which `try_acquire` does otherwise, and return its descriptor.

        Raises:
            OSError: It cannot be opened.
        """
        if self._descriptor is None:
            flags = os.O_RDONLY if self.path.is_dir() else os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
            self._descriptor = os.open(self.path, flags | os.O_CLOEXEC, 0o600)
        return self._descriptor

    def try_acquire(self) -> bool:
        """Take the lock if nobody has it, and return whether it is held here now.

        Raises:
            OSError: The file system has no such locks, or the file cannot be opened.
        """
        try:
            fcntl.flock(self.open(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.is_acquired = False
        else:
            self.is_acquired = True
        return self.is_acquired

    def acquire(self, patience_seconds: float) -> bool:
        """Take the lock, waiting for another process, and return whether it gave it back in time.

        Raises:
            OSError: As for `try_acquire`.
        """
        wait_seconds = 0.0005
        deadline = time.monotonic() + patience_seconds
        while not self.try_acquire():
            if time.monotonic() > deadline:
                return False
            time.sleep(wait_seconds)
            wait_seconds = min(wait_seconds * 1.5, 0.02)
        return True

    def release(self) -> None:
        """Give the lock back, if it is held here."""
        if self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
        self.is_acquired = False

    def close(self) -> None:
        """Let go of the file, and of the lock with it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        self.is_acquired = False
