"""One server over HTTP: a request goes out once by httpx, and its answer, or the failure, comes back as a value.

httpx takes tens of milliseconds to import and to open, so it is loaded at the first request.
"""

from __future__ import annotations

import asyncio
import functools
import ssl
import time
import zlib
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from sectigo_tui import __version__
from sectigo_tui.domain.errors import ConfigError
from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.http import HttpAnswer, HttpFailure, HttpRequest, is_loopback
from sectigo_tui.scm.environment import check_trust, proxy_for, trust_named

if TYPE_CHECKING:
    import httpx

    from sectigo_tui.scm.debug_log import DebugLog


class Timeouts(Struct, frozen=True):
    """How long one request may take.

    Args:
        connect_seconds: To reach the server, TLS included.
        read_seconds: From one piece of the answer to the next. Source: 15 to 60 s observed under load.
        whole_seconds: From the start to the answer's end, so that an answer in drips ends too; None for what it
            takes to connect and three times `read_seconds`.
    """

    connect_seconds: float = 10.0
    read_seconds: float = 60.0
    whole_seconds: float | None = None

    @property
    def whole_limit_seconds(self) -> float:
        """What `whole_seconds` is, or comes to."""
        if self.whole_seconds is not None:
            return self.whole_seconds
        return self.connect_seconds + 3 * self.read_seconds


_LONG_WORDS = 1_000
MAX_BODY_BYTES = 10_000_000
"""The largest answer that is read, before and after decompression."""

_CONNECTIONS = 10
"""httpcore looks through its pool at every request, quadratic in the number of connections: keep pools small."""

_KEEP_IDLE_SECONDS = 30.0
"""Below the idle time of usual servers (60 s and more), so that it is this side that closes: a connection closed
by the server at the moment of sending loses the answer to an order that is billed."""

_ANY_COMPRESSION = 47
"""zlib's `wbits` for gzip or zlib, told by the header."""


class _UnusableBodyError(Exception):
    """The answer's body cannot be read; says why in one line."""


@functools.lru_cache(maxsize=8)
def tls_context(ca_bundle: Path | None) -> ssl.SSLContext:
    """Return the process's TLS settings for a set of trusted certificates; making one takes 20 ms.

    Args:
        ca_bundle: Trusted certificates (PEM) in place of the default ones.

    Raises:
        OSError: The bundle cannot be read, or holds no certificate; says which, and what names it.
    """
    try:
        return ssl.create_default_context(cafile=ca_bundle) if ca_bundle else _httpx_context()
    except OSError as error:
        # TLS's own words tell neither the file nor who names it.
        source = f"ca_bundle {ca_bundle}" if ca_bundle else trust_named() or "the usual trusted certificates"
        raise OSError(f"{source}: {error.strerror or error}") from None


def _httpx_context() -> ssl.SSLContext:
    import httpx

    return httpx.create_ssl_context()


