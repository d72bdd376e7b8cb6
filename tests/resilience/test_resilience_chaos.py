"""An hour in which anything may go wrong: at its end the program knows of every order what SCM does."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import TypeVar, TypeVarTuple

import pytest
from resilience_chaos import PASSWORD_QUERY, ChaoticWire, Sent

from sectigo_tui.domain.errors import SectigoTuiError
from sectigo_tui.domain.events import (
    EngineEvent,
    EventKind,
    FailureReported,
    PollFinished,
    PollingPaused,
    PollingResumed,
    PollStarted,
    StoreStateChanged,
    TimelineEntry,
)
from sectigo_tui.domain.orders import Order, OrderState, Origin, state_for
from sectigo_tui.domain.polling import PollOutcome
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.engine.context import Context, EngineOptions
from sectigo_tui.engine.credentials.service import Access
from sectigo_tui.engine.engine import Engine, EventSource
from sectigo_tui.engine.orders.lookup import tagged_orders
from sectigo_tui.engine.polling import schedule
from sectigo_tui.engine.polling.schedule import JITTER, SCHEDULE_SECONDS
from sectigo_tui.engine.repository import OrderRepository
from sectigo_tui.engine.requests.limiter import RequestLimiter
from sectigo_tui.pki.bundle import read_certificate
from sectigo_tui.pki.tools import PkiTools
from sectigo_tui.scm.client import ScmClient
from sectigo_tui.simulator.world import World
from sectigo_tui.store.local import journal_store
from sectigo_tui.store.local.journal_store import JournalStore
from support.stored_orders import files_no_larger_than
from support.virtual_time import START, LoopClock, VirtualTimeLoop
from support.writing import Kept, new_world, ready

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

Record = Callable[[str, object], None]

HOUR = 3600.0
ORDERS = 500
SEED = 20_260_302
LIMIT = 4
NEW_PASSWORD = "another one"

LIVES = (
    *(
        "dv-straight",
        "ov-straight",
        "ev-straight",
        "dv-quick",
        "ov-quick",
        "ov-quick+collect-0",
        "ov-quick+collect-1400",
    ),
    *("ov-quick+collect-empty", "ov-quick+collect-183", "ov-dcv-slow", "ov-approver-acts", "ov-rejected"),
    *("ov-declined", "ov-invalid", "ov-vetting", "ov-approval", "ev-org-pending", "ov-dcv-missing", "ov-init"),
)


class Hour:
    """The program in its hour; made on the loop in which it runs.

    Args:
        directory: Its data directory.
        seed: Decides all that is random.

    Attributes:
        looks: Of each order, when polls began and ended, and what they came to.
        heard: All that was published, with when.
    """

    def __init__(self, directory: Path, seed: int) -> None:
        self.chance = Random(seed)
        self.clock = LoopClock()
        self.world = new_world(seed=seed)
        self.wire = ChaoticWire(self.world, seed)
        self.polls: dict[str, list[tuple[float, float, PollOutcome]]] = defaultdict(list)
        self.received: list[tuple[float, EngineEvent]] = []
        self._begun: dict[str, float] = {}
        account = self.world.account.credentials
        kept = Kept(Credentials(account.customer_uri, account.login, SecretText(account.password)))
        event_source = EventSource()
        event_source.subscribe(self._receive)
        self.store = JournalStore.open(directory, self.clock)
        repository = OrderRepository(self.store, self.clock, event_source)
        self.store.report_errors_to(repository.receive_store_state)
        scm = ScmClient("https://scm.test/api", kept.present, self.clock, transport=self.wire, observe=event_source)
        context = Context(
            client=lambda: scm,
            limiter=RequestLimiter(LIMIT),
            repository=repository,
            clock=self.clock,
            random=Random(seed),
            read_certificate=read_certificate,
            options=EngineOptions(deadline_seconds=HOUR),
        )
        access = Access(in_use=kept.present, keeper=kept)
        self.engine = Engine(context, event_source, PkiTools, lambda: access)

    def all_heard(self, kind: type[EngineEvent]) -> list[float]:
        """Return when events of a kind were made."""
        return [at for at, event in self.received if isinstance(event, kind)]

    async def place_all(self) -> None:
        """Put orders on the disk that are to be polled from now on."""
        now = self.clock.now()
        orders = []
        for number in range(ORDERS):
            at_scm = self.world.add_order(life=LIVES[number % len(LIVES)], common_name=f"h{number}.acme.example")
            order = Order(
                id=f"order-{at_scm.ssl_id}",
                state=OrderState.SUBMITTED,
                state_since=now,
                created_at=now,
                origin=Origin.TRACKED,
                ssl_id=at_scm.ssl_id,
                window=schedule.open_window(now, HOUR),
            )
            orders.append(order)
        await asyncio.gather(
            *(
                self.store.put(
                    order, TimelineEntry(at=now, order_id=order.id, kind=EventKind.CREATED, summary="tracked")
                )
                for order in orders
            )
        )

    async def run(self) -> None:
        """Live the hour, and one in which nothing goes wrong any more."""
        await self.place_all()
        running = asyncio.create_task(self.engine.run(300.0))
        self.wire.share = 0.15
        doing = [
            asyncio.create_task(each)
            for each in (
                self._order(),
                self._revoke(),
                self._decide(),
                self._lose_the_password(),
                self._fill_the_disk(),
                self._lose_the_gateway(),
            )
        ]
        await asyncio.sleep(HOUR - 600)
        self.wire.share = 0.0
        # The last order was placed after half an hour or so, and has an hour as well.
        await asyncio.sleep(HOUR)
        for each in doing:
            each.cancel()
            with suppress(asyncio.CancelledError):
                await each
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        await self.store.close()

    async def _order(self) -> None:
        for number in range(25):
            await asyncio.sleep(self.chance.uniform(30, 90))
            life = self.chance.choice(("instant", "quick", "straight", "vetting", "rejected"))
            wanted = ready(f"new{number}.acme.example", comments=f"[sim:{life}]")
            await _tried(self.engine.enrolling.enroll(wanted))

    async def _revoke(self) -> None:
        for _ in range(15):
            await asyncio.sleep(self.chance.uniform(60, 120))
            collected = [each for each in self.store.orders() if each.state is OrderState.COLLECTED]
            if collected:
                one = self.chance.choice(collected)
                await _tried(self.engine.revoking.revoke(one.ssl_id or 0, 4, "superseded", one.common_name))

    async def _decide(self) -> None:
        for number in range(15):
            await asyncio.sleep(self.chance.uniform(60, 120))
            waiting = [each.ssl_id for each in self.store.orders() if each.scm_status == "Requested" and each.ssl_id]
            if waiting:
                decide = self.engine.approving.approve if number % 3 else self.engine.approving.decline
                await _tried(decide(self.chance.choice(waiting), "seen"))

    async def _lose_the_password(self) -> None:
        await asyncio.sleep(1200)
        self.world.account.credentials.password = NEW_PASSWORD
        await asyncio.sleep(300)
        while self.engine.context.limiter.rejection is not None:
            await _tried(self.engine.credentials.rotate("", SecretText(NEW_PASSWORD), insist=True))
            await asyncio.sleep(15)

    async def _lose_the_gateway(self) -> None:
        for seconds in (0, 900, 900):
            await asyncio.sleep(seconds)
            self.wire.is_gateway_lost = True
            await asyncio.sleep(10)
            self.wire.is_gateway_lost = False

    async def _fill_the_disk(self) -> None:
        await asyncio.sleep(2100)
        with files_no_larger_than(10):
            await asyncio.sleep(200)

    def _receive(self, event: EngineEvent) -> None:
        now = self.clock.monotonic()
        match event:
            case PollStarted(order_id):
                self._begun[order_id] = now
            case PollFinished(order_id, poll):
                self.polls[order_id].append((self._begun.pop(order_id), now, poll.outcome))
            case PollingPaused() | PollingResumed() | StoreStateChanged() | FailureReported():
                self.received.append((now, event))
            case _:
                pass


async def _tried(act: Awaitable[object]) -> None:
    """Do something as an operator would, who reads how it failed."""
    with suppress(SectigoTuiError):
        await act


class ThreadlessLoop(VirtualTimeLoop):
    """Does at once what others do in threads, in which no time passes either; a hundred thousand switches less."""

    def run_in_executor(self, executor: Executor | None, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        """Run it, and return what came of it."""
        future = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - handed on to whoever waits, as an executor does
            future.set_exception(error)
        return future


async def lived(directory: Path) -> tuple[Hour, list[str]]:
    """Live an hour, and return what was wrong at its end."""
    hour = Hour(directory, SEED)
    await hour.run()
    return hour, list(differences(hour.world, hour.store))


@pytest.fixture
def quick_directory(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory where there is one: thousands of changes are made durable in this hour."""
    in_memory = Path("/dev/shm")
    if not os.access(in_memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=in_memory, prefix="sectigo-tui-chaos-") as name:
        yield Path(name) / "account"


