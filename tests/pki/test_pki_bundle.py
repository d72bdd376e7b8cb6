"""The leaf is found and the chain put in order, however a bundle comes."""

from __future__ import annotations

import random
import string
import warnings
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from sectigo_tui.domain.errors import CutBundle, InputError
from sectigo_tui.pki.bundle import parse_certificates, read_bundle, read_certificate


@dataclass(frozen=True)
class Identity:
    """A name and its key."""

    name: str
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def of(cls, name: str) -> Identity:
        return cls(name, ec.generate_private_key(ec.SECP256R1()))

    @property
    def subject(self) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])

    def csr_pem(self) -> str:
        builder = x509.CertificateSigningRequestBuilder().subject_name(self.subject)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


def certify(issuer: Identity, subject: Identity, *, ca: bool = False, sans: Sequence[x509.GeneralName] = ()) -> str:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject.subject)
        .issuer_name(issuer.subject)
        .public_key(subject.key.public_key())
        .serial_number(0xABC)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2026, 7, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if sans:
        builder = builder.add_extension(x509.SubjectAlternativeName(sans), critical=False)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()


OLD_ROOT, NEW_ROOT, ISSUING, SERVER, OTHER = map(
    Identity.of, ["Old Root", "New Root", "Issuing CA", "www.example.com", "other.example.com"]
)
OLD_SELF = certify(OLD_ROOT, OLD_ROOT, ca=True)
NEW_SELF = certify(NEW_ROOT, NEW_ROOT, ca=True)
CROSS = certify(OLD_ROOT, NEW_ROOT, ca=True)
INTERMEDIATE = certify(NEW_ROOT, ISSUING, ca=True)
LEAF = certify(ISSUING, SERVER, sans=[x509.DNSName("www.example.com"), x509.DNSName("example.com")])
OTHER_LEAF = certify(ISSUING, OTHER)

junk = st.text(string.ascii_letters + " :=\n-", max_size=40)


@given(
    order=st.permutations([LEAF, LEAF, INTERMEDIATE, NEW_SELF, INTERMEDIATE]),
    between=st.lists(junk, min_size=6, max_size=6),
    crlf=st.booleans(),
    with_csr=st.booleans(),
)
def test_in_any_order_with_repeats_and_text_between_the_leaf_is_the_leaf(
    order: list[str], between: list[str], crlf: bool, with_csr: bool
) -> None:
    text = between[0] + "".join(f"\n{pem}\n{words}" for pem, words in zip(order, between[1:], strict=True))
    data = (text.replace("\n", "\r\n") if crlf else text).encode()
    bundle = read_bundle(data, SERVER.csr_pem() if with_csr else "")
    assert bundle.leaf_pem == LEAF
    assert bundle.chain_pem == INTERMEDIATE + NEW_SELF
    assert bundle.full_chain_pem == LEAF + INTERMEDIATE + NEW_SELF


@given(order=st.permutations([LEAF, INTERMEDIATE, NEW_SELF, CROSS, OLD_SELF]))
def test_a_cross_signed_chain_leads_as_far_up_as_it_can(order: list[str]) -> None:
    bundle = read_bundle("".join(order).encode())
    assert bundle.leaf_pem == LEAF
    assert bundle.chain_pem == INTERMEDIATE + CROSS + OLD_SELF


def test_a_leaf_alone_has_no_chain() -> None:
    bundle = read_bundle(LEAF.encode())
    assert (bundle.leaf_pem, bundle.chain_pem) == (LEAF, "")


def test_certificates_of_another_chain_are_left_out() -> None:
    bundle = read_bundle((OLD_SELF + INTERMEDIATE + LEAF).encode())
    assert bundle.chain_pem == INTERMEDIATE


def test_the_csr_tells_which_of_two_certificates_was_ordered() -> None:
    data = (OTHER_LEAF + INTERMEDIATE + LEAF).encode()
    assert read_bundle(data, SERVER.csr_pem()).leaf_pem == LEAF
    assert read_bundle(data, OTHER.csr_pem()).leaf_pem == OTHER_LEAF


def test_an_impostor_of_the_same_name_is_not_the_issuer() -> None:
    impostor = certify(OLD_ROOT, Identity.of("Issuing CA"), ca=True)
    assert read_bundle((impostor + LEAF).encode()).chain_pem == ""


