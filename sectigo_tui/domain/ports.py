"""The engine's ports, as protocols; `wiring` picks their implementations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from sectigo_tui.domain.account import CertificateProfile, CustomField, Organization, PasswordStatus
from sectigo_tui.domain.certificates import (
    CertificateFacts,
    EnrollRequest,
    ListingFilter,
    ListingPage,
    OrderDetails,
    ReportQuery,
)
from sectigo_tui.domain.errors import StoreError
from sectigo_tui.domain.events import EngineEvent, TimelineEntry
from sectigo_tui.domain.orders import Order
from sectigo_tui.domain.polling import PollResult
from sectigo_tui.domain.records import Struct
from sectigo_tui.domain.validation import (
    AccountDomain,
    Allowance,
    DcvLog,
    DomainNamePage,
    DomainPage,
    DomainValidation,
    OrganizationValidation,
)

F = TypeVar("F", bound=Struct)

if TYPE_CHECKING:
    import asyncio  # loaded later than the settings, which know some of these records

Publish = Callable[[EngineEvent], None]
"""Takes an event; must not raise and must not wait."""


class SecretText(Struct, frozen=True):
    """A secret that no repr, log or traceback shows; `reveal` is called at the last moment."""

    _value: str

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return "SecretText('********')"

    __str__ = __repr__


class Credentials(Struct, frozen=True):
    """The three headers of every request."""

    customer_uri: str
    login: str
    password: SecretText


class Scm(Protocol):
    """Sectigo Certificate Manager, as the engine asks it.

    Every method raises `ScmFailure` or one below it, and sends one request.
    """

    async def types(self, organization_id: int | None = None) -> tuple[CertificateProfile, ...]:
        """Return the profiles that may be ordered."""
        ...

    async def custom_fields(self) -> tuple[CustomField, ...]:
        """Return the account's custom fields."""
        ...

    async def listing(self, where: ListingFilter, *, position: int, size: int) -> ListingPage:
        """Return rows `position` to `position + size` (zero-based; at most 200) of a listing."""
        ...

    async def count(self, where: ListingFilter) -> int:
        """Return how many rows a listing has."""
        ...

    async def details(self, ssl_id: int) -> OrderDetails:
        """Return what SCM knows of one order."""
        ...

    async def report(self, query: ReportQuery) -> Iterable[OrderDetails]:
        """Return what SCM's bulk report tells of each order; costs the CA more than a listing."""
        ...

    async def enroll(self, request: EnrollRequest) -> int:
        """Order a certificate, billed; return its sslId."""
        ...

    async def collect(self, ssl_id: int) -> bytes:
        """Return the certificate with its chain as PEM text, in any order; raise `NotReady` when it is too early."""
        ...

    async def approve(self, ssl_id: int, message: str) -> None:
        """Approve a requested order."""
        ...

    async def decline(self, ssl_id: int, message: str) -> None:
        """Decline a requested order."""
        ...

    async def revoke(self, ssl_id: int, reason_code: int, reason: str) -> None:
        """Revoke by sslId."""
        ...

    async def renew(self, ssl_id: int, csr_pem: str = "") -> int:
        """Order again what `ssl_id` was, billed; return the new order's sslId."""
        ...

    async def dcv(self, ssl_id: int) -> DcvLog:
        """Return the order's domain control validation."""
        ...

    async def recheck_dcv(self, ssl_id: int) -> DcvLog:
        """Ask the CA to check the order's domains again."""
        ...

    async def organizations(self) -> tuple[Organization, ...]:
        """Return organizations and their departments, flat."""
        ...

    async def organization_validations(self, organization_id: int) -> tuple[OrganizationValidation, ...]:
        """Return an organization's validations."""
        ...

    async def organization_validation(self, organization_id: int, validation_id: int) -> OrganizationValidation:
        """Return one validation with the CA's last message."""
        ...

    async def domain_status(self, domain: str) -> DomainValidation:
        """Return a domain's validation status."""
        ...

    async def domain_validations(self, *, expires_in_days: int | None, position: int, size: int) -> DomainPage:
        """Return rows `position` to `position + size` of the account's domain validations."""
        ...

    async def sync_domain(self, domain: str) -> DomainValidation:
        """Have SCM ask the CA how a domain's validation stands."""
        ...

    async def domains(self, *, position: int, size: int) -> DomainNamePage:
        """Return rows `position` to `position + size` of the account's domains."""
        ...

    async def account_domain(self, domain_id: int) -> AccountDomain:
        """Return whether a domain is suspended, and to whom it is delegated."""
        ...

    async def usage(self) -> tuple[Allowance, ...]:
        """Return how many certificates the contract still has, by kind."""
        ...

    async def password_status(self) -> PasswordStatus:
        """Return the API password's state and expiry."""
        ...

    async def change_password(self, new_password: SecretText) -> None:
        """Set the API password at SCM."""
        ...

    async def try_credentials(self, candidate: Credentials) -> tuple[CertificateProfile, ...]:
        """Ask for the profiles once with other credentials; the ones in use stay as they are."""
        ...

    def use_credentials(self, credentials: Credentials) -> None:
        """Send every request from now on with these; requests in flight end with the old ones."""
        ...


