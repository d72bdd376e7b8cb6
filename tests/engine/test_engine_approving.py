"""Approving, declining, collecting and removing, one order or several."""

from __future__ import annotations

from pathlib import Path

import pytest

from sectigo_tui.domain.errors import InputError, NotReady, ReadOnly, Refused, ScmFailure, StoreError
from sectigo_tui.domain.events import EventKind
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.polling import WindowEnd
from sectigo_tui.engine.orders.batch import Outcome
from sectigo_tui.engine.orders.collect import Collected
from support.virtual_time import in_virtual_time, run_virtual
from support.writing import Site, ready

APPROVE = r"POST /ssl/v1/approve"


def status_at_scm(site: Site, ssl_id: int) -> str:
    order = site.world.order(ssl_id)
    assert order is not None
    return site.world.course(order).status


@in_virtual_time
async def test_an_order_of_the_account_is_approved_with_a_message_and_recorded() -> None:
    site = Site()
    order = site.world.add_order(common_name="www.acme.example", life="approval", requester="somebody else")
    decision = await site.engine.approving.approve(order.ssl_id, "as agreed with Anna")
    assert status_at_scm(site, order.ssl_id) == "Approved"
    assert (decision.order_id, decision.shown) == ("", None)
    asked, answered = site.store.entries(2)
    assert (asked.kind, asked.ssl_id, asked.summary) == (
        EventKind.WRITE_ASKED,
        order.ssl_id,
        "approve: as agreed with Anna",
    )
    assert (answered.kind, answered.http_status) == (EventKind.WRITE_ANSWERED, 204)


@in_virtual_time
async def test_an_order_is_declined() -> None:
    site = Site()
    order = site.world.add_order(common_name="www.acme.example", life="approval")
    await site.engine.approving.decline(order.ssl_id, "wrong organization")
    assert status_at_scm(site, order.ssl_id) == "Declined"


@in_virtual_time
async def test_the_requester_of_an_ev_order_may_not_approve_it() -> None:
    site = Site()
    order = site.world.add_order(
        common_name="www.acme.example", life="ev-approval", requester=site.world.account.credentials.login
    )
    with pytest.raises(Refused) as rejection:
        await site.engine.approving.approve(order.ssl_id, "mine")
    assert rejection.value.code == -1140
    assert site.store.entries(1)[0].code == -1140


@pytest.mark.parametrize(("fault", "is_done"), [("lost", True), ("drop", False)])
def test_a_lost_answer_is_settled_by_details(fault: str, is_done: bool) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        order = site.world.add_order(common_name="www.acme.example", life="approval", requester="somebody else")
        site.world.faults.add(fault, path="approve", count=1)
        if is_done:
            decision = await site.engine.approving.approve(order.ssl_id, "ok")
            assert decision.shown is not None
            assert decision.shown.status == "Approved"
        else:
            with pytest.raises(ScmFailure):
                await site.engine.approving.approve(order.ssl_id, "ok")
            assert status_at_scm(site, order.ssl_id) == "Requested"
        assert site.wire.count(APPROVE) == 1

    story()


@in_virtual_time
async def test_of_several_each_has_its_own_outcome() -> None:
    site = Site()
    good = site.world.add_order(common_name="a.acme.example", life="approval", requester="somebody else")
    late = site.world.add_order(common_name="b.acme.example", life="instant")
    told: list[int] = []
    outcomes = await site.engine.approving.approve_all(
        [good.ssl_id, late.ssl_id, good.ssl_id], "ok", lambda outcome: told.append(outcome.target)
    )
    assert [(one.target, one.failure is None) for one in outcomes] == [(good.ssl_id, True), (late.ssl_id, False)]
    assert told == [good.ssl_id, late.ssl_id]


@in_virtual_time
async def test_after_a_refused_login_nothing_more_of_a_batch_is_sent() -> None:
    site = Site()
    site.world.account.credentials.password = "changed elsewhere"
    outcomes = await site.engine.approving.approve_all(range(2_100_001, 2_100_006), "ok")
    assert all(outcome.failure is not None for outcome in outcomes)
    assert len(site.wire.sent) == 1


@pytest.mark.parametrize("message", ["", "  ", "x" * 513])
def test_a_message_that_scm_would_refuse_is_not_sent(message: str) -> None:
    @in_virtual_time
    async def story() -> None:
        site = Site()
        with pytest.raises(InputError):
            await site.engine.approving.approve(2_100_001, message)
        assert site.wire.sent == []

    story()


