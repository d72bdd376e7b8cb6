"""The model of every screen: the orders, the time, the published events, and the facts of this run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from msgspec import Struct
from textual.signal import Signal

from sectigo_tui.domain.events import EngineEvent
from sectigo_tui.presentation.columns import RowContext
from sectigo_tui.presentation.rows import OrderRows
from sectigo_tui.presentation.watchlist import Watchlist
from sectigo_tui.ui.errors import Errors
from sectigo_tui.ui.layout import Layout

Use = Coroutine[Any, Any, object]
Perform = Callable[[str, Use], None]
"""Runs a use case in a worker; its failure goes to the error pane under the given name."""


class Surroundings(Struct, frozen=True):
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


class ViewModel(Struct, frozen=True):
    """What every screen is given.

    Args:
        order_rows: Finds what is shown.
        now: The time and what else the cells depend on.
        changed_rows: Published with what the engine published since the last time, oldest first.
        surroundings: The settled facts of this run.
        errors: The failures of this session.
        perform: Runs a use case.
        layout: How the screen is arranged.
        watchlist: What deserves a poll.
    """

    order_rows: OrderRows
    now: RowContext
    changed_rows: Signal[Sequence[EngineEvent]]
    surroundings: Surroundings
    errors: Errors
    perform: Perform
    layout: Layout
    watchlist: Watchlist
