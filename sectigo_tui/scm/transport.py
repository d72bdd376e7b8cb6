"""A request goes out once by httpx, and its answer, or the failure, comes back as a value.

It takes tens of milliseconds to import and to open, so `http` loads it at the first request.
"""

from __future__ import annotations

import asyncio
import functools
import socket
import ssl
import zlib
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path

import httpx

from sectigo_tui import __version__
from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.http import HttpAnswer, HttpFailure, HttpRequest
from sectigo_tui.scm.http import Proxy, Timeouts
from sectigo_tui.scm.trust import named

_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)

_WORDS: tuple[tuple[type[BaseException], str], ...] = (
    (httpx.ConnectTimeout, "{server} cannot be reached: no connection in time"),
    (httpx.PoolTimeout, "no connection to {server} became free in time"),
    (httpx.ReadTimeout, "{server} did not answer in time"),
    (httpx.WriteTimeout, "{server} did not take the request in time"),
    (httpx.ConnectError, "{server} cannot be reached: {words}"),
    (httpx.RemoteProtocolError, "{server} closed the connection without an answer, or its answer is not HTTP"),
    # Their words quote the request, which holds secrets.
    (httpx.LocalProtocolError, "the request cannot be written as HTTP"),
    (httpx.InvalidURL, "the request's URL is not valid"),
    (httpx.UnsupportedProtocol, "the request's URL is not valid"),
    (httpx.TransportError, "the connection to {server} broke"),
    (OSError, "the connection to {server} broke"),
)

_DEEPEST = 8
_AT_PROXY = ("connect_tcp.started", "setup_socks5_connection.started", "connection.start_tls.started")
_BEHIND_PROXY = ("proxy.start_tls.started", "socks.start_tls.started")


class ProxyStage:
    """How far a request has come on its way through a proxy.

    Args:
        proxy: The proxy.

    Attributes:
        is_at_proxy: Whether it is the proxy that was dealt with last, and the server has not been reached.
    """

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.is_at_proxy = False

    async def note(self, event: str, info: Mapping[str, object]) -> None:
        """Take note of what the HTTP library is about to do; its `trace` extension calls this."""
        if event.endswith(_AT_PROXY):
            self.is_at_proxy = True
        elif event in _BEHIND_PROXY:
            self.is_at_proxy = False
        elif event.startswith("http11.") and event.endswith(".started"):
            method = getattr(info.get("request"), "method", None)
            self.is_at_proxy = self.is_at_proxy if method is None else method == b"CONNECT"


def late(seconds: float, stage: ProxyStage | None) -> HttpFailure:
    """Return what it means that there is no whole answer after a time."""
    if stage is not None and stage.is_at_proxy:
        return HttpFailure(f"{stage.proxy} did not let a request through within {seconds:g} s", sent=False)
    return HttpFailure(f"no whole answer within {seconds:g} s", sent=True)


def failure_of(error: Exception, server: str, *, answering: bool, stage: ProxyStage | None = None) -> HttpFailure:
    """Return what an exception while sending, or while reading an answer, means.

    Args:
        error: What was raised.
        server: Host and port, as the operator knows them.
        answering: Whether an answer had begun.
        stage: How far it had come through a proxy; None without one.
    """
    if isinstance(error, httpx.ProxyError):
        proxy = stage.proxy if stage is not None else "the proxy"
        return HttpFailure(f"{proxy} did not reach {server}: {one_line(str(error)) or 'no connection'}", sent=False)
    if stage is not None and stage.is_at_proxy:
        return HttpFailure(_by_cause(error, str(stage.proxy)) or _by_type(error, str(stage.proxy)), sent=False)
    if stage is not None:
        server = f"{server} (through {stage.proxy})"
    if answering and isinstance(error, (httpx.ReadError, httpx.RemoteProtocolError)):
        return HttpFailure("the answer is cut off: the connection was closed within it", sent=True, is_torn=True)
    return HttpFailure(_by_cause(error, server) or _by_type(error, server), sent=not isinstance(error, _NEVER_SENT))


def _by_type(error: Exception, server: str) -> str:
    for kind, words in _WORDS:
        if isinstance(error, kind):
            return words.format(server=server, words=one_line(str(error)) or "no connection")
    return f"the connection to {server} failed ({type(error).__name__})"


