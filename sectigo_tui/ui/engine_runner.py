"""The engine beside the screens: it is run, asked, and what it publishes is gathered for them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any

from textual.app import App

from sectigo_tui.domain.errors import ConfigError, InputError, PasswordCommandFailed, SectigoTuiError
from sectigo_tui.domain.events import EngineEvent, FailureReported
from sectigo_tui.engine.engine import Engine

Use = Coroutine[Any, Any, object]
Perform = Callable[[str, Use], None]
"""Runs what a key asks for in a worker; its failure goes to the error pane under the given name."""

GATHER_SECONDS = 0.05
"""Events within this time reach the screens together."""

ASK_AGAIN_SECONDS = (15.0, 45.0, 120.0, 300.0)
"""The waits before a password command that returned none is run again; the last one repeats."""


class EngineRunner:
    """Runs an engine in the workers of an application, which are gone when it ends.

    Args:
        app: The application.
        engine: The engine.
        refresh_seconds: The time between two listings of the account.
        connect: Makes the engine able to send; None when it is already.
        receive: Takes what was published within a moment.
        connected: Called once requests can be sent.
        give_up: Ends the application: the settings do not let anybody connect.
    """

    def __init__(
        self,
        app: App[Any],
        engine: Engine,
        refresh_seconds: float,
        *,
        connect: Callable[[], Awaitable[None]] | None,
        receive: Callable[[Sequence[EngineEvent]], None],
        connected: Callable[[], None],
        give_up: Callable[[Exception], None],
    ) -> None:
        self._app = app
        self._engine = engine
        self._refresh_seconds = refresh_seconds
        self._connect = connect
        self._receive = receive
        self._on_connected = connected
        self._give_up = give_up
        self._connected = asyncio.Event()
        self._wanted = asyncio.Event()
        self._received: list[EngineEvent] = []

    @property
    def is_connected(self) -> bool:
        """Whether requests can be sent."""
        return self._connected.is_set()

    def listen(self) -> None:
        """Gather from now on what is published."""
        self._engine.event_source.subscribe(self._gather)

    def start(self) -> None:
        """Connect, then poll, list and whatever else an engine does by itself."""
        self._app.run_worker(self._run(), group="engine", exit_on_error=False, name="engine")

    def perform(self, what: str, use: Use) -> None:
        """Do what a key asks for, once requests can be sent, and report what comes of it when it fails.

        Args:
            what: What it is, for a person.
            use: Does it.
        """
        self._app.run_worker(self._use(what, use), group="use", exit_on_error=False, name=what)

    def report(self, what: str, failure: Exception) -> None:
        """Have a failure shown among the others.

        Args:
            what: What failed, for a person.
            failure: Why.
        """
        self._engine.event_source(FailureReported(self._engine.clock.now(), what, failure))

    async def _run(self) -> None:
        """Run the engine; the boundary at which an unexpected error is reported, for its workers would die unseen."""
        try:
            if self._connect is not None:
                await self._connect_patiently(self._connect)
            self._connected.set()
            self._on_connected()
            await self._engine.run(self._refresh_seconds)
        except (ConfigError, InputError) as failure:
            self._give_up(failure)
        except Exception as defect:  # noqa: BLE001 - the named boundary: a dead engine must not look like a quiet one
            self.report("the engine stopped, restart the program", defect)

    async def _connect_patiently(self, connect: Callable[[], Awaitable[None]]) -> None:
        """Connect; where the password command tells no password, the local orders are shown and it is asked again."""
        pauses = iter(ASK_AGAIN_SECONDS)
        pause = 0.0
        while True:
            try:
                return await connect()
            except PasswordCommandFailed as failure:
                self.report("no password: only local orders are shown, none is polled; it is asked for again", failure)
            pause = next(pauses, pause)
            self._wanted.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), pause)

    async def _use(self, what: str, use: Use) -> None:
        # Whoever asks for something does not wait for a pause to end.
        self._wanted.set()
        try:
            await self._connected.wait()
        except asyncio.CancelledError:
            use.close()
            raise
        try:
            await use
        except SectigoTuiError as failure:
            self.report(what, failure)
        except Exception as defect:  # noqa: BLE001 - the named boundary of a key's action: reported, never swallowed
            self.report(f"{what} (a defect of this program)", defect)

    def _gather(self, event: EngineEvent) -> None:
        if not self._received:
            asyncio.get_running_loop().call_later(GATHER_SECONDS, self._print)
        self._received.append(event)

    def _print(self) -> None:
        received, self._received = self._received, []
        self._receive(received)
