"""Revoking: the right certificate, recorded first, and settled by SCM's own word."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from sectigo_tui.domain.errors import InputError, ReadOnly, Refused, StoreError
from sectigo_tui.domain.events import EventKind, FailureReported
from sectigo_tui.domain.limits import REASONS
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.engine.orders.revoke import ConfirmBy, check_typed, confirm_by
from sectigo_tui.simulator.faults import Fault
from sectigo_tui.simulator.world import Dialect
from support.virtual_time import in_virtual_time
from support.writing import Site, new_world

NAME = "www.acme.example"
REVOKE = r"POST /ssl/v1/revoke/\d+$"


async def a_site_with_a_certificate(dialect: Dialect | None = None) -> tuple[Site, int]:
    site = Site(world=new_world(dialect=dialect))
    order = await site.an_order()
    assert order.ssl_id is not None
    return site, order.ssl_id


def status_at_scm(site: Site, ssl_id: int) -> str:
    order = site.world.order(ssl_id)
    assert order is not None
    return site.world.course(order).status


def report_store_error(order: Order) -> str:
    assert order.revocation is not None
    return order.revocation.error


@in_virtual_time
async def test_it_is_recorded_first_then_told_to_scm_and_confirmed_by_its_answer() -> None:
    site, ssl_id = await a_site_with_a_certificate()
    seen: list[OrderState] = []
    site.wire.before = lambda _words: seen.append(site.order.state)
    order = await site.engine.revoking.revoke(ssl_id, 1, "key was on a laptop", NAME)
    assert seen == [OrderState.REVOKING]
    assert order.state is OrderState.REVOKED
    assert order.revocation is not None
    assert order.revocation.confirmed_at is not None
    at_scm = site.world.order(ssl_id)
    assert at_scm is not None
    assert (status_at_scm(site, ssl_id), at_scm.revocation_code) == ("Revoked", 1)
    kinds = [entry.kind for entry in site.store.timeline(order.id)][-2:]
    assert kinds == [EventKind.WRITE_ASKED, EventKind.WRITE_ANSWERED]
    assert "keyCompromise: key was on a laptop" in site.summaries(order.id)[-2]


@pytest.mark.parametrize("fault", [Fault("lost"), Fault("unavailable", done=True), Fault("html", done=True)])
def test_a_lost_answer_is_verified_by_details(fault: Fault) -> None:
    @in_virtual_time
    async def story() -> None:
        site, ssl_id = await a_site_with_a_certificate()
        site.world.faults.add(dataclasses.replace(fault, path="revoke", count=1))
        order = await site.engine.revoking.revoke(ssl_id, 0, "no longer needed", NAME)
        assert order.state is OrderState.REVOKED
        assert any("UNKNOWN, verifying" in summary for summary in site.summaries(order.id))
        assert site.wire.count(REVOKE) == 1

    story()


@pytest.mark.parametrize("restarts", [True, False])
def test_an_outage_is_waited_out_on_the_poll_schedule_across_restarts(restarts: bool) -> None:
    @in_virtual_time
    async def story() -> None:
        site, ssl_id = await a_site_with_a_certificate()
        site.world.faults.add("unavailable", path=f"{ssl_id}$")
        order = await site.engine.revoking.revoke(ssl_id, 4, "superseded", NAME)
        assert order.state is OrderState.REVOKING
        assert "UNKNOWN, verifying" in report_store_error(order)
        await site.follow_for(1800)
        asked = site.wire.count(str(ssl_id))
        assert asked <= 14
        assert status_at_scm(site, ssl_id) == "Issued"
        site = await site.restarted() if restarts else site
        site.world.faults.clear()
        await site.follow_for(400)
        assert site.order.state is OrderState.REVOKED
        assert status_at_scm(site, ssl_id) == "Revoked"

    story()


@in_virtual_time
async def test_a_revocation_that_a_kill_cut_short_is_told_at_the_next_start() -> None:
    site, ssl_id = await a_site_with_a_certificate()
    site.world.faults.add("latency", path="revoke", count=1, seconds=30)
    dying = asyncio.create_task(site.engine.revoking.revoke(ssl_id, 1, "leaked", NAME))
    await site.clock.sleep(1)
    after = await site.restarted()
    with pytest.raises(asyncio.CancelledError):
        await dying
    assert after.order.state is OrderState.REVOKING
    await after.follow_for(60)
    assert after.settled() is OrderState.REVOKED
    assert status_at_scm(site, ssl_id) == "Revoked"


@pytest.mark.parametrize("dialect", [Dialect(already_revoked_code=-159), Dialect(already_revoked_code=-102)])
def test_what_is_revoked_already_is_success(dialect: Dialect) -> None:
    @in_virtual_time
    async def story() -> None:
        site, ssl_id = await a_site_with_a_certificate(dialect)
        at_scm = site.world.order(ssl_id)
        assert at_scm is not None
        at_scm.revoked = site.world.now()
        order = await site.engine.revoking.revoke(ssl_id, 0, "no longer needed", NAME)
        assert order.state is OrderState.REVOKED
        assert order.revocation is not None
        assert order.revocation.confirmed_at is not None

    story()


@in_virtual_time
async def test_what_is_not_issued_is_refused_and_polled_on() -> None:
    site = Site()
    order = await site.an_order(OrderState.PENDING)
    with pytest.raises(Refused) as rejection:
        await site.engine.revoking.revoke(order.ssl_id or 0, 0, "no longer needed", NAME)
    assert rejection.value.code == -102
    assert site.order.state is OrderState.PENDING
    assert site.order.revocation is None
    polls = site.order.window.attempts if site.order.window else 0
    await site.follow_for(400, polling=True)
    assert site.order.window is not None
    assert site.order.window.attempts > polls
    assert site.wire.count(REVOKE) == 1


@in_virtual_time
async def test_a_refusal_later_on_is_published_and_the_order_is_what_it_was() -> None:
    site, ssl_id = await a_site_with_a_certificate()
    site.world.faults.add("unavailable", path="revoke", count=1)
    await site.engine.revoking.revoke(ssl_id, 0, "no longer needed", NAME)
    site.world.faults.add("error", path="revoke", code=-3, description="You are not authorized to perform revoke.")
    await site.follow_for(60)
    assert site.order.state is OrderState.COLLECTED
    (report,) = site.all_heard(FailureReported)
    assert report.order_id == site.order.id
    assert site.wire.count(REVOKE) == 2


@in_virtual_time
async def test_a_refused_login_holds_it_until_the_credentials_are_new() -> None:
    site, ssl_id = await a_site_with_a_certificate()
    right = site.world.account.credentials.password
    site.world.account.credentials.password = "changed elsewhere"
    order = await site.engine.revoking.revoke(ssl_id, 1, "leaked", NAME)
    assert order.state is OrderState.REVOKING
    async with site.following():
        await site.clock.sleep(3600)
        assert site.wire.count(REVOKE) == 1
        site.world.account.credentials.password = right
        site.engine.scheduler.resume()
        await site.clock.sleep(1)
    assert site.order.state is OrderState.REVOKED


@in_virtual_time
async def test_an_answer_that_cannot_be_written_down_is_asked_for_again() -> None:
    site, ssl_id = await a_site_with_a_certificate()
    site.wire.before = lambda words: setattr(site.store, "failing", "full" if "revoke" in words else "")
    with pytest.raises(StoreError):
        await site.engine.revoking.revoke(ssl_id, 1, "leaked", NAME)
    site.wire.before = lambda _words: None
    site.store.failing = ""
    assert site.order.state is OrderState.REVOKING
    await site.follow_for(60)
    assert site.settled() is OrderState.REVOKED


@in_virtual_time
async def test_an_order_of_the_account_becomes_local_first() -> None:
    site = Site()
    remote = site.world.add_order(common_name="shop.acme.example", life="instant")
    order = await site.engine.revoking.revoke(remote.ssl_id, 5, "shop closed", "shop.acme.example")
    assert order.state is OrderState.REVOKED
    assert site.orders == [order]


@in_virtual_time
async def test_what_was_revoked_or_is_being_revoked_is_not_revoked_again() -> None:
    site, ssl_id = await a_site_with_a_certificate()
    site.world.faults.add("unavailable", path="revoke", count=1)
    await site.engine.revoking.revoke(ssl_id, 0, "no longer needed", NAME)
    with pytest.raises(InputError, match="being revoked already"):
        await site.engine.revoking.revoke(ssl_id, 0, "no longer needed", NAME)
    await site.follow_for(60)
    with pytest.raises(InputError, match="revoked already"):
        await site.engine.revoking.revoke(ssl_id, 0, "no longer needed", NAME)


@pytest.mark.parametrize(
    ("code", "reason", "typed"),
    [
        (2, "CA compromise is not ours to say", NAME),
        (1, "", NAME),
        (1, "   ", NAME),
        (1, "x" * 513, NAME),
        (1, "leaked", ""),
        (1, "leaked", "www.acme.example "),
        (1, "leaked", "WWW.acme.example"),
        (1, "leaked", "www.\u200bacme.example"),
        (1, "leaked", "www.\u0430cme.example"),
        (1, "leaked", "2100001"),
    ],
)
def test_nothing_is_sent_unless_everything_is_given_exactly(code: int, reason: str, typed: str) -> None:
    @in_virtual_time
    async def story() -> None:
        site, ssl_id = await a_site_with_a_certificate()
        sent = len(site.wire.sent)
        with pytest.raises(InputError):
            await site.engine.revoking.revoke(ssl_id, code, reason, typed)
        assert len(site.wire.sent) == sent
        assert site.order.state is OrderState.COLLECTED

    story()


@pytest.mark.parametrize(
    ("common_name", "by"),
    [
        ("www.acme.example", ConfirmBy.COMMON_NAME),
        ("*.acme.example", ConfirmBy.COMMON_NAME),
        ("b\u00fccher.example", ConfirmBy.COMMON_NAME),
        ("", ConfirmBy.SSL_ID),
        ("www acme", ConfirmBy.SSL_ID),
        ("www\u200b.acme.example", ConfirmBy.SSL_ID),
        ("www.acme.example\u202e", ConfirmBy.SSL_ID),
        ("\u2066www.acme.example", ConfirmBy.SSL_ID),
        ("www.acme\u0301.example", ConfirmBy.SSL_ID),
        ("www\u3164.acme.example", ConfirmBy.SSL_ID),
        ("www\u1161.acme.example", ConfirmBy.SSL_ID),
        ("www.\u0430cme.example", ConfirmBy.COMMON_NAME),
        ("www.acme.example\x00", ConfirmBy.SSL_ID),
        ("www.acme\U000e0041.example", ConfirmBy.SSL_ID),
        ("www.acme\ufe0f.example", ConfirmBy.SSL_ID),
    ],
)
def test_a_name_that_cannot_be_seen_whole_is_confirmed_by_its_ssl_id(common_name: str, by: ConfirmBy) -> None:
    assert confirm_by(common_name) is by
    check_typed(common_name if by is ConfirmBy.COMMON_NAME else "4711", common_name, 4711)
    with pytest.raises(InputError):
        check_typed("4711" if by is ConfirmBy.COMMON_NAME else common_name, common_name, 4711)


def test_a_name_of_lookalike_letters_is_not_confirmed_by_the_name_that_it_imitates() -> None:
    with pytest.raises(InputError, match="not the common name"):
        check_typed("www.acme.example", "www.\u0430cme.example", 4711)
    with pytest.raises(InputError, match="not the common name"):
        check_typed("www.\u0430cme.example", "www.acme.example", 4711)


@in_virtual_time
async def test_what_is_about_to_be_revoked_is_shown_as_scm_tells_it_now() -> None:
    site, ssl_id = await a_site_with_a_certificate()
    offer = await site.engine.revoking.offer(ssl_id)
    assert offer.details.common_name == NAME
    assert offer.confirm_by is ConfirmBy.COMMON_NAME
    assert offer.details.serial_number.endswith(offer.serial_tail)
    assert len(offer.serial_tail) == 8
    assert not offer.rejection
    await site.engine.revoking.revoke(ssl_id, 0, "no longer needed", NAME)
    assert (await site.engine.revoking.offer(ssl_id)).rejection


def test_the_reasons_are_those_that_scm_takes() -> None:
    assert sorted(REASONS) == [0, 1, 3, 4, 5]


@in_virtual_time
async def test_read_only_mode_revokes_nothing() -> None:
    site = Site(read_only=True)
    with pytest.raises(ReadOnly):
        await site.engine.revoking.revoke(2_100_001, 1, "leaked", NAME)
    assert site.wire.sent == []
