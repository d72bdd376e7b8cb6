"""What domains, CAA and the organization say about why an order is not a certificate."""

from __future__ import annotations

import re

from sectigo_tui.domain.status import is_same
from sectigo_tui.domain.validation import AccountDomain, Allowance
from sectigo_tui.engine.diagnosis.evidence.model import Evidence, Fact, moment_text, quoted
from sectigo_tui.engine.diagnosis.evidence.validations import (
    DomainLine,
    DomainState,
    OrganizationLine,
    OrganizationState,
    domain_lines,
    organization_line,
)
from sectigo_tui.engine.diagnosis.rules.causes import BlockingCause, Cause, Party

_RECHECK = "then ask for a DCV recheck"
_SYNC = "then ask for a DCV sync"


def validation_causes(evidence: Evidence) -> list[BlockingCause]:
    """Return the causes that DCV, CAA and the organization's validations show."""
    line = organization_line(evidence)
    found = [
        blocking_cause for domain in domain_lines(evidence) if (blocking_cause := _domain_cause(domain)) is not None
    ]
    found += _dcv_error(evidence, found)
    found += _account_domain_causes(evidence)
    found += _caa_causes(evidence)
    found += [
        blocking_cause
        for blocking_cause in (_organization_cause(line),)
        if line is not None and blocking_cause is not None
    ]
    return found


def _domain_cause(line: DomainLine) -> BlockingCause | None:
    domain = quoted(line.domain)
    match line.order_state:
        case DomainState.AWAITING:
            cause, party = Cause.DOMAIN_NOT_VALIDATED, Party.DNS_OWNER
            sentence, action = f"Control of {domain} is not validated.", _to_publish(line)
        case DomainState.EXPIRED:
            cause, party = Cause.DOMAIN_EXPIRED, Party.DNS_OWNER
            ended = f" on {moment_text(line.expires)}" if line.expires else ""
            sentence, action = f"The validation of {domain} expired{ended}.", _to_publish(line)
        case DomainState.NOT_SUBMITTED:
            cause = Cause.DOMAIN_NOT_SUBMITTED
            party = Party.DNS_OWNER if line.is_published is False else Party.YOU
            sentence = f"The DCV of {domain} awaits submission: the CA does not check it yet."
            action = _to_submit(line)
        case DomainState.REJECTED:
            cause, party = Cause.DOMAIN_REJECTED, Party.YOU
            sentence = f"The CA rejected the DCV of {domain}, and checks it no more."
            action = f"Start DCV of {domain} again in SCM, publish what it then asks for, and submit it."
        case DomainState.NOT_STARTED:
            cause, party = Cause.DOMAIN_NOT_STARTED, Party.YOU
            sentence, action = f"The validation of {domain} was never started.", f"Start DCV of {domain} in SCM."
        case DomainState.PUBLISHED:
            cause, party = Cause.DOMAIN_PUBLISHED, Party.NOBODY_YET
            polls = f" The CA checks next at {moment_text(line.next_check)}." if line.next_check else ""
            sentence = f"The record for {domain} is in DNS, and the CA has not taken it over yet.{polls}"
            action = "Ask for a DCV recheck."
        case DomainState.CONTRADICTORY:
            cause, party = Cause.DOMAIN_CONTRADICTORY, Party.UNKNOWN
            sentence = f"The order's log waits for {domain}, although the account's validation of it is valid."
            action = "Ask for a DCV recheck; if that does not help, quote both to Sectigo support."
        case _:
            return None
    return BlockingCause(
        cause=cause,
        party=party,
        sentence=sentence,
        next_action=action,
        changes_when=f"The CA validates {domain}.",
        about=f"domain {line.domain}",
        about_name=domain,
        facts=line.facts,
        is_certain=line.is_certain and party is not Party.UNKNOWN,
    )


def _to_publish(line: DomainLine) -> str:
    asked = _asked(line)
    if asked.startswith("Answer"):
        return f"{asked}."
    return f"{asked or f'Start DCV of {quoted(line.domain)} anew in SCM, publish what it asks for'}, {_RECHECK}."


