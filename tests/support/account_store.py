"""The local orders of an account, opened beside the program or in its place."""

from __future__ import annotations

from sectigo_tui.config.settings import Settings
from sectigo_tui.domain.clock import Clock
from sectigo_tui.store.local.journal_store import JournalStore
from sectigo_tui.wiring.settings import account_directory


def open_store(settings: Settings, clock: Clock) -> JournalStore:
    """Open the store of the account that the settings name, where the program has it."""
    account = settings.account()
    return JournalStore.open(account_directory(settings.paths, account.base_url, account.customer_uri), clock)
