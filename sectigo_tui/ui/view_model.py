"""What every screen is given: the board, the time, what was announced, and the settled facts of this run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from textual.signal import Signal

from sectigo_tui.domain.events import Announcement
from sectigo_tui.domain.values import dataclass
from sectigo_tui.ui.attention import Attention
from sectigo_tui.ui.board import Board
from sectigo_tui.ui.columns import Now
from sectigo_tui.ui.memory import Memory
from sectigo_tui.ui.troubles import Troubles

Use = Coroutine[Any, Any, object]
Perform = Callable[[str, Use], None]
"""Runs a use case in a worker; its failure goes to the error pane under the given name."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The settled facts of this run, as the header shows them.

    Args:
        band: The environment, such as `PROD`; empty for none.
        band_color: Its colour: red, yellow, green, blue, magenta, or auto for red where it is production.
        profile: The configuration's profile; empty for none.
        customer: The customer URI.
    """

    band: str = ""
    band_color: str = "auto"
    profile: str = ""
    customer: str = ""


@dataclass(frozen=True, slots=True)
class ViewModel:
    """What every screen is given.

    Args:
        board: Finds what is shown.
        now: The time and what else the cells depend on.
        announced: Published with what the engine announced since the last time, oldest first.
        surroundings: The settled facts of this run.
        troubles: The failures of this session.
        perform: Runs a use case.
        memory: How the screen is arranged.
        attention: What deserves a look.
    """

    board: Board
    now: Now
    announced: Signal[Sequence[Announcement]]
    surroundings: Surroundings
    troubles: Troubles
    perform: Perform
    memory: Memory
    attention: Attention
