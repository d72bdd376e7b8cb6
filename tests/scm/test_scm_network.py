"""Faults that only a real socket has: what each becomes, and whether the request may have arrived."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from scm_support import CALLS, CREDENTIALS, ENROLL, RawServer, serving, talking

from sectigo_tui.domain.clock import SystemClock
from sectigo_tui.domain.errors import (
    ConfigError,
    CredentialsRefused,
    RateLimited,
    ScmFailure,
    ServerFailure,
    Unreachable,
    Unreadable,
)
from sectigo_tui.scm import environment as proxies
from sectigo_tui.scm.client import ScmClient
from sectigo_tui.scm.http import Timeouts, tls_context

QUICK = Timeouts(connect_seconds=5, read_seconds=0.2, whole_seconds=5)


@pytest.fixture(autouse=True)
def no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


def client_to(port: int, timeouts: Timeouts = QUICK, *, scheme: str = "http", ca: Path | None = None) -> ScmClient:
    return ScmClient(f"{scheme}://127.0.0.1:{port}/api", CREDENTIALS, SystemClock(), timeouts=timeouts, ca_bundle=ca)


def http(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def failure_of(raw: RawServer, call: str = "types", timeouts: Timeouts = QUICK) -> ScmFailure:
    scm = client_to(raw.port, timeouts)
    try:
        with pytest.raises(ScmFailure) as failed:
            await CALLS[call](scm)
    finally:
        await scm.aclose()
    assert "canary" not in f"{failed.value!r} {failed.value.reason}"
    assert failed.value.__cause__ is None
    return failed.value


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
GZIPPED = gzip.compress(b"[]" + b" " * 50_000)
BOMB = gzip.compress(b" " * 30_000_000)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(http(b"[]", length=50), "cut off", id="too long a Content-Length"),
        pytest.param(CHUNKED + b"2\r\n[", "cut off", id="half a chunk"),
        pytest.param(CHUNKED + b"zz\r\n[]\r\n", "cut off", id="no chunk"),
        pytest.param(http(b"[]", "Content-Encoding: gzip"), "damaged", id="not gzip"),
        pytest.param(http(GZIPPED[:-12], "Content-Encoding: gzip"), "compressed body is cut off", id="half a gzip"),
        pytest.param(http(GZIPPED[:-8] + b"\0" * 8, "Content-Encoding: gzip"), "damaged", id="damaged gzip"),
        pytest.param(http(b"[]", "Content-Encoding: br"), "not asked for", id="a compression not asked for"),
        pytest.param(http(b"", length=1_000_000_000), "too large .1000000000 bytes", id="1 GB published"),
        pytest.param(CHUNKED + (b"100000\r\n" + b" " * 1_048_576 + b"\r\n") * 11, "too large", id="11 MB in chunks"),
        pytest.param(http(BOMB, "Content-Encoding: gzip"), "too large", id="a gzip of 30 MB"),
    ],
)
async def test_a_torn_or_huge_answer_is_unreadable(answer: bytes, reason: str) -> None:
    async with serving(answer) as raw:
        failure = await failure_of(raw)
        assert raw.connections == 1
    assert type(failure) is Unreadable
    assert (failure.http_status, failure.sent) == (200, True)
    assert reason.replace(".", "(") in failure.reason


@pytest.mark.parametrize(
    ("status", "kind"),
    [("401 Unauthorized", CredentialsRefused), ("429 Too Many", RateLimited), ("503 Busy", ServerFailure)],
)
async def test_an_error_counts_by_its_status_though_its_body_is_torn(status: str, kind: type[ScmFailure]) -> None:
    async with serving(http(b"{", "Retry-After: 7", status=status, length=500)) as raw:
        failure = await failure_of(raw)
    assert type(failure) is kind
    assert not isinstance(failure, RateLimited) or failure.retry_after_seconds == 7


@pytest.mark.parametrize(
    ("answer", "hang"),
    [
        pytest.param(b"", False, id="closed without an answer"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", False, id="not HTTP"),
        pytest.param(b"HTTP/1.1 200", False, id="half a status line"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", True, id="slow headers"),
        pytest.param(b"", True, id="silence"),
        pytest.param(http(b"[", length=2), True, id="a body that stops"),
    ],
)
@pytest.mark.parametrize("call", ["types", "enroll"])
async def test_no_whole_answer_is_unreachable_and_the_request_may_have_arrived(
    answer: bytes, hang: bool, call: str
) -> None:
    async with serving(answer, hang=hang) as raw:
        failure = await failure_of(raw, call)
        assert raw.connections == 1
    assert type(failure) is Unreachable
    assert failure.sent


async def test_a_reset_after_sending_may_have_arrived() -> None:
    async with serving(b"", reset=True) as raw:
        failure = await failure_of(raw, "enroll")
    assert type(failure) is Unreachable
    assert failure.sent


async def test_an_answer_in_drips_ends_at_the_whole_time() -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not raw.over.is_set():
            writer.write(b" ")
            await writer.drain()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(raw.over.wait(), 0.02)

    async with talking(drip) as raw:
        scm = client_to(raw.port, Timeouts(5, 5, whole_seconds=0.3))
        with pytest.raises(Unreachable, match=r"no whole answer within 0\.3 s"):
            await scm.types()
        await scm.aclose()


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.mark.parametrize("call", CALLS)
async def test_a_refused_connection_sent_nothing(call: str, closed_port: int) -> None:
    scm = client_to(closed_port)
    with pytest.raises(Unreachable, match=f"127.0.0.1:{closed_port} refused the connection") as failed:
        await CALLS[call](scm)
    assert not failed.value.sent
    await scm.aclose()


async def test_a_name_that_does_not_resolve_sent_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    scm = ScmClient("https://no-such-host.invalid/api", CREDENTIALS, SystemClock(), timeouts=QUICK)
    with pytest.raises(Unreachable, match=r"the name of no-such-host\.invalid cannot be resolved: Name or") as failed:
        await scm.types()
    assert not failed.value.sent
    await scm.aclose()


@pytest.mark.parametrize("host", ["a" * 64 + ".example", "xn--\udce4.example", "a..b"])
async def test_a_host_that_is_no_name_is_a_failure_like_others(host: str) -> None:
    scm = ScmClient(f"https://{host}/api", CREDENTIALS, SystemClock(), timeouts=QUICK)
    with pytest.raises(Unreachable):
        await scm.types()
    await scm.aclose()


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectTimeout("x"),
        httpx.PoolTimeout("x"),
        httpx.ProxyError("407 Proxy Authentication Required"),
        httpx.UnsupportedProtocol("x"),
        httpx.ConnectError("x"),
    ],
)
async def test_what_fails_before_sending_is_known_not_to_have_arrived(error: Exception) -> None:
    failure = await _failure_by(error)
    assert not failure.sent


@pytest.mark.parametrize(
    "error",
    [
        httpx.WriteTimeout("x"),
        httpx.WriteError("x"),
        httpx.ReadError("x"),
        httpx.CloseError("x"),
        httpx.RemoteProtocolError("x"),
        httpx.LocalProtocolError("Illegal header value b's3cret-canary'"),
        httpx.DecodingError("x"),
        httpx.TooManyRedirects("x"),
        OSError("x"),
        ssl.SSLError("x"),
        RuntimeError("the pool is closed"),
        ValueError("x"),
    ],
)
async def test_whatever_else_fails_may_have_arrived(error: Exception) -> None:
    failure = await _failure_by(error)
    assert failure.sent
    assert "canary" not in str(failure)


async def _failure_by(error: Exception) -> ScmFailure:
    def handler(_: httpx.Request) -> httpx.Response:
        raise error

    scm = ScmClient("https://scm.example", CREDENTIALS, SystemClock(), transport=httpx.MockTransport(handler))
    with pytest.raises(Unreachable) as failed:
        await scm.types()
    return failed.value


async def test_an_untrusted_certificate_sends_nothing_and_a_trusted_one_is_used(tmp_path: Path) -> None:
    bundle = _make_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle)

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(http(b"[]"))

    async with talking(talk, context) as raw:
        suspicious = client_to(raw.port, Timeouts(), scheme="https")
        with pytest.raises(Unreachable, match=r"is not trusted: self.signed certificate") as failed:
            await suspicious.types()
        assert not failed.value.sent
        assert not raw.requests
        trusting = client_to(raw.port, Timeouts(), scheme="https", ca=bundle)
        assert await trusting.types() == ()
        await suspicious.aclose()
        await trusting.aclose()


@pytest.mark.parametrize("content", [None, b"not PEM"])
async def test_an_unusable_ca_bundle_sends_nothing(tmp_path: Path, content: bytes | None) -> None:
    bundle = tmp_path / "ca.pem"
    if content is not None:
        bundle.write_bytes(content)
    scm = ScmClient("https://scm.example", CREDENTIALS, SystemClock(), ca_bundle=bundle)
    with pytest.raises(Unreachable, match="cannot be set up") as failed:
        await scm.types()
    assert not failed.value.sent


async def test_a_proxy_that_refuses_gets_its_own_password_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(http(b"", status="407 Proxy Authentication Required")) as raw:
        monkeypatch.setenv("https_proxy", f"http://user:proxy-pass@127.0.0.1:{raw.port}")
        scm = ScmClient("https://scm.example/api", CREDENTIALS, SystemClock(), timeouts=QUICK)
        with pytest.raises(
            Unreachable, match=r"the proxy http://127\S+ \(https_proxy\) did not reach scm\.example: 407 Proxy Auth"
        ) as failed:
            await scm.enroll(ENROLL)
        await scm.aclose()
    assert not failed.value.sent
    assert "proxy-pass" not in str(failed.value)
    assert raw.requests[0].startswith(b"CONNECT scm.example:443 ")
    assert b"canary" not in raw.requests[0]


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
@pytest.mark.parametrize(
    ("proxy", "reason"),
    [
        ("ftp://user:proxy-pass@127.0.0.1:1", "a proxy of the kind ftp"),
        ("socks4://user:proxy-pass@127.0.0.1:1", "a proxy of the kind socks4"),
        ("http://user:proxy-pass@", "names no host"),
        ("http://:3128", "names no host"),
        ("http://user:proxy-pass@proxy.example:port", "no number from 1 to 65535"),
        ("http://proxy.example:99999", "no number from 1 to 65535"),
        ("http://proxy.example:0", "no usable port"),
        ("http://user:proxy/pass@proxy.example:3128", "no number from 1 to 65535"),
        ("http://proxy.example:3128/path", "something follows"),
        ("http://[::1", "host is not valid"),
        ("http://pro xy.example", "names no host"),
        ("https//proxy.example", "something follows"),
    ],
)
def test_a_malformed_proxy_is_named_by_its_variable(
    name: str, proxy: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, proxy)
    with pytest.raises(ConfigError, match=reason) as failed:
        ScmClient("https://scm.example/api", CREDENTIALS, SystemClock())
    assert failed.value.key == name
    assert "proxy-pass" not in str(failed.value)
    assert "pass@" not in str(failed.value)


def test_a_socks_proxy_is_said_to_need_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxies, "_has_socks", lambda: False)
    monkeypatch.setenv("ALL_PROXY", "socks5h://user:proxy-pass@127.0.0.1:1080")
    with pytest.raises(ConfigError) as failed:
        ScmClient("https://scm.example/api", CREDENTIALS, SystemClock())
    assert str(failed.value) == (
        "ALL_PROXY (environment): names a SOCKS proxy, socks5h://127.0.0.1:1080, which is not supported without the "
        "extra `socks`; pip install 'sectigo-tui[socks]', or name an http proxy"
    )


async def through(proxy: str, monkeypatch: pytest.MonkeyPatch) -> ScmFailure:
    """Return what comes of an enroll through a proxy."""
    monkeypatch.setenv("HTTPS_PROXY", proxy)
    scm = ScmClient("https://scm.example/api", CREDENTIALS, SystemClock(), timeouts=QUICK)
    with pytest.raises(Unreachable) as failed:
        await scm.enroll(ENROLL)
    await scm.aclose()
    return failed.value


async def test_a_proxy_that_refuses_the_connection_is_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    failure = await through(f"http://user:proxy-pass@127.0.0.1:{port}", monkeypatch)
    assert failure.reason == f"the proxy http://127.0.0.1:{port} (HTTPS_PROXY) refused the connection"
    assert not failure.sent


async def test_a_proxy_whose_name_is_unknown_is_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    failure = await through("http://proxy.invalid:3128", monkeypatch)
    assert failure.reason.startswith("the name of the proxy http://proxy.invalid:3128 (HTTPS_PROXY) cannot be resolved")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (http(b"", status="403 Forbidden"), "did not reach scm.example: 403 Forbidden"),
        (http(b"", status="502 Bad Gateway"), "did not reach scm.example: 502 Bad Gateway"),
        (b"", "closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "closed the connection without an answer, or its answer is not HTTP"),
    ],
)
async def test_a_proxy_that_lets_nothing_through_is_what_is_named(
    answer: bytes, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serving(answer) as raw:
        failure = await through(f"http://127.0.0.1:{raw.port}", monkeypatch)
    assert failure.reason.startswith(f"the proxy http://127.0.0.1:{raw.port} (HTTPS_PROXY) ")
    assert told in failure.reason
    assert not failure.sent, "nothing reached SCM: an order may be placed again"


async def test_a_proxy_that_is_silent_is_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(b"", hang=True) as raw:
        failure = await through(f"http://127.0.0.1:{raw.port}", monkeypatch)
    assert failure.reason == f"the proxy http://127.0.0.1:{raw.port} (HTTPS_PROXY) did not answer in time"
    assert not failure.sent


async def test_what_fails_behind_a_proxy_names_the_server_and_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    async with serving(b"HTTP/1.1 200 Connection established\r\n\r\n") as raw:
        failure = await through(f"http://127.0.0.1:{raw.port}", monkeypatch)
    assert f"scm.example (through the proxy http://127.0.0.1:{raw.port} (HTTPS_PROXY))" in failure.reason
    assert not failure.sent


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_trusted_certificates_that_are_missing_are_named_with_their_variable(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / ("a-long-name-" * 12) / "ca"
    monkeypatch.setenv(name, str(missing))
    with pytest.raises(ConfigError, match=f"{name} .environment.: {missing} cannot be read: No such file"):
        ScmClient("https://scm.example/api", CREDENTIALS, SystemClock())
    ScmClient("https://scm.example/api", CREDENTIALS, SystemClock(), ca_bundle=Path(__file__))
    ScmClient("http://127.0.0.1:1/api", CREDENTIALS, SystemClock())


async def test_trusted_certificates_that_are_none_are_named_with_their_variable_uncut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ("a-long-name-" * 12)
    file.write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    tls_context.cache_clear()
    scm = ScmClient("https://scm.example/api", CREDENTIALS, SystemClock())
    with pytest.raises(Unreachable, match=f"cannot be set up: SSL_CERT_FILE={file}: "):
        await scm.types()


async def test_a_connection_is_kept_and_a_netrc_password_is_not_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password netrc-canary\n")
    monkeypatch.setenv("NETRC", str(netrc))

    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(http(gzip.compress(b"[]"), "Content-Encoding: gzip"))

    async with talking(talk) as raw:
        scm = client_to(raw.port)
        assert await scm.types() == ()
        assert await scm.types() == ()
        await scm.aclose()
    assert (raw.connections, len(raw.requests)) == (1, 2)
    assert b"authorization" not in b"".join(raw.requests).lower()


async def test_after_closing_nothing_is_sent() -> None:
    async with serving(http(b"[]")) as raw:
        scm = client_to(raw.port)
        await scm.types()
        await scm.aclose()
        with pytest.raises(Unreachable, match="closed by this program") as failed:
            await scm.types()
        assert not failed.value.sent
        assert raw.connections == 1


async def test_closing_ends_a_request_in_flight_with_a_failure() -> None:
    async with serving(b"", hang=True) as raw:
        scm = client_to(raw.port, Timeouts(5, 5, 5))
        request = asyncio.create_task(scm.types())
        await raw.asked.wait()
        await scm.aclose()
        with pytest.raises(Unreachable):
            await request


def _make_certificate(folder: Path) -> Path:
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "loopback.pem"
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
