"""Approving and declining orders that wait for an administrator."""

from __future__ import annotations

from collections.abc import Sequence

from sectigo_tui.domain.errors import InputError, ScmFailure, Unreachable
from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.dialogs.confirm import Notice
from sectigo_tui.ui.dialogs.message import AskText
from sectigo_tui.ui.flows.batch import done, outcomes_content, subjects_content
from sectigo_tui.ui.flows.flow import Flow
from sectigo_tui.ui.flows.rotate import after_refusal


async def approve(flow: Flow, subjects: Sequence[Subject]) -> None:
    """Approve one order or several, after one confirmation that lists them all."""
    words: str | None = ""
    while subjects and words is not None:
        words, subjects = await _approve(flow, subjects, words)


async def _approve(flow: Flow, subjects: Sequence[Subject], words: str) -> tuple[str | None, Sequence[Subject]]:
    """Approve once; return the message to go on with, and the orders for which SCM could not be reached."""
    ssl_ids = [subject.ssl_id for subject in subjects if subject.ssl_id is not None]
    form = AskText(
        f"Approve {len(ssl_ids)} order{'s' if len(ssl_ids) > 1 else ''}?",
        subjects_content(subjects),
        label="Message",
        button="Approve",
        value=words,
    )
    form.was_filled = bool(words)
    message = await flow.ask(form)
    if message is None:
        return None, ()
    outcomes = await flow.during("Approving ...", flow.engine.approving.approve_all(ssl_ids, message), can_stop=False)
    await _look_again(flow, subjects)
    flow.unmark(done(outcomes))
    if outcomes and any(outcome.failure for outcome in outcomes):
        await flow.ask(Notice("Approve", outcomes_content(outcomes)))
    else:
        flow.tell(f"Approved: {', '.join(map(str, ssl_ids))}.")
    unreached = {outcome.target for outcome in outcomes or () if isinstance(outcome.failure, Unreachable)}
    return message, [subject for subject in subjects if subject.ssl_id in unreached]


async def decline(flow: Flow, subject: Subject) -> None:
    """Decline an order, which ends it."""
    message, problem = "", ""
    while True:
        text = await flow.ask(
            AskText(
                "Decline this order? That ends it.",
                subjects_content([subject]),
                label="Message",
                button="Decline it",
                value=message,
                is_danger=True,
                problem=problem,
            )
        )
        if text is None or subject.ssl_id is None:
            return
        message = text
        try:
            await flow.during("Declining ...", flow.engine.approving.decline(subject.ssl_id, text), can_stop=False)
        except (InputError, ScmFailure) as failure:
            problem = await after_refusal(flow, failure)
            continue
        await _look_again(flow, [subject])
        flow.unmark([subject.ssl_id])
        flow.tell(f"Declined: sslId {subject.ssl_id}.")
        return


async def _look_again(flow: Flow, subjects: Sequence[Subject]) -> None:
    for subject in subjects:
        if subject.order is not None and subject.order.state.is_polled:
            await flow.engine.supervisor.open_window(subject.order.id)
