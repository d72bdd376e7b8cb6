"""A process of its own with a store, for tests that need several, or kill one.

`write DIRECTORY LIFE`: puts and notes without end, saying `put ID` and `poll ID TIMES` once each is safe.
`share DIRECTORY NAME COUNT`: takes sslIds from others, and counts up an order that all share, COUNT times.
`poll DIRECTORY`: says `lease` once it may poll, and waits for its end.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path

from msgspec.structs import replace

from sectigo_tui.domain.errors import DuplicateOrder, RevisionConflict
from sectigo_tui.store.local import journal_store
from sectigo_tui.store.local.journal_store import JournalStore

sys.path.insert(0, str(Path(__file__).parent.parent))

from support.stored_orders import an_entry, an_order, looked_at, opened


def say(*words: object) -> None:
    """Tell the test."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


async def write(store: JournalStore, life: str) -> None:
    """Put and note without end."""
    number = int(life) * 10_000
    while True:
        number += 1
        order = await store.put(an_order(number), an_entry(an_order(number)))
        say("put", order.id)
        for times in (1, 2):
            order, poll = looked_at(order, times)
            store.note(order, poll)
            await store.flush()
            say("poll", order.id, times)


async def share(store: JournalStore, name: str, count: str) -> None:
    """Contend with others for sslIds, and for the revisions of one order."""
    taken = 0
    for number in range(int(count)):
        wanted = replace(an_order(number), id=f"{name}-{number}")
        try:
            await store.put(wanted, an_entry(wanted))
            taken += 1
        except DuplicateOrder:
            pass
        while True:
            shared = store.order("shared")
            assert shared is not None
            try:
                await store.put(replace(shared, term_days=(shared.term_days or 0) + 1), an_entry(shared, name))
                break
            except RevisionConflict:
                continue
    await store.close()
    say("taken", taken)


async def poll(store: JournalStore) -> None:
    """Hold the right to poll until killed."""
    assert await store.lease(["order-0001"], 3600)
    say("lease")
    await asyncio.get_running_loop().create_future()


if __name__ == "__main__":
    task, directory, *arguments = sys.argv[1:]
    # `orders.json` is replaced all the while.
    journal_store.SAVE_AFTER_SECONDS = journal_store._PAUSE_PER_SAVING = 0.0
    tasks: dict[str, Callable[..., Coroutine[None, None, None]]] = {"write": write, "share": share, "poll": poll}
    asyncio.run(tasks[task](opened(Path(directory)), *arguments))
