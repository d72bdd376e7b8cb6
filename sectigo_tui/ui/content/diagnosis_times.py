"""What a diagnosis says of time: how long each stage took, and whether that is usual."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from sectigo_tui.engine.diagnosis.normal.figures import Comparison, Pace, WaitProposal
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.engine.diagnosis.stages import NotPolled, Stage, StageState
from sectigo_tui.presentation.glyphs import ASCII, Glyphs
from sectigo_tui.ui.content import lines
from sectigo_tui.ui.keys.key_names import KeyNames

_STAGE_SHAPES = {
    StageState.DONE: ("●", "*"),
    StageState.CURRENT: ("◐", ">"),
    StageState.AHEAD: ("○", "."),
    StageState.ENDED: ("x", "x"),
}
_STAGE_STYLES = {StageState.CURRENT: "bold", StageState.AHEAD: "$state-muted", StageState.ENDED: "$state-failed"}
_PACE_WORDS = {
    Pace.SLOW: "slow",
    Pace.UNDECIDED: "cannot tell, the dates are days",
    Pace.USUAL: "usual",
    Pace.WEAK: "too few orders to say",
    Pace.NO_HISTORY: "no history of this profile yet: {diagnose.history} asks SCM for it",
}
"""The most telling first."""


def stages_content(diagnosis: Diagnosis, glyphs: Glyphs, width: int) -> Content:
    """Return a line a stage, then the times in which nothing was polled."""
    rows = [_stage(stage) for stage in diagnosis.stages]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    has_room_for_source = not width or 2 + sum(widths) + 2 * 3 <= width
    shown: list[Content] = []
    for stage, row in zip(diagnosis.stages, rows, strict=True):
        cells = [text.ljust(cells) for text, cells in zip(row, widths, strict=True)]
        text = "  ".join(cells if has_room_for_source else cells[:3])
        shape = _STAGE_SHAPES[stage.state][glyphs is ASCII]
        shown.append(Content.styled(f"{shape} {text}".rstrip(), _STAGE_STYLES.get(stage.state, "")))
    shown += [Content.styled(_unwatched(missing_part), "$state-warning") for missing_part in diagnosis.unwatched]
    return Content("\n").join(shown)


def pace_content(normal: Sequence[Comparison], keys: KeyNames) -> Content | str:
    """Return the most telling of what still lasts, in one line."""
    paces = list(_PACE_WORDS)
    running = sorted((one for one in normal if one.is_running), key=lambda one: paces.index(one.pace))
    if not running:
        return ""
    worst, words = running[0], keys.fill(_PACE_WORDS[running[0].pace])
    if worst.figure is None:
        return Content.styled(words, "$state-muted")
    style = "$state-warning bold" if worst.pace is Pace.SLOW else "bold" if worst.pace is Pace.USUAL else ""
    return Content.assemble((words, style), f": {worst.leg} {worst.elapsed.text} so far; {worst.figure.text}")


def normal_content(diagnosis: Diagnosis, width: int) -> Content:
    """Return each leg beside the account's figures; those without any share one line."""
    facts = [(str(one.leg), _comparison(one)) for one in diagnosis.normal if one.figure is not None]
    without = [str(one.leg) for one in diagnosis.normal if one.figure is None]
    if facts and without:
        facts.append(("no history", Content.styled(", ".join(without), "$state-muted")))
    proposal = diagnosis.proposal
    if proposal is not None:
        facts.append(("poll_max_wait_seconds", Content(_proposed(proposal))))
    return lines.labelled(facts, width, label_cells=23)


def _stage(stage: Stage) -> tuple[str, str, str, str]:
    reached = stage.reached.text if stage.reached is not None else "-" if stage.state is StageState.AHEAD else "?"
    running = " so far" if stage.state is StageState.CURRENT else ""
    lasted = f"{stage.lasted.text}{running}" if stage.lasted is not None else ""
    return str(stage.name), reached, lasted, stage.source


def _unwatched(missing_part: NotPolled) -> str:
    until = f"{missing_part.until:%Y-%m-%d %H:%MZ}" if missing_part.until else "now"
    return f"  nothing was polled from {missing_part.since:%Y-%m-%d %H:%MZ} to {until}"


def _proposed(wait: WaitProposal) -> str:
    weak = ", weak" if wait.is_weak else ""
    return (
        f"{wait.seconds} would have caught {wait.caught} of {wait.n}{weak}, now {wait.caught_now}; "
        f"{wait.polls_on_average:.0f} requests an order, at most {wait.polls_at_most}"
    )


def _comparison(comparison: Comparison) -> Content:
    style = "$state-warning bold" if comparison.pace is Pace.SLOW else "bold"
    running = " so far" if comparison.is_running else ""
    figure = f"; {comparison.figure.text}" if comparison.figure is not None else ""
    return Content.assemble(f"{comparison.elapsed.text}{running}, ", (str(comparison.pace), style), figure)
