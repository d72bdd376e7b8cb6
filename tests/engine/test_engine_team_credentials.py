"""Credentials of a team: one 401 stops every host, and one rotation lets every host go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

from msgspec.structs import replace

from sectigo_tui.domain.credentials import TeamLogin
from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.ports import Credentials, SecretText
from support.memory_store import Disk
from support.virtual_time import START, in_virtual_time
from support.writing import Kept, Site, new_world, ready

NEW = "Brand-New-7-Secret"


AskAgain = Callable[[int], Callable[[], SecretText] | None]
"""Returns what asks the password command of a host, by the host's number."""


class Team:
    """What the database of a team has of a login, as one host knows it."""

    def __init__(self, shared: dict[str, TeamLogin], host: str, *, polls: bool) -> None:
        self.shared = shared
        self.host = host
        self.polls = polls
        self.failing = False

    def login(self, login: str) -> TeamLogin:
        return self.shared.get(login, TeamLogin(login))

    def is_poller(self) -> bool:
        return self.polls

    async def reject_login(self, login: str, generation: int, code: int | None) -> None:
        known = self.login(login)
        if generation == known.generation and known.rejected_at is None:
            self.shared[login] = replace(
                known, rejected_at=START, rejected_by=f"root of {self.host}", rejected_code=code
            )

    async def rotate_login(self, login: str) -> int:
        if self.failing:
            raise StoreError("postgresql://db", "is lost", "wait")
        generation = self.login(login).generation + 1
        self.shared[login] = TeamLogin(login, generation, rotated_at=START, rotated_by=f"root of {self.host}")
        return generation


class Hosts:
    """Some hosts with credentials of their own, one account and one store."""

    def __init__(self, count: int, ask_again: AskAgain = lambda _: None) -> None:
        self.world = new_world()
        self.shared: dict[str, TeamLogin] = {}
        account, disk = self.world.account.credentials, Disk()
        present = Credentials(account.customer_uri, account.login, SecretText(account.password))
        self.sites = [
            Site(
                world=self.world,
                disk=disk,
                kept=Kept(present),
                name=f"host {number}",
                team=Team(self.shared, f"host {number}", polls=number == 0),
                ask_again=ask_again(number),
            )
            for number in range(count)
        ]

    async def work(self, stack: AsyncExitStack) -> None:
        """Let each follow what happens, and the first one poll."""
        for number, site in enumerate(self.sites):
            await stack.enter_async_context(site.following(polling=number == 0))
            watching = asyncio.create_task(site.engine.credentials.watch())
            stack.push_async_callback(ended, watching)
        await self.sites[0].clock.sleep(1)

    def locked_out(self) -> None:
        """Give the account another password, as somebody does in SCM, and count from here."""
        self.world.account.credentials.password = NEW
        self.before = [len(site.wire.passwords) for site in self.sites]

    def refused(self) -> list[int]:
        """Return how many requests of each host SCM has answered with 401 since then."""
        return [
            sum(1 for password in site.wire.passwords[before:] if password != NEW)
            for site, before in zip(self.sites, self.before, strict=True)
        ]

    @property
    def valid(self) -> str:
        return str(self.world.account.credentials.password)


async def ended(task: asyncio.Task[None]) -> None:
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def locked_out(hosts: Hosts) -> None:
    hosts.locked_out()
    await hosts.sites[0].clock.sleep(60)


@in_virtual_time
async def test_a_401_of_the_poller_stops_every_host_before_it_sends_its_own() -> None:
    hosts = Hosts(3)
    await hosts.sites[0].engine.enrolling.enroll(ready(comments="[sim:vetting]"))
    async with AsyncExitStack() as stack:
        await hosts.work(stack)
        await locked_out(hosts)
        asked = [len(site.wire.sent) for site in hosts.sites]
        for site in hosts.sites[1:]:
            await site.engine.account.refresh_pending()
            assert site.limiter.rejection is not None
            assert "to root of host 0" in site.limiter.rejection.reason or not site.limiter.rejection.sent
        assert [len(site.wire.sent) for site in hosts.sites] == asked
        assert sum(hosts.refused()) == 1


@in_virtual_time
async def test_who_rotated_where_is_told_and_password_commands_are_asked_and_tested_once() -> None:
    hosts = Hosts(3, lambda number: (lambda: SecretText(NEW)) if number == 1 else None)
    await hosts.sites[0].engine.enrolling.enroll(ready(comments="[sim:vetting]"))
    async with AsyncExitStack() as stack:
        await hosts.work(stack)
        await locked_out(hosts)
        before = len(hosts.sites[1].wire.sent)
        await hosts.sites[0].engine.credentials.rotate("", SecretText(NEW))
        await hosts.sites[0].clock.sleep(30)
        asked, not_asked = hosts.sites[1], hosts.sites[2]
        assert len(asked.wire.sent) == before + 1
        assert asked.limiter.rejection is None
        assert asked.engine.credentials.in_use.password == SecretText(NEW)
        assert not_asked.limiter.rejection is not None
        assert "root of host 0 rotated the credentials at 03:00Z; rotate here too" in not_asked.limiter.rejection.reason
        await not_asked.engine.credentials.rotate("", SecretText(NEW))
        await hosts.sites[0].clock.sleep(30)
        # It told the others in its turn, and the poller goes on all the same.
        assert hosts.sites[0].limiter.rejection is None or not hosts.sites[0].limiter.rejection.sent


@in_virtual_time
async def test_a_password_command_that_still_prints_the_old_one_costs_one_bad_login_and_says_so() -> None:
    old: list[Any] = []
    hosts = Hosts(2, lambda number: (lambda: old[0]) if number == 1 else None)
    old.append(SecretText(hosts.valid))
    await hosts.sites[0].engine.enrolling.enroll(ready(comments="[sim:vetting]"))
    async with AsyncExitStack() as stack:
        await hosts.work(stack)
        await locked_out(hosts)
        await hosts.sites[0].engine.credentials.rotate("", SecretText(NEW))
        await hosts.sites[0].clock.sleep(600)
        assert hosts.refused() == [1, 1]
        rejection = hosts.sites[1].limiter.rejection
        assert rejection is not None
        # What one host has wrong is no word about the team's.
        assert hosts.sites[0].limiter.rejection is None
        assert hosts.shared["certctl-api"].rejected_at is None


@in_virtual_time
async def test_a_password_that_never_worked_on_one_host_stops_no_other() -> None:
    hosts = Hosts(2)
    await hosts.sites[0].engine.enrolling.enroll(ready(comments="[sim:vetting]"))
    wrong = hosts.sites[1]
    wrong.scm.use_credentials(replace(wrong.kept.present, password=SecretText("wrong")))
    async with AsyncExitStack() as stack:
        await hosts.work(stack)
        await wrong.engine.account.refresh_pending()
        await wrong.clock.sleep(60)
        assert wrong.limiter.rejection is not None
        assert hosts.sites[0].limiter.rejection is None


@in_virtual_time
async def test_a_database_that_is_lost_keeps_nobody_from_rotating() -> None:
    hosts = Hosts(1)
    hosts.world.account.credentials.password = NEW
    team = Team(hosts.shared, "host 0", polls=True)
    team.failing = True
    site = Site(world=hosts.world, team=team)
    switched = await site.engine.credentials.rotate("", SecretText(NEW))
    assert switched.login == "certctl-api"
