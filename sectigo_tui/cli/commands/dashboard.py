"""`sectigo-tui`: the dashboard."""

from __future__ import annotations

import asyncio
import gc
import os
import select
import signal
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec.structs import replace

from sectigo_tui.cli.crash import keep_crash
from sectigo_tui.cli.exit_codes import FINE, ended_by
from sectigo_tui.cli.outside import outside_of
from sectigo_tui.cli.session import settings_from
from sectigo_tui.cli.streams import ClosedStream
from sectigo_tui.collector import give_back_what_is_free, keep_what_is_loaded
from sectigo_tui.domain.errors import InputError, PasswordCommandFailed
from sectigo_tui.presentation.glyphs import choose_glyphs
from sectigo_tui.presentation.themes import choose_theme
from sectigo_tui.ui.app import SectigoApp
from sectigo_tui.ui.content.header import Surroundings
from sectigo_tui.ui.outside import Outside
from sectigo_tui.ui.terminal.terminal_app import TerminalApp
from sectigo_tui.ui.workflows.workflow import Defaults
from sectigo_tui.wiring.engine import prepared
from sectigo_tui.wiring.settings import accept_account, keep_text

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings

TERMINAL_CHECK_SECONDS = 1.0

_NO_SCREENS = ("dumb", "unknown", "emacs")
"""How terminals are called that only print."""

R = TypeVar("R")


def run(options: Namespace) -> int:
    """Show the dashboard until the operator leaves it.

    Raises:
        ConfigError: The settings are wrong, or name no account.
        InputError: There is no terminal to show it on.
        StoreError: The local orders cannot be opened.
    """
    while True:
        profile, code = _until_left(options)
        if profile is None:
            return code
        options = _for_profile(options, profile)


def _until_left(options: Namespace) -> tuple[str | None, int]:
    """Show one profile's dashboard; return the profile to go on with, if any, and the exit code."""
    settings = settings_from(options)
    if settings.unconfigured:
        _check_terminal()
        answered, code = asyncio.run(_first_run(settings))
        if not answered:
            return None, code
        settings = settings_from(options)
    return _shown(settings, _with_profiles(outside_of(settings), options))


def _ask_password(settings: Settings) -> PasswordCommandFailed | None:
    """Ask `password_command`, where one is set, while the terminal is still its own; return how it failed."""
    if settings.password_command is not None:
        try:
            settings.resolve_password(may_prompt=True)
        except PasswordCommandFailed as failure:
            return failure
    return None


def _for_profile(options: Namespace, profile: str) -> Namespace:
    return Namespace(**{**vars(options), "profile": profile or "default"})


def _with_profiles(outside: Outside, options: Namespace) -> Outside:
    def profiles() -> Sequence[str]:
        names = settings_from(options).profiles
        return ("", *names) if names else ()

    def check(profile: str) -> None:
        # A password command is asked when this screen has left the terminal: it may prompt there.
        settings_from(_for_profile(options, profile)).account()

    return replace(outside, profiles=profiles, check_profile=lambda name: asyncio.to_thread(check, name))


async def _first_run(settings: Settings) -> tuple[bool | None, int]:
    from sectigo_tui.ui.first_run import FirstRunApp

    theme = choose_theme(os.environ, settings.ui.theme)
    app = FirstRunApp(lambda answers: accept_account(settings, answers), theme)
    return await _run(app, mouse=_uses_mouse(settings.ui.mouse))


def _uses_mouse(chosen: bool | None) -> bool:
    """Return whether the mouse is used: unless chosen, not in GNU screen, which keeps Esc back while it is."""
    return chosen if chosen is not None else not os.environ.get("STY")


def _check_terminal() -> None:
    is_closed = isinstance(sys.stdout, ClosedStream)
    if is_closed or not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InputError("the dashboard needs a terminal", "in scripts use sectigo-tui orders --json")
    if os.environ.get("TERM", "").startswith(_NO_SCREENS):
        reason = f"the dashboard needs a terminal with a screen, and TERM is {os.environ['TERM']}"
        raise InputError(reason, "set TERM to what the terminal is, or use sectigo-tui orders and watch")


