"""When something that failed is tried again: the poll schedule, without an end."""

from __future__ import annotations

from datetime import datetime, timedelta

from sectigo_tui.engine.context import Context
from sectigo_tui.engine.polling.schedule import DEFAULT_DEADLINE_SECONDS, JITTER, scheduled_wait_seconds


class Retries:
    """Remembers how often something was tried for each order, and says when it is tried again.

    It forgets at the end of the process: a start begins with the shortest wait again.

    Args:
        context: The world.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._attempts: dict[str, int] = {}

    def next_at(self, order_id: str, *, retry_after_seconds: float | None = None) -> datetime:
        """Count a try, and return when the next one is due.

        Args:
            order_id: The order.
            retry_after_seconds: What SCM asked for; the wait is at least that, but, as for a poll, no longer than a
                poll window: a certificate whose key has leaked cannot wait a day.
        """
        tries = self._attempts[order_id] = self._attempts.get(order_id, 0) + 1
        scheduled = scheduled_wait_seconds(tries)
        wait = self._context.random.uniform(scheduled * (1 - JITTER), scheduled * (1 + JITTER))
        asked = min(retry_after_seconds or 0.0, DEFAULT_DEADLINE_SECONDS)
        return self._context.clock.now() + timedelta(seconds=max(wait, asked))

    def forget(self, order_id: str) -> None:
        """Begin anew with an order."""
        self._attempts.pop(order_id, None)
