"""Orders in doubt, and orders that are done with."""

from __future__ import annotations

from collections.abc import Sequence

from sectigo_tui.domain.errors import InputError, ScmFailure
from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.dialogs.confirm import Confirm, Notice
from sectigo_tui.ui.flows.batch import done, outcomes_content, subjects_content
from sectigo_tui.ui.flows.enroll import tell_placed
from sectigo_tui.ui.flows.flow import Flow, in_words


async def remove(flow: Flow, subjects: Sequence[Subject]) -> None:
    """Take finished orders off the local list, after one confirmation that lists them all."""
    order_ids = [subject.order.id for subject in subjects if subject.order is not None]
    if not await flow.ask(
        Confirm("Take these off the list? Their timelines are kept.", subjects_content(subjects), "Remove")
    ):
        return
    outcomes = await flow.engine.removing.remove_all(order_ids)
    flow.unmark(done(outcomes))
    if any(outcome.failure for outcome in outcomes):
        await flow.ask(Notice("Remove", outcomes_content(outcomes)))
    else:
        flow.tell(f"Removed {len(outcomes)} from the list.")


async def order_again(flow: Flow, subject: Subject) -> None:
    """Order once more what was not found at SCM; SCM is searched a last time first."""
    if subject.order is None or not await flow.ask(
        Confirm("Not found at SCM: order again, billed?", subjects_content([subject]), "Search, then order")
    ):
        return
    work = flow.engine.recovery.order_again(subject.order.id)
    try:
        placed = await flow.during("Searching SCM, then ordering ...", work, can_stop=False)
    except (InputError, ScmFailure) as failure:
        await flow.ask(Notice("Not ordered", in_words(failure)))
        return
    if placed is not None:
        await tell_placed(flow, placed)


async def give_up(flow: Flow, subject: Subject) -> None:
    """End the search for an order whose answer was lost."""
    if subject.order is None or not await flow.ask(
        Confirm("Give this order up? It is not searched for any more.", subjects_content([subject]), "Give it up")
    ):
        return
    await flow.engine.recovery.give_up(subject.order.id)
    flow.tell("Given up; its timeline is kept.")
