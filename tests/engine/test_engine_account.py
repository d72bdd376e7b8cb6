from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.certificates import ListingFilter, ListingRow, OrderDetails
from sectigo_tui.domain.errors import NotFound, ServerFailure
from sectigo_tui.domain.events import AccountChanged, FailureReported
from sectigo_tui.domain.explain import explain
from sectigo_tui.domain.ports import StoreDamage
from sectigo_tui.domain.status import PENDING_STATUSES
from sectigo_tui.engine.account.remote_orders import DETAILS_KEPT, Account
from support.engine_world import World
from support.fake_scm import server_failure
from support.memory_store import Disk
from support.virtual_time import START, in_virtual_time
from support.writing import Site


def row(ssl_id: int) -> ListingRow:
    return ListingRow(ssl_id, f"www{ssl_id}.example.com")


@in_virtual_time
async def test_pending_orders_are_found_by_one_query_for_each_pending_status() -> None:
    world = World()
    account = Account(world.context)
    world.scm.rows = {"Requested": [row(1), row(2)], "Applied": [row(3)], "Issued": [row(4)], "": [row(4)]}
    assert account.refreshed_at is None
    await account.refresh_pending()
    assert [asked.about for asked in world.scm.asked] == [f"{status.replace(' ', '')}@0" for status in PENDING_STATUSES]
    assert {ssl_id: listed.status for ssl_id, listed in account.pending().items()} == {
        1: "Requested",
        2: "Requested",
        3: "Applied",
    }
    assert account.refreshed_at == START + timedelta(seconds=0.2)
    assert account.failure is None


@in_virtual_time
async def test_a_failed_query_keeps_what_was_known_and_says_so() -> None:
    world = World()
    account = Account(world.context)
    world.scm.rows = {"Applied": [row(3)]}
    await account.refresh_pending()
    before = account.refreshed_at
    world.scm.outages.append((0.0, 1e9, server_failure()))
    await account.refresh_pending()
    assert set(account.pending()) == {3}
    assert isinstance(account.failure, ServerFailure)
    assert account.refreshed_at == before


@in_virtual_time
async def test_an_order_that_is_pending_no_more_leaves_with_the_next_refresh() -> None:
    world = World()
    account = Account(world.context)
    world.scm.rows = {"Requested": [row(3)]}
    await account.refresh_pending()
    world.scm.rows = {"Applied": [row(3)]}
    await account.refresh_pending()
    assert account.status_of(3) == "Applied"
    world.scm.rows = {}
    await account.refresh_pending()
    assert not account.pending()


@in_virtual_time
async def test_whoever_asks_for_the_same_details_at_one_time_shares_a_request() -> None:
    world = World()
    account = Account(world.context)
    world.scm.live(7, "Applied")
    asking = [asyncio.create_task(account.details(7)) for _ in range(5)]
    await world.pass_time(0.1)
    asking[0].cancel()
    told = await asyncio.gather(*asking[1:])
    assert {details.status for details in told} == {"Applied"}
    assert len(world.scm.asked) == 1
    assert world.all_heard(AccountChanged) == [AccountChanged(7)]
    with suppress(asyncio.CancelledError):
        await asking[0]


@in_virtual_time
async def test_details_are_asked_for_again_once_they_are_old() -> None:
    world = World()
    account = Account(world.context)
    world.scm.live(7, "Applied", (30.0, "Issued"))
    await account.details(7)
    await world.pass_time(59)
    assert (await account.details(7)).status == "Applied"
    assert (await account.details(7, fresh_seconds=10)).status == "Issued"
    assert len(world.scm.asked) == 2


@in_virtual_time
async def test_a_failure_is_told_to_everybody_who_asked_and_the_next_one_asks_again() -> None:
    world = World()
    account = Account(world.context)
    for told in await asyncio.gather(account.details(7), account.details(7), return_exceptions=True):
        assert isinstance(told, NotFound)
    world.scm.live(7, "Applied")
    assert (await account.details(7)).status == "Applied"
    assert len(world.scm.asked) == 2


@in_virtual_time
async def test_the_status_is_that_of_the_newer_of_details_and_listing() -> None:
    world = World()
    account = Account(world.context)
    assert account.status_of(7) == ""
    account.learned(OrderDetails(ssl_id=7, status="Requested"), world.clock.now())
    await world.pass_time(60)
    world.scm.rows = {"Applied": [row(7)]}
    await account.refresh_pending()
    assert account.status_of(7) == "Applied"
    await world.pass_time(60)
    account.learned(OrderDetails(ssl_id=7, status="Rejected"), world.clock.now())
    assert account.status_of(7) == "Rejected"


