"""Ordering a certificate: what the account offers, what is wrong with a request, and the order itself."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from enum import Enum
from typing import Generic, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from sectigo_tui.domain.account import CertificateProfile, CustomField, Organization
from sectigo_tui.domain.certificates import EnrollRequest
from sectigo_tui.domain.errors import InputError, ScmFailure
from sectigo_tui.domain.events import EventKind, TimelineEntry
from sectigo_tui.domain.limits import COMMENTS_AT_MOST, REQUESTERS_AT_MOST
from sectigo_tui.domain.orders import Order, OrderState, Origin, PendingEnroll
from sectigo_tui.domain.pki import CertificateTools, CsrFacts, KeyOrder
from sectigo_tui.engine.context import Context
from sectigo_tui.engine.orders.entries import WriteOutcome, write_outcome_of
from sectigo_tui.engine.orders.lookup import (
    Duplicates,
    check_none_ordered_since,
    find_duplicates,
    marked,
    order_tag_of,
    orders_named,
    untagged,
)
from sectigo_tui.engine.orders.place import Placed, Placing
from sectigo_tui.engine.requests.limiter import Priority

T = TypeVar("T")

DCV_MODES = ("CNAME", "EMAIL", "HTTP", "HTTPS", "TXT")
"""Source: SCM manual 25.5."""

WRONG_NAMES_TOLD = 5
"""Of the names that cannot be ordered, so many are told one by one."""

_ADDRESS = re.compile(r"""[^\s@,;:<>()\[\]"\\]+@[^\s@,;:<>()\[\]"\\._-][^\s@,;:<>()\[\]"\\_]*(?<![.-])""")

COMMENTS_ROOM = COMMENTS_AT_MOST - 36
"""The operator's part of the comments: the rest is reserved for the order tag."""

KNOWN_AT_MOST = 1000
"""Existing orders of a name with more rows than this are not listed: the order tag tells them apart too."""


class Offered(Struct, Generic[T], frozen=True):
    """One part of what the account offers.

    Args:
        items: What it is; empty when it could not be asked for.
        failure: Why it could not; None when it could.
    """

    items: tuple[T, ...] = ()
    failure: ScmFailure | None = None


class EnrollOffer(Struct, frozen=True):
    """What may be ordered, from live answers; each part fails by itself.

    Args:
        profiles: The certificate profiles.
        organizations: The organizations, each followed by its departments as SCM lists them.
        custom_fields: The account's custom fields.
    """

    profiles: Offered[CertificateProfile]
    organizations: Offered[Organization]
    custom_fields: Offered[CustomField]

    def profile(self, profile_id: int) -> CertificateProfile | None:
        """Return a profile by its id; None when it is not offered."""
        return next((profile for profile in self.profiles.items if profile.id == profile_id), None)


class RequestField(Enum):
    """The part of the form that an error is about."""

    CSR = "csr"
    PROFILE = "profile"
    TERM = "term"
    ORGANIZATION = "organization"
    REQUESTERS = "requesters"
    COMMENTS = "comments"
    CUSTOM_FIELDS = "custom fields"
    DCV = "dcv"


class InvalidField(Struct, frozen=True):
    """Why a certificate cannot be ordered as it was asked for.

    Args:
        field: The part of the form.
        reason: What is wrong.
        remedy: What to do about it.
    """

    field: RequestField
    reason: str
    remedy: str


class InvalidRequest(InputError):
    """A certificate cannot be ordered as it was asked for, and nothing was sent.

    Args:
        errors: All that is wrong, at least one; what the first one is about is where to go on.
    """

    def __init__(self, errors: Sequence[InvalidField]) -> None:
        super().__init__(
            "; ".join(reason.reason for reason in errors),
            "; ".join(dict.fromkeys(reason.remedy for reason in errors)),
        )
        self.errors = errors
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


