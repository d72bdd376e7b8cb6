"""What answers become: the manual's variants, the observed ones, and half-filled ones."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from scm_support import CREDENTIALS, QUARTER, answering

from sectigo_tui.domain.account import CertificateProfile, CustomField, Organization, PasswordStatus
from sectigo_tui.domain.certificates import ListingFilter, ListingPage, ListingRow, OrderDetails
from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.errors import Refused, Unreadable
from sectigo_tui.domain.excerpts import MASK
from sectigo_tui.domain.explain import is_missing_right
from sectigo_tui.domain.validation import (
    DcvCheck,
    DcvProof,
    Delegation,
    DomainName,
    DomainNamePage,
    DomainValidation,
    OrganizationValidation,
)
from sectigo_tui.scm.wire_fields import moment
from sectigo_tui.scm.wire_orders import validation_level

DETAILS = {
    "commonName": "a.example",
    "sslId": 101,
    "id": 101,
    "orgId": 7,
    "status": "Issued",
    "orderNumber": 123456,
    "backendCertId": "987",
    "vendor": "Sectigo Limited",
    "certType": {"id": 3, "name": "Instant SSL", "terms": [90]},
    "validationType": "Organization Validation (OV)",
    "term": "90",
    "owner": "Approver",
    "requester": "Requester",
    "requestedVia": "Enrollment form",
    "externalRequester": "a@x",
    "comments": "words",
    "requested": "02/28/2026",
    "approved": "2026-03-01T10:00:00.123+02:00",
    "issued": "2026-03-01",
    "expires": "05/30/2026",
    "declined": "",
    "revoked": None,
    "renewed": "true",
    "serialNumber": " 0AFF ",
    "keyAlgorithm": "RSA",
    "keySize": 2048,
    "subjectAlternativeNames": ["a.example", "b.example"],
    "customFields": [{"name": "Cost centre", "value": "12"}],
    "certificateDetails": {"issuer": "CN=CA", "subject": "CN=a.example", "sha1Hash": "ab12"},
    "somethingNew": {"deep": [1, {"x": None}]},
}


async def test_full_details_are_all_told() -> None:
    assert await answering(json=DETAILS).scm.details(101) == OrderDetails(
        ssl_id=101,
        status="Issued",
        common_name="a.example",
        subject_alternative_names=("a.example", "b.example"),
        organization_id=7,
        profile_id=3,
        profile_name="Instant SSL",
        validation="OV",
        term_days=90,
        order_number="123456",
        backend_cert_id="987",
        owner="Approver",
        requester="Requester",
        external_requester="a@x",
        requested_via="Enrollment form",
        comments="words",
        requested=date(2026, 2, 28),
        approved=datetime(2026, 3, 1, 8, 0, 0, 123000, tzinfo=UTC),
        issued=date(2026, 3, 1),
        expires=date(2026, 5, 30),
        renewed=True,
        serial_number="0AFF",
        key_type="RSA 2048",
        issuer="CN=CA",
        subject="CN=a.example",
        sha1="ab12",
        custom_fields=(("Cost centre", "12"),),
    )


@pytest.mark.parametrize("emptiness", [None, "", [], {}, 7.5, True, "x", 10**30, ["x"], {"x": 1}])
async def test_details_are_readable_whatever_stands_in_all_fields_but_the_status(emptiness: object) -> None:
    answer = {name: emptiness for name in DETAILS if name not in {"sslId", "status"}} | {"status": " SA Approved "}
    found = await answering(body=json.dumps(answer).encode()).scm.details(101)
    assert (found.ssl_id, found.status) == (101, "SA Approved")
    assert found.requested is None


@pytest.mark.parametrize("name", ["commonName", "comments", "subjectAlternativeNames", "requester"])
async def test_a_text_of_any_length_is_cut_to_a_sane_one(name: str) -> None:
    found = await answering(json={"status": "Applied", name: "x" * 100_000}).scm.details(101)
    shown = {
        "commonName": found.common_name,
        "comments": found.comments,
        "subjectAlternativeNames": found.subject_alternative_names[:1] and found.subject_alternative_names[0],
        "requester": found.requester,
    }
    assert shown[name] == "x" * 4096


@pytest.mark.parametrize("comments", [b"half \\ud800 pair", b"latin-1 \xe9", b"\\udfff", b"\xed\xa0\x80"])
async def test_a_comment_that_is_no_text_does_not_hide_its_order(comments: bytes) -> None:
    body = b'\xef\xbb\xbf{"status": "Requested", "sslId": 101, "comments": "' + comments + b'"}'
    found = await answering(body=body).scm.details(101)
    assert found.status == "Requested"
    assert found.comments.encode()


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("03/01/2026", date(2026, 3, 1)),
        ("3/1/2026", date(2026, 3, 1)),
        ("2026-03-01", date(2026, 3, 1)),
        ("2026-03-01 04:05:06", datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)),
        ("2026-03-01T04:05:06Z", datetime(2026, 3, 1, 4, 5, 6, tzinfo=UTC)),
        ("2026-03-01t04:05z", datetime(2026, 3, 1, 4, 5, tzinfo=UTC)),
        ("2026-03-01T04:05:06.123456789+0530", datetime(2026, 2, 28, 22, 35, 6, 123456, tzinfo=UTC)),
        ("2026-03-01 04:05:06 -01:00", datetime(2026, 3, 1, 5, 5, 6, tzinfo=UTC)),
        ("13/01/2026", None),
        ("02/30/2026", None),
        ("0001-01-01T00:00:00+23:59", None),
        ("2026-03-01T25:00:00Z", None),
        ("2026-W09-7", None),
        ("20260301", None),
        ("\u0660\u0663/\u0660\u0661/2026", None),
        ("yesterday", None),
        ("", None),
        (1772323200000, None),
        (None, None),
    ],
)
def test_a_day_stays_a_day_and_a_time_is_utc(told: object, meant: Moment | None) -> None:
    found = moment(told)
    assert found == meant
    assert type(found) is type(meant)


@pytest.mark.parametrize(
    ("told", "level"),
    [
        (("Organization Validation (OV)",), "OV"),
        (("extended validation",), "EV"),
        (("", "", "PositiveSSL DV Multi-Domain"), "DV"),
        (("DV", "EV"), "DV"),
        (("", "", "Instant EVERYTHING"), ""),
        (("Domain Control Validated",), "DV"),
        ((), ""),
    ],
)
def test_the_validation_is_told_by_the_first_text_that_names_one(told: tuple[str, ...], level: str) -> None:
    assert validation_level(*told) == level


async def test_a_listing_has_rows_and_the_total() -> None:
    rows = [
        {"sslId": 1, "commonName": "a", "subjectAlternativeNames": "a, b,,", "serialNumber": " "},
        {"sslId": "2", "subjectAlternativeNames": None},
    ]
    client = answering(json=rows, headers={"X-Total-Count": "1234"})
    page = await client.scm.listing(ListingFilter(), position=0, size=2)
    assert page == ListingPage((ListingRow(1, "a", ("a", "b"), ""), ListingRow(2, "", is_nameless=True)), 1234)
    assert await client.scm.count(ListingFilter()) == 1234


@pytest.mark.parametrize(
    ("odd", "told"),
    [
        ({"sslId": None, "commonName": "odd.example"}, "row 42 has sslId None (odd.example)"),
        ({"sslId": 0}, "row 42 has sslId 0"),
        ({"sslId": -7}, "row 42 has sslId -7"),
        ({"sslId": 1.5}, "row 42 has sslId 1.5"),
        ({"sslId": True}, "row 42 has sslId True"),
        ({"sslId": "x\x1b[2J"}, "row 42 has sslId 'x\\x1b[2J'"),
        ({"sslId": [1]}, "row 42 has sslId [1]"),
        ({"sslId": 10**30}, "row 42 has sslId 1000000000000000000000000000000"),
        ({"commonName": "odd.example"}, "row 42 has no sslId (odd.example)"),
        (None, "row 42 is no object: None"),
        ("words", "row 42 is no object: 'words'"),
        ([], "row 42 is no object: []"),
        (7, "row 42 is no object: 7"),
    ],
)
async def test_a_row_that_cannot_be_used_is_left_out_counted_and_named(odd: object, told: str) -> None:
    rows = [{"sslId": 1, "commonName": "a"}, odd, {"sslId": 3, "commonName": {"odd": []}}]
    page = await answering(json=rows).scm.listing(ListingFilter(), position=40, size=200)
    assert [row.ssl_id for row in page.rows] == [1, 3]
    assert (page.unusable, page.received) == ((told,), 3)
    assert told.isprintable()


async def test_one_odd_profile_organization_or_field_does_not_hide_the_others() -> None:
    scm = answering(json=[{"id": None, "name": "odd"}, {"id": 7, "name": "good"}, None]).scm
    assert [profile.id for profile in await scm.types()] == [7]
    assert [organization.id for organization in await scm.organizations()] == [7]
    assert [field.name for field in await scm.custom_fields()] == ["good"]


async def test_profiles_tell_terms_and_keys() -> None:
    answer = [
        {"id": 3, "name": "OV", "description": None, "terms": [90, "199"], "keyTypes": {"RSA": ["2048", 3072]}},
        {"id": 4, "terms": "x", "keyTypes": []},
    ]
    assert await answering(json=answer).scm.types() == (
        CertificateProfile(3, "OV", "", (90, 199), {"RSA": ("2048", "3072")}),
        CertificateProfile(4, ""),
    )


async def test_organizations_come_flat_and_departments_know_their_parent() -> None:
    answer = [{"id": 7, "name": "Acme", "departments": [{"id": 8, "name": "IT"}]}, {"id": 9, "departments": None}]
    assert await answering(json=answer).scm.organizations() == (
        Organization(7, "Acme"),
        Organization(8, "IT", 7),
        Organization(9, ""),
    )


async def test_an_organizations_validations_are_read_in_both_spellings() -> None:
    answer = [
        {"id": 1, "validationLevel": "OV_SSL", "status": "PENDING", "submitted": "2026-02-01", "backendId": 55},
        {"id": 2, "type": "EV", "status": "VALIDATED"},
        {"id": 3, "validationLevel": "OV_SMIME", "status": "EXPIRED"},
    ]
    assert await answering(json=answer).scm.organization_validations(7) == (
        OrganizationValidation(id=1, level="OV", status="PENDING", submitted=date(2026, 2, 1), backend_id="55"),
        OrganizationValidation(id=2, level="EV", status="VALIDATED"),
        OrganizationValidation(id=3, level="OV_SMIME", status="EXPIRED"),
    )


async def test_one_validation_tells_the_cas_last_message() -> None:
    answer = {
        "id": 1,
        "validationLevel": "EV_SSL",
        "status": "FAILED",
        "validator": {"id": 4, "name": "Val"},
        "settings": {"TRACKING_ID": "T1", "LAST_ERR_MSG_FROM_CA": "call failed"},
    }
    found = await answering(json=answer).scm.organization_validation(7, 1)
    assert (found.level, found.validator, found.tracking_id, found.last_message) == ("EV", "Val", "T1", "call failed")


LINE = {"domainName": "A.example", "dcvStatus": "Awaiting Validation", "lastCheck": "2026-03-01 02:00:00"}
INSTRUCTIONS = [
    {"domainName": "a.example", "dcvMode": "CNAME", "host": "_x.a.example", "point": "y.sectigo.com"},
    {"domainName": "b.example", "dcvMode": "EMAIL", "dcvEmail": "admin@b.example"},
]
ERROR = {"code": -20, "description": "no record"}


@pytest.mark.parametrize(
    "log", [{"error": ERROR, "log": [LINE]}, [{"error": ERROR, "log": [LINE]}], [{"error": ERROR}, {"log": LINE}]]
)
@pytest.mark.parametrize("call", ["dcv", "recheck_dcv"])
async def test_a_dcv_log_is_read_as_object_and_as_array(call: str, log: object) -> None:
    client = answering(202, json={"dcvLog": log, "instructions": INSTRUCTIONS})
    found = await getattr(client.scm, call)(101)
    assert (found.error_code, found.error_description) == (-20, "no record")
    assert found.checks == (
        DcvCheck(
            domain="A.example",
            status="Awaiting Validation",
            proof=DcvProof(mode="CNAME", host="_x.a.example", point="y.sectigo.com"),
            last_check=datetime(2026, 3, 1, 2, 0, tzinfo=UTC),
        ),
        DcvCheck(domain="b.example", proof=DcvProof(mode="EMAIL", email="admin@b.example")),
    )


async def test_a_whole_dcv_answer_may_be_an_array_of_its_parts() -> None:
    log = {"error": ERROR, "log": [LINE]}
    whole = await answering(json={"dcvLog": log, "instructions": INSTRUCTIONS}).scm.dcv(101)
    in_one = await answering(json=[{"dcvLog": log, "instructions": INSTRUCTIONS}]).scm.dcv(101)
    parts = [{"dcvLog": log, "instructions": INSTRUCTIONS[:1]}, {"instructions": INSTRUCTIONS[1:]}]
    in_two = await answering(json=parts).scm.dcv(101)
    assert whole == in_one == in_two


@pytest.mark.parametrize("error", [None, {}, {"code": 0, "description": "OK"}, {"code": 0}])
async def test_a_dcv_error_of_code_0_is_none(error: object) -> None:
    found = await answering(json={"dcvLog": {"error": error, "log": []}}).scm.dcv(101)
    assert (found.error_code, found.error_description) == (None, "")


@pytest.mark.parametrize("log", [[LINE], LINE])
async def test_a_dcv_log_may_be_bare_lines(log: object) -> None:
    found = await answering(json={"dcvLog": log}).scm.dcv(101)
    assert [check.domain for check in found.checks] == ["A.example"]


async def test_a_domain_is_read_from_both_versions_of_the_api() -> None:
    one = {
        "status": "NOT_VALIDATED",
        "orderStatus": "SUBMITTED",
        "orderMode": "HTTP",
        "firstLine": "abc",
        "secondLine": "sectigo.com",
        "url": "http://a.example/x.txt",
        "expirationDate": "2026-09-01",
    }
    assert await answering(json=one).scm.domain_status("a.example") == DomainValidation(
        domain="a.example",
        status="NOT_VALIDATED",
        order_status="SUBMITTED",
        proof=DcvProof(mode="HTTP", file="abc\nsectigo.com", url="http://a.example/x.txt"),
        expires=date(2026, 9, 1),
    )


async def test_custom_fields_and_the_passwords_state_are_read() -> None:
    fields = [{"id": 1, "name": "Cost centre", "mandatory": True}, {"id": 2, "name": "Team"}]
    assert await answering(json=fields).scm.custom_fields() == (
        CustomField(1, "Cost centre", mandatory=True),
        CustomField(2, "Team", mandatory=False),
    )
    state = {"expirationDate": "2026-04-01", "state": "ALIVE"}
    assert await answering(json=state).scm.password_status() == PasswordStatus("ALIVE", date(2026, 4, 1))


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
async def test_a_certificate_comes_as_it_is(line_end: bytes) -> None:
    pem = line_end.join([b"-----BEGIN CERTIFICATE-----", b"MII", b"-----END CERTIFICATE-----", b""])
    headers = {"content-type": "application/octet-stream", "content-disposition": "attachment"}
    assert await answering(body=pem, headers=headers).scm.collect(101) == pem


PKCS7 = bytes.fromhex("3082010f06092a864886f70d010702a0820100") + bytes(256)


@pytest.mark.parametrize(
    ("body", "label"),
    [
        (PKCS7, "PKCS7"),
        (bytes.fromhex("30820100") + bytes(256), "CERTIFICATE"),
        (base64.b64encode(PKCS7) + b"\r\n", "PKCS7"),
    ],
    ids=["PKCS#7", "DER", "bare base64"],
)
async def test_a_certificate_in_another_wrapping_becomes_pem(body: bytes, label: str) -> None:
    pem = await answering(body=body, headers={"content-type": "application/octet-stream"}).scm.collect(101)
    first, *middle, last = pem.decode().splitlines()
    assert (first, last) == (f"-----BEGIN {label}-----", f"-----END {label}-----")
    assert base64.b64decode("".join(middle)) == (body if body[:1] == b"0" else PKCS7)


async def test_pkcs7_as_pem_comes_as_it_is() -> None:
    pem = b"-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n"
    assert await answering(body=pem).scm.collect(101) == pem


@pytest.mark.parametrize("told", [{"commonName": None}, {"commonName": " "}, {"commonName": ""}, {}])
async def test_an_order_without_a_common_name_goes_by_its_first_alternative_name(told: dict[str, Any]) -> None:
    names = {"subjectAlternativeNames": ["a.example", "b.example"]}
    page = await answering(json=[{"sslId": 1, **told, **names}]).scm.listing(ListingFilter(), position=0, size=2)
    assert [(row.common_name, row.is_nameless) for row in page.rows] == [("a.example", True)]
    details = await answering(json={"sslId": 101, "status": "Applied", **told, **names}).scm.details(101)
    assert details.common_name == "a.example"


async def test_a_report_tells_what_details_tell_with_the_organizations_name() -> None:
    row = {
        "id": 101,
        "type": "Sectigo OV SSL",
        "typeId": 3,
        "orgId": 7,
        "organizationName": "Acme",
        "commonName": "a.example",
        "subjAltNames": "a.example; b.example",
        "status": "Issued",
        "approver": "Dana",
        "comments": "for the shop",
        "requested": "2026-01-02T03:04:05.006Z",
        "approved": "2026-01-03",
        "issued": "",
        "customFields": {"Cost center": "12"},
        "unknown": [1],
    }
    (found,) = await answering(json={"statusCode": 0, "message": "OK", "reports": [row, {"id": None}]}).scm.report(
        QUARTER
    )
    assert (found.ssl_id, found.status, found.validation, found.owner) == (101, "Issued", "OV", "Dana")
    assert (found.profile_id, found.organization_id, found.organization_name) == (3, 7, "Acme")
    assert found.subject_alternative_names == ("a.example", "b.example")
    assert found.requested == datetime(2026, 1, 2, 3, 4, 5, 6000, tzinfo=UTC)
    assert (found.approved, found.issued) == (date(2026, 1, 3), None)
    assert found.custom_fields == (("Cost center", "12"),)


@pytest.mark.parametrize("empty", [{"reports": []}, {"statusCode": 0, "reports": None}])
async def test_a_report_about_no_order_is_empty(empty: object) -> None:
    assert await answering(json=empty).scm.report(QUARTER) == ()


async def test_a_refusal_inside_a_success_is_a_refusal() -> None:
    with pytest.raises(Refused) as refused:
        await answering(json={"statusCode": -3, "message": "You are not authorized."}).scm.report(QUARTER)
    assert (refused.value.code, refused.value.description) == (-3, "You are not authorized.")
    assert is_missing_right(refused.value)


async def test_an_answer_without_reports_is_not_taken_for_an_empty_one() -> None:
    with pytest.raises(Unreadable, match="reports is missing"):
        await answering(json={"statusCode": 0}).scm.report(QUARTER)


async def test_domain_validations_are_read_in_both_dialects() -> None:
    rows = [
        {"domain": "a.example", "dcvStatus": "VALIDATED", "dcvMethod": "EMAIL", "expirationDate": "2026-05-22"},
        {"domain": "b.example", "dcvStatus": "Not validated", "dcvOrderStatus": "Awaiting submission"},
        {"domain": "", "dcvStatus": "VALIDATED"},
    ]
    page = await answering(json=rows, headers={"X-Total-Count": "3"}).scm.domain_validations(
        expires_in_days=None, position=0, size=200
    )
    assert page.total == 3
    assert [(row.domain, row.status, row.order_status, row.expires) for row in page.rows] == [
        ("a.example", "VALIDATED", "", date(2026, 5, 22)),
        ("b.example", "Not validated", "Awaiting submission", None),
    ]


async def test_a_domain_tells_its_state_and_its_delegations() -> None:
    told = {
        "id": 409,
        "name": "a.example",
        "delegationStatus": "REQUESTED",
        "state": "SUSPENDED",
        "delegations": [{"orgId": 2645, "certTypes": ["SSL"], "status": "REQUESTED"}],
    }
    domain = await answering(json=told).scm.account_domain(409)
    assert (domain.state, domain.delegation_status) == ("SUSPENDED", "REQUESTED")
    assert domain.delegations == (Delegation(2645, "REQUESTED"),)
    page = await answering(json=[{"id": 409, "name": "a.example"}, {"id": None}]).scm.domains(position=0, size=200)
    assert page == DomainNamePage((DomainName(409, "a.example"),), None)


@pytest.mark.parametrize(
    ("told", "left"),
    [
        ([{"certType": "SSL OV", "total": 10, "used": 10}], 0),
        ({"usage": [{"type": "SSL", "remaining": 3}]}, 3),
        ({"name": "SSL", "limit": 10, "issued": "12"}, 0),
        ([{"certType": "SSL OV", "total": -1, "used": 5}], None),
        ([{"certType": "SSL OV", "count": 5}], None),
    ],
)
async def test_what_is_left_of_the_contract_is_told_or_not_known(told: object, left: int | None) -> None:
    (allowance,) = await answering(json=told).scm.usage()
    assert allowance.left == left


async def test_a_password_that_a_requester_wrote_down_is_told_in_no_free_text_and_names_stay_as_they_are() -> None:
    secret = CREDENTIALS.password.reveal()
    told = {
        "sslId": 101,
        "status": "Issued",
        "commonName": f"{secret}.example",
        "comments": f"the API's password is {secret}",
        "customFields": [{"name": "note", "value": secret}],
    }
    details = await answering(json=told).scm.details(101)
    assert (details.comments, details.custom_fields) == (f"the API's password is {MASK}", (("note", MASK),))
    assert details.common_name == f"{secret}.example"
    row = {"id": 101, "status": "Issued", "comments": secret, "type": "OV"}
    (reported,) = await answering(json={"reports": [row]}).scm.report(QUARTER)
    assert (reported.comments, reported.status) == (MASK, "Issued")
