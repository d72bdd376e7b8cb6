"""The account as SCM's JSON has it: profiles, fields, organizations, domains, the contract, the password."""

from __future__ import annotations

from typing import Annotated

from pydantic import AliasChoices, BeforeValidator, Field, OnErrorOmit, PlainValidator, TypeAdapter

from sectigo_tui.domain.account import CertificateProfile, CustomField, Organization, PasswordStatus
from sectigo_tui.domain.validation import AccountDomain, Allowance, Delegation, DomainName, OrganizationValidation
from sectigo_tui.scm.wire_fields import (
    LATER,
    MAX_ITEMS,
    Flag,
    Id,
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
    whole,
)


def positive_days(value: object) -> tuple[int, ...]:
    """Return the days in a list, each a whole number above 0."""
    days = [whole(item) for item in value[:MAX_ITEMS]] if isinstance(value, list) else []
    return tuple(day for day in days if day and day > 0)


def sizes_by_algorithm(value: object) -> dict[str, tuple[str, ...]]:
    """Return sizes or curves by algorithm."""
    if not isinstance(value, dict):
        return {}
    pairs = list(value.items())[:MAX_ITEMS]
    return {text(algorithm): names(sizes) for algorithm, sizes in pairs}


class WireProfile(Wire):
    """A certificate profile."""

    id: Id
    name: Text = ""
    description: Text = ""
    terms: Annotated[tuple[int, ...], PlainValidator(positive_days)] = ()
    key_types: Annotated[dict[str, tuple[str, ...]], PlainValidator(sizes_by_algorithm)] = Field(default_factory=dict)

    def to_domain(self) -> CertificateProfile:
        """Return the profile as the domain knows it."""
        return CertificateProfile(self.id, self.name, self.description, self.terms, self.key_types)


class WireCustomField(Wire):
    """A custom field."""

    id: Id
    name: NeededText
    mandatory: Flag = False

    def to_domain(self) -> CustomField:
        """Return the field as the domain knows it."""
        return CustomField(self.id, self.name, self.mandatory)


class WireDepartment(Wire):
    """A department of an organization."""

    id: Id
    name: Text = ""


class WireOrganization(Wire):
    """An organization with its departments."""

    id: Id
    name: Text = ""
    departments: Annotated[list[WireDepartment], Records] = Field(default_factory=list)

    def to_domain(self) -> tuple[Organization, ...]:
        """Return the organization, then its departments."""
        below = (Organization(department.id, department.name, self.id) for department in self.departments)
        return (Organization(self.id, self.name), *below)


class WireValidator(Wire):
    """Who validates an organization."""

    name: Text = ""


class WireValidationSettings(Wire):
    """What the CA tells of a validation; the names are the CA's own."""

    tracking_id: Text = Field("", alias="TRACKING_ID")
    last_message: Text = Field("", alias="LAST_ERR_MSG_FROM_CA")


class WireOrganizationValidation(Wire):
    """A validation of an organization. Source: `validationLevel` SCM manual 25.5, `type` OpenAPI 25.9."""

    id: Id
    validation_level: Text = ""
    type: Text = ""
    status: NeededText
    background_status: Text = ""
    submitted: When = None
    expires: When = None
    backend_id: Text = ""
    validator: Annotated[WireValidator, Record] = Field(default_factory=WireValidator)
    settings: Annotated[WireValidationSettings, Record] = Field(default_factory=WireValidationSettings)

    def to_domain(self) -> OrganizationValidation:
        """Return the validation as the domain knows it; `OV_SSL` is `OV`."""
        return OrganizationValidation(
            id=self.id,
            level=(self.validation_level or self.type).strip().removesuffix("_SSL"),
            status=self.status,
            background_status=self.background_status,
            submitted=self.submitted,
            expires=self.expires,
            backend_id=self.backend_id,
            validator=self.validator.name,
            tracking_id=self.settings.tracking_id,
            last_message=self.settings.last_message,
        )


