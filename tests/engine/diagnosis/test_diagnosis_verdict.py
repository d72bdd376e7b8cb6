from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations
from typing import TypeVar

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.polling import PollOutcome, PollResult, PollWindow, WindowEnd
from sectigo_tui.domain.validation import Allowance, DcvLog, DomainValidation
from sectigo_tui.engine.diagnosis.evidence.model import Answer, AnswerState, Evidence, PublishedRecord
from sectigo_tui.engine.diagnosis.rules.causes import Cause, Party
from sectigo_tui.engine.diagnosis.verdict import CELL_WIDTH, Strength, judge
from support.evidence import (
    DOMAIN,
    NAME,
    NOW,
    SSL_ID,
    TOLD,
    Change,
    valid_evidence,
    with_account_domain,
    with_caa,
    with_code,
    with_domain,
    with_organization,
    with_usage,
)

T = TypeVar("T")

PENDING = ("Init", "Requested", "SAApproved", "Approved", "Applied")


@dataclass(frozen=True)
class Row:
    """A cause of slowness: in which statuses it can hold, what shows it, and what the verdict must be."""

    cause: Cause
    party: Party
    change: Change
    statuses: tuple[str, ...] = PENDING
    level: str = "OV"
    kind: str = ""


def unchanged(evidence: Evidence) -> Evidence:
    return evidence


ROWS = (
    Row(Cause.APPROVAL, Party.APPROVER, unchanged, ("Requested",), kind="status"),
    Row(Cause.SECOND_APPROVAL, Party.APPROVER, unchanged, ("SAApproved", "SA Approved"), kind="status"),
    Row(Cause.EV_OTHER_APPROVER, Party.APPROVER, with_code(-1140), ("Requested", "SAApproved"), "EV", kind="status"),
    Row(Cause.ORGANIZATION_PENDING, Party.ORGANIZATION_CONTACT, with_organization("PENDING"), kind="organization"),
    Row(Cause.ORGANIZATION_FAILED, Party.ORGANIZATION_CONTACT, with_organization("FAILED"), kind="organization"),
    Row(Cause.ORGANIZATION_EXPIRED, Party.ORGANIZATION_CONTACT, with_organization("EXPIRED"), kind="organization"),
    Row(Cause.ORGANIZATION_MISSING, Party.ORGANIZATION_CONTACT, with_organization(""), kind="organization"),
    Row(
        Cause.ORGANIZATION_PENDING,
        Party.ORGANIZATION_CONTACT,
        with_organization("PENDING", level="EV"),
        level="EV",
        kind="organization",
    ),
    Row(Cause.DOMAIN_NOT_VALIDATED, Party.DNS_OWNER, with_domain(), kind="domain"),
    Row(Cause.DOMAIN_EXPIRED, Party.DNS_OWNER, with_domain("EXPIRED"), kind="domain"),
    Row(
        Cause.DOMAIN_EXPIRED,
        Party.DNS_OWNER,
        with_domain("VALIDATED", expires=date(2026, 3, 9)),
        kind="domain",
    ),
    Row(
        Cause.DOMAIN_NOT_STARTED,
        Party.YOU,
        with_domain(order_status="NOT_INITIATED", mode=""),
        kind="domain",
    ),
    Row(
        Cause.DOMAIN_NOT_SUBMITTED,
        Party.YOU,
        with_domain(order_status="Awaiting submission"),
        kind="domain",
    ),
    Row(Cause.DOMAIN_REJECTED, Party.YOU, with_domain(order_status="REJECTED"), kind="domain"),
    Row(Cause.DOMAIN_REJECTED, Party.YOU, with_domain("EXPIRED", order_status="Rejected"), kind="domain"),
    Row(Cause.DOMAIN_SUSPENDED, Party.YOU, with_account_domain("SUSPENDED"), kind="account domain"),
    Row(
        Cause.DELEGATION_REQUESTED,
        Party.APPROVER,
        with_account_domain("ACTIVE", delegation="REQUESTED"),
        kind="account domain",
    ),
    Row(
        Cause.NONE_LEFT,
        Party.YOU,
        with_usage(Allowance("SSL", 10, 10, 0)),
        ("Init", "Requested", "SAApproved", "Approved"),
        kind="contract",
    ),
    Row(Cause.EV_ANCHOR, Party.YOU, with_code(-181), level="EV", kind="anchor"),
    Row(Cause.CAA, Party.DNS_OWNER, with_caa("letsencrypt.org"), kind="caa"),
    Row(Cause.VETTING, Party.CA, unchanged, ("Applied",), kind="status"),
    Row(Cause.VETTING, Party.CA, unchanged, ("Applied",), "EV", kind="status"),
    Row(Cause.NOT_TAKEN, Party.NOBODY_YET, unchanged, ("Approved",), kind="status"),
    Row(Cause.CREATING, Party.NOBODY_YET, unchanged, ("Init",), kind="status"),
)

