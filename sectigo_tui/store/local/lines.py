"""A journal's lines: what they hold, and the hash chain that shows when one was changed or removed.

A line is one JSON object that ends in `"hash"`: the SHA-256 of the object without it. The object names the hash of
the line before (`prev`), so no line can be changed, removed or moved without a later one telling.

A line holds the whole order where the order changed, and its window alone (`poll`) where no more than that did. The
first line of each segment but the first says which one it begins (`segment`); a line that says up to where older ones
were removed after their time (`removed`) is what proves that nobody else removed them.
"""

from __future__ import annotations

from hashlib import sha256

from msgspec import Struct

from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.store.documents import (
    SCHEMA_VERSION,
    UNREADABLE,
    Actor,
    Document,
    Note,
    actor_from,
    dumps,
    entry_from,
    loads,
    migrated,
    note_from,
    order_from,
    sparse,
    too_new,
)

GENESIS = "0" * 64
"""What the first line names as the hash before it."""

_HASH_KEY = b',"hash":"'
_TAIL_BYTES = len(_HASH_KEY) + 64 + len(b'"}\n')


class Position(Struct, frozen=True):
    """A place in the journal, after some line.

    Args:
        offset: Bytes from the start.
        seq: That line's number in the chain; 0 before the first.
        hash: That line's hash.
    """

    offset: int = 0
    seq: int = 0
    hash: str = GENESIS


class Segment(Struct, frozen=True):
    """A part of the journal that has a file of its own.

    Args:
        number: Its number, from 1.
        start: Where it starts, in bytes of all segments.
    """

    number: int = 1
    start: int = 0


class Line(Struct, frozen=True):
    """A line of the journal, read.

    Args:
        offset: Where it starts, in bytes.
        after: The place after it.
        prev: The hash of the line before.
        before: Where the same order's line before starts, in bytes; None for its first.
        by: Who wrote it.
        entry: What happened.
        order: The order after it; None where no order changed, or nothing but its window.
        poll: The order's window after it, and its revision, where nothing else of the order changed.
    """

    offset: int
    after: Position
    prev: str
    before: int | None
    by: Actor
    entry: TimelineEntry
    order: Order | None
    poll: Note | None = None


class Draft:
    """Lines to be appended in one write.

    Args:
        after: The place they are appended at.
        by: Who writes them.
        segment: The open segment, which the first of the lines begins if it is empty.
    """

    def __init__(self, after: Position, by: Actor, segment: Segment | None = None) -> None:
        self.start = after
        self.after = after
        self._by = by
        self._segment = segment
        self._lines: list[bytes] = []

    def add(
        self,
        entry: TimelineEntry,
        order: Order | None,
        before: int | None,
        *,
        poll: Note | None = None,
        removed: Position | None = None,
    ) -> int:
        """Add a line, and return where it will start.

        Args:
            entry: What happened.
            order: The order after it, where one changed.
            before: Where the same order's line before starts.
            poll: The order's window after it, where nothing else of it changed; `order` is None then.
            removed: The place up to which lines are removed after their time.

        Raises:
            ValueError: It holds a number beyond 64 bits.
        """
        document: Document = {
            "v": SCHEMA_VERSION,
            "seq": self.after.seq + 1,
            "prev": self.after.hash,
            "before": before,
            "by": self._by,
            "entry": sparse(entry),
            "order": order,
        }
        if poll is not None:
            document["poll"] = {key: value for key, value in sparse(poll).items() if key not in {"order_id", "poll"}}
        if self._segment is not None and self._segment.number > 1 and self._segment.start == self.after.offset:
            document["segment"] = self._segment
        if removed is not None:
            document["removed"] = {"seq": removed.seq, "hash": removed.hash}
        body = dumps(document)
        digest = sha256(body).hexdigest()
        line = body[:-1] + _HASH_KEY + digest.encode() + b'"}\n'
        offset = self.after.offset
        self._lines.append(line)
        self.after = Position(offset + len(line), self.after.seq + 1, digest)
        return offset

    @property
    def data(self) -> bytes:
        """All lines."""
        return b"".join(self._lines)


def proven(raw: bytes) -> Document | None:
    """Return a line's document if it is what its own hash says, else None.

    Args:
        raw: The line with its line end.
    """
    body = raw[:-_TAIL_BYTES] + b"}"
    if raw[-_TAIL_BYTES:] != _HASH_KEY + sha256(body).hexdigest().encode() + b'"}\n':
        return None
    try:
        document = loads(raw)
    except UNREADABLE:
        return None
    return document if isinstance(document, dict) else None


HASH_END_BYTES = 64 + len(b'"}\n')
"""How many bytes at a line's end hold its hash."""


def hash_before(ending: bytes) -> str:
    """Return the hash in the last `HASH_END_BYTES` bytes of a line, without proving it; empty if there are fewer."""
    return ending[:64].decode("ascii", "replace") if len(ending) == HASH_END_BYTES else ""


def read_line(raw: bytes, offset: int, path: str, *, order_too: bool = True) -> Line | None:
    """Read a line of the journal.

    Args:
        raw: The line with its line end.
        offset: Where it starts, in bytes.
        path: The journal, for what is reported.
        order_too: Whether to read the order in it, which is most of the work.

    Returns:
        The line; None where it is damaged.

    Raises:
        StoreError: A newer program wrote it.
    """
    document = proven(raw)
    if document is None:
        return None
    try:
        version = document["v"]
        if version > SCHEMA_VERSION:
            raise too_new(path, version)
        stored, poll, entry = document["order"], document.get("poll"), entry_from(document["entry"])
        return Line(
            offset=offset,
            after=Position(offset + len(raw), document["seq"], document["hash"]),
            prev=document["prev"],
            before=document["before"],
            by=actor_from(document["by"]),
            entry=entry,
            order=order_from(migrated(stored, version)) if stored is not None and order_too else None,
            poll=None if poll is None else note_from({**poll, "order_id": entry.order_id, "poll": None}),
        )
    except UNREADABLE:
        return None


def segment_of(first: bytes) -> Segment | None:
    """Return which segment a first line begins; None where it is damaged.

    Args:
        first: The line with its line end.
    """
    document = proven(first)
    if document is None:
        return None
    try:
        told = document.get("segment")
        return Segment() if told is None else Segment(int(told["number"]), int(told["start"]))
    except UNREADABLE:
        return None
