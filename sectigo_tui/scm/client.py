"""The SCM REST API: one method per endpoint, one request per call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote, urlencode

import msgspec
from msgspec.structs import replace
from pydantic import TypeAdapter

from sectigo_tui.domain.account import CertificateProfile, CustomField, Organization, PasswordStatus
from sectigo_tui.domain.certificates import EnrollRequest, ListingFilter, ListingPage, OrderDetails, ReportQuery
from sectigo_tui.domain.clock import Clock
from sectigo_tui.domain.credentials import Logins
from sectigo_tui.domain.errors import CredentialsRefused, InputError, Refused, ScmFailure, Unreadable
from sectigo_tui.domain.events import Exchange
from sectigo_tui.domain.excerpts import masked, one_line, without_secrets
from sectigo_tui.domain.http import HttpAnswer, HttpFailure, HttpRequest
from sectigo_tui.domain.limits import PAGE_SIZE
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.domain.validation import (
    AccountDomain,
    Allowance,
    DcvLog,
    DomainNamePage,
    DomainPage,
    DomainValidation,
    OrganizationValidation,
)
from sectigo_tui.scm import bodies, wire_account, wire_dcv, wire_orders
from sectigo_tui.scm.answers import (
    COLLECT,
    COUNT,
    NotTheApi,
    as_pem,
    from_answer,
    from_failure,
    not_ready,
    read_json,
    unreadable,
)
from sectigo_tui.scm.http import Connection, Timeouts

if TYPE_CHECKING:
    import httpx

    from sectigo_tui.scm.debug_log import DebugLog

T = TypeVar("T")

Observe = Callable[[Exchange], None]
"""Is told of every request that ended; must not raise and must not wait."""

Read = Callable[[str, HttpAnswer], T]
"""Reads a success's answer for the call named; raises `ScmFailure`."""

_SSL = "/ssl/v1"
"""Where orders are. Source: SCM manual 25.5; 26.7 documents `/ssl/v2` with the same shapes, and no end of this one."""

_SSL_BY_DATE = "/ssl/v2"

_DATES = "dateFormat=ISO_HMS"
"""Asks for dates with their time, in UTC; answers that ignore it are read too.

Source: SCM manual 25.5, "Date formatting"; no client was seen to use it."""

_PASSWORDS_KEPT = 16
"""How many of the passwords that were used or tested are masked in SCM's answers."""

_JSON = ((b"content-type", b"application/json"),)


def json_of(adapter: TypeAdapter[T]) -> Read[T]:
    """Return what reads an answer as JSON."""

    def read(call: str, answer: HttpAnswer) -> T:
        found = read_json(adapter, answer.body)
        if isinstance(found, NotTheApi):
            raise unreadable(call, answer, found.reason)
        return found

    return read


def done(call: str, answer: HttpAnswer) -> None:
    """Read the answer to a write that answers nothing: 204 alone says that it was done.

    Source: SCM manual 25.5. A gateway's 200 must not pass for a revocation.
    """
    if answer.status != 204:
        raise unreadable(call, answer, "where 204 is due: whether it was done is not known")


def header_values(call: str, credentials: Credentials) -> tuple[tuple[bytes, bytes], ...]:
    """Return the headers that carry credentials.

    Raises:
        CredentialsRefused: They cannot be sent as headers; trying would only count as a bad login.
    """
    return (
        (b"customerUri", _header(call, "customer URI", credentials.customer_uri)),
        (b"login", _header(call, "login", credentials.login)),
        (b"password", _header(call, "password", credentials.password.reveal())),
    )


def _header(call: str, name: str, value: str) -> bytes:
    reason = ""
    if not value:
        reason = "is empty"
    elif value != value.strip():
        reason = "begins or ends with a space"
    elif any(character < " " or character == "\x7f" for character in value):
        reason = "holds a control character"
    else:
        try:
            return value.encode("latin-1")
        except UnicodeEncodeError:
            reason = "holds a character outside Latin-1, which no HTTP header can carry"
    raise CredentialsRefused(call, f"the {name} {reason}; nothing was sent", sent=False)


def _json(body: object) -> bytes:
    try:
        return msgspec.json.encode(body)
    except (TypeError, UnicodeEncodeError):
        raise InputError("the text cannot be written as JSON", "remove characters that are no text") from None


