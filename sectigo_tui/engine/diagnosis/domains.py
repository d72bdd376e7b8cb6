"""How each domain of an order stands: pure, from the order's DCV log, the account's validations and DNS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.validation import NOTHING_ASKED, DcvCheck, DcvProof, DomainValidation
from sectigo_tui.engine.diagnosis.evidence import Evidence, Fact, Piece, has_passed, moment_text, quoted


class DomainStanding(StrEnum):
    """Whether control over a domain is shown."""

    VALID = "valid"
    EXPIRED = "expired"
    AWAITING = "awaiting"
    """Its owner has something to publish or to answer."""
    PUBLISHED = "published"
    """The record is in DNS; the CA has not taken it over yet."""
    NOT_STARTED = "not started"
    """Nobody has asked the CA to validate it."""
    CONTRADICTORY = "contradictory"
    """The order's log still waits although the account's validation is valid."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainLine:
    """One domain of an order.

    Args:
        domain: The domain; untrusted text.
        standing: Whether control over it is shown.
        is_certain: Whether that is told; outside the order's own log, that nothing was started proves nothing.
        told: SCM's own word for it.
        proof: What is asked of its owner.
        last_check: When the CA looked last.
        next_check: When the CA looks next.
        expires: When the account's validation expires, or has.
        is_published: Whether DNS has the record as asked; None where that was not looked up.
        facts: What this rests on.
    """

    domain: str
    standing: DomainStanding
    is_certain: bool = True
    told: str = ""
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


def account_standing(validation: DomainValidation | None, now: datetime) -> DomainStanding:
    """Return what the account's validation of a domain says; unknown without one."""
    word = _word(validation.status) if validation else ""
    if validation is None or word not in _VALID_WORDS | _EXPIRED_WORDS | _AWAITING_WORDS:
        return DomainStanding.UNKNOWN
    if word in _EXPIRED_WORDS or (validation.expires is not None and has_passed(validation.expires, now)):
        return DomainStanding.EXPIRED
    if word in _VALID_WORDS:
        return DomainStanding.VALID
    return DomainStanding.NOT_STARTED if _word(validation.order_status) == "notinitiated" else DomainStanding.AWAITING


def proves(standing: DomainStanding, validation: DomainValidation | None) -> bool:
    """Return whether the account's validation alone shows a standing: that nothing was started shows nothing."""
    if standing in (DomainStanding.NOT_STARTED, DomainStanding.UNKNOWN) or validation is None:
        return False
    return standing is not DomainStanding.AWAITING or bool(validation.order_status)


_VALID_WORDS = frozenset({"validated", "valid"})
_EXPIRED_WORDS = frozenset({"expired"})
_AWAITING_WORDS = frozenset({"awaitingvalidation", "notvalidated", "pending", "submitted", "notinitiated"})


def _line(evidence: Evidence, domain: str, check: DcvCheck | None) -> DomainLine:
    piece = evidence.domains.get(domain)
    validation = piece.value if piece else None
    record = evidence.records.get(domain)
    published = record.value.is_as_asked if record and record.value else None
    shown: DcvCheck | DomainValidation | None = check if check and (check.proof.mode or not validation) else validation
    standing = _standing(check, validation, published, evidence.now)
    return DomainLine(
        domain=domain,
        standing=standing,
        is_certain=check is not None or (proves(standing, validation) and not _is_covered(evidence, domain, standing)),
        told=check.status if check else validation.status if validation else "",
        proof=shown.proof if shown else NOTHING_ASKED,
        last_check=(check.last_check if check else None) or (validation.last_check if validation else None),
        next_check=(check.next_check if check else None) or (validation.next_check if validation else None),
        expires=validation.expires if validation else None,
        is_published=published,
        facts=_facts(evidence, domain, check, piece),
    )


def _standing(
    check: DcvCheck | None, validation: DomainValidation | None, published: bool | None, now: datetime
) -> DomainStanding:
    account = account_standing(validation, now)
    if check is None:
        return DomainStanding.PUBLISHED if published and account is DomainStanding.AWAITING else account
    word = _word(check.status)
    rules = (
        (word in _VALID_WORDS, DomainStanding.VALID),
        (word not in _AWAITING_WORDS | _EXPIRED_WORDS, account),
        (bool(published), DomainStanding.PUBLISHED),
        (word in _EXPIRED_WORDS or account is DomainStanding.EXPIRED, DomainStanding.EXPIRED),
        (account is DomainStanding.VALID, DomainStanding.CONTRADICTORY),
        (account is DomainStanding.NOT_STARTED and not check.proof.mode, DomainStanding.NOT_STARTED),
    )
    return next((standing for holds, standing in rules if holds), DomainStanding.AWAITING)


def _is_covered(evidence: Evidence, domain: str, standing: DomainStanding) -> bool:
    """Return whether a domain above one that is not valid is: which of them counts is not told before the CA's log."""
    return standing is not DomainStanding.VALID and any(
        covers(above, domain) and account_standing(piece.value, evidence.now) is DomainStanding.VALID
        for above, piece in evidence.domains.items()
        if above != domain
    )


def _facts(
    evidence: Evidence, domain: str, check: DcvCheck | None, piece: Piece[DomainValidation] | None
) -> tuple[Fact, ...]:
    facts = []
    if check is not None:
        looked = f", CA looked last {moment_text(check.last_check)}" if check.last_check else ""
        words = f"DCV of {quoted(domain)} for this order: {quoted(check.status) or 'no status'}{looked}"
        facts.append(Fact(words, evidence.dcv.source, evidence.dcv.at))
    if piece is not None and piece.value is not None:
        told = piece.value
        until = f", expires {moment_text(told.expires)}" if told.expires else ""
        ordered = f", order {quoted(told.order_status)}" if told.order_status else ""
        words = f"DCV of {quoted(told.domain)} in the account: {quoted(told.status)}{ordered}{until}"
        facts.append(Fact(words, piece.source, piece.at))
    record = evidence.records.get(domain)
    if record is not None and record.value is not None:
        found = ", ".join(map(quoted, record.value.found)) or "nothing"
        words = f"{record.value.kind} {quoted(record.value.name)} in DNS: {found}"
        facts.append(Fact(words, record.source, record.at))
    return tuple(facts)


def _word(status: str) -> str:
    return status.casefold().replace(" ", "").replace("_", "").replace("-", "")
