"""Asking a secret manager for the password: without a shell, within a time limit, and without a trace."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from sectigo_tui.domain.errors import ConfigError

TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class PasswordCommand:
    """A command line whose first line of output is the password.

    Args:
        arguments: The program and its arguments.
        source: Where the command was configured, for errors.
        environ: The environment it runs in.
        timeout_seconds: How long it may take; a secret manager may ask the operator something on the terminal.
    """

    arguments: tuple[str, ...] = field(repr=False)
    source: str
    environ: Mapping[str, str] = field(repr=False)
    timeout_seconds: float = TIMEOUT_SECONDS

    def run(self) -> SecretStr:
        """Run it and return the password; blocks, so call it from a thread when a screen is up.

        Raises:
            ConfigError: It cannot be run, takes too long, fails, or prints nothing usable.
        """
        try:
            done = subprocess.run(  # noqa: S603 - the operator's own command, and no shell
                self.arguments,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=dict(self.environ),
                timeout=self.timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise self._error(f"did not answer within {self.timeout_seconds:g} s") from None
        except (OSError, ValueError) as error:
            raise self._error(f"cannot be run: {getattr(error, 'strerror', None) or error}") from None
        first_line = done.stdout.split(b"\n", 1)[0].removesuffix(b"\r")
        if done.returncode != 0:
            raise self._error(f"ended with exit code {done.returncode}{_complaint(done.stderr, first_line)}")
        try:
            password = first_line.decode()
        except UnicodeDecodeError:
            raise self._error("printed something that is not UTF-8") from None
        if not password:
            raise self._error("printed nothing on its first line")
        if not password.isprintable():
            raise self._error("printed control characters on its first line")
        return SecretStr(password)

    def _error(self, problem: str) -> ConfigError:
        # The arguments are not shown: some secret managers take a token there.
        return ConfigError(
            key="password_command",
            source=self.source,
            problem=f"{self.arguments[0]} {problem}",
            remedy="run the command by hand: it must print the password alone on its first line",
        )


def _complaint(stderr: bytes, secret: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines()
    if not lines or (secret and secret in stderr):
        return ""
    printable = "".join(character for character in lines[0] if character.isprintable())
    return f": {printable[:160]}"
