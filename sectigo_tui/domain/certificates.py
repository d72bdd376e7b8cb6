"""What SCM tells about orders and certificates, and what it is told to order one, as plain values.

All text in here came from SCM or a requester: untrusted, to be shown as text.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from enum import StrEnum

from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.errors import OtherNames
from sectigo_tui.domain.records import Struct


class ListingFilter(Struct, frozen=True):
    """Which orders a listing returns; empty fields do not filter.

    Args:
        status: One SCM status.
        common_name: A common name, or a part of one.
        alternative_name: A subject alternative name, or a part of one.
        requester: A requester.
        organization_id: An organization or department.
        expires_in_days: Certificates that expire within 1 to 200 days; an installation may ignore it.
    """

    status: str = ""
    common_name: str = ""
    requester: str = ""
    organization_id: int | None = None
    alternative_name: str = ""
    expires_in_days: int | None = None


class ListingRow(Struct, frozen=True):
    """One row of a listing, which tells no status, date or organization.

    Args:
        ssl_id: The order.
        common_name: Its common name; its first alternative name where SCM tells none.
        subject_alternative_names: Its names.
        serial_number: Empty while it is not issued.
        is_nameless: Whether SCM told no common name.
    """

    ssl_id: int
    common_name: str
    subject_alternative_names: tuple[str, ...] = ()
    serial_number: str = ""
    is_nameless: bool = False


class ListingPage(Struct, frozen=True):
    """A page of a listing.

    Args:
        rows: Its rows, without those that cannot be used.
        total: How many rows the header says that the whole listing has; None where it does not say.
        unusable: What is wrong with each row that cannot be used, with the row's name where it has one.
    """

    rows: tuple[ListingRow, ...]
    total: int | None
    unusable: tuple[str, ...] = ()

    @property
    def received(self) -> int:
        """How many rows came, usable or not."""
        return len(self.rows) + len(self.unusable)


class Certificate(Struct, frozen=True, kw_only=True, array_like=True):
    """What a certificate's renewal depends on: no more, since these are kept by the thousand.

    Args:
        ssl_id: SCM's id.
        status: SCM's status as it came.
        common_name: The common name; the first alternative name where SCM tells none.
        subject_alternative_names: The names.
        organization_id: The organization or department.
        profile_id: The certificate profile.
        profile_name: Its name.
        validation: `DV`, `OV`, `EV`, or empty where SCM does not tell.
        term_days: The validity.
        requested: When it was requested.
        issued: When it was issued.
        expires: When the certificate expires.
        renewed: Whether it was renewed.
    """

    ssl_id: int
    status: str
    common_name: str = ""
    subject_alternative_names: tuple[str, ...] = ()
    organization_id: int | None = None
    profile_id: int | None = None
    profile_name: str = ""
    validation: str = ""
    term_days: int | None = None
    requested: Moment | None = None
    issued: Moment | None = None
    expires: Moment | None = None
    renewed: bool = False

    @classmethod
    def of(cls, details: OrderDetails) -> Certificate:
        """Return what of an order's details its renewal depends on."""
        return Certificate(**{name: getattr(details, name) for name in Certificate.__struct_fields__})


class OrderDetails(Certificate, frozen=True, kw_only=True, array_like=False):
    """SCM's answer about one order. Any fact may be missing: empty text, None, or an empty tuple.

    Args:
        order_number: SCM's order number.
        backend_cert_id: The number that the CA's support asks for.
        owner: The approver.
        requester: Who requested it.
        external_requester: E-mail addresses told about it.
        requested_via: How it was requested.
        comments: The requester's words.
        approved: When it was approved.
        declined: When it was declined.
        revoked: When it was revoked.
        replaced: When it was replaced.
        serial_number: The certificate's serial, in hexadecimal.
        key_type: Algorithm and size, such as `RSA 2048`.
        issuer: The issuer's name.
        subject: The subject's name.
        sha1: The SHA-1 fingerprint.
        custom_fields: Pairs of name and value.
        downloaded: When the certificate was downloaded.
        organization_name: The organization's name, where SCM tells it beside the number.
    """

    order_number: str = ""
    backend_cert_id: str = ""
    owner: str = ""
    requester: str = ""
    external_requester: str = ""
    requested_via: str = ""
    comments: str = ""
    approved: Moment | None = None
    declined: Moment | None = None
    revoked: Moment | None = None
    replaced: Moment | None = None
    serial_number: str = ""
    key_type: str = ""
    issuer: str = ""
    subject: str = ""
    sha1: str = ""
    custom_fields: tuple[tuple[str, str], ...] = ()
    downloaded: Moment | None = None
    organization_name: str = ""


class ReportDate(StrEnum):
    """The date by which a bulk report picks its orders."""

    REQUESTED = "requested"
    ISSUED = "issued"
    EXPIRES = "expires"
    REVOKED = "revoked"