class WireDomainName(Wire):
    """A row of the list of domains. Source: SCM manual 25.5, "List domains"."""

    id: Id
    name: NeededText

    def to_domain(self) -> DomainName:
        """Return the row as the domain knows it."""
        return DomainName(self.id, self.name)


class WireDelegation(Wire):
    """A delegation inside a domain's details."""

    org_id: Whole = None
    status: Text = ""


class WireAccountDomain(Wire):
    """A domain's details. Source: SCM manual 25.5, "Get domain details"."""

    id: Id
    name: NeededText
    state: Text = ""
    delegation_status: Text = ""
    delegations: Annotated[list[WireDelegation], Records] = Field(default_factory=list)

    def to_domain(self) -> AccountDomain:
        """Return the domain as the domain knows it."""
        return AccountDomain(
            id=self.id,
            name=self.name,
            state=self.state,
            delegation_status=self.delegation_status,
            delegations=tuple(Delegation(one.org_id, one.status) for one in self.delegations),
        )


def allowance_records(value: object) -> list[object]:
    """Return the records of the contract's usage, from a list of them or from the one list that an object holds.

    Raises:
        ValueError: There are none, in what is no empty list.
    """
    if isinstance(value, dict):
        lists = [held for held in value.values() if isinstance(held, list)]
        value = lists[0] if len(lists) == 1 else value
    found = list(records(value))
    if not found and value != []:
        raise ValueError("holds nothing that can be used")
    return found


class WireAllowance(Wire):
    """How many certificates of a kind the contract has.

    Source: that `/usage/v1` tells it, SCM 26.7; its names are not published, so each is assumed, in several spellings.
    """

    kind: Text = Field("", validation_alias=AliasChoices("certType", "certificateType", "type", "name", "product"))
    total: Whole = Field(None, validation_alias=AliasChoices("total", "limit", "allowed", "purchased", "quota"))
    used: Whole = Field(None, validation_alias=AliasChoices("used", "issued", "consumed", "current"))
    left: Whole = Field(None, validation_alias=AliasChoices("left", "remaining", "available"))

    def to_domain(self) -> Allowance:
        """Return the allowance; what is left is what was told, else the difference."""
        left = self.left
        if left is None and self.total is not None and self.total >= 0 and self.used is not None:
            left = max(0, self.total - self.used)
        return Allowance(self.kind, self.total, self.used, left)


class WirePassword(Wire):
    """The API password's state."""

    state: NeededText
    expiration_date: When = None

    def to_domain(self) -> PasswordStatus:
        """Return the state as the domain knows it."""
        return PasswordStatus(self.state, self.expiration_date)


PROFILES: TypeAdapter[list[WireProfile]] = TypeAdapter(Annotated[list[OnErrorOmit[WireProfile]], Usable], config=LATER)
CUSTOM_FIELDS: TypeAdapter[list[WireCustomField]] = TypeAdapter(
    Annotated[list[OnErrorOmit[WireCustomField]], Usable], config=LATER
)
ORGANIZATIONS: TypeAdapter[list[WireOrganization]] = TypeAdapter(
    Annotated[list[OnErrorOmit[WireOrganization]], Usable], config=LATER
)
VALIDATIONS: TypeAdapter[list[WireOrganizationValidation]] = TypeAdapter(
    Annotated[list[OnErrorOmit[WireOrganizationValidation]], Usable], config=LATER
)
VALIDATION: TypeAdapter[WireOrganizationValidation] = TypeAdapter(WireOrganizationValidation)
PASSWORD: TypeAdapter[WirePassword] = TypeAdapter(WirePassword)
DOMAIN_NAMES: TypeAdapter[list[WireDomainName]] = TypeAdapter(
    Annotated[list[OnErrorOmit[WireDomainName]], Usable], config=LATER
)
ACCOUNT_DOMAIN: TypeAdapter[WireAccountDomain] = TypeAdapter(WireAccountDomain)
ALLOWANCES: TypeAdapter[list[WireAllowance]] = TypeAdapter(
    Annotated[list[WireAllowance], BeforeValidator(allowance_records)], config=LATER
)
