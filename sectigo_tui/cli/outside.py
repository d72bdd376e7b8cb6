"""The dashboard's access to the outside: the disk, commands and the terminal's environment."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import quote

from msgspec import Struct

from sectigo_tui.config.settings import SourceKind
from sectigo_tui.domain.errors import ConfigError, InputError
from sectigo_tui.durable import create_file, replace_file
from sectigo_tui.presentation.notifications import Run

if TYPE_CHECKING:
    from sectigo_tui.config.password_command import PasswordCommand
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.ui.outside import Outside

COMMAND_SECONDS = 10.0
"""How long a command may take; it runs for one change after another."""
SHORT_SECRET = 6
_OWN_VARIABLES = "CERTCTL_"
_ORDINARY = frozenset(
    (
        *("HOME", "PATH", "PWD", "USER", "LOGNAME", "SHELL", "TMPDIR", "LANG", "LANGUAGE", "TZ"),
        *("TERM", "TERMINFO", "COLORTERM", "DISPLAY", "WAYLAND_DISPLAY", "TMUX", "STY"),
        *("DBUS_SESSION_BUS_ADDRESS", "SSH_AUTH_SOCK", "LD_LIBRARY_PATH", "PYTHONPATH", "VIRTUAL_ENV"),
    )
)
"""What a password command may name without meaning a secret: a command that is given an event needs it too."""


def outside_of(settings: Settings) -> Outside:
    """Return what the dashboard reaches, for some settings."""
    from sectigo_tui.ui.outside import Outside  # not where only a command is run: `watch` loads nothing of ui/

    return Outside(
        environ=os.environ,
        keeper=LayoutFile(settings.paths.screen_file, settings.profile or ""),
        write_file=write_file,
        run=runner(lambda: [settings]),
        theme=settings.ui.theme,
        recalls_theme=settings.sources["ui.theme"].kind is not SourceKind.FLAG,
        on_event=settings.ui.on_event or (),
        messages=settings.ui.messages,
        keys=settings.ui.keys,
        keys_named_by=settings.sources["ui.keys"].detail,
    )


def runner(complete: Callable[[], Sequence[Settings]]) -> Run:
    """Return what runs a command, for which no secret of some settings is in the environment.

    Args:
        complete: Returns the settings, the newest last; called in another thread before a command is run.
    """

    async def run(arguments: Sequence[str], stdin: bytes) -> str:
        try:
            environ = await asyncio.to_thread(lambda: without_secrets(*complete()))
        except ConfigError as error:
            return str(error)
        return await run_command(arguments, stdin, environ=environ, timeout_seconds=COMMAND_SECONDS)

    return run


def without_secrets(*several: Settings, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment that commands get: without this program's variables, nor any that holds a secret.

    A variable that `password_command` names counts as one: the command makes the password of it.

    Args:
        several: The settings that have been in use.
        environ: The whole environment.
    """
    secrets = {secret for settings in several for secret in _secrets(settings)}
    named = {name for settings in several for name in _named_by_command(settings)}
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(_OWN_VARIABLES)
        and name not in named
        and not any(_holds(value, secret) for secret in secrets)
    }


def _holds(value: str, secret: str) -> bool:
    """Return whether a variable holds a secret, plainly or encoded; a short one only as a whole: many words have it."""
    return value == secret or any(len(form) >= SHORT_SECRET and form in value for form in _forms(secret))


@lru_cache(maxsize=64)
def _forms(secret: str) -> frozenset[str]:
    data = secret.encode("utf-8", "surrogateescape")
    encoded = {base64.b64encode(data), base64.urlsafe_b64encode(data)}
    return frozenset({secret, data.hex(), quote(secret), *(text.decode().rstrip("=") for text in encoded)})


def _secrets(settings: Settings) -> Iterator[str]:
    from sectigo_tui.config.credentials import read_credentials

    outputs = [secret for command in _secret_commands(settings) for secret in command.output]
    own = (settings.sectigo.password, settings.certctl.api_key, *(settings.notify.urls or ()), *outputs)
    # One that another profile, or a rotation by another process, has put there is no less a secret.
    entries = read_credentials(settings.paths.credentials_file).values()
    kept = [
        secret for entry in entries for secret in (entry.password, entry.pending.password if entry.pending else None)
    ]
    for secret in (*own, *kept):
        if secret is not None:
            yield secret.reveal()
    if settings.certctl.url is not None and settings.certctl.api_key_file is not None:
        server = settings.certctl_server()
        if server is not None:
            yield server.api_key.reveal()


