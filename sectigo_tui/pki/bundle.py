"""Collected certificates in whatever order and wrapping they come: the leaf found, the chain put in order.

Source: collect's formats `x509` and `pem` come root first in the SCM manual 25.5's example and leaf first to some
clients (observed in production clients), with CRLF or LF; `base64` and `bin` are PKCS#7. So nothing here goes by
position.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from sectigo_tui.domain.certificates import CertificateFacts
from sectigo_tui.domain.errors import CutBundle, InputError
from sectigo_tui.domain.pki import CertificateBundle

if TYPE_CHECKING:
    from cryptography import x509

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \1-----", re.DOTALL)
_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_CUT_LINE = re.compile(rb"(?:\A|\n)-----(?:B|BE|BEG|BEGI|BEGIN[A-Z0-9 ]*-{0,4})\Z")
_LONG_FORM = 0x80
_CERTIFICATE_LABELS = frozenset({b"CERTIFICATE", b"X509 CERTIFICATE", b"PKCS7", b"CMS"})
_AT_MOST = 32
"""Certificates in a bundle: real ones have up to five, and comparing all with all must end soon."""


def read_certificate(bundle: bytes, csr_pem: str) -> CertificateFacts:
    """Return what a bundle's leaf says; see `read_bundle`."""
    return read_bundle(bundle, csr_pem).facts


def read_bundle(data: bytes, csr_pem: str = "") -> CertificateBundle:
    """Find the leaf in a collected bundle, and put its chain in order.

    Args:
        data: PEM, with or without text around it, or PKCS#7 as PEM or DER, or one certificate as DER.
        csr_pem: The CSR it was ordered with, which makes the leaf certain; empty when it is not known.

    Returns:
        The leaf, its issuers upwards, and what the leaf says.

    Raises:
        CutBundle: It ends too early.
        InputError: There is no certificate in it, or none for the CSR, or which one is the leaf is not certain.
    """
    from sectigo_tui.pki.csr import load_csr
    from sectigo_tui.pki.facts import MALFORMED, certificate_facts, public_key_der, without_warnings

    with without_warnings():
        key = public_key_der(load_csr(csr_pem.encode())) if csr_pem else None
        certificates = parse_certificates(data)
        try:
            leaf = find_leaf(certificates, public_key=key)
            chain, facts = tuple(_issuers_upwards(leaf, certificates)), certificate_facts(leaf)
            if not chain and leaf.issuer != leaf.subject:
                facts = replace(facts, missing_issuer=facts.issuer)
            return CertificateBundle(leaf_pem=_pem(leaf), chain_pem="".join(map(_pem, chain)), facts=facts)
        except MALFORMED:
            raise _damaged() from None


def parse_certificates(data: bytes) -> tuple[x509.Certificate, ...]:
    """Return all different certificates of a bundle, in the order they came.

    Args:
        data: As for `read_bundle`.

    Raises:
        CutBundle: It ends too early.
        InputError: There is none, too many, or one is damaged.
    """
    _check_whole(data)
    blocks = [_decoded(body) for label, body in _BLOCK.findall(data) if label in _CERTIFICATE_LABELS]
    if not blocks and data[:1] == b"\x30":
        blocks = [data]
    # A certificate compares by its DER, so this drops those that came twice.
    found = tuple(dict.fromkeys(certificate for block in blocks for certificate in _load(block)))
    if not found:
        raise InputError("the bundle holds no certificate", "collect it again, or in another format")
    if len(found) > _AT_MOST:
        raise InputError(f"the bundle holds more than {_AT_MOST} certificates", "collect it again")
    return found


def find_leaf(certificates: Sequence[x509.Certificate], *, public_key: bytes | None = None) -> x509.Certificate:
    """Return the certificate that was ordered.

    Args:
        certificates: All different ones of the bundle, in any order.
        public_key: The CSR's SubjectPublicKeyInfo (DER); None when the CSR is not known, and then the leaf
            is the one certificate that issued none of the others and is no CA's.

    Raises:
        InputError: No certificate is it, or more than one could be.
    """
    from sectigo_tui.pki.facts import public_key_der

    if public_key is not None:
        candidates = [one for one in certificates if public_key_der(one) == public_key]
        missing = "no certificate in the bundle is for the key of the order's CSR"
    else:
        candidates = [
            one
            for one in certificates
            if not _is_ca(one) and not any(_issued(one, other) for other in certificates if other is not one)
        ]
        missing = "the bundle holds certificates of CAs only"
    if not candidates:
        raise InputError(missing, "collect it again, or check the order in SCM: it may be another's")
    if len(candidates) > 1:
        names = " and ".join(sorted({one.subject.rfc4514_string() for one in candidates}))
        raise InputError(
            f"the bundle holds {len(candidates)} certificates that could be the one ordered: {names}",
            "collect it again, or check the order in SCM",
        )
    return candidates[0]


def _issuers_upwards(leaf: x509.Certificate, certificates: Sequence[x509.Certificate]) -> Iterator[x509.Certificate]:
    current, left = leaf, [one for one in certificates if one is not leaf]
    while True:
        issuers = [one for one in left if _issued(one, current)]
        if not issuers or current.issuer == current.subject:
            return
        # A cross-signed issuer leads further up than the self-signed one of the same name and key.
        current = max(issuers, key=lambda one: (one.issuer != one.subject, one.not_valid_after_utc))
        left.remove(current)
        yield current


def _issued(issuer: x509.Certificate, other: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm

    if issuer.subject != other.issuer:
        return False
    try:
        other.verify_directly_issued_by(issuer)
    except UnsupportedAlgorithm:
        return True  # the names are all there is to go by
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _is_ca(certificate: x509.Certificate) -> bool:
    from cryptography import x509

    from sectigo_tui.pki.facts import MALFORMED

    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (*MALFORMED, x509.ExtensionNotFound):
        return False


def _pem(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()


def _load(block: bytes) -> list[x509.Certificate]:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import pkcs7

    from sectigo_tui.pki.facts import MALFORMED

    try:
        return [x509.load_der_x509_certificate(block)]
    except MALFORMED:
        pass
    try:
        return pkcs7.load_der_pkcs7_certificates(block)
    except (*MALFORMED, UnsupportedAlgorithm):
        raise _damaged() from None


def _decoded(body: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error:
        raise _damaged() from None


def _check_whole(data: bytes) -> None:
    """Reject what was cut: a leaf that came whole, with an issuer that did not, would be taken for all there is."""
    begun = sum(label in _CERTIFICATE_LABELS for label in _BEGIN.findall(data))
    whole = [block for block in _BLOCK.finditer(data) if block[1] in _CERTIFICATE_LABELS]
    is_cut = len(whole) < begun or _CUT_LINE.search(data, whole[-1].end() if whole else 0) is not None
    if is_cut or (data[:1] == b"\x30" and _der_length(data) > len(data)):
        raise CutBundle("the bundle is cut: it ends inside a certificate", "collect it again")


def _der_length(data: bytes) -> int:
    """Return how long DER is by its own word."""
    first = data[1] if len(data) > 1 else 0
    if first < _LONG_FORM:
        return 2 + first
    octets = first - _LONG_FORM
    return 2 + octets + int.from_bytes(data[2 : 2 + octets], "big") if octets and len(data) >= 2 + octets else 2


def _damaged() -> InputError:
    return InputError("a certificate in the bundle is damaged", "collect it again")
