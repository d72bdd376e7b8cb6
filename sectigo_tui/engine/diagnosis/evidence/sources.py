"""The calls that fetch evidence, each with a cache of its answers."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.account import Organization
from sectigo_tui.domain.certificates import ListingFilter, ListingPage, OrderDetails
from sectigo_tui.domain.clock import Clock, moment_from, seconds_between
from sectigo_tui.domain.dns import CaaAnswer, Dns
from sectigo_tui.domain.errors import CredentialsRefused, DnsFailure, ScmFailure
from sectigo_tui.domain.limits import PAGE_SIZE
from sectigo_tui.domain.status import meaning_of
from sectigo_tui.domain.validation import (
    AccountDomain,
    Allowance,
    DcvLog,
    DomainName,
    DomainValidation,
    OrganizationValidation,
)
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.diagnosis.evidence.model import (
    DCV_UNUSED_CODE,
    Answer,
    AnswerState,
    PublishedRecord,
    quoted,
)
from sectigo_tui.engine.requests.limiter import Priority
from sectigo_tui.engine.requests.shared_answers import KeptAnswer, SharedAnswers

K = TypeVar("K")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

SENT_KEPT = 1_000

FAILURE_KEPT_SECONDS = 15.0
"""A call that failed is not made again sooner: visible rows would repeat it at every tick."""

REFUSAL_KEPT_SECONDS = 3_600.0
"""A login that may not make a call is refused again once an hour."""

PAGES_AT_MOST = 25
"""Of a list of the account's domains, so many pages are read."""

KEPT = 4_000


class Sharing(Struct, Generic[K], frozen=True):
    """How the answers of a call are shared with other processes.

    Args:
        answers: The shared answers.
        name: Names what was asked.
        kind: What an answer is, as msgspec reads it.
    """

    answers: SharedAnswers
    name: Callable[[K], str]
    kind: Any


