"""Renewing: a new order from an old one, under the same rule as any order: never twice."""

from __future__ import annotations

import asyncio

from textual.content import Content

from sectigo_tui.domain.errors import InputError, ScmFailure
from sectigo_tui.domain.pki import CsrFacts
from sectigo_tui.engine.renewing import RenewOffer
from sectigo_tui.ui import format as fmt
from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.dialogs.form import facts_content
from sectigo_tui.ui.dialogs.renew import Renew
from sectigo_tui.ui.flows.csr_file import read_csr_file
from sectigo_tui.ui.flows.enroll import duplicates_content, tell_placed
from sectigo_tui.ui.flows.flow import Flow, in_words


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
        answer = await flow.ask(Renew(_content(flow, offer), path=path, problem=problem))
        if answer is None:
            return
        path = answer
        try:
            csr: CsrFacts | None = None
            if path:
                csr = await flow.engine.enrolling.read_csr(await asyncio.to_thread(read_csr_file, path))
            order_again = flow.engine.renewing.renew(subject.ssl_id, csr)
            placed = await flow.during("Ordering the renewal ...", order_again, can_stop=False)
        except (InputError, ScmFailure) as failure:
            problem = in_words(failure)
            continue
        if placed is not None:
            await tell_placed(flow, placed)
        return


def _content(flow: Flow, offer: RenewOffer) -> Content:
    old = offer.old
    facts = facts_content(
        (
            ("Account", f"{flow.surroundings.band} {flow.surroundings.customer}".strip()),
            ("Renews", f"sslId {old.ssl_id}"),
            ("Common name", old.common_name),
            ("Names", ", ".join(old.subject_alternative_names)),
            ("Profile", f"{old.profile_name} ({old.profile_id})"),
            ("Status", old.status),
            ("Expires", fmt.format_when(old.expires)),
            ("Under way", ", ".join(str(order.ssl_id or order.id) for order in offer.renewals)),
        )
    )
    return Content("\n\n").join([facts, duplicates_content(offer.duplicates)])
