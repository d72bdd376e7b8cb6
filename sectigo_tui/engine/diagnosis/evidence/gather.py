"""Gathering evidence: every call failing by itself, and shared by all orders that need its answer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from msgspec.structs import replace

from sectigo_tui.domain.clock import seconds_between
from sectigo_tui.domain.status import is_same
from sectigo_tui.domain.validation import DcvLog
from sectigo_tui.engine.diagnosis.evidence.known import (
    MAX_NAMES,
    Knowledge,
    Target,
    is_absent,
    outside_log,
    records_asked_for,
    unsettled_in_log,
    upwards,
)
from sectigo_tui.engine.diagnosis.evidence.model import DCV_UNUSED_CODE, Evidence, Part
from sectigo_tui.engine.diagnosis.evidence.sources import DcvKey, Sources
from sectigo_tui.engine.diagnosis.evidence.validations import (
    DomainState,
    account_state,
    bare,
    checks_of,
    is_domain,
    is_validated,
)
from sectigo_tui.engine.diagnosis.verdict import waits_at_ca

OnPart = Callable[[Part, Evidence], None]

ORGANIZATIONS_MAX_AGE_SECONDS = 3_600.0
"""Organizations, departments and domains change seldom."""

ENDS_MAX_AGE_SECONDS = 3_600.0
"""A validation that is valid ends in months."""

CONTRACT_MAX_AGE_SECONDS = 3_600.0
"""A contract that is not spent is not soon."""


class Gatherer:
    """Asks for evidence.

    Args:
        sources: Whom to ask.
        knowledge: What is known already.
    """

    def __init__(self, sources: Sources, knowledge: Knowledge) -> None:
        self._sources = sources
        self._knowledge = knowledge

    async def gather(
        self, target: Target, on_part: OnPart, *, max_age_seconds: float, with_ends: bool = True
    ) -> Evidence:
        """Ask for what bears on an order and is not young enough, telling each part as it comes.

        Args:
            target: A local order, or the sslId of any.
            on_part: Told which part has come, or failed, and all that is known by then.
            max_age_seconds: How old an answer may be; zero asks for everything.
            with_ends: Whether to ask when valid domains cease to be, which no verdict needs.

        Returns:
            All that is known at the end.
        """
        evidence = self._knowledge.of(target)
        ssl_id = evidence.ssl_id
        if ssl_id is None:
            return evidence

        async def part(name: Part, ask: Callable[[Evidence, float], Awaitable[None]]) -> None:
            with self._knowledge.asking(ssl_id, name):
                await ask(self._knowledge.of(target), max_age_seconds)
            on_part(name, self._knowledge.of(target))

        await part(Part.DETAILS, self._ask_details)
        evidence = self._knowledge.of(target)
        if not waits_at_ca(evidence):
            return evidence

        async def domains_then_dns() -> None:
            await part(Part.DCV, self._ask_dcv)
            await part(Part.DOMAINS, self._ask_domains)
            if with_ends and (valid := _valid_in_log(self._knowledge.of(target))):
                await part(Part.DOMAINS, partial(self._ask_ends, valid))
            if self._sources.dns_is_on:
                await part(Part.DNS, self._ask_dns)

        async with asyncio.TaskGroup() as group:
            group.create_task(domains_then_dns())
            group.create_task(part(Part.DELEGATIONS, self._ask_delegations))
            group.create_task(part(Part.CONTRACT, self._ask_contract))
            if evidence.needs_organization:
                group.create_task(part(Part.ORGANIZATION, self._ask_organization))
        return self._knowledge.of(target)

    def learned_dcv(self, ssl_id: int, status: str, log: DcvLog) -> None:
        """Take note of a DCV log that a recheck has told; its instructions are those known before.

        Source: the answer to a recheck has no instructions, SCM manual 25.5.
        """
        key = DcvKey.of(ssl_id, status)
        before = self._sources.dcv.peek(key).value
        asked = {check.domain: check.proof for check in before.checks} if before else {}
        checks = tuple(
            check if check.proof.mode else replace(check, proof=asked.get(check.domain, check.proof))
            for check in log.checks
        )
        self._sources.dcv.put(key, replace(log, checks=checks))

    async def _ask_details(self, evidence: Evidence, max_age_seconds: float) -> None:
        answer = evidence.details
        is_in_force = answer.value is not None and is_same(answer.value.status, evidence.status)
        is_young = answer.at is not None and seconds_between(answer.at, evidence.now) < max_age_seconds
        if evidence.ssl_id is None or (is_in_force and is_young):
            return
        if answer.value is not None and not is_in_force and evidence.status_at is not None and not answer.is_failed:
            # A listing told another status since: what is older than that is of no use.
            max_age_seconds = min(max_age_seconds, seconds_between(evidence.status_at, evidence.now))
        await self._sources.details.get(evidence.ssl_id, max_age_seconds=max_age_seconds)

    async def _ask_dcv(self, evidence: Evidence, max_age_seconds: float) -> None:
        if evidence.ssl_id is not None:
            await self._sources.dcv.get(DcvKey.of(evidence.ssl_id, evidence.status), max_age_seconds=max_age_seconds)

    async def _ask_domains(self, evidence: Evidence, max_age_seconds: float) -> None:
        domains = self._sources.domains
        if evidence.is_dcv_unused:
            return
        await asyncio.gather(
            *(domains.get(domain, max_age_seconds=max_age_seconds) for domain in unsettled_in_log(evidence)),
            *(self._climb(name, evidence, max_age_seconds) for name in outside_log(evidence)[:MAX_NAMES]),
        )

    async def _ask_ends(self, valid: Sequence[str], _evidence: Evidence, max_age_seconds: float) -> None:
        """Ask until when domains are valid: one list tells it of all, and where that may not be read, each its own."""
        age = ENDS_MAX_AGE_SECONDS if max_age_seconds > 0 else 0.0
        listed = await self._sources.listed_domains.get(None, max_age_seconds=age)
        if listed.is_failed and listed.code != DCV_UNUSED_CODE:
            await asyncio.gather(*(self._sources.domains.get(domain, max_age_seconds=age) for domain in valid))

    async def _ask_delegations(self, evidence: Evidence, max_age_seconds: float) -> None:
        list_age = ORGANIZATIONS_MAX_AGE_SECONDS if max_age_seconds > 0 else 0.0
        await self._sources.domain_names.get(None, max_age_seconds=list_age)
        domains = self._sources.account_domains

        async def ask(domain_id: int) -> None:
            known = domains.peek(domain_id).value
            is_usable = known is None or {known.state, known.delegation_status} <= {"ACTIVE"}
            await domains.get(domain_id, max_age_seconds=list_age if is_usable else max_age_seconds)

        await asyncio.gather(*map(ask, self._knowledge.account_domain_ids(evidence).values()))

    async def _ask_contract(self, _evidence: Evidence, max_age_seconds: float) -> None:
        is_spent = any(one.left == 0 for one in self._sources.usage.peek(None).value or ())
        age = max_age_seconds if is_spent or max_age_seconds <= 0 else CONTRACT_MAX_AGE_SECONDS
        await self._sources.usage.get(None, max_age_seconds=age)

    async def _climb(self, name: str, evidence: Evidence, max_age_seconds: float) -> None:
        for domain in upwards(name):
            answer = await self._sources.domains.get(domain, max_age_seconds=max_age_seconds)
            is_valid = account_state(answer.value, evidence.now) is DomainState.VALID
            if is_valid or (answer.is_failed and not is_absent(answer)):
                return

    async def _ask_organization(self, evidence: Evidence, max_age_seconds: float) -> None:
        organization_id = evidence.organization_id
        if organization_id is None:
            return
        list_age = ORGANIZATIONS_MAX_AGE_SECONDS if max_age_seconds > 0 else 0.0
        await self._sources.organizations.get(None, max_age_seconds=list_age)
        holder, _ = self._knowledge.holder_of(organization_id)
        answer = await self._sources.validations.get(holder, max_age_seconds=max_age_seconds)
        level = evidence.level or "OV"
        for one in answer.value or ():
            if one.level.casefold() == level.casefold() and one.status.casefold() != "validated":
                await self._sources.validation.get((holder, one.id), max_age_seconds=max_age_seconds)

    async def _ask_dns(self, evidence: Evidence, max_age_seconds: float) -> None:
        names, keys = dict.fromkeys(map(bare, evidence.caa)), records_asked_for(evidence).values()
        await asyncio.gather(
            *(self._sources.caa.get(name, max_age_seconds=max_age_seconds) for name in names),
            *(self._sources.records.get(key, max_age_seconds=max_age_seconds) for key in keys),
        )


def _valid_in_log(evidence: Evidence) -> list[str]:
    """Return the domains that the order's DCV log calls valid."""
    valid = dict.fromkeys(bare(check.domain) for check in checks_of(evidence) if is_validated(check))
    return [domain for domain in valid if is_domain(domain)][:MAX_NAMES]
