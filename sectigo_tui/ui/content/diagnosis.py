"""What the diagnose screen says: who the order waits for, whether that is normal, what next, and what that rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from textual.content import Content

from sectigo_tui.domain.polling import PollResult
from sectigo_tui.engine.diagnosis.common_causes import CommonCause
from sectigo_tui.engine.diagnosis.evidence.missing import MissingEvidence
from sectigo_tui.engine.diagnosis.evidence.model import DCV_UNUSED_CODE, Answer, AnswerState, Evidence, Fact
from sectigo_tui.engine.diagnosis.evidence.validations import DomainLine, DomainState, OrganizationLine
from sectigo_tui.engine.diagnosis.normal import HISTORY_DAYS, Comparison, Pace, WaitProposal
from sectigo_tui.engine.diagnosis.result import Diagnosis, OutageClock
from sectigo_tui.engine.diagnosis.rules.causes import Party
from sectigo_tui.engine.diagnosis.stages import NotPolled, Stage, StageState
from sectigo_tui.engine.diagnosis.verdict import Strength
from sectigo_tui.presentation.columns import poll_text
from sectigo_tui.presentation.format import format_when
from sectigo_tui.presentation.glyphs import ASCII, Glyphs, order_glyph, status_glyph
from sectigo_tui.ui.content import lines
from sectigo_tui.ui.content.lines import untrusted
from sectigo_tui.ui.content.pictures import poll_lines
from sectigo_tui.ui.keys.key_names import DEFAULT_NAMES, KeyNames


def poll_facts(polls: Sequence[PollResult], glyphs: Glyphs) -> Iterable[lines.Fact]:
    """Return the newest polls as lines, and the newest in words."""
    if not polls:
        return
    yield from poll_lines(polls, glyphs)
    newest = polls[-1]
    yield "newest", f"{newest.at:%Y-%m-%d %H:%M:%S}Z  {untrusted(poll_text(newest))}"


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
    """Return a line a stage, then the times in which the order was not polled."""
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
    if facts and diagnosis.history_at is not None:
        kept = f"the account's last {HISTORY_DAYS} days, as of {format_when(diagnosis.history_at)}"
        facts.append(("history", Content.styled(kept, "$state-muted")))
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
    return f"  not polled from {missing_part.since:%Y-%m-%d %H:%MZ} to {until}"


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


_DCV_UNUSED = f"SCM validates no domains for this customer ({DCV_UNUSED_CODE}): no order waits for one."

VALID_SHOWN = 20
"""How many domains are named of those at which nothing is left to do."""


def records_to_publish(domains: Sequence[DomainLine]) -> str:
    """Return what the owners of domains that are not valid were asked to publish, a line each; empty for nothing."""
    return "\n".join(
        untrusted(record)
        for line in domains
        if line.order_state is not DomainState.VALID and (record := _record(line)) is not None
    )


def domains_content(domains: Sequence[DomainLine], width: int) -> Content:
    """Return each domain at which something is left to do with that, then until when the others are valid."""
    open_ = [line for line in domains if line.order_state is not DomainState.VALID]
    valid = [line for line in domains if line.order_state is DomainState.VALID]
    shown = [block for line in open_ for block in (_domain(line), lines.labelled(_to_do(line), width)) if block.plain]
    if valid:
        rows = [
            (untrusted(line.domain), f"valid until {format_when(line.expires)}" if line.expires else "valid")
            for line in valid[:VALID_SHOWN]
        ]
        cells = max(len(name) for name, _ in rows)
        shown += [Content.assemble((name.ljust(cells), ""), "  ", (text, "$state-muted")) for name, text in rows]
        if len(valid) > VALID_SHOWN:
            shown.append(Content.styled(f"and {len(valid) - VALID_SHOWN} more that are valid", "$state-muted"))
    return Content("\n").join(shown)


def organization_content(line: OrganizationLine | None, width: int) -> Content:
    """Return the organization's validation; nothing where that was not told."""
    if line is None:
        return Content("")
    caveat = "" if line.is_certain else " (level not told)"
    head = Content.assemble((untrusted(line.name), "bold"), f"  {line.level}{caveat} ", (str(line.order_state), "bold"))
    validation = line.validation
    if validation is None:
        return head
    facts = (
        ("  CA's words", Content.styled(untrusted(validation.last_message), "bold")),
        ("  status", untrusted(f"{validation.status} {validation.background_status}".strip())),
        ("  submitted", format_when(validation.submitted) if validation.submitted else ""),
        ("  expires", format_when(validation.expires) if validation.expires else ""),
        ("  tracking id", untrusted(validation.tracking_id)),
        ("  validator", untrusted(validation.validator)),
        ("  backend id", untrusted(validation.backend_id)),
    )
    return Content("\n").join((head, lines.labelled(facts, width)))


