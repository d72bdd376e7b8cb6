"""What every dialog has in common: help, and room in small terminals."""

from __future__ import annotations

import pytest
from textual.widget import Widget

from support.ui_stage import Stage, on_stage, staged

DIALOGS = [("a",), ("a", "e"), ("a", "o"), ("o",), ("F",), ("e",), ("A",), ("P",), ("c", "Y")]


def scrollbars(stage: Stage) -> list[str | None]:
    return [widget.id for widget in stage.app.screen.query(Widget) if widget.show_vertical_scrollbar]


@pytest.mark.parametrize("keys", DIALOGS, ids=" ".join)
@on_stage
async def test_a_dialog_has_one_scrollbar_at_most_and_its_buttons_in_sight(keys: tuple[str, ...]) -> None:
    async with staged(size=(80, 24)) as stage:
        await stage.press(*keys)
        await stage.wait(1)
        for size in [(80, 24), (60, 15), (40, 10), (20, 5)]:
            await stage.resize(*size)
            stage.check_frame()
            assert len(scrollbars(stage)) <= 1, (size, scrollbars(stage))
            assert "Cance" in stage.text or "Close" in stage.text, stage.text


@on_stage
async def test_the_line_under_the_cursor_of_a_menu_stays_in_sight_in_a_small_terminal() -> None:
    async with staged(size=(40, 10)) as stage:
        await stage.press("a")
        assert "Enroll: order" in stage.text
        await stage.press("up")
        assert "Rotate the cred" in stage.text
        await stage.press("down")
        assert "Enroll: order" in stage.text


@pytest.mark.parametrize(
    ("keys", "words"),
    [(("a",), "Cancel"), (("o",), "Show or hide"), (("F",), "Delete"), (("c", "Y"), "Close")],
    ids=["menu", "columns", "filters", "reading"],
)
@on_stage
async def test_help_in_a_dialog_tells_the_keys_of_the_dialog_and_goes_back_to_it(
    keys: tuple[str, ...], words: str
) -> None:
    async with staged(size=(120, 40)) as stage:
        await stage.press(*keys)
        asking = stage.app.screen
        await stage.press("?")
        assert "Help" in stage.text
        assert words in stage.text
        assert "take what is chosen, or press the button" in stage.text
        assert "Quit" not in "\n".join(stage.lines[:-1])
        await stage.press("?")
        assert stage.app.screen is asking


@on_stage
async def test_a_question_mark_is_a_character_in_a_field() -> None:
    async with staged() as stage:
        await stage.press("a", "o", "?")
        assert stage.app.screen.query_one("#password").value == "?"  # type: ignore[attr-defined] # an Input
