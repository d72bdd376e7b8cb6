"""Is this normal? This account's own figures, with how few orders they rest on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from math import ceil, floor

from msgspec import Struct

from sectigo_tui.engine.diagnosis.normal.history import ENDS, Leg, Sample
from sectigo_tui.engine.diagnosis.spans import Span, When
from sectigo_tui.engine.diagnosis.stages import Stage, StageName, StageState
from sectigo_tui.engine.polling import schedule as policy

ENOUGH_SAMPLES = 8
"""Below this many orders a figure is weak: said, but nothing is called slow by it."""

CAUGHT_SHARE = 0.9
_DAY_DOUBT_SECONDS = 43_200.0


class Pace(StrEnum):
    """How an order's time compares with the account's own."""

    USUAL = "usual"
    SLOW = "slow"
    """Longer than 9 of 10 orders took."""
    UNDECIDED = "cannot tell"
    """The dates are too coarse."""
    WEAK = "weak"
    """Too few orders to say."""
    NO_HISTORY = "no history"


class Figure(Struct, frozen=True):
    """How long a leg took.

    Args:
        leg: Which.
        scope: Of which orders: `profile and organization`, or `profile`.
        n: How many.
        p50: Half of them took no longer.
        p90: Nine of ten took no longer.
    """

    leg: Leg
    scope: str
    n: int
    p50: Span
    p90: Span

    @property
    def is_weak(self) -> bool:
        """Whether it rests on too few orders."""
        return self.n < ENOUGH_SAMPLES

    @property
    def text(self) -> str:
        """For a person, n always shown."""
        weak = ", weak" if self.is_weak else ""
        return f"p50 {self.p50.text}, p90 {self.p90.text} (n={self.n}{weak}; {self.scope})"


class Comparison(Struct, frozen=True):
    """A leg of an order beside the account's figure for it.

    Args:
        leg: Which.
        elapsed: How long it took, or has lasted so far.
        is_running: Whether it still lasts.
        figure: The account's figure; None where no order has one.
        pace: How they compare.
    """

    leg: Leg
    elapsed: Span
    is_running: bool
    figure: Figure | None
    pace: Pace


class WaitProposal(Struct, frozen=True):
    """A `poll_max_wait_seconds` that would have caught 9 of 10 of a profile's orders, and its price.

    Args:
        seconds: The proposal, in whole minutes.
        n: How many orders it rests on.
        caught: How many of them would have been issued by then.
        caught_now: How many are by the bound in force.
        polls_at_most: Requests for one order that is not issued by then.
        polls_on_average: Requests for one of the n orders until it is issued, or the bound is reached.
        is_by_days: Whether some durations are known as days only; the longest they can be counts.
    """

    seconds: int
    n: int
    caught: int
    caught_now: int
    polls_at_most: int
    polls_on_average: float
    is_by_days: bool

    @property
    def is_weak(self) -> bool:
        """Whether it rests on too few orders."""
        return self.n < ENOUGH_SAMPLES


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile by linear interpolation between the two nearest values.

    Args:
        values: At least one, in any order.
        share: Between 0 and 1.
    """
    ordered = sorted(values)
    position = share * (len(ordered) - 1)
    low, high = ordered[floor(position)], ordered[ceil(position)]
    return low + (high - low) * (position - floor(position))


def figure(samples: Sequence[Sample], leg: Leg, profile_id: int | None, organization_id: int | None) -> Figure | None:
    """Return the figure for a leg: of the profile and organization if that is enough orders, else of the profile.

    Args:
        samples: The account's samples.
        leg: Which leg.
        profile_id: The certificate profile.
        organization_id: The organization or department.

    Returns:
        The figure, weak or not; None where no order of the profile has this leg.
    """
    profile = [sample for sample in samples if sample.profile_id == profile_id and leg in sample.legs]
    both = [sample for sample in profile if sample.organization_id == organization_id]
    chosen, scope = (both, "profile and organization") if len(both) >= ENOUGH_SAMPLES else (profile, "profile")
    if not chosen:
        return None
    least = [sample.legs[leg].at_least_seconds for sample in chosen]
    most = [sample.legs[leg].at_most_seconds for sample in chosen]
    p50, p90 = (Span(quantile(least, share), quantile(most, share)) for share in (0.5, 0.9))
    return Figure(leg, scope, len(chosen), p50, p90)


