"""Listing an account, small and large."""

from __future__ import annotations

from itertools import chain
from typing import Literal

import httpx
import pytest
from simulated import Clock, client_of, new_world, rejection

from sectigo_tui.simulator.world import Dialect, World


async def ids(scm: httpx.AsyncClient, **query: object) -> list[int]:
    """Return the sslIds of a page."""
    answer = await scm.get("/ssl/v1", params={name: str(value) for name, value in query.items()})
    return [row["sslId"] for row in answer.json()]


def seeded(issued: int, pending: int = 0) -> World:
    """Return a world of many orders in which time stands still."""
    return World.seeded(5, issued=issued, pending=pending, clock=Clock())


async def test_rows_show_four_fields_and_no_serial_before_issuance() -> None:
    world = seeded(1, pending=1)
    rows = (await client_of(world).get("/ssl/v1?size=10&position=0")).json()
    assert [set(row) for row in rows] == [{"sslId", "commonName", "subjectAlternativeNames", "serialNumber"}] * 2
    assert [bool(row["serialNumber"]) for row in rows] == [False, True]


async def test_pages_together_are_the_account_without_gaps_or_repeats() -> None:
    world = seeded(450, pending=30)
    scm = client_of(world)
    pages = [await ids(scm, size=100, position=start) for start in range(0, 600, 100)]
    assert [len(page) for page in pages] == [100, 100, 100, 100, 80, 0]
    rows = list(chain.from_iterable(pages))
    assert rows == sorted(set(rows), reverse=True)
    assert len(rows) == 480


async def test_head_counts_what_get_would_list() -> None:
    world = seeded(40, pending=14)
    scm = client_of(world)
    for query in ({}, {"status": "Issued"}, {"status": "Applied"}, {"commonName": "vetting"}, {"orgId": "1001"}):
        head, listed = await scm.head("/ssl/v1", params=query), await scm.get("/ssl/v1", params=query)
        assert head.content == b""
        assert head.headers["x-total-count"] == listed.headers["x-total-count"] == str(len(listed.json()))


async def test_every_status_is_found_by_its_filter_in_whatever_case() -> None:
    world = new_world()
    lives = ["init", "approval", "sa-approved", "not-taken", "vetting", "instant", "rejected", "declined", "invalid"]
    orders = {life: world.add_order(life=f"ov-{life}", common_name=f"{life}.acme.example").ssl_id for life in lives}
    world.advance(600)
    scm = client_of(world)
    wanted = {
        "Init": "init", "Requested": "approval", "SAApproved": "sa-approved",
        "APPROVED": "not-taken", "applied": "vetting", "Issued": "instant", "Rejected": "rejected",
        "Declined": "declined", "Invalid": "invalid",
    }  # fmt: skip
    assert {status: await ids(scm, status=status) for status in wanted} == {
        status: [orders[life]] for status, life in wanted.items()
    }
    assert await ids(scm, status="Unmanaged") == []


@pytest.mark.parametrize(
    ("dialect", "taken", "refused"), [("joined", "SAApproved", "SA Approved"), ("spaced", "SA Approved", "SAApproved")]
)
async def test_one_spelling_of_a_status_is_taken_and_the_other_refused(
    dialect: Literal["joined", "spaced"], taken: str, refused: str
) -> None:
    world = new_world(dialect=Dialect(status_filter=dialect))
    order = world.add_order(life="ov-sa-approved", common_name="two.acme.example").ssl_id
    world.advance(600)
    scm = client_of(world)
    assert await ids(scm, status=taken) == [order]
    assert rejection(await scm.get("/ssl/v1", params={"status": refused})) == (400, -1601)


@pytest.mark.parametrize("query", ["size=201", "size=-1", "size=ten", "position=-5", "status=Lost"])
async def test_a_query_that_scm_would_refuse_is_refused(query: str) -> None:
    assert rejection(await client_of(new_world()).get(f"/ssl/v1?{query}")) == (400, -1601)


