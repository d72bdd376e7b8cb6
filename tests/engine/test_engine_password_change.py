"""A password made here: kept before it is sent, proven after, and none lost to a crash."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sectigo_tui.domain.account import PasswordStatus
from sectigo_tui.domain.credentials import Candidate, UnprovenPassword
from sectigo_tui.domain.errors import (
    CredentialsRefused,
    InputError,
    Refused,
    SectigoTuiError,
    StoreError,
)
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.engine.credentials.passwords import days_left, expires_soon, new_password
from support.virtual_time import START, in_virtual_time
from support.writing import Site, ready

NEW = "Brand-New-7-Secret"
TRY = r"GET /ssl/v1/types"
CHANGE = r"POST /admin/v1/changepassword"


@in_virtual_time
async def test_a_password_made_here_is_kept_before_it_is_sent_and_proven_after() -> None:
    site = Site()
    logs: list[list[str]] = []
    site.wire.before = lambda words: logs.append([words, *site.kept.log])
    switched = await site.engine.credentials.change()
    made = site.world.account.credentials.password
    assert made != "Simulated-1-Secret"
    assert site.kept.present.password == SecretText(made)
    assert site.kept.pending is None
    assert switched.login == "certctl-api"
    assert logs[1:] == [
        ["POST /admin/v1/changepassword", "save unproven"],
        ["GET /ssl/v1/types", "save unproven", "mark pending"],
    ]
    assert site.kept.log[-1] == "promote"


@in_virtual_time
async def test_no_other_request_is_under_way_while_the_password_changes() -> None:
    site = Site()
    for number in range(6):
        await site.engine.enrolling.enroll(ready(f"www{number}.acme.example", comments="[sim:vetting]"))
    site.world.faults.add("latency", path="ssl/v1/", seconds=1.5)
    site.world.faults.add("latency", path="changepassword", seconds=20)
    async with site.following(polling=True):
        await site.clock.sleep(60)
        await site.engine.credentials.change()
        await site.clock.sleep(600)
    sent = site.wire.passwords
    assert sum(one != other for one, other in pairwise(sent)) == 1
    assert site.limiter.rejection is None
    assert all(request.status == 200 or request.status == 204 for request in site.world.traffic.requests)


@in_virtual_time
async def test_a_policy_is_met_at_the_second_try_or_told() -> None:
    site = Site()
    policy = "Password policy violated: Password must be no more than 16 characters in length."
    site.world.faults.add("error", path="changepassword", code=-7306, description=policy, count=1)
    await site.engine.credentials.change()
    assert len(site.world.account.credentials.password) == 16
    site.world.faults.add("error", path="changepassword", code=-7306, description=policy)
    before = site.kept.present
    with pytest.raises(Refused) as rejection:
        await site.engine.credentials.change()
    assert rejection.value.description == policy
    assert (site.kept.present, site.kept.pending) == (before, None)
    assert site.wire.count(CHANGE) == 4


@pytest.mark.parametrize("fault", ["lost", "drop"])
def test_a_lost_answer_is_settled_with_one_try_of_each_at_most(fault: str) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        site.world.faults.add(fault, path="changepassword", count=1)
        await site.engine.credentials.change()
        assert site.kept.present.password.reveal() == site.world.account.credentials.password
        assert site.kept.pending is None
        assert site.wire.count(TRY) == 1 + {"lost": 1, "drop": 2}[fault]
        await site.engine.enrolling.offer()
        assert site.limiter.rejection is None

    story()


def with_unproven(
    site: Site,
    *,
    reached_scm: bool,
    tried: frozenset[Candidate] = frozenset(),
    refused: frozenset[Candidate] = frozenset(),
) -> None:
    """Leave behind what a crash in the middle of a change does."""
    present = site.kept.present
    made = Credentials(present.customer_uri, present.login, SecretText(NEW))
    site.kept.pending = UnprovenPassword(made, tried, refused)
    if reached_scm:
        site.change_elsewhere(NEW)


@pytest.mark.parametrize("reached_scm", [True, False])
@pytest.mark.parametrize("tried", [frozenset(), frozenset({Candidate.PENDING}), frozenset({Candidate.CURRENT})])
def test_after_a_crash_the_password_that_works_is_found(reached_scm: bool, tried: frozenset[Candidate]) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        with_unproven(site, reached_scm=reached_scm, tried=tried)
        settled = await site.engine.credentials.settle()
        assert settled is not None
        right = Candidate.PENDING if reached_scm else Candidate.CURRENT
        assert settled.candidate is right
        assert settled.is_proven is (right not in tried)
        assert site.kept.pending is None
        assert len(site.wire.sent) <= 2
        assert len(set(site.wire.sent)) == len(site.wire.sent)
        await site.engine.enrolling.offer()
        assert site.wire.passwords[-1] == (NEW if reached_scm else "Simulated-1-Secret")
        assert site.limiter.rejection is None

    story()


@in_virtual_time
async def test_when_neither_password_works_requests_are_paused() -> None:
    site = Site()
    with_unproven(site, reached_scm=False)
    site.change_elsewhere("yet another one")
    with pytest.raises(CredentialsRefused):
        await site.engine.credentials.settle()
    with pytest.raises(CredentialsRefused):
        await site.engine.tracking.track(2_100_001)
    assert len(site.wire.sent) == 2
    assert await site.kept.unproven() is not None
    await site.engine.credentials.rotate("", SecretText("yet another one"))
    assert await site.kept.unproven() is None


@in_virtual_time
async def test_a_password_refused_before_a_restart_is_not_taken_for_the_one_left() -> None:
    site = Site()
    with_unproven(site, reached_scm=False, tried=frozenset({Candidate.PENDING}), refused=frozenset({Candidate.PENDING}))
    site.change_elsewhere("yet another one")
    present = site.kept.present
    with pytest.raises(CredentialsRefused):
        await site.engine.credentials.settle()
    assert site.kept.present == present
    site = await site.restarted()
    with pytest.raises(InputError, match="refused both"):
        await site.engine.credentials.settle()
    assert site.wire.sent == []


@in_virtual_time
async def test_a_refusal_before_an_outage_leaves_the_other_password_without_another_try() -> None:
    site = Site()
    with_unproven(site, reached_scm=False)
    site.world.faults.add("unavailable", path="types", after=1)
    with pytest.raises(SectigoTuiError):
        await site.engine.credentials.settle()
    site = await site.restarted()
    settled = await site.engine.credentials.settle()
    assert settled is not None
    assert (settled.candidate, settled.is_proven) == (Candidate.CURRENT, False)
    assert site.wire.sent == []


@in_virtual_time
async def test_an_outage_spends_no_more_than_one_try_of_each_until_the_operator_asks_again() -> None:
    site = Site()
    with_unproven(site, reached_scm=True)
    site.world.faults.add("unavailable", path="types")
    for _ in range(4):
        with pytest.raises(SectigoTuiError):
            await site.engine.credentials.settle()
    assert site.wire.count(TRY) == 2
    assert site.kept.pending is not None
    site.world.faults.clear()
    settled = await site.engine.credentials.settle(again=True)
    assert settled is not None
    assert settled.candidate is Candidate.PENDING


@in_virtual_time
async def test_a_change_is_not_begun_while_another_is_unsettled_or_the_login_is_refused() -> None:
    site = Site()
    with_unproven(site, reached_scm=False)
    with pytest.raises(InputError, match="not settled"):
        await site.engine.credentials.change()
    await site.kept.discard()
    site.change_elsewhere(NEW)
    with pytest.raises(CredentialsRefused):
        await site.engine.credentials.change()
    with pytest.raises(InputError, match="refuses the present"):
        await site.engine.credentials.change()
    assert site.wire.count(CHANGE) == 0
    assert len(site.wire.sent) == 1


@in_virtual_time
async def test_a_password_that_cannot_be_kept_is_not_sent() -> None:
    site = Site()
    site.kept.failing = True
    with pytest.raises(StoreError):
        await site.engine.credentials.change()
    assert site.wire.count(CHANGE) == 0


@in_virtual_time
async def test_settling_sends_nothing_when_nothing_was_cut_short() -> None:
    site = Site()
    assert await site.engine.credentials.settle() is None
    assert site.wire.sent == []


@pytest.mark.parametrize("policy", [None, "at most 10 characters", "no more than 16 characters", "something else"])
def test_a_made_password_is_long_mixed_and_free_of_the_login(policy: str | None) -> None:
    made = {new_password("a", refused_with=policy).reveal() for _ in range(50)}
    assert len(made) == 50
    for password in made:
        assert "a" not in password.lower()
        assert any(map(str.isupper, password))
        assert any(map(str.islower, password))
        assert any(map(str.isdigit, password))
        assert any(not character.isalnum() for character in password)
        longest = {"at most 10 characters": 10, "no more than 16 characters": 16}.get(policy or "", 32)
        assert min(20, longest) <= len(password) <= longest


@pytest.mark.parametrize(
    ("status", "left", "soon"),
    [
        (PasswordStatus("ALIVE", START.date()), 0, True),
        (PasswordStatus("ALIVE", START.replace(day=15).date()), 13, True),
        (PasswordStatus("ALIVE", START.replace(day=16).date()), 14, False),
        (PasswordStatus("ALIVE", START.replace(month=1)), -59, True),
        (PasswordStatus("EXPIRED", None), None, True),
        (PasswordStatus("NEVER_EXPIRE", None), None, False),
    ],
)
def test_a_password_that_expires_within_two_weeks_is_worth_a_warning(
    status: PasswordStatus, left: int | None, soon: bool
) -> None:
    assert days_left(status, START) == left
    assert expires_soon(status, START) is soon


@in_virtual_time
async def test_the_expiry_is_asked_of_scm() -> None:
    site = Site()
    status = await site.engine.credentials.password_status()
    assert days_left(status, site.clock.now()) == 61
