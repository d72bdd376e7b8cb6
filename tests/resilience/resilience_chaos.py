"""A network on which anything may happen to any request, by chance, and a log of all that was sent over it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random

import httpx

from sectigo_tui.simulator.app import create_app
from sectigo_tui.simulator.world import World

READ_TIMEOUT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Sent:
    """One request, as it was seen on the wire.

    Args:
        task: The task that sent it, by name.
        words: Method and path.
        password: What it came with.
        began: When, in seconds since the start.
        ended: When its answer was there, or what came in its place.
        status: The answer's status; None where none came.
        retry_after_seconds: What the answer asked for.
        fault: What happened to it; empty for nothing.
    """

    task: str
    words: str
    password: str
    began: float
    ended: float
    status: int | None
    retry_after_seconds: float | None
    fault: str

    @property
    def about(self) -> str:
        """The last part of its path, an sslId where it is about an order."""
        return self.words.partition("?")[0].rpartition("/")[2]


_PAGE = b"<html><head><title>Bad Gateway</title></head><body>nginx</body></html>"

PASSWORD_QUERY = "GET /admin/v1/password?dateFormat=ISO_HMS"
"""Is refused for the whole time, as if the credentials were wrong."""

_REJECTIONS = ((401, -16), (400, -16), (400, -970), (403, -16))

Go = Callable[[], Awaitable[httpx.Response]]
Happening = Callable[["ChaoticWire", Go], Awaitable[httpx.Response]]


class ChaoticWire(httpx.AsyncBaseTransport):
    """The network between the client and the simulator, on which by chance something goes wrong.

    Args:
        world: SCM.
        seed: Decides what happens to which request.

    Attributes:
        share: The share of requests to which something happens.
        sent: All requests, in the order of their ends.
        is_gateway_lost: Whether a gateway answers everything with 404.
        most_in_flight: The most that were under way at one time, tries of new credentials left aside.
    """

    def __init__(self, world: World, seed: int) -> None:
        self.share = 0.0
        self.sent: list[Sent] = []
        self.most_in_flight = 0
        self.is_gateway_lost = False
        self.chance = Random(seed)
        self._in_flight = 0
        self._inner = httpx.ASGITransport(create_app(world, lost=lambda: httpx.RemoteProtocolError("lost")))

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Let one request pass, or something happen to it."""
        task = asyncio.current_task()
        began, name = asyncio.get_running_loop().time(), task.get_name() if task else ""
        words = f"{request.method} {request.url.raw_path.decode().removeprefix('/api')}"
        is_try = words == "GET /ssl/v1/types"
        happening = _refused_alone if words == PASSWORD_QUERY else self._happening()
        status: int | None = None
        retry_after: float | None = None
        self._in_flight += not is_try
        self.most_in_flight = max(self.most_in_flight, self._in_flight)
        try:
            await asyncio.sleep(self.chance.uniform(0.05, 0.4))
            response = await happening(self, lambda: self._inner.handle_async_request(request))
            status = response.status_code
            told = response.headers.get("retry-after", "")
            retry_after = float(told) if told else None
            return response
        finally:
            self._in_flight -= not is_try
            ended, fault = asyncio.get_running_loop().time(), happening.__name__.strip("_")
            password = request.headers["password"]
            self.sent.append(Sent(name, words, password, began, ended, status, retry_after, fault))

    def _happening(self) -> Happening:
        if self.is_gateway_lost:
            return _gateway_404
        if self.chance.random() >= self.share:
            return _nothing
        return self.chance.choices(_HAPPENINGS, _WEIGHTS)[0]

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)


async def _nothing(_: ChaoticWire, go: Go) -> httpx.Response:
    return await go()


async def _slow(wire: ChaoticWire, go: Go) -> httpx.Response:
    await wire.pause(wire.chance.uniform(15, 45))
    return await go()


async def _slow_answer(wire: ChaoticWire, go: Go) -> httpx.Response:
    response = await go()
    await wire.pause(wire.chance.uniform(15, 45))
    return response


