"""A directory as the source or the target of a copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec.structs import replace

from sectigo_tui.collector import collector_paused
from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.orders import Order
from sectigo_tui.durable import replace_file
from sectigo_tui.store.copy import Contents, Progress, bundles_in, by_actor, entry_of_the_copy, notes_of
from sectigo_tui.store.local.audit import AuditRecord, records
from sectigo_tui.store.local.files import make_directory, private_directory
from sectigo_tui.store.local.lease import this_process
from sectigo_tui.store.local.shared_orders import Change, SharedOrders

_AT_ONCE = 500


@contextmanager
def _opened(directory: Path) -> Iterator[SharedOrders]:
    make_directory(directory)
    shared = SharedOrders(directory, this_process())
    try:
        with collector_paused():
            shared.open()
        yield shared
    finally:
        shared.close()


def contents(directory: Path) -> Contents:
    """Return all that a directory holds.

    Raises:
        StoreError: It cannot be read, or something in it is damaged.
    """
    with _opened(directory) as shared:
        if shared.damage:
            damage = shared.damage[0]
            raise StoreError(damage.where, damage.what, f"{damage.remedy}; then copy again")
        stored = tuple((each.order, each.polls) for each in shared.repository.stored())
    orders = [order for order, _ in stored]
    return Contents(str(directory), stored, tuple(records(directory)), bundles_in(directory, orders))


def write(directory: Path, source: Contents, left: Sequence[AuditRecord], progress: Progress) -> None:
    """Write into a directory what it does not have of the source.

    Args:
        directory: The directory.
        source: The source.
        left: The entries that are not there yet.
        progress: Takes how far it is.

    Raises:
        StoreError: The disk failed; what is there stays, and the copy can be taken up again.
    """
    with _opened(directory) as shared:
        done = 0
        for by, entries in by_actor(left, _AT_ONCE):
            with shared.lock:
                shared.append_entries(by, entries)
            done += len(entries)
            progress("entries", done, len(left))
        _write_orders(shared, directory, source, progress)
    private_directory(directory / "certificates")
    for bundle in source.bundles:
        replace_file(directory / "certificates" / bundle.name, bundle.pem)


def _write_orders(shared: SharedOrders, directory: Path, source: Contents, progress: Progress) -> None:
    newest = source.records[-1].entry if source.records else None
    known = shared.repository
    for start in range(0, len(source.orders), _AT_ONCE):
        part = source.orders[start : start + _AT_ONCE]
        missing = [order for order, _ in part if known.order(order.id) is None]
        for outcome in shared.commit(
            [Change(entry_of_the_copy(each, newest), _here(each, directory)) for each in missing]
        ):
            if isinstance(outcome, Exception):
                raise outcome
        notes = [note for order, polls in part for note in notes_of(order, polls, len(known.polls(order.id)))]
        for note in notes:
            known.learn_note(note)
        shared.append_notes(notes)
        progress("orders", start + len(part), len(source.orders))


def _here(order: Order, directory: Path) -> Order:
    path = order.certificate_path and str(directory / "certificates" / Path(order.certificate_path).name)
    return replace(order, revision=0, certificate_path=path)
