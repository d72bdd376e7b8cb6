"""A client over a transport of the test's own, and a raw socket server for what no HTTP library would answer."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta

import httpx

from sectigo_tui.domain.certificates import EnrollRequest, ListingFilter, ReportDate, ReportQuery
from sectigo_tui.domain.events import Exchange
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.scm.client import ScmClient

BASE_URL = "https://scm.example/api"


class HandClock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def wall(self) -> datetime:
        return self.now()

    def monotonic(self) -> float:
        return self.time.timestamp()

    def advance(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)


CREDENTIALS = Credentials("acme", "api-user", SecretText("s3cret-canary"))

Handler = Callable[[httpx.Request], httpx.Response]


class Recorded:
    """A client whose requests are answered by a function, and all that an observer saw."""

    def __init__(self, handler: Handler) -> None:
        self.requests: list[httpx.Request] = []
        self.exchanges: list[Exchange] = []
        self.clock = HandClock()
        self._handler = handler
        self.scm = ScmClient(
            BASE_URL,
            CREDENTIALS,
            self.clock,
            transport=httpx.MockTransport(self._answer),
            observe=self.exchanges.append,
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self._handler(request)


def answering(
    status: int = 200, *, json: object = None, body: bytes = b"", headers: dict[str, str] | None = None
) -> Recorded:
    """Return a client that gets the same answer whatever it asks."""

    def handler(_: httpx.Request) -> httpx.Response:
        if json is not None:
            return httpx.Response(status, json=json, headers=headers)
        return httpx.Response(status, content=body, headers=headers)

    return Recorded(handler)


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class RawServer:
    """A socket server that knows no HTTP, and what it was sent."""

    def __init__(self, talk: Talk) -> None:
        self.requests: list[bytes] = []
        self.asked = asyncio.Event()
        self.over = asyncio.Event()
        self.connections = 0
        self.port = 0
        self._talk = talk
        self._tasks: list[asyncio.Task[None] | None] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._tasks.append(asyncio.current_task())
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while not self.over.is_set():
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                self.asked.set()
                await self._talk(reader, writer)
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    async def end(self) -> None:
        self.over.set()
        await asyncio.gather(*(task for task in self._tasks if task))


@asynccontextmanager
async def talking(talk: Talk, context: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    """Serve connections by `talk`, called for each request, until the block ends."""
    raw = RawServer(talk)
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0, ssl=context)
    raw.port = server.sockets[0].getsockname()[1]
    async with server:
        try:
            yield raw
        finally:
            await raw.end()


@asynccontextmanager
async def serving(answer: bytes, *, hang: bool = False, reset: bool = False) -> AsyncIterator[RawServer]:
    """Answer every request with these bytes, then close, hang until the block ends, or reset."""

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if reset:
            writer.transport.abort()
            return
        writer.write(answer)
        await writer.drain()
        if hang:
            await raw.over.wait()
        writer.close()

    async with talking(talk) as raw:
        yield raw


Call = Callable[[ScmClient], Awaitable[object]]

ENROLL = EnrollRequest(organization_id=7, csr_pem="-----BEGIN CERTIFICATE REQUEST-----", profile_id=3, term_days=90)

QUARTER = ReportQuery(ReportDate.ISSUED, date(2026, 1, 1), date(2026, 3, 31))

READS: dict[str, Call] = {
    "types": lambda scm: scm.types(),
    "custom_fields": lambda scm: scm.custom_fields(),
    "listing": lambda scm: scm.listing(ListingFilter(), position=0, size=200),
    "details": lambda scm: scm.details(101),
    "report": lambda scm: scm.report(QUARTER),
    "collect": lambda scm: scm.collect(101),
    "dcv": lambda scm: scm.dcv(101),
    "recheck_dcv": lambda scm: scm.recheck_dcv(101),
    "organizations": lambda scm: scm.organizations(),
    "organization_validations": lambda scm: scm.organization_validations(7),
    "organization_validation": lambda scm: scm.organization_validation(7, 8),
    "domain_status": lambda scm: scm.domain_status("a.example"),
    "domain_validations": lambda scm: scm.domain_validations(expires_in_days=45, position=0, size=200),
    "sync_domain": lambda scm: scm.sync_domain("a.example"),
    "domains": lambda scm: scm.domains(position=0, size=200),
    "account_domain": lambda scm: scm.account_domain(9),
    "usage": lambda scm: scm.usage(),
    "password_status": lambda scm: scm.password_status(),
    "credentials": lambda scm: scm.try_credentials(CREDENTIALS),
}
"""A call for each endpoint that answers something, by the name that failures give it."""

WRITES: dict[str, Call] = {
    "enroll": lambda scm: scm.enroll(ENROLL),
    "renew": lambda scm: scm.renew(101),
    "approve": lambda scm: scm.approve(101, "fine"),
    "decline": lambda scm: scm.decline(101, "no"),
    "revoke": lambda scm: scm.revoke(101, 4, "superseded"),
    "change_password": lambda scm: scm.change_password(SecretText("n3w-canary")),
}
"""A call for each endpoint that changes something."""

COUNT: dict[str, Call] = {"count": lambda scm: scm.count(ListingFilter())}

CALLS = READS | WRITES | COUNT
