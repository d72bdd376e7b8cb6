"""Choosing what several orders wait for together."""

from __future__ import annotations

from sectigo_tui.engine.diagnosis.verdict import Strength
from sectigo_tui.presentation.common_causes import filter_of, shared_causes
from sectigo_tui.presentation.rows import OrderRows
from sectigo_tui.ui.dialogs.causes import Causes
from sectigo_tui.ui.workflows.workflow import Workflow


async def choose_cause(workflow: Workflow, order_rows: OrderRows) -> str:
    """Let the operator choose one of the causes that pending orders share.

    Args:
        flow: What every flow works with.
        board: Finds the orders.

    Returns:
        The filter that lists the orders of the cause; empty when none was chosen.
    """
    diagnoser = workflow.engine.diagnoser
    targets = [row.target for row in order_rows.pending() if row.target is not None]
    unknown = sum(diagnoser.cheap(target).strength is Strength.STATUS_ONLY for target in targets)
    chosen = await workflow.ask(Causes(shared_causes(diagnoser, targets), unknown))
    return filter_of(chosen) if chosen is not None else ""
