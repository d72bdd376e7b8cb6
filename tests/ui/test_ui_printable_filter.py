"""The last net: whatever a widget hands on, what is painted is pictures, and as wide as it was."""

from __future__ import annotations

import pytest
import wcwidth
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.content import Content
from textual.widgets import Static

from sectigo_tui.presentation.text import printable
from sectigo_tui.presentation.themes import choose_theme
from sectigo_tui.ui.terminal.printable_filter import LAST_NET
from sectigo_tui.ui.terminal.terminal_app import TerminalApp

BLACK = Color(0, 0, 0)


def painted(*texts: str, style: Style | None = None) -> list[Segment]:
    return LAST_NET.apply([Segment(text, style) for text in texts], BLACK)


@given(texts=st.lists(st.text(), min_size=1, max_size=4))
def test_any_text_is_painted_as_pictures_of_the_same_width(texts: list[str]) -> None:
    for text, (shown, _, _) in zip(texts, painted(*texts), strict=True):
        assert shown.isprintable()
        assert cell_len(shown) == cell_len(text)
        assert wcwidth.wcswidth(shown) == cell_len(text)


@given(text=st.text())
def test_terminals_give_printable_text_as_many_cells_as_it_is_thought_to_have(text: str) -> None:
    shown = printable(text)
    assert wcwidth.wcswidth(shown) == cell_len(shown)


def test_what_is_a_picture_already_is_handed_on_as_it_is() -> None:
    segments = [Segment("│ ◐ 証明書 e\u0301cole"), Segment("plain", Style(bold=True))]
    assert LAST_NET.apply(segments, BLACK) is segments


def test_a_link_is_left_as_its_text_alone() -> None:
    ((text, style, _),) = painted("here", style=Style(link="https://evil.example\x1b\\", bold=True))
    assert text == "here"
    assert style is not None
    assert style.link is None
    assert style.bold


class Forgetful(TerminalApp[None]):
    """An application whose widgets clean nothing."""

    CSS = "Static { border: solid white; width: 40; height: 3; }"

    def compose(self) -> ComposeResult:
        title = Static(Content("name\x1b[2J \u202eevil\u200b \x9b31m"))
        title.border_title = Content("ti\x1b]0;tle\x07")
        yield title

    def on_mount(self) -> None:
        self.notify("to\x1b[2Jast\u2066", markup=False)


@pytest.mark.parametrize("size", [(60, 20), (20, 5)])
async def test_a_widget_that_forgot_to_clean_its_text_does_no_harm(size: tuple[int, int]) -> None:
    async with Forgetful(choose_theme({})).run_test(size=size, notifications=True) as pilot:
        await pilot.pause()
        strips = _strips(pilot.app)
        assert len(strips) == size[1]
        for text in strips:
            assert text.isprintable(), repr(text)
            assert cell_len(text) == size[0]
        assert "name" in "".join(strips)


def _strips(app: App[None]) -> list[str]:
    app.screen._on_timer_update()
    return [strip.text for strip in app.screen._compositor.render_strips()]


async def test_a_field_that_begins_before_the_first_screen_breaks_nothing() -> None:
    """In Python 3.12 and newer the fields of the first view begin so early."""
    TerminalApp[None](choose_theme({})).clear_selection()