_PROFILES = json_of(wire_account.PROFILES)
_CUSTOM_FIELDS = json_of(wire_account.CUSTOM_FIELDS)
_ORGANIZATIONS = json_of(wire_account.ORGANIZATIONS)
_VALIDATIONS = json_of(wire_account.VALIDATIONS)
_VALIDATION = json_of(wire_account.VALIDATION)
_PASSWORD = json_of(wire_account.PASSWORD)
_ROWS = json_of(wire_orders.ROWS)
_ODD_ROWS = json_of(wire_orders.ODD_ROWS)
_DETAILS = json_of(wire_orders.DETAILS)
_REPORT = json_of(wire_orders.REPORT)
_NEW_ORDER = json_of(wire_orders.NEW_ORDER)
_DCV = json_of(wire_dcv.DCV)
_DOMAIN_STATUS = json_of(wire_dcv.DOMAIN_STATUS)
_DOMAIN_ROWS = json_of(wire_dcv.DOMAIN_ROWS)
_DOMAIN_NAMES = json_of(wire_account.DOMAIN_NAMES)
_ACCOUNT_DOMAIN = json_of(wire_account.ACCOUNT_DOMAIN)
_ALLOWANCES = json_of(wire_account.ALLOWANCES)


class ScmClient:
    """Sectigo Certificate Manager over HTTP; fulfils `domain.ports.Scm`.

    Every method sends one request: no retry, no redirect. It raises `ScmFailure`, or one below it, for what SCM or the
    network does, and `InputError` for what SCM would reject unseen; nothing was sent then. Paths and shapes are those
    of SCM manual 25.5, unless a method names another source.

    Args:
        base_url: Where the API is, such as `https://cert-manager.com/api`.
        credentials: The credentials in use first.
        clock: The time.
        timeouts: How long one request may take.
        ca_bundle: Trusted certificates (PEM) in place of the default ones.
        observe: Is told of every request that ended.
        log: Is told of every request and its answer, for the debug log.
        logins: Says when a request may go, and remembers what SCM rejects.
        transport: What carries requests instead of the network.

    Raises:
        ConfigError: `base_url` cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        credentials: Credentials,
        clock: Clock,
        *,
        timeouts: Timeouts | None = None,
        ca_bundle: Path | None = None,
        observe: Observe | None = None,
        log: DebugLog | None = None,
        logins: Logins | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._connection = Connection(base_url, timeouts=timeouts, ca_bundle=ca_bundle, log=log, transport=transport)
        self._credentials = credentials
        self._clock = clock
        self._observe = observe
        self._logins = logins
        self._passwords: dict[str, None] = {}

    @property
    def proxy_in_use(self) -> str:
        """The proxy that carries requests, without its user and password; empty for none."""
        return self._connection.proxy_in_use

    async def aclose(self) -> None:
        """Close every connection."""
        await self._connection.aclose()

    # The account

    async def types(self, organization_id: int | None = None) -> tuple[CertificateProfile, ...]:
        """Return the profiles that may be ordered, for one organization where it is given."""
        path = _with_query(f"{_SSL}/types", {"organizationId": organization_id})
        found = await self._ask("types", "GET", path, _PROFILES)
        return tuple(profile.to_domain() for profile in found)

    async def custom_fields(self) -> tuple[CustomField, ...]:
        """Return the account's custom fields."""
        found = await self._ask("custom_fields", "GET", f"{_SSL}/customFields", _CUSTOM_FIELDS)
        return tuple(field.to_domain() for field in found)

    async def organizations(self) -> tuple[Organization, ...]:
        """Return organizations and their departments, flat."""
        found = await self._ask("organizations", "GET", "/organization/v1", _ORGANIZATIONS)
        return tuple(organization for entry in found for organization in entry.to_domain())

    async def organization_validations(self, organization_id: int) -> tuple[OrganizationValidation, ...]:
        """Return an organization's validations."""
        path = f"/organization/v2/{organization_id:d}/validations?{_DATES}"
        found = await self._ask("organization_validations", "GET", path, _VALIDATIONS)
        return tuple(validation.to_domain() for validation in found)

    async def organization_validation(self, organization_id: int, validation_id: int) -> OrganizationValidation:
        """Return one validation with the CA's last message."""
        path = f"/organization/v2/{organization_id:d}/validations/{validation_id:d}?{_DATES}"
        found = await self._ask("organization_validation", "GET", path, _VALIDATION)
        return found.to_domain()

    async def password_status(self) -> PasswordStatus:
        """Return the API password's state and expiry."""
        found = await self._ask("password_status", "GET", f"/admin/v1/password?{_DATES}", _PASSWORD)
        return found.to_domain()

    async def change_password(self, new_password: SecretText) -> None:
        """Set the API password at SCM; the one in use here stays as it is."""
        secret = new_password.reveal()
        body = bodies.new_password(secret)
        await self._ask("change_password", "POST", "/admin/v1/changepassword", done, body=body, secret=secret)

    async def try_credentials(self, candidate: Credentials) -> tuple[CertificateProfile, ...]:
        """Ask for the profiles once with other credentials; the ones in use stay as they are."""
        found = await self._ask("credentials", "GET", f"{_SSL}/types", _PROFILES, credentials=candidate)
        return tuple(profile.to_domain() for profile in found)

    def use_credentials(self, credentials: Credentials) -> None:
        """Send every request from now on with these; requests in flight end with the old ones."""
        self._credentials = credentials

    # Orders, read

    async def listing(self, where: ListingFilter, *, position: int, size: int) -> ListingPage:
        """Return rows `position` to `position + size` of a listing.

        Args:
            where: Which orders.
            position: The first row, from zero.
            size: How many rows, 1 to 200.
        """
        path = _with_query(_listed_at(where), {**_page(position, size), **_filter(where)})
        return await self._ask("listing", "GET", path, _page_at(position))

    async def count(self, where: ListingFilter) -> int:
        """Return how many rows a listing has."""
        return await self._ask(COUNT, "HEAD", _with_query(_listed_at(where), _filter(where)), _needed_total)

    async def details(self, ssl_id: int) -> OrderDetails:
        """Return what SCM knows of one order."""
        return await self._ask("details", "GET", f"{_SSL}/{ssl_id:d}?{_DATES}", _details_of(ssl_id))

    async def collect(self, ssl_id: int) -> bytes:
        """Return the certificate with its chain as PEM text, in any order.

        Raises:
            NotReady: It is too early.
        """
        return await self._ask(COLLECT, "GET", f"{_SSL}/collect/{ssl_id:d}?format=x509", _pem)

    async def dcv(self, ssl_id: int) -> DcvLog:
        """Return the order's domain control validation."""
        found = await self._ask("dcv", "GET", f"{_SSL}/{ssl_id:d}/dcv?{_DATES}", _DCV)
        return found.to_domain()

    async def domain_status(self, domain: str) -> DomainValidation:
        """Return a domain's validation status."""
        body = bodies.domain(domain)
        found = await self._ask("domain_status", "POST", "/dcv/v2/validation/status", _DOMAIN_STATUS, body=body)
        return found.to_domain(domain)

    async def report(self, query: ReportQuery) -> Iterable[OrderDetails]:
        """Return what the bulk report tells of each order, without the facts that only details have.

        An order is read when it is asked for, which takes a tenth of a millisecond.

        Source: SCM manual 25.5; six public scripts use it. The privilege it needs is unknown, and no limit is stated.
        """
        path = "/report/v1/ssl-certificates?output_type=direct"
        return await self._ask("report", "POST", path, _reported, body=bodies.report(query))

    # Domains and the contract

    async def domain_validations(self, *, expires_in_days: int | None, position: int, size: int) -> DomainPage:
        """Return rows `position` to `position + size` of the account's domain validations.

        Args:
            expires_in_days: Only those that end within so many days; None for all.
            position: The first row, from zero.
            size: How many rows, 1 to 200.
        """
        path = f"{_with_query('/dcv/v2/validation', {'expiresIn': expires_in_days, **_page(position, size)})}&{_DATES}"
        return await self._ask("domain_validations", "GET", path, _domain_page)

    async def sync_domain(self, domain: str) -> DomainValidation:
        """Have SCM ask the CA how a domain's validation stands; what is new is told by `domain_status`.

        Source: SCM manual 25.5; in OpenAPI 25.9 the answer has the status alone.
        """
        body = bodies.domain(domain)
        found = await self._ask("sync_domain", "POST", "/dcv/v2/validation/sync", _DOMAIN_STATUS, body=body)
        return found.to_domain(domain)

    async def domains(self, *, position: int, size: int) -> DomainNamePage:
        """Return rows `position` to `position + size` (1 to 200) of the account's domains."""
        path = _with_query("/domain/v1", _page(position, size))
        return await self._ask("domains", "GET", path, _domain_name_page)

    async def account_domain(self, domain_id: int) -> AccountDomain:
        """Return whether a domain is suspended, and to whom it is delegated."""
        found = await self._ask("account_domain", "GET", f"/domain/v1/{domain_id:d}", _ACCOUNT_DOMAIN)
        return found.to_domain()

    async def usage(self) -> tuple[Allowance, ...]:
        """Return how many certificates the contract still has, by kind; 403 without the privilege.

        Source: SCM 26.7.
        """
        found = await self._ask("usage", "GET", "/usage/v1", _ALLOWANCES)
        return tuple(one.to_domain() for one in found)

    # Orders, changed

    async def enroll(self, request: EnrollRequest) -> int:
        """Order a certificate, billed; return its sslId."""
        found = await self._ask("enroll", "POST", f"{_SSL}/enroll", _NEW_ORDER, body=bodies.enroll(request))
        return found.ssl_id

    async def renew(self, ssl_id: int, csr_pem: str = "") -> int:
        """Order again what `ssl_id` was, billed; return the new order's sslId.

        Source: no body at all, where no CSR is given; observed in production clients.
        """
        body = bodies.renew(csr_pem) if csr_pem else None
        found = await self._ask("renew", "POST", f"{_SSL}/renewById/{ssl_id:d}", _NEW_ORDER, body=body)
        return found.ssl_id

    async def approve(self, ssl_id: int, message: str) -> None:
        """Approve a requested order, with 1 to 512 characters of message."""
        body = bodies.decision(message)
        await self._ask("approve", "POST", f"{_SSL}/approve/{ssl_id:d}", done, body=body)

    async def decline(self, ssl_id: int, message: str) -> None:
        """Decline a requested order, with 1 to 512 characters of message."""
        body = bodies.decision(message)
        await self._ask("decline", "POST", f"{_SSL}/decline/{ssl_id:d}", done, body=body)

    async def revoke(self, ssl_id: int, reason_code: int, reason: str) -> None:
        """Revoke by sslId, for one of the RFC 5280 reasons 0, 1, 3, 4, 5 and 1 to 512 characters of words."""
        body = bodies.revoke(reason_code, reason)
        await self._ask("revoke", "POST", f"{_SSL}/revoke/{ssl_id:d}", done, body=body)

    async def recheck_dcv(self, ssl_id: int) -> DcvLog:
        """Ask the CA to check the order's domains again."""
        found = await self._ask("recheck_dcv", "POST", f"{_SSL}/{ssl_id:d}/dcv/recheck", _DCV)
        return found.to_domain()

    # How one is sent

    async def _ask(
        self,
        call: str,
        method: str,
        path: str,
        read: Read[T],
        *,
        body: object = None,
        credentials: Credentials | None = None,
        secret: str = "",
    ) -> T:
        """Send one request and return what its answer says.

        Args:
            call: The call by name.
            method: The HTTP method.
            path: What follows the base URL.
            read: Reads the answer.
            body: What is sent as JSON; None for no body.
            credentials: Other credentials than those in use.
            secret: A secret in the body, which no failure may quote.

        Raises:
            ScmFailure: What went wrong.
            InputError: The body cannot be written as JSON; nothing was sent.
        """
        used = credentials or self._credentials
        headers = header_values(call, used)
        secrets = self._secrets(used, secret)
        content = None if body is None else _json(body)
        request = HttpRequest(method, path, headers if content is None else headers + _JSON, content)
        if self._logins is None:
            return await self._send(call, request, read, secrets)
        async with self._logins.admitted(call, used) as ended:
            try:
                result = await self._send(call, request, read, secrets)
            except CredentialsRefused as rejection:
                await asyncio.to_thread(ended, rejection)
                raise
            except ScmFailure as failure:
                ended(failure)
                raise
            ended(None)
            return result

    async def _send(self, call: str, request: HttpRequest, read: Read[T], secrets: tuple[str, ...]) -> T:
        started = self._clock.monotonic()
        answer = await self._connection.send(request)
        status = answer.http_status if isinstance(answer, HttpFailure) else answer.status
        try:
            result = self._judge(call, answer, read, secrets)
        except ScmFailure as failure:
            self._print(call, started, status, failure)
            raise
        self._print(call, started, status, None)
        return result

    def _judge(self, call: str, answer: HttpAnswer | HttpFailure, read: Read[T], secrets: tuple[str, ...]) -> T:
        def clean(text: str) -> str:
            return masked(text, secrets)

        if isinstance(answer, HttpFailure):
            raise from_failure(call, replace(answer, reason=clean(answer.reason)))
        with suppress(ScmFailure):
            return self._read(call, answer, read)
        # It fails again, and this time in words that quote no password.
        headers = {name.lower(): clean(value) for name, value in answer.headers.items()}
        cleaned = replace(answer, headers=headers, body=without_secrets(answer.body, secrets))
        return self._read(call, cleaned, read, clean)

    def _secrets(self, used: Credentials, secret: str) -> tuple[str, ...]:
        """Return the passwords that no text of SCM's may quote: in use, being tried, on their way, or used before."""
        for password in (self._credentials.password.reveal(), used.password.reveal(), secret):
            self._passwords.pop(password, None)
            self._passwords[password] = None
        while len(self._passwords) > _PASSWORDS_KEPT:
            del self._passwords[next(iter(self._passwords))]
        return tuple(self._passwords)

    def _read(self, call: str, answer: HttpAnswer, read: Read[T], clean: Callable[[str], str] = str) -> T:
        failure = from_answer(call, answer, self._clock.now(), clean)
        if failure is not None:
            raise failure
        return read(call, answer)

    def _print(self, call: str, started: float, status: int | None, failure: ScmFailure | None) -> None:
        if self._observe is not None:
            latency_seconds = self._clock.monotonic() - started
            self._observe(Exchange(self._clock.now(), call, latency_seconds, status, failure))