ALONE = [(row, status) for row in ROWS for status in row.statuses if row.kind == "status" or status == "Applied"]


@pytest.mark.parametrize(("row", "status"), ALONE, ids=lambda value: getattr(value, "cause", value))
def test_each_cause_alone_is_the_verdict_with_its_evidence_and_a_next_action(row: Row, status: str) -> None:
    verdict = judge(row.change(valid_evidence(status, row.level)))
    assert (verdict.cause, verdict.party) == (row.cause, row.party)
    assert verdict.others == ()
    assert verdict.strength is Strength.FULL
    assert verdict.evidence[0].statement == f"status {status}"
    assert all(fact.source and fact.at for fact in verdict.evidence)
    assert verdict.next_action
    assert verdict.changes_when
    assert len(verdict.cell) <= CELL_WIDTH


def pairs() -> list[tuple[Row, Row, str]]:
    """Return each pair of causes that can hold at once, with a status in which they do."""
    found = []
    for first, second in combinations(ROWS, 2):
        if first.kind == second.kind or Cause.VETTING in (first.cause, second.cause):
            continue
        if {first.level, second.level} == {"OV", "EV"} and "organization" in (first.kind, second.kind):
            continue  # an OV order does not wait for the organization's EV validation
        common = [status for status in first.statuses if status in second.statuses]
        found += [(first, second, common[-1])] if common else []
    return found


@pytest.mark.parametrize(("first", "second", "status"), pairs(), ids=lambda value: getattr(value, "cause", value))
def test_of_two_causes_the_more_urgent_is_the_verdict_and_the_other_is_listed(
    first: Row, second: Row, status: str
) -> None:
    level = "EV" if "EV" in (first.level, second.level) else "OV"
    verdict = judge(second.change(first.change(valid_evidence(status, level))))
    named = [verdict.cause, *(finding.cause for finding in verdict.others)]
    waiting = {Cause.APPROVAL, Cause.SECOND_APPROVAL, Cause.NOT_TAKEN, Cause.CREATING}
    expected = {first.cause, second.cause}
    assert expected <= set(named) <= expected | waiting
    assert named == sorted(named, key=lambda cause: cause.rank)
    assert verdict.party is {first.cause: first.party, second.cause: second.party}[verdict.cause]
    assert verdict.cell.endswith(f" +{len(set(named)) - 1}")
    assert len(verdict.cell) <= CELL_WIDTH


@pytest.mark.parametrize(
    ("code", "cause", "party"),
    [
        (-843, Cause.ORGANIZATION_MISSING, Party.ORGANIZATION_CONTACT),
        (-715, Cause.DOMAIN_SUSPENDED, Party.YOU),
        (-741, Cause.DELEGATION_REQUESTED, Party.APPROVER),
        (-107, Cause.DOMAIN_NOT_VALIDATED, Party.DNS_OWNER),
        (-737, Cause.DOMAIN_NOT_VALIDATED, Party.DNS_OWNER),
        (-1137, Cause.DOMAIN_NOT_VALIDATED, Party.DNS_OWNER),
        (-181, Cause.EV_ANCHOR, Party.YOU),
        (-36, Cause.ENROLL_REFUSED, Party.YOU),
        (None, Cause.ENROLL_REFUSED, Party.YOU),
    ],
)
def test_a_refused_enroll_is_told_by_its_code(code: int | None, cause: Cause, party: Party) -> None:
    entry = TimelineEntry(
        at=NOW, order_id="a", kind=EventKind.WRITE_ANSWERED, summary="enroll refused", code=code, http_status=400
    )
    verdict = judge(Evidence(now=NOW, status="", order=local(OrderState.FAILED, ssl_id=None), timeline=(entry,)))
    assert (verdict.cause, verdict.party) == (cause, party)
    assert "order again" in verdict.next_action


def local(state: OrderState, ssl_id: int | None = SSL_ID, **fields: object) -> Order:
    since = NOW - timedelta(hours=1)
    return Order(
        id="a",
        state=state,
        state_since=since,
        created_at=since,
        origin=Origin.ENROLLED,
        ssl_id=ssl_id,
        **fields,  # type: ignore[arg-type] # Order's own fields
    )


