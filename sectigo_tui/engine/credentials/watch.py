"""Take over credentials that another process switched to, so that nobody rotates twice."""

from __future__ import annotations

import asyncio

from sectigo_tui.domain.errors import ConfigError, CredentialsRefused, InputError, ScmFailure, StoreError
from sectigo_tui.domain.events import FailureReported
from sectigo_tui.domain.ports import Credentials
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.credentials.switch import CredentialsSwitch
from sectigo_tui.engine.requests.limiter import Priority

CHECK_SECONDS = 2.0
"""How often the stored credentials are checked for a change."""

RETRY_SECONDS = 15.0
"""The wait after a test without an answer."""


class RotationWatch:
    """Switches to newly stored credentials, after one request has shown that SCM accepts them.

    Every process keeps only credentials that SCM has taken. So what is kept now, and was not when this process
    started, has been rotated to elsewhere: the present credentials are rejected already, or soon will be. Kept
    credentials that SCM refuses all the same are not tried again.

    Args:
        context: The world.
        installer: Tries credentials, and puts them in use.
    """

    def __init__(self, context: Context, installer: CredentialsSwitch) -> None:
        self._context = context
        self._credentials_switch = installer
        self._known: Credentials | None = installer.in_use
        self._error = ""

    async def run(self) -> None:
        """Watch until cancelled."""
        if self._credentials_switch.keeper.overridden_by():
            # The credentials in use come from elsewhere: only a later change of the stored ones counts.
            self._known = await self._kept()
        while True:
            wait = CHECK_SECONDS if await self.poll() else RETRY_SECONDS
            await self._context.clock.sleep(wait)

    async def poll(self) -> bool:
        """Take over what is newly kept, if anything is.

        Returns:
            Whether that is settled; False when SCM gave no answer about it.
        """
        if await asyncio.to_thread(self._credentials_switch.is_accepted_elsewhere):
            return await self._settled(self._credentials_switch.in_use)
        kept = await self._kept()
        if kept is None or kept == self._known or self._is_kept_from_use():
            return True
        if kept == self._credentials_switch.in_use or self._credentials_switch.was_refused(kept):
            self._known = kept
            return True
        return await self._settled(kept)

    async def _settled(self, kept: Credentials) -> bool:
        """Take credentials over, and return whether what comes of them is settled."""
        try:
            async with self._credentials_switch.one_at_a_time():
                return await self._take_over(kept)
        except InputError:
            # The operator is changing the credentials here, and what comes of it is kept.
            return True

    def _is_kept_from_use(self) -> bool:
        """Return whether what is kept would not be used at a start, and what is used instead still works."""
        return self._context.limiter.rejection is None and bool(self._credentials_switch.keeper.overridden_by())

    async def _take_over(self, kept: Credentials) -> bool:
        installer = self._credentials_switch
        await installer.note_asked(f"take over credentials rotated elsewhere, login {kept.login}")
        failure = await self._prove(kept)
        if failure is not None:
            await installer.note_answered("credentials not taken over", failure)
            if isinstance(failure, CredentialsRefused):
                self._known = kept
                self._report(failure)
            return isinstance(failure, CredentialsRefused)
        self._known = kept
        switched = await installer.switch_to(kept, _keep_nothing)
        await installer.note_answered(f"credentials taken over, {switched.resumed} workers go on")
        return True

    async def _prove(self, kept: Credentials) -> ScmFailure | None:
        """Test them; a rejection is returned, not raised, since it is not about the credentials in use."""

        async def prove() -> ScmFailure | None:
            try:
                await self._credentials_switch.prove(kept)
            except ScmFailure as failure:
                return failure
            return None

        if self._context.limiter.rejection is not None:
            return await prove()
        try:
            return await self._context.limiter.run(Priority.WRITE, prove)
        except CredentialsRefused:
            # The ones in use were refused while this waited for its turn.
            return await prove()

    async def _kept(self) -> Credentials | None:
        try:
            kept = await self._credentials_switch.keeper.kept()
        except (ConfigError, StoreError) as error:
            if str(error) != self._error:
                self._error = str(error)
                self._report(error)
            return None
        self._error = ""
        return kept

    def _report(self, failure: Exception) -> None:
        now = self._context.clock.now()
        self._context.repository.publish(FailureReported(now, "credentials rotated elsewhere", failure))


async def _keep_nothing() -> None:
    """They are kept already."""
