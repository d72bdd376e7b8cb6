"""What the API checks in a certificate signing request before it takes an order."""

import base64
import binascii
import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from sectigo_tui.simulator.account import Profile
from sectigo_tui.simulator.requests import ApiError

_ARMOR = re.compile(r"-----(BEGIN|END) (NEW )?CERTIFICATE REQUEST-----")
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


@dataclass(frozen=True, slots=True)
class Csr:
    """A decoded CSR.

    Args:
        common_name: Of its subject; blank if it has none.
        names: Its host names.
        public_key: The key to be certified.
        algorithm: RSA, EC, or another's name.
        size: Bits, or a curve's name.
    """

    common_name: str
    names: tuple[str, ...]
    public_key: CertificatePublicKeyTypes
    algorithm: str
    size: str


def read_csr(text: str) -> Csr:
    """Decode a CSR.

    Args:
        text: PEM, with or without its armor.

    Raises:
        ApiError: -9 where it is not Base64, -10 where it is no CSR, -138 where its signature is wrong.

    Source: SCM manual 25.5, "Errors".
    """
    try:
        der = base64.b64decode("".join(_ARMOR.sub("", text).split()), validate=True)
    except (binascii.Error, ValueError):
        raise ApiError(-9, "The CSR is not valid Base-64 data!") from None
    try:
        csr = x509.load_der_x509_csr(der)
        key = csr.public_key()
        valid = csr.is_signature_valid
        common = [str(one.value) for one in csr.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
        names = _names(csr)
    except (ValueError, UnsupportedAlgorithm):
        raise ApiError(-10, "Error while decoding CSR.") from None
    if not valid:
        raise ApiError(-138, "Invalid CSR.")
    algorithm, size = key_kind(key)
    return Csr(common[0] if common else "", names, key, algorithm, size)


def check_key(csr: Csr, profile: Profile) -> None:
    """Reject a key which a profile does not take.

    Raises:
        ApiError: -11 for its algorithm, -13 for its size.

    Source: SCM manual 25.5, "Errors"; which of the codes is answered when is assumed.
    """
    sizes = profile.key_types.get(csr.algorithm)
    if sizes is None:
        raise ApiError(-11, "The CSR uses an unsupported algorithm!")
    if csr.size not in sizes:
        raise ApiError(-13, "The CSR uses an unsupported key size!")


def key_kind(key: CertificatePublicKeyTypes) -> tuple[str, str]:
    """Return the algorithm and the size or curve of a key, as profiles name them."""
    if isinstance(key, rsa.RSAPublicKey):
        return "RSA", str(key.key_size)
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "EC", _CURVES.get(key.curve.name, key.curve.name)
    return type(key).__name__, ""


def _names(csr: x509.CertificateSigningRequest) -> tuple[str, ...]:
    try:
        extension = csr.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(extension.value.get_values_for_type(x509.DNSName))
