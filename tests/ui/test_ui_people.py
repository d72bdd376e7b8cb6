"""Notes and owners on the screen: who attends to an order, and which are yours."""

from __future__ import annotations

from msgspec.structs import replace

from sectigo_tui.domain.events import Operator
from sectigo_tui.presentation.columns import cell
from sectigo_tui.presentation.filters import Filter
from sectigo_tui.presentation.rows import OrderRow, owner_matches
from support.stored_orders import an_order
from support.ui_pieces import Pieces
from support.ui_stage import on_stage, staged
from support.writing import Site, new_world

ANNA = Operator("anna", "anna", "jump1", "192.0.2.7")


def row_of(owner: str, you: str = "anna") -> OrderRow:
    return OrderRow("#1001", replace(an_order(1), owner=owner), you=you)


def test_the_owner_column_says_you_and_everybody_else_by_name() -> None:
    now = Pieces().now()
    assert cell(row_of("Anna"), "owner", 8, now) == ("you", "waiting")
    assert cell(row_of("bob"), "owner", 8, now) == ("bob", "")
    assert cell(row_of(""), "owner", 8, now) == ("", "")


def test_the_filter_finds_orders_by_their_owner() -> None:
    yours, bobs, free, remote = row_of("anna"), row_of("Bob.B"), row_of(""), OrderRow("#7", you="anna")
    now = Pieces().now()
    found = {
        query: [row for row in (yours, bobs, free, remote) if Filter(query).test(row, now)]
        for query in ("owner:me", "owner:bob", "owner:none", "!owner:me", "owner:me|bob", "OWNER:ME", "host1 owner:me")
    }
    assert found == {
        "owner:me": [yours],
        "owner:bob": [bobs],
        "owner:none": [free, remote],
        "!owner:me": [bobs, free, remote],
        "owner:me|bob": [yours, bobs],
        "OWNER:ME": [yours],
        "host1 owner:me": [yours],
    }
    # Nobody is you where the operator has no name.
    assert not owner_matches(row_of("", you=""), "me")


def a_stage_site() -> tuple[Site, int]:
    world = new_world()
    ssl_id = world.add_order(life="ov-vetting", common_name="www.acme.example").ssl_id
    site = Site(world=world)
    site.engine.context.repository.operator = ANNA
    return site, ssl_id


@on_stage
async def test_a_note_on_a_remote_order_tracks_it_and_is_shown() -> None:
    site, ssl_id = a_stage_site()
    async with staged(site=site, settle_seconds=3) as stage:
        await stage.press("n", *"rang legal", "enter")
        await stage.wait(3)
        assert f"Noted on {ssl_id} www.acme.example." in stage.text
        await stage.press("d")
        assert any("Note" in line and "rang legal (anna@jump1 from" in line for line in stage.lines)
    (order,) = site.orders
    assert order.note is not None
    assert (order.ssl_id, order.note.text) == (ssl_id, "rang legal")


@on_stage
async def test_an_order_is_taken_by_two_keys_and_let_go_by_two() -> None:
    site, ssl_id = a_stage_site()
    async with staged(site=site, settle_seconds=3, size=(200, 24)) as stage:
        await stage.press("t")
        await stage.wait(2)
        await stage.press("O", "t")
        await stage.wait(1)
        assert stage.cells(ssl_id)[-1] == "you"
        await stage.press("/", *"owner:none", "enter")
        assert "Nothing matches" in stage.text
        await stage.press("escape", "O")
        assert "yours already" in stage.text
        await stage.press("r")
        await stage.wait(1)
        assert stage.cells(ssl_id)[-1] != "you"
    assert [entry.summary for entry in site.store.timeline(site.order.id)][-2:] == [
        "owner nobody -> anna",
        "owner anna -> nobody",
    ]


@on_stage
async def test_marked_orders_are_given_to_a_colleague_together() -> None:
    site, _ = a_stage_site()
    site.world.add_order(life="ov-vetting", common_name="mail.acme.example")
    async with staged(site=site, settle_seconds=3) as stage:
        await stage.press("space", "j", "space", "O", "o", *"bob", "enter")
        await stage.wait(3)
        assert "2 orders are given to bob." in stage.text
        assert not stage.view.table.marks
        await stage.press("O")
        assert "Give to bob" in stage.text
        assert "has it already" in stage.text
    assert [order.owner for order in site.orders] == ["bob", "bob"]
