"""The simulator as an ASGI application: credentials, faults and the log of requests around the API.

In process, a client reaches it without a port::

    world = World.seeded(7, issued=500)
    client = httpx.AsyncClient(transport=httpx.ASGITransport(create_app(world)), base_url="http://scm.test/api")

(the headers of `world.account.credentials` are missing here).
"""

import hmac
import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sectigo_tui.simulator.control import control_routes
from sectigo_tui.simulator.endpoints import Api
from sectigo_tui.simulator.faults import Fault
from sectigo_tui.simulator.requests import ApiError
from sectigo_tui.simulator.traffic import Request
from sectigo_tui.simulator.world import World

CLOSE = "sectigo_tui.simulator.close"
"""Under this key of its scope, a request may find a function that closes its connection at once."""

_PAGE = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr><center>nginx</center></body></html>"
_LOOPBACK = frozenset({"127.0.0.1", "::1", "testclient"})


class ConnectionLostError(Exception):
    """The connection was closed without a whole answer; raised in process, where there is no connection to close."""


def create_app(world: World, *, lost: Callable[[], Exception] = ConnectionLostError) -> ASGIApp:
    """Make the application of a world.

    Args:
        world: The world.
        lost: Makes what is raised in process where a connection would be closed; a test of a client over
            `httpx.ASGITransport` gives one that makes an `httpx.RemoteProtocolError`.
    """
    inner = Starlette(
        routes=[Mount("/api", routes=Api(world).routes()), Mount("/_sim", routes=control_routes(world))],
        exception_handlers={ApiError: _rejection, HTTPException: _unknown_call},
    )
    inner.router.redirect_slashes = False
    return _Simulator(world, inner, lost)


@dataclass(slots=True)
class _Answer:
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes = b""

    @classmethod
    def of(cls, response: Response) -> "_Answer":
        return cls(response.status_code, list(response.raw_headers), bytes(response.body))

    @property
    def code(self) -> int | None:
        """SCM's code, where this is an error of SCM's."""
        if self.status < 400:
            return None
        try:
            code = json.loads(self.body)["code"]
        except (ValueError, KeyError, TypeError):
            return None
        return int(code) if isinstance(code, int | str) else None


