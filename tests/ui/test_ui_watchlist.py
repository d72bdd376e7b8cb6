"""Watched orders ring, changed rows are marked until they were seen, acknowledged ones are quiet until they change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.events import OrderChanged
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.domain.polling import WindowEnd
from sectigo_tui.presentation.notifications import WAITING_AT_MOST, EventCommand, notification
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.watchlist import Change, OrderSnapshot
from sectigo_tui.ui.outside import Outside
from support.documented import differences, documented
from support.stored_orders import an_entry, an_order, waiting_order
from support.ui_stage import Stage, on_stage, staged, written_to_terminal

SOON = 2100380
"""The demo's order that is issued within two minutes."""
BELL = "\a"


def rung(written: Sequence[str]) -> list[str]:
    """Return the notifications among what was written to the terminal."""
    return [text for text in written if text.startswith(BELL)]


def at_scm(order: Order, status: str, **changes: Any) -> Order:
    """Return an order that SCM says something else of."""
    assert order.details is not None
    return replace(order, details=replace(order.details, status=status), **changes)


async def happens(stage: Stage, order: Order) -> None:
    """Let the engine tell that a local order is as it is now."""
    stage.site.store.plant(order)
    stage.site.engine.event_source(OrderChanged(order, an_entry(order)))
    await stage.wait(0.5)


def test_which_changes_of_an_order_are_notified() -> None:
    polled = OrderSnapshot("APL")
    assert OrderSnapshot("ISS").differs_from(polled)
    assert OrderSnapshot("APL", "deadline passed").differs_from(polled)
    assert not polled.differs_from(OrderSnapshot("APL", "deadline passed"))
    assert not polled.differs_from(polled)


@on_stage
async def test_a_watched_order_rings_and_notifies_when_it_changes() -> None:
    async with staged(track=[SOON, 2100342]) as stage:
        with written_to_terminal() as written:
            await stage.press("G", "w")
            assert stage.footer == f"Watched: bell and notification when {SOON} changes."
            assert "watch 1" in stage.header
            await stage.wait(180)
        first, *_ = rung(written)
        assert first.startswith(f"{BELL}\x1b]9;sectigo-tui: {SOON} ")
        assert f"\x1b]777;notify;sectigo-tui;{SOON} " in first
        assert any("-> COL" in note for note in rung(written))


@on_stage
async def test_an_order_that_is_not_watched_is_marked_and_rings_nothing() -> None:
    async with staged(track=[SOON]) as stage:
        with written_to_terminal() as written:
            await stage.wait(180)
        assert not rung(written)
        await stage.press("2")
        assert "COL" in stage.row(SOON)


@on_stage
async def test_a_watched_remote_order_that_leaves_the_list_is_polled_once_and_rings() -> None:
    async with staged() as stage:
        await stage.press("G", "w")
        await stage.wait(5)
        polls = stage.site.wire.count(f"GET /ssl/v1/{SOON}$")
        with written_to_terminal() as written:
            await stage.wait(200)
        assert [note.count("-> ISS") for note in rung(written)] == [2]
        assert stage.site.wire.count(f"GET /ssl/v1/{SOON}$") == polls + 1


@on_stage
async def test_a_watched_remote_order_that_became_a_certificate_is_told_until_x_and_stays_green_for_ten_minutes() -> (
    None
):
    async with staged() as stage:
        pending = stage.header.split(" pend")[0]
        await stage.press("G", "w")
        await stage.wait(200)
        assert f"watched: {SOON} " in stage.text
        assert "-> ISS" in stage.text
        assert "collect it from the action menu" in stage.text
        await stage.press("x")
        assert "-> ISS" not in stage.text
        assert "ISS" in stage.row(SOON)
        assert {stage.view._cell(f"#{SOON}", key, 20).style for key in ("state", "common_name", "age")} == {"done"}
        assert stage.header.split(" pend")[0] != pending
        await stage.press("4")
        assert "watched" in stage.row(SOON)
        await stage.press("1")
        await stage.wait(600)
        assert str(SOON) not in stage.text


@on_stage
async def test_a_watched_local_order_stays_in_sight_for_ten_minutes_when_it_is_collected() -> None:
    async with staged(track=[SOON]) as stage:
        await stage.press("G", "w")
        await stage.wait(240)
        assert "COL" in stage.row(SOON)
        await stage.wait(600)
        assert str(SOON) not in stage.text


@on_stage
async def test_a_watched_remote_order_that_fails_is_told_in_red() -> None:
    async with staged(size=(100, 60)) as stage:
        remote = stage.world.add_order(life="ev-approval", common_name="declined.acme.example")
        await stage.press("R")
        await stage.wait(2)
        await stage.press("/", *"declined", "enter", "w")
        await stage.site.engine.approving.decline(remote.ssl_id, "no")
        await stage.press("R")
        await stage.wait(2)
        assert f"watched: {remote.ssl_id} declined.acme.example: REQ -> DEC" in stage.text
        assert stage.view._cell(f"#{remote.ssl_id}", "common_name", 20).style == "failed"


