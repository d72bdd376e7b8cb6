"""Handing facts over: to the CA's support, and to the next shift."""

from __future__ import annotations

import asyncio

from sectigo_tui.domain.errors import InputError
from sectigo_tui.engine.diagnosis.knowledge import Target
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.ui.board import Board
from sectigo_tui.ui.dialogs.reading import Reading
from sectigo_tui.ui.flows.flow import Flow

LOOKED_UP = 200
"""How many orders are looked up for a handover, at some requests each; of the others it says what is known."""


async def escalate(flow: Flow, diagnosis: Diagnosis) -> None:
    """Copy an order's escalation pack, keep it as a file, and show it.

    Args:
        flow: What every flow works with.
        diagnosis: The order's diagnosis.
    """
    pack = flow.engine.diagnoser.pack(diagnosis)
    await _hand_over(flow, "Escalation pack", pack, f"escalation-{diagnosis.ref}")


async def hand_over(flow: Flow, board: Board) -> None:
    """Look up what is open, then copy all of it, grouped by cause, keep it as a file, and show it.

    Args:
        flow: What every flow works with.
        board: Finds what is open.
    """
    targets: list[Target] = [subject.target for subject in board.pending() if subject.target is not None]
    looking = flow.engine.diagnoser.attend(targets[:LOOKED_UP], lambda _target, _verdict: None)
    await flow.during(
        f"Looking up what {min(len(targets), LOOKED_UP)} orders wait for ...\nCancel: hand over what is known now.",
        looking,
        can_stop=True,
    )
    await _hand_over(flow, "Handover", flow.engine.diagnoser.handover(targets), "handover")


async def _hand_over(flow: Flow, title: str, markdown: str, name: str) -> None:
    flow.copy(markdown)
    at = flow.engine.context.clock.now()
    try:
        path = await asyncio.to_thread(flow.defaults.keep, f"{name}-{at:%Y%m%dT%H%M%SZ}.md", markdown)
    except InputError as refused:
        note = f"Copied, but not kept as a file: {refused.problem}. Next: {refused.remedy}"
    else:
        note = f"Copied, and kept in {path}"
    await flow.ask(Reading(title, note, markdown.rstrip("\n")))
