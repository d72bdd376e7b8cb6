"""Steering a running simulator: faults, the log of requests, time and orders, outside the API's own paths.

For tests whose simulator is another process. Only a client on the same host is answered.

- `GET /_sim/faults`, `POST /_sim/faults` (a fault or a list of them), `DELETE /_sim/faults`
- `GET /_sim/requests[?path=REGEX&method=M]`, `DELETE /_sim/requests`
- `POST /_sim/time {"advance": seconds}`, `GET /_sim/time`
- `GET /_sim/orders`, `POST /_sim/orders {"life", "commonName"[, "ageSeconds"]}`
- `POST /_sim/password {"password"}`
- `POST /_sim/dialect {"name"[, "status_filter", ...]}`: `manual` or `openapi`, with fields of `Dialect`
- `POST /_sim/rights {"without": [NAME, ...]}`: rights that are taken away, of `account.RIGHTS`
- `POST /_sim/report {"rows"}`: how many rows a bulk report may have
- `POST /_sim/validate {"domain"}` or `{"organization", "level"}`, `POST /_sim/publish {"domain"}`
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import timedelta
from functools import wraps
from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sectigo_tui.simulator.account import RIGHTS
from sectigo_tui.simulator.world import Dialect, World

_Handler = Callable[[Request], Awaitable[Response]]


def control_routes(world: World) -> list[Route]:
    """Return the routes that steer a world."""
    control = _Control(world)
    return [
        Route("/faults", control.faults, methods=["GET", "POST", "DELETE"]),
        Route("/requests", control.requests, methods=["GET", "DELETE"]),
        Route("/time", control.time, methods=["GET", "POST"]),
        Route("/orders", control.orders, methods=["GET", "POST"]),
        Route("/password", control.password, methods=["POST"]),
        Route("/validate", control.validate, methods=["POST"]),
        Route("/publish", control.publish, methods=["POST"]),
        Route("/dialect", control.dialect, methods=["POST"]),
        Route("/rights", control.rights, methods=["POST"]),
        Route("/report", control.report, methods=["POST"]),
    ]


def _explained(
    handler: "Callable[[_Control, Request], Awaitable[Response]]",
) -> "Callable[[_Control, Request], Awaitable[Response]]":
    """Answer what is not understood with 400 and the reason."""

    @wraps(handler)
    async def answer(self: "_Control", request: Request) -> Response:
        try:
            return await handler(self, request)
        except (ValueError, KeyError, TypeError) as error:
            return JSONResponse({"error": f"{type(error).__name__}: {error}"}, 400)

    return answer


class _Control:
    def __init__(self, world: World) -> None:
        self._world = world

    @_explained
    async def faults(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._world.faults.clear()
        if request.method == "POST":
            given = json.loads(await request.body())
            for one in given if isinstance(given, list) else [given]:
                kind, settings = one.pop("kind"), one
                self._world.faults.add(kind, **settings)
        return JSONResponse([asdict(one) for one in self._world.faults.listed()])

    @_explained
    async def requests(self, request: Request) -> Response:
        traffic = self._world.traffic
        query = request.query_params
        found = [
            asdict(one) | {"at": one.at.isoformat()}
            for one in traffic.matching(query.get("method", ""), query.get("path", ""))
        ]
        answer = {"count": len(found), "peakInFlight": traffic.peak_in_flight, "requests": found}
        if request.method == "DELETE":
            traffic.clear()
        return JSONResponse(answer)

    @_explained
    async def time(self, request: Request) -> Response:
        if request.method == "POST":
            self._world.advance(float(str((await _fields(request))["advance"])))
        return JSONResponse({"now": self._world.now().isoformat(), "speed": self._world.speed})

    @_explained
    async def orders(self, request: Request) -> Response:
        if request.method == "POST":
            fields = await _fields(request)
            age = timedelta(seconds=float(str(fields.get("ageSeconds", 0))))
            order = self._world.add_order(
                life=str(fields["life"]), common_name=str(fields["commonName"]), requested=self._world.now() - age
            )
            return JSONResponse({"sslId": order.ssl_id})
        orders, enrolled = self._world.orders, set(self._world.enrolled)
        return JSONResponse(
            [
                {
                    "sslId": ssl_id,
                    "status": status,
                    "commonName": orders[ssl_id].common_name,
                    "comments": orders[ssl_id].comments,
                    "enrolled": ssl_id in enrolled,
                }
                for ssl_id, status in self._world.statuses().items()
            ]
        )

    @_explained
    async def password(self, request: Request) -> Response:
        self._world.account.credentials.password = str((await _fields(request))["password"])
        return Response(status_code=204)

    @_explained
    async def validate(self, request: Request) -> Response:
        fields = await _fields(request)
        if "domain" in fields:
            self._world.validate_domain(str(fields["domain"]))
        else:
            level: Literal["OV", "EV"] = "EV" if fields.get("level") == "EV" else "OV"
            self._world.validate_organization(int(str(fields["organization"])), level)
        return Response(status_code=204)

    @_explained
    async def publish(self, request: Request) -> Response:
        self._world.publish_record(str((await _fields(request))["domain"]))
        return Response(status_code=204)

    @_explained
    async def dialect(self, request: Request) -> Response:
        fields = dict(await _fields(request))
        self._world.dialect = Dialect.named(str(fields.pop("name")), **fields)
        return Response(status_code=204)

    @_explained
    async def rights(self, request: Request) -> Response:
        without = (await _fields(request))["without"]
        if not isinstance(without, list) or not set(without) <= set(RIGHTS):
            raise ValueError(f"without must be a list of {', '.join(RIGHTS)}")
        self._world.account.credentials.without = set(without)
        return Response(status_code=204)

    @_explained
    async def report(self, request: Request) -> Response:
        rows = (await _fields(request))["rows"]
        self._world.report_rows = None if rows is None else int(str(rows))
        return Response(status_code=204)


async def _fields(request: Request) -> Mapping[str, object]:
    given = json.loads(await request.body())
    if not isinstance(given, dict):
        raise ValueError("a JSON object is expected")
    return given
