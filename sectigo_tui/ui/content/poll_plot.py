"""The newest looks at an order as a small plot: how long each answer took, and what it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sectigo_tui.domain.polling import PollOutcome, PollResult
from sectigo_tui.presentation import format as fmt
from sectigo_tui.presentation.columns import poll_text
from sectigo_tui.presentation.glyphs import ASCII, Glyphs
from sectigo_tui.ui.content import lines
from sectigo_tui.ui.content.lines import untrusted

POLLS_SHOWN = 40
_BARS = ("▁▂▃▄▅▆▇█", "12345678")
_MARKS = {
    PollOutcome.PENDING: ".",
    PollOutcome.FINAL: "!",
    PollOutcome.ISSUED: "i",
    PollOutcome.NOT_READY: "n",
    PollOutcome.COLLECTED: "C",
    PollOutcome.RATE_LIMITED: "4",
    PollOutcome.SERVER_FAILURE: "5",
    PollOutcome.UNREACHABLE: "-",
    PollOutcome.UNREADABLE: "?",
    PollOutcome.CREDENTIALS_REFUSED: "a",
    PollOutcome.NOT_FOUND: "0",
    PollOutcome.REFUSED: "r",
}


def poll_facts(polls: Sequence[PollResult], glyphs: Glyphs) -> Iterable[lines.Fact]:
    """Return the newest polls: latency as bars, outcome as marks with their meanings, and the newest in words."""
    if not polls:
        return
    shown = polls[-POLLS_SHOWN:]
    slowest = max((poll.latency_seconds or 0.0 for poll in shown), default=0.0)
    yield "latency", f"{''.join(_bar(poll, slowest, glyphs) for poll in shown)}  slowest {fmt.latency(slowest).strip()}"
    yield "outcome", "".join(_MARKS[poll.outcome] for poll in shown)
    yield "", ", ".join(f"{_MARKS[outcome]} {outcome}" for outcome in dict.fromkeys(poll.outcome for poll in shown))
    newest = shown[-1]
    yield "newest", f"{newest.at:%Y-%m-%d %H:%M:%S}Z  {untrusted(poll_text(newest))}"


def _bar(poll: PollResult, slowest: float, glyphs: Glyphs) -> str:
    if poll.latency_seconds is None or slowest <= 0:
        return " "
    scale = _BARS[glyphs is ASCII]
    return scale[min(len(scale) - 1, int(poll.latency_seconds / slowest * len(scale)))]
