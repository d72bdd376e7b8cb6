"""Credentials: one try each, nothing sent with refused ones, and none lost to a crash."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest

from sectigo_tui.domain.certctl import Issuer, IssuerTest
from sectigo_tui.domain.certificates import PasswordStatus
from sectigo_tui.domain.credentials import Candidate, UnprovenPassword
from sectigo_tui.domain.errors import (
    CertctlFailure,
    CredentialsRefused,
    InputError,
    ReadOnly,
    Refused,
    SectigoTuiError,
    StoreError,
    Unreachable,
)
from sectigo_tui.domain.events import PollingResumed
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.engine.handing_over import HandOverStep
from sectigo_tui.engine.passwords import days_left, expires_soon, new_password
from support.virtual_time import START, in_virtual_time
from support.writing import Site, draft

NEW = "Brand-New-7-Secret"
TRY = r"GET /ssl/v1/types"
CHANGE = r"POST /admin/v1/changepassword"


def change_elsewhere(site: Site, password: str = NEW) -> None:
    site.world.account.credentials.password = password


def passwords_sent(site: Site) -> list[str]:
    return [password for _, password in site.wire.sent]


@in_virtual_time
async def test_new_credentials_are_tried_with_one_request_kept_used_and_let_the_workers_go_on() -> None:
    site = Site()
    await site.engine.enrolling.enroll(draft(comments="[sim:vetting]"))
    change_elsewhere(site)
    async with site.following(polling=True):
        await site.clock.sleep(60)
        assert site.gate.refusal is not None
        asked = len(site.wire.sent)
        installed = await site.engine.rotating.rotate("", SecretText(NEW))
        assert passwords_sent(site)[asked:] == [NEW]
        assert site.wire.sent[-1][0].startswith("GET")
        assert installed.resumed == 1
        assert installed.login == "certctl-api"
        assert installed.keeping_failure is None
        await site.clock.sleep(60)
    assert site.kept.present.password == SecretText(NEW)
    assert set(passwords_sent(site)[asked:]) == {NEW}
    assert len(passwords_sent(site)) > asked + 1
    assert [event.resumed for event in site.all_heard(PollingResumed)] == [1]


@in_virtual_time
async def test_a_login_can_be_rotated_with_its_password() -> None:
    site = Site()
    site.world.account.credentials.login = "api-2"
    change_elsewhere(site)
    installed = await site.engine.rotating.rotate("api-2", SecretText(NEW))
    assert installed.login == site.engine.rotating.login == "api-2"


@in_virtual_time
async def test_refused_ones_change_nothing_and_are_not_tried_again_unasked() -> None:
    site = Site()
    before = site.kept.present
    for _ in range(2):
        with pytest.raises((CredentialsRefused, InputError)):
            await site.engine.rotating.rotate("", SecretText("wrong"))
    assert site.wire.count(".") == 1
    assert site.engine.rotating.was_refused("", SecretText("wrong"))
    assert (site.kept.present, site.gate.refusal) == (before, None)
    with pytest.raises(CredentialsRefused):
        await site.engine.rotating.rotate("", SecretText("wrong"), insist=True)
    assert site.wire.count(".") == 2


@in_virtual_time
async def test_what_scm_has_refused_from_the_workers_is_not_tried_again_unasked() -> None:
    site = Site()
    change_elsewhere(site)
    with pytest.raises(CredentialsRefused):
        await site.engine.tracking.track(2_100_001)
    with pytest.raises(InputError):
        await site.engine.rotating.rotate("", SecretText("Simulated-1-Secret"))
    assert site.wire.count(".") == 1
    assert site.gate.refusal is not None


@in_virtual_time
async def test_an_unclear_try_leaves_the_old_ones_and_the_lock() -> None:
    site = Site()
    change_elsewhere(site)
    with pytest.raises(CredentialsRefused):
        await site.engine.tracking.track(2_100_001)
    site.wire.is_down = True
    with pytest.raises(Unreachable):
        await site.engine.rotating.rotate("", SecretText(NEW))
    assert site.gate.refusal is not None
    assert site.kept.log == []


@in_virtual_time
async def test_a_file_that_cannot_be_written_is_said_and_the_new_ones_are_used_all_the_same() -> None:
    site = Site()
    change_elsewhere(site)
    site.kept.failing = True
    installed = await site.engine.rotating.rotate("", SecretText(NEW))
    assert isinstance(installed.keeping_failure, StoreError)
    await site.engine.enrolling.offer()
    assert set(passwords_sent(site)) == {NEW}


@in_virtual_time
async def test_what_would_win_at_the_next_start_is_said() -> None:
    site = Site()
    change_elsewhere(site)
    site.kept.overriding = "environment CERTCTL_SECTIGO_PASSWORD"
    installed = await site.engine.rotating.rotate("", SecretText(NEW))
    assert installed.overridden_by == "environment CERTCTL_SECTIGO_PASSWORD"


@in_virtual_time
async def test_one_rotation_runs_at_a_time() -> None:
    site = Site()
    change_elsewhere(site)
    site.world.faults.add("latency", path="types", seconds=30)
    first = asyncio.create_task(site.engine.rotating.rotate("", SecretText(NEW)))
    await site.clock.sleep(1)
    with pytest.raises(InputError, match="being changed already"):
        await site.engine.rotating.rotate("", SecretText("another"))
    await first
    assert site.wire.count(".") == 1


@pytest.mark.parametrize(("login", "password"), [("", None), ("", SecretText(""))])
def test_nothing_is_sent_when_nothing_new_is_given(login: str, password: SecretText | None) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        with pytest.raises(InputError):
            await site.engine.rotating.rotate(login, password)
        assert site.wire.sent == []

    story()


@in_virtual_time
async def test_a_password_made_here_is_kept_before_it_is_sent_and_proven_after() -> None:
    site = Site()
    logs: list[list[str]] = []
    site.wire.before = lambda words: logs.append([words, *site.kept.log])
    installed = await site.engine.changing.change()
    made = site.world.account.credentials.password
    assert made != "Simulated-1-Secret"
    assert site.kept.present.password == SecretText(made)
    assert site.kept.pending is None
    assert installed.login == "certctl-api"
    assert logs[1:] == [
        ["POST /admin/v1/changepassword", "save unproven"],
        ["GET /ssl/v1/types", "save unproven", "mark pending"],
    ]
    assert site.kept.log[-1] == "promote"


@in_virtual_time
async def test_no_other_request_is_under_way_while_the_password_changes() -> None:
    site = Site()
    for number in range(6):
        await site.engine.enrolling.enroll(draft(f"www{number}.acme.example", comments="[sim:vetting]"))
    site.world.faults.add("latency", path="ssl/v1/", seconds=1.5)
    site.world.faults.add("latency", path="changepassword", seconds=20)
    async with site.following(polling=True):
        await site.clock.sleep(60)
        await site.engine.changing.change()
        await site.clock.sleep(600)
    sent = passwords_sent(site)
    assert sum(one != other for one, other in pairwise(sent)) == 1
    assert site.gate.refusal is None
    assert all(request.status == 200 or request.status == 204 for request in site.world.traffic.requests)


@in_virtual_time
async def test_a_policy_is_met_at_the_second_try_or_told() -> None:
    site = Site()
    policy = "Password policy violated: Password must be no more than 16 characters in length."
    site.world.faults.add("error", path="changepassword", code=-7306, description=policy, count=1)
    await site.engine.changing.change()
    assert len(site.world.account.credentials.password) == 16
    site.world.faults.add("error", path="changepassword", code=-7306, description=policy)
    before = site.kept.present
    with pytest.raises(Refused) as refusal:
        await site.engine.changing.change()
    assert refusal.value.description == policy
    assert (site.kept.present, site.kept.pending) == (before, None)
    assert site.wire.count(CHANGE) == 4


@pytest.mark.parametrize("fault", ["lost", "drop"])
def test_a_lost_answer_is_settled_with_one_try_of_each_at_most(fault: str) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        site.world.faults.add(fault, path="changepassword", count=1)
        await site.engine.changing.change()
        assert site.kept.present.password.reveal() == site.world.account.credentials.password
        assert site.kept.pending is None
        assert site.wire.count(TRY) == 1 + {"lost": 1, "drop": 2}[fault]
        await site.engine.enrolling.offer()
        assert site.gate.refusal is None

    story()


def with_unproven(site: Site, *, reached_scm: bool, tried: frozenset[Candidate] = frozenset()) -> None:
    """Leave behind what a crash in the middle of a change does."""
    present = site.kept.present
    site.kept.pending = UnprovenPassword(Credentials(present.customer_uri, present.login, SecretText(NEW)), tried)
    if reached_scm:
        change_elsewhere(site)


@pytest.mark.parametrize("reached_scm", [True, False])
@pytest.mark.parametrize("tried", [frozenset(), frozenset({Candidate.PENDING}), frozenset({Candidate.CURRENT})])
def test_after_a_crash_the_password_that_works_is_found(reached_scm: bool, tried: frozenset[Candidate]) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        with_unproven(site, reached_scm=reached_scm, tried=tried)
        settled = await site.engine.changing.settle()
        assert settled is not None
        right = Candidate.PENDING if reached_scm else Candidate.CURRENT
        assert settled.candidate is right
        assert settled.is_proven is (right not in tried)
        assert site.kept.pending is None
        assert len(site.wire.sent) <= 2
        assert len(set(site.wire.sent)) == len(site.wire.sent)
        await site.engine.enrolling.offer()
        assert passwords_sent(site)[-1] == (NEW if reached_scm else "Simulated-1-Secret")
        assert site.gate.refusal is None

    story()


@in_virtual_time
async def test_when_neither_password_works_everything_is_held_back() -> None:
    site = Site()
    with_unproven(site, reached_scm=False)
    change_elsewhere(site, "yet another one")
    with pytest.raises(CredentialsRefused):
        await site.engine.changing.settle()
    with pytest.raises(CredentialsRefused):
        await site.engine.tracking.track(2_100_001)
    assert len(site.wire.sent) == 2
    assert await site.kept.unproven() is not None
    await site.engine.rotating.rotate("", SecretText("yet another one"))
    assert await site.kept.unproven() is None


@in_virtual_time
async def test_an_outage_spends_no_more_than_one_try_of_each_until_the_operator_asks_again() -> None:
    site = Site()
    with_unproven(site, reached_scm=True)
    site.world.faults.add("unavailable", path="types")
    for _ in range(4):
        with pytest.raises(SectigoTuiError):
            await site.engine.changing.settle()
    assert site.wire.count(TRY) == 2
    assert site.kept.pending is not None
    site.world.faults.clear()
    settled = await site.engine.changing.settle(again=True)
    assert settled is not None
    assert settled.candidate is Candidate.PENDING


@in_virtual_time
async def test_a_change_is_not_begun_while_another_is_unsettled_or_the_login_is_refused() -> None:
    site = Site()
    with_unproven(site, reached_scm=False)
    with pytest.raises(InputError, match="not settled"):
        await site.engine.changing.change()
    await site.kept.discard()
    change_elsewhere(site)
    with pytest.raises(CredentialsRefused):
        await site.engine.changing.change()
    with pytest.raises(InputError, match="refuses the present"):
        await site.engine.changing.change()
    assert site.wire.count(CHANGE) == 0
    assert len(site.wire.sent) == 1


@in_virtual_time
async def test_a_password_that_cannot_be_kept_is_not_sent() -> None:
    site = Site()
    site.kept.failing = True
    with pytest.raises(StoreError):
        await site.engine.changing.change()
    assert site.wire.count(CHANGE) == 0


@in_virtual_time
async def test_settling_sends_nothing_when_nothing_was_cut_short() -> None:
    site = Site()
    assert await site.engine.changing.settle() is None
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
    status = await site.engine.changing.status()
    assert days_left(status, site.clock.now()) == 61


class FakeCertctl:
    """certctl-server as far as rotation sees it."""

    def __init__(self, *, fails_at: HandOverStep | None = None, customer_uri: str = "acme") -> None:
        self.calls: list[str] = []
        self.credentials = ("old", "old")
        self._fails_at = fails_at
        self._customer_uri = customer_uri

    async def issuer(self, issuer_id: str) -> Issuer:
        self._call(HandOverStep.READ)
        return Issuer(issuer_id, "Sectigo production", self._customer_uri, "old", b"{}")

    async def put_issuer(self, issuer: Issuer, *, login: str, password: SecretText) -> None:
        self._call(HandOverStep.PUT)
        self.credentials = (login, password.reveal())

    async def test_issuer(self, issuer_id: str) -> IssuerTest:
        if self._fails_at is HandOverStep.TEST:
            return IssuerTest(successful=False, words="connection refused")
        self._call(HandOverStep.TEST)
        return IssuerTest(successful=True, words="connection_successful")

    def _call(self, step: HandOverStep) -> None:
        self.calls.append(step.name)
        if step is self._fails_at:
            raise CertctlFailure(step.value, "it is down", "do it again")


@in_virtual_time
async def test_certctl_is_given_what_is_in_use_step_by_step() -> None:
    certctl = FakeCertctl()
    site = Site(certctl=certctl)
    change_elsewhere(site)
    await site.engine.rotating.rotate("", SecretText(NEW))
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
async def test_read_only_mode_changes_no_credentials() -> None:
    site = Site(read_only=True, certctl=FakeCertctl())
    with pytest.raises(ReadOnly):
        await site.engine.rotating.rotate("", SecretText(NEW))
    with pytest.raises(ReadOnly):
        await site.engine.changing.change()
    assert site.engine.handing_over is not None
    with pytest.raises(ReadOnly):
        await anext(site.engine.handing_over.hand_over())
    assert site.wire.sent == []
