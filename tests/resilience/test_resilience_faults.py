"""Every fault of the network and of what stands before SCM, at every call: what is told, tried again, and on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from resilience_faults import ROWS, After, Row, row_of_code
from resilience_stand import Stand, a_stand, an_account, every_call, failures

from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.domain.explain import explain
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.domain.polling import WindowEnd
from sectigo_tui.engine.engine import Engine
from sectigo_tui.engine.orders.entries import WriteOutcome, write_outcome_of
from sectigo_tui.engine.polling.poll import Poller, outcome_of
from sectigo_tui.simulator.world import World
from support.writing import ready

Record = Callable[[str, object], None]

EVERY_ROW = pytest.mark.parametrize("row", ROWS, ids=str)

CODES = (
    *(0, -2, -3, -7, -9, -10, -11, -13, -36, -37, -39, -62, -65, -102, -103, -107, -109, -110, -111, -124, -126, -129),
    *(-130, -138, -140, -141, -159, -164, -169, -170, -181, -183, -194, -195, -220, -226, -639, -737, -843, -982),
    *(-1002, -1010, -1021, -1023, -1112, -1137, -1140, -1144, -1400, -1450, -1601, -5101, -7306, -16, -970),
)
"""Those that SCM documents or was seen to answer with 400. Source: SCM manual 25.5; observed."""


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[World, str]]:
    with an_account() as served:
        yield served


async def test_without_a_fault_every_call_is_done(account: tuple[World, str], tmp_path: Path) -> None:
    async with a_stand(account, tmp_path) as stand:
        scm = stand.client()
        for name, call in every_call(stand.world).items():
            assert await failures(scm, {name: call}) == {name: None}


@EVERY_ROW
async def test_at_every_call_it_is_one_known_failure_of_one_request(
    row: Row, account: tuple[World, str], tmp_path: Path, record_property: Record
) -> None:
    async with a_stand(account, tmp_path) as stand:
        calls = every_call(stand.world)
        stand.meet(row)
        met = await failures(stand.client(row), calls)
        for call, failure in met.items():
            assert type(failure) is row.kind_for(call), (call, failure)
            assert failure is not None
            assert (failure.call, failure.sent) == (call, row.is_sent)
            if call != "count" and call not in row.otherwise:
                assert row.reason in failure.reason or "204 is due" in failure.reason
                assert row.write_outcome is write_outcome_of(failure)
            told = explain(failure)
            assert all((told.what, told.meaning, told.next_step))
            assert told.what.endswith(failure.reason)
        assert stand.proxy.requests in (0, len(calls))
        record_property("faults_tried", len(met))


@EVERY_ROW
async def test_a_poll_that_meets_it_leaves_the_order_as_it_was_and_comes_again_by_the_policy(
    row: Row, account: tuple[World, str], tmp_path: Path, record_property: Record
) -> None:
    async with a_stand(account, tmp_path) as stand:
        before = await tracked(stand)
        engine = stand.engine(row)
        stand.meet(row)
        await poll(engine, before)
        after = engine.context.repository.store.order(before.id)
        check_look(row, stand, before, after, engine)
        await stand.kill(engine)
        assert stand.on_disk(before.id) == after
        stand.meet(None)
        if row.after is After.STOPPED:
            return
        again = stand.engine()
        await poll(again, before)
        seen = again.context.repository.store.order(before.id)
        assert seen is not None
        assert seen.last_poll is not None
        assert seen.last_poll.detail == "Applied"
        record_property("faults_tried", 1)


@EVERY_ROW
async def test_an_order_whose_placing_meets_it_is_placed_once_or_not_at_all_and_known_to_be(
    row: Row, account: tuple[World, str], tmp_path: Path, record_property: Record
) -> None:
    async with a_stand(account, tmp_path) as stand:
        engine = stand.engine(row, only="enroll")
        stand.meet(row)
        failure = await failure_of_placing(engine, stand.common_name)
        told = explain(failure)
        assert row.next_step in told.next_step
        order = next(iter(engine.context.repository.store.orders()), None)
        assert (order.state if order else None) is {
            WriteOutcome.UNKNOWN: OrderState.UNCONFIRMED,
            WriteOutcome.REFUSED: OrderState.FAILED,
            WriteOutcome.UNTOUCHED: None,
        }[row.write_outcome]
        assert len(stand.enrolled) == row.is_done
        await stand.kill(engine)
        stand.meet(None)
        if order is None or row.write_outcome is not WriteOutcome.UNKNOWN:
            return
        assert stand.on_disk(order.id) == order
        again = stand.engine()
        found = await again.pending_writes.until_settled(order.id)
        assert found is not None
        assert found.ssl_id == (stand.enrolled[0] if row.is_done else None)
        assert again.recovery.is_undecided(found) is not row.is_done
        assert len(stand.enrolled) == row.is_done
        record_property("faults_tried", 1)


@EVERY_ROW
async def test_a_revocation_that_meets_it_is_told_until_scm_has_said_what_became_of_it(
    row: Row, account: tuple[World, str], tmp_path: Path, record_property: Record
) -> None:
    async with a_stand(account, tmp_path) as stand:
        ssl_id = stand.world.add_order(life="instant", common_name="leaked.acme.example").ssl_id
        first = stand.engine()
        before = await first.tracking.track(ssl_id)
        await poll(first, before)
        await stand.kill(first)
        assert first.context.repository.store.order(before.id).state is OrderState.COLLECTED  # type: ignore[union-attr] # it is there
        engine = stand.engine(row)
        stand.meet(row)
        refused: ScmFailure | None = None
        try:
            await engine.revoking.revoke(ssl_id, 1, "leaked", "leaked.acme.example")
        except ScmFailure as failure:
            refused = failure
        assert (refused is not None) is (row.write_outcome is WriteOutcome.REFUSED)
        there = stand.on_disk(before.id)
        assert there is not None
        assert there.state is (
            OrderState.COLLECTED if row.write_outcome is WriteOutcome.REFUSED else OrderState.REVOKING
        )
        assert (stand.world.orders[ssl_id].revoked is not None) is row.is_done
        await stand.kill(engine)
        stand.meet(None)
        settled = await stand.engine().pending_writes.until_settled(before.id)
        assert settled is not None
        is_revoked = stand.world.orders[ssl_id].revoked is not None
        assert settled.state is (OrderState.REVOKED if is_revoked else OrderState.COLLECTED)
        assert is_revoked is (row.write_outcome is not WriteOutcome.REFUSED)
        record_property("faults_tried", 1)


@pytest.mark.parametrize("status", [400, 403])
async def test_every_code_of_scm_is_told_in_its_words_and_in_plain_ones(
    status: int, account: tuple[World, str], tmp_path: Path, record_property: Record
) -> None:
    async with a_stand(account, tmp_path) as stand:
        calls = every_call(stand.world)
        calls = {name: calls[name] for name in ("details", "collect", "approve", "enroll")}
        for code in CODES:
            row = row_of_code(status, code)
            stand.meet(row)
            for call, failure in (await failures(stand.client(), calls)).items():
                assert type(failure) is row.kind_for(call), (call, code)
                assert failure is not None
                assert (failure.code, failure.http_status) == (code, status)
                assert row.reason in failure.reason
                told = explain(failure)
                assert told.code == code
                if call not in row.otherwise:
                    assert row.write_outcome is write_outcome_of(failure)
                    assert row.meaning in told.meaning
                    assert row.next_step in told.next_step
        record_property("faults_tried", len(CODES) * len(calls))


async def tracked(stand: Stand) -> Order:
    """Return a pending order that is local."""
    ssl_id = stand.world.add_order(life="vetting", common_name="slow.acme.example").ssl_id
    stand.world.advance(60)
    engine = stand.engine()
    order = await engine.tracking.track(ssl_id)
    await stand.kill(engine)
    return order


async def poll(engine: Engine, order: Order) -> None:
    """Look at an order once, as when it is due."""
    await Poller(engine.context).poll(order.id)


async def failure_of_placing(engine: Engine, common_name: str) -> ScmFailure:
    """Order, and return how that failed."""
    try:
        placed = await engine.enrolling.enroll(ready(common_name))
    except ScmFailure as failure:
        return failure
    assert placed.lost is not None
    return placed.lost


def check_look(row: Row, stand: Stand, before: Order, after: Order | None, engine: Engine) -> None:
    """See that a poll which met a fault changed nothing but the time of the next one."""
    assert after is not None
    assert after.window is not None
    assert before.window is not None
    assert after.last_poll is not None
    assert (after.state, after.details, after.last_answer_at) == (before.state, before.details, before.last_answer_at)
    failure = row.kind("details", "")
    assert after.last_poll.outcome is outcome_of(failure)
    wait = None
    if after.window.next_poll_at is not None:
        wait = seconds_between(stand.clock.now(), after.window.next_poll_at)
    match row.after:
        case After.SCHEDULE:
            assert wait is not None
            assert 15 * 0.8 <= wait <= 15 * 1.2
        case After.DEADLINE:
            assert after.window.next_poll_at == after.window.deadline_at
        case After.STOPPED:
            assert after.window.ended is WindowEnd.STOPPED
        case After.HELD:
            assert after.window == before.window
        case seconds:
            assert wait == pytest.approx(seconds)
    assert (engine.context.limiter.rejection is not None) is (row.after is After.HELD)
