"""Which validations of the account end soon, and what will need them: domains and organizations."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.account import CertificateProfile, Organization
from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.errors import ScmFailure
from sectigo_tui.domain.limits import WITHIN_DAYS
from sectigo_tui.domain.status import StatusClass, classify
from sectigo_tui.domain.validation import DomainValidation, OrganizationValidation
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.account.renewals import Prospects
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.diagnosis.evidence.known import upwards
from sectigo_tui.engine.diagnosis.evidence.model import DCV_UNUSED_CODE, Answer, has_passed
from sectigo_tui.engine.diagnosis.evidence.sources import Sources
from sectigo_tui.engine.diagnosis.evidence.validations import bare
from sectigo_tui.engine.diagnosis.stages import When
from sectigo_tui.engine.requests.limiter import Priority

LIST_MAX_AGE_SECONDS = 600.0
ORGANIZATION_MAX_AGE_SECONDS = 3_600.0
COUNT_MAX_AGE_SECONDS = 3_600.0

DOMAINS_EXAMINED = 50
"""Of how many domains it is asked whether they are suspended: one request for each."""

NAMED = 20
"""Of how many certificates the names are kept."""

_LEVELS = ("OV", "EV")
_IS_OVER = ("EXPIRED", "VALIDATED")


class ValidationKind(StrEnum):
    """What was validated."""

    DOMAIN = "domain"
    ORGANIZATION = "organization"


class PendingOrder(Struct, frozen=True):
    """A pending order that needs a validation; its name is untrusted text."""

    ssl_id: int | None
    order_id: str
    common_name: str


class EndingValidation(Struct, frozen=True, kw_only=True):
    """One validation that ends soon, or has ended.

    Args:
        kind: What it is of.
        name: The domain, or the organization's name; untrusted text.
        organization_id: The organization; None for a domain.
        level: `OV` or `EV`; empty for a domain.
        status: SCM's word for it.
        renewal: SCM's word for the one that is to follow: the DCV order's status, or the one in the background.
        method: How control of the domain was shown; empty for an organization.
        expires: When it ends, or has.
        has_ended: Whether it has.
        pending: The pending orders that need it, as far as they are known.
        certificates: How many issued certificates will need it to be renewed; None where that is not known.
        are_more: Whether there are more of them.
        examples: The names of the first certificates; none for an organization.
    """

    kind: ValidationKind
    name: str
    organization_id: int | None = None
    level: str = ""
    status: str = ""
    renewal: str = ""
    method: str = ""
    expires: Moment
    has_ended: bool = False
    pending: tuple[PendingOrder, ...] = ()
    certificates: int | None = None
    are_more: bool = False
    examples: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.kind} {self.organization_id or bare(self.name)} {self.level}".strip()


class EndingValidations(Struct, frozen=True, kw_only=True):
    """The account's validations that end within some days, soonest first.

    Args:
        at: When this was put together.
        as_of: When the oldest of the answers was given; None where none was.
        within_days: The days.
        rows: The validations.
        missing: What could not be had, and why; empty where nothing is missing.
        is_dcv_used: Whether SCM validates domains for this customer.
    """

    at: datetime
    as_of: datetime | None
    within_days: int
    rows: tuple[EndingValidation, ...]
    missing: tuple[str, ...] = ()
    is_dcv_used: bool = True


class Ending:
    """Finds the validations that end soon.

    Args:
        context: What every service works with.
        account: What is known of the account's remote orders.
        sources: Whom to ask.
    """

    def __init__(self, context: Context, account: Account, sources: Sources) -> None:
        self._context = context
        self._account = account
        self._sources = sources

    async def find(self, within_days: int = WITHIN_DAYS, *, max_age_seconds: float | None = None) -> EndingValidations:
        """Return the validations that end within some days, or have ended, with what will need them.

        Costs one request for the domains, one for each organization, and one for each that ends; answers are shared.

        Args:
            within_days: How many days, at least 1.
            max_age_seconds: How old answers may be; None for what suits each, zero asks for everything.

        Returns:
            What was found. A call that fails is listed as missing, not raised.
        """
        list_age = LIST_MAX_AGE_SECONDS if max_age_seconds is None else max_age_seconds
        other_age = ORGANIZATION_MAX_AGE_SECONDS if max_age_seconds is None else max_age_seconds
        listed, organizations = await asyncio.gather(
            self._sources.ending_domains.get(within_days, max_age_seconds=list_age),
            self._sources.organizations.get(None, max_age_seconds=other_age),
        )
        holders = [one for one in organizations.value or () if one.parent_id is None]
        validations = await asyncio.gather(
            *(self._sources.validations.get(one.id, max_age_seconds=other_age) for one in holders)
        )
        now = self._context.clock.now()
        is_dcv_used = listed.code != DCV_UNUSED_CODE
        rows = [
            *self._domains(within_days, now),
            *self._organizations(holders, validations, within_days, now),
        ]
        rows = list(await asyncio.gather(*(self._counted(row, other_age) for row in rows)))
        failed = [listed] if is_dcv_used else []
        answers: list[Answer[object]] = [*failed, organizations, *validations]
        return EndingValidations(
            at=now,
            as_of=min((one.at for one in answers if one.at is not None), default=None),
            within_days=within_days,
            rows=tuple(sorted(rows, key=lambda row: (When.of(row.expires).earliest, row.key))),
            missing=tuple(_missing(answers)),
            is_dcv_used=is_dcv_used,
        )

    async def prospects(self, within_days: int, names: Iterable[str]) -> Prospects:
        """Return what is known that may hold renewals up within some days; what SCM does not tell is left out.

        Args:
            within_days: How many days, at least 1.
            names: The names of the certificates that are to be renewed.
        """
        age = ORGANIZATION_MAX_AGE_SECONDS
        listed, organizations, domains, profiles = await asyncio.gather(
            self._sources.ending_domains.get(within_days, max_age_seconds=LIST_MAX_AGE_SECONDS),
            self._sources.organizations.get(None, max_age_seconds=age),
            self._sources.domain_names.get(None, max_age_seconds=age),
            self._profiles(),
        )
        every = organizations.value or ()
        holders = [one.id for one in every if one.parent_id is None]
        answers = await asyncio.gather(*(self._sources.validations.get(one, max_age_seconds=age) for one in holders))
        validations = {holder: answer.value or () for holder, answer in zip(holders, answers, strict=True)}
        # A department inherits its organization's validation.
        validations |= {one.id: validations.get(one.parent_id, ()) for one in every if one.parent_id is not None}
        return Prospects(
            domains=listed.value or (),
            organizations=validations,
            profiles=profiles,
            undelegated=await self._undelegated({bare(one.name): one.id for one in domains.value or ()}, names),
        )

    async def _profiles(self) -> tuple[CertificateProfile, ...]:
        context = self._context
        try:
            return await context.limiter.run(Priority.LISTING, context.scm.types)
        except ScmFailure:  # published as an exchange; a term that is no longer offered is told once it is known
            return ()

    async def _undelegated(self, ids: dict[str, int], names: Iterable[str]) -> dict[str, str]:
        """Return the domains of names that cannot be used as they are, and why."""
        if not ids:
            return {}
        # Of thousands of certificates that takes a tenth of a second, in which the screen goes on.
        used, found = await asyncio.to_thread(_delegated, ids, names)
        chosen = list(used.items())[:DOMAINS_EXAMINED]
        answers = await asyncio.gather(
            *(self._sources.account_domains.get(one, max_age_seconds=ORGANIZATION_MAX_AGE_SECONDS) for _, one in chosen)
        )
        for (domain, _), answer in zip(chosen, answers, strict=True):
            known = answer.value
            if known is not None and known.state.strip().upper() == "SUSPENDED":
                found[domain] = "it is suspended: have it activated"
            elif known is not None and known.delegation_status.strip().upper() == "REQUESTED":
                found[domain] = "its delegation waits for approval"
        return found

    def _domains(self, within_days: int, now: datetime) -> list[EndingValidation]:
        """Return the domains; those that have ended are in the whole list, where that was read."""
        ending = self._sources.ending_domains.peek(within_days).value or ()
        every = self._sources.listed_domains.peek(None).value or ()
        known = {bare(row.domain): row for row in (*every, *ending)}
        pending = self._pending_by_domain(known)
        return [
            EndingValidation(
                kind=ValidationKind.DOMAIN,
                name=row.domain,
                status=row.status,
                renewal=row.order_status,
                method=row.proof.mode,
                expires=row.expires,
                has_ended=has_passed(row.expires, now),
                pending=tuple(pending.get(domain, ())),
            )
            for domain, row in known.items()
            if row.expires is not None and _ends_within(row.expires, within_days, now)
        ]

    def _organizations(
        self,
        holders: Sequence[Organization],
        validations: Sequence[Answer[tuple[OrganizationValidation, ...]]],
        within_days: int,
        now: datetime,
    ) -> list[EndingValidation]:
        rows = []
        for holder, answer in zip(holders, validations, strict=True):
            for level in _LEVELS:
                newest = max(
                    (
                        one
                        for one in answer.value or ()
                        if one.level.strip().upper() == level and one.status.strip().upper() in _IS_OVER and one.expires
                    ),
                    key=lambda one: When.of(one.expires).earliest if one.expires else now,
                    default=None,
                )
                if newest is None or newest.expires is None or not _ends_within(newest.expires, within_days, now):
                    continue
                rows.append(
                    EndingValidation(
                        kind=ValidationKind.ORGANIZATION,
                        name=holder.name or f"organization {holder.id}",
                        organization_id=holder.id,
                        level=level,
                        status=newest.status,
                        renewal=newest.background_status,
                        expires=newest.expires,
                        has_ended=has_passed(newest.expires, now),
                        pending=tuple(self._pending_of(holder.id, level)),
                    )
                )
        return rows

    async def _counted(self, row: EndingValidation, max_age_seconds: float) -> EndingValidation:
        """Return a row with the issued certificates that will need it."""
        age = max_age_seconds if max_age_seconds <= 0 else COUNT_MAX_AGE_SECONDS
        if row.organization_id is not None:
            departments = [one.id for one in self._listed() if one.parent_id == row.organization_id]
            counts = await asyncio.gather(
                *(self._sources.issued_for.get(one, max_age_seconds=age) for one in (row.organization_id, *departments))
            )
            if any(count.value is None for count in counts):
                return row
            return replace(row, certificates=sum(count.value or 0 for count in counts))
        domain = bare(row.name)
        answer = await self._sources.issued_below.get(domain, max_age_seconds=age)
        page = answer.value
        if page is None:
            return row
        known = {bare(one.domain) for one in self._sources.listed_domains.peek(None).value or ()} | {domain}
        names = [
            one.common_name
            for one in page.rows
            if any(_nearest(name, known) == domain for name in (one.common_name, *one.subject_alternative_names))
        ]
        are_more = page.total is not None and page.total > len(page.rows)
        return replace(row, certificates=len(names), are_more=are_more, examples=tuple(names[:NAMED]))

    def _pending_by_domain(self, known: dict[str, DomainValidation]) -> dict[str, list[PendingOrder]]:
        found: dict[str, list[PendingOrder]] = {}
        for order, names, _organization_id, _level in self._pending():
            for domain in {_nearest(name, known) for name in names} - {""}:
                found.setdefault(domain, []).append(order)
        return found

    def _pending_of(self, holder_id: int, level: str) -> Iterable[PendingOrder]:
        """Yield the pending orders for an organization or its departments; of remote ones, where details are known."""
        parts = {holder_id, *(one.id for one in self._listed() if one.parent_id == holder_id)}
        for order, _names, organization_id, own_level in self._pending():
            if organization_id in parts and own_level in (level, ""):
                yield order

    def _pending(self) -> Iterable[tuple[PendingOrder, tuple[str, ...], int | None, str]]:
        """Yield each pending order with its names, organization and level, as far as they are known."""
        local = [order for order in self._context.repository.store.orders() if order.is_waiting]
        local_ids = {order.ssl_id for order in local}
        for order in local:
            details = order.details
            names = (order.common_name, *(details.subject_alternative_names if details else ()))
            organization_id = order.organization_id or (details.organization_id if details else None)
            yield PendingOrder(order.ssl_id, order.id, order.common_name), names, organization_id, order.validation
        for ssl_id, listed in self._account.pending().items():
            if ssl_id in local_ids or classify(listed.status) is not StatusClass.PENDING:
                continue
            known, row = self._account.known(ssl_id), listed.row
            yield (
                PendingOrder(ssl_id, "", row.common_name),
                (row.common_name, *row.subject_alternative_names),
                known.details.organization_id if known else None,
                known.details.validation if known else "",
            )

    def _listed(self) -> Sequence[Organization]:
        return self._sources.organizations.peek(None).value or ()


def _ends_within(expires: Moment, days: int, now: datetime) -> bool:
    return When.of(expires).earliest <= now + timedelta(days=days)


def _delegated(ids: Mapping[str, int], names: Iterable[str]) -> tuple[dict[str, int], dict[str, str]]:
    """Return the domains that names are in, with their ids, and the names that are in none, each with what that means.

    Args:
        ids: The account's domains with their ids.
        names: The names.
    """
    used: dict[str, int] = {}
    found: dict[str, str] = {}
    for name in names:
        domain = _nearest(name, ids)
        if domain:
            used[domain] = ids[domain]
        else:
            found[bare(name)] = "it is no longer among the account's domains: have it delegated"
    return used, found


def _nearest(name: str, domains: Iterable[str]) -> str:
    """Return the nearest of some domains that covers a name; empty where none does."""
    known = domains if isinstance(domains, (set, dict)) else set(domains)
    return next((above for above in upwards(bare(name)) if above in known), "")


def _missing(answers: Sequence[Answer[object]]) -> Iterable[str]:
    """Yield what could not be had, each reason once."""
    reasons: dict[str, list[str]] = {}
    for answer in answers:
        if answer.is_failed:
            why = "this login may not ask" if answer.is_not_allowed else answer.error
            reasons.setdefault(why, []).append(answer.source)
    for why, sources in reasons.items():
        more = f" and {len(sources) - 1} more" if len(sources) > 1 else ""
        yield f"{sources[0]}{more}: {why}"
