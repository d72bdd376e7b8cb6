"""Many issued orders at the cost of one: rows computed from their index."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sectigo_tui.simulator.account import Profile
from sectigo_tui.simulator.orders import Order, named_life

_HOSTS = ("www", "api", "shop", "mail", "vpn", "sso", "cdn", "git", "app", "db", "mq", "auth", "docs", "edge", "pay")
_AREAS = ("eu-west", "eu-north", "us-east", "us-west", "ap-south", "lab", "dr")
_REQUESTERS = ("certctl-api", "j.ekström@acme.example", "ops@acme.example", "m.okafor@acme.example")
_TERM_DAYS = 199
_LONG_AGO = replace(named_life("instant"), gated=False)
_SHARE_AT_CA = 0.9
"""How much of an order's time passes after its approval."""

_WORK_SECONDS = {"DV": 20, "OV": 720, "EV": 5400}


@dataclass(frozen=True, slots=True)
class Block:
    """A run of orders that were issued one after another, at even distances, and then left alone.

    Args:
        first_id: The sslId of the oldest.
        count: How many.
        oldest: When the oldest was issued.
        step: The time between two.
        seed: Varies names and serials.
        profiles: Those which the orders use, in turn.
        organization_ids: Those for which they are, in turn.
        domain: Below which their names lie.
    """

    first_id: int
    count: int
    oldest: datetime
    step: timedelta
    seed: int
    profiles: Sequence[Profile]
    organization_ids: Sequence[int]
    domain: str = "acme.example"

    @property
    def ids(self) -> range:
        """The sslIds of all its orders, oldest first."""
        return range(self.first_id, self.first_id + self.count)

    def expired(self, at: datetime) -> int:
        """Return how many of the oldest have expired by a moment."""
        over = at - timedelta(days=_TERM_DAYS) - self.oldest
        return 0 if over < timedelta(0) else min(self.count, over // self.step + 1)

    def row(self, ssl_id: int) -> "BulkRow":
        """Return an order as a listing sees it."""
        return BulkRow(self, ssl_id)

    def order(self, ssl_id: int) -> Order:
        """Return an order as a whole, equal at every call."""
        row = self.row(ssl_id)
        issued = self.oldest + self.step * (ssl_id - self.first_id)
        mixed = row.mixed
        # Some orders took much longer than most: a history whose p50 and p90 differ.
        worked = _WORK_SECONDS[row.profile.level] * (1 + mixed % 7 / 10) * (25 if mixed % 11 == 0 else 1)
        at_ca = int(worked * _SHARE_AT_CA)
        return Order(
            ssl_id=ssl_id,
            common_name=row.common_name,
            names=row.names,
            profile=row.profile,
            organization_id=row.organization_id,
            life=replace(_LONG_AGO, vetting_seconds=float(at_ca)),
            requested=issued - timedelta(seconds=worked),
            script_start=issued - timedelta(seconds=at_ca),
            term_days=_TERM_DAYS,
            requester=row.requester,
            requested_via="REST API" if row.requester == _REQUESTERS[0] else "Client Admin",
            custom_fields=(("Cost center", f"CC-{4000 + mixed % 60}"),),
        )


class BulkRow:
    """An order of a block: what listings show of it and filter by, computed when asked for."""

    __slots__ = ("_block", "ssl_id")

    def __init__(self, block: Block, ssl_id: int) -> None:
        self._block = block
        self.ssl_id = ssl_id

    @property
    def mixed(self) -> int:
        """A number that is different for every order and seed, and equal at every call."""
        return ((self.ssl_id * 2_654_435_761) ^ (self._block.seed * 40_503)) >> 7 & 0xFFFF

    @property
    def common_name(self) -> str:
        """The name of the certificate."""
        mixed = self.mixed
        host, area = _HOSTS[mixed % len(_HOSTS)], _AREAS[mixed // 16 % len(_AREAS)]
        return f"{host}-{self.ssl_id - self._block.first_id}.{area}.{self._block.domain}"

    @property
    def names(self) -> tuple[str, ...]:
        """All names of the certificate."""
        first = self.common_name
        return (first, f"www.{first}") if self.mixed % 3 == 0 else (first,)

    @property
    def profile(self) -> Profile:
        """What was ordered."""
        return self._block.profiles[self.mixed % len(self._block.profiles)]

    @property
    def organization_id(self) -> int:
        """For whom it was ordered."""
        return self._block.organization_ids[self.mixed // 4 % len(self._block.organization_ids)]

    @property
    def requester(self) -> str:
        """Who ordered it."""
        return _REQUESTERS[self.mixed // 8 % len(_REQUESTERS)]

    @property
    def external_requester(self) -> str:
        """E-mail addresses to keep informed."""
        return ""

    @property
    def requested_via(self) -> str:
        """How it was ordered."""
        return "REST API" if self.requester == _REQUESTERS[0] else "Client Admin"


def serial_of(seed: int, ssl_id: int, generation: int = 0) -> int:
    """Return the serial number of an order's certificate.

    Args:
        seed: The world's.
        ssl_id: The order.
        generation: Differs between a certificate and its replacement.
    """
    digest = hashlib.blake2b(f"{seed}/{ssl_id}/{generation}".encode(), digest_size=16).digest()
    return int.from_bytes(digest) >> 1 | 1


def serial_text(serial: int) -> str:
    """Return a serial number as SCM writes it.

    Source: SCM manual 25.5, the example of revoking by serial number.
    """
    digits = f"{serial:032X}"
    return ":".join(digits[start : start + 2] for start in range(0, len(digits), 2))