class Enrolling:
    """Orders certificates.

    Args:
        context: What every service works with.
        placing: Sends orders.
        tools: Reads CSRs, and makes keys.
    """

    def __init__(self, context: Context, placing: Placing, tools: CertificateTools) -> None:
        self._context = context
        self._placing = placing
        self._tools = tools

    async def offer(self, organization_id: int | None = None) -> EnrollOffer:
        """Ask the account what it offers.

        Args:
            organization_id: The organization whose profiles are asked for; None for all.

        Returns:
            What came; failures are in it, not raised.
        """
        scm = self._context.scm
        profiles, organizations, fields = await asyncio.gather(
            self._part("", lambda: scm.types(organization_id)),
            self._part("organizations", scm.organizations),
            self._part("custom_fields", scm.custom_fields),
        )
        return EnrollOffer(profiles, organizations, fields)

    async def read_csr(self, data: bytes) -> CsrFacts:
        """Return what a CSR says.

        Raises:
            InputError: There is not exactly one readable CSR in it.
        """
        return await asyncio.to_thread(self._tools.read_csr, data)

    async def read_csr_file(self, path: str) -> CsrFacts:
        """Return the same of a file; `~` is the home directory.

        Raises:
            InputError: It cannot be read, or there is not exactly one readable CSR in it.
        """
        return await asyncio.to_thread(self._tools.read_csr_file, path)

    async def make_csr(self, order: KeyOrder) -> CsrFacts:
        """Make a private key, which is on disk when this returns, and a CSR for it.

        Raises:
            InputError: A name or kind of key cannot be used, or something is at the path; nothing was written.
        """
        self._context.check_writable("ordering")
        return await asyncio.to_thread(self._tools.make_csr, order)

    def prepare(
        self, request: EnrollRequest, csr: CsrFacts, offer: EnrollOffer, *, drop_other_names: bool = False
    ) -> EnrollRequest:
        """Return what is to be sent; see `prepared`."""
        return prepared(request, csr, self._tools, offer, drop_other_names=drop_other_names)

    async def duplicates(self, request: EnrollRequest) -> Duplicates:
        """Look for orders of the same name, pending or issued and far from expiry.

        Args:
            request: What is to be ordered, prepared; one without a common name goes by any of its names.
        """
        names = dict.fromkeys(map(self._tools.ordered_name, request.goes_by))
        return await find_duplicates(self._context, tuple(names), is_nameless=not request.common_name)

    async def enroll(self, request: EnrollRequest, *, since: Duplicates | None = None) -> Placed:
        """Order a certificate: written down before it is sent, sent once, and never again by itself.

        Args:
            request: What is ordered, prepared.
            since: The duplicates that were looked up: an order of the same name placed after that, by whatever
                process, keeps this one from being sent. None to order whatever else was ordered.

        Returns:
            The order: submitted and polled, or unconfirmed when SCM's answer was lost; it is then searched for.

        Raises:
            InputError: The program is read-only; nothing was sent.
            OrderedMeanwhile: Another order of the same name was placed since the lookup; nothing was sent.
            ScmFailure: SCM rejected it, or it certainly was not sent, or SCM could not be asked for the orders of its
                name, by which a lost one is found again; nothing was ordered.
            StoreError: The intent could not be written, and nothing was sent; or SCM's answer could not, and then
                the order is searched for by itself once the disk works.
        """
        self._context.check_writable("ordering")
        if not request.csr_pem:
            raise ValueError("the request is not prepared: it has no CSR")
        order = self._intent(request, await self._known(request))
        entry = TimelineEntry(
            at=order.created_at,
            order_id=order.id,
            kind=EventKind.WRITE_ASKED,
            summary=f"enroll {order.common_name}, profile {request.profile_name or request.profile_id}, "
            f"{request.term_days} days",
            to_state=order.state,
        )
        check = None
        if since is not None:
            check = check_none_ordered_since(request.goes_by, since.known, is_nameless=not request.common_name)
        return await self._placing.place(order, entry, check=check)

    async def _known(self, request: EnrollRequest) -> tuple[int, ...]:
        try:
            named = await orders_named(
                self._context, request.name, at_most=KNOWN_AT_MOST, nameless_too=not request.common_name
            )
        except ScmFailure as failure:
            if write_outcome_of(failure) is WriteOutcome.REFUSED:
                # This login may order without listing: the order tag has to suffice.
                return ()
            raise
        return () if named.left_out or named.left_out_nameless else named.ssl_ids

    def _intent(self, request: EnrollRequest, known: tuple[int, ...]) -> Order:
        now, order_id = self._context.clock.now(), self._context.new_order_id()
        order_tag = order_tag_of(order_id, attempt=1)
        return Order(
            id=order_id,
            state=OrderState.INTENT,
            state_since=now,
            created_at=now,
            origin=Origin.ENROLLED,
            common_name=request.name,
            profile_id=request.profile_id,
            profile_name=request.profile_name,
            term_days=request.term_days,
            organization_id=request.organization_id,
            order_tag=order_tag,
            csr_pem=request.csr_pem,
            key_path=request.key_path,
            pending_enroll=PendingEnroll(now, replace(request, comments=marked(request.comments, order_tag)), known),
        )

    async def _part(self, side: str, ask: Callable[[], Awaitable[tuple[T, ...]]]) -> Offered[T]:
        try:
            return Offered(await self._context.limiter.run(Priority.SIGHT, ask, side=side))
        except ScmFailure as failure:
            return Offered(failure=failure)


