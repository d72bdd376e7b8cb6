"""The poll budget: what is due next and why, and what the requests of the last hour came to. Plain values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollWindow, WaitReason, WindowEnd
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.diagnosis.normal import quantile
from sectigo_tui.engine.polling.schedule import JITTER, scheduled_in
from sectigo_tui.engine.polling.scheduler import Scheduler
from sectigo_tui.engine.requests.health import ApiHealth, PastExchange

ANSWERED = "answered"
"""How an exchange counts that brought an answer of SCM's without a failure."""


class DuePoll(Struct, frozen=True, kw_only=True):
    """The next poll of one order.

    Args:
        order_id: The local order.
        ssl_id: Its sslId.
        common_name: Its name; untrusted text.
        due_at: When it is due.
        is_polling: Whether it is under way.
        wait_seconds: The wait that ends then.
        reason: Why that wait is what it is.
        why: The same in words.
        polls: How many polls were made in this window.
        deadline_at: When the window ends.
    """

    order_id: str
    ssl_id: int | None
    common_name: str
    due_at: datetime
    is_polling: bool
    wait_seconds: float
    reason: WaitReason
    why: str
    polls: int
    deadline_at: datetime


class Unpolled(Struct, frozen=True):
    """A pending order at which no poll is made any more."""

    order_id: str
    ssl_id: int | None
    common_name: str
    ended: WindowEnd | None
    last_poll_at: datetime | None


class Tally(Struct, frozen=True):
    """The requests of some time.

    Args:
        seconds: Of how long.
        requests: How many ended.
        by_outcome: How many came to what: `answered`, or the name of the failure.
        p50_seconds: Half of the answers took no longer; None without any.
        p90_seconds: Nine of ten took no longer.
        slowest_seconds: The slowest.
    """

    seconds: float
    requests: int
    by_outcome: Mapping[str, int]
    p50_seconds: float | None
    p90_seconds: float | None
    slowest_seconds: float | None


class EvidenceBudget(Struct, frozen=True):
    """What the evidence of diagnoses costs.

    Args:
        requests: How many requests this process sent for it within the last minute.
        limit: How many it sends at most for columns.
        wanted: How many orders' evidence it keeps fresh; None where another process does.
    """

    requests: int
    limit: int
    wanted: int | None


class PollBudget(Struct, frozen=True, kw_only=True):
    """What polling costs and what is next.

    Args:
        at: When this was put together.
        due: The next polls, nearest first.
        due_in_total: How many orders are polled.
        unpolled: Pending orders that are no longer polled.
        minute: The requests of the last minute.
        hour: The requests of the last hour.
        retry_after_until: Until when the account is rate limited; None while it is not.
        refused: SCM's rejection of the credentials while polling is paused; empty while it is not.
        in_flight: Requests under way.
        limit: How many may be.
        poller: Who polls, when it is another process; empty when it is this one or nobody.
        evidence: What the evidence of diagnoses costs; None where that is not counted.
    """

    at: datetime
    due: tuple[DuePoll, ...]
    due_in_total: int
    unpolled: tuple[Unpolled, ...]
    minute: Tally
    hour: Tally
    retry_after_until: datetime | None
    refused: str
    in_flight: int
    limit: int
    poller: str
    evidence: EvidenceBudget | None = None


def poll_budget(
    context: Context,
    scheduler: Scheduler,
    health: ApiHealth,
    *,
    rows: int = 200,
    evidence: EvidenceBudget | None = None,
) -> PollBudget:
    """Return the poll budget as it stands now.

    Args:
        context: What every service works with.
        scheduler: The poll workers.
        health: How SCM answers.
        rows: How many of the next polls to list.
        evidence: What the evidence of diagnoses costs.
    """
    now = context.clock.now()
    polled = [order for order in context.repository.store.orders() if order.state.is_polled]
    windows = [(order, order.window) for order in polled if order.window is not None]
    due = sorted(
        ((window.next_poll_at, order, window) for order, window in windows if window.next_poll_at is not None),
        key=lambda poll: (poll[0], poll[1].id),
    )
    held = health.retry_after_until
    rejection = context.limiter.rejection
    return PollBudget(
        at=now,
        due=tuple(_due(order, window, at, scheduler) for at, order, window in due[:rows]),
        due_in_total=len(due),
        unpolled=tuple(_unpolled(order) for order in polled if order.window is None or not order.window.is_open),
        minute=tally(health.recent(now, 60.0), 60.0),
        hour=tally(health.recent(now), 3600.0),
        retry_after_until=held if held is not None and held > now else None,
        refused=one_line(rejection.description or rejection.reason) if rejection is not None else "",
        in_flight=context.limiter.in_flight,
        limit=context.limiter.limit,
        poller=context.repository.store.poller(),
        evidence=evidence,
    )


def tally(exchanges: Sequence[PastExchange], seconds: float) -> Tally:
    """Return what some exchanges came to.

    Args:
        exchanges: The exchanges.
        seconds: The time in which they ended.
    """
    outcomes = Counter(str(exchange.outcome or ANSWERED) for exchange in exchanges)
    latencies = [exchange.latency_seconds for exchange in exchanges if exchange.is_answered]
    return Tally(
        seconds=seconds,
        requests=len(exchanges),
        by_outcome=dict(outcomes.most_common()),
        p50_seconds=quantile(latencies, 0.5) if latencies else None,
        p90_seconds=quantile(latencies, 0.9) if latencies else None,
        slowest_seconds=max(latencies, default=None),
    )


def why(window: PollWindow, last_poll_at: datetime | None) -> str:
    """Return in words why the next poll of a window is when it is.

    Args:
        window: An open window.
        last_poll_at: The poll before; None when there was none.
    """
    since = ""
    if last_poll_at is not None and window.next_poll_at is not None:
        since = f", {seconds_between(last_poll_at, window.next_poll_at):.0f} s after the last"
    at = window.next_poll_at or window.opened_at
    scheduled = scheduled_in(window, max(1, window.attempts), at - timedelta(seconds=window.wait_seconds))
    return {
        WaitReason.FIRST: f"first poll{', at once' if window.wait_seconds <= 0 else since}",
        WaitReason.SCHEDULE: f"{scheduled:.0f} s +-{JITTER:.0%} after poll {window.attempts}",
        WaitReason.RETRY_AFTER: f"SCM asked for {window.wait_seconds:.0f} s",
        WaitReason.DEADLINE: f"last, at the deadline of {window.deadline_seconds:.0f} s",
        WaitReason.ASKED: f"asked for{since}",
        WaitReason.SPREAD: "spread out after new credentials",
    }[window.reason]


def _due(order: Order, window: PollWindow, at: datetime, scheduler: Scheduler) -> DuePoll:
    return DuePoll(
        order_id=order.id,
        ssl_id=order.ssl_id,
        common_name=order.common_name,
        due_at=at,
        is_polling=scheduler.is_polling(order.id),
        wait_seconds=window.wait_seconds,
        reason=window.reason,
        why=why(window, order.last_poll.at if order.last_poll else None),
        polls=window.attempts,
        deadline_at=window.deadline_at,
    )


def _unpolled(order: Order) -> Unpolled:
    return Unpolled(
        order.id,
        order.ssl_id,
        order.common_name,
        order.window.ended if order.window else None,
        order.last_poll.at if order.last_poll else None,
    )
