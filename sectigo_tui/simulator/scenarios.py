"""Worlds worth seeing, the same in every run but for the day on which they begin."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from sectigo_tui.simulator.account import Domain
from sectigo_tui.simulator.orders import Life, named_life
from sectigo_tui.simulator.world import Dialect, World

_SEED = 7
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Story:
    """An order of the demo: its name, its life, its age, and who wants it."""

    host: str
    life: str
    age: timedelta
    requester: str = "m.okafor@acme.example"
    organization_id: int | None = None
    comments: str = ""


def make_world(
    name: str,
    *,
    speed: float = 1.0,
    seed: int = _SEED,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    dialect: Dialect | None = None,
) -> World:
    """Make the world of a scenario.

    Args:
        name: One of `SCENARIOS`.
        speed: How much faster than the real one its time runs.
        seed: Decides everything that chance would.
        clock: Returns the real time.
        dialect: Which variants of the answers it gives.

    Raises:
        ValueError: There is no such scenario.
    """
    if name not in _SCENARIOS:
        raise ValueError(f"no scenario is called {name!r}; there are {', '.join(_SCENARIOS)}")
    world = World(clock=clock, speed=speed, seed=seed, dialect=dialect)
    _SCENARIOS[name][1](world)
    return world


def _demo(world: World) -> None:
    _add_domains(world)
    world.add_issued(340, oldest_days=214)
    _add_history(world)
    for story in sorted((*_STUCK, *_MOVING, *_OVER), key=lambda one: -one.age):
        world.add_order(
            life=story.life,
            common_name=f"{story.host}.acme.example",
            requested=world.start - story.age,
            organization_id=story.organization_id,
            requester=story.requester,
            requested_via="REST API" if story.requester == "certctl-api" else "Client Admin",
            external_requester=story.requester if "@" in story.requester else "",
            comments=story.comments,
            custom_fields=(("Cost center", f"CC-{4000 + sum(story.host.encode()) % 60}"),),
        )


def _large(world: World) -> None:
    world.add_issued(100_000)
    _demo(world)


def _causes(world: World) -> None:
    """Add an order for each cause that one order can show, by the name of its life."""
    world.add_issued(40)
    for number, life in enumerate(CAUSES):
        world.add_order(
            life=life,
            common_name=f"{life.partition('-')[2]}.acme.example",
            requested=world.start - (3 + number) * _HOUR,
            requester="certctl-api",
        )


def _empty(world: World) -> None:
    del world


def _add_domains(world: World) -> None:
    """Add the domains above the demo's orders; the validations of three end soon, and of one ended."""
    for name, left_days in (
        ("acme.example", 33),
        ("health.acme.example", 9),
        ("bank.acme.example", 21),
        ("fleet.acme.example", 131),
        ("acme-outlet.example", -4),
    ):
        expires = world.start + left_days * _DAY
        validated = expires - 198 * _DAY
        world.account.register(Domain(name, submitted=validated, validated=validated, expires=expires))


def _add_history(world: World) -> None:
    """Add what an order of the demo is to renew, soon to end, and an EV order that takes its full ten days."""
    issued_long_ago = replace(named_life("ov-instant"), gated=False)
    world.add_order(
        life=issued_long_ago,
        common_name="checkout.acme.example",
        requested=world.start - 197 * _DAY,
        requester="certctl-api",
        renewed=world.start - 26 * _HOUR,
    )
    slow: Life = replace(named_life("ev-vetting"), vetting_seconds=9 * 86_400.0)
    world.add_order(
        life=slow,
        common_name="online-banking.acme.example",
        profile=world.account.profile_of("EV"),
        requested=world.start - 4 * _DAY,
        requester="l.brandt@acme.example",
        comments="Replaces the certificate of the old portal",
    )


_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)

