"""Rotating the credentials: here, at SCM, and at certctl-server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from textual import events
from textual.app import App, ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Input, Static

from sectigo_tui.domain.account import PasswordStatus
from sectigo_tui.domain.errors import ConfigError, CredentialsRefused, InputError, ScmFailure, StoreError
from sectigo_tui.domain.events import EngineEvent, PollingResumed
from sectigo_tui.domain.explain import explain
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.engine.credentials.certctl import HandingOver
from sectigo_tui.engine.credentials.service import SwitchedCredentials
from sectigo_tui.presentation.format import format_when
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.confirm import Confirm, Notice
from sectigo_tui.ui.dialogs.dialog import Choice, Dialog
from sectigo_tui.ui.dialogs.form import Facts, Row, Tick, text_field
from sectigo_tui.ui.workflows.workflow import Workflow, in_words

ROTATE = "rotate"


class RotateAnswer(Struct, frozen=True):
    """What the operator gave.

    Args:
        login: The new login; empty to keep the present one.
        password: The new password; None to keep the present one, or where this program is to make one.
        make_new: Whether this program makes a new password and has SCM take it.
        hand_over: Whether certctl-server is told.
        insist: Whether credentials are tried that SCM is known to reject.
    """

    login: str = ""
    password: SecretText | None = None
    make_new: bool = False
    hand_over: bool = False
    insist: bool = False


class Rotate(Dialog[RotateAnswer]):
    """Asks for what was changed in SCM's portal, hidden; or has a new password made.

    Args:
        account: Which account this is.
        login: The login in use.
        refused: Whether SCM rejects the credentials in use.
        has_certctl: Whether there is a certctl-server to tell.
        password_note: What is known of the present password's expiry.
        overridden_by: Where the credentials come from that must be changed there too; empty for nowhere else.
        error_text: What was wrong with an earlier try.
        may_insist: Whether that error is that SCM is known to reject what was given.
        is_read_only: Whether what changes something at SCM or certctl-server is locked.
        typed: What an earlier try was made of, which is kept: all of it, or without a password that was rejected.
        by_itself: Whether nobody has asked for this dialog: Cancel then has the focus, so that keys meant for the
            list do not become a password.
    """

    DEFAULT_CSS = "Rotate .ticks { height: auto; }"

    def __init__(
        self,
        *,
        account: str,
        login: str,
        refused: bool,
        has_certctl: bool,
        password_note: str = "",
        overridden_by: str = "",
        error_text: str = "",
        may_insist: bool = False,
        is_read_only: bool = False,
        typed: RotateAnswer | None = None,
        by_itself: bool = False,
    ) -> None:
        super().__init__("Rotate the credentials")
        self._account = account
        self._login = login
        self._refused = refused
        self._has_certctl = has_certctl
        self._password_note = password_note
        self._overridden_by = overridden_by
        self._error = error_text
        self._may_insist = may_insist
        self._is_read_only = is_read_only
        self._by_itself = by_itself
        self._typed = typed or RotateAnswer()
        self.was_filled = typed is not None

    def body(self) -> ComposeResult:
        """Lay out the form; a password is filled in only where SCM could not be asked, and shows dots."""
        state = "SCM rejects them; nothing is sent until new ones are accepted" if self._refused else "in use"
        yield Facts(self._facts(state))
        yield Static(
            "Change them in SCM's portal first, then type them here: they are tested with one request, and replace the "
            "old ones only when SCM accepts them.",
            classes="label",
        )
        yield Row("New login", text_field("login", self._typed.login, hint="empty: as it is"))
        password = self._typed.password.reveal() if self._typed.password is not None else ""
        yield Row("New password", text_field("password", password, hint="empty: as it is", is_secret=True))
        with Vertical(classes="ticks"):
            locked = " (locked: read-only)" if self._is_read_only else ""
            yield Tick(
                f"Generate a password and set it at Sectigo{locked or ' (never shown)'}",
                id="make-new",
                disabled=self._refused or self._is_read_only,
            )
            why_not = locked if self._has_certctl else " ([certctl] url is not configured)"
            yield Tick(
                f"Tell certctl-server{why_not}", id="hand-over", disabled=not self._has_certctl or self._is_read_only
            )
            if self._may_insist:
                yield Tick("Test it anyway: the account was unlocked", id="insist")

    def choices(self) -> Sequence[Choice]:
        """Return the button that rotates."""
        return (Choice(ROTATE, "Test and rotate"),)

    def first_focus(self) -> Widget:
        """Return the password's field, for who has asked for this dialog."""
        return super().first_focus() if self._by_itself else self.query_one("#password")

    def on_mount(self) -> None:
        """Say what was wrong before."""
        self.query_one("#make-new", Tick).value = self._typed.make_new
        self.query_one("#hand-over", Tick).value = self._typed.hand_over
        if self._error:
            self.complain(self._error)

    def admits(self, event: events.Key) -> bool:
        """Return whether a key is taken: where nobody has asked for this, what came before it was for the list."""
        return not (self._by_itself and self.is_early(event)) and super().admits(event)

    def stand_down(self) -> None:
        """Take note that SCM takes credentials again that were rotated elsewhere: nothing is left to be asked.

        A dialog that nobody has asked for closes, unless something was typed: that stays for the operator to judge.
        """
        self.call_later(self._stand_down)

    def _stand_down(self) -> None:
        has_typed = any(field.value for field in self.query(Input))
        if self._by_itself and not has_typed:
            self.dismiss(None)
        else:
            self.query_one(Facts).show(self._facts("in use again: rotated elsewhere"))

    def _facts(self, state: str) -> Sequence[tuple[str, str]]:
        return (
            ("Account", self._account),
            ("Login", self._login),
            ("State", state),
            ("Password", self._password_note),
            ("Change there too", self._overridden_by),
        )

    def answer(self, choice_id: str) -> None:
        """Answer once something new was given."""
        del choice_id
        login = self.query_one("#login", Input).value.strip()
        typed = self.query_one("#password", Input).value
        make_new = self.query_one("#make-new", Tick).value
        if make_new and (login or typed):
            self.complain("Either type the new credentials, or generate a password.", at="make-new")
        elif not (make_new or login or typed):
            self.complain("Type a new login or password.", at="password")
        else:
            insist = self._may_insist and self.query_one("#insist", Tick).value
            password = SecretText(typed) if typed else None
            hand_over = self.query_one("#hand-over", Tick).value
            self.dismiss(RotateAnswer(login, password, make_new, hand_over, insist))


