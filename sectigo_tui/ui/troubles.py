"""Failures: kept on the screen until they are acknowledged, and afterwards in the list of events."""

from __future__ import annotations

from collections import deque
from dataclasses import field, replace
from datetime import datetime

from textual.content import Content

from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.domain.events import Announcement, FailureReported, PollingPaused, PollingResumed, StoreTrouble
from sectigo_tui.domain.explain import Explanation, explain
from sectigo_tui.domain.status import StatusClass, meaning_of
from sectigo_tui.domain.values import dataclass
from sectigo_tui.ui.attention import Change
from sectigo_tui.ui.text import printable

PAUSED = "polling is paused"
SAVING = "saving fails"
KEPT = 1_000
LONG_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class Trouble:
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


@dataclass(slots=True)
class Troubles:
    """The failures of this session.

    Args:
        open: Those that wait to be acknowledged, oldest first; none twice.
        all: All of them, oldest first, as far back as they are kept.
    """

    open: list[Trouble] = field(default_factory=list)
    all: deque[Trouble] = field(default_factory=lambda: deque(maxlen=KEPT))

    def hear(self, announcement: Announcement) -> None:
        """Take note of what an announcement says about failures, and of failures that are over."""
        match announcement:
            case FailureReported(at, what, failure, order_id):
                # What a server said stays beside what was being done: a code alone may mean two things.
                said = f"{what}: {failure.problem}" if isinstance(failure, ScmFailure) else what
                self.add(Trouble(at, replace(explain(failure), what=said), order_id))
            case PollingPaused(at, _, failure):
                self.add(Trouble(at, replace(explain(failure), what=PAUSED)))
            case StoreTrouble(at, error) if error is not None:
                self._is_over(SAVING)
                told = explain(error)
                # Said where somebody goes on saving, never by a command that ends.
                meaning = f"{told.meaning} Nothing in memory is lost, and saving is tried again."
                self.add(Trouble(at, replace(told, what=SAVING, meaning=meaning)))
            case StoreTrouble():
                self._is_over(SAVING)
            case PollingResumed():
                self._is_over(PAUSED)
            case _:
                pass

    def add(self, trouble: Trouble) -> None:
        """Show a failure; the same one again only moves its time."""
        before = len(self.open)
        self.open = [one for one in self.open if _same(one) != _same(trouble)]
        if len(self.open) == before:
            self.all.append(trouble)
        self.open.append(trouble)

    def acknowledge(self) -> None:
        """Take the newest failure off the screen."""
        if self.open:
            self.open.pop()

    def acknowledge_all(self) -> None:
        """Take all failures off the screen."""
        self.open.clear()

    def _is_over(self, what: str) -> None:
        self.open = [trouble for trouble in self.open if trouble.explanation.what != what]


def _same(trouble: Trouble) -> tuple[Explanation, str]:
    return trouble.explanation, trouble.order_id


def end_of_watched(at: datetime, change: Change) -> Trouble:
    """Return what is told of a watched remote order that is pending no more.

    Args:
        at: When that was noticed.
        change: What it has become.
    """
    subject, meaning = change.subject, meaning_of(change.after.status)
    is_issued = meaning.status_class is StatusClass.ISSUED
    name = printable(subject.common_name, limit=60) or "(no name)"
    what = "SCM has issued it; it is not local, and not collected by itself" if is_issued else meaning.meaning
    told = Explanation(
        f"watched: {subject.ssl_id} {name}: {change.words}",
        None,
        f"{what}. The row stays in Pending for ten minutes.",
        "collect it from the action menu." if is_issued else f"it is for {meaning.who_acts}.",
    )
    return Trouble(at, told, kind="watched", style="done" if is_issued else "failed", ssl_id=subject.ssl_id)


def trouble_content(trouble: Trouble, *, more: int = 0, keys: str = "") -> Content:
    """Return a failure in its four fields: what, SCM's code, what it means, what to do.

    Args:
        trouble: The failure.
        more: How many others wait behind it.
        keys: What is said of the keys that acknowledge it.
    """
    told = trouble.explanation
    code = "" if told.code is None else f"  SCM code {told.code}"
    others = f"  (+{more} more)" if more else ""
    return Content.assemble(
        (f"{trouble.at:%H:%M:%S}Z {printable(told.what)}{code}{others}", f"$state-{trouble.style} bold"),
        "\n",
        printable(told.meaning, limit=LONG_TEXT),
        "\n",
        ("Next: ", "bold"),
        printable(told.next_step, limit=LONG_TEXT),
        (f"  {keys}" if keys else "", "$state-muted"),
    )
