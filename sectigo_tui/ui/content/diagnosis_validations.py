"""What a diagnosis says of the domains and the organization: valid, or what is to be done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content

from sectigo_tui.engine.diagnosis.evidence.domains import DomainLine, DomainState
from sectigo_tui.engine.diagnosis.evidence.organizations import OrganizationLine
from sectigo_tui.presentation import format as fmt
from sectigo_tui.ui.content import lines
from sectigo_tui.ui.content.lines import untrusted

VALID_SHOWN = 20
"""How many domains are named of those at which nothing is left to do."""


def records_to_publish(domains: Sequence[DomainLine]) -> str:
    """Return what the owners of domains that are not valid were asked to publish, a line each; empty for nothing."""
    return "\n".join(
        untrusted(record)
        for line in domains
        if line.order_state is not DomainState.VALID and (record := _record(line)) is not None
    )


def domains_content(domains: Sequence[DomainLine], width: int) -> Content:
    """Return each domain at which something is left to do with that, and the valid ones in one line."""
    open_ = [line for line in domains if line.order_state is not DomainState.VALID]
    valid = [line for line in domains if line.order_state is DomainState.VALID]
    shown = [block for line in open_ for block in (_domain(line), lines.labelled(_to_do(line), width)) if block.plain]
    if valid:
        names = ", ".join(untrusted(line.domain) for line in valid[:VALID_SHOWN])
        more = f" and {len(valid) - VALID_SHOWN} more" if len(valid) > VALID_SHOWN else ""
        until = min((line.expires for line in valid if line.expires is not None), key=fmt.format_when, default=None)
        expires = f"; the first ends {fmt.format_when(until)}" if until is not None else ""
        shown.append(lines.labelled([(f"{len(valid)} valid", f"{names}{more}{expires}")], width))
    return Content("\n").join(shown)


def organization_content(line: OrganizationLine | None, width: int) -> Content:
    """Return the organization's validation; nothing where that was not told."""
    if line is None:
        return Content("")
    doubt = "" if line.is_certain else " (level not told)"
    head = Content.assemble((untrusted(line.name), "bold"), f"  {line.level}{doubt} ", (str(line.order_state), "bold"))
    validation = line.validation
    if validation is None:
        return head
    facts = (
        ("  CA's words", Content.styled(untrusted(validation.last_message), "bold")),
        ("  status", untrusted(f"{validation.status} {validation.background_status}".strip())),
        ("  submitted", fmt.format_when(validation.submitted) if validation.submitted else ""),
        ("  expires", fmt.format_when(validation.expires) if validation.expires else ""),
        ("  tracking id", untrusted(validation.tracking_id)),
        ("  validator", untrusted(validation.validator)),
        ("  backend id", untrusted(validation.backend_id)),
    )
    return Content("\n").join((head, lines.labelled(facts, width)))


def _record(line: DomainLine) -> str | None:
    proof = line.proof
    if proof.host and proof.point:
        return f"{proof.host} {proof.mode or 'CNAME'} {proof.point}"
    if proof.url:
        return f"{proof.url} {proof.file}"
    return f"{line.domain} e-mail to {proof.email}" if proof.email else None


def _domain(line: DomainLine) -> Content:
    doubt = "" if line.is_certain else " (not certain)"
    scm_words = f"  SCM: {untrusted(line.scm_words)}" if line.scm_words else ""
    return Content.assemble(
        (untrusted(line.domain), "bold"), "  ", (f"{line.order_state}{doubt}", "$state-waiting"), scm_words
    )


def _to_do(line: DomainLine) -> Iterable[lines.Fact]:
    proof, published = line.proof, {None: "", True: "  (in DNS)", False: "  (NOT in DNS)"}[line.is_published]
    if proof.host and proof.point:
        yield "  publish", untrusted(proof.host)
        yield f"  {untrusted(proof.mode or 'CNAME')}", f"{untrusted(proof.point)}{published}"
    elif proof.url:
        yield "  serve", untrusted(proof.url)
        yield "  content", untrusted(proof.file)
    elif proof.email:
        yield "  mailed to", untrusted(proof.email)
    yield (
        "  CA check",
        ", ".join(
            f"{word} {fmt.format_when(moment)}"
            for word, moment in (("last", line.last_check), ("next", line.next_check))
            if moment is not None
        ),
    )
    yield "  expires", fmt.format_when(line.expires) if line.expires is not None else ""
