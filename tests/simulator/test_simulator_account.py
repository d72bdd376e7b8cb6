"""Everything of the API that is not an order: credentials, organizations, domains."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest
from simulated import client_of, new_world, rejection

from sectigo_tui.simulator.scenarios import make_world
from sectigo_tui.simulator.world import Dialect


@pytest.mark.parametrize(
    "wrong", [{"login": "other"}, {"password": "guess"}, {"customerUri": "elsewhere"}, {"password": ""}]
)
async def test_wrong_credentials_are_refused_before_anything_is_polled(wrong: dict[str, str]) -> None:
    world = new_world()
    for path in ("/ssl/v1/types", "/nothing/at/all"):
        assert rejection(await client_of(world, **wrong).get(path)) == (401, -16)
    assert world.account.credentials.failures == 2


async def test_bad_logins_in_a_row_lock_the_account_where_it_is_told_to() -> None:
    world = new_world()
    world.account.credentials.lock_after = 3
    right, wrong = client_of(world), client_of(world, password="guess")
    for _ in range(2):
        await wrong.get("/ssl/v1/types")
    assert (await right.get("/ssl/v1/types")).status_code == 200
    for _ in range(3):
        await wrong.get("/ssl/v1/types")
    assert rejection(await right.get("/ssl/v1/types")) == (401, -16)


async def test_types_say_what_can_be_ordered() -> None:
    answer = await client_of(new_world()).get("/ssl/v1/types")
    profiles = answer.json()
    assert [set(one) for one in profiles] == [
        {"id", "name", "description", "terms", "keyTypes", "useSecondaryOrgName"} for _ in profiles
    ]
    assert all(max(one["terms"]) <= 199 for one in profiles)
    assert rejection(await client_of(new_world()).get("/ssl/v1/types?organizationId=7")) == (400, -1023)


async def test_custom_fields_say_which_are_mandatory() -> None:
    fields = (await client_of(new_world()).get("/ssl/v1/customFields")).json()
    assert fields[0] == {"id": 31, "name": "Cost center", "mandatory": False}


@pytest.mark.parametrize(
    ("new", "code"),
    [("short", -7306), ("nodigitsnoupper-", -7306), ("Simulated-1-Secret", -220), ("certctl-api-A1", -982), ("", -7)],
)
async def test_a_bad_new_password_is_refused_and_the_old_stays(new: str, code: int) -> None:
    world = new_world()
    scm = client_of(world)
    assert rejection(await scm.post("/admin/v1/changepassword", json={"newPassword": new})) == (400, code)
    assert (await scm.get("/ssl/v1/types")).status_code == 200


async def test_a_changed_password_replaces_the_old() -> None:
    world = new_world()
    old = client_of(world)
    assert (await old.post("/admin/v1/changepassword", json={"newPassword": "Fresh-2-Secret"})).status_code == 204
    assert rejection(await old.get("/ssl/v1/types")) == (401, -16)
    assert (await client_of(world).get("/ssl/v1/types")).status_code == 200


async def test_the_password_says_when_it_expires() -> None:
    world = new_world()
    scm = client_of(world)
    assert (await scm.get("/admin/v1/password")).json() == {"expirationDate": "2026-07-04", "state": "ALIVE"}
    world.advance(62 * 86_400)
    assert (await scm.get("/admin/v1/password")).json()["state"] == "EXPIRED"
    world.account.credentials.expires = None
    assert (await scm.get("/admin/v1/password")).json() == {"state": "NEVER_EXPIRE"}


async def test_organizations_come_with_departments_which_have_no_validations_of_their_own() -> None:
    scm = client_of(new_world())
    organizations = (await scm.get("/organization/v1")).json()
    assert organizations[0]["departments"][0] == {"id": 1101, "parentName": "Acme Holdings", "name": "Platform"}
    assert (await scm.get("/organization/v2/1101/validations")).json() == []
    assert rejection(await scm.get("/organization/v2/77/validations")) == (404, -1023)
    assert (await scm.get("/organization/v2/1001/validations/77")).status_code == 404


@pytest.mark.parametrize(
    ("organization_id", "status"), [(1001, "VALIDATED"), (1002, "PENDING"), (1003, "FAILED"), (1004, "EXPIRED")]
)
async def test_an_organization_of_each_state_can_be_seen(organization_id: int, status: str) -> None:
    scm = client_of(new_world())
    rows = (await scm.get(f"/organization/v2/{organization_id}/validations")).json()
    assert [(one["validationLevel"], one["status"]) for one in rows] == [("OV_SSL", status), ("EV_SSL", status)]
    details = (await scm.get(f"/organization/v2/{organization_id}/validations/{rows[0]['id']}")).json()
    assert details["organizationDetails"]["generalDetails"]["legalName"].startswith("Acme")
    assert ("LAST_ERR_MSG_FROM_CA" in details["settings"]) == (status == "FAILED")


@pytest.mark.parametrize(
    ("life", "status", "order_status", "row_status"),
    [
        ("ov-dcv-missing", "NOT_VALIDATED", "SUBMITTED", "Awaiting Validation"),
        ("ov-dcv-expired", "EXPIRED", "SUBMITTED", "Awaiting Validation"),
        ("ov-vetting", "VALIDATED", "NOT_INITIATED", "Validated"),
    ],
)
async def test_domain_and_order_tell_the_same_about_control(
    life: str, status: str, order_status: str, row_status: str
) -> None:
    world = new_world()
    scm = client_of(world)
    order = world.add_order(
        life=life, common_name="a.acme.example", requested=world.start - timedelta(minutes=90), dcv_mode="CNAME"
    )
    domain = (await scm.post("/dcv/v2/validation/status", json={"domain": "a.acme.example"})).json()
    assert (domain["status"], domain["orderStatus"]) == (status, order_status)
    view = (await scm.get(f"/ssl/v1/{order.ssl_id}/dcv")).json()
    (row,) = view["dcvLog"]["log"]
    assert (row["domainName"], row["dcvStatus"]) == ("a.acme.example", row_status)
    if status != "VALIDATED":
        assert domain["host"].endswith(".a.acme.example.")
        assert domain["nextCheck"] == "2026-05-04T03:42:00.000Z"
        assert (row["lastCheck"], row["nextCheck"]) == ("2026-05-04 02:42:00", "2026-05-04 03:42:00")
        assert view["instructions"][0]["point"].endswith(".sectigo.com.")
    else:
        assert view["instructions"] == []


async def test_before_the_ca_has_an_order_there_is_no_dcv_log() -> None:
    world = new_world()
    order = world.add_order(life="ov-approval+dcv-missing", common_name="a.acme.example")
    view = (await client_of(world).get(f"/ssl/v1/{order.ssl_id}/dcv")).json()
    assert view == {"dcvLog": {"error": {"code": 0, "description": None}, "log": []}, "instructions": []}


@pytest.mark.parametrize(
    ("mode", "fields"),
    [
        ("TXT", {"host", "point"}),
        ("EMAIL", {"dcvEmail"}),
        ("HTTP", {"url", "file"}),
        ("HTTPS", {"url", "file"}),
    ],
)
async def test_instructions_are_those_of_the_mode(mode: str, fields: set[str]) -> None:
    world = new_world()
    order = world.add_order(life="dv-dcv-missing", common_name="*.a.acme.example", dcv_mode=mode)
    world.advance(10)
    (instruction,) = (await client_of(world).get(f"/ssl/v1/{order.ssl_id}/dcv")).json()["instructions"]
    assert instruction.keys() == {"domainName", "dcvMode"} | fields
    assert instruction["domainName"] == "a.acme.example"


async def test_a_recheck_finds_a_record_that_was_published() -> None:
    world = new_world()
    scm = client_of(world)
    order = world.add_order(life="dv-quick+dcv-missing", common_name="a.acme.example")
    world.advance(3600)
    recheck = f"/ssl/v1/{order.ssl_id}/dcv/recheck"
    assert (await scm.post(recheck)).status_code == 202
    assert world.course(order).status == "Applied"
    world.publish_record("a.acme.example")
    answer = (await scm.post(recheck)).json()
    assert answer.keys() == {"dcvLog"}
    assert answer["dcvLog"]["log"][0]["dcvStatus"] == "Validated"
    assert world.course(order).status == "Issued"


async def test_an_account_may_answer_dcv_with_an_array() -> None:
    world = new_world(dialect=Dialect(dcv_answer="array"))
    order = world.add_order(life="dv-dcv-missing", common_name="a.acme.example")
    assert len((await client_of(world).get(f"/ssl/v1/{order.ssl_id}/dcv")).json()) == 1


async def test_domains_are_listed_by_name() -> None:
    world = new_world()
    for name in ("a.acme.example", "b.acme.example"):
        world.add_order(life="dv-dcv-expired", common_name=name)
    answer = await client_of(world).get("/dcv/v1/validation", params={"domain": "b.acme"})
    assert answer.headers["x-total-count"] == "1"
    (row,) = answer.json()
    assert (row["domain"], row["dcvStatus"], row["dcvMethod"]) == ("b.acme.example", "EXPIRED", "CNAME")


async def test_a_domain_that_nobody_registered_is_unknown_to_a_strict_account() -> None:
    strict = client_of(new_world(dialect=Dialect(any_domain=False)))
    assert rejection(await strict.post("/dcv/v2/validation/status", json={"domain": "x.example"})) == (400, -727)


async def test_a_listing_of_domains_has_pages() -> None:
    world = new_world()
    for number in range(5):
        world.validate_domain(f"d{number}.example")
    answer = await client_of(world).get("/dcv/v1/validation?size=2&position=3")
    assert [row["domain"] for row in answer.json()] == ["d3.example", "d4.example"]
    assert answer.headers["x-total-count"] == "5"


async def test_a_right_that_is_taken_away_is_missing_for_its_calls_alone() -> None:
    world = new_world()
    scm = client_of(world)
    world.account.credentials.without = {"report", "organizations", "dcv"}
    assert rejection(await scm.post("/report/v1/ssl-certificates", json={})) == (400, -3)
    assert rejection(await scm.get("/organization/v1")) == (400, -3)
    assert rejection(await scm.post("/dcv/v2/validation/status", json={"domain": "a.example"})) == (400, -3)
    assert (await scm.get("/ssl/v1/types")).status_code == 200
    assert (await scm.get("/admin/v1/password")).status_code == 200


async def test_a_running_simulator_takes_another_dialect_and_other_rights() -> None:
    world = new_world()
    scm = client_of(world)
    control = httpx.AsyncClient(transport=scm._transport, base_url="http://scm.test/_sim")
    assert (await control.post("/dialect", json={"name": "openapi", "status_filter": "joined"})).status_code == 204
    assert (world.dialect.dates, world.dialect.status_filter) == ("iso", "joined")
    assert (await control.post("/rights", json={"without": ["report"]})).status_code == 204
    assert rejection(await scm.post("/report/v1/ssl-certificates", json={})) == (400, -3)
    assert (await control.post("/rights", json={"without": ["everything"]})).status_code == 400
    assert (await control.post("/report", json={"rows": 5})).status_code == 204
    assert world.report_rows == 5


async def test_the_openapis_words_are_spaced_its_codes_strings_and_its_levels_types() -> None:
    world = new_world(dialect=Dialect.named("openapi"))
    order = world.add_order(life="ov-dcv-missing", common_name="www.acme.example")
    world.advance(60)
    scm = client_of(world)
    domain = await scm.post("/dcv/v2/validation/status", json={"domain": "www.acme.example"})
    assert domain.json()["status"] == "Not validated"
    (dcv,) = (await scm.get(f"/ssl/v1/{order.ssl_id}/dcv")).json()
    assert dcv["dcvLog"]["error"]["code"] == "0"
    validation = (await scm.get("/organization/v2/1002/validations")).json()[0]
    assert (validation["type"], "validationLevel" in validation) == ("OV", False)
    assert (await scm.get("/ssl/v1/7")).json()["code"] == "-124"


async def test_validations_are_listed_by_when_they_end_and_page_by_page() -> None:
    world = make_world("demo", clock=lambda: new_world().start)
    scm = client_of(world)
    answer = await scm.get("/dcv/v2/validation?expiresIn=45&size=2")
    assert answer.headers["X-Total-Count"] == "3"
    assert [row["domain"] for row in answer.json()] == ["acme.example", "bank.acme.example"]
    rest = (await scm.get("/dcv/v2/validation?expiresIn=45&size=2&position=2")).json()
    assert [row["domain"] for row in rest] == ["health.acme.example"]
    assert rejection(await scm.get("/dcv/v2/validation?size=201")) == (400, -1601)


@pytest.mark.parametrize(
    ("life", "dcv_order", "state", "delegation"),
    [
        ("ov-dcv-not-started", "NOT_INITIATED", "ACTIVE", "ACTIVE"),
        ("ov-dcv-not-submitted", "AWAITING_SUBMISSION", "ACTIVE", "ACTIVE"),
        ("ov-dcv-rejected", "REJECTED", "ACTIVE", "ACTIVE"),
        ("ov-domain-suspended", "NOT_INITIATED", "SUSPENDED", "ACTIVE"),
        ("ov-delegation-requested", "NOT_INITIATED", "ACTIVE", "REQUESTED"),
    ],
)
async def test_a_domain_that_stands_still_is_told_by_its_own_calls(
    life: str, dcv_order: str, state: str, delegation: str
) -> None:
    world = new_world()
    scm = client_of(world)
    order = world.add_order(life=life, common_name="a.acme.example", requested=world.start - timedelta(hours=30))
    assert world.course(order).status == "Applied"
    status = (await scm.post("/dcv/v2/validation/status", json={"domain": "a.acme.example"})).json()
    assert status["orderStatus"] == dcv_order
    assert ("point" in status) == (dcv_order == "AWAITING_SUBMISSION")
    (row,) = (await scm.get("/domain/v1?name=a.acme")).json()
    domain = (await scm.get(f"/domain/v1/{row['id']}")).json()
    assert (domain["state"], domain["delegationStatus"]) == (state, delegation)
    assert rejection(await scm.get("/domain/v1/77")) == (404, -727)


async def test_a_sync_finds_a_record_that_was_published() -> None:
    world = new_world()
    scm = client_of(world)
    order = world.add_order(life="ov-dcv-rejected", common_name="a.acme.example")
    world.advance(3_600)
    for published in (False, True):
        if published:
            world.publish_record("a.acme.example")
        answer = await scm.post("/dcv/v2/validation/sync?force=true", json={"domain": "a.acme.example"})
        assert answer.json()["status"] == ("VALIDATED" if published else "NOT_VALIDATED")
    world.advance(3_600)
    assert world.course(order).status == "Issued"


async def test_a_customer_without_dcv_is_told_so_and_waits_for_no_domain() -> None:
    world = new_world()
    scm = client_of(world)
    order = world.add_order(life="ov-dcv-missing", common_name="a.acme.example")
    world.account.is_dcv_used = False
    world.advance(3_600)
    assert world.course(order).status == "Issued"
    for answer in (
        await scm.get("/dcv/v2/validation"),
        await scm.post("/dcv/v2/validation/status", json={"domain": "a.acme.example"}),
        await scm.get(f"/ssl/v1/{order.ssl_id}/dcv"),
    ):
        assert rejection(answer) == (400, -1608)


async def test_the_contract_tells_what_is_left_and_an_order_may_find_nothing() -> None:
    world = new_world()
    scm = client_of(world)
    order = world.add_order(life="ev-none-left", common_name="a.acme.example")
    world.advance(36_000)
    assert world.course(order).status == "Approved"
    left = {row["certType"]: row["total"] - row["used"] for row in (await scm.get("/usage/v1")).json()}
    assert left == {"SSL DV": 459, "SSL OV": 132, "SSL EV": 0}