@on_stage
async def test_an_order_that_nobody_watches_leaves_the_list_without_a_word() -> None:
    async with staged() as stage:
        await stage.wait(240)
        assert "watched:" not in stage.text
        assert str(SOON) not in stage.text


@on_stage
async def test_watching_all_rings_for_orders_that_somebody_places() -> None:
    async with staged(size=(80, 60)) as stage:
        await stage.press("W")
        assert "watch all" in stage.header
        new = stage.world.add_order(life="ev-approval", common_name="new.acme.example")
        with written_to_terminal() as written:
            await stage.wait(61)
        (note,) = [note for note in rung(written) if "new.acme" in note]
        assert f"{new.ssl_id} new.acme.example: new -> REQ" in note
        assert stage.row(new.ssl_id).startswith("+")
        await stage.press("W")
        assert "watch" not in stage.header


@on_stage
async def test_a_changed_row_is_marked_until_the_cursor_comes_to_it() -> None:
    async with staged(size=(80, 60)) as stage:
        await happens(stage, an_order(1))
        assert stage.row(1001).startswith(" ")
        await happens(stage, at_scm(an_order(1), "Approved"))
        assert stage.row(1001).startswith("+")
        await stage.press("G", "k", "k")
        assert stage.cursor == "#1001"
        await stage.press("k")
        assert stage.row(1001).startswith(" ")


@on_stage
async def test_a_row_that_changes_under_the_cursor_is_marked_when_the_cursor_leaves_it() -> None:
    async with staged(size=(80, 60)) as stage:
        await happens(stage, an_order(1))
        await stage.press("G", "k", "k")
        assert stage.cursor == "#1001"
        await happens(stage, at_scm(an_order(1), "Approved"))
        assert stage.row(1001).startswith(">")
        await stage.press("k")
        assert stage.row(1001).startswith("+")
        await stage.press("j", "k")
        assert stage.row(1001).startswith(" ")


@on_stage
async def test_u_takes_the_marks_of_all_rows_away() -> None:
    async with staged(size=(80, 60)) as stage:
        await happens(stage, an_order(1))
        await happens(stage, at_scm(an_order(1), "Approved"))
        assert stage.row(1001).startswith("+")
        await stage.press("u")
        assert stage.row(1001).startswith(" ")


@on_stage
async def test_polling_that_ended_without_a_certificate_is_a_change_and_going_on_is_none() -> None:
    async with staged(size=(80, 60)) as stage:
        order = waiting_order(1)
        assert order.window is not None
        await happens(stage, order)
        await happens(stage, replace(order, window=replace(order.window, next_poll_at=None, ended=WindowEnd.DEADLINE)))
        assert stage.row(1001).startswith("+")
        await stage.press("u")
        await happens(stage, order)
        assert stage.row(1001).startswith(" ")


@on_stage
async def test_an_acknowledged_order_is_quiet_until_it_changes() -> None:
    async with staged(size=(80, 60)) as stage:
        order = an_order(1)
        assert order.window is not None
        ended = replace(order, window=replace(order.window, next_poll_at=None, ended=WindowEnd.STOPPED))
        await happens(stage, ended)
        assert "34 pending, 7 need you" in stage.header
        await stage.press("G", "k", "k", "z", "g")
        assert stage.row(1001).startswith(".")
        assert "34 pending, 6 need you" in stage.header
        await happens(stage, at_scm(ended, "Requested"))
        assert stage.row(1001).startswith("+")
        assert "34 pending, 7 need you" in stage.header


@on_stage
async def test_a_watched_order_is_watched_on_when_its_ssl_id_becomes_known() -> None:
    async with staged() as stage:
        placed = replace(an_order(1), id="placed", ssl_id=None, state=OrderState.UNCONFIRMED)
        await happens(stage, placed)
        assert stage.view.table.move_to_id("placed")
        await stage.press("w")
        with written_to_terminal() as written:
            await happens(stage, replace(placed, ssl_id=2_200_000, state=OrderState.SUBMITTED))
        (note,) = rung(written)
        assert "2200000 host1.example.com: UNC -> SUB" in note
        await stage.press("g")
        assert "watch 1" in stage.header


@on_stage
async def test_w_without_an_order_says_so() -> None:
    async with staged() as stage:
        await stage.press("/", *"zzz", "enter", "w")
        assert stage.footer == "There is no order here."


class Pager:
    """The operator's own command.

    Args:
        problem: What goes wrong with it.
    """

    def __init__(self, reason: str = "") -> None:
        self.reason = reason
        self.told: list[dict[str, Any]] = []
        self.running = 0

    async def run(self, arguments: Sequence[str], stdin: bytes) -> str:
        assert arguments == ["notify-on-call", "--team=pki"]
        self.running += 1
        assert self.running == 1, "one after another"
        await asyncio.sleep(1)
        self.running -= 1
        (line,) = stdin.decode().splitlines()
        self.told.append(json.loads(line))
        return self.reason


