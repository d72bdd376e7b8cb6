"""What domains, CAA and the organization say about why an order is not a certificate."""

from __future__ import annotations

from sectigo_tui.engine.diagnosis.domains import DomainLine, DomainStanding, domain_lines
from sectigo_tui.engine.diagnosis.evidence import Evidence, Fact, moment_text, quoted
from sectigo_tui.engine.diagnosis.findings import Cause, Finding, Party
from sectigo_tui.engine.diagnosis.organizations import OrganizationLine, OrganizationStanding, organization_line

_RECHECK = "then ask for a DCV recheck"


def validation_findings(evidence: Evidence) -> list[Finding]:
    """Return the causes that DCV, CAA and the organization's validations show."""
    line = organization_line(evidence)
    found = [finding for domain in domain_lines(evidence) if (finding := _domain_finding(domain)) is not None]
    found += _dcv_error(evidence, found)
    found += _caa_findings(evidence)
    found += [finding for finding in (_organization_finding(line),) if line is not None and finding is not None]
    return found


def _domain_finding(line: DomainLine) -> Finding | None:
    domain = quoted(line.domain)
    match line.standing:
        case DomainStanding.AWAITING:
            cause, party = Cause.DOMAIN_NOT_VALIDATED, Party.DNS_OWNER
            sentence, action = f"Control of {domain} is not validated.", _to_publish(line)
        case DomainStanding.EXPIRED:
            cause, party = Cause.DOMAIN_EXPIRED, Party.DNS_OWNER
            ended = f" on {moment_text(line.expires)}" if line.expires else ""
            sentence, action = f"The validation of {domain} expired{ended}.", _to_publish(line)
        case DomainStanding.NOT_STARTED:
            cause, party = Cause.DOMAIN_NOT_STARTED, Party.YOU
            sentence, action = f"The validation of {domain} was never started.", f"Start DCV of {domain} in SCM."
        case DomainStanding.PUBLISHED:
            cause, party = Cause.DOMAIN_PUBLISHED, Party.NOBODY_YET
            looks = f" The CA looks next at {moment_text(line.next_check)}." if line.next_check else ""
            sentence = f"The record for {domain} is in DNS, and the CA has not taken it over yet.{looks}"
            action = "Ask for a DCV recheck."
        case DomainStanding.CONTRADICTORY:
            cause, party = Cause.DOMAIN_CONTRADICTORY, Party.UNKNOWN
            sentence = f"The order's log waits for {domain}, although the account's validation of it is valid."
            action = "Ask for a DCV recheck; if that does not help, quote both to Sectigo support."
        case _:
            return None
    return Finding(
        cause=cause,
        party=party,
        sentence=sentence,
        next_action=action,
        changes_when=f"The CA validates {domain}.",
        subject=f"domain {line.domain}",
        subject_name=domain,
        facts=line.facts,
        is_certain=line.is_certain and party is not Party.UNKNOWN,
    )


def _to_publish(line: DomainLine) -> str:
    proof = line.proof
    match proof.mode.strip().upper():
        case "CNAME" | "TXT" as kind if proof.host:
            arrow = "->" if kind == "CNAME" else "="
            return f"Publish {kind} {quoted(proof.host)} {arrow} {quoted(proof.point)}, {_RECHECK}."
        case "HTTP" | "HTTPS" if proof.url:
            return f"Serve the file that DCV asks for at {quoted(proof.url)}, {_RECHECK}."
        case "EMAIL" if proof.email:
            return f"Answer the mail that the CA sent to {quoted(proof.email)}."
        case _:
            return f"Start DCV of {quoted(line.domain)} anew in SCM, publish what it asks for, {_RECHECK}."


def _dcv_error(evidence: Evidence, found: list[Finding]) -> list[Finding]:
    log = evidence.dcv.value
    if log is None or not log.error_code or found:
        return []
    words = f"DCV log error {log.error_code}: {quoted(log.error_description)}"
    return [
        Finding(
            cause=Cause.DCV_ERROR,
            party=Party.UNKNOWN,
            sentence=f"The CA tells an error about this order's DCV: {log.error_code}.",
            next_action="Read the CA's words; quote them with the order number to Sectigo support.",
            changes_when="The order's DCV log has no error any more.",
            facts=(Fact(words, evidence.dcv.source, evidence.dcv.at),),
            is_certain=False,
        )
    ]


def _caa_findings(evidence: Evidence) -> list[Finding]:
    found: dict[str, Finding] = {}
    for name, piece in evidence.caa.items():
        forbidding = piece.value.forbidding(is_wildcard=name.startswith("*.")) if piece.value else ()
        if piece.value is None or not forbidding:
            continue
        zone, records = quoted(piece.value.found_at), ", ".join(quoted(str(record)) for record in forbidding)
        tag = "issuewild" if name.startswith("*.") else "issue"
        finding = Finding(
            cause=Cause.CAA,
            party=Party.DNS_OWNER,
            sentence=f"CAA at {zone} does not let Sectigo issue for {quoted(name)}.",
            next_action=f'Add CAA 0 {tag} "sectigo.com" at {zone}, or remove what forbids it.',
            changes_when=f"CAA at {zone} names sectigo.com, or is gone.",
            subject=f"CAA {piece.value.found_at}",
            subject_name=zone,
            facts=(Fact(f"CAA for {quoted(name)}, found at {zone}: {records}", piece.source, piece.at),),
        )
        found.setdefault(piece.value.found_at, finding)
    return list(found.values())


def _organization_finding(line: OrganizationLine | None) -> Finding | None:
    if line is None or line.standing not in _ORGANIZATION:
        return None
    cause, words, action = _ORGANIZATION[line.standing]
    doubt = "" if line.is_certain else " SCM does not tell whether this order needs it."
    message = line.validation.last_message if line.validation else ""
    said = f" The CA's last message: {quoted(message)}." if message else ""
    tracking = line.validation.tracking_id if line.validation else ""
    quote = f" Quote tracking id {quoted(tracking)} to Sectigo." if tracking else ""
    return Finding(
        cause=cause,
        party=Party.ORGANIZATION_CONTACT,
        sentence=f"The {line.level} validation of {line.name} {words}.{said}{doubt}",
        next_action=f"{action.format(name=line.name, level=line.level)}{quote}",
        changes_when=f"The {line.level} validation of {line.name} becomes VALIDATED.",
        subject=f"organization {line.id} {line.level}",
        subject_name=line.name,
        facts=line.facts,
        is_certain=line.is_certain,
    )


_ORGANIZATION = {
    OrganizationStanding.PENDING: (
        Cause.ORGANIZATION_PENDING,
        "is pending",
        "Have the contact of {name} answer Sectigo's calls and mails.",
    ),
    OrganizationStanding.FAILED: (
        Cause.ORGANIZATION_FAILED,
        "has failed",
        "Have the contact of {name} mend what the CA names, and ask Sectigo to validate again.",
    ),
    OrganizationStanding.EXPIRED: (
        Cause.ORGANIZATION_EXPIRED,
        "has expired",
        "Have the {level} validation of {name} renewed with its contact.",
    ),
    OrganizationStanding.MISSING: (
        Cause.ORGANIZATION_MISSING,
        "was never done",
        "Have {name} validated for {level} in SCM, with its contact.",
    ),
}
