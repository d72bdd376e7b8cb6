"""What an account has on disk: the directory of its local orders, and texts kept for the operator."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sectigo_tui.config.paths import make_private_directory

if TYPE_CHECKING:
    from pathlib import Path

    from sectigo_tui.config.paths import Paths


def account_directory(paths: Paths, base_url: str, customer_uri: str) -> Path:
    """Return the directory of an account's local orders, made if need be.

    Raises:
        ConfigError: It, or the data directory, cannot be used.
    """
    directory = paths.account_dir(base_url, customer_uri)
    for each in (paths.data_dir, directory.parent, directory):
        make_private_directory(each, named_by=paths.data_named_by)
    return directory


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
