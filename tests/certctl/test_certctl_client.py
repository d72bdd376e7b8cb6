"""The issuer is read, sent back as it was but for login and password, and tried; every answer is told in words."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import httpx
import pytest

from sectigo_tui.certctl.client import CertctlClient
from sectigo_tui.domain.certctl import Issuer, IssuerTest
from sectigo_tui.domain.errors import CertctlFailure
from sectigo_tui.domain.explain import explain
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.scm.http import Connection

ISSUER = {
    "id": "iss/1",
    "name": "Sectigo prod",
    "type": "Sectigo",
    "config": {
        "customer_uri": "acme",
        "login": "old-login",
        "password": "********",
        "org_id": 12345678901234567890123,
        "term": 90,
        "base_url": "https://cert-manager.com/api",
        "poll_max_wait_seconds": None,
        "later_field": ["ü", {"x": 1.5}],
    },
    "enabled": True,
    "last_tested_at": "2026-03-01T00:00:00Z",
}
NEW = SecretText("n3w-canary")


class Server:
    """Answers every request alike, and remembers them."""

    def __init__(self, status: int = 200, *, body: object = None, error: Exception | None = None) -> None:
        self.requests: list[httpx.Request] = []
        self._status, self._body, self._error = status, body, error
        connection = Connection("https://certctl.example", transport=httpx.MockTransport(self._answer))
        self.client = CertctlClient(connection, SecretText("api-canary"))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self._error:
            raise self._error
        content = self._body if isinstance(self._body, bytes) else json.dumps(self._body).encode()
        return httpx.Response(self._status, content=content)


Step = Callable[[CertctlClient], Awaitable[object]]


def issuer() -> Issuer:
    return Issuer("iss/1", "Sectigo prod", "acme", "old-login", json.dumps(ISSUER).encode())


STEPS: dict[str, Step] = {
    "reading": lambda client: client.issuer("iss/1"),
    "changing": lambda client: client.put_issuer(issuer(), login="new-login", password=NEW),
    "testing": lambda client: client.test_issuer("iss/1"),
}


async def test_an_issuer_is_read_with_the_api_key() -> None:
    server = Server(body=ISSUER)
    found = await server.client.issuer("iss/1")
    assert (found.name, found.customer_uri, found.login) == ("Sectigo prod", "acme", "old-login")
    assert "12345678901234567890123" not in repr(found)
    (request,) = server.requests
    assert (request.method, request.url.raw_path) == ("GET", b"/api/v1/issuers/iss%2F1")
    assert request.headers["authorization"] == "Bearer api-canary"


async def test_it_is_sent_back_as_it_was_read_but_for_login_and_password() -> None:
    server = Server(body=ISSUER)
    found = await server.client.issuer("iss/1")
    await server.client.put_issuer(found, login="new-login", password=NEW)
    request = server.requests[1]
    assert (request.method, request.url.raw_path) == ("PUT", b"/api/v1/issuers/iss%2F1")
    config = ISSUER["config"]
    assert isinstance(config, dict)
    assert json.loads(request.content) == ISSUER | {"config": config | {"login": "new-login", "password": "n3w-canary"}}


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (200, {"status": "connection_successful"}, IssuerTest(True, "connection_successful")),
        (200, {"status": "something else"}, IssuerTest(False, "something else")),
        (500, {"error": "401 from\x1b[2J SCM"}, IssuerTest(False, "401 from [2J SCM")),
        (500, {"odd": 1}, IssuerTest(False, "no words of its own")),
    ],
)
async def test_a_try_tells_what_came_of_it(status: int, body: object, result: IssuerTest) -> None:
    server = Server(status, body=body)
    assert await server.client.test_issuer("iss/1") == result
    assert server.requests[0].url.raw_path == b"/api/v1/issuers/iss%2F1/test"
    assert server.requests[0].method == "POST"


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, {"error": "name is required"}, "refused the request .HTTP 400: name is required"),
        (401, {"message": "no"}, "refused the API key"),
        (403, b"", "may not do that .HTTP 403: an empty body"),
        (404, {}, "no such issuer"),
        (409, {}, "conflicts"),
        (500, b"<html><title>Oops</title>", "certctl-server failed .HTTP 500: a web page titled 'Oops'"),
        (302, b"", "certctl-server failed .HTTP 302"),
        (200, b"<html>", "a web page"),
        (200, b"", "an empty body"),
        (200, [1], "HTTP 200"),
    ],
)
async def test_every_other_answer_is_a_failure_that_says_what_to_do(
    step: str, status: int, body: object, words: str
) -> None:
    with pytest.raises(CertctlFailure, match=words.replace(" .", r" \(")) as failed:
        await STEPS[step](Server(status, body=body).client)
    assert failed.value.http_status == status
    told = explain(failed.value)
    assert told.what.startswith(f"certctl-server, {step}")
    assert told.next_step == f"{failed.value.remedy}."


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize(("error", "sent"), [(httpx.ConnectError("x"), False), (httpx.ReadTimeout("x"), True)])
async def test_a_lost_answer_says_whether_the_request_may_have_arrived(step: str, error: Exception, sent: bool) -> None:
    with pytest.raises(CertctlFailure) as failed:
        await STEPS[step](Server(error=error).client)
    assert failed.value.sent is sent


@pytest.mark.parametrize("status", [200, 400, 500])
async def test_secrets_that_come_back_are_not_quoted(status: int) -> None:
    server = Server(status, body={"error": "bad n3w-canary for api-canary"} if status != 200 else b"n3w-canary")
    with pytest.raises(CertctlFailure) as failed:
        await STEPS["changing"](server.client)
    assert "canary" not in f"{failed.value!r} {failed.value.reason} {explain(failed.value)}"


@pytest.mark.parametrize("document", [ISSUER | {"type": "DigiCert"}, ISSUER | {"config": None}])
async def test_an_issuer_of_another_kind_is_not_taken(document: dict[str, object]) -> None:
    with pytest.raises(CertctlFailure):
        await Server(body=document).client.issuer("iss/1")


@pytest.mark.parametrize("key", ["", "two\nlines", "ü", " x"])
async def test_an_api_key_that_no_header_can_carry_is_not_sent(key: str) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200))
    client = CertctlClient(Connection("https://certctl.example", transport=transport), SecretText(key))
    with pytest.raises(CertctlFailure, match="API key") as failed:
        await client.issuer("1")
    assert not failed.value.sent
