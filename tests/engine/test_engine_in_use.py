"""The certificates in use: read in few requests, kept for all processes, and within a budget without a report."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from sectigo_tui.domain.certificates import ListingRow, OrderDetails
from sectigo_tui.engine.account.certificates import CertificateInUse
from sectigo_tui.engine.account.in_use import DETAILS_REQUESTS, Renewals, Source
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.account.renewals import Timing
from support.engine_world import World
from support.memory_store import Disk
from support.virtual_time import START, in_virtual_time

TODAY = START.date()


def certificates(count: int, *, every_days: float = 1.0, first: int = 1) -> tuple[OrderDetails, ...]:
    """Return certificates in use that end one after another, the first today."""
    return tuple(
        OrderDetails(
            ssl_id=first + number,
            status="Issued",
            common_name=f"host{first + number}.example.com",
            profile_id=21,
            organization_id=1,
            validation="OV",
            issued=TODAY - timedelta(days=100),
            expires=TODAY + timedelta(days=int(number * every_days)),
        )
        for number in range(count)
    )


def renewals_of(world: World) -> Renewals:
    return Renewals(world.context, Account(world.context), samples=list)


@in_virtual_time
async def test_five_thousand_certificates_are_read_in_at_most_twenty_requests_and_the_first_row_is_right() -> None:
    world = World()
    world.scm.reported = certificates(5_000, every_days=0.075)
    renewals = renewals_of(world)
    assert await renewals.refresh()
    assert len(world.scm.asked) == renewals.in_use.requests <= 20
    assert len(renewals.in_use.certificates) == 5_000
    found = await renewals.due()
    assert (found[0].certificate.ssl_id, found[0].timing) == (1, Timing.LATE)
    assert len(found) == sum(int(number * 0.075) <= 60 for number in range(5_000))


@in_virtual_time
async def test_another_process_and_the_next_start_show_what_was_kept_without_a_request() -> None:
    disk = Disk()
    first, second = World(disk=disk), World(disk=disk)
    first.scm.reported = certificates(30)
    await renewals_of(first).refresh()
    late = renewals_of(second)
    await late.load()
    assert [one.certificate.ssl_id for one in await late.due()] == list(range(1, 31))
    assert await late.refresh() is False
    assert second.scm.asked == []


@in_virtual_time
async def test_what_was_renewed_is_late_no_more_after_one_refresh() -> None:
    world = World()
    world.scm.reported = old = certificates(3)
    renewals = renewals_of(world)
    await renewals.refresh()
    assert {one.timing for one in await renewals.due()} == {Timing.LATE}
    new = replace(old[0], ssl_id=99, issued=TODAY, expires=TODAY + timedelta(days=199))
    world.scm.reported = (*old, new)
    await world.pass_time(901)
    await renewals.refresh()
    found = {one.certificate.ssl_id: one.timing for one in await renewals.due()}
    assert found == {1: Timing.RENEWED, 2: Timing.LATE, 3: Timing.LATE}
    assert renewals.ending([new.common_name]) == CertificateInUse(new.ssl_id, TODAY + timedelta(days=199))


@in_virtual_time
async def test_a_report_is_not_read_again_within_a_quarter_of_an_hour() -> None:
    world = World()
    world.scm.reported = certificates(3)
    renewals = renewals_of(world)
    await renewals.refresh()
    asked = len(world.scm.asked)
    await world.pass_time(600)
    assert await renewals.refresh() is False
    assert len(world.scm.asked) == asked


@in_virtual_time
async def test_when_later_days_cannot_be_told_the_certificates_that_end_soonest_are_kept() -> None:
    world = World()
    soon, many = certificates(20), certificates(3_000, every_days=0.0, first=1_000)
    later = tuple(replace(one, expires=TODAY + timedelta(days=45)) for one in many)
    world.scm.reported, world.scm.report_rows = (*soon, *later), 500
    renewals = renewals_of(world)
    await renewals.refresh()
    assert {one.ssl_id for one in renewals.in_use.certificates} >= set(range(1, 21))
    assert renewals.in_use.until is not None
    assert TODAY + timedelta(days=29) <= renewals.in_use.until < TODAY + timedelta(days=46)
    assert len(world.scm.asked) <= 20


def listed(world: World, found: Sequence[OrderDetails]) -> tuple[ListingRow, ...]:
    for one in found:
        world.scm.live(one.ssl_id, one)
    return tuple(ListingRow(one.ssl_id, one.common_name) for one in found)


@in_virtual_time
async def test_without_a_report_orders_are_read_within_a_budget_that_goes_on_where_it_ended() -> None:
    disk = Disk()
    first, second = World(disk=disk), World(disk=disk)
    for world in (first, second):
        world.scm.rows["Issued"] = listed(world, certificates(250, every_days=0.1))
    renewals = renewals_of(first)
    await renewals.refresh()
    assert (len(first.scm.asked), renewals.in_use.source) == (DETAILS_REQUESTS + 1, Source.DETAILS)
    assert renewals.in_use.to_read == 250 - len(renewals.in_use.certificates) > 0
    again = renewals_of(second)
    await again.refresh()
    assert (again.in_use.to_read, len(again.in_use.certificates)) == (0, 250)
    read = [one.about for one in second.scm.asked if one.call == "details"]
    assert len(read) == renewals.in_use.to_read


@in_virtual_time
async def test_a_listing_by_expiry_is_believed_where_it_leaves_something_out() -> None:
    world = World()
    world.scm.rows["Issued"] = listed(world, certificates(120))
    world.scm.expiring = world.scm.rows["Issued"][:40]
    renewals = renewals_of(world)
    await renewals.refresh()
    assert (renewals.in_use.source, len(renewals.in_use.certificates)) == (Source.EXPIRY, 40)
