"""Bulk reports of the account, read in spans that SCM can answer, and not asked for where the login may not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.certificates import OrderDetails, ReportQuery
from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import (
    CredentialsRefused,
    RateLimited,
    Refused,
    ScmFailure,
    ServerFailure,
    Unreachable,
    Unreadable,
)
from sectigo_tui.domain.explain import is_missing_right
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.requests.limiter import Priority

REFUSED_SECONDS = 3600.0
"""So long a login that may not read reports is believed: then one request tells whether it may by now."""

SPAN_DAYS = 31
"""The days of one request, before SCM has shown that it cannot answer so many: a quarter is three requests."""

REPORT_EVERY_SECONDS = 900.0
"""A report is not read sooner again, whoever asks: it costs the CA more than a listing."""

REQUESTS_AT_MOST = 10
"""How many requests one report may cost; what is older than they reach is left out."""

_STATE = "report"
_DAY = timedelta(days=1)


class ReportState(Struct, frozen=True):
    """What processes of one account have learned about its reports.

    Args:
        refused_at: When SCM said last that the login may not; None where it may, or was not asked.
        reason: SCM's reason in one line.
        code: SCM's code then.
        http_status: The HTTP status then.
        span_days: How many days SCM was able to answer at once.
    """

    refused_at: datetime | None = None
    reason: str = ""
    code: int | None = None
    http_status: int | None = None
    span_days: int = SPAN_DAYS


class Report(Struct, frozen=True):
    """What a report told.

    Args:
        rows: The orders, each once; none where something else took them.
        first: The day from which on it is complete.
        requests: What it cost.
        failure: Why it does not reach further back; None where it is whole.
    """

    rows: tuple[OrderDetails, ...]
    first: date
    requests: int
    failure: ScmFailure | None = None


Take = Callable[[OrderDetails], None]
"""Takes an order; one at the border of two spans of days is told twice."""

_TAKEN_AT_ONCE = 20


class Reports:
    """Reads bulk reports, the newest days first.

    A report costs the CA more than a listing: whoever reads one regularly waits 15 minutes in between, or longer.

    Args:
        context: What every service works with.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._state = ReportState()
        self._resumed_at: datetime | None = None
        self._reading = asyncio.Lock()

    async def rejection(self) -> ScmFailure | None:
        """Return why a report is not asked for now: SCM said within the hour that the login may not."""
        self._state = state = await self._known()
        now = self._context.clock.now()
        if state.refused_at is None or seconds_between(state.refused_at, now) >= REFUSED_SECONDS:
            return None
        if self._resumed_at is not None and state.refused_at <= self._resumed_at:
            return None
        return Refused("report", state.reason, http_status=state.http_status, code=state.code)

    async def read(
        self,
        query: ReportQuery,
        *,
        take: Take | None = None,
        rows_at_most: int | None = None,
        requests_at_most: int = REQUESTS_AT_MOST,
    ) -> Report:
        """Read a report, in shorter and shorter spans of days where SCM's answer is too large or too slow.

        Args:
            query: Which orders; a day more may come at either end, since whose days they are is not known.
            take: Takes each order as it is read, so that they are never held all at once.
            rows_at_most: Once so many have come, older days are left out; None for all.
            requests_at_most: What it may cost.

        Returns:
            What was told of the newest days, at least one span.

        Raises:
            ScmFailure: Nothing was told: the login may not, now or within the last hour, or SCM cannot.
        """
        # One at a time: a login that may not is refused once, and the CA tells one report at once.
        async with self._reading:
            return await self._read(query, take, rows_at_most, requests_at_most)

    async def _read(
        self, query: ReportQuery, take: Take | None, rows_at_most: int | None, requests_at_most: int
    ) -> Report:
        rejection = await self.rejection()
        if rejection is not None:
            raise rejection
        rows: dict[int, OrderDetails] = {}
        told = 0

        def keep(row: OrderDetails) -> None:
            rows[row.ssl_id] = row

        # A span that was too long once may fit by now: at most one request is lost by trying twice as long a one.
        span, last, requests = min(SPAN_DAYS, self._state.span_days * 2), query.last + _DAY, 0
        failure: ScmFailure | None = None
        while last > query.first and requests < requests_at_most:
            # Whether SCM counts the last day in is not known, so a span ends on the day on which the next one begins.
            first = max(query.first, last - span * _DAY)
            requests += 1
            try:
                told += await _taken(await self._ask(replace(query, first=first, last=last)), take or keep)
            except ScmFailure as error:
                failure = error
                if is_missing_right(error):
                    await self._learn(_refused(self._context.clock.now(), error, self._state))
                if last - first <= _DAY or not _may_be_too_much(error):
                    break
                span = (last - first).days // 2
                continue
            failure = None
            last = first
            await self._learn(ReportState(span_days=span))
            if rows_at_most is not None and told >= rows_at_most:
                break
        if failure is not None and last > query.last:
            raise failure
        return Report(tuple(rows.values()), last, requests, failure)

    def may_again(self) -> None:
        """Ask again at the next occasion although the login might not: other credentials are in use from now on."""
        self._resumed_at = self._context.clock.now()

    async def _ask(self, query: ReportQuery) -> Iterable[OrderDetails]:
        context = self._context
        return await context.limiter.run(Priority.LISTING, lambda: context.scm.report(query), side="report")

    async def _known(self) -> ReportState:
        return await self._context.repository.store.fetched(_STATE, ReportState) or ReportState()

    async def _learn(self, state: ReportState) -> None:
        if state != self._state:
            self._state = state
            await self._context.repository.store.keep_fetched(_STATE, state)


async def _taken(rows: Iterable[OrderDetails], take: Take) -> int:
    """Have rows taken, and return how many they were."""
    number = 0
    for number, row in enumerate(rows, start=1):
        take(row)
        if number % _TAKEN_AT_ONCE == 0:
            await asyncio.sleep(0)  # keys are handled in between
    return number


def _refused(now: datetime, failure: ScmFailure, before: ReportState) -> ReportState:
    return ReportState(now, failure.description or failure.reason, failure.code, failure.http_status, before.span_days)


def _may_be_too_much(failure: ScmFailure) -> bool:
    """Return whether SCM may be able to tell less at once: the answer was too large, too slow, or rejected as such."""
    if is_missing_right(failure) or isinstance(failure, CredentialsRefused | RateLimited) or not failure.sent:
        return False
    return isinstance(failure, Unreachable | Unreadable | ServerFailure | Refused)
