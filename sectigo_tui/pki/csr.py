"""Certificate requests: read, checked before anything is sent, and made here with their key on disk first."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sectigo_tui.domain.errors import InputError
from sectigo_tui.domain.pki import CsrFacts

if TYPE_CHECKING:
    from cryptography import x509

_REQUEST = re.compile(
    rb"-----BEGIN (NEW )?CERTIFICATE REQUEST-----(.*?)-----END (?:NEW )?CERTIFICATE REQUEST-----", re.DOTALL
)
_AT_MOST_BYTES = 1_000_000


def read_csr(data: bytes) -> CsrFacts:
    """Return what a certificate request says, whatever text stands around it.

    A wrong signature is a fact here, and rejected by `check_csr`.

    Args:
        data: PEM, as pasted or read from a file, in UTF-8 or in UTF-16 with a byte order mark; or DER.

    Raises:
        InputError: There is not exactly one readable request in it.
    """
    from sectigo_tui.pki.facts import MALFORMED, without_warnings

    with without_warnings():
        try:
            return _facts(load_csr(data))
        except MALFORMED:
            raise _damaged() from None


def check_csr(facts: CsrFacts, key_types: Mapping[str, tuple[str, ...]]) -> None:
    """Reject a request that SCM would reject.

    Args:
        facts: The request.
        key_types: What the profile allows, such as `{"RSA": ("2048",), "EC": ("P-256",)}`; empty: anything.

    Raises:
        InputError: Its signature is wrong, it names nothing, or the profile does not allow its key.
    """
    if facts.signature_ok is False:
        raise InputError("the CSR is not signed by the key in it", "make the CSR again from its private key")
    if not facts.common_name and not facts.subject_alternative_names:
        raise InputError("the CSR names nothing: no common name, no alternative name", "make it again with a name")
    if key_types and not key_allowed(facts.key_type, facts.key_size, key_types):
        raise InputError(
            f"the profile does not allow the CSR's key, {facts.key}",
            f"make a key that it allows: {allowed_keys_text(key_types)}",
        )


def key_allowed(key_type: str, key_size: str, key_types: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether a profile's key types hold a key's; spelling (`P-256`, `secp256r1`, `ECC`) does not matter."""
    wanted = canonical_key(key_type, key_size)
    return any(wanted == canonical_key(algorithm, size) for algorithm, sizes in key_types.items() for size in sizes)


def canonical_key(key_type: str, key_size: str) -> tuple[str, str]:
    """Return a kind of key as this program spells it, such as `("EC", "P-256")` for `ECC secp256r1`."""
    algorithm = {"ECC": "EC", "ECDSA": "EC", "RSA-PSS": "RSA"}.get(key_type.upper(), key_type.upper())
    size = key_size.lower().replace("prime256v1", "secp256r1").removeprefix("secp").removesuffix("r1")
    digits = re.sub(r"\D", "", size)
    if not digits or algorithm not in ("RSA", "EC"):
        return algorithm, key_size
    return algorithm, f"P-{digits}" if algorithm == "EC" else digits


def allowed_keys_text(key_types: Mapping[str, tuple[str, ...]]) -> str:
    """Return a profile's key types for a person, such as `RSA 2048, EC P-256`."""
    return ", ".join(f"{algorithm} {size}" for algorithm, sizes in key_types.items() for size in sizes)


def load_csr(data: bytes) -> x509.CertificateSigningRequest:
    """Return the one request in some text or DER.

    Raises:
        InputError: There is not exactly one readable request in it.
    """
    from cryptography import x509

    from sectigo_tui.pki.facts import MALFORMED

    if len(data) > _AT_MOST_BYTES:
        raise InputError("this is too large to be a CSR", "give the file that holds the CSR alone")
    data = _unmarked(data)
    requests = [body for _, body in _REQUEST.findall(data)]
    if len(requests) > 1:
        raise InputError(f"there are {len(requests)} CSRs in this", "give one")
    if not requests and data[:1] != b"\x30":
        raise InputError(*_what_it_is_instead(data))
    try:
        der = base64.b64decode(b"".join(requests[0].split()), validate=True) if requests else data
        return x509.load_der_x509_csr(der)
    except (*MALFORMED, binascii.Error):
        raise _damaged() from None


def _facts(request: x509.CertificateSigningRequest) -> CsrFacts:
    from cryptography.hazmat.primitives.serialization import Encoding

    from sectigo_tui.pki.facts import common_names, key_kind, names_by_kind
    from sectigo_tui.pki.signatures import cautions_of, is_signed_by_its_key

    key_type, key_size = key_kind(request)
    names = common_names(request)
    ordered, others = names_by_kind(request)
    signature_ok = is_signed_by_its_key(request)
    return CsrFacts(
        common_name=names[-1] if names else "",
        common_names=names if len(names) > 1 else (),
        subject_alternative_names=ordered,
        other_names=others,
        key_type=key_type,
        key_size=key_size,
        signature_ok=signature_ok,
        pem=request.public_bytes(Encoding.PEM).decode(),
        cautions=cautions_of(request, key_type, key_size, signature_ok=signature_ok),
    )


def _unmarked(data: bytes) -> bytes:
    """Return a text that a Windows program saved as UTF-16 as its plain bytes, and anything else as it is."""
    if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data
    return data.decode("utf-16", "replace").encode()


def _damaged() -> InputError:
    return InputError("the CSR is damaged", "copy it again as a whole, or make it again")


def _what_it_is_instead(data: bytes) -> tuple[str, str]:
    if b"PRIVATE KEY-----" in data:
        return "this is a private key, not a CSR", "give the CSR made from it; a private key never leaves its machine"
    if b"-----BEGIN CERTIFICATE-----" in data:
        return "this is a certificate, not a CSR", "give the CSR, which begins with BEGIN CERTIFICATE REQUEST"
    if b"-----BEGIN" in data:
        return "the CSR has no end, or is something else", "copy it again from its BEGIN line to its END line"
    return "there is no CSR in this", "give PEM text that begins with -----BEGIN CERTIFICATE REQUEST-----, or DER"
