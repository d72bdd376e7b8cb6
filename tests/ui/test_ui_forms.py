"""What is filled in is not lost, and the focus stands where something is to be done."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from textual.widgets import Button, Input

from sectigo_tui.domain.errors import ConfigError, CredentialsRefused, SectigoTuiError, Unreachable
from sectigo_tui.presentation.themes import choose_theme
from sectigo_tui.ui.dialogs.form import Tick
from sectigo_tui.ui.first_run import FirstRunApp
from sectigo_tui.ui.outside import Outside
from support.ui_stage import Stage, demo_world, on_stage, staged, type_text

REQUESTED = 2100366
GIVEN = {"customer_uri": "acme", "login": "api", "password": "not-shown-4711"}
REJECTIONS_AT_MOST = {
    "password": CredentialsRefused("profiles", "refused", http_status=401, code=-970),
    "confirm": Unreachable("profiles", "no answer"),
    "base_url": ConfigError(key="base_url", source="the form", reason="no URL", remedy="write one"),
}


async def form_of_approval(stage: Stage) -> None:
    await stage.press("3")
    await stage.wait(1)
    stage.view.table.move_to_id(f"#{REQUESTED}")
    await stage.wait(1)
    await stage.press("a", "p")
    await stage.wait(1)


@pytest.mark.parametrize("field", REJECTIONS_AT_MOST)
@on_stage
async def test_the_first_form_goes_on_at_the_field_at_fault_and_keeps_what_no_server_has_seen(field: str) -> None:
    async def refuse(_answers: Mapping[str, str]) -> str:
        failure: SectigoTuiError = REJECTIONS_AT_MOST[field]
        raise failure

    app = FirstRunApp(refuse, choose_theme({"TERM": "xterm-256color"}, "dark"))
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        for name, text in GIVEN.items():
            app.screen.query_one(f"#{name}", Input).value = text
        app.screen.query_one("#confirm", Button).press()
        await pilot.pause(1)
        assert app.screen.focused is not None
        assert app.screen.focused.id == field
        kept = {name: app.screen.query_one(f"#{name}", Input).value for name in GIVEN}
        assert kept == ({**GIVEN, "password": ""} if field == "password" else GIVEN)
        assert app.screen.query_one("#password", Input).password


@on_stage
async def test_a_wrong_name_among_more_names_has_the_focus() -> None:
    async with staged(size=(120, 40)) as stage:
        await stage.press("a", "e")
        await stage.wait(2)
        form = stage.app.screen
        form.query_one("#cn", Input).value = "www.example.net"
        form.query_one("#names", Input).value = "mail.example.net, https://x.example.net/"
        form.query_one("#confirm", Button).press()
        await stage.wait(3)
        assert stage.app.screen.focused is not None
        assert stage.app.screen.focused.id == "names", stage.text


@on_stage
async def test_a_form_that_is_filled_in_asks_before_esc_and_its_draft_comes_back() -> None:
    async with staged(demo_world(), size=(120, 40)) as stage:
        await form_of_approval(stage)
        await type_text(stage, "as agreed with the owner")
        await stage.press("escape")
        assert "not sent" in stage.text
        await stage.press("escape")
        assert stage.app.screen.query_one("#text", Input).value == "as agreed with the owner"
        await stage.press("escape", "tab", "enter")
        assert len(stage.app.screen_stack) == 1
        await stage.press("a", "p")
        await stage.wait(1)
        assert stage.app.screen.query_one("#text", Input).value == "as agreed with the owner"
        await stage.press("escape", "tab", "tab", "enter", "a", "p")
        await stage.wait(1)
        assert stage.app.screen.query_one("#text", Input).value == ""


@on_stage
async def test_leaving_the_program_by_ctrl_q_asks_before_a_form_is_thrown_away() -> None:
    async with staged(size=(120, 40)) as stage:
        await form_of_approval(stage)
        await type_text(stage, "as agreed")
        await stage.press("ctrl+q")
        assert stage.app.is_running
        assert "not sent" in stage.text
        await stage.press("escape")
        assert stage.app.screen.query_one("#text", Input).value == "as agreed"


@on_stage
async def test_a_password_that_was_typed_is_never_in_a_draft() -> None:
    async with staged(size=(120, 40)) as stage:
        await stage.press("a", "o")
        await type_text(stage, "not-shown-4711")
        await stage.press("escape")
        assert "Keep draft" not in stage.text
        await stage.press("tab", "enter")
        assert stage.app.drafts == {}


@on_stage
async def test_a_form_in_which_nothing_was_typed_closes_at_once() -> None:
    async with staged(size=(120, 40)) as stage:
        for keys in (("a", "o"), ("a", "e"), ("F",)):
            await stage.press(*keys)
            await stage.wait(2)
            await stage.press("escape")
            assert len(stage.app.screen_stack) == 1, (keys, stage.text)


@on_stage
async def test_a_message_that_scm_did_not_get_is_still_there_for_another_try() -> None:
    world = demo_world()
    world.faults.add("drop", path="approve/")
    async with staged(world, size=(120, 40)) as stage:
        await form_of_approval(stage)
        await type_text(stage, "as agreed")
        await stage.press("enter")
        await stage.wait(30)
        await stage.press("enter")
        await stage.wait(1)
        assert stage.app.screen.query_one("#text", Input).value == "as agreed"


@pytest.mark.parametrize("theme", ["dark", "light", "safe", "16", "mono"])
@on_stage
async def test_the_button_that_has_the_focus_is_the_filled_one_and_an_empty_box_is_seen(theme: str) -> None:
    async with staged(size=(120, 40), theme=theme) as stage:
        await stage.press("a", "o")
        await stage.wait(1)
        screen = stage.app.screen
        assert "[ ] Generate a password" in stage.text
        cancel, confirm = screen.query_one("#cancel", Button), screen.query_one("#rotate", Button)
        for focused, other in ((cancel, confirm), (confirm, cancel)):
            focused.focus()
            await stage.wait()
            filled, plain = focused.rich_style, other.rich_style
            assert filled.reverse or filled.bgcolor != plain.bgcolor
            assert not plain.reverse
            assert plain.bgcolor == screen.query_one("#dialog").rich_style.bgcolor
        screen.query_one("#make-new", Tick).value = True
        await stage.wait()
        assert "[X] Generate a password" in stage.text


@on_stage
async def test_every_button_is_read_whole_at_20_columns() -> None:
    async with staged(size=(120, 40)) as stage:
        await stage.press("a", "o")
        await stage.wait(1)
        await stage.resize(20, 16)
        await stage.wait(1)
        assert "Cancel" in stage.text
        assert "Test and rotate" in stage.text, stage.text


@on_stage
async def test_any_of_forty_profiles_can_be_chosen() -> None:
    opened: list[str] = []

    async def check(name: str) -> None:
        opened.append(name)

    names = tuple(f"team-{number:02}" for number in range(40))
    async with staged(size=(80, 24), outside=Outside(profiles=lambda: names, check_profile=check)) as stage:
        await stage.press("P")
        await stage.wait(1)
        await stage.press("up")
        assert "team-39" in stage.text, stage.text
        await stage.press("enter")
        await stage.wait(1)
        assert opened == ["team-39"]


@on_stage
async def test_marks_go_where_it_was_done_and_stay_where_it_failed() -> None:
    world = demo_world()
    async with staged(world, size=(120, 40)) as stage:
        waiting = [2100371, 2100375]
        world.faults.add("error", path=f"approve/{waiting[1]}", status=400, code=-1601, description="Wrong.")
        await stage.press("1")
        await stage.wait(1)
        for ssl_id in waiting:
            stage.view.table.move_to_id(f"#{ssl_id}")
            await stage.press("space")
        await stage.press("a", "p")
        await stage.wait(1)
        await type_text(stage, "as agreed")
        await stage.press("enter")
        await stage.wait(2)
        assert "-1601" in stage.text, stage.text
        assert [stage.view.order_row_of(row_id).ssl_id for row_id in stage.view.table.marks] == [waiting[1]]
