"""What becomes of one order, told over simulated hours."""

from __future__ import annotations

from itertools import pairwise

import pytest

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import NotFound, Refused, Unreadable
from sectigo_tui.domain.events import EventKind, FailureReported, PollFinished, PollStarted
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.polling import PollOutcome, WaitReason, WindowEnd
from sectigo_tui.engine.polling.poll import REJECTIONS_AT_MOST
from sectigo_tui.engine.polling.schedule import JITTER, SCHEDULE_SECONDS
from sectigo_tui.engine.polling.scheduler import BATCH_SECONDS
from support.engine_world import World
from support.fake_scm import (
    BUNDLE,
    Reply,
    not_found,
    not_ready,
    over_time,
    rate_limited,
    refused,
    server_failure,
    unreachable,
    unreadable,
)
from support.virtual_time import START, in_virtual_time

pytestmark = pytest.mark.usefixtures("alone")

HOUR = 3600.0
MICROSECOND = 1e-6


def waits(times: list[float]) -> list[float]:
    return [after - before for before, after in pairwise(times)]


def assert_on_schedule(times: list[float], *, latency: float = 0.2) -> None:
    """Each wait is its nominal length with jitter, later by an answer's latency and the batch at the most."""
    for number, wait in enumerate(waits(times)):
        scheduled = SCHEDULE_SECONDS[min(number, len(SCHEDULE_SECONDS) - 1)]
        assert scheduled * (1 - JITTER) <= wait <= scheduled * (1 + JITTER) + latency + BATCH_SECONDS, number


@in_virtual_time
async def test_an_order_becomes_a_certificate() -> None:
    world = World()
    world.place(7, "Requested", (30.0, "Applied"), (200.0, "Issued"))
    await world.poll_for(600)
    order = world.order(7)
    assert order.state is OrderState.COLLECTED
    assert order.certificate is not None
    assert order.certificate.serial_number == "0A"
    assert world.store.disk.certificates == {order.id: BUNDLE}
    assert world.window(7).ended is WindowEnd.SETTLED
    assert [(entry.kind, entry.scm_status, entry.to_state) for entry in world.timeline(7)] == [
        (EventKind.CHANGED, "Requested", OrderState.PENDING),
        (EventKind.CHANGED, "Applied", None),
        (EventKind.CHANGED, "Issued", OrderState.COLLECTED),
    ]
    assert_on_schedule([asked.at for asked in world.scm.asked if asked.call == "details"])
    assert len(world.all_heard(PollStarted)) == len(world.all_heard(PollFinished)) == world.window(7).attempts


@in_virtual_time
async def test_an_issued_order_that_is_not_ready_rides_the_same_schedule_without_asking_for_details_again() -> None:
    world = World()
    world.place(7, "Issued", collect=over_time(not_ready(), (250.0, not_ready(-183)), (400.0, BUNDLE)))
    await world.poll_for(300)
    assert world.order(7).state is OrderState.ISSUED
    assert world.poll(7).outcome is PollOutcome.NOT_READY
    await world.poll_for(300)
    assert world.order(7).state is OrderState.COLLECTED
    calls = [asked.call for asked in world.scm.asked]
    assert calls == ["details"] + ["collect"] * (len(calls) - 1)
    assert_on_schedule([asked.at for asked in world.scm.asked if asked.call == "collect"])


@in_virtual_time
async def test_an_order_that_stays_pending_gets_its_last_poll_at_the_deadline_and_is_polled_no_more() -> None:
    world = World()
    world.place(7)
    await world.poll_for(5 * HOUR)
    times = world.scm.times(7)
    assert 600 - MICROSECOND <= times[-1] <= 600 + BATCH_SECONDS
    assert_on_schedule(times[:-1])
    assert (world.order(7).state, world.window(7).ended) == (OrderState.PENDING, WindowEnd.DEADLINE)
    assert world.timeline(7)[-1].kind is EventKind.WINDOW_ENDED
    assert "deadline passed" in world.timeline(7)[-1].summary


@in_virtual_time
async def test_a_window_that_reopens_goes_on_with_the_longest_wait_and_is_told_once() -> None:
    world = World(reopen=True)
    world.place(7)
    await world.poll_for(2 * HOUR)
    late = [wait for wait, time in zip(waits(world.scm.times(7)), world.scm.times(7), strict=False) if time > 600]
    assert len(late) > 10
    assert max(late) <= 300 * (1 + JITTER) + 1
    opened = [entry for entry in world.timeline(7) if entry.kind is EventKind.WINDOW_OPENED]
    assert [entry.summary for entry in opened] == ["deadline passed, polling goes on: Applied"]
    assert world.window(7).reopened == 11
    assert world.window(7).is_open


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("Rejected", OrderState.FAILED),
        ("declined", OrderState.FAILED),
        ("INVALID", OrderState.FAILED),
        ("Not Enrolled", OrderState.FAILED),
        ("Unmanaged", OrderState.FAILED),
        ("Revoked", OrderState.REVOKED),
        ("Expired", OrderState.EXPIRED),
        ("Replaced", OrderState.REPLACED),
    ],
)
@in_virtual_time
async def test_a_final_status_ends_the_order(status: str, state: OrderState) -> None:
    world = World()
    world.place(7, "Applied", (10.0, status))
    await world.poll_for(HOUR)
    assert (world.order(7).state, world.order(7).scm_status) == (state, status)
    assert world.window(7).ended is WindowEnd.SETTLED
    assert len(world.scm.times(7)) == 3


