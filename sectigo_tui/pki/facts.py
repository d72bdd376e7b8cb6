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
from cryptography.x509.oid import NameOID, PublicKeyAlgorithmOID

from sectigo_tui.domain.certificates import CertificateFacts
from sectigo_tui.pki.rare_names import rare_names

_CURVE_NAMES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}

_ORDERED_KINDS = (x509.DNSName, x509.IPAddress)
_TEXT_TAGS = frozenset({b"\x0c", b"\x13", b"\x16"})
"""DER's UTF8String, PrintableString and IA5String."""
_SHORT = 0x7F

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
        is_curve = _key_algorithm(holder) == PublicKeyAlgorithmOID.EC_PUBLIC_KEY
        return ("EC", "of an unknown curve") if is_curve else ("unknown", "")
    if isinstance(key, rsa.RSAPublicKey):
        is_pss = _key_algorithm(holder) == PublicKeyAlgorithmOID.RSASSA_PSS
        return "RSA-PSS" if is_pss else "RSA", str(key.key_size)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "EC", _CURVE_NAMES.get(key.curve.name, key.curve.name)
    return type(key).__name__.removesuffix("PublicKey"), ""


def _key_algorithm(holder: x509.Certificate | x509.CertificateSigningRequest) -> x509.ObjectIdentifier:
    # cryptography's stub leaves it out for requests, which have it since 43.
    algorithm: x509.ObjectIdentifier = holder.public_key_algorithm_oid  # type: ignore[union-attr]
    return algorithm


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


def names_by_kind(holder: x509.CertificateSigningRequest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the DNS names and addresses that are asked for, and the names of other kinds, each with its kind."""
    try:
        extension = holder.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return (), ()
    except x509.UnsupportedGeneralNameType:
        return rare_names(holder)
    ordered = [name for name in extension.value if isinstance(name, _ORDERED_KINDS)]
    others = [name for name in extension.value if not isinstance(name, _ORDERED_KINDS)]
    return tuple(map(_name_text, ordered)), tuple(map(_name_text, others))


def common_names(holder: x509.Certificate | x509.CertificateSigningRequest) -> tuple[str, ...]:
    """Return the subject's common names in order, without those that are blank."""
    attributes = holder.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return tuple(str(each.value) for each in attributes if str(each.value).strip())


def _name_text(name: x509.GeneralName) -> str:
    match name:
        case x509.DNSName(value=value) | x509.IPAddress(value=value):
            text = str(value)
        case x509.RFC822Name(value=value):
            text = f"email:{value}"
        case x509.UniformResourceIdentifier(value=value):
            text = f"URI:{value}"
        case x509.OtherName(type_id=kind, value=der):
            text = f"otherName:{kind.dotted_string}{_text_within(der)}"
        case x509.DirectoryName(value=directory):
            text = f"dirName:{directory.rfc4514_string()}"
        case x509.RegisteredID(value=oid):
            text = f"RID:{oid.dotted_string}"
        case _:
            text = type(name).__name__
    return text


def _text_within(der: bytes) -> str:
    """Return the text that an otherName holds, with a `;` before; nothing where it is no short text."""
    tag, length, value = der[:1], der[1:2], der[2:]
    if tag not in _TEXT_TAGS or length != bytes([min(len(value), 0xFF)]) or len(value) > _SHORT:
        return ""
    return f";{value.decode('utf-8', 'replace')}"
