"""Names of certificates, compared: two spellings of one name are one name."""

from __future__ import annotations

import ipaddress
import unicodedata
from collections.abc import Iterable


def name_key(name: str) -> str:
    """Return what two spellings of one name share: lower case, no final dot, IDNs as `xn--`, addresses in short form.

    Args:
        name: A DNS name or an address, as untrusted as SCM's may be; anything else is folded alike.
    """
    text = name.strip()
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).replace("\N{IDEOGRAPHIC FULL STOP}", ".")
    text = text.lower().removesuffix(".")
    if text[-1:].isdigit() or ":" in text:
        try:
            return str(ipaddress.ip_address(text.strip("[]")))
        except ValueError:
            pass
    if text.isascii():
        return text
    return ".".join(label if label.isascii() else _a_label(label) for label in text.split("."))


def name_keys(names: Iterable[str]) -> frozenset[str]:
    """Return the keys of names; blank ones are left out."""
    return frozenset(filter(None, map(name_key, names)))


def first_name(common_name: str, alternative_names: Iterable[str]) -> str:
    """Return what an order goes by: its common name, the first alternative name where that is blank, else nothing."""
    return next((name.strip() for name in (common_name, *alternative_names) if name.strip()), "")


def _a_label(label: str) -> str:
    # A lone surrogate, which JSON can hold, is no character that punycode knows.
    return "xn--" + label.encode("utf-8", "replace").decode().encode("punycode").decode()
