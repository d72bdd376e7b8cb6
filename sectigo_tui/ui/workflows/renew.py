"""Renewing: a new order from an old one, under the same rule as any order: never twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from sectigo_tui.domain.errors import InputError, ScmFailure
from sectigo_tui.domain.names import name_keys
from sectigo_tui.domain.pki import CsrFacts
from sectigo_tui.engine.orders.renew import RenewOffer
from sectigo_tui.presentation.format import format_when
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.text import counted
from sectigo_tui.ui.dialogs.confirm import Confirm
from sectigo_tui.ui.dialogs.dialog import CONFIRM, Choice, Dialog
from sectigo_tui.ui.dialogs.form import Facts, Row, text_field
from sectigo_tui.ui.workflows.enroll import csr_cautions, csr_facts, duplicates_content, show_placed
from sectigo_tui.ui.workflows.rotate import after_rejection
from sectigo_tui.ui.workflows.workflow import Workflow


class Renew(Dialog[str]):
    """Shows the old order, and asks for a new CSR; answered with the CSR's file, empty for the old CSR.

    Args:
        facts: The old order, as labels and untrusted values.
        duplicates: Orders that may be the same, ready to read.
        path: The file of an earlier try.
        error_text: What was wrong with it.
    """

    def __init__(
        self, facts: Iterable[tuple[str, str]], duplicates: Content, *, path: str = "", error_text: str = ""
    ) -> None:
        super().__init__("Renew: order it again, billed")
        self._facts = tuple(facts)
        self._duplicates = duplicates
        self._path = path
        self._error = error_text
        self.was_filled = bool(path)

    def body(self) -> ComposeResult:
        """Lay out the old order, and the field."""
        yield Facts(self._facts)
        yield Static(Content("\n").join((Content(""), self._duplicates)))
        yield Row("New CSR file", text_field("csr-path", self._path, hint="empty: the same CSR and key again"))

    def choices(self) -> Sequence[Choice]:
        """Return the button that orders."""
        return (Choice(CONFIRM, "Order it, billed", by_enter=False),)

    def draft_key(self) -> str:
        """Return what a draft is kept by: it is about one order."""
        return f"{super().draft_key()} {self._facts}"

    def first_focus(self) -> Widget:
        """Return the field where the file was wrong; it orders nothing by Enter."""
        return self.query_one("#csr-path") if self._error and self._path else super().first_focus()

    def on_mount(self) -> None:
        """Say what was wrong before."""
        if self._error:
            self.complain(self._error)

    def answer(self, choice_id: str) -> None:
        """Answer with the file."""
        del choice_id
        self.dismiss(self.query_one("#csr-path", Input).value.strip())


async def renew(workflow: Workflow, row: OrderRow) -> None:
    """Show what would be ordered again, ask, and order it once.

    Raises:
        ScmFailure: SCM did not tell the old order.
    """
    if row.ssl_id is None:
        return
    work = workflow.engine.renewing.offer(row.ssl_id)
    offer = await workflow.during("Asking SCM about this certificate ...", work, can_stop=True)
    if offer is None:
        return
    path, error_text = "", ""
    while True:
        form = Renew(_facts(workflow, offer), duplicates_content(offer.duplicates), path=path, error_text=error_text)
        answer = await workflow.ask(form)
        if answer is None:
            return
        path = answer
        try:
            csr: CsrFacts | None = None
            if path:
                csr = await workflow.engine.enrolling.read_csr_file(path)
                if not await workflow.ask(_with_csr(csr, offer)):
                    error_text = ""
                    continue
            order_again = workflow.engine.renewing.renew(row.ssl_id, csr, since=offer.duplicates)
            placed = await workflow.during("Ordering the renewal ...", order_again, can_stop=False)
        except (InputError, ScmFailure) as failure:
            error_text = await after_rejection(workflow, failure)
            continue
        if placed is not None:
            workflow.unmark([row.ssl_id])
            await show_placed(workflow, placed)
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
    said = Content("\n").join([*csr_cautions(csr), said])
    return Confirm("Renew with this CSR?", said, "Order it, billed", facts=csr_facts(csr), is_danger=bool(missing))


def _facts(workflow: Workflow, offer: RenewOffer) -> tuple[tuple[str, str], ...]:
    old = offer.old
    return (
        ("Account", f"{workflow.surroundings.band} {workflow.surroundings.customer}".strip()),
        ("Renews", f"sslId {old.ssl_id}"),
        ("Common name", old.common_name),
        ("Names", counted(old.subject_alternative_names)),
        ("Profile", f"{old.profile_name} ({old.profile_id})"),
        ("Status", old.status),
        ("Expires", format_when(old.expires)),
        ("Under way", ", ".join(str(order.ssl_id or order.id) for order in offer.renewals)),
    )
