"""Untrusted text, cut and cleaned to be quoted in one line, without the secrets it may echo."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable

EXCERPT_CHARACTERS = 80
_SCANNED = 8_192
_SHORTEST_SECRET = 5
_TITLE = re.compile(r"<title[^>]*>([^<]*)", re.IGNORECASE)


def one_line(text: str, characters: int = EXCERPT_CHARACTERS) -> str:
    """Return `text` without what does not print, on one line, cut to `characters`.

    Args:
        text: Anything; only its first 8,192 characters are looked at.
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
    """Return a body with each secret masked, as it is or as JSON or HTML would write it.

    Done before anything is cut, which could leave half a secret. One of fewer than 5 characters stays: it is in any
    text by chance, and masking it would only show where.

    Args:
        body: An answer's body.
        secrets: What was sent with the request.
    """
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            in_json = (json.dumps(secret, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False))
            for written in (secret, *in_json, html.escape(secret)):
                body = body.replace(written.encode("utf-8", "replace"), b"********")
    return body
