"""How the domains and the organization of an order stand. Pure."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.validation import NOTHING_ASKED, DcvCheck, DcvProof, DomainValidation, OrganizationValidation
from sectigo_tui.engine.diagnosis.evidence.model import Answer, Evidence, Fact, has_passed, moment_text, quoted


class DomainState(StrEnum):
    """Whether control over a domain is shown."""

    VALID = "valid"
    EXPIRED = "expired"
    AWAITING = "awaiting"
    """Its owner has something to publish or to answer."""
    PUBLISHED = "published"
    """The record is in DNS; the CA has not taken it over yet."""
    NOT_STARTED = "not started"
    """Nobody has asked the CA to validate it."""
    NOT_SUBMITTED = "awaiting submission"
    """Its DCV was begun in SCM and not handed to the CA: it does not check yet."""
    REJECTED = "rejected"
    """The CA has rejected its DCV, and checks no more."""
    CONTRADICTORY = "contradictory"
    """The order's log still waits although the account's validation is valid."""
    UNKNOWN = "unknown"


class DomainLine(Struct, frozen=True, kw_only=True):
    """One domain of an order.

    Args:
        domain: The domain; untrusted text.
        order_state: Whether control over it is shown.
        is_certain: Whether that is told; outside the order's own log, that nothing was started proves nothing.
        scm_words: SCM's own word for it.
        proof: What is asked of its owner.
        last_check: When the CA checked last.
        next_check: When the CA checks next.
        expires: When the account's validation expires, or has.
        is_published: Whether DNS has the record as asked; None where that was not looked up.
        facts: What this rests on.
    """

    domain: str
    order_state: DomainState
    is_certain: bool = True
    scm_words: str = ""
    proof: DcvProof = NOTHING_ASKED
    last_check: Moment | None = None
    next_check: Moment | None = None
    expires: Moment | None = None
    is_published: bool | None = None
    facts: tuple[Fact, ...] = ()


def bare(name: str) -> str:
    """Return a certificate's name as the domain to validate: without `*.` and the last dot, in lower case."""
    return name.strip().casefold().removeprefix("*.").rstrip(".")


def is_domain(name: str) -> bool:
    """Return whether a certificate's name is one that DNS has, rather than an address or a bare host."""
    _, dot, last = bare(name).rpartition(".")
    return bool(dot) and not last.isdigit() and ":" not in name


def covers(domain: str, name: str) -> bool:
    """Return whether control over a domain is control over a name."""
    inner, outer = bare(name), bare(domain)
    return inner == outer or inner.endswith(f".{outer}")


def checks_of(evidence: Evidence) -> tuple[DcvCheck, ...]:
    """Return the lines of the order's DCV log; none while it is not known."""
    return evidence.dcv.value.checks if evidence.dcv.value else ()


def is_validated(check: DcvCheck) -> bool:
    """Return whether a line of an order's log says that control is shown."""
    return _word(check.status) in _VALID_WORDS


def names_outside_log(evidence: Evidence) -> tuple[str, ...]:
    """Return the order's names, bare and each once, of which its DCV log says nothing."""
    if evidence.is_dcv_unused:
        return ()
    logged = [check.domain for check in checks_of(evidence)]
    outside = (bare(name) for name in evidence.names if not any(covers(domain, name) for domain in logged))
    return tuple(dict.fromkeys(name for name in outside if is_domain(name)))


def domain_lines(evidence: Evidence) -> tuple[DomainLine, ...]:
    """Return how each domain of an order stands, those of its DCV log first.

    Which domain is validated for a name is SCM's choice: the log's domains are taken as they are, and for a name
    outside the log the account's validations are asked from the name upwards, never by a guess at public suffixes.

    Args:
        evidence: What is known.
    """
    logged = [_line(evidence, bare(check.domain), check) for check in checks_of(evidence)]
    return (*logged, *(_line(evidence, name, None) for name in names_outside_log(evidence)))


def account_state(validation: DomainValidation | None, now: datetime) -> DomainState:
    """Return what the account's validation of a domain says; unknown without one."""
    word = _word(validation.status) if validation else ""
    if validation is None or word not in _VALID_WORDS | _EXPIRED_WORDS | _AWAITING_WORDS:
        return DomainState.UNKNOWN
    is_over = word in _EXPIRED_WORDS or (validation.expires is not None and has_passed(validation.expires, now))
    if word in _VALID_WORDS and not is_over:
        return DomainState.VALID
    ordered = _ORDER_WORDS.get(_word(validation.order_status), DomainState.AWAITING)
    if is_over and ordered in (DomainState.AWAITING, DomainState.NOT_STARTED):
        return DomainState.EXPIRED
    return ordered


