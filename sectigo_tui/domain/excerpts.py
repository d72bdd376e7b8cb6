"""Untrusted text, cut and cleaned to be quoted in one line, without the secrets it may echo."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

MASK = "********"
EXCERPT_CHARACTERS = 80
_SCANNED = 8_192
_SHORTEST_SECRET = 5
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)


def one_line(text: str, characters: int = EXCERPT_CHARACTERS) -> str:
    """Return `text` without what does not print, on one line, cut to `characters`.

    Args:
        text: Anything; only its first 8,192 characters are polled.
        characters: The longest result.
    """
    printable = "".join(character if character.isprintable() else " " for character in text[:_SCANNED])
    line = " ".join(printable.split())
    return line if len(line) <= characters else line[: characters - 3] + "..."


def describe_body(body: bytes) -> str:
    """Return what a body that is not the API's looks like: `empty`, a web page by its title, or its first words."""
    text = body[:_SCANNED].decode("utf-8", "replace").strip()
    if not text:
        return "an empty body"
    if not text.startswith("<"):
        return f"{one_line(text)!r}"
    title = _TITLE.search(text)
    named = one_line(title.group(1)) if title else ""
    return f"a web page titled {named!r}" if named else "a web page"


def without_secrets(body: bytes, secrets: Iterable[str]) -> bytes:
    """Return a body with each secret masked, in every form of `masked`.

    Done before anything is cut, which could leave half a secret. One of fewer than 5 characters stays: it is in any
    body by chance, and masking it could make JSON unreadable; `masked` masks it in the texts that come of it.

    Args:
        body: An answer's body.
        secrets: What no text may quote.
    """
    text = body.decode("utf-8", "surrogateescape")
    cleaned = text
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            cleaned = _forms(secret).sub(MASK, cleaned)
    return body if cleaned == text else cleaned.encode("utf-8", "surrogateescape")


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return a text with each secret masked: as it is, in any case, or as URLs, JSON, HTML, base64 or hex write it.

    Args:
        text: Any text of a server's.
        secrets: What it may not quote; one of fewer than 5 characters counts only as a word of its own.
    """
    for secret in secrets:
        if secret:
            text = _forms(secret).sub(MASK, text)
    return text


@lru_cache(maxsize=32)
def _forms(secret: str) -> re.Pattern[str]:
    """Return what finds a secret: each character in any of its encodings, or the whole in base64 or hex."""
    spelled = "".join(_character_forms(character) for character in secret)
    if len(secret) < _SHORTEST_SECRET:
        return re.compile(rf"(?<!\w)(?:{spelled})(?!\w)", re.IGNORECASE)
    wholes = [form for encoded in _encodings(secret) for form in (*_in_base64(encoded), encoded.hex())]
    return re.compile("|".join((spelled, *dict.fromkeys(wholes))), re.IGNORECASE)


def _character_forms(character: str) -> str:
    import html

    number = ord(character)
    units = character.encode("utf-16-be", "surrogatepass")
    escaped = [f"u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)]
    forms = [
        re.escape(character),
        r"\\+" + re.escape(character),
        *("".join(f"%(?:25)*{byte:02x}" for byte in encoded) for encoded in _encodings(character)),
        "".join(rf"\\+{unit}" for unit in escaped),
        rf"\\+x{number:02x}",
        f"&#0*{number};",
        f"&#x0*{number:x};",
        re.escape(html.escape(character)),
        *(re.escape(encoded.decode("latin-1")) for encoded in _encodings(character)),
    ]
    if character == " ":
        forms.append(r"\+")
    return f"(?:{'|'.join(dict.fromkeys(forms))})"


def _encodings(text: str) -> tuple[bytes, ...]:
    encoded = text.encode("utf-8", "replace")
    return tuple(dict.fromkeys((encoded, text.encode("latin-1", "replace"))))


def _in_base64(secret: bytes) -> Iterator[str]:
    """Yield what a secret is in base64 at each of the three places at which it may begin, as in `login:password`."""
    for before in range(3):
        first, end = -(-before * 8 // 6), (before + len(secret)) * 8 // 6
        core = base64.b64encode(b"\0" * before + secret)[first:end].decode("ascii")
        if len(core) >= _SHORTEST_SECRET:
            spelled = "".join({"+": r"[+\-]", "/": "[/_]"}.get(character, character) for character in core)
            # The characters at both ends hold some of its bits.
            yield rf"[a-z0-9+/_\-]?{spelled}[a-z0-9+/_\-]?={{0,2}}"
