"""Faults on demand, in process and on a real port."""

from __future__ import annotations

import httpx
import pytest
from simulated import Clock, client_of, enrollment, new_world

from sectigo_tui.simulator.faults import KINDS, Fault
from sectigo_tui.simulator.server import running
from sectigo_tui.simulator.world import World


def headers(world: World) -> dict[str, str]:
    """Return the credentials of a world."""
    own = world.account.credentials
    return {"customerUri": own.customer_uri, "login": own.login, "password": own.password}


@pytest.mark.parametrize(
    ("fault", "status", "start", "retry_after"),
    [
        ("unauthorized", 401, b'{"code":-16', None),
        ("rate-limit retry_after=30", 429, b"Too Many", "30"),
        ("rate-limit retry_after='Wed, 21 Oct 2026 07:28:00 GMT'", 429, b"Too Many", "Wed, 21 Oct 2026 07:28:00 GMT"),
        ("rate-limit", 429, b"Too Many", None),
        ("unavailable", 503, b"<html>", None),
        ("error code=-37 status=403 description='Access denied.'", 403, b'{"code":-37,"description":"Access', None),
        ("html", 200, b"<html>", None),
        ("empty", 200, b"", None),
        ("not-json", 200, b'{"sslId"', None),
        ("wrong-json", 200, b'{"result"', None),
        ("huge size=5000", 200, b"[    ", None),
        ("redirect location=http://elsewhere.test/", 302, b"", None),
    ],
)
async def test_a_fault_is_met_once_and_then_the_api_works_again(
    fault: str, status: int, start: bytes, retry_after: str | None
) -> None:
    world = new_world()
    scm = client_of(world)
    world.faults.add(Fault.parse(f"{fault} path=/types$ count=1"))
    assert (await scm.get("/ssl/v1/customFields")).status_code == 200
    answer = await scm.get("/ssl/v1/types")
    assert answer.status_code == status
    assert answer.content.startswith(start)
    assert answer.headers.get("retry-after") == retry_after
    assert isinstance((await scm.get("/ssl/v1/types")).json()[0], dict)
    assert world.faults.listed() == []


@pytest.mark.parametrize("kind", ["lost", "torn", "drop"])
@pytest.mark.parametrize("over_a_port", [True, False])
async def test_a_connection_that_ends_early_has_ordered_unless_it_ended_before(kind: str, over_a_port: bool) -> None:
    world = new_world()
    world.faults.add(kind, method="POST", path="enroll$", count=1)

    async def ask(scm: httpx.AsyncClient) -> None:
        with pytest.raises(httpx.RemoteProtocolError):
            await scm.post("/ssl/v1/enroll", json=enrollment())
        assert (await scm.get("/ssl/v1/types")).status_code == 200

    if over_a_port:
        async with running(world) as base_url, httpx.AsyncClient(base_url=base_url, headers=headers(world)) as scm:
            await ask(scm)
    else:
        await ask(client_of(world))
    assert len(world.enrolled) == (0 if kind == "drop" else 1)
    assert world.traffic.matching("POST", "enroll")[0].fault == kind


async def test_an_answer_may_say_failure_although_the_order_was_placed() -> None:
    world = new_world()
    world.faults.add("unavailable", path="enroll", done=True)
    assert (await client_of(world).post("/ssl/v1/enroll", json=enrollment())).status_code == 503
    assert len(world.enrolled) == 1


@pytest.mark.parametrize("done", [True, False])
async def test_latency_comes_before_the_work_or_after_it(done: bool) -> None:
    seen: list[tuple[float, int]] = []

    async def sleep(seconds: float) -> None:
        seen.append((seconds, len(world.enrolled)))

    world = World(clock=Clock(), sleep=sleep)
    world.faults.add("latency", seconds=45, done=done)
    assert (await client_of(world).post("/ssl/v1/enroll", json=enrollment())).status_code == 200
    assert seen == [(45.0, int(done))]


async def test_the_first_fault_that_fits_wins_and_waits_add_up() -> None:
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    world = World(clock=Clock(), sleep=sleep)
    for kind, seconds in (("latency", 1), ("empty", 0), ("latency", 2), ("html", 0)):
        world.faults.add(kind, seconds=seconds, count=1)
    scm = client_of(world)
    assert (await scm.get("/ssl/v1/types")).content == b""
    assert (await scm.get("/ssl/v1/types")).content.startswith(b"<html>")
    assert waits == [1.0, 2.0]