def _record(line: DomainLine) -> str | None:
    proof = line.proof
    if proof.host and proof.point:
        return f"{proof.host} {proof.mode or 'CNAME'} {proof.point}"
    if proof.url:
        return f"{proof.url} {proof.file}"
    return f"{line.domain} e-mail to {proof.email}" if proof.email else None


def _domain(line: DomainLine) -> Content:
    caveat = "" if line.is_certain else " (not certain)"
    scm_words = f"  SCM: {untrusted(line.scm_words)}" if line.scm_words else ""
    return Content.assemble(
        (untrusted(line.domain), "bold"), "  ", (f"{line.order_state}{caveat}", "$state-waiting"), scm_words
    )


def _to_do(line: DomainLine) -> Iterable[lines.Fact]:
    proof, published = line.proof, {None: "", True: "  (in DNS)", False: "  (NOT in DNS)"}[line.is_published]
    if proof.host and proof.point:
        yield "  publish", untrusted(proof.host)
        yield f"  {untrusted(proof.mode or 'CNAME')}", f"{untrusted(proof.point)}{published}"
    elif proof.url:
        yield "  serve", untrusted(proof.url)
        yield "  content", untrusted(proof.file)
    elif proof.email:
        yield "  mailed to", untrusted(proof.email)
    yield (
        "  CA check",
        ", ".join(
            f"{word} {format_when(moment)}"
            for word, moment in (("last", line.last_check), ("next", line.next_check))
            if moment is not None
        ),
    )
    yield "  expires", format_when(line.expires) if line.expires is not None else ""


_PARTY_STYLES = {
    Party.YOU: "$state-waiting bold",
    Party.APPROVER: "$state-waiting bold",
    Party.DNS_OWNER: "$state-waiting bold",
    Party.ORGANIZATION_CONTACT: "$state-waiting bold",
    Party.UNKNOWN: "$state-warning bold",
}


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
    domains = domains_content(diagnosis.domains, width)
    organization = organization_content(diagnosis.organization, width)
    polls = lines.labelled(poll_facts(evidence.polls, glyphs), width)
    facts = lines.labelled(map(_evidence, diagnosis.verdict.evidence), width, label_cells=lines.TIME_CELLS)
    blocks = (
        Content("\n").join((_title(evidence, glyphs), verdict)),
        lines.titled("Stages (UTC)", stages_content(diagnosis, glyphs, width)),
        lines.titled("Domains", Content(_DCV_UNUSED))
        if evidence.is_dcv_unused
        else _section("Domains", [evidence.dcv, *evidence.domains.values()], domains, is_asking=is_asking),
        _section("Organization", [evidence.organization], organization, is_asking=is_asking),
        lines.titled("Is this normal?", normal_content(diagnosis, width)),
        lines.titled("Polls, oldest first", polls),
        lines.titled("What the verdict rests on (UTC)", facts),
    )
    return Content("\n\n").join(block for block in blocks if block.plain)


def _title(evidence: Evidence, glyphs: Glyphs) -> Content:
    order = evidence.order
    glyph = order_glyph(order.state, evidence.status) if order else status_glyph(evidence.status)
    ssl_id = f"sslId {evidence.ssl_id}" if evidence.ssl_id is not None else "no sslId yet"
    return Content.assemble(
        (glyph.text(glyphs), f"$state-{glyph.style}" if glyph.style else ""),
        "  ",
        (untrusted(evidence.common_name) or "(no common name)", "bold"),
        f"  {ssl_id}  {untrusted(evidence.level)}".rstrip(),
    )


