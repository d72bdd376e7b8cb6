"""The engine as subcommands open it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sectigo_tui.cli.crash import keep_crash
from sectigo_tui.cli.output import complain, complain_of
from sectigo_tui.config.settings import Settings
from sectigo_tui.config.sources import SourceKind
from sectigo_tui.domain.errors import ReadOnly, StoreError
from sectigo_tui.engine.context import HOW_TO_ARM
from sectigo_tui.engine.engine import Engine
from sectigo_tui.wiring.engine import opened


def check_writable(settings: Settings, what: str) -> None:
    """Refuse what changes something at SCM before anything is asked or opened.

    Args:
        settings: The settings.
        what: The write, such as `ordering`.

    Raises:
        ReadOnly: The program is read-only.
    """
    if not settings.sectigo.read_only:
        return
    source = settings.sources.get("read_only")
    if source is None or source.kind is SourceKind.FLAG:
        raise ReadOnly(what)
    raise ReadOnly(what, f"{HOW_TO_ARM} ({source.detail})")


@asynccontextmanager
async def acting(settings: Settings) -> AsyncIterator[Engine]:
    """Open the engine for a command that acts and ends; what it did is not undone by a disk that fails afterwards.

    Args:
        settings: The settings.

    Yields:
        The engine; it does not poll.

    Raises:
        ConfigError: The settings name no account.
        StoreError: The local orders cannot be opened.
    """
    is_done, unsaved = False, None
    try:
        async with opened(settings, keep_crash=keep_crash) as engine:
            yield engine
            is_done, unsaved = True, engine.context.repository.failing
    except StoreError as error:
        if not is_done:
            raise
        unsaved = error
    if unsaved is not None:
        complain(f"warning: not all of it could be saved here: {unsaved}")


@asynccontextmanager
async def session(settings: Settings) -> AsyncIterator[Engine]:
    """Open the engine, and learn first which password works if a change of it was cut short.

    Args:
        settings: The settings.

    Yields:
        The engine; it does not poll.

    Raises:
        ConfigError: The settings name no account.
        StoreError: The local orders cannot be opened.
        ScmFailure: Which password works could not be learned.
    """
    async with acting(settings) as engine:
        for reason in engine.context.repository.store.damage:
            complain_of(reason)
        settled = await engine.password_change.settle()
        if settled is not None:
            complain(f"a change of the password was cut short: the {settled.candidate} password works, and is in use")
        yield engine
