"""Asks how a list is shown: which columns in which order, and which saved filter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from sectigo_tui.presentation.table_columns import Column
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.dialog import CONFIRM, Choice, Dialog
from sectigo_tui.ui.dialogs.form import Row, text_field
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


LONGEST_NAME = 40


class Verb(Enum):
    """What is to be done with a filter."""

    USE = "use"
    SAVE = "save"
    DELETE = "delete"


class FilterAnswer(NamedTuple):
    """What the operator wants.

    Args:
        verb: What is to be done.
        name: With which filter.
    """

    verb: Verb
    name: str


class SavedFilters(Dialog[FilterAnswer]):
    """Lists the saved filters, and has a field to save the one in force.

    Args:
        filters: The filters by name.
        query: The filter in force; empty for none.
    """

    TAKES_EARLY_KEYS = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x,delete", "delete", "Delete", id="filters.delete"),
        Binding("j", "highlight(1)", "Down", show=False, id="filters.next"),
        Binding("k", "highlight(-1)", "Up", show=False, id="filters.previous"),
    ]

    def __init__(self, filters: Mapping[str, str], query: str) -> None:
        super().__init__("Saved filters")
        self._filters = dict(sorted(filters.items()))
        self._query = query

    def body(self) -> ComposeResult:
        """Lay out the list, and the field where there is a filter to save."""
        if self._filters:
            uses = filled(self, "Enter uses a filter, {filters.delete} deletes it")
            yield Static(uses, classes="label", markup=False)
            options = [Option(self._line(name), id=f"filter-{at}") for at, name in enumerate(self._filters)]
            yield OptionList(*options, id="filters", markup=False, compact=True)
        else:
            yield Static("No filter is saved yet.", markup=False)
        if self._query:
            yield Row("Filter in force", Static(Content(printable(self._query, limit=200))))
            yield Row("Save it as", text_field("name", hint="a name, then Enter"))
        else:
            first = filled(self, "To save one, filter the list first: {view.filter}")
            yield Static(first, classes="label", markup=False)

    def choices(self) -> Sequence[Choice]:
        """Return the button that saves, where there is something to save."""
        return (Choice(CONFIRM, "Save"),) if self._query else ()

    def first_focus(self) -> Widget:
        """Return the list, else the field."""
        for selector in ("#filters", "#name"):
            for found in self.query(selector):
                return found
        return super().first_focus()

    def answer(self, choice_id: str) -> None:
        """Answer with the name under which the filter is to be saved."""
        del choice_id
        name = " ".join(self.query_one("#name", Input).value.split())
        if 1 <= len(name) <= LONGEST_NAME:
            self.dismiss(FilterAnswer(Verb.SAVE, name))
        else:
            self.complain(f"Write a name of 1 to {LONGEST_NAME} characters.", at="name")

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Answer with the filter chosen."""
        message.stop()
        self.dismiss(FilterAnswer(Verb.USE, list(self._filters)[message.option_index]))

    def action_delete(self) -> None:
        """Answer that the filter under the cursor is to be deleted."""
        for found in self.query("#filters").results(OptionList):
            if found.has_focus and found.highlighted is not None:
                self.dismiss(FilterAnswer(Verb.DELETE, list(self._filters)[found.highlighted]))

    def action_highlight(self, places: int) -> None:
        """Move the cursor."""
        for found in self.query("#filters").results(OptionList):
            if places > 0:
                found.action_cursor_down()
            else:
                found.action_cursor_up()

    def _line(self, name: str) -> Content:
        query = printable(self._filters[name], limit=60)
        return Content.assemble((f" {printable(name, limit=LONGEST_NAME):<24} ", "bold"), (query, "$state-muted"))
