"""The polling lease.

It is one right for the whole directory, not one for each order: on one host whoever polls, polls all of it, and every
other process is granted nothing until that one ends, gives it back, or lets it expire. So each order is polled by one
process only, a take-over is one write, and renewing costs a write every few seconds however many orders there are.

Where nothing can be written (a full disk) the right is held by a lock of the directory, which needs no room: what was
paid for is still polled, and the process that holds the lease so reports that saving fails.
"""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from msgspec import Struct

from sectigo_tui import durable
from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import StoreError
from sectigo_tui.store.documents import UNREADABLE, Actor, actor_from, dumps, loads
from sectigo_tui.store.local.files import FileLock, disk_failures


def this_process(environment: Mapping[str, str] = os.environ) -> Actor:
    """Return who this process is.

    Args:
        environment: Where `SSH_CONNECTION` is looked up.
    """
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = f"uid {os.geteuid()}"
    address = environment.get("SSH_CONNECTION", "").split(" ", 1)[0]
    return Actor(user=user, pid=os.getpid(), tty=_terminal(), ssh=address, host=os.uname().nodename)


def _terminal() -> str:
    for descriptor in (0, 1, 2):
        try:
            return os.ttyname(descriptor).removeprefix("/dev/")
        except OSError:
            continue
    return ""


def birth_of(pid: int) -> str:
    """Return when a process of this host was started, as a text that no other process will ever have.

    Args:
        pid: The process id.

    Returns:
        The boot and the start time after it; empty where the system does not tell or the process has ended.
    """
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # The name in parentheses may hold anything, spaces and parentheses included.
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    state, started = status[0], status[19]
    return "" if state in {"Z", "X"} else f"{boot} {started}"


def is_alive(pid: int, birth: str) -> bool:
    """Return whether the process that was started then still runs on this host.

    Args:
        pid: The process id.
        birth: What `birth_of` returned for it; empty where the system does not tell.
    """
    if birth:
        return birth_of(pid) == birth
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


_RENEW_AFTER_SHARE = 1 / 3


class Holder(Struct, frozen=True):
    """Who has the right.

    Args:
        token: Tells this opening of the store from every other one.
        host: Its host.
        birth: When its process was started, where the system tells.
        by: Its user, process and terminal.
        expires: When the right ends unless it is renewed.
    """

    token: str
    host: str
    birth: str
    by: Actor
    expires: datetime


class Lease:
    """Takes, renews and releases the lease.

    Args:
        path: Its file.
        lock: The store's lock.
        by: Who this is.

    Attributes:
        unsaved: Why the right could not be written down while it is held; None where it was.
    """

    def __init__(self, path: Path, lock: FileLock, by: Actor) -> None:
        self._path = path
        self._lock = lock
        self._unwritten = durable.FileLock(path.parent)
        self._is_elsewhere_unwritten = False
        self.unsaved: StoreError | None = None
        self._by = by
        self._token = os.urandom(8).hex()
        self._host = os.uname().nodename
        self._birth = birth_of(os.getpid())
        self._lease_until: datetime | None = None
        self._other: Holder | None = None

    @property
    def is_acquired(self) -> bool:
        """Whether this process has the right, as far as was last read."""
        return self._lease_until is not None

    def is_fresh(self, now: datetime, seconds: float) -> bool:
        """Return whether the right was taken or renewed so lately that it need not be renewed. Costs nothing.

        Args:
            now: The time of day.
            seconds: How long a renewal would last.
        """
        if self._lease_until is None:
            return False
        return seconds_between(now, self._lease_until) > seconds * (1 - _RENEW_AFTER_SHARE)

    def take(self, now: datetime, seconds: float) -> bool:
        """Take or renew the right.

        Args:
            now: The time of day.
            seconds: How long it lasts from now.

        Returns:
            Whether this process has it.

        Raises:
            StoreError: The disk failed.
        """
        self.unsaved = None
        self.poll(now)
        if self._other is not None:
            return False
        with self._lock:
            self.poll(now)
            if self._other is not None or not self._is_free():
                return False
            until = now + timedelta(seconds=seconds)
            self._write_or_lock(until)
            self._lease_until = until
            return True

    def poll(self, now: datetime) -> None:
        """Read who has the right now.

        Args:
            now: The time of day.

        Raises:
            StoreError: The disk failed.
        """
        holder = self._read()
        ours = holder is not None and holder.token == self._token
        self._other = holder if holder is not None and not ours and self._is_live(holder, now) else None
        if self._other is not None:
            self._is_elsewhere_unwritten = False
            self._unwritten.close()
        if not (ours or self._unwritten.is_acquired):
            self._lease_until = None

    def give_back(self) -> None:
        """Give the right back, if this process has it.

        Raises:
            StoreError: The disk failed.
        """
        if self._lease_until is None:
            return
        self._unwritten.close()
        with self._lock:
            holder = self._read()
            if holder is not None and holder.token == self._token:
                with disk_failures(self._path, "remove"):
                    self._path.unlink(missing_ok=True)
        self._lease_until = None

    def other(self, now: datetime) -> str:
        """Return who else has the right, as far as was last read; empty when it is this process, or nobody.

        Args:
            now: The time of day.
        """
        if self._is_elsewhere_unwritten:
            return "another process, which cannot save"
        if self._other is None or not self._is_live(self._other, now):
            return ""
        by = self._other.by
        place = f" on tty {by.tty}" if by.tty else ""
        host = f" of {self._other.host}" if self._other.host != self._host else ""
        return f"pid {by.pid}{place}{host}"

    def _is_free(self) -> bool:
        """Return whether no other process holds the lease unwritten; if so it is held here, until it can be written."""
        self._is_elsewhere_unwritten = self._lock_directory() is False
        return not self._is_elsewhere_unwritten

    def _write_or_lock(self, until: datetime) -> None:
        try:
            self._write(until)
        except StoreError as error:
            if not self._lock_directory():
                raise
            self.unsaved = error
        else:
            self._unwritten.close()

    def _lock_directory(self) -> bool | None:
        """Hold the right without writing, and return whether it is; None where the file system has no such locks."""
        try:
            if self._unwritten.try_acquire():
                return True
        except OSError:
            return None
        finally:
            if not self._unwritten.is_acquired:
                self._unwritten.close()
        return False

    def _is_live(self, holder: Holder, now: datetime) -> bool:
        if holder.expires <= now:
            return False
        return holder.host != self._host or is_alive(holder.by.pid, holder.birth)

    def _read(self) -> Holder | None:
        with disk_failures(self._path, "read"):
            try:
                document = loads(self._path.read_bytes())
                document["by"] = actor_from(document["by"])
                document["expires"] = datetime.fromisoformat(document["expires"])
                return Holder(**document)
            except (FileNotFoundError, *UNREADABLE):
                return None

    def _write(self, until: datetime) -> None:
        holder = Holder(self._token, self._host, self._birth, self._by, until)
        # Not waited for: after a power failure nobody of before is alive to hold it.
        with disk_failures(self._path, "write"):
            durable.replace_file(self._path, dumps(holder), survives_power_cut=False)
