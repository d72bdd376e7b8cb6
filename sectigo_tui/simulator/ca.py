"""A CA of the simulator's own: real certificates for the keys of the CSRs it gets.

The same seed makes the same keys, serials and signatures, so the same order has the same fingerprints in every run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from sectigo_tui.simulator.account import Organization
from sectigo_tui.simulator.csr import read_csr
from sectigo_tui.simulator.orders import Order
from sectigo_tui.simulator.world import World


def certificate(world: World, order: Order) -> x509.Certificate | None:
    """Return the certificate of an order, or None while it has none.

    An order that came without a CSR gets a key of the CA's making.
    """
    course = world.course(order)
    if course.issued is None or course.expires is None:
        return None
    key = read_csr(order.csr).public_key if order.csr else world.ca.key(f"order/{order.ssl_id}").public_key()
    return world.ca.issue(
        public_key=key,
        names=order.names,
        level=order.profile.level,
        organization=world.account.organization(order.organization_id),
        serial=world.serial(order),
        issued=course.issued,
        expires=course.expires,
    )


FORMATS = frozenset({"x509", "pem", "x509R", "x509CO", "pemco", "x509IO", "x509IOR", "pemia", "base64", "bin"})
"""What collecting can be asked for. Source: SCM manual 25.5, "Collect SSL certificate"."""

_SINCE = datetime(2021, 3, 1, tzinfo=UTC)
_UNTIL = datetime(2046, 2, 28, 23, 59, 59, tzinfo=UTC)
_ECDSA_SHA256 = bytes.fromhex("300a06082a8648ce3d040302")
_POLICIES = {"DV": "2.23.140.1.2.1", "OV": "2.23.140.1.2.2", "EV": "2.23.140.1.1"}
_LONGEST_NAME = 64
_REMEMBERED = 2_000


class CertificateAuthority:
    """A root and an intermediate that sign leaves.

    Args:
        seed: Decides the keys.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._issued: dict[int, x509.Certificate] = {}
        self._root_key = self.key("root")
        self._issuer_key = self.key("intermediate")
        root_name = _name("Simulated Root CA R1")
        root = _authority(subject=root_name, issuer=root_name, key=self._root_key, serial=1)
        self.root = self._sign(root, self._root_key)
        issuer = _authority(
            subject=_name("Simulated Organization Validation Secure Server CA"),
            issuer=root_name,
            key=self._issuer_key,
            serial=2,
            path_length=0,
            issuer_key=self._root_key,
        )
        self.issuer = self._sign(issuer, self._root_key)

    def key(self, label: str) -> ec.EllipticCurvePrivateKey:
        """Return the key of a label, the same at every call."""
        order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
        digest = hashlib.sha512(f"{self._seed}/{label}".encode()).digest()
        return ec.derive_private_key(int.from_bytes(digest) % (order - 1) + 1, ec.SECP256R1())

    def issue(
        self,
        *,
        public_key: CertificatePublicKeyTypes,
        names: Sequence[str],
        level: str,
        organization: Organization | None,
        serial: int,
        issued: datetime,
        expires: datetime,
    ) -> x509.Certificate:
        """Return the certificate with a serial number, signing it when it is first asked for.

        Args:
            public_key: The CSR's.
            names: Host names, the common one first.
            level: DV, OV or EV.
            organization: Whom OV and EV name.
            serial: Its serial number.
            issued: Its first second.
            expires: Its last.
        """
        if serial in self._issued:
            return self._issued[serial]
        hosts = [x509.DNSName(host) for host in (_ascii(name) for name in names) if host]
        builder = (
            x509.CertificateBuilder()
            .subject_name(_subject(names[0], level, organization))
            .issuer_name(self.issuer.subject)
            .public_key(public_key)
            .serial_number(serial)
            .not_valid_before(issued)
            .not_valid_after(expires)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._issuer_key.public_key()), critical=False
            )
            .add_extension(
                x509.CertificatePolicies([x509.PolicyInformation(ObjectIdentifier(_POLICIES[level]), None)]),
                critical=False,
            )
        )
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        if len(self._issued) >= _REMEMBERED:
            self._issued.pop(next(iter(self._issued)))
        self._issued[serial] = self._sign(builder, self._issuer_key)
        return self._issued[serial]

    def bundle(self, leaf: x509.Certificate, form: str, *, root_first: bool = True) -> bytes:
        """Return a certificate as collecting delivers it.

        Args:
            leaf: The certificate.
            form: One of `FORMATS`.
            root_first: Whether `x509` and `pem` begin with the root.

        Source: SCM manual 25.5, "Collect SSL certificate", and production clients for the order of the chain.
        """
        chain = [self.root, self.issuer, leaf]
        if form in {"base64", "bin"}:
            encoding = Encoding.DER if form == "bin" else Encoding.PEM
            return pkcs7.serialize_certificates(chain, encoding)
        parts = {
            "x509R": chain[::-1],
            "x509CO": chain[2:],
            "pemco": chain[2:],
            "x509IO": chain[:2],
            "x509IOR": chain[1::-1],
            "pemia": chain[:0:-1],
        }.get(form, chain if root_first else chain[::-1])
        pem = b"".join(one.public_bytes(Encoding.PEM) for one in parts)
        return pem.replace(b"\n", b"\r\n") if form.startswith("x509") else pem

    def _sign(self, builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        signed = builder.sign(key, hashes.SHA256())
        body = signed.tbs_certificate_bytes
        try:
            signature = key.sign(body, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        except UnsupportedAlgorithm:
            # An OpenSSL before 3.2: the certificate is as good, its fingerprints differ from run to run.
            return signed
        content = body + _ECDSA_SHA256 + _der(0x03, b"\0" + signature)
        return x509.load_der_x509_certificate(_der(0x30, content))


def _authority(
    *,
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    serial: int,
    path_length: int | None = None,
    issuer_key: ec.EllipticCurvePrivateKey | None = None,
) -> x509.CertificateBuilder:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(_SINCE)
        .not_valid_after(_UNTIL)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer_key is not None:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        builder = builder.add_extension(identifier, critical=False)
    return builder


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "GB"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Sectigo Simulator"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _subject(common_name: str, level: str, organization: Organization | None) -> x509.Name:
    attributes = []
    if level != "DV" and organization is not None:
        attributes += [
            x509.NameAttribute(NameOID.COUNTRY_NAME, organization.country),
            x509.NameAttribute(NameOID.LOCALITY_NAME, organization.city),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization.name),
        ]
    if level == "EV" and organization is not None:
        attributes += [
            x509.NameAttribute(NameOID.BUSINESS_CATEGORY, "Private Organization"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, f"{organization.id:08d}"),
        ]
    host = _ascii(common_name)
    if host and len(host) <= _LONGEST_NAME:
        attributes.append(x509.NameAttribute(NameOID.COMMON_NAME, host))
    return x509.Name(attributes)


def _ascii(name: str) -> str:
    """Return a host name as a certificate writes it; blank for what is no host name, which orders can hold too."""
    try:
        return name.encode("idna").decode() if not name.isascii() else name if name.isprintable() else ""
    except UnicodeError:
        return ""


def _der(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes((tag, size)) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes((tag, 0x80 | len(length))) + length + content
