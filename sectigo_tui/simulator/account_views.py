"""What the API answers about organizations, domains and the contract."""

from collections.abc import Sequence
from datetime import UTC, datetime

from sectigo_tui.simulator.account import CHECK_INTERVAL, Allowance, Domain, Organization, OrganizationValidation
from sectigo_tui.simulator.dcv import Record
from sectigo_tui.simulator.views import Json, written


def organization_view(organization: Organization) -> Json:
    """Return an organization with its departments. Source: SCM manual 25.5, "List organizations"."""
    view: Json = {"id": organization.id, "name": organization.name}
    if organization.departments:
        view["departments"] = [
            {"id": part.id, "parentName": organization.name, "name": part.name} for part in organization.departments
        ]
    return view


def validation_view(validation: OrganizationValidation, at: datetime) -> Json:
    """Return a validation as the list shows it. Source: SCM manual 25.5, "List organization validations"."""
    view: Json = {
        "id": validation.id,
        "validationLevel": f"{validation.level}_SSL",
        "status": validation.status(at),
        "backgroundStatus": validation.background,
        "submitted": written(validation.submitted, "ISO_HMS"),
        "expires": validation.expires and written(validation.expires, "ISO_HMS"),
        "alternative": False,
        "backendId": 40_000 + validation.id,
        "backendType": "SASP",
    }
    return {name: value for name, value in view.items() if value is not None}


def validation_details(organization: Organization, validation: OrganizationValidation, at: datetime) -> Json:
    """Return a validation with all that is known of it.

    Source: SCM manual 25.5, "Get organization validation details".
    """
    settings = {"TRACKING_ID": str(801_930_000 + validation.id)}
    if validation.error:
        settings["LAST_ERR_MSG_FROM_CA"] = validation.error
    view = validation_view(validation, at) | {
        "settings": settings,
        "organizationDetails": {
            "generalDetails": {
                "legalName": organization.name,
                "address1": "1 Certificate Road",
                "city": organization.city,
                "postalCode": "00000",
                "country": organization.country,
            }
        },
    }
    if validation.validator is not None:
        view["validator"] = {"id": validation.validator[0], "name": validation.validator[1]}
    return view


def domain_row(domain: Domain, at: datetime) -> Json:
    """Return a domain as the list shows it. Source: SCM manual 25.5, "List domain control validations"."""
    view: Json = {
        "domain": domain.name,
        "dcvStatus": domain.status(at),
        "dcvMethod": domain.mode if domain.validated else None,
        "dcvOrderStatus": domain.order_status(at),
        "dcvOrderMethod": domain.mode if domain.submitted else None,
        "expirationDate": _day(domain.expires if domain.status(at) != "NOT_VALIDATED" else None),
    }
    return {name: value for name, value in view.items() if value is not None}


def domain_status(domain: Domain, at: datetime) -> Json:
    """Return the validation of a domain.

    Source: SCM manual 25.5, "Get domain control validation details".
    """
    shown = domain.status(at) != "NOT_VALIDATED"
    view: Json = {
        "status": domain.status(at),
        "orderStatus": domain.order_status(at),
        "validationDate": _day(domain.validated if shown else None),
        "expirationDate": _day(domain.expires if shown else None),
    }
    last = domain.last_check(at)
    if domain.order_status(at) == "AWAITING_SUBMISSION":
        view |= {"orderMode": domain.mode} | _what_to_publish(domain)
    if domain.submitted is not None and last is not None and domain.order_status(at) == "SUBMITTED":
        view |= {
            "orderMode": domain.mode,
            "submittedDate": _day(domain.submitted),
            "lastCheck": written(last, "ISO_HMS"),
            "nextCheck": written(last + CHECK_INTERVAL, "ISO_HMS"),
        } | _what_to_publish(domain)
    return {name: value for name, value in view.items() if value is not None}


def domain_view(domain: Domain, organization_ids: Sequence[int], at: datetime) -> Json:
    """Return a domain's details.

    Args:
        domain: The domain.
        organization_ids: To whom it is delegated.
        at: The time.

    Source: SCM manual 25.5, "Get domain details".
    """
    waiting = domain.requested_for
    statuses = {one: "REQUESTED" if one == waiting else "ACTIVE" for one in organization_ids}
    view: Json = {
        "id": domain.id,
        "name": domain.name,
        "delegationStatus": "ACTIVE" if waiting is None else "REQUESTED",
        "state": "SUSPENDED" if domain.suspended else "ACTIVE",
        "validationStatus": domain.status(at),
        "validationMethod": domain.mode if domain.validated else None,
        "dcvValidation": _day(domain.validated),
        "dcvExpiration": _day(domain.expires),
        "delegations": [
            {"orgId": one, "certTypes": ["SSL"], "domainCertificateRequestPrivileges": ["DOMAIN"], "status": status}
            for one, status in statuses.items()
        ],
    }
    return {name: value for name, value in view.items() if value is not None}


def allowance_view(allowance: Allowance) -> Json:
    """Return how many certificates of a kind the contract has. Source: assumed; no vendor's page names the fields."""
    return {"certType": allowance.kind, "total": allowance.total, "used": allowance.used}


def _what_to_publish(domain: Domain) -> Json:
    record = Record.of(domain.name, domain.name)
    if domain.mode in {"CNAME", "TXT"}:
        return {"host": record.host, "point": record.point}
    if domain.mode == "EMAIL":
        return {"validationEmail": f"admin@{domain.name}"}
    return {"url": record.url(domain.mode), "firstLine": record.secret, "secondLine": "sectigo.com"}


def _day(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d}"
