"""Notifications by Apprise: what `watch` sends about, when, and never twice.

A fact holds or does not. One that holds and was not sent about is waited with for a minute, so that many come in one
message. What was sent about is kept on the disk, before it is sent: a kill in between loses a message rather than
repeating it, and the next start says so.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from sectigo_tui.cli.crash import keep_crash
from sectigo_tui.config.settings import Settings
from sectigo_tui.domain.clock import Clock
from sectigo_tui.domain.errors import ConfigError, InputError, SectigoTuiError, StoreError, missing_extra
from sectigo_tui.domain.events import EngineEvent, OrderChanged, PollingPaused, PollingResumed
from sectigo_tui.domain.explain import explain
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.engine.diagnosis.rules.causes import Party
from sectigo_tui.engine.engine import Engine
from sectigo_tui.presentation.rows import OrderRow, OrderRows, is_unpolled
from sectigo_tui.presentation.text import printable
from sectigo_tui.store.notified import Notified, NotifiedFile
from sectigo_tui.wiring.clients import in_thread

try:
    import apprise
except ImportError as error:
    raise missing_extra("notifications", "notify") from error

GROUPED_SECONDS = 60.0
"""How long a fact waits for others, to be told in one message."""
ROUND_SECONDS = 5.0
RETRY_SECONDS = (60.0, 120.0, 300.0)
"""The waits after a message that no service took; the last one repeats."""
ATTEMPTS_ELSEWHERE = 5
"""How often a service is tried again whose message another one took already."""
SEND_SECONDS = 20.0
END_SECONDS = 10.0
"""How long the program's end waits for a message."""
TAKEN_SECONDS = 60.0
"""How long a blocker of which no event tells may stay unnoticed."""
ORDERS_A_TURN = 50
"""After so many verdicts other tasks have a turn."""
LINES_AT_MOST = 30
LINE_CHARACTERS = 200
RECORD = "notified"
"""What the team's store has it by."""
_MASK = "********"


class Weight(StrEnum):
    """How a message is marked; the heaviest fact of it counts."""

    GOOD = "success"
    WARNING = "warning"
    BAD = "failure"


class Fact(Struct, frozen=True):
    """Something to be told once.

    Args:
        key: What tells it from every other one, such as `issued 0a1b2c`; it names no secret.
        line: It in one line.
        weight: How bad it is.
        is_final: Whether it is told even when it holds no more.
    """

    key: str
    line: str
    weight: Weight
    is_final: bool = False


class Holding(Struct, frozen=True):
    """What holds at one time.

    Args:
        facts: The facts by key.
        unsure: Keys of which it is not known whether they hold.
    """

    facts: Mapping[str, Fact]
    unsure: frozenset[str] = frozenset()


def _issued(_engine: Engine, row: OrderRow) -> str | None:
    return "issued" if row.order is not None and row.order.state in (OrderState.ISSUED, OrderState.COLLECTED) else None


def _failed(_engine: Engine, row: OrderRow) -> str | None:
    if row.order is None or row.order.state is not OrderState.FAILED:
        return None
    why = row.order.rejection or row.status
    return f"failed: {why}" if why else "failed"


def _deadline(_engine: Engine, row: OrderRow) -> str | None:
    return "deadline passed: it is still pending, and polled no more" if is_unpolled(row) else None


def _you(engine: Engine, row: OrderRow) -> str | None:
    return _blocked(engine, row, Party.YOU)


def _approver(engine: Engine, row: OrderRow) -> str | None:
    return _blocked(engine, row, Party.APPROVER)


def _blocked(engine: Engine, row: OrderRow, party: Party) -> str | None:
    if not row.is_open or row.target is None:
        return None
    verdict = engine.diagnoser.cheap(row.target)
    return f"blocked on {party}: {verdict.sentence}" if verdict.party is party else None


OF_AN_ORDER: tuple[tuple[str, Weight, bool, Callable[[Engine, OrderRow], str | None]], ...] = (
    ("issued", Weight.GOOD, True, _issued),
    ("failed", Weight.BAD, True, _failed),
    ("deadline", Weight.WARNING, False, _deadline),
    ("you", Weight.WARNING, False, _you),
    ("approver", Weight.WARNING, False, _approver),
)
"""The facts of an order: a name, how bad it is, whether it is final, and what it is in words; None where it is not."""

_OF_BLOCKER = ("you", "approver")
_TELLS_NOTHING = frozenset({Party.UNKNOWN, Party.NOBODY_YET})
"""Verdicts of an order of which little is known yet, as after a start: they take nothing back."""


