"""The engine as the screen and the command line see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from sectigo_tui.domain.certctl import Certctl
from sectigo_tui.domain.certificates import PasswordStatus
from sectigo_tui.domain.credentials import CredentialsKeeper
from sectigo_tui.domain.dns import Dns
from sectigo_tui.domain.errors import Refused, ScmFailure, SectigoTuiError, StoreError
from sectigo_tui.domain.events import Announcement, Exchange, FailureReported, OrderChanged
from sectigo_tui.domain.pki import CertificateTools
from sectigo_tui.domain.ports import Credentials
from sectigo_tui.engine.account import Account
from sectigo_tui.engine.approving import Approving
from sectigo_tui.engine.changing import Changing
from sectigo_tui.engine.claims import Claims
from sectigo_tui.engine.collecting import Collecting
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.diagnosis.diagnoser import Diagnoser
from sectigo_tui.engine.enrolling import Enrolling
from sectigo_tui.engine.following_rotation import FollowingRotation
from sectigo_tui.engine.followup import FollowUp
from sectigo_tui.engine.handing_over import HandingOver
from sectigo_tui.engine.health import ApiHealth
from sectigo_tui.engine.installing import Installer
from sectigo_tui.engine.placing import Placing
from sectigo_tui.engine.recovery import Recovery
from sectigo_tui.engine.removing import Removing
from sectigo_tui.engine.renewing import Renewing
from sectigo_tui.engine.revoker import Revoker
from sectigo_tui.engine.revoking import Revoking
from sectigo_tui.engine.rotating import Rotating
from sectigo_tui.engine.supervisor import Supervisor
from sectigo_tui.engine.tracking import Tracking

PASSWORD_SECONDS = 6 * 3600.0
PASSWORD_RETRY_SECONDS = 600.0


class Announcer:
    """Passes announcements on to whoever listens; listeners must not raise and must not wait."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Announcement], None]] = []

    def subscribe(self, listener: Callable[[Announcement], None]) -> Callable[[], None]:
        """Let a listener hear all announcements from now on; call what is returned to end it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def __call__(self, announcement: Announcement) -> None:
        """Tell everybody."""
        for listener in tuple(self._listeners):
            listener(announcement)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How this program gets in, and who else is told when that changes.

    Args:
        in_use: The credentials that requests are sent with first.
        keeper: Keeps credentials beyond this process.
        certctl: certctl-server; None without one.
        issuer_id: The issuer there.
    """

    in_use: Credentials
    keeper: CredentialsKeeper
    certctl: Certctl | None = None
    issuer_id: str = ""


class Engine:
    """Everything the program can do, without a screen.

    Args:
        context: The world.
        announcer: Where its announcements are heard.
        tools: Keys, CSRs and bundles.
        access: How this program gets in.
        dns: The DNS; None unless the operator has switched it on.

    Attributes:
        context: The world.
        announcer: Where its announcements are heard.
        supervisor: The poll workers.
        tracking: Adopting remote orders.
        account: The account's remote orders.
        health: How SCM answers.
        enrolling: Ordering.
        renewing: Ordering again what an order was.
        recovery: Orders whose answer was lost.
        approving: Approving and declining.
        collecting: Collecting and saving.
        revoking: Revoking.
        removing: Taking finished orders off the list.
        rotating: Credentials that were changed elsewhere.
        changing: The password at SCM itself.
        following_rotation: Credentials that another process has put in use.
        handing_over: Telling certctl-server; None without one.
        diagnoser: Who orders wait for.
        password: What SCM told last of the password's expiry; None before that.
        follow_up: What is done by itself about orders in doubt and revocations not confirmed.
    """

    def __init__(
        self, context: Context, announcer: Announcer, tools: CertificateTools, access: Access, dns: Dns | None = None
    ) -> None:
        self.context = context
        self.announcer = announcer
        self.supervisor = Supervisor(context)
        self.tracking = Tracking(context)
        self.account = Account(context)
        self.health = ApiHealth()
        claims = Claims(context)
        placing = Placing(context, claims, self.supervisor.watch)
        revoker = Revoker(context, self.supervisor.watch)
        self.enrolling = Enrolling(context, placing, tools)
        self.renewing = Renewing(context, placing, tools)
        self.recovery = Recovery(context, claims, placing)
        self.approving = Approving(context)
        self.collecting = Collecting(context, tools)
        self.revoking = Revoking(context, claims, self.tracking, revoker, self.supervisor.watch)
        self.removing = Removing(context, claims)
        installer = Installer(context, access.keeper, access.in_use, self.supervisor.resume)
        self.diagnoser = Diagnoser(context, self.account, dns, lambda: (installer.in_use.password,))
        self.rotating = Rotating(context, installer)
        self.changing = Changing(context, installer)
        self.following_rotation = FollowingRotation(context, installer)
        self.handing_over: HandingOver | None = None
        if access.certctl is not None:
            self.handing_over = HandingOver(context, installer, access.certctl, access.issuer_id)
        self.password: PasswordStatus | None = None
        self.follow_up = FollowUp(context, claims, (self.recovery, revoker))
        announcer.subscribe(self._hear)
        announcer.subscribe(self.follow_up.hear)

    async def run(self, refresh_seconds: float) -> None:
        """Poll, and list the account's pending orders again and again, until cancelled.

        Args:
            refresh_seconds: The time between two listings.
        """
        for problem in self.context.book.store.problems:
            self._report("opening the local orders", StoreError(problem.where, problem.what, problem.remedy))
        await self._settle_password()
        async with asyncio.TaskGroup() as group:
            group.create_task(self.supervisor.run())
            group.create_task(self.follow_up.run())
            group.create_task(self.following_rotation.run())
            group.create_task(self._refresh(refresh_seconds))
            group.create_task(self._watch_password())

    async def track(self, ssl_id: int) -> None:
        """Adopt a remote order and poll it."""
        self.supervisor.watch(await self.tracking.track(ssl_id))

    async def _settle_password(self) -> None:
        """Learn which password works, if a change was cut short: before anything else is sent."""
        try:
            await self.changing.settle()
        except SectigoTuiError as failure:
            self._report("a change of the password was cut short", failure)

    async def _watch_password(self) -> None:
        while True:
            try:
                self.password = await self.changing.status()
            except Refused:
                # The login may not ask; nothing on the screen depends on it.
                return
            except ScmFailure:
                await self.context.clock.sleep(PASSWORD_RETRY_SECONDS)
            else:
                await self.context.clock.sleep(PASSWORD_SECONDS)

    def _report(self, what: str, failure: SectigoTuiError) -> None:
        self.announcer(FailureReported(self.context.clock.now(), what, failure))

    async def _refresh(self, seconds: float) -> None:
        while True:
            await self.account.refresh_pending()
            await self.context.clock.sleep(seconds)

    def _hear(self, announcement: Announcement) -> None:
        if isinstance(announcement, Exchange):
            self.health.note(announcement)
        elif isinstance(announcement, OrderChanged) and announcement.order.details is not None:
            order = announcement.order
            if order.details is not None and order.last_answer_at is not None:
                self.account.learned(order.details, order.last_answer_at)
