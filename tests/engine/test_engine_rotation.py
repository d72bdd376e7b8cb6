"""Credentials: one try each, nothing sent with refused ones, and none lost to a crash."""

from __future__ import annotations

import asyncio

import pytest

from sectigo_tui.domain.errors import (
    CredentialsRefused,
    InputError,
    ReadOnly,
    StoreError,
    Unreachable,
)
from sectigo_tui.domain.events import PollingResumed
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.engine.credentials.certctl import HandOverStep
from support.fake_certctl import FakeCertctl
from support.virtual_time import in_virtual_time
from support.writing import Site, ready

NEW = "Brand-New-7-Secret"
TRY = r"GET /ssl/v1/types"
CHANGE = r"POST /admin/v1/changepassword"


@in_virtual_time
async def test_new_credentials_are_tried_with_one_request_kept_used_and_let_the_workers_go_on() -> None:
    site = Site()
    await site.engine.enrolling.enroll(ready(comments="[sim:vetting]"))
    site.change_elsewhere(NEW)
    async with site.following(polling=True):
        await site.clock.sleep(60)
        assert site.limiter.rejection is not None
        asked = len(site.wire.sent)
        switched = await site.engine.credentials.rotate("", SecretText(NEW))
        assert site.wire.passwords[asked:] == [NEW]
        assert site.wire.sent[-1][0].startswith("GET")
        assert switched.resumed == 1
        assert switched.login == "certctl-api"
        assert switched.keeping_failure is None
        await site.clock.sleep(60)
    assert site.kept.present.password == SecretText(NEW)
    assert set(site.wire.passwords[asked:]) == {NEW}
    assert len(site.wire.passwords) > asked + 1
    assert [event.resumed for event in site.all_heard(PollingResumed)] == [1]


@in_virtual_time
async def test_a_login_can_be_rotated_with_its_password() -> None:
    site = Site()
    site.world.account.credentials.login = "api-2"
    site.change_elsewhere(NEW)
    switched = await site.engine.credentials.rotate("api-2", SecretText(NEW))
    assert switched.login == site.engine.credentials.login == "api-2"


@in_virtual_time
async def test_refused_ones_change_nothing_and_are_not_tried_again_unasked() -> None:
    site = Site()
    before = site.kept.present
    for _ in range(2):
        with pytest.raises((CredentialsRefused, InputError)):
            await site.engine.credentials.rotate("", SecretText("wrong"))
    assert site.wire.count(".") == 1
    assert site.engine.credentials.was_rejected("", SecretText("wrong"))
    assert (site.kept.present, site.limiter.rejection) == (before, None)
    with pytest.raises(CredentialsRefused):
        await site.engine.credentials.rotate("", SecretText("wrong"), insist=True)
    assert site.wire.count(".") == 2


@in_virtual_time
async def test_what_scm_has_refused_from_the_workers_is_not_tried_again_unasked() -> None:
    site = Site()
    site.change_elsewhere(NEW)
    with pytest.raises(CredentialsRefused):
        await site.engine.tracking.track(2_100_001)
    with pytest.raises(InputError):
        await site.engine.credentials.rotate("", SecretText("Simulated-1-Secret"))
    assert site.wire.count(".") == 1
    assert site.limiter.rejection is not None


@in_virtual_time
async def test_an_unclear_try_leaves_the_old_ones_and_the_lock() -> None:
    site = Site()
    site.change_elsewhere(NEW)
    with pytest.raises(CredentialsRefused):
        await site.engine.tracking.track(2_100_001)
    site.wire.is_down = True
    with pytest.raises(Unreachable):
        await site.engine.credentials.rotate("", SecretText(NEW))
    assert site.limiter.rejection is not None
    assert site.kept.log == []


@in_virtual_time
async def test_a_file_that_cannot_be_written_is_said_and_the_new_ones_are_used_all_the_same() -> None:
    site = Site()
    site.change_elsewhere(NEW)
    site.kept.failing = True
    switched = await site.engine.credentials.rotate("", SecretText(NEW))
    assert isinstance(switched.keeping_failure, StoreError)
    await site.engine.enrolling.offer()
    assert set(site.wire.passwords) == {NEW}


@in_virtual_time
async def test_what_would_win_at_the_next_start_is_said() -> None:
    site = Site()
    site.change_elsewhere(NEW)
    site.kept.overriding = "environment CERTCTL_SECTIGO_PASSWORD"
    switched = await site.engine.credentials.rotate("", SecretText(NEW))
    assert switched.overridden_by == "environment CERTCTL_SECTIGO_PASSWORD"


@in_virtual_time
async def test_one_rotation_runs_at_a_time() -> None:
    site = Site()
    site.change_elsewhere(NEW)
    site.world.faults.add("latency", path="types", seconds=30)
    first = asyncio.create_task(site.engine.credentials.rotate("", SecretText(NEW)))
    await site.clock.sleep(1)
    with pytest.raises(InputError, match="being changed already"):
        await site.engine.credentials.rotate("", SecretText("another"))
    await first
    assert site.wire.count(".") == 1


@pytest.mark.parametrize(("login", "password"), [("", None), ("", SecretText(""))])
def test_nothing_is_sent_when_nothing_new_is_given(login: str, password: SecretText | None) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        with pytest.raises(InputError):
            await site.engine.credentials.rotate(login, password)
        assert site.wire.sent == []

    story()


@in_virtual_time
async def test_certctl_is_given_what_is_in_use_step_by_step() -> None:
    certctl = FakeCertctl()
    site = Site(certctl=certctl)
    site.change_elsewhere(NEW)
    await site.engine.credentials.rotate("", SecretText(NEW))
    assert site.engine.handing_over is not None
    steps = [done async for done in site.engine.handing_over.hand_over()]
    assert [done.step for done in steps] == list(HandOverStep)
    assert all(done.failure is None for done in steps)
    assert certctl.credentials == ("certctl-api", NEW)


@pytest.mark.parametrize("step", HandOverStep)
def test_a_failure_of_certctl_is_the_last_step_and_undoes_nothing(step: HandOverStep) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site(certctl=FakeCertctl(fails_at=step))
        assert site.engine.handing_over is not None
        steps = [done async for done in site.engine.handing_over.hand_over()]
        assert steps[-1].step is step
        assert steps[-1].failure is not None
        assert steps[-1].failure.remedy
        assert all(done.failure is None for done in steps[:-1])

    story()


@in_virtual_time
async def test_an_issuer_of_another_customer_is_left_alone() -> None:
    certctl = FakeCertctl(customer_uri="somebody-else")
    site = Site(certctl=certctl)
    assert site.engine.handing_over is not None
    (done,) = [done async for done in site.engine.handing_over.hand_over()]
    assert done.failure is not None
    assert certctl.calls == ["READ"]


@in_virtual_time
async def test_credentials_that_were_changed_elsewhere_are_taken_over_in_read_only_mode() -> None:
    site = Site(read_only=True)
    site.change_elsewhere(NEW)
    switched = await site.engine.credentials.rotate("", SecretText(NEW))
    assert switched.login == "certctl-api"
    assert [words for words, _ in site.wire.sent] == ["GET /ssl/v1/types"]


@in_virtual_time
async def test_read_only_mode_changes_no_password_at_scm_and_nothing_at_certctl_server() -> None:
    site = Site(read_only=True, certctl=FakeCertctl())
    with pytest.raises(ReadOnly):
        await site.engine.credentials.change()
    assert site.engine.handing_over is not None
    with pytest.raises(ReadOnly):
        await anext(site.engine.handing_over.hand_over())
    assert site.wire.sent == []
