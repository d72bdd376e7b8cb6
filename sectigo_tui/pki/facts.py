"""What cryptography's objects say, as text. Importing this imports cryptography."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from sectigo_tui.domain.certificates import CertificateFacts

_CURVE_NAMES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}

MALFORMED = (ValueError, TypeError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
"""What cryptography raises for damaged input: when it is loaded, or when a name, date or extension is asked for."""


@contextmanager
def without_warnings() -> Iterator[None]:
    """Keep quiet about BER, odd serials and odd names: the CA's business, and printed over the screen otherwise."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def certificate_facts(certificate: x509.Certificate) -> CertificateFacts:
    """Return what a certificate says."""
    serial = f"{certificate.serial_number:X}"
    return CertificateFacts(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        subject_alternative_names=alternative_names(certificate),
        serial_number=serial.zfill(len(serial) + len(serial) % 2),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        key=" ".join(filter(None, key_kind(certificate))),
        sha256=certificate.fingerprint(hashes.SHA256()).hex().upper(),
        sha1=certificate.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - shown because SCM shows it
    )


def key_kind(holder: x509.Certificate | x509.CertificateSigningRequest) -> tuple[str, str]:
    """Return a key's algorithm and size, such as `("RSA", "2048")` or `("EC", "P-256")`."""
    try:
        key = holder.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return "unknown", ""
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", str(key.key_size)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "EC", _CURVE_NAMES.get(key.curve.name, key.curve.name)
    return type(key).__name__.removesuffix("PublicKey"), ""


def public_key_der(holder: x509.Certificate | x509.CertificateSigningRequest) -> bytes | None:
    """Return a key's SubjectPublicKeyInfo, None for a key of an unknown algorithm."""
    try:
        return holder.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return None


def alternative_names(holder: x509.Certificate | x509.CertificateSigningRequest) -> tuple[str, ...]:
    """Return DNS names and addresses as text, and other kinds with their kind before; none when unreadable."""
    try:
        extension = holder.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (*MALFORMED, x509.ExtensionNotFound):
        return ()
    return tuple(_name_text(name) for name in extension.value)


def common_name(holder: x509.Certificate | x509.CertificateSigningRequest) -> str:
    """Return the subject's common name, the last where there are several, empty without one."""
    attributes = holder.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(attributes[-1].value) if attributes else ""


def _name_text(name: x509.GeneralName) -> str:
    if isinstance(name, x509.DNSName | x509.IPAddress):
        return str(name.value)
    if isinstance(name, x509.RFC822Name):
        return f"email:{name.value}"
    if isinstance(name, x509.UniformResourceIdentifier):
        return f"URI:{name.value}"
    return type(name).__name__
