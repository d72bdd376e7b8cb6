"""One server over HTTP: where requests go, by which proxy, and how long they may take."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from sectigo_tui.domain.errors import ConfigError
from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.http import HttpAnswer, HttpFailure, HttpRequest, is_loopback
from sectigo_tui.scm.trust import check_trust

if TYPE_CHECKING:
    import httpx

    from sectigo_tui.scm.debug_log import DebugLog
    from sectigo_tui.scm.transport import Transport


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
        from sectigo_tui.scm.transport import Transport

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
