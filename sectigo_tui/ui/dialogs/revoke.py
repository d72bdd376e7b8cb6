"""The question before a certificate is revoked."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Select, Static

from sectigo_tui.domain.limits import REASON_AT_MOST, REASONS
from sectigo_tui.engine.orders.revoke import ConfirmBy, RevokeOffer
from sectigo_tui.presentation import format as fmt
from sectigo_tui.presentation.text import may_be_spoofed, printable
from sectigo_tui.ui.dialogs.dialog import CONFIRM, Choice, Dialog
from sectigo_tui.ui.dialogs.form import Facts, Row, choice_field, chosen, text_field
from sectigo_tui.ui.view_model import Surroundings


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
                ("Expires", fmt.format_when(details.expires)),
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
        """Return the name's field after a try that was refused: it is what is to be typed again."""
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