async def test_after_spares_the_first_requests() -> None:
    world = new_world()
    world.faults.add("unauthorized", after=2)
    scm = client_of(world)
    assert [(await scm.get("/ssl/v1/types")).status_code for _ in range(4)] == [200, 200, 401, 401]
    world.faults.clear()
    assert (await scm.get("/ssl/v1/types")).status_code == 200


async def test_chance_falls_the_same_way_for_the_same_seed() -> None:
    async def statuses(seed: int) -> list[int]:
        world = new_world(seed=seed)
        world.faults.add("unavailable", probability=0.5)
        scm = client_of(world)
        return [(await scm.get("/ssl/v1/types")).status_code for _ in range(40)]

    assert await statuses(1) == await statuses(1)
    assert 10 < (await statuses(1)).count(503) < 30


@pytest.mark.parametrize(
    "text", ["", "earthquake", "empty sise=3", "empty count", "latency seconds=soon", "empty path=(", "empty path='"]
)
def test_a_fault_that_is_not_understood_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Fault.parse(text)


async def test_requests_are_logged_with_their_answers_and_no_secret() -> None:
    world = new_world()
    scm = client_of(world)
    await scm.get("/ssl/v1/types")
    await scm.get("/ssl/v1?size=5")
    await client_of(world, password="guess").get("/ssl/v1/types")
    log = [(one.method, one.path, one.query, one.status, one.code) for one in world.traffic.requests]
    assert log == [
        ("GET", "/api/ssl/v1/types", "", 200, None),
        ("GET", "/api/ssl/v1", "size=5", 200, None),
        ("GET", "/api/ssl/v1/types", "", 401, -16),
    ]
    assert world.traffic.count("GET", "types") == 2
    assert world.traffic.peak_in_flight == 1
    assert "guess" not in str(world.traffic.requests)


async def test_a_running_simulator_is_steered_over_its_port() -> None:
    world = World(clock=Clock())
    async with running(world) as base_url, httpx.AsyncClient(base_url=base_url, headers=headers(world)) as scm:
        control = base_url.removesuffix("/api") + "/_sim"
        faults = await scm.post(f"{control}/faults", json=[{"kind": "unauthorized", "count": 1}, {"kind": "latency"}])
        assert [one["kind"] for one in faults.json()] == ["unauthorized", "latency"]
        assert (await scm.request("DELETE", f"{control}/faults")).json() == []
        made = await scm.post(f"{control}/orders", json={"life": "ov-straight", "commonName": "a.acme.example"})
        path = f"/ssl/v1/{made.json()['sslId']}"
        assert (await scm.get(path)).json()["status"] == "Approved"
        await scm.post(f"{control}/time", json={"advance": 3600})
        assert (await scm.get(path)).json()["status"] == "Issued"
        (order,) = (await scm.get(f"{control}/orders")).json()
        assert (order["status"], order["enrolled"]) == ("Issued", False)
        assert (await scm.get(f"{control}/requests", params={"path": "ssl"})).json()["count"] == 2
        assert (await scm.post(f"{control}/password", json={"password": "Other-3-Secret"})).status_code == 204
        assert (await scm.get(path)).status_code == 401
        assert (await scm.post(f"{control}/faults", json={"kind": "earthquake"})).status_code == 400


async def test_dcv_and_organizations_are_settled_over_the_port() -> None:
    world = World(clock=Clock())
    order = world.add_order(life="ov-instant+dcv-missing+org-failed", common_name="a.acme.example")
    scm = client_of(world)
    for body in ({"domain": "a.acme.example"}, {"organization": order.organization_id, "level": "OV"}):
        assert world.course(order).status == "Applied"
        assert (await scm.post("http://scm.test/_sim/validate", json=body)).status_code == 204
    assert world.course(order).status == "Issued"
    assert (await scm.post("http://scm.test/_sim/publish", json={"domain": "b.example"})).status_code == 204
    assert world.domain("b.example").published


async def test_another_host_cannot_steer() -> None:
    world = new_world()
    app = client_of(world)._transport.app  # type: ignore[attr-defined] # the transport of the tests' own client
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, client=("203.0.113.9", 4711)), base_url="http://scm.test"
    ) as stranger:
        assert (await stranger.get("/_sim/orders")).status_code == 403


def test_every_kind_of_fault_says_what_it_does() -> None:
    assert all(KINDS.values())