async def holding(engine: Engine) -> Holding:
    """Return the facts that hold now; other tasks have a turn meanwhile.

    Args:
        engine: The engine, its orders loaded.
    """
    facts: dict[str, Fact] = {}
    unsure: set[str] = set()
    for number, row in enumerate(OrderRows(engine).local(), start=1):
        if not number % ORDERS_A_TURN:
            await asyncio.sleep(0)
        order = row.order
        if order is None:
            continue
        name = f"{row.ssl_id or order.id} {row.common_name or '(no name)'}"
        for kind, weight, is_final, words in OF_AN_ORDER:
            text = words(engine, row)
            if text is not None:
                key = f"{kind} {order.id}"
                facts[key] = Fact(key, f"{name}: {text}", weight, is_final)
        if row.is_open and engine.diagnoser.cheap(order).party in _TELLS_NOTHING:
            unsure |= {f"{kind} {order.id}" for kind in _OF_BLOCKER}
    rejection = engine.rejection
    if rejection is not None:
        told = explain(rejection)
        line = f"SCM rejects the credentials, and polling is paused: {told.meaning} {told.next_step}"
        facts["credentials"] = Fact("credentials", line, Weight.BAD)
    elif engine.health.answered_at is None:
        unsure.add("credentials")
    return Holding(facts, frozenset(unsure))


class Message(Struct, frozen=True):
    """A message.

    Args:
        title: Its title.
        body: Its lines.
        weight: How it is marked.
    """

    title: str
    body: str
    weight: Weight


def message_of(facts: Sequence[Fact], account: str) -> Message:
    """Return facts as one message; text of SCM's or a requester's in it is made harmless.

    Args:
        facts: At least one.
        account: The account's name for the title.
    """
    order = [Weight.BAD, Weight.WARNING, Weight.GOOD]
    heaviest_first = sorted(facts, key=lambda fact: order.index(fact.weight))
    lines = [_harmless(fact.line) for fact in heaviest_first[:LINES_AT_MOST]]
    more = len(facts) - len(lines)
    if more:
        lines.append(f"and {more} more: sectigo-tui orders lists them")
    count = f"{len(facts)} changes" if len(facts) > 1 else "1 change"
    return Message(f"sectigo-tui {_harmless(account)}: {count}", "\n".join(lines), heaviest_first[0].weight)


def _harmless(text: str) -> str:
    """Return a text in which nothing calls a group of people, or is a link of the sender's."""
    return re.sub(r"[<>@`\[\]]", "?", printable(text, limit=LINE_CHARACTERS))


def is_quiet(quiet: str | None, at: datetime) -> bool:
    """Return whether nothing is sent at a time.

    Args:
        quiet: As `22:00-06:30`, which may reach past midnight; None for never.
        at: The time, in the time zone that is meant.
    """
    if quiet is None:
        return False
    start, _, end = quiet.partition("-")
    clock = f"{at:%H:%M}"
    return start <= clock < end if start < end else clock >= start or clock < end


async def addresses_of(settings: Settings, *, may_prompt: bool = False) -> Sequence[str]:
    """Return where notifications go, which a command may tell.

    Args:
        settings: The settings.
        may_prompt: Whether that command may ask the operator something on the terminal.

    Raises:
        ConfigError: It tells none.
    """
    found = await in_thread(lambda: settings.notification_urls(may_prompt=may_prompt))
    return [address.reveal() for address in found]


Send = Callable[[str, Message], Awaitable[str]]
"""Sends a message to an address; returns the error, empty for none."""


async def send(address: str, message: Message) -> str:
    """Send a message to an Apprise address.

    Args:
        address: The address, which holds tokens.
        message: The message.

    Returns:
        What went wrong, without the tokens; empty when the service took it.
    """
    try:
        async with asyncio.timeout(SEND_SECONDS):
            return await in_thread(lambda: _send(address, message))
    except TimeoutError:
        return f"{service_of(address)} did not answer within {SEND_SECONDS:g} s"


def _send(address: str, message: Message) -> str:
    with _warnings() as warnings:
        service = apprise.Apprise()
        if not service.add(address):
            return f"{service_of(address)}: Apprise knows no such address"
        is_sent = service.notify(
            message.body,
            title=message.title,
            notify_type=apprise.NotifyType(message.weight),
            body_format=apprise.NotifyFormat.TEXT,
        )
    if is_sent:
        return ""
    return (
        f"{service_of(address)}: {_without_tokens(warnings[-1], address) if warnings else 'the message was not taken'}"
    )


