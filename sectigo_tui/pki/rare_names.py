"""The names of a request that cryptography does not read at all, since one of them is of a kind it does not know.

Kinds are the tags of GeneralName. Source: RFC 5280, 4.2.1.6.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from cryptography import x509

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
