"""What subcommands share: the settings that their common flags ask for."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from sectigo_tui.cli.dumps import forbid_dumps
from sectigo_tui.wiring.disk import account_directory
from sectigo_tui.wiring.settings import plain_settings_of, settings_of

if TYPE_CHECKING:
    from sectigo_tui.config.plain import PlainSettings
    from sectigo_tui.config.settings import Settings


def settings_from(options: Namespace) -> Settings:
    """Return the settings of a subcommand, with their secrets; from here on nothing may dump this process's memory.

    Raises:
        ConfigError: Something is wrong with them.
    """
    forbid_dumps()
    given = vars(options)
    return settings_of(
        config=given.get("config"),
        data_dir=given.get("data_dir"),
        profile=given.get("profile"),
        read_only=given.get("read_only", False),
        debug_log=given.get("debug_log"),
    )


def plain_settings_from(options: Namespace) -> PlainSettings | None:
    """Return the settings of a subcommand as far as they are plain; None where the full ones are to be asked."""
    given = vars(options)
    return plain_settings_of(
        config=given.get("config"),
        data_dir=given.get("data_dir"),
        profile=given.get("profile"),
        read_only=given.get("read_only", False),
    )


def store_directory_from(options: Namespace) -> Path:
    """Return the directory of the local orders of a subcommand's account.

    Raises:
        ConfigError: The settings name no account, or the directory cannot be used.
    """
    plain = plain_settings_from(options)
    if plain is not None:
        return account_directory(plain.paths, plain.base_url, plain.customer_uri)
    settings = settings_from(options)
    # Whose orders they are is all that is asked: neither a login nor a password opens them.
    customer_uri = settings.sectigo.customer_uri or settings.account().customer_uri
    return account_directory(settings.paths, settings.sectigo.base_url, customer_uri)
