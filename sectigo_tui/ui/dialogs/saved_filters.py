"""Asks for a filter by its name, or for a name of the one in force."""

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

from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.dialog import CONFIRM, Choice, Dialog
from sectigo_tui.ui.dialogs.form import Row, text_field
from sectigo_tui.ui.keys.key_names import filled

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
