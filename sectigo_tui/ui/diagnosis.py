"""What the diagnose screen says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from textual.content import Content

from sectigo_tui.domain.orders import Look, LookOutcome
from sectigo_tui.engine.diagnosis.causes import CommonCause
from sectigo_tui.engine.diagnosis.domains import DomainLine
from sectigo_tui.engine.diagnosis.evidence import Fact
from sectigo_tui.engine.diagnosis.normal import Comparison, Pace
from sectigo_tui.engine.diagnosis.organizations import OrganizationLine
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.engine.diagnosis.stages import Stage, StageState
from sectigo_tui.engine.diagnosis.verdict import Strength, Verdict
from sectigo_tui.ui import format as fmt
from sectigo_tui.ui.columns import look_text
from sectigo_tui.ui.glyphs import ASCII, Glyphs
from sectigo_tui.ui.text import printable

LABEL_CELLS = 14
LONG_TEXT = 2_000
LOOKS_SHOWN = 40

_STAGE_SHAPES = {
    StageState.DONE: ("●", "*"),
    StageState.CURRENT: ("◐", ">"),
    StageState.AHEAD: ("○", "."),
    StageState.ENDED: ("x", "x"),
}
_BARS = ("▁▂▃▄▅▆▇█", "12345678")
_MARKS = {
    LookOutcome.PENDING: ".",
    LookOutcome.FINAL: "!",
    LookOutcome.ISSUED: "i",
    LookOutcome.NOT_READY: "n",
    LookOutcome.COLLECTED: "C",
    LookOutcome.RATE_LIMITED: "4",
    LookOutcome.SERVER_FAILURE: "5",
    LookOutcome.UNREACHABLE: "-",
    LookOutcome.UNREADABLE: "?",
    LookOutcome.CREDENTIALS_REFUSED: "a",
    LookOutcome.NOT_FOUND: "4",
    LookOutcome.REFUSED: "r",
}


def diagnosis_content(
    diagnosis: Diagnosis, causes: Sequence[CommonCause], glyphs: Glyphs, *, is_asking: bool
) -> Content:
    """Return the whole diagnosis: verdict, stages, domains, organization, what is normal, polls, evidence.

    Args:
        diagnosis: The diagnosis as far as it is known.
        causes: Causes that this order shares with others.
        glyphs: The shapes of this terminal.
        is_asking: Whether answers are still on their way.
    """
    blocks = [
        _verdict(diagnosis.verdict, causes, is_asking=is_asking),
        _titled("Stages (UTC)", _stages(diagnosis, glyphs)),
        _titled("Domains", _domains(diagnosis.domains)),
        _titled("Organization", _organization(diagnosis.organization)),
        _titled("Is this normal?", _normal(diagnosis)),
        _titled("Outage clock", _outage(diagnosis)),
        _titled("Polls, oldest first", _looks(diagnosis.evidence.looks, glyphs)),
        _titled("Evidence", _evidence(diagnosis.verdict)),
    ]
    return Content("\n\n").join(block for block in blocks if block is not None)


def records_to_publish(domains: Sequence[DomainLine]) -> str:
    """Return what domains' owners were asked to publish, a line each; empty when nothing is told."""
    lines = []
    for line in domains:
        if line.host and line.point:
            lines.append(f"{line.host} {line.mode or 'CNAME'} {line.point}")
        elif line.url:
            lines.append(f"{line.url} {line.file}")
        elif line.email:
            lines.append(f"{line.domain} e-mail to {line.email}")
    return "\n".join(map(_shown, lines))


def causes_content(causes: Sequence[CommonCause]) -> Content:
    """Return the causes that several orders share, each with what to do and which orders."""
    if not causes:
        return Content("No two orders wait for the same thing, by what is known.")
    blocks = []
    for cause in causes:
        more = len(cause.orders) - len(cause.waiting_only_for_this)
        orders = ", ".join(map(str, cause.orders))
        lines = [
            Content.styled(_shown(cause.text), "bold"),
            _fact("Blocked on", str(cause.party)),
            _fact("Next", _shown(cause.finding.next_action)),
            _fact("Orders", f"{orders}{f'; {more} of them wait for something else too' if more else ''}"),
        ]
        blocks.append(Content("\n").join(lines))
    return Content("\n\n").join(blocks)


def _verdict(verdict: Verdict, causes: Sequence[CommonCause], *, is_asking: bool) -> Content:
    lines = [
        Content.assemble(("BLOCKED ON ", "bold"), (str(verdict.party).upper(), "$state-waiting bold")),
        Content(_shown(verdict.sentence)),
        _fact("Next", Content.styled(_shown(verdict.next_action), "bold")),
        _fact("Changes when", _shown(verdict.changes_when)),
    ]
    lines += [_fact("Also", _shown(other.sentence)) for other in verdict.others]
    lines += [
        _fact("Not known", Content.styled(_shown(gap.what), "$state-warning" if gap.weakens else "$state-muted"))
        for gap in verdict.gaps
    ]
    lines += [_fact("Common cause", _shown(cause.text)) for cause in causes if len(cause.orders) > 1]
    if is_asking:
        lines.append(Content.styled("asking SCM for more ...", "$state-muted"))
    elif verdict.strength is not Strength.FULL:
        lines.append(Content.styled(f"evidence: {verdict.strength}", "$state-muted"))
    return Content("\n").join(lines)


def _stages(diagnosis: Diagnosis, glyphs: Glyphs) -> Iterable[Content]:
    for stage in diagnosis.stages:
        yield _stage(stage, glyphs)
    for gap in diagnosis.unwatched:
        until = f"{gap.until:%Y-%m-%d %H:%MZ}" if gap.until else "now"
        text = f"  nobody looked from {gap.since:%Y-%m-%d %H:%MZ} to {until}"
        yield Content.styled(text, "$state-warning")


