"""The time line of an order: its stages, how long each took, and when it was not polled. Pure.

No time is more precise than its source. SCM tells many dates as days, and what is seen here happened some time since
the poll before. So a time is a range, and so is what lies between two of them: "2-3 d" rather than an hour that nobody
told.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from enum import StrEnum
from math import ceil

from msgspec import Struct

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.clock import Moment, seconds_between
from sectigo_tui.domain.events import EventKind
from sectigo_tui.domain.orders import OrderState, Origin
from sectigo_tui.domain.polling import PollOutcome, PollResult
from sectigo_tui.domain.status import StatusClass, meaning_of
from sectigo_tui.engine.diagnosis.evidence.model import Evidence
from sectigo_tui.engine.polling.poll import NOT_POLLED_SECONDS

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0


class When(Struct, frozen=True):
    """A time that is known to lie between two.

    Args:
        earliest: The earliest it can have been: aware, UTC.
        latest: The latest.
    """

    earliest: datetime
    latest: datetime

    @classmethod
    def of(cls, moment: Moment) -> When:
        """Return a moment as a range: a day is all of it, in UTC (that SCM means UTC is assumed)."""
        if isinstance(moment, datetime):
            return cls(moment, moment)
        start = datetime.combine(moment, time_of_day(), UTC)
        return cls(start, start + timedelta(days=1))

    @property
    def is_day(self) -> bool:
        """Whether it is one whole day, of which no hour is known."""
        return seconds_between(self.earliest, self.latest) == _DAY and self.earliest.time() == time_of_day()

    @property
    def text(self) -> str:
        """In UTC: a day, a minute, or a range; the ends of a day are never shown as if somebody had told an hour."""
        if self.is_day:
            return f"{self.earliest:%Y-%m-%d}"
        if seconds_between(self.earliest, self.latest) < _MINUTE:
            return f"{self.latest:%Y-%m-%d %H:%MZ}"
        if self.earliest.date() != (self.latest - _INSTANT).date():
            return (
                f"{_end_of_range(self.earliest, self.earliest)} to {_end_of_range(self.latest, self.latest - _INSTANT)}"
            )
        if self.earliest.time() == time_of_day():
            return f"{self.latest:%Y-%m-%d, by %H:%MZ}"
        if self.latest.time() == time_of_day():
            return f"{self.earliest:%Y-%m-%d, after %H:%MZ}"
        return f"{self.earliest:%Y-%m-%d %H:%M}-{self.latest:%H:%MZ}"


class Span(Struct, frozen=True):
    """A duration that is known to lie between two.

    Args:
        at_least_seconds: The shortest it can be, never negative.
        at_most_seconds: The longest.
    """

    at_least_seconds: float
    at_most_seconds: float

    @classmethod
    def between(cls, start: When, end: When) -> Span:
        """Return how long it is from one time to another; nothing where they may be the other way round."""
        least = max(0.0, seconds_between(start.latest, end.earliest))
        return cls(least, max(least, seconds_between(start.earliest, end.latest)))

    @property
    def uncertainty_seconds(self) -> float:
        """How much is not known."""
        return self.at_most_seconds - self.at_least_seconds

    @property
    def text(self) -> str:
        """In completed units, such as `2h05m`, `12-17 m`, `2-3 d` or `<1 d`."""
        if self.uncertainty_seconds < _MINUTE:
            return _two_units(self.at_least_seconds)
        unit, name = next(
            (unit, name)
            for longest, uncertainty, unit, name in _UNITS
            if self.at_most_seconds < longest and self.uncertainty_seconds < uncertainty
        )
        low, high = int(self.at_least_seconds // unit), max(0, ceil(self.at_most_seconds / unit) - 1)
        if low >= high:
            return f"{low} {name}" if low else f"<1 {name}"
        return f"{low}-{high} {name}" if low else f"<{high + 1} {name}"


_INSTANT = timedelta(microseconds=1)


def _end_of_range(at: datetime, day_of: datetime) -> str:
    """Return one end of a range of days: midnight is where a day begins or ends, and no hour that was told."""
    return f"{day_of:%Y-%m-%d}" if at.time() == time_of_day() else f"{at:%Y-%m-%d %H:%MZ}"


_ENDLESS = float("inf")
_UNITS = (
    (2 * _HOUR, _HOUR, _MINUTE, "m"),
    (2 * _DAY, _DAY / 2, _HOUR, "h"),
    (_ENDLESS, _ENDLESS, _DAY, "d"),
)
"""The length and the uncertainty below which a unit is used."""


def _two_units(seconds: float) -> str:
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < _DAY:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86_400}d{whole % 86_400 // 3600:02d}h"


class StageName(StrEnum):
    """How far an order has come, in order."""

    REQUESTED = "requested"
    APPROVED = "approved"
    APPLIED = "applied"
    ISSUED = "issued"
    COLLECTED = "collected"


class StageState(StrEnum):
    """Where an order is on a stage."""

    DONE = "done"
    CURRENT = "current"
    AHEAD = "ahead"
    ENDED = "ended"
    """The order failed in this stage."""


class Stage(Struct, frozen=True, kw_only=True):
    """One stage of an order.

    Args:
        name: Which.
        state: Where the order is on it.
        reached: When it was reached; None when it was not, or when nothing tells.
        source: Who tells that: `SCM`, `seen here`, or both; empty where it only follows from its neighbours.
        lasted: How long it took, or has lasted so far; None where that is not known.
    """

    name: StageName
    state: StageState
    reached: When | None
    source: str
    lasted: Span | None


class NotPolled(Struct, frozen=True):
    """A time in which an order was not polled that could have changed.

    Args:
        since: The last poll before it.
        until: The poll that ended it; None while it lasts.
    """

    since: datetime
    until: datetime | None


def time_line(evidence: Evidence) -> tuple[Stage, ...]:
    """Return the stages of an order with how long each took.

    SCM's days and what was seen here are narrowed by each other; nothing is made up in between.

    Args:
        evidence: What is known.

    Returns:
        The stages in order; `collected` only for a local order, since SCM does not tell it.
    """
    names = [name for name in StageName if evidence.order is not None or name is not StageName.COLLECTED]
    poll_times = _poll_times(evidence)
    reached_rank = max((rank for _, rank in poll_times), default=-1)
    reached: list[tuple[When | None, str]] = [
        _reached(evidence, rank, poll_times) if rank <= reached_rank else (None, "") for rank in range(len(names))
    ]
    whens = _in_order([when for when, _ in reached])
    end = _end(evidence)
    stages = []
    for rank, name in enumerate(names):
        state = _state(rank, reached_rank, len(names), is_ended=end is not None)
        following = whens[rank + 1] if rank < len(names) - 1 else None
        until = following if rank < reached_rank else end or When.of(evidence.now)
        when, is_last = whens[rank], rank == len(names) - 1
        lasted = None if when is None or until is None or is_last else Span.between(when, until)
        stages.append(Stage(name=name, state=state, reached=when, source=reached[rank][1], lasted=lasted))
    return tuple(stages)


def unwatched(evidence: Evidence) -> tuple[NotPolled, ...]:
    """Return the times in which the order was not polled, oldest first; the last one may still go on."""
    moments = sorted([poll.at for poll in evidence.polls] + [entry.at for entry in evidence.timeline])
    found = []
    for entry in evidence.timeline:
        if entry.kind is EventKind.NOT_POLLED:
            before = [at for at in moments if at < entry.at]
            found.append(NotPolled(before[-1] if before else entry.at, entry.at))
    order = evidence.order
    if order is not None and order.state.is_polled and order.window is not None and order.last_poll is not None:
        due = order.window.next_poll_at
        if due is None or seconds_between(due, evidence.now) > NOT_POLLED_SECONDS:
            found.append(NotPolled(order.last_poll.at, None))
    return tuple(found)


_RANK_OF_STATUS = {"Init": 0, "Pending": 0, "Requested": 0, "SA Approved": 0, "Approved": 1, "Applied": 2, "Issued": 3}
_RANK_OF_OUTCOME = {PollOutcome.ISSUED: 3, PollOutcome.NOT_READY: 3, PollOutcome.COLLECTED: 4}
_RANK_OF_STATE = {OrderState.SUBMITTED: 0, OrderState.ISSUED: 3, OrderState.COLLECTED: 4}


def _poll_times(evidence: Evidence) -> list[tuple[datetime, int]]:
    """Return when the order was seen to have come how far; what was before it fell back does not count."""
    seen = [(entry.at, _rank(entry.scm_status)) for entry in evidence.timeline if entry.scm_status]
    seen += [
        (entry.at, _RANK_OF_STATE[entry.to_state]) for entry in evidence.timeline if entry.to_state in _RANK_OF_STATE
    ]
    seen += [(poll.at, _rank_of_poll(poll)) for poll in evidence.polls]
    if evidence.status and evidence.status_at:
        seen.append((evidence.status_at, _rank(evidence.status)))
    if evidence.order is not None and evidence.order.state is OrderState.COLLECTED:
        seen.append((evidence.order.state_since, 4))
    known = sorted((at, rank) for at, rank in seen if rank is not None)
    kept: list[tuple[datetime, int]] = []
    for at, rank in known:
        if kept and rank < 3 <= kept[-1][1]:
            kept = []  # a replacement sends an issued order through the stages again
        kept.append((at, rank))
    return kept


def _rank(status: str) -> int | None:
    return _RANK_OF_STATUS.get(meaning_of(status).name)


def _rank_of_poll(poll: PollResult) -> int | None:
    return _rank(poll.detail) if poll.outcome is PollOutcome.PENDING else _RANK_OF_OUTCOME.get(poll.outcome)


def _reached(evidence: Evidence, rank: int, poll_times: list[tuple[datetime, int]]) -> tuple[When | None, str]:
    after = max((at for at, seen in poll_times if seen < rank), default=None)
    before = min((at for at, seen in poll_times if seen >= rank), default=None)
    if rank == 0 and evidence.order is not None and evidence.order.origin is not Origin.TRACKED:
        created = evidence.order.created_at
        return When(created, max(created, before or created)), "seen here"
    scm_words = _by_status(evidence.details.value, rank)
    if scm_words is None:
        is_seen = any(seen == rank for _, seen in poll_times)
        return When(after or _LONG_AGO, before) if before else None, "seen here" if is_seen else ""
    if after is None and before is None:
        return scm_words, "SCM"
    earliest, latest = (
        max(scm_words.earliest, after or scm_words.earliest),
        min(scm_words.latest, before or scm_words.latest),
    )
    if earliest > latest:
        # SCM's day and the poll contradict each other (its days need not be UTC's): either may be right.
        bounds = [scm_words.earliest, scm_words.latest, *(at for at in (after, before) if at is not None)]
        return When(min(bounds), max(bounds)), "SCM, seen here"
    return When(earliest, latest), "SCM" if (earliest, latest) == (
        scm_words.earliest,
        scm_words.latest,
    ) else "SCM, seen here"


_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
"""Stands for "nobody knows since when" until an earlier stage bounds it."""


def _by_status(details: OrderDetails | None, rank: int) -> When | None:
    if details is None:
        return None
    moment = (details.requested, details.approved, None, details.issued, None)[rank]
    return When.of(moment) if moment is not None else None


def _in_order(whens: list[When | None]) -> list[When | None]:
    """Narrow each time by its neighbours: no stage is reached before the one before it."""
    earliest, rising = _LONG_AGO, list[When | None]()
    for when in whens:
        rising.append(when and When(min(max(when.earliest, earliest), when.latest), when.latest))
        earliest = when.earliest if when else earliest
    latest, bounded = None, list[When | None]()
    for when in reversed(rising):
        bounded.append(when and When(when.earliest, max(min(when.latest, latest or when.latest), when.earliest)))
        latest = when.latest if when else latest
    return [None if when is None or when.earliest == _LONG_AGO else when for when in reversed(bounded)]


_OVER = frozenset({OrderState.REVOKED, OrderState.EXPIRED, OrderState.REPLACED})


def _end(evidence: Evidence) -> When | None:
    order = evidence.order
    if order is not None and order.state in _OVER:
        return When(max((at for at, _ in _poll_times(evidence)), default=order.state_since), order.state_since)
    if not evidence.status or evidence.status_class is not StatusClass.FAILED:
        return None
    details = evidence.details.value
    if details is not None and details.declined is not None:
        return When.of(details.declined)
    seen = min((entry.at for entry in evidence.timeline if entry.to_state is OrderState.FAILED), default=None)
    latest = seen or evidence.status_at or evidence.now
    return When(max((at for at, _ in _poll_times(evidence)), default=latest), latest)


def _state(rank: int, reached_rank: int, stages: int, *, is_ended: bool) -> StageState:
    if rank > reached_rank:
        return StageState.AHEAD
    if rank < reached_rank or rank == stages - 1:
        return StageState.DONE
    return StageState.ENDED if is_ended else StageState.CURRENT
