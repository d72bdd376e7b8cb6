"""SCM as a script: what it would answer for each order at each time, and a log of what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar

from sectigo_tui.domain.account import CertificateProfile, CustomField, Organization, PasswordStatus
from sectigo_tui.domain.certificates import (
    EnrollRequest,
    ListingFilter,
    ListingPage,
    ListingRow,
    OrderDetails,
    ReportDate,
    ReportQuery,
)
from sectigo_tui.domain.clock import Clock
from sectigo_tui.domain.errors import (
    CredentialsRefused,
    NotFound,
    NotReady,
    RateLimited,
    Refused,
    ScmFailure,
    ServerFailure,
    Unreachable,
    Unreadable,
)
from sectigo_tui.domain.events import Exchange
from sectigo_tui.domain.ports import Credentials, Publish, SecretText
from sectigo_tui.domain.validation import (
    AccountDomain,
    Allowance,
    DcvLog,
    DomainName,
    DomainNamePage,
    DomainPage,
    DomainValidation,
    OrganizationValidation,
)

T = TypeVar("T")

BUNDLE = b"-----BEGIN CERTIFICATE-----\n"
GOOD = Credentials("acme", "robot", SecretText("right"))
BAD = Credentials("acme", "robot", SecretText("wrong"))

Reply = OrderDetails | bytes | str | Exception
"""What is answered; a text is details with this status, an exception is raised as it is."""


def over_time(first: Reply, *later: tuple[float, Reply]) -> Script:
    """Return a script: `first`, then each later reply from its time (seconds since the start) on."""
    return Script((0.0, first), *later)


class Script:
    """Replies, each with the time (seconds since the start) from which it holds."""

    def __init__(self, *steps: tuple[float, Reply]) -> None:
        self._steps = steps

    def at(self, seconds: float) -> Reply:
        """Return the reply that holds at a time."""
        return [reply for since, reply in self._steps if since <= seconds][-1]


@dataclass(slots=True)
class Life:
    """How SCM answers about one order."""

    details: Script
    collect: Script = field(default_factory=lambda: over_time(BUNDLE))


@dataclass(frozen=True, slots=True)
class Asked:
    """One request that reached SCM: the call by name, when, with which password, and about what."""

    call: str
    at: float
    password: str
    about: int | str = ""


class FakeScm:
    """SCM in memory. Every request is logged, takes its latency in virtual time, and may fail as told.

    Args:
        clock: The time.
        publish: Hears of every exchange, as from the real client.

    Attributes:
        lives: How orders answer, by sslId; an order that has none is 404.
        rows: The rows of a listing, by status; the whole account's are under the empty text.
        tells_totals: Whether listings tell their length.
        expiring: The rows of a listing by expiry; None where SCM ignores such a filter.
        total_told: What a listing of so many rows tells of its length, where that is not the truth.
        unusable: What is wrong with rows of a listing's first page, by status; they come with the usable ones.
        takes_statuses: The statuses that a listing may be filtered by, spelled as SCM takes them; None for any.
        reported: What bulk reports pick their orders from; None where the login may not.
        report_rows: How many rows a report may have; more are a 504.
        outages: From when until when (seconds) which failure meets every request.
        valid_password: The password that SCM accepts.
        latency_seconds: How long requests take, by the name of the call; other calls take `default_latency_seconds`.
        asked: The requests that reached SCM.
        answered: How many requests have ended.
        most_in_flight: The most requests that were under way at one time.
    """

    def __init__(self, clock: Clock, publish: Publish = lambda _announcement: None) -> None:
        self.lives: dict[int, Life] = {}
        self.rows: dict[str, Sequence[ListingRow]] = {}
        self.expiring: Sequence[ListingRow] | None = None
        self.tells_totals = True
        self.total_told: Callable[[int], int | None] | None = None
        self.unusable: dict[str, tuple[str, ...]] = {}
        self.takes_statuses: frozenset[str] | None = None
        self.reported: tuple[OrderDetails, ...] | None = None
        self.report_rows = 10_000
        self.outages: list[tuple[float, float, Exception]] = []
        self.valid_password = "right"
        self.default_latency_seconds = 0.2
        self.latency_seconds: dict[str, float] = {}
        self.asked: list[Asked] = []
        self.answered = 0
        self.most_in_flight = 0
        self.credentials = GOOD
        self.profiles: tuple[CertificateProfile, ...] = (CertificateProfile(21, "OV SSL", terms_days=(199,)),)
        self.fields: tuple[CustomField, ...] = ()
        self.dcv_logs: dict[int, DcvLog] = {}
        self.organization_list: tuple[Organization, ...] = ()
        self.validations: dict[int, tuple[OrganizationValidation, ...]] = {}
        self.domain_statuses: dict[str, DomainValidation] = {}
        self.account_domains: tuple[AccountDomain, ...] = ()
        self.allowances: tuple[Allowance, ...] | None = None
        self.enrolled: list[EnrollRequest] = []
        self.revoked: list[int] = []
        self._clock = clock
        self._publish = publish
        self._in_flight = 0

    def live(self, ssl_id: int, first: Reply, *later: tuple[float, Reply], collect: Script | None = None) -> None:
        """Give an order its life: the replies to details, and those to collect."""
        self.lives[ssl_id] = Life(over_time(first, *later), collect or over_time(BUNDLE))

    def times(self, about: int | str) -> list[float]:
        """Return when SCM was asked about something, in seconds since the start."""
        return [asked.at for asked in self.asked if asked.about == about]

    async def types(self, organization_id: int | None = None) -> tuple[CertificateProfile, ...]:
        return await self._ask("types", lambda: self.profiles)

    async def custom_fields(self) -> tuple[CustomField, ...]:
        return await self._ask("custom_fields", lambda: self.fields)

    def _rows_of(self, where: ListingFilter) -> Sequence[ListingRow]:
        by_expiry = where.expires_in_days is not None and self.expiring is not None
        return self.expiring or () if by_expiry else self.rows.get(where.status, ())

    async def listing(self, where: ListingFilter, *, position: int, size: int) -> ListingPage:
        rows, odd = self._rows_of(where), self.unusable.get(where.status, ())
        total = len(rows) + len(odd) if self.tells_totals else None
        if self.total_told is not None:
            total = self.total_told(len(rows))

        def answer() -> ListingPage:
            if self.takes_statuses is not None and where.status not in self.takes_statuses:
                raise refused("listing", -1601, "Field 'status' has invalid value.")
            if position == 0:
                return ListingPage(tuple(rows[: size - len(odd)]), total, odd)
            return ListingPage(tuple(rows[position - len(odd) :][:size]), total)

        return await self._ask("listing", answer, f"{where.status}@{position}")

    async def count(self, where: ListingFilter) -> int:
        return await self._ask("count", lambda: len(self._rows_of(where)), where.status)

    async def details(self, ssl_id: int) -> OrderDetails:
        def answer() -> OrderDetails:
            reply = self._reply("details", ssl_id)
            if isinstance(reply, OrderDetails):
                return reply
            return OrderDetails(ssl_id=ssl_id, status=str(reply), common_name=f"www{ssl_id}.example.com")

        return await self._ask("details", answer, ssl_id)

    async def report(self, query: ReportQuery) -> tuple[OrderDetails, ...]:
        def answer() -> tuple[OrderDetails, ...]:
            if self.reported is None:
                raise refused("report", -3, "You are not authorized to perform report.")
            found = tuple(row for row in self.reported if query.first <= _report_day(row, query.by) <= query.last)
            if len(found) > self.report_rows:
                raise ServerFailure("report", "504 with HTML", http_status=504)
            return found

        return await self._ask("report", answer, f"{query.by} {query.first} {query.last}")

    async def enroll(self, request: EnrollRequest) -> int:
        def answer() -> int:
            self.enrolled.append(request)
            return self._place()

        return await self._ask("enroll", answer)

    async def collect(self, ssl_id: int) -> bytes:
        def answer() -> bytes:
            reply = self._reply("collect", ssl_id)
            assert isinstance(reply, bytes)
            return reply

        return await self._ask("collect", answer, ssl_id)

    async def approve(self, ssl_id: int, message: str) -> None:
        await self._ask("approve", lambda: self.live(ssl_id, "Approved"), ssl_id)

    async def decline(self, ssl_id: int, message: str) -> None:
        await self._ask("decline", lambda: self.live(ssl_id, "Declined"), ssl_id)

    async def revoke(self, ssl_id: int, reason_code: int, reason: str) -> None:
        def answer() -> None:
            self.revoked.append(ssl_id)
            self.live(ssl_id, "Revoked", collect=over_time(refused("collect", -110, "The certificate is revoked.")))

        await self._ask("revoke", answer, ssl_id)

    async def renew(self, ssl_id: int, csr_pem: str = "") -> int:
        return await self._ask("renew", self._place, ssl_id)

    async def dcv(self, ssl_id: int) -> DcvLog:
        return await self._ask("dcv", lambda: self.dcv_logs.get(ssl_id, DcvLog(())), ssl_id)

    async def recheck_dcv(self, ssl_id: int) -> DcvLog:
        return await self._ask("recheck_dcv", lambda: self.dcv_logs.get(ssl_id, DcvLog(())), ssl_id)

    async def organizations(self) -> tuple[Organization, ...]:
        return await self._ask("organizations", lambda: self.organization_list)

    async def organization_validations(self, organization_id: int) -> tuple[OrganizationValidation, ...]:
        return await self._ask(
            "organization_validations", lambda: self.validations.get(organization_id, ()), organization_id
        )

    async def organization_validation(self, organization_id: int, validation_id: int) -> OrganizationValidation:
        def answer() -> OrganizationValidation:
            known = self.validations.get(organization_id, ())
            found = [validation for validation in known if validation.id == validation_id]
            if not found:
                raise not_found("organization_validation")
            return found[0]

        return await self._ask("organization_validation", answer, validation_id)

    async def domain_status(self, domain: str) -> DomainValidation:
        return await self._ask(
            "domain_status",
            lambda: self.domain_statuses.get(domain, DomainValidation(domain=domain, status="NOT_VALIDATED")),
        )

    async def domain_validations(self, *, expires_in_days: int | None, position: int, size: int) -> DomainPage:
        rows = tuple(self.domain_statuses.values())
        return await self._ask("domain_validations", lambda: DomainPage(rows[position:][:size], len(rows)), position)

    async def sync_domain(self, domain: str) -> DomainValidation:
        return await self._ask("sync_domain", lambda: DomainValidation(domain=domain, status="NOT_VALIDATED"), domain)

    async def domains(self, *, position: int, size: int) -> DomainNamePage:
        rows = tuple(DomainName(one.id, one.name) for one in self.account_domains)
        return await self._ask("domains", lambda: DomainNamePage(rows[position:][:size], len(rows)), position)

    async def account_domain(self, domain_id: int) -> AccountDomain:
        def answer() -> AccountDomain:
            found = [one for one in self.account_domains if one.id == domain_id]
            if not found:
                raise not_found("account_domain")
            return found[0]

        return await self._ask("account_domain", answer, domain_id)

    async def usage(self) -> tuple[Allowance, ...]:
        def answer() -> tuple[Allowance, ...]:
            if self.allowances is None:
                raise Refused("usage", "HTTP 403", http_status=403, code=-3, description="You are not authorized.")
            return self.allowances

        return await self._ask("usage", answer)

    async def password_status(self) -> PasswordStatus:
        return await self._ask("password_status", lambda: PasswordStatus("ALIVE", None))

    async def change_password(self, new_password: SecretText) -> None:
        def answer() -> None:
            self.valid_password = new_password.reveal()

        await self._ask("change_password", answer)

    async def try_credentials(self, candidate: Credentials) -> tuple[CertificateProfile, ...]:
        return await self._ask("types", lambda: self.profiles, password=candidate.password)

    def use_credentials(self, credentials: Credentials) -> None:
        self.credentials = credentials

    def _place(self) -> int:
        ssl_id = max(self.lives, default=1000) + 1
        self.live(ssl_id, "Applied")
        return ssl_id

    def _reply(self, call: str, ssl_id: int) -> Reply:
        life = self.lives.get(ssl_id)
        if life is None:
            raise not_found(call)
        reply = (life.details if call == "details" else life.collect).at(self._clock.monotonic())
        if isinstance(reply, Exception):
            raise reply.with_traceback(None)
        return reply

    async def _ask(
        self, call: str, answer: Callable[[], T], about: int | str = "", *, password: SecretText | None = None
    ) -> T:
        sent, login = self._clock.monotonic(), (password or self.credentials.password).reveal()
        self.asked.append(Asked(call, sent, login, about))
        self._in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            # SCM judges the login as the request arrives, and its answer is what holds when the answer is made.
            is_valid = login == self.valid_password
            await self._clock.sleep(self.latency_seconds.get(call, self.default_latency_seconds))
            for since, until, outage in self.outages:
                if since <= self._clock.monotonic() < until:
                    raise outage.with_traceback(None)
            if not is_valid:
                raise credentials_refused(call)
            result = answer()
        except ScmFailure as failure:
            self._ended(call, sent, failure)
            raise
        else:
            self._ended(call, sent, None)
            return result
        finally:
            self._in_flight -= 1
            self.answered += 1

    def _ended(self, call: str, sent: float, failure: ScmFailure | None) -> None:
        latency, status = self._clock.monotonic() - sent, failure.http_status if failure else 200
        self._publish(Exchange(self._clock.now(), call, latency, status, failure))


def _report_day(row: OrderDetails, by: ReportDate) -> date:
    dates = {
        ReportDate.REQUESTED: row.requested,
        ReportDate.ISSUED: row.issued,
        ReportDate.EXPIRES: row.expires,
        ReportDate.REVOKED: row.revoked,
    }
    told = dates[by]
    if told is None:
        return date.min
    return told.date() if isinstance(told, datetime) else told


def not_ready(code: int = 0) -> NotReady:
    """Return collect's "too early"."""
    return NotReady("collect", "not ready", http_status=400, code=code, description="Being processed by Sectigo")


def refused(call: str, code: int, description: str) -> Refused:
    """Return a 400 with a code of SCM's."""
    return Refused(call, description, http_status=400, code=code, description=description)


def not_found(call: str) -> NotFound:
    """Return a 404."""
    return NotFound(call, "there is no such order", http_status=404, code=-105, description="Not found")


def credentials_refused(call: str = "details") -> CredentialsRefused:
    """Return a 401."""
    return CredentialsRefused(call, "401", http_status=401, code=-16, description="Unknown user")


def rate_limited(retry_after_seconds: float | None = None) -> RateLimited:
    """Return a 429."""
    return RateLimited("details", "too many requests", retry_after_seconds=retry_after_seconds)


def server_failure(retry_after_seconds: float | None = None) -> ServerFailure:
    """Return a 503."""
    return ServerFailure("details", "503 with HTML", http_status=503, retry_after_seconds=retry_after_seconds)


def unreachable() -> Unreachable:
    """Return a lost network."""
    return Unreachable("details", "connection refused", sent=False)


def unreadable(retry_after_seconds: float | None = None) -> Unreadable:
    """Return a torn body."""
    return Unreadable("details", "the body ends early", http_status=200, retry_after_seconds=retry_after_seconds)
