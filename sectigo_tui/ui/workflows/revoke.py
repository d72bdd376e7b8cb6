"""Revoking one certificate; never several at once."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Select, Static

from sectigo_tui.domain.errors import InputError, ScmFailure
from sectigo_tui.domain.limits import REASON_AT_MOST, REASONS
from sectigo_tui.domain.orders import Order, OrderState
from sectigo_tui.engine.orders.revoke import ConfirmBy, RevokeOffer
from sectigo_tui.presentation.format import format_when
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.text import may_be_spoofed, printable
from sectigo_tui.ui.content.header import Surroundings
from sectigo_tui.ui.dialogs.confirm import Notice
from sectigo_tui.ui.dialogs.dialog import CONFIRM, Choice, Dialog
from sectigo_tui.ui.dialogs.form import Facts, Row, choice_field, chosen, text_field
from sectigo_tui.ui.workflows.rotate import after_rejection
from sectigo_tui.ui.workflows.workflow import Workflow


class RevokeAnswer(Struct, frozen=True):
    """What the operator gave.

    Args:
        reason_code: RFC 5280.
        reason: The operator's words.
        typed: The common name, or the sslId, as it was typed.
    """

    reason_code: int
    reason: str
    typed: str


class Revoke(Dialog[RevokeAnswer]):
    """Shows the certificate, and asks for the reason and for its name, typed.

    Args:
        offer: The certificate, asked for just now.
        surroundings: Which account this is.
        reason: The words of an earlier try; the typed name is empty on every opening.
        reason_code: The reason's code of an earlier try; None where none was chosen.
        error_text: What was wrong with an earlier try.
    """

    NOT_KEPT = ("typed",)

    def __init__(
        self,
        offer: RevokeOffer,
        surroundings: Surroundings,
        *,
        reason: str = "",
        reason_code: int | None = None,
        error_text: str = "",
    ) -> None:
        super().__init__("Revoke a certificate, for good")
        self._offer = offer
        self._surroundings = surroundings
        self._reason = reason
        self._reason_code = reason_code
        self._error = error_text
        self.was_filled = bool(error_text)

    def body(self) -> ComposeResult:
        """Lay out the certificate and the questions."""
        details = self._offer.details
        yield Facts(
            (
                ("Account", f"{self._surroundings.band} {self._surroundings.customer}".strip()),
                ("Profile", self._surroundings.profile),
                ("Common name", details.common_name),
                ("sslId", str(details.ssl_id)),
                ("Status", details.status),
                ("Serial", f"...{self._offer.serial_tail}" if self._offer.serial_tail else "none"),
                ("Order number", details.order_number),
                ("Expires", format_when(details.expires)),
            )
        )
        if may_be_spoofed(details.common_name):
            text = "The common name holds characters that cannot be seen."
            yield Static(Content.styled(text, "$state-failed"), markup=False)
        reasons = [(f"{code} {name}", str(code)) for code, name in REASONS.items()]
        yield Row("Reason code", choice_field("reason-code", reasons, str(self._reason_code or "")))
        yield Row("Reason", text_field("reason", self._reason, hint=f"1 to {REASON_AT_MOST} characters"))
        yield Row(f"Type the {self._offer.confirm_by.value}", text_field("typed"))

    def draft_key(self) -> str:
        """Return what a draft is kept by: it is about one order."""
        return f"{super().draft_key()} {self._offer.details.ssl_id}"

    def first_focus(self) -> Widget:
        """Return the name's field after a try that was rejected: it is what is to be typed again."""
        return self.query_one("#typed") if self._error else super().first_focus()

    def choices(self) -> Sequence[Choice]:
        """Return the button that revokes."""
        return (Choice(CONFIRM, "Revoke it", is_danger=True),)

    def on_mount(self) -> None:
        """Say what was wrong before."""
        if self._error:
            self.complain(self._error)

    def answer(self, choice_id: str) -> None:
        """Answer once a reason is chosen and written, and the name is typed."""
        del choice_id
        code = chosen(self.query_one("#reason-code", Select))
        reason = self.query_one("#reason", Input).value.strip()
        typed = self.query_one("#typed", Input).value
        if not code:
            self.complain("Choose a reason code: there is no default.", at="reason-code")
        elif not 1 <= len(reason) <= REASON_AT_MOST:
            self.complain(f"Write a reason of 1 to {REASON_AT_MOST} characters.", at="reason")
        elif typed != self._wanted():
            self.complain(f"What was typed is not the {self._offer.confirm_by.value}.", at="typed")
        else:
            self.dismiss(RevokeAnswer(int(code), reason, typed))

    def _wanted(self) -> str:
        details = self._offer.details
        by_name = self._offer.confirm_by is ConfirmBy.COMMON_NAME
        return details.common_name if by_name else printable(str(details.ssl_id))


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
