"""What an account has on disk: the directory of its local orders, their store, and texts kept for the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sectigo_tui.config.paths import make_private_directory

if TYPE_CHECKING:
    from pathlib import Path

    from sectigo_tui.config.paths import Paths
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.domain.clock import Clock
    from sectigo_tui.engine.engine import Announcer
    from sectigo_tui.store.journal_store import JournalStore


def account_directory(paths: Paths, base_url: str, customer_uri: str) -> Path:
    """Return the directory of an account's local orders, made if need be.

    Raises:
        ConfigError: It, or the data directory, cannot be used.
    """
    directory = paths.account_dir(base_url, customer_uri)
    for each in (paths.data_dir, directory.parent, directory):
        make_private_directory(each, named_by=paths.data_named_by)
    return directory


def open_store(settings: Settings, clock: Clock, announcer: Announcer | None = None) -> JournalStore:
    """Open the local orders of the account that the settings name.

    Args:
        settings: The settings.
        clock: The time.
        announcer: Hears of trouble with the disk.

    Raises:
        ConfigError: No account is named, or the data directory cannot be used.
        StoreError: The store cannot be opened.
    """
    from sectigo_tui.domain.events import StoreTrouble
    from sectigo_tui.engine.engine import Announcer
    from sectigo_tui.store.journal_store import JournalStore

    account = settings.account()
    directory = account_directory(settings.paths, account.base_url, account.customer_uri)
    announce = announcer or Announcer()
    return JournalStore.open(directory, clock, on_trouble=lambda error: announce(StoreTrouble(clock.now(), error)))


def keep_text(paths: Paths, name: str, text: str) -> str:
    """Keep a text for the operator, such as an escalation pack, and return the file's path.

    Raises:
        InputError: It cannot be written.
    """
    from sectigo_tui.domain.errors import InputError
    from sectigo_tui.durable import replace_file

    path = paths.data_dir / "packs" / name
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "make room, or choose another --data-dir") from error
    return str(path)