async def _not_connected(wire: ChaoticWire, _: Go) -> httpx.Response:
    await wire.pause(wire.chance.uniform(0, 10))
    raise httpx.ConnectError("no route to host")


async def _reset(_: ChaoticWire, __: Go) -> httpx.Response:
    raise httpx.ReadError("connection reset by peer")


async def _lost(_: ChaoticWire, go: Go) -> httpx.Response:
    await go()
    raise httpx.RemoteProtocolError("server disconnected without sending a response")


async def _timed_out(wire: ChaoticWire, _: Go) -> httpx.Response:
    await wire.pause(READ_TIMEOUT_SECONDS)
    raise httpx.ReadTimeout("no answer")


async def _answer_timed_out(wire: ChaoticWire, go: Go) -> httpx.Response:
    await go()
    await wire.pause(READ_TIMEOUT_SECONDS)
    raise httpx.ReadTimeout("no answer")


async def _bad_gateway(wire: ChaoticWire, _: Go) -> httpx.Response:
    status, asked = wire.chance.choice((500, 502, 503, 504)), wire.chance.choice(("", "", "40", "400"))
    headers = {"retry-after": asked} if status == 503 and asked else {}
    return httpx.Response(status, headers=headers, content=_PAGE)


async def _gateway_404(wire: ChaoticWire, _: Go) -> httpx.Response:
    return httpx.Response(404, content=wire.chance.choice((_PAGE, b"", b'{"message": "no Route matched"}')))


async def _gateway_400(wire: ChaoticWire, _: Go) -> httpx.Response:
    return httpx.Response(400, content=wire.chance.choice((_PAGE, b"", b'{"code": 400, "message": "Bad Request"}')))


async def _unknown_error(wire: ChaoticWire, _: Go) -> httpx.Response:
    return httpx.Response(wire.chance.choice((400, 404)), json={"code": -1, "description": "Unknown error."})


async def _refused_alone(wire: ChaoticWire, _: Go) -> httpx.Response:
    status, code = wire.chance.choice(_REJECTIONS)
    return httpx.Response(status, json={"code": code, "description": "Unknown user"})


async def _bad_gateway_after(wire: ChaoticWire, go: Go) -> httpx.Response:
    await go()
    return await _bad_gateway(wire, go)


async def _sign_in(_: ChaoticWire, __: Go) -> httpx.Response:
    return httpx.Response(200, content=b"<html><title>Please sign in</title></html>")


async def _empty(_: ChaoticWire, __: Go) -> httpx.Response:
    return httpx.Response(200, content=b"")


async def _torn(_: ChaoticWire, go: Go) -> httpx.Response:
    response = await go()
    body = await response.aread()
    return httpx.Response(200, content=body[: len(body) // 2] or b"{")


async def _firewall(_: ChaoticWire, __: Go) -> httpx.Response:
    return httpx.Response(403, content=_PAGE)


async def _too_many(wire: ChaoticWire, _: Go) -> httpx.Response:
    asked = wire.chance.choice(("", "1", "20", "90", "400", "100000"))
    return httpx.Response(429, headers={"retry-after": asked} if asked else {}, content=b"Too Many Requests")


_CHOICES: Sequence[tuple[Happening, float]] = (
    (_slow, 1),
    (_slow_answer, 1),
    (_not_connected, 3),
    (_reset, 3),
    (_lost, 3),
    (_timed_out, 0.5),
    (_answer_timed_out, 0.5),
    (_bad_gateway, 3),
    (_bad_gateway_after, 2),
    (_sign_in, 2),
    (_empty, 2),
    (_torn, 2),
    (_firewall, 1),
    (_gateway_404, 2),
    (_gateway_400, 1),
    (_unknown_error, 1),
    (_too_many, 3),
)
_HAPPENINGS = [happening for happening, _ in _CHOICES]
_WEIGHTS = [weight for _, weight in _CHOICES]
