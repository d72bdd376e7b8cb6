"""Each cause as the simulator lives it, over HTTP, and the verdict that must come of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import pytest

from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.context import Context, EngineOptions
from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser
from sectigo_tui.engine.diagnosis.rules.causes import Cause, Party
from sectigo_tui.engine.diagnosis.verdict import Strength
from sectigo_tui.engine.repository import OrderRepository
from sectigo_tui.engine.requests.limiter import RequestLimiter
from sectigo_tui.scm.client import ScmClient
from sectigo_tui.simulator.account import Domain
from sectigo_tui.simulator.app import create_app
from sectigo_tui.simulator.world import Dialect, World
from support.engine_world import read_leaf
from support.memory_store import MemoryStore

START = datetime(2026, 5, 4, 3, 12, tzinfo=UTC)
AGE_SECONDS = 3_600.0


class WorldClock:
    """The program's clock, at the world's time."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    def wall(self) -> datetime:
        return self.now()

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


class Setup:
    """The simulator, a client of it over HTTP, and a diagnoser."""

    def __init__(self, dialect: Dialect) -> None:
        self.clock = WorldClock()
        self.world = World(clock=self.clock.now, seed=3, dialect=dialect)
        known = self.world.account.credentials
        credentials = Credentials(known.customer_uri, known.login, SecretText(known.password))
        transport = httpx.ASGITransport(create_app(self.world, lost=lambda: httpx.RemoteProtocolError("closed")))
        self.scm = ScmClient("https://scm.test/api", credentials, self.clock, transport=transport)
        context = Context(
            client=lambda: self.scm,
            limiter=RequestLimiter(4),
            repository=OrderRepository(MemoryStore(self.clock), self.clock, lambda _announcement: None),
            clock=self.clock,
            random=Random(0),
            read_certificate=read_leaf,
            options=EngineOptions(),
        )
        self.account = Account(context)
        self.diagnoser = Diagnoser(context, self.account)


DIALECTS = {
    "manual": Dialect.named("manual"),
    "openapi": Dialect.named("openapi"),
    "days": Dialect(heeds_date_format=False),
}


@pytest.fixture(params=list(DIALECTS.values()), ids=list(DIALECTS))
async def setup(request: pytest.FixtureRequest) -> AsyncIterator[Setup]:
    made = Setup(request.param)
    yield made
    await made.scm.aclose()


@pytest.mark.parametrize(
    ("life", "cause", "party"),
    [
        ("ov-init", Cause.CREATING, Party.NOBODY_YET),
        ("ov-approval", Cause.APPROVAL, Party.APPROVER),
        ("ev-approval", Cause.APPROVAL, Party.APPROVER),
        ("ov-sa-approved", Cause.SECOND_APPROVAL, Party.APPROVER),
        ("ov-not-taken", Cause.NOT_TAKEN, Party.NOBODY_YET),
        ("ov-org-pending", Cause.ORGANIZATION_PENDING, Party.ORGANIZATION_CONTACT),
        ("ov-org-failed", Cause.ORGANIZATION_FAILED, Party.ORGANIZATION_CONTACT),
        ("ov-org-expired", Cause.ORGANIZATION_EXPIRED, Party.ORGANIZATION_CONTACT),
        ("ev-org-pending", Cause.ORGANIZATION_PENDING, Party.ORGANIZATION_CONTACT),
        ("dv-dcv-missing", Cause.DOMAIN_NOT_VALIDATED, Party.DNS_OWNER),
        ("ov-dcv-missing", Cause.DOMAIN_NOT_VALIDATED, Party.DNS_OWNER),
        ("ov-dcv-expired", Cause.DOMAIN_EXPIRED, Party.DNS_OWNER),
        ("ov-dcv-not-started", Cause.DOMAIN_NOT_STARTED, Party.YOU),
        ("ov-dcv-not-submitted", Cause.DOMAIN_NOT_SUBMITTED, Party.YOU),
        ("dv-dcv-rejected", Cause.DOMAIN_REJECTED, Party.YOU),
        ("ov-domain-suspended", Cause.DOMAIN_SUSPENDED, Party.YOU),
        ("ov-delegation-requested", Cause.DELEGATION_REQUESTED, Party.APPROVER),
        ("ov-vetting", Cause.VETTING, Party.CA),
        ("ev-vetting", Cause.VETTING, Party.CA),
        ("ov-rejected", Cause.REJECTED, Party.YOU),
        ("ov-declined", Cause.DECLINED, Party.YOU),
        ("ov-invalid", Cause.INVALID, Party.YOU),
        ("ov-instant", Cause.SETTLED, Party.NOBODY),
    ],
)
async def test_each_cause_has_its_verdict(setup: Setup, life: str, cause: Cause, party: Party) -> None:
    order = setup.world.add_order(life=life, common_name="www.acme.example")
    setup.world.advance(AGE_SECONDS)
    await setup.clock.sleep(1)
    verdict = (await setup.diagnoser.diagnose(order.ssl_id)).verdict
    assert (verdict.cause, verdict.party) == (cause, party), verdict
    assert verdict.strength is Strength.FULL
    assert verdict.others == ()


