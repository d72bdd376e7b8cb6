"""The program over its real client and store, a proxy where things go wrong, and the simulator behind it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random
from typing import Any, cast
from unittest import mock

from resilience_faults import Row, Way
from resilience_proxy import FaultyProxy, no_fault, proxied

from sectigo_tui.domain.certificates import EnrollRequest, ListingFilter
from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.ports import Credentials, Scm, SecretText
from sectigo_tui.engine.context import Context, EngineOptions
from sectigo_tui.engine.credentials.service import Access
from sectigo_tui.engine.engine import Engine, EventSource
from sectigo_tui.engine.repository import OrderRepository
from sectigo_tui.engine.requests.limiter import RequestLimiter
from sectigo_tui.pki.bundle import read_certificate
from sectigo_tui.pki.tools import PkiTools
from sectigo_tui.scm.client import ScmClient
from sectigo_tui.scm.http import Timeouts
from sectigo_tui.simulator.server import served
from sectigo_tui.simulator.world import World
from sectigo_tui.store.local.journal_store import JournalStore
from support.stored_orders import HandClock
from support.writing import ACME, OV, Kept, csr_pem

PATIENT = Timeouts(connect_seconds=20, read_seconds=20)
QUICK = Timeouts(connect_seconds=20, read_seconds=0.2)
"""For what hangs anyway."""

NAME = "www.acme.example"

Call = Callable[[Scm], Awaitable[object]]


class Stand:
    """One account, one data directory, and one process after another.

    Args:
        world: SCM.
        proxy: What stands before it.
        direct_url: The way around that.
        directory: The data directory.

    Attributes:
        clock: The program's time, moved by hand.
    """

    def __init__(self, world: World, proxy: FaultyProxy, direct_url: str, directory: Path) -> None:
        self.world = world
        self.proxy = proxy
        self.clock = HandClock()
        self._directory = directory
        account = world.account.credentials
        self._direct_url = direct_url
        self._enrolled_before = len(world.enrolled)
        self._kept = Kept(Credentials(account.customer_uri, account.login, SecretText(account.password)))
        self._clients: list[ScmClient] = []
        self._stores: list[JournalStore] = []

    @property
    def enrolled(self) -> Sequence[int]:
        """The sslIds of the orders that SCM took meanwhile."""
        return self.world.enrolled[self._enrolled_before :]

    @property
    def common_name(self) -> str:
        """A name that no other stand's orders have."""
        return f"w{self._enrolled_before}-{len(self.world.orders)}.acme.example"

    def client(self, row: Row | None = None) -> ScmClient:
        """Return a client, to which a fault is done by where it connects, if it is of that way."""
        way = row.way if row else Way.ANSWERED
        base_url = {
            Way.NOBODY_LISTENS: f"http://127.0.0.1:{_free_port()}/api",
            Way.NO_SUCH_NAME: "https://no-such-name.invalid/api",
            Way.NO_TLS: f"https://127.0.0.1:{self.proxy.port}/api",
        }.get(way, f"http://127.0.0.1:{self.proxy.port}/api")
        timeouts = QUICK if row and row.hangs else PATIENT
        made = ScmClient(base_url, self._kept.present, self.clock, timeouts=timeouts)
        self._clients.append(made)
        return made

    def engine(self, row: Row | None = None, *, only: str = "") -> Engine:
        """Return a process that has read what is on the disk.

        Args:
            row: A fault that its requests meet.
            only: The one call that meets it; all, if empty.
        """
        event_source = EventSource()
        store = JournalStore.open(self._directory, self.clock)
        self._stores.append(store)
        limiter = RequestLimiter(4)
        limiter.unlock()
        scm = cast("Scm", _OneCallBy(self.client(row), only, self._direct())) if only else self.client(row)
        context = Context(
            client=lambda: scm,
            limiter=limiter,
            repository=OrderRepository(store, self.clock, event_source),
            clock=self.clock,
            random=Random(len(self._stores)),
            read_certificate=read_certificate,
            options=EngineOptions(),
        )
        access = Access(in_use=self._kept.present, keeper=self._kept)
        return Engine(context, event_source, PkiTools, lambda: access)

    def _direct(self) -> ScmClient:
        made = ScmClient(self._direct_url, self._kept.present, self.clock, timeouts=PATIENT)
        self._clients.append(made)
        return made

    def meet(self, row: Row | None) -> None:
        """Let a fault begin; None ends it."""
        self.proxy.fault = row.fault if row else no_fault
        self.proxy.deaf = None
        if row is not None and row.way is Way.RESET_AT_ONCE:
            self.proxy.deaf = b""
        if row is not None and row.way is Way.NO_TLS:
            self.proxy.deaf = b"HTTP/1.1 400 Bad Request\r\n\r\n"

    def on_disk(self, order_id: str) -> Order | None:
        """Return an order as whoever opens the directory now reads it."""
        store = JournalStore.open(self._directory, self.clock)
        try:
            return store.order(order_id)
        finally:
            store.let_go()

    async def kill(self, engine: Engine) -> None:
        """End a process without a word; what it has handed to the operating system is there."""
        store = self._stores.pop()
        assert store is engine.context.repository.store
        await store.flush()
        await store.release()
        store.let_go()

    async def close(self) -> None:
        """Let go of everything."""
        for client in self._clients:
            await client.aclose()
        for store in self._stores:
            store.let_go()


