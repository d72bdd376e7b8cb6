"""Verify that a journal is intact, and list what was done, when and by whom.

All segments are read as one. Lines that were removed after their time are proven too: a later line, which is part of
the chain, names the newest of them by number and hash, and the oldest line that is kept follows that one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from datetime import datetime
from itertools import chain
from pathlib import Path

from msgspec import Struct

from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.store.documents import Actor, Document
from sectigo_tui.store.local.files import disk_failures
from sectigo_tui.store.local.journal import ClosedSegments
from sectigo_tui.store.local.lines import Position, proven, read_line, segment_of
from sectigo_tui.store.local.snapshot import OrdersFile

_OPEN_NAME = "journal.jsonl"
_FAULTS_NAMED = 100


class AuditFault(Struct, frozen=True):
    """A place where the journal is not intact.

    Args:
        line: The line of the file, counted from 1.
        reason: What is wrong there.
        file: The file's name.
    """

    line: int
    reason: str
    file: str = _OPEN_NAME


class AuditReport(Struct, frozen=True):
    """The result of verifying a journal.

    Args:
        lines: How many lines it has, in all files.
        last: The place after the last line that was proven.
        faults: What is wrong, in the files' order; at most 100 are named.
        removed: How many older lines were removed after their time.
    """

    lines: int
    last: Position
    faults: tuple[AuditFault, ...]
    removed: int = 0

    @property
    def is_intact(self) -> bool:
        """Whether no line was changed, removed, moved or added by something else than this program."""
        return not self.faults


class AuditRecord(Struct, frozen=True):
    """One line of the journal, for audit.

    Args:
        seq: Its number in the chain.
        hash: Its hash.
        by: Who wrote it.
        entry: What happened.
    """

    seq: int
    hash: str
    by: Actor
    entry: TimelineEntry


def verify(directory: Path) -> AuditReport:
    """Verify that a store's journal is intact: every line, in its place, down to the newest.

    Lines removed from the end show as far as `orders.json`, which follows a change within seconds, remembers them.

    Args:
        directory: The store's directory. Nothing in it is changed.

    Raises:
        StoreError: The disk failed.
    """
    saved = OrdersFile(directory, lambda _: None).header()
    proof = _Proof(saved.journal if saved is not None else Position())
    for raw in _raw_lines(directory):
        proof.take(raw)
    return proof.report()


class _Raw(Struct, frozen=True):
    """A line as it is on the disk: its file, its number there, and its bytes."""

    file: str
    number: int
    line: bytes


class _Proof:
    """How far a journal is verified.

    Args:
        known: The line that `orders.json` knows.
    """

    def __init__(self, known: Position) -> None:
        self._known = known
        self._faults: list[AuditFault] = []
        self._first: Document | None = None
        self._removed: set[tuple[int, str]] = set()
        self._last = Position()
        self._lines = 0
        self._was_proven = True
        self._newest = _Raw(_OPEN_NAME, 0, b"")
        self._first_file = _OPEN_NAME

    def take(self, raw: _Raw) -> None:
        document = proven(raw.line)
        self._lines += 1
        self._newest = raw
        if self._lines == 1:
            self._first = document
        if document is None:
            reason = "is not what was written"
        elif self._lines == 1 and document["seq"] > 1:
            # Whether lines before it were removed after their time is told by a later one.
            reason = _other_than_known(document, self._known)
        else:
            reason = _break(document, self._last, self._known, self._was_proven)
        if reason:
            self._fault(AuditFault(raw.number, reason, raw.file))
        self._was_proven = document is not None
        if document is not None and (removed := document.get("removed")) is not None:
            self._removed.add((removed["seq"], removed["hash"]))
        seq, digest = (document["seq"], document["hash"]) if document else (self._last.seq, self._last.hash)
        self._last = Position(self._last.offset + len(raw.line), seq, digest)
        if self._lines == 1:
            self._first_file = raw.file

    def report(self) -> AuditReport:
        removed = 0
        if self._first is not None and self._first["seq"] > 1:
            removed = self._first["seq"] - 1
            # More may be recorded than is removed yet: removing is begun with the oldest, and may have been killed.
            last = max(self._removed, default=(0, ""))
            if last[0] <= removed and (removed, self._first["prev"]) not in self._removed:
                reason = f"is number {self._first['seq']}: lines before it were removed, and not after their time"
                self._faults.insert(0, AuditFault(1, reason, self._first_file))
        if self._known.seq > self._last.seq:
            gone = self._known.seq - self._last.seq
            number = self._newest.number + 1 if self._newest.file == _OPEN_NAME else 1
            self._faults.append(
                AuditFault(number, f"is missing: the newest {gone}, which orders.json knows, were removed")
            )
        return AuditReport(self._lines, self._last, tuple(self._faults), removed)

    def _fault(self, fault: AuditFault) -> None:
        if len(self._faults) < _FAULTS_NAMED:
            self._faults.append(fault)


def _break(line: Document, before: Position, known: Position, before_was_proven: bool) -> str:
    if before_was_proven and line["prev"] != before.hash:
        return "does not follow the line before it: lines were changed, removed or moved"
    if before_was_proven and line["seq"] != before.seq + 1:
        return f"has number {line['seq']} after {before.seq}: lines were removed"
    return _other_than_known(line, known)


def _other_than_known(line: Document, known: Position) -> str:
    if line["seq"] == known.seq and line["hash"] != known.hash:
        return "is not the line that orders.json knows by this number: lines were written anew"
    return ""


def records(directory: Path, since: datetime | None = None) -> Iterator[AuditRecord]:
    """Return what was done, oldest first, leaving out lines that cannot be read.

    Args:
        directory: The store's directory.
        since: Leave out what happened before.

    Raises:
        StoreError: The disk failed, or a newer program wrote a line.
    """
    for raw in _raw_lines(directory):
        line = read_line(raw.line, 0, str(directory), order_too=False)
        if line is not None and (since is None or line.entry.at >= since):
            yield AuditRecord(line.after.seq, line.after.hash, line.by, line.entry)


def _raw_lines(directory: Path) -> Iterator[_Raw]:
    path = directory / _OPEN_NAME
    with disk_failures(path, "read"), ExitStack() as files:
        # Opened before the closed ones are listed: what is closed meanwhile is read by its number, once.
        try:
            opened: Iterable[bytes] = files.enter_context(path.open("rb"))
        except FileNotFoundError:
            opened = ()
        # A last line without its end is being written, or was cut short and will be set aside.
        lines = (raw for raw in opened if raw.endswith(b"\n"))
        first = next(lines, None)
        segments = ClosedSegments(directory)
        following = None if first is None else segment_of(first)
        for closed in segments.all():
            if following is None or closed.number < following.number:
                yield from _numbered(closed.path.name, segments.content(closed).splitlines(keepends=True))
        if first is not None:
            yield from _numbered(_OPEN_NAME, chain([first], lines))


def _numbered(name: str, lines: Iterable[bytes]) -> Iterator[_Raw]:
    return (_Raw(name, number, line) for number, line in enumerate(lines, 1))
