"""`orders.json`: TinyDB's file of all orders, from which opening starts and which the journal can rebuild."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import asdict
from tinydb import TinyDB
from tinydb.middlewares import CachingMiddleware
from tinydb.storages import Storage

from sectigo_tui.domain.ports import StoreDamage
from sectigo_tui.durable import replace_file
from sectigo_tui.store.documents import (
    SCHEMA_VERSION,
    UNREADABLE,
    Document,
    dumps,
    loads,
    order_in,
    too_new,
)
from sectigo_tui.store.local.files import aside_name, disk_failures
from sectigo_tui.store.local.journal import MAY_BE_MISSING
from sectigo_tui.store.local.lines import Position
from sectigo_tui.store.local.poll_log import PollLogPosition
from sectigo_tui.store.orders_in_memory import StoredOrder

_SEAL = b'"seal":'
_TABLES = msgspec.json.Decoder(dict[str, dict[str, dict[str, msgspec.Raw]]])
_CHUNK_BYTES = 1 << 18


class DamagedFileError(ValueError):
    """The file is not what was written: cut, changed by something else, or not TinyDB's at all."""


class ChecksumStorage(Storage):
    """A TinyDB storage: one document a line, under a checksum, replaced whole, with its last good copy beside it.

    Any TinyDB reads the file; one that writes it breaks the seal, and it is then set aside as damaged, since nothing
    tells a change by hand from a torn write.

    Args:
        path: The file; its copy is beside it, with `.bak` appended.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._keep = path.with_name(path.name + ".bak")

    def read(self) -> dict[str, Any] | None:
        """Return the tables, each value of a document still as JSON: None without a file.

        An order is read from its JSON in half the time that a dictionary of it takes to make and to convert.

        Raises:
            DamagedFileError: The file is not what was written.
            StoreError: The disk failed.
        """
        with disk_failures(self._path, "read"):
            try:
                content = self._path.read_bytes()
            except FileNotFoundError:
                return None
        end = content.rfind(_SEAL)
        if end < 0 or content[end:] != _seal(sha256(memoryview(content)[:end]).hexdigest()):
            raise DamagedFileError(str(self._path))
        return _TABLES.decode(content)

    def write(self, data: Mapping[str, Mapping[Any, Any]]) -> None:
        """Replace the file.

        Args:
            data: The tables.

        Raises:
            StoreError: The disk failed; the file is the one that was there.
        """
        with disk_failures(self._path, "write"):
            replace_file(self._path, _in_chunks(_checksummed_lines(data)), keep=self._keep)


def _seal(digest: str) -> bytes:
    return _SEAL + dumps({"1": {"sha256": digest}}) + b"}\n"


def _checksummed_lines(data: Mapping[str, Mapping[Any, Any]]) -> Iterator[bytes]:
    digest = sha256()
    for line in chain([b"{"], *(_table_lines(name, table) for name, table in data.items())):
        digest.update(line)
        yield line
    yield _seal(digest.hexdigest())


def _table_lines(name: str, table: Mapping[Any, Any]) -> Iterator[bytes]:
    yield dumps(name) + b":{\n"
    first = True
    for key, document in table.items():
        yield (b"" if first else b",\n") + dumps(str(key)) + b":" + dumps(document)
        first = False
    yield b"\n},\n"


def _in_chunks(lines: Iterator[bytes]) -> Iterator[bytes]:
    waiting: list[bytes] = []
    size = 0
    for line in lines:
        waiting.append(line)
        size += len(line)
        if size > _CHUNK_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    yield b"".join(waiting)


_SCHEMA = re.compile(rb'"schema":\s*(\d+)')
_HEAD_BYTES = 512


class Header(Struct, frozen=True):
    """Up to where the file holds the journal and the bookkeeping.

    Args:
        schema: The version of the documents.
        journal: The place in the journal.
        polls: The place in the bookkeeping.
    """

    schema: int = SCHEMA_VERSION
    journal: Position = field(default_factory=Position)
    polls: PollLogPosition = field(default_factory=PollLogPosition)


class OrdersFile:
    """Reads and replaces `orders.json`, with its last good copy `orders.json.bak`.

    Args:
        directory: Where it is.
        report: Takes what is found wrong with it.
        is_read_only: Whether nothing is changed, also not what is damaged.
    """

    def __init__(self, directory: Path, report: Callable[[StoreDamage], None], *, is_read_only: bool = False) -> None:
        self._is_read_only = is_read_only
        self.path = directory / "orders.json"
        self._copy = directory / "orders.json.bak"
        self._report = report

    def load(self, shelve: Callable[[StoredOrder], None]) -> Header:
        """Read the file, or its copy where it is damaged; a damaged one is set aside, never overwritten.

        Args:
            shelve: Takes what is kept of each order.

        Returns:
            From where the journal and the bookkeeping are to be read; their start when neither file is readable.

        Raises:
            StoreError: A newer program wrote the file, or the disk failed.
        """
        damaged: list[Path] = []
        found: Header | None = None
        for path in (self.path, self._copy):
            try:
                loaded = self._loaded(path)
            except (DamagedFileError, *UNREADABLE):
                damaged.append(path)
                continue
            if loaded is not None:
                found, stored_orders = loaded
                for each in stored_orders:
                    shelve(each)
                break
        for path in damaged:
            self._set_aside(path, has_copy=found is not None)
        return found or Header()

    def header(self) -> Header | None:
        """Return the file's header without reading the orders; None where there is none.

        Raises:
            StoreError: The disk failed.
        """
        return self._header_of(self.path)

    def oldest_generation(self) -> int:
        """Return the oldest bookkeeping file that the file or its copy still needs."""
        headers = (self._header_of(self.path), self._header_of(self._copy))
        return min((header.polls.generation for header in headers if header is not None), default=1)

    def oldest_journal_offset(self) -> int:
        """Return from which place on the file or its copy needs the journal."""
        headers = (self._header_of(self.path), self._header_of(self._copy))
        return min((header.journal.offset for header in headers if header is not None), default=0)

    def save(self, header: Header, stored_orders: Iterable[StoredOrder]) -> None:
        """Replace the file; the one before becomes the last good copy.

        Args:
            header: Up to where the orders hold the journal and the bookkeeping.
            stored_orders: What is kept of each order.

        Raises:
            StoreError: A newer program wrote the file that is there, or the disk failed.
        """
        self._check_not_newer(self.path)
        # Everything is written at once, by `close`: a context manager would also write what is half filled.
        database = TinyDB(self.path, storage=CachingMiddleware(ChecksumStorage))  # type: ignore[no-untyped-call]
        database.drop_tables()
        database.table("store").insert(asdict(header))
        database.table("orders").insert_multiple(_document(each) for each in stored_orders)
        database.close()

    def _loaded(self, path: Path) -> tuple[Header, list[StoredOrder]] | None:
        if not path.exists():
            return None
        self._check_not_newer(path)
        header = self._header_of(path)
        if header is None:
            raise DamagedFileError(str(path))
        return header, [
            _stored(document, header.schema) for document in TinyDB(path, storage=ChecksumStorage).table("orders")
        ]

    def _header_of(self, path: Path) -> Header | None:
        lines = _head(path).split(b"\n")
        if len(lines) < 2 or not lines[1].startswith(b'"1":'):
            return None
        try:
            about = loads(lines[1].removeprefix(b'"1":'))
            return Header(about["schema"], Position(**about["journal"]), PollLogPosition(**about["polls"]))
        except UNREADABLE:
            return None

    def _check_not_newer(self, path: Path) -> None:
        found = _SCHEMA.search(_head(path))
        if found and int(found[1]) > SCHEMA_VERSION:
            raise too_new(str(path), int(found[1]))

    def _set_aside(self, path: Path, *, has_copy: bool) -> None:
        aside = path
        if not self._is_read_only:
            with disk_failures(path, "set aside"):
                aside = aside_name(path, "damaged")
                path.rename(aside)
        self._report(
            StoreDamage(
                what=f"{path.name} was damaged, or changed by something else than this program",
                where=str(aside),
                remedy="nothing to do: the orders were read from its copy and the journal"
                if has_copy
                else f"the orders were read from the journal alone; if that was cut too, {MAY_BE_MISSING}",
            )
        )


def _head(path: Path) -> bytes:
    with disk_failures(path, "read"):
        try:
            with path.open("rb") as file:
                return file.read(_HEAD_BYTES)
        except FileNotFoundError:
            return b""


def _document(stored: StoredOrder) -> Document:
    polls = msgspec.Raw(b"[" + stored.polls + b"]")
    return {"order": stored.order, "newest_line": stored.newest_line, "polls": polls}


def _stored(document: Document, version: int) -> StoredOrder:
    order = order_in(document["order"], version)
    return StoredOrder(order, loads(document["newest_line"]), bytes(document["polls"])[1:-1])
