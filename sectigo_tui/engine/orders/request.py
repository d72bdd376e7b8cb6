"""What is to be ordered, and what is wrong with it before anything is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum

from msgspec import Struct

from sectigo_tui.domain.account import CertificateProfile, CustomField
from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.limits import COMMENTS_AT_MOST, REQUESTERS_AT_MOST
from sectigo_tui.domain.pki import CertificateTools, CsrFacts
from sectigo_tui.engine.orders.lookup import untagged

DCV_MODES = ("CNAME", "EMAIL", "HTTP", "HTTPS", "TXT")
"""Source: SCM manual 25.5."""

WRONG_NAMES_TOLD = 5
"""Of the names that cannot be ordered, so many are told one by one."""

_ADDRESS = re.compile(r"""[^\s@,;:<>()\[\]"\\]+@[^\s@,;:<>()\[\]"\\._-][^\s@,;:<>()\[\]"\\_]*(?<![.-])""")

COMMENTS_ROOM = COMMENTS_AT_MOST - 36
"""The operator's part of the comments: the rest is reserved for the order tag."""


class Draft(Struct, frozen=True, kw_only=True):
    """A certificate as the operator wants it.

    Args:
        csr: The CSR, read.
        organization_id: The organization or department.
        profile_id: The certificate profile.
        profile_name: Its name, where known.
        term_days: The validity.
        subject_alternative_names: The names besides the common name; the CSR's when empty.
        external_requester: E-mail addresses, comma-separated.
        comments: The operator's words.
        custom_fields: Pairs of name and value.
        dcv_mode: One of `DCV_MODES`, or empty.
        dcv_email: The address for EMAIL.
        key_path: The private key made here; empty where there is none.
        drops_other_names: Whether names of kinds that cannot be ordered are left out; else they refuse the draft.
    """

    csr: CsrFacts
    organization_id: int
    profile_id: int
    profile_name: str = ""
    term_days: int
    subject_alternative_names: tuple[str, ...] = ()
    external_requester: str = ""
    comments: str = ""
    custom_fields: tuple[tuple[str, str], ...] = ()
    dcv_mode: str = ""
    dcv_email: str = ""
    key_path: str = ""
    drops_other_names: bool = False

    @property
    def common_name(self) -> str:
        """The name the certificate goes by: the CSR's common name, else its first alternative one."""
        return self.csr.common_name or next(iter(self.names), "")

    @property
    def names(self) -> tuple[str, ...]:
        """The alternative names that are wanted, as they were given; of several common names each is one."""
        names = self.subject_alternative_names or self.csr.subject_alternative_names
        return (*names, *self.csr.common_names)

    @property
    def goes_by(self) -> tuple[str, ...]:
        """The names by which an order like it is found: its common name, or all its names where it has none."""
        return (self.csr.common_name,) if self.csr.common_name else self.names


class DraftField(Enum):
    """The part of the form that a problem is about."""

    CSR = "csr"
    PROFILE = "profile"
    TERM = "term"
    ORGANIZATION = "organization"
    REQUESTERS = "requesters"
    COMMENTS = "comments"
    CUSTOM_FIELDS = "custom fields"
    DCV = "dcv"


class InvalidField(Struct, frozen=True):
    """Why a draft cannot be ordered as it is.

    Args:
        field: The part of the form.
        reason: What is wrong.
        remedy: What to do about it.
    """

    field: DraftField
    reason: str
    remedy: str


class DraftRefused(InputError):
    """A draft cannot be ordered as it is, and nothing was sent.

    Args:
        errors: All that is wrong, at least one; what the first one is about is where to go on.
    """

    def __init__(self, errors: Sequence[InvalidField]) -> None:
        super().__init__(
            "; ".join(reason.reason for reason in errors),
            "; ".join(dict.fromkeys(reason.remedy for reason in errors)),
        )
        self.field = errors[0].field


class TermChoice(Struct, frozen=True):
    """The term to begin with.

    Args:
        term_days: One of the profile's terms, or the wanted one when it tells none.
        note: What the operator is told about it; empty when it is the wanted one.
    """

    term_days: int
    note: str = ""


def choose_term(profile: CertificateProfile, wanted_days: int) -> TermChoice:
    """Return the wanted term, or the profile's nearest one, the longer of two equally near.

    Args:
        profile: The profile.
        wanted_days: The term that was configured.
    """
    if not profile.terms_days or wanted_days in profile.terms_days:
        return TermChoice(wanted_days)
    nearest = min(profile.terms_days, key=lambda days: (abs(days - wanted_days), -days))
    offered = ", ".join(map(str, sorted(profile.terms_days)))
    return TermChoice(nearest, f"{profile.name} does not offer {wanted_days} days but {offered}: {nearest} proposed")


def errors_in(
    draft: Draft,
    tools: CertificateTools,
    *,
    profile: CertificateProfile | None = None,
    custom_fields: Sequence[CustomField] | None = None,
) -> tuple[InvalidField, ...]:
    """Return what SCM would refuse in a draft, as far as it can be known here.

    Args:
        draft: The draft.
        tools: Checks the CSR; takes milliseconds.
        profile: Its profile as SCM offers it; None when that could not be asked for.
        custom_fields: The account's custom fields; None when they could not be asked for.
    """
    return (
        *_csr(draft, tools, profile),
        *_names(draft, tools),
        *_term(draft, profile),
        *_texts(draft),
        *(_custom_fields(draft, custom_fields) if custom_fields is not None else ()),
        *_dcv(draft),
    )