def pace(elapsed: Span, known: Figure | None) -> Pace:
    """Return how a duration compares with a figure."""
    if known is None:
        return Pace.NO_HISTORY
    if known.is_weak:
        return Pace.WEAK
    if elapsed.at_least_seconds > known.p90.at_most_seconds:
        return Pace.SLOW
    return Pace.USUAL if elapsed.at_most_seconds <= known.p90.at_least_seconds else Pace.UNDECIDED


def compare(
    stages: Sequence[Stage],
    samples: Sequence[Sample],
    profile_id: int | None,
    organization_id: int | None,
    now: datetime,
) -> tuple[Comparison, ...]:
    """Return each leg that an order has begun, beside the account's figures.

    Args:
        stages: The order's time line.
        samples: The account's samples.
        profile_id: The order's certificate profile.
        organization_id: Its organization or department.
        now: The time.
    """
    found = []
    for leg, (start, end) in ENDS.items():
        elapsed, is_running = _elapsed(stages, start, end, now)
        if elapsed is not None:
            known = figure(samples, leg, profile_id, organization_id)
            found.append(Comparison(leg, elapsed, is_running, known, pace(elapsed, known)))
    return tuple(found)


def poll_times_within(deadline_seconds: float) -> list[float]:
    """Return when the polls of a window are made that settle nothing, in seconds from its start, without jitter."""
    at = [0.0]
    while at[-1] < deadline_seconds:
        at.append(min(at[-1] + policy.scheduled_wait_seconds(len(at)), deadline_seconds))
    return at


def propose_wait(samples: Sequence[Sample], profile_id: int | None, current_seconds: float) -> WaitProposal | None:
    """Return the `poll_max_wait_seconds` that would have caught 90 % of a profile's orders.

    Args:
        samples: The account's samples.
        profile_id: The certificate profile.
        current_seconds: The bound in force.

    Returns:
        The proposal; None where no order of the profile is known from request to issuance.
    """
    spans = [
        sample.legs[Leg.WHOLE] for sample in samples if sample.profile_id == profile_id and Leg.WHOLE in sample.legs
    ]
    if not spans:
        return None
    waits = sorted(span.at_most_seconds for span in spans)
    enough = waits[ceil(CAUGHT_SHARE * len(waits)) - 1]
    seconds = max(60, ceil(enough / 60) * 60)
    polls = poll_times_within(seconds)
    until_caught = [sum(1 for at in polls if at < wait) + 1 if wait <= seconds else len(polls) for wait in waits]
    return WaitProposal(
        seconds=seconds,
        n=len(waits),
        caught=sum(wait <= seconds for wait in waits),
        caught_now=sum(wait <= current_seconds for wait in waits),
        polls_at_most=len(polls),
        polls_on_average=sum(until_caught) / len(waits),
        is_by_days=any(span.uncertainty_seconds >= _DAY_DOUBT_SECONDS for span in spans),
    )


def _elapsed(stages: Sequence[Stage], start: StageName, end: StageName, now: datetime) -> tuple[Span | None, bool]:
    by_name = {stage.name: stage for stage in stages}
    first, last = by_name.get(start), by_name.get(end)
    if first is None or last is None or first.reached is None or not first.source:
        return None, False
    if last.reached is not None:
        return (Span.between(first.reached, last.reached) if last.source else None), False
    runs = any(stage.state is StageState.CURRENT for stage in stages)
    return (Span.between(first.reached, When.of(now)), True) if runs else (None, False)
