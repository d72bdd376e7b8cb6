"""A CSR is read whatever stands around it, and refused before SCM would."""

from __future__ import annotations

import base64
import codecs
import ipaddress
from contextlib import suppress
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sectigo_tui.domain.errors import InputError
from sectigo_tui.pki.csr import check_csr, key_allowed, read_csr

PROFILE = {"RSA": ("2048", "3072"), "EC": ("P-256",)}


def request_of(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey,
    common_name: str = "www.example.com",
) -> x509.CertificateSigningRequest:
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    if common_name:
        alternative = x509.SubjectAlternativeName(
            [
                x509.DNSName("*.example.com"),
                x509.IPAddress(ipaddress.ip_address("2001:db8::1")),
                x509.RFC822Name("a@example.com"),
                x509.UniformResourceIdentifier("https://example.com"),
            ]
        )
        builder = builder.add_extension(alternative, critical=False)
    return builder.sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256())


KEY = ec.generate_private_key(ec.SECP256R1())
REQUEST = request_of(KEY)
PEM = REQUEST.public_bytes(Encoding.PEM).decode()
DER = REQUEST.public_bytes(Encoding.DER)


def badly_signed() -> bytes:
    return DER[:-1] + bytes([DER[-1] ^ 1])


@pytest.mark.parametrize(
    "data",
    [
        PEM.encode(),
        PEM.replace("\n", "\r\n").encode(),
        f"Subject: CN=www\n\n  {PEM}\nregards".encode(),
        PEM.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST").encode(),
        PEM.replace("\n", "\n    ").encode(),
        DER,
    ],
    ids=["PEM", "CRLF", "text around", "NEW", "indented", "DER"],
)
def test_a_csr_is_read_in_every_wrapping(data: bytes) -> None:
    facts = read_csr(data)
    assert facts.common_name == "www.example.com"
    assert facts.subject_alternative_names == ("*.example.com", "2001:db8::1")
    assert facts.other_names == ("email:a@example.com", "URI:https://example.com")
    assert facts.key == "EC P-256"
    assert facts.signature_ok
    assert facts.pem == PEM
    check_csr(facts, PROFILE)


def test_what_is_sent_holds_nothing_of_what_stood_around() -> None:
    pasted = f"-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n{PEM}"
    assert read_csr(pasted.encode()).pem == PEM


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "there is no CSR in this"),
        (b"hello", "there is no CSR in this"),
        (PEM.encode() * 2, "there are 2 CSRs in this"),
        (PEM.encode()[:200], "the CSR has no end, or is something else"),
        (PEM.replace("MII", "MIX", 1).encode(), "the CSR is damaged"),
        (PEM.replace("MII", "M!I", 1).encode(), "the CSR is damaged"),
        (DER[:50], "the CSR is damaged"),
        (b"-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n", "this is a private key, not a CSR"),
        (b"-----BEGIN CERTIFICATE-----\nMII\n-----END CERTIFICATE-----\n", "this is a certificate, not a CSR"),
        (b"x" * 1_000_001, "this is too large to be a CSR"),
    ],
    ids=["nothing", "text", "two", "cut", "damaged", "not base64", "cut DER", "key", "certificate", "huge"],
)
def test_what_is_no_csr_is_said_to_be_none(data: bytes, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        read_csr(data)
    assert caught.value.reason == reason
    assert "canary" not in str(caught.value)


@given(position=st.integers(0, len(DER) - 1), value=st.integers(0, 255))
def test_damage_is_refused_or_seen_in_the_signature(position: int, value: int) -> None:
    damaged = bytearray(DER)
    damaged[position] = value
    text = base64.b64encode(damaged).decode()
    with suppress(InputError):
        facts = read_csr(f"-----BEGIN CERTIFICATE REQUEST-----\n{text}\n-----END CERTIFICATE REQUEST-----".encode())
        assert not facts.signature_ok or replace(facts, pem=PEM) == read_csr(DER)


def test_a_csr_not_signed_by_its_key_is_refused() -> None:
    facts = read_csr(badly_signed())
    assert not facts.signature_ok
    with pytest.raises(InputError, match="not signed by the key in it"):
        check_csr(facts, PROFILE)


def test_a_csr_that_names_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="the CSR names nothing"):
        check_csr(read_csr(request_of(KEY, "").public_bytes(Encoding.DER)), PROFILE)


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(public_exponent=65537, key_size=1024),
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["RSA 1024", "EC P-384", "Ed25519"],
)
def test_a_key_that_the_profile_does_not_offer_is_refused_with_those_that_it_does(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey, request: pytest.FixtureRequest
) -> None:
    facts = read_csr(request_of(key).public_bytes(Encoding.DER))
    with pytest.raises(InputError) as caught:
        check_csr(facts, PROFILE)
    assert caught.value.reason == f"the profile does not allow the CSR's key, {request.node.callspec.id}"
    assert caught.value.remedy == "make a key that it allows: RSA 2048, RSA 3072, EC P-256"
    check_csr(facts, {})


