"""`credentials.toml`: what rotation and the first run write, for the program alone.

::

    [sectigo]                  # used when no profile is named, and by profiles without a login of their own
    login = "api-user"
    password = "..."

    [sectigo.pending]          # a password on its way to SCM, not proven yet
    login = "api-user"
    password = "..."
    made_at = 2026-05-05T03:12:00Z
    tried = ["pending"]        # which of the two was sent since, so that each is sent once at most
    refused = ["pending"]      # which of these SCM has rejected

    [profile.staging]          # the same for a profile with a login of its own
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.config.files import Table, check_private, read_toml, unknown_name
from sectigo_tui.config.paths import for_display
from sectigo_tui.domain.clock import Clock
from sectigo_tui.domain.credentials import Candidate, UnprovenPassword
from sectigo_tui.domain.errors import ConfigError, StoreError
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.durable import FileLock, make_private_directory, replace_file

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings

_LOCK_TIMEOUT_SECONDS = 10.0


class PendingCredentials(Struct, frozen=True):
    """Credentials that may or may not have reached SCM.

    Args:
        login: The login they are for.
        password: The new password.
        made_at: When they were written here, before being sent.
        tried: Which of the two were sent to SCM since, to learn which works.
        refused: Which of these SCM has rejected.
    """

    login: str
    password: SecretText
    made_at: datetime
    tried: frozenset[Candidate] = frozenset()
    refused: frozenset[Candidate] = frozenset()


class CredentialsEntry(Struct, frozen=True):
    """One section of the file; unset fields leave it to `config.toml`."""

    login: str | None = None
    password: SecretText | None = None
    pending: PendingCredentials | None = None


def section_title(profile: str | None) -> str:
    """Return the TOML header of a profile's section; None is the one for no profile."""
    return "[sectigo]" if profile is None else f"[profile.{profile}]"


def read_credentials(path: Path) -> Mapping[str | None, CredentialsEntry]:
    """Return the file's sections by profile (None: no profile), none when it is missing.

    Raises:
        ConfigError: It is open to others, cannot be read, or holds what it should not.
    """
    check_private(path, "holds passwords")
    document = read_toml(path)
    entries: dict[str | None, CredentialsEntry] = {}
    for name, value in document.items():
        table = _table(path, f"[{name}]", value)
        if name == "sectigo":
            entries[None] = _entry(path, section_title(None), table)
        elif name == "profile":
            for profile, section in table.items():
                title = section_title(profile)
                entries[profile] = _entry(path, title, _table(path, title, section))
        else:
            raise unknown_name(f"[{name}]", str(path), "section", name, ["sectigo", "profile"])
    return entries


def write_credentials(path: Path, profile: str | None, *, login: str, password: SecretText) -> None:
    """Store tested credentials, and drop the profile's pending change. Other profiles are kept.

    Args:
        path: The file.
        profile: The section, as `Settings.credentials_profile` names it.
        login: The login.
        password: The password.

    Raises:
        ConfigError: The present file cannot be used, or another process holds it.
        OSError: It cannot be written; the old content is intact.
    """
    _update(path, profile, lambda _: CredentialsEntry(login=login, password=password))


def write_pending(path: Path, profile: str | None, *, login: str, password: SecretText, made_at: datetime) -> None:
    """Store credentials before they are sent, marked unproven, beside the current ones.

    Args:
        path: The file.
        profile: The section.
        login: The login they are for.
        password: The new password.
        made_at: Now, aware.

    Raises:
        ConfigError: The present file cannot be used, or another process holds it, or an earlier change of
            this section is not settled yet: overwriting it could lose the only working password.
        OSError: It cannot be written; the old content is intact.
    """

    def add(entry: CredentialsEntry) -> CredentialsEntry:
        if entry.pending is not None:
            raise ConfigError(
                key="pending",
                source=f"{path} {section_title(profile)}",
                reason="an earlier password change is not settled",
                remedy="let `sectigo-tui rotate` find out which password works first",
            )
        return replace(entry, pending=PendingCredentials(login, password, made_at))

    _update(path, profile, add)


