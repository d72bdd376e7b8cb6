"""One process of the program that writes to the simulator, over the real client, in virtual time."""

from __future__ import annotations

import asyncio
import functools
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from random import Random
from typing import TypeVar

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from sectigo_tui.domain.certctl import Certctl
from sectigo_tui.domain.certificates import EnrollRequest
from sectigo_tui.domain.credentials import Candidate, TeamLogins, UnprovenPassword
from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.events import EngineEvent
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.domain.pki import CsrFacts
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.engine.context import Context, EngineOptions
from sectigo_tui.engine.credentials.service import Access
from sectigo_tui.engine.engine import Engine, EventSource
from sectigo_tui.engine.orders.enroll import prepared
from sectigo_tui.engine.repository import OrderRepository
from sectigo_tui.engine.requests.limiter import RequestLimiter
from sectigo_tui.pki.bundle import read_certificate
from sectigo_tui.pki.tools import PkiTools
from sectigo_tui.scm.client import ScmClient
from sectigo_tui.simulator.app import create_app
from sectigo_tui.simulator.world import World
from support.memory_store import Disk, MemoryStore
from support.virtual_time import LoopClock

A = TypeVar("A")

OV = 502
ACME = 1001


@functools.cache
def csr_pem(*names: str) -> bytes:
    """Return a CSR for some names, the first being the common one; an empty first name leaves that out."""
    common_name, *_ = names
    subject = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name(subject))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names if name]), critical=False)
        .sign(_key(), hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


@functools.cache
def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def asked(**changes: object) -> EnrollRequest:
    """Return a request that SCM takes, as the operator fills it in."""
    given: dict[str, object] = {"organization_id": ACME, "profile_id": OV, "term_days": 199, **changes}
    return EnrollRequest(**given)  # type: ignore[arg-type] # each test names the request's own fields


def ready(common_name: str = "www.acme.example", *, csr: CsrFacts | None = None, **changes: object) -> EnrollRequest:
    """Return a request for a certificate that SCM takes, checked and completed."""
    csr = csr or PkiTools().read_csr(csr_pem(common_name))
    return prepared(asked(**changes), csr, PkiTools())


class Wire(httpx.AsyncBaseTransport):
    """The network between the client and the simulator.

    Attributes:
        is_down: While set, no connection can be made: nothing is ever sent.
        before: Called with `METHOD path` before each request reaches the simulator.
        sent: What reached it: `METHOD path`, and the password it came with.
    """

    def __init__(self, world: World) -> None:
        self.is_down = False
        self._broken = ""
        self.before: Callable[[str], object] = lambda _request: None
        self.sent: list[tuple[str, str]] = []
        app = create_app(world, lost=lambda: httpx.RemoteProtocolError("connection closed"))
        self._inner = httpx.ASGITransport(app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("no route to host")
        words = f"{request.method} {request.url.path.removeprefix('/api')}"
        if self._broken and re.search(self._broken, words):
            raise httpx.ConnectError("no route to host")
        self.before(words)
        self.sent.append((words, request.headers["password"]))
        return await self._inner.handle_async_request(request)

    @property
    def passwords(self) -> list[str]:
        """The password that each request came with."""
        return [password for _, password in self.sent]

    def breaks_before(self, pattern: str) -> None:
        """Let no connection be made for a request that a regular expression matches."""
        self._broken = pattern

    def count(self, pattern: str) -> int:
        """Return how many requests reached the simulator that a regular expression matches."""
        return sum(re.search(pattern, words) is not None for words, _ in self.sent)


class Kept:
    """Credentials on a disk of their own, for any number of processes in turn.

    Attributes:
        failing: While set, every write fails.
        log: Every write, by name.
    """

    def __init__(self, credentials: Credentials) -> None:
        self.present = credentials
        self.pending: UnprovenPassword | None = None
        self.failing = False
        self.overriding = ""
        self.log: list[str] = []

    place = "credentials.toml [sectigo]"

    def overridden_by(self) -> str:
        return self.overriding

    async def kept(self) -> Credentials:
        return self.present

    async def save(self, credentials: Credentials) -> None:
        self._write("save")
        self.present, self.pending = credentials, None

    async def unproven(self) -> UnprovenPassword | None:
        return self.pending

    async def save_unproven(self, credentials: Credentials) -> None:
        self._write("save unproven")
        assert self.pending is None
        self.pending = UnprovenPassword(credentials)

    async def mark_tried(self, candidate: Candidate) -> None:
        self._write(f"mark {candidate}")
        assert self.pending is not None
        pending = self.pending
        self.pending = replace(pending, tried=pending.tried | {candidate}, refused=pending.refused - {candidate})

    async def mark_refused(self, candidate: Candidate) -> None:
        self._write(f"refused {candidate}")
        assert self.pending is not None
        self.pending = replace(self.pending, refused=self.pending.refused | {candidate})

    async def promote(self) -> None:
        self._write("promote")
        assert self.pending is not None
        self.present, self.pending = self.pending.credentials, None

    async def discard(self) -> None:
        self._write("discard")
        self.pending = None

    def _write(self, what: str) -> None:
        if self.failing:
            raise StoreError("credentials.toml", "no space left on device", "make room")
        self.log.append(what)


def new_world(**settings: object) -> World:
    """Return a simulated account whose time is the running loop's."""
    clock = LoopClock()
    return World(clock=clock.now, sleep=clock.sleep, **settings)  # type: ignore[arg-type] # World's own settings


class Site:
    """The program, its disk and SCM; made on the loop in which its story runs.

    Args:
        world: SCM; one of its own when None.
        disk: The disk, where the story has more processes than this one.
        kept: The credentials on that disk.
        name: The process.
        read_only: Whether writes are disabled.
        limit: How many requests may be in flight.
        certctl: certctl-server.
        team: What processes on other hosts tell of the login.
        ask_again: Asks the password command of this host.
    """

    def __init__(
        self,
        *,
        world: World | None = None,
        disk: Disk | None = None,
        kept: Kept | None = None,
        name: str = "this process",
        read_only: bool = False,
        limit: int = 4,
        certctl: Certctl | None = None,
        team: TeamLogins | None = None,
        ask_again: Callable[[], SecretText] | None = None,
    ) -> None:
        self.clock = LoopClock()
        self.world = world or new_world()
        account = self.world.account.credentials
        self.kept = kept or Kept(Credentials(account.customer_uri, account.login, SecretText(account.password)))
        self.wire = Wire(self.world)
        self.disk = disk or Disk()
        self.store = MemoryStore(self.clock, self.disk, name)
        self.received: list[EngineEvent] = []
        event_source = EventSource()
        event_source.subscribe(self.received.append)
        self.scm = ScmClient(
            "https://scm.test/api", self.kept.present, self.clock, transport=self.wire, observe=event_source
        )
        self.limiter = RequestLimiter(limit)
        self.context = Context(
            client=lambda: self.scm,
            limiter=self.limiter,
            repository=OrderRepository(self.store, self.clock, event_source),
            clock=self.clock,
            random=Random(f"{name} {len(self.disk.writes)}"),
            read_certificate=read_certificate,
            options=EngineOptions(read_only=read_only),
        )
        access = Access(
            in_use=self.kept.present,
            keeper=self.kept,
            certctl=certctl,
            issuer_id="iss-sectigo",
            team=team,
            ask_again=ask_again,
        )
        self.engine = Engine(self.context, event_source, PkiTools, lambda: access)

    async def restarted(self, name: str = "the next process") -> Site:
        """Kill this process wherever it is, and return the one that is started after it."""
        for task in asyncio.all_tasks():
            if task.get_name().startswith("write "):
                task.cancel()
        await asyncio.sleep(0)
        self.disk.leases.clear()
        return Site(world=self.world, disk=self.disk, kept=self.kept, name=name)

    def change_elsewhere(self, password: str) -> None:
        """Give the account another password, as somebody does in SCM."""
        self.world.account.credentials.password = password

    @property
    def orders(self) -> list[Order]:
        """The local orders on the list."""
        return self.store.orders()

    @property
    def order(self) -> Order:
        """The one local order, on the list or not."""
        (order,) = self.disk.orders.values()
        return order

    def settled(self) -> OrderState:
        """Return the state of the one local order as it is now."""
        return self.order.state

    def all_heard(self, kind: type[A]) -> list[A]:
        """Return the events of a kind."""
        return [event for event in self.received if isinstance(event, kind)]

    def summaries(self, order_id: str) -> list[str]:
        """Return an order's timeline in words."""
        return [entry.summary for entry in self.store.timeline(order_id)]

    @asynccontextmanager
    async def following(self, *, polling: bool = False) -> AsyncIterator[None]:
        """Follow up writes (and poll) while the block lasts."""
        tasks = [asyncio.create_task(self.engine.pending_writes.run())]
        if polling:
            tasks.append(asyncio.create_task(self.engine.scheduler.run()))
        try:
            yield
            for task in tasks:
                assert not task.done(), task
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def follow_for(self, seconds: float, *, polling: bool = False) -> None:
        """Follow up for a time."""
        async with self.following(polling=polling):
            await self.clock.sleep(seconds)

    async def an_order(self, state: OrderState = OrderState.COLLECTED, common_name: str = "www.acme.example") -> Order:
        """Return an order that was placed here and has come as far as a state."""
        life = {"collected": "instant", "pending": "vetting"}[state]
        placed = await self.engine.enrolling.enroll(ready(common_name, comments=f"[sim:{life}]"))
        await self.follow_for(20, polling=True)
        order = self.store.order(placed.order.id)
        assert order is not None
        assert order.state is state
        return order
