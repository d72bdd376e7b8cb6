"""What leaves the program: it holds what support needs, no credential, and nothing that acts."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.polling import PollOutcome, PollResult
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.engine.diagnosis.escalation import (
    REDACTED,
    TIMELINE_ENTRIES,
    code,
    escalation_pack,
    handover,
    prose,
    redactor,
)
from sectigo_tui.engine.diagnosis.evidence.model import Evidence
from sectigo_tui.engine.diagnosis.evidence.validations import DomainState, OrganizationState
from sectigo_tui.engine.diagnosis.normal import Leg, Pace, Sample
from sectigo_tui.engine.diagnosis.report import SCHEMA, VERSION, as_json
from sectigo_tui.engine.diagnosis.result import Diagnosis, OutageClock, conclude
from sectigo_tui.engine.diagnosis.rules.causes import Cause, Party
from sectigo_tui.engine.diagnosis.stages import Span
from support.evidence import NOW, SSL_ID, valid_evidence, with_caa, with_code, with_domain, with_organization

SECRET = 'hunter2&"x y'
PLAIN = redactor(())


def diagnosis_of(evidence: Evidence, outage: OutageClock | None = None, samples: tuple[Sample, ...] = ()) -> Diagnosis:
    return conclude(evidence, samples, outage, 600.0)


def numbered(evidence: Evidence, ssl_id: int) -> Evidence:
    return replace(evidence, ssl_id=ssl_id)


def test_a_pack_has_what_support_asks_for_in_utc() -> None:
    evidence = with_code(-181, "approve refused")(
        with_organization("FAILED", last_message="no such number")(valid_evidence())
    )
    text = escalation_pack(diagnosis_of(evidence), PLAIN)
    for expected in (
        "- backendCertId: `2202100001`",
        "- Order number: `2202100001`",
        f"- sslId: `{SSL_ID}`",
        "- Organization: Acme Logistics (orgId 1002)",
        "- SCM status: `Applied`",
        "- Put together: 2026-03-10 03:12Z",
        "| requested | 2026-03-07 | SCM |",
        "| 2026-03-10 03:07:00Z | approve refused | Applied | 400 | -181 |",
        "| -181 | The order does not match the account's EV anchor. |",
        "no such number",
        "- Also: The OV validation of Acme Logistics has failed.",
        "| SCM organization validations 1002 | 2026-03-10 03:11Z |",
    ):
        assert expected in text, expected


def test_a_pack_says_what_is_not_known() -> None:
    text = escalation_pack(diagnosis_of(replace(valid_evidence(), dns_is_on=False)), PLAIN)
    assert "- Not known: CAA not checked: DNS lookups are off" in text


def test_a_pack_tells_the_record_to_publish_as_it_is_copied() -> None:
    text = escalation_pack(diagnosis_of(with_domain()(valid_evidence())), PLAIN)
    assert "`_token.acme.example.` → `half.half.sectigo.com.`" in text


def entry(summary: str, minutes: float = 0) -> TimelineEntry:
    return TimelineEntry(at=NOW + timedelta(minutes=minutes), order_id="a", kind=EventKind.NOTE, summary=summary)


def test_a_long_timeline_is_cut_to_its_newest_entries_and_says_so() -> None:
    evidence = replace(valid_evidence(), timeline=tuple(entry(f"note {n}", n) for n in range(TIMELINE_ENTRIES + 5)))
    text = escalation_pack(diagnosis_of(evidence), PLAIN)
    assert "note 5 |" in text
    assert "note 4 |" not in text
    assert "5 older entries are left out." in text


LEAKS = (
    SECRET,
    "password: hunter3",
    "Authorization: Bearer abc.def.ghi",
    '{"password":"hunter4"}',
    "login=robot",
    "customerUri: acme-corp",
    "cookie: session=1234567",
    "sent with Bearer abcdefghijkl",
    "hunter2%26%22x%20y",
    "hunter2%26%22x+y",
    'hunter2&\\"x y',
    f"{'x' * 150} {SECRET}",
    f"{'x' * 500} {SECRET} {'y' * 900}",
)


@pytest.mark.parametrize("leak", LEAKS)
def test_no_credential_leaves_the_program_whatever_text_it_stands_in(leak: str) -> None:
    redact = redactor([SecretText(SECRET)])
    evidence = with_organization("FAILED", last_message=leak)(valid_evidence())
    details = evidence.details.value
    assert details is not None
    evidence = replace(
        evidence,
        timeline=(entry(leak),),
        polls=(PollResult(NOW, PollOutcome.REFUSED, leak),),
        details=replace(evidence.details, value=replace(details, common_name=leak, requester=leak, order_number=leak)),
        dcv=replace(evidence.dcv, error=leak),
    )
    diagnosis = diagnosis_of(evidence)
    for text in (
        escalation_pack(diagnosis, redact),
        handover([diagnosis], NOW, redact),
        as_json(diagnosis, redact),
    ):
        for part in ("hunter", "abc.def", "robot", "acme-corp", "1234567", "abcdefghijkl"):
            assert part not in text
        assert REDACTED in text or json.dumps(REDACTED)[1:-1] in text


def test_a_short_secret_is_a_whole_word_and_does_not_eat_the_text() -> None:
    redact = redactor([SecretText("abc")])
    assert redact("abc, abcdef, x=abc") == f"{REDACTED}, abcdef, x={REDACTED}"


def test_an_empty_secret_redacts_nothing() -> None:
    assert redactor([SecretText("")])("text") == "text"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a | b", r"a \| b"),
        ("<script>", r"\<script>"),
        ("[x](javascript:1)", r"\[x\](javascript:1)"),
        ("> quote", r"\> quote"),
        ("NOT_VALIDATED", "NOT_VALIDATED"),
        ("*bold* _it_ `code`", r"\*bold\* \_it\_ \`code\`"),
        ("https://evil.example/", r"https:\//evil.example/"),
        ("- item", r"\- item"),
        ("12. item", r"12\. item"),
        ("# head", r"\# head"),
        ("a\nb\x1b[31m\u202e", r"a b \[31m"),
        ("Publish CNAME _a1.www.acme.example. -> b2.", "Publish CNAME `_a1.www.acme.example.` -> b2."),
        ("`_a1.acme.example`", r"\`\_a1.acme.example\`"),
        ("&lt;", r"\&lt;"),
        ("", "-"),
    ],
)
def test_untrusted_text_is_shown_as_text(text: str, shown: str) -> None:
    assert prose(text, PLAIN) == shown


@given(st.text(max_size=300))
def test_no_text_breaks_out_of_its_table_cell_or_line(text: str) -> None:
    for shown in (prose(text, PLAIN), code(text, PLAIN)):
        assert shown.isprintable()
        assert "|" not in re.sub(r"\\.", "", shown)
    assert "`" not in code(text, PLAIN)[1:-1]


def test_a_handover_groups_what_is_open_by_cause_with_what_ends_first_on_top() -> None:
    pending = with_organization("PENDING")
    soon = OutageClock(1, "old", NOW + timedelta(hours=5), "SCM details 1")
    later = OutageClock(2, "old", NOW + timedelta(days=5), "SCM details 2")
    diagnoses = [
        diagnosis_of(numbered(pending(valid_evidence()), 11)),
        diagnosis_of(numbered(pending(valid_evidence()), 12), later),
        diagnosis_of(numbered(pending(valid_evidence()), 13), soon),
        diagnosis_of(numbered(valid_evidence("Requested"), 14)),
        diagnosis_of(numbered(with_caa("letsencrypt.org")(pending(valid_evidence())), 15)),
        diagnosis_of(numbered(valid_evidence("Issued"), 16)),
    ]
    text = handover(diagnoses, NOW, PLAIN)
    assert text.startswith("# Handover 2026-03-10 03:12Z: 5 open orders\n")
    assert "## 3 orders, organization Acme Logistics: waiting for its OV validation" in text
    assert "`16`" not in text
    assert text.index("`13`") < text.index("`12`") < text.index("`11`")
    assert "| 2026-03-10 08:12Z (5h00m) |" in text
    caa = text.index("## 1 order, zone acme.example: CAA forbids Sectigo")
    assert "organization validation pending |" in text[caa:]


def test_a_handover_of_nothing_says_so() -> None:
    assert handover([], NOW, PLAIN) == "# Handover 2026-03-10 03:12Z: 0 open orders\n\nNothing is open.\n"


def test_an_order_without_an_sslid_is_handed_over_by_its_local_id() -> None:
    order = Order(
        id="0123456789ab", state=OrderState.UNCONFIRMED, state_since=NOW, created_at=NOW, origin=Origin.ENROLLED
    )
    text = handover([diagnosis_of(Evidence(now=NOW, status="", order=order))], NOW, PLAIN)
    assert "`0123456789ab`" in text
    assert "enroll unconfirmed" in text


def test_who_is_told_that_an_order_is_slow_is_not_told_to_wait() -> None:
    quick = tuple(Sample(n, 502, 1002, {Leg.WHOLE: Span(0, 86_400)}) for n in range(9))
    slow = diagnosis_of(valid_evidence(), samples=quick)
    assert slow.verdict.cause is Cause.VETTING
    assert Pace.SLOW in {one.pace for one in slow.normal}
    assert slow.verdict.next_action == (
        "Do not wait any longer: requested to issued takes longer than for 9 of 10 orders. Send the escalation pack "
        "to Sectigo support."
    )
    assert slow.verdict.next_action in escalation_pack(slow, PLAIN)
    long = tuple(Sample(n, 502, 1002, {Leg.WHOLE: Span(9e7, 9e7)}) for n in range(9))
    assert diagnosis_of(valid_evidence(), samples=long).verdict.next_action.startswith("Wait: so far")


def test_the_json_shape_is_versioned_ascii_and_keeps_days_as_days() -> None:
    samples = tuple(Sample(n, 502, 1002, {Leg.WHOLE: Span(0, 86_400)}) for n in range(9))
    outage = OutageClock(1, "old", datetime(2026, 3, 11, tzinfo=UTC).date(), "SCM details 1")
    evidence = with_domain()(valid_evidence())
    text = as_json(diagnosis_of(evidence, outage, samples), PLAIN)
    assert text.isascii()
    document = json.loads(text)
    assert (document["schema"], document["version"]) == (SCHEMA, VERSION) == ("sectigo-tui/diagnosis", 1)
    assert document["at"] == "2026-03-10T03:12:00Z"
    assert document["verdict"]["blocked_on"] == "the DNS owner"
    assert document["verdict"]["evidence"][0] == {
        "statement": "status Applied",
        "source": f"SCM details {SSL_ID}",
        "at": "2026-03-10T03:11:48Z",
    }
    requested = document["stages"][0]
    assert requested["reached"]["day"] == "2026-03-07"
    assert document["outage"]["expires"] == "2026-03-11"
    assert document["proposed_wait"]["poll_max_wait_seconds"] == 86_400
    (whole,) = document["normal"]
    assert (whole["leg"], whole["figure"]["n"], whole["pace"]) == ("requested to issued", 9, "slow")


DOCUMENTED = {
    "": "schema version at order verdict other_causes missing_evidence stages not_polled "
    "is_dcv_used domains account_domains contract organization caa "
    "normal history_at proposed_wait outage polls timeline notes evidence",
    "order": "ssl_id local_id local_state common_name names status status_at order_number backend_cert_id "
    "organization_id profile validation owner",
    "verdict": "blocked_on cause strength sentence next_action changes_when column evidence",
    "organization": "id name level is_level_certain state status background_status submitted expires tracking_id "
    "last_message",
}


@pytest.mark.parametrize(("part", "names"), DOCUMENTED.items())
def test_version_1_has_these_fields(part: str, names: str) -> None:
    document = json.loads(as_json(diagnosis_of(valid_evidence()), PLAIN))
    assert set(document[part] if part else document) == set(names.split())


def test_the_documentation_names_every_field_and_every_cause() -> None:
    text = (Path(__file__).parents[3] / "docs" / "diagnose-json.md").read_text(encoding="utf-8")
    outage = OutageClock(1, "old", NOW, "SCM details 1")
    samples = (Sample(1, 502, 1002, {Leg.WHOLE: Span(60, 60)}),)
    evidence = replace(
        with_caa("x.example")(with_domain()(valid_evidence())),
        polls=(PollResult(NOW, PollOutcome.PENDING),),
        timeline=(entry("note"),),
    )
    document = json.loads(as_json(diagnosis_of(evidence, outage, samples), PLAIN))
    values = {str(value) for kind in (Cause, Party, DomainState, OrganizationState, Leg, Pace) for value in kind}
    missing = {word for word in fields_of(document) | values if f"`{word}`" not in text and f'"{word}"' not in text}
    assert not missing


def fields_of(value: object) -> set[str]:
    if isinstance(value, list):
        return {name for item in value for name in fields_of(item)}
    if isinstance(value, dict):
        return set(value) | {name for item in value.values() for name in fields_of(item)}
    return set()
