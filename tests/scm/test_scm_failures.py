"""Which failure each answer becomes, and what it tells."""

from __future__ import annotations

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from email.utils import format_datetime
from urllib.parse import quote, quote_plus

import pytest
from scm_support import CALLS, COUNT, READS, WRITES, HandClock, answering

from sectigo_tui.domain.certificates import ListingFilter
from sectigo_tui.domain.errors import (
    CredentialsRefused,
    NotFound,
    NotReady,
    RateLimited,
    Refused,
    ScmFailure,
    ServerFailure,
    Unreadable,
)
from sectigo_tui.domain.explain import NOT_READY_CODES
from sectigo_tui.domain.ports import Credentials, SecretText

PAGE = b"<!DOCTYPE html><html><head><title>502 Bad\nGateway</title></head></html>"


def coded(code: object, description: str = "words") -> bytes:
    return json.dumps({"code": code, "description": description}).encode()


@pytest.mark.parametrize(
    ("status", "body", "failure", "code"),
    [
        (401, coded(-16, "Unknown user"), CredentialsRefused, -16),
        (401, PAGE, CredentialsRefused, None),
        (401, b"", CredentialsRefused, None),
        (400, coded(-16), CredentialsRefused, -16),
        (403, coded("-970"), CredentialsRefused, -970),
        (404, coded(-124), NotFound, -124),
        (404, PAGE, Unreadable, None),
        (404, b"", Unreadable, None),
        (404, b'{"message": "no Route matched"}', Unreadable, None),
        (404, coded(404, "Not Found"), Unreadable, None),
        (429, b"", RateLimited, None),
        (429, coded(-99), RateLimited, -99),
        (400, coded(-3), Refused, -3),
        (400, coded(-1400), Refused, -1400),
        (403, coded(-37), Refused, -37),
        (409, coded(-5), Refused, -5),
        (400, b'{"error": "Bad Request"}', Unreadable, None),
        (400, coded(10**30), Unreadable, None),
        (403, coded(403, "Forbidden"), Unreadable, None),
        (400, b"", Unreadable, None),
        (403, PAGE, Unreadable, None),
        (407, PAGE, Unreadable, None),
        (400, b"[1]", Unreadable, None),
        (500, coded(-2), ServerFailure, -2),
        (502, PAGE, ServerFailure, None),
        (503, b"", ServerFailure, None),
        (503, coded(-16), ServerFailure, -16),
        (304, b"", Unreadable, None),
    ],
)
@pytest.mark.parametrize("call", ["details", "enroll", "revoke"])
async def test_an_error_answer_becomes_its_failure(
    call: str, status: int, body: bytes, failure: type[ScmFailure], code: int | None
) -> None:
    with pytest.raises(failure) as failed:
        await CALLS[call](answering(status, body=body).scm)
    assert type(failed.value) is failure
    assert (failed.value.http_status, failed.value.code, failed.value.sent) == (status, code, True)
    assert str(status) in failed.value.reason


@pytest.mark.parametrize("call", READS | COUNT)
@pytest.mark.parametrize(
    "body", [b"", b" \r\n", PAGE, b"null", b"7", b'"x"', b"{", b"[[]]", b'{"a": {"a": [1', b"\xff"]
)
async def test_a_success_that_is_not_the_apis_is_unreadable(call: str, body: bytes) -> None:
    if call == "listing" and body == b"[[]]":
        pytest.skip("a row that is no object is left out of a listing, and named")
    expected = NotReady if call == "collect" and not body.strip() else Unreadable
    with pytest.raises(expected) as failed:
        await CALLS[call](answering(200, body=body).scm)
    assert failed.value.http_status == 200


@pytest.mark.parametrize(
    "call", ["types", "custom_fields", "details", "organization_validation", "password_status", "dcv"]
)
async def test_an_object_without_what_is_needed_is_unreadable(call: str) -> None:
    body = b"{}" if call in {"details", "organization_validation", "password_status", "dcv"} else b"[{}]"
    with pytest.raises(Unreadable):
        await CALLS[call](answering(200, body=body).scm)


@pytest.mark.parametrize("ssl_id", [None, "", 0, -5, 1.5, True, 2**63, 10**400, "x", [1]])
@pytest.mark.parametrize("call", ["enroll", "renew"])
async def test_a_new_order_without_a_usable_id_is_unreadable_and_may_exist(call: str, ssl_id: object) -> None:
    with pytest.raises(Unreadable, match="sslId") as failed:
        await WRITES[call](answering(200, json={"sslId": ssl_id, "renewId": "x"}).scm)
    assert failed.value.sent


@pytest.mark.parametrize("call", sorted(WRITES.keys() - {"enroll", "renew"}))
@pytest.mark.parametrize(("status", "body"), [(200, PAGE), (200, b""), (200, b"{}"), (202, b"")])
async def test_only_204_says_that_a_write_was_done(call: str, status: int, body: bytes) -> None:
    with pytest.raises(Unreadable, match="not known") as failed:
        await WRITES[call](answering(status, body=body).scm)
    assert failed.value.sent
    await WRITES[call](answering(204).scm)


