"""Keys that come faster than what they open: each goes to what the one before has opened, and none breaks anything."""

from __future__ import annotations

import pytest
from textual import events
from textual.widgets import Input

from sectigo_tui.ui.dialogs.menu import Menu
from support.ui_stage import Stage, demo_world, on_stage, staged

OPENERS = ["a", ":", "o", "e", "P", "F", "d", "C", "?", "A", "T", "Y", "E", "H", "D", "/"]
JOINED = [("enter", "enter"), ("escape", "escape"), ("same", "same"), ("enter", "o", "o"), ("enter", "escape", "q")]
REQUESTED = 2100366


def burst(stage: Stage, *keys: str) -> None:
    for key in keys:
        stage.post(key)


def click(stage: Stage, x: int, y: int) -> None:
    for kind in (events.MouseDown, events.MouseUp):
        stage.app.post_message(
            kind(None, x, y, 0, 0, 1, shift=False, meta=False, ctrl=False, screen_x=x, screen_y=y, style=None)
        )


@pytest.mark.parametrize("joined", JOINED, ids=" ".join)
@on_stage
async def test_keys_joined_in_one_write_never_end_the_program(joined: tuple[str, ...]) -> None:
    async with staged(size=(80, 24)) as stage:
        for opener in OPENERS:
            burst(stage, opener, *(opener if key == "same" else key for key in joined))
            await stage.wait(1)
            assert stage.app.fatal_error is None, opener
            if joined[-1] == "q" and not stage.app.is_running:
                return
            assert stage.app.is_running, opener
            await stage.press("escape", "escape", "escape")


@pytest.mark.parametrize("opener", ["a", "o", "e", "F", "C"])
@on_stage
async def test_two_clicks_in_one_read_choose_once_and_never_end_the_program(opener: str) -> None:
    async with staged(size=(80, 24)) as stage:
        await stage.press(opener)
        await stage.wait(1)
        for line in range(5, 17, 2):
            click(stage, 20, line)
            click(stage, 20, line)
            await stage.wait(1)
            assert stage.app.is_running
            assert stage.app.fatal_error is None


@on_stage
async def test_a_filter_its_enter_and_the_key_after_it_typed_in_one_burst_do_what_they_do_typed_slowly() -> None:
    async with staged(size=(80, 24)) as stage:
        burst(stage, "/", *"mail", "enter", "d")
        await stage.wait(1)
        assert stage.view.filter_field.value == "mail"
        assert stage.view.pane.display


@on_stage
async def test_keys_typed_at_once_after_the_menu_s_reach_the_form_that_they_open() -> None:
    async with staged(size=(120, 40)) as stage:
        burst(stage, "a", "o", *"secret")
        await stage.wait(2)
        assert stage.app.screen.query_one("#password", Input).value == "secret"
        assert stage.view.filter_field.value == ""


@on_stage
async def test_text_typed_while_scm_is_asked_what_may_be_ordered_reaches_the_form() -> None:
    world = demo_world()
    world.faults.add("latency", path="organization", seconds=3.0, count=1)
    async with staged(world, size=(120, 40)) as stage:
        burst(stage, "a", "e", *"www.example.net")
        await stage.wait(8)
        assert stage.app.screen.query_one("#cn", Input).value == "www.example.net", stage.text


@on_stage
async def test_a_name_and_enter_after_the_palette_s_key_run_what_is_named() -> None:
    async with staged(size=(120, 40)) as stage:
        burst(stage, ":", *"Rotate the cred", "enter")
        await stage.wait(4)
        assert "New password" in stage.text, stage.text


@on_stage
async def test_an_enter_typed_before_a_question_could_be_read_does_not_answer_it() -> None:
    world = demo_world()
    async with staged(world, size=(120, 40)) as stage:
        await stage.press("3")
        await stage.wait(1)
        stage.view.table.move_to_id(f"#{REQUESTED}")
        await stage.wait(1)
        burst(stage, "a", "p", *"as agreed", "enter")
        await stage.wait(3)
        assert world.traffic.count("POST", "approve") == 0
        assert stage.app.screen.query_one("#text", Input).value == "as agreed"
        assert "before this could be read" in stage.text, stage.text
        await stage.press("enter")
        await stage.wait(3)
        assert world.traffic.count("POST", "approve") == 1


@on_stage
async def test_lines_pasted_by_a_terminal_that_types_them_are_joined_and_send_nothing() -> None:
    async with staged(size=(120, 40)) as stage:
        await stage.press("a", "e")
        await stage.wait(2)
        names = stage.app.screen.query_one("#names", Input)
        names.focus()
        await stage.wait()
        burst(stage, *"a.example", "enter", *"b.example,", "enter", *"c.example", "enter")
        await stage.wait(1)
        assert names.value == "a.example, b.example, c.example"
        assert stage.app.screen.query("#names"), stage.text
        assert "3 lines were pasted" in stage.text


@on_stage
async def test_marked_pastes_of_several_lines_are_joined_and_told_in_every_field_of_one_line() -> None:
    async with staged(size=(120, 40)) as stage:
        await stage.press("/")
        stage.app.post_message(events.Paste("alpha\nbeta\n"))
        await stage.wait(1)
        assert stage.view.filter_field.value == "alpha beta"
        await stage.press("escape", "a", "o")
        await stage.wait(1)
        stage.app.post_message(events.Paste("secret\nother\n"))
        await stage.wait(1)
        assert stage.app.screen.query_one("#password", Input).value == "secret"
        assert "the others are dropped" in stage.text


@on_stage
async def test_a_write_that_was_answered_below_a_help_screen_closes_what_said_to_wait() -> None:
    world = demo_world()
    world.faults.add("latency", path="approve/", seconds=5.0)
    async with staged(world, size=(120, 40)) as stage:
        await stage.press("3")
        await stage.wait(1)
        stage.view.table.move_to_id(f"#{REQUESTED}")
        await stage.wait(1)
        await stage.press("a", "p", *"ok", "enter")
        await stage.wait(2)
        assert "Please wait" in stage.text
        await stage.press("?")
        assert "Help" in stage.text
        await stage.wait(10)
        await stage.press("escape")
        assert "Please wait" not in stage.text
        assert len(stage.app.screen_stack) == 1
        await stage.press("a")
        assert isinstance(stage.app.screen, Menu)
