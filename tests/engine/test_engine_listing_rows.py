"""Rows kept in little memory are the rows that came."""

from __future__ import annotations

from sectigo_tui.domain.certificates import ListingRow
from sectigo_tui.domain.limits import PAGE_SIZE
from sectigo_tui.engine.account.listing import ListingRows


def page(first: int, size: int = PAGE_SIZE) -> list[ListingRow]:
    return [
        ListingRow(number, f"host{number}.example.com", (f"host{number}.example.com", "www.ä.example"), f"{number:X}")
        for number in range(first, first + size)
    ]


def test_pages_come_in_any_order_and_go_again() -> None:
    rows = ListingRows()
    rows.resize(1_000)
    rows.put(3, page(600))
    rows.put(0, page(0))

    assert (len(rows), rows.loaded, rows.has_page(0), rows.has_page(1)) == (1_000, 400, True, False)
    assert rows.at(650) == page(650, 1)[0]
    assert (rows.at(250), rows.at(-1), rows.at(1_000)) == (None, None, None)
    assert (rows.position_of(650), rows.position_of(250)) == (650, None)
    assert list(rows) == page(0) + page(600)

    rows.forget()
    assert (len(rows), rows.loaded, rows.at(650)) == (1_000, 0, None)


def test_a_page_that_comes_anew_replaces_the_one_before() -> None:
    rows = ListingRows()
    rows.put(0, page(0, 10))
    rows.put(0, page(5, 8))

    assert (rows.loaded, rows.position_of(4), rows.at(0)) == (8, None, page(5, 1)[0])


def test_rows_beyond_a_shrunken_total_are_dropped() -> None:
    rows = ListingRows()
    for number in range(3):
        rows.put(number, page(number * PAGE_SIZE))
    rows.resize(PAGE_SIZE + 10)

    assert (len(rows), rows.loaded, rows.position_of(PAGE_SIZE)) == (PAGE_SIZE + 10, PAGE_SIZE, None)


def test_names_may_hold_what_stands_between_them() -> None:
    rows = ListingRows()
    rows.put(0, [ListingRow(1, "a\0b"), ListingRow(2, ""), ListingRow(3, "\udc80c", ("\udc80",))])
    rows.put(1, [])

    assert [row.common_name for row in rows] == ["a\N{REPLACEMENT CHARACTER}b", "", "\udc80c"]
    assert list(rows)[2].subject_alternative_names == ("\udc80",)


def test_a_hundred_thousand_rows_take_little_memory() -> None:
    import tracemalloc

    tracemalloc.start()
    rows = ListingRows()
    for number in range(500):
        rows.put(number, page(number * PAGE_SIZE))
    used, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert rows.loaded == 100_000
    assert used < 10_000_000
