"""Whether a certificate request is signed by its own key, and what a public CA may hold against it."""

from __future__ import annotations

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from cryptography.x509.oid import SignatureAlgorithmOID

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