@contextmanager
def _warnings() -> Iterator[list[str]]:
    """Collect what Apprise complains of: it tells it to a log, and to nobody else."""
    found: list[str] = []

    class Collecting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(record.getMessage())

    logger, handler = logging.getLogger("apprise"), Collecting(logging.WARNING)
    before = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield found
    finally:
        logger.removeHandler(handler)
        logger.propagate = before


def service_of(address: str) -> str:
    """Return an address by its service alone: the rest of it holds tokens."""
    return f"{address.partition('://')[0]}://..."


def _without_tokens(text: str, address: str) -> str:
    """Return a text without the parts of an address that may be a token: all but words that are a host name."""
    parts = re.split(r"[/:@?&=#,]+", address.partition("://")[2])
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= 6 and part != "localhost" and not re.fullmatch(r"[\d.]+", part):
            text = text.replace(part, _MASK)
    return printable(text, limit=LINE_CHARACTERS)


class Notifier:
    """Sends what is new, once, for one engine after another.

    Args:
        sent: What was sent about.
        clock: The time.
        account: The account's name for titles.
        quiet: The time of day in which nothing is sent, as `is_quiet` takes it.
        addresses: Returns where messages go; may raise `ConfigError`.
        failed: Told what went wrong; whatever it is, sending is tried again.
        is_shared: Whether other hosts may poll in turn, so that what was sent about is kept in the store too.
        send: Sends one message.
    """

    def __init__(
        self,
        sent: NotifiedFile,
        clock: Clock,
        *,
        account: str,
        quiet: str | None,
        addresses: Callable[[], Awaitable[Sequence[str]]],
        failed: Callable[[SectigoTuiError], None],
        is_shared: bool = False,
        send: Send = send,
    ) -> None:
        self._sent = sent
        self._clock = clock
        self._account = account
        self._quiet = quiet
        self._addresses = addresses
        self._failed = failed
        self._is_shared = is_shared
        self._is_joined = False
        self._begun: frozenset[str] = frozenset()
        self._send = send
        self._engine: Engine | None = None
        self._is_stale = True
        self._taken_at = 0.0
        self._waiting: dict[str, Fact] = {}
        self._waiting_since = 0.0
        self._attempts = 0
        self._not_before = 0.0
        self._sent_here: frozenset[str] = frozenset()
        self._left: list[tuple[str, Message]] = []
        self._store_error = ""
        self._ending = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send while the block lasts; what waits at its end is sent then, if that takes no longer than a while."""
        running = asyncio.create_task(self._run())
        try:
            yield
        finally:
            self._ending.set()
            await asyncio.wait({running}, timeout=END_SECONDS)
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running
            with suppress(StoreError):
                await asyncio.to_thread(self._sent.end, self._begun, is_sent=False)
            self._sent.close()

    @asynccontextmanager
    async def reading(self, engine: Engine) -> AsyncIterator[None]:
        """Read an engine while the block lasts; what holds at its end is told too."""
        silence = engine.event_source.subscribe(self._receive)
        self._engine, self._is_stale, self._is_joined = engine, True, False
        try:
            yield
        finally:
            silence()
            await self._take(engine)
            # Now, while the store is open: another host that polls from now on must not send about it too.
            if self._waiting and self._may_send():
                await self._deliver()
            self._begun = await self._begin()
            self._engine = None

    def _receive(self, event: EngineEvent) -> None:
        self._is_stale = self._is_stale or isinstance(event, OrderChanged | PollingPaused | PollingResumed)

    async def _run(self) -> None:
        await self._report_unknown()
        while not self._ending.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ending.wait(), ROUND_SECONDS)
            try:
                await self._round()
            except Exception as defect:  # noqa: BLE001 - the boundary of notifications: polling goes on without them
                keep_crash(defect, "notifications")

    async def _round(self) -> None:
        engine, at = self._engine, self._clock.monotonic()
        if engine is not None and (self._is_stale or at - self._taken_at >= TAKEN_SECONDS):
            self._is_stale, self._taken_at = False, at
            await self._take(engine)
        if not self._may_send():
            return
        if self._waiting and (self._ending.is_set() or at - self._waiting_since >= GROUPED_SECONDS):
            await self._deliver()
        if self._left and self._may_send():
            await self._deliver_what_is_left()

    def _may_send(self) -> bool:
        is_put_off = self._clock.monotonic() < self._not_before
        return not is_put_off and not is_quiet(self._quiet, self._clock.now().astimezone())

    async def _report_unknown(self) -> None:
        """Say which facts a killed process was sending about: whether that arrived is not known."""
        try:
            unknown = await asyncio.to_thread(self._sent.left_over)
        except StoreError as failure:
            self._store_failed(failure)
            return
        if unknown:
            self._failed(
                InputError(
                    f"a notification of {len(unknown)} changes may not have arrived, and is not sent again",
                    "sectigo-tui orders shows how the orders stand",
                )
            )

    async def _take(self, engine: Engine) -> None:
        """Compare what holds with what was sent about; only the poller does."""
        if engine.orders.poller():
            self._waiting.clear()
            self._is_joined = False
            return
        now = await holding(engine)
        try:
            await self._join(engine)
            if self._sent.is_new:
                # Orders from before there were notifications are no news.
                old = [key for key, fact in now.facts.items() if fact.is_final]
                await asyncio.to_thread(self._sent.begin, old)
                await asyncio.to_thread(self._sent.end, old, is_sent=True)
                await self._share()
            known = self._sent.read().sent - self._begun
            gone = known - now.facts.keys() - now.unsure
            if gone:
                await asyncio.to_thread(self._sent.forget, gone)
                await self._share()
        except StoreError as failure:
            self._store_failed(failure)
            known, gone = self._sent_here, self._sent_here - now.facts.keys() - now.unsure
        self._sent_here -= gone
        kept = {
            key: fact for key, fact in self._waiting.items() if fact.is_final or key in now.facts.keys() | now.unsure
        }
        new = {key: fact for key, fact in now.facts.items() if key not in known | self._sent_here}
        if not kept:
            self._waiting_since = self._clock.monotonic()
        self._waiting = {**kept, **new}

    async def _join(self, engine: Engine) -> None:
        """Take over from whoever polled before, on whatever host, what was sent about."""
        if not self._is_shared or self._is_joined:
            return
        kept = await engine.shared_record(RECORD, Notified)
        if kept is not None:
            await asyncio.to_thread(self._sent.replace, Notified(kept.sent, kept.sending - self._sent_here))
            await self._report_unknown()
        self._is_joined = True

    async def _share(self) -> None:
        if self._is_shared and self._engine is not None:
            await self._engine.share_record(RECORD, self._sent.read())

    async def _begin(self) -> frozenset[str]:
        """Mark what waits as being sent, and return what nobody has sent yet."""
        if not self._waiting:
            return self._begun
        new = self._waiting.keys() - self._begun
        try:
            begun = await asyncio.to_thread(self._sent.begin, new)
            await self._share()
        except StoreError as failure:
            # A disk that is full is no reason to tell nobody of it; this process at least remembers.
            self._store_failed(failure)
            begun = frozenset(new) - self._sent_here
        return self._begun | begun

    async def _deliver(self) -> None:
        keys = await self._begin()
        facts = [fact for key, fact in self._waiting.items() if key in keys]
        is_sent = not facts
        try:
            if facts:
                is_sent = await self._deliver_facts(facts)
        finally:
            self._begun = frozenset()
            with suppress(StoreError):
                await asyncio.to_thread(self._sent.end, keys, is_sent=is_sent)
                await self._share()
        if is_sent:
            self._sent_here |= keys
            self._waiting = {}
            self._attempts = 0

    async def _deliver_facts(self, facts: Sequence[Fact]) -> bool:
        """Send facts in one message, and return whether any service took it."""
        message = message_of(facts, self._account)
        try:
            addresses = await self._addresses()
        except ConfigError as failure:
            self._put_off(str(failure))
            return False
        errors = await asyncio.gather(*(self._send(address, message) for address in addresses))
        failed = [address for address, error in zip(addresses, errors, strict=True) if error]
        if not failed:
            return True
        self._put_off("; ".join(filter(None, errors)))
        if len(failed) == len(addresses):
            return False
        self._left += [(address, message) for address in failed]
        return True

    async def _deliver_what_is_left(self) -> None:
        left, self._left = self._left, []
        errors = await asyncio.gather(*(self._send(*each) for each in left))
        still = [each for each, error in zip(left, errors, strict=True) if error]
        if not still:
            self._attempts = 0
            return
        self._put_off("; ".join(filter(None, errors)))
        if self._attempts < ATTEMPTS_ELSEWHERE:
            self._left += still

    def _store_failed(self, failure: StoreError) -> None:
        """Report once why it cannot be kept what was sent."""
        if str(failure) != self._store_error:
            self._store_error = str(failure)
            self._failed(failure)

    def _put_off(self, why: str) -> None:
        wait = RETRY_SECONDS[min(self._attempts, len(RETRY_SECONDS) - 1)]
        self._attempts += 1
        self._not_before = self._clock.monotonic() + wait
        self._failed(
            InputError(f"not sent: {why}", f"it is tried again in {wait:g} s; sectigo-tui notify test tries it too")
        )
