"""What `watch` runs: polls without a screen until a signal ends it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from argparse import Namespace
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING

from sectigo_tui import __version__
from sectigo_tui.cli.crash import keep_crash
from sectigo_tui.cli.exit_codes import FINE, REFUSED
from sectigo_tui.cli.outside import COMMAND_SECONDS, runner
from sectigo_tui.cli.session import settings_from
from sectigo_tui.cli.terminal import complain, show_message
from sectigo_tui.cli.wait import polling
from sectigo_tui.config.settings import Settings, SourceKind
from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.errors import (
    ConfigError,
    CredentialsRefused,
    InputError,
    PasswordCommandFailed,
    SectigoTuiError,
    StoreError,
)
from sectigo_tui.domain.events import EngineEvent, FailureReported
from sectigo_tui.domain.explain import explain
from sectigo_tui.domain.ports import Credentials
from sectigo_tui.engine.engine import Engine
from sectigo_tui.presentation.json import Event, OrderById, event, event_of, failure_field, line_of, print_json_line
from sectigo_tui.presentation.notifications import EventCommand, change_json
from sectigo_tui.presentation.rows import OrderRows
from sectigo_tui.presentation.watchlist import Change, OrderSnapshot, Watchlist
from sectigo_tui.store.notified import NotifiedFile
from sectigo_tui.wiring.clients import credentials_of, in_thread
from sectigo_tui.wiring.engine import opened
from sectigo_tui.wiring.settings import account_directory

if TYPE_CHECKING:
    from sectigo_tui.cli.metrics import Metrics
    from sectigo_tui.cli.notifier import Notifier

ROUND_SECONDS = 1.0
CREDENTIALS_SECONDS = 30.0
"""How often rejected credentials are checked for a rotation elsewhere, where no file shows it at once."""
ASK_AGAIN_SECONDS = (5.0, 15.0, 45.0, 120.0, 300.0)
"""The waits before a password command that returned none is run again; the last one repeats."""
ON_EVENT = "on_event command"
NOTIFYING = "notifications"
"""The activities named in a failure event."""


def watch(options: Namespace) -> int:
    """Poll until SIGTERM or SIGINT.

    Raises:
        ConfigError: The settings name no account.
        StoreError: The local orders cannot be opened.
    """
    return asyncio.run(_Watch(options).run())


def _kept_at(settings: Settings) -> tuple[int, ...]:
    """Return what changes whenever the files are written that credentials are kept in."""
    found = []
    for path in (settings.paths.credentials_file, settings.paths.config_file):
        try:
            status = path.stat()
        except OSError:
            found.append(0)
        else:
            found += [status.st_mtime_ns, status.st_ino, status.st_size]
    return tuple(found)


class _Watch:
    def __init__(self, options: Namespace) -> None:
        self._options = options
        self._clock = SystemClock()
        self._changed_rows = asyncio.Event()
        self._received: deque[EngineEvent] = deque()
        self._ended_by = ""
        self._metrics: Metrics | None = None
        self._notifier: Notifier | None = None
        self._kept_at: tuple[int, ...] = ()

    async def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._end, number)
        settings = settings_from(self._options)
        on_event = _OnEvent(settings, self._command_failed)
        try:
            async with self._exported(settings) as address, self._notifying(settings):
                self._print_start(settings, address)
                return await self._watch(settings, on_event)
        finally:
            await on_event.close()

    @asynccontextmanager
    async def _exported(self, settings: Settings) -> AsyncIterator[str]:
        """Export metrics, where they are asked for, and yield the address that they are served at."""
        listen = self._options.metrics_listen or settings.metrics.listen
        file = self._options.metrics_file or settings.metrics.file
        if listen is None and file is None:
            yield ""
            return
        from sectigo_tui.cli.metrics import Metrics, exported

        customer_uri = settings.account().customer_uri
        self._metrics = Metrics(customer_uri, self._clock, names_orders=settings.metrics.order_names)
        async with exported(self._metrics, listen, file, self._metrics_failed) as address:
            yield address

    @asynccontextmanager
    async def _notifying(self, settings: Settings) -> AsyncIterator[None]:
        """Send notifications while the block lasts, where there are addresses.

        Raises:
            ConfigError: The command that tells them cannot be run, or prints what can be none.
        """
        if not settings.notify.urls and settings.urls_command is None:
            yield
            return
        from sectigo_tui.cli.notifier import Notifier, addresses_of

        account = settings.account()
        try:
            # Asked now, since it may prompt; where it fails, it is asked again when there is something to send.
            await addresses_of(settings, may_prompt=True)
        except PasswordCommandFailed as failure:
            if not failure.may_pass:
                raise
            self._print_failure(NOTIFYING, failure)
        self._notifier = Notifier(
            NotifiedFile(account_directory(settings.paths, account.base_url, account.customer_uri)),
            self._clock,
            account=" ".join(filter(None, (account.customer_uri, settings.sectigo.environment))),
            quiet=settings.notify.quiet,
            is_shared=settings.store.url is not None or settings.store.url_command is not None,
            addresses=lambda: addresses_of(settings),
            failed=lambda failure: self._print_failure(NOTIFYING, failure),
        )
        async with self._notifier.running():
            yield

    async def _watch(self, settings: Settings, on_event: _OnEvent) -> int:
        self._kept_at = _kept_at(settings)
        while await self._has_password(settings):
            was_rejected = await self._poll(settings, on_event)
            if was_rejected is None:
                break
            if settings.sources["password"].kind is SourceKind.ENVIRONMENT:
                complain(f"the password comes from {settings.sources['password'].detail}: change it there, start again")
                await on_event.finish()
                return REFUSED
            settings = await self._other_credentials(settings, was_rejected, on_event)
        self._print(
            event("ended", self._clock.now()) | {"signal": self._ended_by},
            f"ended by {self._ended_by}; every order stays what it is",
        )
        return FINE

    async def _has_password(self, settings: Settings) -> bool:
        """Run the password command before anything is opened; return whether to go on.

        A command that tells none now is asked again, with growing pauses: who starts this may be no person.

        Raises:
            ConfigError: There is no such command, or what it tells can be no password.
        """
        pauses = iter(ASK_AGAIN_SECONDS)
        pause = 0.0
        while not self._ended_by:
            try:
                await self._asked(settings)
            except PasswordCommandFailed as failure:
                if not failure.may_pass:
                    raise
                pause = next(pauses, pause)
                what = f"the password command returned no password, it is run again in {pause:g} s"
                self._print_failure(what, failure)
            else:
                return not self._ended_by
            await self._rest(pause)
        return False

    async def _asked(self, settings: Settings) -> Credentials | None:
        """Return the credentials; None if a signal comes before the password command has answered."""
        asked = asyncio.create_task(in_thread(lambda: credentials_of(settings, may_prompt=True)))
        while not asked.done() and not self._ended_by:
            await asyncio.wait({asked}, timeout=ROUND_SECONDS)
        if asked.done():
            return asked.result()
        asked.cancel()
        return None

    def _end(self, number: signal.Signals) -> None:
        self._ended_by = signal.Signals(number).name
        self._changed_rows.set()

    async def _poll(self, settings: Settings, on_event: _OnEvent) -> Callable[[Credentials], bool] | None:
        """Poll until a signal, or until SCM rejects the credentials.

        Returns:
            Whether SCM rejects some credentials, when it rejects the present ones; None otherwise.
        """
        async with opened(settings, keep_crash=keep_crash) as engine:
            silences = [
                engine.event_source.subscribe(self._receive),
                engine.event_source.subscribe(on_event.listener(engine)),
            ]
            try:
                engine.report_damage()
                await self._settle_password(engine)
                # The poller is known only from a lease. What fails here is reported by the housekeeping.
                with suppress(StoreError, OSError):
                    await engine.orders.changes()
                readers = [reader for reader in (self._metrics, self._notifier) if reader is not None]
                has_metrics = self._metrics is not None
                async with AsyncExitStack() as stack:
                    for reader in readers:
                        await stack.enter_async_context(reader.reading(engine))
                    work = polling(
                        engine,
                        watches_password=has_metrics,
                        watches_blockers=bool(readers),
                        lists_every_seconds=settings.ui.remote_refresh_seconds if has_metrics else 0.0,
                    )
                    await stack.enter_async_context(work)
                    await self._until_rejected(engine)
            finally:
                for silence in silences:
                    silence()
            rejection = engine.rejection
        if rejection is None or self._ended_by:
            return None
        # Told once the right to poll is given back: what others poll with may work.
        explained = explain(rejection)
        paused = event("paused", self._clock.now()) | failure_field(rejection)
        self._print(paused, f"PAUSED: {explained.what}: {explained.meaning} {explained.next_step}")
        on_event.deliver(paused)
        return lambda found: engine.credentials.was_rejected(found.login, found.password)

    async def _until_rejected(self, engine: Engine) -> None:
        poller: str | None = None
        while not self._ended_by and engine.rejection is None:
            if poller != engine.orders.poller():
                poller = engine.orders.poller()
                self._print_poller(poller, len(engine.orders.orders()))
            while self._received:
                self._print_event(engine, self._received.popleft())
            await self._rest(ROUND_SECONDS)
        while self._received:
            self._print_event(engine, self._received.popleft())

    async def _other_credentials(
        self, settings: Settings, was_rejected: Callable[[Credentials], bool], on_event: _OnEvent
    ) -> Settings:
        """Wait for credentials that SCM has not rejected, or for a signal."""
        while not self._ended_by:
            await self._rest_until_kept_anew(settings)
            try:
                fresh = settings_from(self._options)
                found = await self._asked(fresh)
            except (ConfigError, OSError) as error:
                complain(str(error))
                continue
            if found is not None and not was_rejected(found):
                on_event.use(fresh)
                self._print(event("resumed", self._clock.now()), "resumed: there are other credentials")
                return fresh
        return settings

    async def _rest_until_kept_anew(self, settings: Settings) -> None:
        """Wait until another process has stored credentials, or it is time to check their other sources."""
        left = CREDENTIALS_SECONDS
        while left > 0 and not self._ended_by and _kept_at(settings) == self._kept_at:
            await self._rest(min(ROUND_SECONDS, left))
            left -= ROUND_SECONDS
        self._kept_at = _kept_at(settings)

    async def _settle_password(self, engine: Engine) -> None:
        try:
            await engine.credentials.settle()
        except CredentialsRefused:
            pass  # the limiter is closed now, and that is reported
        except SectigoTuiError as failure:
            engine.event_source(FailureReported(self._clock.now(), "a change of the password was interrupted", failure))

    async def _rest(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._changed_rows.wait()
        except TimeoutError:
            return
        self._changed_rows.clear()

    def _receive(self, engine_event: EngineEvent) -> None:
        self._received.append(engine_event)
        self._changed_rows.set()

    def _print_start(self, settings: Settings, metrics: str) -> None:
        account = settings.account()
        started: Event = {
            "version": __version__,
            "pid": os.getpid(),
            "customer_uri": account.customer_uri,
            "base_url": account.base_url,
            "read_only": settings.sectigo.read_only,
            "metrics": metrics or None,
        }
        line = f"watching {account.customer_uri} at {account.base_url}{f'; metrics at {metrics}' if metrics else ''}"
        self._print(event("started", self._clock.now()) | started, line)

    def _print_poller(self, poller: str, orders: int) -> None:
        self._print(
            event("poller", self._clock.now())
            | {"poller": poller or None, "is_this_process": not poller, "orders": orders},
            f"{poller or 'this process'} polls; {orders} local orders",
        )

    def _command_failed(self, failure: InputError) -> None:
        self._print_failure(ON_EVENT, failure)

    def _metrics_failed(self, failure: InputError) -> None:
        self._print_failure("writing metrics", failure)

    def _print_failure(self, during: str, failure: SectigoTuiError) -> None:
        self._print_reported(FailureReported(self._clock.now(), during, failure), lambda _order_id: None)

    def _print_event(self, engine: Engine, engine_event: EngineEvent) -> None:
        self._print_reported(engine_event, engine.orders.order)

    def _print_reported(self, engine_event: EngineEvent, order_by_id: OrderById) -> None:
        told_as = event_of(engine_event, order_by_id)
        if told_as is not None:
            self._print(told_as, line_of(engine_event, order_by_id))

    def _print(self, told_as: Event, line: str) -> None:
        if self._options.json:
            print_json_line(told_as)
        elif line:
            show_message(f"{told_as['at']}  {line}")
        sys.stdout.flush()


class _OnEvent:
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
