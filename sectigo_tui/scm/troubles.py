"""What every exception of the network means: in words, and whether the request may have arrived."""

from __future__ import annotations

import socket
import ssl

import httpx

from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.http import HttpTrouble

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
    (httpx.ProxyError, "the proxy did not reach {server}: {words}"),
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


def trouble_of(error: Exception, server: str, *, answering: bool) -> HttpTrouble:
    """Return what an exception while sending, or while reading an answer, means.

    Args:
        error: What was raised.
        server: Host and port, as the operator knows them.
        answering: Whether an answer had begun.
    """
    if answering and isinstance(error, (httpx.ReadError, httpx.RemoteProtocolError)):
        return HttpTrouble("the answer is cut off: the connection was closed within it", sent=True, is_torn=True)
    return HttpTrouble(_by_cause(error, server) or _by_type(error, server), sent=not isinstance(error, _NEVER_SENT))


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
