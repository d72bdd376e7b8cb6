"""A query that can be done without is refused: polling goes on, and it is not sent again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from sectigo_tui.domain.errors import CredentialsRefused, RefusedAlone
from sectigo_tui.domain.events import FailureReported, PollingPaused
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.polling import WindowEnd
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.engine.credentials import service
from sectigo_tui.engine.orders import pending_writes
from sectigo_tui.engine.polling import scheduler
from support.virtual_time import in_virtual_time
from support.writing import Site, ready

PASSWORD = "GET /admin/v1/password"
REJECTIONS_AT_MOST = [(401, -16), (400, -16), (400, -970), (403, -16), (403, -970)]


@asynccontextmanager
async def running(site: Site, *, refresh_seconds: float = 60.0) -> AsyncIterator[None]:
    task = asyncio.create_task(site.engine.run(refresh_seconds))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def look_around_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have nothing but what a day is about happen in it: other processes' changes are looked for 300,000 times else."""
    monkeypatch.setattr(service, "CHECK_SECONDS", 300.0)
    monkeypatch.setattr(scheduler, "CHANGES_SECONDS", 300.0)
    monkeypatch.setattr(scheduler, "LEASE_RENEWAL_SECONDS", 300.0)
    monkeypatch.setattr(scheduler, "LEASE_SECONDS", 900.0)
    monkeypatch.setattr(pending_writes, "ROUND_SECONDS", 300.0)


def refuse(site: Site, path: str, status: int = 401, code: int = -16) -> None:
    site.world.faults.add("error", path=path, status=status, code=code, description="Unknown user")


def reports(site: Site) -> list[str]:
    return [report.what for report in site.all_heard(FailureReported)]


@pytest.mark.parametrize(("status", "code"), REJECTIONS_AT_MOST)
@in_virtual_time
async def test_a_refused_password_query_is_switched_off_and_said_and_pauses_nothing(
    status: int, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_around_seldom(monkeypatch)
    site = Site()
    refuse(site, "admin/v1/password", status, code)
    async with running(site, refresh_seconds=900.0):
        await asyncio.sleep(24 * 3600)
        assert site.limiter.rejection is None
        assert not site.all_heard(PollingPaused)
        assert site.wire.count(PASSWORD) == 1
        assert reports(site) == ["Reading the password's expiry is switched off until the credentials are rotated"]
        listed = site.wire.count("GET /ssl/v1")
        await asyncio.sleep(1000)
        assert site.wire.count("GET /ssl/v1") > listed


@in_virtual_time
async def test_a_query_that_was_switched_off_is_sent_again_after_a_rotation() -> None:
    site = Site()
    refuse(site, "admin/v1/password")
    async with running(site):
        await asyncio.sleep(60)
        site.world.faults.clear()
        site.world.account.credentials.password = "new-password-1!"
        await asyncio.sleep(120)
        await site.engine.credentials.rotate("", SecretText("new-password-1!"))
        await asyncio.sleep(60)
        assert site.wire.count(PASSWORD) == 2
        assert site.engine.password is not None


@in_virtual_time
async def test_a_bad_password_is_one_bad_login_at_the_start_whatever_is_asked_for_first() -> None:
    site = Site()
    site.world.account.credentials.password = "changed elsewhere"
    async with running(site):
        await asyncio.sleep(3600)
        assert len(site.wire.sent) == 1
        assert len(site.all_heard(PollingPaused)) == 1


@pytest.mark.parametrize("path", ["/dcv", "organization", "customFields", "dcv/v2/validation/status"])
@in_virtual_time
async def test_rejected_evidence_is_missing_evidence_and_asked_for_once(path: str) -> None:
    site = Site()
    ssl_id = site.world.add_order(life="ov-dcv-missing", common_name="www.acme.example").ssl_id
    site.world.advance(60)
    async with running(site):
        await asyncio.sleep(10)
        refuse(site, path)
        asked = site.wire.count(path)
        for _ in range(5):
            await site.engine.diagnoser.diagnose(ssl_id)
            await site.engine.enrolling.offer()
            await asyncio.sleep(100)
        assert site.limiter.rejection is None
        assert 1 <= site.wire.count(path) - asked <= 4
        assert any("is switched off" in what for what in reports(site))


@in_virtual_time
async def test_writes_that_are_refused_alone_are_told_and_hold_nothing_back() -> None:
    site = Site()
    order = await site.an_order()
    refuse(site, "revoke")
    refuse(site, "enroll")
    async with running(site):
        await asyncio.sleep(5)
        with pytest.raises(RefusedAlone):
            await site.engine.enrolling.enroll(ready("other.acme.example"))
        with pytest.raises(RefusedAlone):
            await site.engine.revoking.revoke(order.ssl_id or 0, 4, "superseded", order.common_name)
        await asyncio.sleep(3600)
        assert site.wire.count("POST .*revoke") == 1
        assert site.wire.count("POST .*enroll") == 2
        assert site.store.order(order.id).state is OrderState.COLLECTED  # type: ignore[union-attr] # it is there
        assert site.limiter.rejection is None


@in_virtual_time
async def test_a_collect_that_is_refused_alone_stops_that_order_and_no_other() -> None:
    site = Site()
    placed = await site.engine.enrolling.enroll(ready(comments="[sim:instant]"))
    other = await site.engine.enrolling.enroll(ready("other.acme.example", comments="[sim:vetting]"))
    refuse(site, "collect")
    async with running(site):
        await asyncio.sleep(300)
        order, polled = site.store.order(placed.order.id), site.store.order(other.order.id)
        assert order is not None
        assert polled is not None
        assert order.window is not None
        assert polled.window is not None
        assert (order.state, order.window.ended) == (OrderState.ISSUED, WindowEnd.STOPPED)
        assert polled.window.is_open
        assert site.wire.count("collect") == 1
        assert site.limiter.rejection is None


@in_virtual_time
async def test_a_write_with_a_password_that_was_changed_elsewhere_holds_all_others_back() -> None:
    site = Site()
    await site.engine.enrolling.enroll(ready())
    site.world.account.credentials.password = "changed elsewhere"
    outcomes = await site.engine.approving.approve_all(range(1, 9), "fine")
    assert {type(outcome.failure) for outcome in outcomes} == {CredentialsRefused}
    assert site.world.account.credentials.failures == 2
    assert site.limiter.rejection is not None


@pytest.mark.parametrize("fault", ["rate-limit", "unavailable"])
@in_virtual_time
async def test_no_side_query_is_sent_while_a_retry_after_lasts_whatever_was_answered_with_it(fault: str) -> None:
    site = Site()
    async with running(site):
        await asyncio.sleep(100)
        site.world.faults.add(fault, path="/dcv", retry_after=300, count=1)
        ssl_id = site.world.add_order(life="ov-dcv-missing", common_name="www.acme.example").ssl_id
        site.world.advance(60)
        await site.engine.diagnoser.diagnose(ssl_id)
        asked = [site.wire.count(path) for path in ("/dcv", "organization", "report")]
        await asyncio.sleep(240)
        await site.engine.diagnoser.diagnose(ssl_id)
        assert [site.wire.count(path) for path in ("/dcv", "organization", "report")] == asked
        await asyncio.sleep(120)
        await site.engine.diagnoser.diagnose(ssl_id)
        assert site.wire.count("/dcv") > asked[0]
