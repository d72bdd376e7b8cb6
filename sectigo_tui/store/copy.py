"""Copy an account's orders from one store into another: all of it, verified, and the source is left as it was.

A copy that was interrupted is taken up again: what the target has already is compared and skipped. A target that holds
anything else is refused, and so is one in which somebody goes on working.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.store.documents import Actor, Note, unpacked_polls
from sectigo_tui.store.local.audit import AuditRecord

Progress = Callable[[str, int, int], None]
"""Takes what is copied, how much of it is, and how much there is."""


class Bundle(Struct, frozen=True):
    """A collected bundle: its file's name, its order, and what it holds."""

    name: str
    order_id: str
    pem: bytes


class Contents(Struct, frozen=True):
    """All that a store holds of an account.

    Args:
        place: The store for a person.
        orders: Every order with its polls, packed as the stores have them; removed ones too.
        records: What was done, oldest first.
        bundles: The collected bundles.
    """

    place: str
    orders: tuple[tuple[Order, bytes], ...]
    records: tuple[AuditRecord, ...]
    bundles: tuple[Bundle, ...]


class Copied(Struct, frozen=True):
    """What was copied, all of it verified in the target.

    Args:
        orders: How many orders the target has.
        entries: How many timeline entries of the source.
        bundles: How many bundles.
        found: How many of the entries had been copied before.
    """

    orders: int
    entries: int
    bundles: int
    found: int


def left_to_copy(source: Contents, target: Contents) -> Sequence[AuditRecord]:
    """Return the entries that the target does not have yet.

    Raises:
        StoreError: The target has something that the source has not.
    """
    ours, theirs = entries_of(source), entries_of(target)
    for here, there in zip(ours, theirs, strict=False):
        if (here.by, here.entry) != (there.by, there.entry):
            raise _other_contents(target.place)
    if len(theirs) > len(ours):
        raise _other_contents(target.place)
    orders = {order.id: order for order, _ in source.orders}
    for order, _ in target.orders:
        if order.id not in orders or not is_same(orders[order.id], order):
            raise _other_contents(target.place)
    return ours[len(theirs) :]


def entries_of(contents: Contents) -> list[AuditRecord]:
    """Return what was done, without the entries with which orders came from another store."""
    return [record for record in contents.records if not _is_of_the_copy(record.entry)]


def _other_contents(place: str) -> StoreError:
    return StoreError(
        place,
        "holds something that the source has not",
        "copy into an empty one, or remove what an older copy has left there",
    )


_SUMMARY = "copied from another store"


def entry_of_the_copy(order: Order, at: TimelineEntry | None) -> TimelineEntry:
    """Return the entry with which an order comes into the target; its time is that of the newest entry copied."""
    return TimelineEntry(
        at=order.state_since if at is None else at.at,
        order_id=order.id,
        kind=EventKind.NOTE,
        summary=_SUMMARY,
        to_state=order.state,
        ssl_id=order.ssl_id,
    )


def _is_of_the_copy(entry: TimelineEntry) -> bool:
    return entry.kind is EventKind.NOTE and entry.summary == _SUMMARY


def is_same(one: Order, other: Order) -> bool:
    """Return whether two orders are the same but for their revision and where their bundle lies."""
    return replace(one, revision=0, certificate_path="") == replace(other, revision=0, certificate_path="")


def differences(source: Contents, target: Contents) -> list[str]:
    """Return what of the source the target does not hold as it is, in a line each."""
    found = []
    theirs = {order.id: (order, polls) for order, polls in target.orders}
    for order, polls in source.orders:
        copied = theirs.get(order.id)
        if copied is None or not is_same(order, copied[0]):
            found.append(f"order {order.id} is not there as it is")
        elif unpacked_polls(polls) != unpacked_polls(copied[1]):
            found.append(f"the polls of order {order.id} are not there as they are")
    here, there = ([(each.by, each.entry) for each in entries_of(store)] for store in (source, target))
    if here != there:
        found.append("the timeline is not there as it is")
    bundles = {bundle.name: bundle.pem for bundle in target.bundles}
    found += [
        f"bundle {bundle.name} is not there" for bundle in source.bundles if bundles.get(bundle.name) != bundle.pem
    ]
    return found


def notes_of(order: Order, polls: bytes, there: int) -> list[Note]:
    """Return an order's polls as the bookkeeping that brings them into a store, oldest first.

    Args:
        order: The order.
        polls: Its polls, packed.
        there: How many of them the target has: a copy may end between an order and its polls.
    """
    return [
        Note(order.id, order.revision, order.window, order.last_poll, order.last_answer_at, poll)
        for poll in unpacked_polls(polls)[there:]
    ]


def by_actor(records: Sequence[AuditRecord], most: int) -> list[tuple[Actor, list[TimelineEntry]]]:
    """Return entries in their order, in runs of one writer each, at most `most` long."""
    runs: list[tuple[Actor, list[TimelineEntry]]] = []
    for record in records:
        if not runs or runs[-1][0] != record.by or len(runs[-1][1]) >= most:
            runs.append((record.by, []))
        runs[-1][1].append(record.entry)
    return runs


def bundles_in(directory: Path, orders: Sequence[Order]) -> tuple[Bundle, ...]:
    """Return the bundles of a directory's `certificates`, each with its order where the name tells it."""
    of_ssl_id = {str(order.ssl_id): order.id for order in orders if order.ssl_id is not None}
    return tuple(
        Bundle(path.name, of_ssl_id.get(path.name.split(".")[0], ""), path.read_bytes())
        for path in sorted((directory / "certificates").glob("*.pem"))
    )