@pytest.mark.parametrize(
    ("data", "csr_pem", "reason"),
    [
        (OTHER_LEAF + LEAF, "", "2 certificates that could be the one ordered: CN=other.example.com and CN=www.ex"),
        (LEAF + INTERMEDIATE, OTHER.csr_pem(), "no certificate in the bundle is for the key of the order's CSR"),
        (certify(OLD_ROOT, SERVER) + LEAF, SERVER.csr_pem(), "2 certificates that could be the one ordered"),
        (NEW_SELF + INTERMEDIATE, "", "the bundle holds certificates of CAs only"),
        ("", "", "the bundle holds no certificate"),
        ("<html>wait</html>", "", "the bundle holds no certificate"),
        (SERVER.csr_pem(), "", "the bundle holds no certificate"),
        (LEAF.replace("MII", "MIIA", 1), "", "a certificate in the bundle is damaged"),
        (LEAF.replace("MII", "M!!", 1), "", "a certificate in the bundle is damaged"),
    ],
    ids=["two", "another key", "one key twice", "CAs", "nothing", "HTML", "CSR", "damaged", "not base64"],
)
def test_a_bundle_without_one_certain_leaf_is_refused(data: str, csr_pem: str, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        read_bundle(data.encode(), csr_pem)
    assert reason in caught.value.reason


def test_a_bundle_of_too_many_certificates_is_refused() -> None:
    many = "".join(certify(OTHER, Identity.of(str(number))) for number in range(33))
    with pytest.raises(InputError, match="more than 32 certificates"):
        read_bundle(many.encode())


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_pkcs7_is_read_too(encoding: Encoding) -> None:
    certificates = [x509.load_pem_x509_certificate(pem.encode()) for pem in (NEW_SELF, INTERMEDIATE, LEAF)]
    bundle = read_bundle(pkcs7.serialize_certificates(certificates, encoding))
    assert bundle.full_chain_pem == LEAF + INTERMEDIATE + NEW_SELF


def test_one_certificate_as_der_is_read_too() -> None:
    der = x509.load_pem_x509_certificate(LEAF.encode()).public_bytes(Encoding.DER)
    assert read_bundle(der).leaf_pem == LEAF


@given(seed=st.integers(0, 2**32), position=st.floats(0, 1))
def test_no_damage_is_answered_by_anything_but_a_refusal(seed: int, position: float) -> None:
    data = bytearray(pkcs7.serialize_certificates([x509.load_pem_x509_certificate(LEAF.encode())], Encoding.DER))
    data[min(int(position * len(data)), len(data) - 1)] = random.Random(seed).randrange(256)
    with warnings.catch_warnings(), suppress(InputError):
        warnings.simplefilter("error")
        assert read_bundle(bytes(data)).leaf_pem


def test_the_facts_are_the_leaf_s_own() -> None:
    facts = read_certificate((NEW_SELF + INTERMEDIATE + LEAF).encode(), SERVER.csr_pem())
    (leaf,) = parse_certificates(LEAF.encode())
    assert facts.subject == "CN=www.example.com"
    assert facts.issuer == "CN=Issuing CA"
    assert facts.subject_alternative_names == ("www.example.com", "example.com")
    assert facts.serial_number == "0ABC"
    assert (facts.not_before, facts.not_after) == (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 7, 1, tzinfo=UTC),
    )
    assert facts.key == "EC P-256"
    assert facts.sha256 == leaf.fingerprint(hashes.SHA256()).hex().upper()
    assert facts.sha1 == leaf.fingerprint(hashes.SHA1()).hex().upper()


@pytest.mark.parametrize("first", [LEAF, INTERMEDIATE], ids=["leaf", "intermediate"])
@pytest.mark.parametrize("with_csr", [True, False])
def test_a_bundle_that_was_cut_is_not_taken_wherever_it_was(first: str, with_csr: bool) -> None:
    whole = (first + (INTERMEDIATE if first == LEAF else LEAF)).encode()
    csr = SERVER.csr_pem() if with_csr else ""
    for end in range(len(first) + len("-----B"), len(whole) - 1):
        with pytest.raises(CutBundle):
            read_bundle(whole[:end], csr)
    assert read_bundle(whole[:-1], csr).chain_pem == INTERMEDIATE


def test_der_that_was_cut_is_not_taken() -> None:
    der = x509.load_pem_x509_certificate(LEAF.encode()).public_bytes(Encoding.DER)
    for end in (4, 100, len(der) - 1):
        with pytest.raises(CutBundle):
            read_bundle(der[:end])


@pytest.mark.parametrize("data", [LEAF, LEAF + NEW_SELF], ids=["alone", "with a certificate that is no issuer of it"])
def test_a_leaf_without_its_issuer_says_who_that_is(data: str) -> None:
    bundle = read_bundle(data.encode())
    assert bundle.facts.warning == "issuer CN=Issuing CA is not in the bundle"
    assert read_bundle((data + INTERMEDIATE).encode()).facts.warning == ""
