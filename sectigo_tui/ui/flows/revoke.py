"""Revoking one certificate; never several at once."""

from __future__ import annotations

from sectigo_tui.domain.errors import InputError, ScmFailure
from sectigo_tui.domain.orders import OrderState
from sectigo_tui.engine.revoking import RevokeOffer
from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.dialogs.confirm import Notice
from sectigo_tui.ui.dialogs.revoke import Revoke
from sectigo_tui.ui.flows.flow import Flow, in_words
from sectigo_tui.ui.text import printable


async def revoke(flow: Flow, subject: Subject) -> None:
    """Ask SCM what the certificate is, ask the operator, record it here, tell SCM, and say what SCM said.

    Raises:
        ScmFailure: SCM did not tell what is to be revoked.
    """
    if subject.ssl_id is None:
        return
    offer = await flow.during(
        "Asking SCM about this certificate ...", flow.engine.revoking.offer(subject.ssl_id), can_stop=True
    )
    if offer is None:
        return
    if offer.refusal:
        await flow.ask(Notice("Revoke", f"sslId {subject.ssl_id} cannot be revoked: {offer.refusal}."))
        return
    await _until_told(flow, offer)


async def _until_told(flow: Flow, offer: RevokeOffer) -> None:
    reason, problem, ssl_id = "", "", offer.details.ssl_id
    while True:
        answer = await flow.ask(Revoke(offer, flow.surroundings, reason=reason, problem=problem))
        if answer is None:
            return
        reason = answer.reason
        work = flow.engine.revoking.revoke(ssl_id, answer.reason_code, answer.reason, answer.typed)
        try:
            order = await flow.during(f"Revoking sslId {ssl_id} ...", work, can_stop=False)
        except (InputError, ScmFailure) as failure:
            problem = in_words(failure)
            continue
        if order is None or order.state is OrderState.REVOKED:
            flow.tell(f"Revoked, and confirmed by SCM: sslId {ssl_id}.")
            return
        trouble = order.revocation.trouble if order.revocation else ""
        text = (
            f"UNKNOWN, verifying. The revocation is recorded here; SCM has not confirmed it: {printable(trouble)}\n\n"
            "The program asks SCM again by itself, across restarts, until SCM has said what became of it. "
            "The order shows RVG until then."
        )
        await flow.ask(Notice(f"Revoke sslId {ssl_id}", text))
        return