def test_an_hour_of_chaos_loses_no_order_and_breaks_no_rule(
    quick_directory: Path, monkeypatch: pytest.MonkeyPatch, record_property: Record
) -> None:
    # Saving takes no time on this loop, so that what spaces it by its own length would not.
    monkeypatch.setattr(journal_store, "SAVE_AFTER_SECONDS", 20.0)
    with asyncio.Runner(loop_factory=ThreadlessLoop) as runner:
        hour, wrong = runner.run(lived(quick_directory))
    assert not wrong, "\n".join(wrong[:20])
    broken = [*beyond_the_schedule(hour), *unasked(hour), *while_refused(hour)]
    assert not broken, "\n".join(broken[:20])
    assert hour.wire.most_in_flight <= LIMIT
    # Once by the first credentials, once by those that were rotated to.
    assert 1 <= sum(sent.words == PASSWORD_QUERY for sent in hour.wire.sent) <= 2
    for kind in (PollingPaused, PollingResumed):
        assert hour.all_heard(kind)
    faults = sum(sent.fault != "nothing" for sent in hour.wire.sent)
    assert faults > 500
    record_property("faults_tried", faults)
    record_property("orders_lost", len(wrong))


def differences(world: World, store: JournalStore) -> Iterator[str]:
    """Yield what the program believes of an order and SCM does not, and orders that only one of both knows."""
    statuses = world.statuses()
    locals_of = defaultdict(list)
    for order in store.orders():
        if order.ssl_id is not None:
            locals_of[order.ssl_id].append(order)
        elif order.state is OrderState.FAILED:
            continue
        elif any(order.id in tagged_orders(each.comments) for each in world.orders.values()):
            yield f"{order.id} is {order.state}, and SCM has it"
    for ssl_id, status in statuses.items():
        known = locals_of.pop(ssl_id, [])
        if len(known) != 1:
            yield f"sslId {ssl_id} is {len(known)} local orders"
            continue
        expected = state_for(status)
        expected = OrderState.COLLECTED if expected is OrderState.ISSUED else expected
        if known[0].state is not expected:
            yield f"sslId {ssl_id} is {status} at SCM and {known[0].state} here: {known[0].last_poll}"
    for ssl_id in locals_of:
        yield f"sslId {ssl_id} is not at SCM"


