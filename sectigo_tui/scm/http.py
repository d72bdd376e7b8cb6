"""One server over HTTP: where requests go, how long they may take, and what every failure of the network means."""

from __future__ import annotations

import asyncio
import functools
import os
import socket
import ssl
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx
from msgspec import Struct

from sectigo_tui import __version__
from sectigo_tui.domain.errors import ConfigError
from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.http import HttpAnswer, HttpFailure, HttpRequest, is_loopback
from sectigo_tui.scm.trust import check_trust, named

if TYPE_CHECKING:
    from sectigo_tui.scm.debug_log import DebugLog


class Timeouts(Struct, frozen=True):
    """How long one request may take.

    Args:
        connect_seconds: To reach the server, TLS included.
        read_seconds: From one answer of the answer to the next. Source: 15 to 60 s observed under load.
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


_SOCKS = ("socks5", "socks5h")
_KINDS = ("http", "https", *_SOCKS)
_SYSTEM = "the system's settings"


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy that carries requests.

    Args:
        url: Its URL, which may hold a password.
        named_by: The variable that names it, such as `HTTPS_PROXY`.
    """

    url: str = field(repr=False)
    named_by: str

    @property
    def shown(self) -> str:
        """Its URL as it may be shown: scheme, host and port."""
        return without_userinfo(self.url)

    def __str__(self) -> str:
        return f"the proxy {self.shown} ({self.named_by})"


def proxy_for(url: str) -> Proxy | None:
    """Return the proxy for requests to `url`.

    Args:
        url: Where requests go.

    Returns:
        The proxy by `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` (or the system's settings, where it has
        any); None where requests go straight. A proxy is never asked for this machine itself.

    Raises:
        ConfigError: What names the proxy is no URL of one, or it is of a kind that cannot be used.
    """
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    host = parts.hostname or ""
    proxies = getproxies()
    kind = parts.scheme if proxies.get(parts.scheme) else "all"
    proxy = proxies.get(kind) or ""
    if not proxy or is_loopback(host) or proxy_bypass(host):
        return None
    return _checked(proxy if "://" in proxy else f"http://{proxy}", _variable(f"{kind}_proxy"))


def without_userinfo(url: str) -> str:
    """Return a URL as it may be shown: scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""


def _variable(name: str) -> str:
    """Return the variable that counts, which is the one in small letters where there are both."""
    return next((variable for variable in (name, name.upper()) if os.environ.get(variable)), _SYSTEM)


def _checked(url: str, variable: str) -> Proxy:
    def wrong(reason: str, remedy: str = "write http://host:port") -> ConfigError:
        return ConfigError(key=variable, source="environment", reason=reason, remedy=remedy)

    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme, parts.hostname or "", parts.port
    except ValueError as error:
        raise wrong(f"is no URL of a proxy ({_why(error)})") from None
    if scheme not in _KINDS:
        raise wrong(f"names a proxy of the kind {one_line(scheme, 20)}, which cannot be used")
    if not host or port == 0 or not host.isprintable() or any(character in " <>\\^`{|}%" for character in host):
        raise wrong("is no URL of a proxy: it names no host, or no usable port")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise wrong("is no URL of a proxy: something follows host and port")
    if scheme in _SOCKS and not _has_socks():
        raise wrong(
            f"names a SOCKS proxy, {without_userinfo(url)}, which is not supported without the extra `socks`",
            "pip install 'sectigo-tui[socks]', or name an http proxy",
        )
    return Proxy(url, variable)


def _why(error: ValueError) -> str:
    """Return what is wrong with a URL, unless it would quote what may be a password."""
    return "its port is no number from 1 to 65535" if "port" in str(error).casefold() else "its host is not valid"


def _has_socks() -> bool:
    from importlib.util import find_spec

    return find_spec("socksio") is not None


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


_LONG_WORDS = 1_000
MAX_BODY_BYTES = 10_000_000
"""The largest answer that is read, before and after decompression."""


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
        self._transport: Transport | None = None
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
        transport = self._transport
        if transport is None:
            opened = await self._open()
            if isinstance(opened, HttpFailure):
                return opened
            transport = opened
        return await transport.send(request)

    async def aclose(self) -> None:
        """Close every connection; requests after it are refused."""
        self._closed = True
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()
        if self._log is not None:
            self._log.close()

    async def _open(self) -> Transport | HttpFailure:
        async with self._connecting:
            if self._closed:
                return HttpFailure("the connection was closed by this program", sent=False)
            if self._transport is None:
                try:
                    self._transport = await asyncio.to_thread(self._load)
                except (OSError, ValueError, ImportError) as error:
                    return HttpFailure(
                        f"the connection cannot be set up: {one_line(str(error), _LONG_WORDS)}", sent=False
                    )
            return self._transport

    def _load(self) -> Transport:

        return Transport(
            self._base_url,
            self._timeouts,
            max_body_bytes=MAX_BODY_BYTES,
            ca_bundle=self._ca_bundle,
            proxy=self._proxy,
            given=self._given,
        )


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
