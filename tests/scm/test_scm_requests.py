"""What goes out on the wire: method, path, query, headers, body."""

from __future__ import annotations

import json

import httpx
import pytest
from scm_support import BASE_URL, CALLS, CREDENTIALS, ENROLL, Recorded, answering

from sectigo_tui.domain.certificates import EnrollRequest, ListingFilter
from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.errors import ConfigError, CredentialsRefused, InputError, ScmFailure
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.scm.client import ScmClient

WIRE = {
    "types": ("GET", "/ssl/v1/types", None),
    "credentials": ("GET", "/ssl/v1/types", None),
    "custom_fields": ("GET", "/ssl/v1/customFields", None),
    "listing": ("GET", "/ssl/v1?size=200&position=0", None),
    "count": ("HEAD", "/ssl/v1", None),
    "details": ("GET", "/ssl/v1/101?dateFormat=ISO_HMS", None),
    "report": (
        "POST",
        "/report/v1/ssl-certificates?output_type=direct",
        {"from": "2026-01-01", "to": "2026-03-31", "certificateStatus": 0, "certificateDateAttribute": 5},
    ),
    "collect": ("GET", "/ssl/v1/collect/101?format=x509", None),
    "dcv": ("GET", "/ssl/v1/101/dcv?dateFormat=ISO_HMS", None),
    "recheck_dcv": ("POST", "/ssl/v1/101/dcv/recheck", None),
    "organizations": ("GET", "/organization/v1", None),
    "organization_validations": ("GET", "/organization/v2/7/validations?dateFormat=ISO_HMS", None),
    "organization_validation": ("GET", "/organization/v2/7/validations/8?dateFormat=ISO_HMS", None),
    "domain_status": ("POST", "/dcv/v2/validation/status", {"domain": "a.example"}),
    "password_status": ("GET", "/admin/v1/password?dateFormat=ISO_HMS", None),
    "domain_validations": ("GET", "/dcv/v2/validation?expiresIn=45&size=200&position=0&dateFormat=ISO_HMS", None),
    "sync_domain": ("POST", "/dcv/v2/validation/sync", {"domain": "a.example"}),
    "domains": ("GET", "/domain/v1?size=200&position=0", None),
    "account_domain": ("GET", "/domain/v1/9", None),
    "usage": ("GET", "/usage/v1", None),
    "enroll": (
        "POST",
        "/ssl/v1/enroll",
        {"orgId": 7, "csr": "-----BEGIN CERTIFICATE REQUEST-----", "certType": 3, "term": 90},
    ),
    "renew": ("POST", "/ssl/v1/renewById/101", None),
    "approve": ("POST", "/ssl/v1/approve/101", {"message": "fine"}),
    "decline": ("POST", "/ssl/v1/decline/101", {"message": "no"}),
    "revoke": ("POST", "/ssl/v1/revoke/101", {"reasonCode": 4, "reason": "superseded"}),
    "change_password": ("POST", "/admin/v1/changepassword", {"newPassword": "n3w-canary"}),
}


@pytest.mark.parametrize("call", CALLS)
async def test_each_call_is_one_request_with_the_three_headers(call: str) -> None:
    client = answering(503)
    with pytest.raises(ScmFailure) as failed:
        await CALLS[call](client.scm)
    assert failed.value.call == call
    (request,) = client.requests
    method, path, body = WIRE[call]
    assert (request.method, str(request.url)) == (method, BASE_URL + path)
    assert request.headers["customerUri"] == "acme"
    assert request.headers["login"] == "api-user"
    assert request.headers["password"] == "s3cret-canary"
    assert "authorization" not in request.headers
    if body is None:
        assert request.content == b""
        assert "content-type" not in request.headers
    else:
        assert json.loads(request.content) == body
        assert request.headers["content-type"] == "application/json"