def proves(order_state: DomainState, validation: DomainValidation | None) -> bool:
    """Return whether the account's validation alone shows a state: one that was never started does not."""
    if order_state in (DomainState.NOT_STARTED, DomainState.UNKNOWN) or validation is None:
        return False
    return order_state is not DomainState.AWAITING or bool(validation.order_status)


_VALID_WORDS = frozenset({"validated", "valid"})
_EXPIRED_WORDS = frozenset({"expired"})
_AWAITING_WORDS = frozenset({"awaitingvalidation", "notvalidated", "pending", "submitted", "notinitiated"})
_ORDER_WORDS = {
    "notinitiated": DomainState.NOT_STARTED,
    "awaitingsubmission": DomainState.NOT_SUBMITTED,
    "rejected": DomainState.REJECTED,
}
"""What keeps a DCV order from the CA. Source: OpenAPI 25.9, `DcvOrderStatus`; spelled as in SCM manual 25.5, too."""


def _line(evidence: Evidence, domain: str, check: DcvCheck | None) -> DomainLine:
    answer = evidence.domains.get(domain)
    validation = answer.value if answer else None
    record = evidence.records.get(domain)
    published = record.value.is_as_asked if record and record.value else None
    shown: DcvCheck | DomainValidation | None = check if check and (check.proof.mode or not validation) else validation
    order_state = _state(check, validation, published, evidence.now)
    return DomainLine(
        domain=domain,
        order_state=order_state,
        is_certain=check is not None
        or (proves(order_state, validation) and not _is_covered(evidence, domain, order_state)),
        scm_words=check.status if check else validation.status if validation else "",
        proof=shown.proof if shown else NOTHING_ASKED,
        last_check=(check.last_check if check else None) or (validation.last_check if validation else None),
        next_check=(check.next_check if check else None) or (validation.next_check if validation else None),
        expires=(validation.expires if validation else None) or evidence.validity_ends.get(domain),
        is_published=published,
        facts=_facts(evidence, domain, check, answer),
    )


def _state(
    check: DcvCheck | None, validation: DomainValidation | None, published: bool | None, now: datetime
) -> DomainState:
    account = account_state(validation, now)
    if check is None:
        return DomainState.PUBLISHED if published and account is DomainState.AWAITING else account
    word = _word(check.status)
    stands_still = (DomainState.NOT_SUBMITTED, DomainState.REJECTED)
    rules = (
        (word in _VALID_WORDS, DomainState.VALID),
        (account in stands_still, account),
        (_ORDER_WORDS.get(word) in stands_still, _ORDER_WORDS.get(word, account)),
        (word not in _AWAITING_WORDS | _EXPIRED_WORDS, account),
        (bool(published), DomainState.PUBLISHED),
        (word in _EXPIRED_WORDS or account is DomainState.EXPIRED, DomainState.EXPIRED),
        (account is DomainState.VALID, DomainState.CONTRADICTORY),
        (account is DomainState.NOT_STARTED and not check.proof.mode, DomainState.NOT_STARTED),
    )
    return next((order_state for holds, order_state in rules if holds), DomainState.AWAITING)


def _is_covered(evidence: Evidence, domain: str, order_state: DomainState) -> bool:
    """Return whether a domain above one that is not valid is: which of them counts is not told before the CA's log."""
    return order_state is not DomainState.VALID and any(
        covers(above, domain) and account_state(answer.value, evidence.now) is DomainState.VALID
        for above, answer in evidence.domains.items()
        if above != domain
    )


def _facts(
    evidence: Evidence, domain: str, check: DcvCheck | None, answer: Answer[DomainValidation] | None
) -> tuple[Fact, ...]:
    facts = []
    if check is not None:
        checked = f", CA checked last {moment_text(check.last_check)}" if check.last_check else ""
        words = f"DCV of {quoted(domain)} for this order: {quoted(check.status) or 'no status'}{checked}"
        facts.append(Fact(words, evidence.dcv.source, evidence.dcv.at))
    if answer is not None and answer.value is not None:
        scm_words = answer.value
        until = f", expires {moment_text(scm_words.expires)}" if scm_words.expires else ""
        ordered = f", order {quoted(scm_words.order_status)}" if scm_words.order_status else ""
        words = f"DCV of {quoted(scm_words.domain)} in the account: {quoted(scm_words.status)}{ordered}{until}"
        facts.append(Fact(words, answer.source, answer.at))
    elif domain in evidence.validity_ends:
        words = f"DCV of {quoted(domain)} in the account ends {moment_text(evidence.validity_ends[domain])}"
        facts.append(Fact(words, "SCM domain validations", evidence.dcv.at))
    record = evidence.records.get(domain)
    if record is not None and record.value is not None:
        found = ", ".join(map(quoted, record.value.found)) or "nothing"
        words = f"{record.value.kind} {quoted(record.value.name)} in DNS: {found}"
        facts.append(Fact(words, record.source, record.at))
    return tuple(facts)


