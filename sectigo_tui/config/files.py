"""Reading TOML, and saying what is wrong with it: a line for each fault, and never the value of a secret."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Iterable, Mapping, Sequence
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
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError as error:
        check_links(path, named_by or "file")
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


def check_links(path: Path, named_by: str) -> None:
    """Reject a path that leads through a symbolic link to nothing, as of a file system that is not mounted.

    Raises:
        ConfigError: It does; the link is named.
    """
    for each in (path, *path.parents):
        if each.is_symlink() and not each.exists():
            raise ConfigError(
                key=str(each),
                source=named_by,
                reason=f"is a symbolic link to {each.readlink()}, which does not exist",
                remedy="make what it names, or remove the link",
            )


def check_private(path: Path, what: str) -> None:
    """Reject a file with secrets that the group or others can get at.

    Args:
        path: The file; a missing one passes.
        what: What is in it, such as `holds a password`.

    Raises:
        ConfigError: Its mode has any bit for the group or others.
    """
    try:
        found = path.stat()
    except OSError:
        return
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        remedy = f"chmod 600 {path}"
        if found.st_uid != os.geteuid():
            # It may be readable by its group alone, and chmod is its owner's.
            remedy = (
                f"it belongs to user id {found.st_uid}: take the secret out of it (password_command, api_key_file, or"
                f" the environment), or have its owner run: chown {os.geteuid()} {path} && chmod 600 {path}"
            )
        raise ConfigError(
            key=str(path),
            source=f"mode {mode:04o}",
            reason=f"{what} and is open to the group or others",
            remedy=remedy,
        )


class ConfigErrors(ConfigError):
    """Several settings are wrong; `str()` has a line for each, the fields are those of the first.

    Args:
        errors: At least one.
    """

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        first = errors[0]
        super().__init__(key=first.key, source=first.source, reason=first.reason, remedy=first.remedy)
        self.errors = tuple(errors)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)


def raise_all(errors: Sequence[ConfigError]) -> None:
    """Raise the only error, or all of them as one; return when there is none.

    Raises:
        ConfigError: There is at least one.
    """
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ConfigErrors(errors)


def unknown_name(key: str, source: str, what: str, name: str, known: Iterable[str]) -> ConfigError:
    """Return the error for a name that does not exist, with the nearest one that does.

    Args:
        key: The key to report.
        source: Where the name was written.
        what: What kind of name it is, such as `key`.
        name: The name as written.
        known: The names that exist.
    """
    import difflib

    names = sorted(known)
    near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    if near:
        remedy = f"did you mean {near[0]}?"
    elif names:
        remedy = f"known: {', '.join(names)}"
    else:
        remedy = "there are none"
    return ConfigError(key=key, source=source, reason=f"no such {what}", remedy=remedy)
