"""Renewing: the same rule that nothing is ordered twice, without an order tag to go by."""

from __future__ import annotations

import asyncio

import pytest

from sectigo_tui.domain.errors import InputError, ReadOnly, Refused, Unreachable
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.engine.orders.place import Placed
from sectigo_tui.pki.tools import PkiTools
from support.virtual_time import in_virtual_time
from support.writing import Site, csr_pem, ready

RENEW = r"POST /ssl/v1/renewById"


async def a_site_with_a_certificate() -> tuple[Site, Order, int]:
    site = Site()
    old = await site.an_order()
    assert old.ssl_id is not None
    return site, old, old.ssl_id


def the_renewal(site: Site) -> Order:
    (order,) = (order for order in site.disk.orders.values() if order.origin is Origin.RENEWED)
    return order


@pytest.mark.parametrize("has_new_csr", [True, False])
def test_a_renewal_is_a_new_order_that_is_polled(has_new_csr: bool) -> None:
    @in_virtual_time
    async def story() -> None:
        site, _, ssl_id = await a_site_with_a_certificate()
        csr = PkiTools().read_csr(csr_pem("www.acme.example", "new.acme.example")) if has_new_csr else None
        placed = await site.engine.renewing.renew(ssl_id, csr)
        assert placed.order.state is OrderState.SUBMITTED
        assert placed.order.renews_ssl_id == ssl_id
        assert placed.order.ssl_id == site.world.enrolled[-1] != ssl_id
        await site.follow_for(30, polling=True)
        assert the_renewal(site).state is OrderState.COLLECTED

    story()


@in_virtual_time
async def test_of_two_renewals_asked_for_together_one_is_ordered() -> None:
    site, _, ssl_id = await a_site_with_a_certificate()
    site.world.faults.add("latency", path="renewById", seconds=20)
    renew = site.engine.renewing.renew
    placed, refused = await asyncio.gather(renew(ssl_id), renew(ssl_id), return_exceptions=True)
    assert isinstance(placed, Placed)
    assert isinstance(refused, InputError)
    assert site.wire.count(RENEW) == 1


@pytest.mark.parametrize("restarts", [True, False])
def test_a_lost_renewal_is_found_as_the_order_that_was_not_there_before(restarts: bool) -> None:
    @in_virtual_time
    async def story() -> None:
        site, _, ssl_id = await a_site_with_a_certificate()
        site.world.add_order(common_name="www.acme.example", comments="there before")
        site.world.faults.add("lost", path="renewById", count=1)
        placed = await site.engine.renewing.renew(ssl_id)
        assert placed.order.state is OrderState.UNCONFIRMED
        site.world.add_order(common_name="www.acme.example", comments="another profile", life="dv-vetting")
        site.world.add_order(common_name="www.acme.example", comments="[sectigo-tui:0123456789ab]")
        site = await site.restarted() if restarts else site
        await site.follow_for(5)
        assert the_renewal(site).ssl_id == site.world.enrolled[-1]
        assert site.wire.count(RENEW) <= 1

    story()


@in_virtual_time
async def test_a_renewal_that_never_reached_scm_is_asked_about_and_can_be_sent_again() -> None:
    site, _, ssl_id = await a_site_with_a_certificate()
    site.world.faults.add("drop", path="renewById", count=1)
    placed = await site.engine.renewing.renew(ssl_id)
    await site.follow_for(3600)
    assert [order.id for order in site.engine.recovery.undecided()] == [placed.order.id]
    assert site.wire.count(RENEW) == 1
    again = await site.engine.recovery.order_again(placed.order.id)
    assert again.order.ssl_id == site.world.enrolled[-1] != ssl_id
    assert len(site.world.enrolled) == 2


@in_virtual_time
async def test_of_two_orders_that_could_be_the_renewal_none_is_taken() -> None:
    site, _, ssl_id = await a_site_with_a_certificate()
    site.world.faults.add("lost", path="renewById", count=1)
    placed = await site.engine.renewing.renew(ssl_id)
    other = site.world.add_order(common_name="www.acme.example", comments="somebody was as fast")
    await site.follow_for(3600)
    order = the_renewal(site)
    assert order.state is OrderState.UNCONFIRMED
    assert order.pending_enroll is not None
    assert str(other.ssl_id) in order.pending_enroll.error
    with pytest.raises(InputError, match="more than one order"):
        await site.engine.recovery.order_again(placed.order.id)
    assert site.wire.count(RENEW) == 1


@in_virtual_time
async def test_an_order_placed_here_meanwhile_is_not_taken_for_the_renewal() -> None:
    site, _, ssl_id = await a_site_with_a_certificate()
    site.world.faults.add("drop", path="renewById", count=1)
    await site.engine.renewing.renew(ssl_id)
    site.world.faults.add("lost", path="enroll", count=1)
    await site.engine.enrolling.enroll(ready())
    await site.follow_for(3600)
    assert the_renewal(site).state is OrderState.UNCONFIRMED