def _asked(line: DomainLine) -> str:
    """Return what the domain's owner is asked for, as a sentence without its end; empty where SCM does not tell."""
    proof = line.proof
    match proof.mode.strip().upper():
        case "CNAME" | "TXT" as kind if proof.host:
            arrow = "->" if kind == "CNAME" else "="
            return f"Publish {kind} {quoted(proof.host)} {arrow} {quoted(proof.point)}"
        case "HTTP" | "HTTPS" if proof.url:
            return f"Serve the file that DCV asks for at {quoted(proof.url)}"
        case "EMAIL" if proof.email:
            return f"Answer the mail that the CA sent to {quoted(proof.email)}"
        case _:
            return ""


def _to_submit(line: DomainLine) -> str:
    submit = f"submit its DCV in SCM, {_SYNC}"
    if line.is_published:
        return f"Its record is in DNS: {submit}."
    to_publish = _asked(line)
    return f"{to_publish}; once published, {submit}." if to_publish else f"Publish what DCV asks for, then {submit}."


def _dcv_error(evidence: Evidence, found: list[BlockingCause]) -> list[BlockingCause]:
    log = evidence.dcv.value
    if log is None or not log.error_code or found:
        return []
    words = f"DCV log error {log.error_code}: {quoted(log.error_description)}"
    return [
        BlockingCause(
            cause=Cause.DCV_ERROR,
            party=Party.UNKNOWN,
            sentence=f"The CA tells an error about this order's DCV: {log.error_code}.",
            next_action="Read the CA's words; quote them with the order number to Sectigo support.",
            changes_when="The order's DCV log has no error any more.",
            facts=(Fact(words, evidence.dcv.source, evidence.dcv.at),),
            is_certain=False,
        )
    ]


def _account_domain_causes(evidence: Evidence) -> list[BlockingCause]:
    """Return what the account itself says against its domains: suspended, or not delegated yet."""
    found: list[BlockingCause] = []
    for answer in evidence.account_domains.values():
        told = answer.value
        if told is None:
            continue
        name = quoted(told.name)
        delegation = _delegation(told, evidence)
        words = f"domain {name} in the account: state {quoted(told.state) or 'not told'}"
        fact = Fact(f"{words}, delegation {quoted(delegation) or 'not told'}", answer.source, answer.at)
        if told.state.strip().casefold() == "suspended":
            cause, party = Cause.DOMAIN_SUSPENDED, Party.YOU
            sentence = f"The domain {name} is suspended in SCM."
            action = f"Have an administrator activate {name} in SCM."
            changes = f"An administrator activates {name}."
        elif delegation.strip().casefold() == "requested":
            cause, party = Cause.DELEGATION_REQUESTED, Party.APPROVER
            sentence = f"The delegation of {name} to this organization waits for approval in SCM."
            action = f"Have an administrator (RAO or MRAO) approve the delegation of {name}."
            changes = f"An administrator approves or rejects the delegation of {name}."
        else:
            continue
        found.append(
            BlockingCause(
                cause=cause,
                party=party,
                sentence=sentence,
                next_action=action,
                changes_when=changes,
                about=f"domain {told.name.casefold()}",
                about_name=name,
                facts=(fact,),
            )
        )
    return found


def _delegation(domain: AccountDomain, evidence: Evidence) -> str:
    """Return how a domain's delegation to the order's organization stands, else how its delegation stands at all."""
    organization = evidence.organization.value
    whose = {evidence.organization_id, organization.holder_id if organization else None} - {None}
    own = [one.status for one in domain.delegations if one.organization_id in whose]
    active = [status for status in own if status.strip().casefold() == "active"]
    return next(iter((*active, *own)), domain.delegation_status)


def contract_causes(evidence: Evidence) -> list[BlockingCause]:
    """Return that the contract has no certificate left of the order's kind; no certain cause once the CA has the order.

    That a login may not ask, or that the answer cannot be read, says nothing of the contract.
    """
    counted = [one for one in evidence.usage.value or () if one.left is not None and _is_for(one, evidence)]
    if not counted or any(one.left for one in counted):
        return []
    is_at_ca = is_same(evidence.status, "Applied")
    kinds = ", ".join(quoted(one.kind) or "certificates" for one in counted)
    used = "; ".join(f"{one.used} of {one.total} used" for one in counted if one.total is not None)
    return [
        BlockingCause(
            cause=Cause.NONE_LEFT,
            party=Party.YOU,
            sentence=f"The contract has no certificates left ({kinds})."
            + (" The CA has this order already: it may not need another." if is_at_ca else ""),
            next_action="Have certificates added to the contract: ask your Sectigo account manager.",
            changes_when="The contract has certificates again.",
            about="contract",
            about_name="contract",
            facts=(Fact(f"{kinds}: none left{f', {used}' if used else ''}", evidence.usage.source, evidence.usage.at),),
            is_certain=not is_at_ca,
        )
    ]


