"""Rows of a form: a label, and what is filled in beside it."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Checkbox, Input, Select, Static

from sectigo_tui.ui.text import printable, printable_lines

Option = tuple[str, str]
"""What is shown, and the value that it stands for."""


class Row(Horizontal):
    """A label and a field.

    Args:
        label: What the field is.
        field: The field.
        id: The row's id.
    """

    DEFAULT_CSS = """
    Row {
        height: auto;
        & > .row-label { width: 20; color: $state-muted; }
        & > Input, & > Select, & > Static { width: 1fr; }
    }
    """

    def __init__(self, label: str, field: Widget, *, id: str | None = None) -> None:  # noqa: A002 - Textual's name
        super().__init__(id=id)
        self._label = label
        self._field = field

    def compose(self) -> ComposeResult:
        """Lay out label and field."""
        yield Static(self._label, classes="row-label", markup=False)
        yield self._field


class Tick(Checkbox):
    """A box to tick, whose mark is there or not: colour alone would not tell in every terminal.

    Args:
        label: What is ticked.
        id: The field's id.
        disabled: Whether it cannot be ticked.
    """

    BUTTON_INNER = " "

    def __init__(self, label: str, *, id: str, disabled: bool = False) -> None:  # noqa: A002 - Textual's name
        super().__init__(Content(label), id=id, disabled=disabled, compact=True)

    def watch_value(self) -> None:
        """Show the mark, or take it away."""
        self.BUTTON_INNER = "X" if self.value else " "
        super().watch_value()


def facts_content(facts: Iterable[tuple[str, str]]) -> Content:
    """Return facts as lines of label and value; values are untrusted text, and empty ones are left out."""
    lines = [
        Content.assemble((f"{printable(label, limit=18):<20}", "$state-muted"), printable(value, limit=500))
        for label, value in facts
        if value
    ]
    return Content("\n").join(lines)


def text_field(field_id: str, value: str = "", *, hint: str = "", is_secret: bool = False) -> Input:
    """Return a field for one line of text; a secret one shows dots."""
    return Input(value, placeholder=hint, id=field_id, password=is_secret, compact=True, select_on_focus=False)


def words(text: Content | str) -> Content:
    """Return what a dialog says as it can be shown: content as it is, text in lines with nothing in it but text."""
    return text if isinstance(text, Content) else Content(printable_lines(text))


def choice_field(field_id: str, options: Iterable[Option], value: str = "", *, prompt: str = "choose") -> Select[str]:
    """Return a field for one of several values; nothing is chosen unless `value` is one of them."""
    known = _known(options)
    if any(each == value for _, each in known):
        return Select(known, value=value, prompt=prompt, id=field_id, compact=True)
    return Select(known, prompt=prompt, id=field_id, compact=True)


def offer_choices(field: Select[str], options: Iterable[Option], value: str) -> None:
    """Let a field offer other values; the first one is chosen where `value` is none of them."""
    known = _known(options)
    field.set_options(known)
    if known:
        field.value = value if any(each == value for _, each in known) else known[0][1]


def chosen(field: Select[str]) -> str:
    """Return what is chosen; empty for nothing."""
    return field.selection or ""


def _known(options: Iterable[Option]) -> list[tuple[Content, str]]:
    # Content, since a plain text would be read as markup.
    return [(Content(printable(shown, limit=80)), each) for shown, each in options]