@pytest.mark.parametrize(
    ("life", "causes"),
    [
        ("ov-dcv-missing+org-pending", [Cause.DOMAIN_NOT_VALIDATED, Cause.ORGANIZATION_PENDING]),
        ("ov-dcv-expired+org-failed", [Cause.DOMAIN_EXPIRED, Cause.ORGANIZATION_FAILED]),
        ("ov-approval+org-pending", [Cause.APPROVAL, Cause.ORGANIZATION_PENDING]),
        ("ov-approval+dcv-missing", [Cause.APPROVAL, Cause.DOMAIN_NOT_VALIDATED]),
        ("ov-not-taken+dcv-expired", [Cause.NOT_TAKEN, Cause.DOMAIN_EXPIRED]),
        ("ev-none-left", [Cause.NONE_LEFT, Cause.NOT_TAKEN]),
        ("ov-none-left+domain-suspended", [Cause.NONE_LEFT, Cause.DOMAIN_SUSPENDED, Cause.NOT_TAKEN]),
        ("ov-delegation-requested+dcv-rejected", [Cause.DELEGATION_REQUESTED, Cause.DOMAIN_REJECTED]),
    ],
)
async def test_several_causes_at_once_are_all_named(setup: Setup, life: str, causes: list[Cause]) -> None:
    order = setup.world.add_order(life=life, common_name="www.acme.example")
    setup.world.advance(AGE_SECONDS)
    verdict = (await setup.diagnoser.diagnose(order.ssl_id)).verdict
    assert [verdict.cause, *(finding.cause for finding in verdict.others)] == causes


async def test_a_customer_without_dcv_waits_for_no_domain(setup: Setup) -> None:
    order = setup.world.add_order(life="ov-vetting", common_name="www.acme.example")
    setup.world.account.is_dcv_used = False
    setup.world.advance(AGE_SECONDS)
    verdict = (await setup.diagnoser.diagnose(order.ssl_id)).verdict
    assert (verdict.cause, verdict.strength, verdict.others) == (Cause.VETTING, Strength.FULL, ())
    assert "DCV is not used for this customer" in verdict.sentence


async def test_a_contract_that_this_login_may_not_read_is_no_cause(setup: Setup) -> None:
    order = setup.world.add_order(life="ev-none-left", common_name="www.acme.example")
    setup.world.faults.add("error", path="/usage/", status=403, code=-3, description="You are not authorized.")
    setup.world.advance(AGE_SECONDS)
    verdict = (await setup.diagnoser.diagnose(order.ssl_id)).verdict
    assert (verdict.cause, verdict.strength) == (Cause.NOT_TAKEN, Strength.FULL)
    assert "contract not known: this login may not ask" in verdict.missing_evidence[0].what


async def test_a_sync_after_the_record_was_published_changes_the_verdict_and_is_written_down(setup: Setup) -> None:
    order = setup.world.add_order(life="ov-dcv-rejected", common_name="www.acme.example")
    setup.world.advance(AGE_SECONDS)
    assert (await setup.diagnoser.diagnose(order.ssl_id)).verdict.cause is Cause.DOMAIN_REJECTED
    setup.world.publish_record("www.acme.example")
    diagnosis = await setup.diagnoser.sync(order.ssl_id)
    assert diagnosis.verdict.cause is not Cause.DOMAIN_REJECTED
    asked = [one.path for one in setup.world.traffic.matching("POST", "sync")]
    assert asked == ["/api/dcv/v2/validation/sync"]