class Connection:
    """Sends requests to one server; fulfils `domain.http.Http`.

    Nothing heavy is loaded, and no socket opened, before the first request; loading then runs in a thread.

    Args:
        base_url: `https://host[:port][/path]`; `http` for this machine alone.
        timeouts: How long one request may take.
        ca_bundle: Trusted certificates in place of the default ones.
        log: Is told of every request and its answer; closed with the connection.
        transport: What carries requests instead of the network.

    Raises:
        ConfigError: `base_url` would send secrets in the clear, or is no such URL; or a variable of the environment
            names a proxy, or trusted certificates, that cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeouts: Timeouts | None = None,
        ca_bundle: Path | None = None,
        log: DebugLog | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._log = log
        self._base_url = _checked_address(base_url)
        self._timeouts = timeouts or Timeouts()
        self._ca_bundle = ca_bundle
        self._given = transport
        self._proxy = None if transport else proxy_for(self._base_url)
        if not transport and not ca_bundle and self._base_url.startswith("https:"):
            check_trust()
        self._client: httpx.AsyncClient | None = None
        self._server = ""
        self._connecting = asyncio.Lock()
        self._closed = False

    @property
    def base_url(self) -> str:
        """Where requests go, without a slash at its end."""
        return self._base_url

    @property
    def proxy_in_use(self) -> str:
        """The proxy that carries requests, without its user and password; empty for none."""
        return self._proxy.shown if self._proxy else ""

    async def send(self, request: HttpRequest) -> HttpAnswer | HttpFailure:
        """Send a request once: no retry, no redirect, no cookie; never raises for what the network does."""
        log = self._log
        if log is None:
            return await self._send(request)
        number, started = log.asked(request), time.monotonic()
        answer = await self._send(request)
        log.answered(number, request, answer, seconds=time.monotonic() - started)
        return answer

    async def _send(self, request: HttpRequest) -> HttpAnswer | HttpFailure:
        """Send a request once and read the whole answer.

        An error answer is worth its status even where its body is not: it comes back with an empty body.
        """
        client = self._client
        if client is None:
            opened = await self._open()
            if isinstance(opened, HttpFailure):
                return opened
            client = opened
        from sectigo_tui.scm.http_failures import FAILURES, ProxyStage, failure_of, late

        whole_seconds = self._timeouts.whole_limit_seconds
        response: httpx.Response | None = None
        stage = ProxyStage(self._proxy) if self._proxy else None
        try:
            async with asyncio.timeout(whole_seconds):
                outgoing = client.build_request(
                    request.method,
                    self._base_url + request.path,
                    headers=request.headers,
                    content=request.content,
                    extensions={"trace": stage.note} if stage else None,
                )
                response = await client.send(outgoing, stream=True)
                try:
                    body = await self._read(response)
                finally:
                    await response.aclose()
        except _UnusableBodyError as error:
            failure = HttpFailure(str(error), sent=True, is_torn=True)
        except TimeoutError:
            failure = late(whole_seconds, stage)
        except FAILURES as error:
            failure = failure_of(error, self._server, answering=response is not None, stage=stage)
        else:
            return HttpAnswer(response.status_code, response.headers, body)
        if response is None:
            return failure
        if response.status_code >= 400:
            return HttpAnswer(response.status_code, response.headers, b"")
        return HttpFailure(failure.reason, sent=True, http_status=response.status_code, is_torn=failure.is_torn)

    async def aclose(self) -> None:
        """Close every connection; requests after it are refused."""
        self._closed = True
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()
        if self._log is not None:
            self._log.close()

    async def _open(self) -> httpx.AsyncClient | HttpFailure:
        async with self._connecting:
            if self._closed:
                return HttpFailure("the connection was closed by this program", sent=False)
            if self._client is None:
                try:
                    self._client = await asyncio.to_thread(self._load)
                except (OSError, ValueError, ImportError) as error:
                    return HttpFailure(
                        f"the connection cannot be set up: {one_line(str(error), _LONG_WORDS)}", sent=False
                    )
            return self._client

    def _load(self) -> httpx.AsyncClient:
        """Return an httpx client held to what this program wants of it.

        Raises:
            OSError: The CA bundle cannot be used.
            ValueError: The base URL or the proxy's cannot be used.
            ImportError: The proxy is of a kind that needs another library.
        """
        import httpx

        from sectigo_tui.scm import http_failures  # noqa: F401 - loaded here, in a thread

        given, proxy = self._given, self._proxy
        # A session cookie could outlive the credentials it was given for: none is kept.
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        is_plain = self._base_url.startswith("http:")
        # Plain http, to this machine alone, needs no trusted certificates, and must not fail for want of them.
        usual = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_plain else None
        context = None if given else usual or tls_context(self._ca_bundle)
        try:
            self._server = httpx.URL(self._base_url).netloc.decode("ascii")
            to_proxy = context if proxy and proxy.url.startswith("https:") else None
            chosen_proxy = httpx.Proxy(proxy.url, ssl_context=to_proxy) if proxy else None
        except httpx.InvalidURL as error:
            raise ValueError(str(error)) from None
        return httpx.AsyncClient(
            transport=given,
            verify=context or True,
            proxy=chosen_proxy,
            # The proxy was chosen before; nothing else is taken from the environment (such as a .netrc password).
            trust_env=False,
            follow_redirects=False,
            cookies=no_cookies,
            limits=httpx.Limits(
                max_connections=_CONNECTIONS,
                max_keepalive_connections=_CONNECTIONS,
                keepalive_expiry=_KEEP_IDLE_SECONDS,
            ),
            timeout=httpx.Timeout(self._timeouts.read_seconds, connect=self._timeouts.connect_seconds),
            headers={"accept": "*/*", "accept-encoding": "gzip", "user-agent": f"sectigo-tui/{__version__}"},
        )

    async def _read(self, response: httpx.Response) -> bytes:
        """Read a body piece by piece, so that no more than the limit is ever held, compressed or not."""
        import httpx

        limit = MAX_BODY_BYTES
        if response.request.method == "HEAD":
            return b""
        declared = response.headers.get("content-length", "")
        if declared.isdecimal() and (len(declared) > 15 or int(declared) > limit):
            raise _UnusableBodyError(f"the answer is too large ({one_line(declared, 20)} bytes)")
        encoding = response.headers.get("content-encoding", "").strip().lower()
        if encoding not in ("", "identity", "gzip", "x-gzip", "deflate"):
            raise _UnusableBodyError(f"the answer is compressed in a way not asked for ({one_line(encoding, 20)!r})")
        inflater = zlib.decompressobj(wbits=_ANY_COMPRESSION) if encoding not in ("", "identity") else None
        pieces: list[bytes] = []
        total = 0
        stream = response.stream
        if not isinstance(stream, httpx.AsyncByteStream):
            raise TypeError("the transport is not an asynchronous one")
        async for raw in stream:
            piece = _inflate(inflater, raw, limit - total + 1) if inflater else raw
            total += len(piece)
            if total > limit:
                raise _UnusableBodyError(f"the answer is too large (more than {limit} bytes)")
            pieces.append(piece)
        if inflater and pieces and not inflater.eof:
            raise _UnusableBodyError("the answer's compressed body is cut off")
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _inflate(inflater: zlib._Decompress, raw: bytes, room: int) -> bytes:
    try:
        return inflater.decompress(raw, room)
    except zlib.error:
        raise _UnusableBodyError("the answer's compressed body is damaged") from None


def _checked_address(base_url: str) -> str:
    def wrong(reason: str) -> ConfigError:
        return ConfigError(
            key="base_url",
            source="the connection",
            reason=reason,
            remedy="write https://host/path; http is for this machine alone",
        )

    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise wrong(f"is no URL ({error})") from None
    if parts.scheme not in ("https", "http") or not host:
        raise wrong("is no http or https URL")
    if parts.username is not None or parts.query or parts.fragment:
        raise wrong("holds a user, a query or a fragment")
    if parts.scheme == "http" and not is_loopback(host):
        raise wrong("would send the password in the clear")
    return base_url.rstrip("/")
