"""Notifies the operator of changes of watched orders, by every way that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from sectigo_tui.domain.errors import NotFound, ScmFailure
from sectigo_tui.domain.events import AccountChanged, EngineEvent
from sectigo_tui.domain.explain import explain
from sectigo_tui.engine.engine import Engine
from sectigo_tui.presentation.notifications import EventCommand, change_json, notification
from sectigo_tui.presentation.watchlist import Change, Watchlist
from sectigo_tui.ui.engine_runner import Perform
from sectigo_tui.ui.errors import ErrorEntry, Errors, end_of_watched
from sectigo_tui.ui.outside import Outside


class Notifier:
    """Rings for watched orders, by what the engine publishes.

    Args:
        watchlist: Knows what is watched.
        engine: Asked what became of a watched order that has left the list.
        errors: Shows until it is acknowledged what became of one.
        outside: The terminal's environment, and the operator's own command.
        write: Writes to the terminal.
        perform: Runs something, and reports its failure.
    """

    def __init__(
        self,
        watchlist: Watchlist,
        engine: Engine,
        errors: Errors,
        outside: Outside,
        *,
        write: Callable[[str], None],
        perform: Perform,
    ) -> None:
        self._watchlist = watchlist
        self._engine = engine
        self._errors = errors
        self._environ = outside.environ
        self._command = EventCommand(outside.on_event, outside.run)
        self._write = write
        self._perform = perform

    def begin(self) -> None:
        """Ring for what has changed since the last run."""
        self._ring(self._watchlist.begin())

    def receive(self, events: Sequence[EngineEvent]) -> None:
        """Ring for what was published."""
        self._ring(self._watchlist.receive(events))
        if any(isinstance(one, AccountChanged) and one.ssl_id is None for one in events):
            for ssl_id in self._watchlist.lost():
                self._perform(f"check watched sslId {ssl_id}", self._poll(ssl_id))

    def _ring(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        self._write(notification(changes, self._environ))
        at = self._engine.clock.now()
        for change in changes:
            # What becomes of a local order is in its timeline.
            if change.is_end and change.row.order is None:
                self._errors.add(end_of_watched(at, change))
        if self._command.is_given:
            for change in changes:
                self._perform("on_event command", self._command.deliver(change_json(change, at)))

    async def _poll(self, ssl_id: int) -> None:
        try:
            await self._engine.account.details(ssl_id, fresh_seconds=0.0)
        except NotFound as unknown:
            at = self._engine.clock.now()
            self._errors.add(ErrorEntry(at, replace(explain(unknown), what=f"watched sslId {ssl_id} left the list")))
        except ScmFailure:
            # The exchange itself was published: the header tells it. The next listing asks again.
            self._watchlist.not_found(ssl_id)
