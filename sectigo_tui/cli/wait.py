"""Waiting for orders: polled as the dashboard polls them, until they are certificates or the wait is over."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from datetime import datetime

from sectigo_tui.cli.terminal import LONGEST_LINE, complain
from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import SectigoTuiError
from sectigo_tui.domain.events import EngineEvent, FailureReported, PollFinished, StoreStateChanged
from sectigo_tui.domain.explain import explain
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.domain.polling import PollResult, WindowEnd
from sectigo_tui.engine.engine import Engine
from sectigo_tui.engine.polling.schedule import DEFAULT_DEADLINE_SECONDS
from sectigo_tui.engine.polling.scheduler import rest
from sectigo_tui.presentation.columns import poll_text
from sectigo_tui.presentation.format import countdown, human_duration
from sectigo_tui.presentation.json import Ending, moment_json
from sectigo_tui.presentation.text import fit, printable

PROGRESS_SECONDS = 1.0
"""How often the line of progress counts on."""
UNTOLD_SECONDS = 5.0
"""How often the state is checked for changes without an event."""
LAST_POLL_SECONDS = 30.0
"""A wait without a length of its own leaves time for the answer of the window's last poll."""
PROGRESS_COLUMNS = 79


@asynccontextmanager
async def polling(
    engine: Engine,
    *,
    watches_password: bool = False,
    watches_blockers: bool = False,
    lists_every_seconds: float = 0.0,
) -> AsyncIterator[None]:
    """Poll the local orders while the block lasts, and run pending writes and the credentials watch.

    Where another process polls, that one goes on, and what it learns is learned here.

    Args:
        engine: The engine.
        watches_password: Whether SCM is asked when the password expires, a few times a day.
        watches_blockers: Whether SCM is asked who orders wait for.
        lists_every_seconds: The time between two listings of the account's pending orders; 0 for none.
    """
    failure: SectigoTuiError | OSError | None = None
    async with asyncio.TaskGroup() as group:
        work = group.create_task(
            engine.poll(
                watches_password=watches_password,
                watches_blockers=watches_blockers,
                lists_every_seconds=lists_every_seconds,
            )
        )
        try:
            yield
        except (SectigoTuiError, OSError) as error:
            failure = error  # raised from within, the group would wrap it
        finally:
            work.cancel()
    if failure is not None:
        raise failure


async def wait_for(engine: Engine, order_ids: Collection[str], seconds: float) -> Mapping[str, Ending]:
    """Poll until each order is settled or the wait is over.

    Args:
        engine: The engine, not polling yet.
        order_ids: The local orders.
        seconds: How long at most: past the end of a poll window a new one is opened; 0 for as long as the
            configuration's poll windows last.

    Returns:
        How each order was left.

    Raises:
        StoreError: A new poll window could not be written.
    """
    waiting = _Waiting(engine, order_ids, seconds)
    silence = engine.event_source.subscribe(waiting.receive)
    try:
        for order_id in order_ids:
            await _begin(engine, order_id)
        async with polling(engine):
            return await waiting.run()
    finally:
        silence()


async def _begin(engine: Engine, order_id: str) -> None:
    order = engine.orders.order(order_id)
    if order is not None and order.state.is_polled and not (order.window and order.window.is_open):
        await engine.scheduler.open_window(order_id)


