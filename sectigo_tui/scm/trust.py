"""The certificates that TLS trusts where the environment names others than the usual ones."""

from __future__ import annotations

import os
from pathlib import Path

from sectigo_tui.domain.errors import ConfigError

FILE = "SSL_CERT_FILE"
DIRECTORY = "SSL_CERT_DIR"


def check_trust() -> None:
    """Look at what `SSL_CERT_FILE`, or else `SSL_CERT_DIR`, names: TLS itself tells no name, or fails much later.

    Raises:
        ConfigError: It is not there, or cannot be read.
    """
    file, directory = os.environ.get(FILE), os.environ.get(DIRECTORY)
    if file:
        try:
            with Path(file).open("rb"):
                return
        except (OSError, ValueError) as error:
            raise _wrong(FILE, f"{file} cannot be read: {_why(error)}", "a file of trusted CAs (PEM)") from None
    if directory:
        try:
            os.scandir(directory).close()
        except (OSError, ValueError) as error:
            raise _wrong(DIRECTORY, f"{directory} cannot be read: {_why(error)}", "a directory of them") from None


def named() -> str:
    """Return the variable, with its value, that names the trusted certificates; empty where none does."""
    for name in (FILE, DIRECTORY):
        if os.environ.get(name):
            return f"{name}={os.environ[name]}"
    return ""


def _why(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _wrong(variable: str, reason: str, what: str) -> ConfigError:
    return ConfigError(
        key=variable, source="environment", reason=reason, remedy=f"name {what}, set ca_bundle, or unset {variable}"
    )
