"""Lost answers: found by the order tag, and never sent again by themselves."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from sectigo_tui.domain.certificates import ListingFilter
from sectigo_tui.domain.errors import (
    InputError,
    StoreError,
    Unreachable,
)
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.simulator.faults import Fault
from support.virtual_time import in_virtual_time
from support.writing import Site, ready

ENROLL = r"POST /ssl/v1/enroll"


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
def test_a_lost_answer_leaves_the_order_unconfirmed_until_it_is_found_by_its_order_tag(how: str) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        site.world.add_order(common_name="www.acme.example", comments="somebody else's")
        site.world.faults.add(dataclasses.replace(LOST[how], path="enroll", count=1))
        placed = await site.engine.enrolling.enroll(ready())
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
    placed = await site.engine.enrolling.enroll(ready())
    await site.follow_for(24 * 3600)
    assert [order.id for order in site.engine.recovery.undecided()] == [placed.order.id]
    assert site.order.state is OrderState.UNCONFIRMED
    assert site.wire.count(ENROLL) == 1
    # Each of six searches asks by common name, then by alternative name.
    assert site.wire.count("GET /ssl/v1$") == 1 + 6 * 2
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
    placed = await site.engine.enrolling.enroll(ready())
    await site.follow_for(3600)
    late = site.world.add_order(common_name="www.acme.example", comments=placed.order.order_tag)
    again = await site.engine.recovery.order_again(placed.order.id)
    assert again.order.ssl_id == late.ssl_id
    assert site.wire.count(ENROLL) == 1


@in_virtual_time
async def test_an_order_is_not_ordered_again_while_it_is_searched_for_or_scm_cannot_be_searched() -> None:
    site = Site()
    site.world.faults.add("drop", path="enroll", count=1)
    placed = await site.engine.enrolling.enroll(ready())
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
    placed = await site.engine.enrolling.enroll(ready())
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
    placed = await site.engine.enrolling.enroll(ready())
    await site.follow_for(3600)
    given_up = await site.engine.recovery.give_up(placed.order.id)
    assert given_up.state is OrderState.FAILED
    await site.engine.tracking.remove(placed.order.id)
    assert site.orders == []
    assert site.engine.recovery.undecided() == []


@in_virtual_time
async def test_the_search_waits_out_an_outage_without_losing_count_of_it() -> None:
    site = Site()
    site.world.faults.add("lost", path="enroll", count=1)
    placed = await site.engine.enrolling.enroll(ready())
    site.wire.is_down = True
    await site.follow_for(3600)
    assert site.order.state is OrderState.UNCONFIRMED
    assert not site.engine.recovery.is_undecided(site.order)
    assert len(site.summaries(placed.order.id)) < 6
    site.wire.is_down = False
    await site.follow_for(600)
    assert [site.order.ssl_id] == site.world.enrolled


@in_virtual_time
async def test_the_search_is_paused_while_the_credentials_are_rejected() -> None:
    site = Site()
    site.world.faults.add("lost", path="enroll", count=1)
    await site.engine.enrolling.enroll(ready())
    right = site.world.account.credentials.password
    site.world.account.credentials.password = "changed elsewhere"
    async with site.following():
        await site.clock.sleep(3600)
        assert site.wire.count(".") == 3
        site.world.account.credentials.password = right
        site.engine.scheduler.resume()
        await site.clock.sleep(1)
    assert [site.order.ssl_id] == site.world.enrolled


@in_virtual_time
async def test_an_answer_that_cannot_be_written_down_is_searched_for_once_the_disk_works() -> None:
    site = Site()

    def fill_up(words: str) -> None:
        if words == "POST /ssl/v1/enroll":
            site.store.failing = "no space left on device"

    site.wire.before = fill_up
    with pytest.raises(StoreError):
        await site.engine.enrolling.enroll(ready())
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
        dying = asyncio.create_task(site.engine.enrolling.enroll(ready()))
        await site.clock.sleep(10)
        after = await site.restarted()
        with pytest.raises(asyncio.CancelledError):
            await dying
        assert after.order.state is OrderState.INTENT
        site.world.faults.clear()
        if fault == "lost":
            site.world.add_order(common_name="www.acme.example", comments=site.order.order_tag)
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
    asked = asyncio.create_task(one.engine.enrolling.enroll(ready()))
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
        placed = await one.engine.enrolling.enroll(ready(comments="[sim:vetting]"))
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
        dying = asyncio.create_task(one.engine.enrolling.enroll(ready()))
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
    placed = await site.engine.enrolling.enroll(ready(key_path="keys/www.pem"))
    tracked = await site.engine.tracking.track(site.world.enrolled[0])
    await site.follow_for(5)
    (order,) = site.orders
    assert order.id == tracked.id
    assert order.key_path == "keys/www.pem"
    assert order.csr_pem
    assert f"it is local order {tracked.id}" in site.summaries(placed.order.id)[-1]


@in_virtual_time
async def test_a_renewal_that_carries_a_copy_of_the_order_tag_is_not_taken_for_the_order() -> None:
    site = Site()
    site.world.faults.add("lost", path="enroll", count=1)
    placed = await site.engine.enrolling.enroll(ready(comments="[sim:instant]"))
    original = site.world.enrolled[0]
    site.world.add_order(common_name="www.acme.example", comments=placed.order.order_tag)
    await site.follow_for(5)
    assert site.order.ssl_id == original


@in_virtual_time
async def test_of_a_domain_with_thousands_of_hosts_only_its_own_orders_are_polled() -> None:
    site = Site()
    site.world.add_issued(3_000)
    (host,) = {row.common_name for row in (await site.scm.listing(ListingFilter(), position=0, size=1)).rows}
    domain = host.partition(".")[2]
    site.world.faults.add("lost", path="enroll", count=1)
    await site.engine.enrolling.enroll(ready(domain))
    await site.follow_for(60)
    assert [site.order.ssl_id] == site.world.enrolled
    assert site.wire.count(r"GET /ssl/v1/\d+$") <= 3


@in_virtual_time
async def test_a_command_waits_for_the_outcome_of_its_own_order() -> None:
    site = Site()
    site.world.faults.add("lost", path="enroll", count=1)
    site.world.faults.add("unavailable", path="ssl/v1$", after=1, count=2)
    placed = await site.engine.enrolling.enroll(ready())
    settled = await site.engine.pending_writes.until_settled(placed.order.id)
    assert settled is not None
    assert [settled.ssl_id] == site.world.enrolled


@in_virtual_time
async def test_a_lost_order_is_found_by_its_tag_in_a_report_however_many_have_its_name() -> None:
    site = Site()
    site.world.faults.add("lost", path="enroll", count=1)
    await site.engine.enrolling.enroll(ready())
    for number in range(30):
        site.world.add_order(common_name="www.acme.example", comments=f"somebody else's, number {number}")
    before = site.wire.count("GET /ssl/v1")
    await site.engine.recovery.attempt(site.order.id)
    assert [site.order.ssl_id] == site.world.enrolled
    assert site.wire.count("POST /report/") == 1
    assert site.wire.count("GET /ssl/v1") == before + 2


@in_virtual_time
async def test_without_the_right_to_reports_a_lost_order_is_found_by_its_name() -> None:
    site = Site()
    site.world.account.credentials.without = {"report"}
    site.world.faults.add("lost", path="enroll", count=1)
    await site.engine.enrolling.enroll(ready())
    for number in range(5):
        site.world.add_order(common_name="www.acme.example", comments=f"somebody else's, number {number}")
    await site.follow_for(60)
    assert [site.order.ssl_id] == site.world.enrolled
    assert site.wire.count("POST /report/") == 1