@pytest.mark.parametrize("code", NOT_READY_CODES)
async def test_collect_is_not_ready_by_these_codes(code: int) -> None:
    with pytest.raises(NotReady) as failed:
        await READS["collect"](answering(400, body=coded(code, "Being processed by Sectigo")).scm)
    assert failed.value.code == code
    assert failed.value.description == "Being processed by Sectigo"


@pytest.mark.parametrize("code", [-110, -124, -126, -1450, -169, -1144, -5101, -9999])
async def test_collect_is_refused_by_others(code: int) -> None:
    with pytest.raises(Refused) as failed:
        await READS["collect"](answering(400, body=coded(code)).scm)
    assert type(failed.value) is Refused


async def test_another_orders_details_are_not_taken_for_this_ones() -> None:
    with pytest.raises(Unreadable, match="another order, sslId 102"):
        await READS["details"](answering(json={"sslId": 102, "status": "Issued"}).scm)


NOW = HandClock().now()


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        (" 1.5 ", 1.5),
        ("0", 0.0),
        ("86400", 86_400.0),
        ("99999999999999", 86_400.0),
        ("-5", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        (format_datetime(NOW + timedelta(minutes=2), usegmt=True), 120.0),
        (format_datetime(NOW - timedelta(days=2), usegmt=True), 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
        ("Sun, 99 Mar 2026 03:02:00 GMT", None),
        ("Mon, 01 Jan 0001 00:00:00 +2359", 0.0),
        ("9" * 5000, None),
        (", , ,", None),
    ],
)
async def test_retry_after_is_seconds_from_now_or_nothing(header: str, seconds: float | None) -> None:
    with pytest.raises(RateLimited) as failed:
        await READS["details"](answering(429, headers={"retry-after": header}).scm)
    assert failed.value.retry_after_seconds == seconds


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("https://evil.example/steal?x=1", "another server, evil.example,"),
        ("/login", "another address"),
        ("https://[", "another address"),
        ("", "another address"),
    ],
)
async def test_a_redirect_is_named_and_not_followed(status: int, location: str, named: str) -> None:
    client = answering(status, headers={"location": location})
    with pytest.raises(Unreadable, match=named):
        await READS["types"](client.scm)
    assert len(client.requests) == 1


@pytest.mark.parametrize("total", ["", "x", "-1", "1.5", "9" * 30])
async def test_a_count_needs_a_number_where_a_listing_can_do_without(total: str) -> None:
    headers = {"x-total-count": total}
    with pytest.raises(Unreadable, match="X-Total-Count"):
        await COUNT["count"](answering(headers=headers).scm)
    page = await answering(json=[], headers=headers).scm.listing(ListingFilter(), position=0, size=1)
    assert page.total is None


async def test_a_refused_count_is_refused_though_a_head_has_no_body() -> None:
    with pytest.raises(Refused):
        await COUNT["count"](answering(400).scm)


async def test_an_excerpt_is_one_short_printable_line() -> None:
    hostile = b"\x1b]0;owned\x07 \xe2\x80\xae[red]" + b"A" * 1_000_000
    with pytest.raises(Unreadable) as failed:
        await READS["types"](answering(body=hostile).scm)
    assert failed.value.reason.isprintable()
    assert len(failed.value.reason) < 200


async def test_a_web_page_is_named_by_its_title() -> None:
    with pytest.raises(Unreadable, match="a web page titled '502 Bad Gateway'"):
        await READS["types"](answering(body=PAGE).scm)


@pytest.mark.parametrize("status", [200, 400, 401, 500])
@pytest.mark.parametrize("password", ["n3w-canary", 'quo"te\\canary', "ümläut<canary>&"])
@pytest.mark.parametrize("before", [0, 65, 72])
async def test_a_secret_that_comes_back_is_not_quoted_nor_half_of_it(status: int, password: str, before: int) -> None:
    for body in (coded(-7306, "x" * before + password), b"x" * before + password.encode()):
        client = answering(status, body=body)
        with pytest.raises(ScmFailure) as failed:
            await client.scm.change_password(SecretText(password))
        told = f"{failed.value!r} {failed.value.reason} {failed.value.description} {client.exchanges!r}"
        assert password[:4] not in told
        assert "canary" not in told


