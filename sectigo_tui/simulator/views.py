"""What the API answers about orders, organizations and domains: JSON made from the world.

Field by field as SCM names them. Like the manual's examples, answers leave out what has no value.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from sectigo_tui.simulator.account import (
    CHECK_INTERVAL,
    Allowance,
    Domain,
    Organization,
    OrganizationValidation,
    Profile,
)
from sectigo_tui.simulator.ca import certificate
from sectigo_tui.simulator.csr import key_kind
from sectigo_tui.simulator.orders import Order
from sectigo_tui.simulator.world import World

Json: TypeAlias = dict[str, object]

_VENDOR = "Sectigo Public CA"
_FORMATS = {
    "ISO": "%Y-%m-%d",
    "EU": "%d.%m.%Y",
    "EU_HMS": "%d.%m.%Y %H:%M:%S",
    "US": "%m/%d/%Y",
    "US_HMS": "%m/%d/%Y %H:%M:%S",
    "UK": "%d/%m/%Y",
    "UK_HMS": "%d/%m/%Y %H:%M:%S",
    "JP": "%Y/%m/%d",
    "JP_HMS": "%Y/%m/%d %H:%M:%S",
}


@dataclass(frozen=True, slots=True)
class Record:
    """What the owner of a domain publishes.

    Args:
        name: The domain.
        token: Names the record.
        secret: Its content.

    Source: SCM manual 25.5, the examples of "Get SSL certificate DCV details".
    """

    name: str
    token: str
    secret: str

    @classmethod
    def of(cls, name: str, asked_with: str) -> "Record":
        """Return the record for a domain.

        Args:
            name: The domain.
            asked_with: What makes the record unique: the CSR, or anything else of the order.
        """
        token = hashlib.blake2b(asked_with.encode(), digest_size=16).hexdigest().upper()
        return cls(name, token, hashlib.sha256(f"{name}/{asked_with}".encode()).hexdigest())

    @property
    def host(self) -> str:
        """The name of the CNAME or TXT record."""
        return f"_{self.token}.{self.name}."

    @property
    def point(self) -> str:
        """Where the CNAME record points to."""
        half = len(self.secret) // 2
        return f"{self.secret[:half]}.{self.secret[half:]}.sectigo.com.".upper().replace("SECTIGO.COM", "sectigo.com")

    def url(self, mode: str) -> str:
        """Return where the file lies, for HTTP or HTTPS."""
        return f"{mode.lower()}://{self.name}/.well-known/pki-validation/{self.token}.txt"


def profile_view(profile: Profile) -> Json:
    """Return a certificate profile. Source: SCM manual 25.5, "List SSL certificate profiles"."""
    return {
        "id": profile.id,
        "name": profile.name,
        "description": f"{profile.name} certificates of the simulator",
        "terms": list(profile.terms),
        "keyTypes": {algorithm: list(sizes) for algorithm, sizes in profile.key_types.items()},
        "useSecondaryOrgName": False,
    }


def status_text(world: World, status: str) -> str:
    """Return a status as this account spells it. Source: SCM manual 25.5 (joined), OpenAPI 25.9 (spaced)."""
    return "SA Approved" if status == "SAApproved" and world.dialect.status_filter == "spaced" else status


def order_view(world: World, order: Order, date_format: str = "") -> Json:
    """Return the details of an order.

    Args:
        world: Its world.
        order: The order.
        date_format: The request's `dateFormat`: a name of the manual's list; the account's own if blank or unknown.

    Source: SCM manual 25.5, "Get SSL certificate details" and "Date formatting".
    """
    course = world.course(order)
    own_format = "US" if world.dialect.dates == "us" else "ISO_HMS"

    def day(moment: datetime | None) -> str | None:
        return None if moment is None else written(moment, date_format or own_format)

    decided = course.approved or course.declined
    view: Json = {
        "commonName": order.common_name,
        "sslId": order.ssl_id,
        "id": order.ssl_id,
        "orgId": order.organization_id,
        "status": status_text(world, course.status),
        "orderNumber": order.order_number if course.applied else None,
        "backendCertId": str(order.order_number) if course.applied else None,
        "vendor": _VENDOR,
        "certType": profile_view(order.profile),
        "subType": "",
        "validationType": order.profile.validation_type,
        "term": order.term_days,
        "owner": order.approver if decided and order.life.approval_seconds else None,
        "requester": order.requester,
        "requestedVia": order.requested_via,
        "externalRequester": order.external_requester,
        "comments": order.comments,
        "requested": day(order.requested),
        "approved": day(course.approved),
        "issued": day(course.issued),
        "declined": day(course.declined),
        "expires": day(course.expires),
        "replaced": day(order.replaced),
        "revoked": day(order.revoked),
        "reasonCode": order.revocation_code,
        "renewed": order.renewed is not None,
        "renewedDate": day(order.renewed),
        "subjectAlternativeNames": list(order.names),
        "customFields": [{"name": name, "value": value} for name, value in order.custom_fields],
        "autoInstallDetails": {"state": "Not configured"},
        "autoRenewDetails": {"state": "Not scheduled"},
        "suspendNotifications": False,
    }
    issued = certificate(world, order)
    if issued is not None:
        view |= _certificate_fields(issued) | {"serialNumber": world.serial_text(order)}
    return {name: value for name, value in view.items() if value is not None}


def dcv_view(world: World, order: Order, *, instructions: bool = True) -> Json:
    """Return the domain control validation of an order; empty before the CA has it.

    Args:
        world: Its world.
        order: The order.
        instructions: Whether to say what to publish, as the answer to a recheck does not.

    Source: SCM manual 25.5, "Get SSL certificate DCV details"; the other texts of dcvStatus are assumed.
    """
    applied = world.course(order).applied
    domains = [(name.removeprefix("*."), world.domain(name)) for name in order.names] if applied else []
    now = world.now()
    view: Json = {
        "dcvLog": {
            "error": {"code": 0, "description": None},
            "log": [_dcv_row(name, domain, now) for name, domain in domains],
        }
    }
    if instructions:
        view["instructions"] = [
            _instruction(Record.of(name, order.csr or str(order.ssl_id)), order)
            for name, domain in domains
            if domain.status(now) != "VALIDATED" and domain.stands_still not in {"NOT_INITIATED", "REJECTED"}
        ]
    return view


def written(moment: datetime, date_format: str) -> str:
    """Return a moment as SCM writes it.

    Args:
        moment: The moment.
        date_format: A name from the manual's list, case-insensitively.

    Source: SCM manual 25.5, "Date formatting".
    """
    moment = moment.astimezone(UTC)
    if date_format.upper() == "ISO_HMS":
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
    return moment.strftime(_FORMATS.get(date_format.upper(), _FORMATS["US"]))


def _certificate_fields(issued: x509.Certificate) -> Json:
    key = issued.public_key()
    algorithm, size = key_kind(key)
    return {
        "signatureAlg": "SHA256withECDSA",
        "keyAlgorithm": algorithm,
        "keySize": key.key_size if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else None,
        "keyType": f"{algorithm} - {size}",
        "keyUsages": ["Digital Signature"],
        "extendedKeyUsages": ["Server Authentication", "Client Authentication"],
        "certificateDetails": {
            "issuer": issued.issuer.rfc4514_string(),
            "subject": issued.subject.rfc4514_string(),
            "subjectAltNames": ", ".join(f"dNSName={name}" for name in _host_names(issued)),
            "md5Hash": issued.fingerprint(hashes.MD5()).hex().upper(),  # noqa: S303 - the API shows it
            "sha1Hash": issued.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - the API shows it
        },
    }


def _host_names(issued: x509.Certificate) -> list[str]:
    try:
        extension = issued.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return extension.value.get_values_for_type(x509.DNSName)


def _dcv_row(name: str, domain: Domain, now: datetime) -> Json:
    valid, last = domain.status(now) == "VALIDATED", domain.last_check(now)
    return {
        "dcvStatus": "Validated" if valid else "Awaiting Validation",
        "domainName": name,
        "lastCheck": _second(last),
        "nextCheck": None if valid or last is None else _second(last + CHECK_INTERVAL),
        "dcvDate": _second(domain.validated) if valid else None,
        "dcvEmailRefNumber": None,
    }


def _instruction(record: Record, order: Order) -> Json:
    view: Json = {"domainName": record.name, "dcvMode": order.dcv_mode}
    if order.dcv_mode in {"CNAME", "TXT"}:
        return view | {"host": record.host, "point": record.point}
    if order.dcv_mode == "EMAIL":
        return view | {"dcvEmail": order.dcv_email}
    return view | {"url": record.url(order.dcv_mode), "file": f"{record.secret}\nsectigo.com"}


def _second(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


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
