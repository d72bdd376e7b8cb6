"""`[ui]` of the configuration, held against the dashboard that it is for: what that would refuse is told before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sectigo_tui.cli.screen_flags import THEMES
from sectigo_tui.config.setting_errors import unknown_name

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings


def check_theme(settings: Settings) -> None:
    """Refuse a theme that there is not.

    Raises:
        ConfigError: There is no such theme.
    """
    theme = settings.ui.theme
    if theme not in THEMES:
        raise unknown_name("ui.theme", settings.sources["ui.theme"].detail, "theme", theme, THEMES)


def check_screen(settings: Settings) -> None:
    """Refuse a theme, or keys, with which the dashboard would not start.

    Raises:
        ConfigError: There is no such theme, action or key, or two actions would have the same key.
    """
    check_theme(settings)
    if settings.ui.keys:
        # What binds keys is the dashboard itself, which nothing else here has to load.
        from sectigo_tui.ui.app import SectigoApp
        from sectigo_tui.ui.keys.keymap import keymap_of

        keymap_of(settings.ui.keys, SectigoApp, named_by=settings.sources["ui.keys"].detail)
