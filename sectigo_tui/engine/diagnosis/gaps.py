"""What is not known about an order, or no longer up to date. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from sectigo_tui.engine.diagnosis.domains import DomainStanding, domain_lines, is_domain
from sectigo_tui.engine.diagnosis.evidence import Evidence, Part, Piece, PieceState, moment_text, quoted


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is not known, or no longer up to date.

    Args:
        part: Of which part.
        what: What is missing and why, for a person.
        weakens: Whether the verdict could be another one with it.
        trouble: Why a call failed, the same for what failed in the same way; empty where none did.
    """

    part: Part
    what: str
    weakens: bool = True
    trouble: str = ""


def gaps_of(evidence: Evidence, *, is_deep: bool) -> tuple[Gap, ...]:
    """Return what is not known about an order.

    Args:
        evidence: What is known.
        is_deep: Whether DCV, CAA and the organization bear on it.
    """
    gaps = [_polling_gap(evidence), _piece_gap(Part.DETAILS, evidence.details)]
    if is_deep:
        gaps.append(_piece_gap(Part.DCV, evidence.dcv))
        gaps += [_piece_gap(Part.DOMAINS, piece) for piece in evidence.domains.values()]
        gaps += _domain_gaps(evidence)
        if evidence.needs_organization or not evidence.level:
            gaps.append(_piece_gap(Part.ORGANIZATION, evidence.organization))
        gaps += [_piece_gap(Part.DNS, piece) for piece in evidence.caa.values()]
        gaps += [_piece_gap(Part.DNS, piece) for piece in evidence.records.values()]
        if not evidence.dns_is_on:
            gaps.append(Gap(Part.DNS, "CAA not checked: DNS look-ups are off", weakens=False))
        elif unread := sum(is_domain(name) and name not in evidence.caa for name in evidence.names):
            gaps.append(Gap(Part.DNS, f"CAA of {unread} more names not looked up", weakens=False))
        if evidence.unchecked_names:
            gaps.append(Gap(Part.DOMAINS, f"{evidence.unchecked_names} more names were not looked up"))
    return tuple(dict.fromkeys(gap for gap in gaps if gap is not None))


def _polling_gap(evidence: Evidence) -> Gap | None:
    window = evidence.order.window if evidence.order else None
    if window is None or window.is_open or evidence.order is None or not evidence.order.state.is_polled:
        return None
    since = f" since {moment_text(evidence.order.last_look.at)}" if evidence.order.last_look else ""
    return Gap(Part.LOCAL, f"polling ended ({window.ended}): nobody has looked{since}", weakens=False)


def _piece_gap(part: Part, piece: Piece[object]) -> Gap | None:
    older = f", the answer of {moment_text(piece.at)} is used" if piece.value is not None and piece.at else ""
    match piece.state:
        case PieceState.FAILED:
            what = f"{part} failed to load ({piece.source}: {quoted(piece.trouble)}){older}"
            return Gap(part, what, trouble=piece.trouble)
        case PieceState.ASKING if piece.value is None:
            return Gap(part, f"{part} being looked up")
        case PieceState.NOT_ASKED if piece.value is None:
            return Gap(part, f"{part} not looked up yet")
        case _:
            return None


def _domain_gaps(evidence: Evidence) -> list[Gap]:
    if evidence.dcv.value is None and not evidence.dcv.is_failed:
        return []  # which domains there are is not known yet
    lines = [line for line in domain_lines(evidence) if line.standing is DomainStanding.UNKNOWN]
    odd = [line for line in lines if line.told]
    unasked = [quoted(line.domain) for line in lines if not line.told and line.domain not in evidence.domains]
    gaps = [
        Gap(Part.DOMAINS, f"DCV of {quoted(line.domain)} is {quoted(line.told)}, which this program does not know")
        for line in odd
    ]
    if unasked:
        more = f" and {len(unasked) - 3} more" if len(unasked) > 3 else ""
        gaps.append(Gap(Part.DOMAINS, f"DCV of {', '.join(unasked[:3])}{more} is not looked up yet"))
    return gaps
