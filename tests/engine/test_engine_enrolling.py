"""Ordering: never twice, never lost, and every refusal in words."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from sectigo_tui.domain.certificates import CertificateProfile, CustomField, ListingFilter
from sectigo_tui.domain.errors import (
    CredentialsRefused,
    InputError,
    RateLimited,
    ReadOnly,
    Refused,
    StoreError,
    Unreachable,
)
from sectigo_tui.domain.events import EventKind
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.engine.drafts import DraftField, choose_term, problems_of
from sectigo_tui.pki.tools import PkiTools
from sectigo_tui.simulator.acme import acme
from sectigo_tui.simulator.faults import Fault
from sectigo_tui.simulator.lives import named_life
from support.virtual_time import START, in_virtual_time
from support.writing import Site, csr_pem, draft, new_world

ENROLL = r"POST /ssl/v1/enroll"


@in_virtual_time
async def test_the_intent_with_its_marker_is_on_disk_before_anything_is_sent() -> None:
    site = Site()
    seen: list[tuple[OrderState, str]] = []

    def look_at_the_disk(words: str) -> None:
        if "enroll" in words:
            seen.append((site.order.state, site.order.marker))

    site.wire.before = look_at_the_disk
    placed = await site.engine.enrolling.enroll(draft(comments="for the new shop"))
    assert seen == [(OrderState.INTENT, f"[sectigo-tui:{placed.order.id}]")]
    (ssl_id,) = site.world.enrolled
    at_scm = site.world.order(ssl_id)
    assert at_scm is not None
    assert at_scm.comments == f"for the new shop [sectigo-tui:{placed.order.id}]"


@in_virtual_time
async def test_an_order_that_scm_took_is_polled_until_it_is_a_certificate() -> None:
    site = Site()
    placed = await site.engine.enrolling.enroll(draft(comments="[sim:quick]"))
    assert placed.lost is None
    assert placed.order.state is OrderState.SUBMITTED
    assert [placed.order.ssl_id] == site.world.enrolled
    assert placed.order.placement is None
    async with site.following(polling=True):
        await site.clock.sleep(120)
    assert site.order.state is OrderState.COLLECTED
    assert site.order.certificate is not None


@pytest.mark.parametrize("code", [-107, -181, -737, -843, -1010, -1137])
def test_a_refusal_fails_the_order_in_scms_own_words(code: int) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        with pytest.raises(Refused) as refusal:
            await site.engine.enrolling.enroll(draft(comments=f"[sim:refuse{code}]"))
        assert refusal.value.code == code
        assert site.order.state is OrderState.FAILED
        assert site.order.refusal.startswith(f"{code}: ")
        assert site.orders == [site.order]
        assert site.wire.count(ENROLL) == 1
        last = site.store.timeline(site.order.id)[-1]
        assert (last.kind, last.http_status, last.code) == (EventKind.WRITE_ANSWERED, 400, code)
        await site.follow_for(3600)
        assert site.order.state is OrderState.FAILED

    story()


@in_virtual_time
async def test_an_order_that_certainly_was_not_sent_is_withdrawn_and_its_timeline_kept() -> None:
    site = Site()
    site.wire.breaks_before("enroll")
    with pytest.raises(Unreachable) as failure:
        await site.engine.enrolling.enroll(draft())
    assert failure.value.sent is False
    assert site.orders == []
    assert site.summaries(site.order.id)[-1].startswith("withdrawn, not ordered: ")
    await site.follow_for(3600)
    assert site.world.enrolled == []


@pytest.mark.parametrize(("fault", "kind"), [("unauthorized", CredentialsRefused), ("rate-limit", RateLimited)])
def test_what_scm_turned_away_unread_is_withdrawn(fault: str, kind: type[Exception]) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        site.world.faults.add(fault, path="enroll")
        with pytest.raises(kind):
            await site.engine.enrolling.enroll(draft())
        assert site.orders == []
        assert site.order.state is OrderState.FAILED

    story()


@in_virtual_time
async def test_a_refused_login_orders_nothing_and_holds_the_next_one_back() -> None:
    site = Site()
    site.world.account.credentials.password = "changed elsewhere"
    for sent in (True, False):
        with pytest.raises(CredentialsRefused) as failure:
            await site.engine.enrolling.enroll(draft())
        assert failure.value.sent is sent
    assert site.orders == []
    assert site.wire.count(".") == 1


LOST = {
    "the connection cut after sending": Fault("lost"),
    "half an answer": Fault("torn"),
    "503 from a gateway": Fault("unavailable", done=True),
    "a web page": Fault("html", done=True),
    "nothing": Fault("empty", done=True),
    "broken JSON": Fault("not-json", done=True),
    "JSON of another shape": Fault("wrong-json", done=True),
    "a redirect": Fault("redirect", done=True),
    "SCM's internal error": Fault("error", status=400, code=-2, done=True),
}


@pytest.mark.parametrize("how", LOST)
def test_a_lost_answer_leaves_the_order_unconfirmed_until_it_is_found_by_its_marker(how: str) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        site.world.add_order(common_name="www.acme.example", comments="somebody else's")
        site.world.faults.add(replace(LOST[how], path="enroll", count=1))
        placed = await site.engine.enrolling.enroll(draft())
        assert placed.lost is not None
        assert placed.order.state is OrderState.UNCONFIRMED
        await site.follow_for(2)
        assert site.order.state is OrderState.SUBMITTED
        assert [site.order.ssl_id] == site.world.enrolled
        assert site.order.window is not None
        assert site.order.window.is_open
        assert site.wire.count(ENROLL) == 1

    story()


@in_virtual_time
async def test_what_never_reached_scm_is_asked_about_after_a_bounded_search_and_never_sent_by_itself() -> None:
    site = Site()
    site.world.faults.add("drop", path="enroll", count=1)
    placed = await site.engine.enrolling.enroll(draft())
    await site.follow_for(24 * 3600)
    assert [order.id for order in site.engine.recovery.undecided()] == [placed.order.id]
    assert site.order.state is OrderState.UNCONFIRMED
    assert site.wire.count(ENROLL) == 1
    assert site.wire.count("GET /ssl/v1$") == 1 + 6
    again = await site.engine.recovery.order_again(placed.order.id)
    assert again.order.state is OrderState.SUBMITTED
    assert again.order.id == placed.order.id
    (ssl_id,) = site.world.enrolled
    at_scm = site.world.order(ssl_id)
    assert at_scm is not None
    assert at_scm.comments == f"[sectigo-tui:{placed.order.id}.2]"
    assert again.order.ssl_id == ssl_id


@in_virtual_time
async def test_ordering_again_takes_the_first_order_when_it_has_shown_up_after_all() -> None:
    site = Site()
    site.world.faults.add("drop", path="enroll", count=1)
    placed = await site.engine.enrolling.enroll(draft())
    await site.follow_for(3600)
    late = site.world.add_order(common_name="www.acme.example", comments=placed.order.marker)
    again = await site.engine.recovery.order_again(placed.order.id)
    assert again.order.ssl_id == late.ssl_id
    assert site.wire.count(ENROLL) == 1


@in_virtual_time
async def test_an_order_is_not_ordered_again_while_it_is_searched_for_or_scm_cannot_be_searched() -> None:
    site = Site()
    site.world.faults.add("drop", path="enroll", count=1)
    placed = await site.engine.enrolling.enroll(draft())
    for decide in (site.engine.recovery.order_again, site.engine.recovery.give_up):
        with pytest.raises(InputError, match="still being searched for"):
            await decide(placed.order.id)
    await site.follow_for(3600)
    site.wire.is_down = True
    with pytest.raises(Unreachable):
        await site.engine.recovery.order_again(placed.order.id)
    assert site.order.state is OrderState.UNCONFIRMED
    assert site.wire.count(ENROLL) == 1


@in_virtual_time
async def test_a_second_answer_that_is_lost_is_searched_for_as_the_first_was() -> None:
    site = Site()
    site.world.faults.add("drop", path="enroll", count=1)
    placed = await site.engine.enrolling.enroll(draft())
    await site.follow_for(3600)
    site.world.faults.add("lost", path="enroll", count=1)
    again = await site.engine.recovery.order_again(placed.order.id)
    assert again.order.state is OrderState.UNCONFIRMED
    await site.follow_for(5)
    assert [site.order.ssl_id] == site.world.enrolled


@in_virtual_time
async def test_an_order_given_up_is_failed_and_can_be_removed() -> None:
    site = Site()
    site.world.faults.add("drop", path="enroll", count=1)
    placed = await site.engine.enrolling.enroll(draft())
    await site.follow_for(3600)
    given_up = await site.engine.recovery.give_up(placed.order.id)
    assert given_up.state is OrderState.FAILED
    await site.engine.removing.remove(placed.order.id)
    assert site.orders == []
    assert site.engine.recovery.undecided() == []


@in_virtual_time
async def test_the_search_waits_out_an_outage_without_losing_count_of_it() -> None:
    site = Site()
    site.world.faults.add("lost", path="enroll", count=1)
    placed = await site.engine.enrolling.enroll(draft())
    site.wire.is_down = True
    await site.follow_for(3600)
    assert site.order.state is OrderState.UNCONFIRMED
    assert not site.engine.recovery.is_undecided(site.order)
    assert len(site.summaries(placed.order.id)) < 6
    site.wire.is_down = False
    await site.follow_for(600)
    assert [site.order.ssl_id] == site.world.enrolled


@in_virtual_time
async def test_the_search_is_held_back_while_the_credentials_are_refused() -> None:
    site = Site()
    site.world.faults.add("lost", path="enroll", count=1)
    await site.engine.enrolling.enroll(draft())
    right = site.world.account.credentials.password
    site.world.account.credentials.password = "changed elsewhere"
    async with site.following():
        await site.clock.sleep(3600)
        assert site.wire.count(".") == 3
        site.world.account.credentials.password = right
        site.engine.supervisor.resume()
        await site.clock.sleep(1)
    assert [site.order.ssl_id] == site.world.enrolled


@in_virtual_time
async def test_whoever_stops_waiting_does_not_lose_the_answer() -> None:
    site = Site()
    site.world.faults.add("latency", path="enroll", count=1, seconds=30)
    asked = asyncio.create_task(site.engine.enrolling.enroll(draft()))
    await site.clock.sleep(10)
    asked.cancel()
    await site.clock.sleep(60)
    assert asked.cancelled()
    assert site.order.state is OrderState.SUBMITTED


@in_virtual_time
async def test_nothing_is_sent_when_the_intent_cannot_be_written() -> None:
    site = Site()
    site.store.failing = "no space left on device"
    with pytest.raises(StoreError):
        await site.engine.enrolling.enroll(draft())
    assert site.wire.count("POST") == 0


@in_virtual_time
async def test_an_answer_that_cannot_be_written_down_is_searched_for_once_the_disk_works() -> None:
    site = Site()

    def fill_up(words: str) -> None:
        if words == "POST /ssl/v1/enroll":
            site.store.failing = "no space left on device"

    site.wire.before = fill_up
    with pytest.raises(StoreError):
        await site.engine.enrolling.enroll(draft())
    assert site.order.state is OrderState.INTENT
    async with site.following():
        await site.clock.sleep(30)
        site.store.failing = ""
        await site.clock.sleep(300)
    assert [site.order.ssl_id] == site.world.enrolled
    assert site.wire.count(ENROLL) == 1


@pytest.mark.parametrize("fault", ["lost", "drop"])
def test_an_intent_whose_process_died_is_searched_for_at_the_next_start(fault: str) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        site.world.faults.add("latency", path="enroll", count=1, seconds=30)
        site.world.faults.add(fault, path="enroll", count=1)
        dying = asyncio.create_task(site.engine.enrolling.enroll(draft()))
        await site.clock.sleep(10)
        after = await site.restarted()
        with pytest.raises(asyncio.CancelledError):
            await dying
        assert after.order.state is OrderState.INTENT
        site.world.faults.clear()
        if fault == "lost":
            site.world.add_order(common_name="www.acme.example", comments=site.order.marker)
        await after.follow_for(3600)
        expected = OrderState.SUBMITTED if fault == "lost" else OrderState.UNCONFIRMED
        assert after.order.state is expected
        assert after.engine.recovery.is_undecided(after.order) is (fault == "drop")
        assert after.wire.count(ENROLL) == 0

    story()


@in_virtual_time
async def test_another_process_takes_an_intent_on_its_way_for_nothing_worse_than_that() -> None:
    one = Site(name="one")
    other = Site(world=one.world, disk=one.disk, kept=one.kept, name="other")
    one.world.faults.add("latency", path="enroll", count=1, seconds=20)
    asked = asyncio.create_task(one.engine.enrolling.enroll(draft()))
    await one.clock.sleep(1)
    await other.store.changes()
    await other.follow_for(15)
    placed = await asked
    await other.store.changes()
    await other.follow_for(3600)
    assert placed.order.state is OrderState.SUBMITTED
    assert [one.order.ssl_id] == one.world.enrolled
    assert one.wire.count(ENROLL) + other.wire.count(ENROLL) == 1


@in_virtual_time
async def test_a_process_that_was_there_before_leaves_anothers_intent_alone() -> None:
    one = Site(name="one")
    other = Site(world=one.world, disk=one.disk, kept=one.kept, name="other")
    one.world.faults.add("latency", path="enroll", count=1, seconds=60)
    async with other.following(polling=True):
        await one.clock.sleep(10)
        placed = await one.engine.enrolling.enroll(draft(comments="[sim:vetting]"))
        await one.clock.sleep(10)
    assert placed.order.state is OrderState.SUBMITTED
    states = [entry.to_state for entry in one.store.timeline(placed.order.id) if entry.to_state]
    assert OrderState.UNCONFIRMED not in states


@in_virtual_time
async def test_an_intent_whose_process_dies_while_another_runs_is_searched_for_by_that_one() -> None:
    one = Site(name="one")
    other = Site(world=one.world, disk=one.disk, kept=one.kept, name="other")
    one.world.faults.add("latency", path="enroll", count=1, seconds=60)
    async with other.following(polling=True):
        await one.clock.sleep(10)
        dying = asyncio.create_task(one.engine.enrolling.enroll(draft()))
        await one.clock.sleep(10)
        await one.restarted()
        with pytest.raises(asyncio.CancelledError):
            await dying
        await one.clock.sleep(3600)
    assert other.engine.recovery.is_undecided(other.order)
    assert one.wire.count(ENROLL) == 1


@in_virtual_time
async def test_an_order_that_was_tracked_by_hand_meanwhile_is_one_order_not_two() -> None:
    site = Site()
    site.world.faults.add("lost", path="enroll", count=1)
    placed = await site.engine.enrolling.enroll(draft(key_path="keys/www.pem"))
    tracked = await site.engine.tracking.track(site.world.enrolled[0])
    await site.follow_for(5)
    (order,) = site.orders
    assert order.id == tracked.id
    assert order.key_path == "keys/www.pem"
    assert order.csr_pem
    assert f"it is local order {tracked.id}" in site.summaries(placed.order.id)[-1]


@in_virtual_time
async def test_a_renewal_that_carries_a_copy_of_the_marker_is_not_taken_for_the_order() -> None:
    site = Site()
    site.world.faults.add("lost", path="enroll", count=1)
    placed = await site.engine.enrolling.enroll(draft(comments="[sim:instant]"))
    original = site.world.enrolled[0]
    site.world.add_order(common_name="www.acme.example", comments=placed.order.marker)
    await site.follow_for(5)
    assert site.order.ssl_id == original


@in_virtual_time
async def test_nothing_is_ordered_into_an_outage_in_which_it_could_not_be_found_again() -> None:
    site = Site()
    site.wire.is_down = True
    with pytest.raises(Unreachable):
        await site.engine.enrolling.enroll(draft())
    assert site.disk.orders == {}


@in_virtual_time
async def test_a_login_that_may_not_list_may_order_all_the_same() -> None:
    site = Site()
    site.world.faults.add("error", path="ssl/v1$", code=-3, description="You are not authorized to perform list.")
    placed = await site.engine.enrolling.enroll(draft())
    assert placed.order.state is OrderState.SUBMITTED


@in_virtual_time
async def test_of_a_domain_with_thousands_of_hosts_only_its_own_orders_are_looked_at() -> None:
    site = Site()
    site.world.add_issued(3_000)
    (host,) = {row.common_name for row in (await site.scm.listing(ListingFilter(), position=0, size=1)).rows}
    domain = host.partition(".")[2]
    site.world.faults.add("lost", path="enroll", count=1)
    await site.engine.enrolling.enroll(draft(domain))
    await site.follow_for(60)
    assert [site.order.ssl_id] == site.world.enrolled
    assert site.wire.count(r"GET /ssl/v1/\d+$") <= 3


@in_virtual_time
async def test_a_command_waits_for_its_own_orders_fate() -> None:
    site = Site()
    site.world.faults.add("lost", path="enroll", count=1)
    site.world.faults.add("unavailable", path="ssl/v1$", after=1, count=2)
    placed = await site.engine.enrolling.enroll(draft())
    settled = await site.engine.follow_up.until_settled(placed.order.id)
    assert settled is not None
    assert [settled.ssl_id] == site.world.enrolled


@in_virtual_time
async def test_read_only_mode_orders_nothing() -> None:
    site = Site(read_only=True)
    with pytest.raises(ReadOnly):
        await site.engine.enrolling.enroll(draft())
    assert site.wire.sent == []
    assert site.disk.orders == {}


@in_virtual_time
async def test_what_the_account_offers_comes_in_parts_that_fail_alone() -> None:
    site = Site()
    site.world.faults.add("error", path="customFields", status=400, code=-3, description="You are not authorized")
    offer = await site.engine.enrolling.offer(1001)
    assert [profile.id for profile in offer.profiles.items] == [501, 502, 503, 505]
    assert (1101, 1001) in [(one.id, one.parent_id) for one in offer.organizations.items]
    assert offer.custom_fields.items == ()
    assert isinstance(offer.custom_fields.failure, Refused)


@in_virtual_time
async def test_orders_of_the_same_name_that_are_pending_or_far_from_expiry_are_shown() -> None:
    site = Site()
    pending = site.world.add_order(common_name="www.acme.example", life="vetting")
    issued = site.world.add_order(common_name="WWW.acme.example", life="instant")
    site.world.add_order(common_name="www.acme.example", life="rejected", requested=START.replace(year=2025))
    old = replace(named_life("instant"), gated=False)
    site.world.add_order(common_name="www.acme.example", life=old, requested=START - timedelta(days=180))
    site.world.add_order(common_name="other.www.acme.example", life="vetting")
    found = await site.engine.enrolling.duplicates("www.acme.example")
    assert [details.ssl_id for details in found.remote] == [issued.ssl_id, pending.ssl_id]
    assert found.failure is None
    assert (await site.engine.enrolling.duplicates("nobody.acme.example")).is_clear
    site.wire.is_down = True
    assert not (await site.engine.enrolling.duplicates("nobody.acme.example")).is_clear


@pytest.mark.parametrize(
    ("wanted", "terms", "chosen", "is_said"),
    [(199, (90, 199), 199, False), (365, (90, 199), 199, True), (100, (90, 110), 110, True), (365, (), 365, False)],
)
def test_a_term_that_the_profile_does_not_offer_is_said_with_the_nearest_one(
    wanted: int, terms: tuple[int, ...], chosen: int, is_said: bool
) -> None:
    choice = choose_term(CertificateProfile(1, "OV", terms_days=terms), wanted)
    assert choice.term_days == chosen
    assert bool(choice.said) is is_said


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"term_days": 365}, DraftField.TERM),
        ({"comments": "x" * 1000}, DraftField.COMMENTS),
        ({"comments": "[sectigo-tui:0123456789ab]"}, DraftField.COMMENTS),
        ({"external_requester": "anna@acme.example,nobody"}, DraftField.REQUESTERS),
        ({"external_requester": "a" * 510 + "@acme.example"}, DraftField.REQUESTERS),
        ({"custom_fields": (("Cost center", " "),)}, DraftField.CUSTOM_FIELDS),
        ({"dcv_mode": "PIGEON"}, DraftField.DCV),
        ({"dcv_mode": "EMAIL"}, DraftField.DCV),
        ({"csr": PkiTools().read_csr(csr_pem("", "www.acme.example"))}, None),
        ({}, None),
    ],
)
def test_what_scm_would_refuse_is_known_before_it_is_sent(changes: dict[str, object], field: DraftField | None) -> None:
    given = {"custom_fields": (("Cost center", "4711"),), **changes}
    csr = given.pop("csr", None)
    wanted = draft(**given)  # type: ignore[arg-type] # Draft's own fields
    if csr is not None:
        wanted = draft("www.acme.example", **given)  # type: ignore[arg-type] # Draft's own fields
    problems = problems_of(
        wanted,
        PkiTools(),
        profile=CertificateProfile(502, "OV", terms_days=(199,), key_types={"EC": ("P-256",)}),
        custom_fields=(CustomField(1, "Cost center", mandatory=True), CustomField(2, "Ticket", mandatory=False)),
    )
    assert [problem.field for problem in problems] == ([field] if field else [])


def test_a_key_that_the_profile_does_not_allow_is_a_problem_of_the_csr() -> None:
    profile = CertificateProfile(502, "OV", key_types={"RSA": ("2048",)})
    (problem,) = problems_of(draft(), PkiTools(), profile=profile)
    assert problem.field is DraftField.CSR
    assert "EC P-256" in problem.problem


@in_virtual_time
async def test_a_mandatory_custom_field_reaches_scm() -> None:
    world = new_world(account=acme(START, mandatory_fields=["Cost center"]))
    site = Site(world=world)
    placed = await site.engine.enrolling.enroll(draft(custom_fields=(("Cost center", "4711"),)))
    assert [placed.order.ssl_id] == world.enrolled