def _by_cause(error: BaseException, server: str) -> str:
    """Say what lies beneath an exception, where that tells more than the exception does."""
    cause: BaseException | None = error
    for _ in range(_DEEPEST):
        match cause:
            case None:
                break
            case ssl.SSLCertVerificationError():
                return f"the certificate of {server} is not trusted: {one_line(cause.verify_message)}"
            case ssl.SSLError():
                return f"TLS with {server} failed: {one_line(str(cause))}"
            case socket.gaierror():
                return f"the name of {server} cannot be resolved: {one_line(cause.strerror or str(cause))}"
            case ConnectionRefusedError():
                return f"{server} refused the connection"
            case _:
                cause = cause.__cause__ or cause.__context__
    return ""


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
        return ssl.create_default_context(cafile=ca_bundle) if ca_bundle else httpx.create_ssl_context()
    except OSError as error:
        # TLS's own words tell neither the file nor who names it.
        source = f"ca_bundle {ca_bundle}" if ca_bundle else named() or "the usual trusted certificates"
        raise OSError(f"{source}: {error.strerror or error}") from None


class Transport:
    """An httpx client held to what this program wants of it.

    Args:
        base_url: What stands before every request's path.
        timeouts: How long one request may take.
        max_body_bytes: The largest body, before and after decompression.
        ca_bundle: Trusted certificates in place of the default ones.
        proxy: The proxy; None for none.
        given: What carries requests instead of the network.

    Raises:
        OSError: The CA bundle cannot be used.
        ValueError: The base URL or the proxy's cannot be used.
        ImportError: The proxy is of a kind that needs another library.
    """

    def __init__(
        self,
        base_url: str,
        timeouts: Timeouts,
        *,
        max_body_bytes: int,
        ca_bundle: Path | None,
        proxy: Proxy | None,
        given: httpx.AsyncBaseTransport | None,
    ) -> None:
        self._base_url = base_url
        self._whole_seconds = timeouts.whole_limit_seconds
        self._max_body_bytes = max_body_bytes
        # A session cookie could outlive the credentials it was given for: none is kept.
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        is_plain = base_url.startswith("http:")
        # Plain http, to this machine alone, needs no trusted certificates, and must not fail for want of them.
        context = None if given else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if is_plain else tls_context(ca_bundle)
        self._proxy = proxy
        try:
            self._server = httpx.URL(base_url).netloc.decode("ascii")
            chosen_proxy = _proxy(proxy, context)
        except httpx.InvalidURL as error:
            raise ValueError(str(error)) from None
        self._client = httpx.AsyncClient(
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
            timeout=httpx.Timeout(timeouts.read_seconds, connect=timeouts.connect_seconds),
            headers={"accept": "*/*", "accept-encoding": "gzip", "user-agent": f"sectigo-tui/{__version__}"},
        )

    async def send(self, request: HttpRequest) -> HttpAnswer | HttpFailure:
        """Send a request once and read the whole answer.

        An error answer is worth its status even where its body is not: it comes back with an empty body.
        """
        response: httpx.Response | None = None
        stage = ProxyStage(self._proxy) if self._proxy else None
        try:
            async with asyncio.timeout(self._whole_seconds):
                outgoing = self._client.build_request(
                    request.method,
                    self._base_url + request.path,
                    headers=request.headers,
                    content=request.content,
                    extensions={"trace": stage.note} if stage else None,
                )
                response = await self._client.send(outgoing, stream=True)
                try:
                    body = await self._read(response)
                finally:
                    await response.aclose()
        except _UnusableBodyError as error:
            failure = HttpFailure(str(error), sent=True, is_torn=True)
        except TimeoutError:
            failure = late(self._whole_seconds, stage)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RuntimeError) as error:
            failure = failure_of(error, self._server, answering=response is not None, stage=stage)
        else:
            return HttpAnswer(response.status_code, response.headers, body)
        if response is None:
            return failure
        if response.status_code >= 400:
            return HttpAnswer(response.status_code, response.headers, b"")
        return HttpFailure(failure.reason, sent=True, http_status=response.status_code, is_torn=failure.is_torn)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _read(self, response: httpx.Response) -> bytes:
        """Read a body piece by piece, so that no more than the limit is ever held, compressed or not."""
        limit = self._max_body_bytes
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


def _proxy(proxy: Proxy | None, context: ssl.SSLContext | None) -> httpx.Proxy | None:
    if proxy is None:
        return None
    return httpx.Proxy(proxy.url, ssl_context=context if proxy.url.startswith("https:") else None)
