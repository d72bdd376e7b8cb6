"""The calls that tell evidence, each with the answers it has given."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from msgspec import Struct

from sectigo_tui.domain.account import Organization
from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.dns import CaaAnswer, Dns
from sectigo_tui.domain.status import meaning_of
from sectigo_tui.domain.validation import DcvLog, DomainValidation, OrganizationValidation
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.diagnosis.evidence.cache import AnswerCache
from sectigo_tui.engine.diagnosis.evidence.model import PublishedRecord, quoted
from sectigo_tui.engine.requests.limiter import Priority

T = TypeVar("T")

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
    """A shelf for each call; requests to SCM go through the gate, for what is in sight.

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
        return sum(shelf.changes for shelf in (*scm, self.caa, self.records))

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
