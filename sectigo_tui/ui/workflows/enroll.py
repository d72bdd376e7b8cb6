"""Ordering a certificate: the form, the checks, the duplicates, the summary, and one order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace
from textual.content import Content

from sectigo_tui.domain.certificates import EnrollRequest
from sectigo_tui.domain.errors import CredentialsRefused, InputError, Refused, ScmFailure
from sectigo_tui.domain.pki import CsrFacts, KeyOrder
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.engine.orders.enroll import EnrollOffer, InvalidRequest, RequestField
from sectigo_tui.engine.orders.lookup import Duplicates
from sectigo_tui.engine.orders.place import Placed
from sectigo_tui.presentation.format import format_when
from sectigo_tui.presentation.text import counted, printable
from sectigo_tui.ui.dialogs.confirm import Confirm, Notice
from sectigo_tui.ui.dialogs.dialog import CONFIRM
from sectigo_tui.ui.dialogs.enroll import FILE, MAKE, CsrSource, EnrollAnswer, EnrollForm
from sectigo_tui.ui.workflows.rotate import after_rejection
from sectigo_tui.ui.workflows.workflow import Workflow, in_words

_SIGNATURE = {True: "valid", False: "INVALID", None: "not checked"}


async def enroll(workflow: Workflow) -> None:
    """Ask until the order is placed or given up; the form stays filled in after every rejection.

    Args:
        workflow: What every workflow works with.
    """
    offer = await _offer(workflow)
    if offer is None:
        return
    defaults, made = workflow.defaults, _Made(workflow)
    answer = _first_answer(workflow, offer)
    error_text, is_first = "", True
    wrong: RequestField | str | None = None
    while True:
        form = EnrollForm(
            offer,
            answer,
            wanted_days=defaults.term_days,
            key_directory=defaults.key_directory,
            error_text=error_text,
            wrong=wrong,
            chosen=lambda profile_id: workflow.chosen(_form_of(profile_id)),
        )
        form.was_filled = not is_first
        filled = await workflow.ask(form)
        if filled is None:
            made.show_saved()
            return
        answer, error_text, wrong, is_first = filled, "", None, False
        try:
            placed = await _place(workflow, offer, answer, made)
        except (InputError, ScmFailure) as failure:
            error_text = await after_rejection(workflow, failure)
            wrong = failure.field if isinstance(failure, InvalidRequest) else _field_of(failure, answer.csr)
            continue
        if placed is not None:
            _remember(workflow, answer)
            await show_placed(workflow, placed)
            return


_FORM = "enroll"


def _form_of(profile_id: int) -> str:
    return f"{_FORM} {profile_id}"


def _first_answer(workflow: Workflow, offer: EnrollOffer) -> EnrollAnswer:
    """Return what the form starts from: the last choice, else the configuration's, else the only one there is."""
    defaults, profiles, organizations = workflow.defaults, offer.profiles.items, offer.organizations.items
    last = _number(workflow.chosen(_FORM), "profile")
    profile_id = last if offer.profile(last) is not None else defaults.profile_id or 0
    if not profile_id and len(profiles) == 1:
        profile_id = profiles[0].id
    chosen = workflow.chosen(_form_of(profile_id))
    organization_id = _number(chosen, "organization")
    if all(each.id != organization_id for each in organizations):
        organization_id = defaults.organization_id or 0
    # A single organization's departments are no choice between organizations.
    above = [each for each in organizations if each.parent_id is None] or organizations
    if not organization_id and len(above) == 1:
        organization_id = above[0].id
    request = EnrollRequest(
        organization_id=organization_id,
        profile_id=profile_id,
        term_days=0,
        external_requester=chosen.get("requesters", ""),
        dcv_mode=chosen.get("dcv", ""),
        dcv_email=chosen.get("dcv_email", ""),
    )
    csr = CsrSource(key_kind=chosen.get("key_kind", "RSA 2048"), source=chosen.get("source", MAKE))
    return EnrollAnswer(csr, request)


def _number(chosen: Mapping[str, str], key: str) -> int:
    text = chosen.get(key, "")
    return int(text) if text.isdecimal() and text.isascii() else 0