def _verdict(
    diagnosis: Diagnosis, causes: Sequence[CommonCause], keys: KeyNames, *, is_asking: bool
) -> Iterable[lines.Fact]:
    verdict = diagnosis.verdict
    party = Content.styled(str(verdict.party).upper(), _PARTY_STYLES.get(verdict.party, "bold"))
    yield "Blocked on", party
    yield "Why", untrusted(verdict.sentence)
    yield "Next", Content.styled(untrusted(verdict.next_action), "bold")
    yield "Normal?", pace_content(diagnosis.normal, keys)
    if diagnosis.outage is not None:
        yield "In use until", _outage(diagnosis.outage, diagnosis.evidence.now)
    for other in verdict.others:
        yield "Also", untrusted(other.sentence)
    for cause in causes:
        yield "Shared", f"{untrusted(cause.text)}; {keys.name('app.causes')} lists them"
    yield "Changes when", untrusted(verdict.changes_when)
    yield from _unknown(
        [missing_part for missing_part in verdict.missing_evidence if missing_part.what not in verdict.sentence]
    )
    if is_asking:
        yield "Evidence", Content.styled("asking SCM for more ...", "$state-muted")
    elif verdict.strength is not Strength.FULL:
        again = keys.fill("{diagnose.again} asks again")
        yield "Evidence", Content.styled(f"{verdict.strength}: {again}", "$state-warning")


def _unknown(missing_evidence: Sequence[MissingEvidence]) -> Iterable[lines.Fact]:
    """Return what is not known; what failed in the same way, as all does where SCM is down, is told once."""
    by_error: dict[str, list[MissingEvidence]] = {}
    for missing_part in missing_evidence:
        by_error.setdefault(missing_part.error or missing_part.what, []).append(missing_part)
    for same in by_error.values():
        text, style = (
            same[0].what,
            "$state-warning" if any(missing_part.weakens for missing_part in same) else "$state-muted",
        )
        if len(same) > 1:
            parts = ", ".join(dict.fromkeys(missing_part.part for missing_part in same))
            text = f"{parts} failed to load ({same[0].error}): older answers are used where there are any"
        yield "Not known", Content.styled(untrusted(text), style)


def _outage(outage: OutageClock, now: datetime) -> Content:
    has_ended = outage.has_ended(now)
    left = "it has ended" if has_ended else f"{outage.left(now).text} left"
    text = f"{format_when(outage.expires)}, {left}: the certificate of sslId {outage.ssl_id or '-'}"
    return Content.styled(text, "$state-failed bold" if has_ended else "$state-warning")


def _section(title: str, answers: Sequence[Answer[object]], content: Content, *, is_asking: bool) -> Content:
    """Return a part of the evidence under a title that tells how far it is: asked for, failed, or of when."""
    states = {answer.state for answer in answers}
    if not content.plain and not states & {AnswerState.FAILED, AnswerState.ASKING, AnswerState.KNOWN} and not is_asking:
        return content
    failed = next((answer for answer in answers if answer.is_failed), None)
    told_at = min((answer.at for answer in answers if answer.at is not None), default=None)
    if failed is not None:
        status = f" (HTTP {failed.http_status})" if failed.http_status is not None else ""
        how = Content.styled(f"{untrusted(failed.source)} failed{status}", "$state-warning")
    elif AnswerState.ASKING in states or (is_asking and told_at is None):
        how = Content.styled("asking ...", "$state-muted")
    else:
        how = Content.styled(f"as of {told_at:%H:%M:%S}Z" if told_at is not None else "not asked", "$state-muted")
    head = Content.assemble((title, "bold"), "  ", how)
    return Content("\n").join((head, content)) if content.plain else head


def _evidence(fact: Fact) -> lines.Fact:
    when = f"{fact.at:%Y-%m-%d %H:%M:%S}" if fact.at is not None else "concluded"
    return when, Content.assemble(untrusted(fact.statement), (f"  [{untrusted(fact.source)}]", "$state-muted"))