UNSETTLED = (
    "The account's password may be the new or the previous one. Each is tested with one request; the one that works is "
    "stored and used."
)


async def rotate(workflow: Workflow, *, by_itself: bool = False) -> None:
    """Ask until new credentials are accepted or the operator gives up, then say what came of each step.

    Args:
        workflow: What every workflow works with.
        by_itself: Whether the program asks, not the operator.
    """
    credentials, error_text, may_insist = workflow.engine.credentials, await _settled(workflow), False
    typed: RotateAnswer | None = None
    while True:
        dialog = Rotate(
            account=f"{workflow.surroundings.band} {workflow.surroundings.customer}".strip(),
            login=credentials.login,
            refused=workflow.engine.rejection is not None,
            has_certctl=workflow.engine.handing_over is not None,
            is_read_only=workflow.engine.is_read_only,
            password_note=password_note(workflow.engine.password),
            overridden_by=credentials.overridden_by,
            error_text=error_text,
            may_insist=may_insist,
            typed=typed,
            by_itself=by_itself,
        )
        answer = await _answered(workflow, dialog)
        if answer is None:
            return
        by_itself = False
        may_insist = not answer.make_new and credentials.was_rejected(answer.login, answer.password)
        try:
            switched = await _switched_text(workflow, answer)
        except CredentialsRefused as refused:
            error_text = _refused(refused)
            typed = replace(answer, password=None)
            continue
        except (InputError, ScmFailure, ConfigError, StoreError) as failure:
            error_text = in_words(failure)
            typed = answer
            continue
        if switched is not None:
            lines = [*_lines(switched), *await _handed_over(workflow, answer)]
            await workflow.ask(Notice("Rotated", "\n".join(map(printable, lines))))
        return


async def after_rejection(workflow: Workflow, failure: InputError | ScmFailure) -> str:
    """Return what to say in a form whose answer was rejected; rotates first where the credentials were.

    Args:
        workflow: What every workflow works with.
        failure: What came of the form; nothing was done.
    """
    if not isinstance(failure, CredentialsRefused):
        return in_words(failure)
    await rotate(workflow)
    if workflow.engine.rejection is not None:
        return in_words(failure)
    return "The credentials are new. Nothing was done with the ones from before: go on from here."


def _refused(failure: CredentialsRefused) -> str:
    """Return what to do after a rejection: its usual next step, to rotate, is what was just tried."""
    told = explain(failure)
    return (
        f"{told.what}{told.code_text}: SCM refused what was typed, and the credentials from before stay. "
        "Next: check them in SCM's portal before another try: refused tries add up, and lock the account."
    )


async def _answered(workflow: Workflow, dialog: Rotate) -> RotateAnswer | None:
    """Ask, unless another process rotates meanwhile and its credentials are taken over here."""

    def receive(event: EngineEvent) -> None:
        if isinstance(event, PollingResumed):
            dialog.stand_down()

    silence = workflow.engine.event_source.subscribe(receive)
    try:
        return await workflow.ask(dialog)
    finally:
        silence()