class AnswerCache(Generic[K, T]):
    """The answers of one call, by what was asked.

    Args:
        clock: The time.
        source: Names the call for a person.
        call: Makes it, given how old its answer may be; raises `ScmFailure` or `DnsFailure`.
        sharing: How its answers are shared with other processes; None where they are not, or by the call itself.
        answered_at: Returns when SCM gave an answer that has just come; now, where it is None.

    Attributes:
        changes: How often what `peek` returns may have changed, but for what other processes bring.
    """

    def __init__(
        self,
        clock: Clock,
        source: Callable[[K], str],
        call: Callable[[K, float], Awaitable[T]],
        *,
        sharing: Sharing[K] | None = None,
        answered_at: Callable[[K], datetime | None] = lambda _key: None,
    ) -> None:
        self._clock = clock
        self._source = source
        self._call = call
        self._sharing = sharing
        self._answered_at = answered_at
        self.changes = 0
        self._answers: OrderedDict[K, Answer[T]] = OrderedDict()
        self._taken: dict[K, KeptAnswer] = {}
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
            known = self._older(key)
            if key not in self._rejected and is_fresh(known, self._clock.now(), max_age_seconds):
                return known
            asking = asyncio.create_task(self._ask(key, max_age_seconds), name=self._source(key))
            self._asking[key] = asking
            self.changes += 1
            asking.add_done_callback(lambda _ended: self._asked(key))
        return await asyncio.shield(asking)

    def _older(self, key: K) -> Answer[T]:
        self._take(key)
        nothing: Answer[T] = Answer(self._source(key))
        return self._answers.get(key, nothing)

    def _take(self, key: K) -> None:
        """Take what another process has kept, where it is newer."""
        sharing = self._sharing
        kept = sharing.answers.kept(sharing.name(key)) if sharing is not None else None
        if sharing is None or kept is None or self._taken.get(key) is kept:
            return
        self._taken[key] = kept
        own = self._answers.get(key)
        answer = self._answer_in(kept, sharing)
        if answer is not None and (own is None or (answer.newest or _LONG_AGO) > (own.newest or _LONG_AGO)):
            self._put(key, answer)

    def _answer_in(self, kept: KeptAnswer, sharing: Sharing[K]) -> Answer[T] | None:
        """Return an answer as it was kept; None where it was kept by another version, and cannot be read."""
        try:
            value = msgspec.json.decode(kept.value, type=sharing.kind, dec_hook=moment_from) if kept.value else None
        except (msgspec.MsgspecError, ValueError, NotImplementedError):
            return None
        return Answer(
            source=kept.source,
            state=AnswerState.FAILED if kept.error else AnswerState.KNOWN,
            value=value,
            at=kept.at,
            error=kept.error,
            failed_at=kept.failed_at,
            http_status=kept.http_status,
            code=kept.code,
        )

    async def _ask(self, key: K, max_age_seconds: float) -> Answer[T]:
        self._rejected.discard(key)
        sharing = self._sharing
        if sharing is not None and max_age_seconds > 0:

            def is_usable(kept: KeptAnswer) -> bool:
                answer = self._answer_in(kept, sharing)
                return answer is not None and is_fresh(answer, self._clock.now(), max_age_seconds)

            if await sharing.answers.turn(sharing.name(key), is_usable) is not None:
                return self._older(key)
        try:
            kept_answer = await self._call_once(key, max_age_seconds)
        except BaseException:
            if sharing is not None:
                await asyncio.shield(sharing.answers.release(sharing.name(key)))
            raise
        self._keep(key, kept_answer)
        if sharing is not None:
            await self._share(key, kept_answer, sharing)
        return kept_answer

    async def _call_once(self, key: K, max_age_seconds: float) -> Answer[T]:
        try:
            answer = await self._call(key, max_age_seconds)
        except ScmFailure as failure:
            if isinstance(failure, CredentialsRefused):
                self._rejected.add(key)
            kept_answer = self._failed(key, failure.description or failure.reason)
            return replace(kept_answer, http_status=failure.http_status, code=failure.code)
        except DnsFailure as failure:
            return self._failed(key, failure.reason)
        return Answer(self._source(key), AnswerState.KNOWN, answer, self._answered_at(key) or self._clock.now())

    async def _share(self, key: K, answer: Answer[T], sharing: Sharing[K]) -> None:
        """Let other processes have an answer; not that the credentials of this one are rejected."""
        name = sharing.name(key)
        if key in self._rejected:
            await sharing.answers.release(name)
            return
        value = msgspec.json.encode(answer.value).decode() if answer.value is not None else ""
        await sharing.answers.keep(
            KeptAnswer(
                key=name,
                source=answer.source,
                value=value,
                at=answer.at,
                error=answer.error,
                failed_at=answer.failed_at,
                http_status=answer.http_status,
                code=answer.code,
            )
        )

    def _failed(self, key: K, error: str) -> Answer[T]:
        error = error or "it failed without a word"
        return replace(self._older(key), state=AnswerState.FAILED, error=error, failed_at=self._clock.now())

    def _asked(self, key: K) -> None:
        self._asking.pop(key, None)
        self.changes += 1

    def _keep(self, key: K, kept_answer: Answer[T]) -> None:
        self.changes += 1
        self._put(key, kept_answer)

    def _put(self, key: K, kept_answer: Answer[T]) -> None:
        self._answers[key] = kept_answer
        self._answers.move_to_end(key)
        while len(self._answers) > KEPT:
            forgotten, _ = self._answers.popitem(last=False)
            self._rejected.discard(forgotten)
            self._taken.pop(forgotten, None)


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def is_fresh(answer: Answer[object], now: datetime, max_age_seconds: float) -> bool:
    """Return whether an answer is young enough.

    What SCM refused is as good as an answer for as long; what the login may not ask is not asked again for an hour;
    what did not come through is asked again soon.
    """
    if not answer.is_failed:
        return answer.at is not None and seconds_between(answer.at, now) < max_age_seconds
    if answer.failed_at is None or max_age_seconds <= 0:
        return False
    kept_seconds = min(FAILURE_KEPT_SECONDS, max_age_seconds)
    if answer.is_not_allowed or answer.code == DCV_UNUSED_CODE:
        kept_seconds = REFUSAL_KEPT_SECONDS
    elif answer.code is not None and answer.http_status == 400:
        kept_seconds = max_age_seconds
    return seconds_between(answer.failed_at, now) < kept_seconds


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