_STUCK = (
    _Story("tracking", "ov-org-pending", 9 * _HOUR, "certctl-api"),
    _Story("depot-rtm", "ov-org-pending", 8 * _HOUR, "certctl-api"),
    _Story("customs", "ov-org-pending", 30 * _HOUR, "j.deboer@acme.example"),
    _Story("routes.fleet", "ov-org-pending", 5 * _HOUR, "certctl-api", organization_id=1103),
    _Story("telemetry.fleet", "ov-org-pending", 47 * _MINUTE, "certctl-api", organization_id=1103),
    _Story("freight", "ev-org-pending", 2 * _DAY, "j.deboer@acme.example"),
    _Story("returns", "ov-approval", 3 * _HOUR, "shop-team@acme.example"),
    _Story("loyalty", "ov-approval", 26 * _MINUTE, "shop-team@acme.example", organization_id=1102),
    _Story("gift-cards", "ov-sa-approved", 7 * _HOUR, "shop-team@acme.example", organization_id=1102),
    _Story("pay", "ev-approval", 28 * _HOUR, "certctl-api", comments="Payment page, change CHG-48213"),
    _Story("invest", "ev-approval", 6 * _HOUR, "l.brandt@acme.example"),
    _Story("promo-2027", "dv-dcv-missing", 52 * _MINUTE, "certctl-api"),
    _Story("partners", "ov-dcv-missing", 14 * _HOUR, "j.ekström@acme.example"),
    _Story("status", "ov-dcv-expired", 3 * _HOUR, "ops@acme.example"),
    _Story("intranet", "ov-dcv-expired", 31 * _HOUR, "ops@acme.example"),
    _Story("checkout", "ov-dcv-missing+org-pending", 26 * _HOUR, "certctl-api", comments="Renewal of checkout"),
    _Story("labs.health", "ov-dcv-expired+org-failed", 3 * _DAY, "c.moreau@acme.example"),
    _Story("records.health", "ov-org-failed", 40 * _HOUR, "c.moreau@acme.example"),
    _Story("cards.bank", "ov-org-expired", 11 * _HOUR, "l.brandt@acme.example"),
    _Story("statements.bank", "ev-org-expired", 2 * _DAY, "l.brandt@acme.example"),
    _Story("grid.energy", "ev-straight", 5 * _HOUR, "ops@acme.example", organization_id=1005),
    _Story("brand", "ov-vetting", 19 * _HOUR, "ops@acme.example"),
    _Story("careers", "ov-not-taken", 6 * _HOUR, "certctl-api"),
    _Story("sandbox", "ov-init", 4 * _MINUTE, "certctl-api"),
    _Story("mail-gw", "ov-collect-1400-forever", 3 * _HOUR, "certctl-api"),
)
"""Orders that somebody must do something about, or wait for."""

CAUSES = (
    "ov-approval",
    "ov-sa-approved",
    "ov-dcv-missing",
    "ov-dcv-expired",
    "ov-dcv-not-started",
    "ov-dcv-not-submitted",
    "ov-dcv-rejected",
    "ov-domain-suspended",
    "ov-delegation-requested",
    "ov-org-pending",
    "ov-org-failed",
    "ov-org-expired",
    "ov-vetting",
    "ov-not-taken",
    "ev-none-left",
)
"""The lives of the scenario `causes`."""

_MOVING = (
    _Story("edge-07", "dv-straight", 0 * _SECOND, "certctl-api"),
    _Story("api-canary", "ov-quick", 0 * _SECOND, "certctl-api"),
    _Story("webhooks", "dv-dcv-slow", 5 * _SECOND, "certctl-api"),
    _Story("search", "ov-straight", 10 * _MINUTE, "certctl-api"),
    _Story("newsletter", "ov-quick+approver-acts", 25 * _SECOND, "shop-team@acme.example"),
    _Story("video", "ov-quick+collect-0", 10 * _SECOND, "certctl-api"),
    _Story("login", "ev-straight", 16 * _MINUTE, "l.brandt@acme.example"),
    _Story("payrnents", "ov-rejected", 10 * _SECOND, "certctl-api"),
)
"""Orders of which something will be seen in the first minutes."""

_OVER = (
    _Story("legacy-soap", "ov-declined", 2 * _DAY, "ops@acme.example"),
    _Story("test-ignore-me", "dv-declined", 6 * _DAY, "c.moreau@acme.example"),
    _Story("paypol", "ov-rejected", 5 * _DAY, "shop-team@acme.example"),
    _Story("g00gle-login", "dv-rejected", 12 * _DAY, "certctl-api"),
    _Story("old-crm", "ov-invalid", 8 * _DAY, "ops@acme.example"),
)
"""Orders that will never be certificates."""

_SCENARIOS: Mapping[str, tuple[str, Callable[[World], None]]] = {
    "demo": ("an account with a few hundred certificates and orders stuck for every reason", _demo),
    "causes": ("one order for each cause of waiting", _causes),
    "empty": ("an account without orders", _empty),
    "large": ("the demo in an account of 100,000 certificates", _large),
}

SCENARIOS: Mapping[str, str] = MappingProxyType({name: text for name, (text, _) in _SCENARIOS.items()})
"""What there is to choose from, each with what it shows."""