async def _settled(workflow: Workflow) -> str:
    """Find out which password works after an interrupted change; return an error text, empty for none."""
    credentials = workflow.engine.credentials
    try:
        if not await credentials.is_unsettled() or not await workflow.ask(
            Confirm("A change of the password was interrupted", UNSETTLED, "Test each once")
        ):
            return ""
        work = credentials.settle(again=True)
        settled = await workflow.during("Testing each password once ...", work, can_stop=False)
    except (InputError, ScmFailure, ConfigError, StoreError) as failure:
        return in_words(failure)
    if settled is not None:
        await workflow.ask(Notice("Settled", f"The {settled.candidate} password works, and is in use."))
    return ""


async def _switched_text(workflow: Workflow, answer: RotateAnswer) -> SwitchedCredentials | None:
    if answer.make_new:
        return await workflow.during(
            "Changing the password at SCM ...", workflow.engine.credentials.change(), can_stop=False
        )
    work = workflow.engine.credentials.rotate(answer.login, answer.password, insist=answer.insist)
    return await workflow.during("Testing the new credentials ...", work, can_stop=False)


def password_note(status: PasswordStatus | None) -> str:
    """Return what is known of the password's expiry; empty when nothing is."""
    if status is None:
        return ""
    expires = f", expires {format_when(status.expires)}" if status.expires is not None else ""
    return f"{printable(status.state)}{expires}"


def _lines(switched: SwitchedCredentials) -> list[str]:
    goes_on = {0: "No poll worker had to wait", 1: "1 poll worker goes on"}
    some = f"{switched.resumed} poll workers go on, spread over some seconds"
    lines = [f"SCM accepts login {switched.login}. {goes_on.get(switched.resumed, some)}."]
    if switched.keeping_failure is not None:
        told = explain(switched.keeping_failure)
        lines.append(f"NOT kept for the next start: {told.meaning} {told.next_step}")
    else:
        lines.append(f"Kept in {switched.kept_in}.")
    if switched.overridden_by:
        lines.append(f"The next start would take them from {switched.overridden_by}: change them there too.")
    return lines


async def _handed_over(workflow: Workflow, answer: RotateAnswer) -> list[str]:
    handing_over = workflow.engine.handing_over
    if not answer.hand_over or handing_over is None:
        return []
    return await workflow.during("Updating certctl-server ...", _steps(handing_over), can_stop=False) or []


async def _steps(handing_over: HandingOver) -> list[str]:
    lines = []
    async for done in handing_over.hand_over():
        if done.failure is None:
            lines.append(f"certctl-server, {done.step.value}: done {done.words}".rstrip())
        else:
            told = explain(done.failure)
            lines.append(f"certctl-server, {done.step.value}: FAILED, {told.meaning} Left to do: {told.next_step}")
    return lines


PAUSE_SECONDS = 0.1
"""What is opened when something closes, such as the question that a menu leads to, opens within this time."""


class RotationPrompt:
    """Offers to rotate when SCM rejects the credentials, once open dialogs are closed.

    Args:
        app: The application.
        is_wanted: Whether credentials are rejected now, and may be rotated here.
        is_busy: Whether the operator is being led through questions, one of which may be about to open.
        offer: Asks for new credentials.
    """

    def __init__(
        self, app: App[Any], *, is_wanted: Callable[[], bool], is_busy: Callable[[], bool], offer: Callable[[], None]
    ) -> None:
        self._app = app
        self._is_wanted = is_wanted
        self._is_busy = is_busy
        self._offer = offer
        self._is_owed = False
        app.screen_change_signal.subscribe(app, self._on_screen_change)

    def refused(self) -> None:
        """Offer now, or once what is open has been closed."""
        # The operator may have been asked already, in the form that met the rejection.
        self._is_owed = not any(isinstance(screen, Rotate) for screen in self._app.screen_stack)
        self._poll()

    def check_soon(self) -> None:
        """Offer what is still owed, unless something else opens first."""
        if self._is_owed:
            self._app.set_timer(PAUSE_SECONDS, self._poll)

    def _on_screen_change(self, screen: Screen[object]) -> None:
        if isinstance(screen, Rotate):
            self._is_owed = False  # whoever asked for it: it is the same question
        self.check_soon()

    def _poll(self) -> None:
        is_asking = any(isinstance(screen, ModalScreen) for screen in self._app.screen_stack)
        if self._is_owed and not is_asking and not self._is_busy():
            self._is_owed = False
            if self._is_wanted():
                self._offer()
