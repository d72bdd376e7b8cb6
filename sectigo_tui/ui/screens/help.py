"""The keys of where the operator is, and what the shapes mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from sectigo_tui.ui.glyphs import Glyphs, state_looks

Key = tuple[str, str]
"""A key as it is pressed, and what it does."""


class Help(ModalScreen[None]):
    """Lists keys and states.

    Args:
        keys: The keys that work where help was asked for.
        glyphs: The shapes of this terminal.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "dismiss", "Close", id="help.close"),
        Binding("j", "scroll(1)", "Down", show=False, id="help.down"),
        Binding("k", "scroll(-1)", "Up", show=False, id="help.up"),
    ]

    def __init__(self, keys: Sequence[Key], glyphs: Glyphs) -> None:
        super().__init__()
        self._keys = keys
        self._glyphs = glyphs

    def compose(self) -> ComposeResult:
        """Lay out the list."""
        with VerticalScroll(id="help"):
            yield Static(self._content(), markup=False)

    def action_scroll(self, lines: int) -> None:
        """Scroll by lines."""
        self.query_one("#help").scroll_relative(y=lines, animate=False)

    def _content(self) -> Content:
        blocks: Iterable[Content] = (
            Content.styled("Keys here (Esc closes this)", "bold"),
            *(Content.assemble((f"{key:<14}", "bold"), text) for key, text in self._keys),
            Content(""),
            Content.styled("States", "bold"),
            Content("  ".join(look.text(self._glyphs) for look in state_looks())),
            Content(
                "NEXT: time to the next look; poll: it is on its way; hold: polling has ended, r starts it again; "
                "429: SCM asked to wait; auth: SCM refused the credentials. AGE ~: not looked at for too long."
            ),
        )
        return Content("\n").join(blocks)