class Page(Protocol[T_co]):
    """A page of a list."""

    @property
    def rows(self) -> tuple[T_co, ...]:
        """Its rows."""
        ...

    @property
    def total(self) -> int | None:
        """How many rows the whole list has; None where that is not told."""
        ...


async def all_pages(ask: Callable[[int], Awaitable[Page[T]]]) -> tuple[T, ...]:
    """Return the rows of a list, page by page, at most `PAGES_AT_MOST`.

    Args:
        ask: Asks for the page that begins at a position.
    """
    rows: dict[T, None] = {}
    for position in range(0, PAGES_AT_MOST * PAGE_SIZE, PAGE_SIZE):
        page, before = await ask(position), len(rows)
        rows |= dict.fromkeys(page.rows)
        is_last = position + PAGE_SIZE >= page.total if page.total is not None else len(page.rows) < PAGE_SIZE
        if is_last or len(rows) == before:
            break
    return tuple(rows)


class Sources:
    """An answer cache for each call; requests to SCM go through the request limiter, at the priority of visible rows.

    What SCM tells is shared with all processes; what DNS tells is not.

    Args:
        context: What every service works with.
        account: What is known of the account's remote orders.
        dns: The DNS; None unless the operator has switched it on.

    Attributes:
        dns_is_on: Whether there is a DNS to ask.
        details: An order, by sslId.
        dcv: An order's domain control validation.
        domains: The account's validation of a domain.
        listed_domains: The account's validations of all domains, without what is to be published.
        ending_domains: Those that end within so many days.
        issued_below: The first issued certificates whose common name has a domain in it.
        issued_for: How many certificates an organization or department has.
        domain_names: All domains of the account.
        account_domains: A domain's state and delegations, by its id.
        organizations: All organizations and departments.
        validations: An organization's validations.
        validation: One validation with the CA's words, by organization and its own id.
        usage: What is left of the contract.
        caa: The CAA records that hold for a name.
        records: What is published of a DCV record.
        sent: When this process sent its newest requests, in monotonic seconds.
    """

    def __init__(self, context: Context, account: Account, dns: Dns | None) -> None:
        limiter, clock = context.limiter, context.clock
        self.sent: deque[float] = deque(maxlen=SENT_KEPT)

        async def ask(side: str, call: Callable[[], Awaitable[T]]) -> T:
            self.sent.append(clock.monotonic())
            return await limiter.run(Priority.SIGHT, call, side=side)

        def shared(name: Callable[[K], str], kind: Any) -> Sharing[K]:
            return Sharing(account.shared, name, kind)

        async def details(ssl_id: int, max_age_seconds: float) -> OrderDetails:
            self.sent.append(clock.monotonic())
            return await account.details(ssl_id, fresh_seconds=max_age_seconds)

        def answered_at(ssl_id: int) -> datetime | None:
            known = account.known(ssl_id)
            return known.at if known is not None else None

        self.dns_is_on = dns is not None
        self._dns = dns
        self._dns_places = asyncio.Semaphore(DNS_AT_ONCE)
        self._shared = account.shared
        self.details = AnswerCache[int, OrderDetails](
            clock, lambda ssl_id: f"SCM details {ssl_id}", details, answered_at=answered_at
        )
        self.dcv = AnswerCache[DcvKey, DcvLog](
            clock,
            lambda key: f"SCM dcv {key.ssl_id}",
            lambda key, _: ask("dcv", lambda: context.scm.dcv(key.ssl_id)),
            sharing=shared(lambda key: f"dcv/{key.ssl_id}/{key.status}", DcvLog),
        )
        self.domains = AnswerCache[str, DomainValidation](
            clock,
            lambda domain: f"SCM domain status {quoted(domain)}",
            lambda domain, _: ask("domain_status", lambda: context.scm.domain_status(domain)),
            sharing=shared(lambda domain: f"domain-status/{domain}", DomainValidation),
        )
        self.listed_domains = AnswerCache[None, tuple[DomainValidation, ...]](
            clock,
            lambda _: "SCM domain validations",
            lambda _, _age: all_pages(
                lambda position: ask(
                    "domain_validations",
                    lambda: context.scm.domain_validations(expires_in_days=None, position=position, size=PAGE_SIZE),
                )
            ),
            sharing=shared(lambda _: "domain-validations", tuple[DomainValidation, ...]),
        )
        self.ending_domains = AnswerCache[int, tuple[DomainValidation, ...]](
            clock,
            lambda days: f"SCM domain validations that end within {days} d",
            lambda days, _: all_pages(
                lambda position: ask(
                    "domain_validations",
                    lambda: context.scm.domain_validations(expires_in_days=days, position=position, size=PAGE_SIZE),
                )
            ),
            sharing=shared(lambda days: f"domain-validations/{days}", tuple[DomainValidation, ...]),
        )
        self.issued_below = AnswerCache[str, ListingPage](
            clock,
            lambda domain: f"SCM listing of issued certificates of {quoted(domain)}",
            lambda domain, _: account.spellings.ask(
                ListingFilter(status="Issued", common_name=domain),
                lambda where: ask("", lambda: context.scm.listing(where, position=0, size=PAGE_SIZE)),
            ),
            sharing=shared(lambda domain: f"issued-below/{domain}", ListingPage),
        )
        self.issued_for = AnswerCache[int, int](
            clock,
            lambda organization_id: f"SCM count of issued certificates of organization {organization_id}",
            lambda organization_id, _: account.spellings.ask(
                ListingFilter(status="Issued", organization_id=organization_id),
                lambda where: ask("", lambda: context.scm.count(where)),
            ),
            sharing=shared(lambda organization_id: f"issued-for/{organization_id}", int),
        )
        self.domain_names = AnswerCache[None, tuple[DomainName, ...]](
            clock,
            lambda _: "SCM domains",
            lambda _, _age: all_pages(
                lambda position: ask("domains", lambda: context.scm.domains(position=position, size=PAGE_SIZE))
            ),
            sharing=shared(lambda _: "domains", tuple[DomainName, ...]),
        )
        self.account_domains = AnswerCache[int, AccountDomain](
            clock,
            lambda domain_id: f"SCM domain {domain_id}",
            lambda domain_id, _: ask("account_domain", lambda: context.scm.account_domain(domain_id)),
            sharing=shared(lambda domain_id: f"domain/{domain_id}", AccountDomain),
        )
        self.organizations = AnswerCache[None, tuple[Organization, ...]](
            clock,
            lambda _: "SCM organizations",
            lambda _, _age: ask("organizations", context.scm.organizations),
            sharing=shared(lambda _: "organizations", tuple[Organization, ...]),
        )
        self.validations = AnswerCache[int, tuple[OrganizationValidation, ...]](
            clock,
            lambda holder: f"SCM organization validations {holder}",
            lambda holder, _: ask("organization_validations", lambda: context.scm.organization_validations(holder)),
            sharing=shared(lambda holder: f"organization/{holder}", tuple[OrganizationValidation, ...]),
        )
        self.validation = AnswerCache[tuple[int, int], OrganizationValidation](
            clock,
            lambda key: f"SCM organization validation {key[0]}/{key[1]}",
            lambda key, _: ask("organization_validation", lambda: context.scm.organization_validation(*key)),
            sharing=shared(lambda key: f"organization/{key[0]}/{key[1]}", OrganizationValidation),
        )
        self.usage = AnswerCache[None, tuple[Allowance, ...]](
            clock,
            lambda _: "SCM usage",
            lambda _, _age: ask("usage", context.scm.usage),
            sharing=shared(lambda _: "usage", tuple[Allowance, ...]),
        )
        self.caa = AnswerCache[str, CaaAnswer](
            clock, lambda name: f"DNS CAA {quoted(name)}", lambda name, _: self._query_caa(name)
        )
        self.records = AnswerCache[RecordKey, PublishedRecord](
            clock, lambda key: f"DNS {key.kind} {quoted(key.host)}", lambda key, _: self._query_record(key)
        )

    @property
    def changes(self) -> int:
        """How often anything here may have changed."""
        domains = (self.domains, self.listed_domains, self.ending_domains, self.domain_names, self.account_domains)
        scm = (self.details, self.dcv, self.organizations, self.validations, self.validation, self.usage)
        own = sum(cache.changes for cache in (*domains, *scm, self.caa, self.records))
        return own + self._shared.changes

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
