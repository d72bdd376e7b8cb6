"""A journal's lines: what they hold, and the hash chain that shows when one was changed or removed.

A line is one JSON object that ends in `"hash"`: the SHA-256 of the object without it. The object names the hash of
the line before (`prev`), so no line can be changed, removed or moved without a later one telling.
"""

from __future__ import annotations

from hashlib import sha256

import orjson

from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.values import dataclass
from sectigo_tui.store.documents import UNREADABLE, Actor, Document, actor_from, dumps, entry_from, order_from
from sectigo_tui.store.migrations import SCHEMA_VERSION, migrated, too_new

GENESIS = "0" * 64
"""What the first line names as the hash before it."""

_HASH_KEY = b',"hash":"'
_TAIL_BYTES = len(_HASH_KEY) + 64 + len(b'"}\n')


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the journal, after some line.

    Args:
        offset: Bytes from the start.
        seq: That line's number in the chain; 0 before the first.
        hash: That line's hash.
    """

    offset: int = 0
    seq: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the journal, read.

    Args:
        offset: Where it starts, in bytes.
        after: The place after it.
        prev: The hash of the line before.
        before: Where the same order's line before starts, in bytes; None for its first.
        by: Who wrote it.
        entry: What happened.
        order: The order after it; None where no order changed.
    """

    offset: int
    after: Position
    prev: str
    before: int | None
    by: Actor
    entry: TimelineEntry
    order: Order | None


class Draft:
    """Lines to be appended in one write.

    Args:
        after: The place they are appended at.
        by: Who writes them.
    """

    def __init__(self, after: Position, by: Actor) -> None:
        self.start = after
        self.after = after
        self._by = by
        self._lines: list[bytes] = []

    def add(self, entry: TimelineEntry, order: Order | None, before: int | None) -> int:
        """Add a line, and return where it will start.

        Args:
            entry: What happened.
            order: The order after it, where one changed.
            before: Where the same order's line before starts.

        Raises:
            ValueError: It holds a number beyond 64 bits.
        """
        body = dumps(
            {
                "v": SCHEMA_VERSION,
                "seq": self.after.seq + 1,
                "prev": self.after.hash,
                "before": before,
                "by": self._by,
                "entry": entry,
                "order": order,
            }
        )
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
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
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
        stored = document["order"]
        return Line(
            offset=offset,
            after=Position(offset + len(raw), document["seq"], document["hash"]),
            prev=document["prev"],
            before=document["before"],
            by=actor_from(document["by"]),
            entry=entry_from(document["entry"]),
            order=order_from(migrated(stored, version)) if stored is not None and order_too else None,
        )
    except UNREADABLE:
        return None
