"""Background jobs: one that breaks is reported, written down and started again, and stops no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.events import FailureReported, PollFinished, StoreStateChanged
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.engine.engine import EventSource
from support.engine_world import World
from support.fake_scm import FakeScm
from support.virtual_time import LoopClock, in_virtual_time
from support.writing import Site, ready


@asynccontextmanager
async def running(site: Site) -> AsyncIterator[None]:
    task = asyncio.create_task(site.engine.run(60.0))
    try:
        yield
        assert not task.done(), task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def breaks(*_: object, **__: object) -> object:
    raise ZeroDivisionError("a defect")


BREAKS: dict[str, tuple[str, Callable[[Site], tuple[object, str]]]] = {
    "password": ("the watch of the password's expiry", lambda site: (site.engine.credentials, "password_status")),
    "rotation": ("the watch of rotations", lambda site: (site.engine.credentials, "take_over_kept")),
    "listing": ("the listing", lambda site: (site.engine.account, "refresh_pending")),
    "writes": ("following up writes", lambda site: (site.engine.pending_writes, "_round")),
    "housekeeping": ("housekeeping", lambda site: (site.engine.scheduler, "_take_over_changes")),
    "start": ("starting", lambda site: (site.engine.credentials, "settle")),
}


@pytest.mark.parametrize("job", BREAKS)
@in_virtual_time
async def test_a_job_that_breaks_is_reported_and_polling_and_all_others_go_on(
    job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, place = BREAKS[job]
    site = Site()
    order = (await site.engine.enrolling.enroll(ready(comments="[sim:quick]"))).order
    monkeypatch.setattr(*place(site), breaks)
    async with running(site):
        await asyncio.sleep(1800)
        whats = [report.what for report in site.all_heard(FailureReported)]
        assert whats
        assert all(what.startswith(name) for what in whats)
        assert len(whats) <= 14, "the pauses grow"
        assert site.store.order(order.id).state is OrderState.COLLECTED  # type: ignore[union-attr] # it is there
        listed = site.wire.count("GET /ssl/v1$")
        assert job == "listing" or listed > 20


@in_virtual_time
async def test_a_job_that_works_again_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()
    with monkeypatch.context() as broken:
        broken.setattr(site.engine.account, "refresh_pending", breaks)
        async with running(site):
            await asyncio.sleep(5)
            broken.undo()
            await asyncio.sleep(60)
            assert site.engine.account.refreshed_at is not None


class Unreliable(LoopClock):
    """A clock whose sleep fails, as a system call may."""

    def __init__(self) -> None:
        self.failures = 0
        self.always = False

    async def sleep(self, seconds: float) -> None:
        if self.failures or self.always:
            self.failures -= 1
            raise OSError(4, "Interrupted system call")
        await super().sleep(seconds)


@pytest.mark.parametrize("always", [False, True])
@in_virtual_time
async def test_a_sleep_that_fails_ends_no_polling(always: bool) -> None:
    clock = Unreliable()
    world = World(deadline_seconds=3600, scm=FakeScm(LoopClock()), clock=clock)
    world.place(7, "Applied", (1500.0, "Issued"))
    async with world.polling():
        await asyncio.sleep(30)
        clock.failures, clock.always = 7, always
        await asyncio.sleep(3500)
        assert world.order(7).state is OrderState.COLLECTED
        assert 2 <= len(world.all_heard(FailureReported)) <= 60


@in_virtual_time
async def test_a_stat_that_fails_is_a_store_error_and_ends_no_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> object:
        raise PermissionError(13, "Permission denied", "/data/journal.jsonl")

    world = World()
    world.place(7, "Applied", (100.0, "Issued"))
    async with world.polling():
        await world.pass_time(30)
        monkeypatch.setattr(world.store, "changes", fails)
        await world.pass_time(200)
    assert world.order(7).state is OrderState.COLLECTED
    (error,) = world.all_heard(StoreStateChanged)
    assert str(error.error) == "/data/journal.jsonl: Permission denied; check the file system"


@in_virtual_time
async def test_polling_that_goes_on_without_a_renewed_right_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object) -> object:
        raise StoreError("lease.json", "Input/output error", "check the disk")

    world = World()
    world.place(7, "Applied", (300.0, "Issued"))
    async with world.polling():
        await world.pass_time(30)
        with monkeypatch.context() as broken:
            broken.setattr(world.store, "lease", fails)
            await world.pass_time(60)
        await world.pass_time(60)
        with monkeypatch.context() as broken:
            broken.setattr(world.store, "lease", fails)
            await world.pass_time(400)
    assert world.order(7).state is OrderState.COLLECTED
    words = "the polling lease could not be renewed; polling goes on, and another process may poll too"
    assert [report.what for report in world.all_heard(FailureReported)] == [words, words]


@in_virtual_time
async def test_a_pending_write_that_raises_unexpectedly_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    site = Site()
    order = await site.an_order()
    real = site.engine._revoker.send
    left = [breaks] * 3

    async def send(order_id: str) -> object:
        if left:
            left.pop()()
        return await real(order_id)

    site.world.faults.add("unavailable", path="revoke", count=1)
    await site.engine.revoking.revoke(order.ssl_id or 0, 4, "superseded", order.common_name)
    monkeypatch.setattr(site.engine._revoker, "send", send)
    await site.follow_for(600)
    assert not left
    assert site.store.order(order.id).state is OrderState.REVOKED  # type: ignore[union-attr] # it is there


@in_virtual_time
async def test_a_listener_that_breaks_is_written_down_and_breaks_nothing() -> None:
    kept: list[tuple[str, str]] = []
    received: list[object] = []
    event_source = EventSource(lambda defect, where: kept.append((type(defect).__name__, where)))
    event_source.subscribe(breaks)  # type: ignore[arg-type] # it is to break
    event_source.subscribe(received.append)
    event_source(PollFinished("order-1", None))  # type: ignore[arg-type] # nobody reads it
    assert len(received) == 1
    assert kept == [("ZeroDivisionError", "publishing PollFinished")]


@in_virtual_time
async def test_a_defect_that_a_boundary_reports_is_written_down_and_a_failure_is_not() -> None:
    kept: list[tuple[str, str]] = []
    event_source = EventSource(lambda defect, where: kept.append((type(defect).__name__, where)))
    now = LoopClock().now()
    event_source(FailureReported(now, "a write broke", KeyError("x")))
    event_source(FailureReported(now, "ordering", StoreError("a", "b", "c")))
    saving = StoreError("the local orders", "saving broke", "report it")
    saving.__cause__ = KeyError("y")
    event_source(StoreStateChanged(now, saving))
    full = StoreError("orders.json", "No space left on device", "make room")
    full.__cause__ = OSError(28, "No space left on device")
    event_source(StoreStateChanged(now, full))
    assert kept == [("KeyError", "a write broke"), ("KeyError", "saving")]
