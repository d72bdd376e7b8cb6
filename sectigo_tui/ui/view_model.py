"""What every screen is given: the board, the time, what was announced, and the settled facts of this run."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from textual.signal import Signal

from sectigo_tui.domain.events import (
    Announcement,
    FailureReported,
    PollingPaused,
    PollingResumed,
    StoreTrouble,
)
from sectigo_tui.domain.explain import Explanation, explain
from sectigo_tui.ui.board import Board
from sectigo_tui.ui.columns import Now

Use = Coroutine[Any, Any, object]
Perform = Callable[[str, Use], None]
"""Runs a use case in a worker; its failure goes to the error pane under the given name."""


PAUSED = "polling is paused"


def explained(failure: Exception, what: str) -> Explanation:
    """Return a failure in the four fields an operator reads, named by what was being done."""
    return replace(explain(failure), what=what)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The settled facts of this run, as the header shows them.

    Args:
        band: The environment, such as `PROD`; empty for none.
        profile: The configuration's profile; empty for none.
        customer: The customer URI.
        read_only: Whether writes are disabled.
    """

    band: str = ""
    profile: str = ""
    customer: str = ""
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """A failure that the operator has not acknowledged yet."""

    at: datetime
    explanation: Explanation
    row_id: str = ""


@dataclass(slots=True)
class Troubles:
    """The failures that stay on the screen until they are acknowledged, oldest first; none twice."""

    open: list[Trouble] = field(default_factory=list)

    def hear(self, announcement: Announcement) -> None:
        """Take note of what an announcement says about failures, and of failures that are over."""
        match announcement:
            case FailureReported(at, what, failure, order_id):
                self.add(Trouble(at, explained(failure, what), order_id))
            case PollingPaused(at, _, failure):
                self.add(Trouble(at, explained(failure, PAUSED)))
            case StoreTrouble(at, error) if error is not None:
                self.add(Trouble(at, explained(error, "saving fails"), "store"))
            case StoreTrouble():
                self.open = [trouble for trouble in self.open if trouble.row_id != "store"]
            case PollingResumed():
                self.open = [trouble for trouble in self.open if trouble.explanation.what != PAUSED]
            case _:
                pass

    def add(self, trouble: Trouble) -> None:
        """Show a failure; the same one again only moves its time."""
        self.open = [
            known for known in self.open if (known.explanation, known.row_id) != (trouble.explanation, trouble.row_id)
        ]
        self.open.append(trouble)

    def acknowledge(self) -> None:
        """Take the newest failure off the screen."""
        if self.open:
            self.open.pop()


@dataclass(frozen=True, slots=True)
class ViewModel:
    """What every screen is given.

    Args:
        board: Finds what is shown.
        now: The time and what else the cells depend on.
        announced: Published with what the engine announced since the last time, oldest first.
        surroundings: The settled facts of this run.
        troubles: The failures that wait to be acknowledged.
        perform: Runs a use case.
    """

    board: Board
    now: Now
    announced: Signal[Sequence[Announcement]]
    surroundings: Surroundings
    troubles: Troubles
    perform: Perform
