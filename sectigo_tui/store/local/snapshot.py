"""`orders.json`: TinyDB's file of all orders, from which opening starts and which the journal can rebuild."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import asdict
from tinydb import TinyDB
from tinydb.table import Table

from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.ports import StoreDamage
from sectigo_tui.store.documents import UNREADABLE, Document, dumps, loads, order_from
from sectigo_tui.store.local.files import aside_name, disk_failures
from sectigo_tui.store.local.journal import MAY_BE_MISSING
from sectigo_tui.store.local.lines import Position
from sectigo_tui.store.local.orders_in_memory import StoredOrder
from sectigo_tui.store.local.poll_log import PollLogPosition
from sectigo_tui.store.local.tinydb_storage import ChecksumStorage, DamagedFileError
from sectigo_tui.store.migrations import SCHEMA_VERSION, migrated, too_new

_SCHEMA = re.compile(rb'"schema":\s*(\d+)')
_HEAD_BYTES = 512


class Header(Struct, frozen=True):
    """Up to where the file holds the journal and the bookkeeping.

    Args:
        schema: The version of the documents.
        journal: The place in the journal.
        looks: The place in the bookkeeping.
    """

    schema: int = SCHEMA_VERSION
    journal: Position = field(default_factory=Position)
    polls: PollLogPosition = field(default_factory=PollLogPosition)


class OrdersTable(Table):
    """TinyDB's table, with two more methods: whatever TinyDB does itself copies every document first."""

    def documents(self) -> Iterator[Document]:
        """Return the documents in turn, each to be used up by whoever gets it."""
        tables = self._storage.read() or {}
        return (document for _, document in tables.get(self.name, {}).items())

    def replace_all(self, header: Header, documents: Iterable[Any]) -> None:
        """Write all orders at once, without holding their documents in memory.

        Args:
            header: Up to where they hold the journal and the bookkeeping.
            documents: A document for each order.
        """
        tables: dict[str, Any] = {"store": {"1": asdict(header)}, self.name: _Numbered(documents)}
        self._storage.write(tables)


class _Numbered(Mapping[str, Any]):
    """Documents under running numbers, since any TinyDB expects numbers, to be gone through once."""

    def __init__(self, documents: Iterable[Any]) -> None:
        self._documents = documents

    def __iter__(self) -> Iterator[str]:
        return (key for key, _ in self.items())

    def __len__(self) -> int:
        return sum(1 for _ in self._documents)

    def __getitem__(self, key: str) -> Any:
        return dict(self.items())[key]

    def items(self) -> Any:
        """Return pairs of number and document."""
        return ((str(number), document) for number, document in enumerate(self._documents, 1))


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
                found, shelves = loaded
                for each in shelves:
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

    def save(self, header: Header, shelves: Iterable[StoredOrder]) -> None:
        """Replace the file; the one before becomes the last good copy.

        Args:
            header: Up to where the orders hold the journal and the bookkeeping.
            shelves: What is kept of each order.

        Raises:
            StoreError: A newer program wrote the file that is there, or the disk failed.
        """
        self._refuse_newer(self.path)
        _orders_in(self.path).replace_all(header, (_document(each) for each in shelves))

    def _loaded(self, path: Path) -> tuple[Header, list[StoredOrder]] | None:
        if not path.exists():
            return None
        self._refuse_newer(path)
        header = self._header_of(path)
        if header is None:
            raise DamagedFileError(str(path))
        return header, [_shelved(document, header.schema) for document in _orders_in(path).documents()]

    def _header_of(self, path: Path) -> Header | None:
        lines = _head(path).split(b"\n")
        if len(lines) < 2 or not lines[1].startswith(b'"1":'):
            return None
        try:
            about = loads(lines[1].removeprefix(b'"1":'))
            return Header(about["schema"], Position(**about["journal"]), PollLogPosition(**about["looks"]))
        except UNREADABLE:
            return None

    def _refuse_newer(self, path: Path) -> None:
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


def _orders_in(path: Path) -> OrdersTable:
    return OrdersTable(TinyDB(path, storage=ChecksumStorage).storage, "orders")


def _head(path: Path) -> bytes:
    with disk_failures(path, "read"):
        try:
            with path.open("rb") as file:
                return file.read(_HEAD_BYTES)
        except FileNotFoundError:
            return b""


def _document(shelved: StoredOrder) -> msgspec.Raw:
    newest_line = b"null" if shelved.newest_line is None else b"%d" % shelved.newest_line
    order = dumps(shelved.order)
    return msgspec.Raw(order[:-1] + b',"newest_line":' + newest_line + b',"looks":[' + shelved.polls + b"]}")


def _shelved(document: dict[str, Any], version: int) -> StoredOrder:
    polls = dumps(document.pop("looks"))[1:-1]
    newest_line = document.pop("newest_line")
    order: Order = order_from(migrated(document, version))
    return StoredOrder(order, newest_line, polls)
