"""A team's database as the source or the target of a copy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.store.copy import Bundle, Contents, Progress, by_actor, entry_of_the_copy, notes_of
from sectigo_tui.store.local.audit import AuditRecord
from sectigo_tui.store.postgres.audit import records
from sectigo_tui.store.postgres.team_store import TeamStore

_AT_ONCE = 500


async def contents(url: str, base_url: str, customer_uri: str, directory: Path) -> Contents:
    """Return all that a database holds of an account.

    Raises:
        StoreError: It cannot be read, or something in it is damaged.
    """
    store = await TeamStore.open(url, base_url, customer_uri, directory, listens=False)
    try:
        if store.damage:
            damage = store.damage[0]
            raise StoreError(damage.where, damage.what, f"{damage.remedy}; then copy again")
        stored = tuple((each.order, each.polls) for each in store.repository.stored())
        rows = await store.link.run(
            "select name, order_id, pem from sectigo_tui.certificates where account = %s order by name",
            (store.account,),
            seconds=60,
        )
        bundles = tuple(Bundle(name, order_id, bytes(pem)) for name, order_id, pem in rows)
    finally:
        await store.let_go()
    told = [record async for record in records(url, base_url, customer_uri)]
    return Contents(store.name, stored, tuple(told), bundles)


async def write(
    place: tuple[str, str, str],
    directory: Path,
    source: Contents,
    left: Sequence[AuditRecord],
    progress: Progress,
) -> None:
    """Write into a database what it does not have of the source.

    Args:
        place: The database, the API's address and the customer URI.
        directory: Where collected bundles are kept on this host too.
        source: The source.
        left: The entries that are not there yet.
        progress: Takes how far it is.

    Raises:
        StoreError: The database failed; what is there stays, and the copy can be taken up again.
    """
    store = await TeamStore.open(*place, directory, listens=False)
    try:
        store.check_writable()
        done = 0
        for by, entries in by_actor(left, _AT_ONCE):
            await store.record_all(entries, by)
            done += len(entries)
            progress("entries", done, len(left))
        newest = source.records[-1].entry if source.records else None
        for start in range(0, len(source.orders), _AT_ONCE):
            part = source.orders[start : start + _AT_ONCE]
            missing = [order for order, _ in part if store.order(order.id) is None]
            if missing:
                await store.put_all([(replace(each, revision=0), entry_of_the_copy(each, newest)) for each in missing])
            for order, polls in part:
                for note in notes_of(order, polls, len(store.polls(order.id))):
                    store.note(replace(order, revision=1), note.poll)
            await store.flush()
            progress("orders", start + len(part), len(source.orders))
        for bundle in source.bundles:
            await store.link.run(
                "select sectigo_tui.save_certificate(%s, %s, %s, %s)",
                (store.account, bundle.order_id, bundle.name, bundle.pem),
            )
    finally:
        await store.let_go()
