"""What SCM tells about an account, as plain values: what may be ordered, for whom, and with which password.

All text in here came from SCM or a requester: untrusted, to be shown as text.
"""

from __future__ import annotations

from collections.abc import Mapping

from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.records import Struct, field


class CertificateProfile(Struct, frozen=True):
    """A certificate type the account may order.

    Args:
        id: SCM's `certType`.
        name: Its name.
        description: Its description.
        terms_days: The validities it offers.
        key_types: Key sizes or curves by algorithm, such as `{"RSA": ("2048",), "EC": ("P-256",)}`.
    """

    id: int
    name: str
    description: str = ""
    terms_days: tuple[int, ...] = ()
    key_types: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class CustomField(Struct, frozen=True):
    """A custom field of the account; a mandatory one must be in every enroll."""

    id: int
    name: str
    mandatory: bool


class Organization(Struct, frozen=True):
    """An organization or department; `parent_id` is set for a department, which inherits validation."""

    id: int
    name: str
    parent_id: int | None = None


class PasswordStatus(Struct, frozen=True):
    """The API password's state: ALIVE, EXPIRED or NEVER_EXPIRE, and when it expires."""

    state: str
    expires: Moment | None
