"""Revoking one certificate; never several at once."""

from __future__ import annotations

from sectigo_tui.domain.errors import InputError, ScmFailure
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.engine.revoking import RevokeOffer
from sectigo_tui.ui.board import Subject
from sectigo_tui.ui.dialogs.confirm import Notice
from sectigo_tui.ui.dialogs.revoke import Revoke
from sectigo_tui.ui.flows.flow import Flow
from sectigo_tui.ui.flows.rotate import after_refusal


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
    reason, code, problem, ssl_id = "", None, "", offer.details.ssl_id
    while True:
        answer = await flow.ask(Revoke(offer, flow.surroundings, reason=reason, reason_code=code, problem=problem))
        if answer is None:
            return
        reason, code = answer.reason, answer.reason_code
        work = flow.engine.revoking.revoke(ssl_id, answer.reason_code, answer.reason, answer.typed)
        try:
            order = await flow.during(f"Revoking sslId {ssl_id} ...", work, can_stop=False)
        except (InputError, ScmFailure) as failure:
            problem = await after_refusal(flow, failure)
            continue
        if order is None or order.state is OrderState.REVOKED:
            flow.unmark([ssl_id])
            flow.tell(f"Revoked, and confirmed by SCM: sslId {ssl_id}.")
            return
        await flow.ask(Notice(f"Revoke sslId {ssl_id}", _in_doubt(order)))
        return


def _in_doubt(order: Order) -> str:
    revocation = order.revocation
    trouble = revocation.trouble if revocation is not None and revocation.trouble else "UNKNOWN, verifying"
    again = revocation.next_attempt_at if revocation is not None else None
    when = f" next at {again:%H:%M:%S}Z," if again is not None else ""
    return (
        f"{trouble}\n\nThe revocation is recorded here, and SCM has not confirmed it. The program asks SCM again by "
        f"itself,{when} across restarts, until SCM has said what became of it. The order shows RVG until then."
    )
