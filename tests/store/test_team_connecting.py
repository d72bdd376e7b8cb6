"""The way to the team's database: TLS, logins and poolers, each failure told with what helps."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sectigo_tui.domain.errors import StoreError
from sectigo_tui.store.postgres.team_store import TeamStore
from support.postgres import Databases, execute, heard
from support.stored_orders import an_entry, an_order

HOST = "db.team.example"
"""Beyond loopback by its name; the address that goes with it is this host's."""

Serve = Callable[..., Awaitable[tuple[int, str]]]


class Authority:
    """A CA of a team's own."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._issue("Team CA", self._key, is_ca=True)

    def issue(self, host: str, days: int) -> tuple[bytes, bytes]:
        """Return a server's certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        pem = self._issue(host, key, days=days).public_bytes(Encoding.PEM)
        return pem, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def _issue(
        self, name: str, key: ec.EllipticCurvePrivateKey, *, is_ca: bool = False, days: int = 30
    ) -> x509.Certificate:
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Team CA")])
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now(UTC) - timedelta(days=60))
            .not_valid_after(datetime.now(UTC) + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-"))]), critical=False)
        )
        return builder.sign(self._key, hashes.SHA256())


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
async def serve(databases: Databases, authority: Authority, tmp_path: Path) -> AsyncIterator[Serve]:
    """Speak TLS for the database's server with a certificate of some name and validity.

    The server of the tests' wheel is built without TLS. Returns the port and the CA's file.
    """
    servers: list[asyncio.Server] = []
    passing: set[asyncio.Task[None]] = set()

    async def make(host: str = HOST, days: int = 30) -> tuple[int, str]:
        certificate, ca = tmp_path / "server.pem", tmp_path / "ca.pem"
        certificate.write_bytes(b"".join(authority.issue(host, days)))
        ca.write_bytes(authority.certificate.public_bytes(Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)

        async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            # Source: PostgreSQL's protocol: SSLRequest is answered with S, and TLS begins.
            assert await reader.readexactly(8) == struct.pack("!ii", 8, 80877103)
            writer.write(b"S")
            with suppress(OSError):
                await writer.start_tls(context)
                there, back = await asyncio.open_connection("127.0.0.1", port_of(databases.admin_url))
                for source, target in ((reader, back), (there, writer)):
                    passing.add(asyncio.create_task(pass_on(source, target)))

        servers.append(await asyncio.start_server(accept, "127.0.0.1", 0))
        return servers[-1].sockets[0].getsockname()[1], str(ca)

    yield make
    for server in servers:
        server.close()
    for task in passing:
        task.cancel()
    await asyncio.gather(*passing, return_exceptions=True)


async def pass_on(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await source.read(1 << 16):
            target.write(data)
    target.close()


def port_of(url: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(url)["port"])


def address(databases: Databases, port: int | str, **more: str) -> str:
    more = {"sslrootcert": more["ca"]} if "ca" in more else {}
    return psycopg.conninfo.make_conninfo(databases.new(), host=HOST, hostaddr="127.0.0.1", port=port, **more)


async def failure(url: str, directory: Path) -> str:
    with pytest.raises(StoreError) as caught:
        await (await TeamStore.open(url, "https://scm.test/api", "acme", directory)).let_go()
    return str(caught.value)


async def test_the_teams_own_ca_is_named_in_the_address_and_the_connection_verified(
    databases: Databases, serve: Serve, tmp_path: Path
) -> None:
    port, ca = await serve()
    store = await TeamStore.open(address(databases, port, ca=ca), "https://scm.test/api", "acme", tmp_path)
    assert store.account
    await store.let_go()


async def test_a_server_that_cannot_be_verified_is_refused_with_what_helps(
    databases: Databases, serve: Serve, tmp_path: Path
) -> None:
    port, ca = await serve()
    unknown = await failure(address(databases, port), tmp_path)
    assert "of no CA that is trusted" in unknown
    assert "?sslrootcert=/path/to/ca.pem" in unknown
    assert "sslrootcert" in await failure(address(databases, port, ca="/nonexistent/ca.pem"), tmp_path)

    port, ca = await serve(host="other.example")
    assert "name the host as its certificate does" in await failure(address(databases, port, ca=ca), tmp_path)
    port, ca = await serve(days=-1)
    assert "not valid now" in await failure(address(databases, port, ca=ca), tmp_path)

    plain = port_of(databases.admin_url)
    if execute(databases.admin_url, "show ssl") == [("off",)]:
        assert "switch TLS on there (ssl = on)" in await failure(address(databases, plain, ca=ca), tmp_path)


async def test_a_login_that_is_not_let_in_is_told_why_and_what_helps(databases: Databases, tmp_path: Path) -> None:
    url, role = databases.new(), f"few_{uuid4().hex[:8]}"
    execute(databases.admin_url, f"create role {role} login connection limit 0")

    def changed(**parts: str) -> str:
        return psycopg.conninfo.make_conninfo(url, **parts)

    try:
        assert "rejects the login" in await failure(changed(user=f"not_{role}"), tmp_path)
        assert "create it, or name another" in await failure(changed(dbname=f"not_{role}"), tmp_path)
        assert "takes no more connections" in await failure(changed(user=role), tmp_path)
        execute(databases.admin_url, f"alter role {role} connection limit 9")
        assert "lacks the right" in await failure(changed(user=role), tmp_path)
    finally:
        execute(databases.admin_url, f"drop role {role}")


@pytest.fixture
def pooler(databases: Databases, tmp_path: Path) -> Iterator[Callable[[str], int]]:
    """Run pgbouncer in some mode; returns its port."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed")
    server = psycopg.conninfo.conninfo_to_dict(databases.admin_url)
    running: list[subprocess.Popen[bytes]] = []

    def run(mode: str) -> int:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        directory = Path(tempfile.mkdtemp(prefix="sectigo-tui-pooler-"))
        directory.chmod(0o755)
        (directory / "pgbouncer.ini").write_text(
            f"[databases]\n* = host={server['host']} port={server['port']} user={server['user']}\n[pgbouncer]\n"
            f"listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = {mode}\n"
        )
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        running.append(subprocess.Popen([program, "-q", *user, str(directory / "pgbouncer.ini")]))
        for _ in range(500):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return port
            time.sleep(0.01)
        raise AssertionError(mode)

    yield run
    for process in running:
        process.kill()
        process.wait()


async def test_pgbouncer_is_refused_where_it_shares_sessions_and_works_where_it_does_not(
    databases: Databases, pooler: Callable[[str], int], tmp_path: Path
) -> None:
    url = databases.new()
    for mode in ("transaction", "statement"):
        refused = await failure(psycopg.conninfo.make_conninfo(url, port=pooler(mode)), tmp_path)
        assert "pgbouncer" in refused
        assert "pool_mode = session" in refused
    through = psycopg.conninfo.make_conninfo(url, port=pooler("session"))
    here, there = [await TeamStore.open(through, "https://scm.test/api", "acme", tmp_path) for _ in range(2)]
    stored = await here.put(an_order(), an_entry(an_order()))
    await heard(there)
    assert (await there.changes()).orders == (stored,)
    assert await here.lease(["a"], 3600) == {"a"}
    await here.let_go()
    while not await there.lease(["a"], 15):
        there.forget_holder()
        await asyncio.sleep(0.02)
    await there.let_go()
