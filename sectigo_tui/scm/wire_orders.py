"""Orders as SCM's JSON has them, and as the domain knows them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from pydantic import FailFast, Field, OnErrorOmit, PlainValidator, TypeAdapter, ValidationError

from sectigo_tui.domain.certificates import ListingRow, OrderDetails
from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.names import first_name
from sectigo_tui.scm.wire_fields import (
    LATER,
    MAX_ITEMS,
    Flag,
    Id,
    Names,
    NeededText,
    Record,
    Records,
    Text,
    Usable,
    When,
    Whole,
    Wire,
    names,
    records,
    text,
)

_ODD_CHARACTERS = 60

_LEVELS = (
    ("EV", re.compile(r"\bEV\b|extended[ _]validat", re.IGNORECASE)),
    ("OV", re.compile(r"\bOV\b|organi[sz]ation(?:al)?[ _]validat", re.IGNORECASE)),
    ("DV", re.compile(r"\bDV\b|domain[ _](?:control[ _])?validat", re.IGNORECASE)),
)


def validation_level(*told: str) -> str:
    """Return `DV`, `OV` or `EV` from the first text that names one; empty where none does.

    Args:
        told: Texts, the most telling first, such as `Organization Validation (OV)`.
    """
    for words in told:
        for level, pattern in _LEVELS:
            if pattern.search(words):
                return level
    return ""


class WireRow(Wire):
    """A row of a listing."""

    ssl_id: Id
    common_name: Text = ""
    subject_alternative_names: Names = ()
    serial_number: Text = ""

    def to_domain(self) -> ListingRow:
        """Return the row as the domain knows it."""
        names = self.subject_alternative_names
        name = first_name(self.common_name, names)
        is_nameless = not self.common_name.strip()
        return ListingRow(self.ssl_id, name, names, self.serial_number.strip(), is_nameless)


class WireCertificateType(Wire):
    """The profile inside details."""

    id: Whole = None
    name: Text = ""


class WireCertificate(Wire):
    """The issued certificate inside details."""

    issuer: Text = ""
    subject: Text = ""
    sha1_hash: Text = ""


class WireNameValue(Wire):
    """A custom field inside details."""

    name: Text = ""
    value: Text = ""


class WireDetails(Wire):
    """One order. Source: SCM manual 25.5 and OpenAPI 25.9; all but the status may be missing, null or empty."""

    ssl_id: Whole = None
    status: NeededText
    common_name: Text = ""
    subject_alternative_names: Names = ()
    org_id: Whole = None
    cert_type: Annotated[WireCertificateType, Record] = Field(default_factory=WireCertificateType)
    sub_type: Text = ""
    validation_type: Text = ""
    term: Whole = None
    order_number: Text = ""
    backend_cert_id: Text = ""
    owner: Text = ""
    requester: Text = ""
    external_requester: Text = ""
    requested_via: Text = ""
    comments: Text = ""
    requested: When = None
    approved: When = None
    issued: When = None
    declined: When = None
    expires: When = None
    revoked: When = None
    replaced: When = None
    renewed: Flag = False
    renewed_date: When = None
    serial_number: Text = ""
    key_algorithm: Text = ""
    key_type: Text = ""
    key_size: Text = ""
    certificate_details: Annotated[WireCertificate, Record] = Field(default_factory=WireCertificate)
    custom_fields: Annotated[list[WireNameValue], Records] = Field(default_factory=list)

    def to_domain(self, ssl_id: int) -> OrderDetails:
        """Return the order as the domain knows it.

        Args:
            ssl_id: The order that was asked for.
        """
        key = self.key_algorithm.strip() or self.key_type.strip()
        certificate = self.certificate_details
        return OrderDetails(
            ssl_id=ssl_id,
            status=self.status,
            common_name=first_name(self.common_name, self.subject_alternative_names),
            subject_alternative_names=self.subject_alternative_names,
            organization_id=self.org_id,
            profile_id=self.cert_type.id,
            profile_name=self.cert_type.name,
            validation=validation_level(self.validation_type, self.sub_type, self.cert_type.name),
            term_days=self.term,
            order_number=self.order_number,
            backend_cert_id=self.backend_cert_id,
            owner=self.owner,
            requester=self.requester,
            external_requester=self.external_requester,
            requested_via=self.requested_via,
            comments=self.comments,
            requested=self.requested,
            approved=self.approved,
            issued=self.issued,
            declined=self.declined,
            expires=self.expires,
            revoked=self.revoked,
            replaced=self.replaced,
            renewed=self.renewed or self.renewed_date is not None,
            serial_number=self.serial_number.strip(),
            key_type=" ".join(part for part in (key, self.key_size.strip()) if part),
            issuer=certificate.issuer,
            subject=certificate.subject,
            sha1=certificate.sha1_hash,
            custom_fields=tuple((field.name, field.value) for field in self.custom_fields),
        )


def separated(value: object) -> tuple[str, ...]:
    """Return names from text in which `;` or `,` stands between them, or from a list."""
    return names(value.replace(";", ",") if isinstance(value, str) else value)


def name_values(value: object) -> tuple[tuple[str, str], ...]:
    """Return custom fields from a list of names and values, or from an object; nothing for anything else."""
    if isinstance(value, dict) and not {"name", "value"} <= set(value):
        return tuple((text(name), text(told)) for name, told in list(value.items())[:MAX_ITEMS])
    return tuple((text(one.get("name")), text(one.get("value"))) for one in records(value))


class WireReported(Wire):
    """An order in a bulk report. Source: SCM manual 25.5; that `id` is the sslId is assumed."""

    id: Id
    type: Text = ""
    type_id: Whole = None
    org_id: Whole = None
    organization_name: Text = ""
    common_name: Text = ""
    subj_alt_names: Annotated[tuple[str, ...], PlainValidator(separated)] = ()
    status: NeededText
    requester: Text = ""
    approver: Text = ""
    external_requester: Text = ""
    comments: Text = ""
    order_number: Text = ""
    backend_cert_id: Text = ""
    term: Whole = None
    requested_via: Text = ""
    requested: When = None
    approved: When = None
    declined: When = None
    issued: When = None
    expires: When = None
    revoked: When = None
    replaced: When = None
    downloaded: When = None
    serial_number: Text = ""
    issuer: Text = ""
    public_key_type: Text = ""
    custom_fields: Annotated[tuple[tuple[str, str], ...], PlainValidator(name_values)] = ()

    def to_domain(self) -> OrderDetails:
        """Return the order as the domain knows it."""
        return OrderDetails(
            ssl_id=self.id,
            status=self.status,
            common_name=first_name(self.common_name, self.subj_alt_names),
            subject_alternative_names=self.subj_alt_names,
            organization_id=self.org_id,
            organization_name=self.organization_name.strip(),
            profile_id=self.type_id,
            profile_name=self.type,
            validation=validation_level(self.type),
            term_days=self.term,
            order_number=self.order_number,
            backend_cert_id=self.backend_cert_id,
            owner=self.approver,
            requester=self.requester,
            external_requester=self.external_requester,
            requested_via=self.requested_via,
            comments=self.comments,
            requested=self.requested,
            approved=self.approved,
            issued=self.issued,
            declined=self.declined,
            expires=self.expires,
            revoked=self.revoked,
            replaced=self.replaced,
            serial_number=self.serial_number.strip(),
            key_type=self.public_key_type,
            issuer=self.issuer,
            custom_fields=self.custom_fields,
            downloaded=self.downloaded,
        )


class WireReport(Wire):
    """The answer to a bulk report. Source: SCM manual 25.5; a failure inside a success's HTTP status is assumed."""

    status_code: Whole = None
    message: Text = ""
    reports: Annotated[list[OnErrorOmit[WireReported]], Usable] | None = None


