"""The journal's closed segments: files that nothing is added to, compressed, and read as if all were one.

The open segment is `journal.jsonl`. Once it is large it is closed: renamed to `journal-000001.jsonl`, and compressed to
`journal-000001.jsonl.gz` a little later. A place in the journal counts the bytes of all segments, whether they are
kept, compressed or removed, so closing one moves nothing.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from threading import Lock

from msgspec import Struct

from sectigo_tui.durable import replace_file
from sectigo_tui.store.local.files import disk_failures
from sectigo_tui.store.local.lines import Segment, segment_of

LARGEST_SEGMENT_BYTES = 1024 * 1024
"""A segment this large is closed when `orders.json` is saved next."""

_CLOSED = re.compile(r"journal-(\d{6,12})\.jsonl(\.gz)?")
_BLOCK_BYTES = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS


class Closed(Struct, frozen=True):
    """A segment that nothing is added to.

    Args:
        number: Its number; later ones have larger numbers.
        start: Where it starts in the journal, in bytes.
        path: Its file, compressed or not yet.
    """

    number: int
    start: int
    path: Path


class ClosedSegments:
    """The closed segments of a directory. Methods may be called from any thread, and without the store's lock.

    Args:
        directory: Where they are.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._starts: dict[int, int] = {}
        self._lock = Lock()
        self._newest_read: tuple[int, bytes] = (0, b"")

    def all(self) -> list[Closed]:
        """Return them, oldest first, leaving out what cannot be read at all.

        Raises:
            StoreError: The disk failed.
        """
        found = []
        for number, path in sorted(self._files().items()):
            start = self._start_of(number, path)
            if start is not None:
                found.append(Closed(number, start, path))
        return found

    def content(self, segment: Closed) -> bytes:
        """Return a segment's lines; of a damaged one as many as can be read.

        Raises:
            StoreError: The disk failed.
        """
        with self._lock:
            number, content = self._newest_read
        if number == segment.number:
            return content
        content = b"".join(_content(segment.path))
        content = content[: content.rfind(b"\n") + 1]
        with self._lock:
            self._newest_read = segment.number, content
        return content

    def name(self, number: int) -> Path:
        """Return the file that the open segment becomes; no other has its name."""
        taken = max(self._files(), default=0)
        return self._directory / f"journal-{max(number, taken + 1):06d}.jsonl"

    def compress(self) -> None:
        """Compress what is not compressed yet.

        Raises:
            StoreError: The disk failed; what is not compressed stays as it is.
        """
        for path in self._directory.glob("journal-*.jsonl"):
            if _CLOSED.fullmatch(path.name) is None:
                continue
            squeeze = zlib.compressobj(wbits=_GZIP)
            with disk_failures(path, "read"):
                content = path.read_bytes()
            compressed = path.with_name(path.name + ".gz")
            with disk_failures(compressed, "write"):
                replace_file(compressed, [squeeze.compress(content), squeeze.flush()])
            with disk_failures(path, "remove"):
                path.unlink(missing_ok=True)

    def remove(self, segments: list[Closed]) -> None:
        """Remove segments, oldest first, so that a crash in between leaves no gap.

        Raises:
            StoreError: The disk failed.
        """
        for segment in segments:
            plain = self._directory / f"journal-{segment.number:06d}.jsonl"
            for path in (plain, plain.with_name(plain.name + ".gz")):
                with disk_failures(path, "remove"):
                    path.unlink(missing_ok=True)

    def _files(self) -> dict[int, Path]:
        files: dict[int, Path] = {}
        with disk_failures(self._directory, "read"):
            for path in self._directory.glob("journal-*.jsonl*"):
                named = _CLOSED.fullmatch(path.name)
                # Both are there between compressing and removing; they are the same then.
                if named is not None and (named[2] is None or int(named[1]) not in files):
                    files[int(named[1])] = path
        return files

    def _start_of(self, number: int, path: Path) -> int | None:
        if number not in self._starts:
            start = _head_of(path)
            if start is None:
                return None
            self._starts[number] = start.start
        return self._starts[number]


def _head_of(path: Path) -> Segment | None:
    head = b""
    for block in _content(path):
        head += block
        if b"\n" in head:
            break
    line = head[: head.find(b"\n") + 1]
    return segment_of(line) if line else None


def _content(path: Path) -> Iterator[bytes]:
    """Return a file's content in pieces, up to where it can be read."""
    compressed = path.with_name(path.name.removesuffix(".gz") + ".gz")
    with disk_failures(path, "read"):
        try:
            file = path.open("rb")
        except FileNotFoundError:
            # It was compressed between being listed and being opened.
            file = compressed.open("rb")
        with file:
            unpack = zlib.decompressobj(wbits=_GZIP) if file.name.endswith(".gz") else None
            while block := file.read(_BLOCK_BYTES):
                try:
                    yield block if unpack is None else unpack.decompress(block)
                except zlib.error:
                    return
