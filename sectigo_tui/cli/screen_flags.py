"""The flags of the dashboard's screen: stronger than `[ui]` of the configuration."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING, TypedDict

from msgspec.structs import replace

from sectigo_tui.config.setting_errors import unknown_name
from sectigo_tui.presentation.themes import PREFERENCES

if TYPE_CHECKING:
    from sectigo_tui.config.plain import PlainSettings
    from sectigo_tui.config.settings import Settings

_FLAGS = {"ascii": "--ascii", "theme": "--theme", "mouse": "--no-mouse"}
THEMES = ("auto", *PREFERENCES)


def add_screen_flags(parser: argparse.ArgumentParser) -> None:
    """Add `--ascii`, `--theme` and `--no-mouse` to a command that shows the dashboard."""
    group = parser.add_argument_group("screen")
    group.add_argument("--ascii", action="store_true", help="shapes that every font has")
    group.add_argument("--theme", choices=THEMES, help="by default what the terminal can show")
    group.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal, to select text with")


def with_screen_flags(settings: Settings, options: argparse.Namespace) -> Settings:
    """Return settings as the flags of `add_screen_flags` change them.

    Args:
        settings: The settings.
        options: The arguments; a command may lack the flags.
    """
    from sectigo_tui.config.sources import Source, SourceKind

    changes = _changes(options)
    flags = {f"ui.{key}": Source(SourceKind.FLAG, f"flag {_FLAGS[key]}", str(value)) for key, value in changes.items()}
    return dataclasses.replace(
        settings, ui=settings.ui.model_copy(update=changes), sources={**settings.sources, **flags}
    )


def plain_with_screen_flags(plain: PlainSettings, options: argparse.Namespace) -> PlainSettings:
    """Return plain settings as the same flags change them."""
    return replace(plain, **_changes(options))


class _Changes(TypedDict, total=False):
    ascii: bool
    theme: str
    mouse: bool


def _changes(options: argparse.Namespace) -> _Changes:
    given = vars(options)
    changes: _Changes = {}
    if given.get("ascii"):
        changes["ascii"] = True
    if given.get("theme"):
        changes["theme"] = given["theme"]
    if given.get("no_mouse"):
        changes["mouse"] = False
    return changes


def check_theme(settings: Settings) -> None:
    """Reject an unknown theme.

    Raises:
        ConfigError: There is no such theme.
    """
    theme = settings.ui.theme
    if theme not in THEMES:
        raise unknown_name("ui.theme", settings.sources["ui.theme"].detail, "theme", theme, THEMES)


def check_screen(settings: Settings) -> None:
    """Reject a theme, or keys, with which the dashboard would not start.

    Raises:
        ConfigError: There is no such theme, action or key, or two actions would have the same key.
    """
    check_theme(settings)
    if settings.ui.keys:
        # What binds keys is the dashboard itself, which nothing else here has to load.
        from sectigo_tui.ui.app import SectigoApp
        from sectigo_tui.ui.keys.keymap import keymap_of

        keymap_of(settings.ui.keys, SectigoApp, named_by=settings.sources["ui.keys"].detail)