@in_virtual_time
async def test_a_status_that_nobody_knows_is_pending_under_its_own_name() -> None:
    world = World()
    world.place(7, "Being Blessed")
    await world.poll_for(60)
    assert (world.order(7).state, world.order(7).scm_status) == (OrderState.PENDING, "Being Blessed")
    assert world.window(7).is_open


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (server_failure(), PollOutcome.SERVER_FAILURE),
        (unreachable(), PollOutcome.UNREACHABLE),
        (unreadable(), PollOutcome.UNREADABLE),
        (rate_limited(), PollOutcome.RATE_LIMITED),
    ],
    ids=str,
)
@in_virtual_time
async def test_a_failing_poll_is_remembered_and_polling_goes_on(failure: Reply, outcome: PollOutcome) -> None:
    world = World(deadline_seconds=4 * HOUR)
    world.place(7, "Applied", (3.0, failure), (3 * HOUR, "Issued"))
    await world.poll_for(2 * HOUR)
    assert (world.order(7).state, world.order(7).scm_status) == (OrderState.PENDING, "Applied")
    assert world.poll(7).outcome is outcome
    assert world.order(7).last_answer_at is not None
    assert seconds_between(START, world.order(7).last_answer_at or START) < 3
    await world.poll_for(2 * HOUR)
    assert world.order(7).state is OrderState.COLLECTED
    assert_on_schedule([asked.at for asked in world.scm.asked if asked.call == "details"])
    # One line for the failure however long it lasts, not one for each poll.
    assert [entry.kind for entry in world.timeline(7)] == [EventKind.CHANGED, EventKind.NOTE, EventKind.CHANGED]


@in_virtual_time
async def test_retry_after_is_waited_for_and_shown_as_the_reason() -> None:
    world = World()
    world.place(7, rate_limited(200.0), (100.0, "Applied"))
    async with world.polling():
        await world.pass_time(10)
        assert (world.window(7).reason, world.window(7).wait_seconds) == (WaitReason.RETRY_AFTER, 200.0)
        await world.scheduler.open_window("order-7")
        await world.pass_time(250)
    assert world.scm.times(7)[1] >= 200.2 - MICROSECOND


@in_virtual_time
async def test_retry_after_beyond_the_deadline_is_cut_to_it() -> None:
    world = World()
    world.place(7, rate_limited(86_400.0))
    await world.poll_for(HOUR)
    assert len(world.scm.times(7)) == 2
    assert world.scm.times(7)[1] == pytest.approx(600, abs=BATCH_SECONDS)
    assert (world.order(7).state, world.window(7).ended) == (OrderState.SUBMITTED, WindowEnd.DEADLINE)


@pytest.mark.parametrize(
    "failure",
    [not_found("details"), refused("details", -124, ""), NotFound("details", "404", http_status=404, code=-124)],
    ids=["404 by its words", "400 by its code", "404 by its code"],
)
@in_virtual_time
async def test_an_order_that_scm_says_it_does_not_know_is_polled_no_more_and_stays_what_it_was(failure: Reply) -> None:
    world = World()
    world.place(7, "Applied", (10.0, failure))
    await world.poll_for(HOUR)
    assert len(world.scm.times(7)) == 3
    assert (world.order(7).state, world.order(7).scm_status) == (OrderState.PENDING, "Applied")
    assert world.window(7).ended is WindowEnd.STOPPED
    (report,) = world.all_heard(FailureReported)
    assert (report.failure, report.order_id) == (failure, "order-7")
    assert world.poll(7).detail in world.timeline(7)[-1].summary


ODD = {
    "400 -1": refused("details", -1, "Unknown error."),
    "400 -1601": refused("details", -1601, "Invalid field value"),
    "403 -3": Refused("details", "403", http_status=403, code=-3, description="You are not authorized."),
    "404 -1": NotFound("details", "404", http_status=404, code=-1, description="Unknown error."),
    "404 -9": NotFound("details", "404", http_status=404, code=-9, description="Something odd."),
    "a page": Unreadable("details", "HTTP 404 with a web page", http_status=404),
}


