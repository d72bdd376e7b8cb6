"""Runs flows on an application: shows their dialogs, one after another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from textual.app import App

from sectigo_tui.ui.dialogs.dialog import Dialog
from sectigo_tui.ui.dialogs.waiting import Waiting

R = TypeVar("R")
T = TypeVar("T")

PATIENCE_SECONDS = 0.3
"""What is done sooner is not worth a dialog that flickers."""


class FlowHost:
    """Shows the dialogs of flows; used from within a worker.

    Args:
        app: The application.
        ended: Called when a flow has ended that asked something.
    """

    def __init__(self, app: App[Any], ended: Callable[[], None] = lambda: None) -> None:
        self._app = app
        self._ended = ended
        self._leading: set[asyncio.Task[Any]] = set()

    @property
    def is_leading(self) -> bool:
        """Whether a flow that asked something has not ended: its next question may be about to open."""
        return bool(self._leading)

    async def ask(self, dialog: Dialog[R]) -> R | None:
        """Show a dialog and return its answer; None when the operator cancels."""
        self._lead()
        return await self._app.push_screen_wait(dialog)

    async def during(self, text: str, work: Awaitable[T], *, can_stop: bool) -> T | None:
        """Wait for something, saying so when it takes long.

        Args:
            text: What is being waited for.
            work: What is being waited for.
            can_stop: Whether the operator may stop it.

        Returns:
            What the work returned; None when the operator stopped it.

        Raises:
            SectigoTuiError: What the work raised.
        """
        self._lead()
        task = asyncio.ensure_future(work)
        await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
        if task.done():
            return task.result()
        waiting = Waiting(text, can_stop=can_stop)
        stopped = self._app.push_screen(waiting, wait_for_dismiss=True)
        either: list[asyncio.Future[Any]] = [task, stopped]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            task.cancel()
            return None
        if waiting.is_current:
            await waiting.dismiss(None)
        return task.result()

    def _lead(self) -> None:
        """Take note that the task that asks is a flow, until it ends."""
        flow = asyncio.current_task()
        if flow is not None and flow not in self._leading:
            self._leading.add(flow)
            flow.add_done_callback(self._end)

    def _end(self, flow: asyncio.Task[Any]) -> None:
        self._leading.discard(flow)
        self._ended()
