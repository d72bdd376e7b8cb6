"""Handing facts over: to the CA's support, and to the next shift."""

from __future__ import annotations

import asyncio

from sectigo_tui.domain.errors import InputError
from sectigo_tui.engine.diagnosis.evidence.known import Target
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.presentation.rows import OrderRows
from sectigo_tui.ui.dialogs.confirm import Reading
from sectigo_tui.ui.workflows.workflow import Workflow

FETCHED_AT_MOST = 200
"""How many orders are looked up for a handover, at some requests each; of the others it says what is known."""


async def escalate(workflow: Workflow, diagnosis: Diagnosis) -> None:
    """Copy an order's escalation pack, keep it as a file, and show it.

    Args:
        workflow: What every flow works with.
        diagnosis: The order's diagnosis.
    """
    pack = workflow.engine.diagnoser.pack(diagnosis)
    await _hand_over(workflow, "Escalation pack", pack, f"escalation-{diagnosis.ref}")


async def hand_over(workflow: Workflow, order_rows: OrderRows) -> None:
    """Look up what is open, then copy all of it, grouped by cause, keep it as a file, and show it.

    Args:
        workflow: What every flow works with.
        order_rows: Finds what is open.
    """
    targets: list[Target] = [row.target for row in order_rows.pending() if row.target is not None]
    in_flight = workflow.engine.diagnoser.attend(targets[:FETCHED_AT_MOST], lambda _target, _verdict: None)
    await workflow.during(
        f"Looking up what {min(len(targets), FETCHED_AT_MOST)} orders wait for ...\n"
        "Cancel: hand over what is known now.",
        in_flight,
        can_stop=True,
    )
    await _hand_over(workflow, "Handover", workflow.engine.diagnoser.handover(targets), "handover")


async def _hand_over(workflow: Workflow, title: str, markdown: str, name: str) -> None:
    workflow.copy(markdown)
    at = workflow.engine.clock.now()
    try:
        path = await asyncio.to_thread(workflow.defaults.keep, f"{name}-{at:%Y%m%dT%H%M%SZ}.md", markdown)
    except InputError as refused:
        note = f"Copied, but not kept as a file: {refused.reason}. Next: {refused.remedy}"
    else:
        note = f"Copied, and kept in {path}"
    await workflow.ask(Reading(title, note, markdown.rstrip("\n")))
