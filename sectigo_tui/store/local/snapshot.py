"""`orders.json`: TinyDB's file of all orders, from which opening starts and which the journal can rebuild."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct, field
from msgspec.structs import asdict

from sectigo_tui.domain.clock import moment_from
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.ports import StoreDamage
from sectigo_tui.durable import replace_file
from sectigo_tui.store.documents import SCHEMA_VERSION, UNREADABLE, dumps, loads, order_in, too_new
from sectigo_tui.store.local.files import aside_name, disk_failures
from sectigo_tui.store.local.journal import MAY_BE_MISSING
from sectigo_tui.store.local.lines import Position
from sectigo_tui.store.local.poll_log import PollLogPosition
from sectigo_tui.store.orders_in_memory import StoredOrder

_SEAL = b'"seal":'
_CHUNK_BYTES = 1 << 18


class DamagedFileError(ValueError):
    """The file is not what was written: cut, changed by something else, or not TinyDB's at all."""


def read_checked(path: Path) -> bytes | None:
    """Return a file's content, which its checksum proves; None without a file.

    Raises:
        DamagedFileError: The file is not what was written.
        StoreError: The disk failed.
    """
    with disk_failures(path, "read"):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
    end = content.rfind(_SEAL)
    if end < 0 or content[end:] != _seal(sha256(memoryview(content)[:end]).hexdigest()):
        raise DamagedFileError(str(path))
    return content


def write_checked(path: Path, tables: Mapping[str, Mapping[Any, Any]]) -> None:
    """Replace a file by tables, one document a line, under a checksum; the one before is kept beside it as `.bak`.

    Raises:
        StoreError: The disk failed; the file is the one that was there.
    """
    with disk_failures(path, "write"):
        replace_file(path, _in_chunks(_checksummed_lines(tables)), keep=path.with_name(path.name + ".bak"))


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


_Order = TypeVar("_Order")


class _Row(Struct, Generic[_Order]):
    order: _Order
    newest_line: int | None
    polls: msgspec.Raw


class _Tables(Struct, Generic[_Order]):
    orders: dict[str, _Row[_Order]] = {}


# Orders are made of the file in one pass: by way of TinyDB's dictionaries it takes twice as long.
_READ = msgspec.json.Decoder(_Tables[Order], dec_hook=moment_from)
_READ_OLDER = msgspec.json.Decoder(_Tables[msgspec.Raw])


def _stored_orders(content: bytes, version: int) -> list[StoredOrder]:
    if version == SCHEMA_VERSION:
        rows = list(_READ.decode(content).orders.values())
    else:
        older = _READ_OLDER.decode(content).orders.values()
        rows = [_Row(order_in(row.order, version), row.newest_line, row.polls) for row in older]
    return [StoredOrder(row.order, row.newest_line, bytes(row.polls)[1:-1]) for row in rows]


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

    def load(self) -> tuple[Header, list[StoredOrder]]:
        """Read the file, or its copy where it is damaged; a damaged one is set aside, never overwritten.

        Returns:
            From where the journal and the bookkeeping are to be read, and what is kept of each order; their start, and
            nothing, when neither file is readable.

        Raises:
            StoreError: A newer program wrote the file, or the disk failed.
        """
        damaged: list[Path] = []
        found: tuple[Header, list[StoredOrder]] | None = None
        for path in (self.path, self._copy):
            try:
                found = self._loaded(path)
            except (DamagedFileError, *UNREADABLE):
                damaged.append(path)
                continue
            if found is not None:
                break
        for path in damaged:
            self._set_aside(path, has_copy=found is not None)
        return found or (Header(), [])

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
        # Nothing that only reads waits for TinyDB to load.
        from sectigo_tui.store.local.checksum_storage import write_tables

        write_tables(self.path, asdict(header), map(_document, stored_orders))

    def _loaded(self, path: Path) -> tuple[Header, list[StoredOrder]] | None:
        self._check_not_newer(path)
        content = read_checked(path)
        if content is None:
            return None
        header = self._header_of(path)
        if header is None:
            raise DamagedFileError(str(path))
        return header, _stored_orders(content, header.schema)

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


def _document(stored: StoredOrder) -> dict[str, Any]:
    polls = msgspec.Raw(b"[" + stored.polls + b"]")
    return {"order": stored.order, "newest_line": stored.newest_line, "polls": polls}
