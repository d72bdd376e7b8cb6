"""Private keys and CSRs made here: the key is on disk before anything can be ordered with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sectigo_tui.domain.errors import InputError, unwritable
from sectigo_tui.domain.pki import CsrFacts, KeyOrder
from sectigo_tui.durable import create_file
from sectigo_tui.pki.csr import canonical_key, read_csr
from sectigo_tui.pki.names import Address, common_name_text, parse_name

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

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