@pytest.mark.parametrize(
    ("key_types", "allowed"),
    [
        ({"EC": ("P-256",)}, True),
        ({"EC": ("p256",)}, True),
        ({"ECC": ("secp256r1",)}, True),
        ({"ecdsa": ("prime256v1",)}, True),
        ({"EC": ("P-384", "P-521")}, False),
        ({"RSA": ("256",)}, False),
    ],
)
def test_a_curve_is_known_by_each_of_its_names(key_types: dict[str, tuple[str, ...]], allowed: bool) -> None:
    assert key_allowed("EC", "P-256", key_types) == allowed


def test_a_text_that_was_saved_as_utf_16_is_read() -> None:
    for encoding in ("utf-16", "utf-16-le", "utf-16-be"):
        mark = {"utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE}.get(encoding, b"")
        assert read_csr(mark + PEM.replace("\n", "\r\n").encode(encoding)).pem == PEM
    assert read_csr(codecs.BOM_UTF8 + PEM.encode()).pem == PEM


def signed_with_sha_1(*, rightly: bool = True) -> bytes:
    """Return a CSR as `openssl req -sha1` makes it, which cryptography makes no more."""
    key = rsa.generate_private_key(65537, 2048)
    request = request_of(key)
    signed = request.tbs_certrequest_bytes
    signature = key.sign(signed if rightly else b"something else", padding.PKCS1v15(), hashes.SHA1())
    with_sha_256, with_sha_1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    return request.public_bytes(Encoding.DER).replace(with_sha_256, with_sha_1).replace(request.signature, signature)


def test_a_csr_signed_with_sha_1_is_no_false_one() -> None:
    facts = read_csr(signed_with_sha_1())
    assert facts.signature_ok
    assert facts.cautions == ("it is signed with SHA-1, an algorithm that CAs may refuse",)
    check_csr(facts, PROFILE)
    with pytest.raises(InputError, match="not signed by the key in it"):
        check_csr(read_csr(signed_with_sha_1(rightly=False)), PROFILE)


def test_a_csr_that_cannot_be_checked_is_told_and_may_be_sent() -> None:
    on_p_256, on_sect233k1 = bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2b8104001a")
    assert len(on_sect233k1) == 5
    unknown = DER.replace(b"\x06\x08" + on_p_256, b"\x06\x08" + bytes.fromhex("2b06010401868d7f"))
    facts = read_csr(unknown)
    assert facts.signature_ok is None
    assert [doubt for doubt in facts.cautions if "cannot be checked here" in doubt]
    check_csr(facts, {})


@pytest.mark.parametrize(
    ("key", "told"),
    [
        (ed25519.Ed25519PrivateKey.generate(), "Ed25519"),
        (dsa.generate_private_key(2048), "DSA"),
        (rsa.generate_private_key(65537, 1024), "RSA 1024"),
        (ec.generate_private_key(ec.SECP256K1()), "EC secp256k1"),
    ],
)
def test_a_key_that_public_cas_may_not_certify_is_told(key: Any, told: str) -> None:
    facts = read_csr(request_of(key).public_bytes(Encoding.PEM))
    assert facts.signature_ok
    (doubt,) = facts.cautions
    assert doubt.startswith(f"its key is {told}, which public CAs may not certify")
    assert read_csr(DER).cautions == ()


def test_names_of_other_kinds_are_named_and_apart() -> None:
    names = x509.SubjectAlternativeName(
        [
            x509.DNSName("www.example.com"),
            x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x0fweb@example.net"),
            x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])),
            x509.RegisteredID(x509.ObjectIdentifier("1.2.3.4")),
            x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
        ]
    )
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, critical=False)
    der = builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.DER)
    facts = read_csr(der)
    assert facts.subject_alternative_names == ("www.example.com", "192.0.2.1")
    others = ("otherName:1.3.6.1.4.1.311.20.2.3;web@example.net", "dirName:CN=somebody", "RID:1.2.3.4")
    assert facts.other_names == others
    # A kind that cryptography does not know hides no name either; the signature is then another's.
    rare = read_csr(der.replace(b"\x88\x03\x2a\x03\x04", b"\xa5\x03\x2a\x03\x04"))
    assert rare.subject_alternative_names == ("www.example.com", "192.0.2.1")
    assert rare.other_names == ("otherName", "dirName", "ediPartyName")


def test_every_common_name_is_read() -> None:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name) for name in ("a.example", " ", "b.example")])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(KEY, hashes.SHA256())
    facts = read_csr(request.public_bytes(Encoding.PEM))
    assert facts.common_names == ("a.example", "b.example")
    assert read_csr(DER).common_names == ()
