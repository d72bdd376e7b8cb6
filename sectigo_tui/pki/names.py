"""Names that a certificate can be ordered for, as they are written into a CSR."""

from __future__ import annotations

import ipaddress
import re

from sectigo_tui.domain.errors import InputError

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_COMMON_NAME_AT_MOST = 64

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def parse_name(text: str) -> str | Address:
    """Return a typed name as a CSR holds it: a lower-case DNS name with IDNs as `xn--`, or an address.

    Args:
        text: Such as `www.example.com`, `*.example.com`, `bücher.example`, `192.0.2.1` or `2001:db8::1`.

    Raises:
        InputError: It is something else.
    """
    name = text.strip()
    if not name:
        raise InputError("a name is empty", "write a DNS name or an address")
    if "://" in name or "/" in name:
        raise InputError(f"{name!r} is a URL or a path", "write the host name alone")
    if "@" in name:
        raise InputError(f"{name!r} is an e-mail address", "a server certificate holds DNS names and addresses only")
    try:
        address = ipaddress.ip_address(name[1:-1] if name[0] == "[" and name[-1] == "]" else name)
    except ValueError:
        return _dns_name(name)
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        raise InputError(f"{name!r} is an address of one link only", "write the address without %ZONE")
    return address


def common_name_text(name: str | Address) -> str:
    """Return a name as the CSR's common name, which holds at most 64 characters (RFC 5280, ub-common-name).

    Raises:
        InputError: It is longer.
    """
    text = str(name)
    if len(text) > _COMMON_NAME_AT_MOST:
        raise InputError(
            f"the common name has {len(text)} characters, and a certificate holds at most {_COMMON_NAME_AT_MOST}",
            "take a shorter one as common name, and this one as alternative name",
        )
    return text


def file_stem(name: str) -> str:
    """Return a name, as untrusted as SCM's may be, as the beginning of a file's name.

    Args:
        name: A common name; `*.example.com` becomes `_wildcard.example.com`.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]+", "_", name.strip().replace("*", "_wildcard")).lstrip(".-")
    return safe[:100] or "unnamed"


def _dns_name(name: str) -> str:
    import idna

    wildcard, rest = ("*.", name[2:]) if name.startswith("*.") else ("", name)
    if "*" in rest:
        raise InputError(f"{name!r} is no DNS name", "a wildcard is *. before a name, once")
    try:
        ascii_name = idna.encode(rest.removesuffix("."), uts46=True).decode().lower()
    except idna.IDNAError as error:
        raise InputError(f"{name!r} is no DNS name: {error}", "correct it") from None
    labels = ascii_name.split(".")
    if not all(_LABEL.fullmatch(label) for label in labels) or labels[-1].isdigit():
        raise InputError(f"{name!r} is no DNS name", "a label is letters, digits and inner hyphens")
    return wildcard + ascii_name
