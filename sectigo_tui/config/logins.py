"""The login record that all processes share: rejected credentials, and whose turn it is to send.

::

    DATA/refused.json        a salted, slow fingerprint of each rejected login: no password can be read from it
    DATA/locks/login         held by the one process that tests credentials SCM has not accepted yet
    DATA/locks/ACCOUNT.N     the N-th request in flight of an account, whichever process sends it

An account locks after repeated bad logins, and every process that starts with a rejected password would send one more.
The locks are the kernel's: whoever is killed gives them back.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct

from sectigo_tui.domain.clock import Clock
from sectigo_tui.domain.credentials import VITAL_CALLS, PastRejection
from sectigo_tui.domain.errors import CredentialsRefused, RefusedBefore, ScmFailure, StoreError, Unreachable
from sectigo_tui.domain.ports import Credentials
from sectigo_tui.durable import FileLock, make_private_directory, replace_file

KEPT = 50
"""How many rejected or accepted logins are kept, the newest."""

PATIENCE_SECONDS = 200.0
"""How long to wait for another process: longer than a request may take by default."""

SIDE_CALLS = frozenset(
    {
        "password_status",
        "change_password",
        "custom_fields",
        "organizations",
        "organization_validations",
        "organization_validation",
        "dcv",
        "recheck_dcv",
        "domain_status",
        "report",
        "domain_validations",
        "sync_domain",
        "domains",
        "account_domain",
        "usage",
    }
)
"""Calls whose 401 says nothing of the credentials: the login may lack the privilege."""

_COST, _BLOCK, _LANES, _MEMORY = 2**14, 8, 1, 64 * 2**20
"""scrypt's parameters: some 50 ms and 16 MB for each guess."""


class _Entry(Struct, frozen=True):
    """SCM's last answer to some credentials."""

    fingerprint: str
    at: datetime
    code: int | None
    is_refused: bool


class _Kept(Struct, frozen=True):
    """The file."""

    salt: str
    entries: tuple[_Entry, ...]


