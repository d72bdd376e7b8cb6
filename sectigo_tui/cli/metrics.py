"""What Prometheus reads of `watch`: orders, polls, requests, credentials and the store, as docs/metrics.md says.

All of it is read on the event loop when it is asked for, so that a scrape sees one moment and no thread sees a change.
"""

from __future__ import annotations

import asyncio
from collections import Counter as Count
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from sectigo_tui import __version__, durable
from sectigo_tui.cli.crash import keep_crash
from sectigo_tui.config.sections import address_and_port
from sectigo_tui.domain.clock import Clock, Moment, seconds_between
from sectigo_tui.domain.errors import InputError, missing_extra, unwritable
from sectigo_tui.domain.events import EngineEvent, Exchange, PollFinished
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.domain.polling import PollOutcome
from sectigo_tui.engine.account.renewals import Timing
from sectigo_tui.engine.diagnosis.rules.causes import Party
from sectigo_tui.engine.diagnosis.stages import When
from sectigo_tui.engine.engine import Engine
from sectigo_tui.engine.polling.budget import ANSWERED, PollBudget
from sectigo_tui.engine.polling.poll import outcome_of
from sectigo_tui.presentation.rows import OrderRow, OrderRows, is_unpolled, needs_you
from sectigo_tui.presentation.text import printable

try:
    from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
    from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
    from prometheus_client.exposition import generate_latest, start_http_server
    from prometheus_client.registry import Collector
except ImportError as error:
    raise missing_extra("metrics", "metrics") from error

K = TypeVar("K", bound=tuple[str, ...])

