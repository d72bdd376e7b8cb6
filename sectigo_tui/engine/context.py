"""What every service of the engine works with: client, limiter, orders, time, chance and options."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random

from msgspec import Struct, field

from sectigo_tui.domain.certificates import OrderDetails
from sectigo_tui.domain.clock import Clock
from sectigo_tui.domain.errors import ReadOnly
from sectigo_tui.domain.ports import CertificateReader, Scm
from sectigo_tui.engine.repository import OrderRepository
from sectigo_tui.engine.requests.limiter import Priority, RequestLimiter

ARMED_SECONDS = 300.0


class Arming:
    """Until when writes are armed.

    Attributes:
        until: Until when; None while they are not.
    """

    __slots__ = ("until",)

    def __init__(self) -> None:
        self.until: datetime | None = None

    def arm(self, now: datetime, seconds: float = ARMED_SECONDS) -> None:
        """Arm writes for some time, counted from now."""
        self.until = now + timedelta(seconds=seconds)

    def lock(self) -> None:
        """Lock them at once."""
        self.until = None

    def is_armed(self, now: datetime) -> bool:
        """Return whether writes are armed; once the time is up they are locked without anybody's doing."""
        return self.until is not None and now < self.until


HOW_TO_ARM = "arm writes in the dashboard (its action Arm writes), or set read_only = false in the configuration"
"""How writes are unlocked that the configuration locks."""


class EngineOptions(Struct, frozen=True, kw_only=True):
    """What the operator has settled.

    Args:
        deadline_seconds: The bound of a poll window; zero or less means the default of 600.
        reopen: Whether a window whose deadline passes is followed by a new one.
        reopen_by_level: The same for orders of a validation level (`DV`, `OV`, `EV`), where that was settled apart.
        read_only: Whether everything is rejected that changes something at SCM.
        may_arm: Whether the operator may arm writes for a limited time all the same.
        renewal_margin_days: How many days earlier than the latest a renewal is ordered.
        login_address: Where people log in to SCM.
    """

    deadline_seconds: float = 600.0
    reopen: bool = False
    read_only: bool = False
    may_arm: bool = False
    renewal_margin_days: int = 7
    login_address: str = ""
    reopen_by_level: Mapping[str, bool] = field(default_factory=dict)

    def reopens(self, validation: str) -> bool:
        """Return whether a window is followed by a new one, for orders of a validation level; empty where unknown."""
        return self.reopen_by_level.get(validation, self.reopen)


class Context(Struct, frozen=True, kw_only=True):
    """What every service of the engine works with.

    Args:
        client: Returns SCM's client; it must be connected by then.
        limiter: The limit that all requests share.
        repository: Where orders are changed.
        clock: The time.
        random: Source of ids, order tags and jitter.
        read_certificate: Finds the leaf in a collected bundle.
        options: What the operator has settled.
        arming: Until when writes are armed in spite of it.
    """

    client: Callable[[], Scm]
    limiter: RequestLimiter
    repository: OrderRepository
    clock: Clock
    random: Random
    read_certificate: CertificateReader
    options: EngineOptions
    arming: Arming = field(default_factory=Arming)

    @property
    def scm(self) -> Scm:
        """SCM; called through the limiter, which lets nothing go before the client is connected."""
        return self.client()

    async def details(self, ssl_id: int, priority: Priority = Priority.WRITE) -> OrderDetails:
        """Ask SCM for an order.

        Args:
            ssl_id: The order.
            priority: How urgent the request is.

        Raises:
            ScmFailure: SCM did not tell it.
        """
        return await self.limiter.run(priority, lambda: self.scm.details(ssl_id))

    def new_order_id(self) -> str:
        """Return an id for a local order: 12 hexadecimal digits."""
        return f"{self.random.getrandbits(48):012x}"

    @property
    def is_read_only(self) -> bool:
        """Whether everything that changes something at SCM is rejected now."""
        return self.options.read_only and not self.arming.is_armed(self.clock.now())

    def check_writable(self, what: str) -> None:
        """Reject what changes something at SCM while the program is read-only.

        What changes nothing there is not rejected: collecting and saving, tracking, removing, and taking other
        credentials into use.

        Args:
            what: The write, as the operator names it.

        Raises:
            ReadOnly: It is.
        """
        if self.is_read_only:
            raise ReadOnly(what, HOW_TO_ARM) if self.options.may_arm else ReadOnly(what)