def issued(poll: PollResult, *, ended: WindowEnd | None = None) -> Evidence:
    window = PollWindow(NOW - timedelta(minutes=9), 600.0, attempts=3, next_poll_at=NOW)
    order = local(OrderState.ISSUED, last_poll=poll, window=window.end(ended) if ended else window)
    return replace(valid_evidence("Issued"), order=order)


@pytest.mark.parametrize(
    ("evidence", "cause", "party"),
    [
        (issued(PollResult(NOW, PollOutcome.ISSUED)), Cause.COLLECTING, Party.NOBODY_YET),
        (replace(valid_evidence("Issued"), order=local(OrderState.PENDING)), Cause.COLLECTING, Party.NOBODY_YET),
        (issued(PollResult(NOW, PollOutcome.NOT_READY, code=0)), Cause.COLLECT_NOT_READY, Party.CA),
        (
            issued(PollResult(NOW, PollOutcome.NOT_READY, code=0), ended=WindowEnd.DEADLINE),
            Cause.COLLECT_STOPPED,
            Party.YOU,
        ),
        (
            issued(PollResult(NOW, PollOutcome.REFUSED, code=-169), ended=WindowEnd.STOPPED),
            Cause.COLLECT_REFUSED,
            Party.YOU,
        ),
        (replace(valid_evidence(""), order=local(OrderState.INTENT)), Cause.SENDING, Party.NOBODY_YET),
        (replace(valid_evidence(""), order=local(OrderState.UNCONFIRMED)), Cause.ENROLL_UNCONFIRMED, Party.YOU),
        (replace(valid_evidence("Issued"), order=local(OrderState.COLLECTED)), Cause.SETTLED, Party.NOBODY),
        (valid_evidence("Issued"), Cause.SETTLED, Party.NOBODY),
        (valid_evidence("Revoked"), Cause.SETTLED, Party.NOBODY),
        (valid_evidence("Declined"), Cause.DECLINED, Party.YOU),
        (valid_evidence("Rejected"), Cause.REJECTED, Party.YOU),
        (valid_evidence("Invalid"), Cause.INVALID, Party.YOU),
        (valid_evidence("Frobnicated"), Cause.UNKNOWN_STATUS, Party.UNKNOWN),
    ],
)
def test_orders_beyond_the_table_have_a_verdict_too(evidence: Evidence, cause: Cause, party: Party) -> None:
    verdict = judge(evidence)
    assert (verdict.cause, verdict.party) == (cause, party)
    assert len(verdict.cell) <= CELL_WIDTH


@pytest.mark.parametrize(
    "evidence",
    [
        replace(valid_evidence("Issued"), order=local(OrderState.REVOKED)),
        replace(valid_evidence("Issued"), order=local(OrderState.EXPIRED)),
        valid_evidence("Revoked"),
        valid_evidence("Expired"),
    ],
)
def test_nothing_is_said_to_change_an_order_that_is_over(evidence: Evidence) -> None:
    assert judge(evidence).changes_when == "Nothing changes this order any more."


def test_a_rejected_order_lists_what_is_not_valid_beside_it() -> None:
    verdict = judge(with_organization("FAILED")(valid_evidence("Rejected")))
    assert verdict.cause is Cause.REJECTED
    assert [finding.cause for finding in verdict.others] == [Cause.ORGANIZATION_FAILED]


@pytest.mark.parametrize(
    ("status", "cell", "party"),
    [
        ("Requested", "approver", Party.APPROVER),
        ("SAApproved", "approver", Party.APPROVER),
        ("Approved", "nobody yet", Party.NOBODY_YET),
        ("Init", "nobody yet", Party.NOBODY_YET),
        ("Applied", "CA or DNS?", Party.UNKNOWN),
        ("Issued", "-", Party.NOBODY),
        ("Declined", "you", Party.YOU),
        ("", "unknown", Party.UNKNOWN),
    ],
)
def test_a_status_alone_gives_a_cheap_verdict(status: str, cell: str, party: Party) -> None:
    verdict = judge(Evidence(now=NOW, status=status, status_at=NOW, ssl_id=SSL_ID))
    assert (verdict.cell, verdict.party) == (cell, party)
    assert verdict.party is not Party.UNKNOWN or verdict.strength is not Strength.FULL


