"""All that is known about an order, put together from the local record and the caches, asking nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from operator import is_
from typing import NamedTuple, TypeVar

from msgspec.structs import replace

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.clock import Moment, seconds_between
from sectigo_tui.domain.events import TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.validation import DomainName, DomainValidation, OrganizationValidation
from sectigo_tui.engine.account.remote_orders import Account
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.diagnosis.evidence.model import Answer, AnswerState, Evidence, OrganizationEvidence, Part
from sectigo_tui.engine.diagnosis.evidence.sources import DcvKey, RecordKey, Sources
from sectigo_tui.engine.diagnosis.evidence.validations import (
    DomainState,
    account_state,
    bare,
    checks_of,
    domain_lines,
    is_domain,
    is_validated,
    names_outside_log,
    proves,
)
from sectigo_tui.engine.diagnosis.verdict import waits_at_ca

T = TypeVar("T")

Target = Order | int
"""A local order, or the sslId of any."""

MAX_NAMES = 20
"""Of how many names of one order the validation is asked for; the rest is said to be unchecked."""

MAX_CAA_NAMES = 50

TIMELINE_KEPT_SECONDS = 5.0
"""Entries that change no order (a write that was rejected) are seen this late; a column asks far more often."""

TIMELINES_KEPT = 1_000
REMOTE_ENTRIES_READ = 500
"""How many of the newest entries are searched for those about remote orders."""


class Version(NamedTuple):
    """What an order's evidence was made of.

    Args:
        records: What is known of the order itself; each is replaced when it changes.
        changes: How often evidence of any order may have changed.
    """

    records: tuple[object, ...]
    changes: int

    def is_same(self, other: Version) -> bool:
        """Return whether nothing new has become known in between."""
        return self.changes == other.changes and all(map(is_, self.records, other.records))


class Knowledge:
    """What is known about orders.

    Args:
        context: What every service works with.
        account: What is known of the account's remote orders.
        sources: The answers that were given.
    """

    def __init__(self, context: Context, account: Account, sources: Sources) -> None:
        self._context = context
        self._account = account
        self._sources = sources
        self._timelines: dict[str, tuple[int, datetime, tuple[TimelineEntry, ...]]] = {}
        self._writes: tuple[TimelineEntry, ...] = ()
        self._writes_read_at: datetime | None = None
        self._domains_listed: tuple[tuple[DomainName, ...], dict[str, int]] | None = None
        self._ends_listed: tuple[tuple[DomainValidation, ...], dict[str, Moment]] | None = None
        self._under_way: Counter[tuple[int | None, Part]] = Counter()
        self._parts_asked = 0

    def of(self, target: Target) -> Evidence:
        """Return what is known about an order.

        Args:
            target: A local order, or the sslId of any.
        """
        order, ssl_id = self._resolve(target)
        store = self._context.repository.store
        details = self._details(order, ssl_id)
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
            timeline=self._timeline(order) if order is not None else self._writes_about(ssl_id),
            polls=tuple(store.polls(order.id)) if order is not None else (),
            details=details,
            dns_is_on=self._sources.dns_is_on,
        )
        if ssl_id is None or not waits_at_ca(evidence):
            return evidence
        return self._with_validations(evidence, ssl_id)

    def version_of(self, target: Target) -> Version:
        """Return what tells whether something new has become known about an order; that time goes by does not.

        Args:
            target: A local order, or the sslId of any.
        """
        order, ssl_id = self._resolve(target)
        known = self._account.known(ssl_id) if ssl_id is not None else None
        listed = self._account.pending().get(ssl_id) if ssl_id is not None else None
        return Version((order, known, listed), self._sources.changes + self._parts_asked)

    def holder_of(self, organization_id: int) -> tuple[int, dict[int, str]]:
        """Return whose validations count for an organization or department, and the names of both.

        Args:
            organization_id: The organization or department.

        Returns:
            The organization's id, and names by id; no names where the list does not have it, or is not known.
        """
        listed = {one.id: one for one in self._sources.organizations.peek(None).value or ()}
        one = listed.get(organization_id)
        if one is None:
            return organization_id, {}
        holder = one.parent_id if one.parent_id is not None else one.id
        return holder, {found.id: found.name for found in listed.values() if found.id in (one.id, holder)}

    @contextmanager
    def asking(self, ssl_id: int | None, part: Part) -> Iterator[None]:
        """Let what is missing of a part count as being asked for, as long as the block lasts."""
        self._under_way[ssl_id, part] += 1
        self._parts_asked += 1
        try:
            yield
        finally:
            self._under_way[ssl_id, part] -= 1
            if not self._under_way[ssl_id, part]:
                del self._under_way[ssl_id, part]
            self._parts_asked += 1

    def _resolve(self, target: Target) -> tuple[Order | None, int | None]:
        store = self._context.repository.store
        if isinstance(target, Order):
            order = store.order(target.id) or target
            return order, order.ssl_id
        return store.by_ssl_id(target), target

    def _timeline(self, order: Order) -> tuple[TimelineEntry, ...]:
        """Return an order's timeline, read from the disk once in a while and whenever the order has changed."""
        now = self._context.clock.now()
        kept = self._timelines.get(order.id)
        if kept is None or kept[0] != order.revision or seconds_between(kept[1], now) >= TIMELINE_KEPT_SECONDS:
            if len(self._timelines) >= TIMELINES_KEPT:
                self._timelines.clear()
            kept = order.revision, now, tuple(self._context.repository.store.timeline(order.id))
            self._timelines[order.id] = kept
        return kept[2]

    def _writes_about(self, ssl_id: int | None) -> tuple[TimelineEntry, ...]:
        """Return what was recorded lately about an order that is only remote, such as an approval that was rejected."""
        now = self._context.clock.now()
        if self._writes_read_at is None or seconds_between(self._writes_read_at, now) >= TIMELINE_KEPT_SECONDS:
            newest = self._context.repository.store.entries(REMOTE_ENTRIES_READ)
            self._writes = tuple(entry for entry in newest if not entry.order_id and entry.ssl_id is not None)
            self._writes_read_at = now
        return tuple(entry for entry in self._writes if entry.ssl_id == ssl_id)

    def _details(self, order: Order | None, ssl_id: int | None) -> Answer[OrderDetails]:
        if ssl_id is None:
            return Answer("SCM details")
        asked = self._sources.details.peek(ssl_id)
        known = self._account.known(ssl_id)
        scm_words = [(known.at, known.details)] if known is not None else []
        if order is not None and order.details is not None and order.last_answer_at is not None:
            scm_words.append((order.last_answer_at, order.details))
        if asked.value is not None and asked.at is not None:
            scm_words.append((asked.at, asked.value))
        at, value = max(scm_words, key=lambda one: one[0], default=(None, None))
        is_news = asked.failed_at is not None and (at is None or asked.failed_at > at)
        if asked.state is AnswerState.ASKING or is_news or value is None:
            return replace(asked, value=value, at=at)
        return Answer(asked.source, AnswerState.KNOWN, value, at)

    def _with_validations(self, evidence: Evidence, ssl_id: int) -> Evidence:
        sources = self._sources
        evidence = replace(evidence, dcv=sources.dcv.peek(DcvKey.of(ssl_id, evidence.status)))
        outside = outside_log(evidence)
        domains = {domain: sources.domains.peek(domain) for domain in unsettled_in_log(evidence)}
        for name in outside[:MAX_NAMES]:
            domains |= _telling(name, {above: sources.domains.peek(above) for above in upwards(name)}, evidence)
        if self._under_way[ssl_id, Part.DOMAINS]:
            domains = {domain: _as_asking(answer) for domain, answer in domains.items()}
        evidence = replace(
            evidence,
            domains=domains,
            organization=self._organization(evidence),
            unchecked_names=len(outside[MAX_NAMES:]),
            validity_ends=self._ends(evidence),
            account_domains={
                name: sources.account_domains.peek(domain_id)
                for name, domain_id in self.account_domain_ids(evidence).items()
            },
            domain_names=sources.domain_names.peek(None),
            usage=sources.usage.peek(None),
        )
        if not sources.dns_is_on:
            return evidence
        caa = {name: sources.caa.peek(bare(name)) for name in evidence.names[:MAX_CAA_NAMES] if is_domain(name)}
        records = {domain: sources.records.peek(key) for domain, key in records_asked_for(evidence).items()}
        return replace(evidence, caa=caa, records=records)

    def account_domain_ids(self, evidence: Evidence) -> dict[str, int]:
        """Return the account's domains that cover an order's names, by name, with their ids: for each the nearest."""
        listed = self._domain_ids()
        found: dict[str, int] = {}
        for name in map(bare, evidence.names[:MAX_NAMES]):
            nearest = next((above for above in upwards(name) if above in listed), None)
            if nearest is not None:
                found[nearest] = listed[nearest]
        return found

    def _domain_ids(self) -> dict[str, int]:
        rows = self._sources.domain_names.peek(None).value or ()
        if self._domains_listed is None or self._domains_listed[0] is not rows:
            self._domains_listed = rows, {bare(row.name): row.id for row in rows}
        return self._domains_listed[1]

    def _ends(self, evidence: Evidence) -> dict[str, Moment]:
        """Return when the validations of an order's valid domains end, as the account's list tells it."""
        rows = self._sources.listed_domains.peek(None).value or ()
        if self._ends_listed is None or self._ends_listed[0] is not rows:
            self._ends_listed = rows, {bare(row.domain): row.expires for row in rows if row.expires is not None}
        listed = self._ends_listed[1]
        found: dict[str, Moment] = {}
        for domain in (bare(check.domain) for check in checks_of(evidence) if is_validated(check)):
            told = self._sources.domains.peek(domain).value
            nearest = next((listed[above] for above in upwards(domain) if above in listed), None)
            ends = nearest or (told.expires if told is not None else None)
            if ends is not None:
                found[domain] = ends
        return found

    def _organization(self, evidence: Evidence) -> Answer[OrganizationEvidence]:
        organization_id = evidence.organization_id
        if organization_id is None:
            return Answer("SCM organization validations")
        holder, names = self.holder_of(organization_id)
        answer, listed = self._sources.validations.peek(holder), self._sources.organizations.peek(None)
        if answer.value is None:
            unknown: Answer[OrganizationEvidence] = answer.holding(None)
            return _as_asking(unknown) if self._under_way[evidence.ssl_id, Part.ORGANIZATION] else unknown
        if not names and not answer.value:
            # It may be a department, whose parent could not be told: no validations of its own prove nothing.
            error = listed.error or "the organization is not listed"
            return Answer(listed.source, AnswerState.FAILED, error=error, failed_at=listed.failed_at or listed.at)
        return answer.holding(
            OrganizationEvidence(
                id=organization_id,
                name=names.get(organization_id, ""),
                holder_id=holder,
                holder_name=names.get(holder, ""),
                validations=tuple(self._with_words_of_the_ca(holder, one) for one in answer.value),
            )
        )

    def _with_words_of_the_ca(self, holder: int, one: OrganizationValidation) -> OrganizationValidation:
        """Return a validation of the list with what only its own call tells, while both tell the same status."""
        scm_words = self._sources.validation.peek((holder, one.id)).value
        if scm_words is None or scm_words.status != one.status:
            return one
        return replace(
            one, validator=scm_words.validator, tracking_id=scm_words.tracking_id, last_message=scm_words.last_message
        )


