"""The calls that fetch evidence, each with a cache of its answers."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.account import Organization
from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.clock import Clock, seconds_between
from sectigo_tui.domain.dns import CaaAnswer, Dns
from sectigo_tui.domain.errors import CredentialsRefused, DnsFailure, ScmFailure
from sectigo_tui.domain.status import meaning_of
from sectigo_tui.domain.validation import DcvLog, DomainValidation, OrganizationValidation
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.diagnosis.evidence.model import Answer, AnswerState, PublishedRecord, quoted
from sectigo_tui.engine.requests.limiter import Priority

K = TypeVar("K")
T = TypeVar("T")

FAILURE_KEPT_SECONDS = 15.0
"""A call that failed is not made again sooner: visible rows would repeat it at every tick."""

KEPT = 4_000


class AnswerCache(Generic[K, T]):
    """The answers of one call, by what was asked.

    Args:
        clock: The time.
        source: Names the call for a person.
        call: Makes it; raises `ScmFailure` or `DnsFailure`.

    Attributes:
        changes: How often what `peek` returns may have changed.
    """

    def __init__(self, clock: Clock, source: Callable[[K], str], call: Callable[[K], Awaitable[T]]) -> None:
        self._clock = clock
        self._source = source
        self._call = call
        self.changes = 0
        self._answers: OrderedDict[K, Answer[T]] = OrderedDict()
        self._rejected: set[K] = set()  # may go as soon as the credentials are rotated
        self._asking: dict[K, asyncio.Task[Answer[T]]] = {}

    def peek(self, key: K) -> Answer[T]:
        """Return what is known, asking nobody."""
        kept_answer = self._older(key)
        return replace(kept_answer, state=AnswerState.ASKING) if key in self._asking else kept_answer

    def put(self, key: K, value: T) -> None:
        """Take note of an answer that came by another way."""
        self._keep(key, Answer(self._source(key), AnswerState.KNOWN, value, self._clock.now()))

    async def get(self, key: K, *, max_age_seconds: float) -> Answer[T]:
        """Return an answer, asking unless one is young enough; callers at the same time share one request.

        Args:
            key: What to ask about.
            max_age_seconds: How old an answer may be; zero asks whatever is known.

        Returns:
            The answer; a failure is in it, with the older value if there is one.
        """
        asking = self._asking.get(key)
        if asking is None:
            if self._is_fresh(key, max_age_seconds):
                return self._answers[key]
            asking = asyncio.create_task(self._ask(key), name=self._source(key))
            self._asking[key] = asking
            self.changes += 1
            asking.add_done_callback(lambda _ended: self._asked(key))
        return await asyncio.shield(asking)

    def _older(self, key: K) -> Answer[T]:
        nothing: Answer[T] = Answer(self._source(key))
        return self._answers.get(key, nothing)

    def _is_fresh(self, key: K, max_age_seconds: float) -> bool:
        kept_answer, now = self._answers.get(key), self._clock.now()
        if kept_answer is None:
            return False
        if kept_answer.is_failed:
            failed_at = None if key in self._rejected else kept_answer.failed_at
            kept_seconds = min(FAILURE_KEPT_SECONDS, max_age_seconds)
            return failed_at is not None and seconds_between(failed_at, now) < kept_seconds
        return kept_answer.at is not None and seconds_between(kept_answer.at, now) < max_age_seconds

    async def _ask(self, key: K) -> Answer[T]:
        self._rejected.discard(key)
        try:
            answer = await self._call(key)
        except ScmFailure as failure:
            if isinstance(failure, CredentialsRefused):
                self._rejected.add(key)
            kept_answer = self._failed(key, failure.description or failure.reason)
            kept_answer = replace(kept_answer, http_status=failure.http_status, code=failure.code)
        except DnsFailure as failure:
            kept_answer = self._failed(key, failure.reason)
        else:
            kept_answer = Answer(self._source(key), AnswerState.KNOWN, answer, self._clock.now())
        self._keep(key, kept_answer)
        return kept_answer

    def _failed(self, key: K, error: str) -> Answer[T]:
        return replace(self._older(key), state=AnswerState.FAILED, error=error, failed_at=self._clock.now())

    def _asked(self, key: K) -> None:
        self._asking.pop(key, None)
        self.changes += 1

    def _keep(self, key: K, kept_answer: Answer[T]) -> None:
        self.changes += 1
        self._answers[key] = kept_answer
        self._answers.move_to_end(key)
        while len(self._answers) > KEPT:
            forgotten, _ = self._answers.popitem(last=False)
            self._rejected.discard(forgotten)


DNS_AT_ONCE = 4


class DcvKey(Struct, frozen=True):
    """An order under one status: an answer is not used any more once the order has another."""

    ssl_id: int
    status: str

    @classmethod
    def of(cls, ssl_id: int, status: str) -> DcvKey:
        """Return the key for a status, however it is spelled."""
        return cls(ssl_id, meaning_of(status).name)


class RecordKey(Struct, frozen=True):
    """A DCV record as its owner was asked to publish it."""

    kind: str
    host: str
    point: str


class Sources:
    """An answer cache for each call; requests to SCM go through the request limiter, at the priority of visible rows.

    Args:
        context: The world.
        account: What is known of the account's remote orders.
        dns: The DNS; None unless the operator has switched it on.

    Attributes:
        dns_is_on: Whether there is a DNS to ask.
        details: An order, by sslId.
        dcv: An order's domain control validation.
        domains: The account's validation of a domain.
        organizations: All organizations and departments.
        validations: An organization's validations.
        validation: One validation with the CA's words, by organization and its own id.
        caa: The CAA records that hold for a name.
        records: What is published of a DCV record.
    """

    def __init__(self, context: Context, account: Account, dns: Dns | None) -> None:
        scm, limiter, clock = context.scm, context.limiter, context.clock

        def ask(side: str, call: Callable[[], Awaitable[T]]) -> Awaitable[T]:
            return limiter.run(Priority.SIGHT, call, side=side)

        self.dns_is_on = dns is not None
        self._dns = dns
        self._dns_places = asyncio.Semaphore(DNS_AT_ONCE)
        self.details = AnswerCache[int, OrderDetails](
            clock, lambda ssl_id: f"SCM details {ssl_id}", lambda ssl_id: account.details(ssl_id, fresh_seconds=0.0)
        )
        self.dcv = AnswerCache[DcvKey, DcvLog](
            clock, lambda key: f"SCM dcv {key.ssl_id}", lambda key: ask("dcv", lambda: scm.dcv(key.ssl_id))
        )
        self.domains = AnswerCache[str, DomainValidation](
            clock,
            lambda domain: f"SCM domain status {quoted(domain)}",
            lambda domain: ask("domain_status", lambda: scm.domain_status(domain)),
        )
        self.organizations = AnswerCache[None, tuple[Organization, ...]](
            clock, lambda _: "SCM organizations", lambda _: ask("organizations", scm.organizations)
        )
        self.validations = AnswerCache[int, tuple[OrganizationValidation, ...]](
            clock,
            lambda holder: f"SCM organization validations {holder}",
            lambda holder: ask("organization_validations", lambda: scm.organization_validations(holder)),
        )
        self.validation = AnswerCache[tuple[int, int], OrganizationValidation](
            clock,
            lambda key: f"SCM organization validation {key[0]}/{key[1]}",
            lambda key: ask("organization_validation", lambda: scm.organization_validation(*key)),
        )
        self.caa = AnswerCache[str, CaaAnswer](clock, lambda name: f"DNS CAA {quoted(name)}", self._query_caa)
        self.records = AnswerCache[RecordKey, PublishedRecord](
            clock, lambda key: f"DNS {key.kind} {quoted(key.host)}", self._query_record
        )

    @property
    def changes(self) -> int:
        """How often anything here may have changed."""
        scm = (self.details, self.dcv, self.domains, self.organizations, self.validations, self.validation)
        return sum(cache.changes for cache in (*scm, self.caa, self.records))

    async def _query_caa(self, name: str) -> CaaAnswer:
        async with self._dns_places:
            return await self._resolver().caa(name)

    async def _query_record(self, key: RecordKey) -> PublishedRecord:
        async with self._dns_places:
            if key.kind == "TXT":
                found = await self._resolver().txt(key.host)
            else:
                target = await self._resolver().cname(key.host)
                found = (target,) if target else ()
        asked = _plain(key.point)
        return PublishedRecord(key.host, key.kind, found, any(_plain(text) == asked for text in found))

    def _resolver(self) -> Dns:
        if self._dns is None:
            raise ValueError("DNS lookups are off")
        return self._dns


def _plain(text: str) -> str:
    return text.strip().strip('"').rstrip(".").casefold()
