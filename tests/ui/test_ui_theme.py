"""Themes on the terminals there are."""

from __future__ import annotations

import pytest
from rich.color import ColorType
from rich.style import Style
from textual.app import App, ComposeResult
from textual.color import Color
from textual.theme import Theme
from textual.widgets import Input, Static

from sectigo_tui.presentation.themes import CELL_STYLES, DARK, LIGHT, MONO, SAFE, SIXTEEN, ansi_color_of, choose_theme
from sectigo_tui.ui.theme import THEMES, VARIABLE_DEFAULTS
from sectigo_tui.ui.widgets.table.paint import terminal_style

TRUE_COLOUR_THEMES = [each for each in THEMES if not each.ansi]
PARTS = ("header", "cursor", "cursor-blurred")


class Shown(App[None]):
    def __init__(self, name: str, *, ansi_color: bool | None) -> None:
        super().__init__(ansi_color=ansi_color)
        for each in THEMES:
            self.register_theme(each)
        self.theme = name

    def compose(self) -> ComposeResult:
        yield Static("seen")
        yield Input("typed")


@pytest.mark.parametrize(
    ("environ", "name"),
    [
        ({"TERM": "xterm-256color"}, DARK),
        ({"TERM": "xterm", "COLORTERM": "truecolor"}, DARK),
        ({"TERM": "xterm"}, SIXTEEN),
        ({"TERM": "linux"}, SIXTEEN),
        ({"TERM": "vt220"}, MONO),
        ({"TERM": "dumb"}, MONO),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, MONO),
        ({"TERM": "xterm-256color", "NO_COLOR": ""}, MONO),
    ],
)
def test_a_terminal_gets_the_colours_it_has(environ: dict[str, str], name: str) -> None:
    assert choose_theme(environ) == name


@pytest.mark.parametrize(
    ("preference", "name"), [("dark", DARK), ("light", LIGHT), ("safe", SAFE), ("16", SIXTEEN), ("mono", MONO)]
)
def test_a_preference_is_followed(preference: str, name: str) -> None:
    assert choose_theme({"TERM": "xterm-256color", "NO_COLOR": "1"}, preference) == name


@pytest.mark.parametrize("each", THEMES, ids=lambda each: each.name)
def test_every_theme_says_everything_the_widgets_ask_for(each: Theme) -> None:
    assert each.variables.keys() >= VARIABLE_DEFAULTS.keys()


@pytest.mark.parametrize("each", TRUE_COLOUR_THEMES, ids=lambda each: each.name)
def test_text_stands_out_from_what_is_behind_it(each: Theme) -> None:
    background = Color.parse(each.background)
    for name in CELL_STYLES:
        assert contrast(Color.parse(each.variables[f"state-{name}"]), background) >= 4.5, name
    for part in PARTS:
        behind = Color.parse(each.variables[f"table-{part}-background"])
        assert contrast(Color.parse(each.variables[f"table-{part}"]), behind) >= 4.5, part


@pytest.mark.parametrize("each", TRUE_COLOUR_THEMES, ids=lambda each: each.name)
def test_a_state_keeps_its_colour_under_the_cursor_and_can_be_read_there(each: Theme) -> None:
    for part in ("cursor", "cursor-blurred"):
        behind = Color.parse(each.variables[f"table-{part}-background"])
        for name in CELL_STYLES:
            assert contrast(Color.parse(each.variables[f"state-{name}"]), behind) >= 4, (part, name)


@pytest.mark.parametrize("each", TRUE_COLOUR_THEMES, ids=lambda each: each.name)
def test_every_colour_of_the_table_has_a_short_name(each: Theme) -> None:
    values = [str(each.background), *each.variables.values()]
    colours = [Color.parse(value) for value in values if value.startswith("#")]
    for colour in colours:
        style = terminal_style(Style(color=colour.rich_color))
        assert style is not None
        assert style.color is not None
        assert style.color.type is ColorType.EIGHT_BIT, colour.hex


@pytest.mark.parametrize("each", THEMES, ids=lambda each: each.name)
@pytest.mark.parametrize("no_color", [False, True])
async def test_no_theme_paints_ink_on_ink(each: Theme, no_color: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    app = Shown(each.name, ansi_color=True if each.ansi else None)
    async with app.run_test(size=(30, 6)):
        for strip in app.screen._compositor.render_strips():
            for text, style, _ in strip:
                if text.strip() and style is not None and not style.reverse:
                    is_own = style.color is None or style.color.is_default
                    assert is_own or style.color != style.bgcolor, text


async def test_without_colour_nothing_but_the_terminals_own_is_painted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    choice = choose_theme({"NO_COLOR": "1"})
    app = Shown(choice, ansi_color=ansi_color_of(choice))
    async with app.run_test(size=(30, 6)):
        styles = [style for strip in app.screen._compositor.render_strips() for _, style, _ in strip if style]
        assert all(style.color is None or style.color.is_default for style in styles)
        assert all(style.bgcolor is None or style.bgcolor.is_default for style in styles)


def test_the_states_differ_without_colour() -> None:
    mono = next(each for each in THEMES if each.name == MONO)
    assert mono.variables["table-cursor-text-style"] == "reverse"
    assert mono.variables["state-failed-text-style"] != mono.variables["state-pending-text-style"]


def contrast(one: Color, other: Color) -> float:
    """WCAG's contrast ratio."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: Color) -> float:
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in color.normalized]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