class ReportQuery(Struct, frozen=True):
    """Which orders a bulk report is about, of whatever status.

    Args:
        by: Which of an order's dates counts.
        first: The first day.
        last: The last day, inclusive.
        organization_ids: Only these organizations or departments; empty for all.
        common_name: Only this common name; empty for all.
    """

    by: ReportDate
    first: date
    last: date
    organization_ids: tuple[int, ...] = ()
    common_name: str = ""


class EnrollRequest(Struct, frozen=True, kw_only=True):
    """A certificate to be ordered: as it was asked for, until `Enrolling.prepare` has checked and completed it.

    Sending it is billed, and not idempotent.

    Args:
        organization_id: The organization or department; 0 while none is chosen.
        profile_id: The certificate profile; 0 while none is chosen.
        term_days: One of the profile's terms; 0 while none is chosen.
        csr_pem: The CSR; empty until it is completed.
        subject_alternative_names: The names besides the common name; the CSR's when empty.
        comments: At most 1024 characters.
        external_requester: E-mail addresses, comma-separated, at most 512 characters.
        custom_fields: Pairs of name and value: all mandatory ones.
        dcv_mode: CNAME, EMAIL, HTTP, HTTPS, TXT, or empty.
        dcv_email: The address for EMAIL.
        common_name: The CSR's, not sent beside it; empty where it has none.
        profile_name: The profile's name, not sent; empty where it is not known.
        key_path: The private key made here, not sent; empty where there is none.
    """

    organization_id: int
    profile_id: int
    term_days: int
    csr_pem: str = ""
    subject_alternative_names: tuple[str, ...] = ()
    comments: str = ""
    external_requester: str = ""
    custom_fields: tuple[tuple[str, str], ...] = ()
    dcv_mode: str = ""
    dcv_email: str = ""
    common_name: str = ""
    profile_name: str = ""
    key_path: str = ""

    @property
    def goes_by(self) -> tuple[str, ...]:
        """The names by which an order like it is found: its common name, or all its names where it has none."""
        return (self.common_name,) if self.common_name else self.subject_alternative_names

    @property
    def name(self) -> str:
        """The name the certificate goes by: its common name, else its first alternative one."""
        return next(iter(self.goes_by), "")


class CertificateFacts(Struct, frozen=True, kw_only=True):
    """A certificate as read from the bundle itself, not as told.

    Args:
        subject: RFC 4514 name.
        issuer: RFC 4514 name.
        subject_alternative_names: DNS names and addresses.
        serial_number: Hexadecimal, upper case, without separators.
        not_before: Start of validity.
        not_after: End of validity.
        key: Algorithm and size, such as `RSA 2048`.
        sha256: Fingerprint, hexadecimal.
        sha1: Fingerprint, hexadecimal.
        missing_issuer: The issuer, where its certificate did not come with this one; empty where it did.
    """

    subject: str
    issuer: str
    subject_alternative_names: tuple[str, ...]
    serial_number: str
    not_before: datetime
    not_after: datetime
    key: str
    sha256: str
    sha1: str
    missing_issuer: str = ""

    @property
    def common_name(self) -> str:
        """The subject's common name, empty without one."""
        found = _COMMON_NAME.search(self.subject)
        return _ESCAPED.sub(_unescaped, found[1]).strip() if found else ""

    @property
    def warning(self) -> str:
        """What is wrong with it although it can be used; empty where nothing is."""
        return f"issuer {self.missing_issuer} is not in the bundle" if self.missing_issuer else ""

    def check_names(self, name: str) -> None:
        """Reject a certificate that is not for the name its order goes by.

        Of an order whose CSR is known the key tells its certificate; of any other the name is all there is. Its other
        names are no evidence: a CA may add some, and leave some out.

        Args:
            name: What the order goes by. Where one of the two has no name, nothing is rejected.

        Raises:
            OtherNames: It is for others.
        """
        # Listing orders compares no names, and need not load what does.
        from sectigo_tui.domain.names import name_key, name_keys

        names = tuple(filter(None, dict.fromkeys((self.common_name, *self.subject_alternative_names))))
        if not names or not name.strip() or name_key(name) in name_keys(names):
            return
        told = ", ".join(names[:_NAMES_TOLD])
        more = f", and {len(names) - _NAMES_TOLD} more" if len(names) > _NAMES_TOLD else ""
        raise OtherNames(
            f"the certificate that SCM gives is for {told}{more}, and the order is for {name}",
            "it is kept aside, not used: check the order in SCM",
        )


_NAMES_TOLD = 5
_COMMON_NAME = re.compile(r"(?:^|[,+])CN=((?:[^,+\\]|\\.)*)")
_ESCAPED = re.compile(r"((?:\\[0-9a-fA-F]{2})+)|\\(.)")
"""Source: RFC 4514, 2.4: a character is escaped by itself, or as its bytes in UTF-8."""


def _unescaped(found: re.Match[str]) -> str:
    if found[1]:
        return bytes.fromhex(found[1].replace("\\", "")).decode("utf-8", "replace")
    return found[2]
