"""One action for several orders: each has its own result, and one that fails leaves the others alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

from msgspec import Struct

from sectigo_tui.domain.errors import SectigoTuiError

Target = TypeVar("Target")
Result = TypeVar("Result")


class Outcome(Struct, Generic[Target, Result], frozen=True):
    """What the action came to for one order.

    Args:
        target: The order, as it was named.
        result: What the action returned; None when it failed.
        failure: Why it failed; None when it did not.
    """

    target: Target
    result: Result | None = None
    failure: SectigoTuiError | None = None


async def each(
    targets: Iterable[Target],
    action: Callable[[Target], Awaitable[Result]],
    progress: Callable[[Outcome[Target, Result]], None] = lambda _outcome: None,
) -> tuple[Outcome[Target, Result], ...]:
    """Do something for several orders, one after another, each once.

    After the credentials were rejected nothing more is sent: the limiter is closed.

    Args:
        targets: The orders.
        action: What is done for each.
        progress: Told each outcome when it is there.

    Returns:
        The outcomes, in order.
    """
    outcomes: list[Outcome[Target, Result]] = []
    for target in dict.fromkeys(targets):
        outcome = await _one(target, action)
        outcomes.append(outcome)
        progress(outcome)
    return tuple(outcomes)


async def _one(target: Target, action: Callable[[Target], Awaitable[Result]]) -> Outcome[Target, Result]:
    try:
        return Outcome(target, await action(target))
    except SectigoTuiError as failure:
        return Outcome(target, failure=failure)
