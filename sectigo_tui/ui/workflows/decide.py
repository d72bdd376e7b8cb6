"""Approving and declining orders that wait for an administrator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from sectigo_tui.domain.errors import InputError, Refused, ScmFailure, Unreachable
from sectigo_tui.domain.status import is_same
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.confirm import AskText, Notice
from sectigo_tui.ui.workflows.batch import done, outcomes_content, rows_content
from sectigo_tui.ui.workflows.rotate import after_rejection
from sectigo_tui.ui.workflows.workflow import Workflow

LONGEST_WARNING = 600
WARNED_OF = 50
"""Of how many orders it is said what stands against their approval."""


async def approve(workflow: Workflow, rows: Sequence[OrderRow]) -> None:
    """Approve one order or several, after one confirmation that lists them all."""
    words: str | None = ""
    while rows and words is not None:
        words, rows = await _approve(workflow, rows, words)


async def _approve(workflow: Workflow, rows: Sequence[OrderRow], words: str) -> tuple[str | None, Sequence[OrderRow]]:
    """Approve once; return the message to go on with, and the orders for which SCM could not be reached."""
    ssl_ids = [row.ssl_id for row in rows if row.ssl_id is not None]
    form = AskText(
        f"Approve {len(ssl_ids)} order{'s' if len(ssl_ids) > 1 else ''}?",
        Content("\n").join([rows_content(rows), *_warnings(workflow, rows)]),
        label="Message",
        button="Approve",
        value=words,
    )
    form.was_filled = bool(words)
    message = await workflow.ask(form)
    if message is None:
        return None, ()
    outcomes = await workflow.during(
        "Approving ...", workflow.engine.approving.approve_all(ssl_ids, message), can_stop=False
    )
    await _read_again(workflow, rows)
    workflow.unmark(done(outcomes))
    if outcomes and any(outcome.failure for outcome in outcomes):
        await workflow.ask(Notice("Approve", outcomes_content(outcomes)))
    else:
        workflow.notify(f"Approved: {', '.join(map(str, ssl_ids))}.")
    unreached = {outcome.target for outcome in outcomes or () if isinstance(outcome.failure, Unreachable)}
    return message, [row for row in rows if row.ssl_id in unreached]


def _warnings(workflow: Workflow, rows: Sequence[OrderRow]) -> Iterator[Content]:
    """Return what is known to stand against an approval, or to be left in its way after it."""
    login = workflow.engine.credentials.login
    for row in rows[:WARNED_OF]:
        known = [_of_ev(row, login)] if is_same(row.validation, "EV") else []
        if row.target is not None:
            others = workflow.engine.diagnoser.cheap(row.target).others
            known += [other.sentence for other in others if other.is_certain]
        for words in known:
            text = printable(f"! {row.ssl_id}: {words}", limit=LONGEST_WARNING)
            yield Content.styled(text, "$state-warning")


def _of_ev(row: OrderRow, login: str) -> str:
    requester = row.requester
    if requester and is_same(requester, login):
        return f"EV, requested by {requester}, the login in use here: SCM refuses its approval (-1140)."
    if requester:
        return f"EV: an administrator other than its requester, {requester}, has to approve it."
    return "EV: whoever requested it may not approve it."


async def decline(workflow: Workflow, row: OrderRow) -> None:
    """Decline an order, which ends it."""
    message, error_text = "", ""
    while True:
        text = await workflow.ask(
            AskText(
                "Decline this order? That ends it.",
                rows_content([row]),
                label="Message",
                button="Decline it",
                value=message,
                is_danger=True,
                error_text=error_text,
            )
        )
        if text is None or row.ssl_id is None:
            return
        message = text
        try:
            await workflow.during("Declining ...", workflow.engine.approving.decline(row.ssl_id, text), can_stop=False)
        except (InputError, ScmFailure) as failure:
            if isinstance(failure, Refused):
                await _read_again(workflow, [row])  # somebody may have decided meanwhile
            error_text = await after_rejection(workflow, failure)
            continue
        await _read_again(workflow, [row])
        workflow.unmark([row.ssl_id])
        workflow.notify(f"Declined: sslId {row.ssl_id}.")
        return


async def _read_again(workflow: Workflow, rows: Sequence[OrderRow]) -> None:
    """Read the orders again at once, those that were refused too: the rows are to tell what is."""
    ssl_ids = [row.ssl_id for row in rows if row.ssl_id is not None]
    await workflow.during("Reading the orders again ...", workflow.engine.read_again(ssl_ids), can_stop=True)
