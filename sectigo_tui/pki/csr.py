"""Certificate requests: read, checked before anything is sent, and made here with their key on disk first."""

from __future__ import annotations

import base64
import binascii
import codecs
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sectigo_tui.domain.errors import InputError, unwritable
from sectigo_tui.domain.pki import CsrFacts, KeyOrder
from sectigo_tui.durable import create_file
from sectigo_tui.pki.names import Address, common_name_text, parse_name

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

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

    from sectigo_tui.pki.facts import cautions_of, common_names, is_signed_by_its_key, key_kind, names_by_kind

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


KEY_KINDS: Mapping[str, tuple[str, ...]] = {
    "RSA": ("2048", "3072", "4096", "8192"),
    "EC": ("P-256", "P-384", "P-521"),
}
"""What can be made here, in the spelling of SCM's `keyTypes`; offer those that the profile allows too."""

_PASSPHRASE_AT_MOST_BYTES = 1023
"""OpenSSL's limit."""


def make_csr(order: KeyOrder) -> CsrFacts:
    """Make a private key, put it on disk (PKCS#8 PEM, 0600), and return a CSR for it.

    The common name is one of the alternative names too, as browsers look at those alone. Takes up to seconds
    for a large RSA key.

    Args:
        order: The key and its names; IDNs in either spelling.

    Returns:
        The CSR; the key has been synced to disk by then.

    Raises:
        InputError: A name or kind of key cannot be used, or something is at the path; nothing was written.
        NoRoom: The disk is full, or failed; nothing was written.
    """
    from cryptography.hazmat.primitives import serialization

    first = parse_name(order.common_name)
    subject = common_name_text(first)
    names = list(dict.fromkeys([first, *map(parse_name, order.alternative_names)]))
    generate = _generator(*canonical_key(order.key_type, order.key_size))
    passphrase, key_path = order.passphrase, Path(order.path).expanduser()
    if passphrase is not None and not 0 < len(passphrase.reveal().encode()) <= _PASSPHRASE_AT_MOST_BYTES:
        raise InputError("the passphrase is empty or too long", "type another, or choose a key without")
    encryption = (
        serialization.NoEncryption()
        if passphrase is None
        else serialization.BestAvailableEncryption(passphrase.reveal().encode())
    )
    key = generate()
    encoded = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    try:
        create_file(key_path, encoded)
    except FileExistsError:
        raise InputError(f"{key_path} exists", "name another file: a private key is never overwritten") from None
    except OSError as error:
        raise unwritable(key_path, error, "name a file in a directory that you can write to") from error
    return read_csr(_signed_request(key, subject, names))


def _signed_request(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, subject: str, names: Sequence[str | Address]
) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    general_names: list[x509.GeneralName] = [
        x509.DNSName(name) if isinstance(name, str) else x509.IPAddress(name) for name in names
    ]
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .add_extension(x509.SubjectAlternativeName(general_names), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


def _generator(key_type: str, key_size: str) -> Callable[[], rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey]:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    if key_size not in KEY_KINDS.get(key_type, ()):
        kinds = "; ".join(f"{algorithm} {', '.join(sizes)}" for algorithm, sizes in KEY_KINDS.items())
        raise InputError(f"no {key_type} {key_size} key can be made here", f"take one of {kinds}, or bring a CSR")
    if key_type == "RSA":
        return lambda: rsa.generate_private_key(public_exponent=65537, key_size=int(key_size))
    curves: Mapping[str, ec.EllipticCurve] = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}
    return lambda: ec.generate_private_key(curves[key_size])
