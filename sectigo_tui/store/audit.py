"""Proving that a journal is what was written, and reading it for whoever asks what was done, when and by whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.store.chain import Position, proven, read_line
from sectigo_tui.store.documents import Actor, Document
from sectigo_tui.store.files import disk_failures
from sectigo_tui.store.orders_file import OrdersFile

_FAULTS_NAMED = 100


@dataclass(frozen=True, slots=True)
class AuditFault:
    """A place where the journal is not what was written.

    Args:
        line: The line, counted from 1.
        problem: What is wrong there.
    """

    line: int
    problem: str


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What verifying a journal came to.

    Args:
        lines: How many lines it has.
        last: The place after the last line that was proven.
        faults: What is wrong, in the file's order; at most 100 are named.
    """

    lines: int
    last: Position
    faults: tuple[AuditFault, ...]

    @property
    def is_intact(self) -> bool:
        """Whether no line was changed, removed, moved or added by something else than this program."""
        return not self.faults


@dataclass(frozen=True, slots=True)
class AuditRecord:
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
    """Prove that a store's journal is what was written: every line, in its place, down to the newest.

    Lines removed from the end show as far as `orders.json`, which follows a change within seconds, remembers them.

    Args:
        directory: The store's directory. Nothing in it is changed.

    Raises:
        StoreError: The disk failed.
    """
    saved = OrdersFile(directory, lambda _: None).header()
    known = saved.journal if saved is not None else Position()
    faults: list[AuditFault] = []
    last, number, was_proven = Position(), 0, True
    for number, raw in enumerate(_raw_lines(directory), 1):
        document = proven(raw)
        problem = "is not what was written" if document is None else _break(document, last, known, was_proven)
        if problem and len(faults) < _FAULTS_NAMED:
            faults.append(AuditFault(number, problem))
        was_proven = document is not None
        seq, digest = (document["seq"], document["hash"]) if document else (last.seq, last.hash)
        last = Position(last.offset + len(raw), seq, digest)
    if known.seq > last.seq:
        gone = known.seq - last.seq
        faults.append(AuditFault(number + 1, f"is missing: the newest {gone}, which orders.json knows, were removed"))
    return AuditReport(number, last, tuple(faults))


def _break(line: Document, before: Position, known: Position, before_was_proven: bool) -> str:
    if before_was_proven and line["prev"] != before.hash:
        return "does not follow the line before it: lines were changed, removed or moved"
    if before_was_proven and line["seq"] != before.seq + 1:
        return f"has number {line['seq']} after {before.seq}: lines were removed"
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
        line = read_line(raw, 0, str(directory), order_too=False)
        if line is not None and (since is None or line.entry.at >= since):
            yield AuditRecord(line.after.seq, line.after.hash, line.by, line.entry)


def _raw_lines(directory: Path) -> Iterator[bytes]:
    path = directory / "journal.jsonl"
    with disk_failures(path, "read"):
        try:
            with path.open("rb") as file:
                # A last line without its end is being written, or was cut short and will be set aside.
                yield from (raw for raw in file if raw.endswith(b"\n"))
        except FileNotFoundError:
            return