class _Waiting:
    def __init__(self, engine: Engine, order_ids: Collection[str], seconds: float) -> None:
        self._engine = engine
        self._order_ids = order_ids
        self._clock = engine.clock
        self._started = self._clock.monotonic()
        configured = engine.options.deadline_seconds
        self._may_reopen = seconds > 0
        self._seconds = seconds or ((configured if configured > 0 else DEFAULT_DEADLINE_SECONDS) + LAST_POLL_SECONDS)
        self._progress = _Progress()
        self._changed_rows = asyncio.Event()

    async def run(self) -> Mapping[str, Ending]:
        order_ids = self._order_ids
        endings: dict[str, Ending] = {}
        try:
            while True:
                self._changed_rows.clear()
                for order_id in order_ids:
                    if order_id not in endings:
                        ending = await self._ending(order_id)
                        if ending is not None:
                            endings[order_id] = ending
                if len(endings) == len(set(order_ids)):
                    return endings
                left = self._seconds - self._passed()
                if left <= 0:
                    return {each: endings.get(each) or self._left(each) for each in order_ids}
                self._progress.show(self._line([each for each in order_ids if each not in endings]))
                tick_seconds = PROGRESS_SECONDS if self._progress.is_shown else UNTOLD_SECONDS
                await rest(self._clock, min(tick_seconds, left), self._changed_rows)
        finally:
            self._progress.clear()

    def receive(self, event: EngineEvent) -> None:
        """Check at once how the orders stand, and report at once what a person must know while waiting."""
        self._changed_rows.set()
        match event:
            case PollFinished(order_id, poll) if order_id in self._order_ids:
                self._progress.print(self._poll_line(order_id, poll))
            case StoreStateChanged(_, error) if error is not None:
                self._progress.clear()
                complain(f"saving fails: {error}")
            case FailureReported(_, what, failure, _):
                told = explain(failure)
                self._progress.clear()
                complain(f"{what}: {told.what}: {told.meaning} {told.next_step}")
            case _:
                pass

    def _poll_line(self, order_id: str, poll: PollResult) -> str:
        """Return a poll in a line: when, of which order, what it came to, and when the next one is."""
        order = current(self._engine, order_id)
        name = f"{order.ssl_id or order.id}  {order.common_name or '-'}" if order is not None else order_id
        window = order.window if order is not None else None
        due = window.next_poll_at if window is not None else None
        following = f"next poll in {_until(poll.at, due)}" if due is not None else "polled no more"
        return f"{moment_json(poll.at)}  {name}  {poll_text(poll)}  {following}"

    def _passed(self) -> float:
        return self._clock.monotonic() - self._started

    async def _ending(self, order_id: str) -> Ending | None:
        """Return how an order has settled; None while it goes on."""
        order = current(self._engine, order_id)
        if order is None:
            return Ending.ENDED
        ending = settled(self._engine, order)
        if ending is Ending.PENDING and self._may_reopen and self._passed() < self._seconds:
            await self._engine.scheduler.open_window(order.id)
            return None
        return ending

    def _left(self, order_id: str) -> Ending:
        order = current(self._engine, order_id)
        return left_as(order) if order is not None else Ending.ENDED

    def _line(self, order_ids: Collection[str]) -> str:
        orders = [order for each in order_ids if (order := current(self._engine, each)) is not None]
        if not orders:
            return ""
        dues = [order.window.next_poll_at for order in orders if order.window and order.window.next_poll_at]
        following = f"next poll {_until(self._clock.now(), min(dues))}" if dues else "no poll is due"
        what = f"{len(orders)} orders" if len(orders) > 1 else printable(orders[0].common_name, limit=40)
        status = "" if len(orders) > 1 else f"  {printable(orders[0].scm_status or orders[0].state, limit=20)}"
        return f"{what}{status}  {following}  waited {human_duration(self._passed())}"


def current(engine: Engine, order_id: str) -> Order | None:
    """Return an order as it stands, or the one that turned out to be the same; None when there is neither."""
    order = engine.orders.order(order_id)
    if order is None or not (order.removed and order.order_tag):
        return order
    # It was found at SCM as an order that somebody had tracked meanwhile.
    return next((other for other in engine.orders.orders() if other.order_tag == order.order_tag), order)


def settled(engine: Engine, order: Order) -> Ending | None:
    """Return how an order has settled; None while something is still to come of it by itself."""
    if order.state in (OrderState.COLLECTED, OrderState.REVOKED) or order.state.is_final:
        return left_as(order)
    if engine.rejection is not None:
        return Ending.CREDENTIALS_REJECTED
    if order.state in (OrderState.INTENT, OrderState.UNCONFIRMED):
        return Ending.UNCONFIRMED if engine.recovery.is_undecided(order) else None
    ended = order.window.ended if order.window is not None else None
    if order.state.is_polled and ended is WindowEnd.STOPPED:
        return Ending.STOPPED
    if order.state.is_polled and ended is WindowEnd.DEADLINE:
        return Ending.PENDING
    return None


def left_as(order: Order) -> Ending:
    """Return how an order is left as it stands."""
    match order.state:
        case OrderState.COLLECTED:
            return Ending.CERTIFICATE
        case OrderState.REVOKED:
            return Ending.REVOKED
        case OrderState.REVOKING:
            return Ending.REVOKING
        case OrderState.INTENT | OrderState.UNCONFIRMED:
            return Ending.UNCONFIRMED
        case state if state.is_final:
            return Ending.ENDED
        case _:
            return Ending.PENDING


def _until(now: datetime, due: datetime) -> str:
    return countdown(seconds_between(now, due))


class _Progress:
    """One line of stderr, painted over again and again; nothing where stderr is no terminal."""

    def __init__(self) -> None:
        self.is_shown = sys.stderr.isatty()
        self._line = ""

    def show(self, line: str) -> None:
        if self.is_shown and line != self._line:
            self._line = line
            sys.stderr.write(f"\r{fit(printable(line, limit=LONGEST_LINE), PROGRESS_COLUMNS)}")
            sys.stderr.flush()

    def print(self, line: str) -> None:
        """Write a line that stays; the progress follows below it."""
        self.clear()
        sys.stderr.write(f"{printable(line, limit=LONGEST_LINE)}\n")
        sys.stderr.flush()

    def clear(self) -> None:
        if self._line:
            self._line = ""
            sys.stderr.write(f"\r{' ' * PROGRESS_COLUMNS}\r")
            sys.stderr.flush()