async def test_the_domains_of_an_order_tell_until_when_they_are_valid(setup: Setup) -> None:
    world = setup.world
    world.account.register(
        Domain("acme.example", validated=world.start - timedelta(days=100), expires=world.start + timedelta(days=98))
    )
    order = world.add_order(life="ov-vetting", common_name="www.acme.example")
    world.advance(AGE_SECONDS)
    (line,) = (await setup.diagnoser.diagnose(order.ssl_id)).domains
    assert line.expires is not None
    assert f"{line.expires:%Y-%m-%d}" == f"{world.start + timedelta(days=98):%Y-%m-%d}"
    assert len(world.traffic.matching("GET", "dcv/v2/validation$")) == 1


async def test_a_department_waits_for_its_parents_validation(setup: Setup) -> None:
    order = setup.world.add_order(life="ov-vetting", common_name="routes.acme.example", organization_id=1103)
    setup.world.advance(AGE_SECONDS)
    verdict = (await setup.diagnoser.diagnose(order.ssl_id)).verdict
    assert verdict.cause is Cause.ORGANIZATION_PENDING
    assert "Acme Logistics" in verdict.sentence


async def test_the_cas_last_message_and_its_tracking_id_reach_the_verdict(setup: Setup) -> None:
    order = setup.world.add_order(life="ov-org-failed", common_name="www.acme.example")
    setup.world.advance(AGE_SECONDS)
    verdict = (await setup.diagnoser.diagnose(order.ssl_id)).verdict
    assert "Callback number could not be verified" in verdict.sentence
    assert "tracking id" in verdict.next_action


async def test_the_record_to_publish_is_told_and_a_recheck_after_it_changes_the_verdict(setup: Setup) -> None:
    order = setup.world.add_order(life="ov-dcv-missing", common_name="www.acme.example")
    setup.world.advance(AGE_SECONDS)
    before = (await setup.diagnoser.diagnose(order.ssl_id)).verdict
    assert "Publish CNAME _" in before.next_action
    setup.world.publish_record("www.acme.example")
    diagnosis = await setup.diagnoser.recheck(order.ssl_id)
    assert diagnosis.verdict.cause is not Cause.DOMAIN_NOT_VALIDATED


async def test_a_fault_of_one_call_is_missing_evidence_and_not_a_wrong_verdict(setup: Setup) -> None:
    order = setup.world.add_order(life="ov-vetting", common_name="www.acme.example")
    setup.world.advance(AGE_SECONDS)
    setup.world.faults.add("unavailable", path="validations")
    verdict = (await setup.diagnoser.diagnose(order.ssl_id)).verdict
    assert (verdict.party, verdict.strength, verdict.cell) == (Party.UNKNOWN, Strength.PARTIAL, "CA or org?")
    assert "organization validations failed to load" in verdict.sentence


async def test_a_day_of_a_remote_order_stays_a_day_and_a_time_a_time(setup: Setup) -> None:
    order = setup.world.add_order(
        life="ov-approval", common_name="www.acme.example", requested=START - timedelta(days=3, hours=5)
    )
    requested = (await setup.diagnoser.diagnose(order.ssl_id)).stages[0]
    assert requested.lasted is not None
    assert requested.reached is not None
    if not setup.world.dialect.heeds_date_format:
        assert (requested.reached.text, requested.lasted.text) == ("2026-04-30", "3-4 d")
    else:
        assert (requested.reached.text, requested.lasted.text) == ("2026-04-30 22:12Z", "3d05h")


WAITING = (
    "ov-init", "ov-approval", "ov-sa-approved", "ov-not-taken", "ov-org-pending", "ov-org-failed", "ov-org-expired",
    "ov-dcv-missing", "ov-dcv-expired", "ev-vetting",
)  # fmt: skip


async def test_a_handover_is_the_same_whichever_dialect_scm_speaks() -> None:
    texts, listed = [], []
    for dialect in (
        Dialect.named("manual"),
        Dialect.named("openapi"),
        Dialect.named("openapi", status_filter="joined"),
    ):
        setup = Setup(dialect)
        for life in WAITING:
            setup.world.add_order(life=life, common_name=f"{life}.acme.example")
        setup.world.advance(AGE_SECONDS)
        await setup.account.refresh_pending()
        ids = sorted(setup.account.pending())
        for ssl_id in ids:
            await setup.diagnoser.diagnose(ssl_id)
        listed.append({ssl_id: one.status for ssl_id, one in setup.account.pending().items()})
        words = "".join(filter(str.isalnum, setup.diagnoser.handover(ids).casefold()))
        texts.append(words)
        await setup.scm.aclose()
    assert listed[0] == listed[1] == listed[2]
    assert len(listed[0]) == len(WAITING)
    assert texts[0] == texts[1] == texts[2]
