"""One call while no other is in flight and none begins, as long as it lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sectigo_tui.engine.requests.limiter import Priority, RequestLimiter

T = TypeVar("T")


async def alone(limiter: RequestLimiter, call: Callable[[], Awaitable[T]]) -> T:
    """Make a call that no other request may overlap: a change of the password, which would refuse the others.

    Args:
        gate: The limit that all requests share; requests under way end first, and new ones wait.
        call: What is done; a `CredentialsRefused` that it raises holds everything back, as any request's does.

    Returns:
        What the call returned.

    Raises:
        CredentialsRefused: SCM refused the credentials before the call was made (`sent` is False then).
        ScmFailure: What the call raised.
    """
    all_held, released = asyncio.Event(), asyncio.Event()
    holding = 0

    async def hold() -> None:
        nonlocal holding
        holding += 1
        if holding == limiter.limit - 1:
            all_held.set()
        await released.wait()

    async def take_all_places() -> T:
        if limiter.in_flight == 1 and not limiter.has_place(Priority.WRITE):
            return await call()
        holders = [asyncio.create_task(limiter.run(Priority.WRITE, hold)) for _ in range(limiter.limit - 1)]
        waiting = asyncio.create_task(all_held.wait())
        try:
            await asyncio.wait((waiting, *holders), return_when=asyncio.FIRST_COMPLETED)
            for holder in holders:
                if holder.done():
                    holder.result()
            return await call()
        finally:
            released.set()
            waiting.cancel()
            await asyncio.gather(*holders, return_exceptions=True)

    return await limiter.run(Priority.WRITE, take_all_places)