def _secret_commands(settings: Settings) -> list[PasswordCommand]:
    return [command for command in (settings.password_command, settings.urls_command) if command is not None]


def _named_by_command(settings: Settings) -> Iterator[str]:
    """Return the variables that a command for a secret names, but for those without which hardly anything runs."""
    for argument in (each for command in _secret_commands(settings) for each in command.arguments):
        for name in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", argument):
            if name not in _ORDINARY and not name.startswith(("LC_", "XDG_")):
                yield name


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


class LayoutFile(Struct, frozen=True):
    """Stores one profile's layout in the file, and leaves the others as they are.

    Args:
        path: The file.
        profile: The profile; empty for none.
    """

    path: Path
    profile: str = ""

    def load(self) -> str:
        """Return this profile's part as JSON; empty where there is none.

        Raises:
            InputError: The file is there, and cannot be used; it is left as it is until something is kept.
        """
        part = self._parts().get(self.profile)
        return "" if part is None else json.dumps(part)

    def save(self, text: str) -> None:
        """Store this profile's layout, as JSON.

        A file that cannot be read as one of these is replaced: nothing in it could be used any more.

        Raises:
            InputError: It cannot be written.
        """
        try:
            parts = self._parts()
        except InputError:
            parts = {}
        parts[self.profile] = json.loads(text)
        try:
            replace_file(self.path, json.dumps({"profiles": parts}, indent=1).encode())
        except OSError as error:
            raise InputError(f"{self.path}: {error.strerror}", "make room, or choose another --data-dir") from error

    def _parts(self) -> dict[str, object]:
        try:
            parts = json.loads(self.path.read_bytes())["profiles"]
            return {str(profile): part for profile, part in parts.items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise InputError(f"{self.path}: {error.strerror}", "make it readable, or remove it") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{self.path} is damaged", "it is written anew when the screen changes") from error


COMPLAINT_CHARACTERS = 160
"""How much of what a command complained about is told."""


async def run_command(
    arguments: Sequence[str], stdin: bytes, *, environ: Mapping[str, str], timeout_seconds: float
) -> str:
    """Run a command that is given something on its standard input.

    It has a session of its own, so it cannot ask the operator anything on the terminal; what it prints is not
    shown.

    Args:
        arguments: The program and its arguments.
        stdin: What it is given.
        environ: Its whole environment.
        timeout_seconds: How long it may take; then it is killed, with all that it has started.

    Returns:
        What went wrong, in words; empty when it ended well. Its arguments are no part of them: they may hold a
        token.
    """
    import tempfile  # not before the first paint

    program = arguments[0]
    with tempfile.TemporaryFile() as complaint:
        try:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=complaint,
                env=dict(environ),
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            return f"{program} cannot be run: {getattr(error, 'strerror', None) or error}"
        try:
            async with asyncio.timeout(timeout_seconds):
                await _feed(process, stdin)
                code = await process.wait()
        except TimeoutError:
            return f"{program} did not end within {timeout_seconds:g} s"
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        return f"{program} ended with exit code {code}{_first_line(complaint)}" if code else ""


async def _feed(process: asyncio.subprocess.Process, stdin: bytes) -> None:
    pipe = process.stdin
    if pipe is None:
        return
    # A command that does not read what it is given has not failed by that.
    with suppress(BrokenPipeError, ConnectionResetError):
        pipe.write(stdin)
        await pipe.drain()
    pipe.close()


def _first_line(complaint: IO[bytes]) -> str:
    complaint.seek(0)
    text = complaint.read(4 * COMPLAINT_CHARACTERS).decode(errors="replace").strip()
    line = "".join(character for character in text.split("\n", 1)[0] if character.isprintable())
    return f": {line[:COMPLAINT_CHARACTERS]}" if line else ""