def failed(answer: Answer[T]) -> Answer[T]:
    return Answer(answer.source, AnswerState.FAILED, error="503 with HTML", http_status=503)


@pytest.mark.parametrize(
    ("evidence", "named", "cell"),
    [
        (replace(valid_evidence(), organization=failed(valid_evidence().organization)), "organization", "CA or org?"),
        (replace(valid_evidence(), dcv=failed(valid_evidence().dcv)), "order DCV log", "CA or DNS?"),
        (replace(valid_evidence(level="DV"), dcv=failed(valid_evidence().dcv)), "order DCV log", "CA or DNS?"),
    ],
)
def test_vetting_is_not_the_verdict_while_evidence_failed_to_load(evidence: Evidence, named: str, cell: str) -> None:
    verdict = judge(evidence)
    assert (verdict.party, verdict.cell, verdict.strength) == (Party.UNKNOWN, cell, Strength.PARTIAL)
    assert named in verdict.sentence
    assert "503 with HTML" in verdict.sentence


def test_a_proven_cause_stands_although_other_evidence_failed_to_load() -> None:
    evidence = with_domain()(valid_evidence())
    verdict = judge(replace(evidence, organization=failed(evidence.organization)))
    assert verdict.party is Party.DNS_OWNER
    assert verdict.strength is Strength.PARTIAL
    assert any(
        "organization validations failed to load" in missing_part.what for missing_part in verdict.missing_evidence
    )


def test_an_older_answer_is_used_and_said_to_be_older_when_a_newer_call_fails() -> None:
    evidence = valid_evidence()
    stale = replace(evidence.organization, state=AnswerState.FAILED, error="503")
    verdict = judge(replace(evidence, organization=stale))
    assert (verdict.cause, verdict.strength) == (Cause.VETTING, Strength.PARTIAL)
    assert any(
        "the answer of 2026-03-10 03:11Z is used" in missing_part.what for missing_part in verdict.missing_evidence
    )


def test_caa_that_could_not_be_read_leaves_a_caveat_and_dns_that_is_off_only_a_remark() -> None:
    evidence = valid_evidence()
    unread = judge(replace(evidence, caa={NAME: failed(evidence.caa[NAME])}))
    assert (unread.party, unread.strength) == (Party.CA, Strength.PARTIAL)
    assert "unless CAA forbids it" in unread.sentence
    off = judge(replace(evidence, caa={}, dns_is_on=False))
    assert (off.party, off.strength) == (Party.CA, Strength.FULL)
    assert [missing_part.what for missing_part in off.missing_evidence] == ["CAA not checked: DNS lookups are off"]
    assert "unless" not in off.sentence


def test_vetting_says_that_the_api_does_not_show_it() -> None:
    assert judge(valid_evidence()).sentence == (
        "Organization and domains are valid: vetting at Sectigo (callback or manual review), not visible in the API."
    )


def test_a_dv_order_does_not_wait_for_the_organization() -> None:
    verdict = judge(with_organization("FAILED")(valid_evidence(level="DV")))
    assert (verdict.cause, verdict.others) == (Cause.VETTING, ())


def test_an_order_of_unknown_level_is_not_said_to_wait_for_the_organization() -> None:
    verdict = judge(with_organization("PENDING")(valid_evidence(level="")))
    assert (verdict.party, verdict.cause, verdict.cell) == (Party.UNKNOWN, Cause.ORGANIZATION_PENDING, "org?")
    assert "SCM does not tell whether this order needs it" in verdict.sentence
    assert judge(valid_evidence(level="")).party is Party.UNKNOWN


def test_a_validation_that_ran_out_counts_as_expired_whatever_scm_calls_it() -> None:
    evidence = valid_evidence()
    known = evidence.organization.value
    assert known is not None
    out = tuple(replace(one, expires=date(2026, 3, 9)) for one in known.validations)
    verdict = judge(
        replace(evidence, organization=replace(evidence.organization, value=replace(known, validations=out)))
    )
    assert verdict.cause is Cause.ORGANIZATION_EXPIRED


def test_of_two_validations_of_a_level_the_better_one_counts() -> None:
    evidence = valid_evidence()
    known = evidence.organization.value
    assert known is not None
    old = replace(known.validations[0], id=9, status="EXPIRED")
    both = replace(known, validations=(old, *known.validations))
    assert judge(replace(evidence, organization=replace(evidence.organization, value=both))).cause is Cause.VETTING