class SharedLogins:
    """Admits requests so that one bad password costs one bad login; a `domain.credentials.Logins`.

    Where the data directory cannot be written, everything holds for this process alone.

    Args:
        data_dir: The data directory.
        base_url: The API's address.
        account: Names the account among the locks.
        clock: The time.
        limit: How many requests of the account may be in flight, of all processes together.
        is_poller: Whether this process polls; one that does not sends one request at a time.
    """

    def __init__(
        self,
        data_dir: Path,
        base_url: str,
        account: str,
        clock: Clock,
        *,
        limit: int = 1,
        is_poller: Callable[[], bool] = lambda: False,
    ) -> None:
        self._path = data_dir / "refused.json"
        self._locks = data_dir / "locks"
        self._base_url = base_url
        self._account = account
        self._clock = clock
        self._limit = limit
        self._is_poller = is_poller
        self._proven: Credentials | None = None
        self._insisted: set[Credentials] = set()
        self._unkept: dict[Credentials, PastRejection] = {}
        self._fingerprints: dict[tuple[str, Credentials], str] = {}
        self._checked_at: tuple[int, ...] | None = None

    def rejection_of(self, credentials: Credentials) -> PastRejection | None:
        """Return when SCM rejected exactly these, unless it accepted them since; may take 0.1 s."""
        entry = self._entry(credentials)
        if entry is not None:
            return PastRejection(entry.at, entry.code) if entry.is_refused else None
        return self._unkept.get(credentials)

    def is_accepted(self, credentials: Credentials) -> bool:
        """Return whether SCM has accepted exactly these since it rejected them; may take 0.1 s."""
        entry = self._entry(credentials)
        return entry is not None and not entry.is_refused

    def insist(self, credentials: Credentials) -> None:
        """Allow one test of rejected credentials, at the operator's request."""
        self._insisted.add(credentials)

    @asynccontextmanager
    async def admitted(self, call: str, credentials: Credentials) -> AsyncIterator[Callable[[ScmFailure | None], None]]:
        """Wait for a request's turn.

        Args:
            call: The call by name.
            credentials: What it is sent with.

        Yields:
            What is to be told how it ended; slow when SCM rejected the credentials, so call it in a thread.

        Raises:
            RefusedBefore: SCM has rejected exactly these before; nothing is to be sent.
            Unreachable: Another process is testing credentials, and does not end; nothing may be sent.
        """
        if credentials == self._proven and credentials not in self._insisted:
            await self._check(call, credentials)
            async with self._slot():
                yield lambda failure: self._ended(call, credentials, failure)
            return
        async with self._login(call):
            if credentials not in self._insisted:
                await self._check(call, credentials)
            async with self._slot():
                yield lambda failure: self._ended(call, credentials, failure)

    def _ended(self, call: str, credentials: Credentials, failure: ScmFailure | None) -> None:
        if isinstance(failure, CredentialsRefused):
            is_proven = credentials == self._proven
            if failure.sent and (call in VITAL_CALLS or not (is_proven or call in SIDE_CALLS)):
                self._insisted.discard(credentials)
                self._proven = None if is_proven else self._proven
                self._remember(credentials, failure)
        elif failure is None or failure.code is not None:
            # SCM's own code is an answer to somebody it knows.
            is_insisted = credentials in self._insisted
            if credentials != self._proven or is_insisted:
                self._proven = credentials
                self._insisted.discard(credentials)
                self._unkept.pop(credentials, None)
                self._accept(credentials)

    async def _check(self, call: str, credentials: Credentials) -> None:
        stamp = self._stamp()
        if credentials == self._proven and stamp == self._checked_at:
            return
        rejection = await asyncio.to_thread(self.rejection_of, credentials)
        self._checked_at = stamp
        if rejection is not None:
            raise RefusedBefore(call, rejection.at, rejection.code)

    def _remember(self, credentials: Credentials, failure: CredentialsRefused) -> None:
        self._unkept[credentials] = PastRejection(self._clock.now(), failure.code)
        try:
            self._change(credentials, failure.code, is_refused=True)
        except (OSError, StoreError) as error:
            why = getattr(error, "strerror", None) or error
            failure.reason += f"; other processes do not know it: {self._path} cannot be written ({why})"
        else:
            del self._unkept[credentials]

    def _accept(self, credentials: Credentials) -> None:
        """Record that SCM accepts credentials it rejected before; others need no record."""
        entry = self._entry(credentials)
        if entry is not None and entry.is_refused:
            try:
                self._change(credentials, None, is_refused=False)
            except OSError:
                # Others still do not send them, and say how to insist: nothing is lost.
                return

    def _change(self, credentials: Credentials, code: int | None, *, is_refused: bool) -> None:
        with _locked(self._locks / "refused"):
            kept = self._read() or _Kept(secrets.token_hex(16), ())
            fingerprint = self._fingerprint(kept.salt, credentials)
            entry = _Entry(fingerprint, self._clock.now(), code, is_refused)
            others = [other for other in kept.entries if other.fingerprint != fingerprint]
            document = {
                "salt": kept.salt,
                "logins": [
                    {"fingerprint": e.fingerprint, "at": e.at.isoformat(), "code": e.code, "refused": e.is_refused}
                    for e in [*others, entry][-KEPT:]
                ],
            }
            replace_file(self._path, json.dumps(document, indent=1).encode())

    def _entry(self, credentials: Credentials) -> _Entry | None:
        kept = self._read()
        if kept is None or not kept.entries:
            return None
        fingerprint = self._fingerprint(kept.salt, credentials)
        return next((entry for entry in kept.entries if entry.fingerprint == fingerprint), None)

    def _read(self) -> _Kept | None:
        try:
            document = json.loads(self._path.read_bytes())
            entries = tuple(
                _Entry(
                    str(each["fingerprint"]),
                    datetime.fromisoformat(each["at"]).astimezone(UTC),
                    each["code"] if isinstance(each["code"], int) else None,
                    each["refused"] is True,
                )
                for each in document["logins"]
            )
            return _Kept(bytes.fromhex(document["salt"]).hex(), entries)
        except (OSError, ValueError, KeyError, TypeError):
            # Missing or damaged: no rejection is known, as before the first one.
            return None

    def _fingerprint(self, salt: str, credentials: Credentials) -> str:
        known = self._fingerprints.get((salt, credentials))
        if known is None:
            login = (self._base_url, credentials.customer_uri, credentials.login, credentials.password.reveal())
            known = hashlib.scrypt(
                json.dumps(login).encode(),
                salt=bytes.fromhex(salt),
                n=_COST,
                r=_BLOCK,
                p=_LANES,
                maxmem=_MEMORY,
                dklen=32,
            ).hex()
            self._fingerprints[salt, credentials] = known
        return known

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_ino, found.st_size

    @asynccontextmanager
    async def _login(self, call: str) -> AsyncIterator[None]:
        """Hold the sole right to send credentials that SCM has not accepted yet."""
        async with self._turn((self._locks / "login",)) as is_acquired:
            if not is_acquired:
                raise Unreachable(
                    call,
                    f"another sectigo-tui has been testing its credentials for {PATIENCE_SECONDS:.0f} s: look for a "
                    "stopped one (fg, or kill it)",
                    sent=False,
                )
            yield

    @asynccontextmanager
    async def _slot(self) -> AsyncIterator[None]:
        """Take one of the places in flight; one that waits too long is sent anyway, since the limit is a courtesy."""
        last = self._limit if self._is_poller() else 1
        async with self._turn(tuple(self._locks / f"{self._account}.{n}" for n in reversed(range(last)))):
            yield

    @asynccontextmanager
    async def _turn(self, locks: tuple[Path, ...]) -> AsyncIterator[bool]:
        """Hold one of some locks, and yield whether it is held; where no lock can be made, none is needed."""
        started, wait_seconds = self._clock.monotonic(), 0.005
        lock, can_lock = self._take(locks)
        while lock is None and can_lock and self._clock.monotonic() - started <= PATIENCE_SECONDS:
            await self._clock.sleep(wait_seconds)
            wait_seconds = min(wait_seconds * 1.5, 0.1)
            lock, can_lock = self._take(locks)
        try:
            yield lock is not None or not can_lock
        finally:
            if lock is not None:
                lock.close()

    def _take(self, locks: tuple[Path, ...]) -> tuple[FileLock | None, bool]:
        """Take a lock, and return whether locks exist here: where nothing can be written, no process needs one."""
        try:
            _make_directory(self._locks)
            return _first_free(locks), True
        except OSError:
            return None, False


def _first_free(locks: tuple[Path, ...]) -> FileLock | None:
    """Return the first lock that nobody held, held here now; None where all are held."""
    for path in locks:
        lock = FileLock(path)
        try:
            if lock.try_acquire():
                return lock
        finally:
            if not lock.is_acquired:
                lock.close()
    return None


def _make_directory(locks: Path) -> None:
    """Make the directory of the locks, and the data directory that it is in, for their owner alone."""
    for each in (locks.parent, locks):
        make_private_directory(each)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold a lock that nobody holds for longer than a write takes."""
    _make_directory(path.parent)
    lock = FileLock(path)
    try:
        if not lock.acquire(PATIENCE_SECONDS):
            raise TimeoutError(f"another process has held {path.name} for {PATIENCE_SECONDS:.0f} s")
        yield
    finally:
        lock.close()
