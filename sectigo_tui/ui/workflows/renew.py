"""Renewing: a new order from an old one, under the same rule as any order: never twice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Select, Static

from sectigo_tui.domain.errors import InputError, ScmFailure
from sectigo_tui.domain.names import name_keys
from sectigo_tui.domain.pki import CsrFacts, KeyOrder
from sectigo_tui.engine.orders.renew import RenewOffer
from sectigo_tui.presentation.format import format_when
from sectigo_tui.presentation.rows import OrderRow
from sectigo_tui.presentation.text import counted
from sectigo_tui.ui.dialogs.confirm import AskText, Confirm, Notice
from sectigo_tui.ui.dialogs.dialog import CONFIRM, Choice, Dialog
from sectigo_tui.ui.dialogs.form import Facts, Row, choice_field, text_field
from sectigo_tui.ui.workflows.enroll import csr_cautions, csr_facts, duplicates_content, free_path, show_placed
from sectigo_tui.ui.workflows.orders import done, outcomes_content, rows_content
from sectigo_tui.ui.workflows.rotate import after_rejection
from sectigo_tui.ui.workflows.workflow import Workflow

SAME, MAKE, FILE = "same", "make", "file"
_SOURCES = (
    ("the same CSR and key again", SAME),
    ("make a new key and CSR here", MAKE),
    ("read a new CSR from a file", FILE),
)
_USUAL_KIND = ("RSA", "2048")


class RenewAnswer(NamedTuple):
    """How an order is to be renewed.

    Args:
        source: Where its CSR comes from.
        path: The file of a new CSR; empty for none.
    """

    source: str
    path: str = ""


class Renew(Dialog[RenewAnswer]):
    """Shows the old order, and asks which CSR the new one has.

    Args:
        facts: The old order, as labels and untrusted values.
        duplicates: Orders that may be the same, ready to read.
        answer: What was answered in an earlier try.
        error_text: What was wrong with it.
    """

    def __init__(
        self,
        facts: Iterable[tuple[str, str]],
        duplicates: Content,
        *,
        answer: RenewAnswer | None = None,
        error_text: str = "",
    ) -> None:
        super().__init__("Renew: order it again, billed")
        self._facts = tuple(facts)
        self._duplicates = duplicates
        self._answer = answer or RenewAnswer(SAME)
        self._error = error_text
        self.was_filled = answer is not None

    def body(self) -> ComposeResult:
        """Lay out the old order, and the field."""
        yield Facts(self._facts)
        yield Static(Content("\n").join((Content(""), self._duplicates)))
        yield Row("CSR", choice_field("csr-source", _SOURCES, self._answer.source))
        yield Row("New CSR file", text_field("csr-path", self._answer.path), id="row-csr-path")

    def choices(self) -> Sequence[Choice]:
        """Return the button that orders."""
        return (Choice(CONFIRM, "Order it, billed", by_enter=False),)

    def draft_key(self) -> str:
        """Return what a draft is kept by: it is about one order."""
        return f"{super().draft_key()} {self._facts}"

    def first_focus(self) -> Widget:
        """Return the field where the file was wrong; it orders nothing by Enter."""
        return self.query_one("#csr-path") if self._error and self._answer.path else super().first_focus()

    def on_mount(self) -> None:
        """Ask for a file only where one is read, and say what was wrong before."""
        self._show_file()
        if self._error:
            self.complain(self._error)

    @on(Select.Changed, "#csr-source")
    def _on_source_changed(self, message: Select.Changed) -> None:
        message.stop()
        self._show_file()

    def _show_file(self) -> None:
        self.query_one("#row-csr-path").display = self._source == FILE

    @property
    def _source(self) -> str:
        return str(self.query_one("#csr-source", Select).selection or SAME)

    def answer(self, choice_id: str) -> None:
        """Answer with the source, and the file."""
        del choice_id
        path = self.query_one("#csr-path", Input).value.strip()
        if self._source == FILE and not path:
            self.complain("Name the file of the new CSR.", at="csr-path")
        else:
            self.dismiss(RenewAnswer(self._source, path if self._source == FILE else ""))


async def renew(workflow: Workflow, rows: Sequence[OrderRow]) -> None:
    """Show what would be ordered again, ask, and order each once.

    Raises:
        ScmFailure: SCM did not tell the old order.
    """
    if len(rows) == 1:
        await _renew_one(workflow, rows[0])
    else:
        await _renew_many(workflow, rows)


async def _renew_many(workflow: Workflow, rows: Sequence[OrderRow]) -> None:
    """Renew several orders with their old CSRs, after one confirmation that lists them, and their number typed."""
    ssl_ids = [row.ssl_id for row in rows if row.ssl_id is not None]
    number, error_text = len(ssl_ids), ""
    price = f"{number} certificates of the contract, each with its old CSR and key."
    while True:
        typed = await workflow.ask(
            AskText(
                f"Renew {number} certificates: {number} orders, billed",
                Content("\n").join([rows_content(rows), Content(f"Price: {price}")]),
                label=f"Type {number}",
                hint="the number of orders",
                button=f"Order {number}, billed",
                is_danger=True,
                error_text=error_text,
            )
        )
        if typed is None:
            return
        if typed == str(number):
            break
        error_text = f"What was typed is not {number}, the number of orders."
    outcomes = await workflow.during(
        f"Ordering {number} renewals ...", workflow.engine.renewing.renew_all(ssl_ids), can_stop=False
    )
    workflow.unmark(done(outcomes))
    unclear = [one for one in outcomes or () if one.failure or (one.result is not None and one.result.lost)]
    if unclear:
        await workflow.ask(Notice("Renew", outcomes_content(outcomes or ())))
    else:
        workflow.notify(f"Ordered {number} renewals. They are polled.")


async def _renew_one(workflow: Workflow, row: OrderRow) -> None:
    if row.ssl_id is None:
        return
    work = workflow.engine.renewing.offer(row.ssl_id)
    offer = await workflow.during("Asking SCM about this certificate ...", work, can_stop=True)
    if offer is None:
        return
    answer, error_text = None, ""
    made: list[tuple[CsrFacts, str]] = []
    while True:
        facts, duplicates = _facts(workflow, offer), duplicates_content(offer.duplicates)
        answer = await workflow.ask(Renew(facts, duplicates, answer=answer, error_text=error_text))
        if answer is None:
            for _, path in made:
                workflow.notify(f"Nothing was ordered. The private key made for it stays in {path}")
            return
        try:
            csr, key_path = await _csr(workflow, offer, answer, made)
            if csr is not None and not await workflow.ask(_with_csr(csr, offer, key_path)):
                error_text = ""
                continue
            order_again = workflow.engine.renewing.renew(row.ssl_id, csr, key_path=key_path, since=offer.duplicates)
            placed = await workflow.during("Ordering the renewal ...", order_again, can_stop=False)
        except (InputError, ScmFailure) as failure:
            error_text = await after_rejection(workflow, failure)
            continue
        if placed is not None:
            workflow.unmark([row.ssl_id])
            await show_placed(workflow, placed)
        return


async def _csr(
    workflow: Workflow, offer: RenewOffer, answer: RenewAnswer, made: list[tuple[CsrFacts, str]]
) -> tuple[CsrFacts | None, str]:
    """Return the CSR that was asked for, and where the key made for it is; a key is made once, however often asked."""
    if answer.source == FILE:
        return await workflow.engine.enrolling.read_csr_file(answer.path), ""
    if answer.source != MAKE:
        return None, ""
    if not made:
        made.append(await _make_key(workflow, offer))
    return made[0]


async def _make_key(workflow: Workflow, offer: RenewOffer) -> tuple[CsrFacts, str]:
    """Return a CSR with the names of the old order, and the path of the key that was made for it."""
    old = offer.old
    kind, _, size = (old.key_type or "").partition(" ")
    kind, size = (kind, size) if kind and size else _USUAL_KIND
    path = str(free_path(workflow.defaults.key_directory, old.common_name))
    order = KeyOrder(
        path=path,
        common_name=old.common_name,
        alternative_names=tuple(name for name in old.subject_alternative_names if name != old.common_name),
        key_type=kind,
        key_size=size,
    )
    return await workflow.engine.enrolling.make_csr(order), path


def _with_csr(csr: CsrFacts, offer: RenewOffer, key_path: str) -> Confirm:
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
    facts = (*csr_facts(csr), ("Private key", key_path))
    return Confirm("Renew with this CSR?", said, "Order it, billed", facts=facts, is_danger=bool(missing))


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
