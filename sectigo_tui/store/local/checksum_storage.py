"""`orders.json` as TinyDB writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tinydb import TinyDB
from tinydb.middlewares import CachingMiddleware
from tinydb.storages import Storage

from sectigo_tui.store.documents import loads
from sectigo_tui.store.local.snapshot import read_checked, write_checked


class ChecksumStorage(Storage):
    """A TinyDB storage: one document a line, under a checksum, replaced whole, with its last good copy beside it.

    Any TinyDB reads the file; one that writes it leaves a wrong checksum, and it is then set aside as damaged, since
    nothing tells a change by hand from a torn write.

    Args:
        path: The file; its copy is beside it, with `.bak` appended.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, Any] | None:
        """Return the tables; None without a file.

        Raises:
            DamagedFileError: The file is not what was written.
            StoreError: The disk failed.
        """
        content = read_checked(self._path)
        return None if content is None else loads(content)

    def write(self, data: Mapping[str, Mapping[Any, Any]]) -> None:
        """Replace the file.

        Raises:
            StoreError: The disk failed; the file is the one that was there.
        """
        write_checked(self._path, data)


def write_tables(path: Path, header: Mapping[str, Any], orders: Iterable[Mapping[str, Any]]) -> None:
    """Replace the file by a header and the documents of all orders.

    Raises:
        StoreError: The disk failed; the file is the one that was there.
    """
    # Everything is written at once, by `close`: a context manager would also write what is half filled.
    database = TinyDB(path, storage=CachingMiddleware(ChecksumStorage))  # type: ignore[no-untyped-call]
    database.drop_tables()
    database.table("store").insert(header)
    database.table("orders").insert_multiple(orders)
    database.close()
