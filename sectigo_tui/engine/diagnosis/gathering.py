"""Gathering evidence: every call through the gate, failing by itself, and shared by all orders that need it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from typing import TypeVar

from sectigo_tui.domain.certificates import (
    DcvLog,
    DomainValidation,
    OrderDetails,
    Organization,
    OrganizationValidation,
)
from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.dns import CaaAnswer, Dns
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.status import is_same, meaning_of
from sectigo_tui.engine.account import Account
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.diagnosis.domains import (
    DomainStanding,
    account_standing,
    bare,
    checks_of,
    domain_lines,
    is_validated,
    names_outside_log,
)
from sectigo_tui.engine.diagnosis.evidence import (
    Evidence,
    OrganizationEvidence,
    Part,
    Piece,
    PieceState,
    PublishedRecord,
)
from sectigo_tui.engine.diagnosis.shelf import Shelf
from sectigo_tui.engine.diagnosis.verdict import waits_at_ca
from sectigo_tui.engine.gate import Priority

T = TypeVar("T")

Target = Order | int
"""A local order, or the sslId of any."""

OnPart = Callable[[Part, Evidence], None]

MAX_NAMES = 20
"""Of how many names of one order the validation is asked for; the rest is said to be unchecked."""

MAX_CAA_NAMES = 50
DNS_AT_ONCE = 4
ORGANIZATIONS_MAX_AGE_SECONDS = 3_600.0
"""Organizations and departments change seldom."""


class Gatherer:
    """Asks for evidence, and keeps it with its age.

    Args:
        context: The world.
        account: What is known of the account's remote orders.
        dns: The DNS; None unless the operator has switched it on.
    """

    def __init__(self, context: Context, account: Account, dns: Dns | None) -> None:
        self._context = context
        self._account = account
        self._dns = dns
        self._dns_places = asyncio.Semaphore(DNS_AT_ONCE)
        clock, scm = context.clock, context.scm
        self._details = Shelf[int, OrderDetails](
            clock, lambda ssl_id: f"SCM details {ssl_id}", lambda ssl_id: account.details(ssl_id, fresh_seconds=0.0)
        )
        self._dcv = Shelf[tuple[int, str], DcvLog](
            clock, lambda key: f"SCM dcv {key[0]}", lambda key: self._ask(lambda: scm.dcv(key[0]))
        )
        self._domains = Shelf[str, DomainValidation](
            clock,
            lambda domain: f"SCM domain status {domain}",
            lambda domain: self._ask(lambda: scm.domain_status(domain)),
        )
        self._organizations = Shelf[None, tuple[Organization, ...]](
            clock, lambda _: "SCM organizations", lambda _: self._ask(scm.organizations)
        )
        self._validations = Shelf[int, tuple[OrganizationValidation, ...]](
            clock,
            lambda holder: f"SCM organization validations {holder}",
            lambda holder: self._ask(lambda: scm.organization_validations(holder)),
        )
        self._validation = Shelf[tuple[int, int], OrganizationValidation](
            clock,
            lambda key: f"SCM organization validation {key[0]}/{key[1]}",
            lambda key: self._ask(lambda: scm.organization_validation(*key)),
        )
        self._caa = Shelf[str, CaaAnswer](clock, lambda name: f"DNS CAA {name}", self._look_up_caa)
        self._records = Shelf[tuple[str, str, str], PublishedRecord](
            clock, lambda key: f"DNS {key[0]} {key[1]}", self._look_up_record
        )

    def known(self, target: Target) -> Evidence:
        """Return what is known about an order, asking nobody.

        Args:
            target: A local order, or the sslId of any.
        """
        order, ssl_id = self._resolve(target)
        store = self._context.book.store
        details = self._known_details(order, ssl_id)
        status, status_at = details.value.status if details.value else "", details.at
        listed = self._account.pending().get(ssl_id) if ssl_id is not None else None
        if listed is not None and (status_at is None or listed.at > status_at):
            status, status_at = listed.status, listed.at
        evidence = Evidence(
            now=self._context.clock.now(),
            status=status,
            status_at=status_at,
            ssl_id=ssl_id,
            order=order,
            timeline=tuple(store.timeline(order.id)) if order is not None else (),
            looks=tuple(store.looks(order.id)) if order is not None else (),
            details=details,
            dns_is_on=self._dns is not None,
        )
        if ssl_id is None or not waits_at_ca(evidence):
            return evidence
        return self._with_validations(evidence, ssl_id)

    async def gather(self, target: Target, on_part: OnPart, *, max_age_seconds: float) -> Evidence:
        """Ask for what bears on an order and is not young enough, telling each part as it comes.

        Args:
            target: A local order, or the sslId of any.
            on_part: Told which part has come, or failed, and all that is known by then; at once, the local record.
            max_age_seconds: How old an answer may be; zero asks for everything.

        Returns:
            All that is known at the end.
        """
        evidence = self.known(target)
        on_part(Part.LOCAL, evidence)
        if evidence.ssl_id is None:
            return evidence
        await self._gather_details(evidence, max_age_seconds)
        evidence = self.known(target)
        on_part(Part.DETAILS, evidence)
        if not waits_at_ca(evidence):
            return evidence

        async def part(name: Part, ask: Callable[[Evidence, float], Awaitable[None]]) -> None:
            await ask(self.known(target), max_age_seconds)
            on_part(name, self.known(target))

        async def domains() -> None:
            await part(Part.DCV, self._gather_dcv)
            await part(Part.DOMAINS, self._gather_domains)
            await self._gather_records(self.known(target), max_age_seconds)

        async with asyncio.TaskGroup() as group:
            in_domains = group.create_task(domains())
            if evidence.needs_organization:
                group.create_task(part(Part.ORGANIZATION, self._gather_organization))
            if self._dns is not None:
                await self._gather_caa(self.known(target), max_age_seconds)
                await in_domains
                on_part(Part.DNS, self.known(target))
        return self.known(target)

    def learned_dcv(self, ssl_id: int, status: str, log: DcvLog) -> None:
        """Take note of a DCV log that a recheck has told; its instructions are those known before.

        Source: the answer to a recheck has no instructions, SCM manual 25.5.
        """
        before = self._dcv.peek(_dcv_key(ssl_id, status)).value
        known = {check.domain: check for check in before.checks} if before else {}
        checks = tuple(
            replace(known[check.domain], status=check.status, last_check=check.last_check, next_check=check.next_check)
            if not check.mode and check.domain in known
            else check
            for check in log.checks
        )
        self._dcv.put(_dcv_key(ssl_id, status), replace(log, checks=checks))

    def _resolve(self, target: Target) -> tuple[Order | None, int | None]:
        store = self._context.book.store
        if isinstance(target, Order):
            order = store.order(target.id) or target
            return order, order.ssl_id
        return store.by_ssl_id(target), target

    def _known_details(self, order: Order | None, ssl_id: int | None) -> Piece[OrderDetails]:
        if ssl_id is None:
            return Piece("SCM details")
        asked = self._details.peek(ssl_id)
        newest: Piece[OrderDetails] = asked if asked.value is not None else Piece(asked.source)
        seen = self._account.seen(ssl_id)
        told = [(seen.at, seen.details)] if seen is not None else []
        if order is not None and order.details is not None and order.last_answer_at is not None:
            told.append((order.last_answer_at, order.details))
        for at, details in told:
            if newest.at is None or at > newest.at:
                newest = Piece(asked.source, PieceState.KNOWN, details, at)
        if asked.state is PieceState.ASKING or (asked.is_failed and newest.at in (None, asked.at)):
            return replace(asked, value=newest.value, at=newest.at)
        return newest

    def _with_validations(self, evidence: Evidence, ssl_id: int) -> Evidence:
        evidence = replace(evidence, dcv=self._dcv.peek(_dcv_key(ssl_id, evidence.status)))
        in_log, outside = _to_ask(evidence)
        domains = {domain: self._domains.peek(domain) for domain in in_log}
        domains |= {name: _best([self._domains.peek(above) for above in _upwards(name)], evidence) for name in outside}
        unchecked = max(0, len(set(names_outside_log(evidence))) - len(outside))
        evidence = replace(
            evidence, domains=domains, organization=self._known_organization(evidence), unchecked_names=unchecked
        )
        if self._dns is None:
            return evidence
        caa = {name: self._caa.peek(bare(name)) for name in evidence.names[:MAX_CAA_NAMES] if "." in name}
        records = {domain: self._records.peek(key) for domain, key in _records_to_look_up(evidence).items()}
        return replace(evidence, caa=caa, records=records)

    def _known_organization(self, evidence: Evidence) -> Piece[OrganizationEvidence]:
        organization_id = evidence.organization_id
        if organization_id is None:
            return Piece("SCM organization validations")
        names, holder = self._holder(organization_id)
        piece = self._validations.peek(holder)
        if piece.value is None:
            return Piece(piece.source, piece.state, None, piece.at, piece.trouble, piece.http_status, piece.code)
        listed = self._organizations.peek(None)
        if not names and not piece.value:
            # It may be a department, whose parent could not be told: no validations of its own prove nothing.
            return Piece(listed.source, PieceState.FAILED, trouble=listed.trouble or "the organization is not listed")
        told = (self._validation.peek((holder, one.id)).value or one for one in piece.value)
        value = OrganizationEvidence(
            organization_id, names.get(organization_id, ""), holder, names.get(holder, ""), tuple(told)
        )
        return Piece(piece.source, piece.state, value, piece.at, piece.trouble, piece.http_status, piece.code)

    def _holder(self, organization_id: int) -> tuple[dict[int, str], int]:
        """Return names by id, and whose validations count; no names where the organization is not in the list."""
        listed = {one.id: one for one in self._organizations.peek(None).value or ()}
        one = listed.get(organization_id)
        if one is None:
            return {}, organization_id
        holder = one.parent_id if one.parent_id is not None else one.id
        return {found.id: found.name for found in listed.values() if found.id in (one.id, holder)}, holder

    async def _gather_details(self, evidence: Evidence, max_age_seconds: float) -> None:
        piece = evidence.details
        is_in_force = piece.value is not None and is_same(piece.value.status, evidence.status)
        is_young = piece.at is not None and seconds_between(piece.at, evidence.now) < max_age_seconds
        if evidence.ssl_id is not None and not (is_in_force and is_young):
            await self._details.get(evidence.ssl_id, max_age_seconds=max_age_seconds if piece.is_failed else 0.0)

    async def _gather_dcv(self, evidence: Evidence, max_age_seconds: float) -> None:
        if evidence.ssl_id is not None:
            await self._dcv.get(_dcv_key(evidence.ssl_id, evidence.status), max_age_seconds=max_age_seconds)

    async def _gather_domains(self, evidence: Evidence, max_age_seconds: float) -> None:
        in_log, outside = _to_ask(evidence)
        await asyncio.gather(
            *(self._domains.get(domain, max_age_seconds=max_age_seconds) for domain in in_log),
            *(self._climb(name, evidence, max_age_seconds) for name in outside),
        )

    async def _climb(self, name: str, evidence: Evidence, max_age_seconds: float) -> None:
        for domain in _upwards(name):
            piece = await self._domains.get(domain, max_age_seconds=max_age_seconds)
            is_valid = account_standing(piece.value, evidence.now) is DomainStanding.VALID
            if is_valid or (piece.is_failed and not _is_absent(piece)):
                return

    async def _gather_organization(self, evidence: Evidence, max_age_seconds: float) -> None:
        organization_id = evidence.organization_id
        if organization_id is None:
            return
        list_age = ORGANIZATIONS_MAX_AGE_SECONDS if max_age_seconds > 0 else 0.0
        await self._organizations.get(None, max_age_seconds=list_age)
        _, holder = self._holder(organization_id)
        piece = await self._validations.get(holder, max_age_seconds=max_age_seconds)
        level = evidence.level or "OV"
        for one in piece.value or ():
            if one.level.casefold() == level.casefold() and one.status.casefold() != "validated":
                await self._validation.get((holder, one.id), max_age_seconds=max_age_seconds)

    async def _gather_caa(self, evidence: Evidence, max_age_seconds: float) -> None:
        names = dict.fromkeys(map(bare, evidence.caa))
        await asyncio.gather(*(self._caa.get(name, max_age_seconds=max_age_seconds) for name in names))

    async def _gather_records(self, evidence: Evidence, max_age_seconds: float) -> None:
        if self._dns is not None:
            keys = _records_to_look_up(evidence).values()
            await asyncio.gather(*(self._records.get(key, max_age_seconds=max_age_seconds) for key in keys))

    async def _ask(self, call: Callable[[], Awaitable[T]]) -> T:
        return await self._context.gate.run(Priority.SIGHT, call)

    async def _look_up_caa(self, name: str) -> CaaAnswer:
        async with self._dns_places:
            return await self._resolver().caa(name)

    async def _look_up_record(self, key: tuple[str, str, str]) -> PublishedRecord:
        kind, host, point = key
        async with self._dns_places:
            found: tuple[str, ...] = await self._resolver().txt(host) if kind == "TXT" else ()
            if kind == "CNAME":
                target = await self._resolver().cname(host)
                found = (target,) if target else ()
        asked = _plain_record(point)
        return PublishedRecord(host, kind, found, any(_plain_record(text) == asked for text in found))

    def _resolver(self) -> Dns:
        if self._dns is None:
            raise ValueError("DNS look-ups are off")
        return self._dns


def _dcv_key(ssl_id: int, status: str) -> tuple[int, str]:
    """Return a key under which an answer is not used any more once the order's status has changed."""
    return ssl_id, meaning_of(status).name


