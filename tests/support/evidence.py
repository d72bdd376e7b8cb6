"""Evidence about an order, to which a test adds what holds it up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from msgspec.structs import replace

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.dns import CaaAnswer, CaaRecord
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.validation import (
    NOTHING_ASKED,
    AccountDomain,
    Allowance,
    DcvCheck,
    DcvLog,
    DcvProof,
    Delegation,
    DomainValidation,
    OrganizationValidation,
)
from sectigo_tui.engine.diagnosis.evidence.model import Answer, AnswerState, Evidence, OrganizationEvidence

NOW = datetime(2026, 3, 10, 3, 12, tzinfo=UTC)
TOLD = NOW - timedelta(seconds=12)
SSL_ID = 2_100_001
DOMAIN = "acme.example"
NAME = f"www.{DOMAIN}"

Change = Callable[[Evidence], Evidence]


def valid_evidence(status: str = "Applied", level: str = "OV") -> Evidence:
    """Return evidence of an order for which domain and organization are valid and CAA is silent."""
    details = OrderDetails(
        ssl_id=SSL_ID,
        status=status,
        common_name=NAME,
        organization_id=1002,
        profile_id=502,
        profile_name=f"Sectigo SSL {level}",
        validation=level,
        order_number="2202100001",
        backend_cert_id="2202100001",
        requester="j.doe@acme.example",
        requested=date(2026, 3, 7),
    )
    checks = (DcvCheck(domain=DOMAIN, status="Validated", validated=date(2026, 1, 2)),)
    validations = tuple(
        OrganizationValidation(id=number, level=of, status="VALIDATED", expires=date(2027, 1, 2))
        for number, of in ((1, "OV"), (2, "EV"), (3, "OV_SMIME"))
    )
    return Evidence(
        now=NOW,
        status=status,
        status_at=TOLD,
        ssl_id=SSL_ID,
        details=Answer(f"SCM details {SSL_ID}", AnswerState.KNOWN, details, TOLD),
        dcv=Answer(f"SCM dcv {SSL_ID}", AnswerState.KNOWN, DcvLog(checks), TOLD),
        organization=Answer(
            "SCM organization validations 1002",
            AnswerState.KNOWN,
            OrganizationEvidence(1002, "Acme Logistics", 1002, "Acme Logistics", validations),
            TOLD,
        ),
        caa={NAME: Answer(f"DNS CAA {NAME}", AnswerState.KNOWN, CaaAnswer(NAME), TOLD)},
        dns_is_on=True,
    )


def with_organization(status: str, *, level: str = "OV", last_message: str = "") -> Change:
    """Return a change that gives the organization's validation of a level another status; empty takes it away."""

    def change(evidence: Evidence) -> Evidence:
        known = evidence.organization.value
        assert known is not None
        validations = tuple(
            replace(one, status=status, last_message=last_message) if one.level == level else one
            for one in known.validations
            if one.level != level or status
        )
        return replace(
            evidence, organization=replace(evidence.organization, value=replace(known, validations=validations))
        )

    return change


def with_domain(
    status: str = "NOT_VALIDATED", *, order_status: str = "SUBMITTED", mode: str = "CNAME", expires: date | None = None
) -> Change:
    """Return a change that makes the order's log wait for the domain, and the account tell a status of it."""

    def change(evidence: Evidence) -> Evidence:
        told = DomainValidation(domain=DOMAIN, status=status, order_status=order_status, expires=expires)
        asked = DcvProof(mode=mode, host="_token.acme.example.", point="half.half.sectigo.com.")
        check = DcvCheck(domain=DOMAIN, status="Awaiting Validation", proof=asked if mode else NOTHING_ASKED)
        answer = Answer(f"SCM domain status {DOMAIN}", AnswerState.KNOWN, told, TOLD)
        return replace(evidence, dcv=replace(evidence.dcv, value=DcvLog((check,))), domains={DOMAIN: answer})

    return change


def with_account_domain(state: str = "ACTIVE", *delegations: tuple[int, str], delegation: str = "ACTIVE") -> Change:
    """Return a change that gives the account's domain a state, and delegations by organization."""

    def change(evidence: Evidence) -> Evidence:
        domain = AccountDomain(
            id=409,
            name=DOMAIN,
            state=state,
            delegation_status=delegation,
            delegations=tuple(Delegation(*one) for one in delegations),
        )
        answer = Answer("SCM domain 409", AnswerState.KNOWN, domain, TOLD)
        return replace(evidence, account_domains={DOMAIN: answer})

    return change


def with_usage(*allowances: Allowance) -> Change:
    """Return a change that tells what is left of the contract."""

    def change(evidence: Evidence) -> Evidence:
        return replace(evidence, usage=Answer("SCM usage", AnswerState.KNOWN, allowances, TOLD))

    return change


def with_caa(*values: str) -> Change:
    """Return a change that publishes CAA issue records."""

    def change(evidence: Evidence) -> Evidence:
        records = tuple(CaaRecord(0, "issue", value) for value in values)
        return replace(
            evidence, caa={NAME: Answer(f"DNS CAA {NAME}", AnswerState.KNOWN, CaaAnswer(NAME, DOMAIN, records), TOLD)}
        )

    return change


def with_code(code: int, summary: str = "refused") -> Change:
    """Return a change that adds an answer with a code of SCM's to the timeline."""

    def change(evidence: Evidence) -> Evidence:
        entry = TimelineEntry(
            at=NOW - timedelta(minutes=5),
            order_id="0123456789ab",
            kind=EventKind.WRITE_ANSWERED,
            summary=summary,
            scm_status=evidence.status,
            http_status=400,
            code=code,
        )
        return replace(evidence, timeline=(*evidence.timeline, entry))

    return change
