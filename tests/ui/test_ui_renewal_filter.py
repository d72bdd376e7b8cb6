"""The filter of renewals: its terms find what they say, and are completed and explained as elsewhere."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from sectigo_tui.domain.certificates import Certificate
from sectigo_tui.engine.account.renewals import HoldUp, HoldUpKind, Renewal, Successor, Timing, Usual
from sectigo_tui.presentation.filters import completed, term_hint
from sectigo_tui.presentation.renewals import TERMS, RenewalFilter

TODAY = date(2026, 11, 27)


def renewal(ssl_id: int, name: str, timing: Timing, days: int, *, validation: str = "OV", who: str = "") -> Renewal:
    expires = TODAY + timedelta(days=days)
    holds = (HoldUp(HoldUpKind.DOMAIN, "acme.example", who, "validate it again"),) if who else ()
    known = Certificate(
        ssl_id=ssl_id,
        status="Issued",
        common_name=name,
        subject_alternative_names=(f"api.{name}",),
        profile_name="OV Multi-Domain",
        validation=validation,
        expires=expires,
    )
    successor = Successor(88, "Applied") if timing is Timing.ORDERED else None
    return Renewal(known, expires, expires - timedelta(days=11), Usual(4, 9, False), timing, successor, holds)


ROWS = (
    renewal(1, "late.example", Timing.LATE, 5),
    renewal(2, "due.example", Timing.DUE, 14, who="DNS owner"),
    renewal(3, "shop.example", Timing.AHEAD, 50, validation="EV"),
    renewal(4, "ordered.example", Timing.ORDERED, 8),
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {1, 2, 3, 4}),
        ("late", {1}),
        ("late|due", {1, 2}),
        ("!late !ordered", {2, 3}),
        ("! late", {2, 3, 4}),
        ("holds", {2}),
        ("on:dns", {2}),
        ("val:ev", {3}),
        ("val:ev|dv", {3}),
        ("by<7d", {1, 2, 4}),
        ("by>1w", {3}),
        ("left<10d", {1, 4}),
        ("left<=14d val:ov !late", {2, 4}),
        ("name:api.shop", {3}),
        ("id:88", {4}),
        ("profile:multi shop", {3}),
        ('"in 3d"', {2}),
        ("by<", {1, 2, 3, 4}),
    ],
)
def test_words_and_terms_find_renewals(query: str, found: set[int]) -> None:
    wanted = RenewalFilter(query, TODAY)
    assert {one.certificate.ssl_id for one in ROWS if wanted.test(one)} == found
    assert wanted.error_text == ""


def test_a_time_that_is_none_finds_nothing_and_is_said() -> None:
    wanted = RenewalFilter("left<soon", TODAY)
    assert not any(map(wanted.test, ROWS))
    assert wanted.error_text == "left takes a time such as 7d or 2w."


def test_terms_are_completed_and_explained() -> None:
    assert completed("la", terms=TERMS) == ["late"]
    assert completed("late val:", terms=TERMS) == ["late val:dv", "late val:ov", "late val:ev"]
    assert term_hint("by<1", TERMS) == "by<14d: the last day to order is within that time"
    assert term_hint("", TERMS).startswith("late due ahead")