def test_a_published_record_takes_the_blame_off_the_dns_owner() -> None:
    evidence = with_domain()(valid_evidence())
    record = PublishedRecord("_token.acme.example", "CNAME", ("half.half.sectigo.com",), is_as_asked=True)
    verdict = judge(replace(evidence, records={DOMAIN: Answer("DNS CNAME _token", AnswerState.KNOWN, record, TOLD)}))
    assert (verdict.cause, verdict.party) == (Cause.DOMAIN_PUBLISHED, Party.NOBODY_YET)
    assert "recheck" in verdict.next_action


def test_a_valid_domain_that_the_order_still_waits_for_is_a_contradiction_not_an_accusation() -> None:
    verdict = judge(with_domain("VALIDATED", expires=date(2026, 9, 9))(valid_evidence()))
    assert (verdict.cause, verdict.party, verdict.cell) == (Cause.DOMAIN_CONTRADICTORY, Party.UNKNOWN, "DNS?")


@pytest.mark.parametrize(
    ("published", "party", "action"),
    [
        (None, Party.YOU, "Publish CNAME _token.acme.example. -> half.half.sectigo.com.; once published, submit"),
        (True, Party.YOU, "Its record is in DNS: submit its DCV in SCM, then ask for a DCV sync."),
        (False, Party.DNS_OWNER, "Publish CNAME _token.acme.example. -> half.half.sectigo.com.; once published"),
    ],
)
def test_a_dcv_order_that_awaits_submission_is_published_first_and_then_submitted(
    published: bool | None, party: Party, action: str
) -> None:
    evidence = with_domain(order_status="AWAITING_SUBMISSION")(valid_evidence())
    if published is not None:
        record = PublishedRecord("_token.acme.example", "CNAME", (), is_as_asked=published)
        evidence = replace(evidence, records={DOMAIN: Answer("DNS CNAME", AnswerState.KNOWN, record, TOLD)})
    verdict = judge(evidence)
    assert (verdict.cause, verdict.party) == (Cause.DOMAIN_NOT_SUBMITTED, party)
    assert verdict.next_action.startswith(action)


@pytest.mark.parametrize(
    ("delegations", "waits"),
    [
        (((1002, "REQUESTED"), (7, "ACTIVE")), True),
        (((1002, "ACTIVE"), (7, "REQUESTED")), False),
        (((7, "REQUESTED"),), True),
        ((), True),
    ],
)
def test_the_delegation_to_the_orders_own_organization_decides(
    delegations: tuple[tuple[int, str], ...], waits: bool
) -> None:
    verdict = judge(with_account_domain("ACTIVE", *delegations, delegation="REQUESTED")(valid_evidence()))
    assert (verdict.cause is Cause.DELEGATION_REQUESTED) is waits
    assert verdict.evidence[-1].source == "SCM domain 409" if waits else verdict.cause is Cause.VETTING


@pytest.mark.parametrize(
    ("allowances", "spent"),
    [
        ((Allowance("SSL OV", 5, 5, 0), Allowance("SSL EV", 5, 1, 4)), True),
        ((Allowance("SSL EV", 5, 5, 0), Allowance("SSL OV", 5, 1, 4)), False),
        ((Allowance("Sectigo SSL OV", None, None, 0),), True),
        ((Allowance("S/MIME", 5, 5, 0),), False),
        ((Allowance("SSL", None, 7, None),), False),
        ((), False),
    ],
)
def test_only_what_the_contract_tells_of_the_orders_own_kind_counts(
    allowances: tuple[Allowance, ...], spent: bool
) -> None:
    evidence = with_usage(*allowances)(valid_evidence("Approved"))
    assert judge(evidence).cause is (Cause.NONE_LEFT if spent else Cause.NOT_TAKEN)
    at_ca = judge(with_usage(*allowances)(valid_evidence()))
    assert at_ca.cause is Cause.VETTING
    assert [other.is_certain for other in at_ca.others] == ([False] if spent else [])


@pytest.mark.parametrize(("http_status", "code"), [(403, None), (403, -3), (400, -25), (404, None)])
def test_a_contract_that_may_not_be_read_is_unknown_and_weakens_nothing(http_status: int, code: int | None) -> None:
    refusal = Answer[tuple[Allowance, ...]](
        "SCM usage", AnswerState.FAILED, error="no", failed_at=TOLD, http_status=http_status, code=code
    )
    verdict = judge(replace(valid_evidence("Approved"), usage=refusal))
    assert (verdict.cause, verdict.strength) == (Cause.NOT_TAKEN, Strength.FULL)
    assert [one.what for one in verdict.missing_evidence] == ["contract not known: this login may not ask (SCM usage)"]


