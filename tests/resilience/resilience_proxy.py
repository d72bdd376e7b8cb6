"""A proxy on a loopback port between the client and the simulator, where the network and its gateways go wrong."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

_END = b"\r\n\r\n"


def http(body: bytes | str, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """Return an answer as it goes over the wire, whose length may be told wrong."""
    content = body.encode() if isinstance(body, str) else body
    told = len(content) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {told}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + _END + content


@dataclass(frozen=True, slots=True)
class Passage:
    """One request on its way, in the hands of a fault.

    Args:
        request: The whole request.
        writer: Towards the client.
        over: Set when the test is over.
        server: The simulator's host and port.
    """

    request: bytes
    writer: asyncio.StreamWriter
    over: asyncio.Event
    server: tuple[str, int]

    async def forward(self) -> bytes:
        """Let the simulator do what is asked for, and return its whole answer."""
        reader, writer = await asyncio.open_connection(*self.server)
        head, _, body = self.request.partition(_END)
        writer.write(re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head) + b"\r\nConnection: close" + _END + body)
        answer = await reader.read()
        writer.close()
        return answer

    def send(self, answer: bytes) -> None:
        """Send something to the client."""
        self.writer.write(answer)

    def reset(self) -> None:
        """Break the connection at once."""
        self.writer.transport.abort()

    async def hang(self) -> None:
        """Say nothing more."""
        await self.over.wait()


Fault = Callable[[Passage], Awaitable[None]]


async def no_fault(passage: Passage) -> None:
    """Pass everything on."""
    passage.send(await passage.forward())


def answering(answer: bytes) -> Fault:
    """Return a gateway that answers by itself, and asks SCM nothing."""

    async def fault(passage: Passage) -> None:
        passage.send(answer)

    return fault


def done_but(answer: bytes, *, then: Callable[[Passage], Awaitable[None]] | None = None) -> Fault:
    """Return what lets SCM do what is asked for, and answers something else."""

    async def fault(passage: Passage) -> None:
        await passage.forward()
        passage.send(answer)
        if then is not None:
            await then(passage)

    return fault


async def reset(passage: Passage) -> None:
    """Break the connection once the request is there."""
    passage.reset()


class FaultyProxy:
    """Passes requests on, or does to each what `fault` says.

    Attributes:
        fault: What happens to requests.
        deaf: What is sent as soon as a connection is there, before any request is read; None to read requests.
        requests: How many requests came.
        port: Where it listens.
    """

    def __init__(self, base_url: str) -> None:
        parts = urlsplit(base_url)
        self.fault: Fault = no_fault
        self.deaf: bytes | None = None
        self.requests = 0
        self.port = 0
        self._server = (parts.hostname or "", parts.port or 0)
        self._over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection: one request."""
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            if self.deaf is not None:
                writer.write(self.deaf)
                if not self.deaf:
                    writer.transport.abort()
            else:
                head = await reader.readuntil(_END)
                told = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
                body = await reader.readexactly(int(told[1])) if told else b""
                self.requests += 1
                await self.fault(Passage(head + body, writer, self._over, self._server))
            await writer.drain()
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()

    async def end(self) -> None:
        """Let go of what hangs."""
        self._over.set()
        await asyncio.gather(*self._tasks)


@asynccontextmanager
async def proxied(base_url: str) -> AsyncIterator[FaultyProxy]:
    """Stand before a server until the block ends."""
    proxy = FaultyProxy(base_url)
    listening = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.port = listening.sockets[0].getsockname()[1]
    async with listening:
        try:
            yield proxy
        finally:
            await proxy.end()
