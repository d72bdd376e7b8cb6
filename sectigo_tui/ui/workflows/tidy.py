"""Workflows for unconfirmed orders, and for orders that are done with."""

from __future__ import annotations

from collections.abc import Sequence

from sectigo_tui.domain.errors import InputError, ScmFailure
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.ui.dialogs.confirm import Confirm, Notice
from sectigo_tui.ui.workflows.batch import done, outcomes_content, rows_content
from sectigo_tui.ui.workflows.enroll import show_placed
from sectigo_tui.ui.workflows.workflow import Workflow, in_words


async def remove(workflow: Workflow, rows: Sequence[OrderRow]) -> None:
    """Take finished orders off the local list, after one confirmation that lists them all."""
    order_ids = [row.order.id for row in rows if row.order is not None]
    if not await workflow.ask(
        Confirm("Remove these from the list? Their timelines are kept.", rows_content(rows), "Remove")
    ):
        return
    outcomes = await workflow.engine.removing.remove_all(order_ids)
    workflow.unmark(done(outcomes))
    if any(outcome.failure for outcome in outcomes):
        await workflow.ask(Notice("Remove", outcomes_content(outcomes)))
    else:
        workflow.notify(f"Removed {len(outcomes)} from the list.")


async def order_again(workflow: Workflow, row: OrderRow) -> None:
    """Order once more what was not found at SCM; SCM is searched a last time first."""
    if row.order is None or not await workflow.ask(
        Confirm("Not found at SCM: order again, billed?", rows_content([row]), "Search, then order")
    ):
        return
    work = workflow.engine.recovery.order_again(row.order.id)
    try:
        placed = await workflow.during("Searching SCM, then ordering ...", work, can_stop=False)
    except (InputError, ScmFailure) as failure:
        await workflow.ask(Notice("Not ordered", in_words(failure)))
        return
    if placed is not None:
        await show_placed(workflow, placed)


async def give_up(workflow: Workflow, row: OrderRow) -> None:
    """End the search for an order whose answer was lost."""
    if row.order is None or not await workflow.ask(
        Confirm("Give this order up? The search for it ends.", rows_content([row]), "Give it up")
    ):
        return
    await workflow.engine.recovery.give_up(row.order.id)
    workflow.notify("Given up; its timeline is kept.")
