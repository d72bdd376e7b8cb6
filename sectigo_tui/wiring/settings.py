"""Flags, environment and files put together as settings."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sectigo_tui.config.load import load_settings
from sectigo_tui.config.paths import check_own_directory, find_paths, make_private_directory
from sectigo_tui.wiring.clients import debug_log_of, logins_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from sectigo_tui.config.paths import Paths
    from sectigo_tui.config.settings import Settings
    from sectigo_tui.domain.orders import Order
    from sectigo_tui.domain.ports import StoreDamage


def account_directory(paths: Paths, base_url: str, customer_uri: str) -> Path:
    """Return the directory of an account's local orders, made if need be.

    Raises:
        ConfigError: It, or the data directory, cannot be used.
    """
    directory = paths.account_dir(base_url, customer_uri)
    for each in (paths.data_dir, directory.parent, directory):
        make_private_directory(each, named_by=paths.data_named_by)
    for name in ("keys", "packs", "crashes"):
        check_own_directory(paths.data_dir / name, named_by=paths.data_named_by, is_secret=name == "keys")
    remove_leftovers(paths)
    return directory


def remove_leftovers(paths: Paths) -> list[Path]:
    """Remove copies of secrets, and of other files, that a kill left while they were written.

    Args:
        paths: Where the files are.

    Returns:
        Those that could not be removed.
    """
    from sectigo_tui import durable

    stubborn = []
    for directory in (paths.data_dir / name for name in ("keys", "packs", "crashes")):
        stubborn += durable.remove_leftovers(directory)
    for file in (paths.credentials_file, paths.config_file, paths.screen_file):
        # A link stays one when its file is written: what was written is beside that file.
        for each in {file, file.resolve()}:
            stubborn += durable.remove_leftovers(each.parent, each.name)
    return stubborn


def keys_without_order(
    paths: Paths, notify: Callable[[StoreDamage], None], team_orders: Callable[[], Iterable[Order]] = tuple
) -> list[Path]:
    """Return the private keys made here that no local order of any account was placed with.

    Args:
        paths: Where the files are.
        notify: Takes what is damaged in the orders' files.
        team_orders: Returns the orders of a team's database; asked only where there are keys.

    Raises:
        StoreError: Some orders cannot be read.
    """
    from sectigo_tui.store.local.shared_orders import read_all_orders

    keys = sorted((paths.data_dir / "keys").glob("*.key"))
    if not keys:
        return []
    used = {_resolved(order.key_path) for order in team_orders() if order.key_path}
    for directory in sorted((paths.data_dir / "accounts").glob("*/")):
        used |= {_resolved(order.key_path) for order in read_all_orders(directory, notify) if order.key_path}
    return [key for key in keys if key.resolve() not in used]


def _resolved(path: str) -> Path:
    from pathlib import Path

    return Path(path).expanduser().resolve()


def keep_text(paths: Paths, name: str, text: str) -> str:
    """Keep a text for the operator, such as an escalation pack, and return the file's path.

    Raises:
        InputError: It cannot be written there.
        NoRoom: The disk is full, or failed.
    """
    from sectigo_tui.domain.errors import unwritable
    from sectigo_tui.durable import replace_file

    path = paths.data_dir / "packs" / name
    try:
        replace_file(path, text.encode())
    except OSError as error:
        raise unwritable(path, error, "choose another --data-dir") from error
    return str(path)


def settings_of(
    *,
    config: Path | None = None,
    data_dir: Path | None = None,
    profile: str | None = None,
    flags: Mapping[str, object] | None = None,
    debug_log: Path | None = None,
    environ: Mapping[str, str] = os.environ,
) -> Settings:
    """Return the settings that flags, environment and files make together.

    Args:
        config: `--config`.
        data_dir: `--data-dir`.
        profile: `--profile`.
        flags: The other flags by the key that each sets: `read_only`, `ui.theme`...
        debug_log: `--debug-log`.
        environ: The process's environment.

    Raises:
        ConfigError: Something is wrong with them.
    """
    paths = find_paths(environ, config=config, data_dir=data_dir)
    return load_settings(paths, environ, profile=profile, flags=flags, debug_log=debug_log)


async def accept_account(settings: Settings, answers: Mapping[str, str]) -> str:
    """Try a first run's answers with one request, then write config.toml and credentials.toml.

    Args:
        settings: The settings so far: where the files go.
        answers: Text by key of `[sectigo]`; the password is among it.

    Returns:
        Where they were written.

    Raises:
        ConfigError: An answer is wrong, or a file is there already.
        ScmFailure: SCM rejected them, or could not be reached; nothing was written.
        StoreError: A file could not be written.
    """
    from sectigo_tui.config.credentials import write_credentials
    from sectigo_tui.config.save import check_answers, write_first_config
    from sectigo_tui.domain.clock import SystemClock
    from sectigo_tui.domain.errors import StoreError
    from sectigo_tui.domain.ports import Credentials, SecretText
    from sectigo_tui.scm.client import ScmClient

    section = check_answers(answers)
    credentials = Credentials(section.customer_uri or "", section.login or "", section.password or SecretText(""))
    clock = SystemClock()
    log = debug_log_of(settings, section.base_url, clock)
    logins = logins_of(settings, section.base_url, credentials.customer_uri, clock)
    client = ScmClient(section.base_url, credentials, clock, ca_bundle=section.ca_bundle, log=log, logins=logins)
    try:
        await client.types()
    finally:
        await client.aclose()
    paths = settings.paths
    try:
        write_first_config(paths.config_file, section)
        if section.password is not None:
            write_credentials(paths.credentials_file, None, login=section.login or "", password=section.password)
    except OSError as error:
        raise StoreError(str(paths.config_file), error.strerror or str(error), "make room, or name another") from error
    return str(paths.config_file)
