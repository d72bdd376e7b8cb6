"""The form for a new order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from msgspec import Struct
from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Select, Static, TextArea

from sectigo_tui.domain.account import CertificateProfile
from sectigo_tui.domain.certificates import EnrollRequest
from sectigo_tui.domain.ports import SecretText
from sectigo_tui.engine.orders.enroll import DCV_MODES, EnrollOffer, RequestField, choose_term
from sectigo_tui.presentation.text import printable
from sectigo_tui.ui.dialogs.dialog import CONFIRM, Choice, Dialog, fill_in
from sectigo_tui.ui.dialogs.form import Row, choice_field, chosen, offer_choices, text_field

_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")
_END = re.compile(r"-----END [A-Z0-9 ]*PRIVATE KEY-----")
_LONGEST_END = 80
"""The characters within which the line that ends a key is found."""


class CsrText(TextArea):
    """Holds a CSR in PEM; a private key that is pasted into it is neither kept nor shown.

    A terminal that cannot mark a paste types it: then the key's first line is removed again, and what follows is
    dropped until the key's last line.

    Args:
        text: What it holds at first.
        id: The field's id.
    """

    DEFAULT_CSS = "CsrText { height: 8; }"

    @dataclass
    class KeyRefused(Message):
        """A private key was kept out."""

    def __init__(self, text: str, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__(text, id=id, compact=True, soft_wrap=False)
        self._dropped: str | None = None

    async def _on_paste(self, event: events.Paste) -> None:
        if _BEGIN.search(event.text):
            event.stop()
            event.prevent_default()
            self.post_message(self.KeyRefused())

    async def _on_key(self, event: events.Key) -> None:
        if self._dropped is None or not (event.is_printable or event.key == "enter"):
            return
        event.stop()
        event.prevent_default()
        self._dropped = (self._dropped + (event.character or ""))[-_LONGEST_END:]
        if _END.search(self._dropped):
            self._dropped = None

    def _on_blur(self, event: events.Blur) -> None:
        super()._on_blur(event)
        self._dropped = None

    @on(TextArea.Changed)
    def _take_key_away(self, message: TextArea.Changed) -> None:
        message.stop()
        begin = _BEGIN.search(self.text)
        if begin is None:
            return
        end = _END.search(self.text)
        self._dropped = "" if end is None else None
        # Loaded, not edited: what an edit takes away can be had back by undo.
        self.load_text(self.text[: begin.start()])
        self.move_cursor(self.document.end)
        self.post_message(self.KeyRefused())


MAKE, FILE, PASTE = "make", "file", "paste"
_SOURCES = (("make a key and CSR here", MAKE), ("read a CSR from a file", FILE), ("paste a CSR", PASTE))
_BY_COMMAS = "separated by commas"
_USUAL_KINDS = ("RSA 2048", "EC P-256")
"""What is offered where a profile names none."""
_ROWS_OF_SOURCE = {
    MAKE: ("row-cn", "row-names", "row-key-kind", "row-key-path", "row-passphrase"),
    FILE: ("row-csr-path",),
    PASTE: ("row-csr-text",),
}
_FIELD_OF_SOURCE = {MAKE: "cn", FILE: "csr-path", PASTE: "csr-text"}
_FIELD_OF_PROBLEM = {
    RequestField.PROFILE: "profile",
    RequestField.TERM: "term",
    RequestField.ORGANIZATION: "organization",
    RequestField.REQUESTERS: "requesters",
    RequestField.COMMENTS: "comments",
    RequestField.DCV: "dcv",
}


class CsrSource(Struct, frozen=True, kw_only=True):
    """Where a CSR comes from, as it was filled in.

    Args:
        source: Made here, a file, or pasted.
        common_name: For a CSR made here.
        names: Alternative names, separated by commas.
        key_kind: Such as `RSA 2048`.
        key_path: Where the key made here goes; empty for a place of the program's choice.
        passphrase: What that key is encrypted with.
        csr_path: The file.
        csr_text: What was pasted.
    """

    source: str = MAKE
    common_name: str = ""
    names: str = ""
    key_kind: str = ""
    key_path: str = ""
    passphrase: SecretText | None = None
    csr_path: str = ""
    csr_text: str = ""


class EnrollAnswer(NamedTuple):
    """The form as it was filled in.

    Args:
        csr: Where the CSR comes from.
        request: What is asked for, not checked.
    """

    csr: CsrSource
    request: EnrollRequest


class EnrollForm(Dialog[EnrollAnswer]):
    """Asks what is to be ordered; nothing is sent by it.

    Args:
        offer: What the account offers.
        answer: What is filled in at first.
        wanted_days: The term that the configuration asks for.
        key_directory: Where keys made here go.
        error_text: What was wrong with the form before; empty for a new one.
        wrong: Which part of the form that was, or the id of its field, where it is known: it has the focus.
        chosen: Returns what was chosen last for a profile, by field.
    """

    def __init__(
        self,
        offer: EnrollOffer,
        answer: EnrollAnswer,
        *,
        wanted_days: int,
        key_directory: Path,
        error_text: str = "",
        wrong: RequestField | str | None = None,
        chosen: Callable[[int], Mapping[str, str]] = lambda _profile_id: {},
    ) -> None:
        super().__init__("Enroll: order a certificate")
        self._offer = offer
        self._filled = answer
        self._wanted_days = wanted_days
        self._key_directory = key_directory
        self._error = error_text
        self._wrong = wrong
        self._last_choice = chosen
        self.was_filled = bool(error_text)

    def body(self) -> ComposeResult:
        """Lay out the form."""
        (csr, filled), offer = self._filled, self._offer
        profile = offer.profile(filled.profile_id)
        profiles = [(each.name, str(each.id)) for each in offer.profiles.items]
        organization_id = str(filled.organization_id or "")
        yield from self._failures()
        yield Row("Profile", choice_field("profile", profiles, str(filled.profile_id or "")))
        yield Row("Organization", choice_field("organization", self._organizations(), organization_id))
        yield Row("Term (days)", self._term_field(profile))
        yield Static("", id="term-note", classes="label", markup=False)
        yield Row("CSR", choice_field("source", _SOURCES, csr.source))
        yield Row("Common name", text_field("cn", csr.common_name, hint="www.example.com"), id="row-cn")
        yield Row("More names", text_field("names", csr.names, hint=_BY_COMMAS, separator=", "), id="row-names")
        yield Row("Key", choice_field("key-kind", _key_kinds(profile), csr.key_kind), id="row-key-kind")
        hint = f"{self._key_directory}/NAME.key"
        passphrase = "empty: as before" if csr.passphrase is not None else "optional"
        yield Row("Private key file", text_field("key-path", csr.key_path, hint=hint), id="row-key-path")
        yield Row("Passphrase", text_field("passphrase", hint=passphrase, is_secret=True), id="row-passphrase")
        yield Row("CSR file", text_field("csr-path", csr.csr_path, hint="/path/to/request.csr"), id="row-csr-path")
        yield Row("CSR (PEM)", CsrText(csr.csr_text, id="csr-text"), id="row-csr-text")
        yield Row(
            "Requester e-mails", text_field("requesters", filled.external_requester, hint=_BY_COMMAS, separator=", ")
        )
        yield Row("Comments", text_field("comments", filled.comments))
        yield Row("DCV", choice_field("dcv", [(mode, mode) for mode in DCV_MODES], filled.dcv_mode, prompt="default"))
        yield Row("DCV e-mail", text_field("dcv-email", filled.dcv_email), id="row-dcv-email")
        given = dict(filled.custom_fields)
        for number, field in enumerate(offer.custom_fields.items):
            label = f"{printable(field.name, limit=18)}{'*' if field.mandatory else ''}"
            yield Row(label, text_field(f"custom-{number}", given.get(field.name, "")))

    def choices(self) -> Sequence[Choice]:
        """Return the button that goes on to the summary."""
        return (Choice(CONFIRM, "Check and show"),)

    def first_focus(self) -> Widget:
        """Return the field to go on with: this form sends nothing."""
        return self.query_one(f"#{self._field_to_begin()}")

    def _field_to_begin(self) -> str:
        csr, filled = self._filled
        if isinstance(self._wrong, str):
            return self._wrong
        if self._wrong is RequestField.CUSTOM_FIELDS:
            given = {name for name, value in filled.custom_fields if value}
            for number, field in enumerate(self._offer.custom_fields.items):
                if field.mandatory and field.name not in given:
                    return f"custom-{number}"
        if self._wrong is RequestField.DCV and filled.dcv_mode == "EMAIL":
            return "dcv-email"
        if self._wrong in _FIELD_OF_PROBLEM:
            return _FIELD_OF_PROBLEM[self._wrong]
        if not filled.profile_id or not filled.organization_id:
            return "organization" if filled.profile_id else "profile"
        return _FIELD_OF_SOURCE[csr.source]

    def on_mount(self) -> None:
        """Show the rows that the CSR's source needs."""
        self._show_rows()
        self._note_term()
        if self._error:
            self.complain(self._error)

    @on(CsrText.KeyRefused)
    def _on_key_refused(self, message: CsrText.KeyRefused) -> None:
        message.stop()
        self.complain("That is a private key, which never leaves its machine: nothing of it is kept. Paste the CSR.")

    @on(Select.Changed, "#source")
    @on(Select.Changed, "#dcv")
    def _on_kind_changed(self, message: Select.Changed) -> None:
        message.stop()
        self._show_rows()

    @on(Select.Changed, "#profile")
    def _on_profile_changed(self, message: Select.Changed) -> None:
        message.stop()
        profile = self._profile()
        if profile is None:
            return
        term, kind = self._select("term"), self._select("key-kind")
        last = self._last_choice(profile.id)
        proposed = choose_term(profile, self._wanted_days).term_days
        # A profile that names no term leaves it to SCM to judge: what was configured is proposed.
        terms = _numbers(profile.terms_days or (proposed,))
        offer_choices(term, terms, self._term_of(profile, [value for _, value in terms]))
        offer_choices(kind, _key_kinds(profile), last.get("key_kind") or chosen(kind))
        organization = self._select("organization")
        if chosen(organization) in ("", str(self._filled.request.organization_id or "")) and last.get("organization"):
            fill_in(self, {"organization": last["organization"]})
        self._note_term()

    def answer(self, choice_id: str) -> None:
        """Answer with the form, once it names profile, organization and term."""
        del choice_id
        missing = [name for name in ("profile", "organization", "term") if not chosen(self._select(name))]
        if missing:
            self.complain(f"Choose: {', '.join(missing)}.", at=missing[0])
            return
        passphrase = self._text("passphrase")
        custom = zip(self._offer.custom_fields.items, self._custom_values(), strict=True)
        self.dismiss(
            EnrollAnswer(
                CsrSource(
                    source=chosen(self._select("source")) or MAKE,
                    common_name=self._text("cn"),
                    names=self._text("names"),
                    key_kind=chosen(self._select("key-kind")),
                    key_path=self._text("key-path"),
                    passphrase=SecretText(passphrase) if passphrase else self._filled.csr.passphrase,
                    csr_path=self._text("csr-path"),
                    csr_text=self.query_one("#csr-text", CsrText).text,
                ),
                EnrollRequest(
                    organization_id=int(chosen(self._select("organization"))),
                    profile_id=int(chosen(self._select("profile"))),
                    term_days=int(chosen(self._select("term"))),
                    external_requester=self._text("requesters"),
                    comments=self._text("comments"),
                    dcv_mode=chosen(self._select("dcv")),
                    dcv_email=self._text("dcv-email"),
                    custom_fields=tuple((field.name, value) for field, value in custom if value),
                ),
            )
        )

    def _failures(self) -> Iterator[Widget]:
        parts = (
            ("profiles", self._offer.profiles.failure),
            ("organizations", self._offer.organizations.failure),
            ("custom fields", self._offer.custom_fields.failure),
        )
        for name, failure in parts:
            if failure is not None:
                text = f"SCM did not tell the {name}: {printable(failure.reason)}"
                yield Static(Content.styled(text, "$state-failed"), markup=False)

    def _organizations(self) -> list[tuple[str, str]]:
        return [
            (f"{'  department ' if each.parent_id is not None else ''}{each.name}", str(each.id))
            for each in self._offer.organizations.items
        ]

    def _term_field(self, profile: CertificateProfile | None) -> Select[str]:
        terms = _numbers(profile.terms_days or (self._wanted_days,) if profile is not None else ())
        value = self._term_of(profile, [value for _, value in terms]) if profile is not None else ""
        return choice_field("term", terms, value)

    def _term_of(self, profile: CertificateProfile, offered: Sequence[str]) -> str:
        """Return a profile's term as it was filled in, else as it was chosen last, else as it is proposed."""
        filled = self._filled.request
        given = str(filled.term_days) if filled.profile_id == profile.id and filled.term_days else ""
        last = self._last_choice(profile.id).get("term", "")
        proposed = str(choose_term(profile, self._wanted_days).term_days or "")
        return next((term for term in (given, last) if term in offered), proposed)

    def _note_term(self) -> None:
        profile = self._profile()
        note = choose_term(profile, self._wanted_days).note if profile is not None else ""
        field = self.query_one("#term-note", Static)
        field.update(Content(printable(note)))
        field.display = bool(note)

    def _show_rows(self) -> None:
        source = chosen(self._select("source")) or MAKE
        for each, rows in _ROWS_OF_SOURCE.items():
            for row in rows:
                self.query_one(f"#{row}").display = each == source
        self.query_one("#row-dcv-email").display = chosen(self._select("dcv")) == "EMAIL"

    def _profile(self) -> CertificateProfile | None:
        profile_id = chosen(self._select("profile"))
        return self._offer.profile(int(profile_id)) if profile_id else None

    def _select(self, field_id: str) -> Select[str]:
        return self.query_one(f"#{field_id}", Select)

    def _text(self, field_id: str) -> str:
        return self.query_one(f"#{field_id}", Input).value.strip()

    def _custom_values(self) -> Iterator[str]:
        for number in range(len(self._offer.custom_fields.items)):
            yield self._text(f"custom-{number}")


def _numbers(numbers: Iterable[int]) -> list[tuple[str, str]]:
    return [(str(number), str(number)) for number in sorted(numbers)]


def _key_kinds(profile: CertificateProfile | None) -> list[tuple[str, str]]:
    offered = profile.key_types if profile is not None else {}
    kinds = [f"{kind} {size}" for kind, sizes in offered.items() for size in sizes]
    return [(kind, kind) for kind in kinds or _USUAL_KINDS]