async def test_a_listing_asks_by_every_filter_in_scms_spelling() -> None:
    client = answering(json=[])
    where = ListingFilter(status="SA Approved", common_name="*.a&b.example", requester="ö@x", organization_id=7)
    await client.scm.listing(where, position=400, size=50)
    assert client.requests[0].url.query == (
        b"size=50&position=400&status=SA%20Approved&commonName=%2A.a%26b.example&requester=%C3%B6%40x&orgId=7"
    )


async def test_an_enroll_joins_names_and_leaves_out_what_is_empty() -> None:
    client = answering(json={"sslId": 5})
    full = EnrollRequest(
        organization_id=7,
        csr_pem="csr",
        profile_id=3,
        term_days=90,
        subject_alternative_names=("a.example", "b.example"),
        comments="marker",
        external_requester="a@x,b@x",
        custom_fields=(("Cost centre", "12"),),
        dcv_mode="EMAIL",
        dcv_email="admin@a.example",
    )
    assert await client.scm.enroll(full) == 5
    assert json.loads(client.requests[0].content) == {
        "orgId": 7,
        "csr": "csr",
        "certType": 3,
        "term": 90,
        "subjAltNames": "a.example,b.example",
        "comments": "marker",
        "externalRequester": "a@x,b@x",
        "customFields": [{"name": "Cost centre", "value": "12"}],
        "dcvMode": "EMAIL",
        "dcvEmail": "admin@a.example",
    }


async def test_a_renewal_with_a_new_csr_and_types_of_one_organization_say_so() -> None:
    client = answering(json={"sslId": "77"})
    assert await client.scm.renew(101, "new csr") == 77
    assert json.loads(client.requests[0].content) == {"csr": "new csr"}
    client = answering(json=[])
    await client.scm.types(7)
    assert client.requests[0].url.query == b"organizationId=7"


async def test_new_credentials_are_used_from_the_next_request_on_and_a_candidate_only_once() -> None:
    client = answering(json=[])
    await client.scm.try_credentials(Credentials("acme", "candidate", SecretText("c")))
    await client.scm.types()
    client.scm.use_credentials(Credentials("acme", "second", SecretText("s")))
    await client.scm.types()
    assert [request.headers["login"] for request in client.requests] == ["candidate", "api-user", "second"]


@pytest.mark.parametrize(
    "bad", ["", " lead", "trail ", "two\r\nlines: x", "nul\0", "tab\t", "\x7f", "euro €", "half \ud800"]
)
@pytest.mark.parametrize("where", ["customer URI", "login", "password"])
async def test_credentials_that_no_header_can_carry_are_refused_before_sending(bad: str, where: str) -> None:
    fields = {"customer URI": "acme", "login": "api-user", "password": "canary", where: bad}
    client = answering(json=[])
    candidate = Credentials(fields["customer URI"], fields["login"], SecretText(fields["password"]))
    with pytest.raises(CredentialsRefused, match=where) as refused:
        await client.scm.try_credentials(candidate)
    assert not refused.value.sent
    assert not client.requests
    assert "canary" not in str(refused.value)
    if bad:
        assert bad not in str(refused.value)


async def test_a_password_in_latin_1_is_sent_as_latin_1() -> None:
    client = answering(json=[])
    await client.scm.try_credentials(Credentials("acme", "u", SecretText("pässwörd")))
    assert dict(client.requests[0].headers.raw)[b"password"] == "pässwörd".encode("latin-1")


@pytest.mark.parametrize(
    "call",
    [
        lambda scm: scm.approve(1, ""),
        lambda scm: scm.decline(1, "x" * 513),
        lambda scm: scm.approve(1, "half a pair \ud800"),
        lambda scm: scm.revoke(1, 2, "reason code 2 is not offered"),
        lambda scm: scm.revoke(1, 4, " "),
        lambda scm: scm.enroll(_enroll(comments="x" * 1025)),
        lambda scm: scm.enroll(_enroll(external_requester="x" * 513)),
    ],
)
async def test_what_scm_would_refuse_unseen_is_refused_here_and_nothing_is_sent(call: object) -> None:
    client = answering(204)
    with pytest.raises(InputError):
        await call(client.scm)  # type: ignore[operator]
    assert not client.requests
    assert not client.exchanges


