"""What subcommands share: the settings that their common flags ask for."""

from __future__ import annotations

from argparse import Namespace

from sectigo_tui.config.settings import Settings
from sectigo_tui.wiring import settings_of


def settings_from(options: Namespace) -> Settings:
    """Return the settings of a subcommand.

    Raises:
        ConfigError: Something is wrong with them.
    """
    given = vars(options)
    return settings_of(
        config=given.get("config"),
        data_dir=given.get("data_dir"),
        profile=given.get("profile"),
        read_only=given.get("read_only", False),
    )
