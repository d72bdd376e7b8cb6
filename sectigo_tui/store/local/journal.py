"""The journal's files: appended durably, read on from a place, and walked backwards for a timeline.

The open segment is `journal.jsonl`. Once it is large it is closed: renamed to `journal-000001.jsonl`, and compressed to
`journal-000001.jsonl.gz` a little later. A place in the journal counts the bytes of all segments, whether they are
kept, compressed or removed, so closing one moves nothing.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from threading import Lock

from msgspec import Struct

from sectigo_tui.domain.ports import StoreDamage
from sectigo_tui.durable import replace_file, sync_directory
from sectigo_tui.store.documents import Actor
from sectigo_tui.store.local.files import aside_name, disk_failures, open_private, open_readable, sync_data, write_all
from sectigo_tui.store.local.lines import (
    HASH_END_BYTES,
    Draft,
    Line,
    Position,
    Segment,
    hash_before,
    read_line,
    segment_of,
)

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
    for block in _content(path, _LINE_BYTES):
        head += block
        if b"\n" in head:
            break
    line = head[: head.find(b"\n") + 1]
    return segment_of(line) if line else None


def _content(path: Path, block_bytes: int = _BLOCK_BYTES) -> Iterator[bytes]:
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
            while block := file.read(block_bytes):
                try:
                    yield block if unpack is None else unpack.decompress(block)
                except zlib.error:
                    return


_LINE_BYTES = 8192
_LARGEST_LINE_BYTES = 1 << 24

MAY_BE_MISSING = "an order placed or changed last may be missing: look for it in Remote, and run `sectigo-tui recover`"
"""The warning where the newest changes may be lost: one of them may be an order that was paid for."""

Report = Callable[[StoreDamage], None]
"""Takes what is damaged, to show to the operator."""


class _Open(Struct, frozen=True):
    """The open segment, as it was opened."""

    descriptor: int
    segment: Segment

    @property
    def end(self) -> int:
        return self.segment.start + os.fstat(self.descriptor).st_size

    def read(self, size: int, offset: int) -> bytes:
        return os.pread(self.descriptor, size, offset - self.segment.start)

    def lines(self, offset: int) -> Iterator[tuple[int, bytes]]:
        """Return the whole lines from a place on, each with where it starts."""
        rest = b""
        while block := self.read(_BLOCK_BYTES, offset + len(rest)):
            rest += block
            whole = rest[: rest.rfind(b"\n") + 1]
            for raw in whole.splitlines(keepends=True):
                yield offset, raw
                offset += len(raw)
            rest = rest[len(whole) :]


class Journal:
    """The append-only record of every change, of which everything else is a copy.

    Whoever appends or catches up holds the store's lock. Reading lines up to `position` needs none. Places count the
    bytes of all segments; `segments` tells how the journal is parted.

    Args:
        path: The open segment's file.
        by: Who appends.
        report: Takes what is found wrong with it.
        is_read_only: Whether nothing of it is changed, also not its end.

    Attributes:
        is_whole: Whether it was last read from its very first line on, and no line was missing or damaged.
    """

    def __init__(self, path: Path, by: Actor, report: Report, *, is_read_only: bool = False) -> None:
        self.path = path
        self._is_read_only = is_read_only
        self.position = Position()
        self.segments = ClosedSegments(path.parent)
        self._name = str(path)
        self._by = by
        self._report = report
        self._reading = Lock()
        self.is_whole = False
        self._open = self._opened()

    @property
    def first_offset(self) -> int:
        """Where the oldest line that is kept starts; 0 unless older ones were removed after their time."""
        closed = self._closed()
        return closed[0].start if closed else self._open.segment.start

    def first_number(self) -> int:
        """Return the number of the oldest line that is kept; 1 where none can be read."""
        offset, raw = next(self._raw_lines(0), (0, b""))
        line = read_line(raw, offset, self._name, order_too=False)
        return 1 if line is None else line.after.seq

    def resume(self, position: Position) -> None:
        """Go on from a place that was known before; `catch_up` then checks that it still is what it was."""
        self.position = position

    def is_behind(self) -> bool:
        """Return whether the file holds what this process has not read, or is not the file it was."""
        with disk_failures(self.path, "read"):
            try:
                named = self.path.stat()
            except FileNotFoundError:
                return True
            opened = os.fstat(self._open.descriptor)
        size = self.position.offset - self._open.segment.start
        return named.st_size != size or named.st_ino != opened.st_ino

    def catch_up(self, learn: Callable[[Line], None]) -> bool:
        """Read the lines that others appended, and set a torn end aside.

        Args:
            learn: Takes each readable line, in order. After somebody cut or changed the journal by hand reading
                starts over, so it may get lines that it had before.

        Returns:
            Whether all of it could be read; False when lines were removed unread, after their time, and `orders.json`
            holds more.

        Raises:
            StoreError: The disk failed, or a newer program wrote a line.
        """
        self._open_anew_if_replaced()
        is_complete = self._start_over_if_changed()
        known = self.position
        damaged: list[int] = []
        lines, any_damaged = 0, False
        for offset, raw in self._raw_lines(known.offset):
            line = read_line(raw, offset, self._name)
            if line is None:
                damaged.append(offset)
                any_damaged = True
                continue
            if damaged:
                self._report_damage(damaged)
                damaged.clear()
            elif known.offset and line.prev != known.hash:
                self._report_break(line)
            # After a cut the numbers in the file are lower than ones that were given out already.
            known = Position(line.after.offset, max(known.seq, line.after.seq), line.after.hash)
            lines += 1
            learn(line)
        self.is_whole = lines > 0 and not any_damaged and known.seq == lines
        if not self._is_read_only:
            self._set_torn_end_aside(max(known.offset, self._open.segment.start))
        self.position = known
        return is_complete

    def draft(self, by: Actor | None = None) -> Draft:
        """Return an empty batch of lines for the end of the journal, as this process knows it.

        Args:
            by: Who writes them; this process unless said.
        """
        return Draft(self.position, by or self._by, self._open.segment)

    def append(self, draft: Draft) -> None:
        """Make a batch durable; only then return.

        Raises:
            StoreError: The disk failed, and nothing of the batch is in the journal.
        """
        if draft.after == draft.start:
            return
        with disk_failures(self.path, "write"):
            try:
                write_all(self._open.descriptor, draft.data)
                sync_data(self._open.descriptor)
            except OSError:
                os.ftruncate(self._open.descriptor, draft.start.offset - self._open.segment.start)
                raise
        self.position = draft.after

    def begin_next_if_large(self) -> None:
        """Close the open segment when it is large, so that it can be compressed and, after its time, removed.

        Raises:
            StoreError: The disk failed.
        """
        if self.position.offset - self._open.segment.start < LARGEST_SEGMENT_BYTES:
            return
        with disk_failures(self.path, "close"):
            self.path.rename(self.segments.name(self._open.segment.number))
            sync_directory(self.path.parent)
        self._open_anew_if_replaced()

    def removable(self, before: datetime) -> tuple[list[Closed], Position]:
        """Return the oldest closed segments that were written before a time, and the place after them.

        Args:
            before: The time.
        """
        found: list[Closed] = []
        after = Position()
        for segment in self._closed():
            lines = self.segments.content(segment).splitlines(keepends=True)
            offset = segment.start + sum(map(len, lines[:-1]))
            last = read_line(lines[-1], offset, self._name, order_too=False) if lines else None
            if last is None or last.entry.at >= before:
                break
            found.append(segment)
            after = last.after
        return found, after

    def closed_before(self, offset: int) -> list[Closed]:
        """Return the closed segments that end at an offset or before it, oldest first."""
        closed = self._closed()
        ends = [*(each.start for each in closed[1:]), self._open.segment.start]
        return [each for each, end in zip(closed, ends, strict=False) if end <= offset]

    def timeline(self, newest: int | None, order_id: str) -> list[Line]:
        """Return an order's lines, oldest first.

        Args:
            newest: Where its newest line starts; every line says where the one before it starts.
            order_id: The order.
        """
        with self._reading:
            lines: list[Line] = []
            offset, first = newest, -1
            while offset is not None:
                if offset < self._open.segment.start and first < 0:
                    first = self.first_offset
                if offset < first:
                    break
                line = self._line_at(offset)
                if line is None or line.entry.order_id != order_id:
                    return self._searched(order_id)
                lines.append(line)
                offset = line.before if line.before is None or line.before < offset else None
            return lines[::-1]

    def newest(self, limit: int) -> list[Line]:
        """Return the newest lines, oldest first.

        Args:
            limit: How many at most.
        """
        with self._reading:
            lines = self._newest_open(limit)
            for segment in reversed(self._closed() if len(lines) < limit else []):
                if len(lines) >= limit:
                    break
                lines = self._read_all(self.segments.content(segment), segment.start) + lines
            return lines[-limit:] if limit > 0 else []

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._open.descriptor)

    def _newest_open(self, limit: int) -> list[Line]:
        lines: list[Line] = []
        start_of_all = self._open.segment.start
        end = max(self.position.offset, start_of_all)
        rest = b""
        with disk_failures(self.path, "read"):
            while end > start_of_all and len(lines) < limit:
                start = max(start_of_all, end - _BLOCK_BYTES)
                block = self._open.read(end - start, start) + rest
                cut = 0 if start == start_of_all else block.find(b"\n") + 1
                rest, whole = (block[:cut], block[cut:]) if cut or start == start_of_all else (block, b"")
                found = self._read_all(whole, start + cut)
                lines = found + lines
                end = start
        return lines

    def _opened(self) -> _Open:
        if self._is_read_only:
            descriptor = open_readable(self.path)
        else:
            descriptor = open_private(self.path, os.O_RDWR | os.O_APPEND)
        with disk_failures(self.path, "open"):
            if not self._is_read_only and os.fstat(descriptor).st_size == 0:
                # A new file's name must be as durable as the lines that will be in it.
                sync_directory(self.path.parent)
            segment = self._segment_in(_Open(descriptor, Segment()))
        return _Open(descriptor, segment)

    def _segment_in(self, opened: _Open) -> Segment:
        told = next((segment_of(raw) for _, raw in opened.lines(0)), None)
        if told is not None and told.number > 1:
            return told
        closed = self.segments.all()
        if not closed:
            return Segment()
        last = closed[-1]
        return Segment(last.number + 1, last.start + len(self.segments.content(last)))

    def _closed(self) -> list[Closed]:
        """Return the closed segments, but for one that this process has open still."""
        return [each for each in self.segments.all() if each.number < self._open.segment.number]

    def _read_all(self, whole: bytes, offset: int) -> list[Line]:
        found = []
        for raw in whole.splitlines(keepends=True):
            if (line := read_line(raw, offset, self._name, order_too=False)) is not None:
                found.append(line)
            offset += len(raw)
        return found

    def _line_at(self, offset: int) -> Line | None:
        with disk_failures(self.path, "read"):
            raw = b""
            if offset < self._open.segment.start:
                raw = self._closed_bytes(offset, _LARGEST_LINE_BYTES)
            while b"\n" not in raw and self._open.segment.start <= offset + len(raw) < self.position.offset:
                more = self._open.read(_LINE_BYTES, offset + len(raw))
                if not more:
                    return None
                raw += more
        return read_line(raw[: raw.find(b"\n") + 1], offset, self._name, order_too=False)

    def _closed_bytes(self, offset: int, size: int) -> bytes:
        for segment in reversed(self._closed()):
            if segment.start <= offset:
                content = self.segments.content(segment)
                return content[offset - segment.start :][:size]
        return b""

    def _searched(self, order_id: str) -> list[Line]:
        # Only when somebody edited the journal, so that its lines are not where they were.
        lines = (
            read_line(raw, offset, self._name, order_too=False)
            for offset, raw in self._raw_lines(0)
            if order_id.encode() in raw and offset < self.position.offset
        )
        return [line for line in lines if line is not None and line.entry.order_id == order_id]

    def _raw_lines(self, offset: int) -> Iterator[tuple[int, bytes]]:
        opened = self._open
        with disk_failures(self.path, "read"):
            for segment in self._closed() if offset < opened.segment.start else []:
                content = self.segments.content(segment)
                start = segment.start
                if start + len(content) <= offset:
                    continue
                for raw in content.splitlines(keepends=True):
                    if start >= offset:
                        yield start, raw
                    start += len(raw)
            yield from opened.lines(max(offset, opened.segment.start))

    def _open_anew_if_replaced(self) -> None:
        with disk_failures(self.path, "read"):
            opened = os.fstat(self._open.descriptor)
            if self.path.exists() and self.path.stat().st_ino == opened.st_ino:
                return
        fresh = self._opened()
        with self._reading:
            gone, self._open = self._open, fresh
        os.close(gone.descriptor)

    def _start_over_if_changed(self) -> bool:
        if self.position.offset == 0:
            return True
        with disk_failures(self.path, "read"):
            if self._still_ends_as_known():
                return True
            first = self.first_offset
            if 0 < self.position.offset <= first < self._open.end:
                oldest = next(self._raw_lines(0), (0, b""))
                line = read_line(oldest[1], oldest[0], self._name, order_too=False)
                if line is not None and line.after.seq > self.position.seq:
                    is_next = line.prev == self.position.hash
                    self.position = Position(first, line.after.seq - 1, line.prev)
                    return is_next
        self._report(
            StoreDamage(
                what="the journal was cut, changed or replaced by something else than this program",
                where=self._name,
                remedy=f"orders and histories as they were saved last are used; {MAY_BE_MISSING}, "
                "and run `sectigo-tui audit verify`",
            )
        )
        self.position = Position(0, self.position.seq, self.position.hash)
        return True

    def _still_ends_as_known(self) -> bool:
        start = max(0, self.position.offset - HASH_END_BYTES)
        if start >= self._open.segment.start:
            ending = self._open.read(HASH_END_BYTES, start)
        else:
            ending = self._closed_bytes(start, HASH_END_BYTES)
        return hash_before(ending) == self.position.hash

    def _set_torn_end_aside(self, good: int) -> None:
        with disk_failures(self.path, "read"):
            size = self._open.end
            if size == good:
                return
            torn = self._open.read(size - good, good)
            aside = aside_name(self.path, "torn")
            copy = open_private(aside, os.O_WRONLY)
            try:
                write_all(copy, torn)
                os.fsync(copy)
            finally:
                os.close(copy)
            os.ftruncate(self._open.descriptor, good - self._open.segment.start)
        self._report(
            StoreDamage(
                what=f"the journal ended in {size - good} bytes that are no whole line: a write was cut short",
                where=str(aside),
                remedy="a write that a crash cut short was never shown as done; if the file was cut by something "
                f"else, {MAY_BE_MISSING}",
            )
        )

    def _report_damage(self, offsets: list[int]) -> None:
        for offset in offsets:
            self._report(
                StoreDamage(
                    what=f"line {self._line_number(offset)} of the journal is not what was written",
                    where=self._name,
                    remedy="the line was left out and kept in the file, and every other line is used; "
                    f"{MAY_BE_MISSING}",
                )
            )

    def _report_break(self, line: Line) -> None:
        self._report(
            StoreDamage(
                what=f"line {self._line_number(line.offset)} of the journal does not follow the line before it",
                where=self._name,
                remedy=f"lines were removed or moved; {MAY_BE_MISSING}, and run `sectigo-tui audit verify`",
            )
        )

    def _line_number(self, offset: int) -> int:
        return 1 + sum(1 for start, _ in self._raw_lines(0) if start < offset)
