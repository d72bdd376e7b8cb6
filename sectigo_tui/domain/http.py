"""One HTTP request and what came of it, as values.

Clients of different servers share one connection by these, without knowing each other or an HTTP library.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from sectigo_tui.domain.records import Struct


class HttpRequest(Struct, frozen=True):
    """One request; neither headers nor body are in its repr, for both may hold secrets.

    Args:
        method: The method, in capitals.
        path: What follows the base URL: a path beginning with `/`, percent-encoded, with its query.
        headers: Pairs of name and value, already encoded and free of control characters.
        content: The body; None for no body.
    """

    method: str
    path: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    content: bytes | None = None

    def __repr__(self) -> str:
        return f"HttpRequest({self.method!r}, {self.path!r})"


class HttpAnswer(Struct, frozen=True):
    """A whole answer, whatever its status.

    Args:
        status: The HTTP status.
        headers: Its headers, found in any case.
        body: The body, decompressed. Empty for an error answer whose body could not be read.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpFailure(Struct, frozen=True):
    """No usable answer.

    Args:
        reason: One line for a person; holds no secret.
        sent: Whether the request may have arrived; False only when that is certain.
        http_status: The status, where an answer began and then could not be read.
        is_torn: Whether an answer came that cannot be read, rather than none.
    """

    reason: str
    sent: bool
    http_status: int | None = None
    is_torn: bool = False


class Http(Protocol):
    """A connection to one server."""

    async def send(self, request: HttpRequest) -> HttpAnswer | HttpFailure:
        """Send a request once: no retry, no redirect, no cookie; never raises for what the network does."""
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine: plain http sends secrets in the clear to any other.

    Names below `localhost` are not: whether they are looked up in the DNS depends on the machine.
    """
    import ipaddress

    if host.casefold().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