def prepared(
    request: EnrollRequest,
    csr: CsrFacts,
    tools: CertificateTools,
    offer: EnrollOffer | None = None,
    *,
    drop_other_names: bool = False,
) -> EnrollRequest:
    """Return what is to be sent: what was asked for, checked, and completed with its CSR and its names.

    Names are each sent once: IDNs as A-labels, in lower case, without a final dot.

    Args:
        request: What was asked for.
        csr: Its CSR, read.
        tools: Checks the CSR and the names; takes milliseconds.
        offer: What the account offers, for what depends on it; None when that was not asked for.
        drop_other_names: Whether the CSR's names of kinds that cannot be ordered are left out; else they are an error.

    Raises:
        InvalidRequest: It cannot be ordered so.
    """
    profile = offer.profile(request.profile_id) if offer is not None else None
    fields = offer.custom_fields if offer is not None else None
    errors = errors_in(
        request,
        csr,
        tools,
        profile=profile,
        custom_fields=fields.items if fields is not None and fields.failure is None else None,
        drop_other_names=drop_other_names,
    )
    if errors:
        raise InvalidRequest(errors)
    return replace(
        request,
        csr_pem=csr.pem,
        common_name=csr.common_name,
        profile_name=profile.name if profile is not None else "",
        subject_alternative_names=tuple(dict.fromkeys(map(tools.ordered_name, _wanted_names(request, csr)))),
        external_requester=",".join(split_addresses(request.external_requester)),
        comments=request.comments.strip(),
    )


def errors_in(
    request: EnrollRequest,
    csr: CsrFacts,
    tools: CertificateTools,
    *,
    profile: CertificateProfile | None = None,
    custom_fields: Sequence[CustomField] | None = None,
    drop_other_names: bool = False,
) -> tuple[InvalidField, ...]:
    """Return what SCM would not accept, as far as it can be known here.

    Args:
        request: What was asked for.
        csr: Its CSR, read.
        tools: Checks the CSR; takes milliseconds.
        profile: Its profile as SCM offers it; None when that could not be asked for.
        custom_fields: The account's custom fields; None when they could not be asked for.
        drop_other_names: Whether names of kinds that cannot be ordered are left out; else they are an error.
    """
    return (
        *_csr(csr, tools, profile),
        *_names(request, csr, tools, drop_other_names=drop_other_names),
        *_term(request, profile),
        *_texts(request),
        *(_custom_fields(request, custom_fields) if custom_fields is not None else ()),
        *_dcv(request),
    )


def _csr(csr: CsrFacts, tools: CertificateTools, profile: CertificateProfile | None) -> list[InvalidField]:
    try:
        tools.check_csr(csr, profile.key_types if profile else {})
    except InputError as error:
        return [InvalidField(RequestField.CSR, error.reason, error.remedy)]
    return []


def _wanted_names(request: EnrollRequest, csr: CsrFacts) -> tuple[str, ...]:
    """Return the alternative names that are wanted, as they were given; of several common names each is one."""
    return (*(request.subject_alternative_names or csr.subject_alternative_names), *csr.common_names)


