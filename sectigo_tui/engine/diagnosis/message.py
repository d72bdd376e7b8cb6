"""A message to whoever blocks an order: ready text, made of a template and the order's diagnosis. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.messages import TEMPLATES, Recipient, filled_in
from sectigo_tui.engine.diagnosis.escalation import Redact
from sectigo_tui.engine.diagnosis.evidence.model import moment_text, quoted
from sectigo_tui.engine.diagnosis.evidence.validations import DomainLine, DomainState
from sectigo_tui.engine.diagnosis.normal import Leg
from sectigo_tui.engine.diagnosis.result import Diagnosis
from sectigo_tui.engine.diagnosis.rules.causes import Party
from sectigo_tui.engine.diagnosis.stages import Span, When

_RECIPIENTS = {
    Party.APPROVER: Recipient.APPROVER,
    Party.DNS_OWNER: Recipient.DNS,
    Party.ORGANIZATION_CONTACT: Recipient.ORGANIZATION,
    Party.CA: Recipient.SECTIGO,
}
_PARTIES = {recipient: party for party, recipient in _RECIPIENTS.items()}
_LEFT = (Leg.VETTING, Leg.AT_CA, Leg.WHOLE)
"""The legs that end with the certificate, the shortest first."""
_NAMED_AT_MOST = 20
_LONGEST = 2_000


class Message(Struct, frozen=True, kw_only=True):
    """A message, ready to be sent.

    Args:
        recipient: Who is written to.
        subject: One line.
        text: The message without the subject.
        needed_by: The date by which it matters, and why then.
    """

    recipient: Recipient
    subject: str
    text: str
    needed_by: str

    @property
    def whole(self) -> str:
        """Subject and text, as they are copied."""
        return f"{self.subject}\n\n{self.text}"


def recipients_of(diagnosis: Diagnosis) -> tuple[Recipient, ...]:
    """Return who blocks an order and can be written to, the most urgent first; none where nobody can."""
    verdict = diagnosis.verdict
    parties = (verdict.party, *(other.party for other in verdict.others if other.is_certain))
    return tuple(dict.fromkeys(_RECIPIENTS[party] for party in parties if party in _RECIPIENTS))


def message_to(
    recipient: Recipient,
    diagnosis: Diagnosis,
    redact: Redact,
    *,
    pack: str,
    address: str = "",
    templates: Mapping[str, str] | None = None,
) -> Message:
    """Return the message to somebody about an order, without credentials.

    Args:
        recipient: Who is written to.
        diagnosis: The order's diagnosis.
        redact: Takes credentials out of untrusted text.
        pack: The escalation pack.
        address: Where to log in to SCM.
        templates: The operator's own, by recipient; the program's for the others.
    """
    template = (templates or {}).get(recipient) or TEMPLATES[recipient]
    values = _values(recipient, diagnosis, address)
    text = filled_in(template, {**values, "pack": pack.strip()})
    subject, _, body = "\n".join(map(redact, text.split("\n"))).partition("\n")
    return Message(
        recipient=recipient, subject=subject.strip(), text=body.strip() + "\n", needed_by=redact(values["needed_by"])
    )


def _values(recipient: Recipient, diagnosis: Diagnosis, address: str) -> dict[str, str]:
    evidence, verdict = diagnosis.evidence, diagnosis.verdict
    details, order = evidence.details.value, evidence.order
    requested = details.requested if details is not None and details.requested is not None else None
    if requested is None and order is not None:
        requested = order.created_at
    others = (other for other in verdict.others if other.party is _PARTIES[recipient])
    cause = verdict if verdict.party is _PARTIES[recipient] else next(others, verdict)
    validation = diagnosis.organization.validation if diagnosis.organization is not None else None
    checks = [line.next_check for line in _open(diagnosis.domains) if line.next_check is not None]
    return {
        "common_name": quoted(evidence.common_name),
        "names": _listed(evidence.names),
        "ssl_id": str(evidence.ssl_id or ""),
        "order_number": quoted(details.order_number if details else ""),
        "backend_cert_id": quoted(details.backend_cert_id if details else ""),
        "profile": quoted((details.profile_name if details else "") or (order.profile_name if order else "")),
        "validation": evidence.level,
        "organization": _organization(diagnosis),
        "requester": quoted(details.requester if details else ""),
        "approver": quoted(details.owner if details else ""),
        "requested": moment_text(requested) if requested is not None else "",
        "age": Span.between(When.of(requested), When.of(evidence.now)).text if requested is not None else "",
        "status": quoted(evidence.status),
        "why": cause.sentence,
        "next_step": cause.next_action,
        "needed_by": needed_by(diagnosis),
        "records": "\n".join(_asked_of_owners(diagnosis.domains)),
        "next_check": moment_text(min(checks, key=_start)) if checks else "",
        "asked": _exact(validation.last_message) if validation else "",
        "tracking_id": quoted(validation.tracking_id) if validation else "",
        "address": address,
        "owner": order.owner if order is not None else "",
    }


def needed_by(diagnosis: Diagnosis) -> str:
    """Return the date by which an order matters, and why then.

    From the end of the certificate in use is taken what 9 of 10 orders need from the present stage on.
    """
    outage, now = diagnosis.outage, diagnosis.evidence.now
    figures = {one.leg: one.figure for one in diagnosis.normal if one.is_running and one.figure is not None}
    usual = next((figures[leg].p90 for leg in _LEFT if leg in figures), None)
    takes = f"from here it takes up to {usual.text}" if usual is not None else ""
    if outage is None:
        return f"as soon as possible{f': {takes}' if takes else ''}. No certificate in use is known to end."
    ends = moment_text(outage.expires)
    if outage.has_ended(now):
        return f"now: the certificate in use ended {ends}."
    by = outage.earliest - timedelta(seconds=usual.at_most_seconds) if usual is not None else outage.earliest
    if by <= now:
        return f"now: the certificate in use ends {ends}, and {takes}."
    why = f"the certificate in use ends {ends}{f', and {takes}' if takes else ''}"
    return f"by {by:%Y-%m-%d}: {why}."


def _open(domains: Iterable[DomainLine]) -> list[DomainLine]:
    return [line for line in domains if line.order_state is not DomainState.VALID]


def _asked_of_owners(domains: Iterable[DomainLine]) -> Iterable[str]:
    for line in _open(domains):
        proof = line.proof
        if proof.host and proof.point:
            yield f"{_exact(proof.host)} {_exact(proof.mode or 'CNAME')} {_exact(proof.point)}"
        elif proof.url:
            yield f"{_exact(proof.url)} with the content {_exact(proof.file)}"
        elif proof.email:
            yield f"{quoted(line.domain)}: answer the e-mail that the CA has sent to {_exact(proof.email)}"
        else:
            yield f"{quoted(line.domain)}: SCM lists no record yet"


def _exact(text: str) -> str:
    """Return untrusted text on one line, whole: a record that is cut proves nothing."""
    return one_line(text, _LONGEST)


def _organization(diagnosis: Diagnosis) -> str:
    known, number = diagnosis.evidence.organization.value, diagnosis.evidence.organization_id
    name = quoted(known.holder_name or known.name) if known is not None else ""
    if number is None:
        return name
    return f"{name} (orgId {number})" if name else f"orgId {number}"


def _listed(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
    return ", ".join(quoted(name) for name in names[:_NAMED_AT_MOST]) + more


def _start(moment: Moment) -> datetime:
    return When.of(moment).earliest