def _with_query(path: str, query: dict[str, int | str | None]) -> str:
    given = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(given, quote_via=quote, errors='replace')}" if given else path


def _page(position: int, size: int) -> dict[str, int | str | None]:
    if position < 0 or not 1 <= size <= PAGE_SIZE:
        raise ValueError(f"no such page: position {position}, size {size}")
    return {"size": size, "position": position}


def _filter(where: ListingFilter) -> dict[str, int | str | None]:
    return {
        "status": where.status,
        "commonName": where.common_name,
        "subjectAlternativeName": where.alternative_name,
        "requester": where.requester,
        "orgId": where.organization_id,
        "expiresIn": where.expires_in_days,
    }


def _listed_at(where: ListingFilter) -> str:
    """Return where a listing is asked for: only the newer path filters by date. Source: SCM OpenAPI 26.7."""
    return _SSL_BY_DATE if where.expires_in_days is not None else _SSL


def _total(answer: HttpAnswer) -> int | None:
    told = answer.headers.get("x-total-count", "").strip()
    return int(told) if told.isascii() and told.isdecimal() and len(told) < 16 else None


def _page_at(position: int) -> Read[ListingPage]:
    def read(call: str, answer: HttpAnswer) -> ListingPage:
        try:
            rows = _ROWS(call, answer)
        except Unreadable:
            # All at once is ten times as fast; one by one tells the odd rows from the others.
            usable, unusable = wire_orders.usable_rows(_ODD_ROWS(call, answer), position)
            return ListingPage(usable, _total(answer), unusable)
        return ListingPage(tuple(row.to_domain() for row in rows), _total(answer))

    return read


