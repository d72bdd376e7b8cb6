"""The account as SCM's JSON has it: profiles, custom fields, organizations, their validations, the password."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, OnErrorOmit, PlainValidator, TypeAdapter

from sectigo_tui.domain.account import CertificateProfile, CustomField, Organization, PasswordStatus
from sectigo_tui.domain.validation import OrganizationValidation
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
    Wire,
    names,
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
