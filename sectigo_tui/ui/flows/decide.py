"""Approving and declining orders that wait for an administrator."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from textual.content import Content

from sectigo_tui.domain.errors import InputError, Refused, ScmFailure, Unreachable
from sectigo_tui.domain.status import is_same
from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.dialogs.confirm import Notice
from sectigo_tui.ui.dialogs.message import AskText
from sectigo_tui.ui.flows.batch import done, outcomes_content, subjects_content
from sectigo_tui.ui.flows.flow import Flow
from sectigo_tui.ui.flows.rotate import after_refusal
from sectigo_tui.ui.text import printable

LONGEST_WARNING = 600
WARNED_OF = 50
"""Of how many orders it is said what stands against their approval."""


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
        Content("\n").join([subjects_content(subjects), *_warnings(flow, subjects)]),
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


def _warnings(flow: Flow, subjects: Sequence[Subject]) -> Iterator[Content]:
    """Return what is known to stand against an approval, or to be left in its way after it."""
    login = flow.engine.rotating.login
    for subject in subjects[:WARNED_OF]:
        known = [_of_ev(subject, login)] if is_same(subject.validation, "EV") else []
        if subject.target is not None:
            others = flow.engine.diagnoser.cheap(subject.target).others
            known += [other.sentence for other in others if other.is_certain]
        for words in known:
            text = printable(f"! {subject.ssl_id}: {words}", limit=LONGEST_WARNING)
            yield Content.styled(text, "$state-warning")


def _of_ev(subject: Subject, login: str) -> str:
    requester = subject.requester
    if requester and is_same(requester, login):
        return f"EV, requested by {requester}, the login in use here: SCM refuses its approval (-1140)."
    if requester:
        return f"EV: an administrator other than its requester, {requester}, has to approve it."
    return "EV: whoever requested it may not approve it."


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
        flow.unmark([subject.ssl_id])
        flow.tell(f"Declined: sslId {subject.ssl_id}.")
        return


async def _look_again(flow: Flow, subjects: Sequence[Subject]) -> None:
    """Read the orders again at once, those that were refused too: the rows are to tell what is."""
    ssl_ids = [subject.ssl_id for subject in subjects if subject.ssl_id is not None]
    await flow.during("Reading the orders again ...", flow.engine.read_again(ssl_ids), can_stop=True)
