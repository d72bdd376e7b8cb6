"""What is handed to others, as Markdown: the pack for the CA's support, and the handover for the next shift.

No credential is in it, and nothing untrusted that acts as Markdown or on a terminal.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from urllib.parse import quote, quote_plus

from sectigo_tui.domain.events import EventKind, note_in
from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.explain import meaning_of_code
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.engine.diagnosis.common_causes import CommonCause, common_causes
from sectigo_tui.engine.diagnosis.evidence.model import Fact, moment_text
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.engine.diagnosis.rules.causes import Cause
from sectigo_tui.engine.diagnosis.stages import StageState

TIMELINE_ENTRIES = 100
"""The newest entries of a timeline that a pack has; how many it leaves out is written."""


def escalation_pack(diagnosis: Diagnosis, redact: Redact) -> str:
    """Return all that the CA's support needs about one order, and no credential.

    Args:
        diagnosis: The order's diagnosis.
        redact: Takes credentials out of untrusted text.
    """
    evidence, verdict = diagnosis.evidence, diagnosis.verdict
    title = evidence.common_name or (f"sslId {evidence.ssl_id}" if evidence.ssl_id else "order")
    sections = [
        [f"# {prose(title, redact)}: {prose(str(verdict.party), redact)}"],
        _identity(diagnosis, redact),
        [
            "## Verdict",
            "",
            f"- {prose(verdict.sentence, redact)}",
            f"- Next: {prose(verdict.next_action, redact)}",
            f"- Changes when: {prose(verdict.changes_when, redact)}",
            *(f"- Also: {prose(other.sentence, redact)}" for other in verdict.others),
            *(f"- Not known: {prose(missing_part.what, redact)}" for missing_part in verdict.missing_evidence),
        ],
        _section("## Stages (UTC)", _stages(diagnosis, redact)),
        _section("## Evidence", _facts(_all_facts(diagnosis), redact)),
        _section("## Notes (UTC)", _notes(diagnosis, redact)),
        _section("## Domain control validation", _domains(diagnosis, redact)),
        _timeline(diagnosis, redact),
        _section("## SCM codes", _codes(diagnosis, redact)),
    ]
    return _document(sections, redact)


def handover(diagnoses: Sequence[Diagnosis], now: datetime, redact: Redact, *, missing_part: str = "") -> str:
    """Return all that is open, grouped by common cause, for the next shift; no credential in it.

    Args:
        diagnoses: The diagnoses of all that is open; what is settled is left out.
        now: The time.
        redact: Takes credentials out of untrusted text.
        missing_part: Why it is not all; empty when it is.
    """
    grouped = open_by_cause(diagnoses)
    groups, total = [group for group, _ in grouped], sum(len(members) for _, members in grouped)
    count = "1 open order" if total == 1 else f"{total} open orders"
    sections = [[f"# Handover {moment_text(now)}: {count}{' known here' if missing_part else ''}"]]
    sections += [[f"**Not all of it:** {prose(missing_part, redact)}"]] if missing_part else []
    nothing = "Nothing that is known here is open." if missing_part else "Nothing is open."
    sections += [["| Orders | Waiting for | Cause |", "| --- | --- | --- |"]] if groups else [[nothing]]
    sections[-1] += [
        f"| {len(group.orders)} | {prose(str(group.party), redact)} | {prose(group.text, redact)} |" for group in groups
    ]
    for group, members in grouped:
        rows = [_handover_row(member, now, redact) for member in members]
        head = ("Order", "Name", "Owner", "Status", "In stage", "In use ends", "Also", "Last note")
        sections.append(
            [
                f"## {prose(group.text, redact)}",
                "",
                f"- Waiting for: {prose(str(group.party), redact)}",
                f"- Next: {prose(group.blocking_cause.next_action, redact)}",
                "",
                *table(head, rows),
            ]
        )
    return _document(sections, redact)


def open_by_cause(diagnoses: Sequence[Diagnosis]) -> list[tuple[CommonCause, list[Diagnosis]]]:
    """Return what is open, each order in the group of its verdict; what ends first comes first in its group.

    Args:
        diagnoses: The diagnoses; what is settled is left out.
    """
    by_ref = {diagnosis.ref: diagnosis for diagnosis in diagnoses if diagnosis.verdict.cause is not Cause.SETTLED}
    groups = common_causes(((ref, diagnosis.verdict) for ref, diagnosis in by_ref.items()), primary_only=True)
    return [(group, sorted((by_ref[ref] for ref in group.orders), key=_urgency)) for group in groups]


def _identity(diagnosis: Diagnosis, redact: Redact) -> list[str]:
    evidence = diagnosis.evidence
    details, organization = evidence.details.value, evidence.organization.value
    names = evidence.names
    listed = ", ".join(code(name, redact) for name in names[:20])
    pairs = [
        ("backendCertId", code(details.backend_cert_id if details else "", redact)),
        ("Order number", code(details.order_number if details else "", redact)),
        ("sslId", code(str(evidence.ssl_id or ""), redact)),
        ("Names", f"{listed}{f' and {len(names) - 20} more' if len(names) > 20 else ''}" or "-"),
        ("Organization", _organization(evidence.organization_id, organization.name if organization else "", redact)),
        ("Profile", f"{prose(details.profile_name if details else '', redact)} ({evidence.level or 'level not told'})"),
        ("SCM status", code(evidence.status, redact)),
        ("Put together", moment_text(evidence.now)),
    ]
    if evidence.order is not None and evidence.order.owner:
        pairs.append(("Owner here", prose(evidence.order.owner, redact)))
    if diagnosis.outage is not None:
        ends = moment_text(diagnosis.outage.expires)
        pairs.append(("Certificate in use ends", f"{ends} ({prose(diagnosis.outage.source, redact)})"))
    return [f"- {name}: {value}" for name, value in pairs]


def _organization(organization_id: int | None, name: str, redact: Redact) -> str:
    if organization_id is None:
        return "-"
    return f"{prose(name, redact)} (orgId {organization_id})" if name else f"orgId {organization_id}"


def _stages(diagnosis: Diagnosis, redact: Redact) -> list[str]:
    compared = {comparison.leg.partition(" ")[0]: comparison for comparison in reversed(diagnosis.normal)}
    rows = []
    for stage in diagnosis.stages:
        reached = stage.reached.text if stage.reached else "-" if stage.state is StageState.AHEAD else "not known"
        usual = compared.get(stage.name)
        figure = usual.figure.text if usual is not None and usual.figure is not None else ""
        lasted = f"{stage.lasted.text}{' so far' if stage.state is StageState.CURRENT else ''}" if stage.lasted else "-"
        rows.append([str(stage.name), reached, stage.source or "-", lasted, prose(figure, redact)])
    for missing_part in diagnosis.unwatched:
        until = moment_text(missing_part.until) if missing_part.until else "now"
        rows.append(["not polled", f"{moment_text(missing_part.since)} to {until}", "local record", "-", "-"])
    return table(("Stage", "Reached", "Told by", "Lasted", "Usual here"), rows)


def _all_facts(diagnosis: Diagnosis) -> list[Fact]:
    facts = [*diagnosis.verdict.evidence]
    facts += [fact for other in diagnosis.verdict.others for fact in other.facts]
    facts += [fact for line in diagnosis.domains for fact in line.facts]
    facts += diagnosis.organization.facts if diagnosis.organization else ()
    return list(dict.fromkeys(facts))


def _facts(facts: Sequence[Fact], redact: Redact) -> list[str]:
    rows = (
        [prose(fact.statement, redact), prose(fact.source, redact), moment_text(fact.at) if fact.at else "-"]
        for fact in facts
    )
    return table(("What", "Source", "When (UTC)"), rows)


def _domains(diagnosis: Diagnosis, redact: Redact) -> list[str]:
    rows = []
    for line in diagnosis.domains:
        proof = line.proof
        record = f"{code(proof.host, redact)} → {code(proof.point, redact)}" if proof.host else "-"
        record = code(proof.url or proof.email, redact) if proof.url or proof.email else record
        checks = [moment_text(at) if at else "-" for at in (line.last_check, line.next_check)]
        rows.append(
            [
                code(line.domain, redact),
                str(line.order_state),
                prose(line.scm_words, redact),
                proof.mode or "-",
                record,
                *checks,
                moment_text(line.expires) if line.expires else "-",
            ]
        )
    return table(("Domain", "Standing", "SCM says", "Mode", "To publish", "Last check", "Next check", "Expires"), rows)


def _timeline(diagnosis: Diagnosis, redact: Redact) -> list[str]:
    entries = diagnosis.evidence.timeline
    shown = entries[-TIMELINE_ENTRIES:]
    rows = (
        [
            f"{entry.at:%Y-%m-%d %H:%M:%SZ}",
            prose(entry.summary, redact),
            prose(entry.scm_status, redact),
            str(entry.http_status or "-"),
            str(entry.code) if entry.code is not None else "-",
        ]
        for entry in shown
    )
    lines = _section("## Timeline (UTC)", table(("When", "What", "SCM status", "HTTP", "Code"), rows))
    left_out = len(entries) - len(shown)
    return [*lines, "", f"{left_out} older entries are left out."] if left_out else lines


def _notes(diagnosis: Diagnosis, redact: Redact) -> list[str]:
    # By name alone: hosts and addresses are nothing that the CA's support needs.
    rows = (
        [
            f"{entry.at:%Y-%m-%d %H:%M:%SZ}",
            prose(entry.by.name if entry.by is not None else "", redact),
            prose(note_in(entry), redact),
        ]
        for entry in diagnosis.evidence.timeline
        if entry.kind is EventKind.OPERATOR_NOTE
    )
    return table(("When", "By", "Note"), rows)


def _codes(diagnosis: Diagnosis, redact: Redact) -> list[str]:
    evidence = diagnosis.evidence
    found = [entry.code for entry in evidence.timeline] + [poll.code for poll in evidence.polls]
    found += [answer.code for answer in (evidence.dcv, evidence.organization, *evidence.domains.values())]
    if evidence.dcv.value is not None and evidence.dcv.value.error_code:
        found.append(evidence.dcv.value.error_code)
    codes = sorted({number for number in found if number is not None}, reverse=True)
    meanings = ((number, meaning_of_code(number)) for number in codes)
    rows = (
        [str(number), prose(meaning.meaning if meaning else "not known here", redact)] for number, meaning in meanings
    )
    return table(("Code", "Meaning"), rows)


def _urgency(diagnosis: Diagnosis) -> tuple[bool, datetime, str]:
    """Sort by what ends first, then by number."""
    outage = diagnosis.outage
    return outage is None, outage.earliest if outage else diagnosis.evidence.now, str(diagnosis.ref)


def _handover_row(diagnosis: Diagnosis, now: datetime, redact: Redact) -> list[str]:
    evidence, outage = diagnosis.evidence, diagnosis.outage
    current = next((stage for stage in diagnosis.stages if stage.state is StageState.CURRENT), None)
    lasted = current.lasted.text if current is not None and current.lasted is not None else "-"
    ends = f"{moment_text(outage.expires)} ({outage.left(now).text})" if outage is not None else "-"
    order = evidence.order
    note = order.note if order is not None else None
    return [
        code(str(diagnosis.ref), redact),
        code(evidence.common_name, redact),
        prose(order.owner if order is not None else "", redact),
        prose(evidence.status, redact),
        lasted,
        ends,
        prose(", ".join(dict.fromkeys(str(other.cause) for other in diagnosis.verdict.others)), redact),
        f"{moment_text(note.at)} {prose(f'{note.by}: {note.text}', redact)}" if note is not None else "-",
    ]


def _section(title: str, body: list[str]) -> list[str]:
    return [title, "", *body] if body else []


def _document(sections: Sequence[Sequence[str]], redact: Redact) -> str:
    lines = ["\n".join(section) for section in sections if section]
    # Once more as a whole: what was put together may name what its parts did not.
    return "\n".join(map(redact, "\n\n".join(lines).split("\n"))) + "\n"


Redact = Callable[[str], str]
"""Takes a text and returns it without anything that could be a credential."""

REDACTED = "[redacted]"

_SCANNED = 8_192
_LONGEST = 1_000
_SHORT_SECRET = 6
"""A secret shorter than this is masked only as a whole word: inside other words it would mask too much."""

_NAMED_SECRET = re.compile(
    r"""(?ix) \b( customer_?uri | login | pass(?:word|wd|phrase)? | (?:proxy-)?authorization | (?:set-)?cookie
    | (?:x-)?api[-_ ]?key | (?:access[-_ ]?)?token | client[-_ ]?secret | secret ) \b ["']? \s* [:=] \s* [^,;|]+"""
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}")
_SPECIAL = re.compile(r"([\\`*\[\]<|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_BLOCK_MARK = re.compile(r"^([-+=#>])")
_RECORD_NAME = re.compile(r"(?<![\w.`-])(_[A-Za-z0-9-]+(?:\.[A-Za-z0-9_-]+)+\.?)(?![\w`])")
_NUMBER = re.compile(r"^(\d+)([.)])")


def redactor(secrets: Iterable[SecretText]) -> Redact:
    """Return a function that takes credentials out of a text.

    Args:
        secrets: The credentials in use; each is masked as it is and as URLs and JSON write it.

    Returns:
        The function; what looks like a header or setting that carries a credential goes as well.
    """
    values = sorted({form for secret in secrets for form in _forms(secret.reveal())}, key=len, reverse=True)
    known = re.compile("|".join(map(_pattern, values))) if values else None

    def redact(text: str) -> str:
        if known is not None:
            text = known.sub(REDACTED, text)
        return _BEARER.sub(rf"\1 {REDACTED}", _NAMED_SECRET.sub(rf"\1: {REDACTED}", text))

    return redact


def prose(text: str, redact: Redact) -> str:
    """Return untrusted text as Markdown that shows it as it is, on one line.

    A DNS name that begins with an underscore is a code span: it is copied from here to be published, also by who
    reads the Markdown as plain text.
    """
    parts = _RECORD_NAME.split(_clean(text, redact))
    shown = "".join(f"`{part}`" if number % 2 else _escaped(part) for number, part in enumerate(parts))
    return _NUMBER.sub(r"\1\\\2", _BLOCK_MARK.sub(r"\\\1", shown)) or "-"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text).replace("://", ":\\//")


def code(text: str, redact: Redact) -> str:
    """Return untrusted text as a Markdown code span, for what is copied: numbers, records, addresses.

    Accents grave and bars, which none of these has, are replaced: nothing escapes them in a table's code span.
    """
    clean = _clean(text, redact).replace("`", "'").replace("|", "\N{BROKEN BAR}")
    return f"`{clean}`" if clean else "-"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a Markdown table's lines; none without rows.

    Args:
        head: The columns.
        rows: Cells that are Markdown already.
    """
    lines = [_row(row) for row in rows]
    return [_row(head), _row(["---"] * len(head)), *lines] if lines else []


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _clean(text: str, redact: Redact) -> str:
    # Cut last: a credential that a cut has halved would not be known again.
    return one_line(redact(one_line(text, _SCANNED)), _LONGEST)


def _forms(value: str) -> set[str]:
    return {value, " ".join(value.split()), quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]} - {""}


def _pattern(value: str) -> str:
    """Return what finds a secret: anywhere if it is long enough, and its beginning where a text was cut in it."""
    if len(value) < _SHORT_SECRET:
        return rf"(?<!\w){re.escape(value)}(?!\w)"
    rest = ""
    for character in reversed(value[_SHORT_SECRET:-1]):
        rest = f"(?:{re.escape(character)}{rest})?"
    return rf"{re.escape(value)}|{re.escape(value[:_SHORT_SECRET])}{rest}\.\.\."
