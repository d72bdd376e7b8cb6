"""Where this program's files are: flags, then environment, then the platform's (XDG) directories.

Cheap to import: the first frame needs paths long before it needs settings.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from sectigo_tui import durable
from sectigo_tui.domain.errors import ConfigError

APPLICATION = "sectigo-tui"
CONFIG_VARIABLE = "SECTIGO_TUI_CONFIG"
DATA_DIR_VARIABLE = "SECTIGO_TUI_DATA_DIR"

_BELOW_HOME = {"XDG_CONFIG_HOME": ".config", "XDG_DATA_HOME": ".local/share"}
_INSTEAD = {
    "XDG_CONFIG_HOME": ("config", f"set HOME, or name the file with --config or {CONFIG_VARIABLE}"),
    "XDG_DATA_HOME": ("data_dir", f"set HOME, or name a directory with --data-dir or {DATA_DIR_VARIABLE}"),
}


class Paths(Struct, frozen=True):
    """The files of one run.

    Args:
        config_file: The human's `config.toml`, read and never rewritten.
        data_dir: Orders, journal, locks, certificates, keys.
        config_named_by: The flag or variable that named `config_file`; empty for the default place, where
            the file may be missing.
        data_named_by: The same for `data_dir`.
    """

    config_file: Path
    data_dir: Path
    config_named_by: str = ""
    data_named_by: str = ""

    @property
    def credentials_file(self) -> Path:
        """The program's own `credentials.toml`, beside the configuration that it belongs to."""
        return self.config_file.with_name("credentials.toml")

    @property
    def screen_file(self) -> Path:
        """What the screen remembers between runs: view, sort, filter, columns."""
        return self.data_dir / "screen.json"

    def account_dir(self, base_url: str, customer_uri: str) -> Path:
        """Return the directory of one SCM account below the data dir.

        An sslId means something within its account only, so two accounts never share a store. The login is
        no part of it: rotation changes that.

        Args:
            base_url: The API's address; its host and port count.
            customer_uri: The customer URI.
        """
        host = urlsplit(base_url).netloc.lower()
        readable = re.sub(r"[^A-Za-z0-9.-]+", "_", f"{customer_uri}@{host}").strip("._")[:60]
        digest = hashlib.sha256(f"{customer_uri}\n{host}".encode()).hexdigest()[:8]
        return self.data_dir / "accounts" / f"{readable}-{digest}"


def find_paths(
    environ: Mapping[str, str], *, config: str | Path | None = None, data_dir: str | Path | None = None
) -> Paths:
    """Return where the files are; creates and reads nothing.

    Args:
        environ: The process's environment.
        config: The value of `--config`.
        data_dir: The value of `--data-dir`.

    Raises:
        ConfigError: What no flag and no variable gives has no place: there is no home directory, or it is another's.
    """
    config_path, config_named_by = _named(environ, config, "--config", CONFIG_VARIABLE)
    data_path, data_named_by = _named(environ, data_dir, "--data-dir", DATA_DIR_VARIABLE)
    return Paths(
        config_file=config_path or _default_directory(environ, "XDG_CONFIG_HOME") / "config.toml",
        data_dir=data_path or _default_directory(environ, "XDG_DATA_HOME"),
        config_named_by=config_named_by,
        data_named_by=data_named_by,
    )


def make_private_directory(directory: Path, *, named_by: str = "") -> Path:
    """Create a directory that only its owner can enter (0700), and return it; missing parents get the umask's mode.

    A directory that exists keeps its mode: it may be the operator's own. One that others may write to is rejected,
    since orders in it could be replaced: everybody, the group of somebody else's, or whoever else it belongs to.

    Args:
        directory: The directory.
        named_by: The flag or variable that named it, for the error.

    Raises:
        ConfigError: It cannot be created, is no directory, or others may write to it.
    """
    try:
        durable.make_private_directory(directory)
        found = directory.stat()
    except OSError as error:
        raise ConfigError(
            key="data_dir",
            source=named_by or "default",
            reason=f"{directory} cannot be used: {error.strerror}",
            remedy=f"name a directory that you can write to with --data-dir or {DATA_DIR_VARIABLE}",
        ) from error
    reason = _open_to_others(found)
    if reason:
        raise ConfigError(
            key="data_dir",
            source=named_by or "default",
            reason=f"{directory} {reason}",
            remedy=f"chmod 700 {directory}, as its owner, or name another with --data-dir",
        )
    return directory


