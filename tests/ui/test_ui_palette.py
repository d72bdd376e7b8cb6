"""The palette has every action: those of the menu and the profiles too, by the names that operators type."""

from __future__ import annotations

import pytest

from sectigo_tui.ui.outside import Outside
from sectigo_tui.ui.workflows.actions import ACTIONS
from support.ui_stage import Stage, on_stage, staged


async def type_in_palette(stage: Stage, text: str) -> None:
    await stage.press("colon", *text)
    await stage.wait(1)


async def choose(stage: Stage, text: str) -> None:
    await type_in_palette(stage, text)
    await stage.press("enter")
    await stage.wait(1)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.id)
@on_stage
async def test_each_action_of_the_menu_is_found_with_what_it_is_about_or_why_not(action: object) -> None:
    title = next(each.title for each in ACTIONS if each is action)
    async with staged(size=(120, 40)) as stage:
        await type_in_palette(stage, title.split()[0].strip(":").lower())
        at = next(number for number, line in enumerate(stage.lines) if title in line)
        assert any(word in stage.lines[at + 1] for word in ("not now: ", "2100", "for this account"))


@on_stage
async def test_an_order_is_placed_from_the_palette() -> None:
    async with staged(size=(120, 40)) as stage:
        await choose(stage, "enroll")
        assert "Enroll" in stage.text
        assert "CSR" in stage.text


@on_stage
async def test_what_is_chosen_is_about_the_order_that_was_under_the_cursor() -> None:
    async with staged(size=(120, 40)) as stage:
        await stage.press("/", *"returns", "enter")
        await choose(stage, "approve")
        asked = stage.text.partition("Approve 1 order?")[2]
        assert "2100366  Requested" in asked


@on_stage
async def test_an_action_that_cannot_be_done_says_why_when_it_is_chosen_nevertheless() -> None:
    async with staged(size=(120, 40)) as stage:
        await choose(stage, "revoke")
        assert "Revoke: Applied: not issued" in stage.text


@on_stage
async def test_another_profile_is_gone_on_with_by_its_name() -> None:
    async with staged(outside=Outside(profiles=lambda: ("", "staging", "[dr]")), size=(120, 40)) as stage:
        offered = await stage.app.workflows.profile_entries()
        assert [entry.title for entry in offered] == ["Profile staging", "Profile [dr]"]
        await choose(stage, "profile staging")
        assert stage.app.return_value == "staging"


@on_stage
async def test_the_handover_is_found_by_its_name() -> None:
    async with staged(size=(120, 40)) as stage:
        await choose(stage, "handover")
        await stage.wait(30)
        assert any("Handover" in line and "scroll" in line for line in stage.lines), stage.text
