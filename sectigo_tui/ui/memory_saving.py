"""Keeps what the screen remembers: soon after a change, and at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from sectigo_tui.domain.errors import InputError
from sectigo_tui.ui.attention import Attention
from sectigo_tui.ui.memory import Memory, from_text, seen_by, to_text
from sectigo_tui.ui.outside import ScreenKeeper

SAVE_SECONDS = 1.0
"""Changes within this time are kept together, as while a filter is typed."""


class MemorySaver:
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
        self.memory = Memory()
        self._keeper = keeper
        self._later = later
        self._report = report
        self._attention: Attention | None = None
        self._is_due = False
        self._is_failing = False

    def load(self) -> InputError | None:
        """Remember what was kept; return why that cannot be had, if so."""
        try:
            self.memory = from_text(self._keeper.load())
        except InputError as failure:
            return failure
        finally:
            self.memory.changed = self.changed
        return None

    def attend(self, attention: Attention) -> None:
        """Remember what the operator attends to as well; it goes on where the last run ended."""
        seen = self.memory.seen
        attention.known = dict(seen.standings)
        attention.is_counted = seen.is_whole
        attention.watches_all = seen.watches_all
        attention.watched, attention.acknowledged = set(seen.watched), set(seen.acknowledged)
        attention.changed = set(seen.changed)
        attention.noted = self.changed
        self._attention = attention

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
        if self._attention is not None:
            self.memory.seen = seen_by(self._attention)
        return to_text(self.memory)