def check_own_directory(directory: Path, *, named_by: str = "", is_secret: bool = False) -> None:
    """Reject a directory of files made here that others may write to, or that holds secrets and others may enter.

    Args:
        directory: The directory; a missing one passes.
        named_by: The flag or variable that named the one above it, for the error.
        is_secret: Whether it holds private keys.

    Raises:
        ConfigError: Others may.
    """
    try:
        found = directory.stat()
    except OSError:
        return
    reason = _open_to_others(found)
    if not reason and found.st_mode & (0o077 if is_secret else 0o022):
        reason = f"is open to the group or others (mode {found.st_mode & 0o7777:04o})"
    if reason:
        raise ConfigError(
            key="data_dir",
            source=named_by or "default",
            reason=f"{directory} {reason}",
            remedy=f"see what others may have read or put there, then chmod 700 {directory}",
        )


def _open_to_others(found: os.stat_result) -> str:
    if found.st_mode & 0o002:
        return "is writable by everybody"
    if found.st_uid not in (0, os.geteuid()):
        return f"belongs to user id {found.st_uid}, and you are {os.geteuid()}"
    if found.st_uid != os.geteuid() and found.st_mode & 0o020:
        return f"belongs to user id {found.st_uid} and is writable by its group"
    return ""


def for_display(path: Path, environ: Mapping[str, str]) -> str:
    """Return a path as an operator would type it, with `~` for the home directory."""
    home = environ.get("HOME")
    if home and path.is_relative_to(home):
        return str(Path("~") / path.relative_to(home))
    return str(path)


def _named(
    environ: Mapping[str, str], flag_value: str | Path | None, flag: str, variable: str
) -> tuple[Path | None, str]:
    if flag_value:
        return _expanded(flag_value, f"flag {flag}"), f"flag {flag}"
    if from_environment := environ.get(variable):
        return _expanded(from_environment, f"environment {variable}"), f"environment {variable}"
    return None, ""


def _expanded(given: str | Path, named_by: str) -> Path:
    try:
        return Path(given).expanduser().absolute()
    except RuntimeError:
        # What expanduser says where nobody knows the home that a `~` means.
        raise ConfigError(
            key=str(given), source=named_by, reason="has a ~ of nobody's home", remedy="write the whole path"
        ) from None


def _default_directory(environ: Mapping[str, str], variable: str) -> Path:
    base = Path(environ.get(variable, ""))
    if base.is_absolute():
        _check_owner(base, variable)
        return base / APPLICATION
    home = _home(environ, variable)
    _check_owner(home, "HOME")
    if sys.platform != "darwin":
        return home / _BELOW_HOME[variable] / APPLICATION
    import platformdirs

    if variable == "XDG_CONFIG_HOME":
        return platformdirs.user_config_path(APPLICATION)
    return platformdirs.user_data_path(APPLICATION)


def _home(environ: Mapping[str, str], variable: str) -> Path:
    """Return the home directory, by HOME or else as the system knows it.

    Raises:
        ConfigError: Nobody knows it, as of a container's user id.
    """
    home = Path(environ.get("HOME", ""))
    if home.is_absolute():
        return home
    import pwd

    try:
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    except KeyError:
        key, remedy = _INSTEAD[variable]
        raise ConfigError(
            key=key,
            source="default",
            reason=f"HOME is not set, and user id {os.getuid()} has no home directory",
            remedy=remedy,
        ) from None


def _check_owner(directory: Path, named_by: str) -> None:
    """Raise where root would leave files in another user's directory, who could not use them.

    Raises:
        ConfigError: This is root, and the directory is somebody else's.
    """
    if os.geteuid() != 0:
        return
    existing = next((each for each in (directory, *directory.parents) if each.exists()), Path("/"))
    owner = existing.stat().st_uid
    if owner != 0:
        raise ConfigError(
            key=str(existing),
            source=named_by,
            reason=f"belongs to user id {owner}, and you are root: what is made there would be root's",
            remedy="run as its owner, or set HOME to root's (sudo -H), or give --config and --data-dir",
        )
