"""The engine as the screen and the command line see it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sectigo_tui.domain.events import Announcement, Exchange, OrderChanged
from sectigo_tui.engine.account import Account
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.health import ApiHealth
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

    Attributes:
        context: The world.
        announcer: Where its announcements are heard.
        supervisor: The poll workers.
        tracking: Adopting remote orders.
        account: The account's remote orders.
        health: How SCM answers.
    """

    def __init__(self, context: Context, announcer: Announcer) -> None:
        self.context = context
        self.announcer = announcer
        self.supervisor = Supervisor(context)
        self.tracking = Tracking(context)
        self.account = Account(context)
        self.health = ApiHealth()
        announcer.subscribe(self._hear)

    async def run(self, refresh_seconds: float) -> None:
        """Poll, and list the account's pending orders again and again, until cancelled.

        Args:
            refresh_seconds: The time between two listings.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self.supervisor.run())
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
