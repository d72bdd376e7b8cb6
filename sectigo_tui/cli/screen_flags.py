"""The flags of the dashboard's screen: stronger than `[ui]` of the configuration."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sectigo_tui.presentation.themes import PREFERENCES

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings


def add_screen_flags(parser: argparse.ArgumentParser) -> None:
    """Add `--ascii`, `--theme` and `--no-mouse` to a command that shows the dashboard."""
    group = parser.add_argument_group("screen")
    group.add_argument("--ascii", action="store_true", help="shapes that every font has")
    group.add_argument("--theme", choices=("auto", *PREFERENCES), help="by default what the terminal can show")
    group.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal, to select text with")


def screen_flags_of(options: argparse.Namespace) -> dict[str, object]:
    """Return what the flags of `add_screen_flags` set, by key of the settings.

    Args:
        options: The arguments; a command may lack the flags.
    """
    given = vars(options)
    return {
        "ui.ascii": given.get("ascii") or None,
        "ui.theme": given.get("theme"),
        "ui.mouse": False if given.get("no_mouse") else None,
    }


def check_keys(settings: Settings) -> None:
    """Reject keys with which the dashboard would not start.

    Raises:
        ConfigError: There is no such action or key, or two actions would have the same key.
    """
    if settings.ui.keys:
        # What binds keys is the dashboard itself, which nothing else here has to load.
        from sectigo_tui.ui.app import SectigoApp
        from sectigo_tui.ui.keys.keymap import keymap_of

        keymap_of(settings.ui.keys, SectigoApp, named_by=settings.sources["ui.keys"].detail)
