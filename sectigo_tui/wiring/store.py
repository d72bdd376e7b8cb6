"""The store that the settings name: a directory of one's own, or a team's database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.wiring.settings import account_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from sectigo_tui.config.settings import Settings
    from sectigo_tui.domain.clock import Clock
    from sectigo_tui.domain.orders import Order
    from sectigo_tui.domain.ports import StoreDamage
    from sectigo_tui.store.copy import Contents, Copied, Progress
    from sectigo_tui.store.local.audit import AuditRecord, AuditReport
    from sectigo_tui.store.local.journal_store import JournalStore
    from sectigo_tui.store.postgres.audit import TeamStatus
    from sectigo_tui.store.postgres.team_store import TeamStore

CLOCK_SECONDS = 1.0
"""From how far on the database's clock is gone by: what is less is the network's."""

INSTALL = "pip install 'sectigo-tui[postgres]'"


def check_extra() -> None:
    """Reject a team's database where what speaks with it is not installed.

    Raises:
        ConfigError: It is not.
    """
    from importlib.util import find_spec

    from sectigo_tui.domain.errors import ConfigError

    if find_spec("psycopg") is None:
        reason = "a team's database needs psycopg, which is not installed"
        raise ConfigError(key="store.url", source="[store]", reason=reason, remedy=INSTALL)


def team_url(settings: Settings) -> str | None:
    """Return the address of the team's database, with its password; None where the orders are in a directory.

    Raises:
        ConfigError: `url_command` tells none, or the extra is not installed.
    """
    url = settings.store_url(may_prompt=True)
    if url is None:
        return None
    check_extra()
    return url.reveal()


def account_of(settings: Settings) -> tuple[str, str]:
    """Return whose orders are meant: neither a login nor a password opens them.

    Raises:
        ConfigError: The settings name no account.
    """
    section = settings.sectigo
    return section.base_url, section.customer_uri or settings.account().customer_uri


async def open_store(settings: Settings, clock: Clock) -> JournalStore | TeamStore:
    """Open the store that the settings name.

    Raises:
        ConfigError: The data directory or `[store]` cannot be used.
        StoreError: The orders cannot be opened.
    """
    account = account_of(settings)
    directory = account_directory(settings.paths, *account)
    url = team_url(settings)
    if url is None:
        from sectigo_tui.store.local.journal_store import JournalStore

        return JournalStore.open(directory, clock, retention_days=settings.sectigo.retention_days)
    from sectigo_tui.store.postgres.team_store import TeamStore

    store = await TeamStore.open(url, *account, directory)
    if isinstance(clock, SystemClock) and abs(store.clock_ahead_seconds) > CLOCK_SECONDS:
        # Windows that one host opens are polled by another: all go by the database's clock.
        clock.ahead_seconds = store.clock_ahead_seconds
    return store


def store_team(store: JournalStore | TeamStore) -> TeamStore | None:
    """Return what processes on other hosts are heard through; None where there are none."""
    # Loaded already where there is one; neither store is loaded for the other's sake.
    loaded = sys.modules.get("sectigo_tui.store.postgres.team_store")
    return store if loaded is not None and isinstance(store, loaded.TeamStore) else None


def read_orders(settings: Settings, report: Callable[[StoreDamage], None]) -> list[Order]:
    """Return all orders that are not removed; what is damaged is reported.

    Raises:
        ConfigError: The data directory or `[store]` cannot be used.
        StoreError: They cannot be read.
    """
    url = team_url(settings)
    if url is not None:
        return [order for order in _read_team_orders(settings, url, report) if not order.removed]
    from sectigo_tui.store.local.shared_orders import read_orders

    return read_orders(account_directory(settings.paths, *account_of(settings)), report)


def _read_team_orders(settings: Settings, url: str, report: Callable[[StoreDamage], None]) -> list[Order]:
    import asyncio

    from sectigo_tui.store.postgres.team_store import TeamStore

    account = account_of(settings)

    async def read() -> list[Order]:
        store = await TeamStore.open(url, *account, account_directory(settings.paths, *account), listens=False)
        try:
            for damage in store.damage:
                report(damage)
            return store.all_orders()
        finally:
            await store.let_go()

    return asyncio.run(read())


def orders_with_keys(settings: Settings, report: Callable[[StoreDamage], None]) -> list[Order]:
    """Return the team's orders, removed ones too; none without a team's database.

    Raises:
        ConfigError: `[store]` cannot be used.
        StoreError: They cannot be read.
    """
    url = team_url(settings)
    return [] if url is None else _read_team_orders(settings, url, report)


def records(settings: Settings, since: datetime | None) -> Iterator[AuditRecord]:
    """Return what was done, oldest first.

    Args:
        settings: The settings.
        since: Leave out what happened before.

    Raises:
        ConfigError: The data directory or `[store]` cannot be used.
        StoreError: It cannot be read.
    """
    url = team_url(settings)
    if url is None:
        from sectigo_tui.store.local.audit import records

        yield from records(account_directory(settings.paths, *account_of(settings)), since)
        return
    import asyncio

    from sectigo_tui.store.postgres import audit

    account = account_of(settings)

    async def read() -> list[AuditRecord]:
        return [record async for record in audit.records(url, *account, since)]

    yield from asyncio.run(read())


def verify(settings: Settings) -> tuple[AuditReport, str]:
    """Verify that what was done is recorded as it was written; return what was found, and where.

    Raises:
        ConfigError: The data directory or `[store]` cannot be used.
        StoreError: It cannot be read.
    """
    url = team_url(settings)
    if url is None:
        from sectigo_tui.store.local.audit import verify

        directory = account_directory(settings.paths, *account_of(settings))
        return verify(directory), str(directory / "journal.jsonl")
    import asyncio

    from sectigo_tui.store.postgres import audit
    from sectigo_tui.store.postgres.link import Target

    return asyncio.run(audit.verify(url, *account_of(settings))), f"the timeline in {Target(url).name}"


def status(settings: Settings, clock: Clock) -> TeamStatus:
    """Return what the team's database tells of itself.

    Raises:
        ConfigError: There is none, or it cannot be used.
        StoreError: It cannot be reached.
    """
    import asyncio

    from sectigo_tui.store.postgres import audit

    url = _required_url(settings)
    return asyncio.run(audit.status(url, *account_of(settings), clock.wall(), clock.monotonic))


def _required_url(settings: Settings) -> str:
    from sectigo_tui.domain.errors import ConfigError

    url = team_url(settings)
    if url is None:
        raise ConfigError(
            key="store.url",
            source="not set",
            reason="there is no team's database",
            remedy='write url = "postgresql://..." in [store] (docs/team.md)',
        )
    return url


def prune(settings: Settings, clock: Clock) -> int:
    """Remove what of the record is over its time, and return how many entries that were.

    Raises:
        ConfigError: The data directory or `[store]` cannot be used.
        StoreError: It cannot be removed.
    """
    days = settings.sectigo.retention_days
    url = team_url(settings)
    if url is None:
        from sectigo_tui.store.local.shared_orders import prune

        return prune(account_directory(settings.paths, *account_of(settings)), days, clock.wall())
    import asyncio

    from sectigo_tui.store.postgres import audit

    return asyncio.run(audit.prune(url, *account_of(settings), days, clock.wall()))


def copy(settings: Settings, to: str, progress: Progress) -> Copied:
    """Copy all of the account's orders into another store, and verify that they are there.

    Args:
        settings: The settings, which name the source.
        to: A `postgresql://` address without a password, or a directory.
        progress: Takes how far it is.

    Raises:
        ConfigError: A store cannot be used.
        InputError: The target is the source, or its address has a password.
        StoreError: A store failed, or the target holds something else; the source is as it was.
    """
    import asyncio

    return asyncio.run(_copy(settings, to, progress))


async def _copy(settings: Settings, to: str, progress: Progress) -> Copied:
    from sectigo_tui.domain.errors import InputError, StoreError
    from sectigo_tui.store.copy import Copied, differences, entries_of, left_to_copy

    source, target = _end(settings, team_url(settings)), _end(settings, _checked_target(to))
    if source.place == target.place:
        raise InputError(f"{target.place} is where the orders are already", "name another place with --to")
    had = await source.contents()
    found = await target.contents()
    left = left_to_copy(had, found)
    await target.write(had, left, progress)
    now = await target.contents()
    if wrong := differences(had, now):
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise StoreError(target.place, f"is not what was copied: {wrong[0]}{more}", "copy again into an empty one")
    entries = len(entries_of(had))
    return Copied(len(now.orders), entries, len(had.bundles), entries - len(left))


def _checked_target(to: str) -> str:
    from sectigo_tui.config.sections import StoreSection, settings_in
    from sectigo_tui.domain.errors import InputError

    if not to.startswith(("postgresql:", "postgres:")):
        return to
    check_extra()
    try:
        return str(settings_in(StoreSection)["url"].parsed(to, Path()))
    except ValueError as error:
        raise InputError(f"--to {error}", "write e.g. --to postgresql://scm@db.example.com/sectigo") from error


class _End:
    """One end of a copy: a directory, or a database where `url` is one."""

    def __init__(self, url: str, account: tuple[str, str], directory: Path) -> None:
        self._url = url
        self._account = account
        self._directory = directory

    @property
    def place(self) -> str:
        """Where it is, for a person."""
        if not self._url:
            return str(self._directory)
        from sectigo_tui.store.postgres.link import Target

        return Target(self._url).name

    async def contents(self) -> Contents:
        """Return all that it holds of the account."""
        if self._url:
            from sectigo_tui.store.postgres.copying import contents as contents_of_database

            return await contents_of_database(self._url, *self._account, self._directory)
        from sectigo_tui.store.local.copying import contents

        return contents(self._directory)

    async def write(self, source: Contents, left: Sequence[AuditRecord], progress: Progress) -> None:
        """Write what it does not have of the source."""
        if self._url:
            from sectigo_tui.store.postgres.copying import write as write_to_database

            await write_to_database((self._url, *self._account), self._directory, source, left, progress)
        else:
            from sectigo_tui.store.local.copying import write

            write(self._directory, source, left, progress)


def _end(settings: Settings, place: str | None) -> _End:
    account = account_of(settings)
    own = account_directory(settings.paths, *account)
    if place is None or place.startswith(("postgresql:", "postgres:")):
        return _End(place or "", account, own)
    # A data directory has a directory for each account, also the one that is copied into.
    paths = replace(settings.paths, data_dir=Path(place).expanduser().absolute())
    return _End("", account, account_directory(paths, *account))