def mark_tried(path: Path, profile: str | None, candidate: Candidate) -> None:
    """Record, before it is sent, that one of the two candidates is being tested; its earlier result is void.

    Raises:
        ConfigError: The present file cannot be used, or another process holds it.
        OSError: It cannot be written; the old content is intact.
    """

    def mark(pending: PendingCredentials) -> PendingCredentials:
        return replace(pending, tried=pending.tried | {candidate}, refused=pending.refused - {candidate})

    _update(path, profile, lambda entry: replace(entry, pending=entry.pending and mark(entry.pending)))


def mark_refused(path: Path, profile: str | None, candidate: Candidate) -> None:
    """Record that SCM has rejected one of the two candidates.

    Raises:
        ConfigError: The present file cannot be used, or another process holds it.
        OSError: It cannot be written; the old content is intact.
    """

    def mark(pending: PendingCredentials) -> PendingCredentials:
        return replace(pending, refused=pending.refused | {candidate})

    _update(path, profile, lambda entry: replace(entry, pending=entry.pending and mark(entry.pending)))


def promote_pending(path: Path, profile: str | None) -> None:
    """Make the pending credentials the current ones, as they were proven; without any, nothing changes.

    Raises:
        ConfigError: The present file cannot be used, or another process holds it.
        OSError: It cannot be written; the old content is intact.
    """
    _update(
        path,
        profile,
        lambda entry: (
            entry
            if entry.pending is None
            else CredentialsEntry(login=entry.pending.login, password=entry.pending.password)
        ),
    )


def discard_pending(path: Path, profile: str | None) -> None:
    """Forget the pending credentials, as the current ones were proven.

    Raises:
        ConfigError: The present file cannot be used, or another process holds it.
        OSError: It cannot be written; the old content is intact.
    """
    _update(path, profile, lambda entry: replace(entry, pending=None))


def _update(path: Path, profile: str | None, change: Callable[[CredentialsEntry], CredentialsEntry]) -> None:
    with _locked(path):
        entries = dict(read_credentials(path))
        entries[profile] = change(entries.get(profile, CredentialsEntry()))
        replace_file(path, _serialize(entries))


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    make_private_directory(path.parent)
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        if not lock.acquire(_LOCK_TIMEOUT_SECONDS):
            raise ConfigError(
                key=str(path),
                source="file",
                reason=f"another process held it for {_LOCK_TIMEOUT_SECONDS:g} s",
                remedy="end the other sectigo-tui, then do it again",
            )
        yield
    finally:
        lock.close()


def _serialize(entries: Mapping[str | None, CredentialsEntry]) -> bytes:
    import tomli_w

    document: dict[str, object] = {}
    if None in entries:
        document["sectigo"] = _as_table(entries[None])
    profiles = {profile: _as_table(entry) for profile, entry in entries.items() if profile is not None}
    if profiles:
        document["profile"] = profiles
    note = "# Written by sectigo-tui, as a whole. Yours is config.toml.\n\n"
    return (note + tomli_w.dumps(document)).encode()


def _as_table(entry: CredentialsEntry) -> dict[str, object]:
    table: dict[str, object] = {}
    if entry.login is not None:
        table["login"] = entry.login
    if entry.password is not None:
        table["password"] = entry.password.reveal()
    if entry.pending is not None:
        table["pending"] = {
            "login": entry.pending.login,
            "password": entry.pending.password.reveal(),
            "made_at": entry.pending.made_at,
            "tried": sorted(entry.pending.tried),
            "refused": sorted(entry.pending.refused),
        }
    return table


def _entry(path: Path, title: str, table: Table) -> CredentialsEntry:
    for key in table:
        if key not in ("login", "password", "pending"):
            raise unknown_name(key, f"{path} {title}", "key", key, ["login", "password"])
    pending = table.get("pending")
    return CredentialsEntry(
        login=None if "login" not in table else _text(path, title, table, "login"),
        password=None if "password" not in table else SecretText(_text(path, title, table, "password")),
        pending=None if pending is None else _pending(path, title, pending),
    )


