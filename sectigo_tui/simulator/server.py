"""The simulator on a real port of 127.0.0.1, for programs that speak HTTP.

`running` serves in the event loop of its caller, `served` in a thread of its own::

    async with running(world) as base_url: ...
    with served(world) as base_url: ...

The server's packages are in the extra `demo` and are imported when a server starts.
"""

import asyncio
import shlex
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, TextIO

from sectigo_tui.simulator.faults import Fault
from sectigo_tui.simulator.scenarios import make_world
from sectigo_tui.simulator.world import Dialect, World

if TYPE_CHECKING:
    import uvicorn

_GRACE_SECONDS = 0
_KEEP_ALIVE_SECONDS = 75


class MissingExtraError(Exception):
    """A package is missing that only the simulator needs; its text says how to install it."""

    def __init__(self) -> None:
        super().__init__("The simulator needs packages of the extra 'demo': pip install 'sectigo-tui[demo]'")


@asynccontextmanager
async def running(world: World, *, port: int = 0) -> AsyncIterator[str]:
    """Serve a world in the running event loop.

    Args:
        world: The world.
        port: The port of 127.0.0.1; 0 picks a free one.

    Yields:
        The base URL of its API.

    Raises:
        MissingExtraError: The extra is not installed.
        OSError: The port is taken.
    """
    with _bound(port) as listener:
        server = _server(world)
        task = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield _base_url(listener)
        finally:
            server.should_exit = True
            await task


@contextmanager
def served(world: World, *, port: int = 0) -> Iterator[str]:
    """Serve a world in a thread of its own, for callers without an event loop.

    Args:
        world: The world; while it is served, it is the thread's.
        port: The port of 127.0.0.1; 0 picks a free one.

    Yields:
        The base URL of its API.

    Raises:
        MissingExtraError: The extra is not installed.
        OSError: The port is taken.
    """
    with _bound(port) as listener:
        server = _server(world)
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listener])), name="simulator", daemon=True
        )
        thread.start()
        try:
            yield _base_url(listener)
        finally:
            server.should_exit = True
            thread.join()


def run_simulator(
    *,
    port: int = 0,
    speed: float = 1.0,
    seed: int = 7,
    scenario: str = "demo",
    faults: Sequence[str] = (),
    dialect: Dialect | None = None,
    without: Sequence[str] = (),
    out: TextIO,
) -> int:
    """Serve a scenario until SIGINT or SIGTERM.

    Args:
        port: The port of 127.0.0.1; 0 picks a free one.
        speed: How much faster than the real one the simulated time runs.
        seed: Decides everything that chance would.
        scenario: A name of `scenarios.SCENARIOS`.
        faults: Faults in force from the start, as `Fault.parse` reads them.
        dialect: Which variants of the answers are given.
        without: The rights that the administrator does not have.
        out: Gets the lines of a shell that point a client here.

    Returns:
        The exit status.

    Raises:
        MissingExtraError: The extra is not installed.
        OSError: The port is taken.
        ValueError: There is no such scenario or fault.
    """
    world = make_world(scenario, speed=speed, seed=seed, dialect=dialect)
    world.account.credentials.without.update(without)
    for text in faults:
        world.faults.add(Fault.parse(text))

    async def serve() -> None:
        ended = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, ended.set)
        async with running(world, port=port) as base_url:
            out.write("\n".join(environment_lines(world, base_url)) + "\n")
            out.flush()
            await ended.wait()

    asyncio.run(serve())
    return 0


def environment_lines(world: World, base_url: str) -> list[str]:
    """Return the shell commands after which a client of this environment reaches a world."""
    credentials = world.account.credentials
    values = {
        "CUSTOMER_URI": credentials.customer_uri,
        "LOGIN": credentials.login,
        "PASSWORD": credentials.password,
        "ORG_ID": str(world.account.organizations[0].id),
        "CERT_TYPE": str(world.account.profile_of("OV").id),
        "BASE_URL": base_url,
    }
    return [f"export CERTCTL_SECTIGO_{name}={shlex.quote(value)}" for name, value in values.items()]


@contextmanager
def _bound(port: int) -> Iterator[socket.socket]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
        yield listener


def _base_url(listener: socket.socket) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}/api"


def _server(world: World) -> "uvicorn.Server":
    try:
        import uvicorn
        from starlette.types import Receive, Scope, Send
        from uvicorn.protocols.http.h11_impl import H11Protocol

        from sectigo_tui.simulator.app import CLOSE, create_app
    except ImportError as error:
        raise MissingExtraError from error

    closers: dict[tuple[str, int], Callable[[], None]] = {}
    app = create_app(world)

    class Protocol(H11Protocol):
        """Lets the application close the connection of a request, by the client's address."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as its base does
            super().connection_made(transport)
            self.address: tuple[str, int] = transport.get_extra_info("peername")[:2]
            closers[self.address] = transport.close

        def connection_lost(self, exc: Exception | None) -> None:
            closers.pop(self.address, None)
            super().connection_lost(exc)

    class Server(uvicorn.Server):
        """Leaves signals to the program it is part of."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    async def with_close(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, CLOSE: closers[scope["client"]]}, receive, send)

    return Server(
        uvicorn.Config(
            with_close,
            http=Protocol,
            ws="none",
            lifespan="off",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            log_level="critical",
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
