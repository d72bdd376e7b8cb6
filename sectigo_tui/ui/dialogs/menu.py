"""The way to every write: what can be done with the order, and why not where it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.dialog import Choice, Dialog

NARROW_CELLS, WIDE_CELLS = 96, 132
"""A menu is as wide as any dialog, and wider for a long line."""
_KEY_CELLS = 4
_LINES_BESIDE = 10
"""What a menu needs besides its lines, some for a long note among them."""
_FRAME_CELLS = 6
"""What its frame and the list's own padding take of that."""


class MenuItem(NamedTuple):
    """An action of the menu.

    Args:
        id: What it is called.
        key: The key that chooses it here; empty where the cursor alone does.
        title: What it does.
        why_not: Why it cannot be done now; empty when it can. Untrusted text inside it is shown as text.
        note: What is to be said of it otherwise.
    """

    id: str
    key: str
    title: str
    why_not: str = ""
    note: str = ""


class Menu(Dialog[str]):
    """Lists actions; an action that cannot be done is listed with the reason.

    Args:
        title: What the actions are about.
        items: The actions.
    """

    TAKES_EARLY_KEYS = True
    DEFAULT_CSS = """
    #menu { text-wrap: nowrap; text-overflow: ellipsis; }
    """

    def __init__(self, title: str, items: Sequence[MenuItem]) -> None:
        super().__init__(title)
        self._items = items
        told = [item for item in items if item.why_not or item.note]
        self._title_cells = max((cell_len(printable(item.title)) for item in told), default=0)
        self._width = NARROW_CELLS

    def body(self) -> ComposeResult:
        """Lay out the list."""
        longest = max((self._line(item).cell_length for item in self._items), default=0)
        self._width = min(max(NARROW_CELLS, longest + _FRAME_CELLS), WIDE_CELLS)
        width, height = self.app.size
        room = min(self._width, width * 92 // 100) - _FRAME_CELLS
        is_roomy = height >= len(self._items) + _LINES_BESIDE
        lines = [self._wrapped(item, room) if is_roomy else self._line(item) for item in self._items]
        options = [
            Option(line, id=item.id, disabled=bool(item.why_not)) for item, line in zip(self._items, lines, strict=True)
        ]
        yield OptionList(*options, id="menu", markup=False, compact=True)

    def choices(self) -> Sequence[Choice]:
        """Return no button: the list is the choice."""
        return ()

    def first_focus(self) -> Widget:
        """Return the list: choosing from it opens a question, and does nothing yet."""
        return self.query_one("#menu")

    def on_mount(self) -> None:
        """Put the cursor on the first line, which helps most; where there is room, be as wide as the lines."""
        self.query_one("#dialog").styles.max_width = self._width
        # A notice would cover Cancel; who opens a menu has gone on from it.
        self.app.clear_notifications()
        self.query_one("#menu", OptionList).highlighted = next(
            (at for at, item in enumerate(self._items) if not item.why_not), None
        )

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Answer with the action chosen."""
        message.stop()
        self.dismiss(message.option_id)

    def on_key(self, event: events.Key) -> None:
        """Answer with the action whose key was pressed."""
        for item in self._items:
            if event.key == item.key:
                event.stop()
                if item.why_not:
                    self.complain(f"{item.title}: {item.why_not}")
                else:
                    self.dismiss(item.id)

    def _wrapped(self, item: MenuItem, room: int) -> Content:
        """Return an action's line, and on lines of their own a note that has no room beside it."""
        line = self._line(item)
        if not item.note or line.cell_length <= room:
            return line
        noted = Content(printable(item.note)).wrap(room - _KEY_CELLS)
        return Content("\n").join(
            [self._line(item._replace(note="")), *(Content(" " * _KEY_CELLS + part.plain) for part in noted)]
        )

    def _line(self, item: MenuItem) -> Content:
        # A note is not muted: it must be read on the line under the cursor too.
        style = "$state-muted" if item.why_not else ""
        title = printable(item.title)
        gap = " " * (self._title_cells - cell_len(title) + 2)
        return Content.assemble(
            (f" {item.key or ' '}  ", "bold"), (f"{title}{gap}{printable(item.why_not or item.note)}".rstrip(), style)
        )
