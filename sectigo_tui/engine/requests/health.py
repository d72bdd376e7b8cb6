"""How SCM answers: reduced from the exchanges, for the header and the poll budget."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from msgspec import Struct

from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import (
    ScmFailure,
    ServerFailure,
    Unreachable,
    Unreadable,
)
from sectigo_tui.domain.events import EngineEvent, Exchange
from sectigo_tui.domain.polling import PollOutcome
from sectigo_tui.engine.polling.poll import outcome_of

KEPT_SECONDS = 3600.0
KEPT_EXCHANGES = 20_000

ASKED_SECONDS = 300.0
"""Another call that worked so lately shows that SCM is there, and that what fails is one call alone."""


class PastExchange(Struct, frozen=True):
    """A past exchange, without its failure: that would keep the stack and the answer's body in memory.

    Args:
        at: When it ended.
        latency_seconds: How long it took.
        is_answered: Whether an HTTP answer came.
        outcome: What its failure counts as; None when nothing went wrong.
    """

    at: datetime
    latency_seconds: float
    is_answered: bool
    outcome: PollOutcome | None


class ApiHealth:
    """What the exchanges of the last hour say.

    Attributes:
        last: The newest exchange; None before the first.
        answered_at: When SCM itself answered last, whatever it said; None before that.
        failing_since: Since when SCM has not answered, or has failed whatever was asked; None while it works.
        failure: Why it does not; None while it does.
        failing_calls: The calls that failed when they were made last, each with since when it does.
        asking_since: Since when `password_command` is being asked, while the screen is up; None while it is not.
        retry_after_until: Until when the account is rate limited (the newest Retry-After); None when it is not.
    """

    def __init__(self) -> None:
        self.last: Exchange | None = None
        self.answered_at: datetime | None = None
        self.failing_since: datetime | None = None
        self.failure: ScmFailure | None = None
        self.failing_calls: dict[str, datetime] = {}
        self.retry_after_until: datetime | None = None
        self.asking_since: datetime | None = None
        self._past: deque[PastExchange] = deque(maxlen=KEPT_EXCHANGES)
        self._worked_at: dict[str, datetime] = {}

    def receive(self, event: EngineEvent) -> None:
        """Take note of the exchanges that the engine publishes."""
        if isinstance(event, Exchange):
            self.note(event)

    def note(self, exchange: Exchange) -> None:
        """Record an exchange that has ended; a rejected login is an answer, since the limiter reports the pause."""
        failure = exchange.failure
        self._past.append(
            PastExchange(
                exchange.at,
                exchange.latency_seconds,
                exchange.http_status is not None,
                outcome_of(failure) if failure is not None else None,
            )
        )
        self._forget_before(exchange.at)
        self.last = exchange
        if failure is not None and failure.retry_after_seconds is not None:
            self.retry_after_until = exchange.at + timedelta(seconds=failure.retry_after_seconds)
        if not isinstance(failure, (Unreachable, Unreadable, ServerFailure)):
            self.failing_calls.pop(exchange.call, None)
            self._worked_at[exchange.call] = exchange.at
            self.failure, self.failing_since, self.answered_at = None, None, exchange.at
            return
        self.failing_calls.setdefault(exchange.call, exchange.at)
        if self.failing_since is not None or self._is_outage(exchange):
            self.failure = failure
            self.failing_since = self.failing_since or exchange.at

    def _is_outage(self, exchange: Exchange) -> bool:
        """Return whether a failure is that of SCM as a whole, and not of what was asked alone."""
        if exchange.http_status is None or self.answered_at is None:
            return True
        works = any(
            call not in self.failing_calls and seconds_between(at, exchange.at) <= ASKED_SECONDS
            for call, at in self._worked_at.items()
        )
        failed_since = sum(since >= self.answered_at for since in self.failing_calls.values())
        return not works or failed_since > 1

    def recent(self, now: datetime, seconds: float = KEPT_SECONDS) -> list[PastExchange]:
        """Return the exchanges of the last `seconds` (at most an hour), oldest first."""
        self._forget_before(now)
        return [past for past in self._past if seconds_between(past.at, now) <= seconds]

    def _forget_before(self, now: datetime) -> None:
        while self._past and seconds_between(self._past[0].at, now) > KEPT_SECONDS:
            self._past.popleft()