@contextmanager
def an_account() -> Iterator[tuple[World, str]]:
    """Serve an account in which orders take their time, for any number of stands in turn."""
    world = World(seed=7)
    world.default_lives = {"DV": "vetting", "OV": "vetting", "EV": "vetting"}
    with served(world) as base_url:
        yield world, base_url


@asynccontextmanager
async def a_stand(account: tuple[World, str], directory: Path) -> AsyncIterator[Stand]:
    """Put everything up before an account, and take it down."""
    world, base_url = account
    password = world.account.credentials.password
    resolve = socket.getaddrinfo

    def getaddrinfo(host: object, *rest: object, **more: object) -> object:
        if "no-such-name" in str(host):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *rest, **more)  # type: ignore[arg-type] # as it came

    with mock.patch.object(socket, "getaddrinfo", getaddrinfo):
        async with proxied(base_url) as proxy:
            stand = Stand(world, proxy, base_url, directory)
            try:
                yield stand
            finally:
                await stand.close()
                world.account.credentials.password = password


def every_call(world: World) -> Mapping[str, Call]:
    """Return a call of each method of the port, each of which the simulator does; by the name that failures give it."""
    issued, renewed = (
        world.add_order(life="instant", common_name=f"{number}.acme.example").ssl_id for number in range(2)
    )
    approved, declined = (world.add_order(life="approval", common_name=NAME).ssl_id for _ in range(2))
    pending = world.add_order(life="dcv-missing", common_name=NAME).ssl_id
    organization = world.account.organization(ACME)
    assert organization is not None
    validation_id = organization.validations[0].id
    account = world.account.credentials
    present = Credentials(account.customer_uri, account.login, SecretText(account.password))
    csr = csr_pem(NAME).decode()
    request = EnrollRequest(organization_id=ACME, csr_pem=csr, profile_id=OV, term_days=199)
    return {
        "types": lambda scm: scm.types(),
        "custom_fields": lambda scm: scm.custom_fields(),
        "listing": lambda scm: scm.listing(ListingFilter(), position=0, size=200),
        "count": lambda scm: scm.count(ListingFilter()),
        "details": lambda scm: scm.details(pending),
        "collect": lambda scm: scm.collect(issued),
        "dcv": lambda scm: scm.dcv(pending),
        "recheck_dcv": lambda scm: scm.recheck_dcv(pending),
        "organizations": lambda scm: scm.organizations(),
        "organization_validations": lambda scm: scm.organization_validations(ACME),
        "organization_validation": lambda scm: scm.organization_validation(ACME, validation_id),
        "domain_status": lambda scm: scm.domain_status("acme.example"),
        "password_status": lambda scm: scm.password_status(),
        "credentials": lambda scm: scm.try_credentials(present),
        "enroll": lambda scm: scm.enroll(request),
        "renew": lambda scm: scm.renew(renewed),
        "approve": lambda scm: scm.approve(approved, "fine"),
        "decline": lambda scm: scm.decline(declined, "no"),
        "revoke": lambda scm: scm.revoke(issued, 4, "superseded"),
        # The last one: it makes the present password a wrong one.
        "change_password": lambda scm: scm.change_password(SecretText("Another-Password-1!")),
    }


async def failures(scm: Scm, calls: Mapping[str, Call]) -> Mapping[str, ScmFailure | None]:
    """Make calls, as many at a time as the program would, and return what each failed with."""
    places = asyncio.Semaphore(4)

    async def one(call: Call) -> ScmFailure | None:
        async with places:
            try:
                await call(scm)
            except ScmFailure as failure:
                return failure
        return None

    return dict(zip(calls, await asyncio.gather(*(one(call) for call in calls.values())), strict=True))


class _OneCallBy:
    """Makes one kind of call by one client, and all others by another."""

    def __init__(self, one: ScmClient, call: str, others: ScmClient) -> None:
        self._one = one
        self._call = call
        self._others = others

    def __getattr__(self, name: str) -> Any:
        return getattr(self._one if name == self._call else self._others, name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
