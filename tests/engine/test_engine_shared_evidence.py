"""Evidence that several processes need is fetched once: counted at SCM, in virtual time."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest

from sectigo_tui.domain.account import Organization
from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.errors import Refused
from sectigo_tui.domain.validation import (
    AccountDomain,
    DcvCheck,
    DcvLog,
    DcvProof,
    DomainValidation,
    OrganizationValidation,
)
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.diagnosis.diagnoser import EVIDENCE_REQUESTS_PER_MINUTE, Diagnoser
from sectigo_tui.engine.diagnosis.rules.causes import Cause, Party
from sectigo_tui.store.local.journal_store import JournalStore
from support.engine_world import World
from support.fake_scm import FakeScm
from support.memory_store import Disk
from support.virtual_time import LoopClock, in_virtual_time

ORGANIZATION, DOMAIN = 1002, "acme.example"


class Dashboard:
    """One process that shares SCM and the disk with others."""

    def __init__(self, scm: FakeScm, disk: Disk, clock: LoopClock, name: str) -> None:
        self.world = World(scm=scm, disk=disk, clock=clock, name=name)
        self.account = Account(self.world.context)
        self.diagnoser = Diagnoser(self.world.context, self.account)

    def causes(self, ssl_ids: list[int]) -> set[Cause]:
        return {self.diagnoser.cheap(ssl_id).cause for ssl_id in ssl_ids}


class Site:
    """SCM with orders that wait for their domains, and processes that share a store.

    Args:
        dashboards: How many processes.
        orders: How many orders.
    """

    def __init__(self, dashboards: int, orders: int) -> None:
        self.clock, self.disk = LoopClock(), Disk()
        self.scm = FakeScm(self.clock)
        self.scm.organization_list = (Organization(ORGANIZATION, "Acme Logistics"),)
        self.scm.validations[ORGANIZATION] = (OrganizationValidation(id=7, level="OV", status="VALIDATED"),)
        self.scm.account_domains = (AccountDomain(id=9, name=DOMAIN, state="ACTIVE", delegation_status="ACTIVE"),)
        self.scm.domain_statuses[DOMAIN] = DomainValidation(domain=DOMAIN, status="VALIDATED", expires=date(2026, 9, 1))
        self.ssl_ids = list(range(1, orders + 1))
        for ssl_id in self.ssl_ids:
            name = f"www{ssl_id}.{DOMAIN}"
            self.scm.live(
                ssl_id,
                OrderDetails(
                    ssl_id=ssl_id, status="Applied", common_name=name, organization_id=ORGANIZATION, validation="OV"
                ),
            )
            proof = DcvProof(mode="CNAME", host=f"_t.{name}.", point="a.b.sectigo.com.")
            self.scm.dcv_logs[ssl_id] = DcvLog((DcvCheck(domain=name, status="Awaiting Validation", proof=proof),))
        self.dashboards = [Dashboard(self.scm, self.disk, self.clock, f"pid {number}") for number in range(dashboards)]

    def calls(self) -> Counter[str]:
        return Counter(asked.call for asked in self.scm.asked)


async def cost_of(dashboards: int, orders: int = 12) -> Counter[str]:
    """Return the calls of so many processes that all have the same orders in sight, for a quarter of an hour."""
    site = Site(dashboards, orders)
    seen = [one.diagnoser.watch(site.ssl_ids, lambda _target, _verdict: None) for one in site.dashboards]
    fresh = [asyncio.create_task(one.diagnoser.keep_fresh()) for one in site.dashboards]
    await asyncio.gather(*seen)
    await site.clock.sleep(900)
    for dashboard in site.dashboards:
        await dashboard.account.shared.read()
        assert dashboard.causes(site.ssl_ids) == {Cause.DOMAIN_NOT_VALIDATED}
    for task in fresh:
        task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.gather(*fresh)
    return site.calls()


def test_four_dashboards_over_the_same_orders_cost_the_requests_of_one() -> None:
    costs: list[Counter[str]] = []

    @in_virtual_time
    async def story(dashboards: int) -> None:
        costs.append(await cost_of(dashboards))

    story(1)
    story(4)
    alone, together = costs
    assert alone["dcv"] == alone["domain_status"] == 2 * 12  # once, and refreshed once
    assert together == alone


@in_virtual_time
async def test_a_second_diagnosis_elsewhere_costs_no_request_and_tells_when_the_answers_were_given() -> None:
    site = Site(2, 1)
    first, second = site.dashboards
    told = await first.diagnoser.diagnose(1)
    before = site.calls()
    await site.clock.sleep(20)
    again = await second.diagnoser.diagnose(1)
    assert site.calls() == before
    assert again.verdict.party is Party.DNS_OWNER
    assert [fact.at for fact in again.verdict.evidence] == [fact.at for fact in told.verdict.evidence]
    assert again.domains == told.domains
    await second.diagnoser.diagnose(1, max_age_seconds=0.0)
    assert site.calls()["dcv"] == 2
    await first.diagnoser.diagnose(1)
    assert site.calls()["dcv"] == 2


@in_virtual_time
async def test_where_another_process_polls_it_alone_fetches_what_is_in_sight_here() -> None:
    site = Site(2, 3)
    poller, other = site.dashboards
    await poller.world.store.lease(["some-order"], 3_600.0)
    await other.diagnoser.watch(site.ssl_ids, lambda _target, _verdict: None)
    assert not site.scm.asked
    tasks = [asyncio.create_task(one.diagnoser.keep_fresh()) for one in site.dashboards]
    await site.clock.sleep(60)
    assert other.causes(site.ssl_ids) == {Cause.DOMAIN_NOT_VALIDATED}
    assert site.calls()["dcv"] == 3
    assert poller.diagnoser.wanted == 3
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@in_virtual_time
async def test_evidence_for_columns_keeps_within_its_budget() -> None:
    site = Site(1, 100)
    dashboard = site.dashboards[0]
    watching = asyncio.create_task(dashboard.diagnoser.watch(site.ssl_ids, lambda _target, _verdict: None))
    most = 0
    while not watching.done():
        await site.clock.sleep(5)
        most = max(most, dashboard.diagnoser.requests_last_minute)
    assert sum(site.calls().values()) > 2 * EVIDENCE_REQUESTS_PER_MINUTE
    assert most <= EVIDENCE_REQUESTS_PER_MINUTE + 8  # those of the order that was begun


@in_virtual_time
async def test_a_call_that_a_killed_process_was_making_is_made_by_another_after_a_while() -> None:
    site = Site(2, 1)
    killed, other = site.dashboards
    site.scm.latency_seconds["dcv"] = 10_000.0
    dying = asyncio.create_task(killed.diagnoser.diagnose(1))
    await site.clock.sleep(5)
    assert site.calls()["dcv"] == 1
    site.scm.latency_seconds["dcv"] = 0.2
    started = site.clock.monotonic()
    diagnosis = await other.diagnoser.diagnose(1)
    assert diagnosis.verdict.party is Party.DNS_OWNER
    assert 100 < site.clock.monotonic() - started < 150
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)


@pytest.mark.parametrize(("status", "code"), [(403, -3), (404, -1)])
def test_what_the_login_may_not_ask_is_asked_once_an_hour_by_all_processes_together(status: int, code: int) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site(3, 2)

        async def refuse() -> None:
            site.scm.asked.append(site.scm.asked[-1].__class__("usage", site.clock.monotonic(), "right"))
            raise Refused("usage", "no", http_status=status, code=code, description="no")

        site.scm.usage = refuse  # type: ignore[assignment,method-assign] # one call that is refused
        for _ in range(5):
            for dashboard in site.dashboards:
                for ssl_id in site.ssl_ids:
                    await dashboard.diagnoser.diagnose(ssl_id)
            await site.clock.sleep(600)
        assert site.calls()["usage"] == 1
        await site.clock.sleep(3_600)
        await site.dashboards[0].diagnoser.diagnose(1)
        assert site.calls()["usage"] == 2

    story()


@in_virtual_time
async def test_rejected_credentials_of_one_process_are_no_answer_for_another() -> None:
    site = Site(2, 1)
    first, second = site.dashboards
    site.scm.valid_password = "another"
    await first.diagnoser.diagnose(1)
    site.scm.valid_password = "right"
    assert (await second.diagnoser.diagnose(1)).verdict.party is Party.DNS_OWNER


@in_virtual_time
async def test_answers_outlive_the_process_in_files_that_their_owner_alone_reads(tmp_path: Path) -> None:
    site = Site(1, 1)
    clock = site.clock
    for attempt in range(2):
        store = JournalStore.open(tmp_path, clock)
        dashboard = Dashboard(site.scm, Disk(), clock, "pid")
        dashboard.world.repository.store = store
        account = Account(dashboard.world.context)
        diagnosis = await Diagnoser(dashboard.world.context, account).diagnose(1)
        assert diagnosis.verdict.cause is Cause.DOMAIN_NOT_VALIDATED, attempt
        await store.close()
    assert site.calls()["dcv"] == 1
    kept = sorted((tmp_path / "fetched").iterdir())
    assert kept
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    kept[0].write_bytes(b"torn {")  # read as nothing, and written anew
    store = JournalStore.open(tmp_path, clock)
    dashboard.world.repository.store = store
    await Diagnoser(dashboard.world.context, Account(dashboard.world.context)).diagnose(1)
    await store.close()
