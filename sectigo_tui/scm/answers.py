"""From an answer to a wire model, to PEM, or to one of the domain's failures."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from msgspec import Struct
from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from sectigo_tui.domain.errors import (
    CredentialsRefused,
    NotFound,
    NotReady,
    RateLimited,
    Refused,
    ScmFailure,
    ServerFailure,
    Unreachable,
    Unreadable,
)
from sectigo_tui.domain.excerpts import describe_body, one_line
from sectigo_tui.domain.explain import CREDENTIAL_CODES, NOT_READY_CODES
from sectigo_tui.domain.http import HttpAnswer, HttpFailure
from sectigo_tui.scm.wire_fields import ERROR, retry_after_seconds

_MENDABLE_BYTES = 1_000_000
_NO_JSON = "json_invalid"

T = TypeVar("T")


class NotTheApi(Struct, frozen=True):
    """A body that cannot be what was asked for; `reason` says why, in one line."""

    reason: str


def read_json(adapter: TypeAdapter[T], body: bytes) -> T | NotTheApi:
    """Return what a body holds.

    Args:
        adapter: What it must hold.
        body: JSON in UTF-8, at most 10 MB.

    Returns:
        The wire model, or what is wrong.
    """
    try:
        return adapter.validate_json(body)
    except ValidationError as error:
        rejection = error
    mended = _mended(body) if _first(rejection)["type"] == _NO_JSON else b""
    if not mended:
        return NotTheApi(_what_is_wrong(rejection, body))
    try:
        return adapter.validate_json(mended)
    except ValidationError as error:
        return NotTheApi(_what_is_wrong(error, mended))


def _mended(body: bytes) -> bytes:
    """Return JSON whose text holds half a surrogate pair, or bytes that are no UTF-8, with these replaced.

    A requester's comment must not make an order unreadable for good. Empty when that is not what ails it.
    """
    if len(body) > _MENDABLE_BYTES:
        return b""
    try:
        value = json.loads(body.decode("utf-8-sig", "replace"))
        return json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    except (ValueError, RecursionError):
        return b""


def _first(rejection: ValidationError) -> ErrorDetails:
    return rejection.errors(include_url=False, include_input=False, include_context=False)[0]


def _what_is_wrong(rejection: ValidationError, body: bytes) -> str:
    first = _first(rejection)
    if first["type"] == _NO_JSON or not first["loc"]:
        return f"answered with {describe_body(body)}"
    where = one_line(".".join(str(part) for part in first["loc"]))
    what = "is missing" if first["type"] == "missing" else one_line(first["msg"].removeprefix("Value error, "))
    return f"answered without what is needed: {where} {what}"


COLLECT = "collect"
COUNT = "count"


class _ApiError(NamedTuple):
    """What an error answer's body tells."""

    is_api: bool
    code: int | None
    description: str


def from_failure(call: str, failure: HttpFailure) -> ScmFailure:
    """Return the failure of a call that got no usable answer."""
    kind = Unreadable if failure.is_torn else Unreachable
    return kind(call, failure.reason, http_status=failure.http_status, sent=failure.sent)


def from_answer(call: str, answer: HttpAnswer, now: datetime, clean: Callable[[str], str] = str) -> ScmFailure | None:
    """Return the failure that an answer's status and code mean; None for 2xx.

    Source: error bodies `{code, description}` and 401 SCM manual 25.5; -16 and -970 under other statuses, and
    collect's codes under 400, observed in production clients; 429 is assumed.

    Args:
        call: The call by name.
        answer: The answer.
        now: The time of day, for a `Retry-After` date.
        clean: Takes secrets out of a text; done before the text is cut.
    """
    status = answer.status
    if 200 <= status < 300:
        return None
    if status < 400:
        return _redirect(call, answer)
    return _rejection(call, answer, now, clean)


def unreadable(call: str, answer: HttpAnswer, reason: str = "") -> Unreadable:
    """Return the failure of an answer that claims success and is not the API's.

    Args:
        call: The call by name.
        answer: The answer.
        reason: What is wrong with it; by default, what its body looks like.
    """
    words = reason or f"answered with {describe_body(answer.body)}"
    return Unreadable(call, f"HTTP {answer.status} {words}", http_status=answer.status)


