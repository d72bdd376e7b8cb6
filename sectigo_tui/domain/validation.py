"""What SCM tells about validations, as plain values: organizations, domains and control of them, and the contract.

All text in here came from SCM or a requester: untrusted, to be shown as text.
"""

from __future__ import annotations

from sectigo_tui.domain.clock import Moment
from sectigo_tui.domain.records import Struct


class OrganizationValidation(Struct, frozen=True, kw_only=True):
    """An organization's validation at the CA.

    Args:
        id: SCM's id of it.
        level: `OV`, `EV`, or as it came (`OV_SMIME`).
        status: PENDING, VALIDATED, FAILED, EXPIRED or as it came.
        background_status: As it came.
        submitted: When it was submitted.
        expires: When it expires.
        backend_id: The CA's number for it.
        validator: Who validates.
        tracking_id: The CA's tracking number, where details were asked for.
        last_message: The CA's last message, where details were asked for.
    """

    id: int
    level: str
    status: str
    background_status: str = ""
    submitted: Moment | None = None
    expires: Moment | None = None
    backend_id: str = ""
    validator: str = ""
    tracking_id: str = ""
    last_message: str = ""


class DcvProof(Struct, frozen=True, kw_only=True):
    """What is to show the CA who controls a domain: a record in DNS, a file that is served, or a mail that is answered.

    Args:
        mode: CNAME, EMAIL, HTTP, HTTPS, TXT, or empty where it was not told.
        host: The record's name.
        point: The record's value.
        url: The file's address.
        file: The file's content, its lines joined.
        email: The address asked.
    """

    mode: str = ""
    host: str = ""
    point: str = ""
    url: str = ""
    file: str = ""
    email: str = ""


NOTHING_ASKED = DcvProof()
"""Where SCM has not told what is asked."""


class DcvCheck(Struct, frozen=True, kw_only=True):
    """One domain's line in an order's DCV log, with what to publish where SCM tells it.

    Args:
        domain: The domain.
        status: As it came, such as `Awaiting Validation`.
        proof: What is asked of its owner.
        last_check: When the CA checked last.
        next_check: When the CA checks next.
        validated: When it was validated.
    """

    domain: str
    status: str = ""
    proof: DcvProof = NOTHING_ASKED
    last_check: Moment | None = None
    next_check: Moment | None = None
    validated: Moment | None = None


class DcvLog(Struct, frozen=True):
    """An order's domain control validation: a check for each domain, and the CA's error if it told one."""

    checks: tuple[DcvCheck, ...]
    error_code: int | None = None
    error_description: str = ""


class DomainValidation(Struct, frozen=True, kw_only=True):
    """A domain's validation in the account, apart from any order.

    Args:
        domain: The domain.
        status: VALIDATED, NOT_VALIDATED, EXPIRED or as it came.
        order_status: NOT_INITIATED, AWAITING_SUBMISSION, SUBMITTED, REJECTED or as it came.
        proof: What is asked of its owner.
        validated: When it was validated.
        expires: When the validation expires.
        submitted: When it was submitted.
        last_check: When the CA checked last.
        next_check: When the CA checks next.
    """

    domain: str
    status: str
    order_status: str = ""
    proof: DcvProof = NOTHING_ASKED
    validated: Moment | None = None
    expires: Moment | None = None
    submitted: Moment | None = None
    last_check: Moment | None = None
    next_check: Moment | None = None


class DomainPage(Struct, frozen=True):
    """A page of the account's domain validations.

    Args:
        rows: Its rows, without those that cannot be used.
        total: How many rows the header says that the whole listing has; None where it does not say.
    """

    rows: tuple[DomainValidation, ...]
    total: int | None


class DomainName(Struct, frozen=True):
    """A domain of the account, as the list of domains has it."""

    id: int
    name: str


class DomainNamePage(Struct, frozen=True):
    """A page of the list of domains; its fields are those of `DomainPage`."""

    rows: tuple[DomainName, ...]
    total: int | None


class Delegation(Struct, frozen=True):
    """A domain's delegation to one organization or department: ACTIVE, REQUESTED or as it came."""

    organization_id: int | None
    status: str


class AccountDomain(Struct, frozen=True, kw_only=True):
    """A domain as the account has it, apart from who controls it.

    Args:
        id: SCM's id of it.
        name: The domain.
        state: ACTIVE, SUSPENDED or as it came.
        delegation_status: ACTIVE, REQUESTED or as it came.
        delegations: Its delegations that this login may see.
    """

    id: int
    name: str
    state: str = ""
    delegation_status: str = ""
    delegations: tuple[Delegation, ...] = ()


class Allowance(Struct, frozen=True):
    """How many certificates of one kind the contract still has.

    Args:
        kind: Which certificates, as SCM names them; empty for all.
        total: How many the contract has; None where it is not told, or there is no limit.
        used: How many are used.
        left: How many are left; None where that cannot be told.
    """

    kind: str
    total: int | None
    used: int | None
    left: int | None
