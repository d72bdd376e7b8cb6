"""What the diagnose screen says: who the order waits for, whether that is normal, what next, and what that rests on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from textual.content import Content

from sectigo_tui.engine.diagnosis.causes import CommonCause
from sectigo_tui.engine.diagnosis.evidence import Evidence, Fact, Piece, PieceState
from sectigo_tui.engine.diagnosis.findings import Party
from sectigo_tui.engine.diagnosis.gaps import Gap
from sectigo_tui.engine.diagnosis.outage import OutageClock
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.engine.diagnosis.verdict import Strength
from sectigo_tui.ui import format as fmt
from sectigo_tui.ui import lines
from sectigo_tui.ui.diagnosis_polls import poll_facts
from sectigo_tui.ui.diagnosis_times import normal_content, pace_content, stages_content
from sectigo_tui.ui.diagnosis_validations import domains_content, organization_content
from sectigo_tui.ui.glyphs import Glyphs, order_look, status_look
from sectigo_tui.ui.key_names import DEFAULT_NAMES, KeyNames
from sectigo_tui.ui.lines import untrusted

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
    polls = lines.labelled(poll_facts(evidence.looks, glyphs), width)
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
    look = order_look(order.state, evidence.status) if order else status_look(evidence.status)
    ssl_id = f"sslId {evidence.ssl_id}" if evidence.ssl_id is not None else "no sslId yet"
    return Content.assemble(
        (look.text(glyphs), f"$state-{look.style}" if look.style else ""),
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
    yield from _unknown([gap for gap in verdict.gaps if gap.what not in verdict.sentence])
    if is_asking:
        yield "Evidence", Content.styled("asking SCM for more ...", "$state-muted")
    elif verdict.strength is not Strength.FULL:
        again = keys.fill("{diagnose.again} asks again")
        yield "Evidence", Content.styled(f"{verdict.strength}: {again}", "$state-warning")


def _unknown(gaps: Sequence[Gap]) -> Iterable[lines.Fact]:
    """Return what is not known; what failed in the same way, as all does where SCM is down, is told once."""
    by_trouble: dict[str, list[Gap]] = {}
    for gap in gaps:
        by_trouble.setdefault(gap.trouble or gap.what, []).append(gap)
    for same in by_trouble.values():
        text, style = same[0].what, "$state-warning" if any(gap.weakens for gap in same) else "$state-muted"
        if len(same) > 1:
            parts = ", ".join(dict.fromkeys(gap.part for gap in same))
            text = f"{parts} failed to load ({same[0].trouble}): what was told before is used, where anything was"
        yield "Not known", Content.styled(untrusted(text), style)


def _outage(outage: OutageClock, now: datetime) -> Content:
    has_ended = outage.has_ended(now)
    left = "it has ended" if has_ended else f"{outage.left(now).text} left"
    text = f"{fmt.format_when(outage.expires)}, {left}: the certificate of sslId {outage.ssl_id or '-'}"
    return Content.styled(text, "$state-failed bold" if has_ended else "$state-warning")


def _section(title: str, pieces: Sequence[Piece[object]], content: Content, *, is_asking: bool) -> Content:
    """Return a part of the evidence under a title that tells how far it is: asked for, failed, or of when."""
    states = {piece.state for piece in pieces}
    if not content.plain and not states & {PieceState.FAILED, PieceState.ASKING, PieceState.KNOWN} and not is_asking:
        return content
    failed = next((piece for piece in pieces if piece.is_failed), None)
    told_at = min((piece.at for piece in pieces if piece.at is not None), default=None)
    if failed is not None:
        status = f" (HTTP {failed.http_status})" if failed.http_status is not None else ""
        how = Content.styled(f"{untrusted(failed.source)} failed{status}", "$state-warning")
    elif PieceState.ASKING in states or (is_asking and told_at is None):
        how = Content.styled("asking ...", "$state-muted")
    else:
        how = Content.styled(f"as of {told_at:%H:%M:%S}Z" if told_at is not None else "not asked", "$state-muted")
    head = Content.assemble((title, "bold"), "  ", how)
    return Content("\n").join((head, content)) if content.plain else head


def _evidence(fact: Fact) -> lines.Fact:
    when = f"{fact.at:%Y-%m-%d %H:%M:%S}" if fact.at is not None else "concluded"
    return when, Content.assemble(untrusted(fact.statement), (f"  [{untrusted(fact.source)}]", "$state-muted"))
