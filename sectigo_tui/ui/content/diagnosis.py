"""What the diagnose screen says: who the order waits for, whether that is normal, what next, and what that rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from textual.content import Content

from sectigo_tui.engine.diagnosis.common_causes import CommonCause
from sectigo_tui.engine.diagnosis.evidence.missing import MissingEvidence
from sectigo_tui.engine.diagnosis.evidence.model import Answer, AnswerState, Evidence, Fact
from sectigo_tui.engine.diagnosis.outage import OutageClock
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.engine.diagnosis.rules.causes import Party
from sectigo_tui.engine.diagnosis.verdict import Strength
from sectigo_tui.presentation import format as fmt
from sectigo_tui.presentation.glyphs import Glyphs, order_glyph, status_glyph
from sectigo_tui.ui.content import lines
from sectigo_tui.ui.content.diagnosis_times import normal_content, pace_content, stages_content
from sectigo_tui.ui.content.diagnosis_validations import domains_content, organization_content
from sectigo_tui.ui.content.lines import untrusted
from sectigo_tui.ui.content.poll_plot import poll_facts
from sectigo_tui.ui.keys.key_names import DEFAULT_NAMES, KeyNames

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
        _section("Domains", [evidence.dcv, *evidence.domains.values()], domains, is_asking=is_asking),
        _section("Organization", [evidence.organization], organization, is_asking=is_asking),
        lines.titled("Is this normal?", normal_content(diagnosis, width)),
        lines.titled("Polls, oldest first", polls),
        lines.titled("What the verdict rests on (UTC)", facts),
    )
    return Content("\n\n").join(block for block in blocks if block.plain)


def _title(evidence: Evidence, glyphs: Glyphs) -> Content:
    order = evidence.order
    poll = order_glyph(order.state, evidence.status) if order else status_glyph(evidence.status)
    ssl_id = f"sslId {evidence.ssl_id}" if evidence.ssl_id is not None else "no sslId yet"
    return Content.assemble(
        (poll.text(glyphs), f"$state-{poll.style}" if poll.style else ""),
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
            text = f"{parts} failed to load ({same[0].error}): what was told before is used, where anything was"
        yield "Not known", Content.styled(untrusted(text), style)


def _outage(outage: OutageClock, now: datetime) -> Content:
    has_ended = outage.has_ended(now)
    left = "it has ended" if has_ended else f"{outage.left(now).text} left"
    text = f"{fmt.format_when(outage.expires)}, {left}: the certificate of sslId {outage.ssl_id or '-'}"
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