def beyond_the_schedule(hour: Hour) -> Iterator[str]:
    """Yield the polls that were made earlier than the policy allows."""
    asked = retry_afters(hour.wire.sent)
    for order_id, polls in hour.polls.items():
        counted = 0
        order = hour.store.order(order_id)
        assert order is not None
        assert order.window is not None
        deadline = (order.window.deadline_at - START).total_seconds()
        for (_, ended, outcome), (began, _, __) in pairwise(polls):
            if outcome is PollOutcome.CREDENTIALS_REFUSED:
                continue
            counted += 1
            least = SCHEDULE_SECONDS[min(counted, len(SCHEDULE_SECONDS)) - 1] * (1 - JITTER)
            least = max(least, asked.get((f"look {order_id}", ended), 0.0))
            earliest = min(ended + least, deadline)
            if began < earliest - 0.001:
                yield f"{order_id}, look {counted + 1}, after {outcome}: {began:.2f} is before {earliest:.2f}"


def retry_afters(sent: list[Sent]) -> dict[tuple[str, float], float]:
    """Return what answers asked for, by the task that got each and when."""
    return {(each.task, each.ended): each.retry_after_seconds for each in sent if each.retry_after_seconds is not None}


def unasked(hour: Hour) -> Iterator[str]:
    """Yield requests that belong to nothing that the program has to do, and polls of too many requests."""
    for each in hour.wire.sent:
        if each.task.startswith("look "):
            order = hour.store.order(each.task.removeprefix("look "))
            if order is None or str(order.ssl_id) not in each.words:
                yield f"{each.words} by {each.task}"
    per_look: dict[tuple[str, float], int] = defaultdict(int)
    for each in hour.wire.sent:
        if each.task.startswith("look "):
            polls = hour.polls[each.task.removeprefix("look ")]
            begins = [began for began, ended, _ in polls if began <= each.began <= ended]
            per_look[each.task, begins[0] if begins else -1.0] += 1
    for (task, began), count in per_look.items():
        if began < 0 or count > 3:
            yield f"{task} at {began}: {count} requests"


def while_refused(hour: Hour) -> Iterator[str]:
    """Yield requests that began after SCM had refused the credentials and before others were in use."""
    (paused,), (resumed,) = hour.all_heard(PollingPaused), hour.all_heard(PollingResumed)
    refused = [each for each in hour.wire.sent if each.status == 401 and each.words != PASSWORD_QUERY]
    first = min(each.ended for each in refused)
    assert first <= paused <= first + 1
    if len(refused) > LIMIT:
        yield f"{len(refused)} bad logins"
    for each in hour.wire.sent:
        is_try = each.words == "GET /ssl/v1/types" and each.password == NEW_PASSWORD
        if first < each.began < resumed and not is_try:
            yield f"{each.words} at {each.began:.1f}, between {first:.1f} and {resumed:.1f}"
