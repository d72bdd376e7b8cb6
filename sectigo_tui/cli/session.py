"""What subcommands share: their settings, and an open engine.

The engine is loaded where it is opened: commands that only list do not wait for it.
"""

from __future__ import annotations

import resource
import sys
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sectigo_tui.cli.screen_flags import screen_flags_of
from sectigo_tui.domain.errors import ReadOnly, StoreError

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.engine.engine import Engine

_PR_SET_DUMPABLE = 4


def forbid_dumps() -> None:
    """Forbid core dumps and other programs of the same user to copy this process's memory.

    A limit of 0 keeps the kernel from writing a core file. One that is piped to a collector is not bound by it, so
    that on Linux the process is marked as not to be dumped too, which closes it to debuggers other than root's.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        # Where it is rejected there is nothing left to do: the limit holds.
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


def settings_from(options: Namespace) -> Settings:
    """Return the settings of a subcommand, with their secrets; from here on nothing may dump this process's memory.

    Raises:
        ConfigError: Something is wrong with them.
    """
    from sectigo_tui.wiring.settings import settings_of

    forbid_dumps()
    given = vars(options)
    return settings_of(
        config=given.get("config"),
        data_dir=given.get("data_dir"),
        profile=given.get("profile"),
        flags={"read_only": given.get("read_only"), **screen_flags_of(options)},
        debug_log=given.get("debug_log"),
    )


def check_writable(settings: Settings, what: str) -> None:
    """Reject a write in read-only mode, before anything is asked or opened.

    Args:
        settings: The settings.
        what: The write, such as `ordering`.

    Raises:
        ReadOnly: The program is read-only.
    """
    if not settings.sectigo.read_only:
        return
    from sectigo_tui.engine.context import HOW_TO_ARM

    if settings.is_read_only_by_flag:
        raise ReadOnly(what)
    raise ReadOnly(what, f"{HOW_TO_ARM} ({settings.sources['read_only'].detail})")


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
    from sectigo_tui.cli.crash import keep_crash
    from sectigo_tui.cli.terminal import complain
    from sectigo_tui.wiring.engine import opened

    is_done, unsaved = False, None
    try:
        async with opened(settings, keep_crash=keep_crash) as engine:
            yield engine
            is_done, unsaved = True, engine.saving_error
    except StoreError as error:
        if not is_done:
            raise
        unsaved = error
    if unsaved is not None:
        complain(f"warning: not all of it could be saved here: {unsaved}")


@asynccontextmanager
async def session(settings: Settings) -> AsyncIterator[Engine]:
    """Open the engine, and first find out which password works if a change of it was interrupted.

    Args:
        settings: The settings.

    Yields:
        The engine; it does not poll.

    Raises:
        ConfigError: The settings name no account.
        StoreError: The local orders cannot be opened.
        ScmFailure: Which password works could not be learned.
    """
    from sectigo_tui.cli.terminal import complain, complain_of

    async with acting(settings) as engine:
        for reason in engine.orders.damage:
            complain_of(reason)
        settled = await engine.credentials.settle()
        if settled is not None:
            complain(f"a change of the password was interrupted: the {settled.candidate} password works, and is in use")
        yield engine
