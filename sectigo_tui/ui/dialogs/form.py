"""Rows of a form: a label, and what is filled in beside it."""

from __future__ import annotations

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Checkbox, Input, Select, Static

from sectigo_tui.presentation.text import printable, printable_lines
from sectigo_tui.ui.content.lines import labelled
from sectigo_tui.ui.keys.typed_ahead import LineField

LABEL_CELLS = 21
"""The cells of a label, in a row and among facts alike."""

_NOT_CHOSEN = "choose"

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
        & > .row-label { width: 21; max-width: 50%; padding-right: 1; color: $state-muted; }
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

    def __init__(self, label: str, *, id: str, disabled: bool = False) -> None:  # noqa: A002 - Textual's name
        super().__init__(Content(label), id=id, disabled=disabled, compact=True)

    @property
    def _button(self) -> Content:
        """The box, seen also while it is empty, whatever the theme."""
        return Content.styled("[X]" if self.value else "[ ]", "bold")


class Facts(Static):
    """What a question is about, as lines of label and value; a long value is wrapped beside its label.

    Args:
        facts: Labels and values; values are untrusted text, and empty ones are left out.
    """

    def __init__(self, facts: Iterable[tuple[str, str]]) -> None:
        self._facts = _cleaned(facts)
        super().__init__(labelled(self._facts, 0, label_cells=LABEL_CELLS))

    def show(self, facts: Iterable[tuple[str, str]]) -> None:
        """Show others, or the same as they are now."""
        self._facts = _cleaned(facts)
        self.on_resize()

    def on_resize(self) -> None:
        """Wrap anew: the room is another."""
        self.update(labelled(self._facts, self.size.width, label_cells=LABEL_CELLS))


def text_field(
    field_id: str, value: str = "", *, hint: str = "", is_secret: bool = False, separator: str = " "
) -> Input:
    """Return a field for one line of text; a secret one shows dots.

    Args:
        field_id: The field's id.
        value: What is filled in at first.
        hint: What stands there while it is empty.
        is_secret: Whether it shows dots.
        separator: What stands between lines that are pasted into it.
    """
    return LineField(
        value,
        separator=separator,
        placeholder=hint,
        id=field_id,
        password=is_secret,
        compact=True,
        select_on_focus=False,
    )


def words(text: Content | str) -> Content:
    """Return what a dialog says as it can be shown: content as it is, text in lines with nothing in it but text."""
    return text if isinstance(text, Content) else Content(printable_lines(text))


def choice_field(
    field_id: str, options: Iterable[Option], value: str = "", *, prompt: str = _NOT_CHOSEN
) -> Select[str]:
    """Return a field for one of several values; nothing is chosen unless `value` is one of them.

    Args:
        field_id: The field's id.
        options: What is shown of each value, and the value.
        value: What is chosen at first.
        prompt: What stands there while nothing is chosen; one that is not the usual one names a choice by itself,
            to which the operator may go back.
    """
    known = _known(options)
    if any(each == value for _, each in known):
        may_clear = prompt != _NOT_CHOSEN
        return Select(known, value=value, prompt=prompt, id=field_id, compact=True, allow_blank=may_clear)
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


def _cleaned(facts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(printable(label, limit=18), printable(value, limit=500)) for label, value in facts]


def _known(options: Iterable[Option]) -> list[tuple[Content, str]]:
    # Content, since a plain text would be read as markup.
    return [(Content(printable(shown, limit=80)), each) for shown, each in options]
