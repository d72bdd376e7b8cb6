"""Background jobs, each supervised apart: one that breaks is reported and restarted, and never stops another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sectigo_tui.domain.events import FailureReported
from sectigo_tui.engine.context import Context

FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
STEADY_SECONDS = 600.0
"""A job that has run for so long before it broke is restarted after the shortest pause again."""


async def keep_running(context: Context, name: str, job: Callable[[], Awaitable[None]]) -> None:
    """Run a job until it returns or is cancelled; whatever else ends it is reported, and it is started again.

    Args:
        context: What every service works with.
        name: The job, as a person reads it: `polling`.
        job: Starts it anew.
    """
    pause_seconds = FIRST_PAUSE_SECONDS
    while True:
        began = context.clock.monotonic()
        try:
            await job()
        except Exception as defect:  # noqa: BLE001 - the boundary of a background job: reported, and started again
            if context.clock.monotonic() - began >= STEADY_SECONDS:
                pause_seconds = FIRST_PAUSE_SECONDS
            what = f"{name} broke; it starts again in {pause_seconds:.0f} s"
            context.repository.publish(FailureReported(context.clock.now(), what, defect))
        else:
            return
        await _pause(context, pause_seconds)
        pause_seconds = min(pause_seconds * 2, LONGEST_PAUSE_SECONDS)


async def _pause(context: Context, seconds: float) -> None:
    try:
        await context.clock.sleep(seconds)
    except OSError:
        # What broke the job may be the clock: the pause must not end what it is there for.
        await asyncio.sleep(seconds)