@in_virtual_time
async def test_what_cannot_be_recorded_is_not_sent() -> None:
    site = Site()
    site.store.failing = "full"
    with pytest.raises(StoreError):
        await site.engine.approving.approve(2_100_001, "ok")
    assert site.wire.sent == []


@in_virtual_time
async def test_an_issued_order_is_collected_now_and_polled_no_more() -> None:
    site = Site()
    placed = await site.engine.enrolling.enroll(ready(comments="[sim:instant]"))
    assert placed.order.ssl_id is not None
    await site.clock.sleep(5)
    collected = await site.engine.collecting.collect(placed.order.ssl_id)
    assert collected.order is not None
    assert collected.order.state is OrderState.COLLECTED
    assert collected.order.window is not None
    assert collected.order.window.ended is WindowEnd.SETTLED
    assert site.disk.certificates[placed.order.id].count(b"BEGIN CERTIFICATE") > 1
    assert collected.bundle.leaf_pem.count("BEGIN CERTIFICATE") == 1
    assert collected.bundle.facts.subject_alternative_names == ("www.acme.example",)


@in_virtual_time
async def test_an_order_that_is_not_ready_stays_what_it_was() -> None:
    site = Site()
    placed = await site.engine.enrolling.enroll(ready(comments="[sim:vetting]"))
    with pytest.raises(NotReady):
        await site.engine.collecting.collect(placed.order.ssl_id or 0)
    assert site.order == placed.order


async def a_collected_remote(site: Site) -> Collected:
    remote = site.world.add_order(common_name="*.acme.example", life="instant")
    await site.clock.sleep(5)
    (outcome,) = await site.engine.collecting.collect_all([remote.ssl_id])
    assert outcome.result is not None
    return outcome.result


def test_a_certificate_is_saved_and_never_over_another_file_unasked(tmp_path: Path) -> None:
    async def saving(*, overwrite: bool) -> tuple[str, ...]:
        site = Site()
        return await site.engine.collecting.save(await a_collected_remote(site), str(tmp_path), overwrite=overwrite)

    saved = run_virtual(saving(overwrite=False))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(Path(path).name for path in saved)
    leaf = Path(saved[0])
    assert leaf.read_text().count("BEGIN CERTIFICATE") == 1
    leaf.write_text("somebody's own")
    with pytest.raises(InputError):
        run_virtual(saving(overwrite=False))
    assert leaf.read_text() == "somebody's own"
    run_virtual(saving(overwrite=True))
    assert leaf.read_text().count("BEGIN CERTIFICATE") == 1


@in_virtual_time
async def test_finished_orders_are_removed_and_their_timeline_kept() -> None:
    site = Site()
    done = await site.an_order(OrderState.COLLECTED)
    pending = await site.an_order(OrderState.PENDING, "shop.acme.example")
    outcomes: list[Outcome[str, object]] = []
    await site.engine.tracking.remove_all([done.id, pending.id, "nobody"], outcomes.append)  # type: ignore[arg-type] # any outcome
    assert [outcome.failure is None for outcome in outcomes] == [True, False, False]
    assert [order.id for order in site.orders] == [pending.id]
    assert site.store.timeline(done.id)[-1].kind is EventKind.REMOVED
    assert len(site.store.timeline(done.id)) > 1


@in_virtual_time
async def test_read_only_mode_approves_and_declines_nothing() -> None:
    site = Site(read_only=True)
    with pytest.raises(ReadOnly):
        await site.engine.approving.approve(2_100_001, "ok")
    with pytest.raises(ReadOnly):
        await site.engine.approving.decline(2_100_001, "no")
    assert site.wire.sent == []


@in_virtual_time
async def test_a_certificate_is_collected_and_saved_and_its_order_removed_in_read_only_mode(tmp_path: Path) -> None:
    writable = Site()
    order = await writable.an_order(OrderState.COLLECTED)
    site = Site(world=writable.world, disk=writable.disk, kept=writable.kept, read_only=True)
    saved = await site.engine.collecting.save(await a_collected_remote(site), str(tmp_path))
    assert len(saved) == 3
    assert (await site.engine.tracking.remove(order.id)).removed
