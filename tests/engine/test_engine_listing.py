from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import pytest

from sectigo_tui.domain.certificates import ListingFilter, ListingPage, ListingRow
from sectigo_tui.domain.errors import Unreachable
from sectigo_tui.domain.events import AccountChanged
from sectigo_tui.engine.account.listing import Listing
from support.engine_world import World
from support.fake_scm import FakeScm, refused, unreachable
from support.virtual_time import LoopClock, in_virtual_time

ALL = ListingFilter()


def account_of(rows: int, *, tells_totals: bool = True) -> tuple[World, Listing]:
    world = World()
    world.scm.rows[""] = [ListingRow(number, f"www{number}.example.com") for number in range(rows)]
    world.scm.tells_totals = tells_totals
    return world, Listing(world.context, ALL)


def pages_asked(world: World) -> list[int]:
    return [int(str(asked.about).split("@")[1]) // 200 for asked in world.scm.asked]


@in_virtual_time
async def test_only_the_pages_in_sight_are_fetched_nearest_to_their_middle_first() -> None:
    world, listing = account_of(100_000)
    await listing.need(0, 40)
    await listing.need(50_100, 50_900)
    assert pages_asked(world) == [0, 252, 251, 253, 250, 254]
    assert listing.total == 100_000
    row = listing.row_at(50_500)
    assert row is not None
    assert row.ssl_id == 50_500
    assert listing.row_at(60_000) is None
    assert (listing.loaded, listing.is_complete) == (1_200, False)
    assert listing.position_of(50_500) == 50_500


@in_virtual_time
async def test_what_was_scrolled_past_is_not_fetched() -> None:
    world, listing = account_of(100_000)
    first = asyncio.create_task(listing.need(0, 1_999))
    await world.pass_time(0.1)
    await asyncio.gather(listing.need(20_000, 20_010), listing.need(40_000, 40_010), first)
    assert pages_asked(world) == [4, 200]


@in_virtual_time
async def test_a_reader_that_goes_away_does_not_keep_the_next_one_from_its_rows() -> None:
    world, listing = account_of(100_000)
    first = asyncio.create_task(listing.need(0, 10))
    await world.pass_time(0.1)
    second = asyncio.create_task(listing.need(20_000, 20_010))
    await asyncio.sleep(0)
    first.cancel()
    await second
    assert listing.row_at(20_005) is not None
    with suppress(asyncio.CancelledError):
        await first


@pytest.mark.parametrize("tells_totals", [True, False])
@pytest.mark.parametrize("rows", [0, 1, 199, 200, 201, 1_000])
@in_virtual_time
async def test_a_whole_listing_is_fetched_whether_or_not_its_length_is_told(rows: int, tells_totals: bool) -> None:
    world, listing = account_of(rows, tells_totals=tells_totals)
    told: list[tuple[int, int]] = []
    await listing.load_all(lambda loaded, total: told.append((loaded, total)))
    assert [row.ssl_id for row in listing.rows()] == list(range(rows))
    assert (listing.total, listing.is_complete) == (rows, True)
    assert told[-1] == (rows, rows)
    assert len(world.scm.asked) == max(1, -(-rows // 200)) + (not tells_totals and rows > 0 and rows % 200 == 0)


@in_virtual_time
async def test_loading_all_can_be_stopped_and_goes_on_where_it_was() -> None:
    world, listing = account_of(2_000)
    loading = asyncio.create_task(listing.load_all(lambda _loaded, _total: None))
    await world.pass_time(0.9)
    loading.cancel()
    with suppress(asyncio.CancelledError):
        await loading
    assert listing.loaded == 800
    asked = len(world.scm.asked)
    await listing.load_all(lambda _loaded, _total: None)
    assert listing.is_complete
    assert pages_asked(world)[asked:] == [4, 5, 6, 7, 8, 9]


@in_virtual_time
async def test_no_page_is_fetched_twice_by_loading_all_while_scrolling() -> None:
    world, listing = account_of(2_000)
    await asyncio.gather(listing.load_all(lambda _loaded, _total: None), listing.need(1_000, 1_010))
    assert sorted(pages_asked(world)) == list(range(10))


@in_virtual_time
async def test_a_failed_page_is_told_and_fetched_when_it_is_needed_again() -> None:
    world, listing = account_of(300)
    world.scm.outages.append((0.0, 1.0, unreachable()))
    await listing.need(0, 10)
    assert isinstance(listing.failure, Unreachable)
    assert (listing.fetched_at, listing.row_at(0)) == (None, None)
    assert len(world.scm.asked) == 1
    with pytest.raises(Unreachable):
        await listing.load_all(lambda _loaded, _total: None)
    await world.pass_time(1)
    await listing.need(0, 10)
    assert listing.failure is None
    assert listing.row_at(0) is not None
    assert len(world.all_heard(AccountChanged)) == 3


@in_virtual_time
async def test_a_forgotten_listing_is_fetched_anew_when_it_is_polled() -> None:
    world, listing = account_of(300)
    await listing.need(0, 299)
    world.scm.rows[""] = [ListingRow(number, "new") for number in range(1_000, 1_250)]
    listing.forget()
    await listing.need(0, 299)
    assert [row.ssl_id for row in listing.rows()] == list(range(1_000, 1_250))
    assert listing.total == 250


@in_virtual_time
async def test_an_order_that_shifted_between_pages_is_one_row() -> None:
    world, listing = account_of(400)
    await listing.need(0, 10)
    world.scm.rows[""] = [ListingRow(999, "newest"), *world.scm.rows[""]]
    await listing.need(200, 399)
    assert [row.ssl_id for row in listing.rows()] == list(range(399))


class TwoQueries(FakeScm):
    """SCM that lists other rows by alternative name than by common name."""

    by_name: Sequence[ListingRow] = ()
    by_alternative: Sequence[ListingRow] = ()
    takes_alternatives = True

    async def listing(self, where: ListingFilter, *, position: int, size: int) -> ListingPage:
        if where.alternative_name and not self.takes_alternatives:
            raise refused("listing", -1601, "Invalid field value: subjectAlternativeName")
        self.rows[""] = self.by_alternative if where.alternative_name else self.by_name
        return await super().listing(where, position=position, size=size)


def listing_of(common: int, alternative: int) -> tuple[TwoQueries, Listing]:
    """Return a listing with so many rows by common name, each by alternative name too, and so many by that alone."""
    scm = TwoQueries(LoopClock())
    scm.by_name = [ListingRow(number, f"www{number}.shop.example") for number in range(common)]
    others = [ListingRow(100_000 + number, f"mail{number}.other.example") for number in range(alternative)]
    scm.by_alternative = [*scm.by_name, *others]
    return scm, Listing(World(scm=scm).context, ListingFilter(common_name="SHOP"))


@pytest.mark.parametrize(("common", "alternative"), [(0, 3), (3, 0), (150, 70), (200, 5), (390, 250), (1, 1)])
def test_a_listing_by_name_ends_with_the_rows_that_only_an_alternative_name_finds(
    common: int, alternative: int
) -> None:
    @in_virtual_time
    async def story() -> None:
        _, listing = listing_of(common, alternative)
        await listing.need(0, 40)
        assert listing.total == common + alternative
        await listing.load_all(lambda _loaded, _total: None)
        assert listing.is_complete
        ids = [row.ssl_id for row in listing.rows()]
        assert ids == [*range(common), *range(100_000, 100_000 + alternative)]
        assert len(ids) == listing.loaded
        listing.forget()
        await listing.need(0, 10_000)
        assert [row.ssl_id for row in listing.rows()] == ids

    story()


@in_virtual_time
async def test_of_very_many_alternative_names_the_first_are_read_until_all_is_asked_for() -> None:
    _, listing = listing_of(100, 2_000)
    await listing.need(0, 40)
    assert (listing.total, listing.unread) == (1_000, 1_100)
    await listing.load_all(lambda _loaded, _total: None)
    assert (listing.total, listing.unread) == (2_100, 0)


@in_virtual_time
async def test_an_installation_that_knows_no_filter_by_alternative_name_lists_by_common_name() -> None:
    scm, listing = listing_of(5, 5)
    scm.takes_alternatives = False
    await listing.need(0, 40)
    assert (listing.total, listing.failure) == (5, None)


@pytest.mark.parametrize("header", [0, 1, None, 10_000])
@pytest.mark.parametrize("rows", [2, 200, 201, 450])
@in_virtual_time
async def test_rows_count_more_than_what_the_header_says(rows: int, header: int | None) -> None:
    world, listing = account_of(rows)
    world.scm.total_told = lambda _rows: header
    await listing.load_all(lambda _loaded, _total: None)
    assert (listing.total, listing.loaded, listing.is_complete) == (rows, rows, True)
    assert len(world.scm.asked) <= rows // 200 + 2


@in_virtual_time
async def test_a_reader_reaches_every_row_though_the_header_says_0() -> None:
    world, listing = account_of(450)
    world.scm.total_told = lambda _rows: 0
    await listing.need(0, 20)
    assert listing.total == 200
    await listing.need(180, 199)
    await listing.need(380, 399)
    assert (listing.total, listing.loaded, listing.is_complete) == (450, 450, True)


@in_virtual_time
async def test_a_row_that_cannot_be_used_leaves_no_hole_in_what_is_shown() -> None:
    world, listing = account_of(398)
    world.scm.unusable = {"": ("row 3 has no sslId", "row 9 is no object")}
    await listing.load_all(lambda _loaded, _total: None)
    assert (listing.total, listing.loaded, listing.is_complete) == (400, 398, True)
    shown = [listing.row_at(position) for position in listing.positions()]
    assert [row.ssl_id for row in shown if row is not None] == list(range(398))
    assert len(listing.unusable) == 2


@in_virtual_time
async def test_a_header_that_counts_rows_of_which_none_came_is_no_empty_account() -> None:
    world, listing = account_of(0)
    world.scm.total_told = lambda _rows: 5
    await listing.need(0, 10)
    assert "no row came" in str(listing.failure)
    assert listing.total is None
