"""Files that are whole or absent, whatever is killed when: the standard library alone, for any layer that writes."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def replace_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Put a file's new content in place as a whole, or leave the file as it was.

    A reader, and a start after a power cut, finds either the old content or the new. A symbolic link stays
    one: the file it names is replaced.

    Args:
        path: The file; its directory is made (0700) when missing.
        content: All of its content.
        mode: Its permissions, whatever the umask.

    Raises:
        OSError: It cannot be written; the old content is intact.
    """
    target = path.resolve()
    with _written_beside(target, content, mode) as temporary:
        temporary.replace(target)


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
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
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
def _written_beside(target: Path, content: bytes, mode: int) -> Iterator[Path]:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, temporary = _locked_temporary(target)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            # Locked for as long as it has this name: whoever cleans up leaves it alone.
            yield temporary
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