def not_ready(call: str, answer: HttpAnswer) -> NotReady:
    """Return the failure of a collect whose answer is success without a certificate."""
    return NotReady(call, f"HTTP {answer.status} without a certificate", http_status=answer.status)


def _redirect(call: str, answer: HttpAnswer) -> Unreadable:
    location = one_line(answer.headers.get("location", ""), 300)
    try:
        host = urlsplit(location).hostname or ""
    except ValueError:
        host = ""
    towards = f"another server, {host}" if host else "another address"
    return unreadable(call, answer, f"redirects to {towards}, which is not followed")


def _rejection(call: str, answer: HttpAnswer, now: datetime, clean: Callable[[str], str]) -> ScmFailure:
    status, told = answer.status, _api_error(answer.body)
    code, description = told.code, clean(told.description)
    words = f"HTTP {status}" + (f": {one_line(description)!r}" if description else "")
    wait = retry_after_seconds(answer.headers.get("retry-after", ""), now)
    if status == 429:
        return RateLimited(call, words, retry_after_seconds=wait, code=code, description=description)
    kind = _kind(call, status, told)
    if kind is Unreadable or (code is None and not description and answer.body.strip()):
        words = f"{words} with {describe_body(clean(answer.body.decode('utf-8', 'replace')).encode())}"
    failure = kind(call, words, http_status=status, code=code, description=description)
    failure.retry_after_seconds = wait
    return failure


def _kind(call: str, status: int, told: _ApiError) -> type[ScmFailure]:
    kind: type[ScmFailure] = Refused
    if status == 401 or (status < 500 and told.code in CREDENTIAL_CODES):
        kind = CredentialsRefused
    elif status >= 500:
        kind = ServerFailure
    elif not told.is_api and call != COUNT:
        # A gateway's page is not SCM's rejection: an order must not fail, nor its polling stop, because of it.
        kind = Unreadable
    elif call == COLLECT and told.code in NOT_READY_CODES:
        kind = NotReady
    elif status == 404:
        kind = NotFound
    return kind


def _api_error(body: bytes) -> _ApiError:
    error = read_json(ERROR, body)
    if isinstance(error, NotTheApi):
        return _ApiError(is_api=False, code=None, description="")
    # SCM's codes are negative, or 0; a gateway's JSON has none, or an HTTP status for one.
    is_api = error.code is not None and error.code <= 0
    return _ApiError(is_api=is_api, code=error.code if is_api else None, description=error.words)


_PEM = re.compile(rb"-----BEGIN (?:X509 )?CERTIFICATE|-----BEGIN (?:PKCS ?#?7|CMS)\b")
_BARE = re.compile(rb"MI[A-Za-z0-9+/\s]+={0,2}\s*")
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
"""The object identifier with which PKCS#7 begins, inside its outer sequence."""
_HEADER_BYTES = 8
_LONG_FORMS = (b"\x80", b"\x81", b"\x82", b"\x83")
"""After 0x30: how many bytes its length takes, and the indefinite form of BER."""


def as_pem(body: bytes) -> bytes | None:
    """Return what was collected as PEM text, in whatever wrapping SCM sends it; None when it is nothing of the kind.

    Source: SCM manual 25.5: `x509` is PEM, `base64` is PKCS#7 as PEM, `bin` is PKCS#7 as DER; which one an account's
    answer is was seen to differ from what was asked for.

    Args:
        body: PEM, which is returned as it came, or PKCS#7 or one certificate as DER, or either in bare base64.
    """
    if _PEM.search(body):
        return body
    bare = _BARE.fullmatch(body.strip())
    if bare:
        try:
            body = base64.b64decode(b"".join(bare[0].split()), validate=True)
        except binascii.Error:
            return None
    if not _may_be_der(body):
        return None
    label = "PKCS7" if _SIGNED_DATA in body[: _HEADER_BYTES + len(_SIGNED_DATA)] else "CERTIFICATE"
    lines = base64.encodebytes(body).decode().replace("\n", "")
    text = "\n".join(lines[at : at + 64] for at in range(0, len(lines), 64))
    return f"-----BEGIN {label}-----\n{text}\n-----END {label}-----\n".encode()


def _may_be_der(body: bytes) -> bool:
    """Return whether something begins as a DER sequence does, so long that it tells its length in the long form."""
    return body[:1] == b"\x30" and body[1:2] in _LONG_FORMS
