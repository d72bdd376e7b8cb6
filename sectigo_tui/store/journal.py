"""The journal's file: appended durably, read on from a place, and walked backwards for a timeline."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from sectigo_tui.domain.ports import StoreProblem
from sectigo_tui.durable import sync_directory
from sectigo_tui.store.chain import HASH_END_BYTES, Draft, Line, Position, hash_before, read_line
from sectigo_tui.store.documents import Actor
from sectigo_tui.store.files import aside_name, disk_failures, open_private, sync_data, write_all

_BLOCK_BYTES = 65536
_LINE_BYTES = 8192

Report = Callable[[StoreProblem], None]
"""Takes a problem that the operator is to read."""


class Journal:
    """The append-only record of every change, of which everything else is a copy.

    Whoever appends or catches up holds the store's lock. Reading lines up to `position` needs none.

    Args:
        path: Its file.
        by: Who appends.
        report: Takes what is found wrong with it.
    """

    def __init__(self, path: Path, by: Actor, report: Report) -> None:
        self.path = path
        self.position = Position()
        self._name = str(path)
        self._by = by
        self._report = report
        self._descriptor = self._opened()

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
            opened = os.fstat(self._descriptor)
        return named.st_size != self.position.offset or named.st_ino != opened.st_ino

    def catch_up(self, learn: Callable[[Line], None]) -> None:
        """Read the lines that others appended, and set a torn end aside.

        Args:
            learn: Takes each readable line, in order. After somebody cut or changed the journal by hand reading
                starts over, so it may get lines that it had before.

        Raises:
            StoreError: The disk failed, or a newer program wrote a line.
        """
        self._start_over_if_changed()
        known = self.position
        damaged: list[int] = []
        for offset, raw in self._raw_lines(known.offset):
            line = read_line(raw, offset, self._name)
            if line is None:
                damaged.append(offset)
                continue
            if damaged:
                self._report_damage(damaged)
                damaged.clear()
            elif known.offset and line.prev != known.hash:
                self._report_break(line)
            # After a cut the numbers in the file are lower than ones that were given out already.
            known = Position(line.after.offset, max(known.seq, line.after.seq), line.after.hash)
            learn(line)
        self._set_torn_end_aside(known.offset)
        self.position = known

    def draft(self) -> Draft:
        """Return an empty batch of lines for the end of the journal, as this process knows it."""
        return Draft(self.position, self._by)

    def append(self, draft: Draft) -> None:
        """Make a batch durable; only then return.

        Raises:
            StoreError: The disk failed, and nothing of the batch is in the journal.
        """
        if draft.after == draft.start:
            return
        with disk_failures(self.path, "write"):
            try:
                write_all(self._descriptor, draft.data)
                sync_data(self._descriptor)
            except OSError:
                os.ftruncate(self._descriptor, draft.start.offset)
                raise
        self.position = draft.after

    def timeline(self, newest: int | None, order_id: str) -> list[Line]:
        """Return an order's lines, oldest first.

        Args:
            newest: Where its newest line starts; every line says where the one before it starts.
            order_id: The order.
        """
        lines: list[Line] = []
        offset = newest
        while offset is not None:
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
        lines: list[Line] = []
        end = self.position.offset
        rest = b""
        with disk_failures(self.path, "read"):
            while end > 0 and len(lines) < limit:
                start = max(0, end - _BLOCK_BYTES)
                block = os.pread(self._descriptor, end - start, start) + rest
                cut = 0 if start == 0 else block.find(b"\n") + 1
                rest, whole = (block[:cut], block[cut:]) if cut or start == 0 else (block, b"")
                found = self._read_all(whole, start + cut)
                lines = found + lines
                end = start
        return lines[-limit:] if limit > 0 else []

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def _opened(self) -> int:
        descriptor = open_private(self.path, os.O_RDWR | os.O_APPEND)
        with disk_failures(self.path, "open"):
            if os.fstat(descriptor).st_size == 0:
                # A new file's name must be as durable as the lines that will be in it.
                sync_directory(self.path.parent)
        return descriptor

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
            while b"\n" not in raw and offset + len(raw) < self.position.offset:
                more = os.pread(self._descriptor, _LINE_BYTES, offset + len(raw))
                if not more:
                    return None
                raw += more
        return read_line(raw[: raw.find(b"\n") + 1], offset, self._name, order_too=False)

    def _searched(self, order_id: str) -> list[Line]:
        # Only when somebody edited the journal, so that its lines are not where they were.
        lines = (
            read_line(raw, offset, self._name, order_too=False)
            for offset, raw in self._raw_lines(0)
            if order_id.encode() in raw and offset < self.position.offset
        )
        return [line for line in lines if line is not None and line.entry.order_id == order_id]

    def _raw_lines(self, offset: int) -> Iterator[tuple[int, bytes]]:
        with disk_failures(self.path, "read"), self.path.open("rb") as file:
            file.seek(offset)
            for raw in file:
                if raw.endswith(b"\n"):
                    yield offset, raw
                offset += len(raw)

    def _start_over_if_changed(self) -> None:
        with disk_failures(self.path, "read"):
            opened = os.fstat(self._descriptor)
            same_file = self.path.exists() and self.path.stat().st_ino == opened.st_ino
            if not same_file:
                fresh = self._opened()
                os.close(self._descriptor)
                self._descriptor = fresh
            if self.position.offset == 0 or (same_file and self._still_ends_as_known()):
                return
        self._report(
            StoreProblem(
                what="the journal was cut, changed or replaced by something else than this program",
                where=self._name,
                remedy="no order is lost, but histories may be incomplete; run `sectigo-tui audit verify`",
            )
        )
        self.position = Position(0, self.position.seq, self.position.hash)

    def _still_ends_as_known(self) -> bool:
        ending = os.pread(self._descriptor, HASH_END_BYTES, max(0, self.position.offset - HASH_END_BYTES))
        return hash_before(ending) == self.position.hash

    def _set_torn_end_aside(self, good: int) -> None:
        with disk_failures(self.path, "read"):
            size = os.fstat(self._descriptor).st_size
            if size == good:
                return
            torn = os.pread(self._descriptor, size - good, good)
            aside = aside_name(self.path, "torn")
            copy = open_private(aside, os.O_WRONLY)
            try:
                write_all(copy, torn)
                os.fsync(copy)
            finally:
                os.close(copy)
            os.ftruncate(self._descriptor, good)
        self._report(
            StoreProblem(
                what=f"the journal ended in {size - good} bytes that are no whole line: a write was cut short",
                where=str(aside),
                remedy="nothing to do, a write cut short was never shown as done; the journal goes on before them",
            )
        )

    def _report_damage(self, offsets: list[int]) -> None:
        for offset in offsets:
            self._report(
                StoreProblem(
                    what=f"line {self._line_number(offset)} of the journal is not what was written",
                    where=self._name,
                    remedy="the line was left out and kept in the file; every other line is used",
                )
            )

    def _report_break(self, line: Line) -> None:
        self._report(
            StoreProblem(
                what=f"line {self._line_number(line.offset)} of the journal does not follow the line before it",
                where=self._name,
                remedy="lines were removed or moved; run `sectigo-tui audit verify`",
            )
        )

    def _line_number(self, offset: int) -> int:
        with disk_failures(self.path, "read"), self.path.open("rb") as file:
            number, left = 1, offset
            while left > 0 and (block := file.read(min(_BLOCK_BYTES, left))):
                number += block.count(b"\n")
                left -= len(block)
        return number