@in_virtual_time
async def test_older_details_do_not_replace_newer_ones() -> None:
    account = Account(World().context)
    account.learned(OrderDetails(ssl_id=7, status="Issued"), START + timedelta(seconds=9))
    account.learned(OrderDetails(ssl_id=7, status="Applied"), START)
    assert account.status_of(7) == "Issued"


@in_virtual_time
async def test_details_of_what_is_in_sight_are_asked_for_where_unknown_or_out_of_date() -> None:
    world = World()
    account = Account(world.context)
    world.scm.live(1, "Applied")
    world.scm.live(2, "Applied")
    account.learned(OrderDetails(ssl_id=1, status="Applied"), world.clock.now())
    account.learned(OrderDetails(ssl_id=2, status="Requested"), world.clock.now())
    world.scm.rows = {"Applied": [row(1), row(2)]}
    await world.pass_time(120)
    await account.refresh_pending()
    world.scm.asked.clear()
    await account.sight([1, 2])
    assert [asked.about for asked in world.scm.asked] == [2]
    with pytest.raises(NotFound):
        await account.sight([3, 4])
    assert len(world.scm.asked) == 2


@in_virtual_time
async def test_details_are_kept_for_a_bounded_number_of_orders() -> None:
    account = Account(World().context)
    for ssl_id in range(DETAILS_KEPT + 1):
        account.learned(OrderDetails(ssl_id=ssl_id, status="Applied"), START)
    assert account.known(0) is None
    assert account.known(1) is not None


@pytest.mark.parametrize("fault", ["rate-limit", "unavailable"])
@pytest.mark.parametrize(("asked_for", "pause"), [("300", 300), ("86400", 600), ("5", 60)])
def test_while_scm_asks_for_a_pause_the_account_is_not_listed(asked_for: str, pause: float, fault: str) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        site.world.faults.add(fault, path="ssl/v1$", retry_after=asked_for, count=1)
        running = asyncio.create_task(site.engine.run(refresh_seconds=60))
        await asyncio.sleep(pause - 2)
        assert site.wire.count("GET /ssl/v1$") == 1
        await asyncio.sleep(5)
        assert site.wire.count("GET /ssl/v1$") == 1 + len(PENDING_STATUSES)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    story()


@in_virtual_time
async def test_damage_found_while_the_program_runs_is_told_once_too() -> None:
    site = Site()
    site.store.planted_damage.append(StoreDamage("orders.json was damaged", "orders.json", "nothing to do"))
    running = asyncio.create_task(site.engine.run(refresh_seconds=60))
    await asyncio.sleep(30)
    site.store.planted_damage.append(StoreDamage("the journal was cut", "journal.jsonl", "run audit verify"))
    await asyncio.sleep(300)
    told = [str(each.failure) for each in site.received if isinstance(each, FailureReported)]
    assert [words.split(":")[0] for words in told] == ["orders.json", "journal.jsonl"]
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running


def takes(world: World, *spellings: str) -> None:
    """Let SCM take these spellings of a status alone, as a listing's filter."""
    world.scm.takes_statuses = frozenset({"Init", "Requested", "Approved", "Applied", "Issued", "", *spellings})


@pytest.mark.parametrize("spelling", ["SA Approved", "SAApproved", "SA_APPROVED", "sa approved", "SA APPROVED"])
@in_virtual_time
async def test_the_spelling_of_a_status_that_scm_takes_is_learned_once(spelling: str) -> None:
    world = World()
    account = Account(world.context)
    world.scm.rows = {"Requested": [row(1)], spelling: [row(2)]}
    takes(world, spelling)
    await account.refresh_pending()
    assert {ssl_id: listed.status for ssl_id, listed in account.pending().items()} == {1: "Requested", 2: "SA Approved"}
    assert (account.failure, account.not_loaded) == (None, {})
    before = len(world.scm.asked)
    await account.refresh_pending()
    assert len(world.scm.asked) == before + len(PENDING_STATUSES)
    listing = account.listing(ListingFilter(status="SA Approved"))
    await listing.need(0, 10)
    assert world.scm.asked[-1].about == f"{spelling}@0"
    assert listing.total == 1
    assert not world.all_heard(FailureReported)


