"""What the diagnose screen says: who the order waits for, whether that is normal, what next, and what that rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from textual.content import Content

from sectigo_tui.domain.orders import Look, LookOutcome
from sectigo_tui.engine.diagnosis.causes import CommonCause
from sectigo_tui.engine.diagnosis.domains import DomainLine, DomainStanding
from sectigo_tui.engine.diagnosis.evidence import Evidence, Fact, Piece, PieceState
from sectigo_tui.engine.diagnosis.findings import Party
from sectigo_tui.engine.diagnosis.normal import Comparison, Pace, WaitProposal
from sectigo_tui.engine.diagnosis.organizations import OrganizationLine
from sectigo_tui.engine.diagnosis.outage import OutageClock
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.engine.diagnosis.stages import Stage, StageState, Unwatched
from sectigo_tui.engine.diagnosis.verdict import Strength
from sectigo_tui.ui import format as fmt
from sectigo_tui.ui import lines
from sectigo_tui.ui.columns import look_text
from sectigo_tui.ui.glyphs import ASCII, Glyphs, order_look, status_look
from sectigo_tui.ui.key_names import DEFAULT_NAMES, KeyNames
from sectigo_tui.ui.text import printable

LONG_TEXT = 2_000
LOOKS_SHOWN = 40
VALID_SHOWN = 20
"""How many domains are named of those at which nothing is left to do."""

_STAGE_SHAPES = {
    StageState.DONE: ("●", "*"),
    StageState.CURRENT: ("◐", ">"),
    StageState.AHEAD: ("○", "."),
    StageState.ENDED: ("x", "x"),
}
_STAGE_STYLES = {StageState.CURRENT: "bold", StageState.AHEAD: "$state-muted", StageState.ENDED: "$state-failed"}
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
    LookOutcome.NOT_FOUND: "0",
    LookOutcome.REFUSED: "r",
}
_PARTY_STYLES = {
    Party.YOU: "$state-waiting bold",
    Party.APPROVER: "$state-waiting bold",
    Party.DNS_OWNER: "$state-waiting bold",
    Party.ORGANIZATION_CONTACT: "$state-waiting bold",
    Party.UNKNOWN: "$state-warning bold",
}
_PACE_WORDS = {
    Pace.SLOW: "slow",
    Pace.CANNOT_TELL: "cannot tell, the dates are days",
    Pace.USUAL: "usual",
    Pace.WEAK: "too few orders to say",
    Pace.NO_HISTORY: "no history of this profile yet: {diagnose.history} asks SCM for it",
}
"""The most telling first."""


def diagnosis_content(
    diagnosis: Diagnosis,
    causes: Sequence[CommonCause],
    glyphs: Glyphs,
    *,
    is_asking: bool,
    width: int = 0,
    keys: KeyNames = DEFAULT_NAMES,
) -> Content:
    """Return the whole diagnosis: verdict, stages, domains, organization, what is normal, polls, evidence.

    Args:
        diagnosis: The diagnosis as far as it is known.
        causes: Causes that this order shares with others.
        glyphs: The shapes of this terminal.
        is_asking: Whether answers are still on their way.
        width: The cells of a line, for wrapping a text beside its label; 0 for no bound.
        keys: Names the keys that it tells of.
    """
    evidence = diagnosis.evidence
    verdict = lines.labelled(_verdict(diagnosis, causes, keys, is_asking=is_asking), width)
    domains, organization = _domains(diagnosis.domains, width), _organization(diagnosis.organization, width)
    polls = lines.labelled(_looks(evidence.looks, glyphs), width)
    facts = lines.labelled(map(_evidence, diagnosis.verdict.evidence), width, label_cells=lines.TIME_CELLS)
    blocks = (
        Content("\n").join((_title(evidence, glyphs), verdict)),
        lines.titled("Stages (UTC)", _stages(diagnosis, glyphs, width)),
        _section("Domains", [evidence.dcv, *evidence.domains.values()], domains, is_asking=is_asking),
        _section("Organization", [evidence.organization], organization, is_asking=is_asking),
        lines.titled("Is this normal?", _normal(diagnosis, width)),
        lines.titled("Polls, oldest first", polls),
        lines.titled("What the verdict rests on (UTC)", facts),
    )
    return Content("\n\n").join(block for block in blocks if block.plain)


def records_to_publish(domains: Sequence[DomainLine]) -> str:
    """Return what the owners of domains that are not valid were asked to publish, a line each; empty for nothing."""
    return "\n".join(
        _shown(record)
        for line in domains
        if line.standing is not DomainStanding.VALID and (record := _record(line)) is not None
    )


def _record(line: DomainLine) -> str | None:
    if line.host and line.point:
        return f"{line.host} {line.mode or 'CNAME'} {line.point}"
    if line.url:
        return f"{line.url} {line.file}"
    return f"{line.domain} e-mail to {line.email}" if line.email else None


def _title(evidence: Evidence, glyphs: Glyphs) -> Content:
    order = evidence.order
    look = order_look(order.state, evidence.status) if order else status_look(evidence.status)
    ssl_id = f"sslId {evidence.ssl_id}" if evidence.ssl_id is not None else "no sslId yet"
    return Content.assemble(
        (look.text(glyphs), f"$state-{look.style}" if look.style else ""),
        "  ",
        (_shown(evidence.common_name) or "(no common name)", "bold"),
        f"  {ssl_id}  {_shown(evidence.level)}".rstrip(),
    )


def _verdict(
    diagnosis: Diagnosis, causes: Sequence[CommonCause], keys: KeyNames, *, is_asking: bool
) -> Iterable[lines.Fact]:
    verdict = diagnosis.verdict
    party = Content.styled(str(verdict.party).upper(), _PARTY_STYLES.get(verdict.party, "bold"))
    yield "Blocked on", party
    yield "Why", _shown(verdict.sentence)
    yield "Next", Content.styled(_shown(verdict.next_action), "bold")
    yield "Normal?", _is_normal(diagnosis.normal, keys)
    if diagnosis.outage is not None:
        yield "In use until", _outage(diagnosis.outage, diagnosis.evidence.now)
    for other in verdict.others:
        yield "Also", _shown(other.sentence)
    for cause in causes:
        yield "Shared", f"{_shown(cause.text)}; {keys.name('app.causes')} lists them"
    yield "Changes when", _shown(verdict.changes_when)
    for gap in (gap for gap in verdict.gaps if gap.what not in verdict.sentence):
        yield "Not known", Content.styled(_shown(gap.what), "$state-warning" if gap.weakens else "$state-muted")
    if is_asking:
        yield "Evidence", Content.styled("asking SCM for more ...", "$state-muted")
    elif verdict.strength is not Strength.FULL:
        again = keys.fill("{diagnose.again} asks again")
        yield "Evidence", Content.styled(f"{verdict.strength}: {again}", "$state-warning")


def _is_normal(normal: Sequence[Comparison], keys: KeyNames) -> Content | str:
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


def _outage(outage: OutageClock, now: datetime) -> Content:
    has_ended = outage.has_ended(now)
    left = "it has ended" if has_ended else f"{outage.left(now).text} left"
    text = f"{fmt.format_when(outage.expires)}, {left}: the certificate of sslId {outage.ssl_id or '-'}"
    return Content.styled(text, "$state-failed bold" if has_ended else "$state-warning")


def _stages(diagnosis: Diagnosis, glyphs: Glyphs, width: int) -> Content:
    rows = [_stage(stage) for stage in diagnosis.stages]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    has_room_for_source = not width or 2 + sum(widths) + 2 * 3 <= width
    shown: list[Content] = []
    for stage, row in zip(diagnosis.stages, rows, strict=True):
        cells = [text.ljust(cells) for text, cells in zip(row, widths, strict=True)]
        text = "  ".join(cells if has_room_for_source else cells[:3])
        shape = _STAGE_SHAPES[stage.state][glyphs is ASCII]
        shown.append(Content.styled(f"{shape} {text}".rstrip(), _STAGE_STYLES.get(stage.state, "")))
    shown += [Content.styled(_unwatched(gap), "$state-warning") for gap in diagnosis.unwatched]
    return Content("\n").join(shown)


def _stage(stage: Stage) -> tuple[str, str, str, str]:
    reached = stage.reached.text if stage.reached is not None else "-" if stage.state is StageState.AHEAD else "?"
    running = " so far" if stage.state is StageState.CURRENT else ""
    lasted = f"{stage.lasted.text}{running}" if stage.lasted is not None else ""
    return str(stage.name), reached, lasted, stage.source


def _unwatched(gap: Unwatched) -> str:
    until = f"{gap.until:%Y-%m-%d %H:%MZ}" if gap.until else "now"
    return f"  nobody looked from {gap.since:%Y-%m-%d %H:%MZ} to {until}"


def _section(title: str, pieces: Sequence[Piece[object]], content: Content, *, is_asking: bool) -> Content:
    """Return a part of the evidence under a title that tells how far it is: asked for, failed, or of when."""
    states = {piece.state for piece in pieces}
    if not content.plain and not states & {PieceState.FAILED, PieceState.ASKING, PieceState.KNOWN} and not is_asking:
        return content
    failed = next((piece for piece in pieces if piece.is_failed), None)
    told_at = min((piece.at for piece in pieces if piece.at is not None), default=None)
    if failed is not None:
        status = f" (HTTP {failed.http_status})" if failed.http_status is not None else ""
        how = Content.styled(f"{_shown(failed.source)} failed{status}", "$state-warning")
    elif PieceState.ASKING in states or (is_asking and told_at is None):
        how = Content.styled("asking ...", "$state-muted")
    else:
        how = Content.styled(f"as of {told_at:%H:%M:%S}Z" if told_at is not None else "not asked", "$state-muted")
    head = Content.assemble((title, "bold"), "  ", how)
    return Content("\n").join((head, content)) if content.plain else head


def _domains(domains: Sequence[DomainLine], width: int) -> Content:
    open_ = [line for line in domains if line.standing is not DomainStanding.VALID]
    valid = [line for line in domains if line.standing is DomainStanding.VALID]
    shown = [block for line in open_ for block in (_domain(line), lines.labelled(_to_do(line), width)) if block.plain]
    if valid:
        names = ", ".join(_shown(line.domain) for line in valid[:VALID_SHOWN])
        more = f" and {len(valid) - VALID_SHOWN} more" if len(valid) > VALID_SHOWN else ""
        until = min((line.expires for line in valid if line.expires is not None), key=fmt.format_when, default=None)
        expires = f"; the first ends {fmt.format_when(until)}" if until is not None else ""
        shown.append(lines.labelled([(f"{len(valid)} valid", f"{names}{more}{expires}")], width))
    return Content("\n").join(shown)


def _domain(line: DomainLine) -> Content:
    doubt = "" if line.is_certain else " (not certain)"
    told = f"  SCM: {_shown(line.told)}" if line.told else ""
    return Content.assemble((_shown(line.domain), "bold"), "  ", (f"{line.standing}{doubt}", "$state-waiting"), told)


def _to_do(line: DomainLine) -> Iterable[lines.Fact]:
    published = {None: "", True: "  (in DNS)", False: "  (NOT in DNS)"}[line.is_published]
    if line.host and line.point:
        yield "  publish", _shown(line.host)
        yield f"  {_shown(line.mode or 'CNAME')}", f"{_shown(line.point)}{published}"
    elif line.url:
        yield "  serve", _shown(line.url)
        yield "  content", _shown(line.file)
    elif line.email:
        yield "  mailed to", _shown(line.email)
    yield (
        "  CA looks",
        ", ".join(
            f"{word} {fmt.format_when(moment)}"
            for word, moment in (("last", line.last_check), ("next", line.next_check))
            if moment is not None
        ),
    )
    yield "  expires", fmt.format_when(line.expires) if line.expires is not None else ""


def _organization(line: OrganizationLine | None, width: int) -> Content:
    if line is None:
        return Content("")
    doubt = "" if line.is_certain else " (level not told)"
    head = Content.assemble((_shown(line.name), "bold"), f"  {line.level}{doubt} ", (str(line.standing), "bold"))
    validation = line.validation
    if validation is None:
        return head
    facts = (
        ("  CA's words", Content.styled(_shown(validation.last_message), "bold")),
        ("  status", _shown(f"{validation.status} {validation.background_status}".strip())),
        ("  submitted", fmt.format_when(validation.submitted) if validation.submitted else ""),
        ("  expires", fmt.format_when(validation.expires) if validation.expires else ""),
        ("  tracking id", _shown(validation.tracking_id)),
        ("  validator", _shown(validation.validator)),
        ("  backend id", _shown(validation.backend_id)),
    )
    return Content("\n").join((head, lines.labelled(facts, width)))


def _normal(diagnosis: Diagnosis, width: int) -> Content:
    """Return each leg beside the account's figures; those without any share one line."""
    facts = [(str(one.leg), _comparison(one)) for one in diagnosis.normal if one.figure is not None]
    without = [str(one.leg) for one in diagnosis.normal if one.figure is None]
    if facts and without:
        facts.append(("no history", Content.styled(", ".join(without), "$state-muted")))
    proposal = diagnosis.proposal
    if proposal is not None:
        facts.append(("poll_max_wait_seconds", Content(_proposed(proposal))))
    return lines.labelled(facts, width, label_cells=23)


