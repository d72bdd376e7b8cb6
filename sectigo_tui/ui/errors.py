"""Failures: kept on the screen until they are acknowledged, and afterwards in the list of events."""

from __future__ import annotations

from collections import deque
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace
from textual.content import Content

from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.domain.events import EngineEvent, FailureReported, PollingPaused, PollingResumed, StoreStateChanged
from sectigo_tui.domain.explain import Explanation, explain
from sectigo_tui.domain.status import StatusClass, meaning_of
from sectigo_tui.presentation.text import printable
from sectigo_tui.presentation.watchlist import Change

PAUSED = "polling is paused"
SAVING = "saving fails"
KEPT = 1_000
LONG_TEXT = 2_000


class ErrorEntry(Struct, frozen=True):
    """A failure as the operator reads it, or another thing that stays until it was read.

    Args:
        at: When.
        explanation: What is told.
        order_id: The local order that it is about; empty for none.
        kind: What the list of events calls it.
        style: How it looks.
        ssl_id: The order at SCM that it is about; None for none.
    """

    at: datetime
    explanation: Explanation
    order_id: str = ""
    kind: str = "failure"
    style: str = "failed"
    ssl_id: int | None = None


class Errors(Struct):
    """The failures of this session.

    Args:
        open: Those that wait to be acknowledged, oldest first; none twice.
        all: All of them, oldest first, as far back as they are kept.
    """

    open: list[ErrorEntry] = field(default_factory=list)
    all: deque[ErrorEntry] = field(default_factory=lambda: deque(maxlen=KEPT))

    def receive(self, event: EngineEvent) -> None:
        """Take note of what an event says about failures, and of failures that are over."""
        match event:
            case FailureReported(at, what, failure, order_id):
                # What a server said stays beside what was being done: a code alone may mean two things.
                said = f"{what}: {failure.reason}" if isinstance(failure, ScmFailure) else what
                self.add(ErrorEntry(at, replace(explain(failure), what=said), order_id))
            case PollingPaused(at, _, failure):
                self.add(ErrorEntry(at, replace(explain(failure), what=PAUSED)))
            case StoreStateChanged(at, error) if error is not None:
                self._is_over(SAVING)
                told = explain(error)
                # Said where somebody goes on saving, never by a command that ends.
                meaning = f"{told.meaning} Nothing is lost while this program runs, and saving is retried."
                self.add(ErrorEntry(at, replace(told, what=SAVING, meaning=meaning)))
            case StoreStateChanged():
                self._is_over(SAVING)
            case PollingResumed():
                self._is_over(PAUSED)
            case _:
                pass

    def add(self, failure: ErrorEntry) -> None:
        """Show a failure; the same one again only moves its time."""
        before = len(self.open)
        self.open = [one for one in self.open if _same(one) != _same(failure)]
        if len(self.open) == before:
            self.all.append(failure)
        self.open.append(failure)

    def acknowledge(self) -> None:
        """Take the newest failure off the screen."""
        if self.open:
            self.open.pop()

    def acknowledge_all(self) -> None:
        """Take all failures off the screen."""
        self.open.clear()

    def _is_over(self, what: str) -> None:
        self.open = [failure for failure in self.open if failure.explanation.what != what]


def _same(failure: ErrorEntry) -> tuple[Explanation, str]:
    return failure.explanation, failure.order_id


def end_of_watched(at: datetime, change: Change) -> ErrorEntry:
    """Return what is told of a watched remote order that is pending no more.

    Args:
        at: When that was noticed.
        change: What it has become.
    """
    row, meaning = change.row, meaning_of(change.after.status)
    is_issued = meaning.status_class is StatusClass.ISSUED
    name = printable(row.common_name, limit=60) or "(no name)"
    what = "SCM has issued it; it is not local, and not collected by itself" if is_issued else meaning.meaning
    told = Explanation(
        f"watched: {row.ssl_id} {name}: {change.words}",
        None,
        f"{what}. The row stays in Pending for ten minutes.",
        "collect it from the action menu." if is_issued else f"it is for {meaning.responsible}.",
    )
    return ErrorEntry(at, told, kind="watched", style="done" if is_issued else "failed", ssl_id=row.ssl_id)


def error_content(failure: ErrorEntry, *, more: int = 0, keys: str = "") -> Content:
    """Return a failure in its four fields: what, SCM's code, what it means, what to do.

    Args:
        failure: The failure.
        more: How many others wait behind it.
        keys: What is said of the keys that acknowledge it.
    """
    told = failure.explanation
    others = f"  (+{more} more)" if more else ""
    return Content.assemble(
        (f"{failure.at:%H:%M:%S}Z {printable(told.what)}{told.code_text}{others}", f"$state-{failure.style} bold"),
        "\n",
        printable(told.meaning, limit=LONG_TEXT),
        "\n",
        ("Next: ", "bold"),
        printable(told.next_step, limit=LONG_TEXT),
        (f"  {keys}" if keys else "", "$state-muted"),
    )
