"""A diagnosis as JSON: a documented, versioned shape for other programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.events import EventKind, TimelineEntry, note_in
from sectigo_tui.domain.validation import AccountDomain
from sectigo_tui.engine.diagnosis.escalation import Redact, open_by_cause
from sectigo_tui.engine.diagnosis.evidence.model import Answer, Fact
from sectigo_tui.engine.diagnosis.evidence.validations import DomainLine, OrganizationLine
from sectigo_tui.engine.diagnosis.normal import Comparison, Figure
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.engine.diagnosis.rules.causes import BlockingCause
from sectigo_tui.engine.diagnosis.stages import Span, Stage, StageState, When

SCHEMA = "sectigo-tui/diagnosis"
VERSION = 1
"""Grows when a field changes its meaning or goes; new fields come without it."""

Json = dict[str, "Json"] | list["Json"] | str | float | int | bool | None


def as_json(diagnosis: Diagnosis, redact: Redact) -> str:
    """Return a diagnosis as a JSON document of ASCII characters, indented, without credentials.

    Moments are ISO 8601: with a time and `Z`, or a date alone where only the day is known. What is not known is null.

    Args:
        diagnosis: The diagnosis.
        redact: Takes credentials out of untrusted text.
    """
    return json.dumps(_finished(document(diagnosis), redact), indent=2)


def handover_json(diagnoses: Sequence[Diagnosis], now: datetime, redact: Redact, *, missing_part: str = "") -> str:
    """Return all that is open, grouped by common cause, as a JSON document of ASCII characters, without credentials.

    Args:
        diagnoses: The diagnoses of all that is open; what is settled is left out.
        now: The time.
        redact: Takes credentials out of untrusted text.
        missing_part: Why it is not all; empty when it is.
    """
    groups: list[Json] = [
        {
            "text": group.text,
            "cause": str(group.cause),
            "blocked_on": str(group.party),
            "about": group.about,
            "next_action": group.blocking_cause.next_action,
            "orders": [_waiting(diagnosis) for diagnosis in members],
        }
        for group, members in open_by_cause(diagnoses)
    ]
    handover: Json = {"at": _moment(now), "incomplete": missing_part, "groups": groups}
    return json.dumps(_finished(handover, redact), indent=2)


def _waiting(diagnosis: Diagnosis) -> Json:
    evidence, verdict, outage = diagnosis.evidence, diagnosis.verdict, diagnosis.outage
    current = next((stage for stage in diagnosis.stages if stage.state is StageState.CURRENT), None)
    lasted = current.lasted if current is not None else None
    return {
        "id": evidence.order.id if evidence.order else None,
        "ssl_id": evidence.ssl_id,
        "common_name": evidence.common_name,
        "state": str(evidence.order.state) if evidence.order else None,
        "scm_status": evidence.status,
        "sentence": verdict.sentence,
        "next_action": verdict.next_action,
        "also": [*dict.fromkeys(str(other.cause) for other in verdict.others)],
        "stage": str(current.name) if current is not None else None,
        "in_stage_at_least_seconds": lasted.at_least_seconds if lasted is not None else None,
        "in_stage_at_most_seconds": lasted.at_most_seconds if lasted is not None else None,
        "in_use_ends": _moment(outage.expires) if outage is not None else None,
        "owner": evidence.order.owner if evidence.order else "",
        "notes": _notes(evidence.timeline),
    }


def document(diagnosis: Diagnosis) -> Json:
    """Return the shape of `as_json`, before redaction; an empty text stands for what is not known.

    Args:
        diagnosis: The diagnosis.
    """
    evidence, verdict = diagnosis.evidence, diagnosis.verdict
    details, order, outage, proposal = evidence.details.value, evidence.order, diagnosis.outage, diagnosis.proposal
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "at": _moment(verdict.at),
        "order": {
            "ssl_id": evidence.ssl_id,
            "local_id": order.id if order else None,
            "local_state": str(order.state) if order else None,
            "common_name": evidence.common_name,
            "names": list(evidence.names),
            "status": evidence.status,
            "status_at": _moment(evidence.status_at),
            "order_number": details.order_number if details else "",
            "backend_cert_id": details.backend_cert_id if details else "",
            "organization_id": evidence.organization_id,
            "profile": details.profile_name if details else order.profile_name if order else "",
            "validation": evidence.level,
            "owner": order.owner if order else "",
        },
        "verdict": {
            "blocked_on": str(verdict.party),
            "cause": str(verdict.cause),
            "strength": str(verdict.strength),
            "sentence": verdict.sentence,
            "next_action": verdict.next_action,
            "changes_when": verdict.changes_when,
            "column": verdict.cell,
            "evidence": [_fact(fact) for fact in verdict.evidence],
        },
        "other_causes": [_blocking_cause(blocking_cause) for blocking_cause in verdict.others],
        "missing_evidence": [
            {"part": str(missing_part.part), "what": missing_part.what, "weakens": missing_part.weakens}
            for missing_part in verdict.missing_evidence
        ],
        "stages": [_stage(stage) for stage in diagnosis.stages],
        "not_polled": [
            {"since": _moment(missing_part.since), "until": _moment(missing_part.until)}
            for missing_part in diagnosis.unwatched
        ],
        "is_dcv_used": False if evidence.is_dcv_unused else True if evidence.dcv.value is not None else None,
        "domains": [_domain(line) for line in diagnosis.domains],
        "account_domains": [
            _account_domain(answer.value) for answer in evidence.account_domains.values() if answer.value is not None
        ],
        "contract": [
            {"kind": one.kind, "total": one.total, "used": one.used, "left": one.left} for one in evidence.usage.value
        ]
        if evidence.usage.value is not None
        else None,
        "organization": _organization(diagnosis.organization),
        "caa": [_caa(name, kept_answer.source, diagnosis) for name, kept_answer in evidence.caa.items()],
        "normal": [_comparison(comparison) for comparison in diagnosis.normal],
        "history_at": _moment(diagnosis.history_at),
        "proposed_wait": {
            "poll_max_wait_seconds": proposal.seconds,
            "n": proposal.n,
            "is_weak": proposal.is_weak,
            "caught": proposal.caught,
            "caught_now": proposal.caught_now,
            "requests_at_most": proposal.polls_at_most,
            "requests_on_average": round(proposal.polls_on_average, 1),
            "is_by_days": proposal.is_by_days,
        }
        if proposal
        else None,
        "outage": {
            "ssl_id": outage.ssl_id,
            "common_name": outage.common_name,
            "expires": _moment(outage.expires),
            "source": outage.source,
            "left": _span(outage.left(evidence.now)),
        }
        if outage
        else None,
        "polls": [
            {
                "at": _moment(poll.at),
                "outcome": str(poll.outcome),
                "detail": poll.detail,
                "latency_seconds": poll.latency_seconds,
                "http_status": poll.http_status,
                "scm_code": poll.code,
            }
            for poll in evidence.polls
        ],
        "timeline": [
            {
                "at": _moment(entry.at),
                "kind": str(entry.kind),
                "summary": entry.summary,
                "status": entry.scm_status,
                "http_status": entry.http_status,
                "scm_code": entry.code,
                "by": entry.by.text if entry.by is not None else "",
            }
            for entry in evidence.timeline
        ],
        "notes": _notes(evidence.timeline),
        "evidence": [
            _answer(kept_answer)
            for kept_answer in (
                evidence.details,
                evidence.dcv,
                *evidence.domains.values(),
                evidence.organization,
                evidence.domain_names,
                *evidence.account_domains.values(),
                evidence.usage,
                *evidence.caa.values(),
                *evidence.records.values(),
            )
        ],
    }


def _notes(timeline: Sequence[TimelineEntry]) -> Json:
    return [
        {"at": _moment(entry.at), "by": entry.by.text if entry.by is not None else "", "text": note_in(entry)}
        for entry in timeline
        if entry.kind is EventKind.OPERATOR_NOTE
    ]


def _answer(kept_answer: Answer[object]) -> Json:
    return {
        "source": kept_answer.source,
        "state": str(kept_answer.state),
        "at": _moment(kept_answer.at),
        "error": kept_answer.error,
        "http_status": kept_answer.http_status,
        "scm_code": kept_answer.code,
    }


def _fact(fact: Fact) -> Json:
    return {"statement": fact.statement, "source": fact.source, "at": _moment(fact.at)}


def _blocking_cause(blocking_cause: BlockingCause) -> Json:
    return {
        "cause": str(blocking_cause.cause),
        "blocked_on": str(blocking_cause.party),
        "is_certain": blocking_cause.is_certain,
        "about": blocking_cause.about,
        "sentence": blocking_cause.sentence,
        "next_action": blocking_cause.next_action,
        "changes_when": blocking_cause.changes_when,
        "evidence": [_fact(fact) for fact in blocking_cause.facts],
    }


def _stage(stage: Stage) -> Json:
    return {
        "name": str(stage.name),
        "state": str(stage.state),
        "reached": _when(stage.reached),
        "source": stage.source,
        "lasted": _span(stage.lasted),
    }


def _domain(line: DomainLine) -> Json:
    return {
        "domain": line.domain,
        "state": str(line.order_state),
        "is_certain": line.is_certain,
        "status": line.scm_words,
        "mode": line.proof.mode,
        "host": line.proof.host,
        "point": line.proof.point,
        "url": line.proof.url,
        "file": line.proof.file,
        "email": line.proof.email,
        "last_check": _moment(line.last_check),
        "next_check": _moment(line.next_check),
        "expires": _moment(line.expires),
        "is_published": line.is_published,
    }


def _account_domain(domain: AccountDomain) -> Json:
    return {
        "id": domain.id,
        "name": domain.name,
        "state": domain.state,
        "delegation_status": domain.delegation_status,
        "delegations": [{"organization_id": one.organization_id, "status": one.status} for one in domain.delegations],
    }


def _organization(line: OrganizationLine | None) -> Json:
    if line is None:
        return None
    validation = line.validation
    return {
        "id": line.id,
        "name": line.name,
        "level": line.level,
        "is_level_certain": line.is_certain,
        "state": str(line.order_state),
        "status": validation.status if validation else "",
        "background_status": validation.background_status if validation else "",
        "submitted": _moment(validation.submitted if validation else None),
        "expires": _moment(validation.expires if validation else None),
        "tracking_id": validation.tracking_id if validation else "",
        "last_message": validation.last_message if validation else "",
    }


def _caa(name: str, source: str, diagnosis: Diagnosis) -> Json:
    answer = diagnosis.evidence.caa[name].value
    forbidding = answer.forbidding(is_wildcard=name.startswith("*.")) if answer else ()
    return {
        "name": name,
        "source": source,
        "found_at": answer.found_at if answer else "",
        "records": [str(record) for record in answer.records] if answer else [],
        "forbids": bool(forbidding) if answer else None,
    }


def _comparison(comparison: Comparison) -> Json:
    return {
        "leg": str(comparison.leg),
        "elapsed": _span(comparison.elapsed),
        "is_running": comparison.is_running,
        "pace": str(comparison.pace),
        "figure": _figure(comparison.figure) if comparison.figure else None,
    }


def _figure(figure: Figure) -> Json:
    return {
        "scope": figure.scope,
        "n": figure.n,
        "is_weak": figure.is_weak,
        "p50": _span(figure.p50),
        "p90": _span(figure.p90),
    }


def _when(when: When | None) -> Json:
    if when is None:
        return None
    day = f"{when.earliest:%Y-%m-%d}" if when.is_day else None
    return {"day": day, "earliest": _moment(when.earliest), "latest": _moment(when.latest), "text": when.text}


def _span(span: Span | None) -> Json:
    if span is None:
        return None
    return {"at_least_seconds": span.at_least_seconds, "at_most_seconds": span.at_most_seconds, "text": span.text}


def _moment(moment: Moment | None) -> Json:
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return moment.isoformat() if moment is not None else None


def _finished(value: Json, redact: Redact) -> Json:
    if isinstance(value, str):
        return redact(value) if value else None
    if isinstance(value, list):
        return [_finished(item, redact) for item in value]
    if isinstance(value, dict):
        return {key: _finished(item, redact) for key, item in value.items()}
    return value
