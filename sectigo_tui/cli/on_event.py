"""The operator's own command, given what `watch` sees: each order that changes, and that polling has paused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

from sectigo_tui.cli.outside import COMMAND_SECONDS, runner
from sectigo_tui.config.settings import Settings
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.events import EngineEvent
from sectigo_tui.engine.engine import Engine
from sectigo_tui.presentation.json import Event
from sectigo_tui.presentation.notifications import EventCommand, change_json
from sectigo_tui.presentation.rows import OrderRows
from sectigo_tui.presentation.watchlist import Change, OrderSnapshot, Watchlist

ON_EVENT = "on_event command"
"""The activity named in a failure event."""


class OnEvent:
    """Runs the operator's command for each event, in the background; it is killed if it still runs at the end.

    What an order's change is, the dashboard decides in the same way, as if every order were watched there.

    Args:
        settings: Name the command.
        failed: Called with what went wrong with it.
    """

    def __init__(self, settings: Settings, failed: Callable[[InputError], None]) -> None:
        self._settings = [settings]
        self._command = EventCommand(settings.ui.on_event or (), runner(lambda: self._settings))
        self._failed = failed
        self._known: dict[str, OrderSnapshot] = {}
        self._running: set[asyncio.Task[None]] = set()

    def use(self, settings: Settings) -> None:
        """Keep the secrets of these settings from the command too, since the password was changed."""
        self._settings.append(settings)

    def listener(self, engine: Engine) -> Callable[[EngineEvent], None]:
        """Return a subscriber to an engine's events; changes since the last engine are delivered at once.

        Args:
            engine: The engine, with its orders loaded.
        """
        watchlist = Watchlist(OrderRows(engine), watches_all=True, known=self._known)
        clock = engine.clock

        def is_delivered(changes: list[Change]) -> None:
            for change in changes:
                self._start(change_json(change, clock.now()))

        is_delivered(watchlist.begin())
        return lambda engine_event: is_delivered(watchlist.receive([engine_event]))

    def deliver(self, event: Event) -> None:
        """Run the command for an event of `watch` itself."""
        self._start(json.dumps(event))

    async def finish(self) -> None:
        """Wait until every event is delivered, but no longer than one event may take."""
        if self._running:
            await asyncio.wait(self._running, timeout=COMMAND_SECONDS)

    async def close(self) -> None:
        """Kill what still runs."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _start(self, line: str) -> None:
        if self._command.is_given:
            task = asyncio.create_task(self._run(line))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _run(self, line: str) -> None:
        try:
            await self._command.deliver(line)
        except InputError as failure:
            self._failed(failure)
