"""Certificates in use, compressed: what is unpacked is what was packed, and the most urgent are those of all."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.certificates import Certificate, OrderDetails
from sectigo_tui.engine.account.certificates import ByNames, CertificateInUse, Packing
from sectigo_tui.engine.account.in_use import Renewals
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.account.renewals import Timing
from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser
from sectigo_tui.engine.diagnosis.normal import Leg, Sample
from sectigo_tui.engine.diagnosis.stages import Span
from support.engine_world import World
from support.virtual_time import START, in_virtual_time

TODAY = START.date()
DAY = 86_400.0


def account_of(count: int, seed: int) -> tuple[OrderDetails, ...]:
    """Return certificates of several levels and names that end one after another, some of them renewed already."""
    random = Random(seed)
    found = []
    for number in range(1, count + 1):
        ends = TODAY + timedelta(days=random.randrange(380))
        name = f"host{random.randrange(count * 3 // 4)}.example.com"
        found.append(
            OrderDetails(
                ssl_id=number,
                status="Issued",
                common_name=name,
                profile_id=random.choice((21, 22, 23)),
                organization_id=1,
                validation=random.choice(("DV", "OV", "EV")),
                issued=ends - timedelta(days=199),
                expires=random.choice((ends, datetime.combine(ends, datetime.min.time(), UTC))),
            )
        )
    return tuple(found)


def samples() -> list[Sample]:
    return [Sample(number, 22, 1, {Leg.WHOLE: Span(20 * DAY, 20 * DAY)}) for number in range(20)]


def renewals_of(world: World) -> Renewals:
    return Renewals(world.context, Account(world.context), samples=samples)


@pytest.mark.parametrize("seed", range(4))
@in_virtual_time
async def test_the_renewals_that_are_told_at_once_are_the_first_of_all(seed: int) -> None:
    world = World()
    world.scm.reported = account_of(1_500, seed)
    renewals = renewals_of(world)
    await renewals.refresh()
    at_once, found = renewals.soonest(), await renewals.due()
    assert at_once == found[: len(at_once)]
    assert any(one.timing is Timing.RENEWED for one in found)
    assert 10 <= len(at_once) < len(found)


@in_virtual_time
async def test_a_plan_that_a_view_no_longer_waits_for_is_there_for_the_next_one() -> None:
    world = World()
    world.scm.reported = account_of(300, 1)
    renewals = renewals_of(world)
    await renewals.refresh()
    waiting = asyncio.create_task(renewals.due())
    await asyncio.sleep(0)
    waiting.cancel()
    assert (await renewals.due())[0] == renewals.soonest()[0]


def test_what_is_unpacked_is_what_was_packed_and_the_one_that_ends_last_is_found_by_names_in_any_spelling() -> None:
    packing = Packing()
    old = Certificate(
        ssl_id=1,
        status="Issued",
        common_name="b.example",
        subject_alternative_names=("B.example.", "a.example"),
        expires=date(2027, 1, 2),
    )
    new = replace(old, ssl_id=2, common_name="a.example", expires=datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC))
    revoked = replace(new, ssl_id=3, status="Revoked", expires=date(2028, 1, 1))
    nameless = Certificate(ssl_id=4, status="Issued", expires=date(2027, 5, 5))
    for one in (new, revoked, old, nameless, old):
        packing.add(one)
    certificates = packing.certificates()
    assert list(certificates) == [old, new, nameless, revoked]
    names = ByNames(certificates)
    assert names.find(("A.EXAMPLE", "b.example")) == CertificateInUse(2, datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert names.find(("a.example",)) is None
    assert names.find(()) is None


@in_virtual_time
async def test_a_diagnoser_and_the_renewals_are_put_together_before_scm_is_connected() -> None:
    def not_connected() -> None:
        raise AssertionError("not connected yet")

    world = World()
    context = replace(world.context, client=not_connected)
    account = Account(context)
    diagnoser = Diagnoser(context, account, None, tuple)
    renewals = Renewals(context, account, samples=diagnoser.samples.all, learn_prospects=diagnoser.ending.prospects)
    await renewals.load()
    assert await renewals.due() == []


def test_ten_thousand_certificates_take_less_than_a_hundred_bytes_each() -> None:
    packing = Packing()
    for one in account_of(10_000, 3):
        packing.add(Certificate.of(one))
    kept = packing.certificates()
    assert len(kept) == 10_000
    assert sum(map(len, (*kept.pages, kept.keys, kept.ids, kept.ends))) < 1_000_000