@pytest.mark.parametrize("failure", ODD.values(), ids=ODD)
@pytest.mark.parametrize("lasts", [10.0, 40.0])
@in_virtual_time
async def test_odd_answers_for_some_seconds_settle_no_order(failure: Reply, lasts: float) -> None:
    world = World()
    for ssl_id in range(50):
        world.place(ssl_id, failure, (lasts, "Applied"), (300.0, "Issued"))
    await world.poll_for(HOUR)
    assert {world.order(ssl_id).state for ssl_id in range(50)} == {OrderState.COLLECTED}
    assert not world.all_heard(FailureReported)


@pytest.mark.parametrize("name", ["400 -1", "400 -1601", "403 -3"])
@in_virtual_time
async def test_a_refusal_that_repeats_stops_the_polling_until_the_operator_asks_again(name: str) -> None:
    failure = ODD[name]
    world = World()
    world.place(7, "Applied", (3.0, failure), (HOUR, "Issued"))
    await world.poll_for(HOUR)
    assert len(world.scm.times(7)) == 1 + REJECTIONS_AT_MOST
    assert (world.order(7).state, world.window(7).ended) == (OrderState.PENDING, WindowEnd.STOPPED)
    (report,) = world.all_heard(FailureReported)
    assert (report.failure, report.order_id) == (failure, "order-7")
    await world.scheduler.open_window("order-7")
    await world.poll_for(60)
    assert world.order(7).state is OrderState.COLLECTED


@in_virtual_time
async def test_refusals_are_counted_across_an_outage_but_not_across_an_answer() -> None:
    no = refused("details", -1601, "Invalid field value")
    world = World(deadline_seconds=4 * HOUR)
    world.place(7, no, (30.0, unreachable()), (700.0, no), (1400.0, "Applied"))
    world.place(8, no, (30.0, "Applied"), (700.0, no), (1400.0, "Applied"))
    await world.poll_for(3 * HOUR)
    assert world.window(7).ended is WindowEnd.STOPPED
    assert world.window(8).is_open


@in_virtual_time
async def test_windows_that_reopen_stop_at_a_refusal_that_repeats_all_the_same() -> None:
    world = World(deadline_seconds=5, reopen=True)
    world.place(7, "Applied", (3.0, refused("details", -1601, "Invalid field value")))
    await world.poll_for(HOUR)
    assert world.window(7).ended is WindowEnd.STOPPED


@in_virtual_time
async def test_a_gateways_404_while_collecting_leaves_the_order_to_the_schedule() -> None:
    page = Unreadable("collect", "HTTP 404 with a web page", http_status=404)
    world = World()
    world.place(7, "Issued", collect=over_time(page, (100.0, BUNDLE)))
    await world.poll_for(HOUR)
    assert world.order(7).state is OrderState.COLLECTED


@pytest.mark.parametrize("failure", [server_failure(200.0), unreadable(200.0)], ids=["503", "a page"])
@in_virtual_time
async def test_a_failure_with_retry_after_is_obeyed_as_a_429_is(failure: Reply) -> None:
    world = World()
    world.place(7, failure, (100.0, "Applied"))
    await world.poll_for(300)
    assert world.scm.times(7)[1] >= 200.2 - MICROSECOND


@in_virtual_time
async def test_a_refused_collect_asks_what_the_order_has_become() -> None:
    world = World()
    gone = over_time(not_ready(), (10.0, refused("collect", -110, "The certificate is revoked.")))
    world.place(7, "Issued", (10.0, "Revoked"), collect=gone)
    await world.poll_for(HOUR)
    assert world.order(7).state is OrderState.REVOKED
    assert not world.all_heard(FailureReported)


@in_virtual_time
async def test_a_collect_refused_for_good_stops_polling_with_scms_words() -> None:
    world = World()
    world.place(7, "Issued", collect=over_time(refused("collect", -169, "Ask the administrator.")))
    await world.poll_for(HOUR)
    assert (world.order(7).state, world.window(7).ended) == (OrderState.ISSUED, WindowEnd.STOPPED)
    assert (world.poll(7).code, world.poll(7).detail) == (-169, "Ask the administrator.")


@in_virtual_time
async def test_a_bundle_without_a_leaf_is_asked_for_again() -> None:
    world = World()
    world.place(7, "Issued", collect=over_time(b"?", (100.0, BUNDLE)))
    await world.poll_for(50)
    assert (world.order(7).state, world.poll(7).outcome) == (OrderState.ISSUED, PollOutcome.UNREADABLE)
    assert not world.store.disk.certificates
    await world.poll_for(500)
    assert world.order(7).state is OrderState.COLLECTED


@in_virtual_time
async def test_facts_that_scm_tells_later_are_kept_even_when_the_status_stays() -> None:
    world = World()
    told = OrderDetails(ssl_id=7, status="Applied", common_name="www.example.com")
    world.place(7, told, (10.0, OrderDetails(ssl_id=7, status="Applied", order_number="4711")))
    await world.poll_for(60)
    details = world.store.disk.orders["order-7"].details
    assert details is not None
    assert details.order_number == "4711"
    assert world.order(7).common_name == "www.example.com"
    assert "order number" in world.timeline(7)[-1].summary
