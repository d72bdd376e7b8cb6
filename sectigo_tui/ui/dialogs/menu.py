"""The way to every write: what can be done with the order, and why not where it cannot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.dialog import Choice, Dialog


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

    def body(self) -> ComposeResult:
        """Lay out the list."""
        options = [Option(self._line(item), id=item.id, disabled=bool(item.why_not)) for item in self._items]
        yield OptionList(*options, id="menu", markup=False, compact=True)

    def choices(self) -> Sequence[Choice]:
        """Return no button: the list is the choice."""
        return ()

    def first_focus(self) -> Widget:
        """Return the list: choosing from it opens a question, and does nothing yet."""
        return self.query_one("#menu")

    def on_mount(self) -> None:
        """Put the cursor on the first line: it is what helps most."""
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

    @staticmethod
    def _line(item: MenuItem) -> Content:
        style = "$state-muted" if item.why_not else ""
        return Content.assemble(
            (f" {item.key or ' '}  ", "bold"),
            (f"{printable(item.title):<27} ", style),
            (printable(item.why_not or item.note), "$state-muted"),
        )
