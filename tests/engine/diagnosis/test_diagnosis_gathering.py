"""Evidence as it is asked for: through the limit, once for all orders, each call failing by itself."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.account import Organization
from sectigo_tui.domain.certificates import ListingRow, OrderDetails
from sectigo_tui.domain.dns import CaaAnswer, CaaRecord
from sectigo_tui.domain.errors import DnsFailure, ReadOnly, ScmFailure
from sectigo_tui.domain.events import EventKind
from sectigo_tui.domain.validation import DcvCheck, DcvLog, DcvProof, DomainValidation, OrganizationValidation
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.context import EngineOptions
from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser
from sectigo_tui.engine.diagnosis.evidence.known import Target
from sectigo_tui.engine.diagnosis.evidence.model import AnswerState, Part
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.engine.diagnosis.rules.causes import Cause, Party
from sectigo_tui.engine.diagnosis.verdict import Strength, Verdict
from sectigo_tui.engine.orders.entries import record
from support.engine_world import World
from support.fake_scm import not_found, rate_limited, refused, server_failure
from support.virtual_time import START, in_virtual_time

DEPARTMENT, HOLDER, DOMAIN = 1103, 1002, "acme.example"


class FakeDns:
    """DNS in memory; a name in `failing` cannot be looked up."""

    def __init__(self) -> None:
        self.caa_records: dict[str, CaaAnswer] = {}
        self.cnames: dict[str, str] = {}
        self.failing: set[str] = set()
        self.asked: list[str] = []

    async def caa(self, domain: str) -> CaaAnswer:
        self._ask(domain)
        return self.caa_records.get(domain, CaaAnswer(domain))

    async def cname(self, name: str) -> str:
        self._ask(name)
        return self.cnames.get(name, "")

    async def txt(self, name: str) -> tuple[str, ...]:
        self._ask(name)
        return ()

    def _ask(self, name: str) -> None:
        self.asked.append(name)
        if name in self.failing:
            raise DnsFailure(name, "the lifetime expired")


class Bench:
    """A world with one organization, its department, a domain, and a diagnoser."""

    def __init__(self, dns: FakeDns | None = None) -> None:
        self.world = World()
        self.scm = self.world.scm
        self.scm.organization_list = (
            Organization(HOLDER, "Acme Logistics"),
            Organization(DEPARTMENT, "Fleet", HOLDER),
        )
        self.validate("VALIDATED")
        self.account = Account(self.world.context)
        self.diagnoser = Diagnoser(self.world.context, self.account, dns)

    def validate(self, status: str) -> None:
        self.scm.validations[HOLDER] = (OrganizationValidation(id=7, level="OV", status=status, tracking_id="T-1"),)

    def remote(self, ssl_id: int, status: str = "Applied", *, dcv: str = "Validated", level: str = "OV") -> int:
        name = f"www{ssl_id}.{DOMAIN}"
        details = OrderDetails(
            ssl_id=ssl_id, status=status, common_name=name, organization_id=DEPARTMENT, validation=level
        )
        self.scm.live(ssl_id, details)
        proof = DcvProof(mode="CNAME", host=f"_t.{name}.", point="a.b.sectigo.com.")
        check = DcvCheck(domain=name, status=dcv, proof=proof)
        self.scm.dcv_logs[ssl_id] = DcvLog((check,))
        return ssl_id

    def calls(self) -> Counter[str]:
        return Counter(asked.call for asked in self.scm.asked)

    def fail(self, call: str, failure: ScmFailure) -> None:
        """Let one call fail from now on, and no other."""

        async def refuse(*_arguments: object) -> None:
            self.scm.asked.append(dataclasses.replace(self.scm.asked[-1], call=call))
            raise failure

        setattr(self.scm, call, refuse)


@in_virtual_time
async def test_a_departments_order_waits_for_the_validation_of_its_organization() -> None:
    bench = Bench()
    bench.validate("PENDING")
    diagnosis = await bench.diagnoser.diagnose(bench.remote(1))
    assert (diagnosis.verdict.cause, diagnosis.verdict.party) == (
        Cause.ORGANIZATION_PENDING,
        Party.ORGANIZATION_CONTACT,
    )
    assert "Acme Logistics" in diagnosis.verdict.sentence
    assert "tracking id T-1" in diagnosis.verdict.next_action
    assert [asked.about for asked in bench.scm.asked if asked.call == "organization_validations"] == [HOLDER]


@in_virtual_time
async def test_twenty_orders_of_one_organization_cost_one_poll_at_its_validations() -> None:
    bench = Bench()
    bench.validate("PENDING")
    ids = [bench.remote(ssl_id) for ssl_id in range(1, 21)]
    await asyncio.gather(*(bench.diagnoser.diagnose(ssl_id) for ssl_id in ids))
    calls = bench.calls()
    assert calls == {
        "details": 20,
        "dcv": 20,
        "organizations": 1,
        "organization_validations": 1,
        "organization_validation": 1,
        "domains": 1,
        "domain_validations": 1,
        "usage": 1,
    }
    assert bench.scm.most_in_flight <= 3  # a poll always finds a free place among the four
    (common, *_) = bench.diagnoser.common_causes(ids)
    assert common.text == "20 orders, organization Acme Logistics: waiting for its OV validation"


@in_virtual_time
async def test_the_screen_opens_at_once_and_fills_in_part_by_part() -> None:
    bench, seen = Bench(FakeDns()), list[tuple[Part, Party, float]]()
    clock = bench.world.clock

    def on_part(part: Part, diagnosis: Diagnosis) -> None:
        seen.append((part, diagnosis.verdict.party, clock.monotonic()))

    await bench.diagnoser.gather(bench.remote(1), on_part)
    assert seen[0] == (Part.LOCAL, Party.UNKNOWN, 0.0)
    assert {part for part, _, _ in seen} == set(Part)
    assert seen[-1][1] is Party.CA


@in_virtual_time
async def test_a_part_that_is_being_asked_for_says_so() -> None:
    bench, states = Bench(), list[AnswerState]()
    ssl_id = bench.remote(1)

    def on_part(part: Part, diagnosis: Diagnosis) -> None:
        if part is Part.DCV:
            states.append(diagnosis.evidence.organization.state)

    bench.scm.latency_seconds["organization_validations"] = 60.0
    await bench.diagnoser.gather(ssl_id, on_part)
    assert states == [AnswerState.ASKING]


@pytest.mark.parametrize(
    ("call", "missing_part"),
    [
        ("details", "order details failed to load"),
        ("dcv", "order DCV log failed to load"),
        ("organizations", "organization validations failed to load"),
        ("organization_validations", "organization validations failed to load"),
        ("domain_status", "domain validations failed to load"),
    ],
)
def test_each_call_fails_by_itself(call: str, missing_part: str) -> None:
    @in_virtual_time
    async def story() -> None:
        bench = Bench()
        ssl_id = bench.remote(1, dcv="Awaiting Validation" if call == "domain_status" else "Validated")
        bench.scm.rows["Applied"] = (ListingRow(ssl_id, f"www1.{DOMAIN}"),)
        await bench.account.refresh_pending()
        bench.fail(call, server_failure())
        verdict = (await bench.diagnoser.diagnose(ssl_id)).verdict
        assert verdict.strength is Strength.PARTIAL
        assert any(missing_part in found.what for found in verdict.missing_evidence), verdict.missing_evidence
        assert verdict.party is (Party.DNS_OWNER if call == "domain_status" else Party.UNKNOWN)

    story()


@in_virtual_time
async def test_an_organization_that_cannot_be_placed_proves_nothing_by_having_no_validations() -> None:
    bench = Bench()
    bench.fail("organizations", server_failure())
    verdict = (await bench.diagnoser.diagnose(bench.remote(1))).verdict
    assert verdict.party is Party.UNKNOWN
    assert verdict.cell == "CA or org?"


@in_virtual_time
async def test_evidence_is_kept_with_its_age_and_asked_for_again_when_it_is_old() -> None:
    bench = Bench()
    ssl_id = bench.remote(1)
    await bench.diagnoser.diagnose(ssl_id)
    first = bench.calls()
    await bench.diagnoser.diagnose(ssl_id)
    assert bench.calls() == first
    await bench.world.pass_time(61)
    await bench.diagnoser.diagnose(ssl_id)
    assert bench.calls() == first + Counter(["details", "dcv", "organization_validations"])
    await bench.diagnoser.diagnose(ssl_id, max_age_seconds=0.0)
    assert bench.calls()["organizations"] == 2


@in_virtual_time
async def test_a_call_that_failed_is_not_repeated_at_every_turn() -> None:
    bench = Bench()
    ssl_id = bench.remote(1)
    bench.fail("dcv", rate_limited())
    for _ in range(5):
        await bench.diagnoser.diagnose(ssl_id)
    assert bench.calls()["dcv"] == 1
    await bench.world.pass_time(16)
    await bench.diagnoser.diagnose(ssl_id)
    assert bench.calls()["dcv"] == 2


@in_virtual_time
async def test_what_was_told_under_an_older_status_is_not_used_any_more() -> None:
    bench = Bench()
    ssl_id = bench.remote(1, "Requested")
    bench.scm.dcv_logs[ssl_id] = DcvLog(())
    await bench.diagnoser.diagnose(ssl_id)
    bench.remote(ssl_id, "Applied", dcv="Awaiting Validation")
    await bench.world.pass_time(61)
    await bench.account.details(ssl_id)
    assert bench.diagnoser.cheap(ssl_id).cell == "CA or DNS?"
    assert (await bench.diagnoser.diagnose(ssl_id)).verdict.party is Party.DNS_OWNER


@in_virtual_time
async def test_a_name_outside_the_log_is_covered_by_the_first_valid_domain_above_it() -> None:
    bench = Bench()
    ssl_id = bench.remote(1)
    bench.scm.dcv_logs[ssl_id] = DcvLog(())
    bench.scm.domain_statuses[DOMAIN] = DomainValidation(domain=DOMAIN, status="VALIDATED", expires=date(2026, 9, 1))
    diagnosis = await bench.diagnoser.diagnose(ssl_id)
    assert diagnosis.verdict.cause is Cause.VETTING
    assert bench.calls()["domain_status"] == 2


@in_virtual_time
async def test_a_name_with_a_validation_of_its_own_below_a_valid_domain_is_uncertain() -> None:
    bench = Bench()
    ssl_id = bench.remote(1)
    bench.scm.dcv_logs[ssl_id] = DcvLog(())
    name = f"www1.{DOMAIN}"
    bench.scm.domain_statuses[name] = DomainValidation(domain=name, status="EXPIRED", order_status="COMPLETED")
    alone = await bench.diagnoser.diagnose(ssl_id)
    assert (alone.verdict.cause, alone.verdict.party) == (Cause.DOMAIN_EXPIRED, Party.DNS_OWNER)
    bench.scm.domain_statuses[DOMAIN] = DomainValidation(domain=DOMAIN, status="VALIDATED", order_status="COMPLETED")
    covered = await bench.diagnoser.diagnose(ssl_id, max_age_seconds=0.0)
    assert (covered.verdict.cause, covered.verdict.party) == (Cause.DOMAIN_EXPIRED, Party.UNKNOWN)


@in_virtual_time
async def test_what_the_ca_said_of_an_older_status_is_not_repeated() -> None:
    bench = Bench()
    bench.scm.validations[HOLDER] = (
        OrganizationValidation(id=7, level="OV", status="FAILED", last_message="no such number"),
    )
    ssl_id = bench.remote(1)
    assert "no such number" in (await bench.diagnoser.diagnose(ssl_id)).verdict.sentence
    bench.validate("VALIDATED")
    await bench.world.pass_time(61)
    diagnosis = await bench.diagnoser.diagnose(ssl_id)
    assert diagnosis.verdict.cause is Cause.VETTING
    assert diagnosis.organization is not None
    assert diagnosis.organization.validation is not None
    assert diagnosis.organization.validation.last_message == ""


@in_virtual_time
async def test_a_domain_that_the_account_does_not_have_is_skipped_on_the_way_up() -> None:
    bench = Bench()
    ssl_id = bench.remote(1)
    bench.scm.dcv_logs[ssl_id] = DcvLog(())
    bench.fail("domain_status", not_found("domain_status"))
    verdict = (await bench.diagnoser.diagnose(ssl_id)).verdict
    assert (verdict.party, verdict.cell) == (Party.UNKNOWN, "CA or DNS?")
    assert bench.calls()["domain_status"] == 2


@in_virtual_time
async def test_a_cheap_verdict_is_kept_for_seconds_and_no_longer_than_nothing_new_is_known() -> None:
    bench = Bench()
    ssl_id = bench.remote(1, dcv="Awaiting Validation")
    await bench.account.details(ssl_id)
    first = bench.diagnoser.cheap(ssl_id)
    assert first.cell == "CA or DNS?"
    assert bench.diagnoser.cheap(ssl_id) is first
    await bench.world.pass_time(16)
    assert bench.diagnoser.cheap(ssl_id) is not first
    known = (await bench.diagnoser.diagnose(ssl_id)).verdict
    assert bench.diagnoser.cheap(ssl_id).cell == known.cell == "DNS owner"


@in_virtual_time
async def test_a_listing_that_tells_a_status_is_enough_for_a_cheap_verdict_and_costs_nothing_more() -> None:
    bench = Bench()
    bench.scm.rows["Requested"] = (ListingRow(5, "www5.acme.example"),)
    await bench.account.refresh_pending()
    before = bench.calls()
    verdict = bench.diagnoser.cheap(5)
    assert (verdict.cell, verdict.party) == ("approver", Party.APPROVER)
    assert verdict.evidence[0].source == "SCM listing"
    assert bench.calls() == before


@in_virtual_time
async def test_rows_in_sight_are_fetched_one_by_one_until_they_are_out_of_sight() -> None:
    bench, scm_words = Bench(), dict[object, str]()
    ids = [bench.remote(ssl_id, dcv="Awaiting Validation") for ssl_id in range(1, 6)]
    two_are_told = asyncio.Event()

    def on_verdict(target: Target, verdict: Verdict) -> None:
        scm_words[target] = verdict.cell
        if len(scm_words) == 2:
            two_are_told.set()

    attending = asyncio.create_task(bench.diagnoser.attend(ids, on_verdict))
    await two_are_told.wait()
    attending.cancel()
    await bench.world.pass_time(5)
    assert list(scm_words) == [1, 2]
    assert set(scm_words.values()) == {"DNS owner"}
    assert bench.calls()["dcv"] <= 3


@in_virtual_time
async def test_nothing_is_sent_while_the_credentials_are_refused_and_the_part_says_why() -> None:
    bench = Bench()
    ssl_id = bench.remote(1)
    bench.scm.valid_password = "another"
    verdict = (await bench.diagnoser.diagnose(ssl_id)).verdict
    sent = len(bench.scm.asked)
    verdict = (await bench.diagnoser.diagnose(ssl_id)).verdict
    assert len(bench.scm.asked) == sent == 1
    assert any(
        "paused until the credentials are rotated" in missing_part.what for missing_part in verdict.missing_evidence
    )
    bench.scm.valid_password = "right"
    bench.world.limiter.unlock()
    assert (await bench.diagnoser.diagnose(ssl_id)).verdict.party is Party.CA


@in_virtual_time
async def test_dns_shows_a_caa_that_forbids_and_a_record_that_is_published() -> None:
    dns = FakeDns()
    bench = Bench(dns)
    dns.caa_records["www1.acme.example"] = CaaAnswer(
        "www1.acme.example", DOMAIN, (CaaRecord(0, "issue", "letsencrypt.org"),)
    )
    first = await bench.diagnoser.diagnose(bench.remote(1))
    assert first.verdict.cause is Cause.CAA
    dns.cnames["_t.www2.acme.example"] = "A.B.sectigo.com"
    second = await bench.diagnoser.diagnose(bench.remote(2, dcv="Awaiting Validation"))
    assert second.verdict.cause is Cause.DOMAIN_PUBLISHED
    assert second.domains[0].is_published


@in_virtual_time
async def test_dns_that_does_not_answer_is_missing_evidence() -> None:
    dns = FakeDns()
    bench = Bench(dns)
    dns.failing.add("www1.acme.example")
    verdict = (await bench.diagnoser.diagnose(bench.remote(1))).verdict
    assert (verdict.party, verdict.strength) == (Party.CA, Strength.PARTIAL)
    assert any("the lifetime expired" in missing_part.what for missing_part in verdict.missing_evidence)


@in_virtual_time
async def test_no_name_is_looked_up_in_dns_unless_the_operator_switched_it_on() -> None:
    bench = Bench()
    diagnosis = await bench.diagnoser.diagnose(bench.remote(1, dcv="Awaiting Validation"))
    assert not diagnosis.evidence.caa
    assert not diagnosis.evidence.records


@in_virtual_time
async def test_a_polled_order_needs_no_further_poll_at_its_details() -> None:
    bench = Bench()
    ssl_id = bench.remote(1)
    details = bench.scm.lives[ssl_id].details.at(0)
    bench.world.place(ssl_id, details)
    await bench.world.poll_for(1)
    polled = bench.calls()["details"]
    diagnosis = await bench.diagnoser.diagnose(bench.world.order(ssl_id))
    assert bench.calls()["details"] == polled
    assert diagnosis.verdict.cause is Cause.VETTING
    assert diagnosis.evidence.timeline


@in_virtual_time
async def test_local_orders_that_were_issued_make_the_figures_and_are_read_once() -> None:
    bench = Bench()
    for ssl_id in range(1, 31):
        details = OrderDetails(ssl_id=ssl_id, status="Approved", profile_id=502, organization_id=DEPARTMENT)
        applied, issued = replace(details, status="Applied"), replace(details, status="Issued")
        bench.world.place(ssl_id, details, (3, applied), (40, issued))
    await bench.world.poll_for(100)
    pending = OrderDetails(
        ssl_id=99,
        status="Applied",
        profile_id=502,
        organization_id=DEPARTMENT,
        validation="OV",
        requested=date(2026, 3, 1),
        approved=date(2026, 3, 1),
    )
    bench.scm.live(99, pending)
    reads, read = list[str](), bench.world.store.timeline
    bench.world.store.timeline = lambda order_id: reads.append(order_id) or read(order_id)  # type: ignore[method-assign,func-returns-value] # counts
    diagnosis = await bench.diagnoser.diagnose(99)
    vetting = next(comparison for comparison in diagnosis.normal if comparison.leg == "applied to issued")
    assert vetting.figure is not None
    assert vetting.figure.n == 30
    assert vetting.figure.p90.at_least_seconds <= 37 <= vetting.figure.p90.at_most_seconds <= 90
    assert len(reads) == 30
    await bench.diagnoser.diagnose(99)
    assert len(reads) == 30


@in_virtual_time
async def test_a_recheck_is_written_down_and_its_answer_is_the_new_log() -> None:
    bench = Bench()
    ssl_id = bench.remote(1, dcv="Awaiting Validation")
    bench.world.place(ssl_id, bench.scm.lives[ssl_id].details.at(0))
    await bench.world.poll_for(1)
    assert (await bench.diagnoser.diagnose(ssl_id)).verdict.party is Party.DNS_OWNER
    check = bench.scm.dcv_logs[ssl_id].checks[0]
    bench.scm.dcv_logs[ssl_id] = DcvLog(
        (DcvCheck(domain=check.domain, status="Awaiting Validation", last_check=START + timedelta(seconds=2)),)
    )
    diagnosis = await bench.diagnoser.recheck(ssl_id)
    assert diagnosis.domains[0].last_check == START + timedelta(seconds=2)
    assert diagnosis.domains[0].proof == check.proof
    kinds = [entry.kind for entry in bench.world.timeline(ssl_id)]
    assert kinds[-2:] == [EventKind.WRITE_ASKED, EventKind.WRITE_ANSWERED]


@in_virtual_time
async def test_an_approval_that_was_refused_here_counts_for_a_remote_order_until_it_is_approved() -> None:
    bench = Bench()
    ssl_id = bench.remote(1, "Requested", level="EV")
    bench.scm.validations[HOLDER] = (OrganizationValidation(id=8, level="EV", status="VALIDATED"),)
    failure = refused("approve", -1140, "The requester may not approve.")
    await record(bench.world.context, EventKind.WRITE_ANSWERED, "approve", ssl_id=ssl_id, failure=failure)
    verdict = (await bench.diagnoser.diagnose(ssl_id)).verdict
    assert (verdict.cause, verdict.party) == (Cause.EV_OTHER_APPROVER, Party.APPROVER)
    bench.remote(ssl_id, "Applied", level="EV")
    verdict = (await bench.diagnoser.diagnose(ssl_id, max_age_seconds=0.0)).verdict
    assert verdict.cause is Cause.VETTING


@in_virtual_time
async def test_a_recheck_is_refused_in_read_only_mode() -> None:
    bench = Bench()
    context = replace(bench.world.context, options=EngineOptions(read_only=True))
    with pytest.raises(ReadOnly):
        await Diagnoser(context, bench.account).recheck(bench.remote(1))
    assert not bench.scm.asked


@in_virtual_time
async def test_the_history_is_learned_from_the_newest_issued_orders_when_asked() -> None:
    bench, scm_words = Bench(), list[tuple[int, int]]()
    for ssl_id in range(1, 21):
        details = OrderDetails(
            ssl_id=ssl_id,
            status="Issued",
            profile_id=502,
            organization_id=DEPARTMENT,
            requested=date(2026, 2, 1),
            issued=date(2026, 2, 4),
        )
        bench.scm.live(ssl_id, details)
    bench.scm.rows["Issued"] = tuple(ListingRow(ssl_id, "www") for ssl_id in range(1, 21))
    learned = await bench.diagnoser.samples.learn_remote(lambda done, total: scm_words.append((done, total)), orders=8)
    assert learned == 8
    assert scm_words[-1] == (8, 8)
    assert {asked.about for asked in bench.scm.asked if asked.call == "details"} == set(range(13, 21))
    pending = OrderDetails(
        ssl_id=99, status="Requested", profile_id=502, organization_id=DEPARTMENT, requested=date(2026, 3, 1)
    )
    bench.scm.live(99, pending)
    diagnosis = await bench.diagnoser.diagnose(99)
    whole = next(comparison for comparison in diagnosis.normal if comparison.leg == "requested to issued")
    assert whole.figure is not None
    assert whole.figure.text == "p50 2-3 d, p90 2-3 d (n=8; profile and organization)"
    assert diagnosis.proposal is not None
    assert (diagnosis.proposal.n, diagnosis.proposal.is_by_days) == (8, True)


@pytest.mark.parametrize("make", [lambda bench: bench.remote(1), lambda bench: bench.remote(1, "Issued")])
def test_an_order_that_is_issued_costs_one_request(make: Callable[[Bench], int]) -> None:
    @in_virtual_time
    async def story() -> None:
        bench = Bench()
        ssl_id = make(bench)
        verdict = (await bench.diagnoser.diagnose(ssl_id)).verdict
        settled = verdict.cause is Cause.SETTLED
        assert (sum(bench.calls().values()) == 1) is settled

    story()