FORMS: dict[str, Callable[[str], str]] = {
    "plain": lambda secret: secret,
    "in another case": lambda secret: secret.swapcase(),
    "in a URL": lambda secret: quote(secret, safe=""),
    "in a form": quote_plus,
    "in small hex": lambda secret: "".join(f"%{byte:02x}" for byte in secret.encode()),
    "twice in a URL": lambda secret: quote(quote(secret, safe=""), safe=""),
    "in Latin-1 in a URL": lambda secret: quote(secret.encode("latin-1"), safe=""),
    "as JSON": lambda secret: json.dumps(secret)[1:-1],
    "as JSON in JSON": lambda secret: json.dumps(json.dumps(secret))[1:-1],
    "as JSON, each character escaped": lambda secret: "".join(f"\\u{ord(character):04X}" for character in secret),
    "in HTML": html.escape,
    "in HTML by numbers": lambda secret: "".join(f"&#{ord(character)};" for character in secret),
    "in hex": lambda secret: secret.encode().hex(),
    "in base64": lambda secret: b64encode(secret.encode()).decode(),
    "in base64 for URLs": lambda secret: urlsafe_b64encode(secret.encode()).decode(),
    "as basic authentication": lambda secret: b64encode(f"api-user:{secret}".encode()).decode(),
    "as basic authentication of another": lambda secret: b64encode(f"acme/user:{secret}".encode()).decode(),
    "mis-decoded": lambda secret: secret.encode().decode("latin-1"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("password", ["Tr1ed-c4nary", 'pä ss/w+o?rd&<"=\\~'])
@pytest.mark.parametrize("kind", ["json", "raw json", "text", "page", "redirect"])
async def test_a_refusal_quotes_a_password_in_no_form(form: str, password: str, kind: str) -> None:
    written = FORMS[form](password)
    bodies = {
        "json": coded(-16, f"Unknown user ({written}) " + "x" * 100),
        "raw json": f'{{"code": -16, "description": "no {written} here"}}'.encode(),
        "text": f"no such user: {written}".encode(),
        "page": f"<html><title>{written}</title></html>".encode(),
    }
    status, headers = (
        (302, {"location": f"https://{quote(written, safe='')}.example/"}) if kind == "redirect" else (401, {})
    )
    client = answering(status, body=bodies.get(kind, b""), headers=headers)
    with pytest.raises(ScmFailure) as failed:
        await client.scm.try_credentials(Credentials("acme", "api-user", SecretText(password)))
    told = f"{failed.value!r} {failed.value.reason} {failed.value.description} {client.exchanges!r}"
    assert written not in told
    assert password not in told
    if kind in ("json", "text"):
        assert "********" in told


async def test_what_is_said_while_credentials_are_tried_quotes_neither_those_nor_the_ones_in_use() -> None:
    client = answering(401, body=coded(-16, "tried t1, t1ed-canary and s3cret-canary"))
    with pytest.raises(CredentialsRefused) as failed:
        await client.scm.try_credentials(Credentials("acme", "api-user", SecretText("t1ed-canary")))
    assert failed.value.description == "tried t1, ******** and ********"
    with pytest.raises(CredentialsRefused) as failed:
        await client.scm.types()
    assert "canary" not in failed.value.description


async def test_a_short_password_is_masked_as_a_word_and_the_answer_is_still_read() -> None:
    client = answering(401, body=coded(-16, "wrong password 16! for login a16!b"))
    with pytest.raises(CredentialsRefused) as failed:
        await client.scm.try_credentials(Credentials("acme", "api-user", SecretText("16!")))
    assert (failed.value.code, failed.value.description) == (-16, "wrong password ******** for login a16!b")


async def test_the_password_in_use_is_masked_too() -> None:
    client = answering(401, body=coded(-16, "s3cret-canary is wrong"))
    with pytest.raises(CredentialsRefused, match=r"'\*{8} is wrong'") as failed:
        await client.scm.types()
    assert (failed.value.code, failed.value.description) == (-16, "******** is wrong")


@pytest.mark.parametrize(
    ("status", "body", "quoted"),
    [
        (500, b"java.lang.NullPointerException at Enroll", "'java.lang.NullPointerException at Enroll'"),
        (503, PAGE, "a web page titled '502 Bad Gateway'"),
        (500, b'{"message": "out of threads"}', "out of threads"),
        (401, b"no such realm", "'no such realm'"),
        (404, b"default backend - 404", "'default backend - 404'"),
    ],
)
async def test_an_error_without_scms_code_is_told_in_the_words_that_came(status: int, body: bytes, quoted: str) -> None:
    with pytest.raises(ScmFailure) as failed:
        await CALLS["enroll"](answering(status, body=body).scm)
    assert failed.value.reason.startswith(f"HTTP {status}")
    assert quoted in failed.value.reason


@pytest.mark.parametrize(
    ("added", "words"),
    [
        ({"items": ["a.example is suspended", "b.example too"]}, "Refused. [a.example is suspended; b.example too]"),
        ({"items": [{"field": "term", "message": "not offered"}]}, "Refused. [field: term, message: not offered]"),
        ({"details": "see the profile"}, "Refused. [see the profile]"),
        ({"details": {"reason": "too long"}, "items": [7]}, "Refused. [reason: too long] [7]"),
        ({"details": None, "items": []}, "Refused."),
        ({"details": "Refused."}, "Refused."),
    ],
)
async def test_what_an_error_adds_to_its_description_is_told_with_it(added: dict[str, object], words: str) -> None:
    client = answering(400, json={"code": -36, "description": "Refused.", **added})
    with pytest.raises(Refused) as refused:
        await client.scm.details(101)
    assert refused.value.description == words
    assert words in refused.value.reason
