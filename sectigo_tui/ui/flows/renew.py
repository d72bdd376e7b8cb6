"""Renewing: a new order from an old one, under the same rule as any order: never twice."""

from __future__ import annotations

import asyncio

from textual.content import Content

from sectigo_tui.domain.errors import InputError, ScmFailure
from sectigo_tui.domain.names import name_keys
from sectigo_tui.domain.pki import CsrFacts
from sectigo_tui.engine.renewing import RenewOffer
from sectigo_tui.ui import format as fmt
from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.dialogs.confirm import Confirm
from sectigo_tui.ui.dialogs.renew import Renew
from sectigo_tui.ui.flows.csr_file import read_csr_file
from sectigo_tui.ui.flows.enroll import csr_doubts, csr_facts, duplicates_content, tell_placed
from sectigo_tui.ui.flows.flow import Flow
from sectigo_tui.ui.flows.rotate import after_refusal
from sectigo_tui.ui.text import counted


async def renew(flow: Flow, subject: Subject) -> None:
    """Show what would be ordered again, ask, and order it once.

    Raises:
        ScmFailure: SCM did not tell the old order.
    """
    if subject.ssl_id is None:
        return
    work = flow.engine.renewing.offer(subject.ssl_id)
    offer = await flow.during("Asking SCM about this certificate ...", work, can_stop=True)
    if offer is None:
        return
    path, problem = "", ""
    while True:
        form = Renew(_facts(flow, offer), duplicates_content(offer.duplicates), path=path, problem=problem)
        answer = await flow.ask(form)
        if answer is None:
            return
        path = answer
        try:
            csr: CsrFacts | None = None
            if path:
                csr = await flow.engine.enrolling.read_csr(await asyncio.to_thread(read_csr_file, path))
                if not await flow.ask(_with_csr(csr, offer)):
                    problem = ""
                    continue
            order_again = flow.engine.renewing.renew(subject.ssl_id, csr, since=offer.duplicates)
            placed = await flow.during("Ordering the renewal ...", order_again, can_stop=False)
        except (InputError, ScmFailure) as failure:
            problem = await after_refusal(flow, failure)
            continue
        if placed is not None:
            flow.unmark([subject.ssl_id])
            await tell_placed(flow, placed)
        return


def _with_csr(csr: CsrFacts, offer: RenewOffer) -> Confirm:
    """Return the question whether this is the CSR that is meant: a file of another name is read as easily."""
    old = offer.old
    wanted = name_keys((old.common_name, *old.subject_alternative_names))
    missing = wanted - name_keys((csr.common_name, *csr.common_names, *csr.subject_alternative_names))
    said = Content.styled("It has every name of the certificate that is renewed.", "$state-done")
    if missing:
        names_lost = counted(sorted(missing))
        said = Content.styled(
            f"! It lacks names of the certificate that is renewed: {names_lost}", "$state-warning bold"
        )
    said = Content("\n").join([*csr_doubts(csr), said])
    return Confirm("Renew with this CSR?", said, "Order it, billed", facts=csr_facts(csr), is_danger=bool(missing))


def _facts(flow: Flow, offer: RenewOffer) -> tuple[tuple[str, str], ...]:
    old = offer.old
    return (
        ("Account", f"{flow.surroundings.band} {flow.surroundings.customer}".strip()),
        ("Renews", f"sslId {old.ssl_id}"),
        ("Common name", old.common_name),
        ("Names", counted(old.subject_alternative_names)),
        ("Profile", f"{old.profile_name} ({old.profile_id})"),
        ("Status", old.status),
        ("Expires", fmt.format_when(old.expires)),
        ("Under way", ", ".join(str(order.ssl_id or order.id) for order in offer.renewals)),
    )
