"""Rotating the credentials: here, at SCM, and at certctl-server."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from textual.app import App
from textual.screen import ModalScreen, Screen

from sectigo_tui.domain.account import PasswordStatus
from sectigo_tui.domain.errors import ConfigError, CredentialsRefused, InputError, ScmFailure, StoreError
from sectigo_tui.domain.events import EngineEvent, PollingResumed
from sectigo_tui.domain.explain import explain
from sectigo_tui.engine.credentials.certctl import HandingOver
from sectigo_tui.engine.credentials.service import SwitchedCredentials
from sectigo_tui.presentation import format as fmt
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.confirm import Confirm, Notice
from sectigo_tui.ui.dialogs.rotate import Rotate, RotateAnswer
from sectigo_tui.ui.workflows.workflow import Workflow, in_words

UNSETTLED = (
    "The account's password may be the new or the previous one. Each is tested with one request; the one that works is "
    "stored and used."
)


async def rotate(workflow: Workflow, *, by_itself: bool = False) -> None:
    """Ask until new credentials are accepted or the operator gives up, then say what came of each step.

    Args:
        workflow: What every flow works with.
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
        may_insist = not answer.make_new and credentials.was_refused(answer.login, answer.password)
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
    """Return what to say in a form whose answer was refused; rotates first where the credentials were.

    Args:
        workflow: What every flow works with.
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
    expires = f", expires {fmt.format_when(status.expires)}" if status.expires is not None else ""
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