def _names(
    request: EnrollRequest, csr: CsrFacts, tools: CertificateTools, *, drop_other_names: bool
) -> Iterator[InvalidField]:
    names = dict.fromkeys((*((csr.common_name,) if csr.common_name else ()), *_wanted_names(request, csr)))
    wrong: list[InputError] = []
    for name in names:
        try:
            tools.ordered_name(name)
        except InputError as error:
            wrong.append(error)
    for each in wrong[:WRONG_NAMES_TOLD]:
        yield InvalidField(RequestField.CSR, each.reason, each.remedy)
    if len(wrong) > WRONG_NAMES_TOLD:
        yield InvalidField(RequestField.CSR, f"so are {len(wrong) - WRONG_NAMES_TOLD} more names", "correct them")
    if csr.other_names and not drop_other_names:
        yield InvalidField(
            RequestField.CSR,
            f"the CSR has names of kinds that cannot be ordered: {', '.join(csr.other_names)}",
            "only DNS names and addresses are: leave the others out (--drop-other-names), or make the CSR without them",
        )


def _term(request: EnrollRequest, profile: CertificateProfile | None) -> list[InvalidField]:
    if profile is None:
        return []
    choice = choose_term(profile, request.term_days)
    if not choice.note:
        return []
    return [InvalidField(RequestField.TERM, choice.note, f"take {choice.term_days} days")]


def _texts(request: EnrollRequest) -> list[InvalidField]:
    errors = []
    if len(request.comments) > COMMENTS_ROOM:
        errors.append(
            InvalidField(
                RequestField.COMMENTS,
                f"the comments have {len(request.comments)} characters",
                f"use at most {COMMENTS_ROOM}: the rest is reserved for this program's order tag",
            )
        )
    if untagged(request.comments) != request.comments.strip():
        errors.append(
            InvalidField(
                RequestField.COMMENTS, "the comments hold an order tag of this program", "leave [sectigo-tui:...] out"
            )
        )
    addresses = split_addresses(request.external_requester)
    if len(",".join(addresses)) > REQUESTERS_AT_MOST:
        errors.append(
            InvalidField(
                RequestField.REQUESTERS, "the requesters' addresses are too long", f"at most {REQUESTERS_AT_MOST}"
            )
        )
    errors += [
        InvalidField(RequestField.REQUESTERS, f"{address!r} is no e-mail address", "separate by commas")
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


def _custom_fields(request: EnrollRequest, fields: Sequence[CustomField]) -> Iterator[InvalidField]:
    where, names = RequestField.CUSTOM_FIELDS, [field.name for field in fields]
    defined = f"defined are {', '.join(names)}" if names else "the account defines none"
    given = [name for name, _ in request.custom_fields]
    for name in dict.fromkeys(given):
        if name not in names:
            same = [each for each in names if each.casefold() == name.strip().casefold()]
            remedy = f"write it {same[0]!r}; {defined}" if same else defined
            yield InvalidField(where, f"there is no custom field {name!r}", remedy)
        elif given.count(name) > 1:
            yield InvalidField(where, f"the custom field {name!r} is given {given.count(name)} times", "give it once")
    filled = {name for name, value in request.custom_fields if value.strip()}
    for field in fields:
        if field.mandatory and field.name not in filled:
            yield InvalidField(where, f"the mandatory custom field {field.name!r} is empty", "fill it in")


def _dcv(request: EnrollRequest) -> list[InvalidField]:
    if request.dcv_mode and request.dcv_mode not in DCV_MODES:
        return [
            InvalidField(
                RequestField.DCV, f"{request.dcv_mode!r} is no DCV mode", f"take one of {', '.join(DCV_MODES)}"
            )
        ]
    if request.dcv_mode == "EMAIL" and not request.dcv_email:
        return [InvalidField(RequestField.DCV, "the DCV mode EMAIL needs an address", "give the address to be asked")]
    if request.dcv_email and not is_address(request.dcv_email):
        return [InvalidField(RequestField.DCV, f"{request.dcv_email!r} is no e-mail address", "give one address")]
    return []
