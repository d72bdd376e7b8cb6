"""Lines that are drawn: the last polls, the pace of an order, and what was pending day by day."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from textual.content import Content

from sectigo_tui.domain.polling import PollOutcome, PollResult
from sectigo_tui.engine.diagnosis.normal import Comparison, Pace
from sectigo_tui.presentation import format as fmt
from sectigo_tui.presentation.glyphs import ASCII, Glyphs
from sectigo_tui.presentation.pictures import bars, pace_scale
from sectigo_tui.ui.content.lines import Fact

POLLS_SHOWN = 40
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
_PACE_STYLES = {Pace.SLOW: "$state-warning bold", Pace.USUAL: "bold"}


def latency_content(seconds: float | None) -> Content:
    """Return how long a call took; as a warning beyond a second."""
    is_slow = (seconds or 0.0) > fmt.SLOW_ANSWER_SECONDS
    return Content.styled(fmt.latency(seconds).strip(), "$state-warning" if is_slow else "")


def poll_lines(polls: Sequence[PollResult], glyphs: Glyphs) -> Iterable[Fact]:
    """Return the newest polls as two lines: latency as bars, outcome as marks with their meanings.

    Args:
        polls: At least one, oldest first.
        glyphs: The shapes of this terminal.
    """
    shown = polls[-POLLS_SHOWN:]
    slowest = max((poll.latency_seconds or 0.0 for poll in shown), default=0.0)
    drawn = bars((poll.latency_seconds for poll in shown), is_ascii=glyphs is ASCII)
    yield "latency", Content.assemble(drawn, "  slowest ", latency_content(slowest))
    yield "outcome", "".join(_MARKS[poll.outcome] for poll in shown)
    yield "", ", ".join(f"{_MARKS[outcome]} {outcome}" for outcome in dict.fromkeys(poll.outcome for poll in shown))


def pace_content(compared: Comparison, glyphs: Glyphs) -> Content | str:
    """Return an order on the scale of what orders of its profile took; nothing where that is not known.

    Args:
        compared: The order beside the account's figure.
        glyphs: The shapes of this terminal.
    """
    figure = compared.figure
    if figure is None:
        return ""
    style = _PACE_STYLES.get(compared.pace, "")
    scale = pace_scale(compared, is_ascii=glyphs is ASCII)
    return Content.assemble(
        (scale, style), " ", (str(compared.pace), style), f": {compared.elapsed.text}; {figure.text}"
    )


def pending_lines(counted: Mapping[str, Sequence[int | None]], glyphs: Glyphs) -> Iterable[Fact]:
    """Return how many orders were pending day by day, a line for each of those who blocked them.

    Args:
        counted: A count a day by blocker, the last one today; None for a day that is not known.
        glyphs: The shapes of this terminal.
    """
    most = max((count or 0 for counts in counted.values() for count in counts), default=0)
    if not most:
        return
    for blocker, counts in counted.items():
        highest = max(count or 0 for count in counts)
        if highest:
            drawn = bars(counts, is_ascii=glyphs is ASCII, most=most)
            yield f"on {blocker}", f"{drawn} {counts[-1] or 0} now, {highest} at most in {len(counts)} days"