@in_virtual_time
async def test_one_renewal_of_a_name_is_under_way_at_a_time() -> None:
    site, _, ssl_id = await a_site_with_a_certificate()
    other = site.world.add_order(common_name="www.acme.example", life="instant")
    await site.clock.sleep(5)
    site.world.faults.add("drop", path="renewById", count=1)
    await site.engine.renewing.renew(ssl_id)
    for wanted in (ssl_id, other.ssl_id):
        with pytest.raises(InputError, match="renew"):
            await site.engine.renewing.renew(wanted)
    assert site.wire.count(RENEW) == 1


@in_virtual_time
async def test_what_is_no_certificate_is_not_renewed() -> None:
    site = Site()
    order = await site.an_order(OrderState.PENDING)
    with pytest.raises(InputError, match="only an issued or expired certificate"):
        await site.engine.renewing.renew(order.ssl_id or 0)
    assert site.wire.count(RENEW) == 0


@in_virtual_time
async def test_a_refused_renewal_is_failed_and_one_not_sent_is_withdrawn() -> None:
    site, _, ssl_id = await a_site_with_a_certificate()
    site.world.faults.add("error", path="renewById", count=1, code=-3, description="You are not authorized")
    with pytest.raises(Refused):
        await site.engine.renewing.renew(ssl_id)
    assert the_renewal(site).state is OrderState.FAILED
    site.wire.breaks_before("renewById")
    with pytest.raises(Unreachable):
        await site.engine.renewing.renew(ssl_id)
    assert [order.origin for order in site.orders].count(Origin.RENEWED) == 1


@in_virtual_time
async def test_what_is_known_before_a_renewal_is_shown() -> None:
    site, _, ssl_id = await a_site_with_a_certificate()
    pending = site.world.add_order(common_name="www.acme.example", life="vetting")
    await site.engine.renewing.renew(ssl_id)
    offer = await site.engine.renewing.offer(ssl_id)
    assert offer.old.common_name == "www.acme.example"
    assert pending.ssl_id in [details.ssl_id for details in offer.duplicates.remote]
    assert [order.renews_ssl_id for order in offer.renewals] == [ssl_id]


@in_virtual_time
async def test_read_only_mode_renews_nothing() -> None:
    site = Site(read_only=True)
    with pytest.raises(ReadOnly):
        await site.engine.renewing.renew(2_100_001)
    assert site.wire.sent == []


@in_virtual_time
async def test_of_two_renewals_from_two_processes_one_is_ordered() -> None:
    site, _, ssl_id = await a_site_with_a_certificate()
    other = Site(world=site.world, disk=site.disk, kept=site.kept, name="another process")
    offers = await asyncio.gather(site.engine.renewing.offer(ssl_id), other.engine.renewing.offer(ssl_id))
    ended = await asyncio.gather(
        site.engine.renewing.renew(ssl_id, since=offers[0].duplicates),
        other.engine.renewing.renew(ssl_id, since=offers[1].duplicates),
        return_exceptions=True,
    )
    assert sorted(type(each).__name__ for each in ended) == ["InputError", "Placed"]
    assert site.wire.count(RENEW) + other.wire.count(RENEW) == 1


@in_virtual_time
async def test_a_renewal_that_another_process_has_collected_meanwhile_is_not_ordered_again() -> None:
    site, _, ssl_id = await a_site_with_a_certificate()
    other = Site(world=site.world, disk=site.disk, kept=site.kept, name="another process")
    offer = await other.engine.renewing.offer(ssl_id)
    await site.engine.renewing.renew(ssl_id)
    await site.follow_for(30, polling=True)
    assert the_renewal(site).state is OrderState.COLLECTED
    with pytest.raises(InputError, match="being renewed already"):
        await other.engine.renewing.renew(ssl_id, since=offer.duplicates)
    assert other.wire.count(RENEW) == 0


@in_virtual_time
async def test_a_renewal_answered_with_the_old_sslid_is_searched_for() -> None:
    site, old, ssl_id = await a_site_with_a_certificate()
    renew = site.scm.renew

    async def misled(ssl_id: int, csr_pem: str = "") -> int:
        await renew(ssl_id, csr_pem)
        return ssl_id

    site.scm.renew = misled  # type: ignore[method-assign] # SCM answers wrongly
    placed = await site.engine.renewing.renew(ssl_id)
    assert placed.order.state is OrderState.UNCONFIRMED
    await site.follow_for(5)
    assert the_renewal(site).ssl_id == site.world.enrolled[-1] != ssl_id
    assert site.disk.orders[old.id].ssl_id == ssl_id


@in_virtual_time
async def test_several_are_renewed_each_once_and_one_beside_another_order_of_its_name_is_left_out() -> None:
    site, _, ssl_id = await a_site_with_a_certificate()
    other = site.world.add_order(common_name="other.acme.example", life="ov-instant")
    site.world.add_order(common_name="busy.acme.example", life="dv-vetting")
    busy = site.world.add_order(common_name="busy.acme.example", life="ov-instant")
    await site.follow_for(1)
    outcomes = await site.engine.renewing.renew_all([ssl_id, other.ssl_id, busy.ssl_id, ssl_id])
    failures = {one.target: one.failure for one in outcomes}
    assert failures[ssl_id] is None
    assert failures[other.ssl_id] is None
    assert isinstance(failures[busy.ssl_id], InputError)
    assert "another order of its name" in str(failures[busy.ssl_id])
    assert site.wire.count(RENEW) == 2
