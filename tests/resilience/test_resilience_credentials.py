"""Several processes, one account: who rotates, rotates for all, and no process tries what SCM refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from sectigo_tui.domain.errors import ConfigError, CredentialsRefused
from sectigo_tui.domain.events import FailureReported, PollingPaused, PollingResumed
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.engine.credentials.service import CHECK_SECONDS, RETRY_SECONDS
from support.virtual_time import in_virtual_time
from support.writing import Kept, Site

TYPES = "GET /ssl/v1/types"
NEW = "new-password-1!"


@asynccontextmanager
async def running(*sites: Site) -> AsyncIterator[None]:
    """Run whole engines while the block lasts."""
    tasks = [asyncio.create_task(site.engine.run(60.0)) for site in sites]
    await asyncio.sleep(10)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


def beside(site: Site, name: str) -> Site:
    return Site(world=site.world, disk=site.disk, kept=site.kept, name=name)


def bad_logins(site: Site) -> int:
    return site.world.account.credentials.failures


@in_virtual_time
async def test_a_rotation_in_one_process_lets_all_others_go_on_without_a_bad_login() -> None:
    one = Site(name="one")
    others = [beside(one, "two"), beside(one, "three")]
    async with running(one, *others):
        one.world.account.credentials.password = NEW
        await asyncio.sleep(70)
        assert [site.limiter.rejection is not None for site in (one, *others)] == [True, True, True]
        for site in (one, *others):
            site.wire.sent.clear()
        await one.engine.credentials.rotate("", SecretText(NEW))
        await asyncio.sleep(CHECK_SECONDS + 1)
        assert [site.limiter.rejection for site in (one, *others)] == [None, None, None]
        for site in others:
            assert site.engine.credentials.login == one.engine.credentials.login
            assert len(site.all_heard(PollingPaused)) == len(site.all_heard(PollingResumed)) == 1
            assert site.wire.sent[0] == (TYPES, NEW)
        await asyncio.sleep(120)
        assert {password for site in (one, *others) for _, password in site.wire.sent} == {NEW}
    told = [entry.summary for entry in one.disk.entries]
    assert told.count(f"take over credentials rotated elsewhere, login {one.engine.credentials.login}") == 2


@in_virtual_time
async def test_a_password_changed_at_scm_by_one_process_is_followed_before_the_others_are_refused() -> None:
    one = Site(name="one")
    two = beside(one, "two")
    async with running(one, two):
        await one.engine.credentials.change()
        await asyncio.sleep(CHECK_SECONDS + 1)
        await asyncio.sleep(200)
        assert bad_logins(one) == 0
        assert not two.all_heard(PollingPaused)
        assert two.wire.sent[-1][1] == one.wire.sent[-1][1] == one.world.account.credentials.password


@in_virtual_time
async def test_what_is_kept_and_refused_is_tried_once_by_a_paused_process_and_told() -> None:
    one = Site()
    async with running(one):
        one.world.account.credentials.password = "known to nobody"
        await asyncio.sleep(70)
        before = bad_logins(one)
        one.kept.present = Credentials(one.kept.present.customer_uri, one.kept.present.login, SecretText("typed wrong"))
        await asyncio.sleep(3600)
        assert bad_logins(one) == before + 1
        assert one.limiter.rejection is not None
        told = [report for report in one.all_heard(FailureReported) if isinstance(report.failure, CredentialsRefused)]
        assert [report.what for report in told] == ["credentials rotated elsewhere"]


@in_virtual_time
async def test_what_is_kept_and_refused_does_not_pause_a_process_whose_own_credentials_work() -> None:
    one = Site()
    async with running(one):
        present = one.kept.present
        one.kept.present = Credentials(present.customer_uri, present.login, SecretText("typed wrong"))
        await asyncio.sleep(3600)
        assert one.limiter.rejection is None
        assert [password for _, password in one.wire.sent].count("typed wrong") == 1
        assert one.wire.sent[-1][1] == present.password.reveal()


@in_virtual_time
async def test_a_try_that_gets_no_answer_is_made_again_until_there_is_one() -> None:
    one = Site()
    async with running(one):
        one.world.account.credentials.password = NEW
        await asyncio.sleep(70)
        one.wire.is_down = True
        one.kept.present = Credentials(one.kept.present.customer_uri, one.kept.present.login, SecretText(NEW))
        await asyncio.sleep(300)
        assert one.limiter.rejection is not None
        one.wire.is_down = False
        await asyncio.sleep(RETRY_SECONDS + 1)
        assert one.limiter.rejection is None


@in_virtual_time
async def test_credentials_of_the_environment_are_left_only_once_they_are_refused_and_others_newly_kept() -> None:
    site = Site()
    account = site.world.account.credentials
    of_environment = account.password

    def keep(password: str) -> None:
        site.kept.present = Credentials(account.customer_uri, account.login, SecretText(password))

    site.kept.overriding = "environment CERTCTL_SECTIGO_PASSWORD"
    keep("from before")
    async with running(site):
        await asyncio.sleep(600)
        keep("newly kept")
        await asyncio.sleep(600)
        assert {password for _, password in site.wire.sent} == {of_environment}
        keep(NEW)
        account.password = NEW
        await asyncio.sleep(120)
        assert site.limiter.rejection is None
        assert {password for _, password in site.wire.sent} == {of_environment, NEW}


@in_virtual_time
async def test_a_credentials_file_that_cannot_be_read_is_told_once_and_polling_goes_on() -> None:
    class Damaged(Kept):
        async def kept(self) -> Credentials:
            raise ConfigError(key="[sectigo]", source="credentials.toml", reason="is no section", remedy="correct it")

    site = Site(kept=Damaged(Site().kept.present))
    async with running(site):
        asked = len(site.wire.sent)
        await asyncio.sleep(300)
        assert len(site.wire.sent) > asked
        assert [report.what for report in site.all_heard(FailureReported)] == ["credentials rotated elsewhere"]
