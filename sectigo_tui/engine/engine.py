"""The engine as the screen and the command line see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sectigo_tui.domain.events import Announcement, Exchange, OrderChanged
from sectigo_tui.domain.pki import CertificateTools
from sectigo_tui.engine.account import Account
from sectigo_tui.engine.approving import Approving
from sectigo_tui.engine.claims import Claims
from sectigo_tui.engine.collecting import Collecting
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.enrolling import Enrolling
from sectigo_tui.engine.followup import FollowUp
from sectigo_tui.engine.health import ApiHealth
from sectigo_tui.engine.placing import Placing
from sectigo_tui.engine.recovery import Recovery
from sectigo_tui.engine.removing import Removing
from sectigo_tui.engine.renewing import Renewing
from sectigo_tui.engine.revoker import Revoker
from sectigo_tui.engine.revoking import Revoking
from sectigo_tui.engine.supervisor import Supervisor
from sectigo_tui.engine.tracking import Tracking


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


class Engine:
    """Everything the program can do, without a screen.

    Args:
        context: The world.
        announcer: Where its announcements are heard.
        tools: Keys, CSRs and bundles.

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
        follow_up: What is done by itself about orders in doubt and revocations not confirmed.
    """

    def __init__(self, context: Context, announcer: Announcer, tools: CertificateTools) -> None:
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
        self.follow_up = FollowUp(context, claims, (self.recovery, revoker))
        announcer.subscribe(self._hear)
        announcer.subscribe(self.follow_up.hear)

    async def run(self, refresh_seconds: float) -> None:
        """Poll, and list the account's pending orders again and again, until cancelled.

        Args:
            refresh_seconds: The time between two listings.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self.supervisor.run())
            group.create_task(self.follow_up.run())
            group.create_task(self._refresh(refresh_seconds))

    async def track(self, ssl_id: int) -> None:
        """Adopt a remote order and poll it."""
        self.supervisor.watch(await self.tracking.track(ssl_id))

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