def _word(status: str) -> str:
    return status.casefold().replace(" ", "").replace("_", "").replace("-", "")


class OrganizationState(StrEnum):
    """Whether an organization is validated for an order's level."""

    VALID = "valid"
    PENDING = "pending"
    FAILED = "failed"
    EXPIRED = "expired"
    MISSING = "missing"
    """It has no validation of this level."""
    UNKNOWN = "unknown"


class OrganizationLine(Struct, frozen=True, kw_only=True):
    """The organization of an order.

    Args:
        id: Whose validation counts: the organization, or a department's parent.
        name: Its name, or its id where that is all that is known; untrusted text.
        level: The level that counts: OV or EV.
        is_certain: Whether SCM told that the order is of this level.
        order_state: Whether it is validated.
        validation: The validation that this rests on.
        facts: What this rests on.
    """

    id: int
    name: str
    level: str
    is_certain: bool
    order_state: OrganizationState
    validation: OrganizationValidation | None = None
    facts: tuple[Fact, ...] = ()


def organization_line(evidence: Evidence) -> OrganizationLine | None:
    """Return how the organization of an order stands.

    A department uses its parent's validations. Source: SCM manual 25.5. That an EV validation would serve an OV order
    is not documented, and not assumed.

    Args:
        evidence: What is known.

    Returns:
        None while its validations are not known, and for DV, where they do not count.
    """
    scm_words = evidence.organization.value
    if scm_words is None or not evidence.needs_organization:
        return None
    level = evidence.level or "OV"
    name = quoted(scm_words.holder_name) or f"organization {scm_words.holder_id}"
    candidates = [one for one in scm_words.validations if one.level.strip().casefold() == level.casefold()]
    standings = [(_organization_state(one, evidence.now), one) for one in candidates]
    order_state, validation = min(
        standings, key=lambda pair: _PREFERENCE.index(pair[0]), default=(OrganizationState.MISSING, None)
    )
    return OrganizationLine(
        id=scm_words.holder_id,
        name=name,
        level=level,
        is_certain=bool(evidence.level),
        order_state=order_state,
        validation=validation,
        facts=(Fact(_statement(name, level, validation), evidence.organization.source, evidence.organization.at),),
    )


_PREFERENCE = (
    OrganizationState.VALID,
    OrganizationState.PENDING,
    OrganizationState.UNKNOWN,
    OrganizationState.FAILED,
    OrganizationState.EXPIRED,
)
"""Of several validations of one level, the one that lets the order go furthest counts."""

_STANDINGS = {
    "validated": OrganizationState.VALID,
    "pending": OrganizationState.PENDING,
    "failed": OrganizationState.FAILED,
    "expired": OrganizationState.EXPIRED,
}


def _organization_state(validation: OrganizationValidation, now: datetime) -> OrganizationState:
    order_state = _STANDINGS.get(validation.status.strip().casefold(), OrganizationState.UNKNOWN)
    if order_state is OrganizationState.VALID and validation.expires and has_passed(validation.expires, now):
        return OrganizationState.EXPIRED
    return order_state


def _statement(name: str, level: str, validation: OrganizationValidation | None) -> str:
    if validation is None:
        return f"{name} has no {level} validation"
    parts = [f"{level} validation of {name}: {quoted(validation.status)}"]
    if validation.submitted:
        parts.append(f"submitted {moment_text(validation.submitted)}")
    if validation.expires:
        parts.append(f"expires {moment_text(validation.expires)}")
    if validation.background_status:
        parts.append(f"in the background {quoted(validation.background_status)}")
    if validation.tracking_id:
        parts.append(f"tracking id {quoted(validation.tracking_id)}")
    if validation.last_message:
        parts.append(f"the CA's last message: {quoted(validation.last_message)}")
    return ", ".join(parts)
