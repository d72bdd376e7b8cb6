"""Choosing what several orders wait for together."""

from __future__ import annotations

from collections.abc import Iterable

from sectigo_tui.engine.diagnosis.common_causes import CommonCause
from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser
from sectigo_tui.engine.diagnosis.evidence.known import Target
from sectigo_tui.engine.diagnosis.rules.causes import Cause
from sectigo_tui.engine.diagnosis.verdict import Strength
from sectigo_tui.presentation.rows import OrderRows
from sectigo_tui.ui.dialogs.causes import Causes
from sectigo_tui.ui.workflows.workflow import Workflow

_NO_CAUSE = frozenset({Cause.NOT_FETCHED, Cause.UNKNOWN_STATUS, Cause.SETTLED})
"""Findings that say what is not known: orders do not share that."""


def shared_causes(diagnoser: Diagnoser, targets: Iterable[Target]) -> list[CommonCause]:
    """Return the causes that at least two orders share by what is known, the one of most orders first.

    Args:
        diagnoser: Says who orders wait for.
        targets: The orders.
    """
    causes = diagnoser.common_causes(targets)
    return [cause for cause in causes if len(cause.orders) > 1 and cause.cause not in _NO_CAUSE]


def filter_of(cause: CommonCause) -> str:
    """Return the filter that lists the orders of a cause."""
    return "|".join(map(str, cause.orders))


async def choose_cause(workflow: Workflow, order_rows: OrderRows) -> str:
    """Let the operator choose one of the causes that pending orders share.

    Args:
        workflow: What every flow works with.
        order_rows: Finds the orders.

    Returns:
        The filter that lists the orders of the cause; empty when none was chosen.
    """
    diagnoser = workflow.engine.diagnoser
    targets = [row.target for row in order_rows.pending() if row.target is not None]
    unknown = sum(diagnoser.cheap(target).strength is Strength.STATUS_ONLY for target in targets)
    chosen = await workflow.ask(Causes(shared_causes(diagnoser, targets), unknown))
    return filter_of(chosen) if chosen is not None else ""
