"""Revoking one certificate; never several at once."""

from __future__ import annotations

from sectigo_tui.domain.errors import InputError, ScmFailure
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.engine.orders.revoke import RevokeOffer
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.ui.dialogs.confirm import Notice
from sectigo_tui.ui.dialogs.revoke import Revoke
from sectigo_tui.ui.workflows.rotate import after_rejection
from sectigo_tui.ui.workflows.workflow import Workflow


async def revoke(workflow: Workflow, row: OrderRow) -> None:
    """Ask SCM what the certificate is, ask the operator, record it here, tell SCM, and say what SCM said.

    Raises:
        ScmFailure: SCM did not tell what is to be revoked.
    """
    if row.ssl_id is None:
        return
    offer = await workflow.during(
        "Asking SCM about this certificate ...", workflow.engine.revoking.offer(row.ssl_id), can_stop=True
    )
    if offer is None:
        return
    if offer.rejection:
        await workflow.ask(Notice("Revoke", f"sslId {row.ssl_id} cannot be revoked: {offer.rejection}."))
        return
    await _until_answered(workflow, offer)


async def _until_answered(workflow: Workflow, offer: RevokeOffer) -> None:
    reason, code, error_text, ssl_id = "", None, "", offer.details.ssl_id
    while True:
        answer = await workflow.ask(
            Revoke(offer, workflow.surroundings, reason=reason, reason_code=code, error_text=error_text)
        )
        if answer is None:
            return
        reason, code = answer.reason, answer.reason_code
        work = workflow.engine.revoking.revoke(ssl_id, answer.reason_code, answer.reason, answer.typed)
        try:
            order = await workflow.during(f"Revoking sslId {ssl_id} ...", work, can_stop=False)
        except (InputError, ScmFailure) as failure:
            error_text = await after_rejection(workflow, failure)
            continue
        if order is None or order.state is OrderState.REVOKED:
            workflow.unmark([ssl_id])
            workflow.notify(f"Revoked, and confirmed by SCM: sslId {ssl_id}.")
            return
        await workflow.ask(Notice(f"Revoke sslId {ssl_id}", _is_unconfirmed(order)))
        return


def _is_unconfirmed(order: Order) -> str:
    revocation = order.revocation
    error = revocation.error if revocation is not None and revocation.error else "UNKNOWN, verifying"
    again = revocation.next_attempt_at if revocation is not None else None
    when = f" next at {again:%H:%M:%S}Z," if again is not None else ""
    return (
        f"{error}\n\nThe revocation is recorded here, and SCM has not confirmed it. The program verifies it at SCM,"
        f"{when} across restarts, until the outcome is known. The order shows RVG until then."
    )