def _csr(draft: Draft, tools: CertificateTools, profile: CertificateProfile | None) -> list[InvalidField]:
    try:
        tools.check_csr(draft.csr, profile.key_types if profile else {})
    except InputError as error:
        return [InvalidField(DraftField.CSR, error.reason, error.remedy)]
    return []


def ordered_names(draft: Draft, tools: CertificateTools) -> tuple[str, ...]:
    """Return the alternative names as they are sent: each once, IDNs as A-labels, in lower case, without a final dot.

    Raises:
        InputError: One of them is no name that can be ordered.
    """
    return tuple(dict.fromkeys(map(tools.ordered_name, draft.names)))


def _names(draft: Draft, tools: CertificateTools) -> Iterator[InvalidField]:
    csr = draft.csr
    names = dict.fromkeys((*((csr.common_name,) if csr.common_name else ()), *draft.names))
    wrong: list[InputError] = []
    for name in names:
        try:
            tools.ordered_name(name)
        except InputError as error:
            wrong.append(error)
    for each in wrong[:WRONG_NAMES_TOLD]:
        yield InvalidField(DraftField.CSR, each.reason, each.remedy)
    if len(wrong) > WRONG_NAMES_TOLD:
        yield InvalidField(DraftField.CSR, f"so are {len(wrong) - WRONG_NAMES_TOLD} more names", "correct them")
    if csr.other_names and not draft.drops_other_names:
        yield InvalidField(
            DraftField.CSR,
            f"the CSR has names of kinds that cannot be ordered: {', '.join(csr.other_names)}",
            "only DNS names and addresses are: leave the others out (--drop-other-names), or make the CSR without them",
        )


def _term(draft: Draft, profile: CertificateProfile | None) -> list[InvalidField]:
    if profile is None:
        return []
    choice = choose_term(profile, draft.term_days)
    if not choice.note:
        return []
    return [InvalidField(DraftField.TERM, choice.note, f"take {choice.term_days} days")]


def _texts(draft: Draft) -> list[InvalidField]:
    errors = []
    if len(draft.comments) > COMMENTS_ROOM:
        errors.append(
            InvalidField(
                DraftField.COMMENTS,
                f"the comments have {len(draft.comments)} characters",
                f"use at most {COMMENTS_ROOM}: the rest is reserved for this program's order tag",
            )
        )
    if untagged(draft.comments) != draft.comments.strip():
        errors.append(
            InvalidField(
                DraftField.COMMENTS, "the comments hold an order tag of this program", "leave [sectigo-tui:...] out"
            )
        )
    addresses = split_addresses(draft.external_requester)
    if len(",".join(addresses)) > REQUESTERS_AT_MOST:
        errors.append(
            InvalidField(
                DraftField.REQUESTERS, "the requesters' addresses are too long", f"at most {REQUESTERS_AT_MOST}"
            )
        )
    errors += [
        InvalidField(DraftField.REQUESTERS, f"{address!r} is no e-mail address", "separate by commas")
        for address in addresses
        if not is_address(address)
    ]
    return errors


def split_addresses(text: str) -> tuple[str, ...]:
    """Return e-mail addresses that are separated by commas, each once."""
    return tuple(dict.fromkeys(address for part in text.split(",") if (address := part.strip())))


def is_address(text: str) -> bool:
    """Return whether a text is one e-mail address and nothing else."""
    return _ADDRESS.fullmatch(text) is not None and text.isprintable()


def _custom_fields(draft: Draft, fields: Sequence[CustomField]) -> Iterator[InvalidField]:
    where, names = DraftField.CUSTOM_FIELDS, [field.name for field in fields]
    defined = f"defined are {', '.join(names)}" if names else "the account defines none"
    given = [name for name, _ in draft.custom_fields]
    for name in dict.fromkeys(given):
        if name not in names:
            same = [each for each in names if each.casefold() == name.strip().casefold()]
            remedy = f"write it {same[0]!r}; {defined}" if same else defined
            yield InvalidField(where, f"there is no custom field {name!r}", remedy)
        elif given.count(name) > 1:
            yield InvalidField(where, f"the custom field {name!r} is given {given.count(name)} times", "give it once")
    filled = {name for name, value in draft.custom_fields if value.strip()}
    for field in fields:
        if field.mandatory and field.name not in filled:
            yield InvalidField(where, f"the mandatory custom field {field.name!r} is empty", "fill it in")


def _dcv(draft: Draft) -> list[InvalidField]:
    if draft.dcv_mode and draft.dcv_mode not in DCV_MODES:
        return [
            InvalidField(DraftField.DCV, f"{draft.dcv_mode!r} is no DCV mode", f"take one of {', '.join(DCV_MODES)}")
        ]
    if draft.dcv_mode == "EMAIL" and not draft.dcv_email:
        return [InvalidField(DraftField.DCV, "the DCV mode EMAIL needs an address", "give the address to be asked")]
    if draft.dcv_email and not is_address(draft.dcv_email):
        return [InvalidField(DraftField.DCV, f"{draft.dcv_email!r} is no e-mail address", "give one address")]
    return []
