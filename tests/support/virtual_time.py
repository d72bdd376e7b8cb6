"""An event loop on which hours pass in milliseconds, and a clock that reads it."""

from __future__ import annotations

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, ParamSpec, TypeVar, TypeVarTuple

P = ParamSpec("P")
T = TypeVar("T")
Ts = TypeVarTuple("Ts")

START = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)
"""When every story begins: 3 am, of course."""

WEEK_SECONDS = 7 * 24 * 3600.0


class _JumpingSelector(selectors.BaseSelector):
    """Never waits for a timer: when nothing else can happen, the time of the next one has come."""

    def __init__(self) -> None:
        self._real = selectors.DefaultSelector()
        self.now = 0.0
        self.threads = 0
        self.selects = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.selects += 1
        events = self._real.select(0)
        if events or (timeout is not None and timeout <= 0):
            return events
        if self.threads:
            # A thread works in real time, and wakes the loop when it is done.
            return self._real.select(None)
        if timeout is None:
            raise RuntimeError("nothing will ever happen on this loop: every task waits for another")
        self.now += timeout
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose time moves only when every task waits for it.

    Work in threads (`asyncio.to_thread`) takes no virtual time: the loop waits for it in earnest.
    """

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    @property
    def wake_ups(self) -> int:
        """How often the loop has asked what to do next."""
        return self._jumping.selects

    def time(self) -> float:
        """Return virtual seconds since the loop was made."""
        return self._jumping.now

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Run in a thread, and let no time pass until it has ended."""
        future = super().run_in_executor(executor, func, *args)
        self._jumping.threads += 1
        future.add_done_callback(self._thread_ended)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncio's own signature
        """End the threads, in real time."""
        self._jumping.threads += 1
        try:
            await super().shutdown_default_executor()
        finally:
            self._jumping.threads -= 1

    def _thread_ended(self, _future: asyncio.Future[T]) -> None:
        self._jumping.threads -= 1


class LoopClock:
    """The program's clock on the running loop: `START` and the loop's own seconds."""

    def now(self) -> datetime:
        """Return the time of day."""
        return START + timedelta(seconds=self.monotonic())

    def wall(self) -> datetime:
        """Return the same: nobody sets this clock."""
        return self.now()

    def monotonic(self) -> float:
        """Return the loop's seconds."""
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        """Wait on the running loop."""
        await asyncio.sleep(max(0.0, seconds))


def run_virtual(story: Coroutine[Any, Any, T], *, limit_seconds: float = WEEK_SECONDS) -> T:
    """Run a coroutine in virtual time.

    Args:
        story: The coroutine.
        limit_seconds: A story that lasts longer than this many virtual seconds fails.

    Returns:
        What it returned.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(asyncio.wait_for(story, limit_seconds))


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, None]:
    """Make an async test run in virtual time, on a loop of its own."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        run_virtual(test(*args, **kwargs))

    return run