@on_stage
async def test_each_change_of_a_watched_order_is_told_to_the_operator_s_command() -> None:
    pager = Pager()
    async with staged(outside=Outside(run=pager.run, on_event=["notify-on-call", "--team=pki"])) as stage:
        await happens(stage, waiting_order(1))
        await happens(stage, waiting_order(2))
        await stage.press("W")
        stage.site.store.plant(failed := at_scm(waiting_order(2), "Declined", state=OrderState.FAILED))
        stage.site.engine.event_source(OrderChanged(failed, an_entry(failed)))
        await happens(stage, at_scm(waiting_order(1), "Issued", state=OrderState.ISSUED))
        await stage.wait(5)
        assert min(pager.told, key=lambda event: int(event["ssl_id"])) == {
            "event": "order",
            "at": "2026-03-02T03:00:02Z",
            "order_id": "order-0001",
            "ssl_id": 1001,
            "common_name": "host1.example.com",
            "kind": "changed",
            "summary": "APL -> ISS",
            "from_state": "pending",
            "to_state": "issued",
            "scm_status": "Issued",
            "http_status": None,
            "scm_code": None,
            "by": None,
        }
        assert [differences(event, "change", documented("json.md")) for event in pager.told] == [[], []]
        assert [event["summary"] for event in pager.told] == ["APL -> DEC", "APL -> ISS"]


@on_stage
async def test_a_command_that_fails_is_told_and_stops_nothing() -> None:
    pager = Pager("notify-on-call ended with exit code 3: no such team")
    async with staged(outside=Outside(run=pager.run, on_event=["notify-on-call", "--team=pki"])) as stage:
        await happens(stage, an_order(1))
        await stage.press("W")
        await happens(stage, at_scm(an_order(1), "Declined", state=OrderState.FAILED))
        await stage.wait(2)
        assert "on_event command" in stage.text
        assert "exit code 3: no such team" in stage.text
        await stage.press("x", "j")
        assert "exit code 3" not in stage.text


async def test_a_command_slower_than_changes_come_is_not_given_them_without_end() -> None:
    begun = asyncio.Event()

    async def never_ends(_arguments: Sequence[str], _stdin: bytes) -> str:
        await begun.wait()
        return ""

    command = EventCommand(["pager"], never_ends)
    telling = [asyncio.create_task(command.deliver("{}")) for _ in range(WAITING_AT_MOST)]
    await asyncio.sleep(0)
    with pytest.raises(InputError, match="slower than changes come"):
        await command.deliver("{}")
    begun.set()
    await asyncio.gather(*telling)
    await command.deliver("{}")


def change(common_name: str = "www.acme.example", ssl_id: int = 1001) -> Change:
    row = OrderRow(f"#{ssl_id}", replace(an_order(), common_name=common_name, ssl_id=ssl_id))
    return Change(row, OrderSnapshot("APL"), OrderSnapshot("ISS"))


NOTES = "\x1b]9;sectigo-tui: {0}\a\x1b]777;notify;sectigo-tui;{0}\a"
LINE = "1001 www.acme.example: APL -> ISS"


@pytest.mark.parametrize(
    ("environ", "written"),
    [
        ({"TERM": "xterm-256color"}, BELL + NOTES.format(LINE)),
        ({"TERM": "linux"}, BELL),
        ({"TERM": "vt220"}, BELL),
        (
            {"TERM": "tmux-256color", "TMUX": "/tmp/tmux,1,0"},
            BELL
            + "".join(
                f"\x1bPtmux;{note.replace(chr(27), chr(27) * 2)}\a\x1b\\"
                for note in NOTES.format(LINE).split("\a")[:-1]
            ),
        ),
        (
            {"TERM": "screen-256color", "STY": "1.tty"},
            BELL + "".join(f"\x1bP{note}\a\x1b\\" for note in NOTES.format(LINE).split("\a")[:-1]),
        ),
    ],
    ids=["xterm", "linux console", "vt220", "tmux", "screen"],
)
def test_a_terminal_is_sent_what_it_can_take(environ: dict[str, str], written: str) -> None:
    assert notification([change()], environ) == written


def test_many_changes_are_one_notification() -> None:
    note = notification([change(), change(ssl_id=1002), change(ssl_id=1003)], {"TERM": "xterm"})
    assert note == BELL + NOTES.format(f"3 orders changed: {LINE}, ...")


def test_an_order_that_changed_twice_at_once_is_one_order() -> None:
    twice = [change(), replace(change(), before=OrderSnapshot("ISS"), after=OrderSnapshot("COL"))]
    assert notification(twice, {"TERM": "xterm"}) == BELL + NOTES.format("1001 www.acme.example: APL -> COL")


@pytest.mark.parametrize(
    "name", ["a\x07\x1b]0;owned\x07", "a;b;c", "a\x9d9;b\x9c", "evil\u202egro", "x" * 5_000, "a\nb", "\u009b31m"]
)
def test_no_name_of_an_order_acts_on_the_terminal(name: str) -> None:
    note = notification([change(name)], {"TERM": "xterm"})
    first, second = note.removeprefix(BELL).removesuffix("\a").split("\a")
    title, text = second.removeprefix("\x1b]777;notify;").split(";")
    assert (title, text) == ("sectigo-tui", first.removeprefix("\x1b]9;sectigo-tui: "))
    assert text.isprintable()
    assert len(text) <= 161