def _proposed(wait: WaitProposal) -> str:
    weak = ", weak" if wait.is_weak else ""
    return (
        f"{wait.seconds} would have caught {wait.caught} of {wait.n}{weak}, now {wait.caught_now}; "
        f"{wait.looks_on_average:.0f} requests an order, at most {wait.looks_at_most}"
    )


def _comparison(comparison: Comparison) -> Content:
    style = "$state-warning bold" if comparison.pace is Pace.SLOW else "bold"
    running = " so far" if comparison.is_running else ""
    figure = f"; {comparison.figure.text}" if comparison.figure is not None else ""
    return Content.assemble(f"{comparison.elapsed.text}{running}, ", (str(comparison.pace), style), figure)


def _looks(looks: Sequence[Look], glyphs: Glyphs) -> Iterable[lines.Fact]:
    if not looks:
        return
    shown = looks[-LOOKS_SHOWN:]
    slowest = max((look.latency_seconds or 0.0 for look in shown), default=0.0)
    yield "latency", f"{''.join(_bar(look, slowest, glyphs) for look in shown)}  slowest {fmt.latency(slowest).strip()}"
    yield "outcome", "".join(_MARKS[look.outcome] for look in shown)
    yield "", ", ".join(f"{_MARKS[outcome]} {outcome}" for outcome in dict.fromkeys(look.outcome for look in shown))
    newest = shown[-1]
    yield "newest", f"{newest.at:%Y-%m-%d %H:%M:%S}Z  {_shown(look_text(newest))}"


def _bar(look: Look, slowest: float, glyphs: Glyphs) -> str:
    if look.latency_seconds is None or slowest <= 0:
        return " "
    scale = _BARS[glyphs is ASCII]
    return scale[min(len(scale) - 1, int(look.latency_seconds / slowest * len(scale)))]


def _evidence(fact: Fact) -> lines.Fact:
    when = f"{fact.at:%Y-%m-%d %H:%M:%S}" if fact.at is not None else "concluded"
    return when, Content.assemble(_shown(fact.statement), (f"  [{_shown(fact.source)}]", "$state-muted"))


def _shown(text: str) -> str:
    return printable(text, limit=LONG_TEXT)
