"""Keeps what the screen remembers: soon after a change, and at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from sectigo_tui.domain.errors import InputError
from sectigo_tui.presentation.watchlist import Watchlist
from sectigo_tui.ui.layout import Layout, from_text, of_watchlist, to_text
from sectigo_tui.ui.outside import ScreenKeeper

SAVE_SECONDS = 1.0
"""Changes within this time are kept together, as while a filter is typed."""


class LayoutSaver:
    """Loads what was remembered, and saves it when it changes.

    Args:
        keeper: Keeps it between runs.
        later: Calls something after so many seconds.
        report: Told once of what went wrong; the screen goes on without its memory.

    Attributes:
        memory: What is remembered.
    """

    def __init__(
        self,
        keeper: ScreenKeeper,
        later: Callable[[float, Callable[[], Awaitable[None]]], object],
        report: Callable[[str, Exception], None],
    ) -> None:
        self.layout = Layout()
        self._keeper = keeper
        self._later = later
        self._report = report
        self._watchlist: Watchlist | None = None
        self._is_due = False
        self._is_failing = False

    def load(self) -> InputError | None:
        """Remember what was kept; return why that cannot be had, if so."""
        try:
            self.layout = from_text(self._keeper.load())
        except InputError as failure:
            return failure
        finally:
            self.layout.changed = self.changed
        return None

    def attend(self, watchlist: Watchlist) -> None:
        """Remember what the operator attends to as well; it goes on where the last run ended."""
        watch_state = self.layout.watch_state
        watchlist.known = dict(watch_state.standings)
        watchlist.is_counted = watch_state.is_whole
        watchlist.watches_all = watch_state.watches_all
        watchlist.watched, watchlist.acknowledged = set(watch_state.watched), set(watch_state.acknowledged)
        watchlist.changed = set(watch_state.changed)
        watchlist.noted = self.changed
        self._watchlist = watchlist

    def changed(self) -> None:
        """Take note that something is to be kept."""
        if not self._is_due:
            self._is_due = True
            self._later(SAVE_SECONDS, self._save)

    def save_now(self) -> None:
        """Keep what has changed, before the program ends; nobody is left to tell that it cannot be."""
        if self._is_due:
            with suppress(InputError):
                self._keeper.save(self._text())

    async def _save(self) -> None:
        if not self._is_due:
            return
        try:
            await asyncio.to_thread(self._keeper.save, self._text())
        except InputError as failure:
            if not self._is_failing:
                self._report("remember the screen", failure)
            self._is_failing = True
        else:
            self._is_failing = False

    def _text(self) -> str:
        self._is_due = False
        if self._watchlist is not None:
            self.layout.watch_state = of_watchlist(self._watchlist)
        return to_text(self.layout)