PREFIX = "sectigo_tui_"
LATENCY_SECONDS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""The bounds of the latency histogram; SCM has been seen to take a minute."""
VALIDATIONS = ("DV", "OV", "EV")
UNKNOWN = "unknown"
NAMED_ORDERS = 100
"""At most so many orders are exported by name, the oldest ones, where that is asked for."""
READ_AGAIN_SECONDS = 1.0
"""What was read less than this ago is not read again: scrapes by several cost no more than by one."""
ORDERS_A_TURN = 50
"""After so many verdicts other tasks have a turn."""
SCRAPE_SECONDS = 10.0
FILE_SECONDS = 15.0
FILE_MODE = 0o644
"""node_exporter runs as another user, and nothing in the file is secret."""


class PendingOrder(Struct, frozen=True):
    """A pending order, as far as metrics tell of it.

    Args:
        ssl_id: Its sslId; empty where it is not known yet.
        common_name: Its name, printable.
        labels: Its state, whom it is blocked on, and its validation.
        requested: When it was requested, or None where that is unknown.
        needs_you: Whether the operator or an approver can act on it now.
        is_past_deadline: Whether it is no longer polled, since its polling window has ended.
        in_use_ends: When the certificate ends that it takes the place of.
    """

    ssl_id: str
    common_name: str
    labels: tuple[str, str, str]
    requested: Moment | None
    needs_you: bool
    is_past_deadline: bool
    in_use_ends: datetime | None

    def age_seconds(self, at: datetime) -> float:
        """Return how old it is at least; SCM may tell days alone."""
        return max(0.0, seconds_between(When.of(self.requested).latest, at)) if self.requested is not None else 0.0


class EngineFacts(Struct, frozen=True):
    """What a gauge of the engine is made of: the engine, its poll budget, and the time."""

    engine: Engine
    budget: PollBudget
    at: datetime


GAUGES: tuple[tuple[str, str, Callable[[EngineFacts], float | None]], ...] = (
    (
        "credentials_accepted",
        "1 unless SCM has rejected the credentials, by which polling pauses.",
        lambda facts: facts.engine.rejection is None,
    ),
    (
        "password_expiry_timestamp_seconds",
        "When the API password expires, as SCM tells.",
        lambda facts: _timestamp(facts.engine.password.expires) if facts.engine.password is not None else None,
    ),
    ("store_saving", "1 while orders can be saved.", lambda facts: facts.engine.saving_error is None),
    ("poller", "1 while this process is the poller, which holds the lease.", lambda facts: not facts.budget.poller),
    ("polls_scheduled", "Orders that have a next poll.", lambda facts: facts.budget.due_in_total),
    (
        "next_poll_timestamp_seconds",
        "When the next poll is due.",
        lambda facts: facts.budget.due[0].due_at.timestamp() if facts.budget.due else None,
    ),
    ("requests_last_hour", "Requests to SCM in the last hour.", lambda facts: facts.budget.hour.requests),
    ("requests_in_flight", "Requests to SCM that are under way.", lambda facts: facts.budget.in_flight),
    ("requests_in_flight_limit", "Requests that may be under way at once.", lambda facts: facts.budget.limit),
    (
        "rate_limited",
        "1 while SCM has asked for a pause (429 or Retry-After).",
        lambda facts: facts.budget.retry_after_until is not None,
    ),
    (
        "last_answer_timestamp_seconds",
        "When SCM answered last, whatever it said.",
        lambda facts: answered.timestamp() if (answered := facts.engine.health.answered_at) is not None else None,
    ),
)
"""Each gauge that is one figure: its name, its help, and what it is; None for no sample."""


class Metrics(Collector):
    """Collects what is exported, from one engine after another.

    Args:
        account: The customer URI, a label of every series: files of several accounts stand beside each other.
        clock: The time.
        names_orders: Whether the oldest pending orders are exported one by one, with their names.

    Attributes:
        registry: What is exported.
    """

    def __init__(self, account: str, clock: Clock, *, names_orders: bool = False) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # it has no types
        self.registry = CollectorRegistry()
        self._account = account
        self._clock = clock
        self._names_orders = names_orders
        self._engine: Engine | None = None
        self._loop = asyncio.get_running_loop()
        self._read_at: float | None = None
        self._orders: list[PendingOrder] = []
        self._states: Count[str] = Count()
        self._renewals: dict[Timing, int] = {}
        self._gauges: dict[str, float] = {}
        self._polls = Counter(
            f"{PREFIX}polls", "Polls by this process, by outcome.", ("account", "outcome"), registry=self.registry
        )
        self._requests = Counter(
            f"{PREFIX}requests", "Requests to SCM by this process.", ("account", "outcome"), registry=self.registry
        )
        self._latency = Histogram(
            f"{PREFIX}request_duration_seconds",
            "How long SCM took to answer.",
            ("account",),
            buckets=LATENCY_SECONDS,
            registry=self.registry,
        ).labels(account)
        for outcome in PollOutcome:
            self._polls.labels(account, outcome.name.lower())
        self._requests.labels(account, ANSWERED)
        self.registry.register(self)

    @asynccontextmanager
    async def reading(self, engine: Engine) -> AsyncIterator[None]:
        """Read an engine while the block lasts; afterwards what was read last holds, and ages go on."""
        silence = engine.event_source.subscribe(self.receive)
        self._engine, self._read_at = engine, None
        try:
            yield
        finally:
            silence()
            await self._read(engine)
            self._engine = None

    def receive(self, event: EngineEvent) -> None:
        """Count polls and requests."""
        match event:
            case PollFinished(_, poll):
                self._polls.labels(self._account, poll.outcome.name.lower()).inc()
            case Exchange(latency_seconds=seconds, http_status=status, failure=failure):
                outcome = outcome_of(failure).name.lower() if failure is not None else ANSWERED
                self._requests.labels(self._account, outcome).inc()
                if status is not None:
                    self._latency.observe(seconds)
            case _:
                pass

    async def text(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return await asyncio.to_thread(generate_latest, self.registry)

    def collect(self) -> Iterable[Metric]:
        """Return the gauges; called by prometheus_client in a thread of its own."""
        reading = asyncio.run_coroutine_threadsafe(self._collect(), self._loop)
        return reading.result(SCRAPE_SECONDS)

    async def _collect(self) -> list[Metric]:
        engine = self._engine
        if engine is not None and (
            self._read_at is None or self._clock.monotonic() - self._read_at >= READ_AGAIN_SECONDS
        ):
            try:
                await self._read(engine)
            except Exception as defect:
                keep_crash(defect, "metrics")
                raise
        return list(self._families(self._clock.now()))

    async def _read(self, engine: Engine) -> None:
        orders: list[PendingOrder] = []
        for number, row in enumerate(OrderRows(engine).pending(), start=1):
            orders.append(_pending_order(engine, row))
            if not number % ORDERS_A_TURN:
                await asyncio.sleep(0)
        renewals = Count(renewal.timing for renewal in await engine.renewals.due())
        self._renewals = {timing: renewals[timing] for timing in (Timing.LATE, Timing.DUE)}
        facts = EngineFacts(engine, engine.poll_budget(rows=1), self._clock.now())
        found = {name: value(facts) for name, _, value in GAUGES}
        self._orders = orders
        self._states = Count(order.state for order in engine.orders.orders())
        self._gauges = {name: float(value) for name, value in found.items() if value is not None}
        self._read_at = self._clock.monotonic()

    def _families(self, at: datetime) -> Iterator[Metric]:
        orders, gauge = self._orders, partial(_gauge, self._account)
        info = InfoMetricFamily(f"{PREFIX}build", "The program's version.", labels=("account",))
        info.add_metric((self._account,), {"version": __version__})
        yield info
        yield gauge(
            "orders", "Local orders by state.", ("state",), {(each,): self._states[each] for each in OrderState}
        )
        pending = Count(order.labels for order in orders)
        labels = ("state", "blocked_on", "validation")
        yield gauge("orders_pending", "Pending orders, by whom they are blocked on.", labels, pending)
        oldest = {(_label(party),): 0.0 for party in Party if party is not Party.NOBODY}
        for order in orders:
            key = (order.labels[1],)
            oldest[key] = max(oldest.get(key, 0.0), order.age_seconds(at))
        yield gauge(
            "oldest_pending_age_seconds", "Age of the oldest order that is blocked on it.", ("blocked_on",), oldest
        )
        needs = sum(order.needs_you for order in orders)
        yield gauge("orders_needing_you", "Orders on which the operator or an approver can act now.", (), {(): needs})
        passed = sum(order.is_past_deadline for order in orders)
        yield gauge("orders_past_deadline", "Pending orders whose polling window has ended.", (), {(): passed})
        ends = min((order.in_use_ends for order in orders if order.in_use_ends is not None), default=None)
        yield gauge(
            "next_outage_seconds",
            "Seconds until the first certificate ends whose new one is still pending.",
            (),
            {(): seconds_between(at, ends)} if ends is not None else {},
        )
        late_and_due = {(timing,): count for timing, count in self._renewals.items()}
        yield gauge("renewals", "Certificates whose renewal is late, or due within a week.", ("timing",), late_and_due)
        for name, text, _ in GAUGES:
            yield gauge(name, text, (), {(): self._gauges[name]} if name in self._gauges else {})
        if self._names_orders:
            oldest_orders = sorted(orders, key=lambda order: -order.age_seconds(at))[:NAMED_ORDERS]
            yield gauge(
                "order_pending_age_seconds",
                f"Age of each pending order, at most the {NAMED_ORDERS} oldest.",
                ("ssl_id", "common_name", "blocked_on"),
                {(order.ssl_id, order.common_name, order.labels[1]): order.age_seconds(at) for order in oldest_orders},
            )


def _gauge(account: str, name: str, text: str, labels: tuple[str, ...], values: Mapping[K, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"{PREFIX}{name}", text, labels=("account", *labels))
    for key, value in values.items():
        family.add_metric((account, *key), value)
    return family


def _pending_order(engine: Engine, row: OrderRow) -> PendingOrder:
    target = row.target
    party = engine.diagnoser.cheap(target).party if target is not None else Party.UNKNOWN
    outage = engine.diagnoser.outage(target) if target is not None else None
    return PendingOrder(
        ssl_id=str(row.ssl_id or ""),
        common_name=printable(row.common_name, limit=200),
        labels=(
            row.order.state if row.order is not None else "remote",
            _label(party),
            row.validation if row.validation in VALIDATIONS else UNKNOWN,
        ),
        requested=row.requested,
        needs_you=needs_you(row),
        is_past_deadline=is_unpolled(row),
        in_use_ends=outage.earliest if outage is not None else None,
    )


def _label(party: Party) -> str:
    return party.name.lower()


def _timestamp(moment: Moment | None) -> float | None:
    return When.of(moment).earliest.astimezone(UTC).timestamp() if moment is not None else None


@asynccontextmanager
async def exported(
    metrics: Metrics, listen: str | None, file: Path | None, failed: Callable[[InputError], None]
) -> AsyncIterator[str]:
    """Serve metrics over HTTP, and write them to a file, while the block lasts.

    Args:
        metrics: The metrics.
        listen: The address and port to listen at, as `127.0.0.1:9808`; port 0 picks a free one. None for no server.
        file: The file, for node_exporter's textfile collector; None for none.
        failed: Told when the file cannot be written, once until it can.

    Yields:
        The address that is served; empty for none.

    Raises:
        InputError: The address is in use or none of this host's, or the file cannot be written at the start.
    """
    writing = None
    if file is not None:
        await _write(metrics, file)
        writing = asyncio.create_task(_keep_writing(metrics, file, failed))
    try:
        if listen is None:
            yield ""
            return
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        registry.register(metrics.registry)
        host, port = address_and_port(listen)
        try:
            server, thread = start_http_server(port, host, registry)
        except OSError as error:
            reason = f"metrics cannot be served at {listen}: {error.strerror}"
            raise InputError(reason, "choose another --metrics-listen HOST:PORT") from error
        try:
            yield f"http://{f'[{host}]' if ':' in host else host}:{server.server_port}/metrics"
        finally:
            # A scrape that is under way waits for this loop, which therefore goes on meanwhile.
            await asyncio.to_thread(server.shutdown)
            server.server_close()
            thread.join()
    finally:
        if writing is not None:
            writing.cancel()
            with suppress(asyncio.CancelledError):
                await writing


async def _keep_writing(metrics: Metrics, file: Path, failed: Callable[[InputError], None]) -> None:
    is_failing = False
    while True:
        await asyncio.sleep(FILE_SECONDS)
        try:
            await _write(metrics, file)
        except InputError as failure:
            if not is_failing:
                failed(failure)
            is_failing = True
        else:
            is_failing = False


async def _write(metrics: Metrics, file: Path) -> None:
    if not file.parent.is_dir():
        raise InputError(f"{file.parent} is no directory", "name a file in a directory that is there")
    content = await metrics.text()
    try:
        # Its content is old in seconds: nobody needs it after a power cut.
        await asyncio.to_thread(durable.replace_file, file, content, mode=FILE_MODE, survives_power_cut=False)
    except OSError as error:
        raise unwritable(file, error, "choose another --metrics-file") from error