def _remember(workflow: Workflow, answer: EnrollAnswer) -> None:
    """Remember what an order was placed with, for the next one of its profile."""
    csr, request = answer
    workflow.remember(_FORM, {"profile": str(request.profile_id)})
    workflow.remember(
        _form_of(request.profile_id),
        {
            "organization": str(request.organization_id),
            "term": str(request.term_days),
            "source": csr.source,
            "key_kind": csr.key_kind,
            "requesters": request.external_requester,
            "dcv": request.dcv_mode,
            "dcv_email": request.dcv_email,
        },
    )


def _field_of(failure: InputError | ScmFailure, csr: CsrSource) -> str | None:
    """Return the id of the field that a failure is about; the button where SCM did not answer, None where unknown."""
    if isinstance(failure, ScmFailure):
        return None if isinstance(failure, Refused) else CONFIRM
    if csr.source != MAKE:
        return "csr-path" if csr.source == FILE else "csr-text"
    note, others = failure.reason, _split(csr.names)
    is_of_file = "exist" in note or "file" in note or "directory" in note
    asked = (
        ("passphrase", "passphrase" in note),
        ("key-path", is_of_file),
        ("names", any(name in note for name in others)),
        ("cn", csr.common_name in note),
        ("key-kind", " key can be made " in note),
    )
    return next((field for field, is_at_fault in asked if is_at_fault), None)


async def _offer(workflow: Workflow) -> EnrollOffer | None:
    """Return what may be ordered; None when the operator gives up, with SCM not telling what there is to choose."""
    while True:
        work = workflow.engine.enrolling.offer()
        offer = await workflow.during("Asking SCM what may be ordered ...", work, can_stop=True)
        if offer is None:
            return None
        failure = offer.profiles.failure or offer.organizations.failure
        if failure is None:
            return offer
        if not await workflow.ask(Confirm("The order form could not be loaded", in_words(failure), "Ask again")):
            return None


async def _place(workflow: Workflow, offer: EnrollOffer, answer: EnrollAnswer, made: _Made) -> Placed | None:
    enrolling = workflow.engine.enrolling
    csr, key_path = await made.csr(answer.csr)
    # What cannot be ordered is left out after the question below, which names it.
    request = enrolling.prepare(replace(answer.request, key_path=key_path), csr, offer, drop_other_names=True)
    duplicates = await workflow.during(
        "Looking for orders of the same name ...", enrolling.duplicates(request), can_stop=True
    )
    if duplicates is None:
        return None
    if isinstance(duplicates.failure, CredentialsRefused):
        raise duplicates.failure
    has_others = bool(duplicates.local or duplicates.remote)
    label = "Order another, billed" if has_others else "Order it, billed"
    if not await workflow.ask(
        Confirm(
            "Order this certificate?",
            Content("\n").join([*csr_cautions(csr), duplicates_content(duplicates)]),
            label,
            facts=_summary(workflow, request, csr, offer),
        )
    ):
        return None
    return await workflow.during(
        f"Ordering {printable(request.name)} ...",
        enrolling.enroll(request, since=duplicates),
        can_stop=False,
    )


class _Made:
    """Remembers the key made for a form, so that a rejection makes no second one; another passphrase does."""

    def __init__(self, workflow: Workflow) -> None:
        self._workflow = workflow
        self._made: dict[tuple[str | SecretText | None, ...], tuple[CsrFacts, str]] = {}

    async def csr(self, source: CsrSource) -> tuple[CsrFacts, str]:
        """Return the CSR that the form asks for, and the path of the key made for it."""
        enrolling = self._workflow.engine.enrolling
        if source.source == FILE:
            return await enrolling.read_csr_file(source.csr_path), ""
        if source.source != MAKE:
            return await enrolling.read_csr(source.csr_text.encode()), ""
        wanted = (source.common_name, source.names, source.key_kind, source.key_path, source.passphrase)
        if wanted not in self._made:
            order = _key_order(source, self._workflow.defaults.key_directory)
            self._made[wanted] = await enrolling.make_csr(order), order.path
        return self._made[wanted]

    def show_saved(self) -> None:
        """Say which keys stay on the disk although nothing was ordered with them."""
        for _, path in self._made.values():
            self._workflow.notify(f"Nothing was ordered. The private key made for it stays in {path}")


