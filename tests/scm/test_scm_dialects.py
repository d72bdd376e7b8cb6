"""The client's contract in both dialects: what the manual's server and the OpenAPI's tell is one and the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest
from msgspec import Struct
from msgspec.structs import asdict

from sectigo_tui.domain.certificates import ListingFilter, ReportDate, ReportQuery
from sectigo_tui.domain.errors import NotReady, Refused
from sectigo_tui.domain.explain import is_missing_right
from sectigo_tui.domain.ports import Credentials, SecretText
from sectigo_tui.domain.status import classify, filter_spellings
from sectigo_tui.scm.client import ScmClient
from sectigo_tui.simulator.app import create_app
from sectigo_tui.simulator.world import Dialect, World
from support.virtual_time import START

LIVES = ("ov-approval", "ov-sa-approved", "ov-dcv-missing", "ov-org-failed", "ev-vetting", "ov-instant", "ov-declined")


class StillClock:
    """A clock that stands still."""

    def now(self) -> datetime:
        return START

    def wall(self) -> datetime:
        return START

    def monotonic(self) -> float:
        return 0.0

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


def world_of(dialect: Dialect) -> World:
    """Return a world with an order of every kind, an hour later."""
    world = World(clock=StillClock().now, seed=3, dialect=dialect)
    for life in LIVES:
        world.add_order(life=life, common_name=f"{life}.acme.example", comments=f"for {life}")
    world.add_issued(20)
    world.advance(3_600)
    return world


def client_of(world: World) -> ScmClient:
    known = world.account.credentials
    credentials = Credentials(known.customer_uri, known.login, SecretText(known.password))
    transport = httpx.ASGITransport(create_app(world))
    return ScmClient("https://scm.test/api", credentials, StillClock(), transport=transport)


@pytest.fixture
async def both() -> AsyncIterator[dict[str, tuple[World, ScmClient]]]:
    async with AsyncExitStack() as stack:
        made = {}
        for name in ("manual", "openapi"):
            world = world_of(Dialect.named(name))
            made[name] = world, client_of(world)
            stack.push_async_callback(made[name][1].aclose)
        yield made


def same_words(value: Any) -> Any:
    """Return a record with each text as the program compares texts: by letters and digits alone."""
    if isinstance(value, Struct):
        return {name: same_words(one) for name, one in asdict(value).items()}
    if isinstance(value, tuple):
        return [same_words(one) for one in value]
    return "".join(filter(str.isalnum, value.casefold())) if isinstance(value, str) else value


async def told(scm: ScmClient) -> dict[str, Any]:
    """Return what a server tells by every call that reads."""
    rows = (await scm.listing(ListingFilter(), position=0, size=200)).rows
    orders = [row.ssl_id for row in rows][:30]
    day = timedelta(days=1)
    quarter = [ReportQuery(by, START.date() - 200 * day, START.date() + 400 * day) for by in ReportDate]
    return {
        "rows": rows,
        "details": tuple([await scm.details(ssl_id) for ssl_id in orders]),
        "dcv": tuple([await scm.dcv(ssl_id) for ssl_id in orders]),
        "organizations": await scm.organizations(),
        "validations": tuple([await scm.organization_validations(one) for one in (1001, 1002, 1003, 1004, 1005)]),
        "validation": await scm.organization_validation(1003, 2005),
        "domain": await scm.domain_status("ov-dcv-missing.acme.example"),
        "password": await scm.password_status(),
        "profiles": await scm.types(),
        "fields": await scm.custom_fields(),
        "reports": tuple([tuple(await scm.report(query)) for query in quarter]),
    }


async def test_every_call_tells_the_same_in_both_dialects(both: dict[str, tuple[World, ScmClient]]) -> None:
    manual, openapi = [await told(scm) for _, scm in both.values()]
    for call, answer in manual.items():
        assert same_words(answer) == same_words(openapi[call]), call
    assert all(isinstance(details.requested, datetime) for details in manual["details"])
    assert [len(rows) for rows in manual["reports"]] == [27, 21, 21, 0]


async def test_each_status_is_listed_by_one_spelling_and_means_the_same(
    both: dict[str, tuple[World, ScmClient]],
) -> None:
    found: list[object] = []
    for _, scm in both.values():
        taken, refused = filter_spellings("SA Approved")[:2] if not found else filter_spellings("SA Approved")[1::-1]
        with pytest.raises(Refused) as refusal:
            await scm.listing(ListingFilter(status=refused), position=0, size=200)
        assert refusal.value.code == -1601
        (row,) = (await scm.listing(ListingFilter(status=taken), position=0, size=200)).rows
        found.append((row.ssl_id, classify((await scm.details(row.ssl_id)).status)))
    assert found[0] == found[1]


async def test_refusals_have_their_code_and_a_missing_right_is_known_as_one(
    both: dict[str, tuple[World, ScmClient]],
) -> None:
    query = ReportQuery(ReportDate.ISSUED, START.date(), START.date())
    for world, scm in both.values():
        waiting = next(ssl_id for ssl_id, status in world.statuses().items() if status == "Applied")
        with pytest.raises(NotReady) as early:
            await scm.collect(waiting)
        assert early.value.code == 0
        world.account.credentials.without = {"report", "organizations"}
        for call in (scm.report(query), scm.organizations()):
            with pytest.raises(Refused) as refused:
                await call
            assert (refused.value.code, is_missing_right(refused.value)) == (-3, True)
        world.account.credentials.without = set()
        assert await scm.organizations()


async def test_a_server_that_heeds_no_date_format_is_read_by_days() -> None:
    world = world_of(Dialect(heeds_date_format=False))
    scm = client_of(world)
    details = await scm.details(next(iter(world.orders)))
    assert details.requested == START.date()
    assert type(details.requested) is date
    await scm.aclose()