class WireNewOrder(Wire):
    """The answer to enroll and renew: the new order's id."""

    ssl_id: Id


ROWS: TypeAdapter[list[WireRow]] = TypeAdapter(Annotated[list[WireRow], FailFast()], config=LATER)
ODD_ROWS: TypeAdapter[list[Any]] = TypeAdapter(list[Any])
_ROW: TypeAdapter[WireRow] = TypeAdapter(WireRow)
DETAILS: TypeAdapter[WireDetails] = TypeAdapter(WireDetails)
REPORT: TypeAdapter[WireReport] = TypeAdapter(WireReport)
REPORTED: TypeAdapter[WireReported] = TypeAdapter(WireReported)
NEW_ORDER: TypeAdapter[WireNewOrder] = TypeAdapter(WireNewOrder)


def usable_rows(values: Sequence[object], first: int) -> tuple[tuple[ListingRow, ...], tuple[str, ...]]:
    """Return the rows that can be used, and what is wrong with each that cannot.

    One odd row must not hide an account: a row is known by its sslId, and one without is of no use.

    Args:
        values: The rows as they came.
        first: The position of the first in the listing, from zero.
    """
    rows: list[ListingRow] = []
    unusable: list[str] = []
    for number, value in enumerate(values, start=first + 1):
        if not isinstance(value, dict):
            unusable.append(f"row {number} is no object: {one_line(repr(value), _ODD_CHARACTERS)}")
            continue
        try:
            rows.append(_ROW.validate_python(value).to_domain())
        except ValidationError:
            told = f"sslId {one_line(repr(value['sslId']), _ODD_CHARACTERS)}" if "sslId" in value else "no sslId"
            name = one_line(text(value.get("commonName")), _ODD_CHARACTERS)
            unusable.append(f"row {number} has {told}" + (f" ({name})" if name else ""))
    return tuple(rows), tuple(unusable)


class _Rows(msgspec.Struct):
    reports: list[msgspec.Raw] = msgspec.field(default_factory=list)


def reported_rows(body: bytes) -> Sequence[msgspec.Raw]:
    """Return the rows of a bulk report as they came; none where it is no object with a list of them.

    Args:
        body: What SCM answered.
    """
    try:
        return msgspec.json.decode(body, type=_Rows).reports
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return ()
