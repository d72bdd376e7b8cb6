"""Answers kept with their age, and each asked for once however many want it."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from msgspec.structs import replace

from sectigo_tui.domain.clock import Clock, seconds_between
from sectigo_tui.domain.errors import CredentialsRefused, DnsFailure, ScmFailure
from sectigo_tui.engine.diagnosis.evidence.model import Answer, AnswerState

K = TypeVar("K")
T = TypeVar("T")

FAILURE_KEPT_SECONDS = 15.0
"""A call that failed is not made again sooner: rows in sight would repeat it at every turn."""

KEPT = 4_000


class AnswerCache(Generic[K, T]):
    """The answers of one call, by what was asked.

    Args:
        clock: The time.
        source: Names the call for a person.
        call: Makes it; raises `ScmFailure` or `DnsFailure`.

    Attributes:
        changes: How often what `peek` returns may have changed.
    """

    def __init__(self, clock: Clock, source: Callable[[K], str], call: Callable[[K], Awaitable[T]]) -> None:
        self._clock = clock
        self._source = source
        self._call = call
        self.changes = 0
        self._answers: OrderedDict[K, Answer[T]] = OrderedDict()
        self._rejected: set[K] = set()  # may go as soon as the credentials are rotated
        self._asking: dict[K, asyncio.Task[Answer[T]]] = {}

    def peek(self, key: K) -> Answer[T]:
        """Return what is known, asking nobody."""
        kept_answer = self._older(key)
        return replace(kept_answer, state=AnswerState.ASKING) if key in self._asking else kept_answer

    def put(self, key: K, value: T) -> None:
        """Take note of an answer that came by another way."""
        self._keep(key, Answer(self._source(key), AnswerState.KNOWN, value, self._clock.now()))

    async def get(self, key: K, *, max_age_seconds: float) -> Answer[T]:
        """Return an answer, asking unless one is young enough; callers at the same time share one request.

        Args:
            key: What to ask about.
            max_age_seconds: How old an answer may be; zero asks whatever is known.

        Returns:
            The piece; a failure is in it, with the older answer if there is one.
        """
        asking = self._asking.get(key)
        if asking is None:
            if self._is_fresh(key, max_age_seconds):
                return self._answers[key]
            asking = asyncio.create_task(self._ask(key), name=self._source(key))
            self._asking[key] = asking
            self.changes += 1
            asking.add_done_callback(lambda _ended: self._asked(key))
        return await asyncio.shield(asking)

    def _older(self, key: K) -> Answer[T]:
        nothing: Answer[T] = Answer(self._source(key))
        return self._answers.get(key, nothing)

    def _is_fresh(self, key: K, max_age_seconds: float) -> bool:
        kept_answer, now = self._answers.get(key), self._clock.now()
        if kept_answer is None:
            return False
        if kept_answer.is_failed:
            failed_at = None if key in self._rejected else kept_answer.failed_at
            kept_seconds = min(FAILURE_KEPT_SECONDS, max_age_seconds)
            return failed_at is not None and seconds_between(failed_at, now) < kept_seconds
        return kept_answer.at is not None and seconds_between(kept_answer.at, now) < max_age_seconds

    async def _ask(self, key: K) -> Answer[T]:
        self._rejected.discard(key)
        try:
            answer = await self._call(key)
        except ScmFailure as failure:
            if isinstance(failure, CredentialsRefused):
                self._rejected.add(key)
            kept_answer = self._failed(key, failure.description or failure.reason)
            kept_answer = replace(kept_answer, http_status=failure.http_status, code=failure.code)
        except DnsFailure as failure:
            kept_answer = self._failed(key, failure.reason)
        else:
            kept_answer = Answer(self._source(key), AnswerState.KNOWN, answer, self._clock.now())
        self._keep(key, kept_answer)
        return kept_answer

    def _failed(self, key: K, error: str) -> Answer[T]:
        return replace(self._older(key), state=AnswerState.FAILED, error=error, failed_at=self._clock.now())

    def _asked(self, key: K) -> None:
        self._asking.pop(key, None)
        self.changes += 1

    def _keep(self, key: K, kept_answer: Answer[T]) -> None:
        self.changes += 1
        self._answers[key] = kept_answer
        self._answers.move_to_end(key)
        while len(self._answers) > KEPT:
            forgotten, _ = self._answers.popitem(last=False)
            self._rejected.discard(forgotten)