class _Simulator:
    def __init__(self, world: World, inner: ASGIApp, lost: Callable[[], Exception]) -> None:
        self._world = world
        self._inner = inner
        self._lost = lost

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        path = scope["path"].rstrip("/") or "/"
        scope = {**scope, "path": path, "raw_path": path.encode()}
        if path.startswith("/_sim"):
            await self._control(scope, receive, send)
        else:
            await self._api(scope, receive, send)

    async def _control(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (scope.get("client") or ("127.0.0.1", 0))[0] not in _LOOPBACK:
            await Response(status_code=403)(scope, receive, send)
            return
        await self._inner(scope, receive, send)

    async def _api(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path, arrived = scope["method"], scope["path"], self._world.now()
        answer: _Answer | None = None
        code, ending = None, None
        self._world.traffic.begin()
        try:
            met = self._world.faults.meet(method, path)
            ending = next((fault for fault in met if fault.kind != "latency"), None)
            await self._wait(met, applies=False)
            if ending is None or ending.applies:
                answer = await self._done(scope, receive)
                code = answer.code
            await self._wait(met, applies=True)
            if ending is not None:
                answer = _faulty(ending, answer)
            if answer is None:
                await self._close(scope, receive)
                return
            await _send(scope, send, answer)
            if ending is not None and ending.kind == "torn":
                await self._close(scope, receive)
        finally:
            status, query = (answer.status if answer else None), scope["query_string"].decode("latin-1")
            kind = ending.kind if ending else None
            self._world.traffic.end(Request(arrived, method, path, query, status, code, kind))

    async def _wait(self, met: list[Fault], *, applies: bool) -> None:
        for fault in met:
            if fault.kind == "latency" and fault.applies == applies:
                await self._world.sleep(fault.seconds)

    async def _done(self, scope: Scope, receive: Receive) -> _Answer:
        rejection = self._credentials_refused(HttpRequest(scope)) or self._right_missing(scope["path"])
        if rejection is not None:
            return _Answer.of(rejection)
        answer = _Answer(500, [])

        async def keep(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer.status, answer.headers = message["status"], list(message["headers"])
            else:
                answer.body += message.get("body", b"")

        await self._inner(scope, receive, keep)
        return _in_words(answer) if self._world.dialect.words == "spaced" else answer

    def _credentials_refused(self, request: HttpRequest) -> Response | None:
        """Return the rejection of a request with wrong credentials, and count it."""
        credentials = self._world.account.credentials
        given = [request.headers.get(name, "") for name in ("customerUri", "login", "password")]
        expected = [credentials.customer_uri, credentials.login, credentials.password]
        right = all(hmac.compare_digest(one.encode(), two.encode()) for one, two in zip(given, expected, strict=True))
        if not right:
            credentials.failures += 1
        elif not credentials.locked:
            credentials.failures = 0
        if right and not credentials.locked:
            return None
        return _wrong_credentials()

    def _right_missing(self, path: str) -> Response | None:
        """Return the rejection of a call for which the administrator has no right; all else may be done.

        Source: SCM manual 25.5, "Errors"; 400 observed in production clients, 403 documented for `/usage/v1`.
        """
        for right in self._world.account.credentials.without:
            if path.startswith(f"/api/{_PATHS[right]}"):
                status = 403 if right == "usage" else 400
                body = {"code": -3, "description": f"You are not authorized to perform {right}."}
                return JSONResponse(body, status)
        return None

    async def _close(self, scope: Scope, receive: Receive) -> None:
        close = scope.get(CLOSE)
        if close is None:
            raise self._lost()
        close()
        # The server notices the end of the connection here, and so finds nothing missing from the answer.
        while (await receive())["type"] != "http.disconnect":
            pass


async def _send(scope: Scope, send: Send, answer: _Answer) -> None:
    body = b"" if scope["method"] == "HEAD" else answer.body
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    torn = any(name == b"content-length" and int(value) > len(answer.body) for name, value in answer.headers)
    await send({"type": "http.response.body", "body": body, "more_body": torn})


_PATHS = {
    "report": "report/",
    "dcv": "dcv/",
    "domains": "domain/",
    "organizations": "organization/",
    "usage": "usage/",
}
"""Where each right of `account.RIGHTS` is needed."""

_CODES = re.compile(r"[A-Z]+(_[A-Z]+)+")
_STATES = frozenset({"status", "orderStatus", "dcvStatus", "dcvOrderStatus", "backgroundStatus", "delegationStatus"})


def _in_words(answer: _Answer) -> _Answer:
    """Return an answer in the OpenAPI's words: states as words, codes as strings, `type` for `validationLevel`.

    Source: SCM OpenAPI 25.9.
    """
    try:
        document = json.loads(answer.body)
    except ValueError:
        return answer
    answer.body = json.dumps(_worded(document)).encode()
    length = (b"content-length", str(len(answer.body)).encode())
    answer.headers = [header for header in answer.headers if header[0] != length[0]] + [length]
    return answer


def _worded(value: object) -> object:
    if isinstance(value, list):
        return [_worded(one) for one in value]
    if not isinstance(value, dict):
        return value
    worded = {name: _worded(one) for name, one in value.items()}
    for name, one in value.items():
        if name in _STATES and isinstance(one, str) and _CODES.fullmatch(one):
            worded[name] = one.replace("_", " ").capitalize()
        if name == "code" and isinstance(one, int):
            worded[name] = str(one)
    if "validationLevel" in worded:
        worded["type"] = str(worded.pop("validationLevel")).removesuffix("_SSL")
    return worded


def _faulty(fault: Fault, done: _Answer | None) -> _Answer | None:
    """Return the answer that a fault makes of the real one, or None where it takes the connection."""
    if fault.kind in {"lost", "drop"}:
        return None
    if fault.kind == "torn":
        whole = done or _Answer(200, [])
        return _Answer(whole.status, whole.headers, whole.body[: len(whole.body) // 2])
    retry = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    made: dict[str, Callable[[], Response]] = {
        "unauthorized": _wrong_credentials,
        "rate-limit": lambda: Response("Too Many Requests", 429, retry, "text/plain"),
        "unavailable": lambda: Response(_PAGE.format("503 Service Unavailable"), 503, retry, "text/html"),
        "error": lambda: JSONResponse({"code": fault.code, "description": fault.description}, fault.status, retry),
        "html": lambda: Response(_PAGE.format("Please sign in"), 200, None, "text/html"),
        "empty": lambda: Response(b"", 200),
        "not-json": lambda: Response(b'{"sslId": 21000', 200, None, "application/json"),
        "wrong-json": lambda: JSONResponse({"result": ["unexpected", None, 1.5]}),
        "huge": lambda: Response(b"[" + b" " * fault.size, 200, None, "application/json"),
        "redirect": lambda: Response(b"", 302, {"Location": fault.location}),
    }
    return _Answer.of(made[fault.kind]())


def _wrong_credentials() -> Response:
    """Return the answer to wrong credentials. Source: SCM manual 25.5, "Errors"."""
    return JSONResponse({"code": -16, "description": "Unknown user"}, 401)


async def _rejection(_: HttpRequest, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - it is registered for nothing else
    return JSONResponse({"code": error.code, "description": error.description}, error.status)


async def _unknown_call(_: HttpRequest, error: Exception) -> Response:
    """Answer a path or method that the API does not have. Source: assumed."""
    assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for nothing else
    return JSONResponse({"code": -1, "description": error.detail}, error.status_code, error.headers)
