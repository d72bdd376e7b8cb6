"""The connection to one server: where requests go, how long they may take, and what is loaded when."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from sectigo_tui.domain.errors import ConfigError
from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.http import HttpAnswer, HttpFailure, HttpRequest, is_loopback
from sectigo_tui.scm.proxies import proxy_for
from sectigo_tui.scm.timeouts import Timeouts
from sectigo_tui.scm.trust import check_trust

if TYPE_CHECKING:
    import httpx

    from sectigo_tui.scm.debug_log import DebugLog
    from sectigo_tui.scm.transport import Transport

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
