"""Owners and notes of orders: what is on the disk, who did it, and what is handed to others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.events import EventKind, Operator
from sectigo_tui.engine.orders.order_locks import OrderLocks
from sectigo_tui.engine.orders.people import People
from sectigo_tui.engine.orders.track import Tracking
from sectigo_tui.engine.repository import OrderRepository
from sectigo_tui.store.local.lease import this_process
from sectigo_tui.wiring.engine import _operator
from support.engine_world import World
from support.stored_orders import an_entry, an_order, opened, stores_let_go  # noqa: F401 - a fixture that acts by itself
from support.ui_pieces import Pieces
from support.virtual_time import in_virtual_time

ANNA = Operator("anna", "anna", "jump1", "192.0.2.7")


def a_world() -> tuple[World, str]:
    world = World()
    world.repository.operator = ANNA
    return world, world.place(7)


@in_virtual_time
async def test_a_note_is_kept_on_the_order_and_in_its_timeline_with_who_wrote_it() -> None:
    world, order_id = a_world()
    order = await People(world.context).note(order_id, "  called the\nDNS team \x1b[31m ")
    assert order.note is not None
    assert (order.note.text, order.note.by) == ("called the DNS team [31m", "anna@jump1 from 192.0.2.7")
    (entry,) = world.timeline(7)
    assert (entry.kind, entry.summary, entry.by) == (EventKind.OPERATOR_NOTE, "note: called the DNS team [31m", ANNA)


@in_virtual_time
async def test_an_empty_note_is_refused() -> None:
    world, order_id = a_world()
    with pytest.raises(InputError, match="the note is empty"):
        await People(world.context).note(order_id, " \n ")
    assert not world.timeline(7)


@in_virtual_time
async def test_taking_giving_and_letting_go_are_told_in_the_timeline_and_doing_it_twice_is_not() -> None:
    world, order_id = a_world()
    people = People(world.context)
    for owner in ("anna", "anna", "bob", ""):
        await people.give(order_id, owner)
    told = [entry.summary for entry in world.timeline(7)]
    assert told == ["owner nobody -> anna", "owner anna -> bob", "owner bob -> nobody"]
    assert world.order(7).owner == ""


@in_virtual_time
async def test_an_order_that_somebody_took_meanwhile_is_not_taken_from_him() -> None:
    world, order_id = a_world()
    people = People(world.context)
    await people.give(order_id, "bob")
    with pytest.raises(InputError, match="order 7 belongs to bob now"):
        await people.give(order_id, "anna", instead_of="")
    assert world.order(7).owner == "bob"


@in_virtual_time
async def test_what_an_operator_does_names_who_did_it_and_what_a_poll_learns_does_not() -> None:
    world, _ = a_world()
    world.scm.live(8, "Requested", (3.0, "Applied"))
    order = await Tracking(world.context, OrderLocks(world.context)).track(8)
    await world.poll_for(60)
    assert [(entry.kind, entry.by) for entry in world.store.timeline(order.id)] == [
        (EventKind.CREATED, ANNA),
        (EventKind.CHANGED, None),
    ]


@in_virtual_time
async def test_polls_keep_owner_and_note() -> None:
    world, order_id = a_world()
    people = People(world.context)
    await people.give(order_id, "anna")
    await people.note(order_id, "waiting for legal")
    await world.poll_for(60)
    after = world.order(7)
    assert after.last_poll is not None
    assert (after.owner, after.note and after.note.text) == ("anna", "waiting for legal")


@in_virtual_time
async def test_owner_note_and_who_did_it_are_read_again_from_the_disk(tmp_path: Path) -> None:
    store = opened(tmp_path / "account")
    world = World()
    world.context = replace(world.context, repository=OrderRepository(store, world.clock, world._publish, ANNA))
    order = await store.put(an_order(1), an_entry(an_order(1)))
    people = People(world.context)
    await people.give(order.id, "anna")
    await people.note(order.id, "ring her")
    await store.close()
    again = opened(tmp_path / "account")
    (kept,) = again.orders()
    assert (kept.owner, kept.note and kept.note.text) == ("anna", "ring her")
    assert [entry.by for entry in again.timeline(kept.id)] == [None, ANNA, ANNA]


def test_several_who_share_a_user_name_tell_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.7 50022 198.51.100.4 22")
    monkeypatch.delenv("SECTIGO_TUI_OPERATOR", raising=False)
    who = this_process()
    assert _operator() == Operator(who.user, who.user, who.host, "192.0.2.7")
    assert who.host
    monkeypatch.setenv("SECTIGO_TUI_OPERATOR", " Anna ")
    assert _operator().name == "Anna"
    assert _operator().text == f"Anna ({who.user}@{who.host} from 192.0.2.7)"


async def test_handover_escalation_and_json_tell_owner_and_notes_but_the_ca_gets_no_address() -> None:
    pieces = Pieces()
    pieces.engine.context.repository.operator = ANNA
    pieces.store.plant(an_order(1))
    order = pieces.store.orders()[0]
    await pieces.engine.people.give(order.id, "bob")
    await pieces.engine.people.note(order.id, "bob rings |legal|")
    now = pieces.store.orders()[0]
    diagnoser = pieces.engine.diagnoser
    handover = diagnoser.handover([now])
    assert "| `1001` | `host1.example.com` | bob |" in handover
    assert "anna@jump1 from 192.0.2.7: bob rings \\|legal\\| |" in handover
    (group,) = json.loads(diagnoser.handover_json([now]))["groups"]
    (waiting,) = group["orders"]
    assert waiting["owner"] == "bob"
    assert [(note["by"], note["text"]) for note in waiting["notes"]] == [(ANNA.text, "bob rings |legal|")]
    diagnosis = diagnoser.known(now)
    pack = diagnoser.pack(diagnosis)
    assert "- Owner here: bob" in pack
    assert "| anna | bob rings \\|legal\\| |" in pack
    assert ANNA.ssh not in pack
    told = json.loads(diagnoser.as_json(diagnosis))
    assert (told["order"]["owner"], told["notes"][0]["text"]) == ("bob", "bob rings |legal|")
    assert [entry["by"] for entry in told["timeline"]] == [ANNA.text, ANNA.text]
