"""A listing's rows for the table: by position, sorted and narrowed without holding up the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from random import Random

import pytest

from sectigo_tui.domain.certificates import ListingFilter, ListingRow
from sectigo_tui.domain.limits import PAGE_SIZE
from sectigo_tui.engine.account.listing import Listing
from sectigo_tui.presentation import listing_rows as listed
from sectigo_tui.presentation.listing_rows import ListedIds, arranged
from support.engine_world import World


def listing_of(names: list[str], *, pages: range | None = None) -> Listing:
    """Return a listing of orders from sslId 1 on, of which some pages have been fetched."""
    listing = Listing(World().context, ListingFilter())
    rows = [ListingRow(number, name, (name,), f"{number:04X}") for number, name in enumerate(names, 1)]
    listing.total = len(rows)
    listing.fetched.resize(len(rows))
    for number in pages or range(-(-len(rows) // PAGE_SIZE)):
        listing.fetched.put(number, rows[number * PAGE_SIZE : (number + 1) * PAGE_SIZE])
    return listing


def names_of(ids: Sequence[str | None], whole: ListedIds) -> list[str]:
    rows = [whole.row(row_id) for row_id in ids if row_id is not None]
    return [row.common_name for row in rows if row is not None]


async def test_rows_stand_where_scm_lists_them_and_others_are_missing() -> None:
    ids = ListedIds(listing_of([f"host{number}" for number in range(1_000)], pages=range(2, 3)))

    assert (len(ids), ids[399], ids[400], ids[599], ids[600]) == (1_000, None, "#401", "#600", None)
    assert ids.index("#402") == 401
    assert "#402" in ids
    assert "#1" not in ids
    assert None in ids
    row = ids.row("#402")
    assert row is not None
    assert (row.common_name, row.serial_number) == ("host401", "0192")
    with pytest.raises(ValueError, match="#9000"):
        ids.index("#9000")


async def test_names_are_sorted_as_sorted_does_whatever_their_case() -> None:
    random = Random(5)
    names = [f"{random.choice('abcXYZ')}{random.randrange(900)}.example.com" for _ in range(30_000)]
    listing = listing_of(names)

    ids = await arranged(listing, "common_name")
    assert names_of(ids[:200], ids) == sorted(names, key=str.casefold)[:200]
    ids = await arranged(listing, "ssl_id", descending=True)
    assert ids[:3] == ["#30000", "#29999", "#29998"]
    assert ids.index("#29998") == 2


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("SHOP", ["shop.example.com", "Webshop.example.com"]),
        ("shop web", ["Webshop.example.com"]),
        ("3", ["vpn.example.com"]),
        ("nothing", []),
        ("", ["shop.example.com", "Webshop.example.com", "vpn.example.com"]),
    ],
)
async def test_rows_are_narrowed_by_words_of_name_and_ssl_id(query: str, found: list[str]) -> None:
    listing = listing_of(["shop.example.com", "Webshop.example.com", "vpn.example.com"])

    ids = await arranged(listing, query=query)
    assert names_of(ids, ids) == found


async def test_the_screen_has_its_turn_between_pages_and_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listed, "SLICE_SECONDS", 0.0)
    listing = listing_of([f"host{number * 7919 % 100_000}" for number in range(100_000)])
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    ids = await arranged(listing, "common_name")
    task.cancel()

    assert ids[0] == "#1"
    assert turns >= 500
