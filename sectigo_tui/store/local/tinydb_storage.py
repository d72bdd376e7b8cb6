"""TinyDB's file, written so that it cannot tear and read so that damage shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Any

from tinydb.storages import Storage

from sectigo_tui.store.documents import dumps, loads
from sectigo_tui.store.local.files import disk_failures, replace_file

_SEAL = b'"seal":'
_CHUNK_BYTES = 1 << 18


class DamagedFileError(ValueError):
    """The file is not what was written: cut, changed by something else, or not TinyDB's at all."""


class StreamedTable(Mapping[str, Any]):
    """A table whose documents are parsed one by one as they are asked for, so that they are never all in memory.

    Args:
        content: The file.
        start: Where the table's first line starts: each is `"id":{...}`, with a comma after all but the last.
        end: Where its last line ends.
    """

    def __init__(self, content: bytes, start: int, end: int) -> None:
        self._content = content
        self._start = start
        self._end = end

    def __len__(self) -> int:
        return sum(1 for _ in self._rows())

    def __iter__(self) -> Iterator[str]:
        return (row[1 : row.index(b'"', 1)].decode() for row in self._rows())

    def __getitem__(self, key: str) -> Any:
        for each, document in self.items():
            if each == key:
                return document
        raise KeyError(key)

    def items(self) -> Any:
        """Return pairs of id and document, parsed in turn."""
        for row in self._rows():
            key, _, document = row.partition(b":")
            yield key[1:-1].decode(), loads(document.removesuffix(b","))

    def _rows(self) -> Iterator[bytes]:
        start = self._start
        while start < self._end:
            end = self._content.index(b"\n", start)
            if end > start:
                yield self._content[start:end]
            start = end + 1


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
        """Return the tables, the documents of each parsed as they are asked for; None without a file.

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
        return dict(_tables(content, end))

    def write(self, data: Mapping[str, Mapping[Any, Any]]) -> None:
        """Replace the file.

        Args:
            data: The tables; a document may be an `msgspec.Raw`.

        Raises:
            StoreError: The disk failed; the file is the one that was there.
        """
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


def _tables(content: bytes, seal: int) -> Iterator[tuple[str, StreamedTable]]:
    start = len(b"{")
    while start < seal:
        rows = content.index(b"\n", start) + 1
        end = content.index(b"\n},\n", start) + 1
        yield content[start + 1 : rows - len(b'":{\n')].decode(), StreamedTable(content, rows, end)
        start = end + len(b"},\n")
