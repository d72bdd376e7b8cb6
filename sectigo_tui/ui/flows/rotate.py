"""Rotating the credentials: here, at SCM, and at certctl-server."""

from __future__ import annotations

from dataclasses import replace

from sectigo_tui.domain.account import PasswordStatus
from sectigo_tui.domain.errors import ConfigError, CredentialsRefused, InputError, ScmFailure, StoreError
from sectigo_tui.domain.events import Announcement, PollingResumed
from sectigo_tui.domain.explain import explain
from sectigo_tui.engine.handing_over import HandingOver
from sectigo_tui.engine.installing import Installed
from sectigo_tui.ui import format as fmt
from sectigo_tui.ui.dialogs.confirm import Confirm, Notice
from sectigo_tui.ui.dialogs.rotate import Rotate, RotateAnswer
from sectigo_tui.ui.flows.flow import Flow, in_words
from sectigo_tui.ui.text import printable

UNSETTLED = (
    "Whether the new password or the one before is the account's is not known. Each of the two is tried with one "
    "request; the one that works is kept and used."
)


async def rotate(flow: Flow, *, by_itself: bool = False) -> None:
    """Ask until new credentials are accepted or the operator gives up, then say what came of each step.

    Args:
        flow: What every flow works with.
        by_itself: Whether the program asks, not the operator.
    """
    rotating, problem, may_insist = flow.engine.rotating, await _settled(flow), False
    typed: RotateAnswer | None = None
    while True:
        dialog = Rotate(
            account=f"{flow.surroundings.band} {flow.surroundings.customer}".strip(),
            login=rotating.login,
            refused=flow.engine.context.gate.refusal is not None,
            has_certctl=flow.engine.handing_over is not None,
            is_read_only=flow.engine.context.is_read_only,
            password_note=password_note(flow.engine.password),
            overridden_by=rotating.overridden_by,
            problem=problem,
            may_insist=may_insist,
            typed=typed,
            by_itself=by_itself,
        )
        answer = await _answered(flow, dialog)
        if answer is None:
            return
        by_itself = False
        may_insist = not answer.make_new and rotating.was_refused(answer.login, answer.password)
        try:
            installed = await _installed(flow, answer)
        except CredentialsRefused as refused:
            problem = _refused(refused)
            typed = replace(answer, password=None)
            continue
        except (InputError, ScmFailure, ConfigError, StoreError) as failure:
            problem = in_words(failure)
            typed = answer
            continue
        if installed is not None:
            lines = [*_lines(installed), *await _handed_over(flow, answer)]
            await flow.ask(Notice("Rotated", "\n".join(map(printable, lines))))
        return


async def after_refusal(flow: Flow, failure: InputError | ScmFailure) -> str:
    """Return what to say in a form whose answer was refused; rotates first where the credentials were.

    Args:
        flow: What every flow works with.
        failure: What came of the form; nothing was done.
    """
    if not isinstance(failure, CredentialsRefused):
        return in_words(failure)
    await rotate(flow)
    if flow.engine.context.gate.refusal is not None:
        return in_words(failure)
    return "The credentials are new. Nothing was done with the ones from before: go on from here."


def _refused(failure: CredentialsRefused) -> str:
    """Return what to do after a refusal: its usual next step, to rotate, is what was just tried."""
    told = explain(failure)
    code = "" if told.code is None else f" (SCM code {told.code})"
    return (
        f"{told.what}{code}: SCM refused what was typed, and the credentials from before stay. "
        "Next: check them in SCM's portal before another try: refused tries add up, and lock the account."
    )


async def _answered(flow: Flow, dialog: Rotate) -> RotateAnswer | None:
    """Ask, until another process has rotated and what it keeps is taken over here."""

    def hear(announcement: Announcement) -> None:
        if isinstance(announcement, PollingResumed):
            dialog.stand_down()

    silence = flow.engine.announcer.subscribe(hear)
    try:
        return await flow.ask(dialog)
    finally:
        silence()


async def _settled(flow: Flow) -> str:
    """Learn which password works where a change of it was cut short; return what is wrong, empty for nothing."""
    changing = flow.engine.changing
    try:
        if not await changing.is_unsettled() or not await flow.ask(
            Confirm("A change of the password was cut short", UNSETTLED, "Try each once")
        ):
            return ""
        work = changing.settle(again=True)
        settled = await flow.during("Trying each password once ...", work, can_stop=False)
    except (InputError, ScmFailure, ConfigError, StoreError) as failure:
        return in_words(failure)
    if settled is not None:
        await flow.ask(Notice("Settled", f"The {settled.candidate} password works, and is in use."))
    return ""


async def _installed(flow: Flow, answer: RotateAnswer) -> Installed | None:
    if answer.make_new:
        return await flow.during("Changing the password at SCM ...", flow.engine.changing.change(), can_stop=False)
    work = flow.engine.rotating.rotate(answer.login, answer.password, insist=answer.insist)
    return await flow.during("Trying the new credentials once ...", work, can_stop=False)


def password_note(status: PasswordStatus | None) -> str:
    """Return what is known of the password's expiry; empty when nothing is."""
    if status is None:
        return ""
    expires = f", expires {fmt.format_when(status.expires)}" if status.expires is not None else ""
    return f"{printable(status.state)}{expires}"


def _lines(installed: Installed) -> list[str]:
    goes_on = {0: "No poll worker had to wait", 1: "1 poll worker goes on"}
    some = f"{installed.resumed} poll workers go on, spread over some seconds"
    lines = [f"SCM accepts login {installed.login}. {goes_on.get(installed.resumed, some)}."]
    if installed.keeping_failure is not None:
        told = explain(installed.keeping_failure)
        lines.append(f"NOT kept for the next start: {told.meaning} {told.next_step}")
    else:
        lines.append(f"Kept in {installed.kept_in}.")
    if installed.overridden_by:
        lines.append(f"The next start would take them from {installed.overridden_by}: change them there too.")
    return lines


async def _handed_over(flow: Flow, answer: RotateAnswer) -> list[str]:
    handing_over = flow.engine.handing_over
    if not answer.hand_over or handing_over is None:
        return []
    return await flow.during("Telling certctl-server ...", _steps(handing_over), can_stop=False) or []


async def _steps(handing_over: HandingOver) -> list[str]:
    lines = []
    async for done in handing_over.hand_over():
        if done.failure is None:
            lines.append(f"certctl-server, {done.step.value}: done {done.words}".rstrip())
        else:
            told = explain(done.failure)
            lines.append(f"certctl-server, {done.step.value}: FAILED, {told.meaning} Left to do: {told.next_step}")
    return lines
