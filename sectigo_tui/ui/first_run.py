"""The first run: ask for the account, test it, and save it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Input, Select, Static

from sectigo_tui.domain.errors import CredentialsRefused, ScmFailure, SectigoTuiError
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.dialog import CONFIRM, Choice, Dialog
from sectigo_tui.ui.dialogs.form import Row, choice_field, chosen, text_field
from sectigo_tui.ui.terminal.terminal_app import TerminalApp
from sectigo_tui.ui.workflows.runner import WorkflowRunner
from sectigo_tui.ui.workflows.workflow import in_words

Answers = Mapping[str, str]
Accept = Callable[[Answers], Awaitable[str]]
"""Tries the answers with one request and keeps them; returns where, or raises a `SectigoTuiError`."""

_FIELDS = (
    ("customer_uri", "Customer URI", "last part of the address you log in at"),
    ("login", "API login", "the API account, not your own"),
    ("password", "API password", ""),
    ("base_url", "API address", "empty: https://cert-manager.com/api"),
    ("org_id", "Organization id", "optional: what enroll proposes"),
    ("cert_type", "Profile id", "optional: what enroll proposes"),
    ("environment", "Band", "optional: such as PROD, shown on every screen"),
)
_REOPEN_LEVELS = "reopen_levels"
_GOES_ON, _STOPS = "OV,EV", "none"
_WHEN_LONG = (("poll OV and EV on until issued (suggested)", _GOES_ON), ("stop polling until I say so", _STOPS))
"""What becomes of orders that are still pending after ten minutes: people work on OV and EV for hours or days."""
_NEEDED = ("customer_uri", "login", "password")


class FirstRun(Dialog[dict[str, str]]):
    """The form.

    Args:
        answers: What is filled in at first; a password only where SCM could not be asked, and it shows dots.
        error_text: What was wrong with an earlier try.
        wrong: The id of the field that it is about, or of the button where it is about none.
    """

    def __init__(self, answers: Answers, error_text: str = "", wrong: str = "customer_uri") -> None:
        super().__init__("Welcome to sectigo-tui: which SCM account?")
        self._answers = answers
        self._error = error_text
        self._wrong = wrong
        self.was_filled = bool(error_text)

    def body(self) -> ComposeResult:
        """Lay out the form."""
        yield Static(
            "Nothing is configured yet. The answers are tested with one request; then config.toml (yours) and "
            "credentials.toml (0600) are written.",
            classes="label",
        )
        for key, label, hint in _FIELDS:
            is_secret = key == "password"
            yield Row(label, text_field(key, self._answers.get(key, ""), hint=hint, is_secret=is_secret))
        levels = self._answers.get(_REOPEN_LEVELS, _GOES_ON) or _STOPS
        yield Row("After 10 minutes", choice_field(_REOPEN_LEVELS, _WHEN_LONG, levels))

    def choices(self) -> Sequence[Choice]:
        """Return the button that tests and saves."""
        return (Choice(CONFIRM, "Test and save"),)

    def first_focus(self) -> Widget:
        """Return the field to go on with."""
        return self.query_one(f"#{self._wrong}")

    def on_mount(self) -> None:
        """Say what was wrong before."""
        if self._error:
            self.complain(self._error)

    def answer(self, choice_id: str) -> None:
        """Answer once all that is needed was given."""
        del choice_id
        answers = {key: self.query_one(f"#{key}", Input).value for key, _, _ in _FIELDS}
        levels = chosen(self.query_one(f"#{_REOPEN_LEVELS}", Select))
        answers[_REOPEN_LEVELS] = "" if levels == _STOPS else levels
        missing = {key: label for key, label, _ in _FIELDS if key in _NEEDED and not answers[key].strip()}
        if missing:
            self.complain(f"Needed: {', '.join(missing.values())}.", at=next(iter(missing)))
        else:
            self.dismiss({key: text if key == "password" else text.strip() for key, text in answers.items()})


class FirstRunApp(TerminalApp[bool]):
    """Asks until an account is kept (True) or the operator gives up (False).

    Args:
        accept: Tries and keeps.
        theme: The theme.
    """

    TITLE = "sectigo-tui"
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, accept: Accept, theme: str) -> None:
        super().__init__(theme)
        self._accept = accept

    def on_mount(self) -> None:
        """Begin to ask."""
        self.run_worker(self._ask(), exit_on_error=True)

    async def _ask(self) -> None:
        host, answers, error_text, wrong = WorkflowRunner(self), dict[str, str](), "", "customer_uri"
        while True:
            given = await host.ask(FirstRun(answers, error_text, wrong))
            if given is None:
                self.exit(False)
                return
            answers = given
            try:
                where = await host.during("Asking SCM once ...", self._accept(given), can_stop=False)
            except CredentialsRefused as refused:
                error_text, wrong = in_words(refused, "Correct what is wrong above."), "password"
                answers = {key: text for key, text in given.items() if key != "password"}
                continue
            except SectigoTuiError as failure:
                error_text, wrong = in_words(failure), _field_of(failure)
                continue
            self.notify(printable(f"Saved in {where}"), markup=False)
            self.exit(True)
            return


def _field_of(failure: SectigoTuiError) -> str:
    """Return the id of the field that a failure names; of the button where it names none, as where nobody answered."""
    if isinstance(failure, ScmFailure):
        return CONFIRM
    said = str(failure).casefold()
    named = (key for key, label, _ in _FIELDS if key.casefold() in said or label.casefold() in said)
    return next(named, CONFIRM)
