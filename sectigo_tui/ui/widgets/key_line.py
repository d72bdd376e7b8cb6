"""The one line at the bottom: the keys of where the operator is, or a hint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.timer import Timer
from textual.widget import Widget

from sectigo_tui.ui.keys.active_keys import KeyHelp
from sectigo_tui.ui.keys.key_names import KeyNames

HINT_SECONDS = 6.0
"""How long a hint stands over the keys."""

_FIRST_RANKS = {
    "app.help": 0,
    "app.back": 0,
    "app.menu": 1,
    "app.diagnose": 1,
    "view.detail": 2,
    "view.filter": 2,
    "app.message": 3,
    "view.poll": 4,
}
_RANK = 5
_WORDS = {"app.diagnose": "Why"}
"""What the footer calls an action, where that is shorter than its title."""
IN_MARKS = (
    ("app.menu", "Actions", 0),
    ("view.poll", "Poll", 2),
    ("view.track", "Track", 2),
    ("view.watch", "Watch", 3),
    ("view.quiet", "Quiet", 4),
    ("view.unwind", "unmark all", 0),
    ("app.help", "Help", 0),
)
"""The keys that do something with all that is marked."""
IN_FILTER = (("view.unwind", "clear", 0),)
IN_PANE = (
    ("detail.down detail.up", "scroll", 1),
    ("detail.top detail.bottom", "top, end", 3),
    ("view.copy", "copy", 2),
    ("view.unwind", "to the list", 0),
    ("app.help", "Help", 0),
    ("app.back", "Close", 0),
)


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
    """Return the keys of actions, without those whose key was removed.

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


def footer_hints(keys: Sequence[KeyHelp], view: str, back: str) -> list[KeyHint]:
    """Return the keys of the footer; those of the views stand together."""
    shown = [key for key in keys if key.is_shown and key.keys]
    views = [key.keys.split()[0] for key in shown if key.group == "Views"]
    hints = [
        KeyHint(
            key.keys.split()[0],
            back if key.id == "app.back" else _WORDS.get(key.id, key.title),
            _FIRST_RANKS.get(key.id, _RANK),
            key.key,
        )
        for key in shown
        if key.group != "Views"
    ]
    own = [hint for hint in hints if hint.rank]
    return [*own, KeyHint("".join(views), f"view: {view}", 3), *(hint for hint in hints if not hint.rank)]


class KeyLine(Widget):
    """Shows as many keys as fit, with what is said now above them; a click on a key presses it."""

    DEFAULT_CSS = """
    KeyLine {
        height: 1;
        background: $panel;
        color: $foreground;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        &.-saying { height: 2; }
    }
    """

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002 - Textual's own name for it
        super().__init__(id=id)
        self._hints: tuple[KeyHint, ...] = ()
        self._message = ""
        self._until: Timer | None = None

    @property
    def text(self) -> str:
        """What is said now; else the keys."""
        return self._message or self._keys().plain

    def show(self, hints: Sequence[KeyHint]) -> None:
        """Show keys; what was said while others were in force is past.

        Args:
            hints: All there are, from left to right.
        """
        if tuple(hints) != self._hints:
            self._hints = tuple(hints)
            self.show_message("")

    def show_message(self, words: str) -> None:
        """Say above the keys why one did nothing, for some seconds.

        Args:
            words: Printable text of a line; empty to take back what was said.
        """
        if self._until is not None:
            self._until.stop()
        self._until = self.set_timer(HINT_SECONDS, lambda: self.show_message("")) if words else None
        self._message = words
        self.set_class(bool(words), "-saying")
        self.refresh(layout=True)

    def on_click(self, event: events.Click) -> None:
        """Press the key that was clicked."""
        x = 0
        if event.y < self.size.height - 1:
            return
        for hint in self._fitting():
            if x <= event.x < x + hint.cells and hint.key:
                self.app.simulate_key(hint.key)
            x += hint.cells

    def render(self) -> Content:
        """Return what is said, and the keys below it."""
        if not self._message:
            return self._keys()
        return Content("\n").join([Content.styled(self._message, "$state-warning"), self._keys()])

    def _keys(self) -> Content:
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
