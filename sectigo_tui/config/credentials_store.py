"""Rotation's view of credentials.toml: one account's section, off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pydantic import SecretStr

from sectigo_tui.config import credentials as file
from sectigo_tui.config.paths import for_display
from sectigo_tui.config.settings import Settings
from sectigo_tui.domain.clock import Clock
from sectigo_tui.domain.credentials import Candidate, UnprovenPassword
from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.ports import Credentials, SecretText


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
        return f"{for_display(self._path, self._settings.environ)} {file.section_title(self._profile)}"

    def overridden_by(self) -> str:
        """Return what would win over the file at the next start, empty when nothing would."""
        sources = (self._settings.sources[key] for key in ("login", "password"))
        return ", ".join(source.detail for source in sources if source.wins_over_credentials)

    async def kept(self) -> Credentials | None:
        """Return the credentials that the file has now; None when it has no password for this account."""
        entries = await asyncio.to_thread(file.read_credentials, self._path)
        entry = entries.get(self._profile, file.CredentialsEntry())
        if entry.password is None:
            return None
        account = self._settings.account()
        return Credentials(
            customer_uri=account.customer_uri,
            login=entry.login or account.login,
            password=SecretText(entry.password.get_secret_value()),
        )

    async def save(self, credentials: Credentials) -> None:
        """Store tested credentials, and drop an untested password."""
        password = SecretStr(credentials.password.reveal())
        await self._write(
            lambda: file.write_credentials(self._path, self._profile, login=credentials.login, password=password)
        )

    async def unproven(self) -> UnprovenPassword | None:
        """Return the password that was not proven yet, as the file has it now; None when there is none."""
        entries = await asyncio.to_thread(file.read_credentials, self._path)
        pending = entries.get(self._profile, file.CredentialsEntry()).pending
        if pending is None:
            return None
        credentials = Credentials(
            customer_uri=self._settings.account().customer_uri,
            login=pending.login,
            password=SecretText(pending.password.get_secret_value()),
        )
        return UnprovenPassword(credentials, pending.tried, pending.refused)

    async def save_unproven(self, credentials: Credentials) -> None:
        """Store a new password before it is sent, beside the present one."""
        password, made_at = SecretStr(credentials.password.reveal()), self._clock.now()
        await self._write(
            lambda: file.write_pending(
                self._path, self._profile, login=credentials.login, password=password, made_at=made_at
            )
        )

    async def mark_tried(self, candidate: Candidate) -> None:
        """Record, before it is sent, that one of the two is being tested; its earlier result is void."""
        await self._write(lambda: file.mark_tried(self._path, self._profile, candidate))

    async def mark_refused(self, candidate: Candidate) -> None:
        """Record that SCM has rejected one of the two."""
        await self._write(lambda: file.mark_refused(self._path, self._profile, candidate))

    async def promote(self) -> None:
        """Make the unproven password the present one: it was proven."""
        await self._write(lambda: file.promote_pending(self._path, self._profile))

    async def discard(self) -> None:
        """Forget the unproven password: it is not the account's."""
        await self._write(lambda: file.discard_pending(self._path, self._profile))

    async def _write(self, change: Callable[[], None]) -> None:
        try:
            await asyncio.to_thread(change)
        except OSError as error:
            raise StoreError(
                str(self._path),
                f"the credentials cannot be written: {error.strerror or error}",
                "make room, or make its directory writable; the old content is intact",
            ) from error
