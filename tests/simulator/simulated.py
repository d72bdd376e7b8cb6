"""A world whose clock a test moves, HTTP clients of it in the same process, and what to send to it."""

from __future__ import annotations

import functools
from datetime import UTC, datetime, timedelta

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from sectigo_tui.simulator.app import create_app
from sectigo_tui.simulator.world import Dialect, World

START = datetime(2026, 5, 4, 3, 12, tzinfo=UTC)


class Clock:
    """The real time of a test."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)


def new_world(*, seed: int = 11, dialect: Dialect | None = None) -> World:
    """Return a world in which time stands still until it is advanced."""
    return World(clock=Clock(), seed=seed, dialect=dialect)


def client_of(world: World, **headers: str) -> httpx.AsyncClient:
    """Return a client of a world, with the right credentials unless others are given."""
    credentials = world.account.credentials
    own = {"customerUri": credentials.customer_uri, "login": credentials.login, "password": credentials.password}
    app = create_app(world, lost=lambda: httpx.RemoteProtocolError("connection closed"))
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://scm.test/api", headers={**own, **headers}
    )


@functools.cache
def key(kind: str) -> ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey:
    """Return a private key: P-256, P-521, RSA-1024 or Ed25519."""
    if kind == "RSA-1024":
        return rsa.generate_private_key(public_exponent=65_537, key_size=1024)
    if kind == "Ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP521R1() if kind == "P-521" else ec.SECP256R1())


def csr_for(*names: str, kind: str = "P-256") -> str:
    """Return a CSR in PEM, the first name being the common one."""
    private_key = key(kind)
    hosts = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    builder = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])]))
        .add_extension(hosts, critical=False)
    )
    algorithm = None if isinstance(private_key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(private_key, algorithm).public_bytes(serialization.Encoding.PEM).decode()


def enrollment(name: str = "www.acme.example", **changes: object) -> dict[str, object]:
    """Return the body of an enrollment that is accepted, with changes; None takes a field away."""
    body: dict[str, object] = {
        "orgId": 1001,
        "csr": csr_for(name),
        "certType": 502,
        "term": 199,
        "subjAltNames": f"{name},alt.{name}",
        "comments": "",
        "externalRequester": "ops@acme.example",
        "dcvMode": "CNAME",
    }
    return {field: value for field, value in (body | changes).items() if value is not None}


def rejection(answer: httpx.Response) -> tuple[int, int]:
    """Return the HTTP status and SCM's code of an error."""
    assert set(answer.json()) == {"code", "description"}
    return answer.status_code, answer.json()["code"]
