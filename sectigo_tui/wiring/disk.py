"""What an account has on disk: the directory of its local orders, and texts kept for the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sectigo_tui.config.paths import check_own_directory, make_private_directory

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sectigo_tui.config.paths import Paths
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


def keys_without_order(paths: Paths, notify: Callable[[StoreDamage], None]) -> list[Path]:
    """Return the private keys made here that no local order of any account was placed with.

    Args:
        paths: Where the files are.
        tell: Takes what is damaged in the orders' files.

    Raises:
        StoreError: Some orders cannot be read.
    """
    from sectigo_tui.store.local.reading import read_all_orders

    keys = sorted((paths.data_dir / "keys").glob("*.key"))
    if not keys:
        return []
    used = set()
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
