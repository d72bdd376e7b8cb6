"""Handing facts over: to the CA's support, and to the next shift."""

from __future__ import annotations

import asyncio

from textual.content import Content

from sectigo_tui.domain.errors import InputError
from sectigo_tui.engine.diagnosis.knowledge import Target
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.ui.board import Board
from sectigo_tui.ui.dialogs.confirm import Notice
from sectigo_tui.ui.flows.flow import Flow, in_words
from sectigo_tui.ui.text import printable


async def escalate(flow: Flow, diagnosis: Diagnosis) -> None:
    """Copy an order's escalation pack, keep it as a file, and show it.

    Args:
        flow: What every flow works with.
        diagnosis: The order's diagnosis.
    """
    await _hand_over(flow, flow.engine.diagnoser.pack(diagnosis), f"escalation-{diagnosis.ref}")


async def hand_over(flow: Flow, board: Board) -> None:
    """Copy all that is open, grouped by cause, keep it as a file, and show it."""
    targets: list[Target] = [subject.target for subject in board.pending() if subject.target is not None]
    await _hand_over(flow, flow.engine.diagnoser.handover(targets), "handover")


async def _hand_over(flow: Flow, markdown: str, name: str) -> None:
    flow.copy(markdown)
    lines = "\n".join(printable(line, limit=2_000) for line in markdown.splitlines())
    try:
        path = await asyncio.to_thread(
            flow.defaults.keep, f"{name}-{flow.engine.context.clock.now():%Y%m%dT%H%M%SZ}.md", markdown
        )
    except InputError as refused:
        await flow.ask(Notice("Copied; not kept as a file", Content(f"{in_words(refused)}\n\n{lines}")))
    else:
        await flow.ask(Notice(f"Copied, and kept in {path}", Content(lines)))
