"""A collected certificate as PEM, in whatever wrapping SCM sends it.

Source: SCM manual 25.5: `x509` is PEM, `base64` is PKCS#7 as PEM, `bin` is PKCS#7 as DER; which one an account's answer
is was seen to differ from what was asked for.
"""

from __future__ import annotations

import base64
import binascii
import re

_PEM = re.compile(rb"-----BEGIN (?:X509 )?CERTIFICATE|-----BEGIN (?:PKCS ?#?7|CMS)\b")
_BARE = re.compile(rb"MI[A-Za-z0-9+/\s]+={0,2}\s*")
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
"""The object identifier with which PKCS#7 begins, inside its outer sequence."""
_HEADER_BYTES = 8
_LONG_FORMS = (b"\x80", b"\x81", b"\x82", b"\x83")
"""After 0x30: how many bytes its length takes, and the indefinite form of BER."""


def as_pem(body: bytes) -> bytes | None:
    """Return what was collected as PEM text; None when it is nothing of the kind.

    Args:
        body: PEM, which is returned as it came, or PKCS#7 or one certificate as DER, or either in bare base64.
    """
    if _PEM.search(body):
        return body
    bare = _BARE.fullmatch(body.strip())
    if bare:
        try:
            body = base64.b64decode(b"".join(bare[0].split()), validate=True)
        except binascii.Error:
            return None
    if not _may_be_der(body):
        return None
    label = "PKCS7" if _SIGNED_DATA in body[: _HEADER_BYTES + len(_SIGNED_DATA)] else "CERTIFICATE"
    lines = base64.encodebytes(body).decode().replace("\n", "")
    text = "\n".join(lines[at : at + 64] for at in range(0, len(lines), 64))
    return f"-----BEGIN {label}-----\n{text}\n-----END {label}-----\n".encode()


def _may_be_der(body: bytes) -> bool:
    """Return whether something begins as a DER sequence does, so long that it tells its length in the long form."""
    return body[:1] == b"\x30" and body[1:2] in _LONG_FORMS
