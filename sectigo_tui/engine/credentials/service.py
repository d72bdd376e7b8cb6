"""The credentials in use: test, switch, change at SCM, and watch what other processes switch to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial

from msgspec import Struct

from sectigo_tui.domain.account import PasswordStatus
from sectigo_tui.domain.certctl import Certctl
from sectigo_tui.domain.credentials import (
    Candidate,
    CredentialsKeeper,
    Logins,
    TeamLogin,
    TeamLogins,
    UnprovenPassword,
)
from sectigo_tui.domain.errors import ConfigError, CredentialsRefused, InputError, ScmFailure, StoreError
from sectigo_tui.domain.events import EventKind, FailureReported
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.credentials.passwords import new_password
from sectigo_tui.engine.orders.entries import WriteOutcome, in_words, record, write_outcome_of
from sectigo_tui.engine.polling.scheduler import Scheduler
from sectigo_tui.engine.requests.limiter import Priority, alone

CHECK_SECONDS = 2.0
"""How often the stored credentials are checked for a change."""

TEAM_SECONDS = 0.5
"""How often what other hosts say of the login is read, which costs nothing."""

RETRY_SECONDS = 15.0
"""The wait after a test without an answer."""


POLICY_BROKEN = -7306
"""The description holds the policy. Source: SCM manual 25.5."""


class Access(Struct, frozen=True, kw_only=True):
    """The credentials and their places.

    Args:
        in_use: The credentials that requests are sent with first.
        keeper: Keeps credentials beyond this process.
        logins: What SCM rejected of credentials; None where that is known to this process alone.
        certctl: certctl-server; None without one.
        issuer_id: The issuer there.
        team: What processes on other hosts tell of the login; None where there are none.
        ask_again: Asks the password command anew; None without one.
    """

    in_use: Credentials
    keeper: CredentialsKeeper
    logins: Logins | None = None
    certctl: Certctl | None = None
    issuer_id: str = ""
    team: TeamLogins | None = None
    ask_again: Callable[[], SecretText] | None = None


KeepingFailure = ConfigError | StoreError


class SwitchedCredentials(Struct, frozen=True):
    """Credentials that are in use now.

    Args:
        login: Their login.
        resumed: How many poll workers go on with them.
        kept_in: Where they are kept for the next start.
        keeping_failure: Why they could not be kept; they are in use all the same. None when they were.
        overridden_by: What would win over them at the next start, and must be changed there; empty for nothing.
    """

    login: str
    resumed: int
    kept_in: str
    keeping_failure: KeepingFailure | None = None
    overridden_by: str = ""


class Settled(Struct, frozen=True):
    """Which of two passwords is the account's.

    Args:
        candidate: Which one.
        is_proven: Whether SCM has taken it; otherwise it is the one left, the other having been rejected.
        switched: What is in use now.
    """

    candidate: Candidate
    is_proven: bool
    switched: SwitchedCredentials


class CredentialsService:
    """Tests credentials with one request, switches every request to them, and changes the password at SCM.

    One change of credentials is under way at a time. Whether the ones in use are rejected is the limiter's state.

    Every process keeps only credentials that SCM has taken. So what is kept now, and was not when this process
    started, has been rotated to elsewhere: the present credentials are rejected already, or soon will be. It is taken
    over after one request has shown that SCM takes it; what SCM rejects all the same is not tried again.

    Args:
        context: What every service works with.
        access: The credentials and their places.
        scheduler: Goes on once credentials are accepted.

    Attributes:
        in_use: The credentials that requests are sent with.
    """

    def __init__(self, context: Context, access: Access, scheduler: Scheduler) -> None:
        self.in_use = access.in_use
        self._context = context
        self._keeper = access.keeper
        self._logins = access.logins
        self._scheduler = scheduler
        self._switch_lock = asyncio.Lock()
        self._known: Credentials | None = access.in_use
        self._keeping_error = ""
        self._team = access.team
        self._ask_again = access.ask_again
        self._generation = -1 if access.team is None else access.team.login(access.in_use.login).generation
        self._has_worked = False
        self._joins_at = 0.0

    @property
    def login(self) -> str:
        """The login in use."""
        return self.in_use.login

    @property
    def overridden_by(self) -> str:
        """What would win over rotated credentials at the next start, and must be changed there; empty for nothing."""
        return self._keeper.overridden_by()

    def was_rejected(self, login: str, password: SecretText | None) -> bool:
        """Return whether SCM is known to reject exactly these: another attempt could lock the account."""
        return self._is_rejected(self._candidate(login, password))

    async def test(self, candidate: Credentials, *, insist: bool = False) -> None:
        """Test credentials with exactly one request, which is sent even while others are paused.

        Args:
            candidate: The credentials.
            insist: Whether they are tried though SCM has rejected them before.

        Raises:
            CredentialsRefused: SCM rejects them, or has rejected them before.
            ScmFailure: Whether they work is not known.
        """
        if insist and self._logins is not None:
            self._logins.insist(candidate)
        try:
            await self._context.scm.try_credentials(candidate)
        except CredentialsRefused:
            self._context.limiter.rejected_candidate = candidate
            raise

    async def note_asked(self, what: str) -> None:
        """Record that a change was asked for; a disk that fails must not keep the operator from rotating."""
        await record(self._context, EventKind.WRITE_ASKED, what, may_fail=True)

    async def note_answered(self, what: str, failure: ScmFailure | None = None) -> None:
        """Record what came of it."""
        words = f"{what}: {in_words(failure)}" if failure else what
        await record(self._context, EventKind.WRITE_ANSWERED, words, failure=failure, may_fail=True)

    async def rotate(self, login: str, password: SecretText | None, *, insist: bool = False) -> SwitchedCredentials:
        """Test new credentials with exactly one request, and switch to them when SCM accepts them.

        No order changes state by it. When they cannot be kept for the next start, they are used all the same, and
        the result says so.

        Args:
            login: The new login; empty to keep the present one.
            password: The new password; None to keep the present one.
            insist: Try even what SCM is known to reject: the operator had the account unlocked.

        Returns:
            What is in use now, and how many workers go on.

        Raises:
            InputError: Nothing was given, it is known to be rejected, or another change is under way; nothing was
                sent.
            ScmFailure: SCM rejects them, or whether they work is not known; the present ones stay in use, and
                requests stay paused if they were.
        """
        candidate = self._candidate(login, password)
        if not login and password is None:
            raise InputError("neither a login nor a password was given", "give what is new")
        if password is not None and not password.reveal():
            raise InputError("the password is empty", "type it")
        if password is not None and password.reveal() != password.reveal().strip():
            raise InputError(
                "the password has a blank at its start or end", "type it without: no HTTP header carries one"
            )
        if not insist and self._is_rejected(candidate):
            raise InputError(
                "SCM has refused exactly these credentials",
                "more attempts could lock the account: have it checked, then insist (--insist, or the form's tick)",
            )
        async with self._one_at_a_time():
            await self.note_asked(f"rotate credentials, login {candidate.login}")
            try:
                await self.test(candidate, insist=insist)
            except ScmFailure as failure:
                await self.note_answered("credentials not rotated", failure)
                raise
            switched = await self._switch_to(candidate, partial(self._keeper.save, candidate))
            await self._publish_to_team()
            await self.note_answered(f"credentials rotated, {switched.resumed} workers go on")
            return switched

    async def password_status(self) -> PasswordStatus:
        """Ask SCM when the password expires; see `passwords.expires_soon`.

        Raises:
            ScmFailure: SCM did not tell it; a login may lack the privilege (`Refused`).
        """
        return await self._context.limiter.run(
            Priority.SIGHT, self._context.scm.password_status, side="password_status"
        )

    async def change(self) -> SwitchedCredentials:
        """Set a new random password at SCM, while no other request is in flight.

        Returns:
            What is in use now: the new password, proven. When SCM's answer was lost, whichever of the two works.

        Raises:
            InputError: SCM rejects the present credentials, a change is under way or was not settled, or the
                program is read-only; nothing was sent.
            ScmFailure: SCM rejected (-7306 with its policy, after one other try), and the present password stays;
                or which of the two works could not be learned, and `settle` is to be called.
            ConfigError: The new password could not be kept; nothing was sent.
            StoreError: The same.
        """
        self._context.check_writable("changing the password")
        if self._context.limiter.rejection is not None:
            raise InputError("SCM refuses the present credentials", "rotate to ones that work first")
        async with self._one_at_a_time():
            if await self._keeper.unproven() is not None:
                raise InputError("an earlier change of the password was not settled", "settle it first")
            await self._prove_present()
            await self.note_asked("change the password at SCM")
            try:
                switched = await alone(self._context.limiter, self._change)
            except ScmFailure as failure:
                await self.note_answered("the password was not changed, or which one works is not known", failure)
                raise
            await self._publish_to_team()
            await self.note_answered("the password in use is proven")
            return switched

    async def is_unsettled(self) -> bool:
        """Return whether a change was interrupted, so that either password may be valid; sends nothing.

        Raises:
            ConfigError: What is kept cannot be used.
        """
        return await self._keeper.unproven() is not None

    async def settle(self, *, again: bool = False) -> Settled | None:
        """Find out which password works after an interrupted change, with at most one test of each.

        To be called at every start before anything else is sent: it sends nothing when nothing was cut short.

        Args:
            again: Try those that were tried before, too: the operator has asked for it.

        Returns:
            Which one works, now in use; None when nothing was cut short.

        Raises:
            CredentialsRefused: Neither works; requests are paused until the operator rotates.
            ScmFailure: Which one works could not be learned.
            ConfigError: What is kept cannot be used.
            StoreError: A try could not be written down; it was not made.
        """
        async with self._one_at_a_time():
            unproven = await self._keeper.unproven()
            if unproven is None:
                return None
            if again:
                unproven = UnprovenPassword(unproven.credentials)
            try:
                settled = await self._undisturbed(partial(self._settle, unproven, insist=again))
            except ScmFailure as failure:
                await self.note_answered("which password works is not known", failure)
                raise
            word = "proven" if settled.is_proven else "the one left"
            await self.note_answered(f"the {settled.candidate} password works, {word}")
            return settled

    async def watch(self) -> None:
        """Watch until cancelled."""
        if self._keeper.overridden_by():
            # The credentials in use come from elsewhere: only a later change of the stored ones counts.
            self._known = await self._kept()
        while True:
            wait = CHECK_SECONDS if await self.take_over_kept() else RETRY_SECONDS
            if self._team is None:
                await self._context.clock.sleep(wait)
                continue
            until = self._context.clock.monotonic() + wait
            while self._context.clock.monotonic() < until:
                await self._follow_team(self._team)
                await self._context.clock.sleep(TEAM_SECONDS)

    async def take_over_kept(self) -> bool:
        """Take over what is newly kept, if anything is.

        Returns:
            Whether that is settled; False when SCM gave no answer about it.
        """
        if await asyncio.to_thread(self._is_accepted_elsewhere):
            return await self._is_taken_over(self.in_use)
        kept = await self._kept()
        if kept is None or kept == self._known or self._is_kept_from_use():
            return True
        if kept == self.in_use or self._is_rejected(kept):
            self._known = kept
            return True
        return await self._is_taken_over(kept)

    async def _follow_team(self, team: TeamLogins) -> None:
        """Tell the team of a rejection here, stop for one elsewhere, and take part in a rotation elsewhere."""
        limiter, known = self._context.limiter, team.login(self.in_use.login)
        self._has_worked = self._has_worked or limiter.is_accepted
        if known.generation > self._generation:
            if not self._switch_lock.locked() and self._context.clock.monotonic() >= self._joins_at:
                self._generation = known.generation
                await self._join_rotation(known)
        elif known.rejected_at is not None and limiter.rejection is None:
            limiter.lock(
                CredentialsRefused(
                    "credentials",
                    f"not sent: SCM refused this login to {known.rejected_by} at {known.rejected_at:%H:%MZ}",
                    code=known.rejected_code,
                    sent=False,
                )
            )
        elif (
            known.rejected_at is None
            and limiter.rejection is not None
            and limiter.rejection.sent
            and (self._has_worked or team.is_poller())
        ):
            # A password that never worked here is no word about the team's.
            try:
                await team.reject_login(self.in_use.login, self._generation, limiter.rejection.code)
            except StoreError as error:
                self._context.repository.report_store_error(error)

    async def _join_rotation(self, rotated: TeamLogin) -> None:
        """Ask the password command again after a rotation on another host, and test what it prints once."""
        at = f"{rotated.rotated_at:%H:%MZ}" if rotated.rotated_at is not None else "some time"
        told = f"{rotated.rotated_by} rotated the credentials at {at}"
        kept = await self._kept()
        if kept is not None and kept != self.in_use and not self._is_kept_from_use():
            # Another process of this host has them.
            return
        if self._ask_again is None:
            self._context.limiter.lock(
                CredentialsRefused("credentials", f"not sent: {told}; rotate here too", sent=False)
            )
            return
        try:
            password = await asyncio.to_thread(self._ask_again)
        except ConfigError as failure:
            self._context.limiter.lock(
                CredentialsRefused(
                    "credentials", f"not sent: {told}, and {failure.reason}; rotate here too", sent=False
                )
            )
            return
        self._has_worked = False
        try:
            async with self._one_at_a_time():
                is_settled = await self._take_over(self._candidate("", password))
                # What is kept on this host is as old as it was.
                self._known = kept
        except InputError:
            # The operator is changing the credentials here, and the team hears what comes of it.
            return
        if not is_settled:
            self._generation -= 1
            self._joins_at = self._context.clock.monotonic() + RETRY_SECONDS
        elif self.in_use.password != password:
            what = f"not sent: {told}, and SCM refuses what password_command prints here; rotate here too"
            self._context.limiter.lock(CredentialsRefused("credentials", what, sent=False))

    @asynccontextmanager
    async def _one_at_a_time(self) -> AsyncIterator[None]:
        """Keep changes of the credentials apart.

        Raises:
            InputError: Another one is under way.
        """
        if self._switch_lock.locked():
            raise InputError("the credentials are being changed already", "wait for what comes of it")
        async with self._switch_lock:
            yield

    def _is_rejected(self, candidate: Credentials) -> bool:
        """Return whether SCM is known to reject exactly these; may take 0.1 s."""
        if self._logins is not None:
            if self._logins.is_accepted(candidate):
                return False
            if self._logins.rejection_of(candidate) is not None:
                return True
        limiter = self._context.limiter
        return candidate == limiter.rejected_candidate or (limiter.rejection is not None and candidate == self.in_use)

    def _is_accepted_elsewhere(self) -> bool:
        """Return whether another process had SCM accept what it has rejected here; may take 0.1 s."""
        if self._logins is None or self._context.limiter.rejection is None:
            return False
        return self._logins.is_accepted(self.in_use)

    async def _switch_to(self, proven: Credentials, keep: Callable[[], Awaitable[None]]) -> SwitchedCredentials:
        """Switch to credentials; they are stored first, so that a start after a crash knows them.

        Args:
            proven: The credentials.
            keep: Keeps them; a failure of it is told, and they are used all the same.

        Returns:
            What came of it.
        """
        failure: KeepingFailure | None = None
        try:
            await keep()
        except (ConfigError, StoreError) as error:
            failure = error
        self.in_use = proven
        self._context.scm.use_credentials(proven)
        overridden_by = "" if failure else self._keeper.overridden_by()
        return SwitchedCredentials(proven.login, self._scheduler.resume(), self._keeper.place, failure, overridden_by)

    async def _publish_to_team(self) -> None:
        if self._team is None:
            return
        try:
            self._generation = await self._team.rotate_login(self.in_use.login)
        except StoreError as error:
            self._context.repository.report_store_error(error)

    async def _prove_present(self) -> None:
        """Check that the present credentials work, so that a later rejection is about the new ones."""
        try:
            await self._context.limiter.run(Priority.WRITE, self._context.scm.types)
        except CredentialsRefused:
            raise
        except ScmFailure as failure:
            if write_outcome_of(failure) is not WriteOutcome.REFUSED:
                raise

    async def _undisturbed(self, settle: Callable[[], Awaitable[Settled]]) -> Settled:
        if self._context.limiter.rejection is not None:
            # The limiter is closed already, and would reject this too.
            return await settle()
        return await alone(self._context.limiter, settle)

    async def _change(self) -> SwitchedCredentials:
        keeper, present = self._keeper, self.in_use
        policy: str | None = None
        while True:
            password = new_password(present.login, refused_with=policy)
            candidate = Credentials(present.customer_uri, present.login, password)
            await keeper.save_unproven(candidate)
            try:
                await self._context.scm.change_password(candidate.password)
            except ScmFailure as failure:
                if write_outcome_of(failure) is WriteOutcome.UNKNOWN:
                    return (await self._settle(UnprovenPassword(candidate))).switched
                await keeper.discard()
                if failure.code != POLICY_BROKEN or policy is not None:
                    raise
                policy = failure.description
                continue
            return (await self._settle(UnprovenPassword(candidate))).switched

    async def _settle(self, unproven: UnprovenPassword, *, insist: bool = False) -> Settled:
        keeper = self._keeper
        candidates: Mapping[Candidate, Credentials] = {
            Candidate.PENDING: unproven.credentials,
            Candidate.CURRENT: self.in_use,
        }
        rejections: dict[Candidate, CredentialsRefused] = {}
        if self._context.limiter.rejection is not None:
            rejections[Candidate.CURRENT] = self._context.limiter.rejection
        for candidate, credentials in candidates.items():
            if candidate in unproven.tried or candidate in rejections:
                continue
            await keeper.mark_tried(candidate)
            try:
                await self.test(credentials, insist=insist)
            except CredentialsRefused as rejection:
                rejections[candidate] = rejection
                # If it cannot be stored, the next start asks again.
                with suppress(ConfigError, StoreError):
                    await keeper.mark_refused(candidate)
                continue
            return await self._settled(candidate, credentials, is_proven=True)
        refused = unproven.refused | rejections.keys()
        left = [candidate for candidate in candidates if candidate not in refused]
        if len(left) == 1:
            return await self._settled(left[0], candidates[left[0]], is_proven=False)
        if rejections:
            raise rejections.get(Candidate.PENDING) or rejections[Candidate.CURRENT]
        if refused:
            raise InputError("SCM has refused both passwords", "have the account checked, then settle again, or rotate")
        raise InputError(
            "both passwords were tried, and SCM did not say which works", "settle again, once SCM can be reached"
        )

    async def _settled(self, candidate: Candidate, credentials: Credentials, *, is_proven: bool) -> Settled:
        keeper = self._keeper
        keep = keeper.promote if candidate is Candidate.PENDING else keeper.discard
        return Settled(candidate, is_proven, await self._switch_to(credentials, keep))

    async def _is_taken_over(self, kept: Credentials) -> bool:
        """Take credentials over, and return whether what comes of them is settled."""
        try:
            async with self._one_at_a_time():
                return await self._take_over(kept)
        except InputError:
            # The operator is changing the credentials here, and what comes of it is kept.
            return True

    def _is_kept_from_use(self) -> bool:
        """Return whether what is kept would not be used at a start, and what is used instead still works."""
        return self._context.limiter.rejection is None and bool(self._keeper.overridden_by())

    async def _take_over(self, kept: Credentials) -> bool:
        await self.note_asked(f"take over credentials rotated elsewhere, login {kept.login}")
        failure = await self._test_kept(kept)
        if failure is not None:
            await self.note_answered("credentials not taken over", failure)
            if isinstance(failure, CredentialsRefused):
                self._known = kept
                self._report(failure)
            return isinstance(failure, CredentialsRefused)
        self._known = kept
        switched = await self._switch_to(kept, _keep_nothing)
        await self.note_answered(f"credentials taken over, {switched.resumed} workers go on")
        return True

    async def _test_kept(self, kept: Credentials) -> ScmFailure | None:
        """Test them; a rejection is returned, not raised, since it is not about the credentials in use."""

        async def test() -> ScmFailure | None:
            try:
                await self.test(kept)
            except ScmFailure as failure:
                return failure
            return None

        if self._context.limiter.rejection is not None:
            return await test()
        try:
            return await self._context.limiter.run(Priority.WRITE, test)
        except CredentialsRefused:
            # The ones in use were rejected while this waited for its turn.
            return await test()

    async def _kept(self) -> Credentials | None:
        try:
            kept = await self._keeper.kept()
        except (ConfigError, StoreError) as error:
            if str(error) != self._keeping_error:
                self._keeping_error = str(error)
                self._report(error)
            return None
        self._keeping_error = ""
        return kept

    def _report(self, failure: Exception) -> None:
        now = self._context.clock.now()
        self._context.repository.publish(FailureReported(now, "credentials rotated elsewhere", failure))

    def _candidate(self, login: str, password: SecretText | None) -> Credentials:
        present = self.in_use
        return Credentials(
            present.customer_uri, login or present.login, present.password if password is None else password
        )


async def _keep_nothing() -> None:
    """They are kept already."""
