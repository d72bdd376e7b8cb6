"""certctl-server's issuers API: read an issuer, send it back with other credentials, have it tried."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from sectigo_tui.domain.certctl import Issuer, IssuerTest
from sectigo_tui.domain.errors import CertctlFailure
from sectigo_tui.domain.excerpts import describe_body, one_line, without_secrets
from sectigo_tui.domain.http import Http, HttpAnswer, HttpFailure, HttpRequest
from sectigo_tui.domain.ports import SecretText

_READING = "reading the issuer"
_WRITING = "changing the issuer"
_TESTING = "testing the issuer"

_REJECTIONS = {
    400: ("certctl-server refused the request", "read its words, and change the issuer in certctl-server itself"),
    401: ("certctl-server refused the API key", "check certctl.api_key"),
    403: ("the API key may not do that", "use a key that may change issuers"),
    404: ("certctl-server has no such issuer", "check certctl.issuer_id and certctl.url"),
    409: ("certctl-server says that the issuer conflicts with another change", "do it again"),
}
_ELSE = ("certctl-server failed", "see certctl-server's log, then do it again")
_CHECK_URL = "check certctl.url and certctl-server itself, then do it again"


class CertctlClient:
    """certctl-server over HTTP; fulfils `domain.certctl.Certctl`.

    Args:
        http: The connection to certctl-server; this client closes it.
        api_key: The API key.
    """

    def __init__(self, http: Http, api_key: SecretText) -> None:
        self._http = http
        self._api_key = api_key

    async def issuer(self, issuer_id: str) -> Issuer:
        """Return a Sectigo issuer.

        Args:
            issuer_id: Its id.

        Raises:
            CertctlFailure: It cannot be read, or is not a Sectigo one.
        """
        answer = await self._send(_READING, "GET", _path(issuer_id))
        if answer.status != 200:
            raise self._rejection(_READING, answer)
        document = _object(answer.body)
        config = document.get("config")
        if not isinstance(config, dict):
            raise self._unreadable(_READING, answer)
        if _text(document.get("type")).casefold() != "sectigo":
            raise CertctlFailure(
                _READING, "the issuer is not of type Sectigo", "check certctl.issuer_id", http_status=200
            )
        return Issuer(
            id=issuer_id,
            name=_text(document.get("name")),
            customer_uri=_text(config.get("customer_uri")),
            login=_text(config.get("login")),
            document=answer.body,
        )

    async def put_issuer(self, issuer: Issuer, *, login: str, password: SecretText) -> None:
        """Send an issuer back as it was read, with another login and password.

        A secret that certctl-server masked goes back masked, which keeps what the server has.

        Args:
            issuer: The issuer as `issuer` returned it.
            login: The login it uses from now on.
            password: The password it uses from now on.

        Raises:
            CertctlFailure: certctl-server did not take it, or its answer was lost (`sent` says whether it may have).
        """
        document = _object(issuer.document)
        config = document.get("config")
        if not isinstance(config, dict):
            raise CertctlFailure(_WRITING, "the issuer was not read by this program", "read it again", sent=False)
        secret = password.reveal()
        document["config"] = config | {"login": login, "password": secret}
        content = json.dumps(document).encode("ascii")
        answer = await self._send(_WRITING, "PUT", _path(issuer.id), content)
        if answer.status != 200:
            raise self._rejection(_WRITING, answer, secret)
        if not _object(answer.body):
            raise self._unreadable(_WRITING, answer, secret)

    async def test_issuer(self, issuer_id: str) -> IssuerTest:
        """Let certctl-server try the issuer.

        Args:
            issuer_id: Its id.

        Raises:
            CertctlFailure: It was not tried, or what came of it is not known.
        """
        answer = await self._send(_TESTING, "POST", f"{_path(issuer_id)}/test")
        told = _object(answer.body)
        if answer.status == 200 and told:
            status = _text(told.get("status"))
            return IssuerTest(successful=status == "connection_successful", words=one_line(status))
        if answer.status == 500 and told:
            return IssuerTest(successful=False, words=self._words(answer))
        raise (self._unreadable if answer.status == 200 else self._rejection)(_TESTING, answer)

    async def aclose(self) -> None:
        """Close the connection."""
        await self._http.aclose()

    async def _send(self, step: str, method: str, path: str, content: bytes | None = None) -> HttpAnswer:
        key = self._api_key.reveal()
        if not key or not key.isascii() or not key.isprintable() or key != key.strip():
            raise CertctlFailure(step, "the API key cannot be sent as a header", "check certctl.api_key", sent=False)
        headers: tuple[tuple[bytes, bytes], ...] = ((b"authorization", f"Bearer {key}".encode("ascii")),)
        if content is not None:
            headers += ((b"content-type", b"application/json"),)
        answer = await self._http.send(HttpRequest(method, path, headers, content))
        if isinstance(answer, HttpFailure):
            raise CertctlFailure(step, answer.reason, _CHECK_URL, http_status=answer.http_status, sent=answer.sent)
        return answer

    def _rejection(self, step: str, answer: HttpAnswer, secret: str = "") -> CertctlFailure:
        what, remedy = _REJECTIONS.get(answer.status, _ELSE)
        reason = f"{what} (HTTP {answer.status}: {self._words(answer, secret)})"
        return CertctlFailure(step, reason, remedy, http_status=answer.status)

    def _unreadable(self, step: str, answer: HttpAnswer, secret: str = "") -> CertctlFailure:
        reason = f"HTTP {answer.status} with {self._words(answer, secret)}: what came of it is not known"
        return CertctlFailure(step, reason, _CHECK_URL, http_status=answer.status)

    def _words(self, answer: HttpAnswer, secret: str = "") -> str:
        """Return certctl-server's own words, or what stands in their place, without what is secret."""
        body = without_secrets(answer.body, (self._api_key.reveal(), secret))
        told = _object(body)
        words = _text(told.get("error")) or _text(told.get("message")) or _text(told.get("detail"))
        return one_line(words, 200) or ("no words of its own" if told else describe_body(body))


def _path(issuer_id: str) -> str:
    return f"/api/v1/issuers/{quote(issuer_id, safe='')}"


def _object(body: bytes) -> dict[str, Any]:
    """Return a JSON object; an empty one for anything else."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
