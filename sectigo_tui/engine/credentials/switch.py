"""The credentials in use: tested with one request, then switched for every request together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

from msgspec import Struct

from sectigo_tui.domain.certctl import Certctl
from sectigo_tui.domain.credentials import CredentialsKeeper, Logins
from sectigo_tui.domain.errors import ConfigError, CredentialsRefused, InputError, ScmFailure, StoreError
from sectigo_tui.domain.events import EventKind
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.orders.entries import in_words, record


class Access(Struct, frozen=True, kw_only=True):
    """The credentials and their places.

    Args:
        in_use: The credentials that requests are sent with first.
        keeper: Keeps credentials beyond this process.
        logins: What SCM refused of credentials; None where that is known to this process alone.
        certctl: certctl-server; None without one.
        issuer_id: The issuer there.
    """

    in_use: Credentials
    keeper: CredentialsKeeper
    logins: Logins | None = None
    certctl: Certctl | None = None
    issuer_id: str = ""


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


class CredentialsSwitch:
    """Tests credentials, and switches to them; one change of credentials at a time.

    Args:
        context: The world.
        keeper: Keeps credentials beyond this process.
        in_use: The credentials that requests are sent with.
        resume: Lets paused workers go on, and returns how many do; `Supervisor.resume`.
        logins: What SCM refused of credentials, to whichever process; None where this process alone knows it.

    Attributes:
        in_use: The credentials that requests are sent with.
    """

    def __init__(
        self,
        context: Context,
        keeper: CredentialsKeeper,
        in_use: Credentials,
        resume: Callable[[], int],
        logins: Logins | None = None,
    ) -> None:
        self.in_use = in_use
        self.keeper = keeper
        self._context = context
        self._resume = resume
        self._logins = logins
        self._switch_lock = asyncio.Lock()
        self._refused: Credentials | None = None

    @asynccontextmanager
    async def one_at_a_time(self) -> AsyncIterator[None]:
        """Keep changes of the credentials apart.

        Raises:
            InputError: Another one is under way.
        """
        if self._switch_lock.locked():
            raise InputError("the credentials are being changed already", "wait for what comes of it")
        async with self._switch_lock:
            yield

    def was_refused(self, candidate: Credentials) -> bool:
        """Return whether SCM is known to refuse exactly these; may take 0.1 s."""
        if self._logins is not None:
            if self._logins.is_accepted(candidate):
                return False
            if self._logins.rejection_of(candidate) is not None:
                return True
        return candidate == self._refused or (self._context.limiter.rejection is not None and candidate == self.in_use)

    def is_accepted_elsewhere(self) -> bool:
        """Return whether another process had SCM accept what it has refused here; may take 0.1 s."""
        if self._logins is None or self._context.limiter.rejection is None:
            return False
        return self._logins.is_accepted(self.in_use)

    async def prove(self, candidate: Credentials, *, insist: bool = False) -> None:
        """Test credentials with exactly one request, which is sent even while others are paused.

        Args:
            candidate: The credentials.
            insist: Whether they are tried though SCM has refused them before.

        Raises:
            CredentialsRefused: SCM refuses them, or has refused them before.
            ScmFailure: Whether they work is not known.
        """
        if insist and self._logins is not None:
            self._logins.insist(candidate)
        try:
            await self._context.scm.try_credentials(candidate)
        except CredentialsRefused:
            self._refused = candidate
            raise

    async def switch_to(self, proven: Credentials, keep: Callable[[], Awaitable[None]]) -> SwitchedCredentials:
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
        self._refused = None
        self._context.scm.use_credentials(proven)
        return SwitchedCredentials(
            proven.login, self._resume(), self.keeper.place, failure, "" if failure else self.keeper.overridden_by()
        )

    async def note_asked(self, what: str) -> None:
        """Record that a change was asked for; a disk that fails must not keep the operator from rotating."""
        await record(self._context, EventKind.WRITE_ASKED, what, may_fail=True)

    async def note_answered(self, what: str, failure: ScmFailure | None = None) -> None:
        """Record what came of it."""
        words = f"{what}: {in_words(failure)}" if failure else what
        await record(self._context, EventKind.WRITE_ANSWERED, words, failure=failure, may_fail=True)


class Rotating:
    """Rotates the credentials.

    Args:
        context: The world.
        installer: Puts credentials in use.
    """

    def __init__(self, context: Context, installer: CredentialsSwitch) -> None:
        self._context = context
        self._credentials_switch = installer

    @property
    def login(self) -> str:
        """The login in use."""
        return self._credentials_switch.in_use.login

    @property
    def overridden_by(self) -> str:
        """What would win over rotated credentials at the next start, and must be changed there; empty for nothing."""
        return self._credentials_switch.keeper.overridden_by()

    def was_refused(self, login: str, password: SecretText | None) -> bool:
        """Return whether SCM is known to reject exactly these: another attempt could lock the account."""
        return self._credentials_switch.was_refused(self._candidate(login, password))

    async def rotate(self, login: str, password: SecretText | None, *, insist: bool = False) -> SwitchedCredentials:
        """Test new credentials with exactly one request, and switch to them when SCM accepts them.

        No order changes state by it. When they cannot be kept for the next start, they are used all the same, and
        the result says so.

        Args:
            login: The new login; empty to keep the present one.
            password: The new password; None to keep the present one.
            insist: Try even what SCM is known to refuse: the operator had the account unlocked.

        Returns:
            What is in use now, and how many workers go on.

        Raises:
            InputError: Nothing was given, it is known to be refused, or another change is under way; nothing was
                sent.
            ScmFailure: SCM refuses them, or whether they work is not known; the present ones stay in use, and
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
        if not insist and self._credentials_switch.was_refused(candidate):
            raise InputError(
                "SCM has refused exactly these credentials",
                "more attempts could lock the account: have it checked, then insist (--insist, or the form's tick)",
            )
        installer = self._credentials_switch
        async with installer.one_at_a_time():
            await installer.note_asked(f"rotate credentials, login {candidate.login}")
            try:
                await installer.prove(candidate, insist=insist)
            except ScmFailure as failure:
                await installer.note_answered("credentials not rotated", failure)
                raise
            switched = await installer.switch_to(candidate, partial(installer.keeper.save, candidate))
            await installer.note_answered(f"credentials rotated, {switched.resumed} workers go on")
            return switched

    def _candidate(self, login: str, password: SecretText | None) -> Credentials:
        present = self._credentials_switch.in_use
        return Credentials(
            present.customer_uri, login or present.login, present.password if password is None else password
        )
