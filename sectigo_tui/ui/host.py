"""Runs flows on an application: shows their dialogs, one after another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
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
    """

    def __init__(self, app: App[Any]) -> None:
        self._app = app

    async def ask(self, dialog: Dialog[R]) -> R | None:
        """Show a dialog and return its answer; None when the operator cancels."""
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
