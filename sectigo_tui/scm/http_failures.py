"""What it means when a request fails under way: httpx's exceptions as values. Loads httpx, which takes long."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping

import httpx

from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.http import HttpFailure
from sectigo_tui.scm.environment import Proxy

FAILURES = (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, RuntimeError)
"""What a request may raise."""

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
