"""Files that are whole or absent, whatever is killed when: the standard library alone, for any layer that writes."""

from __future__ import annotations

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
    with _written_beside(path, content, mode) as temporary:
        # Unlike a rename, a link never takes a name that is in use.
        os.link(temporary, path)


def sync_directory(directory: Path) -> None:
    """Make names that were created or renamed in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _written_beside(target: Path, content: bytes, mode: int) -> Iterator[Path]:
    import tempfile  # milliseconds, which whoever only reads does not wait for

    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
        sync_directory(target.parent)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