@pytest.mark.parametrize("level", ["OV", "DV"])
def test_a_customer_for_whom_scm_validates_no_domains_waits_for_none(level: str) -> None:
    evidence = valid_evidence(level=level)
    unused = replace(
        failed(evidence.dcv), http_status=400, code=-1608, error="DCV is not enabled for this customer.", failed_at=TOLD
    )
    verdict = judge(replace(evidence, dcv=unused))
    assert (verdict.cause, verdict.party, verdict.strength) == (Cause.VETTING, Party.CA, Strength.FULL)
    assert "DCV is not used for this customer" in verdict.sentence
    assert any("-1608" in fact.statement for fact in verdict.evidence)


def test_the_record_to_publish_is_in_the_next_action() -> None:
    action = judge(with_domain()(valid_evidence())).next_action
    assert "Publish CNAME _token.acme.example. -> half.half.sectigo.com." in action


def test_names_outside_the_log_are_judged_by_the_accounts_validation_of_what_covers_them() -> None:
    scm_words = DomainValidation(domain=DOMAIN, status="VALIDATED", expires=date(2026, 9, 9))
    evidence = replace(valid_evidence(), dcv=Answer("SCM dcv", AnswerState.KNOWN, DcvLog(()), TOLD))
    assert judge(evidence).party is Party.UNKNOWN
    covered = replace(evidence, domains={NAME: Answer("SCM domain status", AnswerState.KNOWN, scm_words, TOLD)})
    assert judge(covered).cause is Cause.VETTING


@pytest.mark.parametrize("code", [-1140, -181])
def test_a_code_from_before_the_status_changed_no_longer_counts(code: int) -> None:
    evidence = with_code(code)(valid_evidence("Requested", "EV"))
    approved = replace(evidence, status="Applied", details=valid_evidence("Applied", "EV").details)
    assert judge(approved).cause is Cause.VETTING


def test_a_caa_at_the_zone_is_one_cause_for_all_names_below_it() -> None:
    evidence = with_caa("letsencrypt.org")(valid_evidence())
    more = {f"n{number}.{DOMAIN}": evidence.caa[NAME] for number in range(3)}
    verdict = judge(replace(evidence, caa={**evidence.caa, **more}))
    assert (verdict.cause, verdict.others) == (Cause.CAA, ())


def test_untrusted_text_stays_on_one_line_without_control_characters() -> None:
    evidence = with_organization("FAILED", last_message="call\x1b[31m\nback\u202e now")(valid_evidence())
    verdict = judge(evidence)
    texts = [verdict.sentence, verdict.next_action, *(fact.statement for fact in verdict.evidence)]
    assert all(text.isprintable() for text in texts)
    assert "call [31m back now" in verdict.sentence


def test_polling_that_has_ended_is_said() -> None:
    window = PollWindow(NOW - timedelta(hours=1), 600.0, attempts=9).end(WindowEnd.DEADLINE)
    order = local(OrderState.PENDING, window=window, last_poll=PollResult(TOLD, PollOutcome.PENDING))
    verdict = judge(replace(valid_evidence(), order=order))
    assert any("polling ended (deadline passed)" in missing_part.what for missing_part in verdict.missing_evidence)
    assert verdict.cause is Cause.VETTING


def test_wildcards_obey_issuewild() -> None:
    details = OrderDetails(
        ssl_id=SSL_ID, status="Applied", common_name=f"*.{DOMAIN}", organization_id=1002, validation="OV"
    )
    evidence = valid_evidence()
    answer = with_caa("letsencrypt.org")(evidence).caa[NAME]
    wild = replace(evidence, details=replace(evidence.details, value=details), caa={f"*.{DOMAIN}": answer})
    verdict = judge(wild)
    assert verdict.cause is Cause.CAA
    assert 'CAA 0 issuewild "sectigo.com"' in verdict.next_action


def test_addresses_among_the_names_are_no_domains() -> None:
    details = valid_evidence().details.value
    assert details is not None
    evidence = valid_evidence()
    with_address = replace(details, subject_alternative_names=("192.0.2.7", "2001:db8::7", "intranet"))
    verdict = judge(replace(evidence, details=replace(evidence.details, value=with_address)))
    assert (verdict.cause, verdict.missing_evidence) == (Cause.VETTING, ())
