"""Each write that SCM refuses, or answers late: what is filled in stays, and keys typed meanwhile do nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from textual import events

from sectigo_tui.presentation.rows import local_id
from sectigo_tui.ui.dialogs.confirm import Confirm, Notice
from sectigo_tui.ui.dialogs.dialog import Dialog
from sectigo_tui.ui.screens.orders import PendingView
from support.ui_stage import Stage, demo_world, on_stage, staged

ISSUED = 2100368
REQUESTED = 2100366
NAME = "mail-gw.acme.example"
WRITES = "enroll|revoke|renew|replace|approve|decline|changepassword"


async def type_into(stage: Stage, field: str, text: str) -> None:
    stage.app.screen.query_one(field).focus()
    await stage.wait()
    for character in text:
        stage.post(character)
    await stage.wait()


async def open_for(stage: Stage, ssl_id: int, key: str) -> None:
    await stage.press("3")
    await stage.wait(1)
    stage.view.table.move_to_id(f"#{ssl_id}")
    await stage.wait(1)
    await stage.press("a", key)
    await stage.wait(1)


async def approve(stage: Stage) -> None:
    await open_for(stage, REQUESTED, "p")
    await type_into(stage, "#text", "as agreed")
    await stage.press("tab", "enter")


async def decline(stage: Stage) -> None:
    await open_for(stage, REQUESTED, "d")
    await type_into(stage, "#text", "as agreed")
    await stage.press("tab", "enter")


async def revoke(stage: Stage) -> None:
    await open_for(stage, ISSUED, "v")
    stage.app.screen.query_one("#reason-code").value = "4"  # type: ignore[attr-defined] # a Select
    await type_into(stage, "#reason", "as agreed")
    await type_into(stage, "#typed", NAME)
    await stage.press("tab", "enter")


async def renew(stage: Stage) -> None:
    await open_for(stage, ISSUED, "n")
    await stage.press("tab", "tab", "enter")


Write = Callable[[Stage], Awaitable[None]]
WAYS: dict[str, Write] = {"approve/": approve, "decline/": decline, "revoke/": revoke, "renewById/": renew}


@pytest.mark.parametrize("path", WAYS)
@on_stage
async def test_a_write_that_scm_refuses_is_explained_with_its_code_and_sent_once(path: str) -> None:
    world = demo_world()
    world.faults.add("error", path=path, status=400, code=-1601, description="Wrong.")
    async with staged(world, size=(120, 40)) as stage:
        await WAYS[path](stage)
        await stage.wait(3)
        assert "-1601" in stage.text
        assert "Next:" in stage.text
        if path == "decline/":
            assert "as agreed" in stage.text
        assert world.traffic.count("POST", WRITES) == 1


@pytest.mark.parametrize("path", WAYS)
@on_stage
async def test_keys_typed_while_the_answer_to_a_write_is_late_do_nothing(path: str) -> None:
    world = demo_world()
    world.faults.add("latency", path=path, seconds=20.0)
    async with staged(world, size=(120, 40)) as stage:
        await WAYS[path](stage)
        await stage.wait(2)
        assert "cannot be cancelled" in stage.text, stage.text
        below = stage.view
        await stage.press("escape", "enter", "tab", "enter", "q", "a", "v")
        assert "cannot be cancelled" in stage.text
        assert stage.view is below
        await stage.wait(40)
        assert len(stage.app.screen_stack) == 1, stage.text
        if path == "renewById/":
            (order,) = [one for one in stage.site.engine.orders.orders() if one.renews_ssl_id == ISSUED]
            assert isinstance(stage.view, PendingView)
            assert stage.cursor == local_id(order)
        else:
            assert stage.view is below
        assert stage.app.is_running
        assert world.traffic.count("POST", WRITES) == 1


@on_stage
async def test_a_certificate_that_scm_does_not_hand_out_yet_is_told_and_nothing_is_saved() -> None:
    world = demo_world()
    world.faults.add("error", path="collect/", status=400, code=0, description="Being processed by Sectigo")
    async with staged(world, size=(120, 40)) as stage:
        await open_for(stage, ISSUED, "c")
        await stage.press("enter")
        await stage.wait(3)
        assert "Being processed by Sectigo" in stage.text or "not ready" in stage.text, stage.text
        assert "Saved" not in stage.text


@pytest.mark.parametrize(
    ("dialog", "words"),
    [(Notice("Done", "Approved."), "Not closed"), (Confirm("Sure?", "An order.", "Place order"), "confirm it again")],
    ids=["notice", "question"],
)
async def test_a_key_from_before_a_dialog_was_painted_is_refused_in_words_that_fit_it(
    dialog: Dialog[bool], words: str
) -> None:
    async with staged(demo_world()) as stage:
        stage.app.push_screen(dialog)
        await stage.wait(1)
        early = events.Key("enter", None)
        dialog.shown_at = early.time + 1
        assert not dialog.admits(early)
        await stage.wait(1)
        assert words in stage.text
