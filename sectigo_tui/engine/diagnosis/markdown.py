"""Text that leaves the program: no credential in it, and nothing untrusted that acts as Markdown or on a terminal."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from urllib.parse import quote, quote_plus

from sectigo_tui.domain.excerpts import one_line
from sectigo_tui.domain.ports import SecretText

Redact = Callable[[str], str]
"""Takes a text and returns it without anything that could be a credential."""

REDACTED = "[redacted]"

_SCANNED = 8_192
_LONGEST = 1_000
_SHORT_SECRET = 6
"""A secret shorter than this is masked only as a whole word: inside other words it would mask too much."""

_NAMED_SECRET = re.compile(
    r"""(?ix) \b( customer_?uri | login | pass(?:word|wd|phrase)? | (?:proxy-)?authorization | (?:set-)?cookie
    | (?:x-)?api[-_ ]?key | (?:access[-_ ]?)?token | client[-_ ]?secret | secret ) \b ["']? \s* [:=] \s* [^,;|]+"""
)
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{6,}")
_SPECIAL = re.compile(r"([\\`*\[\]<|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_BLOCK_MARK = re.compile(r"^([-+=#>])")
_RECORD_NAME = re.compile(r"(?<![\w.`-])(_[A-Za-z0-9-]+(?:\.[A-Za-z0-9_-]+)+\.?)(?![\w`])")
_NUMBER = re.compile(r"^(\d+)([.)])")


def redactor(secrets: Iterable[SecretText]) -> Redact:
    """Return a function that takes credentials out of a text.

    Args:
        secrets: The credentials in use; each is masked as it is and as URLs and JSON write it.

    Returns:
        The function; what looks like a header or setting that carries a credential goes as well.
    """
    values = sorted({form for secret in secrets for form in _forms(secret.reveal())}, key=len, reverse=True)
    known = re.compile("|".join(map(_pattern, values))) if values else None

    def redact(text: str) -> str:
        if known is not None:
            text = known.sub(REDACTED, text)
        return _BEARER.sub(rf"\1 {REDACTED}", _NAMED_SECRET.sub(rf"\1: {REDACTED}", text))

    return redact


def prose(text: str, redact: Redact) -> str:
    """Return untrusted text as Markdown that shows it as it is, on one line.

    A DNS name that begins with an underscore is a code span: it is copied from here to be published, also by who
    reads the Markdown as plain text.
    """
    parts = _RECORD_NAME.split(_clean(text, redact))
    shown = "".join(f"`{part}`" if number % 2 else _escaped(part) for number, part in enumerate(parts))
    return _NUMBER.sub(r"\1\\\2", _BLOCK_MARK.sub(r"\\\1", shown)) or "-"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text).replace("://", ":\\//")


def code(text: str, redact: Redact) -> str:
    """Return untrusted text as a Markdown code span, for what is copied: numbers, records, addresses.

    Accents grave and bars, which none of these has, are replaced: nothing escapes them in a table's code span.
    """
    clean = _clean(text, redact).replace("`", "'").replace("|", "\N{BROKEN BAR}")
    return f"`{clean}`" if clean else "-"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return a Markdown table's lines; none without rows.

    Args:
        head: The columns.
        rows: Cells that are Markdown already.
    """
    lines = [_row(row) for row in rows]
    return [_row(head), _row(["---"] * len(head)), *lines] if lines else []


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _clean(text: str, redact: Redact) -> str:
    # Cut last: a credential that a cut has halved would not be known again.
    return one_line(redact(one_line(text, _SCANNED)), _LONGEST)


def _forms(value: str) -> set[str]:
    return {value, " ".join(value.split()), quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]} - {""}


def _pattern(value: str) -> str:
    """Return what finds a secret: anywhere if it is long enough, and its beginning where a text was cut in it."""
    if len(value) < _SHORT_SECRET:
        return rf"(?<!\w){re.escape(value)}(?!\w)"
    rest = ""
    for character in reversed(value[_SHORT_SECRET:-1]):
        rest = f"(?:{re.escape(character)}{rest})?"
    return rf"{re.escape(value)}|{re.escape(value[:_SHORT_SECRET])}{rest}\.\.\."
