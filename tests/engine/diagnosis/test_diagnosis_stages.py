from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from msgspec.structs import replace

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.orders import Order, OrderState, Origin
from sectigo_tui.domain.polling import PollOutcome, PollResult, PollWindow, WindowEnd
from sectigo_tui.engine.diagnosis.evidence.model import Answer, AnswerState, Evidence
from sectigo_tui.engine.diagnosis.stages import Stage, StageName, StageState, When, time_line, unwatched

T0 = datetime(2026, 3, 1, 10, 0, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def entry(
    minutes: float, status: str = "", *, to: OrderState | None = None, kind: EventKind = EventKind.CHANGED
) -> TimelineEntry:
    return TimelineEntry(at=at(minutes), order_id="a", kind=kind, summary="", scm_status=status, to_state=to)


def poll(minutes: float, status: str) -> PollResult:
    return PollResult(at(minutes), PollOutcome.PENDING, status)


def local(state: OrderState, minutes: float = 0, origin: Origin = Origin.ENROLLED, **fields: object) -> Order:
    return Order(id="a", state=state, state_since=at(minutes), created_at=T0, origin=origin, ssl_id=1, **fields)  # type: ignore[arg-type] # Order's own fields


def remote(status: str, now: datetime, **dates: date) -> Evidence:
    details = OrderDetails(ssl_id=1, status=status, **dates)  # type: ignore[arg-type] # OrderDetails' own dates
    return Evidence(
        now=now,
        status=status,
        status_at=now,
        ssl_id=1,
        details=Answer("SCM details 1", AnswerState.KNOWN, details, now),
    )


def by_name(stages: Sequence[Stage]) -> dict[StageName, Stage]:
    return {stage.name: stage for stage in stages}


def test_an_order_polled_here_has_its_times_between_two_polls() -> None:
    evidence = Evidence(
        now=at(60),
        status="Issued",
        status_at=at(40),
        ssl_id=1,
        order=local(OrderState.COLLECTED, 45),
        timeline=(
            entry(1, to=OrderState.SUBMITTED),
            entry(2, "Requested"),
            entry(15, "Approved"),
            entry(20, "Applied"),
            entry(40, "Issued"),
            entry(45, to=OrderState.COLLECTED),
        ),
        polls=(poll(10, "Requested"), poll(15, "Approved"), poll(20, "Applied"), poll(35, "Applied")),
    )
    stages = by_name(time_line(evidence))
    assert stages[StageName.REQUESTED].reached == When(at(0), at(1))
    assert stages[StageName.APPROVED].reached == When(at(10), at(15))
    assert stages[StageName.APPLIED].reached == When(at(15), at(20))
    assert stages[StageName.ISSUED].reached == When(at(35), at(40))
    assert stages[StageName.COLLECTED].reached == When(at(40), at(45))
    assert {stage.state for stage in stages.values()} == {StageState.DONE}
    vetting = stages[StageName.APPLIED].lasted
    assert vetting is not None
    assert vetting.text == "15-24 m"


def test_a_remote_order_has_the_days_that_scm_tells_and_no_hours() -> None:
    evidence = remote(
        "Issued",
        datetime(2026, 3, 20, 4, tzinfo=UTC),
        requested=date(2026, 3, 1),
        approved=date(2026, 3, 2),
        issued=date(2026, 3, 5),
    )
    stages = by_name(time_line(evidence))
    assert StageName.COLLECTED not in stages
    texts = {name: stage.reached.text for name, stage in stages.items() if stage.reached}
    assert texts[StageName.REQUESTED] == "2026-03-01"
    assert texts[StageName.ISSUED] == "2026-03-05"
    lasted = stages[StageName.REQUESTED].lasted
    assert lasted is not None
    assert lasted.text == "<2 d"


def test_the_current_stage_lasts_until_now_and_the_next_ones_are_ahead() -> None:
    stages = by_name(time_line(remote("Requested", at(60 * 24 * 3), requested=date(2026, 3, 1))))
    requested = stages[StageName.REQUESTED]
    assert requested.state is StageState.CURRENT
    assert requested.lasted is not None
    assert requested.lasted.text == "2-3 d"
    assert stages[StageName.APPROVED] == Stage(
        name=StageName.APPROVED, state=StageState.AHEAD, reached=None, source="", lasted=None
    )


def test_a_day_is_narrowed_by_what_was_seen_here() -> None:
    evidence = replace(
        remote("Applied", at(30), requested=date(2026, 3, 1), approved=date(2026, 3, 1)),
        order=local(OrderState.PENDING, origin=Origin.TRACKED),
        timeline=(entry(0, "Requested"), entry(20, "Approved"), entry(25, "Applied")),
        polls=(poll(10, "Requested"),),
    )
    stages = by_name(time_line(evidence))
    assert stages[StageName.APPROVED].reached == When(at(10), at(20))
    assert stages[StageName.APPROVED].source == "SCM, seen here"
    assert stages[StageName.REQUESTED].reached == When(datetime(2026, 3, 1, tzinfo=UTC), at(0))


def test_a_day_that_contradicts_what_was_seen_widens_the_range() -> None:
    evidence = replace(
        remote("Approved", at(30), requested=date(2026, 3, 1), approved=date(2026, 3, 2)),
        order=local(OrderState.PENDING, origin=Origin.TRACKED),
        timeline=(entry(0, "Requested"), entry(20, "Approved")),
    )
    approved = by_name(time_line(evidence))[StageName.APPROVED].reached
    assert approved is not None
    assert approved.earliest <= at(0)
    assert approved.latest >= datetime(2026, 3, 2, tzinfo=UTC)


def test_a_stage_that_nobody_saw_begin_lies_between_its_neighbours() -> None:
    evidence = remote("Applied", at(600), requested=date(2026, 3, 1), approved=date(2026, 3, 1))
    applied = by_name(time_line(evidence))[StageName.APPLIED]
    assert applied.reached == When(datetime(2026, 3, 1, tzinfo=UTC), at(600))
    assert applied.state is StageState.CURRENT
    passed = remote("Issued", at(9_000), requested=date(2026, 3, 1), issued=date(2026, 3, 5))
    assert by_name(time_line(passed))[StageName.APPLIED].source == ""


def test_a_stage_is_unknown_rather_than_made_up() -> None:
    stages = by_name(time_line(remote("Applied", at(600))))
    assert stages[StageName.APPLIED].reached is None
    assert stages[StageName.APPLIED].lasted is None
    assert stages[StageName.APPLIED].state is StageState.CURRENT


@pytest.mark.parametrize("status", ["Declined", "Rejected", "Invalid"])
def test_a_failed_order_ends_in_the_stage_it_was_in(status: str) -> None:
    evidence = replace(
        remote(status, at(90), requested=date(2026, 3, 1)),
        order=local(OrderState.FAILED, 50, Origin.ENROLLED),
        timeline=(entry(0, "Requested"), entry(50, status, to=OrderState.FAILED)),
        polls=(poll(45, "Requested"),),
    )
    requested = by_name(time_line(evidence))[StageName.REQUESTED]
    assert requested.state is StageState.ENDED
    assert requested.lasted is not None
    assert requested.lasted.at_most_seconds == 50 * 60


@pytest.mark.parametrize("state", [OrderState.REVOKED, OrderState.REPLACED, OrderState.EXPIRED])
def test_an_order_that_is_over_lasts_no_longer_whatever_scm_told_last(state: OrderState) -> None:
    evidence = replace(
        remote("Issued", at(20), requested=date(2026, 3, 1)),
        now=at(90),
        order=local(state, 50),
        timeline=(entry(0, "Requested"), entry(20, "Issued"), entry(50, to=state)),
    )
    issued = by_name(time_line(evidence))[StageName.ISSUED]
    assert issued.state is StageState.ENDED
    assert issued.lasted is not None
    assert issued.lasted.at_most_seconds == 50 * 60


def test_a_replacement_goes_through_the_stages_again() -> None:
    evidence = replace(
        remote("Applied", at(200), requested=date(2026, 3, 1), approved=date(2026, 3, 1), issued=date(2026, 3, 1)),
        order=local(OrderState.PENDING, origin=Origin.TRACKED),
        timeline=(entry(0, "Applied"), entry(30, "Issued"), entry(100, "Applied")),
    )
    stages = by_name(time_line(evidence))
    assert stages[StageName.ISSUED].state is StageState.AHEAD
    assert stages[StageName.APPLIED].state is StageState.CURRENT


def test_times_in_which_not_polled_are_told_and_so_is_one_that_lasts() -> None:
    window = PollWindow(at(0), 600.0, attempts=3)
    order = local(OrderState.PENDING, last_poll=poll(90, "Applied"), window=window.end(WindowEnd.DEADLINE))
    evidence = Evidence(
        now=at(200),
        status="Applied",
        order=order,
        timeline=(entry(0, "Applied"), entry(80, kind=EventKind.NOT_POLLED)),
        polls=(poll(20, "Applied"), poll(90, "Applied")),
    )
    assert [(missing_part.since, missing_part.until) for missing_part in unwatched(evidence)] == [
        (at(20), at(80)),
        (at(90), None),
    ]


def test_an_order_that_is_polled_has_no_gap() -> None:
    window = PollWindow(at(0), 600.0, attempts=3, next_poll_at=at(201))
    order = local(OrderState.PENDING, last_poll=poll(199, "Applied"), window=window)
    assert unwatched(Evidence(now=at(200), status="Applied", order=order)) == ()
