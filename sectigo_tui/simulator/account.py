"""What an SCM account has besides orders: administrators' credentials, organizations, domains, profiles."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

RIGHTS = ("report", "dcv", "domains", "organizations", "usage")
"""What an administrator may be without: the bulk report, and everything below the path of the same name."""

ValidationLevel = Literal["DV", "OV", "EV"]

FIRST_DOMAIN_ID = 401
"""The id of an account's oldest domain."""

CHECK_INTERVAL = timedelta(hours=1)
"""How often the CA checks for a DCV record. Source: assumed, from the manual's example answers."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A certificate profile.

    Args:
        id: What `certType` of an enrollment names.
        name: Unique name.
        level: What is validated before issuance.
        terms: Validities in days it may be ordered with.
        key_types: Key algorithm to its sizes or curves.
        organization_ids: The organizations that may use it; empty for all.
    """

    id: int
    name: str
    level: ValidationLevel
    terms: tuple[int, ...] = (90, 199)
    key_types: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {"RSA": ("2048", "3072", "4096"), "EC": ("P-256", "P-384")}
    )
    organization_ids: frozenset[int] = frozenset()

    @property
    def validation_type(self) -> str:
        """The text which details show for the level."""
        words = {"DV": "Domain", "OV": "Organization", "EV": "Extended"}
        return f"{words[self.level]} Validation ({self.level})"


@dataclass(frozen=True, slots=True)
class CustomField:
    """A field which the account adds to every order."""

    id: int
    name: str
    mandatory: bool = False


@dataclass(slots=True)
class OrganizationValidation:
    """The CA's validation of an organization, as times from which its status at any moment follows.

    Args:
        id: Identity of the validation.
        level: OV or EV.
        submitted: When the CA got it.
        validated: When the CA accepted it; None if it has not.
        expires: When that acceptance ends.
        failed: When the CA gave it up.
        error: The CA's last message.
        background: PENDING while a renewal of the validation is on its way.
        validator: Who at the CA works on it: id and name.
    """

    id: int
    level: Literal["OV", "EV"]
    submitted: datetime
    validated: datetime | None = None
    expires: datetime | None = None
    failed: datetime | None = None
    error: str = ""
    background: str | None = None
    validator: tuple[int, str] | None = None

    def status(self, at: datetime) -> str:
        """Return PENDING, VALIDATED, FAILED or EXPIRED."""
        if self.failed is not None and at >= self.failed:
            return "FAILED"
        if self.validated is None or at < self.validated:
            return "PENDING"
        return "EXPIRED" if self.expires is not None and at >= self.expires else "VALIDATED"

    def valid_from(self, at: datetime) -> datetime | None:
        """Return the first moment not before `at` at which it is valid, if there is one."""
        return None if self.failed is not None else _valid_from(at, self.validated, self.expires)


@dataclass(frozen=True, slots=True)
class Department:
    """A part of an organization; its validation is its organization's."""

    id: int
    name: str


@dataclass(slots=True)
class Organization:
    """An organization of the account with its departments and validations."""

    id: int
    name: str
    city: str = "Salford"
    country: str = "GB"
    departments: tuple[Department, ...] = ()
    validations: list[OrganizationValidation] = field(default_factory=list)

    def validation(self, level: str) -> OrganizationValidation | None:
        """Return its validation of a level, if it was ever asked for."""
        return next((one for one in self.validations if one.level == level), None)


