"""Runs workflows on an application: shows their dialogs, one after another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, TypeVar

from sectigo_tui.ui.dialogs.confirm import Waiting
from sectigo_tui.ui.dialogs.dialog import Dialog
from sectigo_tui.ui.terminal.terminal_app import TerminalApp

R = TypeVar("R")
T = TypeVar("T")

PATIENCE_SECONDS = 0.3
"""What is done sooner is not worth a dialog that flickers."""


class WorkflowRunner:
    """Shows the dialogs of workflows; used from within a worker.

    Args:
        app: The application.
        ended: Called when a workflow has ended that asked something.
    """

    def __init__(self, app: TerminalApp[Any], ended: Callable[[], None] = lambda: None) -> None:
        self._app = app
        self._ended = ended
        self._leading: set[asyncio.Task[Any]] = set()
        self._arrivals: dict[asyncio.Task[Any], asyncio.Future[None]] = {}

    @property
    def is_leading(self) -> bool:
        """Whether a workflow that asked something has not ended: its next question may be about to open."""
        return bool(self._leading)

    def lead(self, workflow: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        """Return a workflow as it is to be run: what is typed from now on is meant for what it asks first."""
        return _Led(workflow, self._app.typed_ahead.expect(), self._lead)

    async def ask(self, dialog: Dialog[R]) -> R | None:
        """Show a dialog and return its answer; None when the operator cancels."""
        workflow = self._lead()
        answered = self._app.push_screen(dialog, wait_for_dismiss=True)
        self._arrived(workflow)
        # What is typed after the answer is meant for what the flow asks next, or for the list when it ends.
        answered.add_done_callback(lambda _: self._depart(workflow))
        return await asyncio.shield(answered)

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
        if not stopped.done():
            await waiting.dismiss(None)
        return task.result()

    def _lead(self, arrival: asyncio.Future[None] | None = None) -> asyncio.Task[Any] | None:
        """Take note that the task that asks is a workflow, until it ends."""
        workflow = asyncio.current_task()
        if workflow is not None and workflow not in self._leading:
            self._leading.add(workflow)
            workflow.add_done_callback(self._end)
            if arrival is not None:
                self._arrivals[workflow] = arrival
        return workflow

    def _depart(self, workflow: asyncio.Task[Any] | None) -> None:
        if workflow is not None and not workflow.done():
            self._arrivals[workflow] = self._app.typed_ahead.expect()

    def _arrived(self, workflow: asyncio.Task[Any] | None) -> None:
        arrival = self._arrivals.pop(workflow, None) if workflow is not None else None
        if arrival is not None and not arrival.done():
            arrival.set_result(None)

    def _end(self, workflow: asyncio.Task[Any]) -> None:
        self._arrived(workflow)
        self._leading.discard(workflow)
        self._ended()


class _Led(Coroutine[Any, Any, T]):
    """A workflow whose task is known to its runner from its first step."""

    def __init__(
        self,
        workflow: Coroutine[Any, Any, T],
        arrival: asyncio.Future[None],
        lead: Callable[[asyncio.Future[None]], object],
    ) -> None:
        self._workflow = workflow
        self._arrival = arrival
        self._lead = lead

    def __await__(self) -> Generator[Any, Any, T]:
        self._lead(self._arrival)
        return self._workflow.__await__()

    def send(self, value: Any, /) -> Any:
        return self._workflow.send(value)

    def throw(self, *failure: Any) -> Any:
        return self._workflow.throw(*failure)

    def close(self) -> None:
        if not self._arrival.done():
            self._arrival.set_result(None)
        self._workflow.close()