def unsettled_in_log(evidence: Evidence) -> list[str]:
    """Return the domains that the order's DCV log does not call valid, as many as are asked about."""
    found = dict.fromkeys(bare(check.domain) for check in checks_of(evidence) if not is_validated(check))
    return list(found)[:MAX_NAMES]


def outside_log(evidence: Evidence) -> Sequence[str]:
    """Return the names of which the order's DCV log says nothing; none before it was asked for."""
    return names_outside_log(evidence) if evidence.dcv.value is not None or evidence.dcv.is_failed else ()


def upwards(name: str) -> list[str]:
    """Return a name and those above it, down to two labels: what SCM has validated covers what is below it."""
    labels = name.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]


def is_absent(answer: Answer[DomainValidation]) -> bool:
    """Return whether SCM said that the account has no such domain: 404, or -727 (assumed, from its text)."""
    return answer.is_failed and answer.value is None and (answer.http_status == 404 or answer.code == -727)


def records_asked_for(evidence: Evidence) -> dict[str, RecordKey]:
    """Return the DCV records that owners were asked to publish, by domain, of domains that are not valid."""
    lines = [line for line in domain_lines(evidence) if line.order_state is not DomainState.VALID]
    return {
        line.domain: RecordKey(line.proof.mode.upper(), line.proof.host.rstrip("."), line.proof.point)
        for line in lines[:MAX_NAMES]
        if line.proof.mode.upper() in ("CNAME", "TXT") and line.proof.host
    }


def _telling(
    name: str, answers: dict[str, Answer[DomainValidation]], evidence: Evidence
) -> dict[str, Answer[DomainValidation]]:
    """Return what settles a name: the nearest domain that was ever validated, and beside it a valid one above it."""
    present = {domain: answer for domain, answer in answers.items() if not is_absent(answer)} or answers
    standings = {domain: account_state(answer.value, evidence.now) for domain, answer in present.items()}
    explicit = [domain for domain, order_state in standings.items() if proves(order_state, present[domain].value)]
    valid = [domain for domain, order_state in standings.items() if order_state is DomainState.VALID]
    if not valid and (missing := [answer for answer in present.values() if answer.value is None]):
        return {name: missing[0]}
    nearest = explicit[0] if explicit else next(iter(present))
    return {domain: present[domain] for domain in valid[:1]} | {name: present[nearest]}


def _as_asking(answer: Answer[T]) -> Answer[T]:
    return replace(answer, state=AnswerState.ASKING) if answer.state is AnswerState.NOT_ASKED else answer