@dataclass(slots=True)
class Domain:
    """A domain and its control validation, as times from which its status at any moment follows.

    Args:
        name: A host or a domain; it covers everything below it.
        submitted: When validation was asked for; None if never.
        validated: When control was shown; None if not yet.
        expires: When that ends.
        mode: How it is to be shown.
        published: The record is in place; the CA finds it when it is told to look again.
        stands_still: What keeps the DCV order from the CA, where it is not submitted.
        suspended: An administrator has suspended it.
        requested_for: The organization for which its delegation waits for approval; None where it is approved.
        id: SCM's id of it; given when it is registered.
    """

    name: str
    submitted: datetime | None = None
    validated: datetime | None = None
    expires: datetime | None = None
    mode: str = "CNAME"
    published: bool = False
    stands_still: Literal["", "NOT_INITIATED", "AWAITING_SUBMISSION", "REJECTED"] = ""
    suspended: bool = False
    requested_for: int | None = None
    id: int = 0

    def status(self, at: datetime) -> str:
        """Return NOT_VALIDATED, VALIDATED or EXPIRED."""
        if self.validated is None or at < self.validated:
            return "NOT_VALIDATED"
        return "EXPIRED" if self.expires is not None and at >= self.expires else "VALIDATED"

    def order_status(self, at: datetime) -> str:
        """Return NOT_INITIATED, AWAITING_SUBMISSION, SUBMITTED or REJECTED. Source: OpenAPI 25.9, `DcvOrderStatus`."""
        if self.submitted is None or at < self.submitted or self.status(at) == "VALIDATED":
            return "NOT_INITIATED"
        return self.stands_still or "SUBMITTED"

    def valid_from(self, at: datetime) -> datetime | None:
        """Return the first moment not before `at` at which it is valid, if there is one."""
        is_usable = not self.suspended and self.requested_for is None
        return _valid_from(at, self.validated, self.expires) if is_usable else None

    def last_check(self, at: datetime) -> datetime | None:
        """Return when the CA checked for the record last."""
        if self.submitted is None or at < self.submitted:
            return None
        return self.submitted + (at - self.submitted) // CHECK_INTERVAL * CHECK_INTERVAL


@dataclass(slots=True)
class Allowance:
    """How many certificates of a kind the contract has, and how many of them are used."""

    kind: str
    total: int
    used: int


@dataclass(slots=True)
class Credentials:
    """The API administrator whom requests must name.

    Args:
        customer_uri: The customer.
        login: The administrator.
        password: Its password.
        expires: When the password does; None for never.
        lock_after: Failed logins in a row that lock the account; None for never.
        failures: Failed logins in a row so far.
        without: The rights of `RIGHTS` that it does not have.
    """

    customer_uri: str = "acme"
    login: str = "certctl-api"
    password: str = "Simulated-1-Secret"  # noqa: S105 - of the simulator alone, which prints it at its start
    expires: datetime | None = None
    lock_after: int | None = None
    failures: int = 0
    without: set[str] = field(default_factory=set)

    @property
    def locked(self) -> bool:
        """Whether even the right password is rejected."""
        return self.lock_after is not None and self.failures >= self.lock_after


@dataclass(slots=True)
class Account:
    """A customer of SCM.

    Args:
        credentials: Who may ask.
        profiles: What may be ordered.
        organizations: For whom.
        domains: The domains, by name.
        custom_fields: The fields of every order.
        allowances: What the contract has, by the level of validation.
        is_dcv_used: Whether SCM validates domains for this customer; if not, what asks about it answers -1608.
    """

    credentials: Credentials
    profiles: tuple[Profile, ...]
    organizations: list[Organization]
    domains: dict[str, Domain] = field(default_factory=dict)
    custom_fields: tuple[CustomField, ...] = ()
    allowances: dict[ValidationLevel, Allowance] = field(default_factory=dict)
    is_dcv_used: bool = True

    def profile(self, profile_id: int) -> Profile | None:
        """Return the profile with an id."""
        return next((one for one in self.profiles if one.id == profile_id), None)

    def profile_of(self, level: ValidationLevel) -> Profile:
        """Return the first profile of a level."""
        return next(one for one in self.profiles if one.level == level)

    def organization(self, organization_id: int) -> Organization | None:
        """Return the organization with an id, or the one whose department has it."""
        for one in self.organizations:
            if one.id == organization_id or any(part.id == organization_id for part in one.departments):
                return one
        return None

    def domain(self, name: str) -> Domain | None:
        """Return what validates a name: the closest registered domain at or above it."""
        labels = name.removeprefix("*.").lower().split(".")
        for start in range(len(labels)):
            found = self.domains.get(".".join(labels[start:]))
            if found is not None:
                return found
        return None

    def register(self, domain: Domain) -> Domain:
        """Add a domain, in place of one of the same name, whose id it takes over."""
        before = self.domains.get(domain.name)
        domain.id = before.id if before is not None else FIRST_DOMAIN_ID + len(self.domains)
        self.domains[domain.name] = domain
        return domain


def _valid_from(at: datetime, validated: datetime | None, expires: datetime | None) -> datetime | None:
    if validated is None:
        return None
    first = max(at, validated)
    return None if expires is not None and first >= expires else first
