"""What notifications were sent about, kept in an account's directory, so that no fact is told twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sectigo_tui import durable
from sectigo_tui.domain.errors import StoreError

PATIENCE_SECONDS = 10.0
_FILE = "notified.json"


class Notified(msgspec.Struct, frozen=True):
    """What the file holds.

    Args:
        sent: Keys of facts that a notification was sent about.
        sending: Those of them whose notification was under way; its outcome is unknown after a kill.
    """

    sent: frozenset[str] = frozenset()
    sending: frozenset[str] = frozenset()


class NotifiedFile:
    """Facts by key, shared by the processes of this host.

    Args:
        directory: The account's directory.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / _FILE
        self._lock = durable.FileLock(directory / "notified.lock")

    @property
    def is_new(self) -> bool:
        """Whether no process has ever kept anything here."""
        return not self._path.exists()

    def read(self) -> Notified:
        """Return what is known.

        Raises:
            StoreError: It cannot be read.
        """
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=Notified)
        except FileNotFoundError:
            return Notified()
        except (OSError, msgspec.MsgspecError) as error:
            raise self._error(getattr(error, "strerror", None) or str(error)) from error

    def left_over(self) -> frozenset[str]:
        """Return the facts that a killed process was sending about, and count them as sent from now on.

        Raises:
            StoreError: The file cannot be read or written.
        """
        return self._change(lambda known: Notified(known.sent)).sending

    def begin(self, keys: Iterable[str]) -> frozenset[str]:
        """Mark facts as being sent, and return those that no process has sent yet.

        Args:
            keys: The facts.

        Raises:
            StoreError: The file cannot be read or written.
        """
        wanted = frozenset(keys)
        before = self._change(
            lambda known: Notified(known.sent | wanted, known.sending | (wanted - known.sent)), creates=True
        )
        return wanted - before.sent

    def end(self, keys: Iterable[str], *, is_sent: bool) -> None:
        """Mark facts as sent, or as not sent.

        Args:
            keys: What `begin` returned.
            is_sent: Whether any service took the notification.

        Raises:
            StoreError: The file cannot be read or written.
        """
        done = frozenset(keys)
        self._change(lambda known: Notified(known.sent if is_sent else known.sent - done, known.sending - done))

    def forget(self, keys: Iterable[str]) -> None:
        """Forget facts that hold no more: if they come again, that is new.

        Raises:
            StoreError: The file cannot be read or written.
        """
        gone = frozenset(keys)
        self._change(lambda known: Notified(known.sent - gone, known.sending - gone))

    def replace(self, notified: Notified) -> None:
        """Take what another host has kept, which was the last to send.

        Raises:
            StoreError: The file cannot be written.
        """
        self._change(lambda _known: notified)

    def close(self) -> None:
        """Let go of the lock's file."""
        self._lock.close()

    def _change(self, change: Callable[[Notified], Notified], *, creates: bool = False) -> Notified:
        """Change what is kept, under a lock, and return what was kept before."""
        with self._locked():
            known = self.read()
            changed = change(known)
            if changed != known or (creates and self.is_new):
                self._write(changed)
            return known

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._acquire()
        try:
            yield
        finally:
            self._lock.release()

    def _acquire(self) -> None:
        try:
            is_acquired = self._lock.acquire(PATIENCE_SECONDS)
        except OSError as error:
            raise self._error(error.strerror or str(error)) from error
        if not is_acquired:
            raise self._error("another process keeps it locked")

    def _write(self, notified: Notified) -> None:
        try:
            durable.replace_file(self._path, msgspec.json.encode(notified, order="deterministic"))
        except OSError as error:
            raise self._error(error.strerror or str(error)) from error

    def _error(self, reason: str) -> StoreError:
        return StoreError(str(self._path), reason, "make it readable and writable")
