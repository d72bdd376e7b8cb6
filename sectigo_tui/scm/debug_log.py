"""A debug log of all requests and answers, without secrets.

A line is one JSON object. What may be shown is listed, and all else is masked: a header or a field that a server
will invent is masked before anybody thought of it.
"""

from __future__ import annotations

import json
import os
import re
import stat
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.excerpts import MASK, describe_body, masked, without_secrets
from sectigo_tui.domain.http import HttpAnswer, HttpFailure, HttpRequest

if TYPE_CHECKING:
    from sectigo_tui.domain.clock import Clock

LONGEST_BODY_CHARACTERS = 4_000
"""How much of a body is logged."""

_SHOWN_REQUEST_HEADERS = frozenset({"customeruri", "login", "content-type"})
_SHOWN_ANSWER_HEADERS = frozenset(
    {"content-type", "content-length", "content-encoding", "date", "location", "retry-after", "server", "x-total-count"}
)
_SECRET_FIELD = re.compile(r"pass|secret|token|api_?key|private|credential|authorization", re.IGNORECASE)
_DEPTH = 40
_SECRETS_KEPT = 32


class DebugLog:
    """Appends a line for each request before it is sent, and one for what came of it.

    A disk that fails ends the log, and nothing else.

    Args:
        path: The file; made readable by nobody else, appended to where it is there.
        base_url: Where the requests go.
        clock: The time.

    Raises:
        InputError: The file cannot be written, or others can get at it.
    """

    def __init__(self, path: Path, base_url: str, clock: Clock) -> None:
        self._base_url = base_url
        self._clock = clock
        self._descriptor: int | None = _open(path)
        self._sent = 0
        self._secrets: dict[str, None] = {}

    def asked(self, request: HttpRequest) -> int:
        """Log a request that is about to be sent, and return its number."""
        self._sent += 1
        self._learn(request)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        line = {
            "request": self._sent,
            "method": request.method,
            "url": self._base_url + request.path,
            "headers": _shown(headers, _SHOWN_REQUEST_HEADERS),
            "body": _body(request.content, self._secrets) if request.content is not None else None,
        }
        self._write(line)
        return self._sent

    def answered(self, number: int, request: HttpRequest, answer: HttpAnswer | HttpFailure, *, seconds: float) -> None:
        """Log what came of a request.

        Args:
            number: What `asked` returned for it.
            request: The request.
            answer: What came of it.
            seconds: How long it took.
        """
        self._learn(request)
        line: dict[str, object] = {"answer": number, "seconds": round(seconds, 3)}
        if isinstance(answer, HttpFailure):
            line |= {
                "status": answer.http_status,
                "error": masked(answer.reason, self._secrets),
                "sent": answer.sent,
            }
        else:
            line |= {
                "status": answer.status,
                "headers": {
                    name: masked(value, self._secrets)
                    for name, value in _shown(answer.headers, _SHOWN_ANSWER_HEADERS).items()
                },
                "bytes": len(answer.body),
                "body": _body(without_secrets(answer.body, self._secrets), self._secrets),
            }
        self._write(line)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _learn(self, request: HttpRequest) -> None:
        """Take note of a request's secrets: an answer may quote one that another request was sent with."""
        for secret in _secrets(request):
            self._secrets.pop(secret, None)
            self._secrets[secret] = None
        while len(self._secrets) > _SECRETS_KEPT:
            del self._secrets[next(iter(self._secrets))]

    def _write(self, line: Mapping[str, object]) -> None:
        if self._descriptor is None:
            return
        at = f"{self._clock.now().astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
        # In ASCII, so that a terminal that the file is shown on acts on nothing in it.
        text = json.dumps({"at": at, "pid": os.getpid(), **line}).replace("\x7f", "\\u007f")
        data = without_secrets(text.encode("ascii"), self._secrets) + b"\n"
        try:
            os.write(self._descriptor, data)
        except OSError:
            self.close()


def _open(path: Path) -> int:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, 0o600)
    except OSError as error:
        raise InputError(f"the debug log {path}: {error.strerror}", "name a file that you can write") from error
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and (found.st_mode & 0o077 or found.st_uid != os.geteuid()):
        os.close(descriptor)
        raise InputError(f"the debug log {path} is open to others", f"chmod 600 {path}, or name another file")
    return descriptor


def _shown(headers: Mapping[str, str], names: frozenset[str]) -> dict[str, str]:
    return {name: value if name.lower() in names else MASK for name, value in headers.items()}


def _secrets(request: HttpRequest) -> Iterator[str]:
    """Return what no line about a request may hold: what its masked headers and fields say."""
    for name, value in request.headers:
        if name.decode("latin-1").lower() not in _SHOWN_REQUEST_HEADERS:
            text = value.decode("latin-1")
            yield text
            yield text.rpartition(" ")[2]  # without `Bearer`
    yield from _secret_fields(_parsed(request.content or b""))


def _secret_fields(value: object, depth: int = 0) -> Iterator[str]:
    if depth > _DEPTH:
        return
    if isinstance(value, list):
        for inner in value:
            yield from _secret_fields(inner, depth + 1)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(inner, str) and _SECRET_FIELD.search(str(name)):
                yield inner
            else:
                yield from _secret_fields(inner, depth + 1)


def _body(body: bytes, secrets: Collection[str]) -> object:
    """Return a body as it may be shown: JSON without the values of secret fields, or what it looks like."""
    document = _parsed(body)
    if document is None:
        return masked(describe_body(body), secrets)
    text = json.dumps(_masked(document, secrets))
    return json.loads(text) if len(text) <= LONGEST_BODY_CHARACTERS else f"{text[:LONGEST_BODY_CHARACTERS]}..."


def _masked(value: object, secrets: Collection[str], depth: int = 0) -> object:
    if depth > _DEPTH:
        return "..."
    if isinstance(value, list):
        return [_masked(inner, secrets, depth + 1) for inner in value]
    if isinstance(value, dict):
        return {
            name: MASK if isinstance(inner, str) and _SECRET_FIELD.search(name) else _masked(inner, secrets, depth + 1)
            for name, inner in value.items()
        }
    return masked(value, secrets) if isinstance(value, str) else value


def _parsed(body: bytes) -> object:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
