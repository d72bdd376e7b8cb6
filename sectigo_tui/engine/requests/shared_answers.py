"""Answers of SCM's that all processes share: whoever needs one first asks, and the others read it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from uuid import uuid4
from zlib import crc32

from msgspec import Struct, field

from sectigo_tui.domain.clock import Clock, seconds_between
from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.ports import OrderStore

LOCK_SECONDS = 120.0
"""How long a call is left to the process that makes it: longer than a request may take by default."""

SETTLE_SECONDS = 0.05
"""After this a lock is read again: of two that were taken at once, the later one stands."""

TURN_SECONDS = 0.5
"""How often an answer is read that another process is asking for."""

KEPT_SECONDS = 86_400.0
KEPT_IN_EACH = 500
"""How many answers one record holds at most, the newest."""

_RECORDS = "abcdefghijklmnop"
"""Answers are spread over so many records: each is written as a whole."""

_LOCKS_TRIED = 3


class KeptAnswer(Struct, frozen=True, kw_only=True):
    """An answer of SCM's as it is kept for every process.

    Args:
        key: What was asked, such as `dcv/2100001/Applied`.
        source: Names the call for a person.
        value: What was told, as JSON; empty where nothing was.
        at: When it was told; None where nothing was.
        error: Why the newest call failed; empty when it did not.
        failed_at: When it failed.
        http_status: The status with which it failed.
        code: SCM's own code with which it failed.
    """

    key: str
    source: str
    value: str = ""
    at: datetime | None = None
    error: str = ""
    failed_at: datetime | None = None
    http_status: int | None = None
    code: int | None = None

    @property
    def newest(self) -> datetime | None:
        """When SCM was asked last."""
        return max((at for at in (self.at, self.failed_at) if at is not None), default=None)


class CallLock(Struct, frozen=True):
    """The sole right of one process to make a call, for some time."""

    by: str
    until: datetime


class AnswerRecord(Struct, frozen=True):
    """Some of the answers, and who is asking for which, as the store keeps them."""

    answers: dict[str, KeptAnswer] = field(default_factory=dict)
    locks: dict[str, CallLock] = field(default_factory=dict)


class WantedRecord(Struct, frozen=True):
    """The orders whose evidence is on a screen, by sslId, and until when."""

    until: dict[int, datetime] = field(default_factory=dict)


IsFresh = Callable[[KeptAnswer], bool]


class SharedAnswers:
    """The shared answers as one process has them.

    Where the store cannot keep them, each process asks for itself: nothing but requests is lost.

    Args:
        clock: The time.
        store: Where they are kept.

    Attributes:
        changes: How often another process has brought something new.
        on_read: Is told the answers that others brought; must not raise.
    """

    def __init__(self, clock: Clock, store: OrderStore) -> None:
        self.changes = 0
        self.on_read: Callable[[Sequence[KeptAnswer]], None] = lambda _answers: None
        self._clock = clock
        self._store = store
        self._me = uuid4().hex
        self._kept: dict[str, dict[str, KeptAnswer]] = {name: {} for name in _RECORDS}
        self._writing = {name: asyncio.Lock() for name in _RECORDS}

    def kept(self, key: str) -> KeptAnswer | None:
        """Return an answer that this or another process has kept; None where none is known."""
        return self._kept[_record_of(key)].get(key)

    async def read(self) -> None:
        """Take note of what others have kept since."""
        for name in _RECORDS:
            await self._read(name)

    async def turn(self, key: str, is_fresh: IsFresh) -> KeptAnswer | None:
        """Wait until a call is this process's to make, or another has made it.

        Args:
            key: What is to be asked.
            is_fresh: Whether an answer is young enough.

        Returns:
            The answer that another process has kept; None where this process is to ask, and then to `keep` or
            `release`.
        """
        name, deadline, unkept = _record_of(key), self._clock.now() + timedelta(seconds=LOCK_SECONDS), 0
        while self._clock.now() < deadline and unkept < _LOCKS_TRIED:
            lock = (await self._read(name)).locks.get(key)
            kept = self.kept(key)
            if kept is not None and is_fresh(kept):
                return kept
            if lock is not None and lock.by != self._me and lock.until > self._clock.now():
                await self._clock.sleep(TURN_SECONDS)
                continue
            until = self._clock.now() + timedelta(seconds=LOCK_SECONDS)
            await self._change(name, locks={key: CallLock(self._me, until)})
            await self._clock.sleep(SETTLE_SECONDS)
            lock = (await self._read(name)).locks.get(key)
            if lock is not None and lock.by == self._me:
                return None
            unkept += lock is None
        return None

    async def keep(self, answer: KeptAnswer) -> None:
        """Keep an answer for all, and give the right to its call back."""
        self._kept[_record_of(answer.key)][answer.key] = answer
        await self._change(_record_of(answer.key), answers={answer.key: answer}, locks={answer.key: None})

    async def release(self, key: str) -> None:
        """Give the right to a call back that brought nothing to share."""
        await self._change(_record_of(key), locks={key: None})

    async def want(self, ssl_ids: Iterable[int], seconds: float) -> None:
        """Let whoever polls keep the evidence of orders fresh, for some time."""
        now = self._clock.now()
        known, wanted = await self._wanted(), list(ssl_ids)
        if all(ssl_id in known and seconds_between(now, known[ssl_id]) > seconds / 2 for ssl_id in wanted):
            return
        until = {ssl_id: at for ssl_id, at in known.items() if at > now}
        until |= dict.fromkeys(wanted, now + timedelta(seconds=seconds))
        with suppress(StoreError):
            await self._store.keep_fetched("evidence-wanted", WantedRecord(until))

    async def wanted(self) -> Sequence[int]:
        """Return the orders whose evidence some process wants now, by sslId, the latest wanted first."""
        now = self._clock.now()
        known = {ssl_id: until for ssl_id, until in (await self._wanted()).items() if until > now}
        return sorted(known, key=lambda ssl_id: known[ssl_id], reverse=True)

    async def _wanted(self) -> dict[int, datetime]:
        record = None
        with suppress(StoreError):
            record = await self._store.fetched("evidence-wanted", WantedRecord)
        return record.until if record is not None else {}

    async def _read(self, name: str) -> AnswerRecord:
        record = AnswerRecord()
        with suppress(StoreError):
            record = await self._store.fetched(f"evidence-{name}", AnswerRecord) or record
        known = self._kept[name]
        changed = [answer for key, answer in record.answers.items() if answer != known.get(key)]
        if changed:
            self._kept[name] = {key: known[key] for key in record.answers if key in known}
            self._kept[name] |= {answer.key: answer for answer in changed}
            self.changes += 1
            self.on_read(changed)
        return record

    async def _change(
        self, name: str, *, answers: dict[str, KeptAnswer] | None = None, locks: dict[str, CallLock | None]
    ) -> None:
        async with self._writing[name]:
            record, now = await self._read(name), self._clock.now()
            kept = sorted((record.answers | (answers or {})).values(), key=lambda one: one.newest or now)
            young = [one for one in kept if seconds_between(one.newest or now, now) < KEPT_SECONDS][-KEPT_IN_EACH:]
            locked = {key: lock for key, lock in record.locks.items() if lock.until > now and key not in locks}
            locked |= {key: lock for key, lock in locks.items() if lock is not None}
            with suppress(StoreError):
                await self._store.keep_fetched(
                    f"evidence-{name}", AnswerRecord({one.key: one for one in young}, locked)
                )


def _record_of(key: str) -> str:
    return _RECORDS[crc32(key.encode(errors="surrogatepass")) % len(_RECORDS)]