@pytest.mark.parametrize(("position", "size"), [(-1, 10), (0, 0), (0, 201)])
async def test_a_page_that_scm_does_not_serve_is_a_defect_of_the_caller(position: int, size: int) -> None:
    with pytest.raises(ValueError, match="no such page"):
        await answering(json=[]).scm.listing(ListingFilter(), position=position, size=size)


async def test_a_cookie_is_not_sent_back() -> None:
    client = answering(json=[], headers={"set-cookie": "JSESSIONID=old-login; Path=/"})
    await client.scm.types()
    await client.scm.types()
    assert "cookie" not in client.requests[1].headers


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://scm.example/api", "in the clear"),
        ("ftp://scm.example", "no http or https URL"),
        ("scm.example", "no http or https URL"),
        ("https://", "no http or https URL"),
        ("https://[::1", "no URL"),
        ("https://scm.example:port", "no URL"),
        ("https://me:canary@scm.example", "holds a user"),
        ("https://scm.example/?x=1", "a query"),
    ],
)
def test_a_base_url_that_is_none_or_would_leak_the_password_is_refused(url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as refused:
        ScmClient(url, CREDENTIALS, SystemClock())
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]"])
def test_plain_http_is_for_this_machine_alone_and_never_by_a_proxy(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.example:3128")
    monkeypatch.delenv("no_proxy", raising=False)
    assert ScmClient(f"http://{host}:8080/api/", CREDENTIALS, SystemClock()).proxy_in_use == ""


@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({"https_proxy": "http://user:canary@proxy.example:3128"}, "http://proxy.example:3128"),
        ({"https_proxy": "proxy.example:3128"}, "http://proxy.example:3128"),
        ({"all_proxy": "http://all.example"}, "http://all.example"),
        ({"http_proxy": "http://other.example"}, ""),
        ({"https_proxy": "http://proxy.example", "no_proxy": "scm.example"}, ""),
        ({"https_proxy": "http://proxy.example", "no_proxy": "other.example"}, "http://proxy.example"),
        ({}, ""),
    ],
)
def test_the_proxy_in_use_is_named_without_its_password(
    environment: dict[str, str], shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert ScmClient(BASE_URL, CREDENTIALS, SystemClock()).proxy_in_use == shown


async def test_each_request_is_told_of_with_its_latency_and_failure() -> None:
    def slow(request: httpx.Request) -> httpx.Response:
        client.clock.advance(2.5)
        return httpx.Response(200, json=[]) if "types" in request.url.path else httpx.Response(429)

    client = Recorded(slow)
    await client.scm.types()
    with pytest.raises(ScmFailure) as failed:
        await client.scm.details(5)
    first, second = client.exchanges
    assert (first.call, first.latency_seconds, first.http_status, first.failure) == ("types", 2.5, 200, None)
    assert (second.call, second.latency_seconds, second.http_status) == ("details", 2.5, 429)
    assert second.failure is failed.value


def test_nothing_heavy_is_loaded_for_a_client_that_sends_nothing() -> None:
    import subprocess
    import sys

    story = (
        "import sys\n"
        "from sectigo_tui.scm.client import ScmClient\n"
        "from sectigo_tui.domain.clock import SystemClock\n"
        "from sectigo_tui.domain.ports import Credentials, SecretText\n"
        "ScmClient('https://scm.example', Credentials('a', 'b', SecretText('c')), SystemClock())\n"
        "sys.exit('httpx' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", story], check=False).returncode == 0


def _enroll(*, comments: str = "", external_requester: str = "") -> EnrollRequest:
    return EnrollRequest(
        organization_id=ENROLL.organization_id,
        csr_pem=ENROLL.csr_pem,
        profile_id=ENROLL.profile_id,
        term_days=ENROLL.term_days,
        comments=comments,
        external_requester=external_requester,
    )
