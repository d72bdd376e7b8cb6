"""What was done at SCM is told and its code returned, whatever the disk does afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from cli_site import Site

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.events import EventKind
from sectigo_tui.store.local.shared_orders import Change, SharedOrders
from sectigo_tui.store.local.snapshot import OrdersFile
from support.stored_orders import files_no_larger_than

NAME = "www.acme.example"


def issued(site: Site) -> int:
    return site.world.add_order(life="ov-instant", common_name=NAME).ssl_id


def account(site: Site) -> Path:
    """Return the directory of the account's orders."""
    site.make("orders")
    (found,) = site.home.rglob("accounts/*/")
    return found


def without_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let `orders.json` be what cannot be saved, as in a directory that takes no new file."""

    def full(orders_file: OrdersFile, *_: object) -> None:
        raise StoreError(
            str(orders_file.path), "cannot write: No space left on device", "free space on its file system"
        )

    monkeypatch.setattr(OrdersFile, "save", full)


def without_answers(monkeypatch: pytest.MonkeyPatch, *kinds: EventKind) -> None:
    """Let the journal have room for what is asked, and none for what is answered."""
    commit: Callable[[SharedOrders, Sequence[Change]], object] = SharedOrders.commit

    def full(shared_orders: SharedOrders, changes: Sequence[Change]) -> object:
        if any(change.entry.kind in kinds for change in changes):
            raise StoreError("journal.jsonl", "cannot write: No space left on device", "free space on its file system")
        return commit(shared_orders, changes)

    monkeypatch.setattr(SharedOrders, "commit", full)


def warned(err: str) -> bool:
    """Return whether it was said that something is not saved, without a promise that nobody keeps."""
    return "warning: " in err and "saved here" in err and "tried again" not in err


def test_an_order_is_told_as_ordered_though_orders_json_cannot_be_saved(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_snapshot(monkeypatch)
    ended = site.order(NAME, "--json")
    assert ended.code == 0
    assert ended.document("placed order")["outcome"] == "ordered"
    assert warned(ended.err)
    assert len(site.orders()) == 1


def test_an_order_whose_answer_finds_no_room_is_told_with_its_ssl_id(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_answers(monkeypatch, EventKind.WRITE_ANSWERED)
    ended = site.order(NAME, "--json")
    assert ended.code == 0
    document = ended.document("placed order")
    (at_scm,) = site.world.orders.values()
    assert (document["outcome"], document["order"]["ssl_id"]) == ("ordered", at_scm.ssl_id)
    assert warned(ended.err)
    assert f"sectigo-tui track {at_scm.ssl_id}" in ended.err
    assert len(site.posts("enroll")) == 1
    monkeypatch.undo()


@pytest.mark.parametrize("fails", ["orders.json", "the answer"])
def test_a_revocation_is_told_as_done_though_it_cannot_be_saved(
    site: Site, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    ssl_id = issued(site)
    if fails == "orders.json":
        without_snapshot(monkeypatch)
    else:
        without_answers(monkeypatch, EventKind.WRITE_ANSWERED)
    ended = site.run("revoke", ssl_id, "--reason-code=4", "--reason=superseded", f"--confirm={NAME}", "--json")
    assert ended.code == 0, ended.err
    assert ended.document("order outcome")["order"]["state"] == "revoked"
    assert warned(ended.err)


def test_an_order_is_told_as_tracked_in_a_directory_that_takes_no_new_file(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ssl_id = issued(site)
    without_snapshot(monkeypatch)
    ended = site.run("track", ssl_id, "--json")
    assert ended.code == 0, ended.err
    assert ended.document("array of order outcome")[0]["order"]["ssl_id"] == ssl_id
    assert warned(ended.err)
    assert [order["ssl_id"] for order in site.orders()] == [ssl_id]


def test_what_could_not_be_tracked_is_named_and_promises_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    ssl_id = issued(site)
    without_answers(monkeypatch, EventKind.CREATED)
    ended = site.run("track", ssl_id)
    assert ended.code == 1
    assert f"sslId {ssl_id}" in ended.err
    assert "No space left" in ended.err
    assert "tried again" not in ended.err


def test_a_key_without_room_is_no_mistake_of_the_arguments(site: Site) -> None:
    account(site)
    with files_no_larger_than(10):
        ended = site.order(NAME)
    assert ended.code == 1
    assert "keys" in ended.err
    assert "then do it again" in ended.err
    assert site.posts("enroll") == []
    assert list(site.home.rglob("keys/.*")) == []
