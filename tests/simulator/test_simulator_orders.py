"""Orders over the API: what is refused, what is answered, and what follows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from simulated import client_of, csr_for, enrollment, new_world, rejection

from sectigo_tui.simulator.account import CustomField, Profile
from sectigo_tui.simulator.world import Dialect


async def test_an_enrolled_order_becomes_a_certificate() -> None:
    world = new_world()
    scm = client_of(world)
    answer = await scm.post("/ssl/v1/enroll", json=enrollment(comments="marker 77"))
    assert answer.status_code == 200
    assert set(answer.json()) == {"sslId", "renewId"}
    ssl_id = answer.json()["sslId"]
    assert world.enrolled == [ssl_id]

    pending = (await scm.get(f"/ssl/v1/{ssl_id}")).json()
    assert pending["status"] == "Approved"
    assert pending["requested"] == "05/04/2026"
    assert pending["comments"] == "marker 77"
    assert pending["certType"]["id"] == 502
    assert pending["validationType"] == "Organization Validation (OV)"
    assert pending["requester"] == "certctl-api"
    assert not {"issued", "expires", "serialNumber", "backendCertId"} & set(pending)
    assert rejection(await scm.get(f"/ssl/v1/collect/{ssl_id}")) == (400, 0)

    world.advance(720)
    issued = (await scm.get(f"/ssl/v1/{ssl_id}")).json()
    assert issued["status"] == "Issued"
    assert issued["expires"] == "11/19/2026"
    assert issued["keyType"] == "EC - P-256"
    assert issued["backendCertId"] == str(issued["orderNumber"])
    assert issued["subjectAlternativeNames"] == ["www.acme.example", "alt.www.acme.example"]
    collected = await scm.get(f"/ssl/v1/collect/{ssl_id}?format=x509")
    assert collected.headers["content-type"] == "application/octet-stream"
    assert "attachment" in collected.headers["content-disposition"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"orgId": None}, -7),
        ({"orgId": "1001"}, -1601),
        ({"orgId": 9999}, -1023),
        ({"certType": None}, -7),
        ({"certType": 999}, -111),
        ({"certType": 777}, -39),
        ({"term": None}, -7),
        ({"term": 365}, -36),
        ({"csr": ""}, -7),
        ({"csr": "-----BEGIN CERTIFICATE REQUEST-----\n%%%\n-----END CERTIFICATE REQUEST-----"}, -9),
        ({"csr": "aGVsbG8="}, -10),
        ({"csr": csr_for("a.acme.example", kind="Ed25519")}, -11),
        ({"csr": csr_for("a.acme.example", kind="RSA-1024")}, -13),
        ({"csr": csr_for("a.acme.example", kind="P-521")}, -13),
        ({"comments": "x" * 1025}, -1601),
        ({"externalRequester": "nobody"}, -1601),
        ({"externalRequester": "a@b.example," * 50}, -1601),
        ({"dcvMode": "PIGEON"}, -1601),
        ({"dcvMode": "EMAIL"}, -7),
        ({"customFields": None}, -62),
        ({"customFields": [{"name": "Cost center", "value": " "}]}, -62),
        ({"customFields": [{"name": "No such", "value": "1"}]}, -135),
        ({"customFields": "CC-1"}, -1601),
        ({"csr": csr_for("printer"), "subjAltNames": None}, -164),
        ({"csr": csr_for("www.other.example"), "subjAltNames": None}, -1010),
        ({"comments": "[sim:refuse-843]"}, -843),
        ({"comments": "[sim:refuse-107]"}, -107),
        ({"comments": "[sim:no-such-life]"}, -1601),
    ],
)
async def test_scm_refuses_what_it_would_not_order(changes: dict[str, object], code: int) -> None:
    world = new_world(dialect=Dialect(any_domain=False))
    world.validate_domain("acme.example")
    world.account.profiles += (Profile(777, "Elsewhere", "OV", organization_ids=frozenset({1002})),)
    world.account.custom_fields = (CustomField(1, "Cost center", mandatory=True),)
    fields = [{"name": "Cost center", "value": "CC-1"}]
    body = enrollment(**{"customFields": fields, **changes})  # type: ignore[arg-type] # names are given as text
    answer = await client_of(world).post("/ssl/v1/enroll", json=body)
    assert rejection(answer) == (400, code)
    assert world.enrolled == []


async def test_a_csr_that_somebody_changed_is_refused() -> None:
    signed, other = csr_for("a.acme.example").split("\n"), csr_for("b.acme.example").split("\n")
    forged = "\n".join([*signed[:2], *other[2:]])
    answer = await client_of(new_world()).post("/ssl/v1/enroll", json=enrollment(csr=forged))
    assert rejection(answer)[1] in {-10, -138}


async def test_names_come_from_the_csr_where_the_body_gives_none() -> None:
    world = new_world()
    body = enrollment(csr=csr_for("a.acme.example", "b.acme.example"), subjAltNames=None)
    ssl_id = (await client_of(world).post("/ssl/v1/enroll", json=body)).json()["sslId"]
    assert world.orders[ssl_id].names == ("a.acme.example", "b.acme.example")


@pytest.mark.parametrize(
    ("body", "life"),
    [
        (enrollment(comments="please [sim:vetting+dcv-missing] thanks"), "vetting+dcv-missing"),
        (enrollment("sim-rejected.acme.example"), "rejected"),
        (enrollment(certType=505), "approval"),
        (enrollment(), "straight"),
    ],
)
async def test_the_life_of_an_enrollment_is_chosen_by_tag_name_or_level(body: dict[str, object], life: str) -> None:
    world = new_world()
    world.default_lives["EV"] = "approval"
    ssl_id = (await client_of(world).post("/ssl/v1/enroll", json=body)).json()["sslId"]
    assert world.orders[ssl_id].life.name == life


async def test_an_approval_moves_a_requested_order_on_and_cannot_be_given_twice() -> None:
    world = new_world()
    scm = client_of(world)
    order = world.add_order(life="ov-quick+approval", common_name="a.acme.example")
    approve = f"/ssl/v1/approve/{order.ssl_id}"
    assert rejection(await scm.post(approve, json={"message": ""})) == (400, -7)
    assert rejection(await scm.post(approve, json={"message": "x" * 513})) == (400, -1601)
    assert (await scm.post(approve, json={"message": "fine"})).status_code == 204
    assert (await scm.get(f"/ssl/v1/{order.ssl_id}")).json()["owner"] == "certctl-api"
    assert rejection(await scm.post(approve, json={"message": "again"})) == (400, -1112)
    world.advance(60)
    assert world.course(order).status == "Issued"


async def test_who_requested_an_ev_certificate_cannot_approve_it() -> None:
    world = new_world()
    scm = client_of(world)
    own = world.add_order(life="ev-approval", common_name="a.acme.example")
    others = world.add_order(life="ev-approval", common_name="b.acme.example", requester="m.okafor@acme.example")
    assert rejection(await scm.post(f"/ssl/v1/approve/{own.ssl_id}", json={"message": "ok"})) == (400, -1140)
    assert (await scm.post(f"/ssl/v1/approve/{others.ssl_id}", json={"message": "ok"})).status_code == 204


async def test_a_declined_order_is_over() -> None:
    world = new_world()
    scm = client_of(world)
    order = world.add_order(life="ov-approval", common_name="a.acme.example")
    assert (await scm.post(f"/ssl/v1/decline/{order.ssl_id}", json={"message": "no"})).status_code == 204
    details = (await scm.get(f"/ssl/v1/{order.ssl_id}")).json()
    assert (details["status"], details["declined"]) == ("Declined", "05/04/2026")
    assert rejection(await scm.get(f"/ssl/v1/collect/{order.ssl_id}")) == (400, -130)
    assert rejection(await scm.post(f"/ssl/v1/decline/{order.ssl_id}", json={"message": "no"})) == (400, -1112)


@pytest.mark.parametrize("already", [-159, -102])
async def test_a_certificate_is_revoked_once(already: int) -> None:
    world = new_world(dialect=Dialect(already_revoked_code=already))  # type: ignore[arg-type] # of the two there are
    scm = client_of(world)
    order = world.add_order(life="ov-quick", common_name="a.acme.example")
    revoke = f"/ssl/v1/revoke/{order.ssl_id}"
    body = {"reasonCode": 4, "reason": "superseded"}
    assert rejection(await scm.post(revoke, json=body)) == (400, -102)
    world.advance(60)
    assert rejection(await scm.post(revoke, json={"reasonCode": 4})) == (400, -7)
    assert rejection(await scm.post(revoke, json={"reasonCode": 2, "reason": "x"})) == (400, -1601)
    assert rejection(await scm.post(revoke, json={"reasonCode": 4, "reason": "x" * 513})) == (400, -1601)
    assert (await scm.post(revoke, json=body)).status_code == 204
    details = (await scm.get(f"/ssl/v1/{order.ssl_id}")).json()
    assert (details["status"], details["revoked"], details["reasonCode"]) == ("Revoked", "05/04/2026", 4)
    assert rejection(await scm.post(revoke, json=body)) == (400, already)
    assert rejection(await scm.get(f"/ssl/v1/collect/{order.ssl_id}")) == (400, -110)


@pytest.mark.parametrize("write", [str, str.lower, lambda text: text.replace(":", "")])
async def test_a_certificate_is_revoked_by_serial_however_that_is_written(write: Callable[[str], str]) -> None:
    world = new_world()
    scm = client_of(world)
    order = world.add_order(life="ov-instant", common_name="a.acme.example")
    serial = write((await scm.get(f"/ssl/v1/{order.ssl_id}")).json()["serialNumber"])
    answer = await scm.post(f"/ssl/v1/revoke/serial/{serial}", json={"reason": "lost key"})
    assert answer.status_code == 204
    assert world.course(order).status == "Revoked"
    unknown = await scm.post("/ssl/v1/revoke/serial/00:11", json={"reason": "lost key"})
    assert rejection(unknown) == (400, -5101)


@pytest.mark.parametrize("send", [{}, {"json": {}}, {"json": {"csr": csr_for("a.acme.example")}}])
async def test_a_renewal_is_a_new_order(send: dict[str, object]) -> None:
    world = new_world()
    scm = client_of(world)
    order = world.add_order(life="ov-instant", common_name="a.acme.example")
    answer = await scm.post(f"/ssl/v1/renewById/{order.ssl_id}", **send)  # type: ignore[arg-type] # as httpx takes it
    assert set(answer.json()) == {"sslId"}
    new = world.orders[answer.json()["sslId"]]
    assert new.ssl_id != order.ssl_id
    assert (new.names, new.profile, new.organization_id) == (order.names, order.profile, order.organization_id)
    assert (await scm.get(f"/ssl/v1/{order.ssl_id}")).json()["renewed"] is True


async def test_a_renewal_with_a_json_string_is_refused_and_orders_nothing() -> None:
    world = new_world()
    order = world.add_order(life="ov-instant", common_name="a.acme.example")
    answer = await client_of(world).post(f"/ssl/v1/renewById/{order.ssl_id}", json="")
    assert rejection(answer) == (400, -1002)
    assert world.enrolled == []


async def test_a_replacement_keeps_its_ssl_id_and_gets_another_serial() -> None:
    world = new_world()
    scm = client_of(world)
    order = world.add_order(life="ov-instant", common_name="a.acme.example")
    before = (await scm.get(f"/ssl/v1/{order.ssl_id}")).json()["serialNumber"]
    body = {
        "csr": csr_for("a.acme.example"),
        "reason": "key moved",
        "subjectAlternativeNames": ["c.acme.example"],
    }
    assert (await scm.post(f"/ssl/v1/replace/{order.ssl_id}", json=body)).status_code == 204
    assert (await scm.get(f"/ssl/v1/{order.ssl_id}")).json()["status"] == "Approved"
    assert rejection(await scm.post(f"/ssl/v1/replace/{order.ssl_id}", json=body)) == (400, -130)
    world.advance(60)
    after = (await scm.get(f"/ssl/v1/{order.ssl_id}")).json()
    assert after["status"] == "Issued"
    assert after["replaced"] == "05/04/2026"
    assert after["serialNumber"] != before
    assert after["subjectAlternativeNames"] == ["a.acme.example", "c.acme.example"]


@pytest.mark.parametrize(
    ("life", "answers"),
    [
        ("ov-instant+collect-0", (400, 0)),
        ("ov-instant+collect-1400", (400, -1400)),
        ("ov-instant+collect-183", (400, -183)),
        ("ov-instant+collect-empty", (200, None)),
    ],
)
async def test_an_issued_certificate_may_not_be_collectable_yet(life: str, answers: tuple[int, int | None]) -> None:
    world = new_world()
    scm = client_of(world)
    order = world.add_order(life=life, common_name="a.acme.example")
    assert (await scm.get(f"/ssl/v1/{order.ssl_id}")).json()["status"] == "Issued"
    answer = await scm.get(f"/ssl/v1/collect/{order.ssl_id}?format=pem")
    assert (answer.status_code, answer.json()["code"] if answer.content else None) == answers
    world.advance(120)
    assert b"BEGIN CERTIFICATE" in (await scm.get(f"/ssl/v1/collect/{order.ssl_id}?format=pem")).content


@pytest.mark.parametrize(
    ("method", "path", "answers"),
    [
        ("GET", "/ssl/v1/1", (404, -124)),
        ("GET", "/ssl/v1/abc", (404, -124)),
        ("GET", "/ssl/v1/99999999999999999999", (404, -124)),
        ("GET", "/ssl/v1/1/dcv", (404, -124)),
        ("GET", "/ssl/v1/collect/1", (400, -124)),
        ("GET", "/ssl/v1/collect/{id}?format=p12", (400, -126)),
        ("GET", "/ssl/v1/collect/{id}/p12", (400, -126)),
        ("POST", "/ssl/v1/revoke/1", (400, -124)),
        ("GET", "/nothing/v1", (404, -1)),
        ("DELETE", "/ssl/v1", (405, -1)),
        ("GET", "/ssl/v1/enroll", (404, -124)),
    ],
)
async def test_what_does_not_exist_is_answered_in_json(method: str, path: str, answers: tuple[int, int]) -> None:
    world = new_world()
    order = world.add_order(life="ov-instant", common_name="a.acme.example")
    answer = await client_of(world).request(method, path.replace("{id}", str(order.ssl_id)))
    assert rejection(answer) == answers


@pytest.mark.parametrize("content", ["[]", '""', "7", "{"])
async def test_a_body_that_is_no_json_object_is_refused(content: str) -> None:
    answer = await client_of(new_world()).post(
        "/ssl/v1/enroll", content=content, headers={"content-type": "application/json"}
    )
    assert rejection(answer) == (400, -1002)


async def test_a_body_of_another_type_is_refused() -> None:
    answer = await client_of(new_world()).post("/ssl/v1/enroll", data={"orgId": "1001"})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("date_format", "requested"),
    [("", "05/04/2026"), ("ISO_HMS", "2026-05-04T03:12:00.000Z"), ("eu_hms", "04.05.2026 03:12:00")],
)
async def test_dates_are_written_as_asked(date_format: str, requested: str) -> None:
    world = new_world()
    order = world.add_order(life="ov-instant", common_name="a.acme.example")
    answer = await client_of(world).get(f"/ssl/v1/{order.ssl_id}", params={"dateFormat": date_format})
    assert answer.json()["requested"] == requested


async def test_an_account_may_write_iso_dates_by_itself() -> None:
    world = new_world(dialect=Dialect(dates="iso"))
    requested = world.start - timedelta(hours=30)
    order = world.add_order(life="ov-instant", common_name="a.acme.example", requested=requested)
    details = (await client_of(world).get(f"/ssl/v1/{order.ssl_id}")).json()
    assert details["requested"] == "2026-05-02T21:12:00.000Z"


async def test_a_revocation_needs_its_reason_code_where_the_account_demands_it() -> None:
    for demands in (False, True):
        world = new_world(dialect=Dialect(demands_reason_code=demands))
        order = world.add_order(life="ov-instant", common_name="www.acme.example")
        world.advance(600)
        answer = await client_of(world).post(f"/ssl/v1/revoke/{order.ssl_id}", json={"reason": "superseded"})
        assert answer.status_code == (400 if demands else 204)