def _domain_page(call: str, answer: HttpAnswer) -> DomainPage:
    return DomainPage(tuple(row.to_domain() for row in _DOMAIN_ROWS(call, answer)), _total(answer))


def _domain_name_page(call: str, answer: HttpAnswer) -> DomainNamePage:
    return DomainNamePage(tuple(row.to_domain() for row in _DOMAIN_NAMES(call, answer)), _total(answer))


def _needed_total(call: str, answer: HttpAnswer) -> int:
    total = _total(answer)
    if total is None:
        raise unreadable(call, answer, "without a number in X-Total-Count")
    return total


def _details_of(ssl_id: int) -> Read[OrderDetails]:
    def read(call: str, answer: HttpAnswer) -> OrderDetails:
        found = _DETAILS(call, answer)
        if found.ssl_id not in (None, ssl_id):
            raise unreadable(call, answer, f"answered with another order, sslId {found.ssl_id}")
        return found.to_domain(ssl_id)

    return read


def _reported(call: str, answer: HttpAnswer) -> Iterable[OrderDetails]:
    # Row by row, each when it is wanted: the wire models of 9,000 rows take a second and 75 MB at once.
    rows = _rows_of(answer.body)
    first = next(rows, None)
    if first is not None:
        return chain((first,), rows)
    found = _REPORT(call, answer)
    if found.reports:
        return [row.to_domain() for row in found.reports]
    if found.status_code and found.status_code < 0:
        words = f"HTTP {answer.status}: {one_line(found.message)!r}"
        raise Refused(call, words, http_status=answer.status, code=found.status_code, description=found.message)
    if "reports" not in found.model_fields_set:
        raise unreadable(call, answer, "answered without what is needed: reports is missing")
    return ()


def _rows_of(body: bytes) -> Iterator[OrderDetails]:
    for raw in wire_orders.reported_rows(body):
        row = read_json(wire_orders.REPORTED, bytes(raw))
        if not isinstance(row, NotTheApi):
            yield row.to_domain()


def _pem(call: str, answer: HttpAnswer) -> bytes:
    if not answer.body.strip():
        raise not_ready(call, answer)
    pem = as_pem(answer.body)
    if pem is None:
        raise unreadable(call, answer)
    return pem
