"""One call to SCM: the credentials' headers, one request, its answer read or its failure raised, and told of."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import msgspec
from pydantic import TypeAdapter

from sectigo_tui.domain.clock import Clock
from sectigo_tui.domain.credentials import Logins
from sectigo_tui.domain.errors import CredentialsRefused, InputError, ScmFailure
from sectigo_tui.domain.events import Exchange
from sectigo_tui.domain.excerpts import masked, without_secrets
from sectigo_tui.domain.http import Http, HttpAnswer, HttpFailure, HttpRequest
from sectigo_tui.domain.ports import Credentials
from sectigo_tui.scm.failures import from_answer, from_failure, unreadable
from sectigo_tui.scm.reading import NotTheApi, read_json

T = TypeVar("T")

Observe = Callable[[Exchange], None]
"""Is told of every request that ended; must not raise and must not wait."""

Read = Callable[[str, HttpAnswer], T]
"""Reads a success's answer for the call named; raises `ScmFailure`."""

_PASSWORDS_KEPT = 16
"""How many of the passwords that were used or tried are looked for in what SCM says."""

_JSON = ((b"content-type", b"application/json"),)


class Session:
    """Sends calls with the credentials in use at that moment.

    Args:
        http: The connection to SCM.
        credentials: The credentials in use first.
        clock: The time.
        observe: Is told of every request that ended.
        logins: Says when a request may go, and remembers what SCM refuses; None where nobody else sends any.
    """

    def __init__(
        self,
        http: Http,
        credentials: Credentials,
        clock: Clock,
        observe: Observe | None,
        logins: Logins | None = None,
    ) -> None:
        self.credentials = credentials
        self._http = http
        self._clock = clock
        self._observe = observe
        self._logins = logins
        self._passwords: dict[str, None] = {}

    async def ask(
        self,
        call: str,
        method: str,
        path: str,
        read: Read[T],
        *,
        body: object = None,
        credentials: Credentials | None = None,
        secret: str = "",
    ) -> T:
        """Send one request and return what its answer says.

        Args:
            call: The call by name.
            method: The HTTP method.
            path: What follows the base URL.
            read: Reads the answer.
            body: What is sent as JSON; None for no body.
            credentials: Other credentials than those in use.
            secret: A secret in the body, which no failure may quote.

        Raises:
            ScmFailure: What went wrong.
            InputError: The body cannot be written as JSON; nothing was sent.
        """
        used = credentials or self.credentials
        headers = header_values(call, used)
        secrets = self._secrets(used, secret)
        content = None if body is None else _json(body)
        request = HttpRequest(method, path, headers if content is None else headers + _JSON, content)
        if self._logins is None:
            return await self._send(call, request, read, secrets)
        async with self._logins.admitted(call, used) as ended:
            try:
                result = await self._send(call, request, read, secrets)
            except CredentialsRefused as rejection:
                await asyncio.to_thread(ended, rejection)
                raise
            except ScmFailure as failure:
                ended(failure)
                raise
            ended(None)
            return result

    async def _send(self, call: str, request: HttpRequest, read: Read[T], secrets: tuple[str, ...]) -> T:
        started = self._clock.monotonic()
        answer = await self._http.send(request)
        status = answer.http_status if isinstance(answer, HttpFailure) else answer.status
        try:
            result = self._judge(call, answer, read, secrets)
        except ScmFailure as failure:
            self._print(call, started, status, failure)
            raise
        self._print(call, started, status, None)
        return result

    def _judge(self, call: str, answer: HttpAnswer | HttpFailure, read: Read[T], secrets: tuple[str, ...]) -> T:
        def clean(text: str) -> str:
            return masked(text, secrets)

        if isinstance(answer, HttpFailure):
            raise from_failure(call, dataclasses.replace(answer, reason=clean(answer.reason)))
        with suppress(ScmFailure):
            return self._read(call, answer, read)
        # It fails again, and this time in words that quote no password.
        headers = {name.lower(): clean(value) for name, value in answer.headers.items()}
        cleaned = dataclasses.replace(answer, headers=headers, body=without_secrets(answer.body, secrets))
        return self._read(call, cleaned, read, clean)

    def _secrets(self, used: Credentials, secret: str) -> tuple[str, ...]:
        """Return the passwords that no text of SCM's may quote: in use, being tried, on their way, or used before."""
        for password in (self.credentials.password.reveal(), used.password.reveal(), secret):
            self._passwords.pop(password, None)
            self._passwords[password] = None
        while len(self._passwords) > _PASSWORDS_KEPT:
            del self._passwords[next(iter(self._passwords))]
        return tuple(self._passwords)

    def _read(self, call: str, answer: HttpAnswer, read: Read[T], clean: Callable[[str], str] = str) -> T:
        failure = from_answer(call, answer, self._clock.now(), clean)
        if failure is not None:
            raise failure
        return read(call, answer)

    def _print(self, call: str, started: float, status: int | None, failure: ScmFailure | None) -> None:
        if self._observe is not None:
            latency_seconds = self._clock.monotonic() - started
            self._observe(Exchange(self._clock.now(), call, latency_seconds, status, failure))


def json_of(adapter: TypeAdapter[T]) -> Read[T]:
    """Return what reads an answer as JSON."""

    def read(call: str, answer: HttpAnswer) -> T:
        found = read_json(adapter, answer.body)
        if isinstance(found, NotTheApi):
            raise unreadable(call, answer, found.reason)
        return found

    return read


def done(call: str, answer: HttpAnswer) -> None:
    """Read the answer to a write that answers nothing: 204 alone says that it was done.

    Source: SCM manual 25.5. A gateway's 200 must not pass for a revocation.
    """
    if answer.status != 204:
        raise unreadable(call, answer, "where 204 is due: whether it was done is not known")


def header_values(call: str, credentials: Credentials) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that carry credentials.

    Raises:
        CredentialsRefused: They cannot be sent as headers; trying would only count as a bad login.
    """
    return (
        (b"customerUri", _header(call, "customer URI", credentials.customer_uri)),
        (b"login", _header(call, "login", credentials.login)),
        (b"password", _header(call, "password", credentials.password.reveal())),
    )


def _header(call: str, name: str, value: str) -> bytes:
    reason = ""
    if not value:
        reason = "is empty"
    elif value != value.strip():
        reason = "begins or ends with a space"
    elif any(character < " " or character == "\x7f" for character in value):
        reason = "holds a control character"
    else:
        try:
            return value.encode("latin-1")
        except UnicodeEncodeError:
            reason = "holds a character outside Latin-1, which no HTTP header can carry"
    raise CredentialsRefused(call, f"the {name} {reason}; nothing was sent", sent=False)


def _json(body: object) -> bytes:
    try:
        return msgspec.json.encode(body)
    except TypeError:
        raise InputError("the text cannot be written as JSON", "remove characters that are no text") from None