_LEVEL = re.compile(r"\b([DOE]V)\b", re.IGNORECASE)
_ANY_KIND = frozenset({"", "ssl", "tls", "ssl/tls", "ssl certificates", "ssl certificate"})


def _is_for(allowance: Allowance, evidence: Evidence) -> bool:
    """Return whether an allowance counts for an order, as far as its kind tells: by profile, by level, or for all."""
    details = evidence.details.value
    profile = details.profile_name if details else evidence.order.profile_name if evidence.order else ""
    if allowance.kind.strip().casefold() == profile.strip().casefold():
        return True
    if level := _LEVEL.search(allowance.kind):
        return level[1].upper() == evidence.level
    return allowance.kind.strip().casefold() in _ANY_KIND


def _caa_causes(evidence: Evidence) -> list[BlockingCause]:
    found: dict[str, BlockingCause] = {}
    for name, answer in evidence.caa.items():
        forbidding = answer.value.forbidding(is_wildcard=name.startswith("*.")) if answer.value else ()
        if answer.value is None or not forbidding:
            continue
        zone, records = quoted(answer.value.found_at), ", ".join(quoted(str(record)) for record in forbidding)
        tag = "issuewild" if name.startswith("*.") else "issue"
        blocking_cause = BlockingCause(
            cause=Cause.CAA,
            party=Party.DNS_OWNER,
            sentence=f"CAA at {zone} does not let Sectigo issue for {quoted(name)}.",
            next_action=f'Add CAA 0 {tag} "sectigo.com" at {zone}, or remove what forbids it.',
            changes_when=f"CAA at {zone} names sectigo.com, or is gone.",
            about=f"CAA {answer.value.found_at}",
            about_name=zone,
            facts=(Fact(f"CAA for {quoted(name)}, found at {zone}: {records}", answer.source, answer.at),),
        )
        found.setdefault(answer.value.found_at, blocking_cause)
    return list(found.values())


def _organization_cause(line: OrganizationLine | None) -> BlockingCause | None:
    if line is None or line.order_state not in _ORGANIZATION:
        return None
    cause, words, action = _ORGANIZATION[line.order_state]
    caveat = "" if line.is_certain else " SCM does not tell whether this order needs it."
    message = line.validation.last_message if line.validation else ""
    said = f" The CA's last message: {quoted(message)}." if message else ""
    tracking = line.validation.tracking_id if line.validation else ""
    quote = f" Quote tracking id {quoted(tracking)} to Sectigo." if tracking else ""
    return BlockingCause(
        cause=cause,
        party=Party.ORGANIZATION_CONTACT,
        sentence=f"The {line.level} validation of {line.name} {words}.{said}{caveat}",
        next_action=f"{action.format(name=line.name, level=line.level)}{quote}",
        changes_when=f"The {line.level} validation of {line.name} becomes VALIDATED.",
        about=f"organization {line.id} {line.level}",
        about_name=line.name,
        facts=line.facts,
        is_certain=line.is_certain,
    )


_ORGANIZATION = {
    OrganizationState.PENDING: (
        Cause.ORGANIZATION_PENDING,
        "is pending",
        "Have the contact of {name} answer Sectigo's calls and mails.",
    ),
    OrganizationState.FAILED: (
        Cause.ORGANIZATION_FAILED,
        "has failed",
        "Have the contact of {name} mend what the CA names, and ask Sectigo to validate again.",
    ),
    OrganizationState.EXPIRED: (
        Cause.ORGANIZATION_EXPIRED,
        "has expired",
        "Have the {level} validation of {name} renewed with its contact.",
    ),
    OrganizationState.MISSING: (
        Cause.ORGANIZATION_MISSING,
        "was never done",
        "Have {name} validated for {level} in SCM, with its contact.",
    ),
}