async def test_filters_narrow_each_other() -> None:
    world = seeded(300)
    scm = client_of(world)
    both = await ids(scm, sslTypeId=502, orgId=1101)
    one, other = set(await ids(scm, sslTypeId=502)), set(await ids(scm, orgId=1101))
    assert both
    assert set(both) == one & other


async def test_a_row_is_found_by_each_of_its_facts() -> None:
    world = seeded(200)
    scm = client_of(world)
    row = (await scm.get("/ssl/v1?size=1&position=120")).json()[0]
    details = (await scm.get(f"/ssl/v1/{row['sslId']}")).json()
    assert await ids(scm, commonName=row["commonName"].upper()) == [row["sslId"]]
    assert await ids(scm, serialNumber=row["serialNumber"]) == [row["sslId"]]
    assert details["serialNumber"] == row["serialNumber"]
    for name, value in (
        ("subjectAlternativeName", row["subjectAlternativeNames"][-1]),
        ("requester", details["requester"]),
        ("requestedVia", details["requestedVia"]),
        ("issuer", "Simulated Organization"),
    ):
        assert row["sslId"] in await ids(scm, **{name: value})


async def test_a_revoked_row_of_many_changes_status_and_keeps_its_place() -> None:
    world = seeded(20)
    scm = client_of(world)
    everything = await ids(scm)
    revoked = everything[7]
    assert (await scm.post(f"/ssl/v1/revoke/{revoked}", json={"reason": "gone"})).status_code == 204
    assert await ids(scm) == everything
    assert await ids(scm, status="Revoked") == [revoked]
    assert await ids(scm, status="Issued") == [one for one in everything if one != revoked]
    assert await ids(scm, commonName="acme") == everything


async def test_the_oldest_rows_expire_as_time_passes() -> None:
    world = seeded(190)
    scm = client_of(world)
    assert await ids(scm, status="Expired") == []
    world.advance(12 * 86_400)
    expired = await ids(scm, status="Expired")
    assert expired == [2_100_004, 2_100_003, 2_100_002, 2_100_001][-len(expired) :]
    assert expired
    for ssl_id in (expired[0], expired[0] + 1):
        details = (await scm.get(f"/ssl/v1/{ssl_id}")).json()
        assert details["status"] == ("Expired" if ssl_id in expired else "Issued")


async def test_a_hundred_thousand_rows_are_there_at_once_and_any_page_is_one_page() -> None:
    world = seeded(100_000, pending=60)
    scm = client_of(world)
    answer = await scm.get("/ssl/v1?size=200&position=90000")
    assert answer.headers["x-total-count"] == "100060"
    assert len(answer.json()) == 200
    assert len(world.orders) == 60


def test_details_of_a_row_are_the_same_at_every_poll_and_differ_by_seed() -> None:
    first, again, other = (World.seeded(seed, issued=50, clock=Clock()) for seed in (1, 1, 2))
    assert first.order(2_100_020) == again.order(2_100_020)
    assert first.order(2_100_020) != other.order(2_100_020)
    assert first.order(2_100_051) is None


async def test_v2_lists_by_date_what_v1_lists_whole() -> None:
    world = seeded(190, pending=5)
    scm = client_of(world)

    async def count(path: str, **query: int) -> int:
        return int((await scm.head(path, params=query)).headers["x-total-count"])

    assert await count("/ssl/v2") == await count("/ssl/v1") == 195
    assert await count("/ssl/v2", issuedIn=30) == len(await ids_v2(scm, issuedIn=30)) == 30
    assert await count("/ssl/v2", expiresIn=60) == 52
    assert await count("/ssl/v1", issuedIn=30) == 195
    for wrong in ("0", "201", "soon"):
        assert rejection(await scm.get("/ssl/v2", params={"issuedIn": wrong})) == (400, -1601)
    world.dialect = Dialect(heeds_date_filters=False)
    assert await count("/ssl/v2", issuedIn=30) == 195


async def ids_v2(scm: httpx.AsyncClient, **query: int) -> list[int]:
    """Return the sslIds of a page of v2."""
    return [row["sslId"] for row in (await scm.get("/ssl/v2", params={"size": 200, "position": 0, **query})).json()]
