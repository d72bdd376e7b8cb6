"""Messages to whoever blocks an order: to whom, what they say, and by when it matters."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from sectigo_tui.domain.messages import FIELDS, TEMPLATES, Recipient, check_template, filled_in
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.engine.diagnosis.escalation import escalation_pack, redactor
from sectigo_tui.engine.diagnosis.evidence.model import Evidence
from sectigo_tui.engine.diagnosis.message import Message, message_to, needed_by, recipients_of
from sectigo_tui.engine.diagnosis.normal import Leg, Sample
from sectigo_tui.engine.diagnosis.result import Diagnosis, OutageClock, conclude
from sectigo_tui.engine.diagnosis.stages import Span
from support.evidence import SSL_ID, valid_evidence, with_domain, with_organization

SECRET = "hunter2-hunter2"
PLAIN = redactor([SecretText(SECRET)])
ADDRESS = "https://cert-manager.com/customer/acme"


def diagnosis_of(evidence: Evidence, outage: OutageClock | None = None, samples: tuple[Sample, ...] = ()) -> Diagnosis:
    return conclude(evidence, samples, outage, 600.0)


def written(diagnosis: Diagnosis, recipient: Recipient, **templates: str) -> Message:
    pack = escalation_pack(diagnosis, PLAIN)
    return message_to(recipient, diagnosis, PLAIN, pack=pack, address=ADDRESS, templates=templates)


def test_the_approver_is_told_which_order_of_whom_since_when_and_where_to_click() -> None:
    diagnosis = diagnosis_of(valid_evidence("Requested"))
    assert recipients_of(diagnosis) == (Recipient.APPROVER,)
    message = written(diagnosis, Recipient.APPROVER)
    assert message.subject == "Approval needed: certificate for www.acme.example"
    for expected in (
        f"Order: sslId {SSL_ID}, order number 2202100001",
        "Names: www.acme.example",
        "Profile: Sectigo SSL OV (OV)",
        "Organization: Acme Logistics (orgId 1002)",
        "Requested: 2026-03-07 by j.doe@acme.example, 2-3 d ago",
        "Needed: as soon as possible",
        f"Where: {ADDRESS}, Certificates, SSL Certificates.",
    ):
        assert expected in message.text, message.text
    # SCM names no approver, so that line is left out rather than empty.
    assert "Approver:" not in message.text


def test_the_dns_owner_gets_each_record_whole_and_when_the_ca_checks() -> None:
    diagnosis = diagnosis_of(with_domain()(valid_evidence()))
    assert recipients_of(diagnosis) == (Recipient.DNS,)
    (line,) = [line for line in diagnosis.domains if line.proof.host]
    text = written(diagnosis, Recipient.DNS).text
    assert f"{line.proof.host} {line.proof.mode} {line.proof.point}" in text
    assert ("Next check by the CA:" in text) is (line.next_check is not None)


def test_the_organization_contact_is_told_what_the_ca_asked() -> None:
    evidence = with_organization("FAILED", last_message="no such number: ring us")(valid_evidence())
    diagnosis = diagnosis_of(evidence)
    assert recipients_of(diagnosis)[0] is Recipient.ORGANIZATION
    assert "What Sectigo asked: no such number: ring us" in written(diagnosis, Recipient.ORGANIZATION).text


def test_sectigo_gets_the_escalation_pack() -> None:
    diagnosis = diagnosis_of(valid_evidence())
    assert recipients_of(diagnosis) == (Recipient.SECTIGO,)
    message = written(diagnosis, Recipient.SECTIGO)
    assert message.subject.startswith("Order 2202100001 (www.acme.example): ")
    assert "## Stages (UTC)" in message.text
    assert message.whole.count("# www.acme.example") == 1


def test_nobody_is_written_to_about_an_order_that_is_settled() -> None:
    assert recipients_of(diagnosis_of(valid_evidence("Issued"))) == ()


def test_a_second_blocker_can_be_written_to_as_well_with_its_own_reason() -> None:
    evidence = with_domain()(with_organization("PENDING")(valid_evidence()))
    diagnosis = diagnosis_of(evidence)
    assert set(recipients_of(diagnosis)) == {Recipient.DNS, Recipient.ORGANIZATION}
    why = {one: written(diagnosis, one, dns="{why}", organization="{why}").subject for one in recipients_of(diagnosis)}
    assert "Acme Logistics" in why[Recipient.ORGANIZATION]
    assert "Acme Logistics" not in why[Recipient.DNS]


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        (date(2026, 3, 20), "by 2026-03-20: the certificate in use ends 2026-03-20."),
        (date(2026, 3, 8), "now: the certificate in use ended 2026-03-08."),
    ],
)
def test_it_matters_by_the_end_of_the_certificate_in_use(ends: date, said: str) -> None:
    assert needed_by(diagnosis_of(valid_evidence(), OutageClock(1, "old", ends, "SCM details 1"))) == said


def test_what_issuing_usually_takes_is_taken_from_that_date() -> None:
    samples = tuple(Sample(number, 502, 1002, {Leg.WHOLE: Span(4 * 86_400, 4 * 86_400)}) for number in range(9))
    late, soon = (OutageClock(1, "old", date(2026, 3, day), "SCM details 1") for day in (20, 12))
    assert needed_by(diagnosis_of(valid_evidence(), late, samples)) == (
        "by 2026-03-16: the certificate in use ends 2026-03-20, and from here it takes up to 4d00h."
    )
    assert needed_by(diagnosis_of(valid_evidence(), soon, samples)).startswith("now: the certificate in use ends 2026-")
    assert "takes up to 4d00h" in needed_by(diagnosis_of(valid_evidence(), None, samples))


def test_a_template_of_the_operator_s_replaces_the_program_s() -> None:
    diagnosis = diagnosis_of(valid_evidence("Requested"))
    message = written(
        diagnosis, Recipient.APPROVER, approver="Bitte: {common_name}\n\n{{ok}} {ssl_id}\nSeen by {owner}\n"
    )
    assert message.whole == f"Bitte: www.acme.example\n\n{{ok}} {SSL_ID}\n"


@pytest.mark.parametrize(
    "template", ["", " \n", "{name}", "{common_name", "{common_name!r}", "{names:>9}", "{}", "{names[0]}"]
)
def test_a_template_that_cannot_be_filled_in_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match=r"is empty|is no field|expected '}'"):
        check_template(template)


@pytest.mark.parametrize("recipient", Recipient)
def test_the_program_s_own_templates_can_be_filled_in(recipient: Recipient) -> None:
    check_template(TEMPLATES[recipient])
    assert filled_in(TEMPLATES[recipient], dict.fromkeys(FIELDS, "x"))


def test_the_documentation_names_every_field() -> None:
    text = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `\{(\w+)\}` \|", text, re.MULTILINE) == list(FIELDS)


def test_no_credential_and_no_control_character_is_in_a_message() -> None:
    evidence = with_organization("FAILED", last_message=f"\x1b[31mring {SECRET}\nnow {{why}}")(valid_evidence())
    text = written(diagnosis_of(evidence), Recipient.ORGANIZATION).whole
    assert SECRET not in text
    assert "\x1b" not in text
    assert "now {why}" in text