class StoreChanges(Struct, frozen=True):
    """What other processes did since a point.

    Args:
        orders: Each order that changed, as it stands now.
        entries: The timeline entries that were added, oldest first.
    """

    orders: tuple[Order, ...]
    entries: tuple[TimelineEntry, ...]


class StoreDamage(Struct, frozen=True):
    """Something wrong that was found in the data directory and worked around.

    Args:
        what: What is wrong, in one line.
        where: The file, or where it was set aside.
        remedy: What to do about it.
    """

    what: str
    where: str
    remedy: str


class OrderReader(Protocol):
    """The local orders with their timelines and polls, to be read."""

    @property
    def damage(self) -> tuple[StoreDamage, ...]:
        """What was found damaged and set aside, for the operator to know of."""
        ...

    @property
    def read_only(self) -> StoreError | None:
        """Why nothing can be written here; None where it can."""
        ...

    def orders(self) -> list[Order]:
        """Return all orders that are not removed, as this process knows them."""
        ...

    def order(self, order_id: str) -> Order | None:
        """Return one order, removed or not."""
        ...

    def by_ssl_id(self, ssl_id: int) -> Order | None:
        """Return the order, not removed, that has this sslId."""
        ...

    def polls(self, order_id: str) -> Sequence[PollResult]:
        """Return the order's newest polls (bounded), oldest first."""
        ...

    def timeline(self, order_id: str) -> Sequence[TimelineEntry]:
        """Return the order's timeline, oldest first."""
        ...

    def entries(self, limit: int) -> Sequence[TimelineEntry]:
        """Return the newest `limit` entries of all orders, oldest first."""
        ...

    def poller(self) -> str:
        """Return who polls now, such as `pid 4711 on tty pts/3`; empty when it is this process, or nobody."""
        ...

    async def until_history_is_read(self) -> None:
        """Wait until timelines and polls can be read, which opening need not wait for."""
        ...

    async def changes(self) -> StoreChanges:
        """Return what other processes did since the last call, and know it from now on."""
        ...


class OrderStore(OrderReader, Protocol):
    """Orders and timelines, durable, shared by processes.

    Every method raises `StoreError` when the disk fails, but those for what was fetched, which can be fetched again.

    Attributes:
        changed_elsewhere: Set when another process has changed something; None where the store cannot know unless
            `changes` is called.
    """

    changed_elsewhere: asyncio.Event | None

    async def put(
        self, order: Order, entry: TimelineEntry, *, check: Callable[[list[Order]], None] | None = None
    ) -> Order:
        """Make an order's change and its timeline entry durable together; only then return.

        Args:
            order: The order as it is to be, carrying the revision it was read with (0 for a new one).
            entry: What happened.
            check: Called with all orders, as every process has left them, and under a lock that keeps them so until
                this one is written; rejects by an `InputError`. May be called in another thread.

        Returns:
            The order with its new revision.

        Raises:
            RevisionConflict: Somebody else changed it first; `order()` has their version.
            DuplicateOrder: A new order's sslId is a local one already.
            InputError: `check` rejected it.
        """
        ...

    def note(self, order: Order, poll: PollResult | None = None) -> None:
        """Remember poll bookkeeping (window, last poll, last answer) soon, surviving the end of the process.

        The order's revision stays; what another process put in between is kept, and only `window`, `last_poll` and
        `last_answer_at` are taken.

        Args:
            order: The order with its new window, last poll and the time of its last answer.
            poll: The poll to add to its poll history.
        """
        ...

    async def record(self, entry: TimelineEntry) -> None:
        """Make an entry durable that changes no order."""
        ...

    async def lease(self, order_ids: Iterable[str], seconds: float) -> frozenset[str]:
        """Take, or renew, the sole right to poll these orders.

        Args:
            order_ids: The orders.
            seconds: How long the right lasts unless it is renewed.

        Returns:
            Those of them that this process may poll; another live process polls the rest.
        """
        ...

    async def release(self) -> None:
        """Give back every right to poll."""
        ...

    async def save_certificate(self, order_id: str, pem: bytes, *, aside: bool = False) -> str:
        """Keep a collected bundle in the data directory and return its path; one that is not used is kept aside."""
        ...

    async def certificate_file(self, order: Order) -> str:
        """Return where on this host an order's collected bundle lies, as `certificate_path` has it for one host."""
        ...

    async def fetched(self, name: str, kind: type[F]) -> F | None:
        """Return what a process fetched from SCM and kept last; None where nothing is, or nothing readable.

        Args:
            name: What it is: lower-case letters and hyphens.
            kind: The record it is; its age is in it.
        """
        ...

    async def keep_fetched(self, name: str, record: Struct) -> None:
        """Keep what was fetched from SCM, for all processes; it may be lost, for SCM can tell it again.

        Args:
            name: What it is: lower-case letters and hyphens.
            record: It, with its age.
        """
        ...

    async def close(self) -> None:
        """Write what is left and let go of every file."""
        ...


class CertificateReader(Protocol):
    """Finds the leaf in a collected bundle."""

    def __call__(self, bundle: bytes, csr_pem: str) -> CertificateFacts:
        """Return the leaf's facts.

        Args:
            bundle: What was collected.
            csr_pem: The CSR whose public key the leaf carries; empty where there is none.

        Raises:
            InputError: No leaf can be told.
        """
        ...