def show(settings: Settings, *, track: Sequence[int] = ()) -> int:
    """Show the dashboard for some settings.

    Args:
        settings: The settings.
        track: sslIds that become local at once.

    Returns:
        The exit code.

    Raises:
        ConfigError: The settings name no account.
        InputError: There is no terminal to show it on.
        StoreError: The local orders cannot be opened.
    """
    _, code = _shown(settings, outside_of(settings), track)
    return code


def _shown(settings: Settings, outside: Outside, track: Sequence[int] = ()) -> tuple[str | None, int]:
    settings.account()
    _check_terminal()
    return asyncio.run(_show(settings, outside, track, unasked=_ask_password(settings)))


async def _show(
    settings: Settings, outside: Outside, track: Sequence[int], *, unasked: PasswordCommandFailed | None
) -> tuple[str | None, int]:
    """Show a profile's dashboard.

    Args:
        settings: The settings.
        outside: What is reached besides the engine.
        track: sslIds that become local at once.
        unasked: How the password command has failed before the screen was up; None where it has not.

    Returns:
        The profile to go on with, if any, and the exit code.
    """
    section, ui = settings.sectigo, settings.ui
    ascii_only = {None: "auto", True: "ascii", False: "unicode"}[ui.ascii]
    # What is loaded until the first paint stays; the collector starts with the engine.
    gc.disable()
    async with prepared(settings, keep_crash=keep_crash) as engine:
        failed = [] if unasked is None else [unasked]

        async def begin() -> None:
            try:
                if failed:
                    raise failed.pop()
                if unasked is not None:
                    engine.health.asking_since = engine.clock.now()
                await engine.connect()
            finally:
                engine.health.asking_since = None
                keep_what_is_loaded()
                give_back_what_is_free()

        app = SectigoApp(
            engine,
            Surroundings(
                band=section.environment or "",
                band_color=section.environment_color,
                profile=settings.profile or "",
                customer=settings.account().customer_uri,
            ),
            glyphs=choose_glyphs(os.environ, ascii_only),
            theme=choose_theme(os.environ, ui.theme),
            refresh_seconds=ui.remote_refresh_seconds,
            defaults=_defaults(settings),
            track=track,
            outside=outside,
            connect=begin,
        )
        return await _run(app, mouse=_uses_mouse(ui.mouse))


async def _run(app: TerminalApp[R], *, mouse: bool) -> tuple[R | None, int]:
    """Run an application until the operator leaves it, a signal ends it, or its terminal is gone.

    Returns:
        What it returned, and the exit code.
    """
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, app.exit, None, ended_by(number))
    leaving = asyncio.create_task(_leave_with_the_terminal(app))
    try:
        result = await app.run_async(mouse=mouse)
    finally:
        leaving.cancel()
        with suppress(asyncio.CancelledError):
            await leaving
    if app.fatal_error is not None:
        raise app.fatal_error
    return result, app.return_code or FINE


async def _leave_with_the_terminal(app: TerminalApp[R]) -> None:
    """End the application once its terminal is gone: SIGHUP reaches only the terminal's own session."""
    terminal = select.poll()
    terminal.register(sys.stdin.fileno(), 0)  # no event at all, so what is told is that it hung up
    while not terminal.poll(0):  # noqa: ASYNC110 - no event loop tells that a terminal hung up
        await asyncio.sleep(TERMINAL_CHECK_SECONDS)
    app.exit(None, ended_by(signal.SIGHUP))


def _defaults(settings: Settings) -> Defaults:
    return Defaults(
        organization_id=settings.sectigo.org_id,
        profile_id=settings.sectigo.cert_type,
        term_days=settings.sectigo.term,
        key_directory=settings.paths.data_dir / "keys",
        save_directory=Path.cwd(),
        keep=lambda name, text: keep_text(settings.paths, name, text),
    )
