"""Waiting for a time or an event, whichever comes first."""

from __future__ import annotations

import asyncio

from sectigo_tui.domain.clock import Clock


async def rest(clock: Clock, seconds: float, wake: asyncio.Event) -> None:
    """Wait until some time has passed, or an event is set.

    Args:
        clock: The time.
        seconds: How long at most.
        wake: Ends the wait.
    """
    sleeping = asyncio.ensure_future(clock.sleep(seconds))
    woken = asyncio.ensure_future(wake.wait())
    try:
        await asyncio.wait((sleeping, woken), return_when=asyncio.FIRST_COMPLETED)
        if sleeping.done():
            # A sleep that fails must not turn into no sleep at all.
            sleeping.result()
    finally:
        sleeping.cancel()
        woken.cancel()
