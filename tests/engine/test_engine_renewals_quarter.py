"""A quarter at the simulated SCM: who orders by `order_by` has no outage, who orders a fortnight ahead has some."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import httpx

from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.engine.account.in_use import Renewals
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.account.renewals import Renewal
from sectigo_tui.engine.context import Context, EngineOptions
from sectigo_tui.engine.diagnosis.normal import Samples
from sectigo_tui.engine.repository import OrderRepository
from sectigo_tui.engine.requests.limiter import RequestLimiter
from sectigo_tui.scm.client import ScmClient
from sectigo_tui.simulator.app import create_app
from sectigo_tui.simulator.orders import named_life
from sectigo_tui.simulator.world import World
from support.engine_world import read_leaf
from support.memory_store import MemoryStore

START = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
QUARTER_DAYS = 91
STEP_DAYS = 2
TERM_DAYS = 199
CERTIFICATES = 24
VETTING_DAYS = (2, 3, 3, 4, 4, 5, 5, 6, 9, 19)
"""How long the CA takes: of ten orders one takes almost three weeks."""


class SimulatedDays:
    """A clock that the story moves."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def wall(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def orders_by_the_last_safe_day(renewal: Renewal, today: datetime) -> bool:
    return renewal.order_by <= today.date()


def orders_a_fortnight_ahead(renewal: Renewal, today: datetime) -> bool:
    return (renewal.expires - today.date()).days <= 14


async def outages_of(wants_to_order: object) -> tuple[int, int]:
    """Live through a quarter, two days at a time; return how many certificates ended unrenewed, and how many orders."""
    clock = SimulatedDays()
    world = World(clock=clock.now, seed=3)
    random = Random(7)

    def order(name: str, requested: datetime) -> None:
        vetting = random.choice(VETTING_DAYS) * 86_400.0
        life = replace(named_life("ov-instant"), vetting_seconds=vetting, gated=False)
        world.add_order(life=life, common_name=name, requested=requested, term_days=TERM_DAYS)

    for number in range(CERTIFICATES):
        # They end over the quarter, and their orders, lately placed or long ago, are this account's history.
        ends = START + timedelta(days=30 + number * 60 / CERTIFICATES)
        life = replace(named_life("ov-instant"), gated=False)
        issued = ends - timedelta(days=TERM_DAYS)
        world.add_order(life=life, common_name=f"host{number}.acme.example", requested=issued, term_days=TERM_DAYS)
    for number in range(30):
        order(f"past{number}.acme.example", START - timedelta(days=80 - number * 1.8))

    known = world.account.credentials
    transport = httpx.ASGITransport(create_app(world, lost=lambda: httpx.RemoteProtocolError("closed")))
    credentials = Credentials(known.customer_uri, known.login, SecretText(known.password))
    scm = ScmClient("https://scm.test/api", credentials, clock, transport=transport)
    context = Context(
        client=lambda: scm,
        limiter=RequestLimiter(4),
        repository=OrderRepository(MemoryStore(clock), clock, lambda _event: None),
        clock=clock,
        random=Random(0),
        read_certificate=read_leaf,
        options=EngineOptions(),
    )
    account = Account(context)
    samples = Samples(context, account)
    renewals = Renewals(context, account, samples=samples.all)
    outages, ordered = 0, set()
    for _ in range(0, QUARTER_DAYS, STEP_DAYS):
        await account.refresh_pending()
        await samples.learn_reported()
        await renewals.refresh()
        for renewal in await renewals.due():
            name = renewal.certificate.common_name
            if not name.startswith("host"):
                continue
            if renewal.successor is None and name not in ordered and wants_to_order(renewal, clock.at):  # type: ignore[operator]
                ordered.add(name)
                order(name, clock.at)
            has_new = renewal.successor is not None and renewal.successor.is_issued
            if (renewal.expires - clock.at.date()).days < STEP_DAYS and not has_new:
                outages += 1
        await clock.sleep(STEP_DAYS * 86_400)
    await scm.aclose()
    return outages, len(ordered)


async def test_ordering_by_the_last_safe_day_has_no_outage_and_a_fortnight_ahead_has_some() -> None:
    assert await outages_of(orders_by_the_last_safe_day) == (0, CERTIFICATES)
    outages, ordered = await outages_of(orders_a_fortnight_ahead)
    assert ordered == CERTIFICATES
    assert outages >= 1
