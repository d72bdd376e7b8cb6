"""What the dashboard reaches besides the engine: the disk, commands and the terminal's environment."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sectigo_tui.config.plain import PlainSettings, plain_of
from sectigo_tui.config.screen import ScreenFile
from sectigo_tui.config.sources import SourceKind
from sectigo_tui.domain.errors import ConfigError, InputError
from sectigo_tui.durable import create_file, replace_file
from sectigo_tui.ui.outside import Outside

if TYPE_CHECKING:
    from sectigo_tui.config.settings import Settings

COMMAND_SECONDS = 10.0
"""How long a command may take; it is told of one change after another."""
SHORT_SECRET = 6
_OWN_VARIABLES = "CERTCTL_"


def outside_of(settings: Settings) -> Outside:
    """Return what the dashboard reaches, for some settings."""
    return dataclasses.replace(
        plain_outside_of(plain_of(settings), lambda: settings),
        on_event=settings.ui.on_event or (),
        keys=settings.ui.keys,
        keys_named_by=settings.sources["ui.keys"].detail,
        recalls_theme=settings.sources["ui.theme"].kind is not SourceKind.FLAG,
    )


def plain_outside_of(plain: PlainSettings, complete: Callable[[], Settings], *, recalls_theme: bool = True) -> Outside:
    """Return the same for plain settings, which have no command for events and no keys of their own.

    Args:
        plain: The settings.
        complete: Returns all of them, before a command is run; called in another thread.
        recalls_theme: Whether a theme that was chosen live is shown again.
    """

    async def run(arguments: Sequence[str], stdin: bytes) -> str:
        from sectigo_tui.command import run_command

        try:
            environ = await asyncio.to_thread(lambda: without_secrets(complete()))
        except ConfigError as error:
            return str(error)
        return await run_command(arguments, stdin, environ=environ, timeout_seconds=COMMAND_SECONDS)

    return Outside(
        environ=os.environ,
        keeper=ScreenFile(plain.paths.screen_file, plain.profile),
        write_file=write_file,
        run=run,
        theme=plain.theme,
        recalls_theme=recalls_theme,
    )


def without_secrets(settings: Settings, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment that commands get: without this program's variables, nor any that holds a secret."""
    secrets = tuple(_secrets(settings))
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(_OWN_VARIABLES) and not any(_holds(value, secret) for secret in secrets)
    }


def _holds(value: str, secret: str) -> bool:
    """Return whether a variable holds a secret; a short one only as a whole, for it is a part of many words."""
    return secret in value if len(secret) >= SHORT_SECRET else secret == value


def _secrets(settings: Settings) -> Iterator[str]:
    for secret in (settings.sectigo.password, settings.certctl.api_key):
        if secret is not None:
            yield secret.get_secret_value()


def write_file(path: Path, content: bytes, *, replace: bool) -> bool:
    """Write a file that the operator asked for, readable by nobody else.

    Args:
        path: The file; its directory must be there.
        content: All of it.
        replace: Whether a file of this name may be replaced.

    Returns:
        Whether it was written; False when something has this name, and it is untouched.

    Raises:
        InputError: It cannot be written.
    """
    if not path.parent.is_dir():
        raise InputError(f"{path.parent} is no directory", "name one that is there")
    try:
        if replace:
            replace_file(path, content)
        else:
            create_file(path, content)
    except FileExistsError:
        return False
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: {getattr(error, 'strerror', None) or error}", "choose another place") from error
    return True
