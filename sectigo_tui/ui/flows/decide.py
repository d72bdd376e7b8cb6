"""Approving and declining orders that wait for an administrator."""

from __future__ import annotations

from collections.abc import Sequence

from sectigo_tui.domain.errors import InputError, Refused, ScmFailure
from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.dialogs.confirm import Notice
from sectigo_tui.ui.dialogs.message import AskText
from sectigo_tui.ui.flows.batch import outcomes_content, subjects_content
from sectigo_tui.ui.flows.flow import Flow
from sectigo_tui.ui.flows.rotate import after_refusal


async def approve(flow: Flow, subjects: Sequence[Subject]) -> None:
    """Approve one order or several, after one confirmation that lists them all."""
    ssl_ids = [subject.ssl_id for subject in subjects if subject.ssl_id is not None]
    message = await flow.ask(
        AskText(
            f"Approve {len(ssl_ids)} order{'s' if len(ssl_ids) > 1 else ''}?",
            subjects_content(subjects),
            label="Message",
            button="Approve",
        )
    )
    if message is None:
        return
    outcomes = await flow.during("Approving ...", flow.engine.approving.approve_all(ssl_ids, message), can_stop=False)
    await _look_again(flow, subjects)
    if outcomes and any(outcome.failure for outcome in outcomes):
        await flow.ask(Notice("Approve", outcomes_content(outcomes)))
    else:
        flow.tell(f"Approved: {', '.join(map(str, ssl_ids))}.")


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
            if isinstance(failure, Refused):
                await _look_again(flow, [subject])  # somebody may have decided meanwhile
            problem = await after_refusal(flow, failure)
            continue
        await _look_again(flow, [subject])
        flow.tell(f"Declined: sslId {subject.ssl_id}.")
        return


async def _look_again(flow: Flow, subjects: Sequence[Subject]) -> None:
    """Read the orders again at once, those that were refused too: the rows are to tell what is."""
    ssl_ids = [subject.ssl_id for subject in subjects if subject.ssl_id is not None]
    await flow.during("Reading the orders again ...", flow.engine.read_again(ssl_ids), can_stop=True)