def _to_ask(evidence: Evidence) -> tuple[list[str], list[str]]:
    """Return the domains that the log does not call valid, and the names outside it: as many as are asked about."""
    in_log = dict.fromkeys(bare(check.domain) for check in checks_of(evidence) if not is_validated(check))
    outside = names_outside_log(evidence) if evidence.dcv.value is not None or evidence.dcv.is_failed else ()
    return list(in_log)[:MAX_NAMES], list(outside)[:MAX_NAMES]


def _upwards(name: str) -> Iterable[str]:
    """Return a name and those above it, down to two labels: what SCM validated covers what is below it."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]


_TELLING = (
    DomainStanding.VALID,
    DomainStanding.AWAITING,
    DomainStanding.EXPIRED,
    DomainStanding.NOT_STARTED,
    DomainStanding.UNKNOWN,
)


def _best(pieces: list[Piece[DomainValidation]], evidence: Evidence) -> Piece[DomainValidation]:
    """Return of a name and those above it the piece that settles it: a valid one, else one that is missing."""

    def standing(piece: Piece[DomainValidation]) -> DomainStanding:
        return account_standing(piece.value, evidence.now)

    pieces = [piece for piece in pieces if not _is_absent(piece)] or pieces
    best = min(pieces, key=lambda piece: _TELLING.index(standing(piece)))
    if standing(best) is DomainStanding.VALID:
        return best
    return next((piece for piece in pieces if piece.value is None), best)


def _is_absent(piece: Piece[DomainValidation]) -> bool:
    """Return whether SCM said that the account has no such domain: 404, or -727 (assumed, from its text)."""
    return piece.is_failed and piece.value is None and (piece.http_status == 404 or piece.code == -727)


def _records_to_look_up(evidence: Evidence) -> dict[str, tuple[str, str, str]]:
    lines = [line for line in domain_lines(evidence) if line.standing is not DomainStanding.VALID]
    return {
        line.domain: (line.mode.upper(), line.host.rstrip("."), line.point)
        for line in lines[:MAX_NAMES]
        if line.mode.upper() in ("CNAME", "TXT") and line.host
    }


def _plain_record(text: str) -> str:
    return text.strip().strip('"').rstrip(".").casefold()
