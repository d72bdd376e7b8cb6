"""Asks which columns a list shows, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from sectigo_tui.presentation.table_columns import Column
from sectigo_tui.ui.dialogs.dialog import CONFIRM, Choice, Dialog
from sectigo_tui.ui.keys.key_names import filled

DEFAULTS = "defaults"
_HINT = (
    "{columns.mark} shows or hides, {columns.down} and {columns.up} move a column down and up; "
    "narrow screens drop columns by themselves"
)


class Columns(Dialog[tuple[str, ...]]):
    """Lists all columns, those shown with a mark; answers with the keys of those to show, from left to right.

    Args:
        view: The title of the list.
        known: All its columns, in its own order.
        shown: Those it shows, in the order in which it does.
    """

    TAKES_EARLY_KEYS = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "Show or hide", id="columns.mark"),
        Binding("J,shift+down", "shift(1)", "Move down", id="columns.down"),
        Binding("K,shift+up", "shift(-1)", "Move up", id="columns.up"),
        Binding("j", "highlight(1)", "Down", show=False, id="columns.next"),
        Binding("k", "highlight(-1)", "Up", show=False, id="columns.previous"),
    ]

    def __init__(self, view: str, known: Sequence[Column], shown: Sequence[Column]) -> None:
        super().__init__(f"Columns of {view}")
        self._known = known
        self._order = self._all(shown)
        self._shown = {column.key for column in shown}

    def body(self) -> ComposeResult:
        """Lay out the list."""
        yield Static(filled(self, _HINT), classes="label", markup=False)
        yield OptionList(*self._options(), id="columns", markup=False, compact=True)

    def choices(self) -> Sequence[Choice]:
        """Return the buttons."""
        return (Choice(CONFIRM, "Show these"), Choice(DEFAULTS, "As at first"))

    def first_focus(self) -> Widget:
        """Return the list: choosing from it changes nothing yet."""
        return self._list

    def answer(self, choice_id: str) -> None:
        """Answer with what is marked, or with the list's own columns."""
        if choice_id == DEFAULTS:
            self.dismiss(tuple(column.key for column in self._known))
        elif self._shown:
            self.dismiss(tuple(column.key for column in self._order if column.key in self._shown))
        else:
            self.complain("A list needs at least one column.")

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Take what is marked, by Enter."""
        message.stop()
        self.answer(CONFIRM)

    def action_mark(self) -> None:
        """Mark the column under the cursor, or unmark it."""
        column = self._highlighted
        if column is not None:
            self._shown ^= {column.key}
            self._show(self._order.index(column))

    def action_shift(self, places: int) -> None:
        """Move the column under the cursor."""
        column = self._highlighted
        if column is not None:
            at = max(0, min(len(self._order) - 1, self._order.index(column) + places))
            self._order.remove(column)
            self._order.insert(at, column)
            self._show(at)

    def action_highlight(self, places: int) -> None:
        """Move the cursor."""
        if places > 0:
            self._list.action_cursor_down()
        else:
            self._list.action_cursor_up()

    @property
    def _list(self) -> OptionList:
        return self.query_one("#columns", OptionList)

    @property
    def _highlighted(self) -> Column | None:
        index = self._list.highlighted
        return None if index is None else self._order[index]

    def _all(self, shown: Sequence[Column]) -> list[Column]:
        return [*shown, *(column for column in self._known if column not in shown)]

    def _options(self) -> list[Option]:
        return [Option(self._line(column), id=column.key) for column in self._order]

    def _line(self, column: Column) -> Content:
        mark = "X" if column.key in self._shown else " "
        return Content.assemble((f" [{mark}] ", "bold"), (column.title, "" if mark == "X" else "$state-muted"))

    def _show(self, highlighted: int) -> None:
        self._list.clear_options()
        self._list.add_options(self._options())
        self._list.highlighted = highlighted
