"""What cryptography's objects say, as text: keys, names, signatures. Importing this imports cryptography."""

from __future__ import annotations

import ipaddress
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID, PublicKeyAlgorithmOID, SignatureAlgorithmOID

from sectigo_tui.domain.certificates import CertificateFacts

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


_OLD_HASHES: tuple[type[hashes.HashAlgorithm], ...] = (hashes.MD5, hashes.SHA1)
"""What cryptography takes for a wrong signature without looking at it."""

_RSA_AT_LEAST_BITS = 2048
_CERTIFIED_CURVES = frozenset({"P-256", "P-384", "P-521"})
"""Source: CA/Browser Forum, Baseline Requirements 6.1.1.5; so is the size of RSA keys."""


def is_signed_by_its_key(request: x509.CertificateSigningRequest) -> bool | None:
    """Return whether a request is signed by the key in it; None where this cannot be checked here."""
    try:
        algorithm = request.signature_hash_algorithm
        if isinstance(algorithm, _OLD_HASHES):
            return _verifies(request, algorithm)
        return True if request.is_signature_valid else _verdict(request)
    except InvalidSignature:
        return False
    except (UnsupportedAlgorithm, TypeError):
        return None
    except ValueError:
        # A key that is no key, such as a point that is not on its curve.
        return False


def cautions_of(
    request: x509.CertificateSigningRequest, key_type: str, key_size: str, *, signature_ok: bool | None
) -> tuple[str, ...]:
    """Return why a public CA may reject a sound request, each as a sentence without its period.

    Args:
        request: The request.
        key_type: Its key's algorithm, from `facts.key_kind`.
        key_size: Its key's size or curve.
        signature_ok: From `is_signed_by_its_key`.
    """
    cautions = []
    if not _is_certified(key_type, key_size):
        key = f"{key_type} {key_size}".strip()
        cautions.append(f"its key is {key}, which public CAs may not certify: RSA from 2048 bits, EC P-256 to P-521")
    name = _algorithm_name(request)
    if signature_ok is None:
        cautions.append(f"its signature ({name}) cannot be checked here, so a wrong one would not be noticed")
    elif _hash_of(request) in ("md5", "sha1"):
        cautions.append(f"it is signed with {name}, an algorithm that CAs may refuse")
    return tuple(cautions)


def _verdict(request: x509.CertificateSigningRequest) -> bool | None:
    """Tell a wrong signature from one by an algorithm that is not known here, which cryptography calls wrong too."""
    return False if request.signature_algorithm_oid in _KNOWN else None


def _verifies(request: x509.CertificateSigningRequest, algorithm: hashes.HashAlgorithm) -> bool | None:
    key, signature, signed = request.public_key(), request.signature, request.tbs_certrequest_bytes
    if isinstance(key, rsa.RSAPublicKey):
        way = request.signature_algorithm_parameters
        is_way = isinstance(way, padding.PKCS1v15 | padding.PSS)
        key.verify(signature, signed, way if is_way else padding.PKCS1v15(), algorithm)  # type: ignore[arg-type] # is_way
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(algorithm))
    elif isinstance(key, dsa.DSAPublicKey):
        key.verify(signature, signed, algorithm)
    else:
        return None
    return True


def _is_certified(key_type: str, key_size: str) -> bool:
    if key_type == "RSA":
        return int(key_size) >= _RSA_AT_LEAST_BITS
    return key_type == "EC" and key_size in _CERTIFIED_CURVES


def _hash_of(request: x509.CertificateSigningRequest) -> str:
    try:
        algorithm = request.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return algorithm.name if algorithm is not None else ""


def _algorithm_name(request: x509.CertificateSigningRequest) -> str:
    oid = request.signature_algorithm_oid
    known = {"sha1": "SHA-1", "md5": "MD5"}.get(_hash_of(request))
    return known or next((name.replace("_", " ") for name, each in _NAMED.items() if each == oid), oid.dotted_string)


_NAMED = {name: oid for name, oid in vars(SignatureAlgorithmOID).items() if isinstance(oid, x509.ObjectIdentifier)}
_KNOWN = frozenset(_NAMED.values())


_EXTENSION_REQUEST = x509.ObjectIdentifier("1.2.840.113549.1.9.14")
_SUBJECT_ALTERNATIVE_NAME = bytes.fromhex("0603551d11")
_DNS, _ADDRESS = 2, 7
_KINDS = {0: "otherName", 1: "email", 3: "x400Address", 4: "dirName", 5: "ediPartyName", 6: "URI", 8: "RID"}
_TEXTS = (1, 6)


def rare_names(request: x509.CertificateSigningRequest) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the DNS names and addresses that are asked for, and the names of other kinds, each with its kind.

    Raises:
        ValueError: The names are damaged.
    """
    ordered: list[str] = []
    others: list[str] = []
    for kind, value in _names(request.attributes.get_attribute_for_oid(_EXTENSION_REQUEST).value):
        if kind == _DNS:
            ordered.append(value.decode("ascii"))
        elif kind == _ADDRESS:
            ordered.append(str(ipaddress.ip_address(value)))
        else:
            text = f":{value.decode('utf-8', 'replace')}" if kind in _TEXTS else ""
            others.append(f"{_KINDS.get(kind, 'unknown kind')}{text}")
    return tuple(ordered), tuple(others)


def _names(extensions: bytes) -> Iterator[tuple[int, bytes]]:
    # cryptography leaves the outermost tag and length away.
    for _, extension in _parts(extensions):
        if extension.startswith(_SUBJECT_ALTERNATIVE_NAME):
            *_, (_, octets) = _parts(extension)
            for _, names in _parts(octets):
                yield from ((tag & 0x1F, value) for tag, value in _parts(names))


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield tag and content of what stands one after another."""
    while der:
        tag, length, begin = der[0], der[1], 2
        if length & 0x80:
            begin += length & 0x7F
            length = int.from_bytes(der[2:begin], "big")
        if begin + length > len(der):
            raise ValueError("the names are cut")
        yield tag, der[begin : begin + length]
        der = der[begin + length :]