def _pending(path: Path, title: str, value: object) -> PendingCredentials:
    title = f"{title[:-1]}.pending]"
    table = _table(path, title, value)
    made_at, tried, refused = table.get("made_at"), table.get("tried", []), table.get("refused", [])
    if not isinstance(made_at, datetime) or not isinstance(tried, list) or not isinstance(refused, list):
        raise _damaged(path, title, "has no date, or a wrong list of attempts")
    return PendingCredentials(
        login=_text(path, title, table, "login"),
        password=SecretText(_text(path, title, table, "password")),
        made_at=made_at if made_at.tzinfo else made_at.replace(tzinfo=UTC),
        tried=frozenset(candidate for candidate in Candidate if candidate in tried),
        refused=frozenset(candidate for candidate in Candidate if candidate in refused),
    )


def _text(path: Path, title: str, table: Table, key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise ConfigError(
            key=key, source=f"{path} {title}", reason="is no text, or empty", remedy=f'write {key} = "..."'
        )
    return value


def _table(path: Path, title: str, value: object) -> Table:
    if not isinstance(value, dict):
        raise _damaged(path, title, "is no section")
    return value


def _damaged(path: Path, title: str, reason: str) -> ConfigError:
    return ConfigError(
        key=title,
        source=str(path),
        reason=reason,
        remedy="correct it, or move the file away and give the credentials again with `sectigo-tui rotate`",
    )


class CredentialsFile:
    """Stores one account's credentials in credentials.toml; a `CredentialsKeeper`.

    Args:
        settings: The settings in force: which file, which section, and what would win over it.
        clock: For when a new password was made.
    """

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._path = settings.paths.credentials_file
        self._profile = settings.credentials_profile

    @property
    def place(self) -> str:
        """The file and its section."""
        return f"{for_display(self._path, self._settings.environ)} {section_title(self._profile)}"

    def overridden_by(self) -> str:
        """Return what would win over the file at the next start, empty when nothing would."""
        sources = (self._settings.sources[key] for key in ("login", "password"))
        return ", ".join(source.detail for source in sources if source.wins_over_credentials)

    async def kept(self) -> Credentials | None:
        """Return the credentials that the file has now; None when it has no password for this account."""
        from asyncio import to_thread

        entries = await to_thread(read_credentials, self._path)
        entry = entries.get(self._profile, CredentialsEntry())
        if entry.password is None:
            return None
        account = self._settings.account()
        return Credentials(
            customer_uri=account.customer_uri,
            login=entry.login or account.login,
            password=entry.password,
        )

    async def save(self, credentials: Credentials) -> None:
        """Store tested credentials, and drop an untested password."""
        login, password = credentials.login, credentials.password
        await self._write(lambda: write_credentials(self._path, self._profile, login=login, password=password))

    async def unproven(self) -> UnprovenPassword | None:
        """Return the password that was not proven yet, as the file has it now; None when there is none."""
        from asyncio import to_thread

        entries = await to_thread(read_credentials, self._path)
        pending = entries.get(self._profile, CredentialsEntry()).pending
        if pending is None:
            return None
        credentials = Credentials(
            customer_uri=self._settings.account().customer_uri,
            login=pending.login,
            password=pending.password,
        )
        return UnprovenPassword(credentials, pending.tried, pending.refused)

    async def save_unproven(self, credentials: Credentials) -> None:
        """Store a new password before it is sent, beside the present one."""
        password, made_at = credentials.password, self._clock.now()
        await self._write(
            lambda: write_pending(
                self._path, self._profile, login=credentials.login, password=password, made_at=made_at
            )
        )

    async def mark_tried(self, candidate: Candidate) -> None:
        """Record, before it is sent, that one of the two is being tested; its earlier result is void."""
        await self._write(lambda: mark_tried(self._path, self._profile, candidate))

    async def mark_refused(self, candidate: Candidate) -> None:
        """Record that SCM has rejected one of the two."""
        await self._write(lambda: mark_refused(self._path, self._profile, candidate))

    async def promote(self) -> None:
        """Make the unproven password the present one: it was proven."""
        await self._write(lambda: promote_pending(self._path, self._profile))

    async def discard(self) -> None:
        """Forget the unproven password: it is not the account's."""
        await self._write(lambda: discard_pending(self._path, self._profile))

    async def _write(self, change: Callable[[], None]) -> None:
        from asyncio import to_thread

        try:
            await to_thread(change)
        except OSError as error:
            raise StoreError(
                str(self._path),
                f"the credentials cannot be written: {error.strerror or error}",
                "make room, or make its directory writable; the old content is intact",
            ) from error
