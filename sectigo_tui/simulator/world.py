"""The world of the simulator: an account, its orders, and a clock that can run faster than the real one."""

import asyncio
import random
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Self

from sectigo_tui.simulator.account import Account, Domain, Profile, ValidationLevel
from sectigo_tui.simulator.acme import acme
from sectigo_tui.simulator.bulk import Block, serial_of, serial_text
from sectigo_tui.simulator.faults import Faults
from sectigo_tui.simulator.orders import Course, Gate, Life, Order, course, level_of, named_life
from sectigo_tui.simulator.traffic import Traffic

if TYPE_CHECKING:
    from sectigo_tui.simulator.ca import CertificateAuthority

FIRST_ID = 2_100_001
"""The sslId of the oldest order of a world."""

_DCV_LIFETIME = timedelta(days=198)
_IDENTITY_LIFETIME = timedelta(days=398)
_BULK_DAYS = 190


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where SCM's answers are known to differ between accounts, or are not known at all.

    Args:
        dates: How details write days: `MM/DD/YYYY` or ISO date-times.
        dcv_answer: Whether an order's DCV answer is an object (the manual) or an array of one (the OpenAPI).
        already_revoked_code: What revoking a revoked certificate answers: -159, or -102.
        bundle: Whether the `pem` and `x509` formats have the root or the leaf first.
        any_domain: Whether names below no registered domain may be ordered; -1010 if not.
        status_filter: Whether a status is spelled `SAApproved` (the manual) or `SA Approved` (the OpenAPI), in answers
            and in a listing's filter; the other filter is rejected with -1601.
        words: Whether other states are codes such as `NOT_VALIDATED`, or words such as `Not validated`; with words,
            `validationLevel` is `type`, and codes are strings.
        heeds_date_format: Whether `dateFormat` is heeded.
        heeds_date_filters: Whether `/ssl/v2` filters by date; if not, such a filter looks like success.
        demands_reason_code: Whether a revocation without `reasonCode` is rejected.
    """

    dates: Literal["us", "iso"] = "us"
    dcv_answer: Literal["object", "array"] = "object"
    already_revoked_code: Literal[-159, -102] = -159
    bundle: Literal["root-first", "leaf-first"] = "root-first"
    any_domain: bool = True
    status_filter: Literal["joined", "spaced"] = "joined"
    words: Literal["codes", "spaced"] = "codes"
    heeds_date_format: bool = True
    heeds_date_filters: bool = True
    demands_reason_code: bool = False

    @classmethod
    def named(cls, name: str, **changes: Any) -> Self:
        """Return the dialect of the vendor's `manual` or of its `openapi`, with changes.

        Raises:
            KeyError: There is no such dialect.
        """
        openapi = {"dates": "iso", "dcv_answer": "array", "status_filter": "spaced", "words": "spaced"}
        known: dict[str, dict[str, Any]] = {"manual": {}, "openapi": openapi}
        return cls(**known[name] | changes)


class World:
    """An SCM account that lives.

    Nothing runs in the background: the state of every order is computed when it is read, so a test that moves
    its clock moves the world.

    Args:
        clock: Returns the real time, aware of its zone.
        speed: How much faster than the real one the simulated time runs.
        seed: Decides names, serials, keys and the fall of probabilities.
        start: The simulated time at the beginning; the real one if not given.
        account: The account; the one of `acme` if not given.
        dialect: Which variants of the answers it gives.
        sleep: Waits for real seconds; injected latency uses it.

    Attributes:
        default_lives: The life of an enrolled order that asks for none, by the level of its profile.
        enrolled: The sslIds of the orders that came over the API, renewals included, in their order.
        orders: What is kept of each order by itself; the many issued ones are in `blocks`.
        faults: What goes wrong.
        traffic: What was asked.
        report_rows: How many rows a bulk report may have; more are rejected with 413. None for any number.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        speed: float = 1.0,
        seed: int = 0,
        start: datetime | None = None,
        account: Account | None = None,
        dialect: Dialect | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._clock_start = clock()
        self._skipped = timedelta(0)
        self.start = start or self._clock_start
        self.speed = speed
        self.seed = seed
        self.sleep = sleep
        self.account = account or acme(self.start)
        self.dialect = dialect or Dialect()
        self.default_lives: dict[ValidationLevel, str] = {"DV": "straight", "OV": "straight", "EV": "straight"}
        self.faults = Faults(random.Random(seed))  # noqa: S311 - repeatable chance, not secrecy
        self.traffic = Traffic()
        self.report_rows: int | None = None
        self.enrolled: list[int] = []
        self.orders: dict[int, Order] = {}
        self.blocks: list[Block] = []
        self._next_id = FIRST_ID

    @classmethod
    def seeded(
        cls,
        seed: int = 0,
        *,
        issued: int = 1_000,
        pending: int = 0,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        speed: float = 1.0,
        dialect: Dialect | None = None,
    ) -> Self:
        """Make a world with many orders.

        Args:
            seed: Decides names, serials, keys and the fall of probabilities.
            issued: How many orders are issued; they cost nothing until they are read.
            pending: How many are pending, for all sorts of reasons.
            clock: Returns the real time.
            speed: How much faster the simulated time runs.
            dialect: Which variants of the answers it gives.
        """
        world = cls(clock=clock, speed=speed, seed=seed, dialect=dialect)
        world.add_issued(issued)
        causes = ("approval", "dcv-missing", "vetting", "org-pending", "dcv-expired", "not-taken", "org-failed")
        for number in range(pending):
            cause, level = causes[number % len(causes)], ("ov", "ev")[number // len(causes) % 2]
            world.add_order(
                life=f"{level}-{cause}",
                common_name=f"pending-{number}.{cause}.acme.example",
                requested=world.start - timedelta(minutes=7 * number + 3),
            )
        return world

    def now(self) -> datetime:
        """Return the simulated time."""
        return self.start + (self._clock() - self._clock_start) * self.speed + self._skipped

    def advance(self, seconds: float) -> None:
        """Let simulated time pass at once."""
        self._skipped += timedelta(seconds=seconds)

    @cached_property
    def ca(self) -> "CertificateAuthority":
        """The CA that signs what is issued."""
        from sectigo_tui.simulator.ca import CertificateAuthority

        return CertificateAuthority(self.seed)

    def add_order(
        self,
        *,
        life: str | Life = "straight",
        common_name: str,
        requested: datetime | None = None,
        names: Sequence[str] = (),
        profile: Profile | None = None,
        organization_id: int | None = None,
        **facts: object,
    ) -> Order:
        """Add an order, as if somebody had placed it.

        Args:
            life: What happens to it; a name picks the profile where it says a level (`ev-vetting`), and the
                organization where it is about one (`ov-org-failed`).
            common_name: The name of the certificate.
            requested: When it was placed; now if not given.
            names: Further names of the certificate.
            profile: What is ordered; of the life's level, else OV, if not given.
            organization_id: For whom; chosen by the life if not given.
            facts: Other fields of `Order`.

        Raises:
            KeyError: There is no such life.
        """
        if isinstance(life, str):
            profile = profile or self.account.profile_of(level_of(life) or "OV")
            life = named_life(life, profile.level)
        else:
            profile = profile or self.account.profile_of("OV")
        order = Order(
            ssl_id=self._take_id(),
            common_name=common_name,
            names=tuple(dict.fromkeys((common_name, *names))),
            profile=profile,
            organization_id=organization_id or self._organization_for(life, profile),
            life=life,
            requested=requested or self.now(),
            **facts,  # type: ignore[arg-type] # Order's own fields, checked by its constructor's names
        )
        return self.keep(self._with_domains(order))

    def add_issued(self, count: int, *, oldest_days: float = _BULK_DAYS) -> None:
        """Add many issued orders, spread evenly over the past.

        Args:
            count: How many.
            oldest_days: How long ago the oldest was issued; beyond 199 it has expired since.
        """
        if not count:
            return
        block = Block(
            first_id=self._next_id,
            count=count,
            oldest=self.start - timedelta(days=oldest_days),
            step=timedelta(days=oldest_days) / count,
            seed=self.seed,
            profiles=self.account.profiles,
            organization_ids=(1001, 1101, 1102, 1005),
        )
        self.blocks.append(block)
        self._next_id += count

    def order(self, ssl_id: int) -> Order | None:
        """Return an order; one of many is made up on the spot, and forgotten unless it is kept."""
        found = self.orders.get(ssl_id)
        if found is not None:
            return found
        index = bisect_right(self.blocks, ssl_id, key=lambda block: block.first_id) - 1
        if index < 0 or ssl_id not in self.blocks[index].ids:
            return None
        return self.blocks[index].order(ssl_id)

    def keep(self, order: Order) -> Order:
        """Remember an order that was added or changed."""
        self.orders[order.ssl_id] = order
        return order

    def take_order(self, make: Callable[[int], Order]) -> Order:
        """Keep the order that `make` returns for the next free sslId."""
        return self.keep(self._with_domains(make(self._take_id())))

    def course(self, order: Order, at: datetime | None = None) -> Course:
        """Return how far an order has come, now or at another moment."""
        return course(order, self._gates(order), at or self.now())

    def domain(self, name: str) -> Domain:
        """Return what validates a name; one that nobody registered has been valid for long."""
        found = self.account.domain(name)
        if found is not None:
            return found
        since = self.start - timedelta(days=40)
        return Domain(name.removeprefix("*.").lower(), validated=since, expires=since + _DCV_LIFETIME)

    def validate_domain(self, name: str) -> None:
        """Let control over a domain be shown now."""
        domain = self.account.domain(name) or self.account.register(Domain(name.lower()))
        domain.validated, domain.expires, domain.stands_still = self.now(), self.now() + _DCV_LIFETIME, ""

    def publish_record(self, name: str) -> None:
        """Let the domain's owner publish the record; the CA sees it when it is told to recheck."""
        (self.account.domain(name) or self.account.register(Domain(name.lower()))).published = True

    def validate_organization(self, organization_id: int, level: Literal["OV", "EV"] = "OV") -> None:
        """Let the CA accept an organization now."""
        organization = self.account.organization(organization_id)
        validation = organization and organization.validation(level)
        if not validation:
            raise KeyError(organization_id)
        validation.validated, validation.expires = self.now(), self.now() + _IDENTITY_LIFETIME
        validation.failed, validation.background, validation.error = None, None, ""

    def serial(self, order: Order) -> int:
        """Return the serial number of the certificate it has, or will have."""
        generation = 0 if order.replaced is None else int(order.replaced.timestamp())
        return serial_of(self.seed, order.ssl_id, generation)

    def serial_text(self, order: Order) -> str:
        """Return its serial number as SCM writes it, blank before issuance."""
        return serial_text(self.serial(order)) if self.course(order).issued else ""

    def statuses(self) -> Mapping[int, str]:
        """Return the status of every order that is not one of many."""
        now = self.now()
        return {ssl_id: self.course(order, now).status for ssl_id, order in list(self.orders.items())}

    def _take_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    def _gates(self, order: Order) -> list[Gate]:
        if not order.life.gated:
            return []
        gates: list[Gate] = [self.domain(name).valid_from for name in order.names if self.account.is_dcv_used]
        if order.profile.level != "DV":
            organization = self.account.organization(order.organization_id)
            validation = organization and organization.validation(order.profile.level)
            gates.append(validation.valid_from if validation else _never)
        return gates

    def _organization_for(self, life: Life, profile: Profile) -> int:
        wanted = {"valid": "VALIDATED", "pending": "PENDING", "failed": "FAILED", "expired": "EXPIRED"}[
            life.organization
        ]
        level = "EV" if profile.level == "EV" else "OV"
        for organization in self.account.organizations:
            validation = organization.validation(level)
            if validation is not None and validation.status(self.now()) == wanted:
                return organization.id
        raise KeyError(wanted)

    def _with_domains(self, order: Order) -> Order:
        """Bring the domains of an order, and the contract, into the state that its life begins with."""
        life, since = order.life, order.requested
        if life.is_contract_used_up and (allowance := self.account.allowances.get(order.profile.level)):
            allowance.used = allowance.total
        if life.dcv == "valid" and life.domain == "active":
            return order
        for name in order.names:
            domain = Domain(name.removeprefix("*.").lower(), submitted=since, mode=order.dcv_mode)
            domain.suspended = life.domain == "suspended"
            domain.requested_for = order.organization_id if life.domain == "requested" else None
            domain.stands_still = _STANDS_STILL.get(life.dcv, "")
            if life.dcv == "expired":
                domain.validated, domain.expires = since - timedelta(days=210), since - timedelta(days=12)
            elif life.dcv == "slow":
                domain.validated, domain.expires = since + timedelta(minutes=2), since + _DCV_LIFETIME
            elif life.dcv == "valid":
                domain.validated = since - timedelta(days=60)
                domain.expires = domain.validated + _DCV_LIFETIME
            self.account.register(domain)
        return order


_STANDS_STILL: Mapping[str, Literal["NOT_INITIATED", "AWAITING_SUBMISSION", "REJECTED"]] = {
    "not-started": "NOT_INITIATED",
    "not-submitted": "AWAITING_SUBMISSION",
    "rejected": "REJECTED",
}


def _never(at: datetime) -> None:  # noqa: ARG001 - the signature of a `Gate`
    return None
