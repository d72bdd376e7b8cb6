"""Tells the operator of changes of watched orders, by every way that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from sectigo_tui.domain.errors import NotFound, ScmFailure
from sectigo_tui.domain.events import AccountChanged, Announcement
from sectigo_tui.domain.explain import explain
from sectigo_tui.engine.engine import Engine
from sectigo_tui.ui.attention import Attention, Change
from sectigo_tui.ui.attention_alerts import EventCommand, change_json, notification
from sectigo_tui.ui.outside import Outside
from sectigo_tui.ui.troubles import Trouble, Troubles, end_of_watched
from sectigo_tui.ui.view_model import Perform


class Alarm:
    """Hears what the engine announces, and rings for watched orders.

    Args:
        attention: Knows what is watched.
        engine: Asked what became of a watched order that has left the list.
        troubles: Shows until it is acknowledged what became of one.
        outside: The terminal's environment, and the operator's own command.
        write: Writes to the terminal.
        perform: Runs something, and reports its failure.
    """

    def __init__(
        self,
        attention: Attention,
        engine: Engine,
        troubles: Troubles,
        outside: Outside,
        *,
        write: Callable[[str], None],
        perform: Perform,
    ) -> None:
        self._attention = attention
        self._engine = engine
        self._troubles = troubles
        self._environ = outside.environ
        self._command = EventCommand(outside.on_event, outside.run)
        self._write = write
        self._perform = perform

    def begin(self) -> None:
        """Ring for what has changed since the last run."""
        self._ring(self._attention.begin())

    def hear(self, announcements: Sequence[Announcement]) -> None:
        """Ring for what was announced."""
        self._ring(self._attention.hear(announcements))
        if any(isinstance(one, AccountChanged) and one.ssl_id is None for one in announcements):
            for ssl_id in self._attention.lost():
                self._perform(f"look at watched sslId {ssl_id}", self._look(ssl_id))

    def _ring(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        self._write(notification(changes, self._environ))
        at = self._engine.context.clock.now()
        for change in changes:
            # What becomes of a local order is in its timeline.
            if change.is_end and change.subject.order is None:
                self._troubles.add(end_of_watched(at, change))
        if self._command.is_given:
            for change in changes:
                self._perform("on_event command", self._command.tell(change_json(change, at)))

    async def _look(self, ssl_id: int) -> None:
        try:
            await self._engine.account.details(ssl_id, fresh_seconds=0.0)
        except NotFound as unknown:
            at = self._engine.context.clock.now()
            self._troubles.add(Trouble(at, replace(explain(unknown), what=f"watched sslId {ssl_id} left the list")))
        except ScmFailure:
            # The exchange itself was announced: the header tells it. The next listing asks again.
            self._attention.not_found(ssl_id)
