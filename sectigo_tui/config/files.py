"""Reading TOML, with errors for people."""

from __future__ import annotations

import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path

from sectigo_tui.domain.errors import ConfigError

Table = Mapping[str, object]
"""A TOML table as it was read: any value, nothing checked yet."""


def read_toml(path: Path, *, named_by: str = "") -> Table:
    """Return a TOML file's content, empty when the file is missing and nobody named it.

    Args:
        path: The file.
        named_by: The flag or variable that named it; such a file must exist.

    Raises:
        ConfigError: It cannot be read, or is no TOML.
    """
    try:
        return tomllib.loads(path.read_bytes().decode())
    except FileNotFoundError as error:
        if not named_by:
            return {}
        reason, remedy, cause = "does not exist", "write it (sectigo-tui config init), or name another", error
        raise ConfigError(key=str(path), source=named_by, reason=reason, remedy=remedy) from cause
    except OSError as error:
        reason, remedy = f"cannot be read: {error.strerror}", "make it a file that you can read"
        raise ConfigError(key=str(path), source=named_by or "file", reason=reason, remedy=remedy) from error
    except UnicodeDecodeError as error:
        reason, remedy = f"is not UTF-8 at byte {error.start}", "save it as UTF-8"
        raise ConfigError(key=str(path), source=named_by or "file", reason=reason, remedy=remedy) from None
    except tomllib.TOMLDecodeError as error:
        # From None: the decoder's error keeps the whole document, passwords included.
        reason, remedy = f"is no valid TOML: {error}", "correct it there"
        raise ConfigError(key=str(path), source=named_by or "file", reason=reason, remedy=remedy) from None


def check_private(path: Path, what: str) -> None:
    """Refuse a file with secrets that the group or others can get at.

    Args:
        path: The file; a missing one passes.
        what: What is in it, such as `holds a password`.

    Raises:
        ConfigError: Its mode has any bit for the group or others.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return
    if mode & 0o077:
        raise ConfigError(
            key=str(path),
            source=f"mode {mode:04o}",
            reason=f"{what} and is open to the group or others",
            remedy=f"chmod 600 {path}",
        )
