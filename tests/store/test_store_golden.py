"""Files that this version wrote stay readable: a later one reads the same orders from them, or says why it does not."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.store.local.audit import verify
from sectigo_tui.store.local.shared_orders import read_orders
from support.golden_store import ENTRIES, HOST, ORDERS, POLLS, REMOVED, WRITER
from support.stored_orders import opened, stores_let_go  # noqa: F401 - stores_let_go is a fixture that acts by itself

SCHEMAS = (1,)


@pytest.fixture(params=SCHEMAS, ids="schema {}".format)
def directory(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Return a copy of what operators have on their disks."""
    copy = Path(shutil.copytree(Path(__file__).parent / f"schema_{request.param}", tmp_path / "account"))
    copy.chmod(0o700)
    for path in copy.iterdir():
        path.chmod(0o600)
    return copy


@pytest.mark.parametrize(
    "lost",
    [(), ("orders.json",), ("orders.json", "leases.json")],
    ids=["all files", "without orders.json", "journal and polls alone"],
)
async def test_every_order_entry_and_poll_of_each_schema_is_read(directory: Path, lost: tuple[str, ...]) -> None:
    for name in lost:
        (directory / name).unlink()
    store = opened(directory)
    assert store.damage == ()
    assert sorted(store.orders(), key=lambda order: order.created_at) == list(ORDERS)
    assert store.order(REMOVED.id) == REMOVED
    full = ORDERS[0]
    assert tuple(store.timeline(full.id)) == ENTRIES
    assert tuple(store.polls(full.id)) == POLLS
    assert verify(directory).is_intact


async def test_who_polls_by_a_lease_of_each_schema_is_told(directory: Path) -> None:
    store = opened(directory)
    assert await store.lease(["a"], 15.0) == frozenset()
    assert store.poller() == f"pid {WRITER.pid} on tty {WRITER.tty} of {HOST}"


async def test_orders_of_each_schema_are_written_on_without_losing_any(directory: Path) -> None:
    store = opened(directory)
    pending = ORDERS[1]
    await store.put(pending, ENTRIES[0])
    await store.close()
    assert {order.id for order in read_orders(directory, lambda reason: pytest.fail(reason.what))} == {
        order.id for order in ORDERS
    }
    assert verify(directory).is_intact


def test_files_of_a_later_schema_are_refused_in_words_and_left_as_they_are(directory: Path) -> None:
    path = directory / "orders.json"
    path.write_bytes(re.sub(rb'"schema":\d', b'"schema":2', path.read_bytes()))
    kept = {each.name: each.read_bytes() for each in directory.iterdir()}
    reason = r"orders\.json: written by a newer sectigo-tui \(schema 2; this one knows up to 1\)"
    with pytest.raises(StoreError, match=reason) as refused:
        opened(directory)
    assert refused.value.remedy == "install that version again; nothing was changed"
    assert {name: (directory / name).read_bytes() for name in kept} == kept
