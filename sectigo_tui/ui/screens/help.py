"""The keys of where the operator is, by purpose, and what the shapes mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from sectigo_tui.presentation.columns import COLUMNS
from sectigo_tui.presentation.glyphs import STATE_CELLS, Glyphs, StateGlyph, state_glyphs
from sectigo_tui.presentation.meanings import NEXT_WORDS, PARTIES, SHORT_PARTIES, Meaning
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.content.lines import LEAST_WRAP_CELLS
from sectigo_tui.ui.keys.active_keys import KeyHelp, grouped
from sectigo_tui.ui.keys.key_names import filled
from sectigo_tui.ui.terminal.dismiss import dismiss_once

KEY_CELLS = 12

_WORDS = (
    *((word, f"in NEXT: {text[0].lower()}{text[1:]}") for word, text in NEXT_WORDS.items()),
    ("+", "in front of a row: it changed since the cursor was on it"),
    ("w", "it is watched: bell and notification when it changes"),
    (".", "it was acknowledged, and is quiet until it changes"),
    ("AGE ~", "not polled for too long, or the last poll failed"),
    ("+?", "the account was not listed yet: there may be more"),
)
_IN_DIALOG = (
    ("Up Down", "move in a list"),
    ("Enter", "take what is chosen, or press the button"),
    ("Space", "tick a box, or open a choice"),
)
"""What fields, lists and buttons do by themselves."""
_WIDEST_CELLS = 80
_AROUND_CELLS = 5
"""Border, padding and scroll bar."""


class Help(ModalScreen[None]):
    """Lists keys, states and the words of the columns.

    Args:
        keys: The actions that can be done where help was asked for.
        glyphs: The shapes of this terminal.
        is_of_dialog: Whether help was asked for in a dialog, where no orders are shown.
        meanings: What stands under the cursor or the mouse means, where that is known.
    """

    DEFAULT_CSS = """
    Help {
        align: center middle;
        #help {
            width: 90%;
            max-width: 80;
            height: auto;
            max-height: 96%;
            background: $surface;
            border: solid $primary;
            border-title-color: $table-header;
            padding: 0 1;
            scrollbar-size-vertical: 1;
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1,enter", "dismiss", "Close", id="help.close"),
        Binding("j", "scroll(1)", "Down", show=False, id="help.down"),
        Binding("k", "scroll(-1)", "Up", show=False, id="help.up"),
        Binding("space", "scroll(10)", "Page down", show=False, id="help.page_down"),
        Binding("g", "scroll(-1000)", "Top", show=False, id="help.top"),
        Binding("G", "scroll(1000)", "Bottom", show=False, id="help.bottom"),
    ]

    def __init__(
        self, keys: Sequence[KeyHelp], glyphs: Glyphs, *, is_of_dialog: bool = False, meanings: Sequence[Meaning] = ()
    ) -> None:
        super().__init__()
        self._is_of_dialog = is_of_dialog
        self._keys = keys
        self._meanings = meanings
        self._glyphs = glyphs
        self._width = 0

    def dismiss(self, result: None = None) -> AwaitComplete:
        """Close, once."""
        return dismiss_once(self, result, super().dismiss)

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        # As wide as the style sheet makes it, so that the first frame is whole: an Esc may come right after it.
        self._width = min(_WIDEST_CELLS, self.app.size.width * 9 // 10) - _AROUND_CELLS
        with VerticalScroll(id="help") as frame:
            frame.border_title = "Help"
            frame.border_subtitle = filled(self, "{help.down} {help.up} scroll, {help.close} closes")
            yield Static(self._content(), id="help-text", markup=False)

    def on_resize(self) -> None:
        """Wrap each text beside its key."""
        width = self.query_one("#help").scrollable_content_region.width
        if width != self._width:
            self._width = width
            self.query_one("#help-text", Static).update(self._content())

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self.query_one("#help").scroll_relative(y=lines, animate=False)

    def _content(self) -> Content:
        lines: list[Content] = []
        if self._meanings:
            lines += [_heading("Here"), *map(self._meaning, self._meanings), Content("")]
        for group, keys in grouped(self._keys):
            lines += [
                _heading(group),
                *(self._line(key.keys or f":{key.title}", key.text) for key in keys),
                Content(""),
            ]
        if self._is_of_dialog:
            return Content("\n").join([*lines[:-1], *(self._line(key, what) for key, what in _IN_DIALOG)])
        lines += [
            _heading("Columns"),
            *(self._explained(column.title, column.meaning) for column in COLUMNS),
            Content(""),
        ]
        lines += [
            _heading("Blocked on"),
            *(self._explained(SHORT_PARTIES.get(one, one), PARTIES[one]) for one in PARTIES),
        ]
        lines += [Content(""), _heading("States"), *map(self._state, state_glyphs()), Content("")]
        lines += [_heading("Words"), *(self._explained(word, meaning) for word, meaning in _WORDS)]
        return Content("\n").join(lines)

    def _explained(self, word: str, meaning: str) -> Content:
        return self._line(word, filled(self, meaning))

    def _meaning(self, meaning: Meaning) -> Content:
        value = f"{printable(meaning.value, limit=80)}: " if meaning.value else ""
        return self._line(meaning.title, Content.assemble((value, "bold"), filled(self, meaning.text)))

    def _state(self, glyph: StateGlyph) -> Content:
        return self._line(glyph.in_words(self._glyphs), glyph.meaning, cells=STATE_CELLS, style=f"$state-{glyph.style}")

    def _line(self, key: str, text: str | Content, *, cells: int = KEY_CELLS, style: str = "bold") -> Content:
        content = text if isinstance(text, Content) else Content(text)
        room = self._width - cells - 1
        first, *more = content.wrap(room) if room >= LEAST_WRAP_CELLS else [content]
        indent = " " * (cells + 1)
        return Content("\n").join(
            [
                Content.assemble((f"{key:<{cells}}", style), " ", first.rstrip()),
                *(Content.assemble(indent, line.rstrip()) for line in more),
            ]
        )


def _heading(text: str) -> Content:
    return Content.styled(text, "$table-header bold")
