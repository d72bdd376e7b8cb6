"""`sectigo-tui`: the dashboard."""

from __future__ import annotations

import asyncio
import os
import signal
from argparse import Namespace
from collections.abc import Sequence

from sectigo_tui.cli.common import settings_from
from sectigo_tui.config.settings import Settings
from sectigo_tui.ui.app import SectigoApp
from sectigo_tui.ui.glyphs import choose_glyphs
from sectigo_tui.ui.theme import choose_theme
from sectigo_tui.ui.view_model import Surroundings
from sectigo_tui.wiring import opened


def run(options: Namespace) -> int:
    """Show the dashboard until the operator leaves it.

    Raises:
        ConfigError: The settings are wrong, or name no account.
        StoreError: The local orders cannot be opened.
    """
    return show(settings_from(options))


def show(settings: Settings, *, track: Sequence[int] = ()) -> int:
    """Show the dashboard for some settings.

    Args:
        settings: The settings.
        track: sslIds that become local at once.

    Returns:
        The exit code.
    """
    return asyncio.run(_show(settings, track))


async def _show(settings: Settings, track: Sequence[int]) -> int:
    ascii_only = {None: "auto", True: "ascii", False: "unicode"}[settings.ui.ascii]
    async with opened(settings) as engine:
        app = SectigoApp(
            engine,
            Surroundings(
                band=settings.sectigo.environment or "",
                profile=settings.profile or "",
                customer=settings.sectigo.customer_uri or "",
                read_only=settings.sectigo.read_only,
            ),
            glyphs=choose_glyphs(os.environ, ascii_only),
            theme=choose_theme(os.environ, settings.ui.theme),
            refresh_seconds=settings.ui.remote_refresh_seconds,
            track=track,
        )
        for number in (signal.SIGHUP, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, app.exit)
        await app.run_async(mouse=settings.ui.mouse)
        return app.return_code or 0
