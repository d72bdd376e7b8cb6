"""The one line at the bottom: the keys of where the operator is, or a hint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

from sectigo_tui.ui.keys.key_names import KeyNames

HINT_SECONDS = 6.0
"""How long a hint stands over the keys."""


class KeyHint(NamedTuple):
    """A key in the line.

    Args:
        shown: How the key is written; empty for words without a key.
        text: What it does, in a word.
        rank: Who goes first where there is no room: the highest. 0 stays always.
        key: What a click presses, as Textual names it.
    """

    shown: str
    text: str
    rank: int = 1
    key: str = ""

    @property
    def cells(self) -> int:
        """How much room it takes, with the gap after it."""
        return cell_len(f"{self.shown} {self.text}  ")


def hints_of(names: KeyNames, wanted: Iterable[tuple[str, str, int]]) -> list[KeyHint]:
    """Return the keys of actions, without those that were taken away.

    Args:
        names: Names the keys in force.
        wanted: The ids of the actions that are told together, what they do in a word, and the rank.
    """
    hints = []
    for ids, text, rank in wanted:
        keys = [(names.name(each), names.key(each)) for each in ids.split() if names.key(each)]
        if keys:
            pressed = keys[0][1] if len(keys) == 1 else ""
            hints.append(KeyHint(" ".join(name for name, _ in keys), text, rank, pressed))
    return hints


class KeyLine(Widget):
    """Shows as many keys as fit; a click on one presses it."""

    DEFAULT_CSS = """
    KeyLine {
        height: 1;
        background: $panel;
        color: $foreground;
        text-wrap: nowrap;
        text-overflow: ellipsis;
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._hints: tuple[KeyHint, ...] = ()
        self._message = ""
        self._until: Timer | None = None

    @property
    def text(self) -> str:
        """What the line says now."""
        return self.render().plain

    def show(self, hints: Sequence[KeyHint]) -> None:
        """Show keys; what was said while others were in force is past.

        Args:
            hints: All there are, from left to right.
        """
        if tuple(hints) != self._hints:
            self._hints = tuple(hints)
            self.show_message("")

    def show_message(self, words: str) -> None:
        """Say why a key did nothing, for some seconds.

        Args:
            words: Printable text of a line; empty to take back what was said.
        """
        if self._until is not None:
            self._until.stop()
        self._until = self.set_timer(HINT_SECONDS, lambda: self.show_message("")) if words else None
        self._message = words
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        x = 0
        for hint in self._fitting():
            if x <= event.x < x + hint.cells and hint.key:
                self.app.simulate_key(hint.key)
            x += hint.cells

    def render(self) -> Content:
        """Return the line."""
        if self._message:
            return Content.styled(self._message, "$state-warning")
        parts: list[Content | str | tuple[str, str]] = []
        for hint in self._fitting():
            if parts:
                parts.append("  ")
            if hint.shown:
                parts += [(hint.shown, "$accent bold"), " "]
            parts.append(hint.text)
        return Content.assemble(*parts)

    def _fitting(self) -> list[KeyHint]:
        kept = list(self._hints)
        for hint in sorted(self._hints, key=lambda one: -one.rank):
            if hint.rank == 0 or sum(one.cells for one in kept) - 2 <= self.size.width:
                break
            kept.remove(hint)
        return kept