def _key_order(source: CsrSource, directory: Path) -> KeyOrder:
    kind, _, size = source.key_kind.partition(" ")
    if not source.common_name:
        raise InputError("the common name is empty", "write the name that the certificate is for")
    path = Path(source.key_path).expanduser() if source.key_path else free_path(directory, source.common_name)
    return KeyOrder(
        path=str(path),
        common_name=source.common_name,
        alternative_names=_split(source.names),
        key_type=kind,
        key_size=size,
        passphrase=source.passphrase,
    )


def _split(names: str) -> tuple[str, ...]:
    return tuple(name for part in names.split(",") if (name := part.strip()))


def free_path(directory: Path, common_name: str) -> Path:
    """Return where a key for a name can be kept: no file is there yet."""
    stem = "".join(letter if letter.isalnum() or letter in "-." else "_" for letter in common_name).lstrip(".")[:80]
    path, number = directory / f"{stem}.key", 1
    while path.exists():
        number += 1
        path = directory / f"{stem}-{number}.key"
    return path


def _summary(
    workflow: Workflow, request: EnrollRequest, csr: CsrFacts, offer: EnrollOffer
) -> tuple[tuple[str, str], ...]:
    return (
        ("Account", f"{workflow.surroundings.band} {workflow.surroundings.customer}".strip()),
        *csr_facts(csr),
        ("Private key", request.key_path or "not made here"),
        ("Profile", f"{request.profile_name} ({request.profile_id})"),
        ("Organization", _organization(offer, request.organization_id)),
        ("Term", f"{request.term_days} days"),
        ("Requesters", request.external_requester),
        ("DCV", f"{request.dcv_mode} {request.dcv_email}".strip()),
        ("Comments", request.comments),
        *request.custom_fields,
    )


def csr_facts(csr: CsrFacts) -> tuple[tuple[str, str], ...]:
    """Return what a CSR says, as labels and untrusted values."""
    return (
        ("Common name", csr.common_name),
        ("Names", counted((*csr.subject_alternative_names, *csr.common_names))),
        ("Left out", counted(csr.other_names)),
        ("Key", f"{csr.key}, signature {_SIGNATURE[csr.signature_ok]}"),
    )


def csr_cautions(csr: CsrFacts) -> list[Content]:
    """Return what is to be known of a CSR before it is sent, a line each."""
    told = [f"! The CSR: {printable(caution)}." for caution in csr.cautions]
    if csr.other_names:
        told.append("! Names of other kinds cannot be ordered and are left out.")
    return [Content.styled(line, "$state-warning bold") for line in told]


def _organization(offer: EnrollOffer, organization_id: int) -> str:
    name = next((one.name for one in offer.organizations.items if one.id == organization_id), "")
    return f"{name} ({organization_id})" if name else str(organization_id)


def duplicates_content(duplicates: Duplicates) -> Content:
    """Return the orders of the same name, or that there are none."""
    if duplicates.is_clear:
        return Content.styled("No other order of this name is pending or far from expiry.", "$state-done")
    lines = []
    if duplicates.failure is not None:
        text = f"! Orders of this name could not be looked up: {printable(duplicates.failure.reason)}"
        lines.append(Content.styled(text, "$state-warning bold"))
    if duplicates.local or duplicates.remote or duplicates.not_examined:
        lines.append(Content.styled("! Orders of the same name:", "$state-warning bold"))
    lines += [
        Content(
            f"  sslId {each.ssl_id}  {printable(each.status)}  requested {format_when(each.requested)}"
            + (f"  expires {format_when(each.expires)}" if each.expires is not None else "")
        )
        for each in duplicates.remote
    ]
    lines += [Content(f"  {order.state}, placed here {format_when(order.created_at)}") for order in duplicates.local]
    if duplicates.not_examined:
        lines.append(Content(f"  and {duplicates.not_examined} more that were not examined"))
    return Content("\n").join(lines)


async def show_placed(workflow: Workflow, placed: Placed) -> None:
    """Report the outcome of placing an order: done, or unconfirmed."""
    order = placed.order
    await workflow.show_order(order)
    if placed.lost is None:
        workflow.notify(f"Ordered: sslId {order.ssl_id}, {order.common_name}. It is polled.")
        return
    text = (
        f"UNKNOWN, verifying: SCM's answer was lost ({printable(placed.lost.reason)}).\n\n"
        "The order may have been placed and is not sent again. It is being searched for at SCM; the list shows it as "
        "UNC until it is found, or until the search ends and asks you."
    )
    await workflow.ask(Notice(f"Enroll {printable(order.common_name)}", text))
