"""The shape of every dialog: a title, a body, buttons, and no answer that was typed before it was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.css.query import NoMatches
from textual.geometry import Region
from textual.message import Message
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Button, Checkbox, Input, OptionList, Select, Static, TextArea
from textual.widgets.select import InvalidSelectValueError

from sectigo_tui.presentation.text import printable, printable_lines
from sectigo_tui.ui.dialogs.form import words
from sectigo_tui.ui.keys.key_names import key_names_of
from sectigo_tui.ui.keys.typed_ahead import JudgesKeys
from sectigo_tui.ui.terminal.dismiss import dismiss_once

Result = TypeVar("Result")

CANCEL = "cancel"
CONFIRM = "confirm"
KEEP, DISCARD = "keep", "discard"
TITLE_CHARACTERS = 200
PROBLEM_CHARACTERS = 800
ROOMY_COLUMNS = 60
ROOMY_LINES = 12
"""In a smaller terminal a dialog takes all of it, and has no room to lose."""


class Choice(NamedTuple):
    """A button besides Cancel.

    Args:
        id: What it is called.
        label: What it says.
        is_danger: Whether what it does cannot be undone.
        by_enter: Whether Enter in a field chooses it, where it is no danger: not so where it is billed.
    """

    id: str
    label: str
    is_danger: bool = False
    by_enter: bool = True


@runtime_checkable
class KeepsDrafts(Protocol):
    """An application in which drafts are kept."""

    @property
    def drafts(self) -> dict[str, dict[str, str]]:
        """What was filled in and not sent, by the form."""
        ...

    def drafts_changed(self) -> None:
        """Take note that a draft was kept or taken up."""
        ...


def form_values(form: Screen[Any], *, with_secrets: bool = False) -> Iterator[tuple[str, str]]:
    """Yield the id and the content of each field of a form.

    Args:
        form: The form.
        with_secrets: Whether what shows as dots is among them.
    """
    for widget in form.query("#dialog-body *"):
        match widget:
            case Input(id=str(key)) if with_secrets or not widget.password:
                yield key, widget.value
            case TextArea(id=str(key)):
                yield key, widget.text
            case Checkbox(id=str(key)):
                yield key, "x" if widget.value else ""
            case Select(id=str(key)):
                yield key, str(widget.selection or "")
            case _:
                pass


def fill_in(form: Screen[Any], values: Mapping[str, str]) -> None:
    """Fill in the fields of a form that there are."""
    for key, text in values.items():
        with suppress(NoMatches, InvalidSelectValueError):
            match form.query_one(f"#{key}"):
                case Input() as field:
                    field.value = text
                case TextArea() as area:
                    area.load_text(text)
                case Checkbox() as box:
                    box.value = bool(text)
                case Select() as choice if text:
                    choice.value = text
                case _:
                    pass


class Dialog(ModalScreen[Result | None], JudgesKeys, Generic[Result]):
    """Asks one question, and is dismissed with its answer; None when the operator cancels.

    Cancel has the focus. Text that was typed ahead lands in the dialog's fields; what would answer it, typed before it
    was painted, is dropped (see `admits`): a lag does not answer a question that nobody has read.

    Args:
        title: What it is about; untrusted text inside it is shown as text.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", id="dialog.cancel"),
        Binding("question_mark", "app.workflow('help')", "Help", show=False, id="dialog.help"),
        # With priority, so that what is typed fast after Tab lands in the next field: a password must not show in this.
        Binding("tab", "app.focus_next", "Next field", show=False, priority=True, id="dialog.next"),
        Binding("shift+tab", "app.focus_previous", "Last field", show=False, priority=True, id="dialog.previous"),
    ]
    TAKES_EARLY_KEYS = False
    """Whether all that is typed ahead is taken: only where an answer changes nothing by itself, as in a menu."""
    NOT_KEPT: ClassVar[Sequence[str]] = ()
    """The ids of fields that are empty whenever this is opened."""
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (ROOMY_COLUMNS, "-wide")]  # noqa: RUF012 - declared so by Textual
    VERTICAL_BREAKPOINTS = [(0, "-low"), (ROOMY_LINES, "-tall")]  # noqa: RUF012 - declared so by Textual
    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        & > #dialog {
            width: 92%;
            max-width: 96;
            height: auto;
            max-height: 94%;
            background: $surface;
            border: solid $primary;
            border-title-color: $table-header;
            padding: 0 1;
            overflow: hidden;
        }
        &.danger > #dialog { border: heavy $state-failed; border-title-color: $state-failed; }
        #dialog-body { height: auto; max-height: 1fr; scrollbar-size-vertical: 1; }
        #dialog-foot { height: auto; dock: bottom; }
        #dialog-problem { color: $state-failed; height: auto; max-height: 6; }
        #dialog-buttons { height: auto; align-horizontal: right; }
        #dialog-buttons Button { margin-left: 2; background: $surface; color: $foreground; text-style: bold; }
        #dialog-buttons Button.-error { color: $state-failed; }
        #dialog-buttons Button:focus { background: $primary; color: $button-color-foreground; text-style: bold; }
        #dialog-buttons Button.-error:focus { background: $error; color: $button-color-foreground; }
        /* Where the terminal's own colours are used, of which there may be none. */
        &:ansi #dialog-buttons Button:focus {
            background: ansi_default;
            color: ansi_default;
            text-style: bold reverse;
        }
        /* One below the other where they have no room beside each other, each as high as its words need. */
        &.-stacked #dialog-buttons { layout: vertical; }
        &.-stacked #dialog-buttons Button { width: 100%; margin-left: 0; text-wrap: wrap; height: auto; }
        .label { color: $state-muted; }
        Input { border: none; height: 1; padding: 0; }
        Input:focus { background: $panel; }
        /* The body scrolls, and nothing else: two bars side by side would be a riddle. */
        #dialog-body > OptionList { max-height: 10000; }
        &.-low > #dialog { height: 100%; max-height: 100%; border-bottom: none; }
        &.-low #dialog-body { height: 1fr; }
        &.-low #dialog-problem { max-height: 2; }
        &.-low #dialog-problem.-empty { display: none; }
        &.-slim > #dialog { width: 100%; padding: 0; border-left: none; border-right: none; }
        &.-slim #dialog-buttons Button { min-width: 1; margin-left: 1; }
    }
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title
        self.shown_at: float | None = None
        self.was_filled = False
        self._untouched: dict[str, str] | None = None

    def compose(self) -> ComposeResult:
        """Lay out the dialog."""
        with Vertical(id="dialog") as frame:
            frame.border_title = Content(printable(self._title, limit=TITLE_CHARACTERS))
            with VerticalScroll(id="dialog-body", can_focus=False):
                yield from self.body()
            with Vertical(id="dialog-foot"):
                yield Static("", id="dialog-problem", classes="-empty", markup=False)
                with Horizontal(id="dialog-buttons"):
                    yield Button("Cancel", id=CANCEL, compact=True)
                    for choice in self.choices():
                        yield Button(
                            choice.label, id=choice.id, variant="error" if choice.is_danger else "primary", compact=True
                        )

    def on_mount(self) -> None:
        """Put the focus where it does no harm, and listen to keys once the dialog has been painted."""
        self.set_class(any(choice.is_danger for choice in self.choices()), "danger")
        self.first_focus().focus()
        self._recall()
        self.call_after_refresh(self._record_shown)

    def body(self) -> Sequence[Widget] | ComposeResult:
        """Return the widgets between title and buttons."""
        raise NotImplementedError

    def choices(self) -> Sequence[Choice]:
        """Return the buttons besides Cancel."""
        raise NotImplementedError

    def answer(self, choice_id: str) -> None:
        """Dismiss with the answer that a button stands for, or say by `complain` what is missing."""
        raise NotImplementedError

    def first_focus(self) -> Widget:
        """Return what has the focus first."""
        return self.query_one(f"#{CANCEL}")

    @property
    def focus_chain(self) -> list[Widget]:
        """What Tab goes through: Cancel, the fields from the first to the last, and then what confirms."""
        chain = super().focus_chain
        return sorted(chain, key=lambda widget: widget.id != CANCEL)

    def is_early(self, event: Message) -> bool:
        """Return whether an event was made before the operator could have seen this dialog."""
        return self.shown_at is None or event.time < self.shown_at

    def admits(self, event: events.Key) -> bool:
        """Return whether a key is taken: any once this could be seen; before that none that may answer it."""
        is_text = isinstance(self.focused, Input | TextArea)
        may_answer = event.key == "enter" if is_text else event.key in ("enter", "space")
        if self.TAKES_EARLY_KEYS or not may_answer or not self.is_early(event):
            return True
        if isinstance(self.focused, TextArea):
            return True
        if self.choices():
            self.complain("Not confirmed: the key was typed before this could be read. Read it, then confirm it again.")
        else:
            self.complain("Not closed: the key was typed before this could be read. Read it, then close it.")
        return False

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close with an answer, once, whatever lies above."""
        return dismiss_once(self, result, super().dismiss)

    def complain(self, error_text: str, at: str = "") -> None:
        """Say what is missing or wrong, in words that may be untrusted; the form stays filled in.

        Args:
            error_text: What is wrong.
            at: The id of the field that it is about, which gets the focus; empty to leave the focus where it is.
        """
        if not self.query("#dialog-problem"):
            return  # closed since
        if at:
            self.set_focus(self.query_one(f"#{at}"))
        shown = self.query_one("#dialog-problem", Static)
        shown.update(Content(printable_lines(error_text, limit=PROBLEM_CHARACTERS)))
        shown.set_class(not error_text, "-empty")
        self.call_after_refresh(self._show_focused)

    def action_cancel(self) -> None:
        """Answer nothing; what is filled in is thrown away only when the operator says so."""
        if self.has_typed():
            self.ask_to_leave(lambda: self.dismiss(None))
        else:
            self.dismiss(None)

    def before_input(self) -> None:
        """Take note of how the form is filled in before anything is typed."""
        if self._untouched is None and self.is_mounted:
            self._untouched = dict(form_values(self, with_secrets=True))

    def has_typed(self) -> bool:
        """Return whether something is filled in that would be lost."""
        if self.was_filled:
            return True
        return self._untouched is not None and dict(form_values(self, with_secrets=True)) != self._untouched

    def draft_key(self) -> str:
        """Return what a draft of this form is kept by: what it is about is a part of it."""
        return f"{type(self).__name__} {self._title}"

    def ask_to_leave(self, leave: Callable[[], object]) -> None:
        """Ask what is to become of what is filled in, and leave unless the operator goes back to it."""
        values = {key: text for key, text in form_values(self) if key not in self.NOT_KEPT}

        def left(choice: str | None) -> None:
            if choice is None:
                return
            if choice == KEEP and isinstance(self.app, KeepsDrafts):
                self.app.drafts[self.draft_key()] = values
                self.app.drafts_changed()
            leave()

        self.app.push_screen(Leaving(self._title, may_keep=any(values.values())), left)

    def _recall(self) -> None:
        """Fill in what was filled in before and not sent."""
        app = self.app
        draft = app.drafts.pop(self.draft_key(), None) if isinstance(app, KeepsDrafts) and not self.was_filled else None
        if not draft or not isinstance(app, KeepsDrafts):
            return
        app.drafts_changed()
        self.was_filled = True
        fill_in(self, draft)
        # What depends on another field is offered once that is filled in.
        self.call_after_refresh(fill_in, self, draft)
        self.complain("This draft was not sent. Check it, then continue.")

    def on_resize(self) -> None:
        """Keep the field that has the focus in sight where there is less room, and the buttons whole."""
        if not self.query("#dialog-foot"):
            return  # closed since
        labels = [str(button.label) for button in self.query("#dialog-buttons Button").results(Button)]
        needed = sum(max(cell_len(label) + 2, 1 if self.size.width < ROOMY_COLUMNS else 16) + 2 for label in labels)
        self.set_class(needed > self.query_one("#dialog-foot").size.width > 0, "-stacked")
        self.call_after_refresh(self._show_focused)

    def _show_focused(self) -> None:
        if not self.query("#dialog-body"):
            return  # closed since
        focused, body = self.focused, self.query_one("#dialog-body")
        if isinstance(focused, OptionList) and focused.parent is body and focused.highlighted is not None:
            at = focused.virtual_region.y + focused.highlighted
            # With the first line comes what stands above the list.
            region = Region(0, at, 1, 1) if focused.highlighted else Region(0, 0, 1, at + 1)
            body.scroll_to_region(region, animate=False)
        elif focused is not None:
            focused.scroll_visible(animate=False)

    def _record_shown(self) -> None:
        self.shown_at = Message().time

    @on(OptionList.OptionHighlighted)
    def _on_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        """Keep the line under the cursor in sight: the list is as long as it is, and the body scrolls."""
        if message.option_list is self.focused:
            self.call_after_refresh(self._show_focused)

    @on(Input.Submitted)
    def _on_input_submitted(self, message: Input.Submitted) -> None:
        """Go on by Enter from a field; where that is final or billed Enter leads field by field, not to its button."""
        message.stop()
        choices = self.choices()
        if choices and choices[0].by_enter and not choices[0].is_danger:
            self.answer(choices[0].id)
            return
        chain = self.focus_chain
        after = chain[chain.index(message.input) + 1 :]
        if after and not isinstance(after[0], Button):
            self.focus_next()
        elif choices:
            tab = key_names_of(self).name("dialog.next")
            self.complain(f"Enter does not confirm this: {tab} leads to {choices[0].label!r}.")

    @on(Button.Pressed)
    def _on_button_pressed(self, message: Button.Pressed) -> None:
        message.stop()
        if message.button.id == CANCEL:
            self.action_cancel()
        elif message.button.id is not None:
            self.answer(message.button.id)


class Leaving(Dialog[str]):
    """Asks whether to go back to the form, to keep a draft of it, or to throw it away.

    Args:
        form: The form's title.
        may_keep: Whether there is anything to keep: what is secret is not.
    """

    def __init__(self, form: str, *, may_keep: bool) -> None:
        super().__init__("Leave the form?")
        self._form = form
        self._may_keep = may_keep

    def body(self) -> ComposeResult:
        """Lay out what is at stake."""
        yield Static(words(f"{self._form}\n\nThe entries are not sent."))
        if self._may_keep:
            yield Static("A draft comes back with the form. It holds no password.", classes="label", markup=False)

    def choices(self) -> Sequence[Choice]:
        """Return the two ways to leave."""
        keep = (Choice(KEEP, "Keep draft"),) if self._may_keep else ()
        return (*keep, Choice(DISCARD, "Discard", is_danger=True))

    def on_mount(self) -> None:
        """Say Back rather than Cancel: the form stays."""
        self.query_one(f"#{CANCEL}", Button).label = "Back"

    def answer(self, choice_id: str) -> None:
        """Answer with what is to become of it."""
        self.dismiss(choice_id)
