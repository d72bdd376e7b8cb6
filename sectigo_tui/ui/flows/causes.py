"""Choosing what several orders wait for together."""

from __future__ import annotations

from sectigo_tui.engine.diagnosis.verdict import Strength
from sectigo_tui.ui.board import Board
from sectigo_tui.ui.causes import filter_of, shared_causes
from sectigo_tui.ui.dialogs.causes import Causes
from sectigo_tui.ui.flows.flow import Flow


async def choose_cause(flow: Flow, board: Board) -> str:
    """Let the operator choose one of the causes that pending orders share.

    Args:
        flow: What every flow works with.
        board: Finds the orders.

    Returns:
        The filter that lists the orders of the cause; empty when none was chosen.
    """
    diagnoser = flow.engine.diagnoser
    targets = [subject.target for subject in board.pending() if subject.target is not None]
    unknown = sum(diagnoser.cheap(target).strength is Strength.STATUS_ONLY for target in targets)
    chosen = await flow.ask(Causes(shared_causes(diagnoser, targets), unknown))
    return filter_of(chosen) if chosen is not None else ""