@in_virtual_time
async def test_a_status_that_scm_refuses_costs_that_status_alone_and_is_named_once() -> None:
    world = World()
    account = Account(world.context)
    world.scm.rows = {"Requested": [row(1)], "Applied": [row(3)]}
    takes(world)
    await account.refresh_pending()
    await account.refresh_pending()
    assert set(account.pending()) == {1, 3}
    assert account.refreshed_at is not None
    assert list(account.not_loaded) == ["SA Approved"]
    told = world.all_heard(FailureReported)
    assert [(each.what, str(each.failure)) for each in told] == [
        ("listing orders with status SA Approved", "listing: Field 'status' has invalid value.")
    ]
    before = len(world.scm.asked)
    await account.refresh_pending()
    assert len(world.scm.asked) == before + len(PENDING_STATUSES), "a refused status is not tried in every way again"


@in_virtual_time
async def test_rows_that_cannot_be_used_are_counted_and_named_once() -> None:
    world = World()
    account = Account(world.context)
    world.scm.rows = {"Requested": [row(1)]}
    world.scm.unusable = {"Requested": ("row 2 has sslId None (odd.example)",)}
    await account.refresh_pending()
    await account.refresh_pending()
    assert set(account.pending()) == {1}
    assert account.failure is None
    assert account.unusable == ("row 2 has sslId None (odd.example)",)
    told = world.all_heard(FailureReported)
    assert [str(each.failure) for each in told] == ["listing: 1 unusable: row 2 has sslId None (odd.example)"]
    assert "all others are" in explain(told[0].failure).meaning


def reported(ssl_id: int, status: str = "Applied") -> OrderDetails:
    """Return what a report tells of an order that was requested yesterday."""
    return OrderDetails(
        ssl_id=ssl_id,
        status=status,
        common_name=f"www{ssl_id}.example.com",
        organization_id=7,
        organization_name="Acme",
        requested=START - timedelta(days=1),
    )


def calls(world: World) -> list[str]:
    """Return which calls SCM was sent."""
    return [asked.call for asked in world.scm.asked]


@in_virtual_time
async def test_rows_in_sight_are_told_by_one_report_and_one_comparison_of_its_ids() -> None:
    world = World()
    account = Account(world.context)
    world.scm.reported = tuple(map(reported, range(1, 41)))
    for ssl_id in range(1, 41):
        world.scm.live(ssl_id, reported(ssl_id))
    await account.sight(range(1, 41))
    assert sorted(calls(world)) == ["details", "report"]
    known = account.known(17)
    assert known is not None
    assert (known.details.organization_name, known.details.requested) == ("Acme", START - timedelta(days=1))
    await account.details(17)
    assert sorted(calls(world)) == ["details", "details", "report"]


@in_virtual_time
async def test_a_report_is_read_every_fifteen_minutes_at_most_by_all_processes_together() -> None:
    disk = Disk()
    worlds = [World(disk=disk, name=f"process {number}") for number in range(3)]
    for world in worlds:
        world.scm.reported = tuple(map(reported, range(1, 6)))
        for ssl_id in range(1, 6):
            world.scm.live(ssl_id, reported(ssl_id))
    for _ in range(4):
        for world in worlds:
            await Account(world.context).sight(range(1, 6))
        await worlds[0].pass_time(300)
    assert [call for world in worlds for call in calls(world)].count("report") == 2


@in_virtual_time
async def test_ids_of_a_report_that_are_no_sslids_are_not_used() -> None:
    world = World()
    account = Account(world.context)
    world.scm.reported = tuple(map(reported, range(1, 6)))
    for ssl_id in range(1, 6):
        world.scm.live(ssl_id, replace(reported(ssl_id), common_name="another.example.com"))
    await account.sight(range(1, 6))
    assert calls(world).count("details") == 5
    assert {account.known(ssl_id).details.common_name for ssl_id in range(1, 6)} == {"another.example.com"}  # type: ignore[union-attr]


@in_virtual_time
async def test_where_the_login_may_not_read_reports_each_order_in_sight_is_asked_for() -> None:
    world = World()
    account = Account(world.context)
    for ssl_id in range(1, 6):
        world.scm.live(ssl_id, "Applied")
    await account.sight(range(1, 6))
    assert calls(world) == ["report", *["details"] * 5]


@in_virtual_time
async def test_a_report_takes_nothing_away_that_details_have_told() -> None:
    world = World()
    account = Account(world.context)
    account.learned(replace(reported(1), sha1="AB", status="Requested"), START)
    account.learned(reported(1), START + timedelta(minutes=1), is_reported=True)
    known = account.known(1)
    assert known is not None
    assert (known.details.status, known.details.sha1, known.is_partial) == ("Applied", "AB", False)
