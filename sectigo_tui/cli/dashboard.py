"""`sectigo-tui`: the dashboard."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from sectigo_tui.cli.common import settings_from
from sectigo_tui.cli.exit_codes import FINE, ended_by
from sectigo_tui.cli.outside import outside_of
from sectigo_tui.cli.screen_flags import with_screen_flags
from sectigo_tui.config.problems import unknown_name
from sectigo_tui.config.settings import Settings
from sectigo_tui.domain.errors import InputError
from sectigo_tui.ui.app import SectigoApp
from sectigo_tui.ui.first_run import FirstRunApp
from sectigo_tui.ui.flows.flow import Defaults
from sectigo_tui.ui.glyphs import choose_glyphs
from sectigo_tui.ui.steady import SteadyApp
from sectigo_tui.ui.theme import PREFERENCES, ThemeChoice, choose_theme
from sectigo_tui.ui.view_model import Surroundings
from sectigo_tui.wiring import accept_account, keep_text, opened

TERMINAL_CHECK_SECONDS = 1.0

R = TypeVar("R")


def run(options: Namespace) -> int:
    """Show the dashboard until the operator leaves it.

    Raises:
        ConfigError: The settings are wrong, or name no account.
        InputError: There is no terminal to show it on.
        StoreError: The local orders cannot be opened.
    """
    settings = with_screen_flags(settings_from(options), options)
    if settings.unconfigured:
        _check_terminal()
        answered, code = asyncio.run(_first_run(settings))
        if not answered:
            return code
        settings = with_screen_flags(settings_from(options), options)
    return show(settings)


async def _first_run(settings: Settings) -> tuple[bool | None, int]:
    theme = _theme(settings)
    app = FirstRunApp(lambda answers: accept_account(settings, answers), theme)
    return await _run(app, mouse=settings.ui.mouse)


def _check_terminal() -> None:
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InputError("the dashboard needs a terminal", "in scripts use sectigo-tui orders --json")


def show(settings: Settings, *, track: Sequence[int] = ()) -> int:
    """Show the dashboard for some settings.

    Args:
        settings: The settings.
        track: sslIds that become local at once.

    Returns:
        The exit code.

    Raises:
        InputError: There is no terminal to show it on.
    """
    _check_terminal()
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
            theme=_theme(settings),
            refresh_seconds=settings.ui.remote_refresh_seconds,
            defaults=_defaults(settings),
            track=track,
            outside=outside_of(settings),
        )
        _, code = await _run(app, mouse=settings.ui.mouse)
        return code


async def _run(app: SteadyApp[R], *, mouse: bool) -> tuple[R | None, int]:
    """Run an application until the operator leaves it, a signal ends it, or its terminal is gone.

    Returns:
        What it returned, and the exit code.
    """
    for number in (signal.SIGHUP, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, app.exit, None, ended_by(number))
    leaving = asyncio.create_task(_leave_with_the_terminal(app))
    try:
        result = await app.run_async(mouse=mouse)
    finally:
        leaving.cancel()
        with suppress(asyncio.CancelledError):
            await leaving
    if app.defect is not None:
        raise app.defect
    return result, app.return_code or FINE


async def _leave_with_the_terminal(app: SteadyApp[R]) -> None:
    """End the application once its terminal is gone: SIGHUP reaches only the terminal's own session."""
    terminal = select.poll()
    terminal.register(sys.stdin.fileno(), 0)  # no event at all, so what is told is that it hung up
    while not terminal.poll(0):  # noqa: ASYNC110 - no event loop tells that a terminal hung up
        await asyncio.sleep(TERMINAL_CHECK_SECONDS)
    app.exit(None, ended_by(signal.SIGHUP))


def _theme(settings: Settings) -> ThemeChoice:
    theme = settings.ui.theme
    if theme != "auto" and theme not in PREFERENCES:
        raise unknown_name("ui.theme", settings.sources["ui.theme"].detail, "theme", theme, ("auto", *PREFERENCES))
    return choose_theme(os.environ, theme)


def _defaults(settings: Settings) -> Defaults:
    section = settings.sectigo
    return Defaults(
        organization_id=section.org_id,
        profile_id=section.cert_type,
        term_days=section.term,
        key_directory=settings.paths.data_dir / "keys",
        save_directory=Path.cwd(),
        keep=lambda name, text: keep_text(settings, name, text),
    )
