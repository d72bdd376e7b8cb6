"""The bulk report of the simulator."""

from __future__ import annotations

from datetime import timedelta

import httpx
from simulated import START, Clock, client_of

from sectigo_tui.simulator.world import World


async def report(scm: httpx.AsyncClient, **wanted: object) -> httpx.Response:
    """Return the answer to a report's request."""
    return await scm.post("/report/v1/ssl-certificates?output_type=direct", json=wanted)


def seeded() -> World:
    """Return a world of many orders in which time stands still."""
    return World.seeded(5, issued=600, pending=14, clock=Clock())


def day(days: float) -> str:
    """Return a day, so many days after the start."""
    return f"{START + timedelta(days=days):%Y-%m-%d}"


async def test_reports_of_neighbouring_spans_are_together_the_report_of_both() -> None:
    world = seeded()
    scm = client_of(world)
    for attribute in (3, 4, 5):
        spans = [(day(-400), day(-100)), (day(-99), day(-40)), (day(-39), day(400))]
        parts = [
            (await report(scm, certificateDateAttribute=attribute, **{"from": a, "to": b})).json() for a, b in spans
        ]
        ids = [row["id"] for part in parts for row in part["reports"]]
        assert len(ids) == len(set(ids)) == (614 if attribute == 4 else 600)


async def test_a_row_tells_what_details_tell() -> None:
    world = seeded()
    scm = client_of(world)
    rows = (await report(scm, certificateDateAttribute=5, **{"from": day(-10), "to": day(0)})).json()["reports"]
    details = (await scm.get(f"/ssl/v1/{rows[0]['id']}", params={"dateFormat": "ISO_HMS"})).json()
    same = {"commonName", "orgId", "status", "requested", "approved", "issued", "expires", "serialNumber", "comments"}
    assert {name: rows[0].get(name) for name in same} == {name: details.get(name) for name in same}
    assert rows[0]["type"] == details["certType"]["name"]


async def test_a_report_is_filtered_by_organization_name_and_status() -> None:
    world = seeded()
    scm = client_of(world)
    whole = {"from": day(-400), "to": day(1), "certificateDateAttribute": 4}
    of_one = (await report(scm, organizationIds=[1101], **whole)).json()["reports"]
    assert {row["organizationName"] for row in of_one} == {"Platform"}
    named = (await report(scm, commonName=of_one[0]["commonName"], **whole)).json()["reports"]
    assert [row["id"] for row in named] == [of_one[0]["id"]]
    waiting = (await report(scm, certificateStatus=1, **whole)).json()["reports"]
    assert {row["status"] for row in waiting} == {"Requested"}


async def test_a_report_that_is_too_large_is_refused_and_a_wrong_value_names_its_field() -> None:
    world = seeded()
    world.report_rows = 100
    scm = client_of(world)
    assert (await report(scm, certificateDateAttribute=5, **{"from": day(-400), "to": day(0)})).status_code == 413
    refusal = await report(scm, certificateDateAttribute=9)
    assert (refusal.status_code, refusal.json()["code"]) == (400, -1601)