def _stage(stage: Stage, glyphs: Glyphs) -> Content:
    shape = _STAGE_SHAPES[stage.state][glyphs is ASCII]
    reached = stage.reached.text if stage.reached is not None else "-" if stage.state is StageState.AHEAD else "?"
    lasted = f"{'so far ' if stage.state is StageState.CURRENT else ''}{stage.lasted.text}" if stage.lasted else ""
    style = {"current": "bold", "ahead": "$state-muted", "ended": "$state-failed"}.get(stage.state, "")
    text = f"{shape} {stage.name:<10} {reached:<32} {lasted:<18} {stage.source}"
    return Content.styled(text.rstrip(), style)


def _domains(domains: Sequence[DomainLine]) -> Iterable[Content]:
    for line in domains:
        doubt = "" if line.is_certain else " (not certain)"
        told = f"  {_shown(line.told)}" if line.told else ""
        yield Content.assemble((_shown(line.domain), "bold"), f"  {line.standing}{doubt}{told}")
        record = records_to_publish([line])
        if record:
            published = {None: "", True: "  (published)", False: "  (NOT published)"}[line.is_published]
            yield _fact("  publish", f"{record}{published}")
        checks = [
            f"{word} {fmt.format_when(moment)}"
            for word, moment in (("last", line.last_check), ("next", line.next_check), ("expires", line.expires))
            if moment is not None
        ]
        if checks:
            yield _fact("  checks", ", ".join(checks))


def _organization(line: OrganizationLine | None) -> Iterable[Content]:
    if line is None:
        return
    yield Content.assemble((_shown(line.name), "bold"), f"  {line.level} {line.standing}")
    validation = line.validation
    if validation is None:
        return
    facts = (
        ("status", f"{validation.status} {validation.background_status}".strip()),
        ("submitted", fmt.format_when(validation.submitted) if validation.submitted else ""),
        ("expires", fmt.format_when(validation.expires) if validation.expires else ""),
        ("backend id", validation.backend_id),
        ("validator", validation.validator),
        ("tracking id", validation.tracking_id),
        ("CA's words", validation.last_message),
    )
    for label, text in facts:
        if text:
            yield _fact(f"  {label}", _shown(text))


def _normal(diagnosis: Diagnosis) -> Iterable[Content]:
    for comparison in diagnosis.normal:
        yield _comparison(comparison)
    proposal = diagnosis.proposal
    if proposal is not None:
        weak = ", weak" if proposal.is_weak else ""
        yield Content(
            f"poll_max_wait_seconds = {proposal.seconds} would have caught {proposal.caught} of {proposal.n}{weak} "
            f"(now {proposal.caught_now}), for {proposal.looks_on_average:.0f} requests an order, "
            f"at most {proposal.looks_at_most}"
        )


def _comparison(comparison: Comparison) -> Content:
    figure = comparison.figure.text if comparison.figure is not None else "no history yet: h asks SCM for some"
    style = "$state-warning bold" if comparison.pace is Pace.SLOW else "bold"
    running = " so far" if comparison.is_running else ""
    return Content.assemble(
        f"{comparison.leg}: {comparison.elapsed.text}{running}, ", (str(comparison.pace), style), f"  {figure}"
    )


def _outage(diagnosis: Diagnosis) -> Iterable[Content]:
    outage = diagnosis.outage
    if outage is None:
        return
    has_ended = outage.has_ended(diagnosis.evidence.now)
    words = "has ended" if has_ended else "ends"
    text = f"the certificate in use (sslId {outage.ssl_id or '-'}) {words} {fmt.format_when(outage.expires)}"
    yield Content.styled(text, "$state-failed bold" if has_ended else "$state-warning")


def _looks(looks: Sequence[Look], glyphs: Glyphs) -> Iterable[Content]:
    if not looks:
        return
    shown = looks[-LOOKS_SHOWN:]
    slowest = max((look.latency_seconds or 0.0 for look in shown), default=0.0)
    bars = "".join(_bar(look, slowest, glyphs) for look in shown)
    marks = "".join(_MARKS[look.outcome] for look in shown)
    yield _fact("latency", f"{bars}  slowest {fmt.latency(slowest).strip()}")
    yield _fact("outcome", f"{marks}  . pending, n not ready, 4 429/404, 5 5xx, - unreachable, ? unreadable")
    newest: Look = shown[-1]
    yield _fact("newest", f"{_second(newest.at)}  {_shown(look_text(newest))}")


def _bar(look: Look, slowest: float, glyphs: Glyphs) -> str:
    scale = _BARS[glyphs is ASCII]
    share = (look.latency_seconds or 0.0) / slowest if slowest > 0 else 0.0
    return scale[min(len(scale) - 1, int(share * len(scale)))]


def _evidence(verdict: Verdict) -> Iterable[Content]:
    for fact in verdict.evidence:
        yield _told(fact)


def _told(fact: Fact) -> Content:
    when = _second(fact.at) if fact.at is not None else "concluded"
    return Content.assemble(_shown(fact.statement), (f"  [{fact.source}, {when}]", "$state-muted"))


def _second(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}Z"


def _titled(title: str, lines: Iterable[Content]) -> Content | None:
    found = list(lines)
    return Content("\n").join([Content.styled(title, "bold underline"), *found]) if found else None


def _fact(label: str, text: str | Content) -> Content:
    return Content.assemble((f"{label:<{LABEL_CELLS}}", "$state-muted"), text)


def _shown(text: str) -> str:
    return "\n".join(printable(line, limit=LONG_TEXT) for line in text.split("\n"))
